"""Exceptions out of every hook: the very exception arrives, and what was in use is usable again."""

import copyreg
import io
import itertools
import sys

import capers

from .. import objects
from . import Evil, program, raises, works


class Own(Exception):
    """Raised by the hooks here."""


class OwnBase(BaseException):
    """Raised by the hooks here, and caught by few."""


KINDS = (
    Own,
    OwnBase,
    MemoryError,
    KeyboardInterrupt,
    SystemExit,
    StopIteration,
    GeneratorExit,
    RecursionError,
    AttributeError,
    EOFError,
)


def comes_through(kind, call):
    """Assert that the very exception of a hook arrives."""
    error = raises(kind, call)
    assert error.args == ("thrown",), error
    return error


@program
def exceptions_of_a_picklers_hooks_come_through():
    """persistent_id, reducer_override, dispatch table, write and buffer_callback may raise anything, at any time."""
    for kind, when in itertools.product(KINDS, (0, 1, 3)):
        count = itertools.count()

        def throw(*args):
            if next(count) == when:
                raise kind("thrown")

        class Pi(capers.Pickler):
            def persistent_id(self, obj):
                throw()

        class Re(capers.Pickler):
            def reducer_override(self, obj):
                throw()
                return NotImplemented

        class File(io.BytesIO):
            def write(self, data):
                throw()
                return super().write(data)

        value = [1j, [2j], {"k": 3j}, 4j, ["x" * 70_000] * 2, ["y" * 70_000], "z" * 70_000]
        for pickler_type in (Pi, Re):
            count = itertools.count()
            file = io.BytesIO()
            pickler = pickler_type(file)
            comes_through(kind, lambda: pickler.dump(value))
            works(pickler, file)
        count = itertools.count()
        file = File()
        pickler = capers.Pickler(file)
        if when == 0:
            comes_through(kind, lambda: pickler.dump(value))
        else:
            writes = 0
            while True:
                try:
                    pickler.dump(value)
                    pickler.clear_memo()
                except kind as error:
                    assert error.args == ("thrown",)
                    break
                writes += 1
                assert writes < 9
        works(pickler, file)

        count = itertools.count()
        table = {complex: lambda obj: (throw(), (complex, (obj.real, obj.imag)))[1]}
        file = io.BytesIO()
        pickler = capers.Pickler(file)
        pickler.dispatch_table = table
        comes_through(kind, lambda: pickler.dump(value))
        works(pickler, file)

        count = itertools.count()
        buffers = [capers.PickleBuffer(b"%d" % n) for n in range(5)]
        comes_through(kind, lambda: capers.dumps(buffers, 5, buffer_callback=throw))


@program
def exceptions_of_an_objects_methods_come_through():
    """What __reduce_ex__, __reduce__, __getstate__, __getnewargs__, __class__ and the rest raise arrives."""
    methods = ("__reduce_ex__", "__reduce__", "__getstate__", "__getnewargs_ex__", "__getnewargs__")
    for kind, method in itertools.product(KINDS, methods):

        def throw(self, *args):
            raise kind("thrown")

        thing = type("Thing", (), {method: throw, "__module__": "hostile.objects"})
        objects.Thing = thing
        for value in (thing(), [thing()], {"k": (thing(),)}, objects.pack(thing())):
            comes_through(kind, lambda: capers.dumps(value))

    class Table(dict):
        def __getitem__(self, key):
            raise Own("thrown")

        get = __getitem__

    pickler = capers.Pickler(io.BytesIO())
    pickler.dispatch_table = Table()
    comes_through(Own, lambda: pickler.dump([1j]))
    assert copyreg.dispatch_table is not None


@program
def exceptions_of_an_unpicklers_hooks_come_through():
    """find_class, persistent_load and the buffers may raise anything; the unpickler goes on where the stream stands."""
    for kind in KINDS:

        class Un(capers.Unpickler):
            def find_class(self, module, name):
                raise kind("thrown")

            def persistent_load(self, pid):
                raise kind("thrown")

        for stream in (b"\x8c\x01m\x8c\x01n\x93.", b"cm\nn\n.", b"(im\nn\n.", b"NQ.", b"Px\n."):
            file = io.BytesIO(stream + b"K\x05.")
            unpickler = Un(file)
            comes_through(kind, unpickler.load)
            file.seek(len(stream))
            unpickler.__init__(file)
            assert unpickler.load() == 5

        def buffers():
            yield b""
            raise kind("thrown")

        if kind not in (StopIteration,):
            comes_through(kind, lambda: capers.loads(b"\x97\x97.", buffers=buffers()))


