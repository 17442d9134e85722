"""Sets and dicts of a cycle whose keys can be hashed only when they have their state."""

import io
import pickle

import capers
import pytest
from shipping import ship

NODE = """
import collections

class Node:
    def __init__(self, name):
        self.name = name
        self.held = None

    def __hash__(self):
        return hash(self.name)

    def __eq__(self, other):
        return isinstance(other, Node) and self.name == other.name

    def __repr__(self):
        return self.name

a, b, c = Node("a"), Node("b"), Node("c")
"""

HELD = {
    "a set": ("{a, b}", "obj in obj.held and len(obj.held) == 2"),
    "a dict": ("{b: 1, a: 2, c: 3}", "[*map(repr, obj.held)] == ['b', 'a', 'c'] and obj.held[obj] == 2"),
    "a dict of one item": ("{a: 1}", "obj.held[obj] == 1"),
    "a dict of many items": (
        "{**{n: n for n in range(1500)}, a: 0, **{-n: n for n in range(1, 2500)}}",
        "list(obj.held)[1500] is obj and list(obj.held)[-1] == -2499 and len(obj.held) == 4000",
    ),
    "an OrderedDict": (
        "collections.OrderedDict([(b, 1), (a, 2), (c, 3)])",
        "[*map(repr, obj.held)] == ['b', 'a', 'c'] and type(obj.held).__name__ == 'OrderedDict'",
    ),
    "a defaultdict": ("collections.defaultdict(list, {a: [1]})", "obj.held[obj] == [1] and obj.held['new'] == []"),
    "a key in a tuple": ("{(1, a): 'x'}", "obj.held[1, obj] == 'x'"),
    "a set in a dict in a list": ("[{'s': {a}}]", "obj in obj.held[0]['s']"),
    "itself by way of another": ("{b}; b.held = {a}", "obj in next(iter(obj.held)).held and len(obj.held) == 1"),
}


@pytest.mark.parametrize("what", HELD)
def test_an_object_with_a_hash_of_its_state_in(what):
    held, check = HELD[what]
    # `pickle` fails for all of them; up to protocol 3 a set travels as a call, which cannot be put off.
    ship(f"{NODE}\na.held = {held}\nobj = a", f"assert {check}", protocols=[4, 5], loaders=["capers"])


class Sized:
    """Hashes by an attribute that it may lack."""

    def __init__(self, size):
        self.size = size

    def __hash__(self):
        return self.size

    def __eq__(self, other):
        return self.size == other.size


class Never(Sized):
    """Loses what its hash needs."""

    def __setstate__(self, state):
        self.__dict__.update(state)
        del self.size


@pytest.mark.parametrize(
    "wrap", [lambda it: {it}, lambda it: {it: 1}, lambda it: {it: 1, 2: 3}], ids=["set", "one", "two"]
)
def test_an_object_that_can_never_be_hashed_is_the_error_it_is_for_pickle(wrap):
    data = pickle.dumps([wrap(Never(5)), 1])
    errors = []
    for module in (pickle, capers):
        with pytest.raises(AttributeError) as caught:
            module.loads(data)
        errors.append(str(caught.value))
    assert errors[0] == errors[1]


def test_other_errors_of_a_hash_are_not_put_off():
    class Raises:
        def __reduce__(self):
            return Unhashed, ()

    data = pickle.dumps([{Raises(): 1}, "after"])
    with pytest.raises(ZeroDivisionError):
        capers.loads(data)


class Unhashed:
    """Divides by zero when it is hashed."""

    def __hash__(self):
        return 1 // 0


def test_what_waits_in_one_pickle_of_a_stream_is_there_before_the_next():
    node = Sized(3)
    node.held = {node}
    file = io.BytesIO(capers.dumps(node) + capers.dumps([1]))
    loader = capers.Unpickler(file)
    first = loader.load()
    assert first in first.held and loader.load() == [1]


def test_limits_leave_it_as_it_is():
    node = Sized(3)
    node.held = {node: node}
    back = capers.loads(capers.dumps(node), limits={"depth": 100})
    assert back.held[back] is back
