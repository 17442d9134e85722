"""The process that loads streams with one library: ``python -m differential.worker LIBRARY SEED COUNT FROM``.

For each stream it prints a line: its number, what came of it and which globals were asked for.  When it dies or hangs,
the stream after the last line is the culprit.
"""

import copyreg
import hashlib
import importlib
import io
import json
import os
import resource
import sys

from hostile import objects
from hostile.feeder import FORBIDDEN

from . import streams
from .describe import describe

LIMIT = 2 << 30


class Watch:
    """An audit hook that notes the globals asked for, and lets safe ones through only."""

    def __init__(self):
        self.names, self.on = [], False

    def __call__(self, event, args):
        if not self.on:
            return
        if event == "pickle.find_class":
            self.names.append([repr(each) for each in args])
            if tuple(args) not in objects.SAFE:
                raise PermissionError("not for this stream")
        if event.startswith(FORBIDDEN):
            raise PermissionError("not for any stream")


def doors(library):
    """Return the ways to load a stream with a library."""

    class Restricted(library.Unpickler):
        def find_class(self, module, name):
            if name == "missing":
                raise library.UnpicklingError("refused")
            return super().find_class(module, name)

        def persistent_load(self, pid):
            if pid == "raise":
                raise LookupError("no such object")
            return ("persistent", pid)

    def several(unpickler):
        got = [unpickler.load()]
        try:
            while len(got) < 4:
                got.append(unpickler.load())
        except MemoryError:
            raise
        except Exception as error:
            got.append(type(error))
        return got

    def buffers():
        return iter([b"read-only", bytearray(b"writable"), memoryview(b"view"), 5])

    load, loads = library.load, library.loads
    return [
        lambda data: loads(data),
        lambda data: loads(data),
        lambda data: loads(bytearray(data), buffers=buffers()),
        lambda data: loads(data, encoding="latin1", fix_imports=False),
        lambda data: loads(data, encoding="bytes"),
        lambda data: loads(data, encoding="ascii", errors="ignore"),
        lambda data: load(io.BytesIO(data)),
        lambda data: load(io.BytesIO(data), buffers=buffers(), encoding="utf-8", errors="surrogateescape"),
        lambda data: load(io.BufferedReader(io.BytesIO(data), 16)),
        lambda data: several(Restricted(io.BytesIO(data), buffers=buffers())),
        lambda data: several(Restricted(io.BytesIO(data), encoding="bytes", fix_imports=False)),
        lambda data: several(library.Unpickler(io.BytesIO(data))),
    ]


def outcome(load, data):
    """Return what loading gives: the kind and a text that is to be the same."""
    try:
        value = load(data)
    except MemoryError:
        return "memory", ""
    except RecursionError:
        return "error", "RecursionError"
    except BaseException as error:
        return "error", type(error).__name__
    text = describe(value)
    return "value", text if len(text) < 100 else text[:40] + hashlib.sha256(text.encode()).hexdigest()


def main(name, seed, count, start):
    """Load the streams of a seed."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    for code, target in ((1, "Plain"), (2, "missing"), (255, "pack"), (65535, "Maker"), (2**31 - 1, "fail")):
        copyreg.add_extension(objects.MODULE, target, code)
    watch = Watch()
    sys.addaudithook(watch)
    ways = doors(importlib.import_module(name))
    for way in ways:
        way(b"N.")  # what is made at the first use is made now
    out = os.fdopen(os.dup(1), "wb", 0)
    for number, (data, kind, choice) in enumerate(streams.streams(int(seed), int(count))):
        if number < int(start):
            continue
        copyreg._extension_cache.clear()
        watch.names, watch.on = [], True
        try:
            result = outcome(ways[choice % len(ways)], data)
        finally:
            watch.on = False
        out.write(
            json.dumps([number, *result, watch.names, kind, choice % len(ways), data.hex()[:400]]).encode() + b"\n"
        )
    out.write(b"done\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
