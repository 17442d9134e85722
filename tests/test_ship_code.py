"""Code and cell objects on their own."""

import sys

import pytest
from shipping import ship

needs_314 = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="constant slices and template strings came with Python 3.14"
)


def test_a_code_object_on_its_own_arrives():
    ship(
        "def f(a, *b, c, **d):\n    e = lambda: a\n    return e\nobj = f.__code__",
        """
        import types
        assert type(obj) is types.CodeType
        assert types.FunctionType(obj, {}, None, None, ())(5, c=2)() == 5
        assert (obj.co_argcount, obj.co_kwonlyargcount, obj.co_cellvars) == (1, 1, ("a",))
        assert set(obj.co_varnames) == {"a", "b", "c", "d", "e"} and obj.co_flags & 0x0C == 0x0C
        """,
    )


def test_a_code_object_arrives_equal():
    ship(
        "text = 'def f(x):\\n    return [x for x in range(x) if x not in {1, 2}]'\nobj = (text, compile(text, 'made up', 'exec'))",
        "text, code = obj\nassert code == compile(text, 'made up', 'exec') and code.co_filename == 'made up'",
    )


def test_the_same_code_object_in_two_functions_stays_one():
    ship(
        "import types\ndef f(x): return x\ng = types.FunctionType(f.__code__, globals(), 'g')\nobj = [f.__code__, f, g]",
        "code, f, g = obj\nassert f.__code__ is code is g.__code__ and (f.__name__, g.__name__) == ('f', 'g')",
    )


def test_a_module_code_object_arrives():
    ship(
        "obj = compile('import json\\nx = json.dumps([1])', '<text>', 'exec')",
        "space = {}\nexec(obj, space)\nassert space['x'] == '[1]'",
    )


def test_an_expression_code_object_arrives():
    ship("obj = compile('a + 1', '<text>', 'eval')", "assert eval(obj, {'a': 2}) == 3")


def test_a_code_object_among_the_constants_of_another_arrives():
    ship(
        "def f():\n    def g():\n        def h(): return 'deep'\n        return h\n    return g\nobj = f",
        "assert obj()()() == 'deep'",
    )


def test_the_code_of_a_nested_function_beside_the_outer_one_arrives():
    ship(
        "def outer():\n    def inner(): return 3\n    return inner\nobj = [outer, outer.__code__.co_consts, outer()]",
        "outer, consts, inner = obj\nassert outer()() == inner() == 3",
    )


def test_a_cell_on_its_own_arrives():
    ship(
        "import types\nobj = types.CellType([1])",
        "import types\nassert type(obj) is types.CellType and obj.cell_contents == [1]",
    )


def test_an_empty_cell_on_its_own_arrives_empty():
    ship(
        "import types\nobj = types.CellType()",
        "try:\n    obj.cell_contents\nexcept ValueError:\n    obj.cell_contents = 1\nelse:\n    raise AssertionError('the cell had something in it')",
    )


def test_a_cell_in_two_places_stays_one_cell():
    ship(
        "import types\nc = types.CellType(1)\nobj = [c, {'c': c}]",
        "a, d = obj\nassert d['c'] is a\na.cell_contents = 2\nassert d['c'].cell_contents == 2",
    )


def test_a_cell_that_holds_itself_arrives():
    ship("import types\nc = types.CellType()\nc.cell_contents = [c]\nobj = c", "assert obj.cell_contents[0] is obj")


def test_a_cell_beside_the_closure_that_uses_it_is_the_closures_cell():
    ship(
        "def outer(n):\n    return lambda: n\nf = outer(1)\nobj = (f.__closure__[0], f)",
        "cell, f = obj\ncell.cell_contents = 'changed'\nassert f() == 'changed' and f.__closure__[0] is cell",
    )


CONSTANTS = {
    "a_list": ("[1, [2]]", "f() == [1, [2]] and f() is f()"),
    "a_dict": ("{'a': {1}}", "f() == {'a': {1}}"),
    "a_function": ("len", "f() is len"),
    "a_lambda": ("(lambda: 5)", "f()() == 5"),
    "a_module": ("__import__('json')", "f() is __import__('json')"),
    "a_range": ("range(3)", "f() == range(3)"),
    "a_fraction": ("__import__('fractions').Fraction(1, 3)", "f().denominator == 3"),
    "an_importable_instance": ("__import__('importable').Holder(3)", "f().get() == 3"),
    "a_slice": ("slice(1, 'a', None)", "f() == slice(1, 'a', None)"),
    "a_string_of_a_subclass": ("__import__('http').HTTPMethod.GET if hasattr(__import__('http'), 'HTTPMethod') else 'GET'", "f() is __import__('http').HTTPMethod.GET"),
}  # fmt: skip


@pytest.mark.parametrize("what", CONSTANTS)
def test_a_function_whose_constant_is(what):
    made, check = CONSTANTS[what]
    ship(
        f"""
        thing = {made}
        def f(): return "PLACEHOLDER"
        f.__code__ = f.__code__.replace(co_consts=tuple(thing if c == "PLACEHOLDER" else c for c in f.__code__.co_consts))
        obj = f
        """,
        f"f = obj\nassert {check}",
    )


def test_a_constant_that_marshal_cannot_write_deep_in_a_nested_function_arrives():
    ship(
        """
        thing = [1]
        def swap(code):
            return code.replace(co_consts=tuple(
                thing if c == "PLACEHOLDER" else swap(c) if isinstance(c, type(code)) else c for c in code.co_consts))
        def f():
            def g():
                return lambda: "PLACEHOLDER"
            return g
        f.__code__ = swap(f.__code__)
        obj = (f, thing)
        """,
        "f, thing = obj\nassert f()()() is thing",
    )


def test_a_constant_that_marshal_cannot_write_inside_a_tuple_arrives():
    ship(
        """
        thing = [1]
        def f(): return ("PLACEHOLDER", 2)
        f.__code__ = f.__code__.replace(co_consts=tuple((thing, 2) if isinstance(c, tuple) else c for c in f.__code__.co_consts))
        obj = (f, thing)
        """,
        "f, thing = obj\nassert f()[0] is thing and f()[1] == 2",
    )


def test_a_constant_that_is_the_function_itself_arrives():
    ship(
        """
        def f(): return "PLACEHOLDER"
        f.__code__ = f.__code__.replace(co_consts=tuple([f] if c == "PLACEHOLDER" else c for c in f.__code__.co_consts))
        obj = f
        """,
        "assert obj()[0] is obj",
    )


def test_the_code_that_was_swapped_in_is_the_one_that_arrives():
    ship(
        "import capers\ndef f(): return 1\ncapers.dumps(f)\nf.__code__ = (lambda: 2).__code__\nobj = f",
        "assert obj() == 2 and obj.__name__ == 'f' and obj.__code__.co_name == '<lambda>'",
    )


@needs_314
def test_a_constant_slice_arrives():
    ship("def f(x): return x[1:3], x[::-1]\nobj = f", "assert obj('abcd') == ('bc', 'dcba')")


@needs_314
def test_a_template_string_arrives():
    ship(
        "K = 3\ndef f(x): return t'{x!r:>{K}} and {K}'\nobj = f",
        "t = obj(1)\nassert t.values == (1, 3) and t.interpolations[0].conversion == 'r'",
    )
