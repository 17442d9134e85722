"""The corpus, third part: much of one thing.

Depth that grows with every byte, structures that double with every step, floods of one opcode.  These streams are long,
so each states what the values it builds may cost: that, 8 times its length and 64 MiB are allowed.
"""

import itertools
import pickle

from .corpus import DOT, VALUES, Stream, category, instance, named, text, u1, u4, u8

LIST = 56 + 16  # bytes of an empty list with its header, and of a room for a few items
SMALL_LIST = LIST + 40
DICT = 64 + 16
SMALL_DICT = DICT + 232 + 32
SET = 216 + 16
TUPLE = 40 + 16 + 32
INSTANCE = 150


@category
def deep(dice):
    """Nesting by one to four bytes a level, up to a million levels."""
    e, n = 1, pickle.NONE
    for depth in (10, 100, 1000, 10_000, 100_000, 300_000):
        build = [
            ("marks", pickle.MARK * depth, 0),
            ("marks and tuples", pickle.MARK * depth + pickle.TUPLE * depth + DOT, TUPLE),
            ("marks and lists", pickle.MARK * depth + pickle.LIST * depth + DOT, SMALL_LIST),
            ("marks and dicts", (pickle.MARK + n) * depth + n + pickle.DICT * depth + DOT, SMALL_DICT),
            ("tuples", pickle.EMPTY_TUPLE + pickle.TUPLE1 * depth + DOT, TUPLE),
            ("tuples, memoized", pickle.EMPTY_TUPLE + (pickle.TUPLE1 + pickle.MEMOIZE) * depth + DOT, TUPLE),
            ("lists", pickle.EMPTY_LIST * depth + pickle.APPEND * (depth - 1) + DOT, SMALL_LIST),
            ("lists with marks", (pickle.EMPTY_LIST + pickle.MARK) * depth + pickle.APPENDS * depth + DOT, SMALL_LIST),
            ("lists never filled", pickle.EMPTY_LIST * depth + DOT, LIST),
            ("dicts", (pickle.EMPTY_DICT + n) * depth + n + pickle.SETITEM * depth + DOT, SMALL_DICT),
            ("dicts with marks", (pickle.EMPTY_DICT + pickle.MARK + n) * depth + n + pickle.SETITEMS * depth + DOT, SMALL_DICT),
            ("reductions", n + (pickle.TUPLE1 + pickle.BINGET + b"\1") * depth, TUPLE),
            ("calls", named("pack") + pickle.MEMOIZE + n + (pickle.TUPLE1 + pickle.BINPUT + b"\1" + pickle.POP + pickle.BINGET + b"\0"
                      + pickle.BINGET + b"\1" + pickle.REDUCE) * depth + DOT, 3 * TUPLE),
            ("instances", (named("Plain") + pickle.MEMOIZE if depth == e else b"") + named("Plain") + pickle.BINPUT + b"\0" + pickle.POP
                          + (pickle.BINGET + b"\0" + pickle.EMPTY_TUPLE + pickle.NEWOBJ + pickle.EMPTY_DICT + text("n")) * depth + n
                          + (pickle.SETITEM + pickle.BUILD) * depth + DOT, INSTANCE + SMALL_DICT * 2),
        ]  # fmt: skip
        for name, data, per_level in build:
            yield Stream(data, built=per_level * depth)
            if name != "marks":
                yield Stream(data[: len(data) // 2], built=per_level * depth)
                yield Stream(data[:-1] + pickle.POP, built=per_level * depth)
    million = 1_000_000
    yield Stream(pickle.EMPTY_TUPLE + pickle.TUPLE1 * million + DOT, built=TUPLE * million)
    yield Stream(pickle.EMPTY_LIST * million + pickle.APPEND * (million - 1) + DOT, built=SMALL_LIST * million)
    yield Stream(pickle.MARK * million, built=0)
    for depth in (10, 100, 1000):
        # Frozensets inside of frozensets are hashed when they become elements.
        yield Stream(pickle.MARK * depth + pickle.FROZENSET * depth + DOT, built=SET * depth)


@category
def hashed(dice):
    """Keys and elements whose hash goes deep, is asked for very often, or is the same for all."""
    for depth in (10, 1000, 10_000, 100_000, 1_000_000):
        nest = pickle.EMPTY_TUPLE + pickle.TUPLE1 * depth
        cost = 2 * TUPLE * depth
        yield Stream(pickle.EMPTY_DICT + nest + pickle.NONE + pickle.SETITEM + DOT, built=cost)
        yield Stream(pickle.EMPTY_DICT + pickle.MARK + nest + pickle.NONE + pickle.SETITEMS + DOT, built=cost)
        yield Stream(pickle.MARK + nest + pickle.NONE + pickle.DICT + DOT, built=cost)
        yield Stream(pickle.EMPTY_SET + pickle.MARK + nest + pickle.ADDITEMS + DOT, built=cost)
        yield Stream(pickle.MARK + nest + pickle.FROZENSET + DOT, built=cost)
        yield Stream(pickle.MARK + pickle.NONE + nest + pickle.TUPLE2 + pickle.FROZENSET + DOT, built=cost)
    for depth in (5, 15, 28, 60, 1000):
        # A tuple of twice the tuple before: its hash takes 2**depth steps where tuples do not remember theirs.
        twice = pickle.EMPTY_TUPLE + (pickle.DUP + pickle.TUPLE2) * depth
        yield Stream(pickle.EMPTY_DICT + twice + pickle.NONE + pickle.SETITEM + DOT)
        yield Stream(pickle.EMPTY_SET + pickle.MARK + twice + pickle.ADDITEMS + DOT)
        yield Stream(pickle.MARK + twice + pickle.FROZENSET + DOT)
        yield Stream(pickle.MARK + twice + pickle.NONE + pickle.DICT + DOT)
        yield Stream(
            pickle.EMPTY_DICT + twice + pickle.NONE + pickle.SETITEM + twice + pickle.NONE + pickle.SETITEM + DOT
        )
    prime = 2**61 - 1
    for count in (10, 100, 2000):
        keys = [pickle.LONG1 + b"\x0b" + (prime * k).to_bytes(11, "little", signed=True) for k in range(1, count)]
        yield Stream(pickle.EMPTY_SET + pickle.MARK + b"".join(keys) + pickle.ADDITEMS + DOT)
        yield Stream(
            pickle.EMPTY_DICT + pickle.MARK + b"".join(key + pickle.NONE for key in keys) + pickle.SETITEMS + DOT
        )
        yield Stream(
            pickle.EMPTY_SET + pickle.MARK + instance("Colliding") * count + pickle.ADDITEMS + DOT,
            built=count * INSTANCE,
        )


@category
def doubling(dice):
    """Structures that are twice as big after every step, as far as they are looked at."""
    pairs = {
        "tuples": (pickle.EMPTY_TUPLE, pickle.DUP + pickle.TUPLE2),
        "triples": (pickle.EMPTY_TUPLE, pickle.DUP * 2 + pickle.TUPLE3),
        "lists": (pickle.EMPTY_LIST, pickle.BINPUT + b"\0" + pickle.POP + pickle.MARK + pickle.BINGET + b"\0" + pickle.BINGET + b"\0" + pickle.LIST),
        "dicts": (pickle.EMPTY_DICT, pickle.BINPUT + b"\0" + pickle.POP + pickle.MARK + pickle.NONE + pickle.BINGET + b"\0" + pickle.NEWTRUE
                  + pickle.BINGET + b"\0" + pickle.DICT),
        "in place": (pickle.EMPTY_LIST, pickle.BINPUT + b"\0" + pickle.BINGET + b"\0" + pickle.APPEND),
        "calls": (pickle.NONE, pickle.BINPUT + b"\1" + pickle.POP + named("pack") + pickle.BINGET + b"\1" + pickle.BINGET + b"\1" + pickle.TUPLE2
                  + pickle.REDUCE),
        "states": (instance("Setter"), pickle.BINPUT + b"\0" + pickle.POP + instance("Setter") + pickle.BINGET + b"\0" + pickle.BINGET + b"\0"
                   + pickle.TUPLE2 + pickle.BUILD),
    }  # fmt: skip
    for (start, step), count in itertools.product(pairs.values(), (1, 10, 30, 64, 500, 5000)):
        yield Stream(start + step * count + DOT, built=count * 1000)
        yield Stream(start + step * count, built=count * 1000)
        yield Stream(start + step * count + pickle.POP + pickle.NONE + DOT, built=count * 1000)
    for count in (10, 1000, 50_000):
        yield Stream(pickle.NONE + pickle.DUP * count + DOT)
        yield Stream(pickle.MARK + pickle.EMPTY_LIST + pickle.DUP * count + pickle.TUPLE + DOT)
        yield Stream(pickle.EMPTY_LIST + pickle.MARK + pickle.EMPTY_LIST + pickle.DUP * count + pickle.APPENDS + DOT)


@category
def floods(dice):
    """One opcode again and again, hundreds of thousands of times."""
    costs = {
        pickle.NONE: 0, pickle.MARK: 0, pickle.EMPTY_TUPLE: 0, pickle.EMPTY_LIST: LIST, pickle.EMPTY_DICT: DICT, pickle.EMPTY_SET: SET,
        pickle.NONE + pickle.POP: 0, pickle.MARK + pickle.POP_MARK: 0, pickle.MARK + pickle.POP: 0, pickle.NONE + pickle.MEMOIZE: 0,
        pickle.BININT1 + b"\7": 0, pickle.BININT + b"\1\2\3\4": 32, pickle.BINFLOAT + b"\1" * 8: 24, pickle.SHORT_BINUNICODE + b"\0": 0,
        pickle.SHORT_BINUNICODE + b"\3abc": 64, pickle.SHORT_BINUNICODE + b"\2\xc3\xa9": 64, pickle.SHORT_BINUNICODE + b"\4\xf0\x9f\x98\x80": 96,
        pickle.SHORT_BINBYTES + b"\2xy": 48, pickle.BYTEARRAY8 + u8(0): 80, pickle.BYTEARRAY8 + u8(1) + b"x": 96, pickle.LONG1 + b"\0": 0,
        pickle.LONG1 + b"\x09" + b"\1" * 9: 48, b"I1234567\n": 32, b"L1234567890123L\n": 48, b"F1.5\n": 24, b"S'ab'\n": 64, b"Vabc\n": 64,
        pickle.PROTO + b"\4": 0, pickle.FRAME + u8(0): 0, pickle.EMPTY_TUPLE + pickle.TUPLE1: TUPLE, pickle.MARK + pickle.LIST: LIST,
        pickle.MARK + pickle.FROZENSET: 0, pickle.MARK + pickle.DICT: DICT, pickle.MARK + pickle.TUPLE: 0, pickle.NONE + pickle.BINPUT + b"\5": 0,
    }  # fmt: skip
    for (step, each), count in itertools.product(costs.items(), (1000, 400_000)):
        yield Stream(step * count + DOT, built=each * count)
        yield Stream(pickle.MARK + step * count + pickle.LIST + DOT, built=(each + 8) * count)
    for count in (1000, 400_000):
        get = pickle.BINGET + b"\0"
        yield Stream(pickle.NONE + pickle.MEMOIZE * count + DOT)
        yield Stream(pickle.EMPTY_LIST + pickle.MEMOIZE + get * count + DOT)
        yield Stream(pickle.EMPTY_LIST + pickle.MEMOIZE + (get + pickle.APPEND) * count + DOT, built=16 * count)
        yield Stream(pickle.EMPTY_LIST + pickle.MARK + pickle.NONE * count + pickle.APPENDS + DOT, built=16 * count)
        yield Stream(pickle.EMPTY_LIST + (pickle.NONE + pickle.APPEND) * count + DOT, built=16 * count)
        yield Stream(pickle.EMPTY_LIST + (pickle.MARK + pickle.NONE + pickle.APPENDS) * count + DOT, built=16 * count)
        yield Stream(pickle.EMPTY_DICT + (pickle.NONE + pickle.NONE + pickle.SETITEM) * count + DOT)
        yield Stream(pickle.EMPTY_SET + (pickle.MARK + pickle.NONE + pickle.ADDITEMS) * count + DOT)
        keys = b"".join(pickle.BININT + u4(n) for n in range(count))
        yield Stream(pickle.EMPTY_SET + pickle.MARK + keys + pickle.ADDITEMS + DOT, built=count * 160)
        yield Stream(pickle.MARK + keys + pickle.FROZENSET + DOT, built=count * 160)
        yield Stream(pickle.EMPTY_DICT + pickle.MARK + keys + pickle.SETITEMS + DOT, built=count * 160)
        yield Stream(pickle.NONE + b"".join(pickle.LONG_BINPUT + u4(n) for n in range(count)) + DOT)
        yield Stream(pickle.NONE + b"".join(pickle.LONG_BINPUT + u4(n * 10_007 % 2**32) for n in range(count)) + DOT)
        yield Stream(pickle.NONE + b"".join(b"p%d\n" % (n * n) for n in range(count)) + DOT)
        yield Stream((named("Plain") + pickle.BINPUT + b"\0") + (pickle.BINGET + b"\0" + pickle.EMPTY_TUPLE + pickle.NEWOBJ) * count + DOT,
                     built=INSTANCE * count)  # fmt: skip
        yield Stream(instance("Plain") + (pickle.EMPTY_DICT + pickle.BUILD) * count + DOT, built=DICT)
    for size in (1000, 2_000_000):
        for width, opcode in ((4, pickle.BINBYTES), (8, pickle.BYTEARRAY8), (4, pickle.BINUNICODE), (4, pickle.LONG4)):
            raw = opcode + size.to_bytes(width, "little") + b"\x01" * size
            yield Stream(raw + DOT, built=4 * size)
            yield Stream(raw[:-1], built=4 * size)
            yield Stream(raw * 5 + DOT, built=20 * size)
        yield Stream(pickle.PERSID + b"x" * size + b"\n" + DOT, built=4 * size)
        yield Stream(pickle.UNICODE + b"x" * size + b"\n" + DOT, built=4 * size)
        yield Stream(pickle.UNICODE + b"\\U0001f600" * (size // 10) + b"\n" + DOT, built=4 * size)
        yield Stream(pickle.STRING + b"'" + b"x" * size + b"'\n" + DOT, built=8 * size)
        yield Stream(pickle.GLOBAL + b"x" * size + b"\n" + b"y" * size + b"\n" + DOT, built=16 * size)
        for opcode in (pickle.INT, pickle.LONG, pickle.FLOAT, pickle.GET, pickle.PUT):
            yield Stream(pickle.NONE + opcode + b"1" * size + b"\n" + DOT, built=8 * size)
            yield Stream(pickle.NONE + opcode + b"0" * size + b"1\n" + DOT, built=8 * size)


@category
def several_pickles(dice):
    """Streams of several pickles that refer to each other's memo, or end in the middle of the second."""
    pieces = [VALUES[name] for name in VALUES]
    for one, two in itertools.product(pieces, pieces[:12]):
        yield Stream(one + pickle.MEMOIZE + DOT + two + pickle.MEMOIZE + pickle.BINGET + b"\0" + pickle.TUPLE2 + DOT)
    for one in pieces:
        yield Stream(one + DOT + one)
        yield Stream(one + DOT + pickle.BINGET + b"\0" + DOT)
        yield Stream(one + pickle.PUT + b"7\n" + DOT + pickle.MEMOIZE + DOT)
        yield Stream(pickle.MARK + one + DOT + pickle.TUPLE + DOT)
        yield Stream(pickle.PROTO + b"\5" + one + DOT + pickle.PROTO + b"\0" + one + DOT)
        yield Stream(pickle.PROTO + b"\4" + pickle.FRAME + u8(len(one) + 1) + one + DOT + one + DOT + DOT)
        yield Stream(pickle.PROTO + b"\4" + pickle.FRAME + u8(2 * len(one) + 2) + one + DOT + one + DOT)
        yield Stream(
            one + DOT + pickle.LONG_BINPUT + u4(2**32 - 1) + DOT + one + pickle.LONG_BINGET + u4(2**32 - 1) + DOT
        )
    yield Stream(DOT * 50)
    yield Stream((pickle.NONE + DOT) * 50)
    yield Stream(b"".join(pickle.NONE + pickle.BINPUT + u1(n) + DOT for n in range(200)))
