"""What the tidy tests read: the project's files, and Rust source without its comments and texts."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("crates", "python", "tests", "bench", "examples", "docs", "fuzz")
CRATES = ROOT / "crates"
PY_CRATE = CRATES / "capers-py"
FFI = PY_CRATE / "src" / "ffi"
REBUILD = ROOT / "python" / "capers" / "_rebuild.py"

COMMENT_OR_TEXT = re.compile(
    r"""//[^\n]*                         # a line comment
      | /\*.*?\*/                        # a block comment
      | \bb?r(\#*)".*?"\1                # a raw text
      | "(?:\\.|[^"\\])*"                # a text
      | '(?:\\[^']{1,10}|\\'|[^\\'\n])'  # a character; a lifetime has no closing quote
    """,
    re.DOTALL | re.VERBOSE,
)
TESTS = re.compile(r"#\[cfg\(test\)\]\s*mod \w+ \{.*", re.DOTALL)


@cache
def files(*suffixes):
    """Return the project's files that end with one of *suffixes*, build results left out."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in FOLDERS:
        found += (path for path in (ROOT / folder).rglob("*") if path.is_file())
    hidden = {"target", "build", "__pycache__"}
    return sorted(p for p in found if p.suffix in suffixes and not hidden & set(p.relative_to(ROOT).parts))


def name(path):
    """Return *path* as it is written in a message."""
    return path.relative_to(ROOT).as_posix()


def blank(match):
    """Return the line breaks of *match* and nothing else, so that line numbers stay."""
    return " " + "\n" * match.group().count("\n")


@cache
def rust_code(path, tests=True):
    """Return the Rust source *path* without comments and texts, and without its unit tests unless *tests*."""
    code = COMMENT_OR_TEXT.sub(blank, path.read_text())
    return code if tests else TESTS.sub("", code)


def module_path(path):
    """Return the module that the source *path* is, as a list: ``["crate", "dump", "memo"]``."""
    parts = list(path.relative_to(path.parents[len(path.parts) - 2]).parts)
    inside = parts[parts.index("src") + 1 :]
    inside[-1] = inside[-1].removesuffix(".rs")
    if inside[-1] in ("mod", "lib", "main"):
        inside.pop()
    return ["crate", *inside]


def expand(tree):
    """Return every path that a ``use`` tree names: ``a::{b, c::d}`` gives ``a::b`` and ``a::c::d``."""
    tree = tree.strip()
    if "{" not in tree:
        return [re.sub(r"\s+as\s+\w+$", "", tree)]
    head, _, rest = tree.partition("{")
    parts, depth, begun = [], 0, 0
    body = rest[: rest.rindex("}")]
    for at, letter in enumerate(body):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            parts.append(body[begun:at])
            begun = at + 1
    parts.append(body[begun:])
    return [path for part in parts if part.strip() for path in expand(head.strip() + part.strip())]


@cache
def rust_paths(path):
    """Return every ``crate::…`` and ``other_crate::…`` path that the Rust source names outside its unit tests."""
    code = rust_code(path, tests=False)
    named = [full for tree in re.findall(r"\buse\s+([^;]+);", code) for full in expand(tree)]
    named += re.findall(r"\b(?:crate|super|self|capers_\w+|pyo3)(?:::\w+)+", code)
    here = module_path(path)
    resolved = set()
    for each in named:
        parts, base = each.split("::"), list(here)
        if parts[0] in ("self", "super"):
            while parts and parts[0] in ("self", "super"):
                if parts.pop(0) == "super":
                    base.pop()
            parts = base + parts
        resolved.add("::".join(parts))
    return resolved


def names_any(path, *forbidden):
    """Return the paths named in *path* that are or lie below one of *forbidden*."""
    return sorted(
        each for each in rust_paths(path) if any(each == bad or each.startswith(bad + "::") for bad in forbidden)
    )
