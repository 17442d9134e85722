"""``dumps`` warns of payloads of a size that one sets, and names what makes them big."""

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
