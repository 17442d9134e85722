"""The public names of dill 0.4 for pickling: ``from capers.compat import dill``.

``dump``, ``dumps``, ``load``, ``loads``, ``copy``, ``pickles``, ``check``, ``Pickler``, ``Unpickler``, ``register``, ``settings``,
the file modes and the sessions (``dump_module`` and what belongs to it).  As with dill, a class that travels by value is a new
class wherever it arrives, a file is opened again as ``fmode`` says, and an instance of a class of ``__main__`` takes the
receiver's class of that name, unless ``ignore`` says not to.  Other than with dill, ``recurse`` is on unless it is switched
off: functions bring along the globals they use, so that they run in another process.

What helps to look into objects and sources (``dill.detect``, ``dill.source``, ``dill.temp``) is not here.  Payloads are those
of capers; open files and sessions also name this module.  Payloads of dill itself load where dill is installed, too.
"""

import contextlib
import io
import itertools
import operator
import pickle as _pickle
import sys
import warnings

import capers
from capers import HIGHEST_PROTOCOL, PickleError, PicklingError, UnpicklingError, _rebuild

from . import _dill_files, _dill_session

__version__ = "0.4.1"  # whose names these are

__all__ = [
    "CONTENTS_FMODE",
    "DEFAULT_PROTOCOL",
    "FILE_FMODE",
    "HANDLE_FMODE",
    "HIGHEST_PROTOCOL",
    "PickleError",
    "PickleWarning",
    "Pickler",
    "PicklingError",
    "PicklingWarning",
    "Unpickler",
    "UnpicklingError",
    "UnpicklingWarning",
    "check",
    "copy",
    "dump",
    "dump_module",
    "dump_session",
    "dumps",
    "load",
    "load_module",
    "load_module_asdict",
    "load_session",
    "loads",
    "pickle",
    "pickles",
    "register",
    "settings",
]

DEFAULT_PROTOCOL = _pickle.DEFAULT_PROTOCOL
HANDLE_FMODE, CONTENTS_FMODE, FILE_FMODE = 0, 1, 2

settings = {"protocol": DEFAULT_PROTOCOL, "byref": False, "fmode": HANDLE_FMODE, "recurse": True, "ignore": False}


class PickleWarning(Warning, PickleError):
    """What may not come back as it was."""


class PicklingWarning(PickleWarning, PicklingError):
    """An object is written in a way that may not be read back."""


class UnpicklingWarning(PickleWarning, UnpicklingError):
    """An object is read in a way that may not be right."""


def _setting(name, given):
    return settings[name] if given is None else given


def _refuse(keywords, known=()):
    for name in keywords:
        if name not in known:
            raise TypeError(
                "capers.compat.dill has no keyword %r: it takes protocol, byref, fmode, recurse and ignore" % name
            )


# ------------------------------------------------------------------ the way out


def _choices(fmode, recurse):
    return {
        "globals": "copy" if _setting("recurse", recurse) else "live",
        "reducers": _dill_files.reducers(_setting("fmode", fmode)),
    }


class Pickler(capers.Pickler):
    """A pickler that writes to *file*.

    With *byref*, classes of ``__main__`` travel by name, with a warning.  *fmode* is one of the file modes.  With *recurse*
    functions bring along the globals that they use; without, they find those of the module they arrive in.
    """

    settings = settings

    def __init__(self, file, protocol=None, *, byref=None, fmode=None, recurse=None, **keywords):
        _refuse(keywords, ("strictio",))
        self._byref = _setting("byref", byref)
        protocol = settings["protocol"] if protocol is None else protocol
        super().__init__(file, protocol, **_choices(fmode, recurse))

    def reducer_override(self, obj):
        if self._byref and isinstance(obj, type) and obj.__module__ == "__main__":
            warnings.warn("cannot locate reference to %r" % obj, PicklingWarning, stacklevel=2)
            return operator.attrgetter(obj.__qualname__), (sys.modules["__main__"],)
        return NotImplemented


def dump(obj, file, protocol=None, byref=None, fmode=None, recurse=None, **keywords):
    """Write a pickle of *obj* to the open *file*; the arguments are those of :class:`Pickler`."""
    Pickler(file, protocol, byref=byref, fmode=fmode, recurse=recurse, **keywords).dump(obj)


def dumps(obj, protocol=None, byref=None, fmode=None, recurse=None, **keywords):
    """Return the bytes of a pickle of *obj*; the arguments are those of :class:`Pickler`."""
    if _setting("byref", byref):
        file = io.BytesIO()
        dump(obj, file, protocol, byref, fmode, recurse, **keywords)
        return file.getvalue()
    _refuse(keywords, ("strictio",))
    return capers.dumps(obj, settings["protocol"] if protocol is None else protocol, **_choices(fmode, recurse))


class _Recorder:
    """What a function given to ``register`` gets in the place of the pickler: it notes the one reduction."""

    def __init__(self):
        self.reduction = None

    def save_reduce(self, func, args, state=None, listitems=None, dictitems=None, state_setter=None, *, obj=None):
        self.reduction = (func, args, state, listitems, dictitems, state_setter)

    def __getattr__(self, name):
        raise AttributeError("a function given to register can call save_reduce of its pickler and nothing else")


