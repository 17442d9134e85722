"""The suite ``functions``: dumps, first dumps, loads and size of functions shipped by value.

*dumps* is repeated on one function object, so what a tool keeps of earlier dumps, up to the whole payload, counts; *new*
is the dumps of function objects made a moment ago from known code; *first* is the dumps of functions compiled a moment
ago, never seen before; *loads* loads each tool's own payload.  dill is measured with its default settings where these restore the function in a fresh
process, else with ``recurse=True`` (marked r), else not at all.  Times are medians of interleaved rounds, in µs
of processor time.
"""

import importlib.util
from pathlib import Path

from .child import figures_of
from .function_cases import CASES
from .report import Bar, geometric_mean, ink, marked, median, number

WORKER = Path(__file__).with_name("functions_worker.py")
ROUNDS = 15

# The promises; the geometric means are over all rows, the floors for each row.
DUMPS, DUMPS_DILL, FIRST, LOADS, SIZE = 40, 150, 15, 5, 0.8
DUMPS_FLOOR, LOADS_FLOOR = 5, 1.5


def measure(case, tool, rounds):
    """Run one case in a process of its own and return its figures."""
    asked = {"script": case.script, "send": case.send, "call": case.call, "tool": tool, "rounds": rounds}
    return figures_of(WORKER, case.script, case.send, asked)


def summary(figures, tool):
    """Return medians in µs and the ratios that the table shows."""
    times = {
        kind: {name: median(spent) * 1e6 for name, spent in figures.get(kind, {}).items()}
        for kind in ("dumps", "new", "first", "loads")
    }
    dill = "dill" if "dill" in times["dumps"] else "dill-recurse"

    def ratio(kind, rival):
        ours, theirs = times[kind].get(tool), times[kind].get(rival)
        return theirs / ours if ours and theirs else None

    sizes = figures["bytes"]
    return {
        "times": times,
        "bytes": sizes,
        "failed": figures["failed"],
        "dumps": ratio("dumps", "cloudpickle"),
        "dumps dill": ratio("dumps", dill),
        "dill recursed": dill == "dill-recurse",
        "new": ratio("new", "cloudpickle"),
        "first": ratio("first", "cloudpickle"),
        "loads": ratio("loads", "cloudpickle"),
        "loads dill": ratio("loads", dill),
        "size": sizes[tool] / sizes["cloudpickle"] if tool in sizes and "cloudpickle" in sizes else None,
    }


def print_row(case, row, tool):
    """Print one row of the table."""
    if tool in row["failed"]:
        print(f"  {case.name:<33} {ink('31', 'FAILED ' + row['failed'][tool][:60])}", flush=True)
        return
    times = row["times"]
    print(
        f"  {case.name:<33}"
        f" {number(times['dumps'][tool]):>7} {marked(row['dumps'], DUMPS_FLOOR)} {marked(row['dumps dill'], DUMPS_FLOOR)}"
        f"{'r' if row['dill recursed'] and row['dumps dill'] else ' '}"
        f" {number(times['new'][tool]):>7} {marked(row['new'], DUMPS_FLOOR)} "
        f" {number(times['first'][tool]):>7} {marked(row['first'], DUMPS_FLOOR)} "
        f" {number(times['loads'][tool]):>7} {marked(row['loads'], LOADS_FLOOR)} "
        f" {row['bytes'][tool]:>8,} {number(row['size'], 3):>5}",
        flush=True,
    )


