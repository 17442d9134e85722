"""What was written for a class is given out again only while the class, and all that it leads to, is as it was.

A dump with a ``buffer_callback`` takes the general way each time: that is what every other dump must be equal to.
"""

import abc
import collections
import copyreg
import dataclasses
import enum
import functools
import gc
import importlib
import importlib.machinery
import io
import math
import random
import sys
import types
import typing
import weakref

import capers
import capers._statement
import command_line
import pytest
from shipping import payload, run

NUMBER = 1
TABLE = {"a": [1]}
UNUSED = "unused"


def written(thing):
    """Return what the general way writes for *thing*."""
    return capers.dumps(thing, buffer_callback=lambda buffer: None)


def keep(thing):
    """Dump *thing* until its classes are kept."""
    for _ in range(4):
        assert capers.dumps(thing) == written(thing)


def assert_seen(thing, change):
    """*change*, made after *thing* was kept, is in the next payload, and in those after it."""
    keep(thing)
    before = written(thing)
    change()
    after = written(thing)
    assert after != before, "the change is none"
    assert [capers.dumps(thing) for _ in range(4)] == [after] * 4


@pytest.fixture
def mine(monkeypatch):
    """Let what is defined here travel by value."""
    capers.register_pickle_by_value(sys.modules[__name__])
    yield
    capers.unregister_pickle_by_value(sys.modules[__name__])


pytestmark = pytest.mark.usefixtures("mine")


def helper(extra=("default",)):
    return UNUSED, extra


