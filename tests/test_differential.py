"""A share of the comparison with C pickle of the same version; `python3 dev.py differential` does all of it."""

import sys

import pytest
from differential import both, compare, graphs, things
from differential.describe import describe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

both.register()

CALM = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@CALM
@given(graphs.recipes(), st.integers(0, 5), st.sampled_from(both.HOWS))
def test_object_graphs_are_dumped_to_the_same_bytes_and_loaded_to_the_same_objects(recipe, protocol, how):
    assert both.difference(graphs.build(recipe), protocol, how) is None


@pytest.mark.skipif(sys.platform == "win32", reason="address space cannot be limited on Windows")
def test_streams_are_loaded_to_the_same_objects_errors_and_events():
    tally = compare.compare(seed=0, count=3000)
    assert tally.streams == 3000 and len(tally.unclean) < 100
    assert (tally.different, tally.other_events, tally.other_class) == ([], [], [])


def test_the_comparison_sees_a_difference_of_any_kind():
    shared, twice = [[1]], [[1], [1]]
    shared.append(shared[0])
    made, other = things.Plain(), things.Plain()
    other.more = 1
    pairs = [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        ("a", b"a"),
        ((1,), [1]),
        (shared, twice),
        ({1: 2, 3: 4}, {3: 4, 1: 2}),
        ({1}, frozenset({1})),
        (things.ListKind([1]), [1]),
        (made, other),
        (things.Colour.RED, things.Colour.BLUE),
        (len, abs),
        (things.Point(1, 2), (1, 2)),
        (memoryview(b"a"), memoryview(bytearray(b"a"))),
    ]
    for one, two in pairs:
        assert describe(one) == describe(one)
        assert describe(one) != describe(two), (one, two)
