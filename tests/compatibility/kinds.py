"""Classes that a library makes: enumerations, dataclasses, typing, exceptions, ctypes, attrs and pydantic."""

from .entry import Entry, Family

ENUMS = Family(
    "Enumerations",
    (
        Entry(
            "Enum with an alias and a method",
            "import enum\nclass C(enum.Enum):\n    RED, GREEN, CRIMSON = 1, 2, 1\n    def nice(self): return self.name.lower()\nobj = C.RED, C, {C.GREEN: 1}",
            "red, C, t = obj\nassert red is C.RED is C(1) is C['CRIMSON'] is C.CRIMSON and red.nice() == 'red'\nassert list(C) == [C.RED, C.GREEN] and t[C.GREEN] == 1 and list(C.__members__) == ['RED', 'GREEN', 'CRIMSON']",
        ),
        Entry(
            "IntEnum and StrEnum with auto()",
            "import enum\nclass N(enum.IntEnum):\n    A = enum.auto()\n    B = 10\nclass S(enum.StrEnum):\n    ONE = enum.auto()\nobj = N.B, S.ONE",
            "n, s = obj\nassert n + 1 == 11 and n is type(n)(10) and type(n).A == 1 and s == 'one' and s is type(s).ONE and f'{s}' == 'one'",
        ),
        Entry(
            "Flag and IntFlag, joined members",
            "import enum\nclass F(enum.Flag):\n    A, B = enum.auto(), enum.auto()\n    BOTH = A | B\nclass I(enum.IntFlag):\n    X, Y = 1, 2\nobj = F.A | F.B, F.A, I.X | I.Y, I(0)",
            "both, a, i, zero = obj\nF, I = type(a), type(i)\nassert both is F.BOTH and F.A in both and ~a == F.B and i == 3 and I.X in i and not zero and list(both) == [F.A, F.B]",
        ),
        Entry(
            "Flag with a boundary and verify",
            "import enum\n@enum.verify(enum.UNIQUE)\nclass F(enum.Flag, boundary=enum.KEEP): A = 1\nobj = F.A, F(9)",
            "a, nine = obj\nassert type(a)(9) is nine and nine.value == 9 and type(a)._boundary_.name == 'KEEP'",
        ),
        Entry(
            "Enum with __new__",
            """
            import enum
            class Coord(bytes, enum.Enum):
                def __new__(cls, v, label):
                    o = bytes.__new__(cls, [v])
                    o._value_, o.label = v, label
                    return o
                X = 0, "P.X"
                Y = 1, "P.Y"
            obj = Coord.Y
            """,
            "assert obj.label == 'P.Y' and obj.value == 1 and obj == b'\\x01' and type(obj)(1) is obj and type(obj).X.label == 'P.X'",
        ),
        Entry(
            "Enum with __init__, _missing_ and a property",
            """
            import enum
            class Planet(enum.Enum):
                EARTH = 5.9, 6.3
                MARS = 0.6, 3.3
                def __init__(self, mass, radius): self.mass, self.radius = mass, radius
                @property
                def ratio(self): return self.mass / self.radius
                @classmethod
                def _missing_(cls, v): return cls.MARS if v == "red" else None
            obj = Planet.EARTH
            """,
            "P = type(obj)\nassert obj.mass == 5.9 and P('red') is P.MARS and P((0.6, 3.3)) is P.MARS and obj.ratio == 5.9 / 6.3",
        ),
        Entry(
            "Enum over a dataclass, over functions, unhashable",
            """
            import dataclasses, enum, functools
            @dataclasses.dataclass
            class Size: w: int
            class E(Size, enum.Enum): SMALL = 1
            class F(enum.Enum):
                G = enum.member(functools.partial(lambda x: x + 1))
                L = [1, 2]
                def __call__(self, x): return self.value(x)
            obj = E.SMALL, F.G, F.L
            """,
            "s, g, l = obj\nassert s.w == 1 and s is type(s).SMALL and g(1) == 2 and l is type(l)([1, 2]) and l is type(g).L",
        ),
        Entry(
            "Enum with members and nonmembers told",
            """
            import enum
            class E(enum.Enum):
                _ignore_ = ["i"]
                A = 1
                data = enum.nonmember(["x"])
                f = enum.member(len)
                i = 4
                class In: ...
            obj = E.A, E.f
            """,
            "a, f = obj\nE = type(a)\nassert E.data == ['x'] and f.value is len and f is E.f and not hasattr(E, 'i')",
        ),
        Entry(
            "Enum by its functional form, and inside a class",
            "import enum\nclass K:\n    class E(enum.Enum): A = 1\nobj = enum.Enum('Made', 'A B'), enum.IntEnum('N', {'X': 3}).X, K.E.A, K",
            "M, x, a, K = obj\nassert M.B.value == 2 and x == 3 and a is K.E.A and [m.name for m in M] == ['A', 'B']",
        ),
        Entry(
            "Enum with _generate_next_value_ and a metaclass",
            """
            import enum
            class Meta(enum.EnumMeta):
                def shout(c): return "!"
            class E(enum.Enum, metaclass=Meta):
                @staticmethod
                def _generate_next_value_(name, start, count, last): return name.lower()
                A = enum.auto()
            obj = E.A
            """,
            "assert obj.value == 'a' and type(obj).shout() == '!' and type(type(obj)).__name__ == 'Meta'",
        ),
        Entry(
            "Enum members that name their class",
            "import enum\nclass E(enum.Enum):\n    A = 1\n    B = 2\n    def next(self): return E.B\nE.A.peer = E.B\nobj = E.A",
            "assert obj.next() is type(obj).B is obj.peer",
        ),
        Entry(
            "members of an enumeration of the library",
            "import re, socket, http\nobj = re.I | re.M, http.HTTPStatus.OK",
            "import http, re\nassert obj == (re.I | re.M, 200) and obj[1] is http.HTTPStatus.OK",
        ),
    ),
)

