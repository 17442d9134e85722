"""A pickler after an error: what it writes then can be loaded, or it refuses to write (gh-125756)."""

import io
import itertools

import capers

from .. import objects
from . import gives, program, raises


class Broken:
    """Cannot be reduced."""

    def __reduce__(self):
        raise ValueError("broken")


def load_all(data):
    """Load all pickles of a stream with one unpickler; a last one that is not whole is left out."""
    file, got = io.BytesIO(data), []
    unpickler = capers.Unpickler(file)
    while file.tell() < len(data):
        try:
            got.append(unpickler.load())
        except EOFError:
            break
    return got


PARTS = [["shared"], ("pair", ["in pair"]), {"k": ["v"]}, objects.Plain()]


def dumps_in_order(pickler, order):
    """Dump what the letters of *order* say; return what was written without an error."""
    done = []
    for each in order:
        if each == "a":
            value = [PARTS[0], PARTS[1], PARTS[0]]
        elif each == "b":
            value = {"x": PARTS[2], "y": PARTS[1], "z": (PARTS[2],)}
        elif each == "B":  # fails at the end, after all of `b` was written and remembered
            value = [PARTS[2], PARTS[1], {"n": PARTS[3]}, Broken()]
        else:  # "L": fails after parts of it have reached the file
            value = [PARTS[0], ["x" * 70_000], ["y" * 70_000], PARTS[3], Broken(), PARTS[1]]
        try:
            pickler.dump(value)
            done.append(value)
        except ValueError as error:
            assert "broken" in str(error)
            assert each in "BL"
    return done


def spelt(value):
    """Return the text of what was dumped, addresses left out."""
    return repr(value).partition(" at ")[0]


@program
def dumps_after_failed_ones_load_in_every_order():
    """After failed dumps the stream of a pickler loads, and its last pickle alone too; every order of five is tried."""
    orders = ["".join(each) for count in range(1, 6) for each in itertools.product("abBL", repeat=count)]
    for order, protocol in itertools.product(orders, (0, 1, 2, 4, 5)):
        if len(order) == 5 and protocol not in (2, 5):
            continue
        file = io.BytesIO()
        pickler = capers.Pickler(file, protocol)
        done = dumps_in_order(pickler, order)
        # What a failed dump has left there is read as the beginning of the next pickle, which drops it.
        got = load_all(file.getvalue())
        assert [spelt(each) for each in got] == [spelt(each) for each in done], (order, protocol, got, done)
        at = file.tell()
        pickler.clear_memo()
        pickler.dump([PARTS[1], PARTS[1]])
        assert capers.loads(file.getvalue()[at:]) == [PARTS[1], PARTS[1]]


@program
def a_pickler_that_wrote_a_part_goes_on():
    """After a failed dump of which a part has reached the file, the next one loads with what was before, and alone."""
    for protocol in range(6):
        file = io.BytesIO()
        pickler = capers.Pickler(file, protocol)
        pickler.dump([PARTS[0]])
        raises(
            ValueError,
            lambda: pickler.dump([["x" * 70_000], [[n] for n in range(9999)], ["y" * 70_000], [1], Broken()]),
        )
        assert file.tell() > 70_000
        at, new = file.tell(), ["new"]
        pickler.dump([new, [new], 5])
        assert capers.loads(file.getvalue()[at:]) == [["new"], [["new"]], 5]
        pickler.dump([PARTS[0], new])
        assert load_all(file.getvalue()) == [[["shared"]], [["new"], [["new"]], 5], [["shared"], ["new"]]]


@program
def a_pickler_whose_file_failed_in_the_middle_refuses_until_it_is_made_new():
    """After the file failed in the middle of a pickle, the pickler says so; clear_memo and __init__ make it new."""

    class Failing(io.BytesIO):
        broken = False

        def write(self, data):
            if self.broken and self.tell() > self.broken:
                raise OSError("full")
            return super().write(data)

    for renew in (lambda pickler, file: pickler.clear_memo(), lambda pickler, file: pickler.__init__(file)):
        file = Failing()
        pickler = capers.Pickler(file)
        pickler.dump([PARTS[0]])
        file.broken = file.tell() + 1000
        raises(OSError, lambda: pickler.dump([["x" * 70_000], ["y" * 70_000], ["z" * 70_000]]))
        file.broken = False
        for _ in range(2):
            error = raises(capers.PicklingError, lambda: pickler.dump([PARTS[0]]))
            assert "clear_memo" in str(error), error
        renew(pickler, file)
        at = file.tell()
        pickler.dump([PARTS[0], PARTS[0]])
        assert capers.loads(file.getvalue()[at:]) == [["shared"], ["shared"]]


