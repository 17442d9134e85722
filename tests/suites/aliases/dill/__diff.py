"""Stands for the module dill.__diff."""

from suites import stand_in


def __getattr__(name):
    return stand_in.private("dill.__diff", name)
