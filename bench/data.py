"""The suite ``data``: dumps and loads of data that `pickle` carries too, against C `pickle` and cloudpickle.

Each workload has a process of its own; the tools take turns in it, and each loads its own payload.  Times are medians of
interleaved rounds, in milliseconds of processor time.
"""

import importlib.util
import sys

from .child import ROOT, asked
from .data_cases import CASES
from .report import Bar, geometric_mean, ink, marked, median, number, times_over

ROUNDS = 11

# The promises; the geometric means are over all rows, the floor is for each row.
DUMPS, LOADS, FLOOR = 3.0, 1.4, 1.0
RIVALS = ("pickle", "cloudpickle")


def measure(case, tool, rounds):
    """Run one workload in a process of its own and return its figures."""
    question = {"case": case.name, "tool": tool, "rounds": rounds}
    figures, trouble = asked([sys.executable, "-m", "bench.data_worker"], question, cwd=ROOT)
    return figures if trouble is None else {"failed": {tool: trouble}, "bytes": {}}


def summary(figures, tool):
    """Return medians in ms and the ratios that the table shows."""
    times = {
        kind: {name: median(spent) * 1e3 for name, spent in figures.get(kind, {}).items()}
        for kind in ("dumps", "loads")
    }
    ratios = times_over(times, tool, RIVALS)
    return {"times": times, "ratios": ratios, "bytes": figures["bytes"], "failed": figures["failed"]}


def print_row(name, row, tool):
    """Print one row of the table; ratios below the floor in red."""
    if tool in row["failed"]:
        print(f"  {name:<34} {ink('31', 'FAILED ' + row['failed'][tool][:60])}", flush=True)
        return
    cells = []
    for kind in ("dumps", "loads"):
        cells.append(f"{number(row['times'][kind][tool]):>8}")
        cells += (marked(row["ratios"].get(f"{kind} {rival}"), FLOOR) for rival in RIVALS)
    print(f"  {name:<34} {' '.join(cells)} {row['bytes'][tool]:>12,}", flush=True)


def run(options):
    """Measure every workload and judge the ratios."""
    tool, rounds = options.tool, options.rounds or ROUNDS
    layout = "  {:<34} {:>8} {:>6} {:>6} {:>8} {:>6} {:>6} {:>12}"
    print(layout.format("", "dumps", "×", "×", "loads", "×", "×", "bytes"))
    print(layout.format("workload", "ms", "pickle", "cp", "ms", "pickle", "cp", ""))
    rows = {}
    for case in CASES.values():
        if options.k not in case.name:
            continue
        missing = [name for name in case.needs if importlib.util.find_spec(name) is None]
        if missing:
            print(f"  {case.name:<34} left out: no {', '.join(missing)} here")
            continue
        rows[case.name] = summary(measure(case, tool, rounds), tool)
        print_row(case.name, rows[case.name], tool)

    def every(column):
        return [row["ratios"][column] for row in rows.values() if column in row["ratios"]]

    columns = [f"{kind} {rival}" for kind in ("dumps", "loads") for rival in RIVALS]
    mean = {column: geometric_mean(every(column)) for column in columns}
    least = {column: min(every(column), default=float("nan")) for column in columns}
    for label, figures in (("geometric mean", mean), ("lowest row", least)):
        cells = [number(figures[column]) for column in columns]
        print(layout.format(label, "", cells[0], cells[1], "", cells[2], cells[3], ""))
    print(
        "\n  ×: how many times the time of pickle (C) and of cloudpickle is of ours; every tool loads its own payload"
    )
    for name, row in rows.items():
        for rival, trouble in row["failed"].items():
            if rival != tool:
                print(f"  {name}: {rival} is left out, it fails: {trouble[:70]}")
    failed = sum(tool in row["failed"] for row in rows.values())
    bars = [
        Bar(f"workloads that {tool} restores wrongly or not", failed, at_most=0, unit=""),
        Bar("dumps against pickle, mean", mean["dumps pickle"], at_least=DUMPS),
        Bar("loads against pickle, mean", mean["loads pickle"], at_least=LOADS),
        Bar("dumps against pickle, lowest row", least["dumps pickle"], at_least=FLOOR),
        Bar("loads against pickle, lowest row", least["loads pickle"], at_least=FLOOR),
        Bar("dumps against cloudpickle, lowest row", least["dumps cloudpickle"], at_least=FLOOR),
        Bar("loads against cloudpickle, lowest row", least["loads cloudpickle"], at_least=FLOOR),
    ]
    return {"rows": rows, "mean": mean, "lowest": least}, bars
