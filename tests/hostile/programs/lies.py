"""Objects and classes that are not what they say, and answers of the wrong kind."""

import abc
import io
import itertools
import sys
import types

import capers

from .. import objects
from . import gives, program, raises

REFUSALS = (capers.PicklingError, TypeError, AttributeError, ValueError, ImportError)


def reachable(kind, name="Thing"):
    """Let a class be found by name."""
    setattr(objects, name, kind)
    kind.__module__, kind.__qualname__ = "hostile.objects", name
    return kind


@program
def reductions_of_every_wrong_shape_are_refused():
    """Every reduction that is not of a documented shape raises, whichever hook gives it."""
    parts = [
        None,
        3,
        "x",
        b"x",
        (),
        (1,),
        [],
        [1],
        {},
        iter([1]),
        iter([(1, 2)]),
        len,
        str,
        object(),
        NotImplemented,
        ...,
        lambda: 1,
    ]
    wrong = [None, 3, b"x", [], {}, (), (str,), (str, (), 1, 2, 3, 4, 5), object(), "", "no.such.name", "\ud800", 1.5]
    shapes = itertools.chain(
        wrong,
        itertools.product(parts, repeat=2),
        zip(*[iter(parts * 12)] * 5),
        ((str, (), *two) for two in itertools.permutations(parts, 2)),
    )
    for shape in list(shapes):

        @reachable
        class Thing:
            def __reduce__(self):
                return shape

        class Re(capers.Pickler):
            def reducer_override(self, obj):
                return shape if type(obj) is complex else NotImplemented

        for protocol in (0, 2, 5):
            got = gives(lambda: capers.dumps(Thing(), protocol), *REFUSALS, StopIteration)
            if isinstance(got, bytes):
                gives(lambda: capers.loads(got), Exception)
            gives(lambda: Re(io.BytesIO(), protocol).dump(1j), *REFUSALS, StopIteration)


@program
def newobj_reductions_of_every_wrong_shape_are_refused():
    """copyreg.__newobj__ and __newobj_ex__ with operands they cannot use raise, or are called when loaded."""
    import copyreg

    class Named:
        def __init__(self, name):
            self.__name__ = name

        def __call__(self, *args):
            return args

    parts = [(), (1,), None, 3, str, int, objects.Plain, len, {}, {"a": 1}, {1: 2}, [], "x", type, object]
    makers = [
        copyreg.__newobj__,
        copyreg.__newobj_ex__,
        Named("__newobj__"),
        Named("__newobj_ex__"),
        Named(3),
        Named("\ud800"),
    ]
    for maker in makers:
        for args in itertools.chain(
            [()],
            ((one,) for one in parts),
            itertools.product(parts, repeat=2),
            itertools.product(parts[:8], parts[:6], parts[4:12]),
        ):

            @reachable
            class Thing:
                def __reduce__(self):
                    return maker, args

            for protocol in (1, 2, 4, 5):
                got = gives(lambda: capers.dumps(Thing(), protocol), *REFUSALS)
                if isinstance(got, bytes):
                    gives(lambda: capers.loads(got), Exception)


@program
def classes_that_lie_about_their_names_are_refused_or_written():
    """__name__, __qualname__ and __module__ of any kind, or raising, end in an exception or a right answer."""

    class Meta(type):
        def __getattribute__(cls, name):
            if name == armed:
                if isinstance(value, Exception):
                    raise value
                return value
            return super().__getattribute__(name)

    armed = None

    class Thing(metaclass=Meta):
        pass

    def function():
        pass

    class Text(str):
        def __eq__(self, other):
            raise KeyError("eq")

        __hash__ = None

    values = [
        None,
        3,
        "",
        ".",
        "a.b",
        "\ud800",
        "x" * 10_000,
        b"x",
        Text("x"),
        ["x"],
        object(),
        KeyError("own"),
        AttributeError("own"),
    ]
    for armed, value in itertools.product(
        ("__name__", "__qualname__", "__module__", "__reduce_ex__", "__dict__", "__mro__", "__class__"), values
    ):
        for obj in (Thing, [Thing], Thing()):
            for protocol in (0, 4, 5):
                gives(lambda: capers.dumps(obj, protocol), KeyError, *REFUSALS)
    armed = None
    for name, value in itertools.product(("__name__", "__qualname__", "__module__"), values):
        gives(lambda: setattr(function, name, value), TypeError)
        for protocol in (0, 4, 5):
            gives(lambda: capers.dumps(function, protocol), KeyError, *REFUSALS)


