"""The command line of the bench: pick a suite, run it, judge it, keep the figures."""

import argparse
import json
import platform
import sys
from pathlib import Path

from . import classes, data, functions, imports, leaks, memory, paths
from .report import print_bars

SUITES = {
    "functions": functions,
    "classes": classes,
    "data": data,
    "import": imports,
    "leaks": leaks,
    "memory": memory,
    "paths": paths,
}


def main():
    """Run the suites and return 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__)
    parser.add_argument("--suite", default="functions", choices=[*SUITES, "all"])
    parser.add_argument("--rounds", type=int, help="rounds of measuring, or repetitions in the suite leaks")
    parser.add_argument("--json", type=Path, help="write every figure there")
    parser.add_argument("--tool", default="capers", help="measure another module in its place (default: %(default)s)")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="write the suite functions' table into that README")
    parser.add_argument("-k", default="", metavar="WORD", help="only the rows whose name contains WORD")
    options = parser.parse_args()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")

    # The suite paths builds the extension twice and needs a tool of its own; it is asked for by name.
    every = {name: suite for name, suite in SUITES.items() if suite is not paths}
    chosen = every if options.suite == "all" else {options.suite: SUITES[options.suite]}
    figures = {"python": platform.python_version(), "machine": platform.machine(), "tool": options.tool}
    missed = 0
    for name, suite in chosen.items():
        print(f"\nsuite {name} · Python {platform.python_version()}\n", flush=True)
        figures[name], bars = suite.run(options)
        print()
        print_bars(bars)
        missed += sum(not bar.passed for bar in bars)
    if options.readme and "functions" in figures:
        functions.write_readme(options.readme, figures["functions"], platform.python_version())
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
