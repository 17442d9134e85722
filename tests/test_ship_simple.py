"""Functions that reach nothing but themselves, their builtins and what they were made from."""

from shipping import payload, ship


def test_the_identity_function_arrives():
    ship(
        """
        def identity(x):
            return x
        obj = identity
        """,
        """
        thing = object()
        assert obj(thing) is thing
        """,
    )


def test_a_lambda_arrives():
    ship("obj = lambda x, y=2: x * y", "assert obj(4) == 8 and obj(4, 5) == 20 and obj.__name__ == '<lambda>'")


def test_a_function_that_calls_itself_by_its_global_name_calls_the_loaded_one():
    ship(
        """
        def factorial(n):
            return 1 if n < 2 else n * factorial(n - 1)
        obj = factorial
        """,
        """
        assert obj(10) == 3628800
        assert obj.__globals__["factorial"] is obj
        """,
    )


def test_a_higher_order_function_makes_closures_where_it_arrives():
    ship(
        """
        def makeadder(n):
            def adder(x):
                return x + n
            return adder
        obj = makeadder
        """,
        """
        add = obj(5)
        assert add(3) == 8
        assert add.__qualname__ == "makeadder.<locals>.adder"
        """,
    )


def test_a_closure_arrives_with_the_content_of_its_cell():
    ship(
        """
        def makeadder(n):
            def adder(x):
                return x + n
            return adder
        add8 = makeadder(8)
        obj = add8
        """,
        """
        assert obj(34) == 42
        assert len(obj.__closure__) == 1 and obj.__closure__[0].cell_contents == 8
        """,
    )


def test_a_closure_over_a_recursive_inner_function_arrives():
    ship(
        """
        def makerangefact(step):
            def factorial(n):
                return 1 if n < 2 else n * factorial(n - 1)
            def rangefact(n):
                return [factorial(i) for i in range(0, n, step)]
            return rangefact
        obj = makerangefact(3)
        """,
        """
        assert obj(10) == [1, 6, 720, 362880]
        factorial = dict(zip(obj.__code__.co_freevars, obj.__closure__))["factorial"].cell_contents
        assert factorial(5) == 120
        assert factorial.__closure__[0].cell_contents is factorial
        """,
    )


def test_positional_only_keyword_only_and_variadic_parameters_arrive():
    ship(
        """
        def f(a, b=2, /, c=3, *rest, d, e=5, **more):
            return a, b, c, rest, d, e, more
        obj = f
        """,
        """
        import inspect
        assert str(inspect.signature(obj)) == "(a, b=2, /, c=3, *rest, d, e=5, **more)"
        assert obj(1, d=4) == (1, 2, 3, (), 4, 5, {})
        assert obj(1, 8, 9, 10, d=4, z=0) == (1, 8, 9, (10,), 4, 5, {"z": 0})
        """,
    )


def test_a_lambda_in_a_default_of_a_lambda_arrives():
    ship("obj = lambda x, f=lambda y: y + 1: f(f(x))", "assert obj(1) == 3")


def test_a_function_with_match_try_and_with_arrives():
    ship(
        """
        import contextlib
        def f(x):
            with contextlib.suppress(KeyError):
                match x:
                    case {"k": [first, *_]}:
                        return first
                    case str() as s if s:
                        return s.upper()
                    case _:
                        {}[x]
            try:
                raise ValueError(x)
            except* ValueError as group:
                kept = group.exceptions[0]
            finally:
                done = True
            return type(kept).__name__, done
        obj = f
        """,
        """
        assert obj({"k": [7, 8]}) == 7
        assert obj("ab") == "AB"
        assert obj(5) == ("ValueError", True)
        """,
    )


def test_constants_of_every_kind_keep_their_type_and_sign():
    ship(
        """
        def f():
            return (0.0, -0.0, 0, False, 1e400, -1e400, 1j, -0j, 10**40, -10**40, b"\\x00", "\\ud800", "\\N{SNOWMAN}",
                    (1, (2, 3)), ..., None, 1 in {1, 2, True}, "a" in {"b", "a"})
        obj = f
        """,
        """
        got = obj()
        assert repr(got) == repr((0.0, -0.0, 0, False, 1e400, -1e400, 1j, -0j, 10**40, -10**40, b"\\x00", "\\ud800", "\\N{SNOWMAN}",
                    (1, (2, 3)), ..., None, True, True))
        """,
    )


def test_one_function_in_two_places_stays_one_function():
    ship(
        """
        def f(): return 1
        obj = [f, {"again": f}, (f,)]
        """,
        """
        a, b, (c,) = obj
        assert a is b["again"] is c and a() == 1
        """,
    )


