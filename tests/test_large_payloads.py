"""``dumps``, ``dump`` and ``Pickler`` warn of payloads of a size that one sets, and name what makes them big."""

import capers
import pytest
from shipping import run

SETUP = """
import capers, warnings
warnings.simplefilter("always")

def warned(obj):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        capers.dumps(obj)
    return [(each.category, str(each.message), each.filename) for each in seen]

TABLE, OTHER = bytes(2_000_000), {"k": bytes(500_000)}
def f(): return TABLE, OTHER
"""


@pytest.fixture
def limit():
    """A function that sets the size to warn from, which is taken back at the end."""
    before = capers.set_large_payload_size(None)
    yield capers.set_large_payload_size
    capers.set_large_payload_size(before)


def test_nothing_is_warned_of_unless_it_is_asked_for():
    run(SETUP + "assert warned(f) == []")


def test_a_large_payload_is_warned_of_with_its_biggest_captures():
    run(
        SETUP
        + """
assert capers.set_large_payload_size(1_000_000) is None
(category, text, file), = warned(f)
assert category is capers.LargePayloadWarning and issubclass(category, UserWarning) and file == __file__
assert text == ("a payload of 2.5 MB: f.__globals__['TABLE'] of 2.0 MB, f.__globals__['OTHER']['k'] of 500 kB"), text
assert warned([1]) == []
assert capers.set_large_payload_size(None) == 1_000_000
assert warned(f) == []
"""
    )


def test_the_warning_may_be_an_error():
    run(
        SETUP
        + """
capers.set_large_payload_size(1_000_000)
warnings.simplefilter("error")
try:
    capers.dumps(f)
except capers.LargePayloadWarning:
    pass
else:
    raise AssertionError("nothing was raised")
assert capers.loads(capers.dumps([1])) == [1]
"""
    )


def test_a_size_that_is_not_positive_is_refused():
    run(
        SETUP
        + """
for size in (0, -1):
    try:
        capers.set_large_payload_size(size)
    except ValueError as error:
        assert str(error) == "size must be positive, not %d" % size
    else:
        raise AssertionError("it was taken")
"""
    )


FILES = (
    SETUP
    + """
import io

def caught(work, *arguments):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        work(*arguments)
    assert all(each.category is capers.LargePayloadWarning and each.filename == __file__ for each in seen)
    return [str(each.message) for each in seen]

TOLD = "a payload of 2.5 MB: f.__globals__['TABLE'] of 2.0 MB, f.__globals__['OTHER']['k'] of 500 kB"
capers.set_large_payload_size(1_000_000)
"""
)


def test_dump_warns_as_dumps_does():
    run(
        FILES
        + """
file = io.BytesIO()
assert caught(capers.dump, f, file) == [TOLD]
assert file.getvalue() == capers.dumps(f)
assert caught(capers.dump, [1], file) == []
capers.set_large_payload_size(None)
assert caught(capers.dump, f, file) == []
"""
    )


def test_a_pickler_warns_of_each_payload_that_is_large_and_of_what_is_in_it():
    run(
        FILES
        + """
file = io.BytesIO()
pickler = capers.Pickler(file)
assert caught(pickler.dump, OTHER) == []
# The other table has been written before.
assert caught(pickler.dump, f) == ["a payload of 2.0 MB: f.__globals__['TABLE'] of 2.0 MB"]
assert caught(pickler.dump, f) == []
file.seek(0)
unpickler = capers.Unpickler(file)
other = unpickler.load()
first = unpickler.load()
assert first()[1] is other and unpickler.load() is first
"""
    )


def test_the_hooks_of_a_pickler_are_asked_for_the_warning_too():
    run(
        FILES
        + """
class Thing:
    pass

class Own(capers.Pickler):
    def persistent_id(self, obj):
        return "other" if obj is OTHER else None
    def reducer_override(self, obj):
        return (bytearray, (bytes(3_000_000),)) if isinstance(obj, Thing) else NotImplemented

assert caught(Own(io.BytesIO()).dump, f) == ["a payload of 2.0 MB: f.__globals__['TABLE'] of 2.0 MB"]
text, = caught(Own(io.BytesIO()).dump, [OTHER, Thing()])
assert text.startswith("a payload of 3.0 MB: list[1]"), text
"""
    )


