"""The public names of cloudpickle 3: ``from capers.compat import cloudpickle``.

What cloudpickle promises about what arrives is kept: functions bring along the globals they use, those of importable
modules too; of a text file open for reading the content travels, and arrives as an ``io.StringIO``.  Other files, which
capers would open again where they arrive, are refused as cloudpickle refuses them.

Payloads are those of capers: a standard pickle that is loaded where capers is installed.  Payloads of cloudpickle itself load
with ``load`` and ``loads`` wherever cloudpickle is installed, too.
"""

import collections
import copyreg
import io
import sys
import types

import capers
from capers import HIGHEST_PROTOCOL, PicklingError, list_registry_pickle_by_value, load, loads

__version__ = "3.1.2"  # whose names these are

__all__ = [
    "DEFAULT_PROTOCOL",
    "CloudPickler",
    "Pickler",
    "__version__",
    "dump",
    "dumps",
    "list_registry_pickle_by_value",
    "load",
    "loads",
    "register_pickle_by_value",
    "unregister_pickle_by_value",
]

DEFAULT_PROTOCOL = HIGHEST_PROTOCOL


def _name_of(module):
    # Whoever depends on these refusals looks for cloudpickle's words.
    if not isinstance(module, types.ModuleType):
        raise ValueError("Input should be a module object, got %s instead" % (module,))
    return module.__name__


def register_pickle_by_value(module):
    """Let functions and classes of *module*, a module object that is loaded, travel by value."""
    if _name_of(module) not in sys.modules:
        raise ValueError("%s was not imported correctly, have you used an `import` statement to access it?" % (module,))
    capers.register_pickle_by_value(module)


def unregister_pickle_by_value(module):
    """Take back ``register_pickle_by_value(module)``."""
    if _name_of(module) not in list_registry_pickle_by_value():
        raise ValueError("%s is not registered for pickle by value" % (module,))
    capers.unregister_pickle_by_value(module)


def _reduce_text_file(file):
    """Describe a text file by its content and position."""
    if file is sys.stdout or file is sys.stderr:
        return NotImplemented
    name = getattr(file, "name", None)
    if file is sys.stdin:
        raise PicklingError("cannot pickle the standard input: Cannot pickle files that map to tty objects")
    if file.closed:
        raise PicklingError("cannot pickle a file that is closed: Cannot pickle closed files")
    if not isinstance(name, str):
        raise PicklingError(
            "cannot pickle a file without a name: Cannot pickle files that do not map to an actual file"
        )
    if not file.readable():
        raise PicklingError("cannot pickle the file %r: it is not open for reading" % name)
    if file.isatty() or not file.seekable():
        raise PicklingError("cannot pickle the file %r: it is a terminal or a pipe" % name)
    position = file.tell()
    try:
        file.seek(0)
        content = file.read()
    finally:
        file.seek(position)
    made = io.StringIO(content)
    # The position of a text file counts bytes, and may carry the state of a decoder; that of a StringIO counts characters.
    made.seek(len(content) - len(file.read()))
    file.seek(position)
    return (io.StringIO, (), made.__getstate__())


_CHOICES = {"globals": "copy", "reducers": {io.TextIOWrapper: _reduce_text_file}}


def dumps(obj, protocol=None, buffer_callback=None):
    """Return the bytes of a pickle of *obj*; the arguments are those of :func:`pickle.dumps`."""
    return capers.dumps(obj, protocol, buffer_callback=buffer_callback, **_CHOICES)


def dump(obj, file, protocol=None, buffer_callback=None):
    """Write a pickle of *obj* to the open *file*; the arguments are those of :func:`pickle.dump`."""
    capers.dump(obj, file, protocol, buffer_callback=buffer_callback, **_CHOICES)


class _Overridable:
    """A method that derived classes may override and call by ``super()``; while nobody does, there is none to call."""

    def __get__(self, pickler, cls):
        if pickler is None:
            return _leave
        first = next(each for each in type(pickler).__mro__ if "reducer_override" in each.__dict__)
        if first.__dict__["reducer_override"] is self:
            raise AttributeError("no class derived from CloudPickler has a reducer_override")
        return types.MethodType(_leave, pickler)


def _leave(self, obj):
    """Leave *obj* to the tables and to capers."""
    return NotImplemented


class CloudPickler(capers.Pickler):
    """A pickler that writes to *file*; derived classes may override ``reducer_override`` and ``persistent_id``.

    ``dispatch_table`` (also called ``dispatch``) maps types to reducers, for all picklers of the class.
    """

    dispatch_table = collections.ChainMap({}, copyreg.dispatch_table)
    dispatch = dispatch_table
    reducer_override = _Overridable()

    def __init__(self, file, protocol=None, buffer_callback=None):
        super().__init__(file, protocol, buffer_callback=buffer_callback, **_CHOICES)


Pickler = CloudPickler
