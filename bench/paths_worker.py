"""One process of the suite ``paths``: dumps each case so many times, between two calls of ``os.getloadavg`` that callgrind
sees."""

import functools
import gc
import json
import os
import sys
import types

import capers


def counted(dumps, things):
    """Dump all *things*, and nothing else between the two marks but the loop."""
    os.getloadavg()
    for thing in things:
        dumps(thing)
    os.getloadavg()


class Table(dict):
    """A table of reducers that has none: what is dumped with it is walked each time."""


def hooked(thing):
    """Dump with a hook, so that no payload is kept."""
    return capers.dumps(thing, reducers={Table: id})


def main():
    """Dump every case in a namespace that is that of the script."""
    cases = json.load(sys.stdin)
    gc.disable()
    for script, send, count in cases:
        known = functools.cache(lambda source: compile(source, "script", "exec"))

        def make(script=script, send=send, known=known):
            world = {"__name__": "__main__", "__builtins__": __builtins__}
            world["exec"] = lambda source: exec(known(source), world)
            exec(known(script), world)
            return eval(send, world)

        thing = make()
        for dumps in (capers.dumps, hooked):
            dumps(thing)
        new = [make() for _ in range(count)]
        counted(capers.dumps, [thing] * count)
        counted(capers.dumps, new)
        counted(hooked, [thing] * count)
        gc.collect()


if __name__ == "__main__":
    sys.modules["__main__"] = types.ModuleType("__main__")
    main()
