"""`capers dis` lists what `pickletools` and `dis` list."""

import dis
import importlib.util
import io
import pickle
import pickletools
import re
import types

import capers as module
import pytest
from command_line import capers, complaint, payloads

MODULES = ["argparse", "ast", "asyncio.tasks", "collections", "contextlib", "dataclasses", "enum", "inspect", "typing"]


def test_the_plain_listing_is_that_of_pickletools():
    for data in payloads():
        wanted = io.StringIO()
        pickletools.dis(data, wanted)
        assert capers("dis", "--plain", "-", data=data) == wanted.getvalue()


def test_the_height_of_the_stack_is_told_line_by_line():
    data = pickle.dumps([1, {"a": (2, 3, 4, 5)}], 2)
    heights, stack = [], []
    for opcode, _, _ in pickletools.genops(data):
        if pickletools.markobject in opcode.stack_before:
            while stack.pop() != "mark":
                pass
        else:
            del stack[len(stack) - len(opcode.stack_before) :]
        taken = (
            opcode.stack_before.index(pickletools.markobject) if pickletools.markobject in opcode.stack_before else 0
        )
        del stack[len(stack) - taken :]
        stack += ["mark" if each is pickletools.markobject else "value" for each in opcode.stack_after]
        heights.append(stack.count("value"))
    lines = capers("dis", "-", data=data).splitlines()[:-1]
    assert [int(re.match(r" *\d+: \S+ +(?:[+-]\d+ +)?(\d+)  ", line)[1]) for line in lines] == heights


def nested(code):
    """Yield *code* and all code in it, as the command does: the outermost first, then the last constants first."""
    inside = [
        each for const in code.co_consts if isinstance(const, types.CodeType) for each in reversed([*nested(const)])
    ]
    yield code
    yield from reversed(inside)


LINE = re.compile(r" +\| +(\d+) (\S+)(?: +(\d+))?(?: \((.*)\))?$")


def listed(text):
    """Return the code objects of a listing: name and instructions."""
    found = []
    for line in text.splitlines():
        if " | code of " in line:
            found.append((line.split(" | code of ")[1].split(",")[0], []))
        elif match := LINE.match(line):
            offset, name, argument, shown = match.groups()
            found[-1][1].append((int(offset), name, None if argument is None else int(argument), shown or ""))
    return found


def wanted(code):
    """Yield what `dis` says of each instruction, and the text that it must be shown with where both use the same words."""
    for each in dis.get_instructions(code):
        shown = each.argrepr
        if each.opcode in dis.hasjrel:
            shown = f"to {each.argval}"
        elif each.opcode in dis.hasconst and not isinstance(each.argval, str | int | float | bytes | None):
            shown = None
        if shown is not None and (len(shown) > 190 or not shown.isascii()):
            shown = None  # cut, or with characters that are shown or escaped by the tables of this Python's Unicode
        yield each.offset, each.opname, each.arg, shown


@pytest.mark.parametrize("name", MODULES)
def test_bytecode_is_listed_as_dis_lists_it(name):
    code = importlib.util.find_spec(name).loader.get_code(name)
    found = listed(capers("dis", "--code", "-", data=module.dumps(code)))
    every = list(nested(code))
    assert [each for each, _ in found] == [each.co_qualname for each in every]
    for (qualname, instructions), each in zip(found, every, strict=True):
        expected = list(wanted(each))
        assert len(instructions) == len(expected), qualname
        for got, want in zip(instructions, expected, strict=True):
            assert got[:3] == want[:3], qualname
            assert want[3] is None or got[3] == want[3], (qualname, got, want)


def test_a_damaged_payload_is_listed_as_far_as_it_goes():
    data = pickle.dumps(["x" * 100])
    assert complaint("dis", "-", data=data[:50], code=1) == (
        "capers: standard input is damaged: pickle data was truncated (SHORT_BINUNICODE at byte 13)\n"
    )
    assert "EMPTY_LIST" in capers("dis", "-", data=data[:50], code=1)


def test_code_that_cannot_be_read_is_said_so_and_the_listing_goes_on():
    data = module.dumps(lambda: 0)
    spoiled = data.replace(b"<lambda>", b"<lamb\xffa>")
    assert "this code cannot be read: string marked as ASCII is not" in capers("dis", "--code", "-", data=spoiled)
