"""The wire names of capers: every constructor that a payload may call, in readable form.

A payload is a standard pickle.  Where an object cannot be named, its parts travel, and the payload calls one of the public
functions below to put them together.  These names are the wire format: once released, a name never changes its meaning,
its arguments only grow at the end, and nothing else of capers is ever named inside a pickle.

The file needs the standard library only, so stock ``pickle.loads`` restores a payload wherever this module can be
imported, without the native part of capers.  The native loader recognises the same functions and does exactly what is
written here, only faster; ``tests/`` compares both.

Objects that can take part in a cycle are *made* here and *filled* afterwards by plain pickle opcodes: a function's
attributes and a cell's content by ``BUILD`` with a slot state, a namespace by ``SETITEMS``.
"""

import abc
import builtins
import contextvars
import functools
import importlib
import io
import itertools
import marshal
import os
import sys
import types
import weakref
from _pickle import UnpicklingError
from _thread import RLock, allocate_lock, get_ident
from importlib._bootstrap_external import MAGIC_NUMBER

_MAGIC = int.from_bytes(MAGIC_NUMBER[:2], "little")
TAG = _MAGIC << 16 | sys.version_info[0] << 8 | sys.version_info[1]


def _explain_tag(tag):
    theirs, ours = "%d.%d" % (tag >> 8 & 0xFF, tag & 0xFF), "%d.%d" % sys.version_info[:2]
    if theirs == ours:
        theirs, ours = "%s (bytecode %d)" % (theirs, tag >> 16), "%s (bytecode %d)" % (ours, _MAGIC)
    told = "cannot load a function written by Python version %s on Python version %s: its bytecode runs on the version that made it only"
    return told % (theirs, ours)


def code(tag, data, source=None, constants=None):
    """Return the code object whose marshal bytes are *data*.

    *tag* is ``magic << 16 | major << 8 | minor`` of the Python that made them; on any other Python the bytes are not
    looked at and ``UnpicklingError`` names both versions.  *source* is reserved for verified source text and is ``None``
    today.  *constants* is ``None`` or a tuple ``(index, value, index, value, ...)`` of entries of ``co_consts`` that
    marshal cannot carry and that replace the placeholders found there.
    """
    if tag != TAG:
        raise UnpicklingError(_explain_tag(tag))
    if source is not None:
        raise UnpicklingError("this payload carries source text, which needs a newer version of capers")
    made = marshal.loads(data)
    if not isinstance(made, types.CodeType):
        raise UnpicklingError("expected a marshalled code object, not %r" % type(made).__name__)
    if constants is not None:
        replaced = list(made.co_consts)
        for index in range(0, len(constants), 2):
            replaced[constants[index]] = constants[index + 1]
        made = made.replace(co_consts=tuple(replaced))
    return made


def cell(*content):
    """Return a new cell, empty or holding the one argument."""
    return types.CellType(*content)


def namespace(name=None, builtins=builtins.__dict__):
    """Return a new globals dict for functions, called *name* if it has one."""
    made = {"__builtins__": builtins}
    if name is not None:
        made["__name__"] = name
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
_classes: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
_keys: dict = {}
# For each class that a payload made here: the attributes that have been filled in. A load that broke off, or another one of
# the same class at the same time, leaves the rest to whoever comes next.
_filled: dict = {}
# For the same classes: the number of the change that each changed attribute was last set from.
_changes: dict = {}
# How many classes of this process have had a key derived from one definition.
_alike: dict = {}
_lock = RLock()


def _key_of(cls):
    known = _keys.get(id(cls))
    return known[1] if known is not None and known[0]() is cls else None


def _track(cls, key):
    """Note that the class *cls* has *key*; return the key."""

    def forget(_, keys=_keys, classes=_classes, others=(_filled, _changes)):  # when the globals here are gone, too
        keys.pop(address, None)
        if classes.get(key) is None:
            for each in others:
                each.pop(key, None)

    with _lock:
        address = id(cls)
        _classes[key] = cls
        _keys[address] = (weakref.ref(cls, forget), key)
        return key


