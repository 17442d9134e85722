"""Coming back into a Pickler or Unpickler that is at work, from everything it calls."""

import copyreg
import io
import sys

import capers

from .. import objects
from . import Evil, gives, program, raises, works


def attempts(pickler, file):
    """What must not be done to a pickler in the middle of a dump."""

    def set_memo(value):
        pickler.memo = value

    return [
        lambda: pickler.dump([1]),
        lambda: pickler.__init__(file),
        lambda: pickler.__init__(io.BytesIO(), 0),
        pickler.clear_memo,
        pickler.memo.clear,
        lambda: set_memo({}),
        lambda: set_memo(capers.Pickler(io.BytesIO()).memo),
    ]


def refused(pickler, file, asked):
    """Try everything and note that all of it was refused."""
    for attempt in attempts(pickler, file):
        asked.append(type(raises(RuntimeError, attempt)))


def all_refused(make, value, kind=capers.Pickler, *, expect=None, **options):
    """Dump what *make* wraps around *value* with a pickler whose hooks come back in; see that it stays whole."""
    file, asked = io.BytesIO(), []
    pickler = kind(file, **options)
    obj = make(pickler, lambda: refused(pickler, file, asked))
    pickler.dump(obj)
    assert asked and set(asked) == {RuntimeError}, asked
    file.seek(0)
    got = capers.Unpickler(file, buffers=iter([b"x"] * 9)).load()
    assert expect is None or got == expect, got
    works(
        kind(io.BytesIO()) if kind is not capers.Pickler else pickler, file if kind is capers.Pickler else io.BytesIO()
    )


@program
def a_pickler_is_refused_inside_a_reduction():
    """__reduce_ex__, a reducer of the dispatch table and __getstate__ cannot use the pickler that calls them."""
    all_refused(lambda pickler, again: [Evil(again), [1]], None, expect=["evil", [1]])

    class State:
        def __getstate__(self):
            self.again()
            return {"n": 1}

    objects.State, State.__module__, State.__qualname__ = State, "hostile.objects", "State"

    def with_state(pickler, again):
        made = State()
        made.again = again
        return made

    all_refused(with_state, None)

    def by_table(pickler, again):
        def reduce(obj):
            again()
            return str, ("reduced",)

        pickler.dispatch_table = {**copyreg.dispatch_table, complex: reduce}
        return [1j, 2]

    all_refused(by_table, None, expect=["reduced", 2])


@program
def a_pickler_is_refused_inside_its_own_hooks():
    """persistent_id and reducer_override of a subclass cannot use the pickler that calls them."""
    asked = []

    class Pi(capers.Pickler):
        def persistent_id(self, obj):
            if obj == "id":
                refused(self, file, asked)

    class Re(capers.Pickler):
        def reducer_override(self, obj):
            refused(self, file, asked)
            return NotImplemented

    for kind, value in ((Pi, ["id", [1]]), (Re, [1j, [1]])):
        file = io.BytesIO()
        pickler = kind(file)
        pickler.dump(value)
        assert capers.loads(file.getvalue()) == value
        pickler.clear_memo()
        file.seek(0)
        pickler.dump(value)
        assert capers.loads(file.getvalue()) == value
    assert asked and set(asked) == {RuntimeError}


@program
def a_pickler_is_refused_inside_write():
    """A file whose write comes back into the pickler that calls it is written to as if it had not."""
    for value in ([1, 2], ["x" * 100_000, [2], b"y" * 5_000_000, ["z" * 70_000] * 2], list(range(200_000))):
        asked, pieces = [], []

        class File:
            def write(self, data):
                pieces.append(bytes(data))
                refused(pickler, self, asked)

        pickler = capers.Pickler(File())
        pickler.dump(value)
        assert asked and capers.loads(b"".join(pieces)) == value


@program
def a_pickler_is_refused_inside_a_buffer_callback():
    """A buffer callback cannot use the pickler that calls it."""
    for in_band in (True, False):
        file, asked = io.BytesIO(), []

        def callback(buffer):
            refused(pickler, file, asked)
            return in_band

        pickler = capers.Pickler(file, 5, buffer_callback=callback)
        pickler.dump([capers.PickleBuffer(bytearray(b"x")), [1]])
        assert asked and capers.loads(file.getvalue(), buffers=[b"x"]) == [b"x", [1]]


