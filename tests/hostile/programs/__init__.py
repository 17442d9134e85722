"""Hostile programs: what nobody should do to a pickler, and what comes of it.

A program is a function of a module in this package, marked by ``@program``; its docstring is what it promises.  Each
runs in a process of its own, ``python -m hostile.programs NAME``, with 2 GiB of address space, once plainly and once
under the debug hooks of Python's allocator.  It asserts what must hold; to crash or to hang is the failure it looks for.
"""

import importlib

import capers

FILES = (
    "reentry",
    "mutation",
    "raising",
    "lies",
    "buffers",
    "lifetime",
    "endless",
    "threads",
    "after_errors",
    "settings",
)
PROGRAMS = {}


def program(function):
    """Register a program under its name."""
    assert function.__doc__, function
    assert function.__name__ not in PROGRAMS, function
    PROGRAMS[function.__name__] = function
    return function


def programs():
    """Return all programs by name."""
    for each in FILES:
        importlib.import_module(f"{__package__}.{each}")
    return PROGRAMS


def gives(call, *kinds):
    """Return what the call gives, or the name of the class of its exception, which must be one of *kinds*."""
    try:
        return call()
    except kinds as error:
        return type(error).__name__


def raises(kind, call):
    """Assert that the call raises exactly this, and return the exception."""
    try:
        got = call()
    except kind as error:
        assert "internal error" not in str(error), error
        return error
    raise AssertionError(f"no {kind.__name__}, but {got!r}")


class Evil:
    """Runs *action* when it is reduced; it arrives as the string 'evil'."""

    def __init__(self, action):
        self.action = action

    def __reduce_ex__(self, protocol):
        self.action()
        return str, ("evil",)


def works(pickler, file):
    """Assert that a pickler whose memo is cleared is as good as new."""
    at = file.seek(0, 2)
    again = ["again", ["again"]]
    pickler.clear_memo()
    pickler.dump(again)
    file.seek(at)
    assert capers.Unpickler(file).load() == again
