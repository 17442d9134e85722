"""A text that is the same for two object graphs exactly when they are alike.

Same types, same content, same sharing, same order where there is one.  It asks objects nothing that their own code would
answer, and it ends, whatever the graph: cycles are numbers, and size is bounded.
"""

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import pickle
import struct
import types
import uuid

MOST = 20_000  # objects looked at
BY_REPR = (datetime.date, datetime.time, datetime.timedelta, datetime.timezone, decimal.Decimal, fractions.Fraction, uuid.UUID, range,
           pathlib.PurePath, type(NotImplemented), type(...))  # fmt: skip
BY_NAME = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, types.MethodDescriptorType,
           types.WrapperDescriptorType, types.MethodWrapperType, types.GetSetDescriptorType)  # fmt: skip


def name_of(kind):
    """Return the name of a class without asking its metaclass."""
    return type.__getattribute__(kind, "__name__")


def atom(value):
    """Return the text of an object without parts, or None."""
    kind = type(value)
    if value is None or kind is bool:
        return repr(value)
    if isinstance(value, int) and not isinstance(value, enum.Enum):
        return "%s %x" % (name_of(kind), int.__int__(value)) if kind is int else None
    if kind is float:
        return "float " + struct.pack(">d", value).hex()
    if kind is complex:
        return "complex " + struct.pack(">dd", value.real, value.imag).hex()
    if kind is str:
        return "str " + value.encode("utf-8", "surrogatepass").hex()
    if kind is bytes:
        return "bytes " + value.hex()
    if kind in BY_REPR:
        return repr(value)
    if isinstance(value, enum.Enum):
        # A stream may have made a member past its class, without a name.
        return f"{name_of(kind)}.{value._name_}" if "_name_" in value.__dict__ else None
    if isinstance(value, BY_NAME):
        return "%s %s" % (
            name_of(kind),
            object.__getattribute__(value, "__name__") if kind is not type else name_of(value),
        )
    return None


def content(value):
    """Return (text, parts) of an object with parts."""
    kind = type(value)
    text, parts = [name_of(kind)], []
    if isinstance(value, list):
        parts += list.__iter__(value)
    elif isinstance(value, tuple):
        parts += tuple.__iter__(value)
    elif isinstance(value, dict):
        for key in dict.__iter__(value):
            parts += (key, dict.__getitem__(value, key))
    elif isinstance(value, (set, frozenset)):
        # Objects with a hash of their own come in any order.
        texts = [
            (atom(each) or "~" + name_of(type(each)), each)
            for each in (set if isinstance(value, set) else frozenset).__iter__(value)
        ]
        for spelt, each in sorted(texts, key=lambda pair: pair[0]):
            text.append(spelt)
            if not spelt.startswith("~"):
                parts.append(each)
    elif isinstance(value, bytearray):
        text.append(bytes(value).hex())
    elif isinstance(value, bytes):
        text.append(bytes.hex(value))
    elif isinstance(value, (memoryview, pickle.PickleBuffer)):
        view = memoryview(value)
        text += [str(view.readonly), bytes(view).hex()]
    elif isinstance(value, str):
        text.append(str.encode(value, "utf-8", "surrogatepass").hex())
    elif isinstance(value, int):
        text.append(hex(int.__int__(value)))
    elif isinstance(value, float):
        text.append(struct.pack(">d", float.__float__(value)).hex())
    elif isinstance(value, slice):
        parts += (value.start, value.stop, value.step)
    elif isinstance(value, array.array):
        text += [value.typecode, value.tobytes().hex()]
    elif isinstance(value, collections.deque):
        text.append(str(value.maxlen))
        parts += list(value)
    elif isinstance(value, functools.partial):
        parts += (value.func, value.args, value.keywords)
    elif isinstance(value, BaseException):
        parts += value.args
    attributes = getattr(value, "__dict__", None) if not isinstance(value, functools.partial) else None
    if type(attributes) is dict:
        text.append("attributes")
        for key in attributes:
            parts += (key, attributes[key])
    for base in type.__getattribute__(kind, "__mro__"):
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if slot in ("__dict__", "__weakref__"):
                continue
            try:
                part = object.__getattribute__(value, slot)
            except AttributeError:
                continue
            text.append("slot " + slot)
            parts.append(part)
    return " ".join(text), parts


def describe(value):
    """Return the description of a graph."""
    numbers, lines, todo, kept = {}, [], [value], []
    while todo:
        each = todo.pop()
        spelt = atom(each)
        if spelt is not None:
            lines.append(spelt)
            continue
        if id(each) in numbers:
            lines.append("#%d" % numbers[id(each)])
            continue
        if not (type(each) in (tuple, frozenset) and not each):
            numbers[id(each)] = len(numbers)
            kept.append(each)
        text, parts = content(each)
        lines.append("%s /%d" % (text, len(parts)))
        todo.extend(reversed(parts))
        if len(lines) > MOST:
            lines.append("and more")
            break
    return "\n".join(lines)
