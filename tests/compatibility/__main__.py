"""Ship the whole gallery with pickle, cloudpickle, dill and capers, and write what became of every object as a page."""

import argparse
import importlib.metadata
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import FAMILIES
from .entry import Entry
from .journey import Outcome, possible, travel

TOOLS = ("pickle", "cloudpickle", "dill", "capers")
SHOWN = {
    "right": "✓",
    "wrong": "wrong",
    "not loaded": "wrong",
    "refused": "refused",
    "hangs": "hangs",
    "crashes": "crashes",
}
# From worst to best. A refusal tells the truth; what arrives wrong or not at all does so where nobody can help it.
ORDER = ("crashes", "hangs", "wrong", "refused", "✓")

HEAD = """\
# What travels

Each row is an object that a script makes in its `__main__`. It is dumped there and loaded in a fresh process, where
nothing of the script can be imported; then assertions about what the object is and does are run. The scripts and their
assertions are in [tests/compatibility](tests/compatibility). This page is written by `python3 dev.py compatibility`.

| | |
|---|---|
| ✓ | it arrived and passed all assertions; for capers, with `capers.loads` and with the standard library's `pickle.loads` |
| refused | `dumps` raised an exception |
| wrong | `dumps` was content, but the payload does not load or what it gives is not what was sent |
| – | this Python, or a package it lacks, cannot make the object |
"""


def judge(entry: Entry, tool: str) -> tuple[str, str]:
    """Return what the column of *tool* shows for *entry*, and the error behind it."""
    outcomes: list[Outcome] = list(travel(entry, tool, ("capers", "pickle") if tool == "capers" else (tool,)).values())
    worst = min(outcomes, key=lambda it: ORDER.index(SHOWN[it.word]))
    return SHOWN[worst.word], worst.detail


def loses(cells: dict[str, str]) -> bool:
    """Whether another tool does better than capers in a row."""
    return any(ORDER.index(cells[tool]) > ORDER.index(cells["capers"]) for tool in TOOLS)


def page(results: dict[Entry, dict[str, str]]) -> list[str]:
    """Return the lines of the page."""
    versions = [f"{tool} {importlib.metadata.version(tool)}" for tool in TOOLS[1:]]
    lines = [*HEAD.splitlines(), "", f"Python {sys.version.split()[0]} with its pickle, {', '.join(versions)}.", ""]
    lines += ["| | " + " | ".join(TOOLS) + " |", "|---" * (len(TOOLS) + 1) + "|"]
    made = [cells for entry, cells in results.items() if cells and not entry.stays]
    counts = [sum(cells[tool] == "✓" for cells in made) for tool in TOOLS]
    lines += [f"| of {len(made)} objects | " + " | ".join(map(str, counts)) + " |"]
    wrong = [sum(ORDER.index(cells[tool]) < ORDER.index("refused") for cells in made) for tool in TOOLS]
    lines += ["| wrong without a word | " + " | ".join(map(str, wrong)) + " |"]
    for family in FAMILIES:
        lines += [
            "",
            f"## {family.title}",
            "",
            "| object | " + " | ".join(TOOLS) + " |",
            "|---" * (len(TOOLS) + 1) + "|",
        ]
        for entry in family.entries:
            cells = results[entry]
            title = entry.title.replace("|", "\\|")
            lines.append(f"| {title} | " + " | ".join(cells.get(tool, "–") for tool in TOOLS) + " |")
    return lines


def main() -> int:
    """Run the gallery, write the page, and return 1 if another tool does better than capers anywhere."""
    parser = argparse.ArgumentParser(prog="dev.py compatibility --", description=__doc__)
    parser.add_argument(
        "-k", metavar="WORD", default="", help="only the objects whose title contains WORD; writes nothing"
    )
    parser.add_argument("-v", action="store_true", help="show every error")
    parser.add_argument(
        "--to", metavar="FILE", type=Path, default=Path("COMPATIBILITY.md"), help="(default: %(default)s)"
    )
    options = parser.parse_args()
    entries = [entry for family in FAMILIES for entry in family.entries if options.k in entry.title]
    print(f"Python {sys.version.split()[0]} ({sys.executable}), {len(entries)} objects", flush=True)
    results: dict[Entry, dict[str, str]] = {entry: {} for family in FAMILIES for entry in family.entries}
    lost = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {(e, tool): pool.submit(judge, e, tool) for e in entries if possible(e) for tool in TOOLS}
        for (entry, tool), job in jobs.items():
            results[entry][tool], detail = job.result()
            if tool != TOOLS[-1]:
                continue
            cells = results[entry]
            row = " ".join(cells[each].ljust(8) for each in TOOLS)
            print(f"  {row} {entry.title}", flush=True)
            if options.v:
                for each in TOOLS:
                    if cells[each] != "✓":
                        print(f"      {each}: {jobs[entry, each].result()[1]}")
            if loses(cells) or (cells[tool] not in ("✓", "refused") and not entry.nowhere):
                lost.append(f"{entry.title}: {cells[tool]} {detail}")
    if not options.k:
        options.to.write_text("\n".join(page(results)) + "\n", encoding="utf-8")
        print(f"written to {options.to}")
    for line in lost:
        print(f"capers loses: {line}")
    return int(bool(lost))


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
