"""Streams to load twice: made from whole pickles by changes, or as programs that know what is on the stack."""

import itertools
import pickle
import random
import struct

from hostile import corpus, gallery
from hostile.corpus import DOT, OPCODES, VALUES, argument_of, named, text, u1, u4, u8

SMALL = 3000  # bytes of the longest stream that is taken from the corpus of hostile ones
LEFT_OUT = ("deep", "hashed", "floods", "wire names")  # what C may not survive, and what it does not know

# Values by how they can be used.
CALLS = [
    named(name)
    for name in ("pack", "pack", "Maker", "ListLike", "Plain", "fail", "Appender", "Mapping", "Point", "Colour")
]
CLASSES = [
    named(name)
    for name in ("Plain", "Maker", "Slots", "Both", "Setter", "ListLike", "DictLike", "SetLike", "TupleLike", "Refuser")
]
CLASSES += [named(name, "builtins") for name in ("object", "list", "dict", "set")]
HASHABLE = [
    "None",
    "True",
    "int",
    "negative",
    "long",
    "str",
    "surrogate",
    "bytes",
    "empty tuple",
    "tuple",
    "class",
    "function",
]
# Since Python 3.10 the hash of a NaN is its address: sets of the same items come in any order, for C as for us.
HASHABLE = [VALUES[name] for name in HASHABLE] + [pickle.BINFLOAT + struct.pack(">d", 1.5)]
ANY = list(VALUES)


def value(dice, depth=0):
    """A program that pushes one value."""
    kind = dice.randrange(14 if depth < 4 else 4)
    if kind < 4:
        return VALUES[dice.choice(ANY)]
    parts = [value(dice, depth + 1) for _ in range(dice.choice((0, 1, 1, 2, 2, 3, 5)))]
    keys = [dice.choice(HASHABLE) for _ in parts]
    pairs = b"".join(itertools.chain.from_iterable(zip(keys, parts)))
    marked = pickle.MARK + b"".join(parts)
    if kind == 4:
        return marked + pickle.TUPLE if len(parts) != 2 else b"".join(parts) + pickle.TUPLE2
    if kind == 5:
        return marked + pickle.LIST
    if kind == 6:
        container = dice.choice([pickle.EMPTY_LIST, VALUES["listlike"], VALUES["appender"], VALUES["extender"]])
        return container + (
            marked + pickle.APPENDS if dice.random() < 0.7 else b"".join(part + pickle.APPEND for part in parts)
        )
    if kind == 7:
        container = dice.choice([pickle.EMPTY_DICT, VALUES["dictlike"], VALUES["mapping"]])
        return container + pickle.MARK + pairs + pickle.SETITEMS
    if kind == 8:
        return pickle.MARK + pairs + pickle.DICT
    if kind == 9:
        container = dice.choice([pickle.EMPTY_SET, VALUES["setlike"], VALUES["adder"]])
        return container + pickle.MARK + b"".join(keys) + pickle.ADDITEMS
    if kind == 10:
        return pickle.MARK + b"".join(keys) + pickle.FROZENSET
    if kind == 11:
        return dice.choice(CALLS) + marked + pickle.TUPLE + pickle.REDUCE
    made = dice.choice(CLASSES) + pickle.EMPTY_TUPLE + pickle.NEWOBJ
    if kind == 12:
        names = b"".join(text(dice.choice("xyz")) + part for part in parts)
        state = pickle.EMPTY_DICT + pickle.MARK + names + pickle.SETITEMS
        if dice.random() < 0.3:
            state = pickle.NONE + state + pickle.TUPLE2
        return made + state + pickle.BUILD
    return dice.choice(CLASSES) + marked + pickle.TUPLE + pickle.EMPTY_DICT + pickle.NEWOBJ_EX


