"""Running out of memory ended the process; it is a MemoryError, and the process goes on."""

import sys

import pytest
from shipping import run

SETUP = """
import capers, itertools, mmap, resource

def leave(size):
    low, high = 0, 1 << 20
    while low < high:
        middle = (low + high) // 2
        resource.setrlimit(resource.RLIMIT_AS, (middle * 4096, -1))
        try:
            mmap.mmap(-1, 4096).close()
            high = middle
        except (OSError, MemoryError):
            low = middle + 1
    resource.setrlimit(resource.RLIMIT_AS, (low * 4096 + size, -1))

def runs_out(call):
    leave(100 << 20)
    try:
        call()
    except MemoryError:
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
        assert capers.loads(capers.dumps([1, lambda: 2]))[0] == 1
        return
    raise AssertionError("it did not run out")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="address space cannot be limited on Windows")
@pytest.mark.parametrize(
    "what",
    [
        'class K:\n    def __reduce__(self): return list, (), None, ("%d" % n * 500 for n in itertools.count())\nrun = lambda: capers.dumps(K())',
        "wide = [[n] for n in range(1_000_000)]\nrun = lambda: capers.dumps([wide, [bytes(40_000_000), bytes(40_000_001)]])",
        "big = bytes(60_000_000)\nrun = lambda: capers.dumps(big, 0)",
        "data = b'(' + b']' * 3_000_000\nrun = lambda: capers.loads(data)",
        "data = b'(' + b'G12345678' * 8_000_000\nrun = lambda: capers.loads(data)",
        "data = b'N' + b'2' * 30_000_000\nrun = lambda: capers.loads(data)",
        "data = b'N' + b'\\x94' * 30_000_000\nrun = lambda: capers.loads(data)",
    ],
)
def test_running_out_of_memory_is_a_memory_error(what):
    run(SETUP + what + "\nruns_out(run)\n")
