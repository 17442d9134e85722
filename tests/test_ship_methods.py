"""Bound methods, methods of classes, and what is built in."""

import pytest
from shipping import ship


def test_a_bound_method_of_an_importable_instance_arrives_bound_to_it():
    ship(
        "import importable\nh = importable.Holder([1])\nobj = (h.get, h)",
        "get, h = obj\nassert get.__self__ is h and get() is h.value and get() == [1]",
    )


def test_a_function_bound_by_hand_arrives():
    ship(
        "import types\ndef f(self, x): return self + [x]\nobj = types.MethodType(f, [1])",
        "import types\nassert type(obj) is types.MethodType and obj(2) == [1, 2] and obj.__self__ == [1] and obj.__func__.__name__ == 'f'",
    )


def test_a_function_bound_to_itself_arrives():
    ship(
        "import types\ndef f(self, n): return self if n == 0 else self.again(n - 1)\nf.again = types.MethodType(f, f)\nobj = f.again",
        "assert obj.__self__ is obj.__func__ and obj(3) is obj.__func__",
    )


def test_an_instance_that_holds_its_own_bound_method_arrives():
    ship(
        "import importable\nh = importable.Holder(None)\nh.value = h.get\nobj = h",
        "assert obj.value.__self__ is obj and obj.value() == obj.value",
    )


def test_bound_methods_of_an_instance_of_main_share_it():
    ship(
        """
        class K:
            def __init__(self): self.v = 1
            def m(self, k=2): return self.v * k
            @classmethod
            def c(cls): return cls
            @staticmethod
            def s(a): return a
        k = K()
        k.own = k.m
        obj = (k, k.m, K.c, K.s, K.m, k.c)
        """,
        """
        k, m, c, s, f, kc = obj
        assert m.__self__ is k and k.own.__self__ is k and m() == 2
        k.v = 10
        assert m(3) == 30 and c() is type(k) is kc() and s(5) == 5 and f is type(k).m and f(k) == 20
        """,
    )


def test_a_bound_method_of_a_superclass_arrives():
    ship(
        """
        class A:
            def m(self): return "A", self.x
        class B(A):
            x = 5
            def m(self): return "B", super().m()
        b = B()
        obj = (b.m, super(B, b).m)
        """,
        "m, base = obj\nassert m() == ('B', ('A', 5)) and base() == ('A', 5) and base.__self__ is m.__self__",
    )


def test_static_and_class_method_objects_arrive():
    ship(
        "def f(*a): return a\nobj = [staticmethod(f), classmethod(f), f]",
        "s, c, f = obj\nassert (type(s), type(c)) == (staticmethod, classmethod) and s.__func__ is c.__func__ is f and s(1) == (1,)\nassert c.__get__(None, int)() == (int,)",
    )


def test_attributes_of_a_static_method_object_arrive():
    ship("def f(): ...\ns = staticmethod(f)\ns.tag = 1\nobj = s", "assert obj.tag == 1 and obj.__name__ == 'f'")


def test_a_property_object_arrives():
    ship(
        "obj = property(lambda self: self[0], lambda self, v: self.append(v), doc='its doc')",
        "box = [3]\nassert obj.fget(box) == 3 and obj.__doc__ == 'its doc' and obj.fdel is None\nobj.fset(box, 4)\nassert box == [3, 4]",
    )


def test_bound_methods_of_built_in_objects_share_the_object():
    ship(
        """
        log, table = [], {"k": 1}
        obj = (log, log.append, table.get, "abc".upper, (5).__add__, int.from_bytes, dict.fromkeys, b"ab".hex)
        """,
        """
        log, append, get, upper, add, from_bytes, fromkeys, hexed = obj
        append(3)
        assert log == [3] and append.__self__ is log
        assert get("k") == 1 and upper() == "ABC" and add(2) == 7 and hexed() == "6162"
        assert from_bytes(b"\\x01\\x00", "big") == 256 and fromkeys("ab") == {"a": None, "b": None}
        """,
    )


METHOD_WRAPPERS = [
    "[1].__len__",
    "(5).__add__",
    "'a'.__contains__",
    "(lambda: 3).__call__",
    "[].__repr__",
    "{}.__getitem__",
]


@pytest.mark.parametrize("expression", METHOD_WRAPPERS, ids=str.lower)
def test_a_method_wrapper_arrives(expression):
    ship(
        f"obj = {expression}",
        f"assert type(obj) is type([].__len__) or type(obj) is type([].append)\nassert obj.__name__ == {expression.rsplit('.')[-1]!r}"
        f"\nassert type(obj.__self__).__name__ in ('list', 'int', 'str', 'function', 'dict')",
    )


def test_a_method_wrapper_keeps_its_object():
    ship(
        "box = [1]\nobj = (box, box.__len__)",
        "box, length = obj\nbox.append(2)\nassert length() == 2 and length.__self__ is box",
    )


def test_the_call_wrapper_of_a_closure_arrives():
    ship("def make(n): return lambda: n\nobj = make(3).__call__", "assert obj() == 3")


DESCRIPTORS = [
    "str.upper",
    "int.__add__",
    "list.append",
    "dict.__getitem__",
    "object.__init__",
    "float.__repr__",
    "type.mro",
    "bytes.maketrans",
]


@pytest.mark.parametrize("expression", DESCRIPTORS)
def test_a_method_of_a_built_in_type_travels_by_reference(expression):
    ship(f"obj = {expression}", f"assert obj == {expression} and type(obj) is type({expression})")


OWN = ["dict.__dict__['fromkeys']", "type(lambda: 0).__code__", "type(lambda: 0).__closure__", "complex.real", "type.__dict__['__mro__']", "int.__dict__['real']"]  # fmt: skip


@pytest.mark.parametrize("expression", OWN)
def test_a_descriptor_of_a_built_in_type_is_the_receivers_own(expression):
    ship(f"obj = {expression}", f"assert obj is {expression}")


def test_a_function_that_calls_built_in_methods_held_in_globals_arrives():
    ship(
        "log = []\nadd = log.append\ndef f(x):\n    add(x)\n    return log\nobj = f",
        "assert obj(1) == [1] and obj(2) == [1, 2]",
    )


def test_builtin_functions_travel_by_reference():
    ship(
        "import math\nobj = [print, abs, math.sqrt, ''.join]",
        "import math\nassert obj[:3] == [print, abs, math.sqrt] and obj[3]('ab') == 'ab'",
    )


def test_class_methods_of_built_in_types_arrive():
    ship(
        "import datetime\nobj = [int.from_bytes, datetime.date.fromisoformat, bytes.fromhex]",
        "import datetime\nassert obj == [int.from_bytes, datetime.date.fromisoformat, bytes.fromhex]",
    )


def test_the_singletons_of_the_language_arrive():
    ship(
        "obj = [None, True, False, ..., NotImplemented]",
        "assert all(a is b for a, b in zip(obj, [None, True, False, ..., NotImplemented]))",
    )
