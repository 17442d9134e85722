"""Stands for the module dill.source."""

from suites import stand_in


def __getattr__(name):
    return stand_in.private("dill.source", name)
