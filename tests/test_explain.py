"""A report accounts for every byte of the payload that dumps would write, and lists all that cannot travel."""

import json
import textwrap
from html.parser import HTMLParser
from xml.etree import ElementTree

import capers
import pytest
from gallery import GALLERY
from shipping import run

SETUP = """
import capers, json, sys, types, weakref, importable

F = sys._getframe()

def named(report):
    # The nodes by their paths.
    return {report.path(node["id"]): node for node in report.to_dict()["nodes"]}

def check(report, payload=None):
    # Sums are exact, and nothing is in nobody's part.
    data = report.to_dict()
    nodes = {node["id"]: node for node in data["nodes"]}
    assert sum(node["own"] for node in nodes.values()) == data["total"] == report.total
    for node in nodes.values():
        assert node["own"] >= 0
        assert node["total"] == node["own"] + sum(nodes[each]["total"] for each in node["children"])
    children = [each for node in nodes.values() for each in node["children"]]
    assert sorted([*children, data["root"]]) == sorted(nodes)
    assert all(node["name"] for node in nodes.values())
    assert nodes[data["root"]]["own"] <= data["total"] / 100
    json.dumps(data)
    if payload is not None:
        assert len(payload) == report.total and not report.offenders, report.offenders
    return report
"""


@pytest.mark.parametrize("name", GALLERY)
@pytest.mark.parametrize("protocol", [2, 5])
def test_every_byte_of_the_payload_is_accounted_for(name, protocol):
    script = f"payload = capers.dumps(obj, {protocol})\nreport = check(capers.explain(obj, {protocol}), payload)\n"
    again = f"assert capers.dumps(obj, {protocol}) == payload\nprint(report)\n"
    assert "payload" in run(SETUP + textwrap.dedent(GALLERY[name]) + "\n" + script + again)


DATA = {
    "atoms": "[1, 'a', None, 2.5, True, b'x', 2 ** 99]",
    "nothing but an atom": "1",
    "a short text": "'x'",
    "nested containers": "{'a': [(1, {2}), frozenset([3])], 'b': {'c': bytearray(9)}}",
    "a list in itself": "(lambda l: (l.append(l), l)[1])([1])",
    "a tuple in itself": "(lambda l: (l.append((l,)), l[0])[1])([])",
    "many items": "[[i] for i in range(5000)]",
    "many atoms": "list(range(100_000))",
    "a large part": "[bytes(1 << 20), 'y' * (1 << 20), [1]]",
    "many items before others": "[[[i] for i in range(5000)], {'last': bytes(500)}]",
    "instances": "[importable.Holder([i]) for i in range(900)]",
    "slots": "[importable.Point(i, [i]) for i in range(900)]",
    "a deep list": "(lambda f: [x := [], [x := [x] for _ in range(30_000)]][1][-1])(0)",
    "weak references": "(lambda h: [h, weakref.ref(h), weakref.proxy(h), weakref.WeakSet([h])])(importable.Holder(1))",
    "a weak dict": "(lambda h: [weakref.WeakValueDictionary({1: h}), h])(importable.Holder(1))",
}


@pytest.mark.parametrize("what", DATA)
def test_every_byte_of_data_is_accounted_for(what):
    run(SETUP + f"obj = {DATA[what]}\ncheck(capers.explain(obj), capers.dumps(obj))")


def test_parts_are_named_as_the_ways_of_errors_are():
    run(
        SETUP
        + """
TABLE = b"t" * 5000
class Model:
    rate = "r" * 500
    def __init__(self): self.weights = [b"w" * 700]
    def fit(self): return TABLE
def serve(model):
    def handler(x, more={"k": b"d" * 300}): return model, handler
    return handler
found = named(check(capers.explain(serve(Model()))))
sizes = {
    "handler.__closure__['model'].weights[0]": 700,
    "handler.__closure__['model'].__class__.rate": 500,
    "handler.__closure__['model'].__class__.fit.__globals__['TABLE']": 5000,
    "handler.__defaults__[0]['k']": 300,
}
for path, size in sizes.items():
    assert size < found[path]["total"] <= size + 8, path
assert found["handler"]["how"] == "value" and found["handler.__closure__['model'].__class__"]["how"] == "value"
assert found["handler.__closure__['model'].__class__.__class__"]["how"] == "reference"
assert found["handler"]["id"] in found["handler"]["shared"]
"""
    )


