"""In `fast` mode a cycle through an object, or any cycle at protocol 0, was written until memory was gone."""

import io
import pickle

import capers
import pytest


class Holder:
    pass


class Reduced:
    def __reduce__(self):
        return tuple, ((self,),)


def cycles():
    box, table, holder = [], {}, Holder()
    box.append(box)
    table["me"] = table
    holder.me = holder
    return [box, table, holder, Reduced(), [{"k": (box,)}]]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("number", range(5))
def test_cycles_are_refused_as_pickle_refuses_them(number, protocol):
    errors = []
    for library in (pickle, capers):
        pickler = library.Pickler(io.BytesIO(), protocol)
        pickler.fast = 1
        with pytest.raises((ValueError, RecursionError)) as caught:
            pickler.dump(cycles()[number])
        errors.append(caught.type)
    assert errors[0] is errors[1]


def test_depth_is_no_cycle():
    deep = []
    for _ in range(20_000):
        deep = [deep, {"x": ()}]
    file = io.BytesIO()
    pickler = capers.Pickler(file)
    pickler.fast = 1
    pickler.dump(deep)
    again = capers.loads(file.getvalue())
    for _ in range(20_000):
        again, rest = again
        assert rest == {"x": ()}
    assert again == []
