"""Buffers that are let go of, kept, resized or written to at the wrong time."""

import array
import ctypes
import gc
import io
import mmap

import capers

from . import Evil, gives, program, raises


@program
def a_buffer_released_in_its_callback_is_refused_or_written():
    """A callback may release the PickleBuffer it is given, or what lies below it."""
    for size in (0, 10, 100_000, 5_000_000):
        for in_band in (True, False):

            def releases(buffer):
                buffer.release()
                return in_band

            def releases_below(buffer):
                view.release()
                return in_band

            got = gives(
                lambda: capers.dumps([capers.PickleBuffer(bytearray(size)), [1]], 5, buffer_callback=releases),
                ValueError,
            )
            assert got == "ValueError" or capers.loads(got, buffers=[bytearray(size)]) == [bytearray(size), [1]]
            view = memoryview(bytearray(size))
            got = gives(
                lambda: capers.dumps([capers.PickleBuffer(view)], 5, buffer_callback=releases_below),
                ValueError,
                BufferError,
            )
            assert isinstance(got, (str, bytes))


@program
def a_buffer_released_in_the_truth_of_the_answer_is_survived():
    """The answer of a buffer callback may release the buffer when it is asked whether it is true."""

    class Answer:
        def __init__(self, buffer, truth):
            self.buffer, self.truth = buffer, truth

        def __bool__(self):
            self.buffer.release()
            gc.collect()
            return self.truth

    class Raising:
        def __bool__(self):
            raise KeyError("truth")

    for truth in (True, False):
        for make in (bytearray, bytes):
            pickle_buffer = capers.PickleBuffer(make(100_000))
            got = gives(lambda: capers.dumps(pickle_buffer, 5, buffer_callback=lambda b: Answer(b, truth)), ValueError)
            assert isinstance(got, (str, bytes))
    raises(KeyError, lambda: capers.dumps(capers.PickleBuffer(b"x"), 5, buffer_callback=lambda b: Raising()))


@program
def a_bytearray_resized_in_write_is_survived():
    """write may resize the bytearray whose bytes it is given, or keep what it is given for later."""
    for act in (
        lambda box: box.clear(),
        lambda box: box.extend(bytes(10_000_000)),
        lambda box: box.__setitem__(slice(None), b"q" * len(box)),
    ):

        class File:
            def __init__(self):
                self.kept, self.copies = [], []

            def write(self, data):
                self.kept.append(data)
                self.copies.append(bytes(data))
                gives(lambda: act(box), BufferError)

        box, file = bytearray(b"ab" * 4_000_000), File()
        gives(lambda: capers.dump([box, "x" * 100_000, box], file), BufferError)
        gives(lambda: capers.dump([capers.PickleBuffer(box), "x" * 100_000], file, 5), BufferError, ValueError)
        # What was kept can be read, whatever happened to its owner.
        for each in file.kept:
            gives(lambda: bytes(each), ValueError)
        got = gives(lambda: capers.loads(b"".join(file.copies)), capers.UnpicklingError, EOFError)
        assert isinstance(got, (list, str))


@program
def what_write_keeps_stays_what_it_was():
    """A file that keeps all it is given finds the same bytes there at the end."""

    class Keeping:
        def __init__(self):
            self.kept, self.then = [], []

        def write(self, data):
            self.kept.append(data)
            self.then.append(bytes(data))

    value = [
        b"x" * 6_000_000,
        bytearray(b"y" * 3_000_000),
        "z" * 2_000_000,
        array.array("d", range(200_000)),
        list(range(100_000)),
        "é" * 500_000,
    ]
    for protocol in range(6):
        file = Keeping()
        capers.dump(value, file, protocol)
        value[1][:3] = b"abc"
        now = [gives(lambda: bytes(each), ValueError) for each in file.kept]
        assert (
            all(one in (two, "ValueError") for one, two in zip(now, file.then))
            or protocol == 5
            and b"abc" in b"".join(now)[:9_000_000]
        )
        value[1][:3] = b"yyy"
        assert capers.loads(b"".join(file.then)) == value


@program
def a_readinto_that_keeps_its_view_reaches_nothing():
    """A file that keeps the memoryview of readinto and writes to it later changes no object that was loaded."""
    for value in (b"A" * 200_000, bytearray(b"B" * 200_000), b"C" * 5_000_000):
        kept = []

        class File(io.BytesIO):
            def readinto(self, room):
                kept.append(room)
                return super().readinto(room)

        before = bytes(value)
        loaded = capers.load(File(capers.dumps(value)))
        for room in kept:
            gives(lambda: room.__setitem__(slice(None), b"!" * len(room)), ValueError, TypeError)
            gives(lambda: bytes(room), ValueError)
        assert loaded == before and type(loaded) is type(value)
        del loaded
        gc.collect()
        for room in kept:
            gives(lambda: room.__setitem__(slice(None), b"?" * len(room)), ValueError, TypeError)


