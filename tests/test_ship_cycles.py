"""Functions that reach themselves, or one another, whatever the way."""

import pytest
from shipping import ship


def test_two_inner_functions_that_call_each_other_arrive():
    ship(
        """
        def outer():
            def even(n):
                return n == 0 or odd(n - 1)
            def odd(n):
                return n != 0 and even(n - 1)
            return even
        obj = outer()
        """,
        """
        assert obj(10) is True and obj(7) is False
        odd = obj.__closure__[0].cell_contents
        assert odd.__name__ == "odd" and odd.__closure__[0].cell_contents is obj
        """,
    )


def test_three_inner_functions_in_a_ring_arrive():
    ship(
        """
        def outer():
            def a(n): return "a" if n == 0 else b(n - 1)
            def b(n): return "b" if n == 0 else c(n - 1)
            def c(n): return "c" if n == 0 else a(n - 1)
            return [a, b, c]
        obj = outer()
        """,
        """
        a, b, c = obj
        assert [f(4) for f in obj] == ["b", "c", "a"]
        assert a.__closure__[0].cell_contents is b and b.__closure__[0].cell_contents is c
        assert c.__closure__[0].cell_contents is a
        """,
    )


def test_three_functions_in_a_ring_arrive_from_any_of_them():
    ship(
        """
        def outer():
            def a(n): return "a" if n == 0 else b(n - 1)
            def b(n): return "b" if n == 0 else c(n - 1)
            def c(n): return "c" if n == 0 else a(n - 1)
            return b
        obj = outer()
        """,
        "assert [obj(i) for i in range(4)] == ['b', 'c', 'a', 'b']",
    )


