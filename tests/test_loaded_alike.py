"""What the loading side takes short cuts for arrives as from pickle: dicts of one shape, keys, instances, texts, dates."""

import datetime
import gc
import io
import pickle

import capers
import pytest

from tests.library import importable_plain as plain


@pytest.mark.parametrize("count", [1, 5, 6, 10, 11, 21, 22, 42, 43, 63, 64, 65])
def test_dicts_of_one_shape_are_dicts_of_their_own(count):
    dicts = [{f"key {at}": [at, number] for at in range(count)} for number in range(4)]
    for protocol in (1, 2, 5):
        loaded = capers.loads(pickle.dumps(dicts, protocol))
        assert loaded == dicts
        for one, other in zip(loaded, dicts):
            one["new"] = 1
            assert list(one) == [*other, "new"]
            assert all(one[key] == other[key] for key in other)
            for key in list(one):
                del one[key]
            assert one == {}
            one["again"] = 2
            assert one == {"again": 2}


def test_a_shape_that_changes_in_between_is_no_model():
    dicts = [{"a": 1, "b": 2}, {"a": 3, "b": 4, "c": 5}, {"b": 6, "a": 7}, {"a": 8}, {1: 2, "a": 3}, {"a": 9, "b": 10}]
    assert [list(it.items()) for it in capers.loads(pickle.dumps(dicts))] == [list(it.items()) for it in dicts]


def test_a_model_that_a_hook_empties_is_no_model():
    # The second dict is a copy of the first one's shape; the first one is emptied when the object between is made.
    things = [{"a": [], "b": 2}, plain.Open(), {"a": 3, "b": 4}]

    class Emptying(capers.Unpickler):
        def find_class(self, module, name):
            for found in gc.get_objects():
                if type(found) is dict and found == {"a": [], "b": 2}:
                    found.clear()
            return super().find_class(module, name)

    loaded = Emptying(io.BytesIO(pickle.dumps(things))).load()
    assert loaded[0] == {} and loaded[2] == {"a": 3, "b": 4}


def test_the_collector_sees_what_a_copied_dict_holds():
    loaded = capers.loads(pickle.dumps([{"a": []}, {"a": []}, {"a": []}]))
    assert all(gc.is_tracked(each) for each in loaded)


def test_attributes_reach_the_dict_past_descriptors():
    thing = plain.Guarded()
    thing.__dict__.update(caught=1, shown=2, free=3)
    loaded = capers.loads(pickle.dumps(thing))
    assert vars(loaded) == {"caught": 1, "shown": 2, "free": 3}
    assert plain.Guarded.log == []


def test_instances_take_further_attributes_and_lose_them():
    loaded = capers.loads(pickle.dumps([plain.Open(a=at, b=[at]) for at in range(5)]))
    for at, thing in enumerate(loaded):
        thing.c = at
        del thing.a
        assert vars(thing) == {"b": [at], "c": at}


def test_an_instance_with_a_setstate_of_its_own_is_asked():
    thing = plain.Open(a=1)
    right, ours = pickle.loads(pickle.dumps(thing)), capers.loads(pickle.dumps(thing))
    assert vars(ours) == vars(right)


def test_a_setstate_that_came_with_the_first_state_is_asked_about_the_second():
    module = plain.__name__.encode()
    new = b"\x80\x04\x8c" + bytes([len(module)]) + module + b"\x8c\x04Open\x93)\x81"
    stream = new + b"}\x8c\x0c__setstate__cbuiltins\nlist\nsb" + b"}\x8c\x01bK\x02sb."
    assert vars(pickle.loads(stream)) == {"__setstate__": list}
    assert vars(capers.loads(stream)) == {"__setstate__": list}


TEXTS = [
    "",
    "a",
    "\xe9",
    "\xff0",
    "\u0100x",
    "\ud800",
    "a\ud800\xe9",
    "\U0001f33f\U0001f33f",
    "\xe9" * 300,
    "\u6570" * 70_000,
]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_texts_of_every_width_arrive(text):
    for protocol in (1, 4):
        loaded = capers.loads(pickle.dumps([text, {text: 1}], protocol))
        assert loaded == [text, {text: 1}]
        assert hash(loaded[0]) == hash(text) and loaded[0].encode("utf-8", "surrogatepass") == text.encode(
            "utf-8", "surrogatepass"
        )


ZONE = datetime.timezone(datetime.timedelta(hours=2))
MOMENTS = [
    datetime.date(1, 1, 1),
    datetime.date(9999, 12, 31),
    datetime.datetime(2020, 2, 29, 23, 59, 59, 999_999),
    datetime.datetime(2020, 2, 29, fold=1),
    datetime.datetime(2020, 2, 29, tzinfo=ZONE),
    datetime.time(23, 59, 59, 999_999, fold=1),
    datetime.time(1, tzinfo=ZONE),
    datetime.timedelta(-999_999_999),
    datetime.timedelta(3, 2, 1),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=repr)
def test_moments_arrive_as_they_were(moment):
    loaded = capers.loads(capers.dumps([moment, moment.resolution]))[0]
    assert type(loaded) is type(moment) and loaded == moment and repr(loaded) == repr(moment)
    assert getattr(loaded, "fold", 0) == getattr(moment, "fold", 0)


@pytest.mark.parametrize("state", [b"", b"\x07", b"\x07\xe4\xff\x01", b"\x00\x00\x01\x01", b"\x07\xe4\x01\x01" * 3])
@pytest.mark.parametrize("name", ["date", "datetime", "time"])
def test_a_moment_that_cannot_be_is_refused_as_by_pickle(name, state):
    stream = b"cdatetime\n" + name.encode() + b"\nC" + bytes([len(state)]) + state + b"\x85R."

    def outcome(loads):
        try:
            return repr(loads(stream))
        except Exception as error:
            return type(error)

    assert outcome(capers.loads) == outcome(pickle.loads)
