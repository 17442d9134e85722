"""Locks, and what is built on them, arrive new, free and usable; what is data in them arrives, too."""

import pytest
from shipping import ship

CASES = {
    "a_held_lock": (
        "import threading\nl = threading.Lock()\nl.acquire()\nobj = [l, l]",
        "assert obj[0] is obj[1] and obj[0].acquire(timeout=1)",
    ),
    "a_held_rlock": (
        "import threading\nobj = threading.RLock()\nobj.acquire()",
        """
        import threading
        got = []
        t = threading.Thread(target=lambda: got.append(obj.acquire(timeout=1)))
        t.start()
        t.join()
        assert got == [True]
        """,
    ),
    "an_rlock_in_python": (
        "import threading\nobj = threading._PyRLock()\nobj.acquire()",
        "import threading\nassert isinstance(obj, threading._PyRLock) or obj.acquire(timeout=1)",
    ),
    "a_condition_and_its_lock": (
        "import threading\nlock = threading.Lock()\nobj = lock, threading.Condition(lock), threading.Condition(lock)",
        """
        lock, one, two = obj
        with one:
            assert lock.locked() and not two.acquire(blocking=False)
            one.notify_all()
            assert not one.wait(0.01)
        """,
    ),
    "an_event": (
        "import threading\nset_, clear = threading.Event(), threading.Event()\nset_.set()\nobj = set_, clear",
        """
        assert obj[0].is_set() and obj[0].wait(0) and not obj[1].is_set() and not obj[1].wait(0)
        obj[1].set()
        assert obj[1].wait(0)
        """,
    ),
    "a_semaphore": (
        "import threading\nobj = threading.Semaphore(2)\nobj.acquire()",
        "assert obj.acquire(timeout=1) and not obj.acquire(blocking=False)",
    ),
    "a_barrier": (
        "import threading\nobj = threading.Barrier(1, timeout=5)",
        "assert obj.parties == 1 and obj.wait() == 0",
    ),
    "a_condition_with_an_attribute": (
        "import threading\nobj = threading.Condition()\nobj.owner = 'me'",
        "assert obj.owner == 'me'\nwith obj: obj.notify()",
    ),
    "an_event_of_a_derived_class": (
        """
        import threading
        class Signal(threading.Event):
            def __init__(self, name):
                super().__init__()
                self.name = name
        obj = Signal("go")
        obj.set()
        """,
        "assert obj.name == 'go' and obj.is_set()\nobj.clear()\nassert not obj.wait(0.01)",
    ),
    "thread_local_data": (
        "import threading\nobj = threading.local()\nobj.a = [1]",
        """
        import threading
        assert obj.a == [1]
        seen = []
        t = threading.Thread(target=lambda: seen.append(hasattr(obj, 'a')))
        t.start()
        t.join()
        assert seen == [False]
        """,
    ),
    "thread_local_data_of_a_derived_class": (
        """
        import threading
        class Local(threading.local):
            def __init__(self, x, k=0):
                self.x, self.k = x, k
        obj = Local(5, k=2)
        obj.x = 6
        """,
        """
        import threading
        assert (obj.x, obj.k) == (6, 2)
        seen = []
        t = threading.Thread(target=lambda: seen.append((obj.x, obj.k)))
        t.start()
        t.join()
        assert seen == [(5, 2)]
        """,
    ),
    "a_finished_future": (
        """
        import concurrent.futures
        done, failed = concurrent.futures.Future(), concurrent.futures.Future()
        done.set_result([1])
        failed.set_exception(ValueError(2))
        obj = done, failed
        """,
        "assert obj[0].result(1) == [1] and repr(obj[1].exception(1)) == 'ValueError(2)'",
    ),
    "a_pending_future": (
        "import concurrent.futures\nobj = concurrent.futures.Future()\nobj.set_running_or_notify_cancel()",
        """
        assert not obj.done() and not obj.running()
        obj.set_result(4)
        assert obj.result() == 4
        """,
    ),
    "a_thread_not_yet_started": (
        "import threading\nout = []\nobj = threading.Thread(target=out.append, args=(1,), name='bob', daemon=True), out",
        """
        thread, out = obj
        assert thread.name == 'bob' and thread.daemon and not thread.is_alive()
        thread.start()
        thread.join()
        assert out == [1]
        """,
    ),
    "a_thread_that_is_over": (
        """
        import threading
        class Worker(threading.Thread):
            def run(self):
                self.out = [1]
        obj = Worker(name="bob", daemon=True)
        obj.start()
        obj.join()
        obj.told = obj.ident
        """,
        """
        assert obj.name == "bob" and obj.daemon and obj.out == [1] and obj.ident == obj.told and not obj.is_alive()
        obj.join(1)
        assert "run" not in vars(obj)
        try: obj.start()
        except RuntimeError: pass
        else: raise AssertionError("it started again")
        """,
    ),
    "a_thread_of_a_derived_class": (
        """
        import threading
        class Worker(threading.Thread):
            def __init__(self, n):
                super().__init__()
                self.n, self.out = n, []
            def run(self):
                self.out.append(self.n)
        obj = Worker(3)
        """,
        "obj.start()\nobj.join()\nassert obj.out == [3]",
    ),
    "a_logging_handler": (
        """
        import logging
        obj = logging.StreamHandler()
        obj.acquire()
        obj.setFormatter(logging.Formatter('<%(message)s>'))
        """,
        """
        import logging, sys, threading
        assert obj.stream is sys.stderr
        t = threading.Thread(target=lambda: (obj.acquire(), obj.release()))
        t.start()
        t.join(5)
        assert not t.is_alive()
        assert obj.format(logging.makeLogRecord({'msg': 'x'})) == '<x>'
        """,
    ),
    "a_cached_property": (
        """
        import functools
        class C:
            @functools.cached_property
            def x(self):
                return [1]
        obj = C()
        """,
        "assert obj.x is obj.x == [1]",
    ),
}

