"""A memo set with far indices made the pickler count up to them, for ages, and write references that led nowhere."""

import io

import capers
import pytest


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("index", [0, 7, 300, 2**31 - 1])
def test_objects_remembered_under_any_index_are_referred_to_rightly(protocol, index):
    known, new = ["known"], ["new"]
    file = io.BytesIO()
    pickler = capers.Pickler(file, protocol)
    pickler.memo = {id(known): (index, known)}
    pickler.dump([known, new, new])
    pickler.dump([new, known])
    file.seek(0)
    unpickler = capers.Unpickler(file)
    unpickler.memo = {index: ["their own"]}
    assert unpickler.load() == [["their own"], ["new"], ["new"]]
    assert unpickler.load() == [["new"], ["their own"]]


@pytest.mark.parametrize("index", [-1, 2**31, 2**64, "1", 1.0, None])
def test_indices_that_no_stream_can_spell_are_refused(index):
    pickler = capers.Pickler(io.BytesIO())
    with pytest.raises((TypeError, ValueError, OverflowError)):
        pickler.memo = {1: (index, [])}
