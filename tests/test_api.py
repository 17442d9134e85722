"""The public names: those of pickle, with its arguments and its exceptions."""

import array
import ast
import collections
import copyreg
import functools
import importlib.resources
import inspect
import io
import pickle

import capers
import pytest
from shipping import run

NAMES = """dumps dump loads load Pickler Unpickler PickleError PicklingError UnpicklingError HIGHEST_PROTOCOL DEFAULT_PROTOCOL
    PickleBuffer register_pickle_by_value unregister_pickle_by_value list_registry_pickle_by_value""".split()
CALLABLE = ["dumps", "dump", "loads", "load", "Pickler", "Unpickler"]
DOCUMENTED = [name for name in NAMES if not name.endswith("_PROTOCOL")]


@pytest.mark.parametrize("name", NAMES)
def test_capers_has(name):
    assert getattr(capers, name) is not None


def test_all_lists_the_public_names():
    assert set(NAMES) <= set(capers.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_dir_shows(name):
    assert name in dir(capers)


@pytest.mark.parametrize("name", NAMES)
def test_a_from_import_finds(name):
    space = {}
    exec(f"from capers import {name}", space)
    assert space[name] is getattr(capers, name)


def test_a_name_that_capers_lacks_raises_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = capers.no_such_name


@pytest.mark.parametrize("name", ["PickleError", "PicklingError", "UnpicklingError", "PickleBuffer"])
def test_it_is_the_one_of_pickle(name):
    assert getattr(capers, name) is getattr(pickle, name)


def test_the_default_protocol_is_the_highest():
    assert capers.DEFAULT_PROTOCOL == capers.HIGHEST_PROTOCOL == pickle.HIGHEST_PROTOCOL == 5


@pytest.mark.parametrize("name", CALLABLE)
def test_the_signature_has_the_parameters_of_pickle_in(name):
    theirs = {
        "dumps": "(obj, protocol=None, *, fix_imports=True, buffer_callback=None)",
        "dump": "(obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)",
        "loads": "(data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())",
        "load": "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())",
        "Pickler": "(file, protocol=None, fix_imports=True, buffer_callback=None)",
        "Unpickler": "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())",
    }[name]
    wanted = inspect.signature(eval("lambda %s: 0" % theirs[1:-1])).parameters
    ours = inspect.signature(getattr(capers, name)).parameters
    for each in wanted.values():
        assert each.name in ours, each.name
        assert ours[each.name].kind == each.kind
    required = [each.name for each in ours.values() if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
    assert required == [each.name for each in wanted.values() if each.default is each.empty]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_docstring_explains(name):
    if name in ("PickleError", "PicklingError", "UnpicklingError", "PickleBuffer"):
        pytest.skip("it is pickle's own")
    assert len(getattr(capers, name).__doc__ or "") > 60


@pytest.mark.parametrize("name", ["load", "loads", "Unpickler"])
def test_the_docstring_warns_about_data_that_is_not_trusted(name):
    assert "trust" in getattr(capers, name).__doc__


def stubs():
    files = importlib.resources.files("capers")
    return {name for stub in ("__init__.pyi", "_core.pyi") for name in declared(files / stub)}


def declared(file):
    if file.is_file():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield node.name
            elif isinstance(node, ast.AnnAssign):
                yield ast.unparse(node.target)
            elif isinstance(node, ast.ImportFrom):
                yield from (each.asname or each.name for each in node.names)


@pytest.mark.parametrize("name", NAMES)
def test_the_stubs_declare(name):
    assert name in stubs()


def test_the_package_says_that_it_is_typed():
    assert (importlib.resources.files("capers") / "py.typed").is_file()


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize("protocol", range(6))
def test_the_protocol_asked_for_is_written(protocol):
    data = capers.dumps([1], protocol)
    assert data == pickle.dumps([1], protocol)


def test_no_protocol_and_none_mean_the_default():
    assert capers.dumps([1]) == capers.dumps([1], None) == capers.dumps([1], protocol=None) == capers.dumps([1], 5)


def test_a_negative_protocol_means_the_highest():
    assert capers.dumps([1], -1) == capers.dumps([1], protocol=-3) == capers.dumps([1], 5)


@pytest.mark.parametrize("protocol", [6, 100])
def test_a_protocol_that_does_not_exist_is_refused(protocol):
    with pytest.raises(ValueError, match="protocol must be <= 5"):
        capers.dumps([1], protocol)


@pytest.mark.parametrize("protocol", ["5", 2.0, []])
def test_a_protocol_that_is_no_integer_is_refused(protocol):
    with pytest.raises(TypeError):
        capers.dumps([1], protocol)


def test_dump_writes_what_dumps_returns():
    file = io.BytesIO()
    assert capers.dump({"a": [1]}, file, 4) is None
    assert file.getvalue() == capers.dumps({"a": [1]}, 4)


def test_dump_appends_where_the_file_is():
    file = io.BytesIO()
    for each in (1, "two", [3]):
        capers.dump(each, file)
    file.seek(0)
    assert [capers.load(file) for _ in range(3)] == [1, "two", [3]]
    with pytest.raises(EOFError):
        capers.load(file)


def test_load_leaves_what_follows_in_the_file():
    file = io.BytesIO(capers.dumps([1]) + b"rest")
    assert capers.load(file) == [1] and file.read() == b"rest"


def test_loads_ignores_what_follows_the_payload():
    assert capers.loads(capers.dumps([1]) + b"rest") == [1]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_loads_takes_any_buffer(kind):
    assert capers.loads(kind(capers.dumps({"a": 1}))) == {"a": 1}


def test_loads_takes_an_array_and_a_slice_of_a_view():
    data = capers.dumps([1])
    assert capers.loads(array.array("B", data)) == [1]
    assert capers.loads(memoryview(b"xx" + data)[2:]) == [1]


@pytest.mark.parametrize("data", ["text", 3, None, [b"x"]], ids=repr)
def test_loads_refuses_what_is_no_buffer(data):
    with pytest.raises(TypeError, match="bytes-like"):
        capers.loads(data)


def test_dump_refuses_a_file_that_cannot_write():
    with pytest.raises(TypeError, match="write"):
        capers.dump(1, object())


def test_load_refuses_a_file_that_cannot_read():
    with pytest.raises(TypeError, match="read"):
        capers.load(object())


@pytest.mark.parametrize("call", ["dumps()", "loads()", "dumps(1, 2, 3)", "dump(1)", "dumps(1, no_such=2)", "loads(b'N.', no_such=2)", "Pickler()", "Unpickler()"])  # fmt: skip
def test_a_call_with_the_wrong_arguments_raises_type_error(call):
    with pytest.raises(TypeError):
        eval("capers." + call)


def test_the_object_and_the_file_can_be_named():
    file = io.BytesIO()
    capers.dump(obj=[1], file=file)
    file.seek(0)
    assert capers.load(file=file) == [1] and capers.loads(capers.dumps(obj=[1])) == [1]


def test_buffers_travel_out_of_band():
    buffers = []
    data = capers.dumps([pickle.PickleBuffer(b"x" * 5000), 1], 5, buffer_callback=buffers.append)
    assert len(data) < 100 and len(buffers) == 1
    assert bytes(capers.loads(data, buffers=buffers)[0]) == b"x" * 5000


def test_buffers_that_the_callback_keeps_inside_travel_in_band():
    data = capers.dumps(pickle.PickleBuffer(b"x" * 5000), 5, buffer_callback=lambda buffer: True)
    assert capers.loads(data) == b"x" * 5000


def test_a_buffer_callback_needs_protocol_5():
    with pytest.raises(ValueError, match="protocol"):
        capers.dumps([1], 4, buffer_callback=[].append)


def test_missing_buffers_are_an_error():
    data = capers.dumps(pickle.PickleBuffer(b"x"), 5, buffer_callback=lambda buffer: None)
    with pytest.raises(capers.UnpicklingError, match="buffer"):
        capers.loads(data)


def test_arrays_in_a_closure_travel_out_of_band():
    run(
        """
        import capers, sys
        try:
            import numpy as np
        except ImportError:
            sys.exit()
        def outer(a): return lambda i: a[i]
        buffers = []
        data = capers.dumps(outer(np.arange(250_000.0)), protocol=5, buffer_callback=buffers.append)
        assert len(data) < 5000 and len(buffers) == 1
        assert capers.loads(data, buffers=buffers)(7) == 7.0
        """
    )


OLD = b"\x80\x02]q\x00(U\x03ab\xe9q\x01c__builtin__\nset\nq\x02ccopy_reg\n_reconstructor\nq\x03e."


def test_strings_of_python_2_are_decoded_as_asked():
    assert capers.loads(OLD, encoding="latin-1")[0] == "abé"
    assert capers.loads(OLD, encoding="bytes")[0] == b"ab\xe9"
    assert capers.loads(OLD, encoding="ascii", errors="ignore")[0] == "ab"
    with pytest.raises(UnicodeDecodeError):
        capers.loads(OLD)


def test_names_of_python_2_are_translated_unless_told_not_to():
    assert capers.loads(OLD, encoding="bytes")[1:] == [set, copyreg._reconstructor]
    with pytest.raises(ModuleNotFoundError, match="__builtin__"):
        capers.loads(OLD, encoding="bytes", fix_imports=False)


@pytest.mark.parametrize("fix_imports", [True, False])
@pytest.mark.parametrize("protocol", range(3))
def test_names_for_python_2_are_written_as_pickle_writes_them(fix_imports, protocol):
    for obj in (set, range, functools.reduce, collections.UserDict, ValueError, print):
        assert capers.dumps(obj, protocol, fix_imports=fix_imports) == pickle.dumps(
            obj, protocol, fix_imports=fix_imports
        )


# ---------------------------------------------------------------- importing


HEAVY = ["ast", "asyncio", "cloudpickle", "concurrent", "ctypes", "dataclasses", "email", "http", "inspect", "logging",
         "multiprocessing", "numpy", "pandas", "socket", "ssl", "subprocess", "tempfile", "tokenize", "typing", "unittest"]  # fmt: skip


def test_importing_capers_imports_no_heavy_module():
    told = run(
        """
        import sys
        import pickle
        before = set(sys.modules)
        import capers
        capers.loads(capers.dumps(lambda: 0))
        print(*(set(sys.modules) - before))
        """
    )
    assert not set(told.split()) & set(HEAVY)


def test_importing_capers_does_not_load_the_native_module_yet():
    assert run("import sys, capers, capers._rebuild\nprint('capers._core' in sys.modules)").split() == ["False"]


def test_dumping_imports_nothing_that_the_object_does_not_need():
    told = run(
        """
        import sys, capers
        capers.dumps
        before = set(sys.modules)
        def f(x): return [y + len(x) for y in x]
        capers.dumps([f, {"a": (1, 2.5)}])
        print(*sorted(set(sys.modules) - before))
        """
    )
    assert set(told.split()) <= {"capers._rebuild", "copyreg", "_compat_pickle"}


def test_capers_has_a_version():
    assert capers.__version__.count(".") == 2
