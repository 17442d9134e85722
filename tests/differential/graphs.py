"""Object graphs, drawn by hypothesis: what the pickle protocol offers, in any combination, shared and cyclic.

A graph is a list of nodes.  A node has a kind and refers to others by number: a kind that must be whole when it is made
refers to nodes before it, one that is filled afterwards refers to any node.  The last node is the object.
"""

import array
import collections
import datetime
import decimal
import fractions
import functools
import pathlib
import pickle
import uuid

from hypothesis import strategies as st

from . import things

INTS = [0, 1, -1, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, -(2**63), 2**64, 255**8, 1 << 2039, -(1 << 2039),
        1 << 2040, 10**300]  # fmt: skip
TEXTS = [
    "",
    "a",
    "key",
    "é",
    "\ud800",
    "\U0001f600",
    "a\nb",
    "\\",
    "\\u0041",
    "\0",
    "\x1a",
    "x" * 255,
    "x" * 256,
    "é" * 128,
    "y" * 300,
    "z" * 66_000,
]
FLOATS = [0.0, -0.0, 1.5, float("nan"), float("inf"), -float("inf"), 5e-324, 1.7976931348623157e308, 0.1]
OTHERS = [
    1j, complex("nan"), range(3), range(1, 2**70, 3), slice(1, None, 2), ..., NotImplemented, type(None), type(...), type(NotImplemented), int, dict, object, type,
    len, abs, dict.fromkeys, "x".join, str.upper, [].append, collections.OrderedDict, things.Plain, things.Outer.Inner, things.Outer.Inner.Innermost,
    things.Outer.function, things.Outer.method, things.rebuild, things.Colour.RED, things.Colour.BLUE, things.Number.ONE | things.Number.TWO, things.Number(0),
    things.SINGLE, things.Registered, things.Registered(), datetime.date(2000, 2, 29), datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
    datetime.timedelta(-1, 2, 3), datetime.time(1, 2, 3, 4, fold=1), datetime.timezone(datetime.timedelta(hours=2), "Z"), decimal.Decimal("-0.10"),
    decimal.Decimal("NaN"), fractions.Fraction(-3, 7), uuid.UUID(int=5), pathlib.PurePosixPath("a/b"), array.array("i", [1, 2]), array.array("d"),
    functools.partial(len), ValueError("x", 1), KeyError(), OSError(2, "no", "file"), UnicodeDecodeError("ascii", b"\xff", 0, 1, "why"), StopIteration(3),
]  # fmt: skip

ATOMS = st.one_of(
    st.sampled_from([None, True, False]),
    st.sampled_from(INTS),
    st.integers(),
    st.sampled_from(FLOATS),
    st.floats(),
    st.sampled_from(TEXTS),
    st.text(max_size=12),
    st.binary(max_size=12),
    st.sampled_from([b"", b"x" * 255, b"x" * 256, b"y" * 70_000]),
)
HASHABLE = st.one_of(
    ATOMS, st.tuples(ATOMS), st.tuples(ATOMS, ATOMS), st.sampled_from([things.Colour.RED, int, things.Plain])
)
KEYS = st.lists(HASHABLE, max_size=4, unique_by=lambda key: (type(key), repr(key)))

# Kinds by how they are made. "before": of nodes before them. "filled": with any nodes, later.
BEFORE = [
    "tuple",
    "tuple",
    "TupleKind",
    "SlottedTuple",
    "Point",
    "Subclassed",
    "partial",
    "exception",
    "Reduced now",
    "frozen of tuples",
]
FILLED = ["list", "list", "list", "dict", "dict", "dict", "set", "deque", "OrderedDict", "Counter", "defaultdict", "ListKind", "DictKind", "SetKind", "Plain", "Slots",
          "SlotsAndDict", "Mangled", "State", "StateOnly", "Taker", "NewArgs", "NewArgsEx", "Reduced", "ReducedEx", "Whole", "WithSetter", "ListItems",
          "DictItems", "Copied"]  # fmt: skip
VALUES = [
    "frozenset",
    "bytearray",
    "FrozenKind",
    "TextKind",
    "BytesKind",
    "IntKind",
    "FloatKind",
    "buffer",
    "buffer",
    "long list",
    "long dict",
    "long set",
]
RARE = ["Refused", "Wrong"]


@st.composite
def recipes(draw):
    """Return the recipe of a graph."""
    nodes = []
    count = draw(st.integers(1, 9))
    for number in range(count):
        group = draw(st.sampled_from("aaabbbbvvofffffffffr" if number else "aavvof"))
        refs = draw(st.lists(st.integers(0, 50), max_size=5))
        if group == "a":
            nodes.append(("atom", draw(ATOMS), ()))
        elif group == "b":
            nodes.append((draw(st.sampled_from(BEFORE)), draw(ATOMS), [ref % number for ref in refs]))
        elif group == "v":
            kind = draw(st.sampled_from(VALUES))
            nodes.append(
                (
                    kind,
                    draw(st.binary(max_size=9)) if "uf" in kind or "Byte" in kind or "byte" in kind else draw(KEYS),
                    (),
                )
            )
        elif group == "o":
            nodes.append(("other", draw(st.integers(0, len(OTHERS) - 1)), ()))
        elif group == "r" and draw(st.booleans()):
            nodes.append((draw(st.sampled_from(RARE)), draw(ATOMS), [ref % count for ref in refs]))
        else:
            nodes.append((draw(st.sampled_from(FILLED)), draw(KEYS), [ref % count for ref in refs]))
    return nodes


