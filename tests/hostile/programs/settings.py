"""Odd values for everything that can be set, and settings that change in the middle."""

import copyreg
import io
import itertools
import sys

import capers

from .. import objects
from . import Evil, gives, program, raises, works

ODD = [
    None,
    3,
    -1,
    2**31,
    2**63,
    2**64,
    -(2**64),
    1.5,
    "x",
    b"x",
    (),
    [],
    {},
    object(),
    len,
    type,
    ...,
    NotImplemented,
    "\ud800",
    "a\0b",
]


@program
def memos_of_picklers_take_no_nonsense():
    """The memo of a pickler may be set to dicts of pairs; anything else raises and changes nothing."""
    file = io.BytesIO()
    pickler = capers.Pickler(file)
    keep = ["kept"]
    pickler.dump(keep)

    class Index:
        def __init__(self, act):
            self.act = act

        def __index__(self):
            self.act()
            return 3

    class Pairs(dict):
        def items(self):
            raise KeyError("asked")

        __iter__ = keys = values = __len__ = __getitem__ = items

    odd = [*ODD, {1: 2}, {1: (1,)}, {1: (1, 2, 3)}, {1: ("x", keep)}, {1: (1.5, keep)}, {1: (-1, keep)}, {1: (2**31, keep)}, {1: (2**64, keep)}, {1: [0, keep]},
           {1: (None, keep)}, {"a": (Index(lambda: 1 / 0), keep)}]  # fmt: skip
    for value in odd:
        if value in ({}, keep):
            continue
        raises((TypeError, ValueError, OverflowError, ZeroDivisionError), lambda: setattr(pickler, "memo", value))
        assert [pair[1] for pair in pickler.memo.copy().values()][0] is keep
    raises((TypeError, AttributeError), lambda: delattr(pickler, "memo"))

    # Far indices cost no time and no memory, and what is written with them can be loaded.
    for index in (0, 1, 255, 256, 2**16, 2**31 - 2, 2**31 - 1):
        for protocol in (0, 1, 2, 4):
            file = io.BytesIO()
            pickler = capers.Pickler(file, protocol)
            pickler.memo = {id(keep): (index, keep)}
            pickler.dump([keep, new := [1], keep, new])
            pickler.dump([keep, [2], new])
            unpickler = capers.Unpickler(io.BytesIO(file.getvalue()))
            unpickler.memo = {index: ["from memo"]}
            loaded = unpickler.load()
            assert loaded == [["from memo"], [1], ["from memo"], [1]], (index, protocol, loaded)
            assert unpickler.load() == [["from memo"], [2], [1]], (index, protocol)
            assert list(pickler.memo.copy().values())[0] == (index, keep)

    # A dict that changes while it is read, and one that lies.
    table = {n: (n, [n]) for n in range(50)}
    table[7] = (Index(table.clear), [7])
    gives(lambda: setattr(pickler, "memo", table), RuntimeError, TypeError, ValueError)
    table = {n: (n, [n]) for n in range(50)}
    table[7] = (Index(lambda: pickler.dump([1])), [7])
    gives(lambda: setattr(pickler, "memo", table), RuntimeError, TypeError, ValueError)
    gives(lambda: setattr(pickler, "memo", Pairs({1: (0, keep)})), KeyError, TypeError)
    pickler.__init__(file := io.BytesIO())
    works(pickler, file)


@program
def memos_of_unpicklers_take_no_nonsense():
    """The memo of an unpickler may be set to dicts of indices; anything else raises and changes nothing."""
    unpickler = capers.Unpickler(io.BytesIO(b"\x80\x04]\x94.h\x00."))
    kept = unpickler.load()

    class Int(int):
        def __index__(self):
            raise KeyError("index")

        __hash__ = int.__hash__

    odd = [
        *ODD,
        {"a": 1},
        {1.5: 1},
        {None: 1},
        {-1: 1},
        {-(2**63): 1},
        {2**63: 1},
        {2**64: 1},
        {(): 1},
        {1: 2, "x": 3},
        {1: 2, -5: 3},
    ]
    for value in odd:
        if value == {}:
            continue
        raises((TypeError, ValueError, OverflowError), lambda: setattr(unpickler, "memo", value))
        assert unpickler.memo.copy() == {0: kept}
    raises((TypeError, AttributeError), lambda: delattr(unpickler, "memo"))
    gives(lambda: setattr(unpickler, "memo", {Int(3): 1}), KeyError)
    far = {n: [n] for n in (0, 5, 2**31, 2**32, 2**62, 2**63 - 1)}
    unpickler.memo = far
    assert unpickler.memo.copy() == far
    unpickler.memo = unpickler.memo
    assert unpickler.memo.copy() == far
    for index in far:
        again = capers.Unpickler(io.BytesIO(b"g%d\n." % index))
        again.memo = unpickler.memo
        assert again.load() is far[index]
    proxy = unpickler.memo
    del unpickler
    assert proxy.copy() == far
    proxy.clear()
    assert proxy.copy() == {}


