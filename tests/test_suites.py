"""CPython's own pickle tests: the part of ``dev.py suites`` that is fast enough to be run with ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from suites import cpython, dill, expected, parent, peers

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


PASSED = {"problems": [], "skips": [], "carried": []}


@pytest.mark.parametrize("ended, kind", [(-11, "crashed"), (None, "hung"), (0, "crashed")])
def test_a_child_that_is_gone_is_charged_to_the_test_that_ran(ended, kind):
    outcome = parent.Outcome()
    rows = [["names", ["a", "b", "c"]], ["begin", "a"], ["end", "a", PASSED], ["begin", "b"]]
    over = parent.read(rows, outcome, lambda name: None, ended, "Segmentation fault")
    assert not over and {name: result.kind for name, result in outcome.tests.items()} == {"a": "passed", "b": kind}


def outcome(**kinds):
    return parent.Outcome({name: parent.Result(kind) for name, kind in kinds.items()})


@pytest.mark.parametrize(
    "pickle, ours, bad, alike",
    [
        ("passed", "passed", 0, 0),
        ("passed", "failed", 1, 0),
        ("passed", "crashed", 1, 0),
        ("passed", "skipped", 1, 0),
        ("passed", "listed", 0, 0),
        ("failed", "failed", 0, 1),
        ("failed", "passed", 0, 0),
        ("skipped", "skipped", 0, 0),
        ("failed", "skipped", 0, 0),
        ("skipped", "failed", 1, 0),
    ],
)
def test_what_fails_or_is_skipped_without_pickle_doing_so_is_a_failure(pickle, ours, bad, alike):
    found = parent.against(outcome(test=pickle), outcome(test=ours))
    assert (len(found[0]), len(found[1])) == (bad, alike)


def test_a_test_that_was_not_run_is_a_failure():
    assert len(parent.against(outcome(one="passed", two="skipped"), outcome(one="passed"))[0]) == 1


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


def judged(results, peer="cloudpickle"):
    told = peers.judged(peer, "cloudpickle_test", "default", results).tests
    return {name: result.kind for name, result in told.items()}


def test_a_failure_of_a_peer_is_listed_only_where_it_fails_as_it_is_listed():
    name = "CloudPickleTest.test_recursion_during_pickling"
    assert judged({name: ("failed", "Failed: DID NOT RAISE PicklingError")}) == {name: "listed"}
    assert judged({name: ("failed", "AssertionError: 1 != 2")}) == {name: "failed"}
    assert judged({name: ("passed", "")}) == {name: "failed"}
    assert judged({"other": ("failed", "Failed: DID NOT RAISE PicklingError")}) == {"other": "failed"}


needs_dill = pytest.mark.skipif(not dill.present(), reason="dill is not installed here")


@needs_dill
@pytest.mark.parametrize("file", ["test_classdef", "test_recursive", "test_session"])
def test_the_tests_of_dill_pass_in_the_file(file):
    ended = suites("--peer", "dill", "--file", file)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@needs_dill
def test_the_stand_in_of_dill_hands_out_no_private_name():
    told = dill.outcome("test_extendpickle", "default", 60).tests
    assert (told["test_extend"].kind, told["test_isdill"].kind) == ("passed", "skipped")


def test_what_depends_on_the_speed_of_threads_may_pass_or_fail_as_it_is_listed():
    refusal = "CannotPickleError: cannot pickle 'threading.Thread' object: a thread runs in the process that started it"
    assert judged({"test_run_thread": ("passed", "")}, "dill") == {"test_run_thread": "passed"}
    assert judged({"test_run_thread": ("failed", refusal)}, "dill") == {"test_run_thread": "listed"}
    assert judged({"test_run_thread": ("failed", "AssertionError")}, "dill") == {"test_run_thread": "failed"}
