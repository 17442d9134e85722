"""Globals: which names a function takes along, who shares them, and what they are where it arrives."""

import sys

import pytest
from shipping import payload, run, ship

needs_312 = pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 695 and PEP 701 came with Python 3.12")


def names_captured(check="", *, function, setup="", expected):
    """Ship *function* and compare the names in its globals, less the ones that every namespace has."""
    __tracebackhide__ = True
    ship(
        setup + "\n" + function + "\nobj = f\n",
        f"""
plain = {{"__name__", "__builtins__", "__package__", "__file__", "__path__", "__doc__", "__spec__", "__loader__"}}
assert set(obj.__globals__) - plain == {set(expected)!r}, set(obj.__globals__) - plain
{check}
""",
        in_place=False,
    )


SETUP = "A, B, C, D = 'global a', 'global b', 'global c', 'global d'"


def test_a_global_that_the_function_reads_is_captured_and_no_other():
    names_captured("assert obj() == 'global a'", setup=SETUP, function="def f(): return A", expected="A")


def test_a_global_read_in_a_nested_function_is_captured():
    names_captured(
        "assert obj()() == 'global a'",
        setup=SETUP,
        function="def f():\n    def g(): return A\n    return g",
        expected="A",
    )


def test_a_global_read_in_a_nested_lambda_is_captured():
    names_captured(
        "assert obj()()() == 'global a'", setup=SETUP, function="def f(): return lambda: lambda: A", expected="A"
    )


def test_a_global_read_in_a_comprehension_is_captured():
    names_captured(
        "assert obj() == ['global a', 'global b']",
        setup=SETUP,
        function="def f(): return [x for x in [A] if A] + [x for x in {B: 1}]",
        expected="AB",
    )


def test_a_global_read_in_a_generator_expression_is_captured():
    names_captured(
        "assert list(obj()) == ['global a']", setup=SETUP, function="def f(): return (A for _ in [1])", expected="A"
    )


def test_a_global_read_in_the_body_of_a_class_inside_is_captured():
    names_captured(
        "assert obj().x == 'global a' and obj()().m() == 'global b'",
        setup=SETUP,
        function="def f():\n    class K:\n        x = A\n        def m(self): return B\n    return K",
        expected="AB",
    )


def test_a_global_read_in_a_decorator_default_or_base_inside_is_captured():
    names_captured(
        "assert obj()() == 'global a'",
        setup="A = 'global a'\ndef B(f): return f\nclass C: pass",
        function="def f():\n    @B\n    def g(x=A): return x\n    class K(C): pass\n    return g",
        expected="ABC",
    )


def test_a_name_that_is_only_an_attribute_is_not_captured():
    names_captured(
        setup="import types\n" + SETUP, function="def f(x): return x.A + x.B(x).C, A", expected="A", check="assert obj"
    )


def test_a_name_that_is_only_a_local_a_parameter_or_a_keyword_is_not_captured():
    names_captured(
        setup=SETUP,
        function="def f(A):\n    B = A\n    return dict(C=B), {'D': B}",
        expected="",
        check="assert obj(1) == ({'C': 1}, {'D': 1})",
    )


def test_a_global_that_one_function_only_assigns_is_read_by_the_other():
    ship(
        """
        N = 0
        def f():
            global N
            N = 1
        def get(): return N
        obj = f, get
        """,
        "f, get = obj\nassert get() == 0\nf()\nassert get() == 1",
    )


def test_the_global_of_a_function_that_is_reached_is_captured_in_turn():
    names_captured(
        "assert obj() == 'global a'",
        setup=SETUP + "\ndef g(): return h()\ndef h(): return A\ndef unused(): return B",
        function="def f(): return g()",
        expected=["g", "h", "A"],
    )


def test_an_unused_global_leaves_no_byte_in_the_payload():
    data = payload("USED, SECRET = 'visible', 'invisible'\ndef f(): return USED\nobj = f\n")
    assert b"visible" in data and b"invisible" not in data and b"SECRET" not in data


def test_an_unpicklable_global_that_is_not_reached_does_no_harm():
    ship("import socket\nS = socket.socket()\ndef f(): return 1\nobj = f", "assert obj() == 1")


def test_a_counter_in_a_global_counts_where_it_arrives():
    ship(
        """
        N = 5
        def f():
            global N
            N += 1
            return N
        obj = f
        """,
        "assert (obj(), obj()) == (6, 7) and obj.__globals__['N'] == 7",
    )


def test_two_functions_of_one_module_share_their_globals():
    ship(
        """
        N = 5
        def bump():
            global N
            N += 1
        def get(): return N
        obj = (bump, [get])
        """,
        """
        bump, (get,) = obj
        assert bump.__globals__ is get.__globals__
        bump(), bump()
        assert get() == 7
        """,
    )


def test_a_closure_and_a_function_of_one_module_share_their_globals():
    ship(
        """
        N = 5
        def outer(k):
            def inner():
                global N
                N += k
            return inner
        def get(): return N
        obj = {"inner": outer(10), "get": get}
        """,
        "obj['inner']()\nassert obj['get']() == 15",
    )


