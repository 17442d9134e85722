"""The native loader and the readable one, stock pickle over ``_rebuild.py``, make the same objects of the same bytes."""

import ast
import io
import pickle
import pickletools
import sys

import capers._rebuild
import pytest
from gallery import GALLERY
from hostile.operands import constructors
from shipping import payload, run

COMPARE = """
    import pickle, sys
    import capers, likeness
    data = {data!r}
    native, readable = capers.loads(data), pickle.loads(data)
    found = likeness.difference(native, readable)
    assert found is None, found
    """


@pytest.mark.parametrize("name", GALLERY)
@pytest.mark.parametrize("protocol", [2, 5])
def test_both_loaders_make_the_same_of(name, protocol, tests_on_path):
    run(COMPARE.format(data=payload(GALLERY[name], protocol)), env=tests_on_path)


@pytest.mark.parametrize("name", GALLERY)
def test_the_pure_python_unpickler_loads(name, tests_on_path):
    run(
        f"""
        import io, pickle, capers, likeness
        data = {payload(GALLERY[name])!r}
        found = likeness.difference(capers.loads(data), pickle._Unpickler(io.BytesIO(data)).load())
        assert found is None, found
        """,
        env=tests_on_path,
    )


@pytest.mark.parametrize("name", GALLERY)
@pytest.mark.parametrize("protocol", range(2, 6))
def test_the_payload_is_a_pickle_of_its_protocol(name, protocol):
    data = payload(GALLERY[name], protocol)
    assert data[:2] == bytes([0x80, protocol]) and data[-1:] == b"."
    for opcode, _, _ in pickletools.genops(data):
        assert opcode.proto <= protocol, opcode.name
    pickletools.dis(data, out=io.StringIO())


def globals_named(data):
    """Return the (module, name) pairs that the payload *data* names, found by loading it with a recording class."""
    named = set()

    class Recorder(pickle._Unpickler):
        def find_class(self, module, name):
            named.add((module, name))
            return super().find_class(module, name)

    Recorder(io.BytesIO(data)).load()
    return named


@pytest.mark.parametrize("name", GALLERY)
def test_nothing_of_capers_but_the_wire_names_is_named_in(name):
    if "importable" in GALLERY[name]:
        pytest.skip("the library is not importable in this process")
    names = {each for module, each in globals_named(payload(GALLERY[name])) if module.partition(".")[0] == "capers"}
    ours = {(m, n) for m, n in globals_named(payload(GALLERY[name])) if m.partition(".")[0] == "capers"}
    assert {m for m, _ in ours} <= {"capers._rebuild"}
    assert names <= set(constructors())


def test_the_readable_loader_imports_the_standard_library_only():
    with open(capers._rebuild.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    used = set()
    for node in tree.body:  # a constructor for an object of another library imports it when it is called
        if isinstance(node, ast.Import):
            used |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            used.add(node.module.partition(".")[0])
    assert used and used <= sys.stdlib_module_names


def test_the_readable_loader_imports_without_the_native_module():
    told = run(
        """
        import sys
        sys.modules["capers._core"] = None
        import capers._rebuild
        print(capers._rebuild.cell(3).cell_contents)
        """
    )
    assert told.split() == ["3"]


@pytest.mark.parametrize("name", ["identity", "rangefact", "a shared counter"])
def test_a_payload_loads_where_the_native_module_is_missing(name):
    data = payload(GALLERY[name])
    run(f"import sys, pickle\nsys.modules['capers._core'] = None\nassert pickle.loads({data!r})")


def test_both_loaders_refuse_the_same_wire_calls():
    """Bad arguments of the constructors raise the same kind of error in both."""
    calls = [
        "rebuild.code, ('not a tag', b'')",
        "rebuild.code, (rebuild.TAG, 'not bytes')",
        "rebuild.code, (rebuild.TAG, marshal.dumps(3))",
        "rebuild.code, (rebuild.TAG,)",
        "rebuild.code, (rebuild.TAG, CODE, 'source')",
        "rebuild.cell, (1, 2)",
        "rebuild.function, (3, {})",
        "rebuild.function, (f.__code__, [])",
        "rebuild.function, (f.__code__, {}, 'not a closure')",
        "rebuild.function, (f.__code__, {}, (rebuild.cell(),))",
        "rebuild.function, ()",
        "rebuild.imported, (3,)",
        "rebuild.imported, ('no.such.module',)",
        "rebuild.module, (3,)",
        "rebuild.module_dict, (3,)",
    ]
    told = run(
        f"""
        import marshal, pickle, capers, capers._rebuild as rebuild, importable
        f = lambda: 0
        CODE = marshal.dumps(f.__code__)
        class Call:
            def __init__(self, call): self.call = call
            def __reduce__(self): return self.call
        def outcome(load, data):
            try:
                return "made " + type(load(data)).__name__
            except Exception as error:
                return type(error).__name__
        for text in {calls!r}:
            function, arguments = eval(text)
            # The arguments that stock pickle cannot write are written by capers.
            data = capers.dumps(Call((function, arguments)), 4)
            both = outcome(capers.loads, data), outcome(pickle.loads, data)
            assert both[0] == both[1], (text, both)
            print(both[0])
        """
    )
    assert len(told.split("\n")) == len(calls) + 1 and "made" not in told