def _name(cls, digest):
    """Give the class *cls*, at home here, the key of its definition: *digest*, and a number where others were defined alike."""
    with _lock:
        key = digest
        while True:
            count = _alike[digest] = _alike.get(digest, 0) + 1
            key = digest if count == 1 else "%s-%d" % (digest, count)
            if _classes.get(key) is None:
                return _track(cls, key)


# Which thread makes the class of a key, with a lock that it holds meanwhile. No lock of this file is held while hooks run:
# they may import, and so wait for another thread that loads.
_making: dict = {}
_PATIENCE = 5.0  # seconds, after which a class is made twice rather than never


def _is_importing():
    """Whether this thread is in the middle of an import, for whose end others may wait."""
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_filename != "<frozen importlib._bootstrap>":
        frame = frame.f_back
    return frame is not None


def _claim(key):
    """Return the class known by *key*, when another thread has made it if one is at it; ``None`` leaves it to the caller."""
    while True:
        with _lock:
            known = _classes.get(key)
            owner, busy = _making.get(key, (None, None))
            if known is None and owner is None:
                busy = allocate_lock()
                busy.acquire()
                _making[key] = (get_ident(), busy)
        if known is not None:
            return known
        if owner is None or owner == get_ident() or _is_importing() or not busy.acquire(timeout=_PATIENCE):
            return None
        busy.release()


def _done(key):
    """Let those go on that wait for *key*, if this thread made its class."""
    with _lock:
        owner, lock = _making.get(key, (None, None))
        if owner == get_ident():
            del _making[key]
            lock.release()


# While a class is made again, hooks that travel by value must keep still for it, and for no other class of any other thread:
# the hook is replaced by a gate as long as anyone needs it.
_gates: dict = {}
_restored: dict = {}


def _is_restored(cls):
    making = _restored.get(get_ident())
    return bool(making) and making[-1] == (cls.__name__, cls.__module__)


def _gate(owner, attribute, hook):
    """Return what stands in for the *hook* that *owner* holds as *attribute*."""
    if attribute == "__init_subclass__":

        @classmethod
        def gate(cls, /, **keywords):
            if _is_restored(cls):
                super(owner, cls).__init_subclass__(**keywords)
            else:
                hook.__get__(None, cls)(**keywords)

        return gate

    def gate(self, cls, name):
        if not _is_restored(cls):
            hook.__get__(self, type(self))(cls, name)

    return gate


def _close(owner, attribute):
    with _lock:
        gate = _gates.get((id(owner), attribute))
        if gate is None:
            hook = owner.__dict__[attribute]
            gate = _gates[id(owner), attribute] = [hook, _gate(owner, attribute, hook), 0]
            _set(owner, attribute, gate[1])
        gate[2] += 1


def _open(owner, attribute):
    with _lock:
        gate = _gates[id(owner), attribute]
        gate[2] -= 1
        if not gate[2]:
            del _gates[id(owner), attribute]
            if owner.__dict__.get(attribute) is gate[1]:
                _set(owner, attribute, gate[0])


def _set(cls, attribute, value):
    """Set an attribute of the class *cls*, whatever Python code of its metaclass says."""
    for each in type(cls).__mro__:
        setter = each.__dict__.get("__setattr__")
        if isinstance(setter, types.WrapperDescriptorType):
            return setter(cls, attribute, value)


def _hooks(bases, namespace, everyone):
    """The hooks that making a class would run and must not: those by value, or all in Python; each as owner and name."""
    for owner in {each: None for base in bases for each in base.__mro__}:
        hook = owner.__dict__.get("__init_subclass__")
        if isinstance(hook, classmethod) and (everyone or _key_of(owner) is not None):
            yield owner, "__init_subclass__"
    for kind in {type(value): None for value in namespace.values() if hasattr(type(value), "__set_name__")}:
        for owner in kind.__mro__:
            if "__set_name__" in owner.__dict__:
                hook = owner.__dict__["__set_name__"]
                if isinstance(hook, types.FunctionType) and (everyone or _key_of(owner) is not None):
                    yield owner, "__set_name__"
                break


