"""What a caller can choose for one dump: modules by value, locks, files, reducers."""

import pytest
from shipping import run, ship

BOX = """
import os, sys
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "away")
os.makedirs(os.path.join(here, "parcel"))
def put(name, text):
    with open(os.path.join(here, name), "w") as file:
        file.write(text)
put("box.py", "K = 3\\ndef helper(x): return x * K\\ndef f(x): return helper(x) + 1\\nclass Thing:\\n    def get(self): return helper(2)\\n")
put("parcel/__init__.py", "from .inner import g\\n")
put("parcel/inner.py", "N = 5\\ndef g(): return N\\n")
sys.path.insert(0, here)
import box, parcel, parcel.inner
import capers, io, pickle, subprocess

def elsewhere(data, expression):
    "Evaluate *expression* on what *data* loads to in a process that cannot import the modules, with both loaders."
    told = []
    for loader in ("capers", "pickle"):
        line = "import %s\\nobj = %s.loads(%r)\\nprint((%s))" % (loader, loader, data, expression)
        ended = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True)
        told.append(ended.stdout.strip() or ended.stderr.strip().splitlines()[-1])
    assert told[0] == told[1], told
    return told[0]
"""


@pytest.mark.parametrize(
    "chosen", ["box", "'box'", "[box]", "('box', parcel)", "capers.LOCAL_MODULES", "[capers.LOCAL_MODULES]"]
)
def test_chosen_modules_travel_by_value_in_one_call(chosen):
    run(
        BOX
        + f"""
assert elsewhere(capers.dumps([box.f, box.Thing()], by_value={chosen}), "obj[0](2), obj[1].get()") == "(7, 6)"
file = io.BytesIO()
capers.dump(box.f, file, by_value={chosen})
capers.Pickler(file, by_value={chosen}).dump(box.Thing())
file.seek(0)
assert box.f is not capers.load(file) and capers.list_registry_pickle_by_value() == set()
assert capers.loads(capers.dumps(box.f)) is box.f
"""
    )


def test_modules_below_a_chosen_one_travel_with_it():
    run(BOX + "\nassert elsewhere(capers.dumps(parcel.g, by_value=parcel), 'obj()') == '5'")


def test_a_module_of_the_users_own_travels_with_the_function_that_uses_it():
    run(
        BOX
        + """
def f(): return box.f(2), parcel.inner.g()
assert elsewhere(capers.dumps(f, by_value=capers.LOCAL_MODULES), "obj()") == "(7, 5)"
assert elsewhere(capers.dumps(box, by_value=capers.LOCAL_MODULES), "obj.f(1), obj.__name__") == "(4, 'box')"
"""
    )


def test_the_users_own_modules_can_be_registered_for_the_process():
    run(
        BOX
        + """
capers.register_pickle_by_value(capers.LOCAL_MODULES)
assert capers.list_registry_pickle_by_value() == {"capers.LOCAL_MODULES"}
assert elsewhere(capers.dumps(box.f), "obj(2)") == "7"
import json, textwrap
assert capers.loads(capers.dumps([json.dumps, textwrap.TextWrapper])) == [json.dumps, textwrap.TextWrapper]
capers.unregister_pickle_by_value(capers.LOCAL_MODULES)
assert capers.loads(capers.dumps(box.f)) is box.f
try: capers.unregister_pickle_by_value(capers.LOCAL_MODULES)
except ValueError: pass
else: raise AssertionError("it was not registered")
"""
    )


def test_what_an_installer_put_there_is_not_the_users_own():
    run(
        """
        import _pytest.outcomes, capers, os, pickle, sys
        from capers._local import is_local
        assert not any(map(is_local, (_pytest.outcomes, os, pickle, sys, capers)))
        assert pickle.loads(capers.dumps(_pytest.outcomes.Exit, by_value=capers.LOCAL_MODULES)) is _pytest.outcomes.Exit
        assert capers.loads(capers.dumps(capers.LOCAL_MODULES)) is capers.LOCAL_MODULES
        """
    )


def test_a_dump_inside_a_dump_has_choices_of_its_own():
    run(
        BOX
        + """
class Inner:
    def __reduce__(self): return pickle.loads, (capers.dumps(box.f),)
inner, outer = capers.loads(capers.dumps([Inner(), box.f], by_value=box))
assert inner is box.f and outer is not box.f
"""
    )


@pytest.mark.parametrize("chosen", ["5", "[5]", "True", "[True]", "object()"])
def test_what_is_no_module_cannot_be_chosen(chosen):
    run(
        f"""
        import capers
        try: capers.dumps(1, by_value={chosen})
        except TypeError as error: assert "by_value" in str(error), error
        else: raise AssertionError("it was taken")
        """
    )