@pytest.fixture
def described(tmp_path, monkeypatch):
    """A class of which the general way asks each time how its statement was written, and a list of what was asked."""
    (tmp_path / "hooked_base.py").write_text(
        "class Base:\n    def __init_subclass__(cls, *, key=None):\n        super().__init_subclass__()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    base = importlib.import_module("hooked_base").Base

    class C(base, key=1):
        table = [1, {"a": (2.5, "x")}]

        def value(self):
            return NUMBER, TABLE, math.pi, helper()

    asked, keywords = [], capers._statement.keywords
    monkeypatch.setattr(capers._statement, "keywords", lambda cls: asked.append(cls) or keywords(cls))
    yield C, asked
    del sys.modules["hooked_base"]


def test_a_class_that_is_as_it_was_is_not_described_again(described):
    cls, asked = described
    for thing in (cls, cls(), [1, cls, helper], {"a": cls(), "b": cls}):
        keep(thing)
        asked.clear()
        written(thing)
        assert asked == [cls]
        capers.dumps(thing)
        capers.dump(thing, io.BytesIO())
        assert asked == [cls], "it was written the general way"
    cls.table.append(2)
    capers.dumps(cls)
    assert asked == [cls] * 2


def test_a_class_in_ever_new_places_is_right_in_each(described):
    cls, _ = described
    beside = [lambda number=number: number for number in range(20)]
    for number in range(20):
        keep([*beside[:number], cls])
    keep(cls)


def changes():
    """Name, and what gives an object and a function that changes something it leads to."""

    def plain():
        class C:
            count = 1
            items = [1]
            nested = {"k": [{"deep": 1}]}
            pair = ([1], 2)
            names = {"a"}

            def method(self, x=1, *, y=[2]):
                return NUMBER + x, TABLE, helper, missing_name, UNUSED, math.pi

            @staticmethod
            def still():
                return 1

            @classmethod
            def made(cls):
                return cls()

            @property
            def prop(self):
                return self.count

            cached = functools.lru_cache(lambda self: 1)

        return C

    def on_class(change):
        def both():
            made = plain()
            return made, lambda: change(made)

        return both

    def code_of(source):
        return compile(source, "<changed>", "exec").co_consts[0]

    def swap(function):
        function.__code__ = code_of("def f(self): return 'other'")

    yield "an attribute is set", on_class(lambda c: setattr(c, "count", 2))
    yield "an attribute is set to an equal float", on_class(lambda c: setattr(c, "count", 1.0))
    yield "an attribute is added", on_class(lambda c: setattr(c, "more", 2))
    yield "an attribute is deleted", on_class(lambda c: delattr(c, "count"))
    yield "an attribute moves to the end", on_class(lambda c: (delattr(c, "count"), setattr(c, "count", 1)))
    yield "a list grows", on_class(lambda c: c.items.append(2))
    yield "an item is replaced", on_class(lambda c: c.items.__setitem__(0, 7))
    yield "a dict deep inside changes", on_class(lambda c: c.nested["k"][0].update(deep=2))
    yield "a list in a tuple changes", on_class(lambda c: c.pair[0].append(3))
    yield "a set changes", on_class(lambda c: c.names.add("b"))
    yield "the name changes", on_class(lambda c: setattr(c, "__name__", "D"))
    yield "the qualname changes", on_class(lambda c: setattr(c, "__qualname__", "D"))
    yield "the docstring changes", on_class(lambda c: setattr(c, "__doc__", "told"))
    yield "the code of a method changes", on_class(lambda c: swap(c.method))
    yield "the defaults of a method change", on_class(lambda c: setattr(c.method, "__defaults__", (5,)))
    yield "a mutable default changes", on_class(lambda c: c.method.__kwdefaults__["y"].append(3))
    yield "the docstring of a method changes", on_class(lambda c: setattr(c.method, "__doc__", "told"))
    yield "the name of a method changes", on_class(lambda c: setattr(c.method, "__name__", "other"))
    yield "a method gets an attribute", on_class(lambda c: setattr(c.method, "note", 1))
    yield "an annotation changes", on_class(lambda c: c.method.__annotations__.update(x=int))
    yield "the function of a static method changes", on_class(lambda c: swap(c.__dict__["still"].__func__))
    yield "the function of a class method changes", on_class(lambda c: swap(c.__dict__["made"].__func__))
    yield "the getter of a property changes", on_class(lambda c: swap(c.__dict__["prop"].fget))
    yield "a property is replaced", on_class(lambda c: setattr(c, "prop", property(lambda self: 0)))
    yield "what a cache wraps changes", on_class(lambda c: swap(c.__dict__["cached"].__wrapped__))
    yield "two attributes become one object", on_class(lambda c: setattr(c, "names", c.items))

    def global_(name, value):
        def both():
            made = plain()
            return made, lambda: globals().__setitem__(name, value)

        return both

    yield "a global changes", global_("NUMBER", 2)
    yield "a global becomes a function", global_("NUMBER", lambda: 3)
    yield "a missing global appears", global_("missing_name", [1])
    yield "a global of a helper changes", global_("UNUSED", "used")
    yield "a helper is defined anew", global_("helper", lambda: "new")

    def in_table():
        return plain(), lambda: TABLE["a"].append(2)

    def of_helper():
        return plain(), lambda: setattr(helper, "__defaults__", (("other",),))

    yield "a global container changes", in_table
    yield "the defaults of a helper change", of_helper

    def module_moves():
        made = plain()

        def change():
            math_ = types.ModuleType("math")
            math_.pi = 3
            globals()["math"] = math_

        return made, change

    yield "a module is replaced", module_moves

    def of_cell():
        kept = [1]
        number = 1

        def change():
            nonlocal number
            number = 2

        class C:
            def method(self):
                return kept, number, C

        return C, change

    yield "a cell changes", of_cell

    def of_base():
        class Base:
            items = [1]

            def method(self):
                return NUMBER

        class C(Base):
            def method(self):
                return super().method()

        return C, lambda: swap(Base.method)

    yield "the method of a base changes", of_base

    def of_bases():
        class One:
            pass

        class Two:
            pass

        class C(One):
            pass

        return C, lambda: setattr(C, "__bases__", (Two,))

    yield "the bases change", of_bases

    def of_nested():
        class C:
            class Inner:
                value = [1]

        return C, lambda: C.Inner.value.append(2)

    yield "a nested class changes", of_nested

    def of_metaclass():
        class Meta(type):
            def all(cls):
                return NUMBER

        class C(metaclass=Meta):
            pass

        return C, lambda: setattr(Meta, "more", 1)

    yield "the metaclass changes", of_metaclass

    def of_slots():
        class C:
            __slots__ = ("x", "y")

        return C, lambda: setattr(C, "x", 5)

    yield "something takes the place of a slot", of_slots

    def of_fields():
        @dataclasses.dataclass
        class C:
            x: int = 1
            y: list = dataclasses.field(default_factory=list)

        return C, lambda: setattr(C.__dataclass_fields__["x"], "default", 2)

    yield "a field of a dataclass changes", of_fields

    def of_members():
        class C(enum.Enum):
            RED = 1
            BLUE = [2]

        return C, lambda: C.BLUE.value.append(3)

    yield "the value of a member changes", of_members

    def of_member_attributes():
        class C(enum.Enum):
            RED = 1

        return C, lambda: setattr(C.RED, "note", "told")

    yield "a member gets an attribute", of_member_attributes

    def of_registry():
        class C(abc.ABC):
            def method(self): ...

        class Virtual:
            pass

        def change():
            C.register(Virtual)

        change.keeps = Virtual
        return C, change

    yield "a subclass is registered", of_registry

    def of_generic():
        T = typing.TypeVar("T")

        class C(typing.Generic[T]):
            item: T

        return C, lambda: C.__annotations__.update(more=int)

    yield "an annotation of a generic class is added", of_generic

    class Told:
        def __init__(self):
            self.state = 1

        def __reduce__(self):
            return Told, (), {"state": self.state}

    def of_reduction():
        class C:
            told = Told()

        return C, lambda: setattr(C.told, "state", 2)

    yield "what an object says of itself changes", of_reduction

    def of_instance():
        class Other:
            pass

        class C:
            thing = Other()

        C.thing.value = [1]
        return C, lambda: C.thing.value.append(2)

    yield "an attribute of an instance changes", of_instance

    def of_dispatch():
        class Other:
            pass

        class C:
            thing = Other()

        return C, lambda: copyreg.pickle(Other, lambda it: (Other, ()), Other)

    yield "a type is registered with copyreg", of_dispatch

    def of_policy():
        class C:
            tool = command_line.instructions

        return C, lambda: capers.register_pickle_by_value(command_line)

    yield "a module is registered to travel by value", of_policy

    def with_base(change, keywords=""):
        def both():
            space = {"__name__": "changing_base"}
            exec(f"class Base:\n    def __init_subclass__(cls{keywords}): pass\nclass Meta(type): pass", space)
            module = sys.modules["changing_base"] = types.ModuleType("changing_base")
            module.__spec__ = importlib.machinery.ModuleSpec("changing_base", None)
            module.__dict__.update(space)

            class C(space["Base"], metaclass=space["Meta"]):
                x = 1

            C.late = 5
            return C, lambda: change(space["Base"], space["Meta"])

        return both

    def hook(cls, *, x=None):
        pass

    yield (
        "a base gets another hook",
        with_base(lambda base, meta: setattr(base, "__init_subclass__", classmethod(hook))),
    )
    yield "a base loses its hook", with_base(lambda base, meta: delattr(base, "__init_subclass__"))

    def of_extension():
        class C:
            counter = collections.OrderedDict

        return C, lambda: copyreg.add_extension("collections", "OrderedDict", 240)

    yield "a name gets an extension code", of_extension

    def of_metaclass_dispatch():
        class Meta(type):
            pass

        class D(metaclass=Meta):
            pass

        class C:
            d = D

        return C, lambda: copyreg.pickle(Meta, lambda cls: (str, ("gone",)))

    yield "a metaclass is registered with copyreg", of_metaclass_dispatch

    def of_module_dispatch():
        class C:
            module = math

        return C, lambda: copyreg.pickle(types.ModuleType, lambda module: (str, ("gone",)))

    yield "modules are registered with copyreg", of_module_dispatch

    class Signed:
        def __init__(self, value):
            self.value = value

        def __reduce__(self):
            return Signed, (self.value * 1.0,)

    def of_sign():
        class C:
            kind = Signed
            zero = Signed(0.0)

        return C, lambda: setattr(C.zero, "value", -0.0)

    yield "a zero gets a sign", of_sign

    def of_computed_name():
        class Meta(type):
            @property
            def __name__(cls):
                return sys.intern(math.__dict__["hidden_name"])

        math.hidden_name = "first"

        class C(metaclass=Meta):
            pass

        return C, lambda: setattr(math, "hidden_name", "second")

    yield "a metaclass gives another name", of_computed_name


CHANGES = dict(changes())


@pytest.fixture
def undone():
    """Put back what changes of this module and of registries leave behind."""
    space, table = dict(globals()), dict(copyreg.dispatch_table)
    kept = TABLE["a"][:], helper.__defaults__
    yield
    for name in set(globals()) - set(space):
        del globals()[name]
    globals().update(space)
    TABLE["a"][:], helper.__defaults__ = kept
    copyreg.dispatch_table.clear()
    copyreg.dispatch_table.update(table)
    if ("collections", "OrderedDict") in copyreg._extension_registry:
        copyreg.remove_extension("collections", "OrderedDict", 240)
    math.__dict__.pop("hidden_name", None)
    sys.modules.pop("changing_base", None)
    if "command_line" in capers.list_registry_pickle_by_value():
        capers.unregister_pickle_by_value(command_line)


@pytest.mark.parametrize("of", ["class", "instance"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(name, of, undone):
    thing, change = CHANGES[name]()
    if of == "instance":
        thing = next(iter(thing)) if issubclass(thing, enum.Enum) else thing()
    assert_seen(thing, change)


def test_an_object_at_the_address_of_another_is_not_taken_for_it():
    class C:
        value = None

    keep(C)
    for number in range(50):
        # Each takes the place of the one before, which is free again.
        C.value = [float(number)]
        assert capers.loads(capers.dumps(C)) is C
        assert capers.dumps(C) == written(C)


def test_a_class_is_written_alike_wherever_it_stands():
    class C:
        def method(self):
            return C, NUMBER

    class D:
        other = C

    for thing in (
        [C],
        [1, C, C()],
        {"a": C, "b": D},
        [D, C],
        [helper, C],
        [C.method, C],
        (C(), D(), helper),
        [list(range(300)), C],
    ):
        keep(thing)
    many = [[str(n)] for n in range(400)] + [C, D, C()]
    keep(many)  # memo indices of two bytes and more


def test_protocols_and_files_are_kept_apart():
    class C:
        value = [1]

    for _ in range(4):
        for protocol in (4, 5, 2, 0):
            got = capers.dumps(C, protocol)
            assert got == capers.dumps(C, protocol, reducers={io.BytesIO: lambda it: (io.BytesIO, ())})
        file = io.BytesIO()
        capers.dump(C, file)
        assert file.getvalue() == written(C)


def test_choices_of_a_dump_count_though_the_class_is_kept():
    import threading

    class C:
        lock = threading.Lock()
        number = 1.5

    keep(C)
    with pytest.raises(capers.PicklingError, match="lock"):
        capers.dumps(C, locks="error")
    with pytest.raises((capers.PicklingError, AttributeError)):
        capers.dumps(C, by_value=False)
    assert b"Event" in capers.dumps(C, reducers={type(C.lock): lambda it: (threading.Event, ())})


def test_an_error_of_a_part_is_raised_each_time():
    class Fails:
        fail = False

        def __reduce__(self):
            if Fails.fail:
                raise RuntimeError("it says no")
            return Fails, ()

    class C:
        part = Fails()

    keep(C)
    Fails.fail = True
    for _ in range(3):
        with pytest.raises(RuntimeError, match="it says no") as caught:
            capers.dumps(C)
        assert "part" in caught.value.__notes__[0]
    Fails.fail = False
    keep(C)


def test_nothing_is_kept_alive():
    def make():
        class Part:
            pass

        class C:
            items = [Part()]
            table = {"part": Part}

            def method(self):
                return C, Part, super().__init__

        keep(C)
        keep([C(), C.method])
        return [weakref.ref(each) for each in (C, Part, C.method, C.items[0])]

    gone = make()
    gc.collect()
    assert [each() for each in gone] == [None] * 4


def test_weak_references_to_a_kept_class_travel_as_before():
    class C:
        pass

    keep(C)
    keep([C, weakref.ref(C)])
    keep([weakref.ref(C)])
    keep(weakref.WeakSet([C]))


def test_a_class_that_changes_each_time_is_right_each_time():
    class C:
        count = 0

    for number in range(40):
        C.count = [number]
        assert capers.dumps(C) == written(C)
        assert capers.dumps(C()) == written(C())


def test_kept_classes_arrive_as_they_are():
    sender = """
import capers, dataclasses, enum
@dataclasses.dataclass
class Point:
    x: int
    tags: list = dataclasses.field(default_factory=list)
    def far(self): return self.x > LIMIT and Colour.RED
class Colour(enum.Enum):
    RED = "red"
LIMIT = 3
obj = [Point(5), Colour.RED, Point]
for _ in range(4):
    capers.dumps(obj)
"""
    receiver = (
        "import capers, sys; p, c, P = capers.loads(sys.stdin.buffer.read()); print(p.far() is c, p, P(1) == P(1))"
    )
    assert run(receiver, data=payload(sender)).strip() == "True Point(x=5, tags=[]) True"


def test_what_stands_before_a_class_counts():
    space = {"__name__": "__main__"}
    source = """
SCALE, LIMIT, TABLE = 7, 3, [1]
def max(*numbers): return "mine"
def f(): return max
def g(): return SCALE
def h(): return LIMIT, TABLE
class Task:
    def run(self): return max(1, 2), LIMIT, TABLE
class Other:
    task = Task
    def run(self): return SCALE, Task
"""
    exec(source, space)
    f, g, h, task, other = (space[name] for name in ("f", "g", "h", "Task", "Other"))
    things = [(f, task()), (g, task()), task(), (h, task), (h, g, task), (other, task), (f, other()), (task, f, other)]
    dice = random.Random(7)
    for _ in range(200):
        thing = dice.choice(things)
        assert capers.dumps(thing) == written(thing)
    receiver = "import capers, sys; g, t = capers.loads(sys.stdin.buffer.read()); print(t.run())"
    assert run(receiver, data=capers.dumps((g, task()))).strip() == "('mine', 3, [1])"


def test_what_changes_while_the_class_is_written_is_seen():
    log, pending = [], []

    class Flusher:
        def __reduce__(self):
            while pending:
                log.append(pending.pop())
            return Flusher, ()

    class C:
        held = log
        part = Flusher()

    for number in range(6):
        capers.dumps(C)
        pending.append(number)
        capers.dumps(C)
        assert capers.dumps(C) == written(C)
        assert len(log) == number + 1


def test_the_slot_of_another_class_is_not_taken_for_its_own():
    class C:
        __slots__ = ("x",)

    keep(C)
    address = id(C.__dict__["x"])
    C.x = None
    made = []
    for _ in range(2000):
        made.append(type("T", (), {"__slots__": ("x",)}))
        if id(made[-1].__dict__["x"]) == address:
            break
    C.x = made[-1].__dict__["x"]
    assert capers.dumps(C) == written(C)


def test_changes_that_have_arrived_count_though_the_class_looks_as_before():
    sender = """
import capers
class C:
    x = 5
obj = [capers.dumps(C)]
for C.x in (6, 5):
    obj.append(capers.dumps(C))
"""
    first, second, third = capers.loads(payload(sender))
    cls = capers.loads(first)
    keep(cls)
    assert capers.loads(second) is cls and capers.loads(third) is cls and cls.x == 5
    assert capers.dumps(cls) == written(cls) == third


def test_a_reduction_is_asked_once_for_each_time_its_object_is_written():
    class Part:
        def __reduce__(self):
            math.asked_for_a_part = getattr(math, "asked_for_a_part", 0) + 1
            return Part, ()

    class C:
        part = Part()

    def asked(thing):
        math.asked_for_a_part = 0
        capers.dumps(thing)
        return math.asked_for_a_part

    things = (C, [C.part, Part, C], [C.part, Part, lambda: 1, C], C())
    for _ in range(20):
        for thing in things:
            keep(thing)
    # Before the class stands the part itself, which is asked, and seen again when the class is looked at.
    assert [asked(thing) for thing in things] == [1, 2, 2, 1]
    del math.asked_for_a_part


def test_a_class_after_very_many_objects_is_written_at_once():
    class C:
        names = [str(number) for number in range(300)]

    before = [str(number) for number in range(50_000)]
    for _ in range(4):
        assert capers.dumps([before, C]) == written([before, C])


def test_frames_end_where_they_would():
    class C:
        names = [str(number) for number in range(200)]
        again = names[:]

    keep([["x"] * 10, C])
    for count in range(400):
        thing = ["y" * (65_536 - 3_000 - 9 * count), [[] for _ in range(300)], C, "z"]
        assert capers.dumps(thing) == written(thing)