def test_all_that_cannot_travel_is_listed_and_the_first_is_what_dumps_says():
    run(
        SETUP
        + """
@types.coroutine
def coroutine(): yield
class Raising:
    def __reduce__(self): raise KeyError("no")
def f(): return F, helper
def helper(x=F): return G
G = {"a": (x for x in [F])}
next(G["a"])
obj = [f, {"k": F}, Raising(), importable.Holder(F), 5]
report = check(capers.explain(obj))
try:
    capers.dumps(obj)
except capers.CannotPickleError as error:
    first = str(error)
refused = "cannot pickle 'frame' object: it is part of a running program"
told = [(each["path"], each["message"]) for each in report.offenders]
assert first == "%s (at %s)" % told[0][::-1]
generator = ("cannot pickle 'generator' object: what it has still to run is a frame of this process; "
             "pass the function that makes it")
assert told == [
    ("list[0].__globals__['F']", refused),
    ("list[0].__globals__['helper'].__defaults__[0]", refused),
    ("list[0].__globals__['helper'].__globals__['G']['a']", generator),
    ("list[1]['k']", refused),
    ("list[2]", "KeyError: 'no'"),
    ("list[3].value", refused),
], told
text = str(report)
assert text.index("cannot travel") < text.index("100.0 %") and text.count("← cannot travel") == 6
"""
    )


def test_what_is_refused_on_its_own_has_a_report_too():
    run(SETUP + "report = check(capers.explain(F))\nassert len(report.offenders) == 1 and report.total < 20")


def test_a_weak_reference_to_what_cannot_travel_is_dead_and_no_offender():
    run(
        SETUP
        + """
h = importable.Holder(F)
obj = [weakref.ref(h), 1]
check(capers.explain(obj), capers.dumps(obj))
"""
    )


def test_classes_that_lead_back_to_themselves_are_accounted_for():
    run(
        SETUP
        + """
class A:
    items = []
    def m(self): return A, B
class B(A):
    other = [A, {"k": A}]
    def m(self): return super().m()
A.items.append(B)
A.b = B()
obj = [B, A]
check(capers.explain(obj), capers.dumps(obj))
"""
    )


def test_an_offender_inside_a_class_is_taken_back_alone():
    run(
        SETUP
        + """
class A:
    good = [1]
    bad = [A0 := F]
    def m(self): return A, F
report = check(capers.explain([A, A(), 1]))
assert {each["type"] for each in report.offenders} == {"frame"} and len(report.offenders) >= 2
assert "list[0].good" in named(report)
"""
    )


def test_the_choices_are_those_of_dumps():
    run(
        SETUP
        + """
import threading
lock = threading.Lock()
assert not check(capers.explain([lock])).offenders
assert len(check(capers.explain([lock], locks="error")).offenders) == 1
obj = importable.Holder(1)
assert capers.explain(obj, by_value=importable).total == len(capers.dumps(obj, by_value=importable))
assert len(capers.explain(lambda: 1, by_value=False).offenders) == 1
"""
    )


def test_what_is_shared_is_part_of_one_and_referred_to_by_the_others():
    run(
        SETUP
        + """
shared = [bytes(1000)]
found = named(check(capers.explain([{"a": shared}, {"b": shared}])))
assert found["list[0]['a']"]["total"] > 1000
assert found["list[1]"]["shared"] == [found["list[0]['a']"]["id"]] and found["list[1]"]["total"] < 20
"""
    )


def test_of_many_items_the_first_are_told_apart_and_the_rest_is_one_part():
    run(
        SETUP
        + """
report = check(capers.explain({"rows": [{"i": i} for i in range(300_000)], "last": bytes(99_999)}))
found = named(report)
assert len(found) < 250
assert found["dict['rows']… 299800 more items"]["total"] > 1_000_000
assert found["dict['last']"]["total"] > 99_999
assert "… 299800 more items" in str(report)
"""
    )


