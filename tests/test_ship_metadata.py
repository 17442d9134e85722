"""What a function says about itself."""

import sys

import pytest
from shipping import ship

needs_312 = pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 695 came with Python 3.12")
needs_313 = pytest.mark.skipif(sys.version_info < (3, 13), reason="defaults of type parameters came with Python 3.13")
needs_314 = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="annotations are evaluated lazily from Python 3.14 on"
)


def test_the_names_of_a_function_arrive():
    ship(
        "class K:\n    def outer():\n        def inner(): pass\n        return inner\nobj = K.outer()",
        "assert (obj.__name__, obj.__qualname__, obj.__module__) == ('inner', 'K.outer.<locals>.inner', '__main__')",
    )


def test_names_set_by_hand_arrive_and_leave_the_code_alone():
    ship(
        """
        def f(): return 1
        f.__name__, f.__qualname__, f.__module__, f.__doc__ = "renamed", "Some.place.renamed", "elsewhere", "new doc"
        obj = f
        """,
        """
        assert (obj.__name__, obj.__qualname__, obj.__module__, obj.__doc__) == \\
            ("renamed", "Some.place.renamed", "elsewhere", "new doc")
        assert (obj.__code__.co_name, obj.__code__.co_qualname) == ("f", "f")
        """,
    )


def test_the_doc_arrives():
    ship("def f():\n    'says what'\nobj = f", "assert obj.__doc__ == 'says what'")


def test_a_doc_that_is_missing_stays_missing():
    ship("def f(): return 1\nobj = f", "assert obj.__doc__ is None")


def test_a_doc_that_was_removed_stays_removed():
    ship("def f():\n    'was here'\nf.__doc__ = None\nobj = f", "assert obj.__doc__ is None")


def test_a_doc_that_is_no_string_arrives():
    ship("def f(): return 1\nf.__doc__ = ['a', 1]\nobj = f", "assert obj.__doc__ == ['a', 1]")


def test_defaults_arrive():
    ship(
        "def f(a, b=1, c=[2]): return a, b, c\nobj = f", "assert obj.__defaults__ == (1, [2]) and obj(0) == (0, 1, [2])"
    )


def test_a_mutable_default_is_shared_with_the_data_beside_it():
    ship(
        "box = []\ndef f(x, box=box): box.append(x)\nobj = (f, box)",
        "f, box = obj\nf(1)\nassert box == [1] and f.__defaults__[0] is box",
    )


def test_keyword_defaults_arrive():
    ship(
        "def f(*, a=1, b, c=(2,)): return a, b, c\nobj = f",
        "assert obj.__kwdefaults__ == {'a': 1, 'c': (2,)} and obj(b=0) == (1, 0, (2,))",
    )


def test_defaults_set_by_hand_arrive():
    ship("def f(a, b): return a, b\nf.__defaults__ = (8, 9)\nobj = f", "assert obj() == (8, 9)")


def test_defaults_that_are_missing_are_none():
    ship("def f(a): return a\nobj = f", "assert obj.__defaults__ is None and obj.__kwdefaults__ is None")


def test_annotations_arrive():
    ship(
        "import typing\ndef f(a: int, *b: 'later', c: typing.Optional[str] = None, **d: 5) -> list[int]: ...\nobj = f",
        """
        import typing
        assert obj.__annotations__ == {"a": int, "b": "later", "c": typing.Optional[str], "d": 5, "return": list[int]}
        assert list(obj.__annotations__) == ["a", "b", "c", "d", "return"]
        """,
    )


def test_annotations_as_strings_arrive():
    ship(
        "from __future__ import annotations\ndef f(a: undefined.name, b: int) -> 1 + 1: ...\nobj = f",
        "assert obj.__annotations__ == {'a': 'undefined.name', 'b': 'int', 'return': '1 + 1'}",
    )


def test_annotations_that_name_a_class_of_main_arrive():
    ship(
        "class K: pass\ndef f(a: K) -> K: return K()\nobj = f",
        "made = obj(1)\nassert obj.__annotations__ == {'a': type(made), 'return': type(made)}",
    )


