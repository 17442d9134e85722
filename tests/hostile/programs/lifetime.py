"""Objects that die, are collected or come back to life at the wrong time."""

import gc
import io
import sys
import weakref

import capers

from .. import objects
from . import Evil, gives, program, raises, works

REFUSED = (RuntimeError, capers.PicklingError, capers.UnpicklingError, EOFError)


class Last:
    """Does something when it dies."""

    def __init__(self, act):
        self.act = act

    def __reduce__(self):
        return str, ("last",)

    def __del__(self):
        self.act()


@program
def finalizers_that_use_the_dying_pickler_are_survived():
    """__del__ of objects in a pickler's memo may dump, clear and set the memo of the pickler that lets go of them."""
    for act in (
        lambda pickler: pickler.dump([1]),
        lambda pickler: pickler.clear_memo(),
        lambda pickler: pickler.memo.clear(),
        lambda pickler: pickler.memo.copy(),
        lambda pickler: setattr(pickler, "memo", {}),
        lambda pickler: pickler.__init__(io.BytesIO()),
    ):
        for let_go in (
            lambda pickler: pickler.clear_memo(),
            lambda pickler: pickler.memo.clear(),
            lambda pickler: setattr(pickler, "memo", {}),
            lambda pickler: pickler.__init__(io.BytesIO()),
            lambda pickler: pickler.dump([Evil(lambda: 1 / 0)]),
        ):
            file, died = io.BytesIO(), []
            pickler = capers.Pickler(file)

            def last():
                died.append(gives(lambda: act(pickler), *REFUSED))

            pickler.dump([Last(last), [Last(last)]])
            gives(lambda: let_go(pickler), ZeroDivisionError)
            gives(lambda: pickler.dump([2]), *REFUSED)
            pickler.__init__(file)
            gc.collect()
            assert died
            works(pickler, file)


@program
def finalizers_of_hooks_that_use_their_pickler_are_survived():
    """__del__ of a hook, a dispatch table or a file may use the pickler that replaces it."""

    class Hook(Last):
        def __call__(self, obj):
            return None

        def write(self, data):
            return len(data)

        def __getitem__(self, kind):
            raise KeyError(kind)

    sys.unraisablehook = lambda told: None
    for name in ("persistent_id", "dispatch_table", "file", "buffer_callback"):
        pickler, died = capers.Pickler(io.BytesIO()), []

        def last():
            died.append(gives(lambda: pickler.dump([1]), *REFUSED))
            gives(lambda: setattr(pickler, "persistent_id", None), *REFUSED, AttributeError, TypeError)
            gives(pickler.clear_memo, *REFUSED)

        def setting(value):
            if name == "file":
                pickler.__init__(value or io.BytesIO())
            elif name == "buffer_callback":
                pickler.__init__(io.BytesIO(), 5, buffer_callback=value)
            else:
                gives(lambda: setattr(pickler, name, value), AttributeError, TypeError)

        setting(Hook(last))
        pickler.dump([1, 1j])
        setting({} if name == "dispatch_table" else None if name != "persistent_id" else lambda obj: None)
        gc.collect()
        assert died, name
        works(capers.Pickler(file := io.BytesIO()), file)


@program
def finalizers_that_use_the_dying_unpickler_are_survived():
    """__del__ of objects in an unpickler's memo may load and set the memo of the unpickler that lets go of them."""

    class Thing:
        def __del__(self):
            for act in acts:
                died.append(gives(act, *REFUSED))

    objects.Thing, Thing.__module__, Thing.__qualname__ = Thing, "hostile.objects", "Thing"
    thing = b"\x80\x04chostile.objects\nThing\n)\x81\x94"
    sys.unraisablehook = lambda told: None
    for let_go in (
        lambda: setattr(unpickler, "memo", {}),
        lambda: unpickler.memo.clear(),
        lambda: unpickler.__init__(io.BytesIO(b"N.")),
        lambda: unpickler.load(),
    ):
        for stream in (thing + b".", thing + thing + b"0.", thing + b"q\x00Nq\x000.", thing + thing + b"h\x07."):
            died = []
            unpickler = capers.Unpickler(io.BytesIO(stream + b"N." * 3))
            acts = [
                unpickler.load,
                lambda: setattr(unpickler, "memo", {}),
                unpickler.memo.clear,
                lambda: unpickler.memo.copy(),
            ]
            gives(unpickler.load, *REFUSED)
            gives(let_go, *REFUSED)
            unpickler.__init__(io.BytesIO(b"K\x05."))
            assert died and unpickler.load() == 5