RECORDS = Family(
    "Dataclasses and records",
    (
        Entry(
            "a dataclass",
            """
            import dataclasses
            @dataclasses.dataclass(order=True)
            class P:
                x: int
                y: int = 3
                t: list = dataclasses.field(default_factory=list, compare=False, metadata={"m": 1})
            obj = P, P(1)
            """,
            """
            import dataclasses
            P, p = obj
            assert p == P(1) < P(2) and repr(p) == "P(x=1, y=3, t=[])" and dataclasses.replace(p, x=2) == P(2)
            x, y, t = dataclasses.fields(P)
            assert x.default is dataclasses.MISSING and t.default_factory is list and t.metadata == {"m": 1} and x.type is int
            """,
        ),
        Entry(
            "a dataclass, subclassed after it arrived",
            "import dataclasses\n@dataclasses.dataclass\nclass P:\n    x: int\nobj = P",
            "import dataclasses\n@dataclasses.dataclass\nclass Q(obj):\n    y: int = 0\nassert repr(Q(1)) == 'Q(x=1, y=0)'\ntry: Q()\nexcept TypeError: pass\nelse: raise AssertionError('x is not required')",
        ),
        Entry(
            "a frozen dataclass with slots and keyword-only fields",
            """
            import dataclasses
            @dataclasses.dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
            class P:
                x: int
                y: list = dataclasses.field(default_factory=list)
            obj = P(x=1)
            """,
            """
            import dataclasses, weakref
            assert obj == type(obj)(x=1) and not hasattr(obj, "__dict__") and weakref.ref(obj)() is obj
            for bad in lambda: setattr(obj, "x", 2), lambda: type(obj)(1):
                try: bad()
                except (dataclasses.FrozenInstanceError, TypeError): pass
                else: raise AssertionError(bad)
            """,
        ),
        Entry(
            "a dataclass with InitVar, ClassVar, KW_ONLY, __post_init__",
            """
            import dataclasses, typing
            @dataclasses.dataclass
            class P:
                a: int
                scale: dataclasses.InitVar[int]
                n: typing.ClassVar[int] = 7
                _: dataclasses.KW_ONLY
                b: int = dataclasses.field(init=False)
                def __post_init__(self, scale): self.b = self.a * scale
            obj = P(2, 3)
            """,
            "import dataclasses\nP = type(obj)\nassert obj.b == 6 and P(1, 2).b == 2 and P.n == 7 and [f.name for f in dataclasses.fields(P)] == ['a', 'b']",
        ),
        Entry(
            "a generic dataclass that inherits, with super()",
            """
            import dataclasses, typing
            T = typing.TypeVar("T")
            @dataclasses.dataclass(slots=True)
            class A(typing.Generic[T]):
                x: T
                def who(self): return ["A"]
            @dataclasses.dataclass(slots=True)
            class B(A[int]):
                y: int = 1
                def who(self): return ["B", *super().who()] if not __import__("sys").version_info < (3, 14) else ["B", "A"]
            obj = B(2)
            """,
            "assert (obj.x, obj.y) == (2, 1) and obj.who() == ['B', 'A'] and type(obj).__slots__ == ('y',)",
        ),
        Entry(
            "dataclasses.make_dataclass",
            "import dataclasses\nobj = dataclasses.make_dataclass('M', [('x', int), ('y', int, 5)])(1)",
            "assert (obj.x, obj.y) == (1, 5) and type(obj)(2).y == 5",
        ),
        Entry(
            "typing.NamedTuple with methods",
            "import typing\nclass P(typing.NamedTuple):\n    x: int\n    y: int = 2\n    def norm(self): return self.x + self.y\nobj = P(1)",
            "assert obj == (1, 2) and obj.norm() == 3 and obj._replace(y=5).y == 5 and type(obj)._field_defaults == {'y': 2} and type(obj).__annotations__ == {'x': int, 'y': int}",
        ),
        Entry(
            "collections.namedtuple and a subclass",
            "import collections\nQ = collections.namedtuple('Q', 'a b', defaults=[5])\nclass R(Q):\n    __slots__ = ()\n    def s(self): return sum(self)\nobj = Q(4), R(1)",
            "q, r = obj\nassert q.b == 5 and type(q)._fields == ('a', 'b') and r.s() == 6 and isinstance(r, type(q)) and q._asdict() == {'a': 4, 'b': 5}",
        ),
        Entry(
            "attrs: define, frozen, private names, validators",
            """
            import attrs
            @attrs.define
            class A:
                x: int = attrs.field(validator=attrs.validators.instance_of(int), converter=int)
                _y: list = attrs.field(factory=list)
                def who(self): return __class__
            @attrs.frozen(kw_only=True)
            class B(A):
                z: int = 3
            obj = A("1", [2]), B(x=4)
            """,
            """
            import attrs
            a, b = obj
            A, B = type(a), type(b)
            assert (a.x, a._y, b.x, b.z) == (1, [2], 4, 3) and a.who() is A and not hasattr(a, "__dict__") and isinstance(b, A)
            assert attrs.asdict(b) == {"x": 4, "_y": [], "z": 3} and A("5").x == 5 and attrs.fields(A).x.default is attrs.NOTHING
            for bad in lambda: setattr(b, "z", 1), lambda: A("q"):
                try: bad()
                except (attrs.exceptions.FrozenInstanceError, ValueError): pass
                else: raise AssertionError(bad)
            """,
            needs=("attrs",),
        ),
        Entry(
            "attr.s with a dict, and make_class",
            "import attr\n@attr.s(auto_attribs=True, order=True)\nclass A:\n    x: int\n    @property\n    def d(self): return 2 * self.x\nobj = A(1), attr.make_class('M', ['p', 'q'])(1, 2)",
            "a, m = obj\nassert a < type(a)(2) and a.d == 2 and vars(a) == {'x': 1} and (m.p, m.q) == (1, 2)",
            needs=("attrs",),
        ),
        Entry(
            "a pydantic model",
            """
            import typing, pydantic
            class Address(pydantic.BaseModel):
                street: str
                no: int = pydantic.Field(1, ge=0)
            class User(pydantic.BaseModel):
                model_config = pydantic.ConfigDict(extra="forbid")
                name: str
                home: Address
                tags: list[str] = []
                _secret: int = pydantic.PrivateAttr(5)
                @pydantic.field_validator("name")
                @classmethod
                def up(cls, v): return v.upper()
                @pydantic.computed_field
                @property
                def size(self) -> int: return len(self.name)
            obj = User(name="ann", home={"street": "x"}), User, Address
            """,
            """
            import pydantic
            u, User, Address = obj
            assert u.name == "ANN" and u.home == Address(street="x") and u._secret == 5 and u.size == 3
            assert User.model_validate({"name": "bo", "home": {"street": "s", "no": "4"}}).home.no == 4
            assert u.model_dump()["size"] == 3 and "name" in User.model_json_schema()["properties"]
            for bad in {"name": "x"}, {"name": "x", "home": {"street": "s", "no": -1}}, {"name": "x", "home": u.home, "more": 1}:
                try: User(**bad)
                except pydantic.ValidationError: pass
                else: raise AssertionError(bad)
            """,
            needs=("pydantic",),
        ),
        Entry(
            "generic, recursive and inherited pydantic models",
            """
            import typing, pydantic
            T = typing.TypeVar("T")
            class Box(pydantic.BaseModel, typing.Generic[T]):
                value: T
            class Tree(pydantic.BaseModel):
                kids: list["Tree"] = []
                n: int = 0
            class Leaf(Tree):
                leaf: typing.Literal[True] = True
                @pydantic.model_validator(mode="after")
                def check(self):
                    if self.kids: raise ValueError("a leaf with kids")
                    return self
            obj = Box[int](value=1), Tree(kids=[Tree(n=1)]), Leaf(n=4)
            """,
            """
            import pydantic
            b, t, l = obj
            assert b.value == 1 and t.kids[0].n == 1 and isinstance(l, type(t)) and type(t)(kids=[{"n": 7}]).kids[0].n == 7
            for bad in lambda: type(b)(value="q"), lambda: type(l)(kids=[t]):
                try: bad()
                except pydantic.ValidationError: pass
                else: raise AssertionError(bad)
            """,
            needs=("pydantic",),
        ),
        Entry(
            "a pydantic dataclass, TypeAdapter and create_model",
            """
            import pydantic
            @pydantic.dataclasses.dataclass
            class P:
                x: int
            obj = P("3"), pydantic.create_model("M", a=(int, 4)), pydantic.TypeAdapter(list[int])
            """,
            "p, M, ta = obj\nassert p.x == 3 and type(p)('4').x == 4 and M().a == 4 and ta.validate_python(['1']) == [1]",
            needs=("pydantic",),
        ),
    ),
)