def test_what_one_may_not_have_meant_to_send_is_told():
    told = run(
        SETUP
        + """
import os, threading
TABLE = bytes(2_000_000)
ENV = os.environ
LOCK = threading.Lock()
def f(): return TABLE, ENV, LOCK
for each in check(capers.explain(f)).warnings:
    print(each["path"], each["text"], sep=": ")
"""
    ).splitlines()
    assert told[0] == "f.__globals__['TABLE']: a global of function f: 2.0 MB of bytes"
    assert sorted(told[1:]) == [
        "f.__globals__['ENV']: the environment of the receiving process arrives, not this one",
        "f.__globals__['LOCK']: a lock, which arrives free",
    ]


def test_a_printed_report_is_cut_to_what_matters():
    text = run(
        SETUP
        + """
def f(): return BIG, SMALL
BIG, SMALL = {"x%d" % i: bytes(10_000 + i) for i in range(50)}, [b"s"]
print(capers.explain(f))
"""
    )
    lines = text.splitlines()
    assert lines[0].startswith("what f takes along: ") and len(lines) < 40
    assert any("by value" in line and "function f" in line for line in lines)
    assert "… 38 smaller parts" in text and "SMALL" not in text


def test_a_tree_that_is_cut_names_what_is_biggest_below():
    text = run(
        SETUP
        + """
names = ["f%d" % at for at in range(200)] + ["LAST"]
for name, following in zip(names, names[1:]):
    exec("def %s(): return %s" % (name, following))
LAST = bytes(900_000)
print(capers.explain(f0))
"""
    )
    lines = text.splitlines()
    assert len(lines) < 90
    assert lines[-1].startswith("the biggest: f0.__globals__['f1'].") and "['LAST'] of 900 kB" in lines[-1]
    # A long way is told at its ends.
    assert " … " in lines[-1] and len(lines[-1]) < 2000


def test_an_open_file_is_told_of_as_it_travels():
    run(
        SETUP
        + """
import tempfile
with tempfile.NamedTemporaryFile("w+") as file:
    file.write("content")
    file.flush()
    with open(file.name) as again:
        told = {files: [each["text"] for each in capers.explain([again], files=files).warnings] for files in ("reopen", "content")}
assert told == {
    "reopen": ["an open file, which is opened again by its name where it arrives"],
    "content": ["an open file, whose content travels"],
}, told
"""
    )


def test_a_view_of_wide_items_is_looked_into_as_bytes():
    run(
        SETUP
        + """
payload = capers.dumps([1] * 100)
padded = payload + bytes(-len(payload) % 8)
report = capers.explain(memoryview(padded).cast("Q"))
assert report.total == len(payload) and report.to_dict()["title"] == "payload of %d bytes" % len(padded)
"""
    )


def test_one_part_is_one_part():
    assert "in 1 part," in run("import capers; print(capers.explain(b'N.'))")


def test_a_printed_or_drawn_report_does_not_steer_the_terminal():
    run(
        SETUP
        + """
from xml.etree import ElementTree
def f(): return f
f.__qualname__ = "a\\x1b[31mred\\x00"
for report in (capers.explain(f), capers.explain(capers.dumps(f))):
    assert "\\x1b" not in str(report) and "\\x00" not in str(report) and "red" in str(report)
    ElementTree.fromstring(report.to_svg())
    json.loads(json.dumps(report.to_dict()))
"""
    )


def test_wide_letters_stay_inside_their_box():
    run(
        SETUP
        + """
from capers._drawing import _fitting
assert _fitting("a" * 34) == "a" * 34 and _fitting("a" * 35) == "a" * 33 + "…"
assert _fitting("\u6f22" * 40) == "\u6f22" * 16 + "…"
"""
    )


