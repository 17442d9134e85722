"""The suite ``paths``: what it costs a dump that succeeds that a failing one could tell the way to the culprit.

The way is read off the work stack when an error is on its way out.  What the dumper keeps for that alone is the key of the
dict entry that it is in; and it looks whether ``explain`` keeps an account of the dump.  A build with the feature
``without-paths`` does neither and never reads the stack.  Both are built here, with the same settings, and run under
callgrind, which counts instructions: dumps of each case of the suite ``functions``, of one object again and again and of
objects made a moment ago, by ``dumps`` with a pickler's hooks in the way as well, so that no kept payload is given out.

It takes valgrind and cargo, and some minutes.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from .child import ROOT
from .function_cases import CASES
from .report import Bar, geometric_mean, number

WORKER = Path(__file__).with_name("paths_worker.py")
COUNT = 40  # dumps of each kind that are counted
BAR = 1  # percent of instructions that paths may cost, of any row
KINDS = ("again", "new", "hooked")


def build(folder, *features):
    """Build the extension with *features*; return a folder to import capers from."""
    target = ROOT / "target" / "paths"
    variables = {**os.environ, "PYO3_PYTHON": sys.executable}
    command = ["cargo", "build", "--release", "--quiet", "--package", "capers-py", "--target-dir", target, *features]
    subprocess.run(command, cwd=ROOT, env=variables, check=True)
    package = folder / "capers"
    shutil.copytree(ROOT / "python" / "capers", package, ignore=shutil.ignore_patterns("_core*.so", "__pycache__"))
    shutil.copy(target / "release" / "lib_core.so", package / f"_core{sysconfig.get_config_var('EXT_SUFFIX')}")
    return folder


def instructions(place, cases, count):
    """Return the instructions of *count* dumps of each kind of each of *cases*, by the capers in *place*."""
    with tempfile.TemporaryDirectory(prefix="paths-") as folder:
        variables = {**os.environ, "PYTHONPATH": str(place), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        # The worker calls this function of the C library between what is counted.
        marks = ["--dump-before=getloadavg", f"--callgrind-out-file={folder}/out"]
        command = ["valgrind", "--tool=callgrind", *marks, sys.executable, "-P", WORKER]
        asked = json.dumps([[case.script, case.send, count] for case in cases])
        done = subprocess.run(command, env=variables, input=asked, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"callgrind failed: {done.stderr[-2000:]}")
        # The first part is what comes before the first mark; the last, what comes after the last.
        parts = sorted(Path(folder).glob("out.*"), key=lambda path: int(path.suffix[1:]))
        totals = [int(re.search(r"^(?:totals|summary): (\d+)", part.read_text(), re.M)[1]) for part in parts]
    counted = iter(totals[1:])
    figures = {}
    for case in cases:
        figures[case.name] = {}
        for kind in KINDS:
            figures[case.name][kind] = next(counted)
            # What comes between two kinds; after the last there is no further mark.
            next(counted, None)
    return figures


def run(options):
    """Count the instructions of both builds and judge what the one has more."""
    for tool in ("valgrind", "cargo"):
        if shutil.which(tool) is None:
            raise SystemExit(f"the suite paths takes {tool}, which is not here")
    count = options.rounds or COUNT
    cases = [each for each in CASES if options.k in each.name]
    for case in [each for each in cases if any(importlib.util.find_spec(name) is None for name in each.needs)]:
        print(f"  {case.name}: left out, what it needs is not here")
        cases.remove(case)
    with tempfile.TemporaryDirectory(prefix="builds-") as folder:
        builds = Path(folder)
        with_paths = instructions(build(builds / "with"), cases, count)
        without = instructions(build(builds / "without", "--features", "without-paths"), cases, count)
    layout = "  {:<33}" + " {:>12} {:>12} {:>7} " * len(KINDS)
    print(layout.format("instructions of a dump", *(word for kind in KINDS for word in (kind, "without", "×"))))
    shares = {kind: [] for kind in KINDS}
    for case in cases:
        cells = []
        for kind in KINDS:
            ours, theirs = with_paths[case.name][kind], without[case.name][kind]
            shares[kind].append(ours / theirs)
            cells += [f"{ours // count:,}", f"{theirs // count:,}", number(ours / theirs, 5)]
        print(layout.format(case.name, *cells))
    means = {kind: geometric_mean(each) for kind, each in shares.items()}
    print(layout.format("geometric mean", *(word for kind in KINDS for word in ("", "", number(means[kind], 5)))))
    print(
        "\n  ×: instructions of the build that tells ways, as a share of those of the build that does not"
        "\n  again: one object again and again. new: objects made a moment ago. hooked: again, with no payload kept."
    )
    bars = [
        Bar(f"{kind}: more instructions, {word}", 100 * (share - 1), at_most=BAR, unit=" %")
        for kind in KINDS
        for word, share in (("mean", means[kind]), ("largest row", max(shares[kind], default=float("nan"))))
    ]
    return {"with": with_paths, "without": without, "count": count}, bars
