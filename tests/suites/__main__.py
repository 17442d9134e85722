"""The command line: ``python -m suites --peer cpython --group pickler --mode strict``."""

import argparse
import importlib
import platform
import sys
import time
from collections import Counter

from . import parent, subjects

PEERS = ("cpython", "stdlib")


def options():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="suites", description=__doc__)
    parser.add_argument("--peer", action="append", default=[], choices=[*PEERS, "all"])
    parser.add_argument("--group", action="append", default=[], help="only these groups of the peer cpython")
    parser.add_argument("--file", action="append", default=[], help="only these files of the peer stdlib")
    parser.add_argument("--mode", choices=["default", "strict", "both"], default="both")
    parser.add_argument("--timeout", type=int, default=900, help="seconds for a job (default: %(default)s)")
    parser.add_argument("-v", "--verbose", action="store_true", help="name what is skipped, listed and fails alike")
    chosen = parser.parse_args()
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
        print("  this interpreter carries no tests of the standard library: nothing was run")
        return 0
    modes = [name for name in subjects.NAMES[1:] if chosen.mode in (name, "both")]
    sheets = {mode: Sheet(mode) for mode in modes}
    row("", "tests", "passed", "listed", "alike", "skipped", "FAILED")
    begun = time.monotonic()
    for job in module.jobs(chosen):
        measure = parent.run(peer, job, "pickle", [], chosen.timeout)
        if measure.absent:
            row(job, "–")
            continue
        for mode in modes:
            sheets[mode].add(job, measure, parent.run(peer, job, mode, list(measure.tests), chosen.timeout))
    for sheet in sheets.values():
        row(f"all ({sheet.mode})", *sheet.totals.values())
    print(f"  {time.monotonic() - begun:.0f} s")
    for sheet in sheets.values():
        reasons = {}
        for (job, name), result in sheet.skipped.items():
            reasons.setdefault("; ".join(result.told), []).append(f"{job}: {name}")
        if reasons:
            print(f"  skipped as with pickle ({sheet.mode}):")
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
            show(f"  fails with pickle too ({sheet.mode}):", sheet.alike)
        show(f"  FAILED ({sheet.mode}):", sheet.bad, "✗ ")
    return sum(len(sheet.bad) for sheet in sheets.values())


def main():
    """Run what the command line asks for; the exit code is 1 when anything failed."""
    chosen = options()
    failures = sum(run_peer(peer, chosen) for peer in chosen.peer)
    print(f"\n{failures} failures" if failures else "\nno failures")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
