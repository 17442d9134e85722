"""capers under the names of dill: what its users rely on, and what it writes itself."""

import io
import subprocess
import sys

import capers
import pytest
from capers.compat import dill
from shipping import run


def test_the_names_are_those_of_dills_pickling():
    peer = pytest.importorskip("dill")
    for name in dill.__all__:
        assert hasattr(peer, name) and hasattr(dill, name), name
    assert (dill.HANDLE_FMODE, dill.CONTENTS_FMODE, dill.FILE_FMODE) == (
        peer.HANDLE_FMODE,
        peer.CONTENTS_FMODE,
        peer.FILE_FMODE,
    )
    assert dill.settings.keys() == peer.settings.keys() and dill.DEFAULT_PROTOCOL == peer.DEFAULT_PROTOCOL


def test_what_is_not_here_says_so():
    with pytest.raises(AttributeError, match="capers.compat.dill has no 'source'"):
        _ = dill.source
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = dill.nothing
    with pytest.raises(TypeError, match="has no keyword 'nothing'"):
        dill.dumps(1, nothing=True)


def test_functions_arrive_in_another_process_with_their_globals():
    run(
        """
        import subprocess, sys
        from capers.compat import dill
        rate = 3
        def price(x): return x * rate
        line = "from capers.compat import dill; print(dill.loads(%r)(4))" % dill.dumps(price)
        assert subprocess.run([sys.executable, "-c", line], capture_output=True, text=True).stdout == "12\\n"
        """
    )


def test_without_recurse_a_function_finds_the_globals_that_are_there():
    run(
        """
        from capers.compat import dill
        rate = 3
        def price(x): return x * rate
        own, live = dill.copy(price, recurse=True), dill.copy(price, recurse=False)
        rate = 4
        assert (own(1), live(1)) == (3, 4) and live.__globals__ is globals()
        """
    )


def test_a_class_by_value_arrives_as_a_new_class_and_an_instance_finds_the_one_that_is_there():
    run(
        """
        from capers.compat import dill
        class Box:
            def __init__(self, n): self.n = n
        def make():
            class Inner: pass
            return Inner
        Inner = make()
        copy = dill.copy(Box)
        assert copy is not Box and copy(1).n == 1 and dill.copy(Box) is not copy
        assert type(dill.copy(Box(2))) is Box and type(dill.copy(Box(2), ignore=True)) is not Box
        del Inner
        one, other = dill.copy([make()] * 2)
        assert one is other
        """
    )


def test_by_reference_a_class_travels_by_name_with_a_warning():
    run(
        """
        import warnings
        from capers.compat import dill
        class Box:
            class Inner: pass
        for cls in (Box, Box.Inner):
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                assert dill.copy(cls, byref=True) is cls
            assert [each.category for each in told] == [dill.PicklingWarning]
        dill.settings["byref"] = True
        warnings.simplefilter("ignore")
        assert dill.copy(Box) is Box
        """
    )


def test_copies_are_compared():
    class Odd:
        def __reduce__(self):
            raise TypeError("no")

    assert dill.pickles([1]) and dill.pickles(lambda: 1) and not dill.pickles(lambda: 1, exact=True)
    assert not dill.pickles(Odd())


def test_another_process_is_asked(capfd):
    assert dill.check(lambda: 1, verbose=True) and "loaded by" in capfd.readouterr().out
    program = "import sys; sys.exit('not here')"

    class Fails:
        def __reduce__(self):
            return exec, (program,)

    assert not dill.check(Fails()) and "not here" in capfd.readouterr().out


def test_a_registered_function_reduces_by_its_pickler():
    class Odd:
        pass

    @dill.register(Odd)
    def save(pickler, obj):
        pickler.save_reduce(str, ("odd",), obj=obj)

    assert dill.copy([Odd()]) == ["odd"]

    @dill.register(Odd)
    def ask(pickler, obj):
        pickler.write(b"N.")

    with pytest.raises(AttributeError, match="can call save_reduce of its pickler and nothing else"):
        dill.dumps(Odd())
    capers.unregister_reducer(Odd)


