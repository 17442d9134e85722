"""A module that both ends of every journey can import: state, locks, factories, decorators and hooks of a library."""

import functools
import threading

STATE = {"level": "as imported"}
LOCK = threading.Lock()
LOCAL = threading.local()
WRITES = 0
REGISTRY = []


def plain(x):
    """Double."""
    return 2 * x


def make_reader():
    """Return a function that reads this module's live state."""

    def reader(key):
        return STATE.get(key)

    return reader


def make_writer():
    """Return a function that counts its calls in this module."""

    def writer():
        global WRITES
        WRITES += 1
        return WRITES

    return writer


def make_adder(n):
    """Return a closure over *n* that also uses this module's lock."""

    def adder(x):
        with LOCK:
            return x + n

    return adder


def locked(function):
    """Decorate: hold this module's lock and count the depth of this thread."""

    @functools.wraps(function)
    def wrapper(*arguments, **keywords):
        with LOCK:
            LOCAL.depth = getattr(LOCAL, "depth", 0) + 1
            return function(*arguments, **keywords)

    return wrapper


@locked
def decorated(x):
    """A decorated function that can be imported."""
    return x + 1


made_here = make_adder(100)


class Holder:
    """An importable class with the usual kinds of methods."""

    label = "holder"

    def __init__(self, value):
        self.value = value

    def get(self):
        return self.value

    @classmethod
    def of(cls, value):
        return cls(value)

    @staticmethod
    def double(x):
        return 2 * x

    class Inner:
        def method(self):
            return "inner"


class Node:
    """A link of a chain."""

    def __init__(self, next=None):
        self.next = next


class Reduced:
    """A link of a chain that travels by ``__reduce__``."""

    def __init__(self, next=None):
        self.next = next

    def __reduce__(self):
        return Reduced, (self.next,)


class Point:
    """An instance with slots only."""

    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y


class Hooked:
    """A base whose subclasses must name a topic; it counts them."""

    def __init_subclass__(cls, topic, **keywords):
        super().__init_subclass__(**keywords)
        cls.topic = topic
        cls.address = "/" + cls.path
        REGISTRY.append(cls)


class Meta(type):
    """A metaclass that wants the whole namespace at once and counts its classes."""

    def __new__(metaclass, name, bases, namespace):
        if "fields" not in namespace:
            raise TypeError("no fields in " + name)
        made = super().__new__(metaclass, name, bases, namespace)
        REGISTRY.append(made)
        return made


def make_class(tag):
    """Return a class defined here, over this module's globals."""

    class Worker:
        label = tag

        def level(self):
            with LOCK:
                return STATE["level"], self.label

    return Worker


SENTINEL = object()
INSTANCE = Holder("the module's own")


class Hidden:
    """A class whose stated module has to be imported before it can be found there."""


Hidden.__module__ = "importable.late"
