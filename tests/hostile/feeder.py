"""The process that loads hostile streams: one category, one stream after the other.

``python -m hostile.feeder CATEGORY SEED FROM STRIDE`` loads every STRIDE-th stream from number FROM on through all
doors, under a limit on its memory that is set anew for each stream, and prints a line for each: its number, what the
doors gave, and ``!`` with a sentence where something is wrong.  When it dies or hangs, the stream after the last line is
the culprit; that is for the runner to see.
"""

import io
import json
import os
import pickle
import sys

import capers

from . import corpus, gallery, memory, objects, operands

ALLOWANCE = 64 << 20  # bytes, whatever the input
PER_BYTE = 8
DEFAULT = 256  # bytes of values that one byte of a small stream may build: an empty set takes 216
DEBUG = 3 if os.environ.get("PYTHONMALLOC") == "debug" else 1  # values are that much larger with the debug hooks

try:
    LAX_FRAMES = pickle.loads(pickle.PROTO + b"\4" + pickle.FRAME + b"\3" + bytes(7) + b"C\5hello.") == b"hello"
except pickle.UnpicklingError:
    LAX_FRAMES = False

# Calls that no stream of ours makes and no mutation may stumble into.
FORBIDDEN = (
    "os.",
    "subprocess.",
    "shutil.",
    "socket.",
    "ctypes.",
    "compile",
    "exec",
    "pty.",
    "winreg.",
    "ftplib.",
    "urllib.",
)


class Door:
    """An audit hook that lets streams find safe globals only."""

    def __init__(self):
        self.names = objects.SAFE
        self.armed = False

    def __call__(self, event, args):
        if not self.armed:
            return
        if event == "pickle.find_class" and tuple(args) not in self.names:
            raise PermissionError(f"not for this stream: {args}")
        if event.startswith(FORBIDDEN):
            raise PermissionError(f"not for any stream: {event}")


class Short:
    """A file without peek and readinto that returns at most a few bytes at a time."""

    def __init__(self, data):
        self.file = io.BytesIO(data)

    def read(self, n):
        return self.file.read(min(n, 7))

    def readline(self):
        return self.file.readline()


class Restricted(capers.Unpickler):
    """Overrides what can be overridden."""

    def find_class(self, module, name):
        if name == "missing":
            raise capers.UnpicklingError("refused")
        return super().find_class(module, name)

    def persistent_load(self, pid):
        if pid == "raise":
            raise LookupError("no such object")
        return ("persistent", pid)


def all_of(unpickler):
    """Load pickles until one fails, a few at most."""
    got = [unpickler.load()]
    while len(got) < 5:
        try:
            got.append(unpickler.load())
        except Exception:
            break
    return got


def out_of_band():
    """Buffers of several kinds, the last of which is none."""
    return iter([b"read-only", bytearray(b"writable"), memoryview(bytearray(6))[::2], 5])


DOORS = {
    "loads": lambda data: capers.loads(data),
    "loads, bytearray": lambda data: capers.loads(bytearray(data)),
    "load": lambda data: capers.load(io.BytesIO(data)),
    "load, short reads": lambda data: capers.load(Short(data)),
    "load, peek": lambda data: capers.load(io.BufferedReader(io.BytesIO(data), 16)),
    "Unpickler": lambda data: all_of(Restricted(io.BytesIO(data), buffers=out_of_band())),
    "Unpickler, bytes": lambda data: all_of(Restricted(io.BytesIO(data), encoding="bytes", fix_imports=False)),
}


LONG = 50_000  # bytes
SLOW = ("load, short reads", "Unpickler, bytes")  # not for long streams


def outcome(load, data):
    """Load *data*; return the name of what came out and a complaint or None."""
    try:
        load(data)
    except MemoryError as error:
        return "MemoryError", f"more memory than allowed: {error!r}"
    except BaseException as error:
        told = repr(error)
        if "internal error" in told or "Panic" in type(error).__name__:
            return type(error).__name__, f"a panic: {told}"
        if isinstance(error, SystemError) and not stock_raises(SystemError, data):
            return type(error).__name__, f"an error of the interpreter: {told}"
        return type(error).__name__, None
    return "a value", None


def stock_raises(kind, data):
    """Tell whether the C unpickler raises an error of this kind too."""
    try:
        pickle.Unpickler(io.BytesIO(data), buffers=out_of_band()).load()
    except kind:
        return True
    except Exception:
        return False
    return False


def feed(stream, door):
    """Load a stream through all doors; return what came out and the complaints."""
    door.names = objects.SAFE if stream.door == "safe" else objects.SAFE | shipped_names()
    built = DEFAULT * len(stream.data) if stream.built is None else stream.built
    allowed = ALLOWANCE + PER_BYTE * len(stream.data) + DEBUG * built
    seen, complaints = [], []
    doors = DOORS if len(stream.data) < LONG else {name: load for name, load in DOORS.items() if name not in SLOW}
    for name, load in doors.items():
        memory.leave(allowed)
        door.armed = True
        try:
            what, complaint = outcome(load, stream.data)
        finally:
            door.armed = False
            memory.limit(memory.HARD)
        seen.append(what)
        if complaint:
            complaints.append(f"{name}: {complaint}")
    # Where the bytes come from makes no difference, unless frames that lie are no error and the file has moved on.
    same = 2 if LAX_FRAMES and pickle.FRAME in stream.data else len(doors) - (2 if doors is DOORS else 1)
    if len(set(seen[:same])) > 1:
        complaints.append("the doors disagree: " + ", ".join(f"{name} {what}" for name, what in zip(doors, seen)))
    return seen, complaints


NAMES = None


def shipped_names():
    """The globals that the whole payloads of the gallery name, and no others."""
    global NAMES
    if NAMES is None:
        NAMES, recording = set(), [True]

        def record(event, args):
            if recording[0] and event == "pickle.find_class":
                NAMES.add(tuple(args))

        sys.addaudithook(record)
        for data in gallery.shipped():
            capers.loads(data)
        recording[0] = False
        NAMES.update(("capers._rebuild", name) for name in operands.constructors())
    return NAMES


def main(category, seed, start, stride):
    """Load the streams of a category."""
    import copyreg

    for code, name in ((1, "Plain"), (2, "missing"), (255, "pack"), (65535, "Maker"), (2**31 - 1, "fail")):
        copyreg.add_extension(objects.MODULE, name, code)
    shipped_names()
    door = Door()
    sys.addaudithook(door)
    sys.setrecursionlimit(1000)
    out = os.fdopen(os.dup(1), "wb", 0)
    for number, stream in enumerate(corpus.corpus(category, int(seed))):
        if number < int(start) or (number - int(start)) % int(stride):
            continue
        seen, complaints = feed(stream, door)
        line = [number, len(stream.data), seen, complaints, stream.data[:60].hex() if complaints else ""]
        out.write(json.dumps(line).encode() + b"\n")
    out.write(b"done\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
