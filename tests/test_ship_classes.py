"""Classes of the script: the class that arrives is the class that went in."""

import sys

import pytest
from shipping import run, ship, written

needs_312 = pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 695 came with Python 3.12")


def test_an_instance_arrives_with_its_class():
    ship(
        """
        class Account:
            bank, count = "acme", 0
            def __init__(self, n):
                self.n = n
                Account.count += 1
            @property
            def double(self): return self.n * 2
            @double.setter
            def double(self, v): self.n = v // 2
            @classmethod
            def of(cls, n): return cls(n)
            @staticmethod
            def helper(x): return x + 1
        obj = [Account(3), Account, Account.of(4)]
        """,
        """
        a, A, b = obj
        assert type(a) is A and isinstance(b, A) and a.double == 6
        a.double = 20
        assert a.n == 10 and A.count == 2 and A.of(9).n == 9 and A.count == 3 and A.helper(1) == 2
        assert (A.__name__, A.__qualname__, A.__module__) == ("Account", "Account", "__main__")
        """,
    )


def test_a_class_alone_arrives():
    ship(
        "class K:\n    'doc'\n    x = 1\nobj = K",
        "assert obj.x == 1 and obj.__doc__ == 'doc' and type(obj()) is obj and obj.__bases__ == (object,)",
    )


def test_the_order_of_the_attributes_arrives():
    ship(
        "class K:\n    z = 1\n    def b(self): ...\n    a = 2\n    def y(self): ...\nobj = K",
        "assert [n for n in vars(obj) if not n.startswith('__')] == ['z', 'b', 'a', 'y']",
    )


def test_the_methods_of_a_class_see_the_globals():
    ship(
        "K = 3\ndef helper(x): return x * K\nclass C:\n    def m(self, x): return helper(x)\nobj = C()",
        "assert obj.m(4) == 12",
    )


def test_a_method_that_names_its_class_finds_it():
    ship("class K:\n    def again(self): return K()\nobj = K()", "assert type(obj.again()) is type(obj)")


def test_a_class_inside_a_function_closes_over_it_and_itself():
    ship(
        """
        def make(k):
            class Local:
                made = []
                def __init__(self): Local.made.append(self)
                def value(self): return k + len(Local.made)
            return Local
        obj = make(100)
        """,
        "x = obj()\nassert obj.made == [x] and x.value() == 101 and obj.__qualname__ == 'make.<locals>.Local'",
    )


def test_the_methods_of_a_class_share_a_cell():
    ship(
        """
        def make():
            n = 0
            class K:
                def bump(self):
                    nonlocal n
                    n += 1
                def get(self): return n
            return K
        obj = make()
        """,
        "k = obj()\nk.bump(), k.bump()\nassert obj().get() == 2",
    )


def test_super_without_arguments_and_the_class_cell_arrive():
    ship(
        """
        def make():
            class A:
                def __init__(self): self.log = ["A"]
                @classmethod
                def who(cls): return ["A.who", cls.__name__]
            class B(A):
                def __init__(self):
                    super().__init__()
                    self.log.append("B")
                @classmethod
                def who(cls): return ["B.who"] + super().who()
                def cell(self): return __class__
            return B
        obj = make()
        """,
        """
        assert obj().log == ["A", "B"] and obj.who() == ["B.who", "A.who", "B"] and obj().cell() is obj
        class C(obj): pass
        assert C().cell() is obj and C.who()[-1] == "C"
        """,
    )


def test_inheritance_of_several_classes_keeps_its_order():
    ship(
        "class A: x = 'a'\nclass B(A): ...\nclass C(A): x = 'c'\nclass D(B, C): ...\nobj = D()",
        "assert [c.__name__ for c in type(obj).__mro__] == ['D', 'B', 'C', 'A', 'object'] and obj.x == 'c'",
    )


def test_an_override_equal_to_the_parents_stays():
    ship(
        "class A: x = 1\nclass B(A): x = 1\nobj = (A, B)", "A, B = obj\nassert 'x' in vars(B)\nA.x = 2\nassert B.x == 1"
    )


