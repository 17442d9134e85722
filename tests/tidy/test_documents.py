"""The documents keep their word: examples run, and each invariant names a test that exists."""

import re
import subprocess
import sys
from pathlib import Path

from sources import ROOT

HERE = Path(__file__).parent
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_the_examples_of_the_readme_run(tmp_path):
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    assert blocks
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def tidy_tests():
    """Return the tidy tests as ``test_file.py::test_name``."""
    found = set()
    for path in HERE.glob("test_*.py"):
        found |= {f"{path.name}::{test}" for test in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)}
    return found


def test_every_invariant_names_its_test_and_every_tidy_test_its_invariant():
    named = set(re.findall(r"`(test_\w+\.py::test_\w+)`", (ROOT / "ARCHITECTURE.md").read_text()))
    assert sorted(named - tidy_tests()) == []
    assert sorted(tidy_tests() - named) == []


def test_invariants_are_numbered_without_gaps():
    numbers = [int(n) for n in re.findall(r"^\| (\d+) \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers
