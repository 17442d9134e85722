"""Stands for the module cloudpickle.cloudpickle, whose private names old payloads use."""

from suites import stand_in

from . import PUBLIC

globals().update(stand_in.public(PUBLIC))


def __getattr__(name):
    return stand_in.private("cloudpickle.cloudpickle", name)
