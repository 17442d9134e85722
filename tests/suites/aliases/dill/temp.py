"""Stands for the module dill.temp."""

from suites import stand_in


def __getattr__(name):
    return stand_in.private("dill.temp", name)