@program
def a_pickler_is_refused_inside_item_iterators():
    """Iterators of list items and dict items cannot use the pickler that runs them."""

    class Items:
        def __init__(self, again):
            self.again = again

    class Listed(Items):
        def __reduce__(self):
            def items():
                for n in range(3):
                    self.again()
                    yield n

            return list, (), None, items()

    class Paired(Items):
        def __reduce__(self):
            def pairs():
                for n in range(3):
                    self.again()
                    yield n, n

            return dict, (), None, None, pairs()

    all_refused(lambda pickler, again: [Listed(again), 5], None, expect=[[0, 1, 2], 5])
    all_refused(lambda pickler, again: [Paired(again), 5], None, expect=[{0: 0, 1: 1, 2: 2}, 5])


def unpickler_attempts(unpickler):
    """What must not be done to an unpickler in the middle of a load."""

    def set_memo(value):
        unpickler.memo = value

    return [
        unpickler.load,
        lambda: unpickler.__init__(io.BytesIO(b"N.")),
        unpickler.memo.clear,
        lambda: set_memo({}),
        lambda: set_memo(capers.Unpickler(io.BytesIO()).memo),
    ]


def load_refused(unpickler, asked):
    """Try everything and note that all of it was refused."""
    for attempt in unpickler_attempts(unpickler):
        asked.append(type(raises(RuntimeError, attempt)))


@program
def an_unpickler_is_refused_inside_its_own_hooks():
    """find_class and persistent_load cannot use the unpickler that calls them."""
    asked = []

    class Un(capers.Unpickler):
        def find_class(self, module, name):
            load_refused(self, asked)
            return super().find_class(module, name)

        def persistent_load(self, pid):
            load_refused(self, asked)
            return pid

    class Pi(capers.Pickler):
        def persistent_id(self, obj):
            return "kept" if obj == "keep" else None

    for protocol in range(6):
        file = io.BytesIO()
        Pi(file, protocol).dump([len, "keep", [1], "keep"])
        file.write(b"N.")
        file.seek(0)
        unpickler = Un(file)
        assert unpickler.load() == [len, "kept", [1], "kept"]
        assert unpickler.load() is None
    assert len(asked) == 6 * 3 * 5 and set(asked) == {RuntimeError}


@program
def an_unpickler_is_refused_inside_the_methods_of_its_file():
    """read, readline, readinto and peek cannot use the unpickler that calls them."""
    asked = []

    class File:
        def __init__(self, data):
            self.data = io.BytesIO(data)

        def read(self, n):
            load_refused(unpickler, asked)
            return self.data.read(n)

        def readline(self):
            load_refused(unpickler, asked)
            return self.data.readline()

    class Into(File):
        def readinto(self, room):
            load_refused(unpickler, asked)
            return self.data.readinto(room)

    class Peek(Into):
        def peek(self, n):
            load_refused(unpickler, asked)
            at = self.data.tell()
            seen = self.data.read(n)
            self.data.seek(at)
            return seen

    value = [len, "text", b"x" * 3_000_000, bytearray(200_000), [2**70, 1.5]]
    for kind in (File, Into, Peek):
        for protocol in range(6):
            unpickler = capers.Unpickler(kind(capers.dumps(value, protocol)))
            assert unpickler.load() == value
    assert asked and set(asked) == {RuntimeError}


@program
def an_unpickler_is_refused_inside_what_it_makes_and_fills():
    """__new__, __setstate__, __setitem__, append, add, __hash__ and __eq__ of what is loaded cannot use the unpickler."""
    asked = []

    class Thing:
        def __new__(cls, *args):
            load_refused(unpickler, asked)
            return object.__new__(cls)

        def __setstate__(self, state):
            load_refused(unpickler, asked)

        def __setitem__(self, key, value):
            load_refused(unpickler, asked)

        def append(self, item):
            load_refused(unpickler, asked)

        def add(self, item):
            load_refused(unpickler, asked)

        def __hash__(self):
            load_refused(unpickler, asked)
            return 1

        def __eq__(self, other):
            load_refused(unpickler, asked)
            return False

    objects.Thing, Thing.__module__, Thing.__qualname__ = Thing, "hostile.objects", "Thing"
    name = b"chostile.objects\nThing\n"
    thing = name + b")\x81"
    streams = [
        thing + b"}b.",
        thing + b"NNs.",
        thing + b"(NNNNu.",
        thing + b"Na.",
        thing + b"(NNe.",
        thing + b"(NN\x90.",
        name + b")R.",
        b"(" + name + b"o.",
        b"(ihostile.objects\nThing\n.",
        b"}" + thing + b"Ns" + thing + b"Ns.",
        b"\x8f(" + thing * 3 + b"\x90.",
        b"(" + thing * 2 + b"\x91.",
        b"(" + thing + b"N" + thing + b"Nd.",
    ]
    for stream in streams:
        before = len(asked)
        unpickler = capers.Unpickler(io.BytesIO(stream + b"K\x05."))
        unpickler.load()
        assert len(asked) > before, stream
        assert unpickler.load() == 5
    assert set(asked) == {RuntimeError}


