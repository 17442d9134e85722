"""The wire names of capers: every constructor that a payload may call, in readable form.

A payload is a standard pickle.  Where an object cannot be named, its parts travel, and the payload calls one of the
functions below to put them together.  These names are the wire format: once released, a name never changes its meaning,
its arguments only grow at the end, and nothing else of capers is ever named inside a pickle.

The file needs the standard library only, so stock ``pickle.loads`` restores a payload wherever this module can be
imported, without the native part of capers.  The native loader recognises the same functions and does exactly what is
written here, only faster; ``tests/`` compares both.

Objects that can take part in a cycle are *made* here and *filled* afterwards by plain pickle opcodes: a function's
attributes and a cell's content by ``BUILD`` with a slot state, a namespace by ``SETITEMS``.
"""

import builtins
import functools
import importlib
import importlib.util
import marshal
import pickle
import sys
import types

__all__ = [
    "cell",
    "code",
    "comparison_key",
    "descriptor",
    "function",
    "imported",
    "lru_cache",
    "module",
    "module_dict",
    "namespace",
    "register",
    "singledispatch",
]

_MAGIC = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
TAG = _MAGIC << 16 | sys.version_info[0] << 8 | sys.version_info[1]


def _explain_tag(tag):
    theirs = "%d.%d" % (tag >> 8 & 0xFF, tag & 0xFF)
    ours = "%d.%d" % sys.version_info[:2]
    if theirs == ours:
        theirs += " (bytecode %d)" % (tag >> 16)
        ours += " (bytecode %d)" % _MAGIC
    return (
        "cannot load a function written by Python version %s on Python version %s: "
        "its bytecode runs on the version that made it only" % (theirs, ours)
    )


def code(tag, data, source=None, constants=None):
    """Return the code object whose marshal bytes are *data*.

    *tag* is ``magic << 16 | major << 8 | minor`` of the Python that made them; on any other Python the bytes are not
    looked at and ``UnpicklingError`` names both versions.  *source* is reserved for verified source text and is ``None``
    today.  *constants* is ``None`` or a tuple ``(index, value, index, value, ...)`` of entries of ``co_consts`` that
    marshal cannot carry and that replace the placeholders found there.
    """
    if tag != TAG:
        raise pickle.UnpicklingError(_explain_tag(tag))
    if source is not None:
        raise pickle.UnpicklingError("this payload carries source text, which needs a newer version of capers")
    made = marshal.loads(data)
    if not isinstance(made, types.CodeType):
        raise pickle.UnpicklingError("expected a marshalled code object, not %r" % type(made).__name__)
    if constants is not None:
        replaced = list(made.co_consts)
        for index in range(0, len(constants), 2):
            replaced[constants[index]] = constants[index + 1]
        made = made.replace(co_consts=tuple(replaced))
    return made


def cell(*content):
    """Return a new cell, empty or holding the one argument."""
    return types.CellType(*content)


def namespace(*name):
    """Return a new globals dict for functions; the optional argument is its ``__name__``."""
    made = {"__builtins__": builtins.__dict__}
    if name:
        made["__name__"] = name[0]
    return made


def function(code, globals, closure=None):
    """Return a new function of *code* over *globals*, with the tuple of cells *closure*."""
    return types.FunctionType(code, globals, None, None, closure)


def imported(name, *submodules):
    """Import the module *name* and each of *submodules* (full dotted names); return the module *name*."""
    for submodule in submodules:
        importlib.import_module(submodule)
    return importlib.import_module(name)


def module(name):
    """Return a new, empty module called *name* that is not in ``sys.modules``."""
    made = types.ModuleType(name)
    made.__dict__["__builtins__"] = builtins.__dict__
    return made


def module_dict(module):
    """Return the namespace of *module*, to be the globals of functions that live in it."""
    return module.__dict__


def lru_cache(maxsize, typed, function):
    """Return *function* behind a new, empty ``functools.lru_cache`` of *maxsize* entries (``None``: no bound)."""
    return functools.lru_cache(maxsize, typed)(function)


def singledispatch(function):
    """Return a new ``functools.singledispatch`` function whose only implementation is *function*."""
    return functools.singledispatch(function)


def register(dispatcher, *implementations):
    """Register the *implementations*, given as class, function, class, function, with a ``singledispatch`` function."""
    for index in range(0, len(implementations), 2):
        dispatcher.register(implementations[index], implementations[index + 1])


def comparison_key(compare, *value):
    """Return ``functools.cmp_to_key(compare)``, applied to *value* if there is one."""
    key = functools.cmp_to_key(compare)
    return key(*value) if value else key


def descriptor(owner, name):
    """Return what the class *owner* itself holds under *name*, not what attribute access makes of it."""
    return vars(owner)[name]
