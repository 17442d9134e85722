"""capers under the names of cloudpickle: what its users rely on, and what it writes itself."""

import io
import subprocess
import sys

import pytest
from capers.compat import cloudpickle
from shipping import run, ship

LIKE_CLOUDPICKLE = {"SHIP_WITH": "capers.compat.cloudpickle"}


def test_the_names_are_those_of_cloudpickle():
    peer = pytest.importorskip("cloudpickle")
    missing = [name for name in [*peer.__all__, "DEFAULT_PROTOCOL"] if not hasattr(cloudpickle, name)]
    assert missing == [] and cloudpickle.Pickler is cloudpickle.CloudPickler
    assert cloudpickle.DEFAULT_PROTOCOL == peer.DEFAULT_PROTOCOL


def test_the_arguments_are_those_of_cloudpickle():
    peer = pytest.importorskip("cloudpickle")
    import inspect

    def names(function):
        return [name for name in inspect.signature(function).parameters if name != "self"]

    for name in ("dumps", "dump", "register_pickle_by_value", "unregister_pickle_by_value"):
        assert names(getattr(cloudpickle, name)) == names(getattr(peer, name)), name
    assert names(cloudpickle.CloudPickler.__init__) == names(peer.CloudPickler.__init__)


def test_a_closure_arrives():
    ship("def make(n):\n    return lambda x: x + n\nobj = make(2)", "assert obj(3) == 5", env=LIKE_CLOUDPICKLE)


def test_buffers_go_out_of_band_by_position():
    buffers = []
    data = cloudpickle.dumps(__import__("pickle").PickleBuffer(b"abc"), 5, buffers.append)
    assert bytes(cloudpickle.loads(data, buffers=buffers)) == b"abc" and len(buffers) == 1


def test_functions_of_an_importable_module_have_globals_of_their_own():
    run(
        """
        import importable, types
        from capers.compat import cloudpickle
        code = compile("def make():\\n    def f(): return spam\\n    return f", "x", "exec")
        exec(code, vars(importable))
        importable.spam = 1
        f = importable.make()
        copy = cloudpickle.loads(cloudpickle.dumps(f))
        importable.spam = 2
        assert copy.__globals__ is not f.__globals__ and (copy(), f()) == (1, 2)
        """,
    )


def test_a_derived_pickler_decides_before_all_else_and_leaves_the_rest():
    class Mine(cloudpickle.CloudPickler):
        def reducer_override(self, obj):
            if isinstance(obj, complex):
                return (float, (obj.real,))
            return super().reducer_override(obj)

    file = io.BytesIO()
    Mine(file, protocol=4).dump([2 + 1j, lambda: 3])
    number, function = cloudpickle.loads(file.getvalue())
    assert number == 2.0 and function() == 3


def test_a_derived_pickler_that_overrides_nothing_is_not_asked():
    class Plain(cloudpickle.CloudPickler):
        pass

    pickler = Plain(io.BytesIO())
    assert not hasattr(pickler, "reducer_override")
    pickler.dump(lambda: 1)


def test_the_dispatch_table_of_the_class_counts():
    class Odd:
        pass

    class Mine(cloudpickle.CloudPickler):
        dispatch_table = cloudpickle.CloudPickler.dispatch_table.new_child({Odd: lambda obj: (str, ("odd",))})

    file = io.BytesIO()
    Mine(file).dump(Odd())
    assert cloudpickle.loads(file.getvalue()) == "odd"


@pytest.mark.parametrize("at", [0, 1, 4])
def test_of_a_text_file_the_content_travels(tmp_path, at):
    path = tmp_path / "text"
    path.write_text("ä\nöüß", encoding="utf-8")
    with open(path, encoding="utf-8") as file:
        file.read(at)
        place = file.tell()
        made = cloudpickle.loads(cloudpickle.dumps(file))
        assert type(made) is io.StringIO and made.tell() == at and file.tell() == place
        assert made.read() == "ä\nöüß"[at:] == file.read() and made.getvalue() == "ä\nöüß"


def test_files_that_cloudpickle_refuses_are_refused(tmp_path):
    path = tmp_path / "text"
    with open(path, "w") as file:
        with pytest.raises(cloudpickle.PicklingError, match="not open for reading"):
            cloudpickle.dumps(file)
    with pytest.raises(cloudpickle.PicklingError, match="Cannot pickle closed files"):
        cloudpickle.dumps(file)
    with open(path) as file:
        assert cloudpickle.loads(cloudpickle.dumps([file]))[0].read() == ""


def test_modules_are_registered_as_objects():
    with pytest.raises(ValueError, match="Input should be a module object, got json instead"):
        cloudpickle.register_pickle_by_value("json")
    with pytest.raises(ValueError, match="is not registered for pickle by value"):
        cloudpickle.unregister_pickle_by_value(io)
    import importlib

    module = importlib.import_module("json")
    cloudpickle.register_pickle_by_value(module)
    assert cloudpickle.list_registry_pickle_by_value() == {"json"}
    cloudpickle.unregister_pickle_by_value(module)
    assert cloudpickle.list_registry_pickle_by_value() == set()


SENDER = """
import enum, sys
import cloudpickle as peer
n = 3
def make(k):
    def add(x): return x + k + n
    return add
class Base:
    kept = 1
    def get(self): return super().__repr__() and self.kept
class Thing(Base):
    def get(self): return super().get() + n
class Colour(enum.Enum):
    RED = 1
    BLUE = 2
sys.stdout.buffer.write(peer.dumps([make(2), Thing, Thing(), Colour.RED, Colour, {1: (2, [3])}]))
"""


def test_payloads_of_cloudpickle_load():
    pytest.importorskip("cloudpickle")
    made = subprocess.run([sys.executable, "-c", SENDER], capture_output=True, check=True).stdout
    add, cls, thing, red, colours, plain = cloudpickle.loads(made)
    assert add(1) == 6 and type(thing) is cls and thing.get() == 4 and colours.RED is red and plain == {1: (2, [3])}