def _make_class(maker, metaclass, name, bases, namespace, keywords, everyone):
    closed = []
    making = _restored.setdefault(get_ident(), [])
    making.append((name, namespace.get("__module__")))
    try:
        for owner, attribute in _hooks(bases, namespace, everyone):
            _close(owner, attribute)
            closed.append((owner, attribute))
        if maker is type:
            return type.__new__(metaclass, name, bases, namespace, **keywords)
        prepared = maker.__prepare__(name, bases, **keywords)
        for attribute, value in namespace.items():
            prepared[attribute] = value
        if maker is metaclass:
            return metaclass(name, bases, prepared, **keywords)
        made = maker.__new__(metaclass, name, bases, prepared, **keywords)
        maker.__init__(made, name, bases, prepared, **keywords)
        return made
    finally:
        for owner, attribute in closed:
            _open(owner, attribute)
        making.pop()
        if not making:
            _restored.pop(get_ident(), None)


def _is_complete(metaclass):
    """Whether classes of *metaclass* are complete with their namespace, so that it must not work on it again."""
    return metaclass.__module__ == "enum" or metaclass.__module__ == "typing" and metaclass.__name__ == "_TypedDictMeta"


def _is_standard(metaclass):
    return metaclass.__module__.partition(".")[0] in sys.stdlib_module_names and not _is_complete(metaclass)


def _without_last(namespace):
    """Leave out of *namespace* the attributes still to be filled in at its end, and hold the place of the others."""
    held = False
    for attribute, value in reversed([*namespace.items()]):
        if value is not class_attribute:
            held = True
        elif held:
            namespace[attribute] = None
        else:
            del namespace[attribute]


def _build_class(metaclass, name, bases, namespace, keywords, body):
    makers = (type,) if metaclass is type else metaclass.__mro__
    standard = next(each for each in makers if each is type or _is_standard(each))
    maker = next(each for each in makers if each is type or _key_of(each) is None)
    if maker is not type and _is_complete(maker):
        maker, keywords = standard, {}
    later = {}
    if body is not None:
        for attribute in [*namespace][body:]:
            later[attribute] = namespace.pop(attribute)
        namespace.update((each, None) for each, value in namespace.items() if value is class_attribute)
    slots = namespace.get("__slots__", ())
    for attribute in (slots,) if isinstance(slots, str) else slots:
        if attribute in namespace:
            # Since the class was made, something else has taken the place of the slot.
            later[attribute] = namespace.pop(attribute)
    _without_last(later if body is not None else namespace)
    made = None
    if keywords is not None:
        try:
            made = _make_class(maker, metaclass, name, bases, dict(namespace), keywords, False)
        except Exception:
            # A hook that cannot run here, or not again, must not keep the class from arriving: it is made without hooks.
            if maker is standard and not any(_hooks(bases, namespace, True)):
                raise
    if made is None:
        made = _make_class(standard, metaclass, name, bases, dict(namespace), {}, True)
    fields = "_fields_" in namespace and any(each.__module__ == "_ctypes" for each in metaclass.__mro__)
    held = made.__dict__
    for attribute, value in {**namespace, **later}.items():
        # Hooks have run for what they do elsewhere; what the class holds is what it held.
        if held.get(attribute) is not value and attribute not in _MADE and not (fields and attribute == "_fields_"):
            _set(made, attribute, value)
    if later and "__abstractmethods__" in made.__dict__:
        abc.update_abstractmethods(made)
    return made


_MADE = ("__qualname__", "__classcell__", "__classdictcell__")