def program(dice):
    """A program that mostly leads somewhere, with memo entries put and asked for."""
    out = [pickle.PROTO + u1(dice.choice((0, 1, 2, 3, 4, 4, 5, 5)))] if dice.random() < 0.8 else []
    entries = 0
    count = dice.randrange(1, 6)
    out.append(pickle.MARK)
    for _ in range(count):
        out.append(value(dice))
        chance = dice.random()
        if chance < 0.25:
            out.append(pickle.MEMOIZE)
            entries += 1
        elif chance < 0.4:
            out.append(dice.choice((pickle.BINPUT + u1(entries), pickle.LONG_BINPUT + u4(entries), b"p%d\n" % entries)))
            entries += 1
        elif chance < 0.5 and entries:
            index = dice.randrange(entries + 1)
            out.append(dice.choice((pickle.BINGET + u1(index), pickle.LONG_BINGET + u4(index), b"g%d\n" % index)))
        elif chance < 0.55:
            out.append(
                dice.choice(
                    (pickle.DUP, pickle.POP, pickle.DUP + pickle.TUPLE2, pickle.NEXT_BUFFER, b"P12\n", pickle.BINPERSID)
                )
            )
        elif chance < 0.6:
            opcode = dice.choice(list(OPCODES.values()))
            out.append(opcode + argument_of(opcode))
    out.append(dice.choice((pickle.TUPLE, pickle.LIST, pickle.TUPLE, pickle.POP_MARK + pickle.NONE)) + DOT)
    data = b"".join(out)
    if dice.random() < 0.15:
        head = 2 if data.startswith(pickle.PROTO) else 0
        data = data[:head] + pickle.FRAME + u8(len(data) - head + dice.choice((0, 0, 0, -1, 1, -3))) + data[head:]
    return data


def changed(dice, data, pool):
    """*data* with bytes changed, put in, taken out, doubled, or mixed with others."""
    data = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 2, 4))):
        at, how = dice.randrange(len(data) + 1), dice.randrange(8)
        if how == 0:
            data[at : at + 1] = bytes([dice.randrange(256)])
        elif how == 1 and at < len(data):
            data[at] ^= 1 << dice.randrange(8)
        elif how == 2:
            data[at : at + 1] = dice.choice(list(OPCODES.values()))
        elif how == 3:
            opcode = dice.choice(list(OPCODES.values()))
            data[at:at] = opcode + argument_of(opcode)
        elif how == 4:
            del data[at : at + dice.randrange(1, 6)]
        elif how == 5:
            data[at:at] = data[at : at + dice.randrange(1, 20)]
        elif how == 6:
            data[at:at] = dice.choice(list(VALUES.values()))
        else:
            other = dice.choice(pool)
            start = dice.randrange(len(other))
            data[at:at] = other[start : start + dice.randrange(1, 40)]
    return bytes(data)


def hostile(dice):
    """Short streams of the hostile corpus, in any order, again and again."""
    pool = []
    for name in corpus.categories():
        if name not in LEFT_OUT:
            every = [each.data for each in corpus.corpus(name) if len(each.data) <= SMALL and each.door == "safe"]
            pool += every if len(every) < 2500 else dice.sample(every, 2500)
    while True:
        dice.shuffle(pool)
        yield from pool


def streams(seed, count):
    """Yield (stream, kind, number that chooses how to load it), the same for the same seed."""
    dice = random.Random(f"differential {seed}")
    pool = [data for data in gallery.data_pickles() if len(data) < SMALL]
    corpora = hostile(random.Random(f"differential corpus {seed}"))
    for _ in range(count):
        how = dice.randrange(10)
        if how < 3:
            yield changed(dice, dice.choice(pool), pool), "changed pickle", dice.randrange(1 << 20)
        elif how < 5:
            yield program(dice), "program", dice.randrange(1 << 20)
        elif how < 8:
            yield changed(dice, program(dice), pool), "changed program", dice.randrange(1 << 20)
        else:
            yield next(corpora), "hostile", dice.randrange(1 << 20)
