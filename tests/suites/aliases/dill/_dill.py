"""Stands for the module dill._dill."""

import types

from suites import stand_in

# What the tests ask about the interpreter.
IS_PYPY = False
OLD310 = False
MAPPING_PROXY_TRICK = True
DictProxyType = types.MappingProxyType


def __getattr__(name):
    return stand_in.private("dill._dill", name)