REACH = {
    "a_list": ("box = []", "box[0]", "box.append(f)", "obj.__closure__[0].cell_contents[0] is obj"),
    "a_dict": ("box = {}", "box['f']", "box['f'] = f", "obj.__closure__[0].cell_contents['f'] is obj"),
    "a_tuple_in_a_list": ("box = []", "box[0][1]", "box.append((0, f))", "obj.__closure__[0].cell_contents[0][1] is obj"),
    "a_set": ("box = set()", "next(iter(box))", "box.add(f)", "obj in obj.__closure__[0].cell_contents"),
    "a_namespace": (
        "import types; box = types.SimpleNamespace()", "box.f", "box.f = f", "obj.__closure__[0].cell_contents.f is obj",
    ),
    "a_deque": (
        "import collections; box = collections.deque()", "box[0]", "box.append(f)", "obj.__closure__[0].cell_contents[0] is obj",
    ),
    "the_keywords_of_a_partial": (
        "import functools; box = functools.partial(int)", "box.keywords['f']", "box.keywords['f'] = f", "obj.__closure__[0].cell_contents.keywords['f'] is obj",
    ),
    "an_attribute_of_another_function": ("box = lambda: 0", "box.f", "box.f = f", "obj.__closure__[0].cell_contents.f is obj"),
    "an_importable_instance": (
        "import importable; box = importable.Holder(0)", "box.value", "box.value = f", "obj.__closure__[0].cell_contents.value is obj",
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", REACH)
def test_a_closure_reaches_itself_through(way):
    make, reach, put, check = REACH[way]
    ship(
        f"""
        def outer():
            {make}
            def f(n):
                return n if n == 0 else {reach}(n - 1) + 1
            {put}
            return f
        obj = outer()
        """,
        f"assert obj(6) == 6\nassert {check}",
    )


def test_a_function_in_its_own_default_arrives():
    ship(
        """
        def f(n, me=None):
            return 0 if n == 0 else me(n - 1) + 1
        f.__defaults__ = (f,)
        obj = f
        """,
        "assert obj(5) == 5 and obj.__defaults__ == (obj,)",
    )


def test_a_function_in_a_list_in_its_own_default_arrives():
    ship(
        """
        def outer():
            box = []
            def f(n, box=box):
                return n if n == 0 else box[0](n - 1) + 1
            box.append(f)
            return f
        obj = outer()
        """,
        "assert obj(6) == 6 and obj.__defaults__[0][0] is obj",
    )


def test_a_function_in_its_own_keyword_default_arrives():
    ship(
        """
        def f(n, *, me=None):
            return 0 if n == 0 else me(n - 1) + 1
        f.__kwdefaults__["me"] = f
        obj = f
        """,
        "assert obj(5) == 5 and obj.__kwdefaults__['me'] is obj",
    )


def test_a_function_in_its_own_attribute_arrives():
    ship(
        """
        def f(): return f.me
        f.me = f
        f.pair = (f, [f])
        obj = f
        """,
        "assert obj() is obj and obj.me is obj and obj.pair[0] is obj.pair[1][0] is obj",
    )


def test_a_function_in_its_own_annotations_arrives():
    ship(
        """
        def f(x): return x
        f.__annotations__ = {"x": f, "return": [f]}
        obj = f
        """,
        "assert obj.__annotations__['x'] is obj and obj.__annotations__['return'][0] is obj",
    )


def test_a_function_wrapped_in_itself_arrives():
    ship(
        """
        def f(): return 1
        f.__wrapped__ = f
        obj = f
        """,
        "assert obj.__wrapped__ is obj and obj() == 1",
    )


def test_a_partial_whose_keywords_hold_it_arrives():
    ship(
        """
        import functools
        def f(n, me=None):
            return 0 if n == 0 else me(n - 1) + 1
        obj = functools.partial(f)
        obj.keywords["me"] = obj
        """,
        "assert obj.keywords['me'] is obj and obj(3) == 3",
    )


def test_a_partial_that_its_own_function_closes_over_arrives():
    ship(
        """
        import functools
        def outer():
            def f(k, n):
                return k if n == 0 else again(n - 1) + 1
            again = functools.partial(f, 10)
            return again
        obj = outer()
        """,
        """
        assert obj(3) == 13
        assert obj.func.__closure__[0].cell_contents is obj
        """,
    )


def test_the_y_combinator_arrives():
    ship(
        """
        Y = lambda f: (lambda x: f(lambda v: x(x)(v)))(lambda x: f(lambda v: x(x)(v)))
        obj = Y(lambda fact: lambda n: 1 if n == 0 else n * fact(n - 1))
        """,
        "assert obj(6) == 720",
    )


def test_a_recursive_lambda_in_a_cell_arrives():
    ship(
        """
        def outer():
            fib = lambda n: n if n < 2 else fib(n - 1) + fib(n - 2)
            return fib
        obj = outer()
        """,
        "assert obj(12) == 144 and obj.__closure__[0].cell_contents is obj",
    )


def test_mutual_recursion_through_globals_arrives():
    ship(
        """
        def even(n): return n == 0 or odd(n - 1)
        def odd(n): return n != 0 and even(n - 1)
        obj = even
        """,
        """
        assert obj(8) is True and obj(7) is False
        odd = obj.__globals__["odd"]
        assert odd.__globals__ is obj.__globals__ and odd.__globals__["even"] is obj
        """,
    )


def test_three_way_recursion_through_globals_arrives():
    ship(
        """
        def a(n): return "a" if n == 0 else b(n - 1)
        def b(n): return "b" if n == 0 else c(n - 1)
        def c(n): return "c" if n == 0 else a(n - 1)
        obj = [c, a]
        """,
        """
        c, a = obj
        assert c(2) == "b" and a(3) == "a" and c.__globals__["a"] is a
        """,
    )


def test_recursion_that_alternates_between_a_cell_and_a_global_arrives():
    ship(
        """
        def outer():
            def inner(n):
                return 0 if n == 0 else by_global(n - 1) + 1
            return inner
        inner = outer()
        def by_global(n):
            return inner(n) if n else 0
        obj = inner
        """,
        "assert obj(5) == 5 and obj.__globals__['by_global'].__globals__['inner'] is obj",
    )


def test_an_inner_function_that_closes_over_the_outer_one_arrives():
    ship(
        """
        def outer():
            def middle():
                def inner():
                    return middle, inner
                return inner
            return middle()
        obj = outer()
        """,
        """
        middle, inner = obj()
        assert inner is obj
        other = middle()
        assert other is not obj and other()[0] is middle
        """,
    )


def test_decorated_recursion_calls_the_decorated_function():
    ship(
        """
        import functools
        def counted(f):
            @functools.wraps(f)
            def wrapper(*a):
                wrapper.calls += 1
                return f(*a)
            wrapper.calls = 0
            return wrapper
        @counted
        def fact(n):
            return 1 if n < 2 else n * fact(n - 1)
        obj = fact
        """,
        "assert obj(5) == 120 and obj.calls == 5 and obj.__wrapped__.__globals__['fact'] is obj",
    )


def test_a_list_that_holds_itself_and_a_function_over_it_arrives():
    ship(
        """
        def outer():
            ring = []
            def f(): return ring
            ring += [ring, f]
            return ring
        obj = outer()
        """,
        "assert obj[0] is obj and obj[1]() is obj",
    )


def test_a_tuple_that_holds_a_closure_over_it_arrives():
    ship(
        """
        def outer():
            def f(): return pair
            pair = (f, 1)
            return pair
        obj = outer()
        """,
        "assert obj[0]() is obj and obj[1] == 1",
    )


def test_a_frozenset_that_holds_a_closure_over_it_arrives():
    ship(
        """
        def outer():
            def f(): return group
            group = frozenset([f, 1])
            return group
        obj = outer()
        """,
        "(f,) = obj - {1}\nassert f() is obj and f in obj",
    )


def test_two_closures_that_hold_each_other_in_their_attributes_arrive():
    ship(
        """
        def make(n):
            def f(): return n
            return f
        a, b = make(1), make(2)
        a.other, b.other = b, a
        obj = a
        """,
        "assert obj.other.other is obj and (obj(), obj.other()) == (1, 2)",
    )
