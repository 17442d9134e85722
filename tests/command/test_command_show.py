"""`capers show` tells what a payload holds, and agrees with what happens when it is loaded."""

import collections
import inspect
import json
import pickle
import pickletools
import sys

import capers as module
import pytest
from command_line import Noting, capers, complaint, payloads, variants

VERSION = "%d.%d" % sys.version_info[:2]


def shown(data, code=0):
    """Return what `capers show --json` says of *data*."""
    return json.loads(capers("show", "--json", "-", data=data, code=code))


def asked(report):
    """Return the globals of a report, in order."""
    return [(each["module"], each["name"]) for each in report["globals"]]


def functions(report):
    """Return the nodes of functions by value, by name."""
    return {
        node["name"]: node for node in report["nodes"] if node["type"].endswith("function") and node["how"] == "value"
    }


def test_globals_are_those_that_find_class_is_asked_for():
    compared = 0
    for data in payloads():
        unpickler = Noting(data)
        unpickler.load()
        assert asked(shown(data)) == unpickler.asked, data
        compared += bool(unpickler.asked)
    assert compared > 150


def test_globals_are_those_that_find_class_is_asked_for_whatever_is_changed():
    base = [data for data in payloads() if len(data) < 5000]
    known = {("collections", "OrderedDict"), ("collections", "deque")}
    for data in base:
        unpickler = Noting(data)
        unpickler.load()
        known.update(unpickler.asked)
    compared = 0
    for data in variants(1, base):
        unpickler = Noting(data, known)
        try:
            unpickler.load()
        except Exception:
            continue  # what does not load any more shows nothing
        assert asked(shown(data)) == unpickler.asked, data
        compared += 1
        if compared == 600:
            break


def test_globals_are_told_with_the_offset_of_the_instruction_that_asks():
    for data in payloads():
        wanted = [
            position
            for opcode, _, position in pickletools.genops(data)
            if opcode.name in ("GLOBAL", "STACK_GLOBAL", "INST")
        ]
        assert [each["offset"] for each in shown(data)["globals"]] == wanted


def test_every_byte_belongs_to_one_node_and_every_node_to_one_other():
    for data in payloads():
        report = shown(data)
        nodes = {node["id"]: node for node in report["nodes"]}
        assert sum(node["own"] for node in nodes.values()) == report["total"] == len(data)
        children = [child for node in nodes.values() for child in node["children"]]
        assert sorted([*children, report["root"]]) == sorted(nodes)
        for node in nodes.values():
            assert node["total"] == node["own"] + sum(nodes[child]["total"] for child in node["children"])
            assert all(other in nodes for other in node["shared"])


def bare(annotated):
    """Return the signature of a function as the command shows it: names, and an ellipsis for defaults."""
    signature = inspect.signature(annotated, follow_wrapped=False)
    plain = [
        each.replace(annotation=each.empty, default=each.empty if each.default is each.empty else "DEFAULT")
        for each in signature.parameters.values()
    ]
    return str(inspect.Signature(plain)).replace("='DEFAULT'", "=…")


def positional(a, b, /, c, d=1):
    return a


def by_name(*, k, l=2):
    return k


def everything(a, /, b, c=3, *rest, d, e=4, **more):
    return lambda: a


def no_parameters():
    return None


async def waits(x):
    return x


def yields(x):
    yield x


async def both(x, *, y=1):
    yield x


@pytest.mark.parametrize(
    "function", [positional, by_name, everything, no_parameters, waits, yields, both], ids=lambda f: f.__name__
)
def test_a_function_is_shown_with_its_signature_and_position(function):
    report = shown(module.dumps(function, by_value=["test_command_show"]))
    node = functions(report)[function.__qualname__]
    assert node["code"]["signature"] == bare(function)
    assert (node["code"]["file"], node["code"]["line"]) == (
        function.__code__.co_filename,
        function.__code__.co_firstlineno,
    )
    assert report["python"] == VERSION
    kinds = {"waits": "coroutine function", "yields": "generator function", "both": "async generator function"}
    assert node["type"] == kinds.get(function.__name__, "function")


LIMIT = 3


def uses_names(x):
    import xml.dom

    def inside(y):
        return LIMIT + x + json.dumps(y).count

    return inside, collections.deque, xml.dom, xml.missing