@program
def an_unpickler_is_refused_inside_the_iterator_of_its_buffers():
    """The iterator of buffers cannot use the unpickler that runs it."""
    asked = []

    def buffers():
        for each in (b"one", b"two"):
            load_refused(unpickler, asked)
            yield each

    unpickler = capers.Unpickler(io.BytesIO(b"\x97\x97\x98\x86."), buffers=buffers())
    assert unpickler.load() == (b"one", b"two") and set(asked) == {RuntimeError}


@program
def a_buffers_iterator_used_by_two_loads_gives_each_its_own():
    """An iterator of buffers that loads with itself as buffers goes on where that load left it."""

    class Buffers:
        def __init__(self):
            self.given = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.given += 1
            if self.given == 2:
                inner.append(capers.loads(b"\x97.", buffers=self))
            return b"%d" % self.given

    inner = []
    assert capers.loads(b"\x97\x97\x86.", buffers=Buffers()) == (b"1", b"3") and inner == [b"3"]


@program
def new_picklers_inside_every_hook_work():
    """dumps, loads and picklers of their own work inside all hooks, as often as wanted."""
    depth = []

    def nest(obj=None):
        depth.append(0)
        assert capers.loads(capers.dumps([1, lambda: 2, {"a": (3,)}]))[2] == {"a": (3,)}
        if len(depth) < 60:
            capers.dumps([Evil(nest), Evil(lambda: None)])

    class Pi(capers.Pickler):
        def persistent_id(self, obj):
            nest()

        def reducer_override(self, obj):
            nest()
            return NotImplemented

    class File:
        def __init__(self):
            self.data = b""

        def write(self, data):
            nest()
            self.data += data

    file = File()
    Pi(file).dump([1, "a", [2j], Evil(nest)])
    assert capers.loads(file.data) == [1, "a", [2j], "evil"]
    assert len(depth) >= 60


@program
def a_hook_that_nests_dumps_without_end_is_stopped_by_the_recursion_limit():
    """A reduction that dumps its like, which dumps its like, ends in a RecursionError and leaves all usable."""

    class Like:
        def __reduce__(self):
            capers.dumps(Like())
            return str, ("x",)

    raises(RecursionError, lambda: capers.dumps([Like()]))

    class Un:
        def __setstate__(self, state):
            capers.loads(data)

    objects.Un, Un.__module__, Un.__qualname__ = Un, "hostile.objects", "Un"
    data = b"chostile.objects\nUn\n)\x81}b."
    raises(RecursionError, lambda: capers.loads(data))
    sys.setrecursionlimit(150)
    raises(RecursionError, lambda: capers.dumps([Like()]))
    raises(RecursionError, lambda: capers.loads(data))
    assert capers.loads(capers.dumps([1])) == [1]


@program
def an_audit_hook_that_loads_and_dumps_is_survived():
    """An audit hook that itself loads, dumps and raises is answered to."""
    busy, seen = [], []

    def hook(event, args):
        if event != "pickle.find_class" or busy:
            return
        busy.append(1)
        try:
            seen.append(args)
            capers.loads(capers.dumps([len, lambda: 1]))
            if args[1] == "repr":
                raise KeyError("audited")
        finally:
            busy.pop()

    sys.addaudithook(hook)
    assert capers.loads(capers.dumps([len, abs])) == [len, abs]
    assert gives(lambda: capers.loads(capers.dumps([len, repr])), KeyError) == "KeyError"
    assert seen[:2] == [("builtins", "len"), ("builtins", "abs")]
