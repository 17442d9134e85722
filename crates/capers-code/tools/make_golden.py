"""Write tests/data/py3NN.bin: marshal bytes, bytecode and name uses of a few dozen functions, from the running interpreter.

    python3.11 crates/capers-code/tools/make_golden.py crates/capers-code/tests/data/py311.bin

Run once with each interpreter. A file is a run of records, each four blobs, each blob a little-endian 32-bit length and its bytes:

1. `marshal.dumps(code)` of a code object as the compiler made it;
2. the same value in other bytes: `marshal.dumps(code, 2)`, which has no references, or where that fails (slices, from
   3.14) the bytes of the same code after a round trip through marshal;
3. `co_code`;
4. the uses of names that `dis` reports: lines of use and index into `co_names`.
"""

import dis
import marshal
import opcode
import struct
import sys
import types

SOURCE = r'''
import os.path as osp, sys
from collections import (OrderedDict as od, deque)
COUNTER = 0
def identity(x): return x
square = lambda x: x * x
def constants():
    return (None, True, False, ..., 0, -1, 255, 2**31 - 1, -2**31, 2**31, -2**31 - 1, 2**15, 2**63, -2**200, 10**60,
            0.0, -0.0, 1.5, 1e300 * 1e10, 1j, -2.5j, b"", b"bytes\x00\xff", "", "a", "not an identifier", "x" * 300,
            "h\xe9", "\u20ac", "\U0001f600", "\ud800", ((), (1,), ((1, "a"), "a")))
def sets(x): return x in {1, "a", "b c", None, (2, "a"), b"z", 2.5, 3 + 4j} or x in {"only", "words", "here"}
def big_tuple(): return (%s)
def globals_():
    global COUNTER, GONE
    COUNTER += 1
    GONE = 1
    del GONE
    return len(sys.argv) + osp.sep.count("/") + undefined_name
def attributes(a, b):
    a.x.y.z = b.method(a.other().deep)
    del a.x.gone
    a.path, os = b, a
    return os.path
def closure(start):
    total = start
    def add(n, *args, key=None, **kwargs):
        nonlocal total
        total += n
        return total, args, key, kwargs
    def get(): return total, start
    return add, get
def generator(n):
    for i in range(n):
        try:
            yield i
        except ValueError as error:
            raise RuntimeError("bad") from error
        finally:
            print("done")
async def coroutine(x):
    async with x as y:
        async for z in y:
            await z
            yield z
def comprehensions(xs): return [x for x in xs if x], {x: y for x, y in xs}, {x for x in xs}, sum(x for x in xs)
def matcher(x):
    match x:
        case {"kind": "point", "at": (0, y)}: return y
        case [1, *rest] if rest: return rest
        case str() | bytes(): return x
        case od(a=1): return a
        case _: return None
def formats(a, b): return f"{a!r:>{b}} and {a} {b:.2f}"
def slices(a): return a[1:2], a[:], a[::-1], a["a":"b":None]
class Outer(deque):
    """A docstring."""
    attribute: int = COUNTER
    COUNTER = COUNTER
    __slots__ = ("a", "b")
    def __init__(self, *, kw: "int" = 3, **rest):
        super().__init__(); super().extend(rest); self.__private = __class__
    class Inner:
        def method(self, /, a, b=2, *c, d, **e): return self.method(a)
        x = attribute_name if COUNTER else other_name
def imports():
    import xml.dom.minidom, importlib as il
    from os import path as p, sep
    from . import sibling
    return xml.dom.minidom.parse, il, p, sep, sibling
def exceptions():
    try: risky()
    except* OSError as group: handle(group)
    with open("f") as a, open("g") as b: return a, b
def unicode_names(α, naïve): β = α.γ; return β + naïve + global_é
def many(): return (%s)
''' % (", ".join(map(str, range(260))), ", ".join("n%d" % i for i in range(140)))
if sys.version_info >= (3, 12):
    SOURCE += """
def generic[T: (int, str), *Ts, **P](x: T) -> T: return x
class Box[T]:
    item: T
    def get(self) -> T: return helper(self.item)
type Alias[K] = dict[K, COUNTER]
"""

USES = {
    "LOAD_GLOBAL": "GlobalRead",
    "LOAD_NAME": "GlobalRead",
    "LOAD_FROM_DICT_OR_GLOBALS": "GlobalRead",
    "DELETE_GLOBAL": "GlobalRead",
    "DELETE_NAME": "GlobalRead",
    "STORE_GLOBAL": "GlobalWrite",
    "STORE_NAME": "GlobalWrite",
    "IMPORT_NAME": "Import",
}


def name_uses(code):
    """The uses `dis` sees, its resolution of arguments being the independent witness."""
    named = set(opcode.hasname)
    return "".join(
        f"{USES.get(i.opname, 'Attribute')} {code.co_names.index(i.argval)}\n"
        for i in dis.get_instructions(code)
        if i.opcode in named
    )


def samples(module):
    """The functions and classes of `module`, nested code included, and the module's own code without them."""
    yield module.replace(co_consts=tuple(None if isinstance(c, types.CodeType) else c for c in module.co_consts))
    yield from (const for const in module.co_consts if isinstance(const, types.CodeType))


def main(path):
    """Write the marshal bytes of each sample function to *path*."""
    module = compile(SOURCE, "<golden>", "exec", dont_inherit=True)
    with open(path, "wb") as file:
        for code in samples(module):
            first = marshal.dumps(code)
            try:
                second = marshal.dumps(code, 2)
            except ValueError:
                second = marshal.dumps(marshal.loads(first))
            for blob in (first, second, code.co_code, name_uses(code).encode()):
                file.write(struct.pack("<I", len(blob)) + blob)


if __name__ == "__main__":
    main(sys.argv[1])