def test_the_names_that_a_function_uses_are_told_those_of_functions_inside_it_too():
    code = functions(shown(module.dumps(uses_names, by_value=["test_command_show"])))["uses_names"]["code"]
    assert code["globals"] == ["LIMIT", "collections", "json"]
    assert code["attributes"] == ["count", "deque", "dom", "dumps", "missing"]
    assert code["imports"] == ["xml.dom"]


def test_captures_are_shown_under_their_names():
    def outer(rate, table):
        return lambda x: table[x] * rate

    report = shown(module.dumps(outer(3, {"key": [1, 2, 3]})))
    nodes = {node["id"]: node for node in report["nodes"]}
    (function,) = functions(report).values()
    cells = {nodes[child]["name"]: nodes[child] for child in function["children"] if nodes[child]["type"] == "cell"}
    assert set(cells) == {"rate", "table"}
    assert cells["rate"]["values"] == [["content", "3"]]
    assert [nodes[child]["type"] for child in cells["table"]["children"]] == ["dict"]


def test_a_class_is_shown_by_value_with_its_methods():
    class Made(dict):
        limit = 3

        def method(self, a):
            return a

    report = shown(module.dumps(Made))
    (made,) = [node for node in report["nodes"] if node["type"] == "class"]
    assert made["name"] == "Made" and made["how"] == "value" and ["limit", "3"] in made["values"]
    inside = {node["name"] for node in report["nodes"] if node["id"] in made["children"]}
    assert any(name.endswith("Made.method") for name in inside) and "dict" in inside


def test_shared_parts_are_counted_once_and_referred_to():
    part = ["part"] * 100
    report = shown(pickle.dumps([part, part, (part,)]))
    lists = [node for node in report["nodes"] if node["type"] == "list" and node["items"] == 100]
    assert len(lists) == 1
    assert sum(lists[0]["id"] in node["shared"] for node in report["nodes"]) == 2


def test_large_captures_are_warned_of():
    table = b"x" * 3_000_000
    report = shown(module.dumps(lambda: table))
    warned = [node for node in report["nodes"] if node["warnings"]]
    assert [node["type"] for node in warned] == ["bytes"]
    assert warned[0]["warnings"] == ["makes up 99 % of the payload"]


def test_text_summary_tree_and_page_are_of_the_same_payload(tmp_path):
    data = module.dumps(uses_names, by_value=["test_command_show"])
    file = tmp_path / "payload"
    file.write_bytes(data)
    summary = capers("show", file)
    assert f"pickle, protocol 5, {len(data):,} bytes, code of Python {VERSION}" in summary
    assert "function uses_names(x)" in summary and "uses LIMIT, collections, json" in summary
    assert "uses_names(x)" in capers("show", "--tree", file)
    page = tmp_path / "page.html"
    assert capers("show", "--html", page, file) == ""
    text = page.read_text()
    inside = text.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    from_page, report = json.loads(inside), shown(data)
    report["title"] = from_page["title"]
    assert from_page == report
    assert "http://" not in text and "https://" not in text and " src=" not in text


def test_standard_input_and_files_are_read_alike(tmp_path):
    file = tmp_path / "payload"
    file.write_bytes(pickle.dumps([1, {"a": 2}]))
    from_file = json.loads(capers("show", "--json", file))
    from_input = shown(file.read_bytes())
    assert from_input["title"] == "standard input"
    assert {**from_file, "title": None} == {**from_input, "title": None}


def test_a_damaged_payload_is_shown_as_far_as_it_goes_and_named():
    data = pickle.dumps(["x" * 100, "y" * 100])
    report = shown(data[:150], code=1)
    assert report["error"] == "pickle data was truncated (SHORT_BINUNICODE at byte 117)"
    said = complaint("show", "-", data=data[:150], code=1)
    assert said == f"capers: standard input is damaged: {report['error']}\n"


