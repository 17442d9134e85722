"""A Pickler used again after an error, or for a module after one of its functions, referred to the wrong things."""

import io
import types

import capers
import pytest


class Broken:
    def __reduce__(self):
        raise ValueError("broken")


def test_a_dump_after_a_failed_one_refers_to_its_own_objects():
    stream = io.BytesIO()
    pickler = capers.Pickler(stream)
    pickler.dump([["a"], ["b"]])
    with pytest.raises(ValueError, match="broken"):
        pickler.dump(Broken())
    new = ["new"]
    pickler.dump([new, new])
    stream.seek(0)
    unpickler = capers.Unpickler(stream)
    assert unpickler.load() == [["a"], ["b"]]
    assert unpickler.load() == [["new"], ["new"]]


def test_a_module_after_one_of_its_functions_is_whole_and_shares_the_namespace():
    module = types.ModuleType("made_by_hand")
    exec("x = 5\ny = 6\nlst = [1]\ndef f(): return x, lst", module.__dict__)
    stream = io.BytesIO()
    pickler = capers.Pickler(stream)
    pickler.dump(module.f)
    pickler.dump(module)
    stream.seek(0)
    unpickler = capers.Unpickler(stream)
    function, arrived = unpickler.load(), unpickler.load()
    assert arrived.x == 5 and arrived.y == 6 and arrived.lst == [1]
    assert function.__globals__ is vars(arrived)