@program
def a_write_that_fails_leaves_a_pickler_that_refuses_or_is_right():
    """After write has failed, whatever it wrote of it, later dumps load or are refused."""

    class Full(io.BytesIO):
        limit = 10**9

        def write(self, data):
            if self.tell() + len(data) > self.limit:
                super().write(bytes(data)[: max(0, self.limit - self.tell())])
                raise OSError("full")
            return super().write(data)

    value = [PARTS[0], ["x" * 70_000], PARTS[1], ["y" * 70_000], b"z" * 200_000, PARTS[2]]
    for limit in (0, 1, 5, 100, 70_001, 70_050, 140_050, 150_000, 340_020):
        file = Full()
        file.limit = limit
        pickler = capers.Pickler(file)
        raises(OSError, lambda: pickler.dump(value))
        file.limit = 10**9
        at = file.tell()
        got = gives(lambda: pickler.dump([PARTS[0], PARTS[1]]), capers.PicklingError)
        if got is None:
            assert capers.loads(file.getvalue()[at:]) == [PARTS[0], PARTS[1]]
        else:
            pickler.clear_memo()
            pickler.dump([PARTS[0], PARTS[1]])
            assert capers.loads(file.getvalue()[at:]) == [PARTS[0], PARTS[1]]


@program
def shared_memos_survive_errors_of_functions_and_classes():
    """Dumps of functions and classes that fail in their middle leave nothing that later dumps could refer to."""

    def outer(content):
        cell = content
        other = ["cell"]

        def inner():
            return cell, other, inner

        return inner

    class Local:
        method = outer(["in class"])
        broken = Broken()

    good = outer(["fine"])
    for first in (outer([["x"], Broken()]), Local, [good, outer(Broken())], {"k": lambda a=Broken(): a}):
        file = io.BytesIO()
        pickler = capers.Pickler(file)
        pickler.dump([PARTS[0]])
        raises(ValueError, lambda: pickler.dump(first))
        pickler.dump([good, PARTS[0], good])
        loaded = load_all(file.getvalue())
        assert loaded[0] == [["shared"]]
        assert loaded[1][0] is loaded[1][2] and loaded[1][0]()[0] == ["fine"] and loaded[1][1] is loaded[0][0]


@program
def an_interrupted_dump_leaves_a_usable_pickler():
    """A KeyboardInterrupt in the middle of a dump leaves a pickler that refuses or is right."""
    import signal

    def stop(*args):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, stop)
    big = [[n, str(n)] for n in range(300_000)]
    for delay in (0.001, 0.01, 0.03):
        file = io.BytesIO()
        pickler = capers.Pickler(file)
        signal.setitimer(signal.ITIMER_REAL, delay)
        got = gives(lambda: pickler.dump([big, big[:], big[:]]), KeyboardInterrupt)
        signal.setitimer(signal.ITIMER_REAL, 0)
        new = ["new"]
        pickler.dump([new, big[7], new])
        assert load_all(file.getvalue())[-1] == [["new"], [7, "7"], ["new"]], got


@program
def interrupts_arrive_while_millions_of_items_are_saved_and_loaded():
    """A signal is answered in the middle of long dumps and loads of every sort, not at their end."""
    import signal
    import time

    def stop(*args):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, stop)
    count = 3_000_000
    ints, texts = list(range(count)), [str(n) for n in range(count // 3)]
    lists = [[n] for n in range(count // 6)]
    values = {
        "ints": ints,
        "floats": [n * 0.5 for n in ints[: count // 2]],
        "texts": texts,
        "lists": lists,
        "tuple": tuple(ints),
        "dict": dict.fromkeys(ints[: count // 2]),
        "dict of texts": dict.fromkeys(texts),
        "set": set(ints[: count // 2]),
        "frozenset": frozenset(ints[: count // 2]),
        "instances": [objects.Point(n, n) for n in range(count // 20)],
    }
    for name, value in values.items():
        data = capers.dumps(value)
        for what, act in (
            ("dumps", lambda: len(capers.dumps(value))),
            ("dump", lambda: capers.dump(value, io.BytesIO())),
            ("loads", lambda: len(capers.loads(data))),
            ("load", lambda: len(capers.load(io.BytesIO(data)))),
        ):
            started = time.monotonic()
            act()
            alone = time.monotonic() - started
            answered = []

            def timed(act=act, alone=alone):
                signal.setitimer(signal.ITIMER_REAL, alone / 10)
                act()
                signal.setitimer(signal.ITIMER_REAL, 0)

            for _ in range(5):
                started = time.monotonic()
                answered.append(gives_fast(timed, KeyboardInterrupt))
                took = time.monotonic() - started
                assert took < 10, (name, what, took)
            assert "KeyboardInterrupt" in answered, (name, what, alone, answered)


def gives_fast(call, kind):
    """As `gives` for one kind, without a collection."""
    try:
        return call()
    except kind as error:
        return type(error).__name__
