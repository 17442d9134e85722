"""Whether two graphs of objects are alike: same types, same content, same sharing, seen through functions and cells.

Functions, cells and code have no equality that looks inside, and graphs with cycles cannot be compared with ``==``.  Two
graphs are alike when one can be laid over the other, object on object, each onto one only.
"""

import functools
import struct
import types

ATOMS = (type(None), bool, int, str, bytes, type(...), type(NotImplemented))
CODE = [
    name
    for name in dir(types.CodeType)
    if name.startswith("co_") and name not in ("co_lnotab", "co_positions", "co_lines", "co_branches")
]


def difference(one, two):
    """Return None when the graphs below *one* and *two* are alike, else the path to the first difference."""
    pairs = {}
    back = {}
    kept = []
    todo = [("obj", one, two)]
    while todo:
        path, a, b = todo.pop()
        if type(a) is not type(b):
            return f"{path}: {type(a)} and {type(b)}"
        if isinstance(a, ATOMS):
            if a != b:
                return f"{path}: {a!r} and {b!r}"
            continue
        if isinstance(a, float | complex):
            if bits(a) != bits(b):
                return f"{path}: {a!r} and {b!r}"
            continue
        if id(a) in pairs or id(b) in back:
            if pairs.get(id(a)) != id(b) or back.get(id(b)) != id(a):
                return f"{path}: shared in one only"
            continue
        if not isinstance(a, tuple | frozenset | slice | types.CodeType) or not atomic(a):
            pairs[id(a)], back[id(b)] = id(b), id(a)
        parts = list(children(a)), list(children(b))
        kept.append(parts)
        if [name for name, _ in parts[0]] != [name for name, _ in parts[1]]:
            return f"{path}: {[name for name, _ in parts[0]]} and {[name for name, _ in parts[1]]}"
        if not parts[0] and a is not b and not isinstance(a, list | dict | set | tuple | frozenset | types.CellType):
            if type(a) is not object and a != b:
                return f"{path}: {a!r} and {b!r}"
        todo += [(path + name, x, y) for (name, x), (_, y) in zip(*parts, strict=True)]
    return None


def bits(number):
    """Return the bytes of a float or complex number: the sign of nought counts, and NaN is like itself."""
    if isinstance(number, complex):
        return struct.pack("dd", number.real, number.imag)
    return struct.pack("d", number)


def atomic(value):
    """Tell whether *value* is immutable all through, so that nobody can tell one copy from two."""
    if isinstance(value, tuple | frozenset):
        return all(map(atomic, value))
    if isinstance(value, slice):
        return atomic((value.start, value.stop, value.step))
    return isinstance(value, (*ATOMS, float, complex, types.CodeType))


def spelt(value):
    """Return a text that is the same for equal immutable values of the same type, whatever the order of their sets."""
    if isinstance(value, frozenset):
        return "frozenset(%s)" % ", ".join(sorted(map(spelt, value)))
    if isinstance(value, tuple):
        return "(%s)" % ", ".join(map(spelt, value))
    return "%s %r" % (type(value).__name__, value)


def children(value):
    """Yield (name, part) for what *value* is made of; nothing for what is compared by identity or equality."""
    if isinstance(value, types.FunctionType):
        for name in ("__code__", "__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__"):
            yield "." + name, getattr(value, name)
        yield ".__annotations__", value.__annotations__
        yield ".__dict__", vars(value)
        yield ".__type_params__", getattr(value, "__type_params__", ())
        yield ".__closure__", value.__closure__
        yield ".__globals__", value.__globals__ if value.__globals__.get("__spec__") is None else None
    elif isinstance(value, types.CodeType):
        for name in CODE:
            yield "." + name, getattr(value, name)
    elif isinstance(value, types.CellType):
        try:
            yield ".cell_contents", value.cell_contents
        except ValueError:
            yield " (empty)", None
    elif isinstance(value, types.MethodType | types.BuiltinMethodType | types.MethodWrapperType):
        yield ".__name__", value.__name__
        if not isinstance(value.__self__, types.ModuleType | type):
            yield ".__self__", value.__self__
        if isinstance(value, types.MethodType):
            yield ".__func__", value.__func__
    elif isinstance(value, functools.partial):
        yield from ((".func", value.func), (".args", value.args), (".keywords", value.keywords))
    elif isinstance(value, types.ModuleType):
        yield ".__name__", value.__name__
        if getattr(value, "__spec__", None) is None:
            yield ".__dict__", vars(value)
    elif type(value).__name__ == "_lru_cache_wrapper":
        yield ".__wrapped__", value.__wrapped__
        yield ".cache_parameters()", tuple(value.cache_parameters().items())
    elif isinstance(value, dict):
        for key, each in value.items():
            if key != "__builtins__":
                yield f"[{spelt(key)}]", each
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield f"[{index}]", each
    elif isinstance(value, slice):
        yield from ((".start", value.start), (".stop", value.stop), (".step", value.step))
    elif isinstance(value, set | frozenset) and all(map(atomic, value)):
        for text, each in sorted(((spelt(each), each) for each in value), key=lambda pair: pair[0]):
            yield "{" + text + "}", each
    elif not isinstance(value, type) and type(getattr(value, "__dict__", None)) is dict:
        yield ".__dict__", vars(value)
