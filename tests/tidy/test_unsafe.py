"""Unsafe code has one address, and each block says why it is sound."""

import re

from sources import CRATES, FFI, PY_CRATE, files, name, rust_code

UNSAFE = re.compile(r"\bunsafe\b")
QUESTIONS = {"alive", "type", "shared", "runs"}
ANSWERED = re.compile(r"\b((?:alive|type|shared|runs)(?:, (?:alive|type|shared|runs))*):")
DECLARED = re.compile(r"^//! .*?\binvariant ([A-Z][A-Z_]+):", re.MULTILINE)


def safety_comment(lines, number):
    """Return the comment that begins ``// SAFETY:`` above line *number* (from 0), or an empty text.

    Between comment and block there may be attributes and the beginning of the statement, but no other statement and
    no empty line.
    """
    above = number - 1
    while above >= 0:
        line = lines[above].strip()
        if line.startswith("//"):
            begin = above
            while begin > 0 and lines[begin - 1].strip().startswith("//"):
                begin -= 1
            comment = " ".join(each.strip().lstrip("/ ") for each in lines[begin : above + 1])
            return comment[comment.find("SAFETY:") :] if "SAFETY:" in comment else ""
        if not line or line.endswith((";", "}")):
            return ""
        above -= 1
    return ""


def answers(comment, invariants):
    """Whether a safety *comment* answers the four questions, or names a declared invariant that does."""
    named = re.findall(r"\binvariant ([A-Z][A-Z_]+)", comment)
    answered = {question for label in ANSWERED.findall(comment) for question in label.split(", ")}
    return answered == QUESTIONS or (bool(named) and set(named) <= invariants)


def test_unsafe_code_is_in_ffi_only():
    outside = [path for path in files(".rs") if FFI not in path.parents and UNSAFE.search(rust_code(path))]
    assert [name(path) for path in outside] == []


def test_pure_crates_forbid_unsafe_code():
    lax = [
        crate.name
        for crate in CRATES.iterdir()
        if crate != PY_CRATE and "#![forbid(unsafe_code)]" not in next(crate.glob("src/[lm]*i[bn].rs")).read_text()
    ]
    assert lax == []


def test_every_unsafe_block_answers_the_four_questions():
    invariants = set(DECLARED.findall((FFI / "mod.rs").read_text()))
    unanswered, seen = [], 0
    for path in FFI.rglob("*.rs"):
        lines = path.read_text().splitlines()
        for number, line in enumerate(rust_code(path).splitlines()):
            if re.search(r"\bunsafe\s*(?:\{|impl\b)", line):
                seen += 1
                if not answers(safety_comment(lines, number), invariants):
                    unanswered.append(f"{name(path)}:{number + 1}: {lines[number].strip()}")
    assert unanswered == []
    assert seen, "there is no unsafe block at all: this test looks at the wrong place"


def test_the_check_of_safety_comments_can_fail():
    full = "// SAFETY: alive: yes. type: list. shared: GIL. runs: nothing."
    assert answers(safety_comment([full, "unsafe {"], 1), set())
    assert answers("SAFETY: alive, type: no objects. shared, runs: nothing.", set())
    assert not answers("SAFETY: alive, type: no objects. runs: nothing.", set())
    assert not answers(safety_comment(["// SAFETY: it is fine.", "unsafe {"], 1), set())
    assert not answers(safety_comment([full, "let a = 1;", "unsafe {"], 2), set())
    assert answers("SAFETY: invariant OWNED", {"OWNED"})
    assert not answers("SAFETY: invariant OWNED", set())
