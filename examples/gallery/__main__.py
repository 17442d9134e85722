"""Ship the whole gallery and print what became of every function."""

import argparse
import os
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

from . import STORY
from .shipment import ship

RIVALS = ("pickle", "dill", "cloudpickle")
WIDTH = 100
TITLE, BYTES, CAME, RIVAL = 32, 7, 20, 11  # the widths of the columns; they and the gaps fill WIDTH
STYLES = {"bold": "1", "dim": "2", "good": "32", "bad": "31", "head": "1;36"}


class Paper:
    """Prints lines, with styles where the output is a terminal."""

    def __init__(self, stream):
        self.stream = stream
        self.colours = stream.isatty() and "NO_COLOR" not in os.environ

    def ink(self, style, text):
        """Return *text* in *style*."""
        return f"\033[{STYLES[style]}m{text}\033[0m" if self.colours and style else text

    def line(self, text="", style=None):
        """Print one line at once: the reader watches the table grow."""
        print(self.ink(style, text), file=self.stream, flush=True)

    def paragraph(self, text, indent="   "):
        """Print *text* filled to the width."""
        for line in textwrap.wrap(" ".join(text.split()), WIDTH - 4, initial_indent=indent, subsequent_indent=indent):
            self.line(line)


def clip(text, width):
    """Return *text* in at most *width* characters."""
    return text if len(text) <= width else text[: width - 1] + "…"


def cell(paper, outcome):
    """Return what a rival's column shows."""
    if outcome.ok:
        return paper.ink("good", "✓".ljust(RIVAL))
    return paper.ink("bad", f"✗ {outcome.word}".ljust(RIVAL))


def ship_everywhere(entry, tool, rivals):
    """Ship *entry* with every tool; return the outcomes, and whether dill needed recurse=True."""
    ours = ship(entry, tool, [tool, "pickle"] if tool == "capers" else None)
    theirs = {rival: ship(entry, rival) for rival in rivals}
    if "dill" in theirs and not theirs["dill"].ok:
        again = ship(entry, "dill-recurse")
        if again.ok:
            theirs["dill"] = again
    return ours, theirs


def head(paper, tool, rivals):
    """Print the heads of the columns."""
    columns = [
        "function".ljust(TITLE),
        "bytes".rjust(BYTES),
        "came back".ljust(CAME),
        *(r.ljust(RIVAL) for r in rivals),
    ]
    paper.line(("   " + " ".join(columns)).rstrip(), "dim")


def row(paper, entry, ours, theirs):
    """Print one function's row."""
    size = "" if ours.size is None else f"{ours.size:,}"
    came = ours.answer if ours.ok else f"✗ {ours.word}"
    parts = [clip(entry.title, TITLE).ljust(TITLE), size.rjust(BYTES)]
    parts.append(paper.ink("bold" if ours.ok else "bad", clip(came, CAME).ljust(CAME)))
    parts += [cell(paper, outcome) for outcome in theirs.values()]
    paper.line("   " + " ".join(parts))
    if not ours.ok:
        paper.line(f"     {ours.detail}", "bad")


def closing(paper, tool, results, seconds, wordy):
    """Print the totals and return the exit code."""
    total = len(results)
    paper.line()
    paper.line("  Arrived and gave the right answer", "head")
    names = [tool, *results[0][2]]
    for name in names:
        good = sum((ours if name == tool else theirs[name]).ok for _, ours, theirs in results)
        bar = "█" * round(good / total * 40)
        paper.line(f"   {name:<12} {good:>3} of {total}  " + paper.ink("good" if name == tool else "dim", bar))
    paper.line()
    processes = (
        "Every sender was a script run as __main__; every receiver was a fresh process that could import none of it."
    )
    if tool == "capers":
        processes += " What capers wrote was loaded twice, by capers.loads and by the standard library's pickle.loads."
    if "dill" in names:
        processes += " dill was tried again with recurse=True wherever its default failed."
    processes += " dump, load and call name the step that raised an error; wrong is a wrong answer without one."
    paper.paragraph(f"{processes} It took {seconds:.0f} s.{'' if wordy else ' -v shows every error in full.'}")
    failed = [entry.title for entry, ours, _ in results if not ours.ok]
    if failed:
        paper.line()
        paper.paragraph(f"{tool} failed: {'; '.join(failed)}.")
    return int(bool(failed))


def main():
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="dev.py demo --", description=__doc__)
    parser.add_argument("-k", metavar="WORD", default="", help="only the entries whose title contains WORD")
    parser.add_argument("-v", action="store_true", help="show every error in full, and the code of every function")
    parser.add_argument("--alone", action="store_true", help="leave the other tools out")
    parser.add_argument("--tool", default="capers", help="ship with another module (default: %(default)s)")
    options = parser.parse_args()

    paper = Paper(sys.stdout)
    rivals = () if options.alone else tuple(rival for rival in RIVALS if rival != options.tool)
    story = []
    for section in STORY:
        entries = [e for e in section.entries if options.k in e.title and sys.version_info >= e.least]
        if entries:
            story.append((section, entries))
    if not story:
        parser.error(f"no entry contains {options.k!r}")

    begun = time.monotonic()
    results = []
    paper.line()
    paper.line(f"  The {options.tool} gallery: functions that leave their process", "head")
    paper.line(f"   Python {sys.version.split()[0]}", "dim")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = [
            (section, [(e, pool.submit(ship_everywhere, e, options.tool, rivals)) for e in entries])
            for section, entries in story
        ]
        for number, (section, entries) in enumerate(waiting, 1):
            paper.line()
            paper.line(f"  {number}. {section.title}", "head")
            paper.paragraph(section.story)
            for entry, _ in entries:
                if entry.show or options.v:
                    paper.line()
                    paper.line(textwrap.indent(entry.script.rstrip(), "       │ "), "dim")
            paper.line()
            head(paper, options.tool, rivals)
            for entry, future in entries:
                ours, theirs = future.result()
                results.append((entry, ours, theirs))
                row(paper, entry, ours, theirs)
                if options.v:
                    for name, outcome in theirs.items():
                        if not outcome.ok:
                            paper.line(clip(f"     {name}: {outcome.detail}", WIDTH), "dim")
    return closing(paper, options.tool, results, time.monotonic() - begun, options.v)


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