def test_functions_of_two_namespaces_keep_their_globals_apart():
    ship(
        """
        text = "def f():\\n    global N\\n    N += 1\\n    return N"
        one, two = {"N": 1, "__name__": "one"}, {"N": 10, "__name__": "two"}
        exec(text, one), exec(text, two)
        obj = one["f"], two["f"]
        """,
        "a, b = obj\nassert (a(), a(), b()) == (2, 3, 11) and a.__globals__ is not b.__globals__",
    )


def test_two_payloads_do_not_share_their_globals():
    ship(
        """
        import capers
        N = 0
        def f():
            global N
            N += 1
            return N
        obj = capers.dumps(f)
        """,
        """
        import capers, pickle
        for load in (capers.loads, pickle.loads):
            a = load(obj)
            assert (a(), a()) == (1, 2)
            b = load(obj)
            assert b() == 1 and a() == 3 and a.__globals__ is not b.__globals__
        """,
    )


def test_loading_changes_no_global_of_the_sender():
    ship(
        """
        import capers
        N = 1
        def f():
            global N
            N += 1
            return N
        g = capers.loads(capers.dumps(f))
        obj = [g(), g(), N, f()]
        """,
        "assert obj == [2, 3, 1, 2]",
    )


def test_a_global_that_changes_after_the_dump_does_not_change_the_payload():
    ship(
        """
        import capers
        K = "then"
        def f(): return K
        obj = capers.dumps(f)
        K = "now"
        """,
        "import capers\nassert capers.loads(obj)() == 'then'",
    )


def test_a_later_dump_takes_the_new_value_of_a_global():
    ship(
        """
        import capers
        K = "then"
        def f(): return K, L
        capers.dumps(f)
        K, L = "now", "new"
        obj = f
        """,
        "assert obj() == ('now', 'new')",
    )


def test_a_mutable_global_is_the_same_object_as_in_the_data_beside_it():
    ship(
        """
        CACHE = {"a": 1}
        def put(k, v): CACHE[k] = v
        obj = (CACHE, put)
        """,
        "cache, put = obj\nput('b', 2)\nassert cache == {'a': 1, 'b': 2}",
    )


def test_a_name_that_is_undefined_raises_only_when_called():
    ship(
        """
        def f(flag):
            return not_defined_anywhere if flag else "fine"
        obj = f
        """,
        """
        assert obj(False) == "fine"
        try:
            obj(True)
        except NameError as error:
            assert "not_defined_anywhere" in str(error)
        else:
            raise AssertionError("no NameError")
        obj.__globals__["not_defined_anywhere"] = 3
        assert obj(True) == 3
        """,
    )


def test_a_global_that_shadows_a_builtin_still_does():
    ship(
        """
        def len(x): return "shadowed"
        sum = lambda xs: "also"
        def f(x): return len(x), sum(x), max(x)
        obj = f
        """,
        "assert obj([1, 2]) == ('shadowed', 'also', 2)",
    )


def test_a_global_that_is_a_builtin_under_another_name_arrives():
    ship("size = len\ndef f(x): return size(x)\nobj = f", "assert obj('abc') == 3 and obj.__globals__['size'] is len")


def test_the_builtins_of_the_receiver_are_used():
    ship(
        "def f(): return made_up_builtin\nobj = f",
        "import builtins\nbuiltins.made_up_builtin = 'theirs'\nassert obj() == 'theirs'",
    )


def test_dunder_name_is_that_of_the_sender():
    ship("def f(): return __name__\nobj = f", "assert obj() == '__main__'")


def test_dunder_file_is_that_of_the_sender():
    ship("def f(): return __file__\nobj = f", "assert obj().endswith('script.py')")


def test_a_function_that_imports_inside_arrives():
    ship(
        """
        def f(x):
            import json
            from collections import OrderedDict as OD
            import importlib.util
            return json.dumps(OD(x=x)), importlib.util.MAGIC_NUMBER
        obj = f
        """,
        "import importlib.util\nassert obj(3) == ('{\"x\": 3}', importlib.util.MAGIC_NUMBER)",
    )


def test_a_string_that_looks_like_a_global_captures_nothing():
    names_captured("assert obj() == 'A'", setup=SETUP, function="def f(): return 'A'", expected="")


def test_a_global_deleted_by_the_function_arrives():
    ship(
        """
        N = 1
        def f():
            global N
            n = N
            del N
            return n
        obj = f
        """,
        "assert obj() == 1 and 'N' not in obj.__globals__",
    )


def test_a_global_used_only_by_a_function_in_a_default_is_captured():
    ship(
        """
        K = 3
        def helper(): return K
        def f(h=helper): return h()
        obj = f
        """,
        "assert obj() == 3 and obj.__defaults__[0].__globals__ is obj.__globals__",
    )


def test_names_beyond_the_reach_of_one_byte_are_captured():
    ship(
        """
        for i in range(700):
            globals()["g%d" % i] = i
        exec("def f():\\n    return [%s]" % ", ".join("g%d" % i for i in range(0, 700, 2)))
        obj = f
        """,
        "assert obj() == list(range(0, 700, 2)) and 'g1' not in obj.__globals__ and 'g698' in obj.__globals__",
        in_place=False,
    )


