"""The public names of other picklers over capers, so that a code base switches by one import line.

``from capers.compat import cloudpickle`` and ``from capers.compat import dill``: each module says what differs.
"""
