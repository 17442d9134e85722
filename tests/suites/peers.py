"""What the peers cloudpickle and dill have in common: their own tests run with capers in the place of their package.

A subject is a module with the peer's public names: the peer itself, copied under another name, is the measure, and
``capers.compat`` has the ones for capers.  A job is one file of the peer's tests.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import expected, parent, stand_in

HERE = Path(__file__).resolve().parent
SOURCES = Path("build", "peers")  # where dev.py unpacks source distributions; -- --sources names another folder


def installed(peer):
    """Return the folder of the installed package *peer*, or None."""
    spec = importlib.util.find_spec(peer)
    return Path(spec.origin).parent if spec and spec.origin else None


def prepared(peer, folder):
    """Put what stands for the *peer*, and the peer itself under its other name, into *folder*."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HERE / "aliases" / peer, folder / peer, ignore=ignore)
    shutil.copytree(HERE, folder / "suites", ignore=ignore)
    copy = folder / f"{peer}_{stand_in.ITSELF}"
    shutil.copytree(installed(peer), copy, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    if not (copy / f"{peer}.py").exists():
        # It imports its parts by their full names, and writes these into payloads.
        for file in copy.glob("*.py"):
            text = file.read_text(encoding="utf-8")
            file.write_text(re.sub(rf"\b{peer}\b", copy.name, text), encoding="utf-8")


def run(peer, job, subject, timeout, start):
    """Run one *job* with a subject; *start* gets the scratch folder and a function that runs a command there."""
    module = f"{peer}_{stand_in.ITSELF}" if subject == "pickle" else f"capers.compat.{peer}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared(peer, folder)
        env = {**os.environ, "PYTHONPATH": str(folder), "PYTHONFAULTHANDLER": "1", stand_in.SUBJECT: module}
        for variable in ("PYTHONHASHSEED", stand_in.PRIVATE):
            env.pop(variable, None)

        def command(*arguments, paths=(), **variables):
            env.update(variables)
            env["PYTHONPATH"] = os.pathsep.join([str(folder), *map(str, paths)])
            try:
                done = subprocess.run(
                    [sys.executable, *map(str, arguments)],
                    env=env,
                    cwd=folder,
                    timeout=timeout,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )
            except subprocess.TimeoutExpired as error:
                return None, (error.stdout or b"").decode(errors="replace")
            return done.returncode, done.stdout.decode(errors="replace")

        return judged(peer, job, subject, start(folder, command))


def judged(peer, job, subject, results):
    """Turn *results*, by test a kind and what was told, into an outcome: failures that are listed are no failures."""
    outcome = parent.Outcome()
    for name, (kind, told) in results.items():
        expectation = expected.expectation(peer, job, subject, name)
        if expectation and expectation.sometimes and kind == "passed":
            expectation = None
        if expectation and kind in ("passed", *parent.FAILURES):
            wrong = expected.unexpected(expectation, [], [told] if kind != "passed" else [])
            outcome.tests[name] = (
                parent.Result("failed", wrong) if wrong else parent.Result("listed", [expectation.reason])
            )
        else:
            outcome.tests[name] = parent.Result(kind, [told] if told else [])
    return outcome
