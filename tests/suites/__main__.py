"""The command line: ``python -m suites --peer cpython --group pickler --mode strict``."""

import argparse
import functools
import importlib
import platform
import sys
import time
from collections import Counter
from pathlib import Path

from . import parent, peers, subjects

PEERS = ("cpython", "stdlib", "cloudpickle", "dill")


def options():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="suites", description=__doc__)
    parser.add_argument("--peer", action="append", default=[], choices=[*PEERS, "all"])
    parser.add_argument("--group", action="append", default=[], help="only these groups of the peer cpython")
    parser.add_argument("--file", action="append", default=[], help="only these files of a peer other than cpython")
    parser.add_argument("--mode", choices=["default", "strict", "both"], default="both")
    parser.add_argument("--timeout", type=int, default=600, help="seconds for a job (default: %(default)s)")
    parser.add_argument("--sources", type=Path, help="a folder with tests of peers: FOLDER/cloudpickle")
    parser.add_argument("-v", "--verbose", action="store_true", help="name what is skipped, listed and fails alike")
    chosen = parser.parse_args()
    peers.SOURCES = chosen.sources or peers.SOURCES
    chosen.peer = list(dict.fromkeys(PEERS if "all" in chosen.peer else chosen.peer or ["cpython"]))
    return chosen


def row(*cells):
    print(f"  {cells[0]:34}" + "".join(f"{cell:>10}" for cell in cells[1:]), flush=True)


def show(title, results, mark="  "):
    if results:
        print(title)
    for (job, name), result in results.items():
        print(f"  {mark}{job}: {name} {result.kind}")
        # A test with sub-tests tends to fail in the same way in each.
        for told, count in list(Counter(each.partition("\n")[0] for each in result.told).items())[:6]:
            print(f"      {told[:400]}" + (f" ({count} times)" if count > 1 else ""))


class Sheet:
    """The counts and the findings of one peer with one subject."""

    def __init__(self, mode):
        self.mode = mode
        self.totals = dict.fromkeys(("tests", "passed", "listed", "alike", "skipped", "bad"), 0)
        self.bad, self.alike, self.listed, self.skipped = {}, {}, {}, {}

    def add(self, job, pickle, ours):
        """Judge one job and print its line."""
        bad, alike = parent.against(pickle, ours)
        for name, result in ours.tests.items():
            if result.kind == "listed":
                self.listed[job, name] = result
            if result.kind == "skipped" and name not in bad:
                self.skipped[job, name] = result
        self.bad.update({(job, name): result for name, result in bad.items()})
        self.alike.update({(job, name): result for name, result in alike.items()})
        counts = {
            "tests": len(ours.tests),
            "passed": ours.count("passed"),
            "listed": ours.count("listed"),
            "alike": len(alike),
            "skipped": ours.count("skipped"),
            "bad": len(bad),
        }
        for name, count in counts.items():
            self.totals[name] += count
        row(f"{job} ({self.mode})", *counts.values())


def run_peer(peer, chosen):
    """Run a peer's jobs in each mode, print the table, and return the number of failures."""
    module = importlib.import_module(f"suites.{peer}")
    version = platform.python_version()
    print(f"\n{module.TITLE}, Python {version}")
    if not module.present():
        if peer in ("cpython", "stdlib"):
            print("  this interpreter carries no tests of the standard library: nothing was run")
            return 0
        print("  its tests are not here: dev.py fetches them")
        return 1
    offered = getattr(module, "MODES", subjects.NAMES[1:])
    modes = [name for name in offered if chosen.mode in (name, "both")]
    run = getattr(module, "outcome", None) or functools.partial(parent.run, peer)
    sheets = {mode: Sheet(mode) for mode in modes}
    row("", "tests", "passed", "listed", "alike", "skipped", "FAILED")
    begun = time.monotonic()
    for job in module.jobs(chosen):
        measure = run(job, "pickle", chosen.timeout)
        if measure.absent:
            row(job, "–")
            continue
        for mode in modes:
            known = () if hasattr(module, "outcome") else (measure,)
            ours = run(job, mode, chosen.timeout, *known)
            sheets[mode].add(job, measure, ours)
            # What runs with neither would be put down as failing alike.
            idle = not measure.count("passed") and not ours.count("passed")
            if hasattr(module, "outcome") and idle and set(ours.kinds()) & set(parent.FAILURES):
                sheets[mode].bad[job, "<job>"] = parent.Result("failed", ["does not run, with the peer itself neither"])
    for sheet in sheets.values():
        row(f"all ({sheet.mode})", *sheet.totals.values())
    print(f"  {time.monotonic() - begun:.0f} s")
    for sheet in sheets.values():
        reasons = {}
        for (job, name), result in sheet.skipped.items():
            reasons.setdefault("; ".join(result.told), []).append(f"{job}: {name}")
        if reasons:
            print(f"  skipped as in the measure ({sheet.mode}):")
        for reason, names in sorted(reasons.items(), key=lambda each: -len(each[1])):
            print(f"    {len(names):4} {reason}")
            if chosen.verbose:
                print("".join(f"           {name}\n" for name in names), end="")
        reasons = {}
        for (job, name), result in sheet.listed.items():
            reasons.setdefault((name, result.told[0]), []).append(job)
        if reasons:
            print(f"  listed ({sheet.mode}):")
        for (name, reason), found in reasons.items():
            print(f"    {name} {reason} ({', '.join(found)})")
        if chosen.verbose:
            show(f"  fails in the measure too ({sheet.mode}):", sheet.alike)
        show(f"  FAILED ({sheet.mode}):", sheet.bad, "✗ ")
    idle = [mode for mode, sheet in sheets.items() if not sheet.totals["passed"]]
    if hasattr(module, "outcome") and idle and not chosen.file:
        print(f"  no test passed ({', '.join(idle)}): that is a failure")
        return sum(len(sheet.bad) for sheet in sheets.values()) + len(idle)
    return sum(len(sheet.bad) for sheet in sheets.values())


def main():
    """Run what the command line asks for; the exit code is 1 when anything failed."""
    chosen = options()
    failures = sum(run_peer(peer, chosen) for peer in chosen.peer)
    print(f"\n{failures} failures" if failures else "\nno failures")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