def test_a_function_without_annotations_has_an_empty_dict_of_its_own():
    ship(
        "def f(a): ...\ndef g(a): ...\nobj = [f, g]",
        "f, g = obj\nassert f.__annotations__ == {}\nf.__annotations__['a'] = 1\nassert g.__annotations__ == {}",
    )


def test_typing_hints_can_be_evaluated_where_the_function_arrives():
    ship(
        "import typing\nclass K: pass\ndef f(a: 'K', b: int) -> 'K': return K()\nobj = f",
        "import typing\nassert typing.get_type_hints(obj)['return'] is type(obj(1, 2))",
    )


def test_attributes_arrive():
    ship(
        "def f(): return 1\nf.count, f.tags = 3, ['a']\nobj = f",
        "assert vars(obj) == {'count': 3, 'tags': ['a']} and list(vars(obj)) == ['count', 'tags']",
    )


def test_an_attribute_that_is_a_function_arrives():
    ship("def f(): return f.helper()\nf.helper = lambda: 'helped'\nobj = f", "assert obj() == 'helped'")


def test_attributes_with_names_that_are_no_identifiers_arrive():
    ship("def f(): ...\nvars(f).update({'a b': 1, '': 2})\nobj = f", "assert vars(obj) == {'a b': 1, '': 2}")


def test_a_function_without_attributes_has_none():
    ship("def f(): ...\nobj = f", "assert vars(obj) == {}")


def test_wrapped_arrives():
    ship(
        """
        import functools
        def f(x): "doc of f"; return x
        @functools.wraps(f)
        def g(*a): return f(*a)
        obj = g
        """,
        """
        import inspect
        assert obj.__wrapped__ is obj.__globals__["f"] and inspect.unwrap(obj) is obj.__wrapped__
        assert obj.__name__ == "f" and str(inspect.signature(obj)) == "(x)"
        """,
    )


def test_a_signature_set_by_hand_arrives():
    ship(
        "import inspect\ndef f(*a): ...\nf.__signature__ = inspect.Signature([inspect.Parameter('x', inspect.Parameter.POSITIONAL_ONLY)])\nobj = f",
        "import inspect\nassert str(inspect.signature(obj)) == '(x, /)'",
    )


def test_the_lines_and_the_file_of_the_code_arrive():
    ship(
        "def f():\n    pass\n    raise ValueError\nobj = f",
        """
        import traceback
        assert obj.__code__.co_filename.endswith("script.py")
        first = obj.__code__.co_firstlineno
        assert first == 1
        try:
            obj()
        except ValueError as error:
            assert traceback.extract_tb(error.__traceback__)[-1].lineno == first + 2
        """,
    )


def test_the_columns_of_the_code_arrive():
    ship(
        "def f(a): return a.b.c + a.d\nobj = (f, list(f.__code__.co_positions()))",
        "f, positions = obj\nassert list(f.__code__.co_positions()) == positions",
    )


def test_the_flags_of_the_code_arrive():
    ship(
        "from __future__ import annotations\nimport types\n@types.coroutine\ndef f(): yield\ndef g(): return 1\nobj = [f, f.__code__.co_flags, g, g.__code__.co_flags]",
        "f, a, g, b = obj\nassert f.__code__.co_flags == a and g.__code__.co_flags == b",
    )


def test_a_function_has_no_type_parameters_unless_it_had():
    ship("def f(): ...\nobj = f", "assert getattr(obj, '__type_params__', ()) == ()")


@needs_312
def test_a_generic_function_keeps_its_type_parameters():
    ship(
        "def first[T](xs: list[T]) -> T: return xs[0]\nobj = first",
        """
        import typing
        (T,) = obj.__type_params__
        assert type(T) is typing.TypeVar and T.__name__ == "T" and T.__bound__ is None and T.__constraints__ == ()
        assert obj.__annotations__["return"] is T and obj.__annotations__["xs"] == list[T]
        assert obj([5, 6]) == 5
        """,
    )


