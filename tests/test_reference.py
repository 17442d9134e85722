"""What can be imported travels as a name, and a name is used only when it leads back to the very same object."""

import pickle

import capers
import pytest
from shipping import payload, run, ship

IMPORTABLE = {
    "a_function": "importable.plain",
    "a_function_decorated_in_its_module": "importable.decorated",
    "a_function_of_a_submodule": "importable.deep.below.answer",
    "a_method_of_a_class": "importable.Holder.get",
    "a_static_method": "importable.Holder.double",
    "a_method_of_a_class_in_a_class": "importable.Holder.Inner.method",
    "a_class": "importable.Holder",
    "a_class_in_a_class": "importable.Holder.Inner",
    "a_builtin_function": "len",
    "a_builtin_exception": "ValueError",
    "a_function_of_the_standard_library": "importable.functools.reduce",
    "a_type_of_the_standard_library": "importable.functools.partial",
}


@pytest.mark.parametrize("what", IMPORTABLE)
def test_by_reference_travels(what):
    expression = IMPORTABLE[what]
    ship(
        f"import importable.deep.below\nobj = {expression}", f"import importable.deep.below\nassert obj is {expression}"
    )


@pytest.mark.parametrize("what", IMPORTABLE)
@pytest.mark.parametrize("protocol", range(2, 6))
def test_the_reference_is_the_one_that_stock_pickle_writes_for(what, protocol):
    both = run(
        f"""
        import pickle, capers, importable.deep.below
        obj = {IMPORTABLE[what]}
        print(pickle.dumps(obj, {protocol}).hex(), capers.dumps(obj, {protocol}).hex())
        """
    ).split()
    assert both[0] == both[1]


def test_a_class_method_arrives_bound_to_the_receivers_class():
    ship(
        "import importable\nobj = importable.Holder.of",
        "import importable\nassert obj == importable.Holder.of and obj(3).get() == 3",
    )


def test_a_patched_function_arrives_as_the_patch():
    ship(
        """
        import functools, importable
        original = importable.plain
        @functools.wraps(original)
        def patched(x): return "patched"
        importable.plain = patched
        obj = patched
        """,
        "assert obj(1) == 'patched'",
    )


def test_the_function_that_a_patch_replaced_arrives_as_itself():
    ship(
        """
        import importable
        original = importable.plain
        importable.plain = lambda x: "patched"
        obj = original
        """,
        "import importable\nimportable.plain = lambda x: 'patched over there too'\nassert obj(4) == 8",
        in_place=False,
    )


def test_a_patch_by_a_lambda_arrives_as_the_patch():
    ship(
        """
        import importable
        importable.plain = lambda x: "patched"
        def f(): return importable.plain
        obj = importable.plain
        """,
        "assert obj(1) == 'patched'",
    )


def test_a_function_that_only_claims_to_be_importable_travels_by_value():
    ship(
        """
        def dumps(x): return "not json's"
        dumps.__module__ = "json"
        obj = dumps
        """,
        "assert obj(1) == \"not json's\" and obj.__module__ == 'json'",
    )


def test_a_function_that_claims_a_module_that_does_not_exist_travels_by_value():
    ship(
        "def f(x): return x + 1\nf.__module__ = 'no.such.module'\nobj = f",
        "assert obj(1) == 2 and obj.__module__ == 'no.such.module'",
    )


def test_a_function_without_a_module_travels_by_value():
    ship("def f(x): return x + 1\nf.__module__ = None\nobj = f", "assert obj(1) == 2 and obj.__module__ is None")


def test_a_function_shadowed_by_its_redefinition_arrives_as_it_was():
    ship(
        """
        def f(): return "first"
        first = f
        def f(): return "second"
        obj = (first, f)
        """,
        "first, second = obj\nassert (first(), second()) == ('first', 'second')",
    )


def test_a_lambda_is_never_looked_up_by_its_name():
    ship("f = lambda: 1\ng = lambda: 2\nobj = [f, g]", "assert [f() for f in obj] == [1, 2]")


def test_two_inner_functions_of_one_qualname_stay_two():
    ship(
        """
        def outer(n):
            def inner(): return n
            return inner
        obj = [outer(1), outer(2)]
        """,
        "assert [f() for f in obj] == [1, 2]",
    )


def test_a_function_of_main_is_never_taken_from_the_receivers_main():
    ship(
        "def main(): return 'sent'\nobj = main",
        """
        assert obj() == "sent"
        """,
    )


def test_a_function_of_main_is_by_value_when_the_receivers_main_has_a_namesake():
    data = payload("def f(): return 'sent'\nobj = f")
    told = run(
        f"""
        import capers, pickle
        def f(): return "resident"
        data = {data!r}
        print(capers.loads(data)(), pickle.loads(data)(), f())
        """
    )
    assert told.split() == ["sent", "sent", "resident"]


def test_a_function_of_main_is_by_value_when_loaded_where_it_was_dumped():
    told = run(
        """
        import capers
        def f(): return "old"
        data = capers.dumps(f)
        def f(): return "new"
        print(capers.loads(data)(), f())
        """
    )
    assert told.split() == ["old", "new"]


def test_a_helper_beside_the_script_travels_by_reference():
    told = run(
        """
        import os, sys, pickle, capers
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "helper_beside.py"), "w") as file:
            file.write("def f(): return 1\\n")
        import helper_beside
        print(capers.dumps(helper_beside.f) == pickle.dumps(helper_beside.f, 5))
        """
    )
    assert told.split() == ["True"]


def test_the_error_for_a_module_that_is_missing_names_it():
    data = pickle.dumps(pytest.importorskip, 4).replace(b"_pytest.outcomes", b"vanished.modules")
    told = run(
        f"""
        import capers
        try:
            capers.loads({data!r})
        except ModuleNotFoundError as error:
            print(error)
        """
    )
    assert "vanished" in told


def test_an_attribute_of_a_loaded_module_that_is_missing_is_named():
    told = run(
        """
        import capers
        try:
            capers.loads(b"\\x80\\x04\\x8c\\x04json\\x8c\\x07no_such\\x93.")
        except AttributeError as error:
            print(error)
        """
    )
    assert "no_such" in told and "json" in told


class Private:
    class __Inner:
        def method(self):
            return 1

    inner = __Inner


@pytest.mark.parametrize("protocol", range(6))
def test_a_private_class_of_a_class_travels_by_its_mangled_name(protocol):
    data = capers.dumps([Private.inner, Private.inner()], protocol)
    assert b"_rebuild" not in data and b"_Private__Inner" in data
    for loads in (capers.loads, pickle.loads):
        kind, made = loads(data)
        assert kind is Private.inner and type(made) is kind


def test_a_module_of_a_loaded_package_is_imported_to_find_a_class_there():
    ship(
        "import sys, importable\nassert 'importable.late' not in sys.modules\nobj = importable.Hidden, importable.Hidden()",
        "import importable.late\nassert obj[0] is importable.late.Hidden and type(obj[1]) is obj[0]",
    )


@pytest.mark.parametrize(
    "stated", ["importable.nowhere", "importable_plain", "importable.deep.nowhere", "nowhere.at.all"]
)
def test_nothing_else_is_imported_to_find_a_class(stated):
    run(
        f"""
        import sys, importable, capers
        class Thing:
            def get(self): return 5
        Thing.__module__ = {stated!r}
        data = capers.dumps(Thing)
        assert {stated!r} not in sys.modules
        assert capers.loads(data)().get() == 5
        """
    )