@program
def settings_that_change_in_the_middle_are_survived():
    """bin, fast, dispatch_table, persistent_id and methods of subclasses may change while a dump runs."""

    class Pi(capers.Pickler):
        def persistent_id(self, obj):
            return None

        def reducer_override(self, obj):
            return NotImplemented

    changes = [
        lambda p: setattr(p, "bin", 0),
        lambda p: setattr(p, "bin", 5),
        lambda p: setattr(p, "fast", 1),
        lambda p: setattr(p, "dispatch_table", {}),
        lambda p: setattr(p, "dispatch_table", {complex: lambda obj: (str, ("by table",))}),
        lambda p: delattr(p, "dispatch_table"),
        lambda p: setattr(p, "persistent_id", lambda obj: "id"),
        lambda p: delattr(p, "persistent_id"),
        lambda p: setattr(type(p), "persistent_id", lambda self, obj: None),
        lambda p: setattr(type(p), "reducer_override", lambda self, obj: (str, ("by override",))),
        lambda p: delattr(type(p), "reducer_override"),
        lambda p: delattr(type(p), "persistent_id"),
        lambda p: setattr(p, "__class__", type("Other", (Pi,), {})),
        lambda p: setattr(p, "__class__", int),
        lambda p: p.__dict__.clear(),
        lambda p: setattr(copyreg, "dispatch_table", {}),
    ]
    table = copyreg.dispatch_table
    for change, protocol, kind in itertools.product(changes, (0, 2, 5), (capers.Pickler, Pi)):
        kind = type("Kind", (Pi,), {}) if kind is Pi else kind
        file = io.BytesIO()
        pickler = kind(file, protocol)

        class Un(capers.Unpickler):
            def persistent_load(self, pid):
                return pid

        value = [1, "a", Evil(lambda: gives(lambda: change(pickler), AttributeError, TypeError)), 2j, [3], 2j, "b"]
        got = gives(lambda: pickler.dump(value), capers.PicklingError, RuntimeError, TypeError)
        copyreg.dispatch_table = table
        if got is None:
            file.seek(0)
            assert len(Un(file).load()) == 7
        Pi.persistent_id = lambda self, obj: None
        Pi.reducer_override = lambda self, obj: NotImplemented


@program
def settings_of_an_unpickler_that_change_in_the_middle_are_survived():
    """find_class, persistent_load and the class of an unpickler may change while it loads."""

    class Un(capers.Unpickler):
        def find_class(self, module, name):
            gives(lambda: change(self), AttributeError, TypeError)
            return super().find_class(module, name)

        def persistent_load(self, pid):
            return pid

    changes = [
        lambda u: setattr(type(u), "find_class", lambda self, module, name: repr),
        lambda u: delattr(type(u), "find_class"),
        lambda u: delattr(type(u), "persistent_load"),
        lambda u: setattr(u, "persistent_load", lambda pid: [pid]),
        lambda u: setattr(u, "find_class", None),
        lambda u: setattr(u, "__class__", type("Other", (Un,), {})),
        lambda u: setattr(u, "__class__", capers.Unpickler),
        lambda u: u.__dict__.clear(),
        lambda u: sys.modules.pop("hostile.objects", None),
    ]
    for change in changes:
        kind = type("Kind", (Un,), {"find_class": Un.find_class, "persistent_load": Un.persistent_load})
        unpickler = kind(io.BytesIO(b"(cbuiltins\nlen\nPx\ncbuiltins\nabs\nPy\nt.K\x05."))
        got = gives(unpickler.load, AttributeError, TypeError, capers.UnpicklingError)
        assert isinstance(got, (tuple, str)), got
        sys.modules["hostile.objects"] = objects


@program
def arguments_of_every_kind_are_refused_or_taken():
    """All functions and constructors take odd arguments with an exception or as pickle does."""
    import pickle

    def outcome(call):
        try:
            call()
        except Exception as error:
            return next(each for each in type(error).__mro__ if each.__module__ in ("builtins", "_pickle", "pickle"))
        return None

    calls = [
        lambda m, odd: m.dumps(1, odd),
        lambda m, odd: m.dumps(1, fix_imports=odd),
        lambda m, odd: m.dumps(1, buffer_callback=odd),
        lambda m, odd: m.dump(1, odd),
        lambda m, odd: m.dump(1, io.BytesIO(), odd),
        lambda m, odd: m.loads(odd),
        lambda m, odd: m.loads(b"N.", fix_imports=odd),
        lambda m, odd: m.loads(b"N.", encoding=odd),
        lambda m, odd: m.loads(b"S'x'\n.", encoding=odd) if odd != "x" else None,
        lambda m, odd: m.loads(b"N.", errors=odd),
        lambda m, odd: m.loads(b"N.", buffers=odd),
        lambda m, odd: m.load(odd),
        lambda m, odd: m.load(io.BytesIO(b"N."), buffers=odd),
        lambda m, odd: m.Pickler(odd),
        lambda m, odd: m.Pickler(io.BytesIO(), odd),
        lambda m, odd: m.Pickler(io.BytesIO(), fix_imports=odd),
        lambda m, odd: m.Unpickler(odd),
        lambda m, odd: m.Unpickler(io.BytesIO(), encoding=odd),
        lambda m, odd: m.Unpickler(io.BytesIO(), errors=odd),
        lambda m, odd: setattr(m.Pickler(io.BytesIO()), "bin", odd),
        lambda m, odd: setattr(m.Pickler(io.BytesIO()), "fast", odd),
        lambda m, odd: m.Unpickler(io.BytesIO()).find_class(odd, "x"),
        lambda m, odd: m.Unpickler(io.BytesIO()).find_class("builtins", odd),
    ]
    different = []
    for number, call in enumerate(calls):
        for odd in ODD:
            ours, theirs = outcome(lambda: call(capers, odd)), outcome(lambda: call(pickle, odd))
            if ours is not theirs:
                different.append((number, odd, ours, theirs))
    assert not different, different


