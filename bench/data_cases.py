"""The workloads of the suite ``data``: what programs pickle all day, by name.

Each function makes its object anew; classes are importable, so that every tool sends them by reference.  Nothing here is
random from run to run.
"""

import datetime
import decimal
import enum
import random
import sys
from collections import OrderedDict, defaultdict
from dataclasses import dataclass

CASES = {}


def case(name, *, plain=False, needs=()):
    """Register the workload that the decorated function makes; *plain* ones must give the very bytes of pickle."""

    def register(make):
        CASES[name] = Case(name, make, plain, needs)
        return make

    return register


@dataclass(frozen=True)
class Case:
    """One workload."""

    name: str
    make: object
    plain: bool
    needs: tuple


class Plain:
    """An instance with a ``__dict__``."""

    def __init__(self, number, name, value):
        self.number, self.name, self.value = number, name, value
        self.children = []


class Slotted:
    """An instance with slots only."""

    __slots__ = ("number", "name", "value")

    def __init__(self, number, name, value):
        self.number, self.name, self.value = number, name, value


@dataclass
class Point:
    """A dataclass."""

    x: int
    y: float
    label: str


class Color(enum.Enum):
    """An enumeration."""

    RED = 1
    GREEN = 2
    BLUE = 3


def dice():
    """Return a generator of the same numbers in every run."""
    return random.Random(20)


def fresh(text):
    """Return *text* as an object of its own."""
    return "".join([text[:1], text[1:]])


@case("100k records, shared keys", plain=True)
def records():
    roll = dice()
    return [
        {"id": i, "name": f"user{i}", "score": roll.random(), "active": i % 3 == 0, "age": i % 90, "tag": "abc"}
        for i in range(100_000)
    ]


@case("50k records, keys of their own", plain=True)
def own_keys():
    roll = dice()
    keys = ("id", "name", "score", "active", "age", "tag")
    return [
        dict(zip([fresh(key) for key in keys], (i, f"user{i}", roll.random(), i % 3 == 0, i % 90, "abc")))
        for i in range(50_000)
    ]


@case("1M small ints", plain=True)
def small_ints():
    return [i % 251 for i in range(1_000_000)]


@case("1M ints of 32 bits", plain=True)
def ints():
    roll = dice()
    return [roll.randrange(-(2**31), 2**31) for _ in range(1_000_000)]


@case("500k ints of 64 bits", plain=True)
def long_ints():
    roll = dice()
    return [roll.getrandbits(62) - 2**61 for _ in range(500_000)]


@case("100k ints of 200 bits", plain=True)
def big_ints():
    roll = dice()
    return [roll.getrandbits(200) - 2**199 for _ in range(100_000)]


@case("1M floats", plain=True)
def floats():
    roll = dice()
    return [roll.random() for _ in range(1_000_000)]


@case("500k ASCII strings", plain=True)
def strings():
    return [f"string number {i}" for i in range(500_000)]


@case("200k non-ASCII strings", plain=True)
def unicode_strings():
    return [f"größe {i} – 数字" for i in range(200_000)]


@case("20k strings of 1,000 characters", plain=True)
def long_strings():
    return [f"{i:05d}" * 200 for i in range(20_000)]


@case("200k nested tuples", plain=True)
def tuples():
    return [(i, (i + 1, str(i)), ((i, i), (0.5, None, True))) for i in range(200_000)]


@case("nested dicts, 4 levels", plain=True)
def nested_dicts():
    def level(depth, path):
        if depth == 0:
            return {"value": path, "label": f"leaf {path}"}
        return {f"k{i}": level(depth - 1, path * 12 + i) for i in range(12)}

    return level(4, 1)


@case("dict of 500k ints", plain=True)
def int_dict():
    return {i * 7: i for i in range(500_000)}


@case("dict of 300k strings to floats", plain=True)
def str_dict():
    roll = dice()
    return {f"key {i}": roll.random() for i in range(300_000)}


@case("20k sets and frozensets", plain=True)
def sets():
    return [{i, i + 1, i * 3} if i % 2 else frozenset((i, i + 2, i * 5)) for i in range(20_000)]


