"""The command is a program of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("capers")


@pytest.mark.skipif(sys.platform != "linux", reason="the libraries of a program are listed by ldd")
def test_the_command_links_no_python():
    linked = subprocess.run(["ldd", COMMAND], capture_output=True, text=True, check=True).stdout
    assert "libc" in linked and "python" not in linked.lower()
    # Nor does it look for one when it runs, or hold one.
    assert re.search(rb"Py_Initialize|libpython|PyObject_Call", COMMAND.read_bytes()) is None