@program
def a_readinto_that_lies_is_refused():
    """readinto may return less than nothing, more than there is room, no number, or let go of the room."""
    data = capers.dumps([b"A" * 300_000])
    for answer in (-1, 10**9, 2**63, 2**64, None, "5", 2.5, [], True, Evil):

        class File(io.BytesIO):
            def readinto(self, room):
                return answer

        got = gives(lambda: capers.load(File(data)), Exception)
        assert isinstance(got, str), got

    class Releasing(io.BytesIO):
        def readinto(self, room):
            got = super().readinto(room)
            room.release()
            return got

    class Slow(io.BytesIO):
        def readinto(self, room):
            return super().readinto(memoryview(room)[: max(1, len(room) // 2)])

    class Empty(io.BytesIO):
        def readinto(self, room):
            return 0

    got = gives(lambda: capers.load(Releasing(data)), ValueError)
    assert got in ("ValueError", [b"A" * 300_000])
    assert capers.load(Slow(data)) == [b"A" * 300_000]
    raises(capers.UnpicklingError, lambda: capers.load(Empty(data)))


@program
def buffers_that_are_none_are_refused():
    """The buffers of a load may be any objects, and their iterator may end or fail."""
    for buffers in ([None], [3], ["text"], [object()], [memoryview(b"abcd")[::2]], [[1]], []):
        for stream in (b"\x97.", b"\x97\x98.", b"\x97\x98\x98.", b"\x97\x97."):
            got = gives(lambda: capers.loads(stream, buffers=buffers), TypeError, capers.UnpicklingError, BufferError)
            assert not isinstance(got, str) or got in ("TypeError", "UnpicklingError", "BufferError", "text")
    for buffers in (3, object(), None.__class__, b"", ""):
        got = gives(lambda: capers.loads(b"\x97.", buffers=buffers), TypeError, capers.UnpicklingError)
        assert isinstance(got, (str, int))


@program
def released_and_odd_views_are_refused():
    """PickleBuffers of released, strided, many-dimensional and empty views are refused or written."""
    released = memoryview(bytearray(9))
    buffer = capers.PickleBuffer(released)
    gone = capers.PickleBuffer(bytearray(3))
    gone.release()
    views = [
        memoryview(bytearray(range(60)))[::2],
        memoryview(bytearray(60)).cast("B", (3, 4, 5)),
        memoryview(array.array("d", range(10))),
        memoryview(b""),
        memoryview((ctypes.c_int * 6)()),
        memoryview(mmap.mmap(-1, 4096)),
        memoryview(bytearray(4)).cast("I"),
    ]
    for each in [gone, buffer, *map(capers.PickleBuffer, views)]:
        for callback in (None, lambda b: True, lambda b: False, lambda b: b.release()):
            got = gives(
                lambda: capers.dumps(each, 5, buffer_callback=callback), ValueError, capers.PicklingError, BufferError
            )
            assert isinstance(got, (str, bytes))


@program
def memory_that_changes_under_a_load_is_read_safely():
    """The bytearray, memoryview or mmap that is loaded from may be written to, released or closed meanwhile."""
    from .. import objects

    class Changing:
        def __setstate__(self, state):
            for act in acts:
                gives(act, BufferError, ValueError, TypeError)

    objects.Changing, Changing.__module__, Changing.__qualname__ = Changing, "hostile.objects", "Changing"
    thing = Changing()
    thing.n = 1
    data = capers.dumps([thing, "text" * 1000, {"a": b"b" * 1000}, thing, [2**99]])
    array_like, mapped = bytearray(data), mmap.mmap(-1, len(data))
    mapped[:] = data
    view = memoryview(bytearray(data))
    wide = array.array("B", data)
    acts = [
        array_like.clear,
        lambda: array_like.__setitem__(slice(None), b"\xff" * len(array_like)),
        mapped.close,
        lambda: mapped.__setitem__(slice(None), b"\xff" * len(data)),
        view.release,
        lambda: view.__setitem__(slice(None), b"\xff" * len(data)),
        lambda: wide.extend(range(99)),
        lambda: wide.__setitem__(slice(None), wide[::-1]),
    ]
    for source in (array_like, mapped, view, wide):
        gives(lambda: capers.loads(source), Exception)
    assert type(capers.loads(data)[0]) is Changing


@program
def buffers_of_python_classes_are_read_safely():
    """A class with __buffer__ (Python 3.12 on) may raise, or come back in."""
    import sys

    class Source:
        def __init__(self, make):
            self.make = make

        def __buffer__(self, flags):
            return self.make()

        def __release_buffer__(self, view):
            gives(lambda: capers.loads(b"N."), Exception)
            raise KeyError("release")

    def fail():
        raise KeyError("buffer")

    if sys.version_info < (3, 12):
        raises(TypeError, lambda: capers.loads(Source(fail)))
        return
    sys.unraisablehook = lambda told: None
    raises(KeyError, lambda: capers.loads(Source(fail)))
    raises(TypeError, lambda: capers.loads(Source(lambda: 3)))
    assert capers.loads(Source(lambda: memoryview(b"K\x05."))) == 5
    assert capers.loads(Source(lambda: memoryview(bytes(capers.dumps(capers.loads(b"K\x06.")))))) == 6