@case("100 MB of bytes", plain=True)
def blob():
    return bytes(range(256)) * (100_000_000 // 256)


@case("100k short bytes", plain=True)
def short_bytes():
    return [i.to_bytes(8, "little") for i in range(100_000)]


@case("50k instances")
def instances():
    return [Plain(i, f"n{i}", i / 2) for i in range(50_000)]


@case("50k instances with slots")
def slotted():
    return [Slotted(i, f"n{i}", i / 2) for i in range(50_000)]


@case("50k dataclasses")
def dataclasses():
    return [Point(i, i / 2, f"p{i}") for i in range(50_000)]


@case("100k enum members")
def enums():
    members = list(Color)
    return [(members[i % 3], i) for i in range(100_000)]


@case("50k datetimes")
def datetimes():
    start = datetime.datetime(2020, 1, 1)
    return [start + datetime.timedelta(minutes=i) for i in range(50_000)]


@case("50k dates and durations")
def dates():
    start = datetime.date(1990, 1, 1)
    return [(start + datetime.timedelta(i % 9000), datetime.timedelta(seconds=i)) for i in range(25_000)]


@case("50k Decimals")
def decimals():
    return [decimal.Decimal(i) / 8 for i in range(50_000)]


@case("20k OrderedDicts and defaultdicts")
def ordered():
    return [OrderedDict(a=i, b=i + 1) if i % 2 else defaultdict(list, {"a": [i]}) for i in range(20_000)]


@case("2k small arrays", needs=("numpy",))
def small_arrays():
    import numpy

    return [numpy.arange(i % 50, dtype="f8") for i in range(2_000)]


@case("an array of 80 MB", needs=("numpy",))
def big_array():
    import numpy

    return numpy.arange(10_000_000, dtype="f8")


@case("a DataFrame of 100k rows", needs=("numpy", "pandas"))
def data_frame():
    import numpy
    import pandas

    count = 100_000
    return pandas.DataFrame(
        {
            "id": numpy.arange(count),
            "name": [f"row {i}" for i in range(count)],
            "value": numpy.linspace(0, 1, count),
            "kind": pandas.Categorical(["abc"[i % 3] for i in range(count)]),
            "when": pandas.date_range("2020-01-01", periods=count, freq="min"),
        }
    )


def _benchmark_dict():
    return {
        "ads_flags": 0,
        "age": 18,
        "birthday": datetime.date(1980, 5, 7),
        "bulletin_count": 0,
        "comment_count": 0,
        "country": "BR",
        "encrypted_id": "G9urXXAJwjE",
        "favorite_count": 9,
        "first_name": "",
        "flags": 412317970704,
        "friend_count": 0,
        "gender": "m",
        "gender_for_display": "Male",
        "id": 302935349,
        "is_custom_profile_icon": 0,
        "last_name": "",
        "locale_preference": "pt_BR",
        "member": 0,
        "tags": ["a", "b", "c", "d", "e", "f", "g"],
        "profile_foo_id": 827119638,
        "secure_encrypted_id": "Z_xxx2dYx3t4YAdnmfgyKw",
        "session_number": 2,
        "signup_id": "201-19225-223",
        "status": "A",
        "theme": 1,
        "time_created": 1225237014,
        "time_updated": 1233134493,
        "unread_message_count": 0,
        "user_group": "0",
        "username": "collinwinter",
        "play_count": 9,
        "view_count": 7,
        "zip": "",
    }


@case("a profile of 33 fields")
def profile():
    return _benchmark_dict()


@case("3 profiles and a tuple")
def profile_group():
    roll = random.Random(5)
    first = _benchmark_dict()
    group = []
    for _ in range(3):
        other = dict(first)
        other.update({key: roll.randrange(sys.maxsize) for key in first if isinstance(first[key], int)})
        group.append(other)
    pair = ([265867233, 265868503, 265252341, 265243910, 265879514, 266219766, 266021701, 265843726], 60)
    return [first, group, pair]


@case("a list of 5 lists of 10", plain=True)
def short_lists():
    return [[list(range(10)), list(range(10))] for _ in range(5)]


@case("a dict of 50 short lists", plain=True)
def short_dict():
    return {key: list(range(10)) for key in range(50)}


@case("a tiny dict", plain=True)
def tiny():
    return {"a": 1, "b": [1, 2, 3], "c": None}


@case("a JSON document", plain=True)
def document():
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": i,
                "properties": {"name": f"place {i}", "tags": ["x", f"t{i % 7}"], "open": i % 2 == 0, "note": None},
                "geometry": {"type": "Point", "coordinates": [i / 7, -i / 3]},
            }
            for i in range(5_000)
        ],
    }