@pytest.mark.parametrize(
    "mode, position, rest", [("HANDLE_FMODE", 0, "hello"), ("CONTENTS_FMODE", 2, "llo"), ("FILE_FMODE", 2, "llo")]
)
def test_a_file_is_opened_again_as_its_mode_says(tmp_path, mode, position, rest):
    path = tmp_path / "text"
    path.write_text("hello")
    with open(path) as file:
        file.read(2)
        data = dill.dumps(file, fmode=getattr(dill, mode))
    with dill.loads(data) as made:
        assert (made.mode, made.tell(), made.read()) == ("r", position, rest)
    if mode == "FILE_FMODE":
        path.unlink()
        with dill.loads(data) as made:
            assert made.read() == rest and not path.exists()
    with pytest.raises(ValueError, match="fmode must be"):
        dill.dumps(1, fmode=7)


def test_a_written_binary_file_goes_on_where_it_was(tmp_path):
    path = tmp_path / "bytes"
    with open(path, "wb") as file:
        file.write(b"abc")
        data = dill.dumps(file, fmode=dill.CONTENTS_FMODE)
    with dill.loads(data) as made:
        made.write(b"d")
    assert path.read_bytes() == b"abcd"


SESSION = """
import json as j, sys
from math import pi as number
x = [1]
def f(): return x, helper()
def helper(): return number
class Box:
    def get(self): return f()
box = Box()
me = sys.modules["__main__"]
from capers.compat import dill
"""


def test_a_session_comes_back_in_another_process(tmp_path):
    file = str(tmp_path / "session")
    run(SESSION + f"dill.dump_module({file!r})")
    run(
        f"""
        from capers.compat import dill
        assert dill.load_module({file!r}) is None
        assert f.__globals__ is globals() and type(box) is Box and me is __import__("__main__")
        x.append(2)
        assert box.get() == ([1, 2], number) and j.dumps([]) == "[]"
        """
    )
    run(
        f"""
        from capers.compat import dill
        x = 5
        held = dill.load_module_asdict({file!r})
        assert x == 5 and held["x"] == [1] and held["f"].__globals__ is not globals() and held["f"]()[0] is held["f"].__globals__["x"]
        assert dill.load_module_asdict({file!r}, update=True)["dill"] is dill
        """
    )


def test_objects_of_other_modules_can_travel_by_name_in_a_session(tmp_path):
    file = str(tmp_path / "session")
    run(
        f"""
        import importable_variables as other, sys, threading, socket
        other.plug = object.__new__(type("Plug", (), {{"__reduce__": lambda self: 1 / 0}}))
        import importable_variables
        plug = here = other.plug
        from capers.compat import dill
        dill.dump_module({file!r}, refimported=True)
        del plug, here
        dill.load_module({file!r})
        assert plug is here is other.plug
        """
    )


def test_a_file_that_holds_no_session_is_refused():
    with pytest.raises(dill.UnpicklingError, match="holds no session"):
        dill.load_module(io.BytesIO(dill.dumps([1])))


SENDER = """
import dill, sys
n = 3
def make(k):
    def add(x): return x + k
    return add
class Thing:
    kept = 1
    def get(self): return self.kept + 3
sys.stdout.buffer.write(dill.dumps([make(2), Thing, Thing(), {1: (2, [3])}, {}.keys()], recurse=True))
"""


def test_payloads_of_dill_load():
    pytest.importorskip("dill")
    ended = subprocess.run([sys.executable, "-c", SENDER], capture_output=True)
    if ended.returncode:
        pytest.skip(f"dill does not run here: {ended.stderr.decode().strip().splitlines()[-1]}")
    made = ended.stdout
    for load in (dill.loads, __import__("capers").loads):
        add, cls, thing, plain, keys = load(made)
        assert add(1) == 3 and type(thing) is cls and thing.get() == 4 and plain == {1: (2, [3])} and not keys