def test_a_class_with_slots_has_them_and_nothing_more():
    ship(
        """
        class P:
            __slots__ = ("x", "y", "__secret", "__weakref__")
            def __init__(self): self.x, self.__secret = 1, 9
            def peek(self): return self.__secret
        obj = P()
        """,
        """
        import weakref
        assert obj.x == 1 and obj.peek() == 9 and not hasattr(obj, "y") and not hasattr(obj, "__dict__")
        obj.y = 4
        assert weakref.ref(obj)() is obj and type(obj).__slots__ == ("x", "y", "__secret", "__weakref__")
        """,
    )


def test_slots_are_inherited():
    ship(
        "class A:\n    __slots__ = ('a',)\nclass B(A):\n    __slots__ = ('b', '__dict__')\nb = B()\nb.a, b.b, b.c = 1, 2, 3\nobj = b",
        "assert (obj.a, obj.b, obj.c) == (1, 2, 3) and vars(obj) == {'c': 3}",
    )


def test_slots_given_as_a_dict_of_docs_arrive():
    ship("class A:\n    __slots__ = {'a': 'the doc of a'}\nobj = A", "assert obj.__slots__ == {'a': 'the doc of a'}")


def test_a_nested_class_is_the_attribute_of_the_outer_one():
    ship(
        "class Outer:\n    class Inner:\n        def up(self): return Outer\nobj = (Outer.Inner(), Outer)",
        "inner, Outer = obj\nassert type(inner) is Outer.Inner and inner.up() is Outer and Outer.Inner.__qualname__ == 'Outer.Inner'",
    )


def test_two_classes_that_name_each_other_arrive():
    ship(
        """
        def make():
            class Parent:
                def child(self): return Child(self)
            class Child:
                owner = Parent
                def __init__(self, p): self.p = p
                def kind(self): return Parent
            Parent.kind = Child
            return Parent()
        obj = make()
        """,
        "c = obj.child()\nassert c.p is obj and c.kind() is type(obj) is type(c).owner and type(obj).kind is type(c)",
    )


def test_a_class_that_holds_itself_arrives():
    ship(
        "class K: ...\nK.me, K.box, K.one = K, [K], K()\nobj = K",
        "assert obj.me is obj and obj.box[0] is obj and type(obj.one) is obj",
    )


def test_an_abstract_class_stays_abstract():
    ship(
        """
        import abc
        class Shape(abc.ABC):
            @abc.abstractmethod
            def area(self): ...
        class Square(Shape):
            def area(self): return 9
        class Duck: ...
        Shape.register(Duck)
        obj = (Shape, Square(), Duck())
        """,
        """
        Shape, square, duck = obj
        assert isinstance(square, Shape) and isinstance(duck, Shape) and not isinstance(3, Shape) and square.area() == 9
        assert Shape.__abstractmethods__ == {"area"}
        try:
            Shape()
        except TypeError:
            pass
        else:
            raise AssertionError("it is not abstract")
        """,
    )


def test_a_class_with_a_metaclass_of_the_script_arrives():
    ship(
        """
        class Meta(type):
            def __call__(cls, *a): return ("made", super().__call__(*a))
            def shout(cls): return cls.__name__.upper()
        class K(metaclass=Meta): ...
        obj = K
        """,
        "assert obj.shout() == 'K' and obj()[0] == 'made' and type(obj).__name__ == 'Meta'",
    )


def test_a_class_whose_metaclass_takes_arguments_arrives():
    ship(
        """
        class Meta(type):
            def __new__(m, name, bases, space, *, table):
                c = super().__new__(m, name, bases, space)
                c.table = table
                return c
            def __init__(c, name, bases, space, *, table): super().__init__(name, bases, space)
        class K(metaclass=Meta, table="rows"): x = 1
        obj = K
        """,
        "assert obj.table == 'rows' and obj.x == 1 and obj().x == 1",
    )


def test_hooks_of_bases_of_the_script_do_not_fire_twice():
    ship(
        """
        class Plugin:
            known = {}
            def __init_subclass__(cls, **k):
                super().__init_subclass__(**k)
                if cls.__name__ in Plugin.known: raise ValueError("twice: " + cls.__name__)
                Plugin.known[cls.__name__] = cls
        class One(Plugin): ...
        class Two(One): ...
        obj = (Two(), Plugin)
        """,
        "two, Plugin = obj\nassert sorted(Plugin.known) == ['One', 'Two'] and Plugin.known['Two'] is type(two)",
    )


