"""The same functions give the same bytes: in every process, before and after they ran, from source or from .pyc."""

import re
import shutil
import subprocess
import sys

import pytest
from gallery import GALLERY
from shipping import payload, plain, run, written


@pytest.mark.parametrize("name", GALLERY)
def test_every_hash_seed_gives_the_same_bytes(name, tmp_path):
    first, *others = [written(tmp_path, GALLERY[name], PYTHONHASHSEED=str(seed)) for seed in (0, 1, 77)]
    assert first and all(each == first for each in others)


@pytest.mark.parametrize("name", GALLERY)
def test_dumping_twice_gives_the_same_bytes(name):
    run(plain(GALLERY[name]) + "\nimport capers\nassert capers.dumps(obj) == capers.dumps(obj) == capers.dumps(obj)\n")


RUN_BEFORE = {
    "identity": "for i in range(100): obj(i)",
    "factorial": "for i in range(100): obj(20)",
    "add8": "for i in range(100): obj(i); obj(1.5)",
    "rangefact": "for i in range(100): obj(10)",
    "three in a ring": "for i in range(100): [f(10) for f in obj]",
    "globals of several kinds": "for i in range(100): obj('<a/>')[-1]()",
    "a partial and an lru_cache": "for i in range(100): obj[1](i % 7)",
    "a big one": "for i in range(100): obj(i)",
    "constants of every kind": "for i in range(100): obj(i)",
    "asynchronous and generating": "import asyncio\nfor i in range(50): list(obj[2]()), asyncio.run(obj[0]()) if i < 3 else 0",
}


@pytest.mark.parametrize("name", RUN_BEFORE)
def test_running_a_function_does_not_change_its_bytes(name):
    run(
        plain(GALLERY[name])
        + f"\nimport capers\nbefore = capers.dumps(obj)\n{RUN_BEFORE[name]}\nassert capers.dumps(obj) == before\n"
    )


@pytest.mark.parametrize("name", RUN_BEFORE)
def test_running_a_function_before_its_first_dump_does_not_change_its_bytes(name, tmp_path):
    fresh = written(tmp_path, GALLERY[name])
    warm = written(tmp_path, plain(GALLERY[name]) + "\n" + RUN_BEFORE[name] + "\n")
    # The script that runs more is a longer file, but the function in it is the same.
    assert fresh == warm


def test_tracing_a_function_does_not_change_its_bytes():
    run(
        """
        import sys, capers
        def f(x):
            for i in range(x):
                x += i
            return x
        before = capers.dumps(f)
        sys.settrace(lambda *a: (lambda *b: None))
        f(10)
        during = capers.dumps(f)
        sys.settrace(None)
        sys.setprofile(lambda *a: None)
        f(10)
        sys.setprofile(None)
        assert before == during == capers.dumps(f)
        """
    )


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with Python 3.12")
def test_monitoring_a_function_does_not_change_its_bytes(tmp_path):
    run(
        """
        import sys, capers
        def f(x):
            for i in range(x):
                x += i
            return x
        before = capers.dumps(f)
        events = sys.monitoring.events
        sys.monitoring.use_tool_id(0, "test")
        sys.monitoring.set_local_events(0, f.__code__, events.LINE | events.INSTRUCTION | events.PY_RETURN)
        f(10)
        during = capers.dumps(f)
        assert during == before
        """
    )


@pytest.mark.parametrize("name", sorted(set(GALLERY) - {"code and cells on their own"}))
def test_a_round_trip_of_the_code_does_not_change_the_bytes(name):
    run(
        plain(GALLERY[name])
        + """
import capers, types
before = capers.dumps(obj)
todo = [each for each in (obj if isinstance(obj, (list, tuple)) else [obj]) if isinstance(each, types.FunctionType)]
for each in todo:
    again = capers.loads(capers.dumps(each.__code__))
    each.__code__ = again
assert capers.dumps(obj) == before
"""
    )