TYPING = Family(
    "Types",
    (
        Entry(
            "TypedDict, inherited, with Required",
            "import typing\nclass A(typing.TypedDict):\n    x: int\nclass B(A, total=False):\n    y: typing.Required[str]\n    z: float\nobj = A, B, typing.TypedDict('F', {'in': int})",
            "A, B, F = obj\nassert B.__required_keys__ == {'x', 'y'} and B.__optional_keys__ == {'z'} and A(x=1) == {'x': 1} and B.__total__ is False and F.__annotations__ == {'in': int}\nimport typing; assert typing.is_typeddict(B)",
        ),
        Entry(
            "a Protocol",
            "import typing\n@typing.runtime_checkable\nclass P(typing.Protocol):\n    x: int\n    def go(self): ...\nclass Q(P): ...\nobj = P, Q",
            "P, Q = obj\nclass Y:\n    x = 1\n    def go(self): ...\nassert isinstance(Y(), P) and not isinstance(3, P) and Q().go() is None\ntry: P()\nexcept TypeError: pass\nelse: raise AssertionError",
        ),
        Entry(
            "a Generic class, its parameter and an instance",
            """
            import typing
            T = typing.TypeVar("T", bound=int)
            K = typing.TypeVar("K")
            class Box(typing.Generic[K, T]):
                def __init__(self, v: T): self.v = v
            class Half(Box[str, T]): ...
            obj = Box, Box[str, int], Half, Half[bool], Box[str, int](3), T
            """,
            "import typing\nB, bi, H, hb, b, T = obj\nassert typing.get_origin(bi) is B is type(b) and b.__orig_class__ == bi and B.__parameters__[1] is T is H.__parameters__[0] and hb.__args__ == (bool,) and H.__orig_bases__ == (B[str, T],)",
        ),
        Entry(
            "TypeVar, ParamSpec, TypeVarTuple",
            "import typing\nT = typing.TypeVar('T', bound='int', covariant=True)\nU = typing.TypeVar('U', int, str)\nP, Ts = typing.ParamSpec('P'), typing.TypeVarTuple('Ts')\nobj = T, U, P, Ts, P.args, typing.Callable[P, T], tuple[typing.Unpack[Ts]]",
            "T, U, P, Ts, args, c, t = obj\nassert T.__bound__.__forward_arg__ == 'int' and T.__covariant__ and U.__constraints__ == (int, str) and c.__parameters__ == (P, T) and args.__origin__ is P and t.__parameters__ == (Ts,) and T.__module__ == '__main__'",
        ),
        Entry(
            "NewType",
            "import typing\nN = typing.NewType('N', int)\nM = typing.NewType('M', N)\nobj = N, M, list[N]",
            "N, M, l = obj\nassert M.__supertype__ is N and l.__args__[0] is N and N(4) == 4 and N.__name__ == 'N' and N.__module__ == '__main__'",
        ),
        Entry(
            "forms of typing",
            "import typing as t\nobj = t.Optional[int], t.Union[int, str], int | str, t.Literal[1, 'a'], t.Annotated[int, {'m': 1}], t.Callable[[int], str], t.Any, t.Final[int], t.ForwardRef('X'), t.Self",
            "import typing as t\nassert obj == (t.Optional[int], t.Union[int, str], int | str, t.Literal[1, 'a'], t.Annotated[int, {'m': 1}], t.Callable[[int], str], t.Any, t.Final[int], t.ForwardRef('X'), t.Self)",
        ),
        Entry(
            "forms of typing over classes of the script",
            "import typing as t\nclass K: ...\nobj = K, t.Optional[K], K | None, list[K], t.Literal['a'], t.Annotated[K, K()], dict[str, list[K]], type[K]",
            "import typing as t\nK, *rest = obj\nassert rest[:4] == [t.Optional[K], K | None, list[K], t.Literal['a']] and rest[5:] == [dict[str, list[K]], type[K]] and type(rest[4].__metadata__[0]) is K",
        ),
        Entry(
            "types.GenericAlias and unions",
            "import types, collections\nobj = list[int], types.GenericAlias(dict, (str, 1)), int | None, collections.deque[str], *tuple[int, ...]",
            "import collections, types\na, b, c, d, e = obj\nassert (a, b, c, d) == (list[int], types.GenericAlias(dict, (str, 1)), int | None, collections.deque[str]) and e.__unpacked__",
        ),
        Entry(
            "a class with type parameters",
            "class Box[T: int, *Ts]:\n    x: T\n    def get(self, x: T) -> 'T': return T\n    def new[U](self, u: U) -> U: return u, U\nobj = Box, Box[int, str]",
            "Box, alias = obj\nT, Ts = Box.__type_params__\nassert T.__bound__ is int and Box().get(1) is T and Box.get.__annotations__['x'] is T and Box.__parameters__ == (T, Ts) and alias.__origin__ is Box\nassert Box().new(1)[1] is Box.new.__type_params__[0] and Box.__annotations__ == {'x': T}",
            since=(3, 12),
        ),
        Entry(
            "a class with type parameters that inherits",
            "class A[T]:\n    def who(self): return T\nclass B[T: B](A[T]):\n    def who(self): return super().who()\nobj = B",
            "(T,) = obj.__type_params__\nassert T.__bound__ is obj and obj().who() is obj.__base__.__type_params__[0] and obj.__orig_bases__[0].__args__ == (T,)",
            since=(3, 12),
        ),
        Entry(
            "type aliases: generic, recursive",
            "type Pair[A] = tuple[A, A]\ntype Json = dict[str, Json] | int\ntype Late = Missing\nobj = Pair, Json, Late, Pair[int]",
            "P, J, L, pi = obj\n(A,) = P.__type_params__\nassert P.__value__ == tuple[A, A] and P.__name__ == 'Pair' and J.__value__.__args__[0].__args__[1] is J and pi.__origin__ is P\ntry: L.__value__\nexcept NameError: pass\nelse: raise AssertionError",
            since=(3, 12),
        ),
        Entry(
            "defaults of type parameters",
            "import typing\nclass A[T = int, **P = [str]]: ...\nobj = A, typing.TypeVar('D', default=str), typing.TypeVar('N')",
            "import typing\nA, D, N = obj\nT, P = A.__type_params__\nassert T.__default__ is int and P.__default__ == [str] and D.__default__ is str and N.__default__ is typing.NoDefault",
            since=(3, 13),
        ),
        Entry(
            "annotations of a class that lead nowhere",
            "class K:\n    x: Nowhere\n    y: int\nobj = K",
            "import annotationlib as a\ngot = a.get_annotations(obj, format=a.Format.FORWARDREF)\nassert got['y'] is int and got['x'].__forward_arg__ == 'Nowhere' and a.get_annotations(obj, format=a.Format.STRING) == {'x': 'Nowhere', 'y': 'int'}",
            since=(3, 14),
        ),
        Entry(
            "TypedDict and NamedTuple that wait for a name",
            "import typing\nclass D(typing.TypedDict):\n    x: Later\nclass N(typing.NamedTuple):\n    y: Later\nclass Later: ...\nobj = D, N, Later",
            "D, N, Later = obj\nassert D.__annotations__ == {'x': Later} and N.__annotations__ == {'y': Later} and N(1).y == 1",
            since=(3, 14),
        ),
        Entry(
            "generic NamedTuple and TypedDict",
            "class N[T](__import__('typing').NamedTuple):\n    x: T\nclass D[T](__import__('typing').TypedDict):\n    x: T\nobj = N, N[int](1), D, D[int]",
            "N, n, D, di = obj\nassert n == (1,) and type(n) is N and N.__type_params__ == N.__parameters__ and D.__type_params__[0] is D.__annotations__['x'] and di.__origin__ is D",
            since=(3, 12),
        ),
        Entry(
            "typing.override, final and overload",
            "import typing as t\nclass K:\n    @t.final\n    def m(self): return 1\n    @t.overload\n    def o(self, x: int) -> int: ...\n    @t.overload\n    def o(self, x: str) -> str: ...\n    def o(self, x): return x\n@t.final\nclass L(K): ...\nobj = L()",
            "assert obj.m() == 1 and obj.m.__final__ and obj.o(3) == 3 and type(obj).__final__",
        ),
        Entry(
            "built-in types by expression",
            "import types\nobj = [type(None), type(...), type(NotImplemented), type(lambda: 0), type({}.keys()), type({}.items()), types.CellType, types.CodeType, type(iter([])), type(iter({})), types.GeneratorType, types.MethodType, types.ModuleType, type(len), type([].append), type(int.__add__), type(zip()), types.SimpleNamespace, types.MappingProxyType, types.TracebackType, types.FrameType, types.UnionType, types.GenericAlias, type(__import__('threading').Lock()), type(__import__('re').match('a', 'a')), type(__import__('weakref').ref(int)), property, super, type(type.__dict__['__dict__'])]",
            "import types\nwant = [type(None), type(...), type(NotImplemented), type(lambda: 0), type({}.keys()), type({}.items()), types.CellType, types.CodeType, type(iter([])), type(iter({})), types.GeneratorType, types.MethodType, types.ModuleType, type(len), type([].append), type(int.__add__), type(zip()), types.SimpleNamespace, types.MappingProxyType, types.TracebackType, types.FrameType, types.UnionType, types.GenericAlias, type(__import__('threading').Lock()), type(__import__('re').match('a', 'a')), type(__import__('weakref').ref(int)), property, super, type(type.__dict__['__dict__'])]\nassert all(a is b for a, b in zip(obj, want, strict=True))",
        ),
    ),
)

