"""An error of loading keeps class and text, and a note tells where: offset, opcode, what it was about, who needed it."""

import pytest
from shipping import run

SETUP = """
import capers, os, re, sys, tempfile, types

SOURCE = '''
class Thing: pass
class Base: pass
class Meta(type): pass
class Holder:
    def __init__(self, value): self.value = value
def helper(): pass
'''

def gone():
    # The module that is there when something is pickled, and not when it is loaded.
    return types.ModuleType("gone")

folder = tempfile.mkdtemp()
with open(os.path.join(folder, "gone.py"), "w") as file:
    file.write(SOURCE)
sys.path.insert(0, folder)
import gone
from gone import Thing
"""
LOAD = """
payload = capers.dumps(obj)
os.remove(os.path.join(folder, "gone.py"))
sys.path.remove(folder)
sys.path_importer_cache.clear()
del sys.modules["gone"]
REPLACE
try:
    capers.loads(payload)
except Exception as error:
    notes = getattr(error, "__notes__", [])
    offsets = [int(it) for it in re.findall(r"offset (\\d+)", str(notes))]
    import pickletools
    at = {at: op.name for op, _, at in pickletools.genops(payload)}
    opcodes = re.findall(r"\\((\\w+) at offset", str(notes))
    assert [at[it] for it in offsets] == opcodes and len(notes) == 1, notes
    print(type(error).__name__, re.sub(r"offset \\d+", "offset N", notes[0]), sep=": ", end="")
"""

THING = "while loading the global 'gone.Thing' (STACK_GLOBAL at offset N)"

# What is pickled, and the note that its loading makes.
NEEDED = {
    "by nobody but the list": ("obj = [Thing]", THING),
    "by a global of a function": ("def f(): return Thing\nobj = f", f"{THING}, needed by function 'f'"),
    "by a module global of a function": (
        "def f(): return gone.Thing\nobj = f",
        "while calling 'capers._rebuild.imported' (REDUCE at offset N), needed by function 'f'",
    ),
    "by a nested function": ("def f(): return lambda: Thing\nobj = f", f"{THING}, needed by function 'f'"),
    "by what a function calls": (
        "def g(): return Thing\ndef f(): return g()\nobj = f",
        f"{THING}, needed by function 'f'",
    ),
    "by a default": ("def f(x=Thing): ...\nobj = f", f"{THING}, needed by function 'f'"),
    "by a keyword default": ("def f(*, x=Thing): ...\nobj = f", f"{THING}, needed by function 'f'"),
    "by an annotation": ("def f(): ...\nf.__annotations__ = {'x': Thing}\nobj = f", f"{THING}, needed by function 'f'"),
    "by an attribute of a function": ("def f(): ...\nf.x = Thing\nobj = f", f"{THING}, needed by function 'f'"),
    "by a closure": (
        "def outer(x):\n    def f(): return x\n    return f\nobj = outer(Thing)",
        f"{THING}, needed by function 'outer.<locals>.f'",
    ),
    "by data in a closure": (
        "def outer(x):\n    def f(): return x\n    return f\nobj = outer([{'a': Thing}])",
        f"{THING}, needed by function 'outer.<locals>.f'",
    ),
    "by an attribute of a class": ("class C:\n    x = Thing\nobj = C", f"{THING}, needed by class 'C'"),
    "by a method": ("class C:\n    def m(self): return Thing\nobj = C", f"{THING}, needed by function 'C.m'"),
    "by the bases of a class": (
        "class C(gone.Base): ...\nobj = C",
        "while loading the global 'gone.Base' (STACK_GLOBAL at offset N), needed by class 'C'",
    ),
    "by a class whose metaclass it is": (
        "class C(metaclass=gone.Meta): ...\nobj = C",
        "while loading the global 'gone.Meta' (STACK_GLOBAL at offset N), needed by a class",
    ),
    "by an attribute of an instance": (
        "class C: ...\nobj = C()\nobj.x = Thing",
        f"{THING}, needed by a 'C' object",
    ),
    "by the call that makes an object": (
        "import collections\nobj = collections.deque([Thing], 3)",
        f"{THING}, needed by a 'deque' object",
    ),
    "by an instance of itself": (
        "obj = gone.Holder(1)",
        "while loading the global 'gone.Holder' (STACK_GLOBAL at offset N)",
    ),
}


@pytest.mark.parametrize("who", NEEDED)
def test_a_missing_module_tells_that_it_is_needed(who):
    script, note = NEEDED[who]
    assert run(SETUP + script + LOAD.replace("REPLACE", "")) == f"ModuleNotFoundError: {note}"


@pytest.mark.parametrize("who", [who for who in NEEDED if who != "by a module global of a function"])
def test_a_missing_attribute_tells_that_it_is_needed(who):
    script, note = NEEDED[who]
    assert run(SETUP + script + LOAD.replace("REPLACE", "sys.modules['gone'] = types.ModuleType('gone')")) == (
        f"AttributeError: {note}"
    )