def test_the_second_look_writes_nothing_and_hands_out_no_buffers():
    run(
        FILES
        + """
import pickle
buffers, file = [], io.BytesIO()
whole = [pickle.PickleBuffer(bytes(5_000_000)), bytes(2_000_000)]
assert caught(lambda: capers.dump(whole, file, buffer_callback=buffers.append)) == ["a payload of 2.0 MB: list[1] of 2.0 MB"]
assert len(buffers) == 1
assert len(capers.loads(file.getvalue(), buffers=buffers)) == 2
"""
    )


def test_the_choices_of_the_dump_hold_for_the_warning():
    run(
        FILES
        + """
class Thing:
    pass
reducers = {Thing: lambda it: (bytes, (bytes(3_000_000),))}
text, = caught(lambda: capers.dumps([Thing()], reducers=reducers))
assert text.startswith("a payload of 3.0 MB: list[0]"), text
text, = caught(lambda: capers.dumps([bytes(3_000_000), len], by_value=False))
assert text == "a payload of 3.0 MB: list[0] of 3.0 MB", text
"""
    )


def test_nothing_is_asked_twice_below_the_size():
    run(
        FILES
        + """
asked = []
class Thing:
    pass
def reduce(thing):
    asked.append(thing)
    return bytes, ()
def dump(obj):
    return caught(lambda: capers.dumps(obj, reducers={Thing: reduce}))
assert dump(Thing()) == [] and len(asked) == 1
assert len(dump([Thing(), bytes(3_000_000)])) == 1 and len(asked) == 3
capers.set_large_payload_size(None)
assert dump([Thing(), bytes(3_000_000)]) == [] and len(asked) == 4
"""
    )


def test_a_pickler_is_at_work_while_it_looks_again():
    run(
        FILES
        + """
file = io.BytesIO()
class Own(capers.Pickler):
    count = 0
    def persistent_id(self, obj):
        if obj is TABLE:
            self.count += 1
            if self.count == 2:
                try: self.dump(1)
                except RuntimeError: self.refused = True
pickler = Own(file)
caught(pickler.dump, TABLE)
assert pickler.refused and file.getvalue() == capers.dumps(TABLE)
"""
    )


def test_a_warning_that_is_an_error_leaves_file_and_pickler_whole():
    run(
        FILES
        + """
warnings.simplefilter("error")
file = io.BytesIO()
pickler = capers.Pickler(file)
try:
    pickler.dump(TABLE)
except capers.LargePayloadWarning:
    pass
else:
    raise AssertionError("nothing was raised")
pickler.dump([TABLE])
file.seek(0)
unpickler = capers.Unpickler(file)
table = unpickler.load()
assert unpickler.load()[0] is table
"""
    )


def test_a_second_look_that_fails_only_leaves_the_parts_unnamed(limit):
    class Once:
        asked = 0

        def __reduce__(self):
            Once.asked += 1
            if Once.asked > 1:
                raise MemoryError
            return bytes, (2000,)

    limit(1000)
    with pytest.warns(capers.LargePayloadWarning, match=r"^a payload of [\d.]+ kB$"):
        payload = capers.dumps([Once(), bytes(2000)])
    assert capers.loads(payload)[0] == bytes(2000)


def test_a_look_at_something_else_names_nothing(limit):
    import pickle

    limit(100_000)
    with pytest.warns(capers.LargePayloadWarning, match=r"^a payload of [\d.]+ .B$"):
        thing = [pickle.PickleBuffer(bytearray(1 << 20)), list(range(100))]
        capers.dumps(thing, 5, buffer_callback=lambda buffer: True)


def test_dumps_inside_of_dumps_are_looked_at_once_more_and_no_oftener(limit):
    class Nested:
        asked = 0

        def __init__(self, depth):
            self.depth = depth

        def __reduce__(self):
            Nested.asked += 1
            inner = Nested(self.depth - 1) if self.depth else bytes(2000)
            return capers.loads, (capers.dumps(inner),)

    limit(1000)
    with pytest.warns(capers.LargePayloadWarning):
        capers.dumps(Nested(8))
    assert Nested.asked < 150  # every level looks again at what is below it, and nothing looks again while one does
