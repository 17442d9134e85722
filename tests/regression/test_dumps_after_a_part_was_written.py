"""A dump after a failed one, of which a part had reached the file, could not be loaded by itself."""

import io

import capers
import pytest


class Broken:
    def __reduce__(self):
        raise ValueError("broken")


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_after_a_part_of_another_loads_alone_and_in_the_stream(protocol):
    file = io.BytesIO()
    pickler = capers.Pickler(file, protocol)
    first, new = ["first"], ["new"]
    pickler.dump([first])
    with pytest.raises(ValueError, match="broken"):
        pickler.dump([["x" * 70_000], [[n] for n in range(5000)], ["y" * 70_000], Broken()])
    at = file.tell()
    assert at > 70_000
    pickler.dump([new, [new]])
    assert capers.loads(file.getvalue()[at:]) == [["new"], [["new"]]]
    pickler.dump([first, new])
    file.seek(0)
    unpickler = capers.Unpickler(file)
    assert [unpickler.load() for _ in range(3)] == [[["first"]], [["new"], [["new"]]], [["first"], ["new"]]]
