"""Properties, class and static methods, super objects and descriptors arrive with all that they hold."""

import pytest
from shipping import ship

CASES = {
    "a_property": (
        """
        class C:
            def x(self):
                "doc"
                return self._x
            def set_x(self, value): self._x = value
            x = property(x, set_x)
        obj = C.__dict__["x"], property(None, doc="mine"), C
        """,
        """
        x, bare, C = obj
        c = C()
        c.x = 4
        assert x.fget(c) == 4 and x.__doc__ == "doc" and bare.__doc__ == "mine" and bare.fget is None
        assert x.getter(bare.fget).fset is x.fset
        """,
    ),
    "a_property_of_a_derived_class": (
        "class P(property):\n    tag = 1\nobj = P(lambda self: 7)\nobj.own = 2",
        "assert obj.fget(0) == 7 and obj.tag == 1 and obj.own == 2",
    ),
    "static_and_class_methods": (
        """
        class C:
            @staticmethod
            def s(x): return x
            @classmethod
            def c(cls): return cls.__name__
        s, c = C.__dict__["s"], C.__dict__["c"]
        s.tag = "t"
        obj = s, c, C
        """,
        """
        s, c, C = obj
        assert s(3) == 3 and s.tag == "t" and s.__name__ == "s" and c.__get__(None, C)() == "C"
        """,
    ),
    "a_derived_class_method": (
        "class M(classmethod):\n    tag = 1\nobj = M(lambda cls: cls)",
        "assert obj.tag == 1 and obj.__func__(3) == 3",
    ),
    "abstract_ones": (
        "import abc\nobj = abc.abstractproperty(lambda self: 1)",
        "assert obj.__isabstractmethod__ and obj.fget(0) == 1",
    ),
    "super_objects": (
        """
        class A:
            def who(self): return "A"
        class B(A):
            def who(self): return "B"
        b = B()
        obj = super(B, b), b, super(B)
        """,
        "bound, b, bare = obj\nassert bound.who() == 'A' and bound.__self__ is b and bare.__self__ is None",
    ),
    "a_bound_method": (
        "class C:\n    def m(self): return self\n    @classmethod\n    def k(cls): return cls\nc = C()\nobj = c.m, c, c.k",
        "m, c, k = obj\nassert m() is c and m == c.m and k() is type(c)",
    ),
    "a_method_under_another_name": (
        "class C:\n    def m(self): return 1\n    n = m\ndel C.m\nobj = C().n, C",
        "assert obj[0]() == 1",
    ),
    "a_private_method": (
        "class C:\n    def __m(self): return 1\n    def get(self): return self.__m\nobj = C().get()",
        "assert obj() == 1",
    ),
    "a_method_hidden_by_the_instance": (
        "class C:\n    def m(self): return 1\nc = C()\nobj = c.m, c\nc.m = 2",
        "assert obj[0]() == 1 and obj[1].m == 2",
    ),
    "a_method_of_a_function_of_its_own": (
        "import types\nclass C: ...\nobj = types.MethodType(lambda self, x: x, C())",
        "assert obj(3) == 3",
    ),
    "descriptors": (
        """
        import types
        class S:
            __slots__ = "a", "b"
        obj = [type.__dict__["__dict__"], types.FunctionType.__closure__, dict.__dict__["fromkeys"], int.__add__,
               str.upper, (1).__add__, S.__dict__["a"], S]
        """,
        """
        import types
        assert obj[0] is type.__dict__["__dict__"] and obj[1] is types.FunctionType.__closure__
        assert obj[2] is dict.__dict__["fromkeys"] and obj[3] is int.__add__ and obj[4] is str.upper and obj[5](2) == 3
        assert obj[6] is obj[7].__dict__["a"]
        """,
    ),
    "a_single_dispatch_method": (
        """
        import functools
        class C:
            @functools.singledispatchmethod
            def f(self, x): return "any"
            @f.register
            def _(self, x: int): return "int"
        obj = C()
        """,
        "assert obj.f(1) == 'int' and obj.f('') == 'any'",
    ),
    "partial_methods": (
        "import functools\nclass C:\n    def f(self, a, b): return a, b\n    g = functools.partialmethod(f, 1)\nobj = C()",
        "assert obj.g(2) == (1, 2)",
    ),
    "a_derived_partial": (
        "import functools\nclass P(functools.partial):\n    tag = 1\nobj = P(lambda x, y: (x, y), 1)\nobj.own = 2",
        "assert obj(2) == (1, 2) and obj.tag == 1 and obj.own == 2",
    ),
    "an_object_that_answers_for_everything": (
        """
        class Proxy:
            def __init__(self, inner): self.inner = inner
            def __getattr__(self, name): return getattr(self.inner, name)
        class Slotted:
            __slots__ = "inner", "__dict__"
            def __init__(self, inner): self.inner, self.x = inner, 1
            def __getattr__(self, name): return getattr(self.inner, name)
        obj = Proxy([1]), Slotted([2])
        """,
        "assert obj[0].inner == [1] and obj[0].index(1) == 0 and obj[1].inner == [2] and obj[1].x == 1",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_arrives(case):
    ship(*CASES[case])


def test_a_property_knows_its_name_where_properties_do():
    ship(
        "class C:\n    x = property(lambda self: 1)\nobj = C.__dict__['x'], hasattr(C.__dict__['x'], '__name__')",
        "p, named = obj\nassert not named or p.__name__ == 'x' or p.__name__ == '<lambda>'",
    )
