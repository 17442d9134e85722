"""Stands for the module dill.session."""

from suites import stand_in


def __getattr__(name):
    return stand_in.private("dill.session", name)
