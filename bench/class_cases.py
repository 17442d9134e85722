"""The classes of the suite ``classes``: what notebooks and scripts define, by name.

A case is a script that defines ``C``; ``made`` is an instance of it and ``asked`` what is asked of the class and of the
instance to tell that they arrived.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One class, with an instance."""

    name: str
    script: str
    made: str
    of_class: str
    of_instance: str
    needs: tuple = ()


CASES = [
    Case(
        "plain, four methods",
        """
class C:
    "An account."
    rate = 0.5
    def __init__(self, owner, total=0):
        self.owner, self.total, self.log = owner, total, []
    def put(self, n):
        self.total += n
        self.log.append(n)
        return self
    def interest(self):
        return self.total * self.rate
    def __repr__(self):
        return "C(%r, %r)" % (self.owner, self.total)
""",
        "C('ann', 10).put(5)",
        "C('bob').put(4).interest()",
        "[obj, obj.interest(), obj.log]",
    ),
    Case(
        "three levels, super()",
        """
class A:
    def __init__(self, n): self.n = n
    def get(self): return self.n
class B(A):
    def get(self): return super().get() + 1
class C(B):
    def __init__(self, n):
        super().__init__(n * 2)
    def get(self): return super().get() + 10
""",
        "C(3)",
        "[C(1).get(), [each.__name__ for each in C.__mro__]]",
        "obj.get()",
    ),
    Case(
        "slots",
        """
class C:
    __slots__ = ("x", "y", "__weakref__")
    def __init__(self, x, y): self.x, self.y = x, y
    def norm(self): return (self.x ** 2 + self.y ** 2) ** 0.5
""",
        "C(3, 4)",
        "[C(3, 4).norm(), C.x.__name__]",
        "obj.norm()",
    ),
    Case(
        "properties, class and static methods",
        """
class C:
    count = 3
    def __init__(self, r): self._r = r
    @property
    def r(self): return self._r
    @r.setter
    def r(self, value): self._r = abs(value)
    @classmethod
    def unit(cls): return cls(cls.count)
    @staticmethod
    def area(r): return 3 * r * r
""",
        "C(2)",
        "[C.unit().r, C.area(2)]",
        "obj.r",
    ),
    Case(
        "dataclass",
        """
import dataclasses
@dataclasses.dataclass(order=True)
class C:
    name: str
    price: float = 1.5
    tags: list = dataclasses.field(default_factory=list)
    def total(self, n: int = 2) -> float: return self.price * n
""",
        "C('pen', 2.0, ['x'])",
        "[C('a'), C('a') < C('b'), [each.name for each in dataclasses.fields(C)]]",
        "[obj, obj.total()]",
    ),
    Case(
        "frozen dataclass with slots",
        """
import dataclasses
@dataclasses.dataclass(frozen=True, slots=True)
class C:
    x: int
    y: int = 0
""",
        "C(1, 2)",
        "[C(1), hash(C(1, 2)) == hash(C(1, 2)), C.__slots__]",
        "obj",
    ),
    Case(
        "enumeration with an alias",
        """
import enum
class C(enum.Enum):
    RED = 1
    GREEN = 2
    CRIMSON = 1
    def shout(self): return self.name + "!"
""",
        "C.RED",
        "[[*C.__members__], C(2).shout(), C.CRIMSON is C.RED]",
        "[obj.shout(), type(obj)(1) is obj]",
    ),
    Case(
        "flag",
        """
import enum
class C(enum.IntFlag):
    R = 4
    W = 2
    X = 1
    RW = 6
""",
        "C.R | C.X",
        "[C.RW, C.R | C.W is C.RW, C(7)]",
        "[int(obj), type(obj).R in obj]",
    ),
    Case(
        "named tuple",
        """
import typing
class C(typing.NamedTuple):
    x: int
    y: int = 5
    def sum(self): return self.x + self.y
""",
        "C(1)",
        "[C(2).sum(), C._fields, C._field_defaults]",
        "[obj, obj.sum()]",
    ),
    Case(
        "abstract base with a registration",
        """
import abc
class Base(abc.ABC):
    @abc.abstractmethod
    def run(self): ...
class Other: pass
Base.register(Other)
class C(Base):
    other = Other
    def run(self): return 3
""",
        "C()",
        "[C().run(), issubclass(C.other, C.__mro__[1]), C.__mro__[1].__abstractmethods__]",
        "obj.run()",
    ),
    Case(
        "generic",
        """
import typing
T = typing.TypeVar("T")
class C(typing.Generic[T]):
    def __init__(self, item: T): self.item = item
    def get(self) -> T: return self.item
""",
        "C[int](3)",
        "[C('x').get(), C.__parameters__, C[int].__args__]",
        "obj.get()",
    ),
    Case(
        "metaclass with a keyword",
        """
class Meta(type):
    def __new__(meta, name, bases, space, prefix="", **more):
        made = super().__new__(meta, name, bases, space, **more)
        made.label = prefix + name
        return made
    def __init__(cls, name, bases, space, prefix="", **more):
        super().__init__(name, bases, space)
class C(metaclass=Meta, prefix="my"):
    def get(self): return self.label
""",
        "C()",
        "[C.label, type(C).__name__]",
        "obj.get()",
    ),
    Case(
        "exception with keyword-only arguments",
        """
class C(ValueError):
    def __init__(self, message, *, code):
        super().__init__(message)
        self.code = code
""",
        "C('no', code=7)",
        "[C('x', code=1).code, C.__mro__[1]]",
        "[obj.args, obj.code]",
    ),
    Case(
        "closure and helpers of the script",
        """
SCALE = {"a": 2, "b": 3}
def helper(x): return x * SCALE["a"]
def make(k):
    total = 0
    class C:
        def add(self, n):
            nonlocal total
            total += helper(n) * k
            return total
        def seen(self): return total
    return C
C = make(2)
""",
        "C()",
        "[C().add(0), C().seen()]",
        "obj.add(0)",
    ),
    Case(
        "attrs",
        """
import attr
@attr.s(auto_attribs=True)
class C:
    x: int = 1
    y: list = attr.Factory(list)
""",
        "C(2, [3])",
        "[C(), [each.name for each in attr.fields(C)]]",
        "obj",
        ("attr",),
    ),
]