def test_a_chain_of_a_hundred_thousand_functions_is_accounted_for():
    # Looking through all that is open for each object takes minutes.
    run(
        SETUP
        + """
chain = None
for _ in range(100_000):
    def f(chain=chain): return chain
    chain = f
report = capers.explain(chain)
data = report.to_dict()
assert report.total == len(capers.dumps(chain)) == sum(node["own"] for node in data["nodes"])
assert not report.offenders and str(report)
"""
    )


def test_offenders_at_every_depth_are_listed():
    run(
        SETUP
        + """
def generate(): yield
deep = None
for _ in range(20_000):
    begun = generate()
    next(begun)
    deep = [begun, deep]
report = capers.explain(deep)
assert len(report.offenders) == 20_000
assert report.offenders[1]["path"] == "list[1][0]"
assert sum(node["own"] for node in report.to_dict()["nodes"]) == report.total
assert str(report) and len(report.to_html()) > 1_000_000
"""
    )


def test_what_leads_back_to_what_is_being_written_is_told_of():
    run(
        SETUP
        + """
class Node: pass
node = Node()
node.inner = [Node()]
node.inner[0].back = node
report = check(capers.explain(node), capers.dumps(node))
told = named(report)
assert told["Node"]["id"] in told["Node.inner[0]"]["shared"]
"""
    )


def test_bytes_are_looked_into_and_not_loaded():
    run(
        SETUP
        + """
class Loud:
    def __reduce__(self): return print, ("loaded",)
payload = capers.dumps([Loud(), {"k": bytes(1000)}])
report = capers.explain(payload)
data = report.to_dict()
assert data["total"] == len(payload) and data["protocol"] == 5
assert "print" in str(data) and str(report).splitlines()[0].startswith("payload of ")
assert "damaged" in str(capers.explain(payload[:20]))
"""
    ) == ""


class Page(HTMLParser):
    """Collects what a page would ask for, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.asked, self.scripts, self.script = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.asked += [(tag, name, value) for name, value in attrs if name in ("src", "href", "data", "action")]
        if tag == "script":
            self.scripts.append("")
            self.script = len(self.scripts) - 1

    def handle_endtag(self, tag):
        if tag == "script":
            self.script = None

    def handle_data(self, data):
        if self.script is not None:
            self.scripts[self.script] += data


def test_the_page_holds_the_report_and_asks_for_nothing():
    text = run(
        SETUP
        + """
def f(): return TEXT
TEXT = {"</script><script>alert(1)</script><!--": [b"x" * 5000]}
report = capers.explain(f)
import os, tempfile
path = os.path.join(tempfile.mkdtemp(), "page.html")
assert report.to_html(path) is None
with open(path, encoding="utf-8") as file:
    page = file.read()
assert page == report.to_html()
print(json.dumps([page, report.to_dict(), report._repr_html_()]))
"""
    )
    page, data, cell = json.loads(text)
    parsed = Page(page)
    assert parsed.asked == [] and len(parsed.scripts) == 2
    shown = json.loads(parsed.scripts[0])
    assert shown["nodes"][1:] == data["nodes"][1:] and shown["total"] == data["total"]
    assert "http" not in page.replace("http-equiv", "")
    assert cell.startswith("<iframe ") and Page(cell).scripts == []


def test_the_drawing_shows_functions_captures_and_cycles():
    svg, dot, data = json.loads(
        run(
            SETUP
            + """
def even(n): return n == 0 or odd(n - 1)
def odd(n): return n != 0 and even(n - 1)
report = capers.explain([even, '<&">'])
print(json.dumps([report.to_svg(), report.to_dot(), report.to_dict()]))
"""
        )
    )
    texts = [each.text for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    ids = {node["name"]: node["id"] for node in data["nodes"]}
    assert ".__globals__['odd']" in texts
    even, odd = ids["[0]"], ids[".__globals__['odd']"]
    assert f"n{even} -> n{odd};" in dot and f"n{odd} -> n{even} [style=dashed];" in dot
    assert svg.count("stroke-dasharray") >= 1


def test_a_name_that_is_empty_is_told_of():
    made = type("", (), {"x": b"x" * 3_000_000})
    report = capers.explain(capers.dumps(made()))
    assert str(report) and report.warnings is not None
