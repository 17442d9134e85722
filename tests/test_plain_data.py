"""Plain data, instances and what stock pickle can do: the same objects back, and at protocol 5 the same bytes."""

import array
import collections
import datetime
import decimal
import fractions
import io
import ipaddress
import math
import operator
import pathlib
import pickle
import random
import re
import types
import uuid

import capers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from likeness import difference
from shipping import ship

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**40), 2**40),
    st.sampled_from(
        [b for k in (7, 8, 15, 16, 31, 32, 63, 64, 2039, 2040, 2047) for b in (2**k - 1, 2**k, -(2**k), -(2**k) - 1)]
    ),
    st.floats(allow_nan=False),
    st.complex_numbers(allow_nan=False),
    st.text(),
    st.text(st.sampled_from("a\x00é日\ud800\U0001f600"), max_size=3),
    st.binary(),
    st.just(...),
)
HASHABLE = st.recursive(ATOMS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=5)
DATA = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(HASHABLE, inner, max_size=5),
        st.tuples(inner),
        st.tuples(inner, inner),
        st.lists(inner, max_size=6).map(tuple),
        st.sets(HASHABLE, max_size=4),
        st.frozensets(HASHABLE, max_size=4),
        st.binary().map(bytearray),
        inner.map(lambda x: [x, x, (x,)]),
    ),
    max_leaves=25,
)
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
BUDGET = settings(max_examples=250, deadline=None, derandomize=True)


@BUDGET
@given(DATA)
def test_plain_data_is_written_as_stock_pickle_writes_it(obj):
    assert capers.dumps(obj, 5) == pickle.dumps(obj, 5)


@BUDGET
@given(DATA, st.integers(0, 5))
def test_plain_data_comes_back_from_every_protocol(obj, protocol):
    assert difference(capers.loads(capers.dumps(obj, protocol)), pickle.loads(pickle.dumps(obj, protocol))) is None


@BUDGET
@given(DATA, st.integers(0, 5))
def test_what_stock_pickle_wrote_is_loaded(obj, protocol):
    data = pickle.dumps(obj, protocol)
    assert difference(capers.loads(data), pickle.loads(data)) is None


@BUDGET
@given(DATA, st.integers(0, 5))
def test_stock_pickle_loads_what_capers_wrote(obj, protocol):
    back = pickle.loads(capers.dumps(obj, protocol))
    assert difference(back, pickle.loads(pickle.dumps(obj, protocol))) is None


@BUDGET
@given(st.lists(DATA, max_size=4), st.randoms(use_true_random=False))
def test_cycles_and_sharing_come_back(parts, dice):
    boxes = [[], {}, [], {}]
    for box in boxes:
        for each in dice.choices([*boxes, *parts], k=3):
            box.append(each) if isinstance(box, list) else box.update({len(box): each})
    assert capers.dumps(boxes, 5) == pickle.dumps(boxes, 5)
    assert difference(boxes, capers.loads(capers.dumps(boxes))) is None


EDGES = {
    "lists_around_a_batch": [list(range(n)) for n in (0, 1, 2, 999, 1000, 1001, 2000, 2001)],
    "dicts_around_a_batch": [dict.fromkeys(range(n)) for n in (0, 1, 2, 999, 1000, 1001, 2000, 2001)],
    "sets_around_a_batch": [set(range(n)) for n in (0, 1, 2, 999, 1000, 1001, 2000, 2001)],
    "tuples_of_every_small_length": [tuple(range(n)) for n in range(9)],
    "strings_around_a_length": ["x" * n for n in (0, 1, 254, 255, 256, 257, 65534, 65535, 65536, 65537, 200_000)],
    "texts_outside_of_ascii": ["é", "日本", "\U0001f600", "\ud800", "a\x00b", "é" * 255, "é" * 128, "\udfff\ud800"],
    "bytes_around_a_length": [b"x" * n for n in (0, 1, 254, 255, 256, 257, 65534, 65535, 65536, 65537, 200_000)],
    "bytearrays_around_a_length": [bytearray(b"x" * n) for n in (0, 1, 255, 256, 65536, 200_000)],
    "frames_around_their_size": [
        ["x" * 1000] * 3,
        *([bytes([i])] * i for i in range(70)),
        ["y" * n for n in range(60_000, 60_010)],
    ],
    "integers_around_a_width": [s * 2**k + d for k in range(70) for s in (1, -1) for d in (-1, 0, 1)],
    "long_integers": [10**100, -(10**100), 1 << 2040, (1 << 2040) - 1, -(1 << 2040), 1 << 10_000],
    "floats": [0.0, -0.0, 1.5, 1e300, -1e-300, math.inf, -math.inf, 5e-324],
    "the_same_object_many_times": [[s := "shared", s, s, (t := (1, 2)), t, [t, s]], (b := b"bytes"), b],
    "more_memo_entries_than_a_byte_counts": [[i] for i in range(600)] * 2,
    "empty_containers": [[], (), {}, set(), frozenset(), "", b"", bytearray()],
    "more_than_a_frame_of_small_things": [(str(i), i) for i in range(8_000)],
}


