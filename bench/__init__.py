"""Measurements of capers against its rivals: ``python3 dev.py bench --suite NAME``.

A suite is a module with ``run(options)`` that prints a table and returns ``(figures, bars)``; ``__main__`` lists them.
Every figure of a table was measured in one run, in interleaved rounds, after the results were checked; rows in which
capers loses stay.
"""
