"""``by_value=False``: each object goes as `pickle` has it, and what `pickle` refuses is refused in the same words."""

import collections
import copyreg
import decimal
import enum
import functools
import io
import operator
import pickle
import re
import sys
import threading
import types
import weakref
from concurrent import futures

import capers
import pytest
from shipping import run

PROTOCOLS = range(6)
TELLS_MORE = sys.version_info >= (3, 14)


class Says:
    """Reduces to whatever it was given."""

    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return self.value


class Fails:
    def __reduce__(self):
        raise LookupError("on purpose")


class Meta(type):
    pass


class Named(type):
    """The qualname of whose classes is what they say."""

    def __getattribute__(cls, name):
        return type.__getattribute__(cls, "says" if name == "__qualname__" else name)


class Plain:
    pass


class Slotted:
    __slots__ = ("a",)


class Shared(enum.Enum):
    ONE = 1


class WithNew:
    def __getnewargs_ex__(self):
        return (1,), {"k": self.k}

    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)


class Private:
    class __Inner:
        pass

    inner = __Inner

    def __method(self):
        pass

    method = __method


class NoReduction:
    def __getattribute__(self, name):
        if name in ("__reduce_ex__", "__reduce__"):
            raise AttributeError(name)
        return super().__getattribute__(name)


class NoneReduction:
    __reduce_ex__ = None


class FalseClass:
    __class__ = int


class FailingModule:
    def __getattr__(self, name):
        raise (AttributeError if name.startswith("__") else LookupError)(name)


def local():
    def function():
        pass

    class Local:
        pass

    class WithMeta(metaclass=Meta):
        pass

    return function, Local, WithMeta


def renamed(module, qualname, name="f"):
    made = types.FunctionType(local.__code__, {}, name)
    made.__module__, made.__qualname__ = module, qualname
    return made


def said_class(says, **members):
    made = Named("Said", (), {"says": says, **members})
    return made


def with_attributes(obj, **attributes):
    vars(obj).update(attributes)
    return obj


def cyclic(make, add):
    made = make()
    add(made, made)
    return made


def through_reduction():
    """An instance that its own arguments lead back to, which `pickle` carries by making it twice."""
    made = Says(None)
    holder = []
    made.value = (Says, (holder,))
    return [made, holder]