def class_(key, metaclass, name, bases, namespace, keywords=None, body=None, changes=None):
    """Return the class known by *key*, made in one step from its full *namespace* if it is not there yet.

    What is importable sees the class as the class statement showed it: the metaclass is called with *keywords*, and
    ``__init_subclass__`` and ``__set_name__`` run.  Metaclasses, bases and descriptors that themselves travel by value have
    done their work where the class was defined, and are not asked again.  *keywords* is ``None`` where hooks need some that
    are not known.  Then, and where a hook refuses a namespace that it has worked on before, the class is made without any
    hook written in Python: what they did to it is in the namespace.

    *body* is how many items of *namespace* the class statement gave, where hooks must not see the others.  An attribute that
    is the function ``class_attribute`` is set by it later.  *changes* numbers the attributes set or deleted since the class
    first travelled; a class that payloads made here takes over those with a higher number than before.
    """
    known = _claim(key)
    if known is None:
        try:
            made = _build_class(metaclass, name, bases, dict(namespace), keywords, body)
            with _lock:
                known = _classes.get(key)
                if known is None:
                    _track(made, key)
                    _filled[key], _changes[key] = set(), dict(changes or ())
                    return made
        finally:
            _done(key)
    if changes:
        with _lock:
            seen = _changes.get(key)
            for attribute, number in changes.items():
                if seen is not None and seen.get(attribute, 0) < number:
                    seen[attribute] = number
                    if attribute not in namespace:
                        if attribute in known.__dict__:
                            type.__delattr__(known, attribute)
                    elif namespace[attribute] is class_attribute:
                        _filled[key].discard(attribute)
                    else:
                        _set(known, attribute, namespace[attribute])
    return known


def class_attribute(cls, name, value):
    """Set an attribute of *cls* that leads back to it: once for each change, and not where the class is at home."""
    with _lock:
        filled = _filled.get(_key_of(cls))
        if filled is not None and name not in filled:
            filled.add(name)
            _set(cls, name, value)


def abc_register(cls, *subclasses):
    """Register virtual *subclasses* with the abstract base class *cls*."""
    for subclass in subclasses:
        cls.register(subclass)


_ENUM_TABLES = (
    *("_member_names_", "_member_map_", "_value2member_map_"),
    *("_hashable_values_", "_unhashable_values_", "_unhashable_values_map_"),
)


def enum_members(cls, *members):
    """Give the enumeration *cls* its *members*: name, value of the data type or ``None``, attributes; three for each.

    A string in the place of the attributes makes the name another one of the member that has that name.  Members are made
    as they are, without calling ``__new__`` or ``__init__`` again.  An enumeration that has members already is left alone.
    """
    if cls.__dict__.get("_member_map_"):
        return
    for attribute in _ENUM_TABLES:
        if attribute in sys.modules["enum"].Enum.__dict__:
            type.__setattr__(cls, attribute, {} if attribute.endswith("map_") else [])
    hashable, unhashable = cls.__dict__.get("_hashable_values_", []), cls.__dict__.get("_unhashable_values_map_", {})
    for index in range(0, len(members), 3):
        name, plain, state = members[index : index + 3]
        if isinstance(state, str):
            member = cls._member_map_[state]
        else:
            member = object.__new__(cls) if plain is None else type(plain).__new__(cls, plain)
            member.__dict__.update(state)
            cls._member_names_.append(member._name_)
            try:
                cls._value2member_map_.setdefault(member._value_, member)
                hashable.append(member._value_)
            except TypeError:
                cls._unhashable_values_.append(member._value_)
                unhashable.setdefault(member._name_, []).append(member._value_)
        cls._member_map_[name] = member
        type.__setattr__(cls, name, member)


def enum_attributes(cls, name, attributes):
    """Give the member *name* of the enumeration *cls*, if it was made here, the *attributes* that it has besides its value."""
    with _lock:
        filled = _filled.get(_key_of(cls))
        if filled is not None and (name,) not in filled:
            filled.add((name,))
            cls._member_map_[name].__dict__.update(attributes)


def enum_member(cls, name):
    """Return the member *name* of the enumeration *cls*."""
    return cls._member_map_[name]


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
    if owner is object and name in ("__dict__", "__weakref__"):
        # Since 3.15 all classes share these two.
        owner = type("Shared", (), {})
    return vars(owner)[name]


# What follows makes objects of the standard library that pickle does not carry.


def subclassed(base, cls, *arguments):
    """Return an instance of *cls* made and initialized by *base*, the standard class it is derived from, and by nobody else."""
    made = base.__new__(cls, *arguments)
    base.__init__(made, *arguments)
    return made


