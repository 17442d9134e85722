"""Buffers in band and out of band: no copies where there need be none, and the rules of `pickle`."""

import array
import io
import pickle

import capers
import pytest

PickleBuffer = pickle.PickleBuffer
MIB = 1 << 20


class Carrier:
    """An object whose memory travels as a buffer."""

    def __init__(self, memory):
        self.memory = memory

    def __reduce_ex__(self, protocol):
        return Carrier, (PickleBuffer(self.memory),)


def there_and_back(thing, load=capers.loads):
    buffers = []
    data = capers.dumps(thing, 5, buffer_callback=buffers.append)
    return load(data, buffers=buffers), data, buffers


def test_memory_out_of_band_is_the_same_memory():
    memory = bytearray(3 * MIB)
    arrived, data, buffers = there_and_back(Carrier(memory))
    assert len(data) < 200 and len(buffers) == 1
    memory[7] = 77
    assert bytes(arrived.memory)[7] == 77
    memoryview(arrived.memory)[8] = 88
    assert memory[8] == 88


def test_read_only_memory_out_of_band_is_the_same_memory():
    memory = b"\x01" * MIB
    arrived, data, buffers = there_and_back(Carrier(memory))
    assert len(data) < 200
    assert memoryview(arrived.memory).obj is memory
    assert memoryview(arrived.memory).readonly


def test_writable_memory_that_was_read_only_arrives_read_only():
    buffers = []
    data = capers.dumps(PickleBuffer(memoryview(bytearray(b"abc")).toreadonly()), 5, buffer_callback=buffers.append)
    given = bytearray(b"abc")
    for loader in (pickle, capers):
        made = loader.loads(data, buffers=[given])
        assert type(made) is memoryview and made.readonly and made.obj is given


def test_memory_out_of_band_goes_through_files_too():
    memory, buffers, file = array.array("d", [1.5]) * MIB, [], io.BytesIO()
    capers.dump([Carrier(memory), "end"], file, 5, buffer_callback=buffers.append)
    assert len(file.getvalue()) < 200
    file.seek(0)
    arrived, end = capers.load(file, buffers=buffers)
    memory[5] = 2.5
    assert memoryview(arrived.memory).cast("B").cast("d")[5] == 2.5 and end == "end"


def test_a_numpy_array_out_of_band_shares_its_memory():
    numpy = pytest.importorskip("numpy")
    for thing in (numpy.arange(MIB), numpy.asfortranarray(numpy.ones((300, 400))), numpy.arange(24).reshape(2, 3, 4)):
        arrived, data, buffers = there_and_back([thing])
        assert len(data) < 500
        assert numpy.shares_memory(thing, arrived[0]) and arrived[0].flags.writeable
        assert arrived[0].dtype == thing.dtype and (arrived[0] == thing).all()
        assert arrived[0].flags.f_contiguous == thing.flags.f_contiguous


def test_a_numpy_array_that_cannot_be_written_arrives_so():
    numpy = pytest.importorskip("numpy")
    thing = numpy.arange(100)
    thing.setflags(write=False)
    arrived, *_ = there_and_back(thing)
    assert numpy.shares_memory(thing, arrived) and not arrived.flags.writeable


def released(thing):
    buffer = PickleBuffer(thing)
    buffer.release()
    return buffer


BUFFERS = {
    "read-only": lambda: PickleBuffer(b"abc"),
    "writable": lambda: PickleBuffer(bytearray(b"abc")),
    "empty": lambda: PickleBuffer(b""),
    "empty and writable": lambda: PickleBuffer(bytearray()),
    "array": lambda: PickleBuffer(array.array("d", [1, 2, 3])),
    "part": lambda: PickleBuffer(memoryview(b"abcdef")[1:4]),
    "two dimensions": lambda: PickleBuffer(memoryview(bytearray(range(12))).cast("B", (3, 4))),
    "shared": lambda: (lambda buffer: [buffer, buffer])(PickleBuffer(b"xyz")),
    "large": lambda: PickleBuffer(b"z" * 70_000),
    "large and writable": lambda: PickleBuffer(bytearray(70_000)),
    "read-only view": lambda: PickleBuffer(memoryview(bytearray(b"abc")).toreadonly()),
    "released": lambda: released(b"abc"),
    "every other byte": lambda: PickleBuffer(memoryview(b"abcdef")[::2]),
    "backwards": lambda: PickleBuffer(memoryview(b"abcdef")[::-1]),
}


class Truth:
    def __init__(self, value):
        self.value = value

    def __bool__(self):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


ANSWERS = {
    "none": None,
    "false": False,
    "true": True,
    "an object that is false": Truth(False),
    "an object that is true": Truth(True),
    "an object that is neither": Truth(KeyError("neither")),
}


def outcome(make):
    """Return what *make* gives, or the exception's class, that of `pickle` in place of ours."""
    try:
        return make()
    except Exception as error:
        return next(each for each in type(error).__mro__ if not each.__module__.startswith("capers"))


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("answer", [*ANSWERS, "no callback"])
@pytest.mark.parametrize("name", BUFFERS)
def test_a_buffer_is_written_or_refused_as_by_pickle(name, answer, protocol):
    def written(module):
        seen = []

        def callback(buffer):
            seen.append(bytes(buffer.raw()))
            return ANSWERS[answer]

        how = {} if answer == "no callback" else {"buffer_callback": callback}
        return module.dumps(BUFFERS[name](), protocol, **how), seen

    assert outcome(lambda: written(capers)) == outcome(lambda: written(pickle))


GIVEN = {
    "the same": lambda buffers: buffers,
    "an iterator": iter,
    "none": lambda buffers: None,
    "too few": lambda buffers: buffers[:-1],
    "bytes": lambda buffers: [bytes(each.raw()) for each in buffers],
    "bytearrays": lambda buffers: [bytearray(each.raw()) for each in buffers],
    "something else": lambda buffers: ["text"] * len(buffers),
    "no iterable": lambda buffers: 5,
    "an iterator that raises": lambda buffers: (1 // 0 for _ in buffers),
}


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize(
    "name", [name for name in BUFFERS if name not in ("released", "every other byte", "backwards")]
)
def test_buffers_are_taken_or_refused_as_by_pickle(name, given):
    buffers = []
    data = pickle.dumps(BUFFERS[name](), 5, buffer_callback=buffers.append)

    def taken(load):
        made = load(data, buffers=GIVEN[given](buffers))
        made = made[0] if isinstance(made, list) else made
        content = made if isinstance(made, str) else (bytes(memoryview(made).cast("B")), memoryview(made).readonly)
        return type(made), content

    wanted = outcome(lambda: taken(pickle.loads))
    assert outcome(lambda: taken(capers.loads)) == wanted
    assert outcome(lambda: taken(lambda data, buffers: capers.load(io.BytesIO(data), buffers=buffers))) == wanted


def test_a_buffer_released_while_it_is_asked_about_is_written_all_the_same():
    """C reads memory here that may be gone (gh-143308)."""

    def callback(buffer):
        buffer.release()
        return True

    memory = bytearray(b"x" * 100_000)
    data = capers.dumps(PickleBuffer(memory), 5, buffer_callback=callback)
    assert pickle.loads(data) == memory


def test_memory_cannot_be_resized_while_it_is_asked_about():
    memory = bytearray(b"x" * 100_000)

    def callback(buffer):
        buffer.release()
        with pytest.raises(BufferError):
            memory.clear()
        return True

    assert pickle.loads(capers.dumps(PickleBuffer(memory), 5, buffer_callback=callback)) == memory
