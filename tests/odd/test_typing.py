"""Type parameters, new types and aliases of the script arrive once, with all that was said of them."""

import subprocess
import sys

import pytest
from shipping import run, ship

CASES = {
    "type_variables": (
        """
        import typing
        T = typing.TypeVar("T", bound=int, covariant=True)
        U = typing.TypeVar("U", int, str)
        def f(x: T) -> T: return x
        obj = T, U, f
        """,
        """
        T, U, f = obj
        assert T.__bound__ is int and T.__covariant__ and U.__constraints__ == (int, str)
        assert (T.__name__, T.__module__) == ("T", "__main__") and f.__annotations__["x"] is T
        """,
    ),
    "a_generic_class": (
        """
        import typing
        T = typing.TypeVar("T")
        class Box(typing.Generic[T]):
            def get(self) -> T: ...
        obj = Box, T, Box[int], list[T]
        """,
        """
        Box, T, boxed, listed = obj
        assert Box.__parameters__ == (T,) and boxed.__args__ == (int,) and listed[str] == list[str]
        """,
    ),
    "a_parameter_specification": (
        """
        import typing
        P, Ts = typing.ParamSpec("P"), typing.TypeVarTuple("Ts")
        obj = P, Ts, P.args, P.kwargs, typing.Callable[P, int]
        """,
        """
        P, Ts, args, kwargs, call = obj
        assert args == P.args and kwargs.__origin__ is P and call.__parameters__ == (P,) and Ts.__name__ == "Ts"
        """,
    ),
    "a_new_type": (
        "import typing\nN = typing.NewType('N', int)\nM = typing.NewType('M', N)\nobj = N, M, [N]",
        """
        N, M, again = obj
        assert N is again[0] and M.__supertype__ is N and N(4) == 4
        assert (N.__name__, N.__qualname__, N.__module__) == ("N", "N", "__main__")
        """,
    ),
    "those_of_the_library": ("import typing\nobj = typing.AnyStr", "import typing\nassert obj is typing.AnyStr"),
    "special_forms": (
        "import typing\nobj = typing.Optional[int], int | str, typing.Literal[1], list[int], typing.Any",
        "import typing\nassert obj == (typing.Optional[int], int | str, typing.Literal[1], list[int], typing.Any)",
    ),
}

SINCE_3_12 = {
    "parameters_of_a_function": (
        "def f[T: int, *Ts, **P](x: T) -> T: return x\nobj = f",
        "T, Ts, P = obj.__type_params__\nassert T.__bound__ is int and T.__infer_variance__ and Ts.__name__ == 'Ts'",
    ),
    "a_class_bounded_by_itself": (
        "class Node[T: Node]:\n    x: T\nobj = Node",
        "[T] = obj.__type_params__\nassert T.__bound__ is obj and obj.__parameters__ == (T,)",
    ),
    "constraints": (
        "class C[T: (int, str)]: pass\nobj = C",
        "assert obj.__type_params__[0].__constraints__ == (int, str)",
    ),
    "a_bound_that_leads_nowhere_yet": (
        "class C[T: Missing]: pass\nobj = C",
        "[T] = obj.__type_params__\ntry: T.__bound__\nexcept NameError: pass\nelse: assert False",
    ),
    "an_alias_of_itself": (
        "type Json = dict[str, Json] | list[Json] | None\nobj = Json, [Json]",
        "Json, again = obj\nassert again[0] is Json and Json.__value__.__args__[1].__args__[0] is Json",
    ),
    "an_alias_with_parameters": (
        "type Pair[T] = tuple[T, T]\nobj = Pair, Pair[int]",
        "Pair, ints = obj\nassert Pair.__value__.__args__ == Pair.__type_params__ * 2 and ints.__args__ == (int,)",
    ),
}

SINCE_3_13 = {
    "a_default": (
        "import typing\nT = typing.TypeVar('T', default=int)\nclass C[U = list[int]]: ...\nobj = T, C",
        "T, C = obj\nassert T.__default__ is int and C.__type_params__[0].__default__ == list[int]",
    ),
    "bound_and_default": (
        "class C[U: int = bool, *V = *tuple[int, ...]]: ...\nobj = C",
        "U, V = obj.__type_params__\nassert U.__bound__ is int and U.__default__ is bool and V.has_default()",
    ),
}

if sys.version_info >= (3, 12):
    CASES.update(SINCE_3_12)
if sys.version_info >= (3, 13):
    CASES.update(SINCE_3_13)


@pytest.mark.parametrize("case", CASES)
def test_it_arrives(case):
    ship(*CASES[case])


def test_a_type_variable_of_the_script_is_one_object_in_every_payload():
    run(
        """
        import pickle, subprocess, sys, typing, capers
        T = typing.TypeVar("T")
        Other = typing.TypeVar("T")  # it looks just like the first
        P, Ts = typing.ParamSpec("P"), typing.TypeVarTuple("Ts")
        for each in (T, Other, P, Ts):
            for load in (capers.loads, pickle.loads):
                assert load(capers.dumps(each)) is each
        echo = "import sys, capers; sys.stdout.buffer.write(capers.dumps(capers.loads(sys.stdin.buffer.read())))"
        def back(obj):
            ended = subprocess.run([sys.executable, "-c", echo], input=capers.dumps(obj), capture_output=True)
            return capers.loads(ended.stdout)
        assert back(T) is T and back([Other, P, Ts]) == [Other, P, Ts]
        """
    )


def test_a_type_variable_arrives_once_in_a_process():
    run(
        """
        import subprocess, sys, typing, capers
        T, U = typing.TypeVar("T", bound=int), typing.TypeVar("T", bound=str)
        payloads = [capers.dumps(each) for each in (T, [T], U)]
        program = (
            "import capers, pickle; payloads = %r\\n"
            "a, b, c = map(capers.loads, payloads); d = pickle.loads(payloads[0])\\n"
            "assert a is b[0] is d and a is not c and (a.__bound__, c.__bound__) == (int, str)" % payloads
        )
        subprocess.run([sys.executable, "-c", program], check=True)
        """
    )


ALIKE = """
import capers, sys
def f[T](x: T) -> T: return x
def g[T](x: T) -> T: return x
if sys.argv[1] == "both": capers.dumps(f)
sys.stdout.buffer.write(capers.dumps(g))
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameter lists came with 3.12")
def test_alike_functions_with_type_parameters_have_the_same_bytes_whatever_was_dumped_before():
    command = [sys.executable, "-c", ALIKE]
    one, both = (subprocess.run([*command, each], capture_output=True).stdout for each in ("one", "both"))
    assert one == both != b""