def test_a_module_that_is_not_loaded_cannot_be_chosen():
    run(
        """
        import capers
        try: capers.dumps(1, by_value="nowhere")
        except ValueError as error: assert "nowhere" in str(error)
        else: raise AssertionError("it was taken")
        """
    )


LOCKS = {
    "lock": "threading.Lock()",
    "rlock": "threading.RLock()",
    "condition": "threading.Condition()",
    "event": "threading.Event()",
    "semaphore": "threading.Semaphore()",
    "barrier": "threading.Barrier(2)",
    "queue": "queue.Queue()",
    "simple_queue": "queue.SimpleQueue()",
    "local": "threading.local()",
    "future": "concurrent.futures.Future()",
    "thread": "threading.Thread()",
}


@pytest.mark.parametrize("kind", LOCKS)
def test_locks_and_what_is_built_on_them_are_refused_on_request(kind):
    run(
        f"""
        import capers, concurrent.futures, pickle, queue, threading
        held = {LOCKS[kind]}
        class K: pass
        k = K()
        k.held = held
        capers.loads(capers.dumps(k)), capers.loads(capers.dumps(k, locks="fresh"))
        try: capers.dumps([k], locks="error")
        except pickle.PicklingError as error: assert "locks='error'" in str(error) and "[0].held" in str(error), error
        else: raise AssertionError("it was written")
        capers.dumps([k])
        """
    )


def test_an_unknown_policy_is_refused():
    run(
        """
        import capers
        for wrong in {"locks": "keep"}, {"files": "copy"}:
            try: capers.dumps(1, **wrong)
            except ValueError as error: assert next(iter(wrong)) in str(error)
            else: raise AssertionError(wrong)
        """
    )


def test_the_content_of_files_travels_on_request():
    ship(
        """
        import capers, os, tempfile
        folder = tempfile.mkdtemp()
        def path(name): return os.path.join(folder, name)
        with open(path("text"), "w", encoding="utf-16") as file: file.write("one\\ntwo\\n")
        with open(path("bytes"), "wb") as file: file.write(b"abcdef")
        t, b, r = open(path("text"), encoding="utf-16"), open(path("bytes"), "rb"), open(path("bytes"), "rb", 0)
        t.readline(), b.read(2), r.read(3)
        w, u = open(path("new"), "w"), open(path("bytes"), "r+b")
        w.write("half")
        data = capers.dumps([t, b, r, w, u], files="content")
        assert t.readline() == "two\\n" and b.read() == b"cdef"
        for each in t, b, r, w, u: each.close()
        for name in os.listdir(folder): os.unlink(path(name))
        os.rmdir(folder)
        obj = data
        """,
        """
        import pickle
        t, b, r, w, u = pickle.loads(obj)
        assert t.read() == "two\\n" and t.encoding == "utf-16" and t.name.endswith("text") and t.mode == "r"
        assert b.read() == b"cdef" and r.read() == b"def" and type(r).__name__ == "FileIO"
        w.write(" whole")
        w.flush()
        u.write(b"XY")
        u.seek(0)
        assert u.read() == b"XYcdef" and w.tell() == 10
        for each in t, b, r, w, u: each.close()
        """,
        protocols=(5,),
    )


def test_a_file_without_content_to_read_is_refused_then():
    run(
        """
        import capers, os, pickle, tempfile
        name = os.path.join(tempfile.mkdtemp(), "gone")
        file = open(name, "w")
        os.unlink(name)
        try: capers.dumps(file, files="content")
        except pickle.PicklingError as error: assert "content" in str(error) and error.__cause__ is not None
        else: raise AssertionError("it was written")
        """
    )


SOCKETS = """
import capers, io, pickle, socket
def closed(sock): return str, ("a socket",)
class Mine(socket.socket): pass
def both():
    a, b = socket.socket(), Mine()
    return [a, {"k": b}]
"""


def test_reducers_of_a_call_count_for_subclasses_too():
    run(
        SOCKETS
        + """
assert pickle.loads(capers.dumps(both(), reducers={socket.socket: closed})) == ["a socket", {"k": "a socket"}]
file = io.BytesIO()
capers.dump(both(), file, reducers={socket.socket: closed})
capers.Pickler(file, reducers={socket.socket: closed}).dump(both())
file.seek(0)
assert capers.load(file) == capers.load(file) == ["a socket", {"k": "a socket"}]
try: capers.dumps(both())
except TypeError: pass
else: raise AssertionError("it was written")
"""
    )


