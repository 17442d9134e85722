"""What generated graphs are made of: classes that follow every road of the pickle protocol, importable by name.

A class with *parts* keeps what a graph gives it in ``self.parts`` and shows it by one of the protocol's methods.
"""

import collections
import copyreg
import enum


class Plain:
    """Attributes."""


class Slots:
    """Slots."""

    __slots__ = ("a", "b", "__weakref__")


class SlotsAndDict(Slots):
    """Slots and attributes."""


class Mangled:
    """A slot with a private name."""

    __slots__ = ("__secret",)


class ListKind(list):
    """A list with attributes."""


class DictKind(dict):
    """A dict with attributes."""


class SetKind(set):
    """A set with attributes."""


class FrozenKind(frozenset):
    """A frozenset with attributes."""


class TupleKind(tuple):
    """A tuple with attributes."""


class TextKind(str):
    """A str with attributes."""


class BytesKind(bytes):
    """A bytes object with attributes."""


class IntKind(int):
    """An int with attributes."""


class FloatKind(float):
    """A float with attributes."""


class SlottedTuple(tuple):
    """A tuple without attributes."""

    __slots__ = ()


class State:
    """Says what its state is, and takes any."""

    def __getstate__(self):
        return self.parts

    def __setstate__(self, state):
        self.taken = state


class StateOnly:
    """Says what its state is; what comes of it is up to the default."""

    def __getstate__(self):
        return self.parts


class Taker:
    """Takes its state its own way."""

    def __setstate__(self, state):
        self.taken = state


class NewArgs:
    """Is made with arguments."""

    def __new__(cls, *args):
        made = object.__new__(cls)
        made.args = args
        return made

    def __getnewargs__(self):
        return tuple(self.parts)

    def __getstate__(self):
        return None


class NewArgsEx(NewArgs):
    """Is made with arguments and keywords."""

    def __new__(cls, *args, **kwargs):
        made = object.__new__(cls)
        made.args, made.kwargs = args, kwargs
        return made

    def __getnewargs_ex__(self):
        return tuple(self.parts), {"key%d" % n: part for n, part in enumerate(self.parts)}


def rebuild(*args):
    """Make a `Plain` that remembers its arguments."""
    made = Plain()
    made.args = args
    return made


def collect(*args):
    """Make a `Collector`."""
    made = Collector()
    made.args = args
    return made


class Collector:
    """Takes items and pairs."""

    def __init__(self):
        self.items, self.pairs = [], []

    def append(self, item):
        self.items.append(item)

    def extend(self, items):
        self.items.extend(items)

    def __setitem__(self, key, value):
        self.pairs.append((key, value))


class OneByOne(Collector):
    """Takes items only one by one."""

    extend = property()


def set_state(obj, state):
    """Set a state from outside."""
    obj.set_from_outside = state


class Reduced:
    """Is reduced to a call."""

    def __reduce__(self):
        return rebuild, tuple(self.parts)


class ReducedEx:
    """Is reduced to a call, depending on the protocol."""

    def __reduce_ex__(self, protocol):
        return rebuild, (protocol, *self.parts)


class Whole:
    """Is reduced to everything a reduction can hold."""

    def __reduce__(self):
        pairs = ((n, part) for n, part in enumerate(self.parts))
        return collect, tuple(self.parts[:1]), {"state": self.parts}, iter(self.parts), pairs


class WithSetter:
    """Has its state set by a function."""

    def __reduce__(self):
        return rebuild, (), list(self.parts), None, None, set_state


class ListItems(list):
    """Its items come from an iterator of the reduction."""

    def __reduce__(self):
        return ListItems, (), None, iter(list(self))


class DictItems(dict):
    """Its pairs come from an iterator of the reduction."""

    def __reduce__(self):
        return DictItems, (), None, None, iter(list(self.items()))


class Copied:
    """Is reduced by a function of copyreg."""


copyreg.pickle(Copied, lambda obj: (rebuild, ("copyreg", *obj.parts)))


class Registered:
    """Has a code in the extension registry."""


class Single:
    """Is reduced to a name."""

    def __reduce__(self):
        return "SINGLE"


SINGLE = Single()


class Refused:
    """Cannot be pickled."""

    def __reduce__(self):
        raise ValueError("never")


class Wrong:
    """Has a reduction that is none."""

    def __reduce__(self):
        return self.parts


class Colour(enum.Enum):
    """An enumeration."""

    RED = "r"
    BLUE = (1, 2)
    CRIMSON = RED


class Number(enum.IntFlag):
    """Flags."""

    ONE = 1
    TWO = 2


class Outer:
    """A class with a class inside."""

    class Inner:
        """Inside."""

        class Innermost:
            """Further inside."""

    @staticmethod
    def function():
        """Inside too."""

    @classmethod
    def method(cls):
        """Bound to its class."""


Point = collections.namedtuple("Point", "x y")
Defaults = collections.namedtuple("Defaults", "a b", defaults=(None, 1))


class Subclassed(Point):
    """A named tuple with attributes."""


class Failure(Exception):
    """An exception with arguments and attributes."""
