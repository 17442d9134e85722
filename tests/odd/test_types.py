"""Types that no module holds under their name arrive as the receiver's own."""

import pytest
from shipping import ship

SETUP = "import array, collections, contextvars, functools, itertools, random, re, struct, sys, threading, types, typing, weakref\n"

TYPES = """
types.FunctionType types.CellType types.CodeType types.GeneratorType types.CoroutineType types.AsyncGeneratorType
types.ModuleType types.MethodType types.MappingProxyType types.TracebackType types.FrameType types.MemberDescriptorType
types.WrapperDescriptorType types.MethodWrapperType types.MethodDescriptorType types.ClassMethodDescriptorType
types.GetSetDescriptorType types.BuiltinFunctionType types.SimpleNamespace types.GenericAlias types.UnionType
type(None) type(...) type(NotImplemented) type({}.keys()) type({}.values()) type({}.items()) type(iter({}))
type(iter({}.values())) type(iter({}.items())) type(reversed({})) type(iter([])) type(reversed([])) type(iter(()))
type(iter(set())) type(iter('')) type(iter('\\u20ac')) type(iter(b'')) type(iter(bytearray())) type(iter(range(1)))
type(iter(range(1<<70))) type(iter(int,1)) type(iter(memoryview(b''))) type(iter(array.array('i'))) type(zip())
type(collections.OrderedDict().keys()) type(iter(collections.OrderedDict())) type(threading.Lock())
type(threading.RLock()) weakref.ReferenceType weakref.ProxyType weakref.CallableProxyType type(re.match('',''))
type(re.compile('')) type(functools.cmp_to_key(None)) type(functools.lru_cache(len)) type(struct.Struct('i'))
type(contextvars.copy_context()) type(itertools.tee([])[0]) type(sys.flags) type(sys.version_info) type(random.random)
typing.TypeVar type(typing.Any) type(typing.List)
""".split()


def test_they_are_the_receivers_own():
    text = ", ".join(TYPES)
    ship(
        SETUP + f"obj = [{text}]",
        SETUP + f"want = [{text}]\nassert all(a is b for a, b in zip(obj, want, strict=True))",
    )


@pytest.mark.parametrize("name", ["function", "dict_keys", "lock"])
def test_a_namesake_is_not_taken_for_them(name):
    ship(
        f"obj = type({name!r}, (), dict(__module__='builtins', x=1))",
        "assert obj.x == 1",
    )
