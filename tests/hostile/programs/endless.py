"""What never ends: reductions that lead to ever new ones, items without end, depth without end."""

import io
import itertools
import resource
import sys

import capers

from .. import objects
from . import gives, program, raises

MIB = 1 << 20
ENDS = (RecursionError, MemoryError, capers.PicklingError)


def room(size):
    """Leave so many bytes of address space, so that they are used up soon."""
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + size, resource.getrlimit(resource.RLIMIT_AS)[1]))


def reachable(kind):
    """Let a class be found by name."""
    setattr(objects, kind.__name__, kind)
    kind.__module__, kind.__qualname__ = "hostile.objects", kind.__name__
    return kind


def ends(call):
    """Assert that a dump without end ends in an error, and that memory is there again afterwards."""
    room(700 * MIB)
    raises(ENDS, call)
    assert len(capers.dumps(bytes(200_000_000))) > 200_000_000
    assert capers.loads(capers.dumps([1, lambda: 2]))[0] == 1


@program
def reductions_that_lead_to_ever_new_reductions_end():
    """A __reduce__ whose arguments hold a new object of the same kind ends in an error before memory is gone."""

    @reachable
    class Thing:
        def __reduce__(self):
            return objects.pack, (Thing(),)

    ends(lambda: capers.dumps(Thing()))


@program
def states_that_lead_to_ever_new_states_end():
    """A __getstate__ that returns a new object of the same kind ends in an error before memory is gone."""

    @reachable
    class Thing:
        def __getstate__(self):
            return {"next": Thing()}

    ends(lambda: capers.dumps([Thing()]))


@program
def a_reducer_override_that_never_ends_ends():
    """reducer_override that answers with ever new objects ends in an error before memory is gone."""

    class Re(capers.Pickler):
        def reducer_override(self, obj):
            return (objects.pack, (complex(obj.real + 1, 0), [1])) if type(obj) is complex else NotImplemented

    ends(lambda: Re(io.BytesIO()).dump(1j))


@program
def persistent_ids_that_never_end_end():
    """A persistent_id that holds a new object with a persistent id ends in an error before memory is gone."""

    class Deep(capers.Pickler):
        def persistent_id(self, obj):
            return (obj, [1]) if isinstance(obj, list) else None

    ends(lambda: Deep(io.BytesIO()).dump([1]))


@program
def list_items_without_end_end():
    """A reduction whose list items never end ends in a MemoryError, not in a dead process."""

    @reachable
    class Thing:
        def __reduce__(self):
            return list, (), None, itertools.cycle([b"x" * 1000])

    class Distinct(Thing):
        def __reduce__(self):
            return list, (), None, ("%d" % n * 100 for n in itertools.count())

    ends(lambda: capers.dumps(Distinct()))


@program
def dict_items_without_end_end():
    """A reduction whose dict items never end ends in a MemoryError, not in a dead process."""

    class Thing:
        def __reduce__(self):
            return dict, (), None, None, ((n, "%d" % n * 200) for n in itertools.count())

    ends(lambda: capers.dumps(Thing()))


@program
def a_list_that_grows_as_it_is_saved_ends():
    """A list that gets a new item whenever one is saved ends in an error, not in a dead process."""

    class Thing:
        def __reduce__(self):
            box.append(Thing())
            return str, ("x" * 1000,)

    box = [Thing(), 1]
    room(500 * MIB)
    raises(ENDS, lambda: capers.dumps(box))
    box.clear()
    assert capers.loads(capers.dumps([1, lambda: 2]))[0] == 1


@program
def endless_items_into_a_file_that_refuses_end_when_it_does():
    """A dump without end into a file ends when the file says so, and memory does not grow meanwhile."""

    class Full(Exception):
        pass

    class File:
        total = 0

        def write(self, data):
            self.total += len(data)
            if self.total > 300_000_000:
                raise Full

    class Thing:
        def __reduce__(self):
            return list, (), None, itertools.cycle([1.5])

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    raises(Full, lambda: capers.dump(Thing(), File()))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@program
def too_much_for_memory_is_a_memory_error():
    """Objects whose pickle does not fit into memory raise MemoryError, whatever they are made of."""
    room(500 * MIB)
    big = bytes(100_000_000)
    wide = [float(n) for n in range(1_000_000)]
    makers = [
        lambda: [big, bytes(100_000_001), bytearray(100_000_002), bytes(100_000_003)],
        lambda: ["x" * 150_000_000, "é" * 100_000_000],
        lambda: [list(wide) for _ in range(30)],
        lambda: [tuple(map(str, wide)) for _ in range(2)],
        lambda: [{n: n for n in range(1_000_000)} for _ in range(2)],
        lambda: [[[n] for n in range(1_500_000)]],
    ]
    for make in makers:
        value = make()
        for protocol in (0, 2, 5):
            got = gives(lambda: len(capers.dumps(value, protocol)), MemoryError)
            assert got == "MemoryError" or got > 10**6, got
        del value
    del big
    assert capers.loads(capers.dumps([1])) == [1]