@program
def instances_that_lie_about_everything_are_refused_or_written():
    """An object that answers every attribute with something odd ends in an exception or a pickle."""
    answers = [
        None,
        3,
        "x",
        (),
        len,
        object(),
        lambda *a: None,
        lambda *a: (str, ()),
        lambda *a: 3,
        types,
        type,
        KeyError("own"),
    ]
    for answer in answers:

        @reachable
        class Thing:
            def __getattribute__(self, name):
                if isinstance(answer, Exception):
                    raise answer
                return answer

        for protocol in (0, 1, 2, 5):
            for obj in (Thing(), [Thing()], (Thing(), Thing())):
                got = gives(lambda: capers.dumps(obj, protocol), KeyError, *REFUSALS)
                if isinstance(got, bytes):
                    gives(lambda: capers.loads(got), Exception)


@program
def metaclasses_that_meddle_are_survived():
    """Metaclasses that raise in instance checks, in subclass checks, in mro() or when called."""

    class Meta(abc.ABCMeta):
        def __instancecheck__(cls, obj):
            raise KeyError("instance")

        def __subclasscheck__(cls, other):
            raise KeyError("subclass")

        def __call__(cls, *args):
            raise KeyError("call")

        def __eq__(cls, other):
            raise KeyError("eq")

        def __hash__(cls):
            raise KeyError("hash")

        def __bool__(cls):
            raise KeyError("bool")

        def __len__(cls):
            raise KeyError("len")

    Thing = reachable(Meta("Thing", (), {}))
    made = object.__new__(Thing)
    for protocol in range(6):
        for obj in (Thing, [Thing, Thing], made, [made, made]):
            got = gives(lambda: capers.dumps(obj, protocol), KeyError, *REFUSALS)
            if isinstance(got, bytes):
                got = gives(lambda: capers.loads(got), KeyError)
                assert isinstance(got, (str, list)) or got is Thing or type(got) is Thing


@program
def strings_and_numbers_of_subclasses_are_asked_for_nothing():
    """Subclasses of str, int, float, bytes, tuple, list and dict whose methods raise are saved by their reduction alone."""

    def boom(self, *args, **kwargs):
        raise KeyError("asked")

    special = ["__str__", "__repr__", "__len__", "__iter__", "__getitem__", "__eq__", "__hash__", "__bool__", "__index__", "__int__",
               "__float__", "__contains__", "encode", "items", "keys", "to_bytes", "bit_length", "__add__", "__format__"]  # fmt: skip
    for base, value in (
        (str, "x"),
        (int, 7),
        (float, 1.5),
        (bytes, b"x"),
        (tuple, (1, 2)),
        (list, [1]),
        (dict, {"a": 1}),
        (complex, 1j),
    ):
        body = {name: boom for name in special if hasattr(base, name)}
        body["__reduce_ex__"] = lambda self, protocol: (str, ("kept",))
        thing = base.__new__(reachable(type("Thing", (base,), body)), *([value] if base not in (list, dict) else []))
        for protocol in range(6):
            assert capers.loads(capers.dumps([thing, (thing,)], protocol)) == ["kept", ("kept",)]


@program
def files_of_every_wrong_kind_are_refused():
    """Files without methods, with methods that are none, or that return what is no bytes."""
    for methods in itertools.product(
        (None, 3, lambda *a: None, lambda *a: 3, lambda *a: "text", lambda *a: b"", lambda *a: bytearray(b"N.")),
        repeat=2,
    ):
        file = types.SimpleNamespace(read=methods[0], readline=methods[1])
        for data in (lambda: capers.load(file), lambda: capers.Unpickler(file).load()):
            got = gives(data, TypeError, EOFError, ValueError, capers.UnpicklingError, AttributeError, OverflowError)
            assert isinstance(got, str) or got is None
    for write in (None, 3, "x", lambda: 1, lambda a, b: 1):
        raises(TypeError, lambda: capers.dump([1], types.SimpleNamespace(write=write)))
    for file in (None, 3, b"", object(), type, io.BytesIO):
        raises((TypeError, AttributeError), lambda: capers.dump([1], file)) if not hasattr(file, "write") else None
        gives(lambda: capers.load(file), TypeError, EOFError)

    class Raising:
        def __getattr__(self, name):
            raise KeyError(name)

    raises(KeyError, lambda: capers.dump([1], Raising()))
    raises(KeyError, lambda: capers.load(Raising()))
    for peek in (b"", b"x", b"N." * 100_000, "text", None, 3, bytearray(b"N.")):
        file = io.BytesIO(b"K\x05.")
        lying = types.SimpleNamespace(read=file.read, readline=file.readline, peek=lambda n: peek)
        gives(lambda: capers.load(lying), TypeError, EOFError, capers.UnpicklingError, ValueError)