def register(cls):
    """Return a decorator for a function ``f(pickler, obj)`` that calls ``pickler.save_reduce`` for instances of *cls*."""

    def decorate(function):
        def reduce(obj):
            recorder = _Recorder()
            function(recorder, obj)
            if recorder.reduction is None:
                raise PicklingError("the function registered for %r did not call save_reduce" % cls)
            return recorder.reduction

        capers.register_reducer(cls, reduce)
        return function

    return decorate


def pickle(cls, function):
    """Let *function* say how instances of *cls* travel, as :func:`register` does."""
    register(cls)(function)


# ------------------------------------------------------------------ the way in

_loads = itertools.count(1)


class Unpickler(capers.Unpickler):
    """An unpickler that reads from *file*; with *ignore*, instances of classes of ``__main__`` keep the class they bring."""

    settings = settings

    def __init__(self, file, *, ignore=None, **keywords):
        self._ignore = _setting("ignore", ignore)
        self._mark = None
        super().__init__(file, **{name: value for name, value in keywords.items() if name != "main"})

    def find_class(self, module_name, global_name):
        if module_name == "capers._rebuild" and global_name == "class_":
            return self._new_class
        return super().find_class(module_name, global_name)

    def _new_class(self, key, metaclass, name, bases, namespace, *rest):
        """Make a class that is no other one, but for a namedtuple that is still at home here."""
        known = _rebuild._classes.get(key)
        if known is not None and "_fields" in namespace and _is_at_home(known):
            return known
        if self._mark is None:
            self._mark = "~%d" % next(_loads)
        return _rebuild.class_(key + self._mark, metaclass, name, bases, namespace, *rest)

    def load(self):
        """Read one object."""
        self._mark = None
        made = super().load()
        if type(made).__module__ == "__main__" and not self._ignore:
            own = getattr(sys.modules["__main__"], type(made).__name__, None)
            if isinstance(own, type) and own is not type(made):
                # Where the layouts differ, the object keeps the class it came with.
                with contextlib.suppress(TypeError, AttributeError):
                    made.__class__ = own
        return made


def _is_at_home(cls):
    at = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        at = getattr(at, part, None)
    return at is cls


def load(file, ignore=None, **keywords):
    """Read one object from the open *file*; the arguments are those of :class:`Unpickler`."""
    return Unpickler(file, ignore=ignore, **keywords).load()


def loads(data, ignore=None, **keywords):
    """Return the object that the bytes *data* hold; the arguments are those of :class:`Unpickler`."""
    return load(io.BytesIO(data), ignore, **keywords)


def copy(obj, *args, **keywords):
    """Return ``loads(dumps(obj))``; the keyword *ignore* is for ``loads``, the others are for ``dumps``."""
    ignore = keywords.pop("ignore", None)
    return loads(dumps(obj, *args, **keywords), ignore=ignore)


def pickles(obj, exact=False, safe=False, **keywords):
    """Whether a copy of *obj* is equal to it or, unless *exact*, at least of its type; *safe* lets no warning through."""
    expected = (
        (Exception,) if safe else (TypeError, AssertionError, PicklingError, UnpicklingError, NotImplementedError)
    )
    try:
        made = copy(obj, **keywords)
        same = made == obj
        if hasattr(same, "all"):
            same = same.all()
        # The class of the copy may be a new one.
        return bool(same) or not exact and repr(type(made)) == repr(type(obj))
    except expected:
        return False


def check(obj, *args, **keywords):
    """Whether another process can load a pickle of *obj*; what goes wrong there is printed.

    Keywords: *python*, the interpreter to ask; *verbose*; the others are for ``dumps``.
    """
    import subprocess

    python = keywords.pop("python", None) or sys.executable
    verbose = keywords.pop("verbose", False)
    ignore = keywords.pop("ignore", None)
    data = dumps(obj, *args, **keywords)
    program = "import sys; from capers.compat import dill; dill.load(sys.stdin.buffer, ignore=%r)" % ignore
    ended = subprocess.run([python, "-c", program], input=data, capture_output=True)
    if verbose or ended.returncode:
        print(ended.stderr.decode(errors="replace") if ended.returncode else "loaded by %s" % python)
    return ended.returncode == 0


# ------------------------------------------------------------------ sessions


def dump_module(filename=None, module=None, refimported=False, **keywords):
    """Write what the module (by default ``__main__``) holds to a file.

    With *refimported*, objects that another module holds travel by name.
    """
    _refuse(keywords, ("protocol", "byref", "fmode", "recurse"))
    protocol = settings["protocol"] if keywords.get("protocol") is None else keywords["protocol"]
    reducers = _dill_files.reducers(_setting("fmode", keywords.get("fmode")))
    _dill_session.dump(filename, module, refimported, protocol, reducers)


def load_module(filename=None, module=None, **keywords):
    """Fill a module from a file that ``dump_module`` wrote: the one of that name, or *module*.

    Returns the module if it was made for the occasion.
    """
    _refuse(keywords, ("ignore",))
    return _dill_session.load(filename, module)


def load_module_asdict(filename=None, update=False, **keywords):
    """Return what a file that ``dump_module`` wrote holds, as a dict; with *update* together with what the module holds now."""
    _refuse(keywords, ("ignore",))
    return _dill_session.load_as_dict(filename, update)


dump_session, load_session = dump_module, load_module


def __getattr__(name):
    if name in ("detect", "source", "temp", "session", "logger", "objects", "load_types", "extend", "types"):
        raise AttributeError(
            "capers.compat.dill has no %r: it has the names of dill that write and read objects" % name
        )
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
