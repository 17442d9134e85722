"""``progress=`` tells how far a dump or load has come. The time between two calls is set to none, so that each stop tells."""

import gc
import io
import mmap
import pickle
import tempfile
import weakref

import capers
import pytest
from capers import _core
from shipping import run

NUMBERS = list(range(300_000))
RECORDS = [{"id": index, "name": str(index), "at": index / 7} for index in range(60_000)]


class Point:
    def __init__(self, x):
        self.x = x

    def __reduce__(self):
        return Point, (self.x,)


POINTS = [Point(index) for index in range(40_000)]
LARGE = [bytes([index]) * 100_000 for index in range(40)]
OBJECTS = {
    "numbers": NUMBERS,
    "records": RECORDS,
    "objects of a class with a reduction": POINTS,
    "a large tuple": tuple(NUMBERS),
    "a large dict": dict.fromkeys(NUMBERS),
    "large parts": LARGE,
}


@pytest.fixture(autouse=True)
def every_stop_tells():
    before = _core._set_progress_interval(0)
    yield
    _core._set_progress_interval(before)


def check(told, size, total, least=1):
    """Check what was *told* of a payload of *size*; at least so many times before the end."""
    *under_way, last = told
    assert last.finished and last.bytes == size
    assert not any(each.finished for each in under_way)
    assert len(under_way) >= least
    assert [each.bytes for each in told] == sorted(each.bytes for each in told)
    assert [each.seconds for each in told] == sorted(each.seconds for each in told)
    assert {each.total for each in told} == {total}
    assert all(isinstance(each, capers.Progress) for each in told)


# ------------------------------------------------------------------ what is told


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", OBJECTS)
def test_dumps_tells_bytes_that_never_fall_and_end_with_the_size(name, protocol):
    told = []
    payload = capers.dumps(OBJECTS[name], protocol, progress=told.append)
    check(told, len(payload), None, 2)
    assert len({each.bytes for each in told}) > 2
    assert payload == capers.dumps(OBJECTS[name], protocol)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", OBJECTS)
def test_dump_tells_what_the_file_gets(name, protocol):
    told, file = [], io.BytesIO()
    capers.dump(OBJECTS[name], file, protocol, progress=told.append)
    check(told, len(file.getvalue()), None, 2)
    assert len({each.bytes for each in told}) > 2
    assert file.getvalue() == capers.dumps(OBJECTS[name], protocol)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", OBJECTS)
def test_loads_tells_bytes_and_their_total(name, protocol):
    told = []
    payload = capers.dumps(OBJECTS[name], protocol)
    capers.loads(payload, progress=told.append)
    check(told, len(payload), len(payload), 2)
    assert len({each.bytes for each in told}) > 2


@pytest.mark.parametrize("name", OBJECTS)
def test_load_tells_bytes_and_their_total(name):
    told = []
    payload = capers.dumps(OBJECTS[name])
    capers.load(io.BytesIO(payload), progress=told.append)
    check(told, len(payload), len(payload), 2)


def test_what_is_walked_fast_is_told_of_under_way():
    numbers = list(range(5_000_000))
    told = []
    payload = capers.dumps(numbers, progress=told.append)
    check(told, len(payload), None, 100)
    told.clear()
    capers.dump(numbers, file := io.BytesIO(), progress=told.append)
    check(told, len(payload), None, 100)
    told.clear()
    assert capers.loads(payload, progress=told.append) == numbers
    check(told, len(payload), len(payload), 100)
    told.clear()
    file.seek(0)
    assert capers.load(file, progress=told.append) == numbers
    check(told, len(payload), len(payload), 100)


def test_a_small_object_is_told_of_once():
    told = []
    payload = capers.dumps([1, 2], progress=told.append)
    check(told, len(payload), None, 0)
    capers.loads(payload, progress=told.append)
    assert len(told) == 2 and told[1].finished and told[1].bytes == told[1].total == len(payload)


def test_a_function_whose_payload_is_kept_is_told_of_each_time():
    run(
        """
import capers
def f(): return 1
told = []
sizes = [len(capers.dumps(f, progress=told.append)) for _ in range(5)]
assert [(each.bytes, each.finished) for each in told] == [(size, True) for size in sizes], told
assert capers.dumps(f) == capers.dumps(f, progress=told.append)
"""
    )


