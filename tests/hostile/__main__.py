"""Feeds the whole corpus and runs all programs: ``python -m tests.hostile``; prints a table by category.

``-k`` keeps what contains a text, ``--seed`` makes another corpus, ``--only streams`` or ``--only programs`` leaves the
other out.  The exit code is 1 when anything crashed, hung, took too much memory or broke its promise.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "library"))

from hostile import corpus, runner


def fed(categories, options):
    """Feed the categories of streams; print a row for each and return what went wrong."""
    wrong, total = [], [0, 0, 0]
    print(f"{'streams':24}{'count':>9}{'MB':>7}{'values':>10}{'errors':>10}{'s':>7}  wrong")
    with ThreadPoolExecutor(options.jobs) as pool:
        for report, seconds in pool.map(lambda name: timed(lambda: runner.feed(name, options.seed)), categories):
            values = report.outcomes.get("a value", 0)
            errors = sum(report.outcomes.values()) - values
            print(f"{report.category:24}{report.streams:>9,}{report.input / 1e6:>7.1f}{values:>10,}{errors:>10,}{seconds:>7.0f}"
                  f"  {len(report.complaints) or '-'}", flush=True)  # fmt: skip
            wrong += [
                f"{report.category} {number}: {complaint} [{beginning}]"
                for number, complaint, beginning in report.complaints
            ]
            total = [total[0] + report.streams, total[1] + values, total[2] + errors]
    print(f"{'all':24}{total[0]:>9,}{'':7}{total[1]:>10,}{total[2]:>10,}\n", flush=True)
    return wrong


def played(names, options):
    """Run the programs, plainly and with the debug allocator; print a row for each and return what went wrong."""
    wrong = []
    print(f"{'programs':72}{'plain':>8}{'debug':>8}")
    allocators = ({}, {"PYTHONMALLOC": "debug"})
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = [
            (name, [pool.submit(timed, lambda n=name, e=env: runner.play(n, **e)) for env in allocators])
            for name in names
        ]
        for name, both in runs:
            cells = []
            for kind, future in zip(("plain", "debug"), both):
                complaint, seconds = future.result()
                cells.append("WRONG" if complaint else f"{seconds:.1f} s")
                if complaint:
                    wrong.append(f"{name} ({kind}): {complaint}")
            print(f"{name:72}{cells[0]:>8}{cells[1]:>8}", flush=True)
    print(f"{len(names)} programs\n", flush=True)
    return wrong


def timed(call):
    """Return what a call gives and how many seconds it took."""
    begun = time.monotonic()
    return call(), time.monotonic() - begun


def main():
    """Run what the command line asks for and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__.splitlines()[0])
    parser.add_argument("-k", default="", metavar="TEXT", help="only categories and programs whose name contains this")
    parser.add_argument("--only", choices=("streams", "programs"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: %(default)s)")
    options = parser.parse_args()
    wrong = []
    if options.only != "programs":
        wrong += fed([name for name in corpus.categories() if options.k in name], options)
    if options.only != "streams":
        wrong += played([name for name in runner.programs() if options.k in name], options)
    for each in wrong:
        print(each[:1500])
    print("all well" if not wrong else f"{len(wrong)} things went wrong")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
