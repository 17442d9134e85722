"""What cannot travel is refused in one sentence: what it is, and the way to it."""

import pytest
from shipping import run

SETUP = """
import capers, importable, socket
S = socket.socket()

def refusal(obj):
    try:
        capers.dumps(obj)
    except (TypeError, capers.PicklingError) as error:
        return " ".join([str(error), *getattr(error, "__notes__", [])])
    raise AssertionError("it was written")
"""


def refused(script, *words):
    """Run *script*, which binds ``obj``, and find every one of *words* in what the refusal says."""
    __tracebackhide__ = True
    said = run(SETUP + script + "\nprint(refusal(obj))\n")
    missing = [word for word in words if word not in said]
    assert not missing, said


PLACES = {
    "on_its_own": ("obj = S", []),
    "in_a_list": ("obj = [1, [2, S]]", ["[1]"]),
    "in_a_tuple": ("obj = (0, 1, S)", ["[2]"]),
    "under_a_key": ("obj = {'conns': {3: S}}", ["conns", "3"]),
    "as_a_key": ("obj = {S: 1}", []),
    "in_a_set": ("obj = {S}", []),
    "in_an_attribute": ("obj = importable.Holder(S)", ["value"]),
    "in_a_slot": ("obj = importable.Point(1, S)", ["y"]),
    "in_a_global": ("def f(): return S\nobj = f", ["f", "S"]),
    "in_a_global_of_a_function_that_is_called": (
        "def helper(): return S\ndef f(): return helper()\nobj = f",
        ["helper", "S"],
    ),
    "in_a_closure": ("def outer(pool):\n    def f(): return pool\n    return f\nobj = outer(S)", ["pool"]),
    "in_a_default": ("def f(x=1, y=S): ...\nobj = f", ["f", "default"]),
    "in_a_keyword_default": ("def f(*, y=S): ...\nobj = f", ["f", "y"]),
    "in_an_attribute_of_a_function": ("def f(): ...\nf.client = S\nobj = f", ["f", "client"]),
    "in_an_annotation": ("def f(): ...\nf.__annotations__['x'] = S\nobj = f", ["f", "x"]),
    "in_a_partial": ("import functools\nobj = functools.partial(print, S)", []),
    "in_a_cell": ("import types\nobj = types.CellType(S)", []),
    "in_a_bound_method": ("obj = importable.Holder(S).get", ["value"]),
    "in_the_globals_of_a_nested_lambda": ("def f(): return lambda: [S for _ in ()]\nobj = f", ["f", "S"]),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_way_to_a_socket_is_named_when_it_is(place):
    script, words = PLACES[place]
    refused(script, "socket", *words)


def test_the_whole_way_through_functions_and_data_is_named():
    refused(
        """
class Service:
    def __init__(self): self.backend = {"conns": [1, S]}
importable.Service, Service.__module__, Service.__qualname__ = Service, "importable", "Service"
svc = importable.Service()
def handler(x): return svc, x
obj = [handler]
""",
        "svc", "backend", "conns", "socket",
    )  # fmt: skip


CANNOT = {
    "a_socket": "S",
    "a_frame": "__import__('sys')._getframe()",
    "a_database_connection": "__import__('sqlite3').connect(':memory:')",
    "a_hash_object": "__import__('hashlib').sha256()",
    "a_running_generator": "(lambda g: (next(g), g)[1])(x for x in [1, 2])",
}  # fmt: skip


@pytest.mark.parametrize("what", CANNOT)
def test_nothing_is_written_for(what):
    kind = run(f"import socket\nS = socket.socket()\nprint(type({CANNOT[what]}).__name__)").strip()
    refused(f"obj = {{'k': [{CANNOT[what]}]}}", kind, "k")


def test_the_message_begins_with_what_failed_in_lower_case_without_full_stop():
    said = run(SETUP + "print(refusal([S]))\n").strip()
    assert said.startswith("cannot pickle 'socket' object") and not said.endswith(".")


def test_nothing_is_written_to_a_file_that_would_pass_for_a_payload():
    run(
        SETUP
        + """
import io
file = io.BytesIO()
try:
    capers.dump([1, 2, S], file)
except (TypeError, capers.PicklingError):
    pass
else:
    raise AssertionError("it was written")
try:
    capers.loads(file.getvalue())
except (EOFError, capers.UnpicklingError):
    pass
else:
    raise AssertionError("half a payload was loaded")
"""
    )


def test_the_next_dump_after_a_refusal_is_whole():
    run(
        SETUP
        + """
shared = ["shared"]
def f(): return shared
want = capers.dumps([shared, f])
for i in range(5):
    refusal([shared, f, S])
    assert capers.dumps([shared, f]) == want
"""
    )


def test_a_refusal_keeps_no_object_alive():
    run(
        SETUP
        + """
import gc, sys
thing = importable.Holder(S)
before = sys.getrefcount(thing)
for i in range(10):
    refusal([thing, {"k": thing}, lambda: thing])
gc.collect()
assert sys.getrefcount(thing) == before
"""
    )


def test_the_path_to_an_object_is_short_however_many_there_are():
    said = run(SETUP + "print(refusal({'a': [list(range(10_000)), dict.fromkeys(range(10_000)), [0] * 5000 + [S]]}))")
    assert "[5000]" in said and len(said) < 300