EXCEPTIONS = Family(
    "Exceptions",
    (
        Entry(
            "an exception of the script",
            "class Own(Exception):\n    def __init__(self, code):\n        super().__init__('code %d' % code)\n        self.code = code\nobj = Own(3)",
            "assert obj.code == 3 and obj.args == ('code 3',) and str(obj) == 'code 3'",
        ),
        Entry(
            "an exception with required and keyword-only arguments",
            "class Own(ValueError):\n    def __init__(self, a, *, b): self.a, self.b = a, b\n    def __str__(self): return f'{self.a}{self.b}'\nobj = Own(1, b=2)",
            "assert (obj.a, obj.b, str(obj)) == (1, 2, '12') and isinstance(obj, ValueError) and obj.args == (1,)",
        ),
        Entry(
            "cause and context",
            """
            try:
                try: {}["k"]
                except KeyError as e: raise ValueError("v") from e
            except ValueError as e:
                try: raise TypeError("t")
                except TypeError as t: obj = t
            """,
            "assert isinstance(obj.__context__, ValueError) and isinstance(obj.__context__.__cause__, KeyError) and obj.__context__.__suppress_context__ and obj.args == ('t',) and not obj.__suppress_context__",
        ),
        Entry(
            "notes",
            "obj = ValueError('v')\nobj.add_note('a note')",
            "assert obj.__notes__ == ['a note'] and obj.args == ('v',)",
        ),
        Entry(
            "an ExceptionGroup",
            "class Own(ExceptionGroup): ...\nobj = Own('m', [ValueError(1), ExceptionGroup('n', [KeyError('k')])])",
            "assert obj.message == 'm' and obj.exceptions[0].args == (1,) and isinstance(obj.exceptions[1].exceptions[0], KeyError) and obj.split(ValueError)[0].message == 'm'",
        ),
        Entry(
            "OSError, UnicodeError, ImportError, SyntaxError",
            "errors = []\nfor bad in (lambda: open('/nonexistent/x'), lambda: b'\\xff'.decode(), lambda: __import__('nonexistent'), lambda: compile('1 +', 'f', 'eval'), lambda: None.x):\n    try: bad()\n    except Exception as e: errors.append(e.with_traceback(None))\nobj = errors",
            "o, u, i, s, a = obj\nassert o.errno == 2 and o.filename == '/nonexistent/x' and isinstance(o, FileNotFoundError) and (u.start, u.object) == (0, b'\\xff') and i.name == 'nonexistent' and s.filename == 'f' and s.text and isinstance(a, AttributeError)",
        ),
        Entry(
            "an OSError of the script",
            "class E(OSError):\n    def __init__(self, path, code=2): super().__init__(code, 'gone', path)\nobj = E('p')",
            "assert (obj.errno, obj.strerror, obj.filename) == (2, 'gone', 'p') and type(obj).__name__ == 'E'",
        ),
        Entry(
            "an exception with __slots__ and __setattr__",
            "class E(Exception):\n    __slots__ = ('a',)\n    def __init__(self, a): object.__setattr__(self, 'a', a)\n    def __setattr__(self, k, v): raise AttributeError('frozen')\nobj = E(1)",
            "assert obj.a == 1 and obj.args == (1,)",
        ),
        Entry(
            "StopIteration, SystemExit, KeyboardInterrupt, a warning",
            "obj = StopIteration(3), SystemExit(2), KeyboardInterrupt(), DeprecationWarning('w')",
            "a, b, c, d = obj\nassert a.value == 3 and b.code == 2 and isinstance(c, KeyboardInterrupt) and d.args == ('w',)",
        ),
    ),
)