@pytest.mark.parametrize("what", EDGES)
@pytest.mark.parametrize("protocol", range(6))
def test_the_bytes_are_those_of_stock_pickle_for(what, protocol):
    assert capers.dumps(EDGES[what], protocol) == pickle.dumps(EDGES[what], protocol)


@pytest.mark.parametrize("what", EDGES)
@pytest.mark.parametrize("protocol", range(6))
def test_the_same_object_comes_back_for(what, protocol):
    assert (
        difference(capers.loads(capers.dumps(EDGES[what], protocol)), pickle.loads(pickle.dumps(EDGES[what], protocol)))
        is None
    )


def test_not_a_number_comes_back():
    assert math.isnan(capers.loads(capers.dumps([math.nan]))[0])


@pytest.mark.parametrize("protocol", range(6))
def test_a_list_and_a_dict_that_hold_themselves_come_back(protocol):
    a, d = [1], {}
    a += [a, d]
    d["me"], d["a"] = d, a
    b = capers.loads(capers.dumps(a, protocol))
    assert b[1] is b and b[2]["me"] is b[2] and b[2]["a"] is b


@pytest.mark.parametrize("protocol", range(6))
def test_a_tuple_in_a_cycle_comes_back(protocol):
    t = ([], 1)
    t[0].append(t)
    u = capers.loads(capers.dumps(t, protocol))
    assert u[0][0] is u and u[1] == 1


STANDARD = {
    "collections": [collections.OrderedDict(b=1, a=2), collections.Counter("aab"), collections.deque([1, 2], 5), collections.ChainMap({1: 2})],
    "dates": [datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC), datetime.date(2026, 1, 2), datetime.timedelta(1, 2, 3)],
    "numbers": [decimal.Decimal("1.10"), fractions.Fraction(1, 3), range(1, 9, 2), slice(1, 2, 3)],
    "paths_and_addresses": [pathlib.PurePosixPath("a/b"), ipaddress.ip_address("::1"), uuid.UUID(int=5)],
    "arrays": [array.array("d", [1.5]), array.array("i", range(9))],
    "patterns": [re.compile(r"(\w+)", re.I), re.compile(b"x")],
    "namespaces": [types.SimpleNamespace(a=1, b=[2])],
    "operators": [operator.itemgetter(1), operator.attrgetter("a.b"), operator.methodcaller("m", 1, k=2)],
    "exceptions": [ValueError("x", 1), OSError(2, "no", "file"), UnicodeDecodeError("a", b"b", 0, 1, "c")],
    "generators_of_numbers": [random.Random(3)],
    "types": [int, dict, type, object, ValueError, collections.OrderedDict, type(None), type(...), types.SimpleNamespace],
    "built_in_functions": [len, print, math.sqrt, "".join, [].append, dict.fromkeys, str.upper],
}  # fmt: skip


@pytest.mark.parametrize("what", STANDARD)
@pytest.mark.parametrize("protocol", range(2, 6))
def test_the_standard_library_travels_as_with_stock_pickle(what, protocol):
    ours, theirs = (
        capers.loads(capers.dumps(STANDARD[what], protocol)),
        pickle.loads(pickle.dumps(STANDARD[what], protocol)),
    )
    assert [type(each) for each in ours] == [type(each) for each in theirs]
    assert [repr(each).partition(" at 0x")[0] for each in ours] == [
        repr(each).partition(" at 0x")[0] for each in theirs
    ]


def test_streams_of_bytes_and_text_keep_their_position():
    b, t = io.BytesIO(b"abcdef"), io.StringIO("text\n")
    b.seek(2), t.seek(3)
    b, t = capers.loads(capers.dumps([b, t]))
    assert b.read() == b"cdef" and t.read() == "t\n"


@pytest.mark.parametrize("protocol", range(6))
def test_instances_of_importable_classes_arrive(protocol):
    ship(
        "import importable\nh = importable.Holder([1])\nh.more = h\nobj = [h, importable.Node(h)"
        + (", importable.Point(1, h)]" if protocol > 1 else "]"),
        "import importable\nh, n, *p = obj\nassert type(h) is importable.Holder and h.more is h and h.value == [1] and n.next is h\n"
        "assert not p or (p[0].x, p[0].y is h) == (1, True)",
        protocols=[protocol],
    )


@pytest.mark.parametrize("protocol", [0, 1])
def test_functions_travel_at_the_oldest_protocols_too(protocol):
    ship(
        "def outer(n):\n    def f(k): return n if k == 0 else f(k - 1)\n    return f\nobj = outer('é')",
        "assert obj(3) == 'é' and obj.__closure__[0].cell_contents is obj",
        protocols=[protocol],
    )
