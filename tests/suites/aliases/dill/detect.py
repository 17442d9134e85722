"""Stands for the module dill.detect."""

from suites import stand_in


def __getattr__(name):
    return stand_in.private("dill.detect", name)
