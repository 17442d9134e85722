"""Nothing is left behind: blocks and memory are flat over thousands of rounds of dumps and loads."""

import sys

import pytest
from gallery import GALLERY
from shipping import plain, run

ROUNDS = 3000

# Blocks tell of Python objects, the resident size of what Rust allocates.  The noise of both over a run is below a
# tenth of a leak of one block, or of 300 bytes, a round.  Free lists and tables fill once; a leak is there every time,
# so one flat run of three is flat.
MEASURE = f"""
import gc, os, resource, sys

def resident():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:  # a folder made to run in without /proc: the peak grows with a leak as well
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def flat(step, rounds={ROUNDS}):
    seen = []
    for run in range(4):
        blocks, size = sys.getallocatedblocks(), resident()
        for i in range(rounds):
            step()
        gc.collect()
        seen.append((sys.getallocatedblocks() - blocks, resident() - size))
        if run and seen[-1][0] < rounds / 10 and seen[-1][1] < rounds * 300:
            return
    raise AssertionError("blocks and bytes more, by run: %s" % seen)
"""

if not sys.platform.startswith("linux"):
    pytest.skip("memory is measured as Linux tells it", allow_module_level=True)


@pytest.mark.parametrize("name", GALLERY)
def test_a_round_trip_leaves_nothing_behind(name):
    run(MEASURE + plain(GALLERY[name]) + "\nimport capers\nflat(lambda: capers.loads(capers.dumps(obj)))\n")


@pytest.mark.parametrize("name", GALLERY)
def test_dumping_leaves_nothing_behind(name):
    run(MEASURE + plain(GALLERY[name]) + "\nimport capers\nflat(lambda: capers.dumps(obj))\n")


@pytest.mark.parametrize("protocol", [0, 2, 3, 4])
def test_an_older_protocol_leaves_nothing_behind(protocol):
    run(
        MEASURE
        + f"import capers\ndef f(): return f, len, [1, 'é', 2.5]\nflat(lambda: capers.loads(capers.dumps(f, {protocol})))\n"
    )


FAILURES = {
    "an_object_that_raises": "class K:\n    def __reduce__(self): raise KeyError\ndata = None\nstep = lambda: capers.dumps([1, {'a': (2, lambda: K())}, K()])",
    "an_object_that_cannot_travel": "import socket\ns = socket.socket()\nstep = lambda: capers.dumps([1, {'a': (2, lambda: 3)}, s])",
    "a_payload_that_is_cut_off": "data = capers.dumps([1, {'a': (2, lambda: 3)}])[:-5]\nstep = lambda: capers.loads(data)",
    "a_payload_with_a_missing_name": "step = lambda: capers.loads(b'\\x80\\x04](]}\\x8c\\x04json\\x8c\\x02no\\x93e.')",
    "a_payload_of_another_version": "import capers._rebuild as r\nclass K:\n    def __reduce__(self): return r.code, (r.TAG + 1, b'')\nimport pickle\ndata = pickle.dumps([[1], K()])\nstep = lambda: capers.loads(data)",
    "a_constructor_that_raises": "import pickle\nclass K:\n    def __reduce__(self): return int, ('x',)\ndata = pickle.dumps([[1], K()])\nstep = lambda: capers.loads(data)",
}  # fmt: skip


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_leaves_nothing_behind_for(what):
    run(
        MEASURE
        + "import capers\n"
        + FAILURES[what]
        + "\ndef fails():\n    try: step()\n    except Exception: pass\n    else: raise AssertionError('it worked')\nflat(fails)\n"
    )


def test_picklers_and_unpicklers_leave_nothing_behind():
    run(
        MEASURE
        + """
import capers, io
def f(): return f
class P(capers.Pickler):
    def persistent_id(self, obj): return "pid" if obj is marked else None
class U(capers.Unpickler):
    def persistent_load(self, pid): return [self, pid]
marked = object()
def step():
    file = io.BytesIO()
    pickler = P(file)
    pickler.itself = pickler
    pickler.dump([f, marked, [1]])
    pickler.dump([f, [1]])
    file.seek(0)
    unpickler = U(file)
    unpickler.load(), unpickler.load()
flat(step)
"""
    )


def test_new_functions_leave_nothing_behind_when_they_die():
    run(
        MEASURE
        + """
import capers
def step():
    space = {}
    exec("def f(x): return x + len('abc')", space)
    assert capers.loads(capers.dumps(space["f"]))(1) == 4
flat(step, 2000)
"""
    )


def test_a_loaded_function_dies_with_its_last_reference():
    run(
        """
        import capers, gc, weakref
        def outer(n):
            def f(): return f, n
            return f
        g = capers.loads(capers.dumps(outer(3)))
        ref = weakref.ref(g)
        del g
        gc.collect()
        assert ref() is None
        """
    )


def test_a_dumped_function_is_not_kept_alive():
    run(
        """
        import capers, gc, weakref
        def outer(n):
            def f(): return f, n
            return f
        f = outer(3)
        capers.dumps(f)
        ref = weakref.ref(f)
        del f
        gc.collect()
        assert ref() is None
        """
    )
