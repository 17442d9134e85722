"""Pickler and Unpickler: memo, hooks and subclasses."""

import copyreg
import io
import json
import pickle

import capers
import pytest
from shipping import run


def test_a_pickler_writes_a_payload_for_each_dump():
    file = io.BytesIO()
    pickler = capers.Pickler(file)
    pickler.dump([1])
    pickler.dump("two")
    file.seek(0)
    unpickler = capers.Unpickler(file)
    assert [unpickler.load(), unpickler.load()] == [[1], "two"]


def test_a_pickler_remembers_what_it_has_written():
    file = io.BytesIO()
    pickler = capers.Pickler(file)
    shared = ["shared"]
    pickler.dump(shared)
    first = file.tell()
    pickler.dump([shared])
    assert b"shared" not in file.getvalue()[first:]
    file.seek(0)
    unpickler = capers.Unpickler(file)
    one, two = unpickler.load(), unpickler.load()
    assert two[0] is one


def test_a_pickler_forgets_when_told():
    file = io.BytesIO()
    pickler = capers.Pickler(file)
    pickler.dump(["shared"])
    first = file.tell()
    pickler.clear_memo()
    pickler.dump(["shared"])
    assert file.getvalue()[first:] == file.getvalue()[:first]


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickler_writes_what_dumps_returns(protocol):
    file = io.BytesIO()
    capers.Pickler(file, protocol).dump({"a": (1, [2])})
    assert file.getvalue() == capers.dumps({"a": (1, [2])}, protocol)


def test_a_function_goes_through_a_pickler():
    told = run(
        """
        import capers, io
        def outer(n):
            def f(k): return n if k == 0 else f(k - 1)
            return f
        f, file = outer(3), io.BytesIO()
        pickler = capers.Pickler(file)
        pickler.dump(f)
        pickler.dump([f])
        file.seek(0)
        unpickler = capers.Unpickler(file)
        g, (h,) = unpickler.load(), unpickler.load()
        print(g is h, g(2), g is f)
        """
    )
    assert told.split() == ["True", "3", "False"]


class Pids(capers.Pickler):
    def persistent_id(self, obj):
        return ("kept", obj[4:]) if isinstance(obj, str) and obj.startswith("pid") else None


class Unpids(capers.Unpickler):
    def persistent_load(self, pid):
        return [pid]


@pytest.mark.parametrize("protocol", range(1, 6))
def test_persistent_ids_go_out_and_come_in(protocol):
    file = io.BytesIO()
    Pids(file, protocol).dump({"a": "pid 1"})
    assert b"kept" in file.getvalue() and b"pid" not in file.getvalue()
    assert Unpids(io.BytesIO(file.getvalue())).load() == {"a": [("kept", "1")]}


def test_a_persistent_id_without_persistent_load_is_an_error():
    file = io.BytesIO()
    Pids(file).dump(["pid 1"])
    with pytest.raises(capers.UnpicklingError, match="persistent"):
        capers.loads(file.getvalue())


def test_find_class_decides_what_a_name_means():
    class Un(capers.Unpickler):
        def find_class(self, module, name):
            return dict(module=module, name=name)

    assert Un(io.BytesIO(capers.dumps([len]))).load() == [{"module": "builtins", "name": "len"}]


def test_find_class_of_the_base_imports():
    assert capers.Unpickler(io.BytesIO()).find_class("json", "dumps") is json.dumps
    assert capers.Unpickler(io.BytesIO(b"\x80\x04")).find_class("collections", "OrderedDict").__name__ == "OrderedDict"


def test_find_class_is_asked_for_every_name_that_a_function_needs():
    told = run(
        """
        import capers, io
        def f(x): return [f, x]
        class Un(capers.Unpickler):
            def find_class(self, module, name):
                asked.append(module)
                return super().find_class(module, name)
        asked = []
        assert Un(io.BytesIO(capers.dumps(f))).load()(3)[1] == 3
        print(*sorted(set(asked)))
        """
    )
    assert "capers._rebuild" in told.split()


def test_a_dispatch_table_of_a_pickler_is_used():
    class P(capers.Pickler):
        dispatch_table = {**copyreg.dispatch_table, complex: lambda c: (str, ("class table",))}

    file = io.BytesIO()
    P(file).dump([1j])
    pickler = capers.Pickler(file2 := io.BytesIO())
    pickler.dispatch_table = {complex: lambda c: (str, ("instance table",))}
    pickler.dump([1j])
    assert (capers.loads(file.getvalue()), capers.loads(file2.getvalue())) == (["class table"], ["instance table"])


def test_a_registration_with_copyreg_is_used():
    told = run(
        """
        import capers, copyreg, importable
        copyreg.pickle(importable.Holder, lambda h: (str, ("registered",)))
        print(capers.loads(capers.dumps([importable.Holder(1)])))
        """
    )
    assert told.strip() == "['registered']"


def test_reducer_override_is_asked_first_and_can_decline():
    class P(capers.Pickler):
        def reducer_override(self, obj):
            return (str, ("overridden",)) if isinstance(obj, complex) else NotImplemented

    file = io.BytesIO()
    P(file).dump([1j, {1, 2}, len])
    assert capers.loads(file.getvalue()) == ["overridden", {1, 2}, len]


def test_reducer_override_can_take_a_function():
    told = run(
        """
        import capers, io
        class P(capers.Pickler):
            def reducer_override(self, obj):
                return (str, (obj.__name__,)) if callable(obj) and obj.__name__ == "f" else NotImplemented
        def f(): ...
        def g(): return f
        file = io.BytesIO()
        P(file).dump([f, g])
        name, g = capers.loads(file.getvalue())
        print(name, g())
        """
    )
    assert told.split() == ["f", "f"]


def test_a_pickler_without_its_init_refuses_to_work():
    class P(capers.Pickler):
        def __init__(self):
            pass

    with pytest.raises(capers.PicklingError):
        P().dump([1])


def test_an_unpickler_without_its_init_refuses_to_work():
    class U(capers.Unpickler):
        def __init__(self):
            pass

    with pytest.raises(capers.UnpicklingError):
        U().load()


def test_subclasses_take_attributes_of_their_own():
    class P(capers.Pickler):
        pass

    pickler = P(io.BytesIO())
    pickler.own = 3
    assert pickler.own == 3


@pytest.mark.parametrize("name", ["memo", "clear_memo", "dump", "fast", "bin"])
def test_a_pickler_has_what_picklers_have(name):
    assert hasattr(capers.Pickler(io.BytesIO()), name) == hasattr(pickle.Pickler(io.BytesIO()), name)


def test_a_failed_dump_leaves_a_pickler_whose_next_payload_loads_or_that_refuses():
    told = run(
        """
        import capers, io, socket
        file = io.BytesIO()
        pickler = capers.Pickler(file)
        shared = ["shared"]
        try:
            pickler.dump([shared, socket.socket()])
        except Exception as error:
            pass
        file.seek(0), file.truncate()
        try:
            pickler.dump([shared])
        except capers.PicklingError:
            print("refuses")
        else:
            print(capers.loads(file.getvalue()))
        """
    )
    assert told.strip() in ("refuses", "[['shared']]")
