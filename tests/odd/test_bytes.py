"""What C pickle carries keeps its bytes: no rule stands in front of a reduction that is right."""

import array
import collections
import datetime
import decimal
import fractions
import functools
import io
import itertools
import logging
import operator
import pathlib
import pickle
import random
import re
import sys
import types
import typing
import uuid
import warnings

import capers
import pytest

CARRIED = {
    "list_iterator": lambda: iter([1, 2]),
    "dict_iterator": lambda: iter({1: 2}),
    "set_iterator": lambda: iter({1}),
    "range_iterator": lambda: iter(range(3)),
    "str_iterator": lambda: iter("abc"),
    "reversed": lambda: reversed([1, 2]),
    "enumerate": lambda: enumerate([1]),
    "zip": lambda: zip([1], [2]),
    "map": lambda: map(str, [1]),
    "filter": lambda: filter(None, [1]),
    "deque": lambda: collections.deque([1], 3),
    "ordered_dict": lambda: collections.OrderedDict(a=1),
    "counter": lambda: collections.Counter("aab"),
    "default_dict": lambda: collections.defaultdict(list, a=[1]),
    "chain_map": lambda: collections.ChainMap({1: 2}),
    "partial": lambda: functools.partial(int, base=2),
    "itemgetter": lambda: operator.itemgetter(1, 2),
    "pattern": lambda: re.compile("a(b)"),
    "array": lambda: array.array("i", [1, 2]),
    "bytes_io": lambda: io.BytesIO(b"ab"),
    "string_io": lambda: io.StringIO("ab"),
    "namespace": lambda: types.SimpleNamespace(a=1),
    "generic_alias": lambda: list[int],
    "union": lambda: int | str,
    "optional": lambda: typing.Optional[int],
    "type_variable": lambda: typing.AnyStr,
    "logger": lambda: logging.getLogger("x"),
    "log_record": lambda: logging.makeLogRecord({"msg": "x"}),
    "formatter": lambda: logging.Formatter("%(message)s"),
    "random": lambda: random.Random(1),
    "decimal": lambda: decimal.Decimal("1.5"),
    "decimal_context": lambda: decimal.Context(),
    "fraction": lambda: fractions.Fraction(1, 3),
    "date": lambda: datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    "path": lambda: pathlib.PurePosixPath("a/b"),
    "uuid": lambda: uuid.UUID(int=5),
    "exception": lambda: KeyError("k"),
    "slot_wrapper": lambda: int.__add__,
    "method_descriptor": lambda: str.upper,
    "method_wrapper": lambda: (1).__add__,
    "method_of_c": lambda: [].append,
    "method_of_python": lambda: collections.Counter("a").most_common,
    "class_method_of_python": lambda: collections.OrderedDict.fromkeys,
    "class_method_of_a_class": lambda: logging.Formatter().formatTime,
    "member_descriptor": lambda: fractions.Fraction.__dict__["_numerator"],
    "type_of_none": lambda: type(None),
    "user_dict": lambda: collections.UserDict(a=1),
}
if sys.version_info < (3, 14):
    CARRIED["partialmethod"] = lambda: functools.partialmethod(int, 2)  # cannot be loaded any more in 3.14
    # From 3.14 on pickle writes a partialmethod that it cannot load.
    CARRIED["partialmethod"] = lambda: functools.partialmethod(int, 2)
if sys.version_info < (3, 14):
    CARRIED["partialmethod"] = lambda: functools.partialmethod(int, 2)  # cannot be loaded any more in 3.14
    CARRIED["count"] = lambda: itertools.count(3)
    CARRIED["repeat"] = lambda: itertools.repeat(3, 2)
    CARRIED["chain"] = lambda: itertools.chain([1], [2])


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", CARRIED)
def test_the_bytes_are_those_of_pickle(name, protocol):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        thing = CARRIED[name]()
        try:
            want = pickle.dumps(thing, protocol)
        except Exception as error:
            pytest.skip(f"pickle does not carry it: {error}")
        assert capers.dumps(thing, protocol) == want