@pytest.mark.parametrize(
    "data, told",
    [
        (b"\x80\x02Iabc\n.", "could not convert string to int (INT at byte 2)"),
        (b"\x80\x02Fabc\n.", "could not convert string to float (FLOAT at byte 2)"),
        (b"\x80\x02X\x01\0\0\0\xff.", "text is not in the expected encoding (BINUNICODE at byte 2)"),
        (b"\x80\x02]a.", "the stack has too few values (APPEND at byte 3)"),
        (b"\x80\x02h\x05.", "the memo has no entry 5 (BINGET at byte 2)"),
        (b"\x80\x02\xff.", "no opcode has the byte 0xff (at byte 2)"),
        (b"\x80\x09N.", "unsupported pickle protocol: 9 (PROTO at byte 0)"),
    ],
)
def test_damage_is_told_with_its_offset_and_opcode(data, told):
    assert shown(data, code=1)["error"] == told


def test_more_values_at_once_than_there_is_room_for_are_refused():
    said = complaint("show", "-", data=b"\x80\x04(" + b"N" * 1_200_000 + b"t.")
    assert said.startswith("capers: standard input holds more values at once than there is room for: ")


def test_bytes_after_the_payload_are_counted():
    assert shown(pickle.dumps(1) + b"rest")["following"] == 4


@pytest.mark.parametrize(
    "data, told",
    [
        (b"PK\x03\x04...", "is a zip file, not a pickle"),
        (b"\x1f\x8b\x08...", "is a gzip file, not a pickle: try `gunzip -c FILE | capers show -`"),
        (b"\x93NUMPY\x01\x00", "is a .npy file, not a pickle"),
        (b'{"a": 1}', "looks like JSON or other text, not like a pickle"),
        (b"gASVBQAAAAAAAABLAS4=", "looks like a pickle in base64: try `base64 -d FILE | capers show -`"),
        (b"root:x:0:0:root:/root:/bin/bash\n", "is not a pickle: the stack has too few values (LONG_BINPUT at byte 0)"),
        (b"", "is empty"),
        (b"\xff\xd8\xff", "is not a pickle: no opcode has the byte 0xff (at byte 0)"),
    ],
)
def test_what_is_no_pickle_is_told_so(data, told):
    for command in ("show", "dis"):
        said = complaint(command, "-", data=data)
        assert said.startswith(f"capers: standard input {told}") or command == "dis" and data[:1] == b"r"


def test_files_that_cannot_be_read_and_bad_arguments_end_with_two(tmp_path):
    assert "no such file or directory" in complaint("show", tmp_path / "absent")
    assert "is a folder" in complaint("show", tmp_path)
    assert "Usage" in complaint("show")
    assert "unexpected argument" in complaint("show", "-", "--loud")


def test_colours_are_used_where_they_are_asked_for_only():
    data = module.dumps(lambda: 0)
    assert "\x1b[" not in capers("show", "-", data=data)
    assert "\x1b[1m" in capers("--color", "always", "show", "-", data=data)


def test_a_payload_cannot_steer_the_terminal():
    data = pickle.dumps({"\x1b[2J\x07" * 30: "\x1b]0;title\x07" * 20, "k": b"\x1b[2J"})
    for arguments in (["show"], ["show", "--tree"], ["dis"], ["dis", "--plain"]):
        out = capers(*arguments, "-", data=data, text=False)
        assert b"\x1b" not in out and b"\x07" not in out


def test_completions_and_the_manual_name_every_command():
    for text in (
        capers("completions", "bash"),
        capers("completions", "zsh"),
        capers("completions", "fish"),
        capers("man"),
    ):
        assert all(name in text for name in ("show", "dis", "diff", "completions"))
    assert capers("--version") == "capers 0.1.0\n"


def test_payloads_of_cloudpickle_are_understood():
    import cloudpickle

    class Made:
        def method(self, a, *, b=1):
            return a

    def outer(n):
        def inner(x, y=2):
            return Made().method(x) + n

        return inner

    report = shown(cloudpickle.dumps(outer(3)))
    inner = next(node for name, node in functions(report).items() if name.endswith("inner"))
    assert inner["code"]["signature"].startswith("(x, y") and inner["code"]["line"] == outer(3).__code__.co_firstlineno
    assert "Made" in [node["name"] for node in report["nodes"] if node["type"] == "class"]


def test_code_is_read_at_every_protocol():
    code = (lambda x: x).__code__
    for protocol in range(6):
        report = shown(module.dumps(code, protocol))
        (node,) = [node for node in report["nodes"] if node["type"] == "code"]
        assert node["code"]["signature"] == "(x)" and node["total"] > report["total"] // 2, protocol