@program
def objects_that_die_inside_the_machine_may_load_and_dump():
    """__del__ of what a stream makes and drops may load and dump while the machine goes on."""

    class Thing:
        def __del__(self):
            died.append(capers.loads(capers.dumps([1, lambda: 2]))[0])

    died = []
    objects.Thing, Thing.__module__, Thing.__qualname__ = Thing, "hostile.objects", "Thing"
    thing = b"chostile.objects\nThing\n)\x81"
    for stream in (
        thing + b"0N.",
        b"(" + thing * 3 + b"1N.",
        thing + b"q\x00Nq\x000N.",
        b"]" + thing + b"a0N.",
        b"(" * 5 + thing * 5 + b"11111N.",
        b"(" + thing * 9 + b"x",
        thing + b"\x85" * 50 + b"0N.",
        b"}" + thing + b"]s",
        b"(" + thing + thing + thing + b"dN.",
    ):
        before = len(died)
        gives(lambda: capers.loads(stream), Exception)
        assert len(died) > before, stream


@program
def collections_inside_every_hook_are_survived():
    """The garbage collector may run, and call back, at every step of a dump and a load."""
    seen = []

    def callback(phase, info):
        if phase == "start" and len(seen) < 3000 and not busy:
            busy.append(1)
            seen.append(capers.loads(capers.dumps([1, {"a": (2,)}])))
            busy.clear()

    busy = []
    gc.callbacks.append(callback)
    gc.set_threshold(1)
    things = []
    for n in range(40):
        made = objects.Plain()
        made.n, made.me, made.pair = n, made, (made, [made])
        things.append(made)
    for protocol in range(6):
        for value in (things, [[[n] for n in range(200)]], {"a": {str(n): (n,) for n in range(200)}}, lambda: things):
            loaded = capers.loads(capers.dumps(value, protocol))
            assert type(loaded) is type(value)
    gc.callbacks.remove(callback)
    assert len(seen) > 10


@program
def half_made_objects_found_by_the_collector_do_no_harm():
    """gc.get_objects and get_referrers inside hooks may show what is being built; looking at it does no harm."""

    def look(*args):
        for each in gc.get_objects():
            if type(each) in (tuple, list, dict, set, frozenset) and len(each) < 50:
                repr_length.append(len(each))
        gc.get_referrers(*args[-1:])

    repr_length = []

    class Un(capers.Unpickler):
        def find_class(self, module, name):
            look(name)
            return super().find_class(module, name)

    class Pi(capers.Pickler):
        def persistent_id(self, obj):
            look(obj)

    value = [(len, [abs, (repr, {"k": (len,)})]), {len: (abs,)}, {len, abs}, frozenset([len])]
    file = io.BytesIO()
    Pi(file).dump(value)
    file.seek(0)
    assert Un(file).load() == value