def test_one_huge_part_is_told_of_piece_by_piece():
    # A text is handed to the file as a whole.
    for huge, pieces in ((bytearray(80 << 20), 70), ("é" * (40 << 20), 1)):
        told, file = [], io.BytesIO()
        capers.dump(huge, file, progress=told.append)
        check(told, len(file.getvalue()), None, pieces)
        told.clear()
        file.seek(0)
        assert capers.load(file, progress=told.append) == huge
        check(told, len(file.getvalue()), len(file.getvalue()), 70)


def test_what_may_be_taken_back_is_not_told_of():
    run(
        """
import capers, io
from capers import _core
_core._set_progress_interval(0)
class C:
    table = [{"n": n} for n in range(60_000)]
    def method(self): return C, C.table
def to_file(tell):
    capers.dump(C, file := io.BytesIO(), progress=tell)
    return file.tell()
for write in (lambda tell: len(capers.dumps(C, progress=tell)), to_file):
    told = []
    size = write(told.append)
    assert [each.bytes for each in told] == sorted(each.bytes for each in told)
    assert told[-1].bytes == size and len(told) > 2
"""
    )


def test_a_weak_proxy_that_is_settled_at_the_end_does_not_upset_the_count():
    run(
        """
import capers, weakref
from capers import _core
_core._set_progress_interval(0)
class Node: pass
node = Node()
node.rows = list(range(100_000))
told = []
size = len(capers.dumps([weakref.proxy(node), list(range(100_000)), node], progress=told.append))
assert [each.bytes for each in told] == sorted(each.bytes for each in told)
assert told[-1].bytes == size and len(told) > 2
"""
    )


# ------------------------------------------------------------------ where the total comes from


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_loads_knows_the_total_of(wrap):
    told = []
    payload = capers.dumps(NUMBERS)
    capers.loads(wrap(payload), progress=told.append)
    check(told, len(payload), len(payload))


def test_a_view_of_wide_items_counts_in_bytes():
    payload = capers.dumps(NUMBERS)
    padded = payload + bytes(-len(payload) % 8)
    told = []
    capers.loads(memoryview(padded).cast("Q"), progress=told.append)
    check(told, len(payload), len(padded))


@pytest.mark.parametrize("buffering", [-1, 0])
def test_load_knows_what_is_left_of_a_plain_file(tmp_path, buffering):
    path = tmp_path / "two.pickle"
    first, second = pickle.dumps("first"), pickle.dumps(NUMBERS)
    path.write_bytes(first + second)
    with open(path, "rb", buffering) as file:
        told = []
        assert capers.load(file, progress=told.append) == "first"
        check(told, len(first), len(first) + len(second), 0)
        told.clear()
        assert capers.load(file, progress=told.append) == NUMBERS
        check(told, len(second), len(second))


def test_load_knows_what_is_left_of_a_temporary_file():
    with tempfile.NamedTemporaryFile() as file:
        capers.dump(NUMBERS, file)
        size = file.tell()
        file.seek(0)
        told = []
        capers.load(file, progress=told.append)
        check(told, size, size)


def test_load_knows_no_total_of_a_stream():
    class Stream:
        def __init__(self, data):
            self.read, self.readline = io.BytesIO(data).read, io.BytesIO(data).readline

    class Wrapped(io.BytesIO):
        def read(self, size=-1):
            return super().read(size)

    class Raw(io.RawIOBase):
        def __init__(self, data):
            self.data = io.BytesIO(data)

        def readable(self):
            return True

        def readinto(self, out):
            return self.data.readinto(out)

    payload = capers.dumps(NUMBERS)
    for file in (Wrapped(payload), Raw(payload), io.BufferedReader(Raw(payload))):
        told = []
        assert capers.load(file, progress=told.append) == NUMBERS
        check(told, len(payload), None)


