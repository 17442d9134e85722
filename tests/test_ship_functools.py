"""What functools makes of functions."""

from shipping import payload, ship


def test_a_partial_keeps_its_arguments_keywords_and_attributes():
    ship(
        """
        import functools
        def f(a, b, c=0, *, d=0): return a, b, c, d
        obj = functools.partial(functools.partial(f, 1), 2, d=9)
        obj.note = "hello"
        """,
        """
        import functools
        assert type(obj) is functools.partial and obj(3) == (1, 2, 3, 9)
        assert obj.args == (1, 2) and obj.keywords == {"d": 9} and obj.note == "hello"
        """,
    )


def test_a_partial_of_an_importable_function_keeps_the_reference():
    ship(
        "import functools, importable\nobj = functools.partial(importable.plain, 4)",
        "import importable\nassert obj.func is importable.plain and obj() == 8",
    )


def test_a_partial_in_a_closure_keeps_its_function_shared():
    ship(
        """
        import functools
        def f(a, b): return a + b
        p = functools.partial(f, 1)
        def g(x): return p(x), p.func is f
        obj = g
        """,
        "assert obj(2) == (3, True)",
    )


CACHED = """
    import functools
    @functools.lru_cache(maxsize=3, typed=True)
    def f(x):
        "doc"
        calls.append(x)
        return x
    calls = []
    f(1), f(1.0), f(1)
    obj = f
    """


def test_an_lru_cache_keeps_its_parameters():
    ship(CACHED, "assert obj.cache_parameters() == {'maxsize': 3, 'typed': True}")


def test_an_lru_cache_starts_empty():
    ship(CACHED, "info = obj.cache_info()\nassert (info.hits, info.misses, info.currsize) == (0, 0, 0)", in_place=False)


def test_an_lru_cache_caches_where_it_arrives():
    ship(CACHED, "obj.cache_clear()\nobj(5), obj(5), obj(5.0)\nassert obj.cache_info()[:2] == (1, 2)")


def test_an_lru_cache_keeps_its_names():
    ship(CACHED, "assert (obj.__name__, obj.__doc__, obj.__wrapped__.__name__) == ('f', 'doc', 'f')")


def test_what_an_lru_cache_has_cached_is_not_in_the_payload():
    assert b"remember me" not in payload(
        "import functools\n@functools.cache\ndef f(n): return 'remember ' + n\nf('me')\nobj = f"
    )


def test_an_unbounded_cache_and_one_of_size_nought_keep_their_sizes():
    ship(
        "import functools\nobj = [functools.cache(lambda: 1), functools.lru_cache(0)(lambda: 2), functools.lru_cache(lambda: 3)]",
        "assert [f.cache_parameters()['maxsize'] for f in obj] == [None, 0, 128] and [f() for f in obj] == [1, 2, 3]",
    )


def test_a_cached_recursive_function_calls_the_cached_one():
    ship(
        """
        import functools
        def outer(k):
            @functools.lru_cache(maxsize=None)
            def f(n): return k if n == 0 else f(n - 1) + k
            return f
        obj = outer(3)
        obj(5)
        """,
        "obj.cache_clear()\nassert obj(20) == 63 and obj.cache_info().misses == 21 and obj.__wrapped__.__closure__[0].cell_contents is obj",
    )


def test_a_cached_global_function_recurses_through_its_cache():
    ship(
        """
        import functools
        @functools.cache
        def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
        obj = fib
        """,
        "assert obj(80) == 23416728348467685 and obj.__wrapped__.__globals__['fib'] is obj",
    )


def test_attributes_of_an_lru_cache_arrive():
    ship(
        "import functools\nf = functools.cache(lambda: 1)\nf.tag = 'x'\nobj = f", "assert obj.tag == 'x' and obj() == 1"
    )


def test_a_cached_function_of_a_library_travels_by_reference():
    ship("import fnmatch\nobj = fnmatch._compile_pattern", "import fnmatch\nassert obj is fnmatch._compile_pattern")


SINGLE = """
    import functools
    @functools.singledispatch
    def describe(x):
        "generic"
        return "other"
    @describe.register
    def _(x: int): return "int"
    @describe.register(list)
    def describe_list(xs): return [describe(x) for x in xs]
    describe.register(type(None), lambda x: "none")
    describe(1.5)
    obj = describe
    """


def test_a_single_dispatch_function_keeps_its_registry():
    ship(
        SINGLE,
        "assert obj([1, 'a', None, [True]]) == ['int', 'other', 'none', ['int']] and set(obj.registry) == {object, int, list, type(None)}",
    )


def test_a_single_dispatch_function_accepts_more_where_it_arrives():
    ship(SINGLE, "obj.register(str, lambda x: 'str')\nassert obj(['a', 1]) == ['str', 'int']")


def test_a_single_dispatch_function_keeps_its_names():
    ship(
        SINGLE,
        "assert (obj.__name__, obj.__doc__, obj.__module__) == ('describe', 'generic', '__main__') and obj.dispatch(bool)(1) == 'int'",
    )


def test_two_single_dispatch_functions_keep_their_registries_apart():
    ship(
        """
        import functools
        def make(n):
            @functools.singledispatch
            def f(x): return n
            return f
        a, b = make(1), make(2)
        a.register(int, lambda x: "int of a")
        obj = [a, b]
        """,
        "a, b = obj\nassert (a(0), b(0), a('')) == ('int of a', 2, 1)",
    )