def set_state(made, state):
    """Set the state of *made* as ``BUILD`` does, unasked; the first of three items is for the ``__setstate__`` of its type."""
    slots = None
    if isinstance(state, tuple) and len(state) == 3:
        type(made).__setstate__(made, state[0])
        state = state[1:]
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    if state:
        object.__getattribute__(made, "__dict__").update(state)
    for name, value in (slots or {}).items():
        object.__setattr__(made, name, value)


# Objects that their own reduction names, by class and name, where the module of that name does not travel.
_named: dict = {}


def _note_named(cls, name, made):
    """Keep *made* for its class and name, or return what is kept already."""
    key = _key_of(cls) or "%s.%s" % (cls.__module__, cls.__qualname__)
    return _named.setdefault((key, name), made)


def named(cls, name, state=None):
    """Return the one object of class *cls* called *name*: a sentinel of a script."""
    made = object.__new__(cls)
    found = _note_named(cls, name, made)
    if found is made and state is not None:
        set_state(made, state)
    return found


def unstarted(function, arguments, keywords=None):
    """Return the generator, coroutine or async generator that *function* returns; nothing of it has run."""
    return function(*arguments, **(keywords or {}))


def put(queue, *items):
    """Put *items* into a queue."""
    for item in items:
        queue.put(item)


def thread(cls, name, ended=False):
    """Return a new thread of class *cls*, not started yet or *ended*; its attributes are filled in later."""
    import threading

    made = cls.__new__(cls)
    threading.Thread.__init__(made, name=name)
    if ended:
        # Only one that has run is over, whatever keeps the books in this version of Python; this one runs nothing.
        made.__dict__["run"] = functools.partial(threading.Thread.run, made)
        threading.Thread.start(made)
        threading.Thread.join(made)
        del made.__dict__["run"]
    return made


def thread_local(cls, arguments=(), keywords=None):
    """Return a new ``threading.local`` of class *cls*, which other threads initialize with the arguments."""
    return cls.__new__(cls, *arguments, **(keywords or {}))


def context_variable(name, *default):
    """Return a new ``contextvars.ContextVar``."""
    return contextvars.ContextVar(name, default=default[0]) if default else contextvars.ContextVar(name)


def context_values(context, *values):
    """Give *context* its values: variable, value, variable, value, ..."""
    for index in range(0, len(values), 2):
        context.run(values[index].set, values[index + 1])


def dead_reference(cls=weakref.ref, *rest):
    """Return a weak reference of class *cls* whose referent is gone; *rest* are further arguments of the class."""
    return cls(set(), *rest)


def dead_proxy(callable):
    """Return a weak proxy whose referent is gone."""
    return weakref.proxy((lambda: None) if callable else set())


def weak_method(holder, function, *callback):
    """Return a ``weakref.WeakMethod`` of the method *function* (or its name) of *holder*; a dead one for ``None``."""
    if function is None:
        holder, function = set(), lambda self: None
    method = getattr(holder, function) if isinstance(function, str) else types.MethodType(function, holder)
    return weakref.WeakMethod(method, *callback)


def weak_items(container, *items):
    """Fill a weak container: items of a ``WeakSet``, or key, value, key, value, ... of a weak dictionary."""
    if isinstance(container, weakref.WeakSet):
        container.update(items)
    else:
        container.update(zip(items[::2], items[1::2], strict=True))


def dict_view(mapping, which):
    """Return the view of *mapping* that its method *which* gives: ``keys``, ``values`` or ``items``."""
    if which not in ("keys", "values", "items"):
        raise UnpicklingError("there is no view %r of a dict" % which)
    return getattr(mapping, which)()


def memory(exporter, format=None, shape=None, readonly=False, start=None, stop=None, step=None):
    """Return a view of *exporter*'s memory.

    *format* and *shape* say how to see the bytes from *start* to *stop*; without *format* the items from *start* to
    *stop* are seen as the exporter shows them.
    """
    view = memoryview(exporter)
    if format is not None:
        view = view.cast("B")
    if start is not None or stop is not None or step is not None:
        view = view[start:stop:step]
    if format is not None:
        view = view.cast(format, shape)
    return view.toreadonly() if readonly else view


