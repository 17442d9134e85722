"""capers: the way Python functions travel.

``dumps`` turns any function, and any data, into bytes that are a standard pickle; ``loads`` brings them back in another
process.  The names and arguments are those of :mod:`pickle`.  Loading a payload runs code: load only what you trust.
"""

# The native module is loaded at the first use of a name, so that `capers._rebuild` stays importable
# where the native module is not (a sub-interpreter, a platform without our wheel).
__version__ = "0.1.0"

__all__ = [
    "DEFAULT_PROTOCOL",
    "HIGHEST_PROTOCOL",
    "LOCAL_MODULES",
    "CannotPickleError",
    "Capture",
    "LargePayloadWarning",
    "LimitError",
    "Limits",
    "PickleBuffer",
    "PickleError",
    "Pickler",
    "PicklingError",
    "Progress",
    "Report",
    "Unpickler",
    "UnpicklingError",
    "captures",
    "dump",
    "dumps",
    "explain",
    "list_registry_pickle_by_value",
    "load",
    "loads",
    "register_pickle_by_value",
    "register_reducer",
    "set_large_payload_size",
    "unregister_pickle_by_value",
    "unregister_reducer",
]

# What is written in Python, and loaded when it is asked for.
_PYTHON = {
    "Capture": "_report",
    "LargePayloadWarning": "_report",
    "Progress": "_progress",
    "Report": "_report",
    "captures": "_report",
    "explain": "_report",
}


def _native():
    try:
        from capers import _core
    except ImportError as error:
        import sys

        if "subinterpreter" in str(error):
            raise ImportError(
                "capers runs in the main interpreter only: %s. Payloads can be loaded here with pickle.loads" % error
            ) from error
        version = "%d.%d" % sys.version_info[:2]
        raise ImportError(
            "capers has no native module for this Python version (%s %s): %s"
            % (sys.implementation.name, version, error)
        ) from error
    return _core


def __getattr__(name):
    if name not in __all__:
        raise AttributeError("module 'capers' has no attribute %r" % name)
    core = _native()
    if name in _PYTHON:
        from importlib import import_module

        globals()[name] = getattr(import_module("capers." + _PYTHON[name]), name)
        return globals()[name]
    for each in __all__:
        if each not in _PYTHON:
            globals()[each] = getattr(core, each)
    return globals()[name]


def __dir__():
    return sorted([*globals(), *__all__])
