"""The process that runs the tests of one job: ``python -m suites.child JOB.json RECORD``.

Writes a line of JSON to the record when a test begins and when it ends, so that whoever reads it knows, when the process
is gone, which test was running.
"""

import faulthandler
import importlib
import json
import re
import sys
import unittest


class Recorder(unittest.TestResult):
    """Writes down what becomes of each test."""

    def __init__(self, file):
        super().__init__()
        self.file = file
        self.open = None

    def write(self, *row):
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()

    def startTest(self, test):
        super().startTest(test)
        self.open = {"problems": [], "skips": [], "carried": []}
        self.write("begin", name_of(test))

    def stopTest(self, test):
        super().stopTest(test)
        self.open["carried"] += getattr(test, "carried", [])
        self.write("end", name_of(test), self.open)
        self.open = None

    def problem(self, test, error):
        kind, value = error[0], error[1]
        told = f"{kind.__name__}: {value}"[:1000]
        if self.open is None:  # the setup of a class or module
            self.write("begin", str(test))
            self.write("end", str(test), {"problems": [told], "skips": [], "carried": []})
        else:
            self.open["problems"].append(told)

    def addError(self, test, error):
        self.problem(test, error)

    def addFailure(self, test, error):
        self.problem(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.problem(test, error)

    def addUnexpectedSuccess(self, test):
        self.open["problems"].append("unexpected success")

    def addSkip(self, test, reason):
        if self.open is None:
            self.write("begin", str(test))
            self.write("end", str(test), {"problems": [], "skips": [reason], "carried": []})
        else:
            self.open["skips"].append(reason)


def name_of(test):
    """Return the name of *test* within its job."""
    label = getattr(test, "label", None)
    # Tests of sub-interpreters have an attribute `id` of their own.
    return label or (unittest.TestCase.id(test) if type(test).id is unittest.TestCase.id else test.id())


class Carried:
    """A context in which a refusal is expected that capers exists to lift: notes that nothing was refused, and goes on."""

    def __init__(self, test, context):
        self.test = test
        self.context = context

    def __enter__(self):
        return self.context.__enter__()

    def __exit__(self, *error):
        try:
            return self.context.__exit__(*error)
        except AssertionError as failure:
            if not re.search(r" not raised( by .*)?$", str(failure)):
                raise
            self.test.carried.append(str(failure))
            return True


def lift(test):
    """Let *test* go on where it asserts a refusal and there is none; what was carried is noted."""
    expecting = test.assertRaises
    test.carried = []

    def assert_raises(expected, *args, **options):
        if not args:
            return Carried(test, expecting(expected, **options))
        with Carried(test, expecting(expected)):
            args[0](*args[1:], **options)

    test.assertRaises = assert_raises


def flat(suite):
    """Yield the tests of *suite*, those of its parts among them."""
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from flat(each)
        else:
            yield each


def main(job_file, record):
    """Run the tests of the job described in *job_file* and write *record*."""
    faulthandler.enable()
    with open(job_file, encoding="utf-8") as file:
        job = json.load(file)
    peer = importlib.import_module(f"suites.{job['peer']}")
    with open(record, "a", encoding="utf-8") as file:
        recorder = Recorder(file)
        tests = peer.load(job["job"], job["subject"])
        if tests is None:
            recorder.write("absent")
            return
        wanted = unittest.TestSuite()
        names = []
        for test in flat(tests):
            name = name_of(test)
            if name in job["done"]:
                continue
            names.append(name)
            if name in job["lifted"]:
                lift(test)
            wanted.addTest(test)
        recorder.write("names", names)
        with peer.surroundings():
            wanted.run(recorder)
        recorder.write("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
