"""CPython's own pickle tests: `test.test_pickle` with `test.pickletester`, `test_picklebuffer`, `test_pickletools`.

A job is a class of tests that CPython runs with `_pickle`; here it runs with the subject.  The classes are derived from
the ones for the C implementation, so that they expect what C does, and bring along whatever later versions add.
"""

import contextlib
import unittest

TITLE = "CPython's pickle tests"

# job: module and class of the tests; their attributes that name an implementation come from `parts`.
JOBS = {
    "module": ("test_pickle", "CPickleTests"),
    "unpickler": ("test_pickle", "CUnpicklerTests"),
    "errors": ("test_pickle", "CPicklingErrorTests"),
    "pickler": ("test_pickle", "CPicklerTests"),
    "memory": ("test_pickle", "InMemoryPickleTests"),
    "persistent": ("test_pickle", "CPersPicklerTests"),
    "identity": ("test_pickle", "CIdPersPicklerTests"),
    "objects": ("test_pickle", "CPicklerUnpicklerObjectTests"),
    "dispatch": ("test_pickle", "CDispatchTableTests"),
    "chain": ("test_pickle", "CChainDispatchTableTests"),
    "hook": ("test_pickle", "CPicklerHookTests"),
    "to-c": ("test_pickle", "CPicklerTests"),
    "from-c": ("test_pickle", "CPicklerTests"),
    "to-python": ("test_pickle", "CPicklerTests"),
    "from-python": ("test_pickle", "PyPicklerTests"),
    "optimized": ("test_pickletools", "OptimizedPickleTests"),
    "buffer": ("test_picklebuffer", "PickleBufferTest"),
}


def jobs(options):
    """Return the names of the jobs that *options* ask for."""
    unknown = set(options.group) - set(JOBS)
    if unknown:
        raise SystemExit(f"suites: there is no group {', '.join(sorted(unknown))}; there are {', '.join(JOBS)}")
    return [name for name in JOBS if not options.group or name in options.group]


def present():
    """Tell whether this interpreter carries its tests."""
    try:
        import test.pickletester
        import test.test_pickle  # noqa: F401
    except ImportError:
        return False
    return True


def parts(job, subject):
    """Return what the test class of *job* is given in place of CPython's implementations."""
    import _pickle
    import pickle

    pair = {"pickler": subject.Pickler, "unpickler": subject.Unpickler}
    if job == "module":
        functions = {name: staticmethod(getattr(subject, name)) for name in ("dump", "dumps", "load", "loads")}
        return {**functions, "Pickler": subject.Pickler, "Unpickler": subject.Unpickler}
    if job == "memory":
        return {
            "dumps": lambda self, obj, protocol=None, **options: subject.dumps(obj, protocol, **options),
            "loads": lambda self, data, **options: subject.loads(data, **options),
        }
    if job == "optimized":
        import pickletools

        return {
            "dumps": lambda self, obj, proto=None, **options: pickletools.optimize(
                subject.dumps(obj, proto, **options)
            ),
            "loads": lambda self, data, **options: subject.loads(data, **options),
        }
    if job in ("objects", "dispatch", "chain"):
        return {"pickler_class": subject.Pickler, "unpickler_class": subject.Unpickler}
    if job == "hook":
        from test.pickletester import AbstractCustomPicklerClass

        return {"pickler_class": type("Custom", (subject.Pickler, AbstractCustomPicklerClass), {})}
    if job == "buffer":
        return {}
    other = {
        "to-c": {"unpickler": _pickle.Unpickler},
        "from-c": {"pickler": _pickle.Pickler},
        "to-python": {"unpickler": pickle._Unpickler},
        "from-python": {"pickler": pickle._Pickler},
    }
    return {**pair, **other.get(job, {})}


def load(job, subject_name):
    """Return the tests of *job*, or None where this version of Python has none of the kind."""
    import importlib

    from .subjects import subject

    module_name, class_name = JOBS[job]
    module = importlib.import_module(f"test.{module_name}")
    base = getattr(module, class_name, None)
    if base is None:
        return None
    chosen = subject(subject_name)
    if job == "buffer":
        module.PickleBuffer = chosen.PickleBuffer
    derived = type(base.__name__, (base,), {"__module__": base.__module__, **parts(job, chosen)})
    suite = unittest.TestSuite()
    for name in unittest.TestLoader().getTestCaseNames(derived):
        test = derived(name)
        test.label = name
        suite.addTest(test)
    return suite


@contextlib.contextmanager
def surroundings():
    """Give the tests a folder of their own to work in."""
    from test.support import os_helper

    with os_helper.temp_cwd(quiet=True):
        yield