CASES = {
    # Functions and classes.
    "importable_function": lambda: functools.reduce,
    "importable_class": lambda: collections.OrderedDict,
    "own_function": lambda: local,
    "local_function": lambda: local()[0],
    "local_class": lambda: local()[1],
    "local_class_with_a_metaclass": lambda: local()[2],
    "instance_of_a_local_class": lambda: local()[1](),
    "lambda": lambda: lambda: None,
    "function_of_no_module": lambda: renamed("no_such_module", "f"),
    "function_of_no_module_at_all": lambda: renamed(None, "f"),
    "function_of_an_empty_module": lambda: renamed("", "f"),
    "function_of_a_module_number": lambda: renamed(5, "f"),
    "function_not_in_its_module": lambda: renamed("json", "nothing"),
    "function_that_is_another": lambda: renamed("json", "dumps"),
    "function_with_a_dotted_name": lambda: renamed("json", "JSONEncoder.nothing"),
    "function_with_an_empty_name": lambda: renamed("json", ""),
    "function_of_main": lambda: renamed("__main__", "nothing"),
    "class_whose_qualname_is_a_number": lambda: said_class(5),
    "class_whose_qualname_is_none": lambda: said_class(None),
    "class_whose_qualname_is_local": lambda: said_class("a.<locals>.b"),
    "class_whose_qualname_is_elsewhere": lambda: said_class("dumps", __module__="json"),
    "private_class": lambda: Private.inner,
    "private_method": lambda: Private.method,
    "bound_private_method": lambda: Private().method,
    "bound_method": lambda: Plain().__init__,
    "builtin": lambda: len,
    "builtin_method": lambda: [].append,
    "method_of_a_builtin_class": lambda: str.join,
    "class_method": lambda: dict.fromkeys,
    "singleton_types": lambda: [type(None), type(...), type(NotImplemented)],
    "singletons": lambda: [None, ..., NotImplemented, True],
    # What pickle refuses.
    "lock": lambda: [threading.Lock()],
    "lock_in_an_attribute": lambda: with_attributes(Plain(), deep=[{"key": threading.Lock()}]),
    "generator": lambda: (x for x in ()),
    "module": lambda: {"sys": sys},
    "code": lambda: (local.__code__,),
    "cell": lambda: types.CellType(1),
    "frame": lambda: sys._getframe(),
    "future": lambda: futures.Future(),
    "descriptor": lambda: Plain.__dict__["__dict__"],
    "class_method_object": lambda: classmethod(len),
    "property": lambda: property(len),
    "mapping_proxy": lambda: types.MappingProxyType({}),
    "memoryview": lambda: memoryview(b"x"),
    "dict_view": lambda: {}.keys(),
    "weak_reference": lambda: weakref.ref(Plain),
    "weak_set": lambda: weakref.WeakSet(),
    "dead_proxy": lambda: weakref.proxy(Plain()),
    "file": lambda: sys.__stdout__,
    "partial_of_a_lambda": lambda: functools.partial(lambda: None),
    "type_of_a_lock": lambda: type(threading.Lock()),
    "hash_that_fails": lambda: {1: [Fails()]},
    # Broken reductions.
    "says_a_number": lambda: Says(5),
    "says_none": lambda: Says(None),
    "says_a_list": lambda: Says([print, ()]),
    "says_too_little": lambda: Says((print,)),
    "says_too_much": lambda: Says((print, (), None, None, None, None, None)),
    "says_an_uncallable": lambda: Says((5, ())),
    "says_arguments_in_a_list": lambda: Says((print, [])),
    "says_no_arguments": lambda: Says((print, None)),
    "says_a_list_of_items": lambda: Says((list, (), None, [])),
    "says_a_number_of_items": lambda: Says((list, (), None, decimal.Decimal(1))),
    "says_a_dict_of_items": lambda: Says((dict, (), None, None, {})),
    "says_items_that_are_no_pairs": lambda: Says((dict, (), None, None, iter([(1,)]))),
    "says_pairs_in_lists": lambda: Says((dict, (), None, None, iter([[1, 2]]))),
    "says_an_uncallable_setter": lambda: Says((print, (), 1, None, None, "setter")),
    "says_a_setter_without_state": lambda: Says((print, (), None, None, None, print)),
    "says_a_setter": lambda: Says((Plain, (), {"a": 1}, None, None, operator.setitem)),
    "says_a_name": lambda: Says("nothing"),
    "says_the_name_of_something_else": lambda: Says("local"),
    "says_an_empty_name": lambda: Says(""),
    "says_a_dotted_name": lambda: Says("a.b.c"),
    "says_a_local_name": lambda: Says("a.<locals>.b"),
    "says_a_name_in_no_module": lambda: with_attributes(Says("x"), __module__="no_such_module"),
    "says_a_name_in_a_failing_module": lambda: with_attributes(Says("x"), __module__="failing_module"),
    "says_a_name_with_an_accent": lambda: with_attributes(Says("é"), __module__="accented"),
    "says_a_name_with_a_surrogate": lambda: with_attributes(Says("\udc80"), __module__="accented"),
    "says_a_name_in_a_module_with_an_accent": lambda: with_attributes(Says("x"), __module__="módulo"),
    "newobj_without_arguments": lambda: Says((copyreg.__newobj__, ())),
    "newobj_of_an_instance": lambda: Says((copyreg.__newobj__, (5,))),
    "newobj_of_another_class": lambda: Says((copyreg.__newobj__, (str,))),
    "newobj_with_a_false_class": lambda: FalseClass(),
    "newobj_of_a_local_class": lambda: Says((copyreg.__newobj__, (local()[1],))),
    "newobj_with_a_bad_argument": lambda: Says((copyreg.__newobj__, (Says, 1, Fails()))),
    "newobj_ex_with_two_arguments": lambda: Says((copyreg.__newobj_ex__, (Says, ()))),
    "newobj_ex_of_an_instance": lambda: Says((copyreg.__newobj_ex__, (5, (), {}))),
    "newobj_ex_with_a_list": lambda: Says((copyreg.__newobj_ex__, (Says, [], {}))),
    "newobj_ex_with_a_set": lambda: Says((copyreg.__newobj_ex__, (Says, (), set()))),
    "newobj_ex_of_another_class": lambda: Says((copyreg.__newobj_ex__, (str, ("x",), {}))),
    "newobj_ex_of_a_local_class": lambda: Says((copyreg.__newobj_ex__, (local()[1], (), {}))),
    "newobj_ex_with_a_bad_keyword": lambda: Says((copyreg.__newobj_ex__, (Says, (1,), {"k": Fails()}))),
    "newobj_ex": lambda: with_attributes(WithNew(), k=2),
    "newobj_ex_with_bad_state": lambda: with_attributes(WithNew(), k=2, bad=Fails()),
    "no_reduction": lambda: NoReduction(),
    "none_for_a_reduction": lambda: NoneReduction(),
    "slots": lambda: Slotted(),
    # Where an error comes from.
    "in_a_list": lambda: [1, [2, 3, Fails()]],
    "in_a_long_list": lambda: [*range(1500), Fails()],
    "alone_in_a_list": lambda: [Fails()],
    "in_a_tuple": lambda: (1, (2, 3, Fails()), 4),
    "in_a_long_tuple": lambda: (*range(1500), Fails()),
    "in_a_dict": lambda: {"a": 1, "b": {2: Fails()}},
    "as_a_key": lambda: {"a": 1, (1, Fails()): 2},
    "in_a_long_dict": lambda: {**dict.fromkeys(range(1500)), "last": Fails()},
    "in_a_set": lambda: {Fails()},
    "in_a_frozenset": lambda: frozenset([frozenset([Fails()])]),
    "in_an_ordered_dict": lambda: collections.OrderedDict(a=1, b=Fails()),
    "in_a_counter": lambda: collections.Counter({Fails(): 1}),
    "in_a_deque": lambda: collections.deque([1, 2, Fails()]),
    "in_a_default_dict": lambda: collections.defaultdict(lambda: 0, a=1),
    "in_an_attribute": lambda: with_attributes(Plain(), a=1, b=[Fails()]),
    "in_a_slot": lambda: functools.reduce(lambda obj, value: setattr(obj, "a", value) or obj, [Fails()], Slotted()),
    "in_an_exception": lambda: ValueError("x", Fails()),
    "in_the_callable": lambda: Says((functools.partial(print, Fails()), ())),
    "in_the_arguments": lambda: Says((print, (1, Fails()))),
    "in_the_items": lambda: Says((list, (), None, iter([1, Fails()]))),
    "in_the_iterator_of_items": lambda: Says((list, (), None, (1 // (2 - x) for x in range(5)))),
    "in_the_pairs": lambda: Says((dict, (), None, None, iter([(1, 2), (3, Fails())]))),
    "in_the_key_of_a_pair": lambda: Says((dict, (), None, None, iter([(1, 2), (Fails(), 3)]))),
    "in_the_state": lambda: Says((Plain, (), Fails())),
    "in_the_setter": lambda: Says((Plain, (), 1, None, None, functools.partial(print, Fails()))),
    "in_the_state_of_a_setter": lambda: Says((Plain, (), Fails(), None, None, print)),
    # What pickle carries.
    "plain_data": lambda: [1, -1, 2**70, 1.5, "text", "é\udc80", b"bytes", bytearray(b"x"), {1: {2}}, frozenset([3])],
    "instance": lambda: with_attributes(Plain(), a=[1], b="b"),
    "instances": lambda: [with_attributes(Plain(), at=i) for i in range(5)],
    "enum": lambda: [Shared.ONE, Shared],
    "named_tuple": lambda: sys.version_info[:3],
    "partial": lambda: functools.partial(print, 1, sep=""),
    "proxy": lambda: [weakref.proxy(kept) for kept in [Shared.ONE, collections.OrderedDict]],
    "proxy_of_an_instance": lambda: [weakref.proxy(KEPT), KEPT, weakref.proxy(KEPT)],
    "cyclic_list": lambda: cyclic(list, list.append),
    "cyclic_instance": lambda: cyclic(Plain, lambda obj, value: setattr(obj, "me", value)),
    "object_in_its_own_arguments": through_reduction,
    "exception": lambda: KeyError("x"),
    "iterator": lambda: iter([1, 2]),
    "range": lambda: range(3),
    "slice": lambda: slice(1, 2),
    "buffer": lambda: pickle.PickleBuffer(b"x"),
    "writable_buffer": lambda: pickle.PickleBuffer(bytearray(b"x")),
    "buffer_with_gaps": lambda: pickle.PickleBuffer(memoryview(b"abcdef")[::2]),
    "released_buffer": lambda: functools.reduce(lambda buf, _: buf.release() or buf, [0], pickle.PickleBuffer(b"x")),
}  # fmt: skip

KEPT = with_attributes(Plain(), a=1)


@pytest.fixture(autouse=True)
def modules(monkeypatch):
    """Modules that some of the cases name."""
    accented = types.ModuleType("accented")
    odd = types.ModuleType("módulo")
    monkeypatch.setitem(sys.modules, "failing_module", FailingModule())
    monkeypatch.setitem(sys.modules, "accented", accented)
    monkeypatch.setitem(sys.modules, "módulo", odd)
    return {"accented": accented, "módulo": odd}


def outcome(dumps, obj, *args, **options):
    """Return the bytes, or all there is to see of the exception."""
    try:
        return re.sub(rb"0x[0-9a-f]+", b"0x", dumps(obj, *args, **options) or b"")
    except Exception as error:
        context = error.__context__ if TELLS_MORE else None
        told = [type(error), str(error), getattr(error, "__notes__", []), type(context), str(context)]
        return re.sub(r"0x[0-9a-f]+", "0x", repr(told))


def strictly(obj, *args, **options):
    return capers.dumps(obj, *args, by_value=False, **options)


def place(obj, modules):
    """Let an object be found under the name it states, where the case is about the name itself."""
    if type(obj) is Says and obj.__module__ in modules:
        vars(modules[obj.__module__])[obj.value] = obj
    return obj


@pytest.mark.parametrize("case", CASES)
def test_the_outcome_is_that_of_pickle(case, modules):
    for protocol in PROTOCOLS:
        want = outcome(pickle.dumps, place(CASES[case](), modules), protocol)
        got = outcome(strictly, place(CASES[case](), modules), protocol)
        assert got == want, f"protocol {protocol}"


@pytest.mark.parametrize("case", CASES)
def test_the_outcome_through_a_pickler_is_that_of_pickle(case, modules):
    def through(kind, **options):
        def dumps(obj, protocol):
            file = io.BytesIO()
            kind(file, protocol, **options).dump(obj)
            return file.getvalue()

        return dumps

    for protocol in PROTOCOLS:
        want = outcome(through(pickle.Pickler), place(CASES[case](), modules), protocol)
        got = outcome(through(capers.Pickler, by_value=False), place(CASES[case](), modules), protocol)
        assert got == want, f"protocol {protocol}"


@pytest.mark.parametrize("code", [0, -1, 1, 255, 256, 65536, 2**31 - 1, 2**31, 2**40, 2**80, "x", None, 1.5])
def test_extension_codes_are_written_and_refused_as_by_pickle(code, monkeypatch):
    monkeypatch.setitem(copyreg._extension_registry, (__name__, "Plain"), code)
    for protocol in PROTOCOLS:
        assert outcome(strictly, Plain, protocol) == outcome(pickle.dumps, Plain, protocol)


HOOKS = {
    "reducer_override": {"reducer_override": lambda self, obj: (int, ()) if obj is Plain else NotImplemented},
    "reducer_override_that_says_nonsense": {"reducer_override": lambda self, obj: 5},
    "reducer_override_that_says_none": {"reducer_override": lambda self, obj: None},
    "reducer_override_that_says_a_name": {"reducer_override": lambda self, obj: "nothing"},
    "reducer_override_that_fails": {"reducer_override": lambda self, obj: 1 // 0},
    "persistent_id": {"persistent_id": lambda self, obj: "pid" if obj is Plain else None},
    "persistent_id_with_an_accent": {"persistent_id": lambda self, obj: "é" if obj is Plain else None},
    "persistent_id_that_cannot_travel": {"persistent_id": lambda self, obj: [Fails()] if obj is Plain else None},
    "persistent_id_that_fails": {"persistent_id": lambda self, obj: 1 // 0},
    "dispatch_table": {"dispatch_table": {Says: lambda obj: (int, ())}},
    "dispatch_table_that_says_nonsense": {"dispatch_table": {Says: lambda obj: None}},
    "dispatch_table_of_none": {"dispatch_table": {Says: None}},
    "dispatch_table_for_a_metaclass": {"dispatch_table": {Meta: lambda obj: (int, ())}},
    "dispatch_table_that_fails": {"dispatch_table": collections.defaultdict(lambda: 1 // 0)},
    "dispatch_table_that_is_none": {"dispatch_table": None},
}  # fmt: skip


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks_have_their_say_as_with_pickle(hook):
    obj = [1, Plain, (Says((print, ())), {"k": Meta("M", (), {})}), local()[0]]
    for each in (obj, *obj):
        for protocol in PROTOCOLS:
            results = []
            for base, options in (pickle.Pickler, {}), (capers.Pickler, {"by_value": False}):
                file = io.BytesIO()
                pickler = type("Custom", (base,), dict(HOOKS[hook]))(file, protocol, **options)
                results.append(outcome(lambda it, p=pickler, f=file: p.dump(it) or f.getvalue(), each))
            assert results[1] == results[0]


def test_dump_is_strict_too():
    file = io.BytesIO()
    with pytest.raises((AttributeError, pickle.PicklingError)):
        capers.dump(local()[0], file, by_value=False)
    assert file.getvalue() in (b"", b"\x80\x05")
    capers.dump([1], file, by_value=False)


def test_the_default_carries_what_the_strict_mode_refuses():
    function = local()[0]
    assert capers.loads(capers.dumps(function)).__name__ == "function"
    assert capers.loads(capers.dumps(function, by_value=None)).__name__ == "function"


@pytest.mark.parametrize("value", [True, 0, 1, [1], [True], object()])
def test_by_value_takes_no_other_flag_than_none_and_false(value):
    for call in (
        lambda: capers.dumps(1, by_value=value),
        lambda: capers.dump(1, io.BytesIO(), by_value=value),
        lambda: capers.Pickler(io.BytesIO(), by_value=value),
    ):
        with pytest.raises(TypeError, match="by_value must be None, False, or modules or their names, not "):
            call()


def test_a_kept_payload_is_not_given_out_in_strict_mode():
    function = local()[0]
    for _ in range(5):
        capers.dumps(function)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        strictly(function)


def test_what_the_strict_mode_sees_of_a_type_does_not_put_the_rules_of_capers_aside():
    said = run(
        """
        import capers, dataclasses
        for _ in range(3):
            copy = capers.loads(capers.dumps([dataclasses._FIELD, dataclasses._FIELD], by_value=False))
            assert copy[0] is not dataclasses._FIELD and copy[0] is copy[1]
        print(capers.loads(capers.dumps([dataclasses._FIELD] * 2))[1] is dataclasses._FIELD)
        """
    )
    assert said == "True\n"


def test_the_notes_of_a_deep_structure_are_bounded():
    deep = Fails()
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(LookupError) as caught:
        strictly(deep)
    notes = getattr(caught.value, "__notes__", [])
    assert len(notes) < 50_000 and (not TELLS_MORE or notes[0] == "when serializing list item 0" == notes[-1])
