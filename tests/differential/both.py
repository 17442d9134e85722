"""Dumps a graph with capers and with C pickle and compares bytes, errors and what the two load from either."""

import copyreg
import io
import pickle

import capers

from . import things
from .describe import describe

EXTENSION = 201


def kind_of(error):
    """Return the class that `pickle` knows an exception by: what capers refuses is a kind of its PicklingError."""
    if type(error).__name__ == "CannotPickleError":
        return "TypeError" if "cannot pickle" in str(error) else "PicklingError"
    return type(error).__name__


class Result:
    """What a library makes of a graph: bytes and buffers, or the class of an error."""

    def __init__(self, library, obj, protocol, how):
        self.buffers, self.error, self.data = [], None, None
        try:
            self.data = getattr(self, how)(library, obj, protocol)
        except Exception as error:
            self.error = kind_of(error)
            self.told = repr(error)

    def dumps(self, library, obj, protocol):
        """One pickle."""
        return library.dumps(obj, protocol)

    def old_names(self, library, obj, protocol):
        """One pickle without the names of Python 2."""
        return library.dumps(obj, protocol, fix_imports=False)

    def dump(self, library, obj, protocol):
        """One pickle into a file."""
        file = io.BytesIO()
        library.dump(obj, file, protocol)
        return file.getvalue()

    def buffered(self, library, obj, protocol):
        """One pickle with its buffers out of band."""
        return library.dumps(obj, protocol, buffer_callback=self.buffers.append if protocol == 5 else None)

    def several(self, library, obj, protocol):
        """Two pickles of one pickler, with a shared memo."""
        file = io.BytesIO()
        pickler = library.Pickler(file, protocol)
        pickler.dump(obj)
        pickler.dump([obj, "key", obj])
        return file.getvalue()

    def fast(self, library, obj, protocol):
        """One pickle without a memo."""
        file = io.BytesIO()
        pickler = library.Pickler(file, protocol)
        pickler.fast = 1
        pickler.dump(obj)
        return file.getvalue()

    def hooked(self, library, obj, protocol):
        """One pickle by a subclass with hooks."""

        class Hooked(library.Pickler):
            dispatch_table = {**copyreg.dispatch_table, things.Plain: lambda made: (things.rebuild, (vars(made),))}

            def persistent_id(self, made):
                return "id of %r" % made if type(made) is float else None

            def reducer_override(self, made):
                if type(made) is things.Taker:
                    return things.rebuild, (vars(made),)
                return NotImplemented

        file = io.BytesIO()
        Hooked(file, protocol).dump(obj)
        return file.getvalue()

    def load(self, library):
        """Load what was written."""

        class Un(library.Unpickler):
            def persistent_load(self, pid):
                return pid

        file = io.BytesIO(self.data)
        unpickler = Un(file, buffers=iter(self.buffers))
        got = [unpickler.load()]
        if file.tell() < len(self.data):
            got.append(unpickler.load())
        return got


HOWS = ["dumps", "dumps", "dumps", "old_names", "dump", "buffered", "several", "fast", "hooked"]


def loaded(result, library):
    """Return the description of what a library loads, or the class of its error."""
    try:
        return describe(result.load(library))
    except Exception as error:
        return f"error {type(error).__name__}"


def difference(obj, protocol, how):
    """Return None when the two do the same with an object, else a sentence."""
    theirs, ours = Result(pickle, obj, protocol, how), Result(capers, obj, protocol, how)
    if theirs.error or ours.error:
        if theirs.error == ours.error:
            return None
        return f"C gives {theirs.error or 'bytes'}, capers {ours.error or 'bytes'} {getattr(ours, 'told', getattr(theirs, 'told', ''))}"
    if theirs.data != ours.data:
        return f"other bytes: {theirs.data!r} and {ours.data!r}"
    views = [[bytes(buffer) for buffer in each.buffers] for each in (theirs, ours)]
    if views[0] != views[1]:
        return f"other buffers: {views}"
    texts = {
        (name, library.__name__): loaded(result, library)
        for name, result in (("C", theirs), ("capers", ours))
        for library in (pickle, capers)
    }
    if len(set(texts.values())) > 1:
        return f"loaded otherwise: {texts}"
    return None


def register():
    """Register the extension code of the graphs."""
    copyreg.add_extension(things.__name__, "Registered", EXTENSION)
