"""Loading from a file: every kind of file, what is asked of it, and where it stands afterwards."""

import bz2
import gzip
import io
import lzma
import mmap
import os
import pickle
import socket
import sys
import tempfile
import threading
import zipfile

import capers
import pytest
from shipping import run

MIB = 1 << 20
LARGE = [
    b"\x05" * 200_000,
    "x" * 100_000,
    "é" * 100_000,
    bytearray(b"\x06" * 90_000),
    b"y" * (3 * MIB),
    "z" * (2 * MIB),
]
THINGS = ["first", LARGE, list(range(40_000)), {"a": LARGE[0], "b": (1.5, None)}, "last"]
REST = b"what follows the pickles"


def stream(protocol=5):
    """Return several pickles in a row, and something else after them."""
    return b"".join(pickle.dumps(each, protocol) for each in THINGS) + REST


class Plain:
    """A file with the two methods that it must have; it takes down what is asked of it."""

    def __init__(self, data):
        self.file, self.asked = io.BytesIO(data), []

    def read(self, count=-1):
        self.asked.append(("read", count))
        return self.file.read(count)

    def readline(self):
        self.asked.append(("readline",))
        return self.file.readline()


class Into(Plain):
    def readinto(self, room):
        self.asked.append(("readinto", len(room)))
        return self.file.readinto(room)


class Peeking(Plain):
    def peek(self, count):
        self.asked.append(("peek", count))
        place = self.file.tell()
        data = self.file.read(100)
        self.file.seek(place)
        return data


class PeekingInto(Peeking, Into):
    pass


class CannotPeek(Into):
    def peek(self, count):
        raise NotImplementedError


class Drops(io.RawIOBase):
    """A raw file that gives a few bytes at a time."""

    def __init__(self, data, most=7):
        self.file, self.most = io.BytesIO(data), most

    def readable(self):
        return True

    def readinto(self, room):
        return self.file.readinto(memoryview(room)[: self.most])


class DropsOfBytes(Plain):
    """A file without ``readinto`` that gives less than it is asked for."""

    def read(self, count=-1):
        return self.file.read(min(count, 65_537))

    def readline(self):
        return self.file.readline()


def on_disk(opened):
    """Return a maker of files that are opened by *opened*, given a path."""

    def make(data, folder):
        path = os.path.join(folder, "file")
        with open(path, "wb") as file:
            file.write(data)
        return opened(path)

    return make


def compressed(module):
    def make(data, folder):
        path = os.path.join(folder, "file")
        with module.open(path, "wb") as file:
            file.write(data)
        return module.open(path, "rb")

    return make


def spooled(size):
    def make(data, folder):
        file = tempfile.SpooledTemporaryFile(size)
        file.write(data)
        file.seek(0)
        return file

    return make


def temporary(kind, **how):
    def make(data, folder):
        file = kind(**how)
        file.write(data)
        file.seek(0)
        return file

    return make


def received(buffering):
    def make(data, folder):
        here, there = socket.socketpair()

        def send():
            with there:
                there.sendall(data)

        threading.Thread(target=send, daemon=True).start()
        with here:
            return here.makefile("rb", buffering=buffering)

    return make


def piped(buffering):
    def make(data, folder):
        readable, writable = os.pipe()

        def send():
            with open(writable, "wb") as file:
                file.write(data)

        threading.Thread(target=send, daemon=True).start()
        return open(readable, "rb", buffering=buffering)

    return make