def match(pattern, how, text, start, stop, index=0):
    """Return the match of *pattern* in ``text[start:stop]`` that its method *how* finds; *index* counts for ``finditer``."""
    found = None
    if how in ("match", "search", "fullmatch"):
        found = getattr(pattern, how)(text, start, stop)
    elif how == "finditer":
        found = next((each for at, each in enumerate(pattern.finditer(text, start, stop)) if at == index), None)
    if found is None:
        raise UnpicklingError("%r finds no match here, but found one where the payload was written" % pattern)
    return found


def chained(*parts):
    """Return an ``itertools.chain``: of nothing, of an iterator of iterables, or of an iterator and such an iterator."""
    if len(parts) == 2:
        return itertools.chain(parts[0], itertools.chain.from_iterable(parts[1]))
    return itertools.chain.from_iterable(*parts or ((),))


def pairs(rest, *before):
    """Return ``itertools.pairwise`` of *rest*, after the item that stood *before* it."""
    return itertools.pairwise(itertools.chain(before, rest) if before else rest)


def file(name, mode, buffering, position, text=None, content=None):
    """Open the file *name* again, as it was open: at *position*, without truncating it; closed if *position* is ``None``.

    *buffering* is as for ``open``.  *text* is ``None`` for a binary file, else encoding, errors, line buffering and write
    through.  With *content* it is a temporary file of that content that is open in its place.
    """
    encoding, errors, line_buffering, write_through = text or (None, None, False, False)
    if position is None:
        made = open(os.devnull, mode.replace("x", "w"), buffering, encoding, errors)
        raw = getattr(made, "buffer", made)
        getattr(raw, "raw", raw).name = name
        if isinstance(made, io.TextIOWrapper):
            made.mode = mode
        made.close()
        return made

    def opener(path, flags):
        if content is None:
            return os.open(path, flags & ~os.O_TRUNC & ~os.O_EXCL, 0o666)
        import tempfile

        with tempfile.TemporaryFile(buffering=0) as temporary:
            temporary.write(content)
            return os.dup(temporary.fileno())

    made = open(name, mode, buffering, encoding, errors, opener=opener)
    if text:
        made.reconfigure(line_buffering=line_buffering, write_through=write_through)
    made.seek(position)
    return made


def file_over(cls, buffer, position, encoding, errors, line_buffering, write_through):
    """Return a text file over the binary file object *buffer*, at *position*."""
    made = cls(buffer, encoding, errors, line_buffering=line_buffering, write_through=write_through)
    made.seek(position)
    return made


def exception(base, cls, arguments):
    """Return an exception of class *cls* with ``args`` *arguments*, made by the built-in class *base*, not initialized."""
    made = base.__new__(cls, *arguments)
    BaseException.args.__set__(made, arguments)
    return made


def exception_state(exception, attributes):
    """Set attributes of *exception*, whatever its class says of it."""
    for name, value in attributes.items():
        object.__setattr__(exception, name, value)


def type_variable(kind, name, module, options, key=None):
    """Return the type parameter known by *key*, or a new one: *kind* is ``TypeVar``, ``ParamSpec`` or ``TypeVarTuple``.

    *options* are keywords of that class, and ``constraints``.  In place of ``bound``, ``constraints`` and ``default``, the
    functions ``evaluate_bound``, ``evaluate_constraints`` (with their number in ``count``) and ``evaluate_default`` may be
    given, which are called when the value is asked for.
    """
    with _lock:
        made = _classes.get(key) or _type_variable(kind, name, module, options)
        if key is not None:
            _track(made, key)
        return made


