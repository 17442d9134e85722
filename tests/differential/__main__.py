"""Compares capers with C pickle: ``python -m tests.differential``; prints the counts and judges them.

``--streams N`` and ``--graphs N`` say how many; the exit code is 1 where the two differ more than they may.
"""

import argparse
import collections
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "library")]

from hostile import runner  # noqa: E402

from differential import compare  # noqa: E402 - found by the line above

SHARE = 10_000  # streams or graphs to a process
SAME_CLASS = 0.995  # of the errors


def compared(options):
    """Compare streams, print the counts, and return what is wrong."""
    begun, tally = time.monotonic(), compare.Tally()
    seeds = range(options.seed, options.seed + -(-options.streams // SHARE))
    with ThreadPoolExecutor(max(1, options.jobs // 2)) as pool:
        for each in pool.map(lambda seed: compare.compare(seed, min(SHARE, options.streams)), seeds):
            tally.add(each)
    clean = tally.streams - len(tally.unclean)
    print(f"streams loaded by both                    {tally.streams:>10,}   {time.monotonic() - begun:.0f} s")
    for kind, count in sorted(tally.by_kind.items()):
        print(f"    {kind:38}{count:>10,}")
    print(f"left out: C runs out of memory or dies    {len(tally.unclean):>10,}")
    print(f"value or error agreed                     {tally.agreed:>10,}   {share(tally.agreed, clean)}")
    print(f"    errors                                {tally.errors:>10,}")
    print(
        f"    of the same class                     {tally.same_class:>10,}   {share(tally.same_class, tally.errors)}"
    )
    print(
        f"find_class events the same                {tally.same_events:>10,}   {share(tally.same_events, tally.agreed)}"
    )
    ends = collections.Counter((what, told) for _, what, told, _, _ in tally.unclean)
    for (what, told), count in ends.most_common():
        print(f"    C: {what} {told}: {count}")
    wrong = [f"differs: {each}" for each in tally.different] + [f"other events: {each}" for each in tally.other_events]
    classes = [f"other class: {each}" for each in tally.other_class]
    print("\n".join(each[:700] for each in classes[:20]))
    if tally.same_class < SAME_CLASS * tally.errors:
        wrong += classes
    return wrong


def share(part, whole):
    """Return a share in percent."""
    return f"{100 * part / whole:.3f} %" if whole else ""


def drawn(options):
    """Compare graphs in processes of their own, print the counts, and return what is wrong."""
    begun = time.monotonic()
    seeds = range(options.seed, options.seed + -(-options.graphs // SHARE))

    def run(seed):
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "differential.draw",
            str(seed),
            str(min(SHARE, options.graphs)),
        ]
        return subprocess.run(command, env=runner.environment(), capture_output=True, text=True, cwd=TESTS)

    wrong, count = [], 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for seed, done in zip(seeds, pool.map(run, seeds)):
            lines = done.stdout.splitlines()
            if done.returncode or not lines:
                wrong.append(f"seed {seed} ended with {done.returncode}: {done.stderr[-1500:]}")
                continue
            count += int(lines[0])
            wrong += lines[1:]
    print(f"graphs dumped and loaded by both          {count:>10,}   {time.monotonic() - begun:.0f} s")
    print(f"    with the same bytes, buffers, errors and four equal loads {count - len(wrong):,}")
    return wrong


def main():
    """Run what the command line asks for and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=200_000)
    parser.add_argument("--graphs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: %(default)s)")
    options = parser.parse_args()
    wrong = compared(options) if options.streams else []
    wrong += drawn(options) if options.graphs else []
    for each in wrong[:60]:
        print(each[:1500])
    print("no difference" if not wrong else f"{len(wrong)} differences")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