def test_the_hook_of_an_importable_base_runs_once_and_sees_the_attributes_and_keywords():
    ship(
        "import importable\nclass K(importable.Hooked, topic='news'): path = 'k'\nobj = K",
        "import importable\nassert (obj.topic, obj.address) == ('news', '/k') and importable.REGISTRY == [obj]",
    )


def test_an_importable_metaclass_sees_the_whole_namespace_once():
    ship(
        "import importable\nclass K(metaclass=importable.Meta): fields = ('a',)\nobj = K()",
        "import importable\nassert type(obj).fields == ('a',) and importable.REGISTRY == [type(obj)]",
    )


def test_a_class_of_a_library_factory_uses_the_live_globals_of_the_library():
    ship(
        "import importable\nobj = importable.make_class('t')()",
        "import importable\nimportable.STATE['level'] = 'live'\nassert obj.level() == ('live', 't')",
    )


def test_a_descriptor_with_set_name_is_named_once():
    ship(
        """
        class Typed:
            calls = 0
            def __set_name__(self, owner, name):
                Typed.calls += 1
                self.name, self.owner = "_" + name, owner
            def __get__(self, o, t=None): return self if o is None else getattr(o, self.name)
            def __set__(self, o, v): setattr(o, self.name, v)
        class P:
            x, y = Typed(), Typed()
        obj = P()
        obj.x = 1
        """,
        "P = type(obj)\nassert obj.x == 1 and P.x.owner is P and P.y.name == '_y' and type(P.x).calls == 2",
    )


def test_subclasses_of_built_in_types_keep_content_and_attributes():
    ship(
        """
        import collections
        def sub(base, *a):
            o = type("My" + base.__name__, (base,), {"hello": lambda self: "hello"})(*a)
            o.extra = [base.__name__]
            return o
        obj = [sub(dict, {"a": 1}), sub(list, [1]), sub(tuple, (1, 2)), sub(int, 5), sub(str, "s"), sub(set, {1}),
               sub(frozenset, {2}), sub(bytes, b"b"), sub(bytearray, b"c"), sub(float, 1.5), sub(complex, 1j),
               sub(collections.OrderedDict, {"z": 1}), sub(collections.deque, [1]), sub(Exception, "x")]
        """,
        """
        want = [{"a": 1}, [1], (1, 2), 5, "s", {1}, {2}, b"b", b"c", 1.5, 1j, {"z": 1}]
        assert all(o == w for o, w in zip(obj, want)) and list(obj[-2]) == [1] and obj[-1].args == ("x",)
        assert all(o.hello() == "hello" and o.extra == [type(o).__mro__[1].__name__] for o in obj)
        """,
    )


def test_the_state_protocols_of_a_class_of_the_script_are_followed():
    ship(
        """
        class A:
            def __getstate__(self): return {"a": 1}
            def __setstate__(self, s): self.__dict__.update(s, restored=True)
        class B(tuple):
            def __new__(cls, *, x, y): return super().__new__(cls, (x, y))
            def __getnewargs_ex__(self): return (), {"x": self[0], "y": self[1]}
        class C:
            def __reduce__(self): return rebuild, (7,)
        def rebuild(n):
            c = C.__new__(C)
            c.n = n
            return c
        obj = (A(), B(x=1, y=2), C())
        """,
        "a, b, c = obj\nassert vars(a) == {'a': 1, 'restored': True} and b == (1, 2) and type(b).__name__ == 'B' and c.n == 7",
        in_place=False,
    )


def test_an_exception_of_the_script_arrives():
    ship(
        "class Own(Exception):\n    def __init__(self, code):\n        super().__init__(code)\n        self.code = code\nobj = Own(3)",
        "try:\n    raise obj\nexcept Exception as e:\n    assert e.code == 3 and e.args == (3,) and type(e).__name__ == 'Own'",
    )


def test_a_dataclass_arrives():
    ship(
        """
        import dataclasses
        @dataclasses.dataclass(order=True)
        class P:
            x: int
            y: int = 3
            t: list = dataclasses.field(default_factory=list, compare=False)
        obj = (P, P(1))
        """,
        """
        import dataclasses
        P, p = obj
        assert p == P(1) and p < P(2) and repr(p) == "P(x=1, y=3, t=[])" and dataclasses.asdict(p) == {"x": 1, "y": 3, "t": []}
        x, y, t = dataclasses.fields(P)
        assert x.default is dataclasses.MISSING and t.default_factory is list and P(1).t is not P(1).t
        @dataclasses.dataclass
        class Q(P):
            z: int = 4
        assert repr(Q(1)) == "Q(x=1, y=3, t=[], z=4)"
        try:
            Q()
        except TypeError:
            pass
        else:
            raise AssertionError("x has lost that it is required")
        """,
    )


