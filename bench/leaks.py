"""The suite ``leaks``: memory after many rounds of dumps and loads of every function of the gallery.

Each function gets a process of its own.  After a warm-up, memory is sampled between rounds, always after a garbage
collection; both the resident set and the interpreter's own count of allocated blocks must stay where they were.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from examples.gallery import STORY

from .child import asked, script
from .report import Bar, number

WORKER = Path(__file__).with_name("leaks_worker.py")
ROUNDS = 100_000
BIG_SHARE = 500  # entries that take milliseconds get this many times fewer rounds
KIBIBYTES = 256  # what the allocator and the kernel may round up to
BLOCKS = 1_000  # what the interpreter itself may keep: a dict resized, a specialised instruction


def grow(entry, tool, rounds):
    """Return how much memory grew over *rounds* round trips of *entry*."""
    if entry.big:
        rounds = max(20, rounds // BIG_SHARE)
    with script(entry.script, entry.send, WORKER, "worker") as path:
        command = [sys.executable, path, tool, str(rounds)]
        figures, trouble = asked(command, env={**os.environ, "GALLERY_SIDE": "receiver"})
    return figures if trouble is None else {"rounds": rounds, "error": trouble}


def run(options):
    """Run every entry of the gallery that this Python can."""
    entries = [
        entry
        for section in STORY
        for entry in section.entries
        if sys.version_info >= entry.least and options.k in entry.title
    ]
    figures = {}
    print(f"  {'function':<34} {'rounds':>8} {'µs each':>9} {'RSS KiB':>9} {'blocks':>8}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        grown = pool.map(lambda entry: grow(entry, options.tool, options.rounds or ROUNDS), entries)
        for entry, figure in zip(entries, grown, strict=True):
            figures[entry.title] = figure
            if "error" in figure:
                print(f"  {entry.title:<34} {figure['rounds']:>8,} {figure['error'][:60]}", flush=True)
                continue
            print(
                f"  {entry.title:<34} {figure['rounds']:>8,} {number(figure['microseconds']):>9} "
                f"{figure['kibibytes']:>+9,} {figure['blocks']:>+8,}",
                flush=True,
            )
    worst = {
        unit: max((each.get(unit, float("nan")) for each in figures.values()), default=float("nan"))
        for unit in ("kibibytes", "blocks")
    }
    bars = [
        Bar(
            "functions that could not be repeated",
            sum("error" in each for each in figures.values()),
            at_most=0,
            unit="",
        ),
        Bar("most growth of the resident set", worst["kibibytes"], at_most=KIBIBYTES, unit=" KiB"),
        Bar("most growth in allocated blocks", worst["blocks"], at_most=BLOCKS, unit=""),
    ]
    return figures, bars
