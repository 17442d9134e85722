"""The memo of a pickler could be replaced from inside its own dump, and the dump then lost it again."""

import io

import capers
import pytest


class Meddler:
    def __init__(self, act):
        self.act = act

    def __reduce__(self):
        with pytest.raises(RuntimeError):
            self.act()
        return str, ("meddled",)


def test_a_memo_cannot_be_set_or_cleared_inside_a_dump():
    file = io.BytesIO()
    pickler = capers.Pickler(file)
    shared = [1]
    acts = [
        lambda: setattr(pickler, "memo", {}),
        pickler.memo.clear,
        pickler.clear_memo,
        lambda: pickler.__init__(file),
    ]
    pickler.dump([shared, *map(Meddler, acts), shared])
    assert capers.loads(file.getvalue()) == [[1], *["meddled"] * 4, [1]]
