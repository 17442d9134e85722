"""The standard library's other tests that pickle, with the functions of `pickle` replaced by the subject's.

A job is one file of the `test` package.  The functions are replaced in `pickle` and `_pickle` before the file, and what it
imports, is loaded; processes that a test starts, unless forked, have `pickle` as it is.
"""

import contextlib
import importlib
import re
import unittest
from pathlib import Path

TITLE = "The standard library's tests that pickle"

USES = re.compile(r"\bpickle\.(dumps?|loads?|Pickler|Unpickler)\b|\bfrom _?pickle import|\bimport_module\(.pickle.\)")
# These pickle by way of a module of the library.
MORE = ("test_concurrent_futures", "test_shelve")
# The first three belong to the peer cpython; the others pickle in sub-interpreters, which have a `pickle` of their own.
LESS = re.compile(r"test_pickle|test_picklebuffer|test_pickletools|test_*interpreters(\..*)?|test__xxsubinterpreters")
# What the tests may use; the network and much of the disk are left alone.
RESOURCES = ("cpu", "decimal", "subprocess", "tzdata", "walltime")


def present():
    """Tell whether this interpreter carries its tests."""
    return folder() is not None and (folder() / "test_pickle.py").exists()


def folder():
    """Return the folder of the `test` package."""
    spec = importlib.util.find_spec("test")
    return Path(next(iter(spec.submodule_search_locations))) if spec else None


def jobs(options):
    """Return the files that pickle, by dotted name."""
    found = files()
    wanted = [name.removesuffix(".py").replace("/", ".").removeprefix("test.") for name in options.file]
    for each in wanted:
        if each not in found:
            raise SystemExit(f"suites: {each} is not among the files that pickle: {', '.join(found)}")
    return wanted or found


def files():
    """Find the test files that use pickle themselves, or a helper of theirs that does."""
    texts = {}
    for path in sorted(folder().rglob("*.py")):
        parts = path.relative_to(folder()).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        texts[name] = path.read_text(encoding="utf-8", errors="replace")
    uses = {name for name, text in texts.items() if USES.search(text)}
    helpers = [name for name in uses if not is_test(name) and "." not in name and name != "pickletester"]
    mentions = re.compile(r"\b(" + "|".join(map(re.escape, sorted(helpers))) + r")\b")
    found = {name for name, text in texts.items() if is_test(name) and (name in uses or mentions.search(text))}
    found |= {name for name in texts if name.startswith(MORE) and is_test(name)}
    return sorted(name for name in found if not LESS.fullmatch(name) and not is_part(name, found))


def is_test(name):
    return all(part.startswith("test_") for part in name.split("."))


def is_part(name, found):
    """Tell whether a file is run along with its package."""
    package = name.rpartition(".")[0]
    return package in found and package.startswith(MORE)


def replace(subject):
    """Put the functions of *subject* in the place of those of `pickle`."""
    import _pickle
    import pickle

    from .subjects import FUNCTIONS

    for name in FUNCTIONS:
        for module in (pickle, _pickle):
            setattr(module, name, getattr(subject, name))


def load(job, subject_name):
    """Return the tests of the file *job*, or None where it does not apply to this machine."""
    from .subjects import subject

    if subject_name != "pickle":
        replace(subject(subject_name))
    from test import support

    support.use_resources = list(RESOURCES)
    try:
        module = importlib.import_module(f"test.{job}")
    except unittest.SkipTest:
        return None
    return unittest.TestLoader().loadTestsFromModule(module)


@contextlib.contextmanager
def surroundings():
    """Give the tests a folder of their own to work in."""
    from test.support import os_helper

    with os_helper.temp_cwd(quiet=True):
        yield
