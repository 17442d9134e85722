"""``captures`` tells the names that a function takes along, and where each comes from, without pickling anything."""

import pytest
from shipping import run

SETUP = """
import capers, functools, importable, json, os, sys, xml.dom.minidom

def told(function):
    return sorted((each.name, each.origin) for each in capers.captures(function))
"""

CASES = {
    "nothing": ("def f(x): return x", []),
    "a global": ("N = 3\ndef f(): return N", [("N", "global")]),
    "a builtin": ("def f(): return len", []),
    "a function": ("def g(): ...\ndef f(): return g()", [("g", "global")]),
    "a closure variable": (
        "def outer(pool):\n    def f(): return pool\n    return f\nf = outer(1)",
        [("pool", "closure")],
    ),
    "itself by a closure": ("def outer():\n    def f(): return f\n    return f\nf = outer()", [("f", "closure")]),
    "an empty cell": ("def outer():\n    def f(): return late\n    return f\n    late = 1\nf = outer()", []),
    "a default": ("def f(a, b=1, *c, d=2): ...", [("b", "default"), ("d", "default")]),
    "an attribute": ("def f(): ...\nf.note = 1", [("note", "attribute")]),
    "a module": ("def f(): return json.dumps", [("json", "module")]),
    "a submodule": (
        "def f(): return xml.dom.minidom",
        [("xml", "module"), ("xml.dom", "module"), ("xml.dom.minidom", "module")],
    ),
    "a module in a closure": (
        "def outer(m):\n    def f(): return m\n    return f\nf = outer(json)",
        [("m", "module")],
    ),
    "what a nested function uses": ("N = 3\ndef f(): return lambda: [N for _ in ()]", [("N", "global")]),
    "a name that is not there": ("def f(): return nothing", []),
    "a method": (
        "N = 3\nclass C:\n    def m(self): return N\nf = C().m",
        [("N", "global"), ("__self__", "self")],
    ),
    "what is importable": ("f = importable.Holder.get", []),
}


@pytest.mark.parametrize("what", CASES)
def test_a_function_takes_along(what):
    script, expected = CASES[what]
    assert run(SETUP + script + "\nprint(told(f))").strip() == repr(expected)


def test_a_capture_has_its_value():
    run(
        SETUP
        + "T = [1]\ndef f(): return T\none, = capers.captures(f)\nassert one == ('T', 'global', T) and one.value is T"
    )


def test_nothing_is_pickled():
    run(
        SETUP
        + """
class Never:
    def __reduce_ex__(self, protocol): raise AssertionError("pickled")
N = Never()
def f(x=N): return N
assert told(f) == [("N", "global"), ("x", "default")]
"""
    )


def test_the_names_are_those_that_dumps_takes_along():
    run(
        SETUP
        + """
A, B = [1], {"b": 2}
def g(): return B
def f(): return A, g, json
payload = capers.loads(capers.dumps(f))
there = {name for name in payload.__globals__ if not name.startswith("__")}
assert {each.name for each in capers.captures(f)} <= there
assert there - {each.name for each in capers.captures(g)} == {each.name for each in capers.captures(f)}
"""
    )


@pytest.mark.parametrize("thing", ["1", "print", "functools.partial(print)", "importable.Holder"])
def test_anything_else_has_no_captures(thing):
    said = run(SETUP + f"try: capers.captures({thing})\nexcept TypeError as error: print(error)")
    assert said.startswith("captures are those of a function or method, not of '")
