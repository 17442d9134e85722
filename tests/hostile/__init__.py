"""Input that means harm: streams that are no pickles, and programs that do to a pickler what nobody should.

``streams`` makes the corpus, ``feeder`` is the process that loads it, ``runner`` watches over feeders and judges them;
``programs`` holds the programs.  ``python -m tests.hostile`` runs everything and prints a table.
"""
