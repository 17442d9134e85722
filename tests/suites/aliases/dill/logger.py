"""Stands for the module dill.logger."""

from suites import stand_in


def __getattr__(name):
    return stand_in.private("dill.logger", name)
