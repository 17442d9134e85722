"""Tests that assert what capers exists to change, with the reason for each: most assert that `pickle` refuses something.

Refusals are lifted in the default mode only; in the strict mode everything is refused that `pickle` refuses.  A listed test still
runs to its end: where it expects an exception and none is raised, that is noted and the test goes on.  It must note such
a refusal, or fail in the one way that is listed, and have no other problem; a listed test that passes is a failure, too,
so that the list stays true.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """A test that asserts what capers changes."""

    peer: str
    test: str  # a regular expression for its name
    reason: str
    # What the lifted refusals say, in whole; how the test may fail, by default for want of an exception to look at.
    refusal: str = r".* not raised( by .*)?"
    failure: str = r"AttributeError: '_AssertRaisesContext' object has no attribute 'exception'"
    # Whether it fails in that way only, and notes no refusal.
    fails: bool = False
    # Whether it may pass, too: it depends on the speed of threads.
    sometimes: bool = False
    jobs: tuple = ()
    modes: tuple = ("default",)


# The jobs of the peer cpython in which capers writes.
WRITES = ("errors", "pickler", "memory", "to-c", "to-python", "optimized")

EXPECTED = (
    Expected(
        "cpython",
        "test_local_lookup_error",
        "asserts that pickle refuses a function made in a function; capers carries it by value",
        jobs=WRITES,
    ),
    Expected(
        "cpython",
        "test_(c|py)_methods",
        "asserts that pickle refuses classmethod and staticmethod objects taken out of a class; capers carries them",
        refusal="TypeError not raised( by .*)?",
        jobs=WRITES,
    ),
    Expected(
        "cpython",
        "test_unpickleable_newobj(_ex)?_class",
        "asserts that pickle refuses a class made in a function; capers carries it by value",
        jobs=("errors",),
    ),
    Expected(
        "cpython",
        "test_nonencodable_module_name_error",
        "asserts that pickle refuses to name a module that its protocol cannot spell; capers carries the object by value, for the "
        "module was made at run time",
        jobs=("errors",),
    ),
    Expected(
        "stdlib",
        r"test\.test_dictviews\.\w+\.test_pickle",
        "asserts that pickle refuses dict views; capers carries them",
    ),
    Expected(
        "stdlib",
        r"test\.test_enum\.TestSpecial\.test_pickle_explodes",
        "asserts that pickle refuses an enumeration made in a function; capers carries it by value",
    ),
    Expected(
        "stdlib",
        r"test\.test_io\.(test_general\.)?CMiscIOTest\.test_pickling",
        "asserts that pickle refuses open files; capers opens them again",
    ),
    Expected(
        "stdlib",
        r"test\.test_memoryview\.OtherTest\.test_pickle",
        "asserts that pickle refuses memoryviews; capers carries them",
    ),
    Expected(
        "stdlib",
        r"test\.test_typing\.NewType\w+\.test_pickle",
        "asserts that pickle refuses a NewType made in a function; capers carries it by value",
    ),
    Expected(
        "stdlib",
        r"test\.test_typing\.SpecialAttrsTests\.test_special_attrs2",
        "asserts that pickle refuses a ForwardRef, which holds a code object; capers carries it",
    ),
    Expected(
        "stdlib",
        r"test\.test_(coroutines\.CoroutineTest|generators\.GeneratorTest)\.test_pickle",
        "asserts that pickle refuses generators and coroutines; capers carries those that have not begun",
    ),
    Expected(
        "stdlib",
        r"test\.test_random\.SystemRandom_TestBasicOps\.test_pickling",
        "asserts that pickle refuses a SystemRandom; it has no state, and capers carries it",
    ),
    Expected(
        "stdlib",
        r"test\.test_inspect\.test_inspect\.TestSignatureObject\.test_signature_on_builtin_class",
        "asserts the signature of pickle.Pickler; that of capers.Pickler has by_value besides",
        failure=r"""AssertionError: (["']\(fil.*\)["']|'\(\*args, \*\*options\)') != .*""",
        fails=True,
        # What stands for capers in its strict mode is a class made in Python.
        modes=("default", "strict"),
    ),
)

# What capers means otherwise than cloudpickle and dill, on purpose.
EXPECTED += (
    Expected(
        "dill",
        "test_run_thread",
        "asserts that a thread travels that may still be running; capers refuses it while it runs",
        failure="CannotPickleError: cannot pickle 'threading.Thread' object: a thread runs in the process that started it",
        fails=True,
        sometimes=True,
    ),
    Expected(
        "cloudpickle",
        r".*\.test_recursion_during_pickling",
        "asserts that an object is refused that recurses when an attribute is looked up; capers looks none up, and carries it",
        failure="Failed: DID NOT RAISE <class '.*PicklingError'>|Failed: DID NOT RAISE PicklingError",
        fails=True,
    ),
    Expected(
        "cloudpickle",
        r".*\.test_interactive_remote_function_calls_no_side_effect",
        "asserts that a class that arrives again forgets what its methods did where it arrived; capers never resets a live class",
        failure=r"RuntimeError: script errored with output:.*AssertionError.*",
        fails=True,
    ),
)


def expectation(peer, job, mode, test):
    """Return what is expected of *test*, or None."""
    for each in EXPECTED:
        applies = each.peer == peer and mode in each.modes and (not each.jobs or job in each.jobs)
        if applies and re.fullmatch(each.test, test):
            return each
    return None


def unexpected(expected, carried, problems):
    """Return what is wrong with a listed test that noted *carried* and had *problems*: a list of sentences."""
    wrong = [each for each in carried if expected.fails or not re.fullmatch(expected.refusal, each)]
    wrong += [each for each in problems if not re.fullmatch(expected.failure, each, re.DOTALL)]
    if not (problems if expected.fails else carried):
        wrong.append("is listed, but does not do what it is listed for")
    return wrong
