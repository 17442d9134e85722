"""Depth is bounded by memory, not by the C stack: all of this runs with a stack of 512 KiB."""

import sys

import pytest
from shipping import run, ship

STACK = 512

if sys.platform == "win32":
    pytest.skip("the size of the stack is fixed when a Windows program is linked", allow_module_level=True)


def deep(sender, check):
    """Ship with a small stack, at the two protocols with different opcodes.

    Both processes end without freeing their objects: CPython 3.13.0 alone overflows a stack of 512 KiB when a long chain
    of dicts or closures is freed.
    """
    __tracebackhide__ = True
    ship(sender, check, protocols=(2, 5), stack=STACK, env={"SHIP_NO_TEARDOWN": "1"})


COUNT = """
n = 0
while {more}:
    obj = {next}
    n += 1
assert n == {count}, n
"""


def test_a_million_nested_lists_arrive():
    deep(
        "obj = []\nfor i in range(1_000_000): obj = [obj]",
        COUNT.format(more="obj", next="obj[0]", count=1_000_000),
    )


def test_a_million_nested_tuples_arrive():
    deep(
        "obj = ()\nfor i in range(1_000_000): obj = (obj,)",
        COUNT.format(more="obj", next="obj[0]", count=1_000_000),
    )


def test_a_hundred_thousand_nested_dicts_arrive():
    deep(
        "obj = {}\nfor i in range(100_000): obj = {'next': obj}",
        COUNT.format(more="obj", next="obj['next']", count=100_000),
    )


def test_a_hundred_thousand_nested_sets_and_tuples_arrive():
    deep(
        "obj = ()\nfor i in range(100_000): obj = [(1, {i: [obj]}, 2)]",
        COUNT.format(more="obj", next="next(iter(obj[0][1].values()))[0]", count=100_000),
    )


def test_a_hundred_thousand_linked_instances_arrive():
    deep(
        "import importable\nobj = None\nfor i in range(100_000): obj = importable.Node(obj)",
        COUNT.format(more="obj is not None", next="obj.next", count=100_000),
    )


def test_a_hundred_thousand_instances_that_reduce_to_each_other_arrive():
    deep(
        "import importable\nobj = None\nfor i in range(100_000): obj = importable.Reduced(obj)",
        COUNT.format(more="obj is not None", next="obj.next", count=100_000),
    )


def test_thirty_thousand_instances_linked_both_ways_arrive():
    deep(
        """
        import importable
        obj = last = importable.Node()
        for i in range(30_000):
            new = importable.Node()
            new.back, last.next, last = last, new, new
        """,
        "n = 0\nwhile obj.next is not None:\n    assert obj.next.back is obj\n    obj = obj.next\n    n += 1\nassert n == 30_000",
    )


def test_ten_thousand_closures_in_a_chain_arrive():
    deep(
        """
        def link(before): return lambda: before
        obj = None
        for i in range(10_000): obj = link(obj)
        """,
        COUNT.format(more="obj is not None", next="obj()", count=10_000),
    )


def test_ten_thousand_functions_in_a_chain_of_defaults_arrive():
    deep(
        """
        obj = None
        for i in range(10_000):
            def f(x=obj): return x
            obj = f
        """,
        COUNT.format(more="obj is not None", next="obj()", count=10_000),
    )


def test_ten_thousand_functions_in_a_chain_of_attributes_arrive():
    deep(
        """
        obj = None
        for i in range(10_000):
            def f(): ...
            f.next = obj
            obj = f
        """,
        COUNT.format(more="obj is not None", next="obj.next", count=10_000),
    )


def test_ten_thousand_functions_in_a_chain_of_namespaces_arrive():
    deep(
        """
        obj = None
        for i in range(10_000):
            space = {"before": obj}
            exec("def f(): return before", space)
            obj = space["f"]
        """,
        COUNT.format(more="obj is not None", next="obj()", count=10_000),
    )


def test_ten_thousand_partials_in_a_chain_arrive():
    deep(
        """
        import functools
        obj = None
        for i in range(10_000): obj = functools.partial(print, before=obj)
        """,
        COUNT.format(more="obj is not None", next="obj.keywords['before']", count=10_000),
    )


def test_ten_thousand_wrappers_in_a_chain_arrive():
    deep(
        """
        import functools
        def wrap(f):
            @functools.wraps(f)
            def inner(): return f
            return inner
        def obj(): return None
        for i in range(10_000): obj = wrap(obj)
        """,
        COUNT.format(more="obj() is not None", next="obj.__wrapped__", count=10_000),
    )


def test_a_ring_of_ten_thousand_closures_arrives():
    deep(
        """
        def make():
            def f(): return other
            other = None
            return f
        ring = [make() for i in range(10_000)]
        for i, f in enumerate(ring): f.__closure__[0].cell_contents = ring[i - 1]
        obj = ring[0]
        """,
        "f = obj\nfor i in range(10_000):\n    f = f()\n    assert (f is obj) == (i == 9_999)",
    )


def test_an_error_at_the_bottom_of_a_deep_structure_is_reported():
    said = run(
        """
        import os, socket, capers
        obj = [socket.socket()]
        for i in range(100_000): obj = [obj]
        try:
            capers.dumps(obj)
        except (TypeError, capers.PicklingError) as error:
            text = str(error) + "".join(getattr(error, "__notes__", []))
            print("socket" in text, len(text) < 20_000, flush=True)
        os._exit(0)  # the interpreter itself overflows so small a stack when it frees the list
        """,
        stack=STACK,
    )
    assert said.split() == ["True", "True"]


def test_a_reduction_without_end_is_stopped_or_runs_out_of_depth():
    said = run(
        """
        import capers, resource
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, resource.RLIM_INFINITY))
        class Endless:
            def __reduce__(self): return Endless, (Endless(),)
        import importable
        importable.Endless, Endless.__module__, Endless.__qualname__ = Endless, "importable", "Endless"
        try:
            capers.dumps(Endless())
        except (RecursionError, MemoryError, capers.PicklingError) as error:
            print("stopped")
        """,
        stack=STACK,
    )
    assert said.split() == ["stopped"]


def test_a_reduction_that_leads_back_to_its_object_is_refused_early():
    run(
        """
        import capers, functools, resource

        class Ouroboros:
            def __reduce__(self):
                return Ouroboros, ({"me": [self]},)

        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for options in ({}, {"by_value": False}):
            for protocol in (0, 2, 5):
                try:
                    capers.dumps(Ouroboros(), protocol, **options)
                except RecursionError as error:
                    assert str(error).startswith("maximum recursion depth exceeded while pickling an object")
                else:
                    raise AssertionError("it was written")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000
        """
    )
