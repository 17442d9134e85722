"""Runs jobs in processes of their own and judges what comes out."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from . import expected

HERE = Path(__file__).resolve().parent
# A job is begun anew after a crash or a hang; more often than this it is given up.
ATTEMPTS = 30


@dataclass
class Result:
    """What became of one test: passed, failed, skipped, listed, crashed or hung."""

    kind: str
    told: list = field(default_factory=list)


@dataclass
class Outcome:
    """What became of one job with one subject."""

    tests: dict = field(default_factory=dict)
    absent: bool = False

    def kinds(self):
        return [result.kind for result in self.tests.values()]

    def count(self, kind):
        return Counter(result.kind for result in self.tests.values())[kind]


def run(peer, job, subject, timeout, measure=None):
    """Run *job* with *subject*; *measure* is the outcome with `pickle`, where that is known already.

    What crashes or hangs with `pickle`, too, is not tried again.
    """
    known = measure.tests if measure else {}
    outcome = Outcome({name: result for name, result in known.items() if result.kind in ("crashed", "hung")})
    listed = {name: expected.expectation(peer, job, subject, name) for name in known}
    listed = {name: expectation for name, expectation in listed.items() if expectation}
    with tempfile.TemporaryDirectory() as folder:
        for attempt in range(ATTEMPTS):
            record = Path(folder, f"record-{attempt}")
            description = Path(folder, "job.json")
            description.write_text(
                json.dumps(
                    {
                        "peer": peer,
                        "job": job,
                        "subject": subject,
                        "done": list(outcome.tests),
                        "lifted": sorted(listed),
                    }
                ),
                encoding="utf-8",
            )
            ended, said = start(description, record, folder, timeout)
            rows = []
            if record.exists():
                rows = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
            if read(rows, outcome, listed.get, ended, said):
                return outcome
    outcome.tests["<job>"] = Result("failed", [f"given up after {ATTEMPTS} attempts"])
    return outcome


def start(description, record, folder, timeout):
    """Run one child; return how it ended and the end of what it printed."""
    env = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(HERE.parent), "PYTHONFAULTHANDLER": "1"}
    command = [sys.executable, "-m", "suites.child", description, record]
    output = Path(folder, "output")
    with open(output, "wb") as file:
        try:
            done = subprocess.run(
                command, env=env, cwd=folder, timeout=timeout, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
            ended = done.returncode
        except subprocess.TimeoutExpired:
            ended = None
    return ended, output.read_text(errors="replace")[-2000:]


def read(rows, outcome, expectation, ended, said):
    """Read the record of one child into *outcome*; return whether the job is over."""
    running = None
    for row in rows:
        match row:
            case ["absent"]:
                outcome.absent = True
                return True
            case ["begin", name]:
                running = name
            case ["end", name, what]:
                outcome.tests[name] = judge(what, expectation(name))
                running = None
            case ["done"]:
                return True
    if running is None:
        outcome.tests["<job>"] = Result("failed", [f"ended with {ended}", *said.strip().splitlines()[-3:]])
        return True
    kind = "hung" if ended is None else "crashed"
    outcome.tests[running] = Result(kind, [f"ended with {ended}", *said.strip().splitlines()[-8:]])
    return False


def judge(what, expectation):
    """Return the result of a test that ended."""
    if expectation:
        wrong = expected.unexpected(expectation, what["carried"], what["problems"])
        return Result("failed", wrong) if wrong else Result("listed", [expectation.reason])
    if what["problems"]:
        return Result("failed", what["problems"])
    if what["skips"]:
        return Result("skipped", sorted(set(what["skips"])))
    return Result("passed")


FAILURES = ("failed", "crashed", "hung")


def against(pickle, ours):
    """Compare *ours* with what `pickle` did; return the failures, and what fails with `pickle` too, by test."""
    bad, alike = {}, {}
    for name, result in ours.tests.items():
        measure = pickle.tests.get(name)
        if result.kind in FAILURES:
            where = alike if measure is not None and measure.kind in FAILURES else bad
            where[name] = result
        elif result.kind == "skipped" and (measure is None or measure.kind not in ("skipped", *FAILURES)):
            bad[name] = Result("failed", ["is skipped, and not with pickle: " + "; ".join(result.told)])
    for name in pickle.tests.keys() - ours.tests.keys():
        bad[name] = Result("failed", ["was not run"])
    return bad, alike
