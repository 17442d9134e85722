"""Limits for untrusted input: each stops what it is for, says so, and lets through what stays below it."""

import io
import pickle

import capers
import pytest


def ways(**limits):
    """All ways to load bytes with limits, given as an object and as a dict."""
    for given in (capers.Limits(**limits), limits):
        yield lambda data: capers.loads(data, limits=given)
        yield lambda data: capers.loads(bytearray(data), limits=given)
        yield lambda data: capers.load(io.BytesIO(data), limits=given)
        yield lambda data: capers.Unpickler(io.BytesIO(data), limits=given).load()


CASES = [
    ("operations", b"NNN00.", 5, "POP"),
    ("depth", b"]]]aa.", 3, "APPEND"),
    ("depth", b")\x85\x85.", 3, "TUPLE1"),
    ("memo", b"\x80\x04]\x94]\x94]\x94aa.", 3, "MEMOIZE"),
    ("size", b"](NNe(NNNe.", 5, "APPENDS"),
    ("size", b"C\x05hello.", 5, "SHORT_BINBYTES"),
    ("total", b"](C\x05helloC\x05worlde.", 12, "APPENDS"),
]


@pytest.mark.parametrize(("limit", "data", "needed", "opcode"), CASES)
def test_a_limit_lets_through_what_is_needed_and_no_less(limit, data, needed, opcode):
    for load in ways(**{limit: needed}):
        assert load(data) == pickle.loads(data)
    for load in ways(**{limit: needed - 1}):
        with pytest.raises(capers.LimitError) as caught:
            load(data)
        error = caught.value
        assert (error.limit, error.cap, error.opcode) == (limit, needed - 1, opcode)
        assert isinstance(error, capers.UnpicklingError)
        assert data[error.offset : error.offset + 1] == getattr(pickle, opcode)
        assert str(error) == f"the limit on {limit} is {needed - 1} ({opcode} at byte {error.offset})"


def test_the_size_of_a_container_counts_over_many_batches():
    data = pickle.dumps(list(range(5000)))
    assert capers.loads(data, limits={"size": 5000}) == list(range(5000))
    with pytest.raises(capers.LimitError):
        capers.loads(data, limits={"size": 4999})
    data = pickle.dumps({n: n for n in range(5000)})
    assert len(capers.loads(data, limits={"size": 5000})) == 5000
    with pytest.raises(capers.LimitError):
        capers.loads(data, limits={"size": 4999})


def test_a_limit_on_size_costs_no_memory_for_what_is_only_claimed():
    for load in ways(size=1000):
        with pytest.raises(capers.LimitError):
            load(b"\x8e\0\0\0\0\0\1\0\0abc")


def test_a_pickle_that_doubles_or_nests_is_stopped():
    for data in (b")" + b"2\x86" * 100 + b".", b")" + b"\x85" * 100_000 + b"."):
        for limits in ({"depth": 50}, {"operations": 150}, {"total": 100}):
            with pytest.raises(capers.LimitError):
                capers.loads(data, limits=limits)


def test_depth_counts_objects_by_their_state_and_arguments():
    class Link:
        pass

    Link.__module__, Link.__qualname__ = __name__, "Link"
    globals()["Link"] = Link
    chain = None
    for _ in range(20):
        made = Link()
        made.next = chain
        chain = made
    data = pickle.dumps(chain)
    assert capers.loads(data, limits={"depth": 20}).next.next
    with pytest.raises(capers.LimitError):
        capers.loads(data, limits={"depth": 19})


def test_depth_is_kept_in_the_memo_of_an_unpickler_from_one_pickle_to_the_next():
    stream = io.BytesIO(b"\x80\x04)\x94." + b"".join(b"h%c\x85\x94." % n for n in range(5)))
    unpickler = capers.Unpickler(stream, limits={"depth": 4})
    assert [unpickler.load() for _ in range(4)] == [(), ((),), (((),),), ((((),),),)]
    with pytest.raises(capers.LimitError):
        unpickler.load()


def test_data_of_every_kind_loads_the_same_below_its_limits():
    value = {
        "a": [1, 2.5, "text", b"bytes", bytearray(9)],
        "b": ({1, 2}, frozenset({3}), (4, (5,))),
        "c": pickle.PickleBuffer,
        "d": 10**100,
    }
    value["me"] = value
    generous = capers.Limits(operations=10**6, depth=100, memo=1000, size=1000, total=10**6)
    for protocol in range(6):
        loaded = capers.loads(pickle.dumps(value, protocol), limits=generous)
        assert loaded["me"] is loaded
        assert {**loaded, "me": 0} == {**value, "me": 0}


def test_functions_load_below_their_limits():
    def function(x, y=[1]):
        return x, y, function

    generous = capers.Limits(operations=10**6, depth=100, memo=1000, size=10_000, total=10**6)
    assert capers.loads(capers.dumps(function), limits=generous)(5)[:2] == (5, [1])


def test_limits_are_values():
    one = capers.Limits(depth=3, total=10**9)
    assert repr(one) == "Limits(depth=3, total=1000000000)"
    assert one == capers.Limits(total=10**9, depth=3) != capers.Limits(depth=3)
    assert hash(one) == hash(capers.Limits(total=10**9, depth=3))
    assert (one.operations, one.depth, one.memo, one.size, one.total) == (None, 3, None, None, 10**9)
    assert pickle.loads(pickle.dumps(one)) == one
    assert capers.Limits(depth=10**30).depth == 2**64 - 1


@pytest.mark.parametrize(
    ("limits", "error"),
    [(3, TypeError), ("depth", TypeError), ([("depth", 1)], TypeError), ({"dept": 3}, TypeError), ({"depth": "x"}, TypeError),
     ({"depth": -1}, ValueError), ({"size": 1.5}, TypeError)],
)  # fmt: skip
def test_limits_that_are_none_are_refused(limits, error):
    with pytest.raises(error):
        capers.loads(b"N.", limits=limits)
    with pytest.raises(error):
        capers.Unpickler(io.BytesIO(b"N."), limits=limits)