def test_the_reducer_of_the_nearest_class_is_asked_and_may_decline():
    run(
        SOCKETS
        + """
def mine(sock): return str, ("mine",)
asked = []
def declines(sock):
    asked.append(sock)
    return NotImplemented
assert capers.loads(capers.dumps(both(), reducers={socket.socket: closed, Mine: mine})) == ["a socket", {"k": "mine"}]
assert capers.loads(capers.dumps(both(), reducers={socket.socket: closed, Mine: declines})) == ["a socket", {"k": "a socket"}]
assert len(asked) == 1
"""
    )


def test_reducers_can_be_registered_for_the_process():
    run(
        SOCKETS
        + """
capers.register_reducer(socket.socket, closed)
assert capers.loads(capers.dumps(both())) == ["a socket", {"k": "a socket"}]
def other(sock): return str, ("other",)
assert capers.loads(capers.dumps(both(), reducers={socket.socket: other})) == ["other", {"k": "other"}]
capers.register_reducer(socket.socket, other)
assert capers.loads(capers.dumps(both()[0])) == "other"
capers.unregister_reducer(socket.socket)
for wrong in lambda: capers.dumps(both()), lambda: capers.unregister_reducer(int):
    try: wrong()
    except (TypeError, ValueError): pass
    else: raise AssertionError("it is still there")
"""
    )


def test_a_subclass_of_pickler_has_reducers_of_its_own():
    run(
        SOCKETS
        + """
class P(capers.Pickler):
    reducers = {socket.socket: closed}
file = io.BytesIO()
P(file).dump(both())
assert pickle.loads(file.getvalue()) == ["a socket", {"k": "a socket"}]
"""
    )


def test_reducers_are_asked_about_functions_classes_and_instances_in_plain_data():
    run(
        """
        import capers, datetime, types
        class K:
            def __init__(self, n): self.n = n
        def f(): ...
        data = [K(1), {"k": (K(2), f)}, K, datetime.date(2020, 1, 2)]
        reducers = {
            K: lambda k: (int, (k.n,)),
            types.FunctionType: lambda f: (str, (f.__name__,)),
            type: lambda c: (str, (c.__name__,)) if c is K else NotImplemented,
            datetime.date: lambda d: (str, (d.isoformat(),)),
        }
        assert capers.loads(capers.dumps(data, reducers=reducers)) == [1, {"k": (2, "f")}, "K", "2020-01-02"]
        assert [type(k) for k in capers.loads(capers.dumps([K(1), K(2)]))] == [K, K]
        """
    )


@pytest.mark.parametrize("wrong", ["{5: len}", "{int: 5}", "[int]", "5"])
def test_what_is_no_reducer_is_refused(wrong):
    run(
        f"""
        import capers
        try: capers.dumps([1], reducers={wrong})
        except (TypeError, ValueError): pass
        else: raise AssertionError("it was taken")
        """
    )


INSIDE = """
import os, sys
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "away")
os.makedirs(here)
with open(os.path.join(here, "shop.py"), "w") as file:
    file.write("rate = 2\\ndef make():\\n    def price(x): return x * rate\\n    return price\\n")
sys.path.insert(0, here)
import shop, capers, subprocess
price = shop.make()
"""


def test_a_function_made_inside_a_module_can_bring_along_the_globals_it_uses():
    run(
        INSIDE
        + """
data = capers.dumps(price, globals="copy")
for loader in ("capers", "pickle"):
    line = "import %s as p, sys; f = p.loads(%r); print(f(4), f.__module__, 'shop' in sys.modules)" % (loader, data)
    assert subprocess.run([sys.executable, "-c", line], capture_output=True, text=True).stdout == "8 shop False\\n"
copy = capers.loads(data)
assert copy.__globals__ is not vars(shop) and capers.loads(capers.dumps(price)).__globals__ is vars(shop)
"""
    )


def test_a_function_can_find_its_globals_in_the_main_module_of_the_receiver():
    run(
        """
        import capers, io, subprocess, sys
        rate = 2
        def price(x): return x * rate
        data = capers.dumps(price, globals="live")
        assert capers.loads(data).__globals__ is globals()
        line = "import capers; f = capers.loads(%r); rate = 3; print(f(4))" % data
        assert subprocess.run([sys.executable, "-c", line], capture_output=True, text=True).stdout == "12\\n"
        file = io.BytesIO()
        capers.Pickler(file, globals="live").dump(price)
        assert capers.loads(file.getvalue()).__globals__ is globals()
        assert capers.loads(capers.dumps(price)).__globals__ is not globals()
        """
    )


def test_globals_that_are_no_choice_are_refused():
    import capers

    with pytest.raises(ValueError, match="globals must be 'module', 'copy' or 'live', not 'mine'"):
        capers.dumps(1, globals="mine")
