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
import threading
import types
import weakref

__all__ = [
    "abc_register",
    "cell",
    "class_",
    "class_attribute",
    "code",
    "comparison_key",
    "descriptor",
    "enum_members",
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


# Classes that travel by value are known by a key: a digest of their definition. The tables are those of this process: they
# let a class that arrives twice be one class, and let a class that comes home be the one that left.
_classes = weakref.WeakValueDictionary()
_keys = {}
_lock = threading.RLock()


def _key_of(cls):
    known = _keys.get(id(cls))
    return known[1] if known is not None and known[0]() is cls else None


def _track(cls, key):
    """Note that the class *cls* has *key*, told apart by a number where another living class has it; return the key."""
    with _lock:
        wanted, number = key, 1
        while _classes.get(key, cls) is not cls:
            number += 1
            key = "%s-%d" % (wanted, number)
        address = id(cls)
        _classes[key] = cls
        _keys[address] = (weakref.ref(cls, lambda _: _keys.pop(address, None)), key)
        return key


def _hook_owners(bases, everyone):
    """The classes whose ``__init_subclass__`` a new class over *bases* must not run: those by value, or all in Python."""
    for base in {each: None for base in bases for each in base.__mro__}:
        hook = base.__dict__.get("__init_subclass__")
        if isinstance(hook, classmethod) and (everyone or _key_of(base) is not None):
            yield base, hook


def _make_class(maker, metaclass, name, bases, namespace, keywords, quiet):
    replaced = []
    try:
        for base, hook in _hook_owners(bases, quiet):
            passed = classmethod(lambda cls, __base=base, **keywords: super(__base, cls).__init_subclass__(**keywords))
            type.__setattr__(base, "__init_subclass__", passed)
            replaced.append((base, hook))
        if maker is metaclass:
            prepared = metaclass.__prepare__(name, bases, **keywords)
            for attribute, value in namespace.items():
                prepared[attribute] = value
            return metaclass(name, bases, prepared, **keywords)
        return maker.__new__(metaclass, name, bases, namespace, **keywords)
    finally:
        for base, hook in replaced:
            type.__setattr__(base, "__init_subclass__", hook)


def _is_complete(metaclass):
    """Whether classes of *metaclass* are complete with their namespace, so that it must not work on it again."""
    return metaclass.__module__ == "enum" or metaclass.__module__ == "typing" and metaclass.__name__ == "_TypedDictMeta"


def _is_standard(metaclass):
    return metaclass.__module__.partition(".")[0] in sys.stdlib_module_names and not _is_complete(metaclass)


def class_(key, metaclass, name, bases, namespace, keywords=None):
    """Return the class known by *key*, made in one step from its full *namespace* if it is not there yet.

    What is importable sees the class as the class statement showed it: the metaclass is called with *keywords*, and
    ``__init_subclass__`` and ``__set_name__`` run.  Metaclasses, bases and descriptors that themselves travel by value have
    done their work where the class was defined, and are not asked again.  *keywords* is ``None`` where hooks need some that
    are not known.  Then, and where a hook refuses a namespace that it has worked on before, the class is made without any
    hook written in Python: what they did to it is in the namespace.
    """
    with _lock:
        known = _classes.get(key)
        if known is not None:
            return known
        late = {}
        for attribute, value in namespace.items():
            if _key_of(type(value)) is not None and hasattr(type(value), "__set_name__"):
                late[attribute] = value
        namespace.update(dict.fromkeys(late))
        standard = next(each for each in metaclass.__mro__ if _is_standard(each))
        maker = next(each for each in metaclass.__mro__ if _key_of(each) is None)
        if _is_complete(maker):
            maker, keywords = standard, {}
        made = None
        if keywords is not None:
            try:
                made = _make_class(maker, metaclass, name, bases, namespace, keywords, False)
            except Exception:
                if maker is standard and not any(_hook_owners(bases, True)):
                    raise
        if made is None:
            made = _make_class(standard, metaclass, name, bases, namespace, {}, True)
        for attribute, value in late.items():
            type.__setattr__(made, attribute, value)
        if key:
            _track(made, key)
        return made


def class_attribute(cls, name, value):
    """Set an attribute of *cls* that leads back to it, unless the class has one: then it was here before."""
    if name not in cls.__dict__:
        type.__setattr__(cls, name, value)


def abc_register(cls, *subclasses):
    """Register virtual *subclasses* with the abstract base class *cls*."""
    for subclass in subclasses:
        cls.register(subclass)


def enum_members(cls, *members):
    """Give the enumeration *cls* its *members*: name, value of the data type or ``None``, attributes; three for each.

    A string in the place of the attributes makes the name an alias of the member so called.  Members are made as they are,
    without calling ``__new__`` or ``__init__`` again.  An enumeration that has members already is left alone.
    """
    if cls.__dict__.get("_member_map_"):
        return
    data_type = cls._member_type_
    for attribute, empty in (
        ("_member_names_", list),
        ("_member_map_", dict),
        ("_value2member_map_", dict),
        ("_unhashable_values_", list),
        ("_unhashable_values_map_", dict),
        ("_hashable_values_", list),
    ):
        type.__setattr__(cls, attribute, empty())
    for index in range(0, len(members), 3):
        name, plain, state = members[index : index + 3]
        if isinstance(state, str):
            member = cls._member_map_[state]
        else:
            member = object.__new__(cls) if plain is None else data_type.__new__(cls, plain)
            member.__dict__.update(state)
            cls._member_names_.append(name)
            try:
                cls._value2member_map_.setdefault(member._value_, member)
                cls._hashable_values_.append(member._value_)
            except TypeError:
                cls._unhashable_values_.append(member._value_)
                cls._unhashable_values_map_.setdefault(name, []).append(member._value_)
        cls._member_map_[name] = member
        type.__setattr__(cls, name, member)


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
