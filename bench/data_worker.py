"""One process of the suite ``data``: checks what every tool makes of one workload, then times them in turn.

A tool counts only if what it wrote arrives as it was, in a fresh process too, and, for plain data, is byte for byte what
`pickle` writes.  What counts is processor time; garbage collection stays on, as programs have it.
"""

import gc
import importlib
import json
import pickle
import subprocess
import sys
import time
from pathlib import Path

SLICE = 0.02  # seconds that one timing should last at least
PATIENCE = 5.0  # seconds after which no further round is begun, once there are FEWEST
FEWEST = 5


def same(one, other):
    """Return whether two workloads are equal in type and value."""
    if type(one) is not type(other):
        return False
    if type(one).__module__.startswith("numpy"):
        return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())
    if type(one).__module__.startswith("pandas"):
        return one.equals(other) and list(one.dtypes) == list(other.dtypes)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "__slots__") and not hasattr(one, "__dict__"):
        return (
            type(one).__eq__ is not object.__eq__
            and one == other
            or [getattr(one, name, None) for name in one.__slots__]
            == [getattr(other, name, None) for name in other.__slots__]
        )
    if type(one).__eq__ is object.__eq__:
        return one is other or vars(one) == vars(other)
    return one == other


def arrives(module, payload, name):
    """Return None if *payload* is the workload *name* in a fresh process, else what went wrong."""
    done = subprocess.run([sys.executable, "-m", "bench.data_worker", module, name], input=payload, capture_output=True)
    if done.returncode:
        return (done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return None


def interleave(actions, rounds):
    """Time each of *actions*, pairs of a function and its argument, in turn; return the seconds per call of every round."""
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
        for name, (function, argument) in actions.items():
            gc.collect()
            repeat = range(counts[name])
            begun = time.process_time()
            for _ in repeat:
                last = function(argument)
            spent[name].append((time.process_time() - begun) / counts[name])
            del last
    return spent


def measure(asked):
    """Return every figure of one workload."""
    from bench.data_cases import CASES

    case = CASES[asked["case"]]
    thing = case.make()
    figures = {"bytes": {}, "failed": {}}
    dumping, loading = {}, {}
    for name in (asked["tool"], "pickle", "cloudpickle"):
        module = importlib.import_module(name)

        def dumps(thing, dumps=module.dumps):
            return dumps(thing, 5)

        try:
            payload = dumps(thing)
            wrong = arrives(name, payload, case.name)
            if case.plain and payload != pickle.dumps(thing, 5):
                wrong = "its bytes are not those of pickle"
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            figures["failed"][name] = wrong
            continue
        figures["bytes"][name] = len(payload)
        dumping[name] = dumps, thing
        loading[name] = module.loads, payload
    del payload
    figures["dumps"] = interleave(dumping, asked["rounds"])
    del thing
    dumping.clear()
    figures["loads"] = interleave(loading, asked["rounds"])
    return figures


def main():
    """Measure what standard input asks for, or receive a payload of *module* and compare it with the workload."""
    if len(sys.argv) == 3:
        from bench.data_cases import CASES

        arrived = importlib.import_module(sys.argv[1]).loads(sys.stdin.buffer.read())
        sys.exit(None if same(CASES[sys.argv[2]].make(), arrived) else "what arrives is not what was sent")
    print("\n" + json.dumps(measure(json.load(sys.stdin))))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    main()
