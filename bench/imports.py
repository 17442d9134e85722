"""The suite ``import``: what a program pays for importing capers, in fresh interpreters."""

import json
import subprocess
import sys

from .report import Bar, median, number

# Modules that a serialiser's import should not drag in: none is needed before there is something to serialise.
HEAVY = (
    "argparse ast asyncio concurrent.futures ctypes dataclasses decimal dis email hashlib http inspect json logging "
    "multiprocessing numpy pandas socket ssl subprocess tempfile threading tokenize traceback typing unittest urllib uuid"
).split()

PROBE = """
import sys, time
before = set(sys.modules)
begun = time.perf_counter()
{statement}
spent = time.perf_counter() - begun
added = sorted(set(sys.modules) - before)
import json
print(json.dumps([spent * 1000, added]))
"""


def once(statement):
    """Return the milliseconds that *statement* takes in a fresh interpreter, and the modules it adds."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE.format(statement=statement)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def run(options):
    """Measure in interleaved rounds; the first one, which writes .pyc files, does not count."""
    tool = options.tool
    rows = {
        f"import {tool}": f"import {tool}",
        f"import {tool}, first use": f"import {tool}; {tool}.loads({tool}.dumps(len))",
        "import cloudpickle": "import cloudpickle",
        "import cloudpickle, first use": "import cloudpickle; cloudpickle.loads(cloudpickle.dumps(len))",
        "import dill": "import dill",
        "import pickle": "import pickle",
    }
    spent = {name: [] for name in rows}
    added = {}
    for turn in range((options.rounds or 21) + 1):
        for name, statement in rows.items():
            milliseconds, added[name] = once(statement)
            if turn:
                spent[name].append(milliseconds)
    figures = {}
    print(f"  {'statement':<32} {'ms':>7} {'× cp':>6} {'modules':>8}   heavy ones among them")
    for name in rows:
        heavy = [module for module in HEAVY if module in added[name]]
        figures[name] = {"ms": median(spent[name]), "modules": len(added[name]), "heavy": heavy}
        ratio = figures[name]["ms"] / median(spent["import cloudpickle"])
        told = " ".join(heavy) or "none"
        print(f"  {name:<32} {number(figures[name]['ms']):>7} {number(ratio):>6} {len(added[name]):>8}   {told[:60]}")

    def share(ours, theirs):
        return figures[ours]["ms"] / figures[theirs]["ms"]

    bars = [
        Bar(f"import {tool} against import cloudpickle", share(f"import {tool}", "import cloudpickle"), at_most=0.4),
        Bar(
            "the same, with the first dumps and loads",
            share(f"import {tool}, first use", "import cloudpickle, first use"),
            at_most=0.4,
        ),
        Bar("heavy modules that it imports", len(figures[f"import {tool}"]["heavy"]), at_most=0, unit=""),
    ]
    return figures, bars
