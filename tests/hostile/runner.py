"""Watches over the processes that load hostile streams, and charges their deaths to the stream they died of."""

import json
import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds without a sign of life; the slowest stream takes two on a busy machine


@dataclass
class Report:
    """What a category of streams came to."""

    category: str
    streams: int = 0
    input: int = 0
    outcomes: dict = field(default_factory=dict)  # what came out of how many loads
    complaints: list = field(default_factory=list)  # (number, sentence, beginning of the stream in hex)

    def count(self, outcome):
        """Count one load."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def environment(**more):
    """The environment of a child: the same hashes each time, and the helpers of the suite to import."""
    path = os.pathsep.join([str(TESTS), str(TESTS / "library"), *filter(None, [os.environ.get("PYTHONPATH")])])
    fixed = {"PYTHONHASHSEED": "0", "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, **fixed, **more}


def lines_of(command, env, patience=PATIENCE):
    """Run *command*; yield the lines it prints, then (exit code, what it said on stderr); kill it when it is silent."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=TESTS)
    arrived = queue.Queue()
    said = []

    def pump():
        for line in process.stdout:
            arrived.put(line)
        arrived.put(None)

    threads = [threading.Thread(target=pump, daemon=True)]
    threads.append(threading.Thread(target=lambda: said.append(process.stderr.read()), daemon=True))
    for thread in threads:
        thread.start()
    hung = False
    while True:
        try:
            line = arrived.get(timeout=patience)
        except queue.Empty:
            hung = True
            process.kill()
            break
        if line is None:
            break
        yield line
    code = process.wait()
    for thread in threads:
        thread.join()
    yield ("hung" if hung else code, b"".join(said).decode(errors="replace"))


def feed(category, seed=0, stride=1, offset=0, python=sys.executable, patience=PATIENCE, **env):
    """Load every *stride*-th stream of a category, whatever happens to the processes that do; return the report."""
    report = Report(category)
    start, done = offset, False
    while not done:
        command = [python, "-m", "hostile.feeder", category, str(seed), str(start), str(stride)]
        for line in lines_of(command, environment(**env), patience):
            if isinstance(line, tuple):
                code, said = line
                break
            if line == b"done\n":
                done = True
                continue
            number, length, seen, complaints, beginning = json.loads(line)
            start = number + stride
            report.streams += 1
            report.input += length
            for each in seen:
                report.count(each)
            report.complaints += [(number, complaint, beginning) for complaint in complaints]
        if "panicked at" in said:
            report.complaints.append((start - stride, "a panic was printed: " + said[-500:], ""))
        if not done or code != 0:
            if not done and code == 0:
                raise AssertionError("the feeder ended without an end: " + said[-2000:])
            if code == 1 and "Traceback" in said and "Fatal" not in said:
                raise AssertionError("the feeder itself failed:\n" + said[-3000:])
            what = "no end" if code == "hung" else f"death by signal {-code}" if code < 0 else f"exit code {code}"
            report.complaints.append(
                (start, f"{what}: {said[-700:]}" if said else what, beginning_of(category, seed, start))
            )
            report.streams += 1
            report.count(what)
            start += stride
            if len(report.complaints) > 200:
                break
    return report


def beginning_of(category, seed, number):
    """Return the first bytes of a stream in hex."""
    program = (
        "import sys, itertools; from hostile import corpus;"
        f"print(next(itertools.islice(corpus.corpus({category!r}, {seed}), {number}, None)).data[:60].hex())"
    )
    done = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True, cwd=TESTS)
    return done.stdout.strip()
