"""Containers that change while they are saved or loaded, changed by every hook there is."""

import collections
import gc
import io
import itertools

import capers

from .. import objects
from . import Evil, gives, program

CHANGES = {
    "list": [
        lambda box: box.clear(),
        lambda box: box.pop(),
        lambda box: box.append([9]),
        lambda box: box.extend(range(3000)),
        lambda box: box.__setitem__(slice(None), [object] * len(box)),
        lambda box: box.reverse(),
        lambda box: box.sort(key=id),
    ],
    "dict": [
        lambda box: box.clear(),
        lambda box: box.popitem(),
        lambda box: box.update(dict.fromkeys(range(3000))),
        lambda box: [box.__setitem__(key, [9]) for key in list(box)],
        lambda box: box.update({object(): 1}),
    ],
    "set": [
        lambda box: box.clear(),
        lambda box: box.pop(),
        lambda box: box.update(range(3000)),
        lambda box: (box.clear(), box.update(("x%d" % n,) for n in range(5))),
    ],
    "deque": [lambda box: box.clear(), lambda box: box.append(9), lambda box: box.rotate(1)],
    "OrderedDict": [
        lambda box: box.clear(),
        lambda box: box.popitem(),
        lambda box: box.update(dict.fromkeys(range(99))),
    ],
    "bytearray": [lambda box: box.clear(), lambda box: box.extend(bytes(1 << 20)), lambda box: box.__setitem__(0, 0)],
}


def fresh(kind, trigger):
    """A container of that kind with *trigger* among its items."""
    items = [trigger, [1], "text", (2, [3]), {"k": [4]}, 5, 2**70, b"bytes"]
    hashable = [trigger, "text", (2, (3,)), 5, 2**70, b"bytes"]
    return {
        "list": lambda: list(items),
        "dict": lambda: dict(enumerate(items)),
        "set": lambda: set(hashable),
        "deque": lambda: collections.deque(items),
        "OrderedDict": lambda: collections.OrderedDict(enumerate(items)),
        "bytearray": lambda: bytearray(b"abc" * 1000),
    }[kind]()


def survives(dump, kind):
    """Run a dump that is disturbed; it raises what is documented, or writes something that loads."""
    # A bytearray that is being written refuses to change its size, to whoever tries it.
    got = gives(dump, RuntimeError, capers.PicklingError, AttributeError, BufferError)
    if isinstance(got, bytes):
        loaded = capers.loads(got)
        assert type(loaded).__name__ in (kind, "list"), loaded
    else:
        assert got in ("RuntimeError", "PicklingError", "AttributeError", "BufferError"), got


def written(kind, obj, protocol, **attributes):
    """Dump with a pickler of a class of our own; return the bytes."""
    file = io.BytesIO()
    kind(file, protocol).dump(obj)
    return file.getvalue()


@program
def containers_changed_by_persistent_id_are_survived():
    """persistent_id may change the container being saved, at every item and at every protocol."""
    for (name, changes), protocol in itertools.product(CHANGES.items(), (0, 1, 2, 4, 5)):
        for change, when in itertools.product(changes, (1, 2, 3, 5, 8)):
            seen = itertools.count()

            class Pi(capers.Pickler):
                def persistent_id(self, obj):
                    if next(seen) == when:
                        change(box)

            box = fresh(name, 7)
            survives(lambda: written(Pi, box, protocol), name)


@program
def containers_changed_by_reducer_override_are_survived():
    """reducer_override may change the container being saved."""
    for (name, changes), protocol in itertools.product(CHANGES.items(), (0, 2, 5)):
        for change in changes:

            class Re(capers.Pickler):
                def reducer_override(self, obj):
                    change(box)
                    return NotImplemented

            box = fresh(name, 1j)
            survives(lambda: written(Re, box, protocol), name)


@program
def containers_changed_by_a_reduction_are_survived():
    """A reduction may change the container that holds it, at every protocol, with and without `fast`."""
    for (name, changes), protocol in itertools.product(CHANGES.items(), (0, 1, 2, 5)):
        for change, fast in itertools.product(changes, (0, 1)):
            box = fresh(name, Evil(lambda: change(box)))

            def dump():
                file = io.BytesIO()
                pickler = capers.Pickler(file, protocol)
                pickler.fast = fast
                pickler.dump(box)
                return file.getvalue()

            survives(dump, name)


@program
def containers_changed_by_write_are_survived():
    """write may change the container being saved, whenever a part of it is handed on."""
    for (name, changes), when in itertools.product(CHANGES.items(), (0, 1, 2)):
        for change in changes:

            class File:
                data = b""

                def write(self, data):
                    self.data += bytes(data)
                    if next(seen) == when:
                        change(box)

            seen = itertools.count()
            box = fresh(name, 7)
            if name == "list":
                box[1:1] = ["x" * 70_000, "y" * 70_000, "z" * 2_000_000]
            elif name in ("dict", "OrderedDict"):
                box = type(box)([(0, "x" * 70_000), (1, "y" * 2_000_000), *((n + 2, box[n]) for n in box)])
            elif name == "bytearray":
                box *= 1000
            file = File()
            survives(lambda: (capers.dump(box, file), file.data)[1], name)


