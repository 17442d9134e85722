"""One process of the suite ``functions``: checks one case's payloads, then times every tool on it.

The case's script is ``__main__``; its last line runs this file with ``make`` defined.  Every payload is first loaded and
called in a fresh process (this file again), and only a tool that gave the right answer there is timed.
"""

import asyncio
import functools
import gc
import importlib
import itertools
import json
import subprocess
import sys
import time

SLICE = 0.004  # seconds that one timing should last at least
PATIENCE = 6.0  # seconds after which no further round is begun, once there are FEWEST
FEWEST = 5
COMPILING = 2.0  # seconds that may be spent on making functions never seen before


def answer(thing, call):
    """Return what *call* gives for *thing*, as text."""
    return repr(eval(call, {"f": thing, "run": asyncio.run}))


def arrives(loader, payload, call, right):
    """Return None if *payload* gives the answer *right* in a fresh process, else what went wrong."""
    start = "__import__('runpy').run_path(__import__('sys').argv[1], run_name='receiver')"
    done = subprocess.run(
        [sys.executable, "-I", "-c", start, __file__, loader, call], input=payload, capture_output=True, timeout=120
    )
    if done.returncode:
        return (done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    told = done.stdout.decode().strip().splitlines()[-1]
    return None if told == right else f"answers {told} instead of {right}"


def interleave(actions, rounds):
    """Time each of *actions*, pairs of a function and its argument, in turn; return the seconds per call of every round.

    What counts is processor time, so that other programs on the machine disturb little.
    """
    counts = {}
    for name, (function, argument) in actions.items():
        function(argument)
        begun = time.process_time()
        function(argument)
        counts[name] = max(1, round(SLICE / max(time.process_time() - begun, 1e-8)))
    spent = {name: [] for name in actions}
    start = time.process_time()
    for turn in range(rounds):
        if turn >= FEWEST and time.process_time() - start > PATIENCE:
            break
        gc.collect()
        gc.disable()
        for name, (function, argument) in actions.items():
            repeat = range(counts[name])
            begun = time.process_time()
            for _ in repeat:
                function(argument)
            spent[name].append((time.process_time() - begun) / counts[name])
        gc.enable()
    return spent


def makers(case):
    """Return two functions that make the case's object anew: one from known code objects, one from new ones.

    Code objects that look alike are equal, and cloudpickle keeps what it found out about a code object by equality; so
    code that shall be new begins on a line of its own, which makes it unlike all before.  ``serial`` tells scripts that
    call ``exec`` themselves; with known code they get an ``exec`` that compiles each text once.
    """
    serials = itertools.count(1)
    known = functools.cache(lambda source: compile(source, "script", "exec"))

    def make(code, world):
        exec(code, world)
        return eval(case["send"], world)

    def same_code():
        world = {"__name__": "__main__", "__builtins__": __builtins__}
        world["exec"] = lambda source: exec(known(source), world)
        return make(known(case["script"]), world)

    def new_code():
        world = {"__name__": "__main__", "__builtins__": __builtins__, "serial": next(serials)}
        return make(compile("\n" * world["serial"] + case["script"], "script", "exec"), world)

    return same_code, new_code


def each_once(make, dumpers, rounds):
    """Time the dumps of objects made a moment ago by *make*, each dumped once; each tool gets its own."""
    made = time.process_time()
    make()
    made = time.process_time() - made
    rounds = min(rounds, max(FEWEST, int(COMPILING / made / len(dumpers))))
    count = max(1, min(20, int(COMPILING / made / len(dumpers) / rounds)))
    spent = {name: [] for name in dumpers}
    for dumps in dumpers.values():
        dumps(make())
    for _ in range(rounds):
        for name, dumps in dumpers.items():
            things = [make() for _ in range(count)]
            gc.collect()
            gc.disable()
            begun = time.process_time()
            for thing in things:
                dumps(thing)
            spent[name].append((time.process_time() - begun) / count)
            gc.enable()
    return spent


def measure(make, case):
    """Return every figure of one case."""
    tool, rounds = case["tool"], case["rounds"]
    thing = make()
    right = answer(thing, case["call"])
    ours, cloudpickle, dill = (importlib.import_module(name) for name in (tool, "cloudpickle", "dill"))
    settings = {
        tool: (ours, ours.dumps),
        "cloudpickle": (cloudpickle, cloudpickle.dumps),
        "dill": (dill, dill.dumps),
        "dill-recurse": (dill, functools.partial(dill.dumps, recurse=True)),
    }
    figures = {"bytes": {}, "failed": {}}
    dumping, loading = {}, {}
    for name, (module, dumps) in settings.items():
        if name == "dill-recurse" and "dill" in dumping:
            continue
        try:
            payload = dumps(thing)
            wrong = arrives(module.__name__, payload, case["call"], right)
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            figures["failed"][name] = wrong
            continue
        figures["bytes"][name] = len(payload)
        dumping[name] = dumps, thing
        loading[name] = module.loads, payload
    if tool not in dumping:
        return figures
    figures["dumps"] = interleave(dumping, rounds)
    figures["loads"] = interleave(loading, rounds)
    dumpers = {name: dumping[name][0] for name in (tool, "cloudpickle") if name in dumping}
    same_code, new_code = makers(case)
    figures["new"] = each_once(same_code, dumpers, rounds)
    figures["first"] = each_once(new_code, dumpers, rounds)
    return figures


if __name__ == "measurer":
    print("\n" + json.dumps(measure(globals()["make"], json.loads(sys.stdin.read()))))
elif __name__ == "receiver":
    print("\n" + answer(importlib.import_module(sys.argv[2]).loads(sys.stdin.buffer.read()), sys.argv[3]))