def test_frozen_slotted_and_keyword_only_dataclasses_arrive():
    ship(
        """
        import dataclasses
        @dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
        class P:
            x: int
            k: dataclasses.KW_ONLY = None
        obj = P(x=1)
        """,
        """
        import dataclasses
        assert obj.x == 1 and hash(obj) == hash(type(obj)(x=1)) and not hasattr(obj, "__dict__")
        try:
            obj.x = 2
        except dataclasses.FrozenInstanceError:
            pass
        else:
            raise AssertionError("it is not frozen")
        """,
    )


def test_an_enum_arrives_with_its_members():
    ship(
        """
        import enum
        class Color(enum.Enum):
            RED = 1
            GREEN = 2
            CRIMSON = 1
            def nice(self): return self.name.lower()
        obj = (Color.RED, Color, {Color.GREEN: 1})
        """,
        """
        red, Color, table = obj
        assert red is Color.RED is Color(1) is Color["CRIMSON"] is Color.CRIMSON and red.nice() == "red"
        assert list(Color) == [Color.RED, Color.GREEN] and table[Color.GREEN] == 1 and Color.__members__["CRIMSON"] is red
        """,
    )


def test_flags_and_enums_of_other_types_arrive():
    ship(
        """
        import enum
        class F(enum.Flag):
            A = enum.auto()
            B = enum.auto()
        class I(enum.IntFlag):
            X, Y = 1, 2
        class S(enum.StrEnum):
            ONE = enum.auto()
        class N(enum.IntEnum):
            TEN = 10
        obj = (F.A | F.B, I.X | I.Y, S.ONE, N.TEN)
        """,
        """
        f, i, s, n = obj
        assert f == type(f).A | type(f).B and type(f).A in f and i == 3 and type(i).X in i
        assert s == "one" and s is type(s).ONE and n + 1 == 11 and n is type(n)(10)
        """,
    )


def test_an_enum_with_a_new_of_its_own_arrives():
    ship(
        """
        import enum
        class Coord(bytes, enum.Enum):
            def __new__(cls, v, label):
                o = bytes.__new__(cls, [v])
                o._value_, o.label = v, label
                return o
            PX = (0, "P.X")
            PY = (1, "P.Y")
        obj = Coord.PY
        """,
        "assert obj.label == 'P.Y' and obj.value == 1 and obj == b'\\x01' and type(obj)(1) is obj",
    )


def test_a_named_tuple_arrives():
    ship(
        """
        import collections, typing
        class P(typing.NamedTuple):
            x: int
            y: int = 2
            def norm(self): return self.x + self.y
        Q = collections.namedtuple("Q", "a b", defaults=[5])
        obj = (P(1), Q(4))
        """,
        "p, q = obj\nassert p == (1, 2) and p.norm() == 3 and p._replace(y=5).y == 5 and q.b == 5 and type(q)._fields == ('a', 'b')",
    )


def test_a_typed_dict_arrives():
    ship(
        "import typing\nclass M(typing.TypedDict):\n    name: str\nclass E(M, total=False):\n    rating: float\nobj = (M, E)",
        "M, E = obj\nassert M(name='a') == {'name': 'a'} and E.__required_keys__ == {'name'} and E.__optional_keys__ == {'rating'}",
    )


def test_a_generic_class_and_its_parameters_arrive():
    ship(
        """
        import typing
        T = typing.TypeVar("T", bound=int)
        class Box(typing.Generic[T]):
            def __init__(self, v: T): self.v = v
        obj = (Box, Box[int], Box(3), T)
        """,
        "import typing\nBox, BoxInt, b, T = obj\nassert type(b) is Box and typing.get_origin(BoxInt) is Box and Box.__parameters__ == (T,) and T.__bound__ is int",
    )


