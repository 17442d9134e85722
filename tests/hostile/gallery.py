"""Whole pickles to spoil: data of every kind by the C pickler at every protocol, and functions by capers."""

import collections
import datetime
import decimal
import fractions
import functools
import pickle

from . import objects


def shared():
    """A list with the same parts in several places."""
    part = ["part", (1, 2)]
    return [part, part, (part, {"k": part}), "text", "text"]


def cycles():
    """Containers that hold themselves."""
    box, table, thing = [], {}, objects.Plain()
    box.append(box)
    table["me"] = table
    thing.me, thing.pair = thing, (thing, box)
    pair = (table, [])
    pair[1].append(pair)
    return [box, table, thing, pair]


def stateful(kind, **attributes):
    """An instance of *kind* with attributes."""
    made = kind()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def data():
    """Return objects of every kind that pickle carries, small ones first."""
    return [
        None,
        True,
        0,
        -1,
        255,
        65536,
        -(2**31),
        2**31,
        10**30,
        -(2**70),
        1.5,
        float("nan"),
        -0.0,
        1e300,
        "",
        "a",
        "line\n\\u0041 and é, \u20ac, \U0001f600, \ud800\x00",
        b"",
        b"bytes\n\x00\xff",
        (),
        (1,),
        (1, 2),
        (1, "b", None),
        (1, 2, 3, 4),
        [],
        [1],
        [1, [2, [3, []]]],
        {},
        {"a": 1},
        {"a": 1, 2: "b", (3,): {}},
        set(),
        {1, 2, 3},
        frozenset({"x"}),
        1j,
        range(5),
        slice(1, 2, 3),
        Ellipsis,
        NotImplemented,
        len,
        ValueError("text", 3),
        objects.Plain,
        objects.Outer.Inner,
        objects.pack,
        objects.Colour.RED,
        objects.Point(1, [2]),
        objects.Plain(),
        stateful(objects.Plain, x=1, y=[2], z="x"),
        stateful(objects.Both, x=1, y=2, more=3),
        stateful(objects.Setter, a=1),
        objects.Maker(1),
        objects.Initialized(1, 2),
        objects.ListLike([1, 2]),
        objects.DictLike({"a": 1}),
        objects.TupleLike((1, 2)),
        objects.IntLike(7),
        objects.TextLike("seven"),
        objects.SetLike({1}),
        stateful(objects.ListLike, tag=1),
        collections.OrderedDict([("b", 1), ("a", 2)]),
        collections.deque([1, 2], 5),
        collections.Counter("aab"),
        datetime.datetime(2024, 2, 29, 12, 30, 1, 7),
        datetime.timedelta(3, 4, 5),
        decimal.Decimal("1.50"),
        fractions.Fraction(3, 4),
        functools.partial(objects.pack, 1, k=2),
        shared(),
        cycles(),
        [stateful(objects.Plain, n=n) for n in range(4)],
        [{"name": "n%d" % n, "value": n * 1.5, "flag": n % 2 == 0} for n in range(5)],
        list(range(40)),
        dict.fromkeys("abcdefgh"),
        ["x" * 300, b"y" * 300, 256**40],
    ]


@functools.cache
def data_pickles():
    """Return the pickles of all data at every protocol that carries it, by the C pickler."""
    found = {}
    for thing in data():
        for protocol in range(6):
            try:
                found[pickle.dumps(thing, protocol)] = None
            except (TypeError, pickle.PicklingError):  # slots and their like need a later protocol
                assert protocol < 2, (thing, protocol)
    return list(found)


@functools.cache
def shipped():
    """Return payloads of functions, by capers."""
    import capers
    from gallery import GALLERY  # the senders of the suite

    found = []
    for sender in GALLERY.values():
        import textwrap

        space = {"__name__": "made_here"}
        exec(compile(textwrap.dedent(sender), "made_here", "exec"), space)
        found += [capers.dumps(space["obj"], protocol) for protocol in (2, 5)]
    return found
