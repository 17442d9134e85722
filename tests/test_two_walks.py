"""Plain data is written by a fast walk, or by the general code where a hook has to be asked: the bytes are the same.

Both are those of C pickle.  The objects are made at random from a seed, so that each run looks at the same ones; the classes
are importable, so that pickle carries their instances too.
"""

import datetime
import decimal
import io
import pickle
import random

import capers
import pytest

from tests.library import importable_plain as plain

DOUBLES = [float("inf"), -0.0, 1.5e300]
CHARACTERS = ["a", "\xe9", "\u6570", "\U0001f33f", "\ud800", "\\", "\n"]


class Hooked(capers.Pickler):
    """A pickler that is asked about every object, and has nothing to say."""

    def persistent_id(self, obj):
        return None


def written_with_a_hook(thing, protocol):
    file = io.BytesIO()
    Hooked(file, protocol).dump(thing)
    return file.getvalue()


def written_to_a_file(thing, protocol):
    file = io.BytesIO()
    capers.dump(thing, file, protocol)
    return file.getvalue()


class Maker:
    """Makes objects of every plain kind, shared and cyclic ones among them."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.made = []

    def text(self):
        kind = self.dice.randrange(3)
        if kind == 0:
            return "x" * self.dice.choice([0, 1, 2, 7, 8, 15, 16, 17, 254, 255, 256, 300])
        characters = CHARACTERS[: self.dice.randrange(1, len(CHARACTERS) + 1)]
        return "".join(self.dice.choice(characters) for _ in range(self.dice.randrange(400 if kind == 1 else 30)))

    def number(self):
        bits = self.dice.choice([1, 8, 16, 17, 30, 31, 32, 60, 62, 63, 64, 90, 120, 121, 200, 2030, 2040, 2050])
        return (self.dice.getrandbits(bits) + self.dice.randrange(2) * (1 << bits)) * self.dice.choice([1, -1])

    def atom(self):
        return self.dice.choice(
            [
                lambda: None,
                lambda: self.dice.random() < 0.5,
                lambda: self.dice.randrange(-3, 300),
                self.number,
                lambda: self.dice.choice(DOUBLES) if self.dice.random() < 0.2 else self.dice.random(),
                self.text,
                lambda: bytes(self.dice.randrange(600)),
                lambda: bytearray(self.dice.randrange(300)),
                lambda: datetime.datetime(2020, 1, 1 + self.dice.randrange(28), fold=self.dice.randrange(2)),
                lambda: datetime.timedelta(
                    self.dice.randrange(-999, 999), self.dice.randrange(9), self.dice.randrange(9)
                ),
                lambda: decimal.Decimal(self.dice.randrange(999)) / 8,
            ]
        )()

    def thing(self, depth):
        if self.made and self.dice.random() < 0.15:
            return self.dice.choice(self.made)
        count = self.dice.choice([0, 1, 1, 2, 3, 4, 6])
        kind = self.dice.randrange(9) if depth else 9
        if kind == 0:
            made = []
            self.made.append(made)
            made += [self.thing(depth - 1) for _ in range(count)]
        elif kind == 1:
            made = tuple(self.thing(depth - 1) for _ in range(count))
        elif kind == 2:
            made = {}
            self.made.append(made)
            for _ in range(count):
                key = self.atom() if self.dice.random() < 0.9 else (1, self.text())
                made[key if not isinstance(key, bytearray) else None] = self.thing(depth - 1)
        elif kind == 3:
            made = {self.text() for _ in range(count)}
        elif kind == 4:
            made = frozenset((self.text(), at) for at in range(count))
        elif kind == 5:
            made = plain.Open()
            self.made.append(made)
            for at in range(count):
                setattr(made, f"attribute{at}", self.thing(depth - 1))
        elif kind == 6:
            made = plain.Slotted()
            self.made.append(made)
            for name in ("one", "two"):
                if self.dice.random() < 0.7:
                    setattr(made, name, self.thing(depth - 1))
        elif kind == 7:
            made = plain.OneSlot()
            if self.dice.random() < 0.7:
                made.only = self.thing(depth - 1)
        else:
            made = self.atom()
        self.made.append(made)
        return made


@pytest.mark.parametrize("seed", range(40))
def test_both_walks_write_what_pickle_writes(seed):
    maker = Maker(seed)
    for _ in range(25):
        maker.made.clear()
        thing = maker.thing(maker.dice.randrange(1, 6))
        for protocol in (4, 5):
            right = pickle.dumps(thing, protocol)
            assert capers.dumps(thing, protocol) == right
            assert written_with_a_hook(thing, protocol) == right
            assert written_to_a_file(thing, protocol) == right


BIG = {
    **{f"a list of {count}": list(range(count)) for count in (999, 1000, 1001, 1002, 2000, 2001)},
    **{f"a dict of {count}": {at: at for at in range(count)} for count in (999, 1000, 1001, 1002, 2000, 2001)},
    **{f"a set of {count}": set(range(count)) for count in (999, 1000, 1001, 2000, 2001)},
    "a frozenset": frozenset(range(2500)),
    "a tuple longer than a stretch": tuple(range(9000)),
    "strings over many frames": [str(at) for at in range(60_000)],
    "texts as long as a frame": ["a" * 70_000, "b" * 65_536, "c" * 65_535, "\xe9" * 40_000, "\xe9" * 30_000],
    "bytes as long as a frame": [b"d" * 65_536, b"e" * 65_535],
    "records": [{"id": at, "name": f"n{at}", "parts": [at, (at, str(at))]} for at in range(8000)],
    "instances over many frames": [plain.Open(number=at, name=str(at)) for at in range(9000)],
    "slots over many frames": [plain.Slotted(at, f"n{at}") for at in range(9000)],
    "dates over many frames": [datetime.date(2000, 1, 1) + datetime.timedelta(at) for at in range(9000)],
}


@pytest.mark.parametrize("name", BIG)
def test_batches_and_frames_end_where_those_of_pickle_end(name):
    right = pickle.dumps(BIG[name], 5)
    assert capers.dumps(BIG[name], 5) == right
    assert written_with_a_hook(BIG[name], 5) == right
    assert written_to_a_file(BIG[name], 5) == right


ASKED = {
    "a reduction of its own": plain.Open(__reduce_ex__=lambda protocol: (int, ("7",))),
    "a state of its own": plain.Open(__getstate__=lambda: {"other": 1}),
    "a class of the dispatch table": plain.Listed(),
    "a __getattr__": plain.Answering(),
    "a property for its class": plain.Disguised(),
    "a dict and slots": plain.Both(1, 2),
}


@pytest.mark.parametrize("what", ASKED)
def test_an_instance_with_a_say_in_it_is_asked_though_its_class_was_plain(what):
    things = [plain.Open(a=1), plain.Open(a=2), ASKED[what], plain.Open(a=3)]
    assert capers.dumps(things, 5) == pickle.dumps(things, 5)


def test_a_class_that_changes_is_looked_at_again():
    things = [plain.Changing(), plain.Changing()]
    before = capers.dumps(things, 5)
    plain.Changing.__reduce__ = lambda self: (plain.Changing, ())
    try:
        after = capers.dumps(things, 5)
        assert after == pickle.dumps(things, 5)
        assert after != before
    finally:
        del plain.Changing.__reduce__
    assert capers.dumps(things, 5) == before


def test_arguments_of_a_reduction_stay_alive_while_the_memo_knows_them():
    things = [plain.Called(at) for at in range(3000)]
    assert capers.dumps(things, 5) == pickle.dumps(things, 5)


def test_a_dump_to_a_file_keeps_alive_what_its_memo_knows():
    file = io.BytesIO()
    pickler = capers.Pickler(file, 5)
    for at in range(50):
        pickler.dump([[f"text {at} {other}" for other in range(20)], (at, "x")])
    file.seek(0)
    unpickler = capers.Unpickler(file)
    assert [unpickler.load()[1] for _ in range(50)] == [(at, "x") for at in range(50)]