@program
def registries_with_nonsense_are_survived():
    """copyreg's tables and the tables of old names may hold anything; using it raises."""
    import _compat_pickle

    for odd in ODD:
        copyreg._inverted_registry[5] = odd
        copyreg._extension_registry["hostile.objects", "Plain"] = odd
        copyreg.dispatch_table[objects.Plain] = odd
        gives(lambda: capers.loads(b"\x82\x05."), ValueError, TypeError)
        for protocol in (0, 2, 4):
            gives(
                lambda: capers.dumps(objects.Plain, protocol),
                capers.PicklingError,
                TypeError,
                ValueError,
                RuntimeError,
                OverflowError,
            )
            gives(
                lambda: capers.dumps(objects.Plain(), protocol),
                capers.PicklingError,
                TypeError,
                ValueError,
                RuntimeError,
                OverflowError,
            )
        copyreg._extension_cache[6] = odd
        assert capers.loads(b"\x82\x06.") is odd
        _compat_pickle.NAME_MAPPING["old", "name"] = odd
        _compat_pickle.IMPORT_MAPPING["older"] = odd
        _compat_pickle.REVERSE_NAME_MAPPING["hostile.objects", "Both"] = odd
        _compat_pickle.REVERSE_IMPORT_MAPPING["hostile.objects"] = odd
        kinds = (RuntimeError, TypeError, ValueError, ImportError, AttributeError, capers.PicklingError)
        gives(lambda: capers.loads(b"cold\nname\n."), *kinds)
        gives(lambda: capers.loads(b"colder\nname\n."), *kinds)
        gives(lambda: capers.dumps(objects.Both, 2), *kinds)
        gives(lambda: capers.dumps(objects.Slots, 2), *kinds)
    del copyreg.dispatch_table[objects.Plain], copyreg._extension_registry["hostile.objects", "Plain"]

    class Key:
        def __hash__(self):
            raise KeyError("hash")

    class Table(dict):
        def get(self, key, default=None):
            raise KeyError("get")

        def __getitem__(self, key):
            raise LookupError("item")

    pickler = capers.Pickler(io.BytesIO())
    pickler.dispatch_table = Table()
    raises(LookupError, lambda: pickler.dump(1j))
    for odd in ODD:
        pickler = capers.Pickler(io.BytesIO())
        gives(lambda: setattr(pickler, "dispatch_table", odd), TypeError)
        gives(lambda: pickler.dump(1j), TypeError, KeyError, capers.PicklingError, AttributeError)


@program
def encodings_of_every_kind_are_survived():
    """Codecs that do not exist, that raise, that return nonsense or that come back in."""
    import codecs

    def search(name):
        if name == "odd_raises":
            return codecs.CodecInfo(None, lambda data, errors: 1 / 0, name=name)
        if name == "odd_none":
            return codecs.CodecInfo(None, lambda data, errors: None, name=name)
        if name == "odd_bytes":
            return codecs.CodecInfo(None, lambda data, errors: (b"x", len(data)), name=name)
        if name == "odd_nested":
            return codecs.CodecInfo(
                None, lambda data, errors: (capers.loads(capers.dumps("nested")), len(data)), name=name
            )
        return None

    codecs.register(search)
    codecs.register_error("odd", lambda error: (capers.loads(b"Vx\n."), error.end))
    codecs.register_error("odder", lambda error: 5)
    for name, errors in itertools.product(("odd_raises", "odd_none", "odd_bytes", "odd_nested", "missing", "", "ascii", "bytes", "latin1", "utf-16"),
                                          ("strict", "ignore", "odd", "odder", "missing", "", "surrogateescape")):  # fmt: skip
        for stream in (b"U\x03a\xffb.", b"T\x03\0\0\0a\xffb.", b"S'a\xffb'\n.", b"S'abc'\n.", b"U\x00."):
            kinds = (LookupError, TypeError, ZeroDivisionError, UnicodeError, capers.UnpicklingError)
            got = gives(lambda: capers.loads(stream, encoding=name, errors=errors), *kinds)
            assert isinstance(got, (str, bytes)), got
            file = io.BytesIO(stream)
            gives(lambda: capers.Unpickler(file, encoding=name, errors=errors).load(), *kinds)
