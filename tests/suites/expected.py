"""Tests that assert a refusal which capers exists to lift, with the reason for each.

They hold for the default mode only; in the strict mode everything is refused that `pickle` refuses.  A listed test still
runs to its end: where it expects an exception and none is raised, that is noted and the test goes on.  It must note such
a refusal, and have no other problem than those that follow from it; a listed test that passes is a failure, too, so that
the list stays true.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """A test that asserts a refusal of what capers carries."""

    peer: str
    test: str  # a regular expression for its name
    reason: str
    # What the lifted refusals say, in whole; and what may fail because there is no exception to look at.
    refusal: str = r".* not raised( by .*)?"
    follows: str = r"AttributeError: '_AssertRaisesContext' object has no attribute 'exception'"
    jobs: tuple = ()


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
)


def expectation(peer, job, test):
    """Return what is expected of *test*, or None."""
    for each in EXPECTED:
        if each.peer == peer and (not each.jobs or job in each.jobs) and re.fullmatch(each.test, test):
            return each
    return None


def unexpected(expected, carried, problems):
    """Return what is wrong with a listed test that noted *carried* and had *problems*: a list of sentences."""
    wrong = [each for each in carried if not re.fullmatch(expected.refusal, each)]
    wrong += [each for each in problems if not re.fullmatch(expected.follows, each)]
    if not carried:
        wrong.append("is listed as asserting a refusal, but asserts none")
    return wrong
