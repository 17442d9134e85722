"""Sub-interpreters: the native module says that it stays out, and payloads can be loaded there all the same."""

import sys

import capers
import pytest

try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        interpreters = None

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="before 3.12 all interpreters share one lock and one copy of an extension"
)


def inside(script):
    """Run *script* in an interpreter of its own; it fails by an exception."""
    made = interpreters.create()
    try:
        told = interpreters.run_string(made, f"import sys; sys.path[:0] = {sys.path!r}\n" + script)
    finally:
        interpreters.destroy(made)
    assert told is None, told


def test_the_error_says_where_capers_runs_and_what_can_be_done():
    inside(
        """
import capers
try:
    capers.dumps(1)
except ImportError as error:
    assert "main interpreter only" in str(error) and "pickle.loads" in str(error), error
else:
    raise AssertionError("it was loaded")
"""
    )


def test_stock_pickle_loads_payloads_there():
    def power(n):
        return lambda x: x**n

    data = capers.dumps([power(3), power])
    inside(f"import pickle\ncube, power = pickle.loads({data!r})\nassert cube(2) == 8 and power(2)(5) == 25")
