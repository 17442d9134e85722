"""Stands for the module dill._shims."""

from suites import stand_in


def __getattr__(name):
    return stand_in.private("dill._shims", name)