@program
def what_find_class_and_persistent_load_return_may_be_anything():
    """Overridden hooks may return any object; opcodes that cannot use it raise."""
    answers = [
        None,
        3,
        "x",
        (),
        [],
        {},
        len,
        str,
        object(),
        type,
        types,
        NotImplemented,
        ...,
        KeyError("x"),
        lambda *a, **k: (a, k),
    ]
    tails = [b".", b")R.", b")\x81.", b")}\x92.", b"}b.", b"Na.", b"(Ne.", b"NNs.", b"(NNu.", b"(N\x90.", b"\x85.", b"\x98.", b"q\x00h\x00\x86.",
             b"Q.", b"\x8c\x01x\x93.", b"NR.", b"]R."]  # fmt: skip
    for answer, tail in itertools.product(answers, tails):

        class Un(capers.Unpickler):
            def find_class(self, module, name):
                return answer

            def persistent_load(self, pid):
                return answer

        for stream in (b"cm\nn\n" + tail, b"Px\n" + tail, b"(im\nn\n" + tail, b"(cm\nn\no" + tail):
            got = gives(lambda: Un(io.BytesIO(stream)).load(), Exception)
            assert got is not SystemError


@program
def persistent_ids_of_every_kind_are_refused_or_written():
    """persistent_id may return any object at all, also one that has a persistent id itself."""
    ids = [
        3,
        "x",
        "é",
        "\ud800",
        b"x",
        (),
        ("a", [1]),
        [],
        {},
        object,
        len,
        1j,
        objects.Plain(),
        lambda: 1,
        "line\nbreak",
        "",
        -0.0,
    ]
    for pid, protocol in itertools.product(ids, range(6)):

        class Pi(capers.Pickler):
            def persistent_id(self, obj):
                return pid if obj == "id" else None

        class Un(capers.Unpickler):
            def persistent_load(self, pid):
                return "id"

        file = io.BytesIO()
        got = gives(lambda: Pi(file, protocol).dump(["id", 1, "id"]), *REFUSALS)
        if got is None and not (protocol == 0 and "\n" in str(pid)):
            file.seek(0)
            assert Un(file).load() == ["id", 1, "id"], (pid, protocol)


@program
def modules_that_are_odd_are_survived():
    """sys.modules may hold objects that raise, that claim everything, or that change it while it is searched."""

    class Raising:
        def __getattr__(self, name):
            raise KeyError(name)

    class Claims:
        def __getattr__(self, name):
            return obj

    class Changing:
        def __getattr__(self, name):
            sys.modules["added%d" % len(sys.modules)] = types
            sys.modules.pop("gone", None)
            raise AttributeError(name)

    obj = types.BuiltinFunctionType
    thing = type("Lost", (), {"__module__": None})
    function = lambda: 1
    function.__module__ = None
    sys.modules.update(
        {
            "raising": Raising(),
            "claims": Claims(),
            "gone": types,
            "changing": Changing(),
            "none": None,
            3: types,
            None: None,
        }
    )
    for each in (thing, function, thing(), len, io.BytesIO.read, [function, thing]):
        for protocol in (0, 2, 5):
            gives(lambda: capers.dumps(each, protocol), KeyError, *REFUSALS, RuntimeError)
    for name in ("raising", "claims", "none", "changing"):
        stream = b"c%s\nx.y\n." % name.encode()
        gives(lambda: capers.loads(b"\x80\x04" + stream), KeyError, AttributeError, ImportError)
    sys.modules.pop("__main__")
    for each in (function, thing, lambda: 1):
        gives(lambda: capers.loads(capers.dumps(each)), KeyError, *REFUSALS)