@pytest.mark.parametrize("name", ["identity", "a lambda with a default", "factorial", "add8", "rangefact", "a big one",
                                  "three in a ring", "a shared counter", "an empty cell", "constants of every kind"])  # fmt: skip
def test_a_round_trip_of_the_function_does_not_change_the_bytes(name, tmp_path):
    first = written(tmp_path, GALLERY[name])
    second = written(tmp_path, f"import capers\nobj = capers.loads({first!r})\n")
    assert second == first


MODULE = '''
"""A module that is dumped by value."""
import json, math
NAMES = ("a", "b", "a")
def inner(x: int, *rest: "text", key=("k", 1.5)) -> "text":
    """Doc."""
    return [json.dumps(math.pi), x in {"a", "b", "c"}, rest, key, NAMES]
def outer(n):
    def f(x): return f(x - 1) + n + inner(x)
    return f
g = outer(3)
'''


def test_a_fresh_compile_and_a_pyc_give_the_same_bytes(tmp_path):
    (tmp_path / "helper.py").write_text(MODULE)
    script = """
        import sys, helper, capers
        capers.register_pickle_by_value(helper)
        sys.stderr.write(str(helper.__loader__.get_filename("helper")))
        obj = [helper.inner, helper.outer, helper.g]
        """
    compiled = written(tmp_path, script, PYTHONDONTWRITEBYTECODE="1")
    assert not (tmp_path / "__pycache__").exists()
    subprocess.run([sys.executable, "-m", "py_compile", "helper.py"], cwd=tmp_path, check=True)
    cached = list((tmp_path / "__pycache__").glob("helper.*.pyc"))
    assert len(cached) == 1
    from_pyc = written(tmp_path, script, PYTHONDONTWRITEBYTECODE="1")
    shutil.rmtree(tmp_path / "__pycache__")
    assert compiled == from_pyc


def test_captured_sets_apart_the_order_of_definition_is_all_that_counts(tmp_path):
    script = "def f(x): return x in {'one', 'two', 'three', 'four', 'five'}\nobj = f\n"
    assert len({written(tmp_path, script, PYTHONHASHSEED=str(seed)) for seed in range(4)}) == 1


def test_an_import_made_by_someone_else_does_not_change_the_bytes(tmp_path):
    script = "import xml.dom.minidom, json\ndef f(x): return xml.dom.minidom.parseString(json.dumps(x))\nobj = f\n"
    assert written(tmp_path, script) == written(
        tmp_path, script + "\nimport decimal, xml.etree.ElementTree, xml.sax.handler\n"
    )


def test_two_equal_definitions_in_one_place_give_the_same_bytes():
    run(
        """
        import capers
        def make():
            def f(x, y=1): return [x, y, "text", json]
            return f
        assert capers.dumps(make()) == capers.dumps(make())
        """
    )


def test_an_earlier_dump_does_not_change_the_bytes_of_a_later_one(tmp_path):
    alone = written(tmp_path, GALLERY["rangefact"])
    after = written(
        tmp_path, plain(GALLERY["rangefact"]) + "\nimport capers\ncapers.dumps([obj, obj.__code__, {1: 'x'}], 2)\n"
    )
    assert alone == after


def test_eight_threads_get_the_same_bytes():
    run(
        """
        import threading, capers
        def outer(n):
            def f(k): return n if k == 0 else f(k - 1)
            return f
        f = outer(3)
        want, got = capers.dumps([f, outer]), []
        def work():
            for i in range(300):
                got.append(capers.dumps([f, outer]) == want)
                f(3)
                assert capers.loads(want)[0](2) == 3
        threads = [threading.Thread(target=work) for i in range(8)]
        for each in threads: each.start()
        for each in threads: each.join()
        assert len(got) == 2400 and all(got)
        """
    )


@pytest.mark.parametrize("name", GALLERY)
def test_no_address_is_written_in_the_payload_of(name):
    assert not re.search(rb"0x[0-9a-f]{8,}", payload(GALLERY[name]))
