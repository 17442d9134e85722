"""`pickler.memo.clear()` cleared a copy."""

import io

import capers


def test_clearing_the_memo_lets_the_next_dump_stand_alone():
    stream = io.BytesIO()
    pickler = capers.Pickler(stream)
    shared = ["shared"]
    pickler.dump(shared)
    length = stream.tell()
    pickler.memo.clear()
    pickler.dump(shared)
    assert capers.loads(stream.getvalue()[length:]) == shared


def test_a_memo_can_be_taken_over():
    first, second = capers.Pickler(io.BytesIO()), capers.Pickler(io.BytesIO())
    shared = ["shared"]
    first.dump(shared)
    second.memo = first.memo
    assert second.memo.copy() == first.memo.copy() != {}
