"""Stands for the module dill.objtypes."""

from suites import stand_in


def __getattr__(name):
    return stand_in.private("dill.objtypes", name)
