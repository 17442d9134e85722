"""What streams of the corpus may name: classes and functions that do no harm, whatever they are called with.

Some are plain, some follow the odder roads of the data model, some raise.  None reads its arguments in a way that costs
more than they do, so that neither time nor memory can be charged to them.
"""

import collections
import enum


class Plain:
    """Attributes in a dict."""


class Slots:
    """Attributes in slots."""

    __slots__ = ("x", "y")


class Both(Slots):
    """Attributes in slots and in a dict."""


class Setter:
    """Takes any state."""

    def __setstate__(self, state):
        self.state = state


class Refuser:
    """Takes no state."""

    def __setstate__(self, state):
        raise KeyError("no state wanted")


class Maker:
    """Takes any arguments."""

    def __new__(cls, *args, **kwargs):
        made = object.__new__(cls)
        made.made = args, sorted(kwargs)
        return made


class Unmakable:
    """Cannot be made."""

    def __new__(cls, *args, **kwargs):
        raise ValueError("never made")


class Stranger:
    """Makes something else."""

    def __new__(cls, *args):
        return list(args)


class Initialized:
    """Says by a method how it is made, as classes of Python 2 did."""

    def __init__(self, *args):
        self.args = args

    def __getinitargs__(self):
        return self.args


class ListLike(list):
    """A list."""


class DictLike(dict):
    """A dict."""


class SetLike(set):
    """A set."""


class FrozenLike(frozenset):
    """A frozenset."""


class TupleLike(tuple):
    """A tuple."""


class TextLike(str):
    """A str."""


class IntLike(int):
    """An int."""


class Appender:
    """Takes items one by one."""

    def __init__(self):
        self.items = []

    def append(self, item):
        self.items.append(item)


class Extender(Appender):
    """Takes items together."""

    def extend(self, items):
        self.items.extend(items)


class Adder:
    """Takes elements one by one."""

    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)


class Mapping:
    """Takes pairs, whatever the keys."""

    def __init__(self):
        self.pairs = []

    def __setitem__(self, key, value):
        self.pairs.append((key, value))


class Picky:
    """Raises wherever it can."""

    def __setitem__(self, key, value):
        raise IndexError("no item wanted")

    def append(self, item):
        raise IndexError("no item wanted")

    def add(self, item):
        raise IndexError("no item wanted")

    def __hash__(self):
        raise TypeError("no hash given")


class Colliding:
    """Has the hash of all others and equals none."""

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return self is other


class Meta(type):
    """A metaclass."""

    def __call__(cls, *args, **kwargs):
        return type.__call__(cls)


class Metal(metaclass=Meta):
    """Has a metaclass."""


class Colour(enum.Enum):
    """An enumeration."""

    RED = 1
    BLUE = 2


class Outer:
    """Has a class inside."""

    class Inner:
        """Is inside of a class."""


Point = collections.namedtuple("Point", "x y")
EMPTY = ()
NOTHING = None
INSTANCE = Plain()


def pack(*args, **kwargs):
    """Return the arguments."""
    return (args, kwargs) if kwargs else args


def fail(*args, **kwargs):
    """Raise an error of its own."""
    raise LookupError("never called")


def give_up(*args):
    """Raise what most programs do not catch."""
    raise SystemExit(3)


def set_state(obj, state):
    """Set a state from outside."""
    if type(obj) is Plain:
        obj.state = state


MODULE = "hostile.objects"
OWN = [
    name for name, value in list(globals().items()) if name not in ("collections", "enum") and not name.startswith("_")
]

# Every global that a stream may name; all others are blocked by an audit hook.
SAFE = frozenset(
    [
        (MODULE, name)
        for name in [*OWN, "Outer.Inner", "Outer.Missing", "missing", "Plain.__init__", "a.b.c", "", "\ud800"]
    ]
    + [("hostile.nowhere", name) for name in ("x", "Plain", "")]
    + [
        (module, name)
        for module in ("builtins", "__builtin__")
        for name in ("object", "list", "dict", "set", "frozenset")
    ]
    + [
        (module, name)
        for module in ("builtins", "__builtin__")
        for name in ("tuple", "complex", "len", "repr", "Ellipsis")
    ]
    + [("__builtin__", "xrange"), ("builtins", "range"), ("__builtin__", "unicode"), ("builtins", "ValueError")]
    + [
        ("collections", "OrderedDict"),
        ("collections", "deque"),
        ("collections", "Counter"),
        ("UserDict", "IterableUserDict"),
    ]
    + [("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor"), ("copyreg", "__newobj__"), ("_codecs", "encode")]
    + [("datetime", name) for name in ("date", "datetime", "timedelta", "timezone")]
    + [
        ("decimal", "Decimal"),
        ("fractions", "Fraction"),
        ("array", "_array_reconstructor"),
        ("pathlib", "PurePosixPath"),
    ]
    + [("functools", "partial"), ("operator", "attrgetter"), ("uuid", "UUID"), ("exceptions", "ValueError")]
)
