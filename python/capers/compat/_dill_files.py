"""Open files as dill carries them: by name alone, with their position, or with what is in them."""

import functools
import io
import os
import tempfile

from capers import PicklingError

HANDLE, CONTENTS, FILE = range(3)
_STANDARD = (0, 1, 2)


def reducers(mode):
    """Return the reducers for open files in the file mode *mode*."""
    if mode not in (HANDLE, CONTENTS, FILE):
        raise ValueError("fmode must be HANDLE_FMODE, CONTENTS_FMODE or FILE_FMODE, not %r" % (mode,))
    reduce = functools.partial(_reduce, mode)
    kinds = (io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.BufferedRandom, io.FileIO)
    return dict.fromkeys(kinds, reduce)


def _reduce(kind, file):
    """Describe an open file; files without a name, closed ones and the standard streams are left to capers."""
    if file.closed or not isinstance(getattr(file, "name", None), str) or _is_standard(file):
        return NotImplemented
    if not isinstance(getattr(file, "mode", None), str):
        return NotImplemented
    if file.writable():
        file.flush()
    content = None
    if kind == FILE:
        try:
            with open(file.name, "rb") as again:
                content = again.read()
        except OSError as error:
            raise PicklingError("cannot pickle the file %r: its content cannot be read" % file.name) from error
    text = (file.encoding, file.errors) if isinstance(file, io.TextIOWrapper) else None
    buffering = 0 if isinstance(file, io.FileIO) else -1
    return opened, (file.name, file.mode, kind, file.tell(), content, text, buffering)


def _is_standard(file):
    try:
        return file.fileno() in _STANDARD
    except OSError:
        return False


def opened(name, mode, kind, position, content=None, text=None, buffering=-1):
    """Open the file *name* again.

    In HANDLE mode as it was first opened: written anew, and read from the beginning.  In CONTENTS mode it keeps what is in it
    there, and *position* as far as the file goes; in FILE mode it has *content* and *position*.  What is not there is
    empty.
    """
    encoding, errors = text or (None, None)
    again = functools.partial(open, mode=mode, buffering=buffering, encoding=encoding, errors=errors)
    writes = any(each in mode for each in "wxa+")
    if kind == FILE and writes:
        with open(name, "wb") as file:
            file.write(content)
    if kind == FILE and not writes or not writes and not os.path.exists(name):
        made = again(name, opener=functools.partial(_temporary, content or b""))
    elif kind == HANDLE:
        made = again(name)
    else:
        made = again(name, opener=_kept)
        if "w" in mode or "x" in mode or "+" in mode:
            position = min(position, os.path.getsize(name))
    if kind == HANDLE:
        return made
    size = os.fstat(made.fileno()).st_size
    made.seek(min(position, size))
    return made


def _kept(path, flags):
    return os.open(path, flags & ~os.O_TRUNC & ~os.O_EXCL | os.O_CREAT, 0o666)


def _temporary(content, _path, _flags):
    # Buffered, since the write of a raw file may take a part of very large content only.
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        return os.dup(file.fileno())