@program
def loading_too_much_is_a_memory_error():
    """A true pickle of more than fits into memory raises MemoryError, from bytes and from a file."""

    class Endless:
        def __init__(self, head, piece):
            self.head, self.piece = head, piece

        def read(self, n):
            head, self.head = self.head[:n], self.head[n:]
            return head or (self.piece * (n // len(self.piece) + 1))[:n]

        def readline(self):
            return self.read(20) + b"\n"

        def peek(self, n):
            self.head += self.piece * max(1, (n - len(self.head)) // len(self.piece))
            return self.head

    room(300 * MIB)
    for head, piece in (
        (b"\x80\x04(", b"]" * 1000),
        (b"\x80\x04(", b"(" * 1000),
        (b"\x80\x04(", b"K\x01" * 500),
        (b"\x80\x04(", b"G12345678" * 100),
        (b"\x80\x04", b"]\x94" * 500),
        (b"\x80\x04N", b"\x94" * 1000),
        (b"\x80\x04N", b"2" * 1000),
        (b"\x80\x04\x8e" + (2**40).to_bytes(8, "little"), b"x" * 1000),
        (b"\x80\x04\x96" + (2**40).to_bytes(8, "little"), b"x" * 1000),
        (b"\x80\x04\x8d" + (2**40).to_bytes(8, "little"), b"x" * 1000),
        (b"\x80\x04\x95" + (2**40).to_bytes(8, "little"), b"N" * 1000),
    ):
        raises(MemoryError, lambda: capers.load(Endless(head, piece)))
        assert capers.loads(capers.dumps([1])) == [1]
    stream = b"(" + b"]" * 5_000_000
    raises((MemoryError, EOFError, capers.UnpicklingError), lambda: capers.loads(stream))


@program
def a_hundred_thousand_levels_go_out_and_come_back():
    """Lists, tuples, dicts and instances a hundred thousand deep are dumped and loaded; a lower recursion limit changes nothing."""
    sys.setrecursionlimit(120)

    def nest(make):
        value = None
        for _ in range(100_000):
            value = make(value)
        return value

    def instance(value):
        made = objects.Plain()
        made.next = value
        return made

    for make in (
        lambda v: [v],
        lambda v: (v,),
        lambda v: {"k": v},
        lambda v: (v, [v]),
        instance,
        lambda v: objects.Point(v, 1),
    ):
        value = nest(make)
        for protocol in (0, 5):
            data = capers.dumps(value, protocol)
            loaded = capers.loads(data)
            assert capers.dumps(loaded, protocol) == data
            del loaded


@program
def numbers_without_end_are_written_or_refused():
    """Ints of millions of bits, at every protocol; decimal text has the interpreter's limit."""
    for bits in (10, 1000, 2039, 2040, 2041, 14_000, 15_000, 5_000_000):
        for number in (1 << bits, -(1 << bits), (1 << bits) - 1, ~(1 << bits)):
            for protocol in range(6):
                got = gives(lambda: capers.dumps([number], protocol), ValueError)
                assert got == "ValueError" or capers.loads(got) == [number], (bits, protocol)
    wide = tuple([None]) * 10_000_000
    assert capers.loads(capers.dumps(wide)) == wide
    assert capers.loads(capers.dumps([wide, wide]))[1] == wide


@program
def keys_that_cannot_be_hashed_are_refused():
    """Keys of a million nested tuples, and of 2**60 shared ones, are refused or loaded, and never hang or crash."""
    nest = b")" + b"\x85" * 1_000_000
    twice = b")" + b"2\x86" * 60
    for key in (nest, twice, b"N" + nest + b"\x86", b"N" + twice + b"\x86", b"(" + twice + nest + b"t"):
        for stream in (
            b"}" + key + b"Ns.",
            b"}(" + key + b"Nu.",
            b"(" + key + b"Nd.",
            b"\x8f(" + key + b"\x90.",
            b"(" + key + b"\x91.",
        ):
            got = gives(lambda: capers.loads(stream), RecursionError, capers.UnpicklingError)
            if key is twice and sys.version_info >= (3, 14):
                assert len(got) == 1
            elif key is nest:
                assert got == "RecursionError"
    assert capers.loads(b"}" + b")" + b"\x85" * 900 + b"Ns.")
