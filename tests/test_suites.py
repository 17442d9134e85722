"""CPython's own pickle tests: the part of ``dev.py suites`` that is fast enough to be run with ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from suites import cpython, expected

HERE = Path(__file__).resolve().parent

needs_tests = pytest.mark.skipif(not cpython.present(), reason="this interpreter carries no tests of CPython")


def suites(*arguments):
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    return subprocess.run(
        [sys.executable, "-m", "suites", *arguments], env=env, capture_output=True, text=True, timeout=600
    )


@needs_tests
@pytest.mark.parametrize("group", ["module", "unpickler", "errors", "pickler", "objects", "hook"])
def test_the_tests_of_cpython_pass_in_the_group(group):
    ended = suites("--group", group)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@needs_tests
def test_a_group_that_does_not_exist_is_an_error():
    assert suites("--group", "nothing").returncode != 0


LISTED = expected.EXPECTED[0]
REFUSAL = "PicklingError not raised"


@pytest.mark.parametrize(
    "carried, problems, wrong",
    [
        ([REFUSAL], [], 0),
        ([REFUSAL], ["AttributeError: '_AssertRaisesContext' object has no attribute 'exception'"], 0),
        ([REFUSAL], ["AssertionError: 1 != 2"], 1),
        ([], [], 1),
        ([], ["AssertionError: 1 != 2"], 2),
    ],
)
def test_a_listed_test_may_do_nothing_but_miss_refusals(carried, problems, wrong):
    assert len(expected.unexpected(LISTED, carried, problems)) == wrong


def test_every_listed_test_gives_a_reason():
    for each in expected.EXPECTED:
        assert each.reason and each.peer and each.test
