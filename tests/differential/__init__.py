"""capers and the C pickler of the same interpreter, given the same: they must do the same.

``graphs`` makes object graphs, ``streams`` makes streams; ``worker`` is the process that loads the streams with one of
the two, ``compare`` runs both and compares what they report.  ``python -m tests.differential`` runs everything.
"""
