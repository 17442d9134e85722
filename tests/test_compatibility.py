"""Every object of the gallery behind COMPATIBILITY.md travels, or is refused with the reason."""

import pytest
from compatibility import FAMILIES
from compatibility.journey import possible
from shipping import run, ship

ENTRIES = {f"{family.title}: {entry.title}": entry for family in FAMILIES for entry in family.entries}
TRAVELS = [name for name, entry in ENTRIES.items() if not entry.stays]
GOES = [
    pytest.param(name, marks=pytest.mark.xfail(reason=ENTRIES[name].nowhere) if ENTRIES[name].nowhere else ())
    for name in TRAVELS
]


def entry_of(name):
    """Return the entry, or skip the test where this interpreter cannot run it."""
    entry = ENTRIES[name]
    if not possible(entry):
        pytest.skip("needs %s" % (" and ".join(entry.needs) or "another Python"))
    return entry


@pytest.mark.parametrize("name", GOES)
def test_it_travels(name, tmp_path):
    entry = entry_of(name)
    env = {"TOOL": "capers", "FOLDER": str(tmp_path)}
    if hidden(entry):
        refused(entry, "it does not tell how far it has come", env)
    else:
        ship(entry.script, entry.check, protocols=(4, 5), in_place=False, env=env)


@pytest.mark.parametrize("name", TRAVELS)
def test_its_check_asks_nothing_that_the_original_does_not_do(name, tmp_path):
    entry = entry_of(name)
    if entry.only_after:
        pytest.skip("holds only after a journey")
    # As a function of its own the check leaves no reference to the object behind.
    check = "import sys\nspace = {'__name__': '__check__', 'obj': obj}\ndel obj\nexec(%r, space)\nsys.stdout.flush()\n"
    run(entry.script + check % entry.check, env={"TOOL": "capers", "FOLDER": str(tmp_path)})


@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if entry.stays])
def test_it_is_refused_with_the_reason(name, tmp_path):
    entry = entry_of(name)
    refused(entry, entry.stays, {"TOOL": "capers", "FOLDER": str(tmp_path)})


def test_there_are_at_least_150_objects_and_no_two_of_one_name():
    assert len(ENTRIES) == sum(len(family.entries) for family in FAMILIES) >= 150


def refused(entry, reason, env):
    """Find *reason* in what capers says of the object of *entry*."""
    __tracebackhide__ = True
    said = run(
        entry.script
        + """
import capers, pickle
try:
    capers.dumps([obj])
except pickle.PicklingError as error:
    print(error)
else:
    raise AssertionError("it was written")
import os, sys
sys.stdout.flush()
os._exit(0)
""",
        env=env,
    )
    assert reason in said and ("[0]" in said), said


def hidden(entry):
    """Whether this interpreter keeps to itself what the object of *entry* is."""
    import sys

    return entry.hidden_since is not None and sys.version_info >= entry.hidden_since