@program
def exceptions_of_a_file_come_through():
    """read, readline, readinto and peek may raise anything, at the first call or a later one."""
    data = capers.dumps(["x" * 100, b"y" * 3_000_000, bytearray(300_000), [2**100, len]])
    old = capers.dumps(["x" * 100, {"k": 1.5}, len], 0)
    for kind, when, name in itertools.product(KINDS, (0, 1, 2), ("read", "readline", "readinto", "peek")):
        for payload in (data, old):
            calls, count = [], itertools.count()

            def method(own):
                def call(self, *args):
                    calls.append(own)
                    if own == name and next(count) == when:
                        raise kind("thrown")
                    return getattr(io.BytesIO, own)(self, *args)

                return call

            def peek(self, n):
                calls.append("peek")
                if name == "peek" and next(count) == when:
                    raise kind("thrown")
                at = self.tell()
                seen = io.BytesIO.read(self, 16)
                self.seek(at)
                return seen

            body = {each: method(each) for each in ("read", "readline", "readinto")}
            file = type("File", (io.BytesIO,), {**body, **({"peek": peek} if name == "peek" else {})})(payload)
            if capers_reaches(file, payload, name, when):
                comes_through(kind, lambda: capers.load(file))


def capers_reaches(file, payload, name, when):
    """Tell whether a load of *payload* calls the method so often."""
    seen = []

    class Counted(io.BytesIO):
        def read(self, *args):
            seen.append("read")
            return super().read(*args)

        def readline(self, *args):
            seen.append("readline")
            return super().readline(*args)

        def readinto(self, *args):
            seen.append("readinto")
            return super().readinto(*args)

    class Peeking(Counted):
        def peek(self, n):
            seen.append("peek")
            at = self.tell()
            got = io.BytesIO.read(self, 16)
            self.seek(at)
            return got

    capers.load((Peeking if name == "peek" else Counted)(payload))
    return seen.count(name) > when


@program
def exceptions_while_objects_are_made_and_filled_come_through():
    """Whatever loaded objects raise when they are made, filled, hashed or compared arrives."""
    for kind in KINDS:

        class Thing:
            def throw(self, *args):
                if armed:
                    raise kind("thrown")
                return 1

            def __new__(cls, *args):
                if args:
                    raise kind("thrown")
                return object.__new__(cls)

            __setstate__ = __setitem__ = append = add = __hash__ = __eq__ = throw

        objects.Thing, Thing.__module__, Thing.__qualname__ = Thing, "hostile.objects", "Thing"
        armed = True
        name = b"chostile.objects\nThing\n"
        thing = name + b")\x81"
        for stream in (
            name + b"N\x85\x81.",
            name + b"N\x85R.",
            b"(" + name + b"No.",
            b"(Nihostile.objects\nThing\n.",
            thing + b"}b.",
            thing + b"NNs.",
            thing + b"(NNu.",
            thing + b"Na.",
            thing + b"(Ne.",
            thing + b"(N\x90.",
            b"}" + thing + b"Ns.",
            b"}(" + thing + b"Nu.",
            b"(" + thing + b"Nd.",
            b"\x8f(" + thing + b"\x90.",
            b"(" + thing + b"\x91.",
        ):
            comes_through(kind, lambda: capers.loads(stream))


@program
def errors_leave_no_objects_behind():
    """A thousand failed dumps and loads of each sort keep no object alive and no reference too many."""

    class Token:
        pass

    def fail():
        raise Own("thrown")

    def failing_dumps(token):
        inner = [token, Evil(fail)]
        return [
            lambda: capers.dumps([token, (token, Evil(fail))]),
            lambda: capers.dumps({"k": token, "f": Evil(fail)}),
            lambda: capers.dumps(lambda a=token, b=inner: a),
            lambda: capers.Pickler(io.BytesIO()).dump([token, [Evil(fail)]]),
            lambda: capers.dump([token, "x" * 100_000, Evil(fail)], io.BytesIO()),
        ]

    objects.Token, Token.__module__, Token.__qualname__ = Token, "hostile.objects", "Token"
    name = b"chostile.objects\nToken\n"
    streams = [
        name * 50 + b"(" * 20 + name + b"R.",
        name + b"N\x85\x81.",
        b"](" + name * 30 + b"b.",
        name + b")\x81" + name + b"b.",
        name + b")\x81}" + name + b"Nsb",
        name + b")\x81N}" + name + b"Ns\x86b.",
        b"}" + name + b"]N\x86s]" + name + b"s.",
        name + b"q\x00q\x01q\x02h\x09.",
        b"(" + name * 9 + b"d.",
        b"\x8f(" + name + b"]\x90.",
        b"(" + name + b"}\x91.",
        name + name + b"\x93.",
        name + b"\x98.",
        b"N" + name * 3 + b"\x92.",
    ]
    token = Token()
    for run in range(40):
        if run == 20:
            before = sys.getrefcount(token), sys.getrefcount(Token)
        for call in failing_dumps(token):
            raises(Own, call)
        for stream in streams:
            raises(Exception, lambda: capers.loads(stream))
            raises(Exception, lambda: capers.Unpickler(io.BytesIO(stream)).load())
        call = stream = None
    after = sys.getrefcount(token), sys.getrefcount(Token)
    assert after == before, (before, after)