@program
def containers_changed_by_item_iterators_are_survived():
    """Iterators of a reduction may change what they iterate and what holds it, and stop by an error."""

    class Listed:
        def __init__(self, how):
            self.how = how

        def __reduce__(self):
            def items():
                for n in range(2500):
                    if n == 1200:
                        self.how()
                    yield [n]

            return list, (), None, items()

    def fail():
        raise KeyError("items")

    for change in CHANGES["list"]:
        box = [1, Listed(lambda: change(box)), 3, [4]]
        survives(lambda: capers.dumps(box), "list")
    assert gives(lambda: capers.dumps([Listed(fail)]), KeyError) == "KeyError"
    assert gives(lambda: capers.dumps([Listed(lambda: gc.collect())]), KeyError) == capers.dumps([Listed(lambda: 0)])


@program
def items_freed_in_the_middle_are_not_used():
    """Objects whose only owner lets go of them while they are saved stay alive until they are written."""

    class Part:
        def __init__(self, box, key):
            self.box, self.key, self.content = box, key, ["content %d" % n for n in range(50)]

        def __reduce_ex__(self, protocol):
            box, key = self.box, self.key
            self.box = None
            if isinstance(box, list):
                box.clear()
            else:
                box.pop(key, None)
                box[key] = None
            gc.collect()
            return list, (self.content,), None, iter([[key, key]]), None

    for protocol in (1, 2, 4, 5):
        row = []
        row.append(Part(row, 0))
        assert capers.loads(capers.dumps(row, protocol))[0][-1] == [0, 0]
        table = {}
        table["a"] = Part(table, "a")
        assert gives(lambda: capers.loads(capers.dumps(table, protocol))["a"][-1], RuntimeError) in (
            ["a", "a"],
            "RuntimeError",
        )
        thing = objects.Plain()
        thing.part = Part(vars(thing), "part")
        got = gives(lambda: capers.loads(capers.dumps(thing, protocol)).part[-1], RuntimeError)
        assert got in (["part", "part"], "RuntimeError")


@program
def keys_that_change_the_dict_they_go_into_are_survived():
    """__hash__ and __eq__ of keys being loaded may change the containers that are being filled."""

    class Key:
        def __hash__(self):
            return 1

        def __eq__(self, other):
            for each in gc.get_objects():
                if type(each) in (dict, set) and len(each) < 9 and any(type(key) is Key for key in list(each)):
                    each.clear()
            return False

    objects.Key, Key.__module__, Key.__qualname__ = Key, "hostile.objects", "Key"
    key = b"chostile.objects\nKey\n)\x81"
    for stream in (
        b"}(" + (key + b"]") * 6 + b"u.",
        b"\x8f(" + key * 6 + b"\x90.",
        b"(" + key * 6 + b"\x91.",
        b"(" + (key + b"]") * 6 + b"d.",
    ):
        assert type(gives(lambda: capers.loads(stream), RuntimeError)) in (dict, set, frozenset, str)


@program
def lists_that_are_sorted_or_emptied_while_they_are_filled_are_survived():
    """A list in the memo of an unpickler may be changed by what is loaded into it."""

    class Item:
        def __setstate__(self, state):
            box = state[0]
            box.append(1)
            box.clear()
            box.extend([3, 2, 1])
            box.sort()

    objects.Item, Item.__module__, Item.__qualname__ = Item, "hostile.objects", "Item"
    item = b"chostile.objects\nItem\n)\x81h\x00\x85b"
    stream = b"\x80\x04]\x94(" + item * 50 + b"e(" + item * 3 + b"e" + item + b"a."
    assert len(capers.loads(stream)) == 4

    # A list that is being sorted says that it has no items and must not be touched.
    class Sorter:
        def __setstate__(self, state):
            state.extend([3, 1, 2])
            got.append(gives(lambda: state.sort(key=lambda n: inner(state, n)), ValueError))

    def inner(state, n):
        unpickler = capers.Unpickler(io.BytesIO(b"\x80\x04h\x00(K\x01K\x02e."))
        unpickler.memo = {0: state}
        unpickler.load()
        return n

    got = []
    objects.Sorter, Sorter.__module__, Sorter.__qualname__ = Sorter, "hostile.objects", "Sorter"
    assert type(capers.loads(b"\x80\x04chostile.objects\nSorter\n)\x81]b.")) is Sorter and got == ["ValueError"]
