"""Who may know whom, and what every file owes its reader.  ARCHITECTURE.md numbers these invariants."""

import ast
import re
import tomllib

import pytest
from sources import CRATES, PY_CRATE, ROOT, expand, files, module_path, name, names_any, rust_code

SOURCE = CRATES / "capers-py" / "src"
PICKLE = CRATES / "capers-pickle" / "src"

# Which crates each crate may use: its own ones; None is for those that are not ours.
MAY_USE = {
    "capers-pickle": {"capers-code"},
    "capers-code": set(),
    "capers-seal": set(),
    "capers-py": {"capers-pickle", "capers-code", "capers-seal"},
    "capers-cli": {"capers-pickle", "capers-code", "capers-seal"},
}

# Modules (a file, or a folder of them) and what they must not name.
WRITING = (
    "capers_pickle::writer",
    "capers_pickle::Writer",
    "capers_pickle::opcode",
    "capers_pickle::Op",
    "crate::dump",
)
MUST_NOT_NAME = {
    "dump never knows load": (SOURCE / "dump", ("crate::load",)),
    "load never knows dump": (SOURCE / "load", ("crate::dump",)),
    "by_value emits no opcodes": (SOURCE / "by_value", WRITING),
    "policy emits no opcodes": (SOURCE / "policy", WRITING),
    "the reader never knows the writer": (PICKLE / "reader", ("crate::writer", "crate::Writer")),
    "the writer never knows the reader": (PICKLE / "writer", ("crate::reader", "crate::Source", "crate::machine")),
    "the machine never knows a host or the inspector": (PICKLE / "machine", ("crate::plain", "crate::inspect")),
}


def rust_files(path):
    """Return the sources of the module *path*: ``path.rs`` and everything in the folder ``path``."""
    return [each for each in [path.with_suffix(".rs"), *sorted(path.rglob("*.rs"))] if each.exists()]


def manifests():
    """Return each crate's manifest by name."""
    return {path.parent.name: tomllib.loads(path.read_text()) for path in CRATES.glob("*/Cargo.toml")}


def dependencies(manifest):
    """Return all that a manifest depends on, tests and builds included."""
    kinds = ("dependencies", "dev-dependencies", "build-dependencies")
    return {each for kind in kinds for each in manifest.get(kind, {})}


def test_crates_use_only_the_crates_they_may():
    for crate, manifest in manifests().items():
        ours = {each for each in dependencies(manifest) if each.startswith("capers-")}
        assert ours <= MAY_USE[crate], f"{crate} must not use {sorted(ours - MAY_USE[crate])}"


def test_only_capers_py_names_pyo3():
    users = {crate for crate, manifest in manifests().items() if any("pyo3" in each for each in dependencies(manifest))}
    assert users == {"capers-py"}
    strangers = [p for p in files(".rs") if PY_CRATE not in p.parents and re.search(r"\bpyo3\w*", rust_code(p))]
    assert [name(path) for path in strangers] == []


@pytest.mark.parametrize("rule", MUST_NOT_NAME)
def test_modules_keep_their_distance(rule):
    path, forbidden = MUST_NOT_NAME[rule]
    sources = rust_files(path)
    assert sources, f"{name(path)} has gone: update the rule"
    assert {name(each): named for each in sources if (named := names_any(each, *forbidden))} == {}


def test_the_names_in_use_trees_are_found():
    assert expand("a::{b, c::{d, e as f}, self}") == ["a::b", "a::c::d", "a::c::e", "a::self"]
    assert module_path(SOURCE / "dump" / "mod.rs") == ["crate", "dump"]
    assert module_path(SOURCE / "dump" / "memo.rs") == ["crate", "dump", "memo"]


def test_no_file_is_longer_than_800_lines():
    long = {name(path): lines for path in files(".rs", ".py", ".pyi") if (lines := path.read_text().count("\n")) > 800}
    assert long == {}


def test_every_rust_module_opens_with_an_essay():
    assert [name(path) for path in files(".rs") if not path.read_text().lstrip().startswith("//!")] == []


def test_every_python_module_opens_with_a_docstring():
    silent = []
    for path in files(".py"):
        tree = ast.parse(path.read_text())
        if tree.body and not ast.get_docstring(tree):
            silent.append(name(path))
    assert silent == []


def test_no_toolchain_is_pinned():
    assert list(ROOT.glob("rust-toolchain*")) == []


def test_nothing_is_left_for_later():
    word = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|\b(?:to" r"do|unimple" r"mented)!")
    found = []
    for path in files(".rs", ".py", ".pyi", ".md", ".toml"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if word.search(line):
                found.append(f"{name(path)}:{number}: {line.strip()}")
    assert found == []