def test_an_unpickler_that_has_read_ahead_knows_what_is_left(tmp_path):
    path = tmp_path / "many.pickle"
    payloads = [pickle.dumps(list(range(40_000 * count))) for count in (0, 1, 2, 3)]
    path.write_bytes(b"".join(payloads))
    with open(path, "rb") as file:
        told = []
        unpickler = capers.Unpickler(file, progress=told.append)
        left = path.stat().st_size
        for count, payload in enumerate(payloads):
            told.clear()
            assert len(unpickler.load()) == 40_000 * count
            check(told, len(payload), left, 0)
            left -= len(payload)


def test_asking_leaves_the_file_where_it_is_read(tmp_path):
    path = tmp_path / "one.pickle"
    path.write_bytes(pickle.dumps([1]) + b"rest")
    with open(path, "rb") as file:
        capers.load(file, progress=lambda it: None)
        assert file.read() == b"rest"


# ------------------------------------------------------------------ what a callable may do


class Stop(Exception):
    pass


def stop(progress):
    raise Stop


def stop_in_the_middle(progress):
    if progress.bytes:
        raise Stop


@pytest.mark.parametrize("tell", [stop, stop_in_the_middle])
def test_an_exception_ends_the_work(tell):
    payload = capers.dumps(RECORDS)
    for work in (
        lambda: capers.dumps(RECORDS, progress=tell),
        lambda: capers.dump(RECORDS, io.BytesIO(), progress=tell),
        lambda: capers.loads(payload, progress=tell),
        lambda: capers.load(io.BytesIO(payload), progress=tell),
        lambda: capers.loads(payload, progress=tell, limits=capers.Limits(depth=9)),
    ):
        with pytest.raises(Stop):
            work()


def test_an_exception_at_the_end_ends_the_work():
    def tell(progress):
        if progress.finished:
            raise Stop

    payload = capers.dumps([1])
    for work in (lambda: capers.dumps([1], progress=tell), lambda: capers.loads(payload, progress=tell)):
        with pytest.raises(Stop):
            work()


def test_a_load_that_is_ended_blames_no_instruction():
    with pytest.raises(Stop) as caught:
        capers.loads(capers.dumps(LARGE), progress=stop)
    assert not hasattr(caught.value, "__notes__")


def test_a_refusal_raised_by_the_callable_is_not_taken_for_one_of_the_dump():
    class Node:
        pass

    def generate():
        yield 1

    running = generate()
    next(running)
    node = Node()
    node.rows = list(range(200_000))
    with pytest.raises(capers.CannotPickleError, match="generator"):
        capers.dumps([node, weakref.ref(node)], progress=lambda it: capers.dumps(running))


def test_a_pickler_goes_on_after_it_was_ended():
    told = []

    def tell(progress):
        told.append(progress)
        if len(told) == 3:
            raise Stop

    file = io.BytesIO()
    pickler = capers.Pickler(file, progress=tell)
    pickler.dump("before")
    with pytest.raises(Stop):
        pickler.dump(RECORDS)
    before = file.tell()
    pickler.dump(["after", "before"])
    unpickler = capers.Unpickler(io.BytesIO(file.getvalue()))
    assert unpickler.load() == "before"
    # What had been written of the records stands before it.
    assert before > 0 and unpickler.load() == ["after", "before"]


def test_a_pickler_that_was_ended_inside_a_part_refuses_to_go_on():
    file = io.BytesIO()
    pickler = capers.Pickler(file, progress=stop_in_the_middle)
    with pytest.raises(Stop):
        pickler.dump(bytearray(80 << 20))
    with pytest.raises(capers.PicklingError, match="in the middle of a pickle"):
        pickler.dump([1])


def test_an_unpickler_can_be_used_after_it_was_ended():
    told = []

    def tell(progress):
        told.append(progress)
        if len(told) == 1:
            raise Stop

    file = io.BytesIO(capers.dumps(RECORDS))
    unpickler = capers.Unpickler(file, progress=tell)
    with pytest.raises(Stop):
        unpickler.load()
    # The rest of the stream is whatever it is; a new beginning is read.
    file.seek(0)
    unpickler.__init__(file, progress=tell)
    assert unpickler.load() == RECORDS


