"""Modules that the user has registered travel by value, though they can be imported."""

import pytest
from shipping import run

# `box` and `parcel.inner` can be imported where the payload is made; the receivers run in folders without them.
SETUP = """
import os, sys, subprocess, pickle
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "away")
os.makedirs(os.path.join(here, "parcel"))
def put(name, text):
    with open(os.path.join(here, name), "w") as file:
        file.write(text)
put("box.py", '''
K = 3
STATE = []
def helper(x): return x * K
def f(x): return helper(x) + 1
def note(x): STATE.append(x); return STATE
def total(): return len(STATE)
class Thing:
    def get(self): return helper(2)
''')
put("parcel/__init__.py", "from .inner import g\\n")
put("parcel/inner.py", "N = 5\\ndef g(): return N\\n")
sys.path.insert(0, here)
import box, parcel, parcel.inner
import capers

def elsewhere(obj, expression):
    "Evaluate *expression* on what *obj* is in a process that cannot import the modules."
    data = capers.dumps(obj)
    told = []
    for loader in ("capers", "pickle"):
        line = "import %s\\nobj = %s.loads(%r)\\nprint(%s)" % (loader, loader, data, expression)
        ended = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, cwd="/" if os.name != "nt" else None)
        # capers adds a note to the error that says who needed what is missing.
        lines = [line for line in ended.stderr.splitlines() if line and not line.startswith("while loading")]
        told.append(ended.stdout.strip() or lines[-1])
    assert told[0] == told[1], told
    return told[0]
"""


def by_value(script):
    __tracebackhide__ = True
    run(SETUP + script)


def test_without_registration_a_helper_travels_by_reference():
    by_value(
        "assert capers.dumps(box.f) == pickle.dumps(box.f, 5)\nassert 'ModuleNotFoundError' in elsewhere(box.f, 'obj(2)')"
    )


def test_a_function_of_a_registered_module_arrives():
    by_value("capers.register_pickle_by_value(box)\nassert elsewhere(box.f, 'obj(2)') == '7'")


def test_a_module_can_be_registered_by_name():
    by_value("capers.register_pickle_by_value('box')\nassert elsewhere(box.f, 'obj(2)') == '7'")


def test_a_function_of_a_submodule_of_a_registered_package_arrives():
    by_value("capers.register_pickle_by_value(parcel)\nassert elsewhere(parcel.g, 'obj()') == '5'")


def test_a_registered_submodule_does_not_register_its_package():
    by_value(
        "capers.register_pickle_by_value(parcel.inner)\nassert capers.list_registry_pickle_by_value() == {'parcel.inner'}"
    )


def test_functions_of_a_registered_module_share_their_globals():
    by_value(
        "capers.register_pickle_by_value(box)\nassert elsewhere([box.note, box.total], '(obj[0](1), obj[1]())') == '([1], 1)'"
    )


def test_a_function_of_main_reaches_a_registered_module_by_value():
    by_value(
        "capers.register_pickle_by_value(box)\nfrom box import f\ndef g(x): return f(x)\nassert elsewhere(g, 'obj(2)') == '7'"
    )


def test_a_class_of_a_registered_module_arrives():
    by_value(
        "capers.register_pickle_by_value(box)\nassert elsewhere([box.Thing, box.Thing()], 'obj[1].get(), type(obj[1]) is obj[0]') == '6 True'"
    )


def test_taking_a_registration_back_makes_references_again():
    by_value(
        """
before = capers.dumps(box.f)
capers.register_pickle_by_value(box)
assert capers.dumps(box.f) != before
capers.unregister_pickle_by_value(box)
assert capers.dumps(box.f) == before
"""
    )


def test_a_registration_can_be_taken_back_by_name():
    by_value(
        "capers.register_pickle_by_value(box)\ncapers.unregister_pickle_by_value('box')\nassert not capers.list_registry_pickle_by_value()"
    )


def test_the_registry_lists_names():
    by_value(
        """
assert capers.list_registry_pickle_by_value() == set()
capers.register_pickle_by_value(box)
capers.register_pickle_by_value(parcel)
capers.register_pickle_by_value(box)
assert capers.list_registry_pickle_by_value() == {"box", "parcel"}
"""
    )


def test_the_list_of_the_registry_is_a_copy():
    by_value(
        "capers.register_pickle_by_value(box)\ncapers.list_registry_pickle_by_value().clear()\n"
        "assert capers.list_registry_pickle_by_value() == {'box'}"
    )


def test_taking_back_what_was_not_registered_is_an_error():
    by_value(
        "try:\n    capers.unregister_pickle_by_value(box)\nexcept ValueError as error:\n    assert 'box' in str(error)\nelse:\n    raise AssertionError('no error')"
    )


@pytest.mark.parametrize("thing", ["3", "None", "len", "['box']"])
def test_what_is_no_module_and_no_name_is_refused(thing):
    by_value(
        f"try:\n    capers.register_pickle_by_value({thing})\nexcept (TypeError, ValueError):\n    pass\nelse:\n    raise AssertionError('no error')"
    )


def test_the_module_itself_travels_by_value_when_registered():
    by_value(
        "capers.register_pickle_by_value(box)\nassert elsewhere(box, 'obj.f(2), obj.__name__').startswith('7 box')"
    )
