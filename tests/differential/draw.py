"""Draws graphs and compares the two libraries: ``python -m differential.draw SEED COUNT``.

Prints how many graphs were compared, then a line for each difference, the smallest graph of each kind first.
"""

import sys

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from . import both, graphs

EVERYTHING = list(HealthCheck)


def main(start, count):
    """Compare so many graphs."""
    both.register()
    found, compared = {}, 0

    # Differences are collected, not raised: all of them are to be seen, and the graphs are small as they are.
    @seed(start)
    @settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=EVERYTHING, phases=[Phase.generate]
    )
    @given(graphs.recipes(), st.integers(0, 5), st.sampled_from(both.HOWS))
    def run(recipe, protocol, how):
        nonlocal compared
        compared += 1
        difference = both.difference(graphs.build(recipe), protocol, how)
        if difference:
            text = f"{difference[:300]} at protocol {protocol}, {how}: {recipe!r}"
            kind = difference[:40]
            if len(text) < len(found.get(kind, text + " ")):
                found[kind] = text

    run()
    print(compared)
    for text in found.values():
        print(text.replace("\n", "\\n"))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
