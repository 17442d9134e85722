"""A refusal tells in one sentence what cannot travel, why, and the whole way to it: one test for each kind of step."""

import sys

import pytest
from shipping import run

SETUP = """
import sys, types, capers, importable

F = sys._getframe()

def named(thing):
    # Makes a class or function of this script one that others import, so that it travels by reference.
    thing.__module__, thing.__qualname__ = "importable", thing.__name__
    setattr(importable, thing.__name__, thing)
    return thing

@named
class Reduced:
    def __init__(self, *reduction):
        self.reduction = reduction
    def __reduce__(self):
        return self.reduction

@named
def make(*args):
    return types.SimpleNamespace()

@named
def put(obj, state):
    pass
"""
ASK = """
try:
    capers.dumps(obj)
except Exception as error:
    print(type(error).__name__, error, sep=": ", end="")
    for note in getattr(error, "__notes__", []):
        print("", note, sep="\\n", end="")
"""
FRAME = "CannotPickleError: cannot pickle 'frame' object: it is part of a running program"

# The kind of step, what makes the object, and the path in the message.
STEPS = {
    "the object itself": ("obj = F", None),
    "an item of a list": ("obj = [0, [1, F]]", "list[1][1]"),
    "an item of a tuple": ("obj = (0, 1, F)", "tuple[2]"),
    "an item of a set": ("obj = {F}", "set{…}"),
    "an item of a frozenset": ("obj = frozenset([F])", "frozenset{…}"),
    "a key that is text": ("obj = {'a': {'b c': F}}", "dict['a']['b c']"),
    "a key that is a number": ("obj = {3: F}", "dict[3]"),
    "a key that is a fraction": ("obj = {1.5: F}", "dict[1.5]"),
    "a key that is None": ("obj = {None: F}", "dict[None]"),
    "a key that is a truth value": ("obj = {True: F}", "dict[True]"),
    "a key that is bytes": ("obj = {b'x': F}", "dict[b'x']"),
    "a key that is a tuple": ("obj = {(1, 'a'): F}", "dict[(1, 'a')]"),
    "a key that has no short text": ("obj = {importable.Holder: F}", "dict[<type>]"),
    "a key that is long": ("obj = {'k' * 99: F}", "dict['" + "k" * 59 + "…]"),
    "a key itself": ("obj = {F: 1}", "dict.key(<frame>)"),
    "an attribute": ("obj = importable.Holder(F)", "Holder.value"),
    "an attribute of an attribute": ("obj = importable.Holder([importable.Holder(F)])", "Holder.value[0].value"),
    "an attribute that is no identifier": (
        "obj = importable.Holder(1)\nvars(obj)['a b'] = F",
        "Holder.__dict__['a b']",
    ),
    "a slot": ("obj = importable.Point(1, F)", "Point.y"),
    "a slot beside attributes": (
        "@named\nclass Both:\n    __slots__ = ('a', '__dict__')\nobj = Both()\nobj.a, obj.b = F, 1",
        "Both.a",
    ),
    "an attribute beside slots": (
        "@named\nclass Both:\n    __slots__ = ('a', '__dict__')\nobj = Both()\nobj.a, obj.b = 1, F",
        "Both.b",
    ),
    "a field of a named tuple": (
        "import collections\nT = named(collections.namedtuple('T', 'a b'))\nobj = T(1, F)",
        "T[1]",
    ),
    "an item of a subclass of list": ("@named\nclass Items(list): ...\nobj = Items([0, F])", "Items[1]"),
    "a value of a subclass of dict": ("@named\nclass Table(dict): ...\nobj = Table(a=F)", "Table['a']"),
    "a key of a subclass of dict": ("@named\nclass Table(dict): ...\nobj = Table({F: 1})", "Table.key(<frame>)"),
    "an attribute of a subclass of list": (
        "@named\nclass Items(list): ...\nobj = Items()\nobj.owner = F",
        "Items.owner",
    ),
    "a value of an ordered dict": ("import collections\nobj = collections.OrderedDict(a=F)", "OrderedDict['a']"),
    "a value of a default dict": (
        "import collections\nobj = collections.defaultdict(list, a=F)",
        "defaultdict['a']",
    ),
    "an item of a deque": ("import collections\nobj = collections.deque([0, F])", "deque[1]"),
    "the callable of a reduction": (
        "@named\nclass Call:\n    def __call__(self): ...\nc = Call()\nc.frame = F\nobj = Reduced(c, ())",
        "Reduced.__reduce__()[0].frame",
    ),
    "an argument of a reduction": ("obj = Reduced(make, (0, F))", "Reduced.__reduce__()[1][1]"),
    "a state that is a dict": ("obj = Reduced(make, (), {'a': F})", "Reduced.a"),
    "a state that is something else": ("obj = Reduced(make, (), [0, F])", "Reduced.__reduce__()[2][1]"),
    "a state of attributes and slots": ("obj = Reduced(make, (), ({'a': 1}, {'b': F}))", "Reduced.b"),
    "a list item of a reduction": ("obj = Reduced(make, (), None, iter([0, F]))", "Reduced[1]"),
    "a dict item of a reduction": ("obj = Reduced(make, (), None, None, iter([('a', F)]))", "Reduced['a']"),
    "a dict key of a reduction": (
        "obj = Reduced(make, (), None, None, iter([(F, 1)]))",
        "Reduced.key(<frame>)",
    ),
    "a state for a state setter": ("obj = Reduced(make, (), {'a': F}, None, None, put)", "Reduced.a"),
    "a state setter": (
        "obj = Reduced(make, (), {'a': 1}, None, None, lambda obj, state, f=F: None)",
        "Reduced.__reduce__()[5].__defaults__[0]",
    ),
    "an argument for __new__": (
        "@named\nclass New:\n    def __new__(cls, *args): return object.__new__(cls)\n"
        "    def __getnewargs__(self): return 0, vars(importable)['F']\nimportable.F = F\nobj = New()\n"
        "for f in (New.__new__, New.__getnewargs__): f.__globals__['importable'] = importable",
        "New.__getnewargs__()[1]",
    ),
    "a keyword for __new__": (
        "@named\nclass New:\n    def __new__(cls, **named): return object.__new__(cls)\n"
        "    def __getnewargs_ex__(self): return (), {'key': F}\nobj = New()",
        "New.__getnewargs_ex__()[1]['key']",
    ),
    "what __getstate__ returns": (
        "@named\nclass State:\n    def __getstate__(self): return [0, F]\n    def __setstate__(self, state): ...\nobj = State()",
        "State.__getstate__()[1]",
    ),
    "a global of a function": ("def f(): return F\nobj = f", "f.__globals__['F']"),
    "a global of a function that is called": (
        "def g(): return F\ndef f(): return g()\nobj = f",
        "f.__globals__['g'].__globals__['F']",
    ),
    "a global of a nested function": ("def f(): return lambda: F\nobj = f", "f.__globals__['F']"),
    "a closure variable": (
        "def outer(pool):\n    def f(): return pool\n    return f\nobj = outer(F)",
        "f.__closure__['pool']",
    ),
    "a closure variable of a nested function": (
        "def outer(pool):\n    def f(): return lambda: pool\n    return f\nobj = outer([F])",
        "f.__closure__['pool'][0]",
    ),
    "a default": ("def f(x=1, y=F): ...\nobj = f", "f.__defaults__[1]"),
    "a keyword default": ("def f(*, y=F): ...\nobj = f", "f.__kwdefaults__['y']"),
    "an attribute of a function": ("def f(): ...\nf.client = F\nobj = f", "f.client"),
    "an annotation": ("def f(): ...\nf.__annotations__ = {'x': F}\nobj = f", "f.__annotations__['x']"),
    "a function in data": ("def f(): return F\nobj = {'on': [f]}", "dict['on'][0].__globals__['F']"),
    "an attribute of a class": ("class C:\n    x = F\nobj = C", "C.x"),
    "a method": ("class C:\n    def m(self): return F\nobj = C", "C.m.__globals__['F']"),
    "a static method": (
        "class C:\n    @staticmethod\n    def m(x=F): ...\nobj = C",
        "C.m.__func__.__defaults__[0]",
    ),
    "a class method": (
        "class C:\n    @classmethod\n    def m(cls, x=F): ...\nobj = C",
        "C.m.__func__.__defaults__[0]",
    ),
    "a property": ("class C:\n    @property\n    def p(self): return F\nobj = C", "C.p.fget.__globals__['F']"),
    "a base class": ("class B:\n    x = F\nclass C(B): ...\nobj = C", "C.__bases__[0].x"),
    "a second base class": (
        "class A: ...\nclass B:\n    x = F\nclass C(A, B): ...\nobj = C",
        "C.__bases__[1].x",
    ),
    "a metaclass": ("class M(type):\n    x = F\nclass C(metaclass=M): ...\nobj = C", "C.__class__.x"),
    "the class of an instance": ("class C:\n    x = F\nobj = [C()]", "list[0].__class__.x"),
    "an instance of a class by value": (
        "class C: ...\nobj = C()\nobj.value = F",
        "C.value",
    ),
    "a member of an enumeration": ("import enum\nclass E(enum.Enum):\n    A = 1\n    B = F\nobj = E", "E.B._value_"),
    "a name of a module made at run time": (
        "obj = types.ModuleType('made')\nobj.thing = F",
        "made.thing",
    ),
    "the object of a bound method": ("obj = importable.Holder(F).get", "method.__self__.value"),
    "the function of a bound method": (
        "def f(self, x=F): ...\nobj = types.MethodType(f, 1)",
        "method.__func__.__defaults__[0]",
    ),
    "the function of a partial": (
        "import functools\ndef f(x=F): ...\nobj = functools.partial(f)",
        "partial.func.__defaults__[0]",
    ),
    "an argument of a partial": ("import functools\nobj = functools.partial(print, 0, F)", "partial.args[1]"),
    "a keyword of a partial": ("import functools\nobj = functools.partial(print, end=F)", "partial.keywords['end']"),
    "what a cache wraps": (
        "import functools\n@functools.lru_cache\ndef f(x=F): ...\nobj = f",
        "_lru_cache_wrapper.__wrapped__.__defaults__[0]",
    ),
    "the content of a cell": ("obj = types.CellType(F)", "cell.cell_contents"),
    "an argument of an exception": ("obj = ValueError(0, F)", "ValueError.args[1]"),
    "the cause of an exception": (
        "obj = ValueError()\nobj.__cause__ = KeyError(F)",
        "ValueError.__cause__.args[0]",
    ),
    "an attribute of a namespace": ("obj = types.SimpleNamespace(a=F)", "SimpleNamespace.a"),
    "an item of a mapping proxy": ("obj = types.MappingProxyType({'a': F})", "mappingproxy['a']"),
    "an end of a slice": ("obj = slice(0, F)", "slice.stop"),
    "an argument of a generic alias": ("obj = types.GenericAlias(list, (F,))", "GenericAlias.__args__[0]"),
    "what an iterator goes over": ("obj = iter([0, F])", "list_iterator.__reduce__()[1][0][1]"),
}