def write_readme(path, figures, python):
    """Put the table into *path*, between the two comments that mark its place."""
    begin, end = "<!-- speed: written by `dev.py bench --readme` -->", "<!-- end of speed -->"
    before, _, rest = path.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{path} has no place for the table: {begin} … {end}")

    def times(value):
        return f"{number(value, 2)}×" if value else "–"

    lines = [
        f"Functions shipped by value, CPython {python}: how many times faster than cloudpickle 3.1.2 and dill 0.4.1, and the",
        "payload's size as a share of cloudpickle's.",
        "",
        "- *Again* dumps one function object again and again. capers keeps the payload of a simple function and gives it out",
        "  while nothing that it depends on has changed, so for such functions this is the time of finding that out.",
        "- *New object* dumps function objects made a moment ago from code that was seen before, such as a new closure.",
        "- *New code* dumps functions compiled a moment ago.",
        "",
        "| function | again, cloudpickle | again, dill | new object, cloudpickle | new code, cloudpickle "
        "| loads, cloudpickle | size |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in [*figures["rows"].items(), ("**geometric mean**", figures["mean"])]:
        cells = [times(row[kind]) for kind in ("dumps", "dumps dill", "new", "first", "loads")]
        lines.append(f"| {name} | {' | '.join(cells)} | {number(row['size'], 3)} |")
    lines += ["", "A dash: dill cannot restore the function in another process."]
    path.write_text(f"{before}{begin}\n\n" + "\n".join(lines) + f"\n\n{end}{after}")


def run(options):
    """Measure every case and judge the ratios."""
    tool, rounds = options.tool, options.rounds or ROUNDS
    heads = (
        ("", "dumps", "×", "×", "new", "×", "first", "×", "loads", "×", "bytes", "×"),
        ("function", "µs", "cp", "dill", "µs", "cp", "µs", "cp", "µs", "cp", "", "cp"),
    )
    for head in heads:
        print("  {:<33} {:>7} {:>6} {:>6}  {:>7} {:>6}  {:>7} {:>6}  {:>7} {:>6}  {:>8} {:>5}".format(*head))
    rows = {}
    for case in CASES:
        if options.k not in case.name:
            continue
        missing = [name for name in case.needs if importlib.util.find_spec(name) is None]
        if missing:
            print(f"  {case.name:<33} left out: no {', '.join(missing)} here")
            continue
        rows[case.name] = summary(measure(case, tool, rounds), tool)
        print_row(case, rows[case.name], tool)

    def every(kind):
        return [row[kind] for row in rows.values() if row[kind] is not None]

    mean = {
        kind: geometric_mean(every(kind))
        for kind in ("dumps", "dumps dill", "new", "first", "loads", "loads dill", "size")
    }
    print(
        f"  {'geometric mean':<33} {'':>7} {number(mean['dumps']):>6} {number(mean['dumps dill']):>6}  {'':>7} "
        f"{number(mean['new']):>6}  {'':>7} "
        f"{number(mean['first']):>6}  {'':>7} {number(mean['loads']):>6}  {'':>8} {number(mean['size']):>5}"
    )
    print(
        "\n  × cp, × dill: how many times the tool's time is of ours (for bytes: our share); r: dill with recurse=True"
        "\n  dumps: one function object again and again; a kept payload counts. new: new function objects of known code."
        "\n  first: functions compiled a moment ago."
    )
    for name, row in rows.items():
        for rival, trouble in row["failed"].items():
            if rival not in (tool, "dill"):
                print(f"  {name}: {rival} is left out, it fails: {trouble[:70]}")

    def least(kind):
        return min(every(kind), default=float("nan"))

    bars = [
        Bar(
            f"rows that {tool} restores wrongly or not",
            sum(tool in row["failed"] for row in rows.values()),
            at_most=0,
            unit="",
        ),
        Bar("repeated dumps against cloudpickle, mean", mean["dumps"], at_least=DUMPS),
        Bar("repeated dumps against dill, mean", mean["dumps dill"], at_least=DUMPS_DILL),
        Bar("first dumps against cloudpickle, mean", mean["first"], at_least=FIRST),
        Bar("loads against cloudpickle, mean", mean["loads"], at_least=LOADS),
        Bar("repeated dumps, lowest row", least("dumps"), at_least=DUMPS_FLOOR),
        Bar("first dumps, lowest row", least("first"), at_least=DUMPS_FLOOR),
        Bar("loads, lowest row", least("loads"), at_least=LOADS_FLOOR),
        Bar("payload against cloudpickle's, mean", mean["size"], at_most=SIZE),
    ]
    return {"rows": rows, "mean": mean}, bars
