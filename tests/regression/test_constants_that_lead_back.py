"""A function among the constants of its own code was described anew for ever, until memory ran out."""

import capers
import pytest


def test_a_function_that_is_its_own_constant_is_refused():
    def function():
        return 1

    function.__module__ = "__main__"
    function.__code__ = function.__code__.replace(co_consts=(None, function))
    with pytest.raises(capers.PicklingError, match="constants lead back to it"):
        capers.dumps(function)
