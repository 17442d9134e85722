"""cloudpickle's own tests, from its last source distribution that holds them.

Private names are refused, except to payloads that earlier versions of cloudpickle wrote: they find those of the installed
one.
"""

import shutil
import xml.etree.ElementTree as ElementTree

from . import peers, stand_in

TITLE = "cloudpickle's own tests"
PEER = "cloudpickle"
MODES = ("default",)
OLD_PAYLOADS = "test_backward_compat"


def source():
    """Return the folder of the tests, or None."""
    found = sorted((peers.SOURCES / PEER).absolute().glob("**/tests/cloudpickle_test.py"))
    return found[0].parent if found else None


def present():
    """Tell whether the tests and cloudpickle are there."""
    return source() is not None and peers.installed(PEER) is not None


def jobs(options):
    """Return the names of the test files."""
    found = [file.stem for file in sorted(source().glob("*test*.py")) if file.stem != "testutils"]
    return [name for name in found if not options.file or name in options.file]


def outcome(job, subject, timeout):
    """Run one file of tests with a subject."""

    def start(folder, command):
        tests = folder / "tests"
        shutil.copytree(source(), tests)
        (folder / "pytest.ini").write_text("[pytest]\naddopts = -s\n", encoding="utf-8")
        record = folder / "record.xml"
        variables = {stand_in.PRIVATE: "1"} if job == OLD_PAYLOADS else {}
        options = ("-q", "-p", "no:cacheprovider", "-W", "ignore", "--junitxml", record)
        ended, said = command(
            *("-m", "pytest", *options, tests / f"{job}.py"), paths=[tests, tests / "cloudpickle_testpkg"], **variables
        )
        if not record.exists():
            return {"<job>": ("crashed" if ended is not None else "hung", f"ended with {ended}: {said[-1500:]}")}
        return dict(read(record))

    return peers.run(PEER, job, subject, timeout, start)


def read(record):
    """Yield the name of each test in a file that pytest wrote, and what became of it."""
    for case in ElementTree.parse(record).iter("testcase"):
        kind, told = "passed", ""
        for each in case:
            told = each.get("message") or ""
            whole = told + (each.text or "")
            if each.tag == "skipped":
                kind = "skipped"
            elif "PrivateName" in whole:
                kind, told = "skipped", "uses private names"
            elif each.tag in ("failure", "error"):
                kind = "failed"
            else:
                continue
            break
        yield f"{case.get('classname').rpartition('.')[2]}.{case.get('name')}", (kind, told)
