"""Stands for cloudpickle in its own tests."""

from suites import stand_in

PUBLIC = (
    *("CloudPickler", "DEFAULT_PROTOCOL", "Pickler", "dump", "dumps", "load", "loads", "__version__"),
    *("list_registry_pickle_by_value", "register_pickle_by_value", "unregister_pickle_by_value"),
)
globals().update(stand_in.public(PUBLIC))

from . import cloudpickle  # noqa: E402, F401


def __getattr__(name):
    return stand_in.private("cloudpickle", name)
