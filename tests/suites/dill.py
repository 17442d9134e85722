"""dill's own tests, from the installed package.

They are scripts: a file is run as the main program, its body first, then the statements at its end that call the tests.
Those of dill's helpers for sources, for finding what cannot be pickled and for temporary files use names that are not of
its pickling; such calls are skipped.
"""

import json
import shutil

from . import peers

TITLE = "dill's own tests"
PEER = "dill"
MODES = ("default",)


def source():
    """Return the folder of the tests, or None."""
    folder = peers.installed(PEER)
    return folder / "tests" if folder and (folder / "tests").is_dir() else None


def present():
    """Tell whether the tests are there."""
    return source() is not None


def jobs(options):
    """Return the names of the test files."""
    found = [file.stem for file in sorted(source().glob("test_*.py"))]
    return [name for name in found if not options.file or name in options.file]


def outcome(job, subject, timeout):
    """Run one file of tests with a subject."""

    def start(folder, command):
        shutil.copytree(source(), folder / "dill" / "tests")
        tests = folder / "tests"
        shutil.copytree(source(), tests)
        record = folder / "record"
        ended, said = command(peers.HERE / "script.py", tests / f"{job}.py", record)
        results, running = {}, "<job>"
        rows = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
        for row in rows:
            if row[0] == "begin":
                running = row[1]
            elif row[0] == "end":
                results[row[1]] = tuple(row[2:])
        if not rows or rows[-1] != ["done"]:
            results[running] = ("crashed" if ended is not None else "hung", f"ended with {ended}: {said[-1500:]}")
        return results

    return peers.run(PEER, job, subject, timeout, start)
