"""The suite ``classes``: classes of a script and their instances, dumped and loaded by value.

*dumps* is repeated on one object; *first* is the dumps of classes made a moment ago.  *loads* is repeated in a process that
knows the class from before, as a worker does; *first loads* is that of classes never seen there, which have to be made.  dill
runs with ``recurse=True`` where that restores the object in a fresh process.  Times are medians of interleaved rounds, in
µs of processor time.
"""

import importlib.util
from pathlib import Path

from .child import figures_of
from .class_cases import CASES
from .report import Bar, geometric_mean, ink, marked, median, number, times_over

WORKER = Path(__file__).with_name("classes_worker.py")
ROUNDS = 11
RIVALS = ("cloudpickle", "dill")
KINDS = ("dumps", "first", "loads", "first loads")

# The promises; geometric means over all rows.
DUMPS, LOADS, FIRST_LOADS, MANY = 10, 3, 1, 2

MANY_SCRIPT = """
class Item:
    def __init__(self, number):
        self.number, self.name, self.price = number, "item", number * 0.5
    def cost(self): return self.price * self.number
"""


def measure(script, send, question, tool, rounds, whole=False):
    """Run one case in a process of its own and return its figures."""
    asked = {"script": script, "send": send, "question": question, "tool": tool, "rounds": rounds, "whole": whole}
    return figures_of(WORKER, script, send, asked)


def summary(figures, tool):
    """Return medians in µs and the ratios that the table shows."""
    times = {
        kind: {name: median(spent) * 1e6 for name, spent in figures.get(kind, {}).items() if spent} for kind in KINDS
    }
    ratios = times_over(times, tool, RIVALS)
    return {"times": times, "ratios": ratios, "bytes": figures["bytes"], "failed": figures["failed"]}


def print_row(name, row, tool):
    """Print one row of the table."""
    if tool in row["failed"]:
        print(f"  {name:<46} {ink('31', 'FAILED ' + row['failed'][tool][:60])}", flush=True)
        return
    cells = []
    for kind in KINDS:
        cells.append(f"{number(row['times'][kind].get(tool)):>8}")
        cells += (marked(row["ratios"].get(f"{kind} {rival}"), 1) for rival in RIVALS)
    print(f"  {name:<46} {' '.join(cells)} {row['bytes'][tool]:>9,}", flush=True)


def run(options):
    """Measure every class and an instance of it, and a long list of instances, and judge the ratios."""
    tool, rounds = options.tool, options.rounds or ROUNDS
    layout = "  {:<46} " + " ".join(["{:>8} {:>6} {:>6}"] * len(KINDS)) + " {:>9}"
    print(layout.format("", *(cell for kind in KINDS for cell in (kind.replace("first ", "1st "), "×", "×")), "bytes"))
    print(layout.format("class", *("µs", "cp", "dill") * len(KINDS), ""))
    rows = {}
    for case in CASES:
        missing = [name for name in case.needs if importlib.util.find_spec(name) is None]
        for name, send, question in (
            (case.name, "C", case.of_class),
            (f"an instance of: {case.name}", case.made, case.of_instance),
        ):
            if options.k not in name:
                continue
            if missing:
                print(f"  {name:<46} left out: no {', '.join(missing)} here")
                continue
            rows[name] = summary(measure(case.script, send, question, tool, rounds), tool)
            print_row(name, rows[name], tool)

    def every(column):
        return [row["ratios"][column] for row in rows.values() if column in row["ratios"]]

    columns = [f"{kind} {rival}" for kind in KINDS for rival in RIVALS]
    mean = {column: geometric_mean(every(column)) for column in columns}
    least = {column: min(every(column), default=float("nan")) for column in columns}
    for label, figures in (("geometric mean", mean), ("lowest row", least)):
        cells = [number(figures[column]) for column in columns]
        print(layout.format(label, *(cell for at in range(0, 8, 2) for cell in ("", *cells[at : at + 2])), ""))
    send = "[Item(n) for n in range(100_000)]"
    question = "[len(obj), obj[7].cost(), obj[-1].number, type(obj[0]) is type(obj[-1])]"
    name = "a list of 100,000 instances"
    many = {"ratios": {}, "failed": {}}
    if options.k in name:
        many = rows[name] = summary(measure(MANY_SCRIPT, send, question, tool, min(rounds, 5), whole=True), tool)
        print_row(name, many, tool)
    print(
        "\n  ×: how many times the time of cloudpickle and of dill is of ours. loads: a class known from before;"
        "\n  1st loads: one that has to be made"
    )
    for each, row in rows.items():
        for rival, trouble in row["failed"].items():
            if rival not in (tool, "dill"):
                print(f"  {each}: {rival} is left out, it fails: {trouble[:70]}")
    failed = sum(tool in row["failed"] for row in rows.values())
    nothing = float("nan")
    bars = [
        Bar(f"rows that {tool} restores wrongly or not", failed, at_most=0, unit=""),
        Bar("dumps against cloudpickle, mean", mean["dumps cloudpickle"], at_least=DUMPS),
        Bar("first dumps against cloudpickle, mean", mean["first cloudpickle"], at_least=DUMPS),
        Bar("loads against cloudpickle, mean", mean["loads cloudpickle"], at_least=LOADS),
        Bar("first loads against cloudpickle, mean", mean["first loads cloudpickle"], at_least=FIRST_LOADS),
        Bar("dumps of 100,000 instances", many["ratios"].get("dumps cloudpickle", nothing), at_least=MANY),
        Bar("loads of 100,000 instances", many["ratios"].get("loads cloudpickle", nothing), at_least=MANY),
    ]
    return {"rows": rows, "mean": mean, "lowest": least}, bars