def test_functions_made_from_one_code_object_stay_apart_and_share_the_code():
    ship(
        """
        def make(i):
            return lambda: i
        obj = [make(i) for i in range(40)]
        """,
        """
        assert [f() for f in obj] == list(range(40))
        assert len({id(f) for f in obj}) == 40
        assert len({id(f.__code__) for f in obj}) == 1
        """,
    )


def test_equal_code_objects_of_two_functions_stay_two_functions():
    ship(
        """
        def f(): return 1
        first = f
        def f(): return 1
        obj = (first, f)
        """,
        "a, b = obj\nassert a is not b and a() == b() == 1",
    )


def test_a_composition_of_lambdas_builtins_methods_and_partials_arrives():
    ship(
        """
        from functools import partial, reduce
        import operator
        def chain(*steps):
            return reduce(lambda f, g: lambda x: g(f(x)), steps)
        obj = chain(lambda s: s + " ", str.strip, len, partial(operator.mul, 10), [0, 10, 20].index, str)
        """,
        "assert obj(' ab ') == '2'",
    )


def test_a_function_survives_two_journeys():
    ship(
        """
        import capers
        def outer(n):
            def fact(k):
                return n if k == 0 else k * fact(k - 1)
            return fact
        obj = capers.loads(capers.dumps(outer(2)))
        """,
        """
        import capers
        again = capers.loads(capers.dumps(obj))
        assert obj(4) == again(4) == 48
        assert again.__closure__[0].cell_contents is again
        """,
        in_place=False,
    )


def test_a_function_made_by_exec_arrives():
    ship(
        """
        space = {"__name__": "made_by_exec", "K": 4}
        exec("def f(x):\\n    return x * K", space)
        obj = space["f"]
        """,
        "assert obj(3) == 12 and obj.__module__ == 'made_by_exec'",
    )


def test_a_function_made_without_a_module_name_arrives():
    ship(
        """
        space = {}
        exec("def f(x):\\n    return x * 2", space)
        obj = space["f"]
        """,
        "assert obj(3) == 6",
    )


def test_a_function_made_by_the_function_type_arrives():
    ship(
        """
        import types
        obj = types.FunctionType((lambda x, y: (x, y, z)).__code__, {"z": 3, "__builtins__": {}}, "made", (2,))
        """,
        "assert obj(1) == (1, 2, 3) and obj.__name__ == 'made'",
    )


def test_functions_travel_inside_every_kind_of_container():
    ship(
        """
        import collections
        def f(): return 1
        obj = {"list": [f], "tuple": (f,), "set": {f}, "frozen": frozenset([f]), f: "key",
               "deque": collections.deque([f]), "ordered": collections.OrderedDict(k=f),
               "default": collections.defaultdict(f, k=f)}
        """,
        """
        (f,) = obj["list"]
        assert f() == 1 and obj["tuple"] == (f,) and obj["set"] == {f} and obj["frozen"] == {f} and obj[f] == "key"
        assert obj["deque"][0] is obj["ordered"]["k"] is obj["default"]["k"] is f
        assert obj["default"]["new"] == 1
        """,
    )


def test_a_default_dict_whose_lambda_makes_more_of_its_kind_arrives():
    ship(
        """
        import collections
        tree = lambda: collections.defaultdict(tree)
        obj = tree()
        obj["a"]["b"] = 1
        """,
        "assert obj['a']['b'] == 1 and obj['x']['y']['z'] == {} and obj.default_factory().default_factory is obj.default_factory",
    )


def test_a_one_line_function_is_a_small_payload():
    assert 0 < len(payload("obj = lambda x: x + 1")) < 300


def test_a_function_that_holds_a_module_in_a_cell_arrives():
    ship(
        """
        def outer():
            import json
            return lambda x: json.dumps(x)
        obj = outer()
        """,
        "import json\nassert obj([1]) == '[1]' and obj.__closure__[0].cell_contents is json",
    )


def test_a_function_that_calls_eval_and_exec_arrives():
    ship("def f(a):\n    exec('a.append(1)')\n    return eval('a + [2]')\nobj = f", "assert obj([]) == [1, 2]")


def test_a_function_that_makes_classes_arrives():
    ship(
        """
        def make(base, **space):
            class K(base):
                tag = space.pop("tag", None)
                def m(self): return super().__init__() or __class__
            return K
        obj = make
        """,
        "K = obj(object, tag=3)\nassert K.tag == 3 and K().m() is K and K.__qualname__ == 'make.<locals>.K'",
    )


def test_private_names_in_functions_of_a_class_stay_mangled():
    ship(
        "class K:\n    def m(self, box): return box.__secret\nobj = K.m",
        "import types\nassert obj(None, types.SimpleNamespace(_K__secret=4)) == 4",
    )
