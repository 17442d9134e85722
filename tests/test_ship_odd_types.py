"""Types that have no name to be imported by, and objects of the standard library that pickle refuses."""

import sys

import pytest
from shipping import ship

TYPES = ["type(lambda: 0)", "type((lambda: 0).__code__)", "type(None)", "type(...)", "type(NotImplemented)", "type({}.keys())", "type(iter([]))", "type(len)", "type([].__len__)", "type((lambda x: lambda: x)(1).__closure__[0])", "type(__import__('sys'))", "type(x for x in [])"]  # fmt: skip


@pytest.mark.parametrize("expression", TYPES)
def test_a_type_without_a_name_of_its_own_is_the_receivers_own(expression):
    ship(f"obj = {expression}", f"assert obj is {expression}")


def test_a_lock_arrives_unlocked_and_shared():
    ship(
        "import threading\nl = threading.Lock()\nl.acquire()\nobj = [l, l]",
        "a, b = obj\nassert a is b and not a.locked() and a.acquire(timeout=2)",
        in_place=False,
    )


def test_a_reentrant_lock_arrives_usable_from_any_thread():
    ship(
        "import threading\nobj = threading.RLock()\nobj.acquire()",
        """
        import threading
        got = []
        thread = threading.Thread(target=lambda: got.append(obj.acquire(timeout=2)))
        thread.start()
        thread.join()
        assert got == [True]
        """,
        in_place=False,
    )


def test_events_queues_and_thread_locals_arrive_usable():
    ship(
        "import queue, threading\nq = queue.Queue(3)\nq.put('kept')\nobj = [threading.Event(), q, threading.local(), threading.Condition()]",
        "event, q, local, condition = obj\nevent.set()\nassert q.get(timeout=2) == 'kept' and q.maxsize == 3\nlocal.x = 1\nwith condition: pass",
    )


def test_a_weak_reference_is_alive_when_its_referent_travels():
    ship(
        "import weakref, importable\nh = importable.Holder(1)\nobj = [h, weakref.ref(h)]",
        "h, ref = obj\nassert ref() is h",
    )


def test_a_weak_reference_alone_arrives_dead():
    ship(
        "import weakref, importable\nh = importable.Holder(1)\nobj = weakref.ref(h)",
        "assert obj() is None",
        in_place=False,
    )


def test_views_and_proxies_of_a_dict_share_it():
    ship(
        "import types\nd = {'a': 1}\nobj = [d, d.keys(), d.values(), d.items(), types.MappingProxyType(d)]",
        "d, k, v, i, p = obj\nd['b'] = 2\nassert list(k) == ['a', 'b'] and list(v) == [1, 2] and ('b', 2) in i and p['b'] == 2",
    )


def test_a_match_of_a_pattern_arrives():
    ship(
        "import re\nobj = re.search(r'(?P<n>\\d+)', 'ab 12 c')",
        "assert obj['n'] == '12' and obj.span() == (3, 5) and obj.string == 'ab 12 c'",
    )


def test_a_struct_and_a_memoryview_arrive():
    ship(
        "import struct\nobj = [struct.Struct('<hH'), memoryview(b'xyz')[1:]]",
        "s, m = obj\nassert s.pack(-1, 2) == b'\\xff\\xff\\x02\\0' and bytes(m) == b'yz'",
    )


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="iterators of itertools lost their pickling with Python 3.14")
def test_iterators_over_functions_arrive_where_they_are_and_are_not_consumed():
    ship(
        """
        import itertools
        K = 2
        obj = [map(lambda x: x * K, [1, 2, 3]), filter(lambda x: x > 1, [1, 2, 3]), itertools.takewhile(lambda x: x < 5, [1, 2, 9])]
        next(obj[0]), next(obj[1]), next(obj[2])
        """,
        "assert [list(each) for each in obj] == [[4, 6], [3], [2]]",
    )


def test_a_context_variable_keeps_its_name_and_default():
    ship(
        "import contextvars\nV = contextvars.ContextVar('V', default=3)\ndef f(): return V.get()\nobj = [f, V]",
        "f, V = obj\nassert f() == 3 and V.name == 'V'\nV.set(5)\nassert f() == 5",
    )


def test_an_exception_keeps_its_cause_and_its_notes():
    ship(
        """
        try:
            try:
                1 / 0
            except ZeroDivisionError as error:
                raise ValueError("outer") from error
        except ValueError as error:
            error.add_note("a note")
            obj = error
        """,
        "assert obj.args == ('outer',) and type(obj.__cause__) is ZeroDivisionError and obj.__notes__ == ['a note']",
    )


def test_a_file_that_is_open_for_reading_arrives_where_it_was():
    ship(
        """
        import os
        path = os.path.join(os.environ["SHIP_TO"], "text")
        with open(path, "w") as file: file.write("one\\ntwo\\n")
        obj = open(path)
        obj.readline()
        """,
        "assert obj.read() == 'two\\n'",
    )


def test_new_types_and_type_variables_of_the_script_arrive():
    ship(
        "import typing\nN = typing.NewType('N', int)\nT = typing.TypeVar('T')\nP = typing.ParamSpec('P')\ndef f(x: N, y: T) -> T: ...\nobj = [f, N, T, P]",
        "f, N, T, P = obj\nassert f.__annotations__ == {'x': N, 'y': T, 'return': T} and N(3) == 3 and N.__supertype__ is int and P.__name__ == 'P'",
    )
