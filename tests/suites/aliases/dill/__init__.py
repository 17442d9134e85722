"""Stands for dill in its own tests."""

import importlib

from suites import stand_in

PUBLIC = (
    *("dump", "dumps", "load", "loads", "copy", "pickles", "check", "register", "pickle", "Pickler", "Unpickler"),
    *("PickleError", "PicklingError", "UnpicklingError", "PickleWarning", "PicklingWarning", "UnpicklingWarning"),
    *("HANDLE_FMODE", "CONTENTS_FMODE", "FILE_FMODE", "DEFAULT_PROTOCOL", "HIGHEST_PROTOCOL", "settings"),
    *("dump_module", "load_module", "load_module_asdict", "dump_session", "load_session", "__version__"),
)
PARTS = ("_dill", "_objects", "_shims", "__diff", "detect", "logger", "objtypes", "session", "source", "temp", "tests")
globals().update(stand_in.public(PUBLIC))


def __getattr__(name):
    if name in PARTS:
        return importlib.import_module(f"dill.{name}")
    return stand_in.private("dill", name)
