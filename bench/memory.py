"""The suite ``memory``: how far memory rises while an object of 1 GiB is written or read, against C `pickle`.

Each figure comes from a process of its own, one at a time; the object, or the payload, is there before.  *Needed* is what
no tool can do without: the result of ``dumps``, the object that ``load`` makes, and the bytes that the object's own
reduction makes of it (``array.array`` copies itself into bytes, and from bytes when it is read).
"""

import importlib.util
import sys
import tempfile
from pathlib import Path

from .child import ROOT, asked
from .memory_worker import MIB, PART
from .report import Bar, ink, number

SIZE = 1 << 30
SPARE = 16 * MIB  # what may be used beyond that: a read-ahead, a piece on its way, the interpreter's own

# name, what the worker makes, bytes that its reduction copies
CASES = (
    ("bytes", "bytes", 0),
    ("bytearray", "bytearray", 0),
    ("str", "str", 0),
    ("array.array", "array", SIZE),
    ("numpy array", "numpy", 0),
    ("list of 1,024 bytes of 1 MiB", "list", 0),
)
# action, and what it needs of an object: of its size, and of what its reduction copies
ACTIONS = {
    "dump": ("dump to a file", 0, 1),
    "dumps": ("dumps", 1, 1),
    "load": ("load from a file", 1, 1),
    "loads": ("loads", 1, 1),
    "out of band": ("dumps and loads, out of band", 0, 0),
}


def rise(tool, action, what, path):
    """Return by how many bytes memory rose, or a text that tells why there is no figure."""
    command = [sys.executable, "-m", "bench.memory_worker", tool, action, what, str(SIZE), str(path)]
    told, trouble = asked(command, cwd=ROOT)
    return told["bytes"] if trouble is None else trouble


def rows(options):
    """Yield the rows that this machine can measure: an action, a name, what to make, what is needed."""
    for action, (title, of_size, of_copy) in ACTIONS.items():
        for name, what, copied in CASES:
            if options.k not in name or (action == "out of band" and what != "numpy"):
                continue
            if what == "numpy" and importlib.util.find_spec("numpy") is None:
                print(f"  {title}, {name}: left out, there is no numpy here")
                continue
            yield action, title, name, what, of_size * SIZE + of_copy * copied


def run(options):
    """Measure every row and judge what is used beyond the needed."""
    figures, beyond, failed = {}, {title: [] for title, *_ in ACTIONS.values()}, 0
    layout = "  {:<30} {:<30} {:>9} {:>9} {:>9}"
    print(layout.format("", "memory rises by, in MiB", "needed", options.tool, "pickle"))
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        path = Path(folder, "payload")
        for action, title, name, what, needed in rows(options):
            if action in ("load", "loads"):
                rise("pickle", "dump", what, path)
            ours, theirs = rise(options.tool, action, what, path), rise("pickle", action, what, path)
            figures[f"{title}: {name}"] = {"needed": needed, options.tool: ours, "pickle": theirs}
            cells = [number(each / MIB, 1) if isinstance(each, int) else "failed" for each in (ours, theirs)]
            if isinstance(ours, int):
                beyond[title].append((ours - needed) / MIB)
            else:
                failed += 1
                print(ink("31", f"  {title}, {name}: {ours}"))
            print(layout.format(title, name, number(needed / MIB, 1), *cells), flush=True)
    bars = [Bar("rows without a figure or with a wrong result", failed, at_most=0, unit="")]
    for title, spent in beyond.items():
        if spent:
            bars.append(Bar(f"{title}: most beyond the needed", max(spent), at_most=SPARE // MIB, unit=" MiB"))
    part = figures.get("dump to a file: list of 1,024 bytes of 1 MiB", {}).get(options.tool)
    if isinstance(part, int):
        bars.append(Bar("dump to a file: the list, in parts of it", part / PART, at_most=1.1))
    return figures, bars