def said(script):
    """Return class and message, and the notes, of what dumping ``obj`` raises."""
    return run(SETUP + script + ASK)


@pytest.mark.parametrize("kind", STEPS)
def test_the_whole_way_is_told_through(kind):
    script, path = STEPS[kind]
    assert said(script) == FRAME + (f" (at {path})" if path else "")


def test_the_way_goes_through_functions_data_and_instances_alike():
    assert said(
        """
import os
@named
class Worker:
    def __init__(self, log): self._log = log
@named
class Pool:
    def __init__(self, workers): self.workers = workers
def serve(pool):
    def handler(): return pool
    return handler
log = open(os.open(os.devnull, os.O_WRONLY), "w")
obj = serve(Pool([Worker(None), Worker(None), Worker(None), Worker(log)]))
"""
    ) == (
        "CannotPickleError: cannot pickle '_io.TextIOWrapper' object: it was opened by a descriptor of this process, "
        "not by a name (at handler.__closure__['pool'].workers[3]._log)"
    )


def test_a_long_way_is_told_at_its_ends():
    assert said("obj = F\nfor _ in range(60): obj = [obj]") == f"{FRAME} (at list{'[0]' * 24} … {'[0]' * 24})"


REFUSED = {
    "a lock that was not to travel": (
        "import threading\nobj = [threading.Lock()]",
        "capers.dumps(obj, locks='error')",
        "CannotPickleError: cannot pickle '_thread.lock' object: locks='error' was asked for (at list[0])",
    ),
    "a generator that has begun": (
        "obj = {'g': (x for x in [1, 2])}\nnext(obj['g'])",
        "capers.dumps(obj)",
        "CannotPickleError: cannot pickle 'generator' object: what it has still to run is a frame of this process; "
        "pass the function that makes it (at dict['g'])",
    ),
    "what a reducer of the call returned": (
        "obj = [importable.Holder(1)]",
        "capers.dumps(obj, reducers={importable.Holder: lambda obj: (make, (F,))})",
        f"{FRAME} (at list[0].__reduce__()[1][0])",
    ),
    "what a persistent id is made of": (
        "obj = [1, 'x']\nimport io\nclass P(capers.Pickler):\n"
        "    def persistent_id(self, obj): return [F] if obj == 'x' else None",
        "P(io.BytesIO()).dump(obj)",
        f"{FRAME} (at list[1].persistent_id()[0])",
    ),
    "what is written to a file": (
        "import io\nobj = [1, [F]]",
        "capers.dump(obj, io.BytesIO())",
        f"{FRAME} (at list[1][0])",
    ),
    "what an old protocol writes": ("obj = {'a': [0, F]}", "capers.dumps(obj, 0)", f"{FRAME} (at dict['a'][1])"),
    "a set in an old protocol": ("obj = [{F}]", "capers.dumps(obj, 2)", f"{FRAME} (at list[0][0][0])"),
    "what a type of C refuses": (
        "import sqlite3\nobj = [sqlite3.connect(':memory:')]",
        "capers.dumps(obj)",
        "CannotPickleError: cannot pickle 'sqlite3.Connection' object (at list[0])",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_way_is_told_to(what):
    script, call, message = REFUSED[what]
    assert run(SETUP + script + ASK.replace("capers.dumps(obj)", call)) == message


RAISING = """
@named
class Raising:
    def __reduce__(self):
        return self.missing
"""


def test_an_exception_of_the_user_keeps_class_text_and_traceback_and_gets_the_way_as_a_note():
    assert said(
        RAISING
        + """
def f(): return thing
thing = {"a": Raising()}
obj = [f]
import traceback
try:
    capers.dumps(obj)
except AttributeError as error:
    assert error.name == "missing" and type(error.obj) is Raising
    assert [it.name for it in traceback.extract_tb(error.__traceback__)][-1] == "__reduce__"
"""
    ) == (
        "AttributeError: 'Raising' object has no attribute 'missing'\nwhile pickling list[0].__globals__['thing']['a']"
    )


def test_in_plain_data_the_notes_are_those_that_pickle_of_that_version_makes():
    told = "AttributeError: 'Raising' object has no attribute 'missing'\n"
    if sys.version_info >= (3, 14):
        told += "when serializing dict item 'a'\nwhen serializing list item 0"
    else:
        told += "while pickling list[0]['a']"
    assert said(RAISING + "obj = [{'a': Raising()}]") == told


def test_an_exception_at_the_object_itself_has_no_note():
    assert said(RAISING + "obj = Raising()") == "AttributeError: 'Raising' object has no attribute 'missing'"


def test_in_the_strict_mode_a_refusal_is_that_of_pickle():
    told = run(
        SETUP
        + """
import pickle
seen = []
for dumps in (pickle.dumps, lambda obj: capers.dumps(obj, by_value=False)):
    try:
        dumps([1, [F]])
    except Exception as error:
        seen.append((type(error), str(error), getattr(error, "__notes__", [])))
print(seen[0] == seen[1], len(seen))
"""
    )
    assert told == "True 2\n"


def test_the_way_is_told_once_when_one_dump_runs_inside_another():
    assert (
        said(
            """
@named
class Outer:
    def __reduce__(self):
        capers.dumps({"inner": F})
obj = [Outer()]
"""
        )
        == FRAME + " (at dict['inner'])"
    )