@needs_312
def test_type_parameters_of_every_kind_arrive():
    ship(
        "def f[T: int, S: (str, bytes), *Ts, **P](x: T) -> tuple[*Ts]: return x\nobj = f",
        """
        import typing
        T, S, Ts, P = obj.__type_params__
        assert T.__bound__ is int and S.__constraints__ == (str, bytes)
        assert (type(Ts), type(P)) == (typing.TypeVarTuple, typing.ParamSpec)
        assert (Ts.__name__, P.__name__) == ("Ts", "P") and obj.__annotations__["x"] is T
        assert T.__infer_variance__
        """,
    )


@needs_312
def test_a_bound_that_names_a_global_is_evaluated_where_it_arrives():
    ship(
        "class Base: pass\ndef f[T: Base](x: T) -> T: return Base\nobj = f",
        "assert obj.__type_params__[0].__bound__ is obj(1)",
    )


@needs_312
def test_a_type_parameter_used_in_the_body_is_that_of_the_function():
    ship("def f[T](): return T\nobj = f", "assert obj() is obj.__type_params__[0]")


@needs_312
def test_a_generic_function_inside_a_function_arrives():
    ship(
        "def outer(k):\n    def f[T](x: T) -> T: return x, k\n    return f\nobj = outer(3)",
        "assert obj(1) == (1, 3) and obj.__annotations__['x'] is obj.__type_params__[0]",
    )


@needs_312
def test_two_generic_functions_keep_their_parameters_apart():
    ship(
        "def f[T](x: T): ...\ndef g[T](x: T): ...\nobj = [f, g]",
        "f, g = obj\nassert f.__type_params__[0] is not g.__type_params__[0]",
    )


@needs_312
def test_type_parameters_set_by_hand_arrive():
    ship(
        "import typing\nT = typing.TypeVar('T')\ndef f(x: T): ...\nf.__type_params__ = (T,)\nobj = f",
        "assert obj.__annotations__['x'] is obj.__type_params__[0]",
    )


@needs_313
def test_the_default_of_a_type_parameter_arrives():
    ship(
        "def f[T = int, *Ts = *tuple[int], **P = [str]](x: T): ...\nobj = f",
        "T, Ts, P = obj.__type_params__\nassert T.__default__ is int and P.__default__ == [str]",
    )


@needs_314
def test_an_annotation_that_cannot_be_evaluated_yet_stays_lazy():
    ship(
        "def f(x: NotYet, y: int) -> NotYet: return x\nobj = f",
        """
        import annotationlib
        assert annotationlib.get_annotations(obj, format=annotationlib.Format.STRING) == {"x": "NotYet", "y": "int", "return": "NotYet"}
        obj.__globals__["NotYet"] = bytes
        assert obj.__annotations__ == {"x": bytes, "y": int, "return": bytes}
        """,
    )


@needs_314
def test_dumping_does_not_evaluate_lazy_annotations():
    ship(
        """
        ran = []
        def note(): ran.append(1)
        def f(x: note()): return x
        import capers
        capers.dumps(f)
        obj = len(ran)
        """,
        "assert obj == 0",
    )


@needs_314
def test_lazy_annotations_see_the_globals_where_they_arrive():
    ship(
        "class K: pass\ndef f(x: K) -> list[K]: return K\nobj = f",
        "K = obj(1)\nassert obj.__annotations__ == {'x': K, 'return': list[K]}",
    )


@needs_314
def test_annotations_that_were_evaluated_before_the_journey_arrive():
    ship(
        "def f(x: [1, 2]): ...\nf.__annotations__['more'] = 3\nobj = f",
        "assert obj.__annotations__ == {'x': [1, 2], 'more': 3}",
    )


@needs_314
def test_an_annotate_function_set_by_hand_arrives():
    ship(
        "def f(x): ...\nf.__annotate__ = lambda format: {'x': 'by hand'}\nobj = f",
        "assert obj.__annotations__ == {'x': 'by hand'}",
    )


@needs_314
def test_the_annotations_of_an_inner_function_reach_its_cells():
    ship(
        "def outer():\n    class K: pass\n    def f(x: K): return K\n    return f\nobj = outer()",
        "assert obj.__annotations__ == {'x': obj(1)}",
    )