def test_a_name_that_is_not_an_identifier_or_not_ascii_is_captured():
    ship(
        """
        größe, 名 = 3, "x"
        def f(): return größe, 名
        obj = f
        """,
        "assert obj() == (3, 'x')",
    )


def test_a_name_imported_by_a_star_arrives():
    ship("from math import *\ndef f(x): return sqrt(x) * pi\nobj = f", "import math\nassert obj(4) == 2 * math.pi")


def test_globals_of_a_dictionary_subclass_arrive():
    ship(
        """
        import collections, types
        space = collections.OrderedDict(K=4)
        obj = types.FunctionType((lambda: K).__code__, space)
        """,
        "assert obj() == 4",
    )


def test_a_sentinel_used_as_default_and_global_stays_one_object():
    ship(
        """
        MISSING = object()
        def f(x=MISSING): return "none given" if x is MISSING else x
        obj = (f, MISSING)
        """,
        "f, missing = obj\nassert f() == 'none given' and f(1) == 1 and f(missing) == 'none given'",
    )


@needs_312
def test_a_global_read_in_an_inlined_comprehension_or_a_nested_format_string_is_captured():
    names_captured(
        "assert obj() == ['global a:global b']",
        setup=SETUP,
        function="def f(): return [f'{f'{A}'}:{B}' for _ in [0]]",
        expected="AB",
    )


@needs_312
def test_a_global_read_in_the_bound_of_a_type_parameter_inside_is_captured():
    names_captured(
        "assert obj().__type_params__[0].__bound__ == 'global a'",
        setup=SETUP,
        function="def f():\n    def g[T: A](x: T) -> T: return x\n    return g",
        expected="A",
    )


def test_a_function_whose_globals_hold_the_globals_dict_does_not_carry_all_of_it():
    # What is asked here is only that it ends and works: the dict is data, and data travels whole.
    ship(
        """
        def outer():
            space = {"__name__": "small", "K": 1}
            exec("def f():\\n    return SPACE['K']", space)
            space["SPACE"] = space
            return space["f"]
        obj = outer()
        """,
        "assert obj() == 1",
    )


def test_many_functions_over_one_namespace_all_share_it():
    ship(
        """
        TOTAL = 0
        for i in range(50):
            exec("def f%d():\\n    global TOTAL\\n    TOTAL += %d" % (i, i))
        def get(): return TOTAL
        obj = [globals()["f%d" % i] for i in range(50)] + [get]
        """,
        "*steps, get = obj\nfor f in steps: f()\nassert get() == sum(range(50))",
    )


def test_a_function_dumped_from_a_thread_arrives():
    print_ok = run(
        """
        import threading, capers
        K = 3
        def f(): return K
        out = []
        thread = threading.Thread(target=lambda: out.append(capers.loads(capers.dumps(f))()))
        thread.start(), thread.join()
        print(out)
        """
    )
    assert print_ok.split() == ["[3]"]


def test_lists_and_dicts_of_sys_are_those_of_the_process():
    ship(
        """
from sys import modules, path as places
own = ["mine"]

def f():
    return places, modules, own

obj = f
""",
        """
import sys
places, modules, own = obj()
assert places is sys.path and modules is sys.modules and own == ["mine"]
""",
        in_place=False,
    )


def test_a_container_that_a_module_holds_travels_by_value():
    ship(
        """
from importable_variables import settings
import importable_variables
own = importable_variables.own = [1]

def f():
    return settings, own

obj = f
""",
        """
import importable_variables as v
settings, own = obj()
assert settings == v.settings and settings is not v.settings and own == [1] and not hasattr(v, "own")
""",
        in_place=False,
    )


needs_lazy_imports = pytest.mark.skipif(sys.version_info < (3, 15), reason="PEP 810 came with Python 3.15")

LAZY = """
lazy import json
lazy import os.path as places
lazy from collections import Counter

class Tool:
    def count(self): return Counter("aab"), places.basename("a/b")

def f():
    return json.dumps([1]), Tool().count()

obj = f
"""


@needs_lazy_imports
def test_an_import_that_was_put_off_arrives_as_what_it_stands_for():
    ship(LAZY, "assert obj() == ('[1]', ({'a': 2, 'b': 1}, 'b')), obj()", in_place=False)


@needs_lazy_imports
def test_a_name_says_the_same_before_and_after_its_import_is_done():
    printed = run(
        LAZY
        + """
import capers
before = [capers.dumps(f) for _ in range(3)] + [capers.dumps(Tool) for _ in range(4)]
f()
after = [capers.dumps(f) for _ in range(3)] + [capers.dumps(Tool) for _ in range(4)]
print(before == after)
"""
    )
    assert printed.strip() == "True"


@needs_lazy_imports
def test_an_import_that_was_put_off_and_fails_says_so():
    printed = run(
        """
lazy import there_is_no_such_module
import capers

def f():
    return there_is_no_such_module

try:
    capers.dumps(f)
except ModuleNotFoundError as error:
    print(error)
"""
    )
    assert printed.strip() == "No module named 'there_is_no_such_module'"