def test_a_protocol_arrives():
    ship(
        "import typing\n@typing.runtime_checkable\nclass P(typing.Protocol):\n    def go(self): ...\nobj = P",
        "class Yes:\n    def go(self): ...\nassert isinstance(Yes(), obj) and not isinstance(3, obj)",
    )


@needs_312
def test_a_class_with_type_parameters_of_its_own_arrives():
    ship(
        "class Box[T]:\n    def get(self, x: T) -> T: return T\ntype Pair[A] = tuple[A, A]\nobj = (Box, Pair)",
        "Box, Pair = obj\n(T,) = Box.__type_params__\nassert Box().get(1) is T and Box.get.__annotations__['x'] is T\n"
        "(A,) = Pair.__type_params__\nassert Pair.__name__ == 'Pair' and Pair.__value__ == tuple[A, A]",
    )


def test_class_decorators_that_replace_the_class_arrive():
    ship(
        """
        def sub(c):
            class New(c): wrapped = c
            New.__name__, New.__qualname__ = c.__name__, c.__qualname__
            return New
        @sub
        class Thing:
            def m(self): return "m"
        obj = Thing()
        """,
        "T = type(obj)\nassert obj.m() == 'm' and T.__name__ == 'Thing' and T.wrapped is T.__mro__[1] and T.wrapped is not T",
    )


def test_classes_that_forbid_setting_attributes_arrive():
    ship(
        """
        class Meta(type):
            def __setattr__(c, k, v): raise AttributeError("frozen class")
        class F(metaclass=Meta):
            limit = 3
            def __init__(self): object.__setattr__(self, "v", 1)
            def __setattr__(self, k, v): raise AttributeError("frozen")
        obj = F()
        """,
        """
        assert obj.v == 1 and obj.limit == 3
        for each in (obj, type(obj)):
            try:
                each.z = 1
            except AttributeError as error:
                assert "frozen" in str(error)
            else:
                raise AssertionError("it is not frozen")
        """,
    )


def test_a_class_that_arrives_in_two_payloads_is_one_class():
    ship(
        "import capers\nclass K:\n    def m(self): return 1\nobj = [capers.dumps(K()), capers.dumps([K, K()])]",
        """
        import capers, pickle
        a = capers.loads(obj[0])
        K, b = pickle.loads(obj[1])
        assert type(a) is K is type(b) and isinstance(capers.loads(obj[0]), K)
        """,
    )


def test_a_class_that_comes_back_to_its_sender_is_the_senders():
    run(
        """
        import capers
        class K:
            def m(self): return 1
        k = capers.loads(capers.dumps(K()))
        assert type(k) is K and capers.loads(capers.dumps(K)) is K
        """
    )


def test_loading_does_not_change_a_live_class():
    run(
        """
        import capers
        def make():
            log = []
            class K:
                count = 0
                def __init__(self): log.append("made")
            return K, log
        K, log = make()
        data = capers.dumps(K())
        K.count, method = 5, K.__init__
        capers.loads(data)
        K()
        assert K.count == 5 and K.__init__ is method and len(log) == 2
        """
    )


def test_an_instance_of_a_redefined_class_keeps_its_old_class():
    run(
        """
        import capers
        class P:
            def who(self): return "old"
        data = capers.dumps(P())
        class P:
            def who(self): return "new"
        assert (capers.loads(data).who(), P().who(), capers.loads(capers.dumps(P())).who()) == ("old", "new", "new")
        """
    )


def test_the_bytes_of_a_class_are_the_same_in_every_process(tmp_path):
    script = """
        import dataclasses, enum
        @dataclasses.dataclass
        class A:
            x: int = 1
            def m(self): return super().__repr__()
        class E(enum.Enum):
            R, G = 1, 2
        class S:
            __slots__ = ("a", "b")
        obj = [A(3), E.R, S, A]
        """
    assert len({written(tmp_path, script, PYTHONHASHSEED=str(seed)) for seed in (0, 1, 2)}) == 1


def test_a_constant_of_a_class_of_the_script_arrives():
    ship(
        """
        class Token: pass
        token = Token()
        def f(): return "PLACEHOLDER"
        f.__code__ = f.__code__.replace(co_consts=tuple(token if c == "PLACEHOLDER" else c for c in f.__code__.co_consts))
        obj = (f, token)
        """,
        "f, token = obj\nassert f() is token and type(token).__name__ == 'Token'",
    )