C_TYPES = Family(
    "ctypes",
    (
        Entry(
            "a Structure",
            "import ctypes\nclass S(ctypes.Structure):\n    _fields_ = [('a', ctypes.c_int), ('b', ctypes.c_uint8, 3), ('c', ctypes.c_char * 4)]\n    def sum(self): return self.a + self.b\nobj = S(1, 2, b'xy'), S",
            "import ctypes\ns, S = obj\nassert type(s) is S and s.sum() == 3 and s.c == b'xy' and S(5).a == 5 and ctypes.sizeof(S) == ctypes.sizeof(s) and issubclass(S, ctypes.Structure)",
        ),
        Entry(
            "a Union, a packed Structure, nested",
            "import ctypes\nclass P(ctypes.Structure):\n    _pack_ = 1\n    _layout_ = 'ms'\n    _fields_ = [('a', ctypes.c_char), ('n', ctypes.c_uint32)]\nclass U(ctypes.Union):\n    _anonymous_ = ['p']\n    _fields_ = [('p', P), ('raw', ctypes.c_uint8 * 5)]\nu = U()\nu.n = 258\nobj = u, P",
            "import ctypes\nu, P = obj\nassert u.n == 258 and bytes(u.raw)[1:3] in (b'\\x02\\x01', b'\\x00\\x00') and ctypes.sizeof(P) == 5 and type(u.p) is P",
        ),
        Entry(
            "arrays and simple values",
            "import ctypes\nobj = (ctypes.c_int * 3)(1, 2, 3), ctypes.c_double(1.5), ctypes.create_string_buffer(b'ab', 4), ctypes.c_int * 3",
            "import ctypes\na, d, b, t = obj\nassert list(a) == [1, 2, 3] and d.value == 1.5 and b.raw == b'ab\\0\\0' and type(a) is t",
        ),
        Entry(
            "a BigEndianStructure and a derived simple type",
            "import ctypes\nclass B(ctypes.BigEndianStructure):\n    _fields_ = [('n', ctypes.c_uint16)]\nclass I(ctypes.c_int):\n    def twice(self): return 2 * self.value\nobj = B(258), I(4)",
            "b, i = obj\nassert bytes(b) == b'\\x01\\x02' and i.twice() == 8",
        ),
        Entry(
            "pointer types and function types",
            "import ctypes\nclass S(ctypes.Structure): ...\nS._fields_ = [('next', ctypes.POINTER(S)), ('n', ctypes.c_int)]\nobj = S, ctypes.POINTER(ctypes.c_int), ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)",
            "import ctypes\nS, P, F = obj\ns = S(n=4)\nassert S(ctypes.pointer(s), 1).next.contents.n == 4 and P is ctypes.POINTER(ctypes.c_int) and F(lambda x: x + 1)(2) == 3",
        ),
    ),
)
