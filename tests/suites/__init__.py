"""Tests of other projects, run against capers: ``python3 dev.py suites``.

Nothing of theirs is kept here.  CPython's tests are those of the interpreter that runs them; what is here finds them,
puts capers in the place of `pickle`, and compares with what `pickle` itself does in the same place.

A *peer* is a source of tests, a module with a table of *jobs*; a *subject* is what stands in for `pickle`.  The parent
(`parent`) runs each job with each subject in a process of its own (`child`), so that a crash or a hang is charged to the
test that ran, and the rest of the job goes on without it.
"""