def whole(kind, extra, parts):
    """Make a node of a kind that must be whole at once."""
    if kind == "atom":
        return extra
    if kind == "other":
        return OTHERS[extra]
    if kind == "tuple":
        return tuple(parts)
    if kind == "TupleKind":
        made = things.TupleKind(parts)
        made.tag = extra
        return made
    if kind == "SlottedTuple":
        return things.SlottedTuple(parts)
    if kind == "Point":
        return things.Point(extra, parts)
    if kind == "Subclassed":
        made = things.Subclassed(extra, tuple(parts))
        made.tag = parts
        return made
    if kind == "partial":
        return functools.partial(things.rebuild, *parts, tag=extra)
    if kind == "exception":
        made = things.Failure(*parts)
        made.tag = extra
        return made
    if kind == "Reduced now":
        made = things.Reduced()
        made.parts = parts
        return made
    if kind == "frozen of tuples":
        return frozenset({(extra,), ((extra,), "x")})
    if kind == "frozenset":
        return frozenset(extra)
    if kind == "FrozenKind":
        made = things.FrozenKind(extra)
        made.tag = extra
        return made
    if kind == "bytearray":
        return bytearray(extra)
    if kind == "TextKind":
        made = things.TextKind(repr(extra))
        made.tag = extra
        return made
    if kind == "BytesKind":
        made = things.BytesKind(extra)
        made.tag = 1
        return made
    if kind == "IntKind":
        made = things.IntKind(len(extra) << 40)
        made.tag = extra
        return made
    if kind == "FloatKind":
        return things.FloatKind(len(extra) / 3)
    if kind == "buffer":
        return pickle.PickleBuffer(extra if len(extra) % 2 else bytearray(extra))
    if kind == "long list":
        return [extra] * [998, 999, 1000, 1001, 1002, 2000, 2001][len(extra) % 7]
    if kind == "long dict":
        return dict.fromkeys(range([999, 1000, 1001, 2000][len(extra) % 4]), extra)
    if kind == "long set":
        return set(range([999, 1000, 1001, 2000][len(extra) % 4]))
    raise AssertionError(kind)


PLAIN = {"list": list, "dict": dict, "set": set, "deque": collections.deque, "OrderedDict": collections.OrderedDict, "Counter": collections.Counter,
         "defaultdict": lambda: collections.defaultdict(list)}  # fmt: skip


def empty(kind):
    """Make a node of a kind that is filled later."""
    return PLAIN[kind]() if kind in PLAIN else getattr(things, kind)()


def fill(made, kind, keys, parts):
    """Fill a node."""
    if kind in ("list", "deque", "ListItems"):
        made.extend(parts)
    elif kind in ("dict", "OrderedDict", "defaultdict", "DictItems"):
        made.update(zip(keys, parts))
    elif kind == "Counter":
        made.update({key: n for n, key in enumerate(keys) if type(key) is not things.Colour})
    elif kind == "set":
        made.update(keys)
    elif kind == "ListKind":
        made.extend(parts)
        made.tag, made.parts = keys, parts
    elif kind == "DictKind":
        made.update(zip(keys, parts))
        made.tag = parts
    elif kind == "SetKind":
        made.update(keys)
        made.tag = parts
    elif kind in ("Plain", "Taker"):
        vars(made).update(("attribute%d" % n, part) for n, part in enumerate(parts))
    elif kind == "Slots":
        for name, part in zip("ab", parts):
            setattr(made, name, part)
    elif kind == "SlotsAndDict":
        for name, part in zip(("a", "more", "b"), parts):
            setattr(made, name, part)
    elif kind == "Mangled":
        if parts:
            made._Mangled__secret = parts[0]
    elif kind in ("State", "StateOnly"):
        shapes = [
            None,
            parts,
            tuple(parts),
            dict(zip(("k%d" % n for n in range(9)), parts)),
            (None, {"slot": parts}),
            False,
            0,
            "text",
            ({"a": parts}, None),
        ]
        made.parts = shapes[(len(keys) * 3 + len(parts)) % len(shapes)]
        vars(made)["kept"] = keys
    else:
        made.parts = parts


def build(recipe):
    """Return the object of a recipe."""
    nodes = []
    for kind, extra, refs in recipe:
        if kind in FILLED or kind in RARE:
            nodes.append(empty(kind))
        else:
            nodes.append(whole(kind, extra, [nodes[ref] for ref in refs]))
    for made, (kind, extra, refs) in zip(nodes, recipe):
        if kind in FILLED or kind in RARE:
            fill(made, kind, extra, [nodes[ref] for ref in refs])
    return nodes[-1]
