"""Objects whose reductions are known beforehand are written as `pickle` writes them, byte for byte."""

import collections
import pickle

import capers
import pytest

try:
    import numpy
except ImportError:
    numpy = None

needs_numpy = pytest.mark.skipif(numpy is None, reason="numpy is not installed for this interpreter")


class Ordered(collections.OrderedDict):
    pass


class Default(collections.defaultdict):
    pass


def with_attribute():
    made = collections.OrderedDict(a=1)
    made.note = ["kept"]
    return made


def moved():
    made = collections.OrderedDict((key, [key]) for key in "abcde")
    made.move_to_end("a")
    made.move_to_end("e", last=False)
    del made["c"]
    return made


def recursive():
    made = collections.OrderedDict()
    made["self"] = made
    return made


MAPPINGS = {
    "an empty OrderedDict": collections.OrderedDict,
    "an OrderedDict whose items were moved": moved,
    "an OrderedDict with an attribute": with_attribute,
    "an OrderedDict that lost its attribute": lambda: (made := with_attribute()) and made.__dict__.clear() or made,
    "a subclass of OrderedDict": lambda: Ordered(b=2),
    "a defaultdict without factory": lambda: collections.defaultdict(None, a=1),
    "a defaultdict of lists": lambda: collections.defaultdict(list, {1: [2], "x": []}),
    "a subclass of defaultdict": lambda: Default(list, a=[1]),
    "many of them, shared": lambda: [made := collections.defaultdict(list, a=[1]), made, moved(), moved()],
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", MAPPINGS)
def test_mappings_are_written_as_pickle_writes_them(name, protocol):
    made = MAPPINGS[name]()
    assert capers.dumps(made, protocol) == pickle.dumps(made, protocol)


def test_an_ordered_dict_that_holds_itself_comes_back():
    back = capers.loads(capers.dumps(recursive()))
    assert back["self"] is back


def test_asking_for_attributes_of_an_ordered_dict_makes_none():
    made = collections.OrderedDict(a=1)
    size = made.__sizeof__()
    capers.dumps(made)
    assert made.__sizeof__() == size


def test_a_dispatch_table_goes_before_what_is_known():
    import copyreg

    made = collections.OrderedDict(a=1)
    copyreg.pickle(collections.OrderedDict, lambda it: (list, (list(it),)))
    try:
        assert capers.loads(capers.dumps(made)) == ["a"]
    finally:
        del copyreg.dispatch_table[collections.OrderedDict]


def arrays():
    if numpy is None:
        return {}
    base = numpy.arange(24, dtype="f8").reshape(2, 3, 4)
    readonly = base.copy()
    readonly.flags.writeable = False
    return {
        "small ones of one type": [numpy.arange(n, dtype="i4") for n in range(5)],
        "of several types in turn": [
            numpy.arange(0, 3, dtype=kind) for kind in ("i4", "f8", "i4", "u1", "M8[s]", "i4")
        ],
        "no dimension": [numpy.array(1.5), numpy.array(2.5)],
        "in the other order": [base, numpy.asfortranarray(base), base.T, base],
        "with gaps": [base, base[:, ::2], base[::-1], base],
        "read-only": [base, readonly, base],
        "over bytes": [base, numpy.frombuffer(b"12345678" * 3, dtype="f8")],
        "of objects": [base, numpy.array([{}, None]), base],
        "of records": [numpy.zeros(3, dtype=[("a", "i4"), ("b", "f8")])] * 2
        + [numpy.ones(2, [("a", "i4"), ("b", "f8")])],
        "of empty items": [numpy.zeros(3, dtype="V0"), numpy.zeros(3, dtype="U0")],
        "subclasses": [
            base,
            numpy.ma.masked_array([1.0, 2.0], [0, 1]),
            numpy.zeros(2, [("x", "f8")]).view(numpy.recarray),
        ],
        "one twice": [base, base, base.copy()],
    }


@needs_numpy
@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("name", arrays())
def test_arrays_are_written_as_numpy_has_them(name, protocol):
    made = arrays()[name]
    assert capers.dumps(made, protocol) == pickle.dumps(made, protocol)


def described(array):
    """What can be seen of an array, or the pair of a mask and what is masked."""
    parts = [array] if not isinstance(array, numpy.ma.MaskedArray) else [array.data, array.mask]
    seen = [(part.dtype, part.shape, part.strides, part.tolist()) for part in parts]
    return type(array), seen, str(array.flags), type(array.base), type(getattr(array.base, "base", None))


@needs_numpy
@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("name", arrays())
def test_arrays_are_loaded_as_numpy_makes_them(name, protocol):
    payload = pickle.dumps(arrays()[name], protocol)
    ours, theirs = capers.loads(payload), pickle.loads(payload)
    assert [described(each) for each in ours] == [described(each) for each in theirs]


@needs_numpy
def test_arrays_from_out_of_band_see_the_buffers_that_were_given():
    made, buffers = arrays()["small ones of one type"], []
    payload = pickle.dumps(made, 5, buffer_callback=buffers.append)
    given = [bytearray(each.raw()) for each in buffers]
    loaded = capers.loads(payload, buffers=given)
    given[4][:4] = b"\x07\0\0\0"
    assert loaded[4].tolist() == [7, 1, 2, 3]
    assert loaded[4].flags.writeable


@needs_numpy
@pytest.mark.parametrize(
    "change", [{"shape": (5,)}, {"shape": [-1]}, {"order": "K"}, {"order": 7}, {"buffer": b"12345"}]
)
def test_arrays_that_cannot_be_made_raise_what_pickle_raises(change):
    class Odd:
        def __reduce__(self):
            parts = {"buffer": b"12345678", "dtype": numpy.dtype("i4"), "shape": (2,), "order": "C"} | change
            return pickle.loads(pickle.dumps(numpy.arange(2).__reduce_ex__(5)[0])), tuple(parts.values())

    def outcome(loads):
        try:
            return described(loads(pickle.dumps([Odd()], 5))[0])
        except Exception as error:
            return type(error), str(error)

    assert outcome(capers.loads) == outcome(pickle.loads)


@needs_numpy
def test_a_function_put_in_the_place_of_numpys_is_called(monkeypatch):
    payload = pickle.dumps(numpy.arange(3), 5)
    module = numpy.arange(3).__reduce_ex__(5)[0].__module__
    monkeypatch.setattr(f"{module}._frombuffer", lambda *arguments: len(arguments))
    assert capers.loads(payload) == 4


@needs_numpy
def test_arrays_go_out_of_band_as_with_pickle():
    made = arrays()["in the other order"] + arrays()["read-only"]
    ours, theirs = [], []
    assert capers.dumps(made, 5, buffer_callback=ours.append) == pickle.dumps(made, 5, buffer_callback=theirs.append)
    assert [bytes(each.raw()) for each in ours] == [bytes(each.raw()) for each in theirs]


def test_buffers_in_any_order_of_dimensions_are_written_flat():
    import ctypes

    grid = (ctypes.c_int16 * 3 * 2)((1, 2, 3), (4, 5, 6))
    for made in (memoryview(grid), memoryview(b"12345678").cast("B", (2, 4)), bytearray(b"abc")):
        buffer = pickle.PickleBuffer(made)
        assert capers.dumps(buffer, 5) == pickle.dumps(buffer, 5)


def test_a_released_buffer_is_refused_as_pickle_refuses_it():
    buffer = pickle.PickleBuffer(b"abc")
    buffer.release()
    errors = []
    for module in (pickle, capers):
        with pytest.raises(ValueError) as caught:
            module.dumps(buffer, 5)
        errors.append(type(caught.value))
    assert errors[0] is errors[1]


def test_a_buffer_released_while_it_is_offered_is_written_all_the_same():
    content = bytearray(b"x" * 100)
    buffer = pickle.PickleBuffer(content)

    def refuse(offered):
        offered.release()
        return True

    assert capers.loads(capers.dumps(buffer, 5, buffer_callback=refuse)) == content


def test_a_buffer_with_gaps_is_refused():
    with pytest.raises(pickle.PicklingError, match="non-contiguous"):
        capers.dumps(pickle.PickleBuffer(memoryview(b"abcdef")[::2]), 5)


@pytest.mark.parametrize("bits", [*range(1, 140), 255, 256, 1000, 2039, 2040, 2041, 2048, 5000])
def test_ints_of_any_length_come_back(bits):
    for value in ((1 << bits) - 1, 1 << bits, (1 << bits) + 1, 0x5A5A5A5A5A5A5A5A % (1 << bits) << bits):
        for number in (value, -value):
            back = capers.loads(pickle.dumps(number, 5))
            assert back == number and hash(back) == hash(number) and (back + 1) - number == 1
            assert back.bit_length() == number.bit_length()


@pytest.mark.parametrize("spare", [1, 7, 8, 30])
@pytest.mark.parametrize("value", [0, 5, -5, 1 << 60, -(1 << 60), 1 << 89, -(1 << 90), (1 << 90) - 1])
def test_ints_with_more_bytes_than_they_need_come_back(value, spare):
    data = value.to_bytes(12 + spare, "little", signed=True)
    back = capers.loads(b"\x80\x02\x8a" + bytes([len(data)]) + data + b".")
    assert back == value and hash(back) == hash(value) and (back is value or abs(value) > 256)