def _type_variable(kind, name, module, options):
    import typing

    if kind not in ("TypeVar", "ParamSpec", "TypeVarTuple"):
        raise UnpicklingError("there is no kind %r of type parameters" % kind)
    options = dict(options)
    lazy = {each: options.pop(each) for each in list(options) if each.startswith("evaluate_")}
    if lazy:
        if not name.isidentifier():
            raise UnpicklingError("a type parameter cannot be called %r" % name)
        text = {"TypeVar": "", "ParamSpec": "**", "TypeVarTuple": "*"}[kind] + name
        if "evaluate_bound" in lazy:
            text += ": evaluate_bound()"
        elif "evaluate_constraints" in lazy:
            each = ("evaluate_constraints()[%d]" % index for index in range(options["count"]))
            text += ": (%s,)" % ", ".join(each)
        if "evaluate_default" in lazy:
            text += " = evaluate_default()"
        namespace = {"__name__": module, **lazy}
        exec("def made[%s](): pass" % text, namespace)
        return namespace["made"].__type_params__[0]
    made = getattr(typing, kind)(name, *options.pop("constraints", ()), **options)
    made.__module__ = module
    return made


def type_alias(name, module, value, parameters=()):
    """Return a new ``typing.TypeAliasType``; a function as *value* is called when the value is asked for."""
    import typing

    if isinstance(value, types.FunctionType) and not parameters and name.isidentifier():
        namespace = {"__name__": module, "evaluate": value}
        exec("type made = evaluate()" if name == "evaluate" else "type %s = evaluate()" % name, namespace)
        return namespace[name]
    namespace = dict(__name__=module, make=typing.TypeAliasType, name=name, value=value, parameters=tuple(parameters))
    exec("made = make(name, value, type_params=parameters)", namespace)
    return namespace["made"]


def ufunc(numpy, function, nin, nout, *identity):
    """Return ``numpy.frompyfunc(function, nin, nout)``, with an *identity* if there is one."""
    return numpy.frompyfunc(function, nin, nout, **({"identity": identity[0]} if identity else {}))


_HIDDEN = {
    "async_generator_asend": lambda: type(_some_async_generator().asend(None)),
    "async_generator_athrow": lambda: type(_some_async_generator().athrow(ValueError)),
    "callable_iterator": lambda: type(iter(int, 1)),
    "coroutine_wrapper": lambda: (lambda it: (type(it.__await__()), it.close())[0])(_nothing()),
    "dict_reverseitemiterator": lambda: type(reversed({}.items())),
    "dict_reversekeyiterator": lambda: type(reversed({})),
    "dict_reversevalueiterator": lambda: type(reversed({}.values())),
    "arrayiterator": lambda: type(iter(__import__("array").array("b"))),
    "KeyWrapper": lambda: type(functools.cmp_to_key(lambda a, b: 0)),
    "PyCArrayType": lambda: type(__import__("ctypes").Array),
    "PyCFuncPtrType": lambda: type(__import__("ctypes")._CFuncPtr),
    "PyCPointerType": lambda: type(__import__("ctypes")._Pointer),
    "PyCSimpleType": lambda: type(__import__("ctypes")._SimpleCData),
    "PyCStructType": lambda: type(__import__("ctypes").Structure),
    "UnionType": lambda: type(__import__("ctypes").Union),
    "iterator": lambda: type(iter(type("Sequence", (), {"__getitem__": len})())),
    "memory_iterator": lambda: type(iter(memoryview(b""))),
    "str_iterator": lambda: type(iter("\u20ac")),
}
for _each in ("flags", "float_info", "hash_info", "int_info", "thread_info", "version_info"):
    _HIDDEN[_each] = functools.partial(lambda each: type(getattr(sys, each)), _each)
for _each in ("items", "keys", "values", "__iter__"):
    _HIDDEN["odict_" + _each.strip("_").replace("iter", "iterator")] = functools.partial(
        lambda each: type(getattr(__import__("collections").OrderedDict(), each)()), _each
    )


async def _some_async_generator():
    yield


async def _nothing():
    pass


def hidden_type(name):
    """Return the built-in type *name* that no module holds."""
    make = _HIDDEN.get(name)
    if make is None:
        raise UnpicklingError("there is no built-in type %r here" % name)
    return make()
