"""Sessions as dill has them: what a module holds goes to a file, and back into the module, here or in another process."""

import contextlib
import importlib
import io
import os
import sys
import tempfile
import types

import capers
from capers import UnpicklingError, _rebuild

# What belongs to the module of a process and not to what it holds.
_OWN = ("__builtins__", "__loader__", "__spec__", "__cached__", "__file__", "__path__")
_NOTES = ("__dill_imported", "__dill_imported_as", "__dill_imported_top_level")


def _file(filename, mode):
    """The file to use; it is closed at the end if it was opened here."""
    if hasattr(filename, "read") or hasattr(filename, "write"):
        return contextlib.nullcontext(filename)
    if filename is None:
        filename = os.path.join(tempfile.gettempdir(), "session.pkl")
    return open(filename, mode)


def dump(filename, module, refimported, protocol, reducers):
    """Write what *module*, an object or a name, holds."""
    if module is None:
        module = "__main__"
    if isinstance(module, str):
        module = importlib.import_module(module)
    if not isinstance(module, types.ModuleType):
        raise TypeError("expected a module or its name, not %r" % type(module).__name__)
    content = {name: value for name, value in vars(module).items() if name not in _OWN and name not in _NOTES}
    references = []
    if refimported:
        for name, value in [*content.items()]:
            found = _reference(module, name, value)
            if found is not None:
                references.append((*found, name))
                del content[name]
    name = module.__name__
    reduced = {**reducers, types.ModuleType: lambda each: _reduce(each, module, references, content)}
    by_value = [name] if sys.modules.get(name) is module and name != "__main__" else None
    with _file(filename, "wb") as file:
        capers.dump(module, file, protocol, by_value=by_value, globals="live", reducers=reduced)


def _reduce(each, module, references, content):
    if each is not module:
        return NotImplemented
    return restored, (module.__name__, references), content


def _reference(module, name, value):
    """Where else *value* is to be found: a module and the name of it there; atoms and modules need no such place."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, types.ModuleType)):
        return None
    if isinstance(value, (type, types.FunctionType)) and value.__module__ == module.__name__:
        return None
    for attribute in (name, getattr(value, "__qualname__", None), getattr(value, "_name", None)):
        stated = sys.modules.get(getattr(value, "__module__", None) or "")
        if isinstance(attribute, str) and stated is not module and getattr(stated, attribute, None) is value:
            return stated.__name__, attribute
    found = []
    for other_name, other in [*sys.modules.items()]:
        if not isinstance(other, types.ModuleType) or other is module or other_name == "__main__":
            continue
        found += [(other_name, attribute) for attribute, each in [*vars(other).items()] if each is value]
    # The module of the shortest name is the one that is meant to be used.
    return min(found, key=lambda each: (len(each[0]), each), default=None)


# The module that is filled by the load in progress, where it is not the one that the payload names.
_targets: list = []


def restored(name, references):
    """Return the module *name*, with the objects in it that other modules hold; the rest follows as its state."""
    if _targets:
        module = _targets[-1]
    elif name in sys.modules:
        module = sys.modules[name]
    else:
        module = types.ModuleType(name)
    for other, attribute, alias in references:
        setattr(module, alias, getattr(importlib.import_module(other), attribute))
    if references:
        module.__dill_imported = [each for each in references if each[1] == each[2]]
        module.__dill_imported_as = [each for each in references if each[1] != each[2]]
    return module


class _Reader(capers.Unpickler):
    """Reads a session into *module*, which stands for the module *name* meanwhile."""

    def __init__(self, file, name, module):
        super().__init__(file)
        self.name, self.module = name, module

    def find_class(self, module_name, global_name):
        if module_name == self.name and global_name == "__dict__":
            return vars(self.module)
        if module_name == "capers._rebuild" and global_name == "imported":
            return self.imported
        return super().find_class(module_name, global_name)

    def imported(self, name, *submodules):
        return self.module if name == self.name else _rebuild.imported(name, *submodules)


def _name_in(data):
    """The name of the module that a session is of: it comes first in the payload."""
    import pickletools

    texts = []
    for opcode, argument, _ in pickletools.genops(data):
        if isinstance(argument, str):
            texts += argument.split(" ") if opcode.name == "GLOBAL" else [argument]
        if len(texts) > 2:
            break
    if texts[:2] != [__name__, "restored"] or len(texts) < 3:
        raise UnpicklingError("this file holds no session: dump_module did not write it")
    return texts[2]


def _read(filename, choose):
    """Read a session into the module that *choose* gives for its name; return that and whether it was made for it."""
    with _file(filename, "rb") as file:
        data = file.read()
    name = _name_in(data)
    module, is_new = choose(name)
    _targets.append(module)
    try:
        _Reader(io.BytesIO(data), name, module).load()
    finally:
        _targets.pop()
    for note in _NOTES:
        vars(module).pop(note, None)
    return module, is_new


def load(filename, module):
    """Fill *module*, an object or a name, or the module that the session is of; return it if it was made for that."""

    def choose(name):
        if isinstance(module, types.ModuleType):
            if module.__name__ != name:
                raise ValueError("this is a session of the module %r, not of %r" % (name, module.__name__))
            return module, False
        if module is not None and module != name:
            raise ValueError("this is a session of the module %r, not of %r" % (name, module))
        if name in sys.modules:
            return sys.modules[name], False
        try:
            return importlib.import_module(name), False
        except ModuleNotFoundError:
            return types.ModuleType(name), True

    made, is_new = _read(filename, choose)
    return made if is_new else None


def load_as_dict(filename, update):
    """Return what a session holds as a dict, together with what its module holds now if *update*."""

    def choose(name):
        module = types.ModuleType(name)
        if update and name in sys.modules:
            vars(module).update(vars(sys.modules[name]))
        return module, True

    return dict(vars(_read(filename, choose)[0]))
