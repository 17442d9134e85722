"""Dumping to a file: what reaches its ``write``, in what pieces, and what happens when it misbehaves."""

import array
import io
import os
import pickle
import socket
import sys
import tempfile
import threading

import capers
import pytest
from shipping import run

FRAME = 64 * 1024
PIECE = 1 << 20


class Keeper:
    """A file that keeps what it is given."""

    def __init__(self, answer=None):
        self.writes = []
        self.answer = answer

    def write(self, data):
        self.writes.append(data)
        return self.answer

    def lengths(self):
        return [memoryview(each).nbytes for each in self.writes]

    def content(self):
        return b"".join(self.writes)


BIG = b"\x07" * (FRAME + 5)
PLAIN = {
    "a number": 1,
    "a small list": [1, "two", (3.0, None)],
    "many numbers": list(range(50_000)),
    "many strings": [f"number {number}" for number in range(20_000)],
    "records": [{"id": number, "name": f"n{number}", "tags": (1.5, number)} for number in range(5_000)],
    "large bytes": BIG,
    "large bytes among small things": [1, BIG, "x", BIG, [BIG + b"!"], 2],
    "bytes at the border": [b"a" * FRAME, b"b" * (FRAME - 1), b"c" * (FRAME + 1)],
    "large ascii strings": ["a" * FRAME, "b" * (FRAME - 1), "c" * (3 * FRAME)],
    "large strings of other alphabets": ["é" * FRAME, "水" * (FRAME // 3), "🐈" * FRAME, "\udc80" * FRAME],
    "large bytearrays": [bytearray(FRAME), bytearray(b"z" * (FRAME - 1)), bytearray(BIG)],
    "full frames before a large part": [list(range(40_000)), BIG, list(range(40_000, 60_000))],
    "large keys": {b"k" * FRAME: 1, "k" * FRAME: 2},
    "a large number": 7 ** (8 * FRAME),
}
WAYS = [(name, protocol) for name in PLAIN for protocol in range(6) if name != "a large number" or protocol > 1]


@pytest.mark.parametrize(("name", "protocol"), WAYS)
def test_a_file_gets_what_dumps_returns_which_is_what_pickle_writes(name, protocol):
    file = Keeper()
    capers.dump(PLAIN[name], file, protocol)
    assert file.content() == capers.dumps(PLAIN[name], protocol) == pickle.dumps(PLAIN[name], protocol)


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("name", PLAIN)
def test_each_write_has_the_length_that_it_has_with_pickle(name, protocol):
    ours, theirs = Keeper(), Keeper()
    capers.Pickler(ours, protocol).dump(PLAIN[name])
    pickle.Pickler(theirs, protocol).dump(PLAIN[name])
    assert ours.lengths() == theirs.lengths()


@pytest.mark.parametrize("protocol", range(4))
def test_protocols_without_frames_reach_the_file_in_pieces(protocol):
    file = Keeper()
    capers.dump(PLAIN["many numbers"], file, protocol)
    assert len(file.writes) > 2
    assert max(file.lengths()) < FRAME + 100


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_large_bytes_object_is_given_to_write_itself(protocol):
    file = Keeper()
    capers.dump(["small", BIG], file, protocol)
    assert [each is BIG for each in file.writes] == [False, True, False]


def test_a_large_buffer_that_is_a_whole_bytes_object_is_given_to_write_as_that():
    file = Keeper()
    capers.dump(pickle.PickleBuffer(BIG), file, 5)
    assert [each is BIG for each in file.writes] == [False, True, False]


LARGE = {
    "bytes": lambda: BIG,
    "bytearray": lambda: bytearray(BIG),
    "buffer": lambda: pickle.PickleBuffer(bytearray(BIG)),
    "read-only view of a buffer": lambda: pickle.PickleBuffer(memoryview(bytearray(BIG)).toreadonly()),
    "part of a bytes object": lambda: pickle.PickleBuffer(memoryview(BIG)[1:]),
    "array": lambda: array.array("i", range(FRAME)),
    "str": lambda: "x" * len(BIG),
    "non-ASCII str": lambda: "é" * len(BIG),
    "very long str": lambda: "x" * (1 << 18) + "!",
    "very long non-ASCII str": lambda: "x" * (1 << 18) + "é",
    "very long str with a lone surrogate": lambda: "x" * (1 << 18) + "\udc80",
}


@pytest.mark.parametrize("name", LARGE)
def test_write_gets_bytes_objects_only(name):
    file = Keeper()
    capers.dump(LARGE[name](), file, 5)
    assert {type(each) for each in file.writes} == {bytes}
    assert file.content() == pickle.dumps(LARGE[name](), 5)


@pytest.mark.parametrize(
    "change",
    [lambda: bytearray(BIG), lambda: array.array("b", BIG), lambda: memoryview(bytearray(BIG))],
    ids=["bytearray", "array", "memoryview"],
)
def test_what_write_keeps_does_not_change_with_the_object(change):
    thing, file = change(), Keeper()
    capers.dump(pickle.PickleBuffer(thing), file, 5)
    before = bytes(file.content())
    memoryview(thing)[:] = memoryview(type(thing)(*(["b"] if isinstance(thing, array.array) else []), bytes(len(BIG))))
    del thing
    assert file.content() == before == pickle.dumps(bytearray(BIG), 5)


@pytest.mark.parametrize("extra", [0, 1])
def test_a_part_beyond_16_mebibytes_reaches_the_file_in_pieces(extra):
    thing, file = bytearray(16 * PIECE + extra), Keeper()
    capers.dump(thing, file, 5)
    assert max(file.lengths()) == (PIECE if extra else len(thing))
    assert file.content() == pickle.dumps(thing, 5)


def test_a_bytes_object_beyond_16_mebibytes_is_still_given_to_write_itself():
    thing, file = bytes(17 * PIECE), Keeper()
    capers.dump(thing, file, 5)
    assert any(each is thing for each in file.writes)


@pytest.mark.parametrize("size", [FRAME, 5 * PIECE, 33 * PIECE])
@pytest.mark.parametrize("make", [bytes, bytearray, lambda size: "s" * size, lambda size: "ß" * size])
def test_dumps_of_large_parts_is_what_pickle_writes(make, size):
    thing = [1, make(size), {"a": make(size)}, "end"]
    assert capers.dumps(thing, 5) == pickle.dumps(thing, 5)


def test_dumps_of_many_large_parts_is_what_pickle_writes():
    thing = [bytes([number]) * (PIECE + number) for number in range(60)]
    assert capers.dumps(thing, 5) == pickle.dumps(thing, 5)


# ---------------------------------------------------------------- writers that do something else


def test_write_cannot_resize_the_bytearray_that_is_being_written():
    thing = bytearray(17 * PIECE)
    refused = []

    class Resizing(Keeper):
        def write(self, data):
            try:
                thing.clear()
            except BufferError:
                refused.append(len(data))
            return super().write(data)

    file = Resizing()
    thing[-1] = 1
    capers.dump([thing], file, 5)
    assert len(refused) >= 17  # all writes but that of what follows the part, when it may be resized again
    assert pickle.loads(file.content()) == [bytearray(17 * PIECE - 1) + b"\x01"]


def test_write_may_dump_to_another_file():
    inner = []

    class Nesting(Keeper):
        def write(self, data):
            other = Keeper()
            capers.dump(["inner", BIG], other, 5)
            inner.append(other.content())
            return super().write(data)

    file = Nesting()
    capers.dump(PLAIN["large bytes among small things"], file, 5)
    assert file.content() == pickle.dumps(PLAIN["large bytes among small things"], 5)
    assert set(inner) == {pickle.dumps(["inner", BIG], 5)}


@pytest.mark.parametrize("call", ["dump", "__init__", "clear_memo"])
def test_write_cannot_use_the_pickler_that_calls_it(call):
    class Entering(Keeper):
        def write(self, data):
            arguments = {"dump": ([2],), "__init__": (Keeper(),), "clear_memo": ()}[call]
            with pytest.raises(RuntimeError):
                getattr(pickler, call)(*arguments)
            return super().write(data)

    file = Entering()
    pickler = capers.Pickler(file, 5)
    pickler.dump(PLAIN["large bytes among small things"])
    assert len(file.writes) >= 5
    assert file.content() == pickle.dumps(PLAIN["large bytes among small things"], 5)


def test_the_write_that_the_file_had_first_is_used_to_the_end():
    class Replaced(Keeper):
        def write(self, data):
            self.write = None
            return Keeper.write(self, data)

    file = Replaced()
    capers.dump([BIG, BIG], file, 5)
    assert file.content() == pickle.dumps([BIG, BIG], 5)


# ---------------------------------------------------------------- files that take less than they are given


class Sip(io.RawIOBase):
    """A raw file that takes at most so many bytes at a time, and now and then fails."""

    def __init__(self, most, answers=()):
        self.most, self.answers, self.data = most, list(answers), bytearray()

    def writable(self):
        return True

    def write(self, data):
        if self.answers:
            answer = self.answers.pop(0)
            if answer is not None or self.most == 0:
                return answer
        taken = bytes(memoryview(data)[: self.most])
        self.data += taken
        return len(taken)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("most", [1000, FRAME + 17])
def test_a_raw_file_that_takes_a_part_is_given_the_rest(most, protocol):
    file = Sip(most)
    capers.dump(PLAIN["full frames before a large part"], file, protocol)
    assert file.data == pickle.dumps(PLAIN["full frames before a large part"], protocol)


def test_a_raw_file_is_recognised_behind_functions_that_wrap_its_methods():
    with tempfile.NamedTemporaryFile(buffering=0) as outer:
        outer.file, real = Sip(1000), outer.file
        outer.__dict__.pop("write", None)
        capers.dump(PLAIN["large bytes"], outer, 5)
        assert outer.file.data == pickle.dumps(PLAIN["large bytes"], 5)
        outer.file = real


def test_a_raw_file_that_would_block_is_an_error():
    with pytest.raises(BlockingIOError):
        capers.dump([1], Sip(0, [None]), 5)


def test_a_raw_file_that_takes_nothing_is_an_error():
    with pytest.raises(OSError, match="took none of"):
        capers.dump([1], Sip(0), 5)


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe always blocks there")
def test_a_pipe_that_is_full_is_an_error():
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    with open(readable, "rb"), open(writable, "wb", buffering=0) as file:
        with pytest.raises(BlockingIOError):
            capers.dump(bytes(1 << 22), file, 5)


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_socket_gets_all_of_a_large_object(buffering):
    here, there = socket.socketpair()
    arrived = []
    with here, there:
        reader = threading.Thread(target=lambda: arrived.append(pickle.load(there.makefile("rb"))))
        reader.start()
        with here.makefile("wb", buffering=buffering) as file:
            capers.dump(["x", bytes(1 << 23), "y"], file, 5)
        reader.join(60)
    assert arrived == [["x", bytes(1 << 23), "y"]]


@pytest.mark.parametrize("answer", [None, 0, 1, -1, True, "text", 1.5, 10**30], ids=repr)
def test_what_other_files_return_means_nothing(answer):
    file = Keeper(answer)
    capers.dump(PLAIN["full frames before a large part"], file, 5)
    assert file.content() == pickle.dumps(PLAIN["full frames before a large part"], 5)


# ---------------------------------------------------------------- failures


class Failing(Keeper):
    """A file whose *n*-th write raises."""

    def __init__(self, fails):
        super().__init__()
        self.fails, self.calls = fails, 0

    def write(self, data):
        self.calls += 1
        if self.calls == self.fails:
            raise OSError("disk full")
        return super().write(data)


@pytest.mark.parametrize("fails", [1, 2, 3])
@pytest.mark.parametrize("protocol", [2, 5])
def test_what_write_raises_comes_out_of_dump(fails, protocol):
    with pytest.raises(OSError, match="disk full"):
        capers.dump(PLAIN["full frames before a large part"], Failing(fails), protocol)


def test_a_pickler_goes_on_when_nothing_of_a_pickle_has_reached_the_file():
    file = Failing(1)
    pickler = capers.Pickler(file, 5)
    shared = ["shared"]
    with pytest.raises(OSError):
        pickler.dump(shared)
    pickler.dump([shared, shared])
    arrived = pickle.loads(file.content())
    assert arrived == [["shared"], ["shared"]] and arrived[0] is arrived[1]


@pytest.mark.parametrize("fails", [2, 3])
def test_a_pickler_refuses_to_go_on_in_the_middle_of_a_pickle(fails):
    file = Failing(fails)
    pickler = capers.Pickler(file, 5)
    with pytest.raises(OSError):
        pickler.dump([BIG])
    with pytest.raises(capers.PicklingError, match="middle of a pickle"):
        pickler.dump([1])


def test_a_pickler_starts_afresh_after_clear_memo():
    file = Failing(2)
    pickler = capers.Pickler(file, 5)
    with pytest.raises(OSError):
        pickler.dump([BIG])
    file.writes.clear()
    pickler.clear_memo()
    pickler.dump([BIG])
    assert file.content() == pickle.dumps([BIG], 5)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_after_one_that_failed_halfway_can_be_read(protocol):
    """What had reached the file is read as the beginning of the next pickle; its memo indices are used up."""

    class Refuses:
        def __reduce__(self):
            raise ValueError("no")

    file = Keeper()
    pickler = capers.Pickler(file, protocol)
    early, shared = ["early"], ["shared"]
    pickler.dump(early)
    with pytest.raises(ValueError):
        pickler.dump([[shared, early, BIG, *range(50_000), *map(str, range(30_000))], Refuses()])
    assert sum(file.lengths()) > 2 * FRAME
    pickler.dump([shared, early, shared, "end"])
    for loader in (pickle, capers):
        stream = io.BytesIO(file.content())
        unpickler = loader.Unpickler(stream)
        first, second = unpickler.load(), unpickler.load()
        assert (first, second) == (["early"], [["shared"], ["early"], ["shared"], "end"])
        assert second[0] is second[2] and second[1] is first
        assert stream.read() == b""


# ---------------------------------------------------------------- what may still be taken back


def test_a_large_class_reaches_the_file_whole():
    told = run(
        """
        import capers, io
        class Big:
            data = b"x" * 100_000
            text = "é" * 100_000
            def itself(self): return Big, data
            numbers = list(range(50_000))
        data = bytearray(100_000)
        thing = [b"y" * 70_000, Big, [Big(), "z" * 70_000], lambda: Big]
        Big().__reduce_ex__(2)  # leaves a note of slots in the class
        for protocol in range(6):
            file = io.BytesIO()
            capers.dump(thing, file, protocol)
            assert file.getvalue() == capers.dumps(thing, protocol)
        file.seek(0)
        arrived = capers.load(file)
        assert arrived[1].numbers == Big.numbers and arrived[1]().itself()[1] == data
        print("whole")
        """
    )
    assert told.split() == ["whole"]


def test_a_weak_reference_to_what_cannot_travel_takes_back_nothing_that_has_reached_the_file():
    told = run(
        """
        import capers, io, threading, weakref
        class Node: pass
        node = Node()
        node.big, node.lock = b"x" * 200_000, iter(open(__file__))
        thing = [b"y" * 70_000, weakref.ref(node), "end"]
        file = io.BytesIO()
        capers.dump(thing, file)
        assert file.getvalue() == capers.dumps(thing)
        file.seek(0)
        arrived = capers.load(file)
        print(len(arrived[0]), arrived[1](), arrived[2])
        """
    )
    assert told.split() == ["70000", "None", "end"]