def test_a_pickler_or_unpickler_at_work_refuses_to_be_used():
    payload = capers.dumps(RECORDS)
    for at_the_end in (False, True):

        def tell(progress):
            if progress.finished is at_the_end:
                work()

        pickler = capers.Pickler(io.BytesIO(), progress=tell)
        unpickler = capers.Unpickler(io.BytesIO(payload), progress=tell)
        for work, outer in (
            (lambda: pickler.dump([1]), lambda: pickler.dump(RECORDS)),
            (lambda: pickler.clear_memo(), lambda: pickler.dump(RECORDS)),
            (lambda: unpickler.load(), lambda: unpickler.load()),
        ):
            with pytest.raises(RuntimeError):
                outer()


def test_a_callable_may_dump_and_load_on_its_own():
    seen = []

    def tell(progress):
        seen.append(capers.loads(capers.dumps([progress, lambda: progress.bytes])))

    payload = capers.dumps(RECORDS, progress=tell)
    assert capers.loads(payload, progress=tell) == RECORDS
    assert len(seen) > 4 and all(progress.bytes == function() for progress, function in seen)


def test_a_callable_may_change_what_is_being_written():
    rows = [[index] for index in range(200_000)]

    def tell(progress):
        rows.clear()
        gc.collect()

    assert len(capers.loads(capers.dumps(rows, progress=tell))) < 200_000


def test_pickler_and_unpickler_tell_of_each_pickle():
    told, file = [], io.BytesIO()
    pickler = capers.Pickler(file, progress=told.append)
    pickler.dump(NUMBERS)
    first = file.tell()
    check(told, first, None)
    told.clear()
    pickler.dump(RECORDS)
    check(told, file.tell() - first, None)
    size = file.tell()
    file.seek(0)
    unpickler = capers.Unpickler(file, progress=told.append)
    told.clear()
    unpickler.load()
    check(told, first, size)
    told.clear()
    unpickler.load()
    check(told, size - first, size - first)


def test_a_pickler_and_its_callable_in_a_cycle_are_collected():
    class Bar:
        def __call__(self, progress):
            pass

    bar = Bar()
    bar.pickler = capers.Pickler(io.BytesIO(), progress=bar)
    bar.unpickler = capers.Unpickler(io.BytesIO(), progress=bar)
    gone = weakref.ref(bar)
    del bar
    gc.collect()
    assert gone() is None


# ------------------------------------------------------------------ the argument


@pytest.mark.parametrize("value", [1, "yes", [], 0])
def test_anything_else_is_refused(value):
    text = "progress must be a callable that takes a capers.Progress, True for a bar on a terminal, False or None, not "
    for work in (
        lambda: capers.dumps([1], progress=value),
        lambda: capers.dump([1], io.BytesIO(), progress=value),
        lambda: capers.loads(b"N.", progress=value),
        lambda: capers.load(io.BytesIO(b"N."), progress=value),
        lambda: capers.Pickler(io.BytesIO(), progress=value),
        lambda: capers.Unpickler(io.BytesIO(), progress=value),
    ):
        with pytest.raises(TypeError) as caught:
            work()
        assert str(caught.value) == f"{text}'{type(value).__name__}'"


def test_false_and_none_tell_nobody():
    for value in (False, None):
        assert capers.loads(capers.dumps(RECORDS, progress=value), progress=value) == RECORDS


def test_an_interval_that_is_no_time_is_refused():
    with pytest.raises(ValueError):
        _core._set_progress_interval(-1)


# ------------------------------------------------------------------ True

TERMINAL = """
import io, sys
import capers
from capers import _core
_core._set_progress_interval(0)

class Terminal(io.StringIO):
    def isatty(self):
        return True

real, sys.stderr = sys.stderr, Terminal()
{block}
payload = capers.dumps(list(range(200_000)), progress=True)
assert capers.loads(payload, progress=True) == list(range(200_000))
capers.dumps([1], progress=True)
try:
    capers.loads(payload[:-1], progress=True)
except (EOFError, capers.UnpicklingError):
    pass
shown, sys.stderr = sys.stderr.getvalue(), real
print(ascii(shown))
"""


def test_true_draws_a_bar_on_a_terminal():
    pytest.importorskip("tqdm")
    shown = eval(run(TERMINAL.replace("{block}", "")))
    assert "dumping" in shown and "loading: 100%" in shown and "B/s" in shown
    # Nothing is drawn of what is over at once, and each bar ends its line.
    assert shown.count("\n") == 3 and shown.endswith("\n")


