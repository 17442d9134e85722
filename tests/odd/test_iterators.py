"""Iterators arrive where they stood, and those of the sender are not moved on; what cannot tell is refused by name."""

import sys

import pytest
from shipping import run, ship

CASES = {
    "list": "iter([1, 2, 3])",
    "tuple": "iter((1, 2, 3))",
    "str": "iter('abc')",
    "range": "iter(range(5))",
    "dict": "iter({1: 2, 3: 4})",
    "set": "iter({1, 2, 3})",
    "reversed": "reversed([1, 2, 3])",
    "enumerate": "enumerate('abc', 5)",
    "zip": "zip([1, 2], 'ab')",
    "map": "map(lambda x: x * 2, [1, 2, 3])",
    "filter": "filter(lambda x: x > 1, [1, 2, 3, 4])",
    "count": "itertools.count(5)",
    "count_by_two": "itertools.count(5, 2)",
    "count_far": "itertools.count(1 << 70)",
    "count_fractions": "itertools.count(fractions.Fraction(1, 3), fractions.Fraction(1, 6))",
    "repeat": "itertools.repeat('a', 3)",
    "repeat_for_ever": "itertools.repeat('a')",
    "chain": "itertools.chain([1, 2], [3], [4])",
    "chain_at_its_end": "itertools.chain([1])",
    "chain_of_one_iterable": "itertools.chain.from_iterable([[1, 2], [3]])",
    "pairwise": "itertools.pairwise([1, 2, 3, 4])",
    "starmap": "itertools.starmap(pow, [(1, 2), (3, 4), (5, 6)])",
    "filterfalse": "itertools.filterfalse(None, [0, 1, 0, 0])",
    "compress": "itertools.compress('abcd', [1, 0, 1, 1])",
}
OLD = {
    "takewhile": "itertools.takewhile(lambda x: x < 5, [1, 2, 9, 1])",
    "dropwhile": "itertools.dropwhile(lambda x: x < 2, [1, 2, 3, 1])",
    "islice": "itertools.islice(range(9), 1, 7, 2)",
    "accumulate": "itertools.accumulate([1, 2, 3])",
    "cycle": "itertools.cycle('abc')",
    "product": "itertools.product('ab', repeat=2)",
    "permutations": "itertools.permutations('abc')",
    "tee": "itertools.tee([1, 2, 3])[0]",
}
if sys.version_info < (3, 14):
    CASES.update(OLD)

REFUSED = ["itertools.groupby('aab')"] if sys.version_info >= (3, 14) else []
REFUSED += OLD.values() if sys.version_info >= (3, 14) else []
REFUSED += ["itertools.batched('abc', 2)"] if sys.version_info >= (3, 12) else []
REFUSED += ["iter(memoryview(b'ab'))", "struct.iter_unpack('B', b'ab')"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("moved", [0, 1, 2])
@pytest.mark.parametrize("case", CASES)
def test_it_arrives_where_it_stood(case, moved):
    ship(
        f"""
        import itertools, fractions, warnings
        warnings.simplefilter("ignore")
        def at_step(steps):
            made = {CASES[case]}
            for _ in range(steps):
                next(made, None)
            return made
        it = at_step({moved})
        import capers
        capers.dumps(it)
        want = list(itertools.islice(at_step({moved}), 6))
        obj = it, want
        """,
        "import itertools\nit, want = obj\nassert list(itertools.islice(it, 6)) == want",
        protocols=(2, 5),
    )


@pytest.mark.parametrize("expression", REFUSED)
def test_what_does_not_tell_its_place_is_refused_by_name(expression):
    run(
        f"""
        import capers, itertools, struct
        it = {expression}
        try:
            capers.dumps([it])
        except capers.PicklingError as error:
            assert type(it).__name__ in str(error) and "how far" in str(error), error
        else:
            raise AssertionError("it was written")
        """
    )
