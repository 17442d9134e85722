"""The wire names: one file, frozen, importable with the standard library alone."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

from sources import CRATES, REBUILD, files, name

GOLDEN = Path(__file__).with_name("wire_names.txt")


def tree():
    """Return the syntax tree of the wire module."""
    return ast.parse(REBUILD.read_text())


def exported():
    """Return the wire names: the public functions and classes of the wire module."""
    return [
        node.name
        for node in tree().body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]


def signatures():
    """Return one line for every wire name: the name and its arguments."""
    defined = {node.name: node for node in tree().body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    lines = []
    for each in sorted(exported()):
        node = defined[each]
        lines.append(f"{each}({ast.unparse(node.args)})" if isinstance(node, ast.FunctionDef) else f"class {each}")
    return "".join(line + "\n" for line in lines)


def test_wire_names_are_frozen():
    if os.environ.get("CAPERS_BLESS"):
        GOLDEN.write_text(signatures())
    assert signatures() == GOLDEN.read_text(), (
        "wire names changed: payloads already written must still load; "
        "if they do, run `python3 dev.py bless`, read the diff, and put `Wire:` into the commit message"
    )


def test_the_wire_module_imports_the_standard_library_only():
    imported = set()
    for node in ast.walk(tree()):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            imported.add(node.module.partition(".")[0])
    assert imported <= sys.stdlib_module_names


def test_the_wire_module_imports_without_the_native_one():
    code = """
import sys
sys.modules["capers._core"] = None
import capers._rebuild as wire
print(*sorted(name for name, made in vars(wire).items() if name[0] != "_" and getattr(made, "__module__", "") == wire.__name__))
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.split() == sorted(exported())


def test_rust_writes_wire_names_in_one_file():
    pair = re.compile(r'"capers\._rebuild",\s*"')
    writers = [path for path in files(".rs") if pair.search(path.read_text())]
    assert [name(path) for path in writers] == [name(CRATES / "capers-py" / "src" / "wire.rs")]


def test_every_wire_name_that_rust_writes_exists():
    written = re.findall(r'"capers\._rebuild",\s*"(\w+)"', (CRATES / "capers-py" / "src" / "wire.rs").read_text())
    assert written
    assert set(written) <= set(exported())
