"""What `import capers` costs: next to nothing."""

import json
import subprocess
import sys

from bench.imports import HEAVY

REPORT = "import json, sys; before = set(sys.modules); {}; print(json.dumps(sorted(set(sys.modules) - before)))"


def added_by(statement):
    """Return the modules that *statement* loads in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-I", "-c", REPORT.format(statement)], capture_output=True, text=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_import_loads_no_heavy_module():
    assert sorted(set(added_by("import capers")) & set(HEAVY)) == []


def test_the_first_use_loads_no_heavy_module():
    assert sorted(set(added_by("import capers; capers.loads(capers.dumps(lambda: 1))")) & set(HEAVY)) == []


def test_import_leaves_the_native_module_for_the_first_use():
    assert "capers._core" not in added_by("import capers")
    assert "capers._core" in added_by("import capers; capers.dumps")