@program
def weak_references_and_their_callbacks_are_survived():
    """Callbacks of weak references that dump, load and clear may run when temporaries of a dump die."""
    called = []

    def callback(reference):
        called.append(capers.loads(capers.dumps([reference() is None, lambda: 1]))[0])

    class Part:
        pass

    objects.Part, Part.__module__, Part.__qualname__ = Part, "hostile.objects", "Part"

    class Thing:
        def __reduce__(self):
            part = Part()
            references.append(weakref.ref(part, callback))
            return list, ([part],), None, iter([Part()])

    references = []
    pickler = capers.Pickler(io.BytesIO())
    pickler.dump([Thing() for _ in range(50)])
    assert not called
    pickler.clear_memo()
    assert called == [True] * 50
    capers.dumps([Thing() for _ in range(50)])
    assert len(called) == 100
    reference = weakref.ref(pickler, callback)
    del pickler
    gc.collect()
    assert reference() is None


@program
def picklers_in_cycles_are_collected():
    """Picklers and unpicklers in reference cycles with files, memos and hooks are freed."""

    class File(io.BytesIO):
        pass

    alive = []
    for _ in range(5):
        file = File()
        pickler = capers.Pickler(file)
        file.pickler = pickler
        file.proxy = pickler.memo
        gives(lambda: setattr(pickler, "persistent_id", lambda obj, me=pickler: None), AttributeError)
        box = [file]
        box.append(box)
        pickler.dump([[], ()])
        pickler.memo = {id(box): (0, box)}
        unpickler = capers.Unpickler(File(b"]."))
        unpickler.memo = {0: [unpickler, file]}
        gives(lambda: setattr(unpickler, "persistent_load", lambda pid, me=unpickler: None), AttributeError)
        file.unpickler, file.other = unpickler, unpickler.memo
        alive.append(weakref.ref(file))
        del file, pickler, box, unpickler
    gc.collect()
    assert [reference() for reference in alive] == [None] * 5


@program
def pickling_picklers_and_their_memos_is_refused_or_written():
    """A pickler, an unpickler, their memos and methods as the objects of their own dump."""
    file = io.BytesIO()
    pickler, unpickler = capers.Pickler(file), capers.Unpickler(file)
    for obj in (
        pickler,
        unpickler,
        pickler.memo,
        unpickler.memo,
        pickler.dump,
        unpickler.load,
        capers.Pickler,
        capers.dumps,
        [pickler.memo] * 2,
    ):
        gives(lambda: pickler.dump(obj), TypeError, capers.PicklingError, RecursionError)
        pickler.clear_memo()
        gives(lambda: capers.dumps(obj), TypeError, capers.PicklingError, RecursionError)
    works(capers.Pickler(new := io.BytesIO()), new)


@program
def uninitialized_picklers_refuse():
    """Picklers and unpicklers whose __init__ was never called, or failed, raise and do not crash."""

    class Pi(capers.Pickler):
        def __init__(self):
            pass

    class Un(capers.Unpickler):
        def __init__(self):
            pass

    for pickler in (Pi(), capers.Pickler.__new__(capers.Pickler)):
        raises(capers.PicklingError, lambda: pickler.dump([1]))
        gives(pickler.clear_memo, *REFUSED)
        gives(lambda: pickler.memo.copy(), *REFUSED)
        gives(pickler.memo.clear, *REFUSED)
        assert gives(lambda: pickler.memo.copy(), *REFUSED) in ({}, "RuntimeError", "PicklingError")
        raises((TypeError, AttributeError), lambda: capers.Pickler.__init__(pickler, 3))
        raises(ValueError, lambda: capers.Pickler.__init__(pickler, io.BytesIO(), 99))
        capers.Pickler.__init__(pickler, file := io.BytesIO())
        works(pickler, file)
    for unpickler in (Un(), capers.Unpickler.__new__(capers.Unpickler)):
        raises(capers.UnpicklingError, unpickler.load)
        assert unpickler.memo.copy() == {}
        unpickler.memo.clear()
        unpickler.memo = {1: 2}
        gives(lambda: unpickler.find_class("builtins", "len"), *REFUSED)
        capers.Unpickler.__init__(unpickler, io.BytesIO(b"K\x05."))
        assert unpickler.load() == 5