def test_a_single_dispatch_function_of_abstract_classes_arrives():
    ship(
        """
        import collections.abc, functools
        @functools.singledispatch
        def f(x): return "other"
        f.register(collections.abc.Mapping, lambda x: "mapping")
        f.register(collections.abc.Sized, lambda x: "sized")
        f({}), f([])
        obj = f
        """,
        "assert (obj({}), obj([]), obj(1)) == ('mapping', 'sized', 'other')",
    )


def test_a_chain_of_wraps_arrives():
    ship(
        """
        import functools
        def deco(tag):
            def wrap(f):
                @functools.wraps(f)
                def inner(*a, **k): return [tag, f(*a, **k)]
                return inner
            return wrap
        @deco("a")
        @deco("b")
        @deco("c")
        def f(x): "doc"; return x
        obj = f
        """,
        """
        assert obj(1) == ["a", ["b", ["c", 1]]]
        assert obj.__wrapped__.__wrapped__.__wrapped__(1) == 1 and obj.__doc__ == "doc"
        """,
    )


def test_a_comparison_key_arrives():
    ship(
        """
        import functools
        def compare(a, b): return (a > b) - (a < b)
        obj = functools.cmp_to_key(lambda a, b: -compare(a, b))
        """,
        "assert sorted([1, 3, 2], key=obj) == [3, 2, 1]",
    )


def test_an_object_wrapped_by_a_comparison_key_arrives():
    ship(
        "import functools\nkey = functools.cmp_to_key(lambda a, b: a - b)\nobj = [key, key(3), key(1)]",
        "key, a, b = obj\nassert b < a and a.obj == 3 and key(2) < a and not a < key(2)",
    )


def test_reduce_and_the_other_builtins_travel_by_reference():
    ship(
        "import functools, operator\nobj = [functools.reduce, operator.add]",
        "import functools, operator\nassert obj == [functools.reduce, operator.add]",
    )


def test_operator_objects_arrive():
    ship(
        "import operator as o\nobj = [o.itemgetter(1, 0), o.attrgetter('real', 'imag'), o.methodcaller('split', ',', maxsplit=1)]",
        "a, b, c = obj\nassert a('xy') == ('y', 'x') and b(1j) == (0, 1) and c('a,b,c') == ['a', 'b,c']",
    )


def test_a_partial_method_in_a_class_of_main_arrives():
    ship(
        """
        import functools
        class K:
            def m(self, a, b): return self.v, a, b
            half = functools.partialmethod(m, 1)
            keyed = functools.partialmethod(m, b=2)
        obj = K
        """,
        "k = obj()\nk.v = 0\nassert k.half(5) == (0, 1, 5) and k.keyed(7) == (0, 7, 2)",
    )


def test_a_partial_method_on_its_own_arrives():
    ship(
        "import functools\nobj = functools.partialmethod(lambda self, a: (self, a), 1)",
        "import functools\nassert type(obj) is functools.partialmethod and obj.args == (1,) and obj.func(5, *obj.args) == (5, 1)",
    )


def test_a_cached_property_in_a_class_of_main_computes_once():
    ship(
        """
        import functools
        class K:
            ran = 0
            @functools.cached_property
            def v(self):
                "doc of v"
                type(self).ran += 1
                return [self.ran]
        obj = K
        """,
        """
        k = obj()
        assert k.v is k.v and k.v == [1] and obj.ran == 1 and vars(k) == {"v": [1]}
        assert obj.v.__doc__ == "doc of v" and obj.v.attrname == "v"
        """,
    )


def test_a_cached_property_that_was_computed_stays_computed():
    ship(
        """
        import functools
        class K:
            @functools.cached_property
            def v(self): return object()
        k = K()
        k.v
        obj = [k, k.v]
        """,
        "k, v = obj\nassert k.v is v",
    )


def test_total_ordering_in_a_class_of_main_arrives():
    ship(
        """
        import functools
        @functools.total_ordering
        class K:
            def __init__(self, v): self.v = v
            def __eq__(self, o): return self.v == o.v
            def __lt__(self, o): return self.v < o.v
        obj = [K(1), K(2)]
        """,
        "a, b = obj\nassert a < b and b >= a and a <= type(a)(1) and max(obj) is b",
    )


def test_a_single_dispatch_method_in_a_class_of_main_arrives():
    ship(
        """
        import functools
        class K:
            @functools.singledispatchmethod
            def m(self, x): return "other"
            @m.register
            def _(self, x: int): return "int"
            @m.register(str)
            @classmethod
            def _(cls, x): return cls.__name__
        obj = K
        """,
        "k = obj()\nassert (k.m(1.5), k.m(1), k.m('')) == ('other', 'int', 'K')",
    )


def test_a_single_dispatch_function_over_a_class_of_main_arrives():
    ship(
        """
        import functools
        class Shape: pass
        @functools.singledispatch
        def f(x): return "other"
        @f.register
        def _(x: Shape): return "shape"
        obj = (f, Shape)
        """,
        "f, Shape = obj\nassert f(1) == 'other' and f(Shape()) == 'shape' and f(type('Sub', (Shape,), {})()) == 'shape'",
    )


def test_a_cached_method_in_a_class_of_main_arrives():
    ship(
        """
        import functools
        class K:
            @functools.lru_cache
            def m(self, x): return [x]
            @staticmethod
            @functools.cache
            def s(x): return [x]
        K().m(1), K.s(1)
        obj = K
        """,
        "k = obj()\nassert k.m(3) is k.m(3) and k.s(2) is obj.s(2) and obj.m.cache_info().hits == 1",
        in_place=False,
    )