# A stream, and class and note of the error.
STREAMS = {
    "a call that fails": (
        "b'cbuiltins\\nint\\n(Vx\\ntR.'",
        "ValueError: while calling 'int' (REDUCE at offset 19)",
    ),
    "an instance that cannot be made": (
        "b'\\x80\\x02cdatetime\\ndate\\n(K\\x00K\\x00K\\x00t\\x81.'",
        "ValueError: while calling 'datetime.date' (NEWOBJ at offset 25)",
    ),
    "a state that is refused": (
        "b'\\x80\\x02cdecimal\\nContext\\n)\\x81K\\x01b.'",
        None,
    ),
    "a key that cannot be hashed": ("b'}(]]u.'", "TypeError: while loading (SETITEMS at offset 4)"),
    "data that ends too early": (
        "b'\\x80\\x04X\\x10\\x00\\x00\\x00abc'",
        "UnpicklingError: while loading (BINUNICODE at offset 2)",
    ),
    "an unknown opcode": ("b'\\x80\\x04\\xff.'", "UnpicklingError: while loading (offset 2)"),
    "an empty stack": ("b'0.'", "UnpicklingError: while loading (POP at offset 0)"),
    "an empty memo": ("b'h\\x05.'", "UnpicklingError: while loading (BINGET at offset 0)"),
    "an unknown protocol": ("b'\\x80\\x09.'", "ValueError: while loading (PROTO at offset 0)"),
    "an unregistered extension": ("b'\\x80\\x02\\x82\\x55.'", "ValueError: while loading (EXT1 at offset 2)"),
    "a persistent id without a function": ("b'Pa\\n.'", "UnpicklingError: while loading (PERSID at offset 0)"),
    "text that is no number": ("b'Ixx\\n.'", "ValueError: while loading (INT at offset 0)"),
    "a global of an importable module": (
        "b'cos\\nnothing\\n.'",
        "AttributeError: while loading the global 'os.nothing' (GLOBAL at offset 0)",
    ),
    "the end of the input": ("b''", "EOFError"),
}
STREAMS = {name: case for name, case in STREAMS.items() if case[1]}


@pytest.mark.parametrize("what", STREAMS)
@pytest.mark.parametrize("call", ["capers.loads(data)", "capers.load(io.BytesIO(data))"])
def test_an_error_of_loading_tells_the_place_of(what, call):
    stream, told = STREAMS[what]
    assert told == run(
        f"""
import capers, io, pickle
data = {stream}
try:
    {call}
except Exception as error:
    ours = error
try:
    pickle.loads(data)
except Exception as error:
    assert type(error) is type(ours) and str(error) == str(ours), (error, ours)
print(": ".join([type(ours).__name__, *getattr(ours, "__notes__", [])]), end="")
"""
    )


def test_an_exception_of_the_user_keeps_class_text_and_traceback():
    assert (
        run(
            """
import capers, traceback
class C:
    def __init__(self): self.x = 1
    def __setstate__(self, state): raise KeyError("no")
try:
    capers.loads(capers.dumps([C()]))
except KeyError as error:
    assert [it.name for it in traceback.extract_tb(error.__traceback__)][-1] == "__setstate__"
    note, = error.__notes__
    print(error, note.partition(" (")[0], note.partition(" at ")[0].partition("(")[2], end="")
"""
        )
        == "'no' while setting the state of a 'C' object BUILD"
    )


def test_a_load_with_limits_tells_who_needed_a_global():
    assert (
        run(
            SETUP
            + "def f(): return Thing\nobj = f"
            + LOAD.replace("REPLACE", "").replace("loads(payload)", "loads(payload, limits={'depth': 100})")
        )
        == f"ModuleNotFoundError: {THING}, needed by function 'f'"
    )


def test_an_exception_that_is_raised_again_says_the_same_once():
    run(
        """
import capers
KEPT = KeyError("no")
class C:
    def __init__(self): self.x = 1
    def __setstate__(self, state): raise KEPT
class D:
    def __reduce__(self): raise KEPT
THING = D()
def f(): return THING
def notes(work, argument):
    try: work(argument)
    except KeyError as error: return list(error.__notes__)
payload = capers.dumps([C()])
first = notes(capers.loads, payload)
assert len(first) == 1 and notes(capers.loads, payload) == first
both = notes(capers.dumps, f)
assert both == [*first, "while pickling f.__globals__['THING']"] == notes(capers.dumps, f), both
"""
    )


def test_an_exception_that_is_raised_everywhere_collects_no_end_of_notes():
    run(
        """
import capers
KEPT = KeyError("no")
class C:
    def __init__(self): self.x = 1
    def __setstate__(self, state): raise KEPT
for count in range(300):
    try: capers.loads(capers.dumps([*range(count), C()]))
    except KeyError as error: assert error is KEPT
assert 1 < len(KEPT.__notes__) < 100, len(KEPT.__notes__)
assert "offset" in KEPT.__notes__[0]
"""
    )


def test_the_offset_counts_from_where_the_pickle_begins():
    run(
        """
import capers, pickle, re, tempfile
bad = pickle.dumps([0, "x" * 70]) [:-1] + b"R."
with tempfile.TemporaryFile() as file:
    file.write(pickle.dumps([1, 2, 3]) + bad)
    file.seek(0)
    unpickler = capers.Unpickler(file)
    assert unpickler.load() == [1, 2, 3]
    told = []
    for load in (unpickler.load, lambda: capers.loads(bad)):
        try: load()
        except pickle.UnpicklingError as error: told.append(error.__notes__)
assert len(told) == 2 and told[0] == told[1] == ["while loading (REDUCE at offset %d)" % (len(bad) - 2)], told
"""
    )