def zipped(data, folder):
    path = os.path.join(folder, "file.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("member", data)
    return zipfile.ZipFile(path).open("member")


def mapped(path):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


FILES = {
    "in memory": lambda data, folder: io.BytesIO(data),
    "buffered": on_disk(lambda path: open(path, "rb")),
    "buffered little": on_disk(lambda path: open(path, "rb", buffering=16)),
    "buffered, for writing too": on_disk(lambda path: open(path, "r+b")),
    "raw": on_disk(lambda path: open(path, "rb", buffering=0)),
    "mapped": on_disk(mapped),
    "gzip": compressed(gzip),
    "bz2": compressed(bz2),
    "lzma": compressed(lzma),
    "zip": zipped,
    "spooled, in memory": spooled(1 << 30),
    "spooled, on disk": spooled(10),
    "temporary": temporary(tempfile.TemporaryFile),
    "temporary, raw": temporary(tempfile.TemporaryFile, buffering=0),
    "temporary, named": temporary(tempfile.NamedTemporaryFile),
    "socket": received(-1),
    "socket, raw": received(0),
    "pipe": piped(-1),
    "pipe, raw": piped(0),
    "read and readline": lambda data, folder: Plain(data),
    "readinto": lambda data, folder: Into(data),
    "peek": lambda data, folder: Peeking(data),
    "peek and readinto": lambda data, folder: PeekingInto(data),
    "peek that refuses": lambda data, folder: CannotPeek(data),
    "short reads": lambda data, folder: Drops(data, 1009),
    "buffered short reads": lambda data, folder: io.BufferedReader(Drops(data, 1009)),
    "short reads of bytes": lambda data, folder: DropsOfBytes(data),
}


def rest_of(file):
    parts = []
    while part := file.read(1 << 16):
        parts.append(part)
    return b"".join(parts)


def gather(load, file):
    """Load all of the pickles with *load*; return them and what follows."""
    things = [load(file) for _ in THINGS]
    return things, rest_of(file)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("kind", FILES)
def test_load_takes_one_pickle_after_the_other_and_leaves_the_rest(kind, protocol, tmp_path):
    file = FILES[kind](stream(protocol), tmp_path)
    try:
        assert gather(capers.load, file) == (THINGS, REST)
    finally:
        getattr(file, "close", int)()


@pytest.mark.parametrize("kind", FILES)
def test_an_unpickler_takes_one_pickle_after_the_other(kind, tmp_path):
    file = FILES[kind](stream(), tmp_path)
    try:
        unpickler = capers.Unpickler(file)
        assert [unpickler.load() for _ in THINGS] == THINGS
        assert rest_of(file) == REST
    finally:
        getattr(file, "close", int)()


@pytest.mark.parametrize(
    "kind", ["in memory", "buffered", "raw", "gzip", "readinto", "read and readline", "short reads"]
)
def test_a_pickle_that_is_cut_off_is_truncated(kind, tmp_path):
    for thing in (LARGE[0], LARGE[1], LARGE[2], LARGE[3], LARGE[4], LARGE[5], list(range(30_000))):
        data = pickle.dumps(thing, 5)
        for cut in (len(data) - 1, len(data) - 3, len(data) // 2, 12):
            file = FILES[kind](data[:cut], tmp_path)
            with pytest.raises((EOFError, pickle.UnpicklingError)) as caught:
                capers.load(file)
            theirs = FILES[kind](data[:cut], tmp_path)
            if kind != "short reads":  # where C takes any short read for the end
                with pytest.raises(EOFError if caught.type is EOFError else pickle.UnpicklingError):
                    pickle.load(theirs)
            for each in (file, theirs):
                getattr(each, "close", int)()


# ---------------------------------------------------------------- what is asked of a file

ASKED = [
    1,
    "abc",
    2.5,
    (None, [3]),
    {"key": "value"},
    list(range(30_000)),
    b"b" * 100_000,
    bytearray(70_000),
    "u" * 100_000,
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", [Plain, Into])
def test_a_file_is_asked_for_what_pickle_asks_for(kind, protocol):
    data = pickle.dumps(ASKED, protocol) + REST
    ours, theirs = kind(data), kind(data)
    assert capers.load(ours) == pickle.load(theirs) == ASKED
    assert ours.asked == theirs.asked


@pytest.mark.parametrize("kind", [Plain, Into, Peeking, PeekingInto])
def test_a_file_is_never_asked_for_more_than_a_large_part_in_pieces(kind):
    thing = [b"b" * (70 * MIB), bytearray(70 * MIB), "u" * (70 * MIB)]
    file = kind(pickle.dumps(thing, 5))
    assert capers.load(file) == thing
    assert max(each[1] for each in file.asked if len(each) > 1) <= 64 * MIB


CLAIMS = {
    "BINBYTES": b"B\xff\xff\xff\x7f",
    "BINBYTES8": b"\x8e\0\0\0\0\0\0\0\x10",
    "BYTEARRAY8": b"\x96\0\0\0\0\0\0\0\x10",
    "BINUNICODE": b"X\xff\xff\xff\x7f",
    "BINUNICODE8": b"\x8d\0\0\0\0\0\0\0\x10",
    "LONG4": b"\x8b\xff\xff\xff\x7f",
    "FRAME": b"\x95\0\0\0\0\0\0\0\x10",
}


@pytest.mark.parametrize("opcode", CLAIMS)
@pytest.mark.parametrize("kind", ["in memory", "buffered", "raw", "readinto", "read and readline", "peek"])
def test_a_length_that_the_file_does_not_have_is_found_out(opcode, kind, tmp_path):
    file = FILES[kind](b"\x80\x05" + CLAIMS[opcode] + b"only so much", tmp_path)
    with pytest.raises(pickle.UnpicklingError):
        capers.load(file)
    getattr(file, "close", int)()


def test_readinto_is_used_where_a_class_defines_its_own():
    class Counting(io.BytesIO):
        calls = 0

        def readinto(self, room):
            self.calls += 1
            return super().readinto(room)

    for thing in (LARGE[0], LARGE[3], LARGE[4]):
        file = Counting(pickle.dumps(thing, 5))
        assert capers.load(file) == thing and file.calls


# ---------------------------------------------------------------- readinto that does something else


class Holding(Into):
    """A file that keeps every view it was given, and writes to all of them later."""

    def __init__(self, data):
        super().__init__(data)
        self.kept = []

    def readinto(self, room):
        self.kept += [room, room[1:], memoryview(room)]
        return super().readinto(room)

    def scribble(self):
        for view in self.kept:
            view[:] = b"\xee" * len(view)


@pytest.mark.parametrize(
    "thing",
    [LARGE[0], LARGE[3], LARGE[4], LARGE[5], [LARGE[0], LARGE[4], LARGE[0]]],
    ids=lambda thing: type(thing).__name__,
)
def test_a_file_that_keeps_its_views_cannot_change_what_was_loaded(thing):
    file = Holding(pickle.dumps(thing, 5))
    made = capers.load(file)
    assert file.kept
    file.scribble()
    assert made == thing
    del file.kept[::2]
    del made
    file.scribble()


def test_a_file_that_empties_what_it_was_given_is_an_error():
    class Emptying(Into):
        def readinto(self, room):
            owner, count = room.obj, super().readinto(room)
            room.release()
            owner.clear()
            return count

    with pytest.raises(ValueError, match="changed the size"):
        capers.load(Emptying(pickle.dumps(LARGE[0], 5)))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (-1, ValueError),
        (None, TypeError),
        ("text", TypeError),
        (10**30, OverflowError),
        (10**9, ValueError),
        (0, pickle.UnpicklingError),
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "thing", [LARGE[0], LARGE[3], LARGE[4], LARGE[5]], ids=["bytes", "bytearray", "more bytes", "str"]
)
def test_a_wrong_answer_of_readinto_is_an_error(thing, answer, error):
    class Wrong(Into):
        def readinto(self, room):
            return answer

    with pytest.raises(error):
        capers.load(Wrong(pickle.dumps(thing, 5)))


@pytest.mark.parametrize("thing", [LARGE[0], LARGE[3], LARGE[4]], ids=["bytes", "bytearray", "more bytes"])
@pytest.mark.parametrize("answer", [bytearray, memoryview, lambda data: None], ids=["bytearray", "memoryview", "None"])
def test_bytes_are_asked_for_where_pickle_asks_for_them(thing, answer):
    class Other(Plain):
        def read(self, count=-1):
            data = super().read(count)
            return answer(data) if len(data) > 1000 else data

    for loader in (pickle, capers):
        with pytest.raises(ValueError, match="non-bytes"):
            loader.load(Other(pickle.dumps(thing, 5)))


@pytest.mark.parametrize("size", [100_000, 3 * MIB])
@pytest.mark.parametrize("answer", [bytearray, memoryview], ids=["bytearray", "memoryview"])
def test_a_text_is_taken_from_any_buffer(size, answer):
    class Other(Plain):
        def read(self, count=-1):
            return answer(super().read(count))

    # From 3.14 on pickle raises SystemError for the larger one: it joins pieces as if they were bytes.
    for loader in (pickle, capers) if size < MIB or sys.version_info < (3, 14) else (capers,):
        assert loader.load(Other(pickle.dumps("t" * size, 5))) == "t" * size


@pytest.mark.parametrize("kind", [Plain, Into, Peeking])
def test_what_a_file_raises_comes_out_of_load(kind):
    class Failing(kind):
        def read(self, count=-1):
            if len(self.asked) > 4:
                raise OSError("cable cut")
            return super().read(count)

    with pytest.raises(OSError, match="cable cut"):
        capers.load(Failing(pickle.dumps([1, "two", "three" * 50, 4.0, LARGE[1]], 5)))


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe always blocks there")
def test_a_file_that_has_nothing_ready_is_a_type_error_as_with_pickle():
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    with open(writable, "wb", buffering=0) as end, open(readable, "rb", buffering=0) as file:
        for loader in (pickle, capers):
            with pytest.raises(TypeError, match="NoneType"):
                loader.load(file)
            end.write(pickle.dumps(LARGE[0], 5)[:100])
            with pytest.raises((TypeError, pickle.UnpicklingError)):
                loader.load(file)
            while file.read(1000):
                pass


def test_a_file_may_be_used_by_another_load_while_it_is_read():
    class Nesting(Into):
        def readinto(self, room):
            assert capers.loads(pickle.dumps(LARGE[4], 5)) == LARGE[4]
            assert capers.load(Into(pickle.dumps(LARGE[3], 5))) == LARGE[3]
            with pytest.raises(RuntimeError):
                unpickler.load()
            return super().readinto(room)

    unpickler = capers.Unpickler(Nesting(pickle.dumps(LARGE, 5)))
    assert unpickler.load() == LARGE


# ---------------------------------------------------------------- texts in pieces

TEXTS = {
    "ascii": "a" * (3 * MIB + 7),
    "ascii to the last": "a" * (3 * MIB) + "é",
    "a character on the border of two pieces": "a" * (MIB - 1) + "é" + "b" * MIB,
    "no ascii": "水" * MIB,
    "lone surrogates": "a" * MIB + "\udc80" + "b" * MIB,
    "beyond the first plane": "a" * (2 * MIB - 2) + "🐈" * MIB,
    "latin": "ÿ" * (2 * MIB),
    "with zeros": "\0" * (2 * MIB),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("kind", ["in memory", "buffered", "readinto", "read and readline", "short reads of bytes"])
def test_a_long_text_arrives(name, kind, tmp_path):
    data = pickle.dumps([TEXTS[name], "end"], 5)
    file = FILES[kind](data, tmp_path)
    made = capers.load(file)
    assert made == [TEXTS[name], "end"]
    assert made[0].isascii() == TEXTS[name].isascii() and hash(made[0]) == hash(TEXTS[name])
    getattr(file, "close", int)()
    for held in (data, bytearray(data), memoryview(data)):
        assert capers.loads(held)[0] == TEXTS[name]


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0"])
@pytest.mark.parametrize("place", [0, MIB - 1, 2 * MIB])
def test_a_long_text_that_is_no_utf8_is_an_error_as_with_pickle(bad, place):
    text = b"a" * place + bad + b"a" * (2 * MIB - place)
    data = b"\x80\x04\x8d" + len(text).to_bytes(8, "little") + text + b"."
    errors = []
    for loader in (pickle, capers):
        with pytest.raises(UnicodeDecodeError) as caught:
            loader.load(io.BytesIO(data))
        errors.append((caught.value.start, caught.value.reason))
    assert errors[0] == errors[1]


# ---------------------------------------------------------------- large objects in memory


@pytest.mark.parametrize("size", [1 << 16, MIB, 33 * MIB])
@pytest.mark.parametrize("make", [bytes, bytearray, lambda size: "s" * size, lambda size: "ß" * size])
def test_large_objects_arrive_from_memory(make, size):
    thing = [1, make(size), {"a": make(size + 1)}, "end"]
    data = pickle.dumps(thing, 5)
    for held in (data, bytearray(data), memoryview(data)):
        made = capers.loads(held)
        assert made == thing and type(made[1]) is type(thing[1])
    assert capers.load(io.BytesIO(data)) == thing


def test_a_loaded_bytearray_can_be_resized():
    for load in (capers.loads, lambda data: capers.load(io.BytesIO(data))):
        made = load(pickle.dumps(bytearray(b"x" * (33 * MIB)), 5))
        made += b"more"
        assert len(made) == 33 * MIB + 4
        del made[5:]
        assert made == b"xxxxx"


def test_no_signal_is_lost_while_a_file_gives_its_bytes():
    told = run(
        """
        import capers, pickle, io, signal, sys
        signal.signal(signal.SIGINT, signal.default_int_handler)
        class Slow(io.RawIOBase):
            def __init__(self, data): self.file, self.calls = io.BytesIO(data), 0
            def readable(self): return True
            def readinto(self, room):
                self.calls += 1
                if self.calls == 20: signal.raise_signal(signal.SIGINT)
                return self.file.readinto(memoryview(room)[:50_000])
        try:
            capers.load(Slow(pickle.dumps(bytes(5_000_000), 5)))
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    assert told.split() == ["interrupted"]