QUEUES = """
import queue
made = queue.{kind}(7)
for item in (3, 1, 2):
    made.put(item)
made.get()
obj = made
"""


@pytest.mark.parametrize("case", CASES)
def test_it_arrives_usable(case):
    # In place, a lock that is held is still held.
    ship(*CASES[case], in_place=False)


def test_a_bounded_semaphore_arrives_with_all_that_it_had():
    ship(
        "import threading\nobj = threading.BoundedSemaphore(2)\nobj.acquire()",
        """
        assert obj.acquire(timeout=1) and obj.acquire(timeout=1) and not obj.acquire(blocking=False)
        obj.release(2)
        try:
            obj.release()
        except ValueError:
            pass
        else:
            raise AssertionError("it is not bounded")
        """,
        in_place=False,
    )


@pytest.mark.parametrize(("kind", "left"), [("Queue", [1, 2]), ("LifoQueue", [1, 3]), ("PriorityQueue", [2, 3])])
def test_a_queue_arrives_with_its_items(kind, left):
    ship(
        QUEUES.format(kind=kind),
        f"""
        assert type(obj).__name__ == {kind!r} and obj.maxsize == 7
        assert [obj.get(timeout=1), obj.get(timeout=1)] == {left} and obj.empty()
        obj.put(9)
        assert obj.get(timeout=1) == 9
        for _ in range(4):
            obj.task_done()
        obj.join()
        """,
    )


def test_a_simple_queue_arrives_with_its_items_and_keeps_them():
    ship(
        """
        import queue
        obj = queue.SimpleQueue()
        for item in (None, None, 1, queue.SimpleQueue, 2):
            obj.put(item)
        obj.get()
        import capers
        capers.dumps(obj)
        assert obj.qsize() == 4
        """,
        "import queue\nassert [obj.get(timeout=1) for _ in range(4)] == [None, 1, queue.SimpleQueue, 2] and obj.empty()",
    )


def test_a_queue_may_hold_itself():
    ship("import queue\nobj = queue.Queue()\nobj.put(obj)", "assert obj.get(timeout=1) is obj")
    ship("import queue\nobj = queue.SimpleQueue()\nobj.put([obj])", "assert obj.get(timeout=1)[0] is obj")
