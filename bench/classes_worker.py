"""The processes of the suite ``classes``: one defines a class and dumps it, others receive it.

The case's script is ``__main__`` of the first; its last line runs this file with ``make`` defined.  Loading is measured where
the class has never been: in a process that gets one payload of each of many classes that differ in nothing but their
lines (*first*), and one payload many times (*again*).
"""

import functools
import gc
import importlib
import json
import pickle
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.functions_worker import each_once, interleave, makers

CLASSES = 60  # how many classes of a kind a receiver gets


def answer(obj, world, question):
    """Return what *question* gives, as text."""
    return repr(eval(question, {**world, "obj": obj, "C": obj}))


def receive(asked):
    """Start a receiver and return what it tells."""
    start = "__import__('runpy').run_path(__import__('sys').argv[1], run_name='receiver')"
    done = subprocess.run(
        [sys.executable, "-c", start, __file__], input=pickle.dumps(asked), capture_output=True, timeout=600
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        return {"failed": (lines or [f"exit code {done.returncode}"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def dumpers(tool):
    """Return the name, the module and the function that dumps of every tool."""
    dill = importlib.import_module("dill")
    found = {name: (name, importlib.import_module(name).dumps) for name in (tool, "cloudpickle")}
    found["dill"] = "dill", functools.partial(dill.dumps, recurse=True)
    return found


def measure(make, case):
    """Return every figure of one case."""
    tool, rounds = case["tool"], case["rounds"]
    imports = [name for name in ("dataclasses", "attr") if name in case["script"]]
    thing = make()
    right = answer(thing, {name: importlib.import_module(name) for name in imports}, case["question"])
    figures = {"bytes": {}, "failed": {}}
    dumping, sending = {}, {}
    _, new_code = makers(case)
    for name, (module, dumps) in dumpers(tool).items():
        try:
            payload = dumps(thing)
            told = receive({"check": (module, payload, imports, case["question"])})
            wrong = told.get("failed")
            if wrong is None and told["answer"] != right:
                wrong = f"answers {told['answer']} instead of {right}"
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            figures["failed"][name] = wrong
            continue
        figures["bytes"][name] = len(payload)
        dumping[name] = dumps, thing
    if tool not in dumping:
        return figures
    timed = whole if case["whole"] else interleave
    figures["dumps"] = timed(dumping, rounds)
    if not case["whole"]:
        figures["first"] = each_once(new_code, {name: dumps for name, (dumps, _) in dumping.items()}, rounds)
    for name, (dumps, _) in dumping.items():
        classes = 1 if case["whole"] else CLASSES
        sending[name] = dumpers(tool)[name][0], [dumps(thing)] + [dumps(new_code()) for _ in range(classes - 1)]
    told = receive({"time": sending, "rounds": rounds, "timed": timed.__name__})
    if "failed" in told:
        figures["failed"][tool] = told["failed"]
    return {**figures, **told}


def whole(actions, rounds):
    """Time each of *actions* in turn as `interleave` does, with garbage collection on: that is how programs load much data."""
    spent = {name: [] for name in actions}
    for turn in range(rounds + 1):
        for name, (function, argument) in actions.items():
            gc.collect()
            begun = time.process_time()
            last = function(argument)
            if turn:
                spent[name].append(time.process_time() - begun)
            del last
    return spent


def time_loads(sending, rounds, timed):
    """Load what each tool wrote, the tools taking turns; return seconds per load."""
    loaders = {name: importlib.import_module(module).loads for name, (module, _) in sending.items()}
    payloads = {name: each for name, (_, each) in sending.items()}
    kept = {name: loaders[name](each[0]) for name, each in payloads.items()}  # what is in use stays alive
    again = timed({name: (loaders[name], each[0]) for name, each in payloads.items()}, rounds)
    first = {name: [] for name in sending}
    some = max(1, min(10, (CLASSES - 1) // 5))
    for start in range(1, len(next(iter(payloads.values()))) - some + 1, some):
        for name, load in loaders.items():
            batch = payloads[name][start : start + some]
            gc.collect()
            gc.disable()
            begun = time.process_time()
            made = [load(each) for each in batch]
            first[name].append((time.process_time() - begun) / len(made))
            gc.enable()
    del kept
    return {"loads": again, "first loads": first}


def receiver():
    """Do what standard input asks for: check one payload, or time many."""
    asked = pickle.load(sys.stdin.buffer)
    if "check" in asked:
        module, payload, imports, question = asked["check"]
        obj = importlib.import_module(module).loads(payload)
        told = {"answer": answer(obj, {name: importlib.import_module(name) for name in imports}, question)}
    else:
        told = time_loads(asked["time"], asked["rounds"], globals()[asked["timed"]])
    print("\n" + json.dumps(told))


if __name__ == "receiver":
    receiver()
elif __name__ == "measurer":
    print("\n" + json.dumps(measure(make, json.load(sys.stdin))))
