"""A length inside of a shipped code object made the interpreter ask for gigabytes."""

import sys

import capers
import pytest
from shipping import run


@pytest.mark.skipif(sys.platform == "win32", reason="address space cannot be limited on Windows")
def test_a_length_that_the_code_object_does_not_have_is_an_error_and_costs_nothing():
    run(
        """
import resource, capers
data = bytearray(capers.dumps(lambda: (1, 2.5, "text", b"bytes", (3, 4))))
at = data.index(b"bytes") - 4
data[at + 3] = 0x7f
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, -1))
try:
    capers.loads(data)
except EOFError as error:
    assert "too short" in str(error)
else:
    raise AssertionError("loaded")
"""
    )


def test_functions_still_load():
    assert capers.loads(capers.dumps(lambda: (1, 2.5, "text", b"bytes", (3, 4))))() == (
        1,
        2.5,
        "text",
        b"bytes",
        (3, 4),
    )
