"""Threads that share what should not be shared."""

import io
import itertools
import sys
import threading

import capers

from .. import objects
from . import Evil, program


def together(*tasks, seconds=2.0):
    """Run tasks in threads of their own, again and again, for a while; return what they raised."""
    stop, errors, counts = threading.Event(), [], []

    def loop(task):
        for count in itertools.count():
            if stop.is_set():
                counts.append(count)
                return
            try:
                task()
            except Exception as error:
                errors.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=loop, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    stop.wait(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    assert min(counts) > 0, counts
    return errors


def only(errors, *kinds):
    """Assert that errors are of these kinds."""
    others = [error for error in errors if not isinstance(error, kinds)]
    assert not others, others[:3]


@program
def threads_that_share_a_pickler_get_a_whole_stream_or_an_error():
    """Two threads dump with one pickler: one at a time, and what is written is one pickle after the other."""

    class File:
        def __init__(self):
            self.data = bytearray()

        def write(self, data):
            self.data += data
            for _ in range(20):
                pass

    file = File()
    pickler = capers.Pickler(file)
    value = [1, [2], Evil(lambda: sum(range(50)))]

    def dump():
        pickler.dump(value)

    only(together(dump, dump, pickler.memo.copy), RuntimeError)
    # Whoever was refused wrote nothing: what is there is whole pickles.
    stream, count = io.BytesIO(bytes(file.data)), 0
    unpickler = capers.Unpickler(stream)
    while stream.tell() < len(file.data):
        assert unpickler.load() == [1, [2], "evil"]
        count += 1
    assert count
    only(together(dump, dump, pickler.memo.copy, pickler.clear_memo), RuntimeError)


@program
def threads_that_share_an_unpickler_get_whole_objects_or_an_error():
    """Two threads load with one unpickler: each pickle is loaded once, whole, by one of them."""
    count = 3000

    class Slow(io.BytesIO):
        def read(self, n):
            for _ in range(10):
                pass
            return super().read(n)

        def readline(self):
            return super().readline()

    file = Slow(b"".join(capers.dumps([n, [n], len]) for n in range(count)))
    unpickler = capers.Unpickler(file)
    got = []

    def load():
        got.append(unpickler.load())

    only(together(load, load, lambda: unpickler.memo.copy()), RuntimeError, EOFError)
    assert len({each[0] for each in got}) == len(got)
    assert all(each == [each[0], [each[0]], len] for each in got)


@program
def containers_changed_by_another_thread_are_survived():
    """Lists, dicts, sets, bytearrays and instances change in one thread while others dump them."""
    box, table, group, room, thing = (
        list(range(50)),
        dict.fromkeys(range(50)),
        set(range(50)),
        bytearray(5000),
        objects.Plain(),
    )
    counter = itertools.count()

    def change():
        n = next(counter)
        box[n % 7 :] = [[n], str(n), Evil(lambda: None)] * (n % 5)
        table.update({n % 50: [n], "k%d" % (n % 99): n})
        if n % 3 == 0:
            table.pop(next(iter(table)), None)
        group.symmetric_difference_update({n % 80, n % 90})
        room[:] = bytes(n % 6000)
        vars(thing).update({"a%d" % (n % 20): n})
        if n % 20 == 0:
            vars(thing).clear()

    class Pi(capers.Pickler):
        def persistent_id(self, obj):
            return None

    def dump():
        for value in (box, table, group, room, thing, (box, table)):
            capers.loads(capers.dumps(value))
            Pi(io.BytesIO()).dump(value)

    only(together(change, dump, dump, seconds=4), RuntimeError)


@program
def threads_that_each_dump_and_load_do_not_meet():
    """Many threads dump and load objects of their own at once, functions and classes among them."""

    def work(seed):
        def run():
            class Local:
                number = seed

            value = [seed, {"k": seed}, lambda x: x + seed, Local, objects.Point(seed, [seed])]
            got = capers.loads(capers.dumps(value))
            assert got[0] == seed and got[2](1) == seed + 1 and got[3].number == seed
            file = io.BytesIO()
            pickler = capers.Pickler(file)
            pickler.dump(value[:2])
            pickler.dump(value[:2])
            file.seek(0)
            unpickler = capers.Unpickler(file)
            assert unpickler.load() == unpickler.load() == value[:2]

        return run

    errors = together(*(work(seed) for seed in range(6)), seconds=4)
    assert not errors, errors[:3]


@program
def settings_changed_by_another_thread_are_survived():
    """One thread changes hooks, tables, files and memos of a pickler and an unpickler while others use them."""
    pickler, unpickler = capers.Pickler(io.BytesIO()), capers.Unpickler(io.BytesIO())
    data = capers.dumps([1, [2], len, {"k": 1j}]) * 5

    def change():
        for act in (
            lambda: setattr(pickler, "dispatch_table", {complex: lambda obj: (complex, (1, 2))}),
            lambda: setattr(pickler, "fast", 1),
            lambda: setattr(pickler, "fast", 0),
            lambda: setattr(pickler, "memo", {}),
            lambda: pickler.memo.clear(),
            lambda: pickler.__init__(io.BytesIO(), 2),
            lambda: unpickler.__init__(io.BytesIO(data)),
            lambda: setattr(unpickler, "memo", {5: []}),
            lambda: unpickler.memo.clear(),
            lambda: setattr(unpickler, "persistent_load", len),
        ):
            try:
                act()
            except (RuntimeError, AttributeError):
                pass

    def use():
        pickler.dump([1, [2], 3j, Evil(lambda: None)])

    def load():
        unpickler.load()

    only(together(change, use, load, seconds=4), RuntimeError, EOFError, capers.UnpicklingError, capers.PicklingError)