def test_true_counts_in_one_line_on_a_terminal_without_tqdm():
    shown = eval(run(TERMINAL.replace("{block}", "sys.modules['tqdm'] = None")))
    dumping, loading, ended, rest = shown.split("\n")
    assert dumping.startswith("\rdumping: ") and " in 0." in dumping.split("\r")[-1]
    assert loading.startswith("\rloading: ") and " of " in loading and " %" in loading
    assert " in " not in ended and rest == ""


def test_true_draws_nothing_where_nobody_looks_at_a_terminal():
    run(
        """
import capers, io, sys
from capers import _core
_core._set_progress_interval(0)
for stream in (io.StringIO(), None):
    real, sys.stderr = sys.stderr, stream
    assert capers.loads(capers.dumps(list(range(200_000)), progress=True), progress=True) == list(range(200_000))
    sys.stderr = real
    assert stream is None or stream.getvalue() == ""
assert "tqdm" not in sys.modules
"""
    )


def test_progress_is_not_imported_unless_it_is_asked_for():
    run("import capers, sys; capers.loads(capers.dumps([1])); assert 'capers._progress' not in sys.modules")


def test_a_memory_map_is_a_stream():
    with mmap.mmap(-1, 1 << 20) as area:
        payload = pickle.dumps(RECORDS[:5000])
        area.write(payload)
        area.seek(0)
        told = []
        assert capers.load(area, progress=told.append) == RECORDS[:5000]
        check(told, len(payload), None, 0)


# ------------------------------------------------------------------ what must not cost a dump


def broken_streams():
    class NoFile:
        def write(self, text):
            raise AssertionError("nothing is to be drawn here")

    class Gone(io.StringIO):
        def isatty(self):
            return True

        def write(self, text):
            raise OSError("the terminal is gone")

    closed = io.StringIO()
    closed.close()
    return {"no file": NoFile(), "closed": closed, "none": None, "gone": Gone()}


@pytest.mark.parametrize("name", broken_streams())
def test_a_stream_that_cannot_be_drawn_on_costs_nothing_but_the_bar(name, monkeypatch):
    monkeypatch.setattr("sys.stderr", broken_streams()[name])
    payload = capers.dumps(NUMBERS, progress=True)
    assert capers.loads(payload, progress=True) == NUMBERS


def test_a_bar_that_is_switched_off_is_none(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TQDM_DISABLE", "1")
    monkeypatch.setattr("sys.stderr", Terminal())
    assert capers.loads(capers.dumps(NUMBERS, progress=True)) == NUMBERS


def test_what_the_callable_raises_is_raised_as_it_is():
    def refuse(progress):
        raise TypeError("cannot pickle 'foo' object")

    for dump in (capers.dumps, lambda thing, progress: capers.dump(thing, io.BytesIO(), progress=progress)):
        for thing in (POINTS, RECORDS, LARGE):
            with pytest.raises(TypeError) as caught:
                dump(thing, progress=refuse)
            assert type(caught.value) is TypeError and str(caught.value) == "cannot pickle 'foo' object"
            assert not getattr(caught.value, "__notes__", None)


def test_nothing_counts_as_read_before_it_is():
    class Short:
        def __init__(self, data):
            self.file, self.given = io.BytesIO(data), 0

        def read(self, count):
            data = self.file.read(min(count, 1 << 20))
            self.given += len(data)
            return data

        def readline(self):
            return self.file.readline()

    source = Short(capers.dumps([bytes(20 << 20), NUMBERS]))
    ahead = []
    capers.load(source, progress=lambda progress: ahead.append(progress.bytes - source.given))
    assert len(ahead) > 10 and max(ahead) <= 0


def test_a_file_that_cannot_tell_has_no_total():
    class Mute(io.BytesIO):
        def tell(self):
            raise io.UnsupportedOperation("tell")

    told = []
    assert capers.load(Mute(capers.dumps(RECORDS)), progress=told.append) == RECORDS
    assert {each.total for each in told} == {None}
