"""Pieces of streams, and the register of the categories they are put together in.

Opcodes are written as the standard library's ``pickle`` names them.  A category is a function that yields streams; its
docstring says what they have in common.  The same seed gives the same streams.
"""

import functools
import importlib
import pickle
import pickletools
import random
import struct
from dataclasses import dataclass

from .objects import MODULE

OPCODES = {each.name: each.code.encode("latin-1") for each in pickletools.opcodes}
DOT = pickle.STOP


@dataclass(frozen=True)
class Stream:
    """Bytes to load, and what loading them may cost."""

    data: bytes
    built: int | None = None  # bytes of the values really built; None: a small multiple of the input
    door: str = "safe"  # which globals may be found: "safe" ones only, or those of the "gallery" too


CATEGORIES = {}
FILES = ("streams", "operands", "bulk")  # where the categories are


def category(function):
    """Add a category under the function's name."""
    CATEGORIES[function.__name__.replace("_", " ")] = function
    return function


def categories():
    """Return the categories by name, all files read."""
    for each in FILES:
        importlib.import_module(f"{__package__}.{each}")
    return CATEGORIES


def corpus(name, seed=0):
    """Yield the streams of a category."""
    yield from categories()[name](random.Random(f"{seed} {name}"))


# ---------------------------------------------------------------- pieces


def u1(n):
    """One unsigned byte."""
    return struct.pack("<B", n)


def u4(n):
    """Four bytes, unsigned."""
    return struct.pack("<I", n)


def u8(n):
    """Eight bytes, unsigned."""
    return struct.pack("<Q", n)


def text(content):
    """A short str."""
    raw = content.encode("utf-8", "surrogatepass")
    return pickle.SHORT_BINUNICODE + u1(len(raw)) + raw


def named(name, module=MODULE):
    """A global of the corpus."""
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def instance(name):
    """An instance of a class of the corpus."""
    return named(name) + pickle.EMPTY_TUPLE + pickle.NEWOBJ


# Values by what they are, each pushed by a short program.
VALUES = {
    "None": pickle.NONE,
    "True": pickle.NEWTRUE,
    "int": pickle.BININT1 + b"\x05",
    "negative": pickle.BININT + b"\xff\xff\xff\xff",
    "long": pickle.LONG1 + b"\x09" + b"\x01" * 9,
    "float": pickle.BINFLOAT + b"\x7f\xf8" + b"\0" * 6,
    "str": text("x"),
    "surrogate": text("\ud800"),
    "bytes": pickle.SHORT_BINBYTES + b"\x02ab",
    "bytearray": pickle.BYTEARRAY8 + u8(2) + b"ab",
    "empty tuple": pickle.EMPTY_TUPLE,
    "tuple": pickle.BININT1 + b"\x01" + pickle.TUPLE1,
    "pair": pickle.NONE + pickle.EMPTY_DICT + pickle.TUPLE2,
    "list": pickle.EMPTY_LIST,
    "dict": pickle.EMPTY_DICT,
    "dict of str": pickle.EMPTY_DICT + text("a") + pickle.NONE + pickle.SETITEM,
    "dict of int": pickle.EMPTY_DICT + pickle.BININT1 + b"\x01" + pickle.NONE + pickle.SETITEM,
    "set": pickle.EMPTY_SET,
    "frozenset": pickle.MARK + pickle.FROZENSET,
    "class": named("Plain"),
    "maker": named("Maker"),
    "unmakable": named("Unmakable"),
    "meta": named("Metal"),
    "int class": named("IntLike"),
    "function": named("pack"),
    "failing": named("fail"),
    "instance": instance("Plain"),
    "slots": instance("Slots"),
    "both": instance("Both"),
    "setter": instance("Setter"),
    "refuser": instance("Refuser"),
    "picky": instance("Picky"),
    "appender": named("Appender") + pickle.EMPTY_TUPLE + pickle.REDUCE,
    "extender": named("Extender") + pickle.EMPTY_TUPLE + pickle.REDUCE,
    "adder": named("Adder") + pickle.EMPTY_TUPLE + pickle.REDUCE,
    "mapping": named("Mapping") + pickle.EMPTY_TUPLE + pickle.REDUCE,
    "listlike": instance("ListLike"),
    "dictlike": instance("DictLike"),
    "setlike": instance("SetLike"),
    "enum": named("Colour") + pickle.BININT1 + b"\x01" + pickle.TUPLE1 + pickle.REDUCE,
}


@functools.cache
def argument_of(opcode):
    """Return a well-formed inline argument of an opcode."""
    return {
        pickle.INT: b"1\n", pickle.LONG: b"1L\n", pickle.FLOAT: b"1.5\n", pickle.STRING: b"'s'\n", pickle.UNICODE: b"u\n",
        pickle.PERSID: b"7\n", pickle.GLOBAL: f"{MODULE}\npack\n".encode(), pickle.INST: f"{MODULE}\npack\n".encode(),
        pickle.GET: b"0\n", pickle.PUT: b"0\n", pickle.BINGET: b"\0", pickle.BINPUT: b"\0", pickle.LONG_BINGET: b"\0" * 4,
        pickle.LONG_BINPUT: b"\0" * 4, pickle.BININT: b"\1" * 4, pickle.BININT1: b"\1", pickle.BININT2: b"\1\1",
        pickle.BINFLOAT: b"\1" * 8, pickle.LONG1: b"\1\1", pickle.LONG4: b"\1\0\0\0\1", pickle.SHORT_BINSTRING: b"\1s",
        pickle.BINSTRING: b"\1\0\0\0s", pickle.SHORT_BINUNICODE: b"\1u", pickle.BINUNICODE: b"\1\0\0\0u",
        pickle.BINUNICODE8: u8(1) + b"u", pickle.SHORT_BINBYTES: b"\1b", pickle.BINBYTES: b"\1\0\0\0b", pickle.BINBYTES8: u8(1) + b"b",
        pickle.BYTEARRAY8: u8(1) + b"b", pickle.EXT1: b"\1", pickle.EXT2: b"\1\0", pickle.EXT4: b"\1\0\0\0", pickle.PROTO: b"\4",
        pickle.FRAME: u8(1),
    }.get(opcode, b"")  # fmt: skip
