"""Objects of the standard library and of numpy."""

from .entry import Entry, Family

DATA = Family(
    "Data",
    (
        Entry(
            "numbers, texts, bytes and containers",
            "obj = [None, True, 1, 2**100, 1.5, 1j, 'é', b'b', bytearray(b'c'), (1,), [2], {'k': {3}}, frozenset({4}), range(1, 9, 2), slice(1, None), ..., NotImplemented]",
            "assert obj == [None, True, 1, 2**100, 1.5, 1j, 'é', b'b', bytearray(b'c'), (1,), [2], {'k': {3}}, frozenset({4}), range(1, 9, 2), slice(1, None), ..., NotImplemented]",
        ),
        Entry(
            "containers that hold themselves",
            "l, d, t = [], {}, ([],)\nl.append(l), d.update(d=d), t[0].append(t)\nobj = l, d, t",
            "l, d, t = obj\nassert l[0] is l and d['d'] is d and t[0][0] is t",
        ),
        Entry(
            "a list of 20,000 levels",
            "obj = []\nfor _ in range(20_000): obj = [obj]",
            "n = 0\nwhile obj: n, obj = n + 1, obj[0]\nassert n == 20_000",
        ),
        Entry(
            "collections",
            "import collections as c\nobj = c.OrderedDict(b=1, a=2), c.Counter('aab'), c.deque([1, 2], 3), c.defaultdict(list, k=[1]), c.ChainMap({'a': 1}, {'b': 2}), c.UserList([1]), c.UserString('s')",
            "import collections as c\no, n, q, d, m, l, s = obj\nassert list(o) == ['b', 'a'] and n['a'] == 2 and q.maxlen == 3 and d['new'] == [] and m['b'] == 2 and l == [1] and s == 's'",
        ),
        Entry(
            "a defaultdict of a lambda",
            "import collections\nobj = collections.defaultdict(lambda: collections.defaultdict(lambda: 7))",
            "assert obj['a']['b'] == 7",
        ),
        Entry(
            "slice, Ellipsis, NotImplemented, quit",
            "import site, _sitebuiltins\nobj = slice(1, None, 2), ..., NotImplemented, _sitebuiltins.Quitter('quit', 'Ctrl-D')",
            "assert obj[0] == slice(1, None, 2) and obj[1] is ... and obj[2] is NotImplemented and obj[3].name == 'quit'",
        ),
        Entry(
            "array.array",
            "import array\nobj = array.array('d', [1.5, 2]), array.array('i')",
            "import array\nassert obj == (array.array('d', [1.5, 2]), array.array('i')) and obj[0].typecode == 'd'",
        ),
        Entry(
            "datetime with zones",
            "import datetime as d, zoneinfo\nobj = d.datetime(2020, 1, 2, tzinfo=d.timezone(d.timedelta(hours=2), 'X')), d.datetime(2020, 7, 1, tzinfo=zoneinfo.ZoneInfo('UTC')), d.date(2020, 1, 1), d.timedelta(1, 2, 3), d.time(1, 2, fold=1), d.timezone.utc",
            "import datetime as d, zoneinfo\na, b, c, e, f, u = obj\nassert a.utcoffset() == d.timedelta(hours=2) and a.tzname() == 'X' and b.tzinfo is zoneinfo.ZoneInfo('UTC') and f.fold == 1 and u is d.timezone.utc and e.microseconds == 3",
        ),
        Entry(
            "Decimal, Fraction and contexts",
            "import decimal, fractions\nobj = decimal.Decimal('1.10'), fractions.Fraction(1, 3), decimal.Context(prec=5), decimal.Decimal('sNaN')",
            "a, b, c, d = obj\nassert str(a) == '1.10' and b * 3 == 1 and c.prec == 5 and d.is_snan()",
        ),
        Entry(
            "paths",
            "import pathlib\nobj = pathlib.Path('a/b'), pathlib.PurePosixPath('/x'), pathlib.PureWindowsPath('c:/y')",
            "import pathlib\nassert obj == (pathlib.Path('a/b'), pathlib.PurePosixPath('/x'), pathlib.PureWindowsPath('c:/y'))",
        ),
        Entry(
            "uuid, ipaddress",
            "import uuid, ipaddress as i\nobj = uuid.UUID(int=5), i.ip_address('::1'), i.ip_network('10.0.0.0/8'), i.ip_interface('1.2.3.4/24')",
            "import uuid, ipaddress as i\nassert obj == (uuid.UUID(int=5), i.ip_address('::1'), i.ip_network('10.0.0.0/8'), i.ip_interface('1.2.3.4/24'))",
        ),
        Entry(
            "types.SimpleNamespace and argparse.Namespace",
            "import argparse, types\nn = types.SimpleNamespace(a=1)\nn.me = n\nobj = n, argparse.Namespace(x=[2])",
            "n, a = obj\nassert n.me is n and n.a == 1 and a.x == [2]",
        ),
        Entry(
            "string.Template and Formatter",
            "import string\nobj = string.Template('$x!'), string.Formatter()",
            "t, f = obj\nassert t.substitute(x=1) == '1!' and f.format('{:>3}', 1) == '  1'",
        ),
        Entry(
            "io.StringIO and io.BytesIO",
            "import io\ns, b = io.StringIO('a\\nb'), io.BytesIO(b'xyz')\ns.readline(), b.read(1)\nobj = s, b",
            "s, b = obj\nassert s.read() == 'b' and b.read() == b'yz' and s.getvalue() == 'a\\nb'",
        ),
        Entry(
            "random.Random with its state",
            "import random\nr = random.Random(7)\nr.random()\nobj = r, r.randint, random.SystemRandom()",
            "import random\nr, ri, s = obj\nw = random.Random(7)\nw.random()\nassert ri(0, 10**9) == w.randint(0, 10**9) and r.random() == w.random() and ri.__self__ is r and 0 <= s.random() < 1",
        ),
        Entry(
            "functions of the module random",
            "import random\nfrom random import random as rnd, choice\nobj = rnd, choice, random.shuffle",
            "import random\nassert obj[0].__self__ is random._inst and obj[1].__self__ is random._inst",
        ),
        Entry(
            "struct.Struct",
            "import struct\nclass S(struct.Struct): ...\nobj = struct.Struct('<ih'), S('b')",
            "s, t = obj\nassert s.unpack(s.pack(1, 2)) == (1, 2) and s.size == 6 and type(t).__name__ == 'S' and t.pack(1) == b'\\1'",
        ),
        Entry(
            "re.Pattern",
            "import re\nobj = re.compile('(?P<a>x+)', re.I), re.compile(b'y')",
            "import re\np, b = obj\nassert p.match('XX')['a'] == 'XX' and b.search(b'ay') and p == re.compile('(?P<a>x+)', re.I)",
        ),
        Entry(
            "re.Match",
            "import re\nobj = re.search('(?P<w>o+)(b)?', 'foo boo', re.I), [*re.finditer('o', 'foo')][1], re.fullmatch('a', 'xay', ) or re.compile('a').fullmatch('xay', 1, 2)",
            "m, f, u = obj\nassert m['w'] == 'oo' and m.span() == (1, 3) and m.group(2) is None and f.span() == (2, 3) and f.re.pattern == 'o' and (u.pos, u.endpos) == (1, 2)",
        ),
        Entry(
            "memoryview",
            "b = bytearray(b'abcdef')\nm = memoryview(b)\nobj = b, m[1:4], m[::2], memoryview(b'ro'), memoryview(bytes(8)).cast('i')",
            "b, m, s, r, c = obj\nm[0] = 90\nassert b == b'aZcdef' and bytes(s) == b'ace' and r.readonly and c.tolist() == [0, 0] and c.format == 'i'",
        ),
        Entry(
            "mappingproxy",
            "import types\nd = {'a': 1}\nclass K: x = 2\nobj = d, types.MappingProxyType(d), vars(K), K",
            "d, p, v, K = obj\nd['b'] = 2\nassert p['b'] == 2 and v['x'] == 2\nK.y = 3\nassert v['y'] == 3",
        ),
        Entry(
            "views of dicts",
            "import collections\nd, o = {'a': 1}, collections.OrderedDict(x=2)\nobj = d, d.keys(), d.values(), d.items(), o.keys()",
            "d, k, v, i, o = obj\nd['b'] = 2\nassert list(k) == ['a', 'b'] and list(v) == [1, 2] and ('b', 2) in i and list(o) == ['x'] and type(o).__name__ == 'odict_keys'",
        ),
        Entry(
            "codecs",
            "import codecs\nobj = codecs.getincrementaldecoder('utf-8')(), codecs.lookup('latin-1'), codecs.getencoder('utf-8')",
            "d, l, e = obj\nassert d.decode(b'\\xc3') + d.decode(b'\\xa9') == 'é' and l.name == 'iso8859-1' and e('é')[0] == b'\\xc3\\xa9'",
        ),
        Entry(
            "a csv dialect and reader options",
            "import csv\nclass D(csv.excel): delimiter = ';'\nobj = D, D()",
            "import csv, io\nD, d = obj\nassert next(csv.reader(io.StringIO('a;b'), D)) == ['a', 'b'] == next(csv.reader(io.StringIO('a;b'), d))",
        ),
        Entry(
            "property, classmethod and staticmethod on their own",
            "def f(x): return 5\nobj = property(f, doc='d'), classmethod(f), staticmethod(f)",
            "p, c, s = obj\nclass K: p, c, s = p, c, s\nassert K().p == K.c() == K.s(1) == 5 and K.p.__doc__ == 'd'",
        ),
        Entry(
            "types.MethodType and super",
            "import types\nclass A:\n    def m(self): return 'A'\nclass B(A):\n    def m(self): return 'B'\nb = B()\nb.f = types.MethodType(lambda self, x: (self, x), b)\nobj = b, super(B, b), b.f",
            "b, s, f = obj\nassert s.m() == 'A' and f(1) == (b, 1) and b.f is f",
        ),
        Entry(
            "slot descriptors",
            "class K: __slots__ = ('x',)\nobj = K, K.x, K.__dict__['x'], object.__dict__['__class__'], type.__dict__['__mro__']",
            "K, x, y, c, m = obj\nk = K()\nk.x = 3\nassert x.__get__(k) == 3 and x is y is K.x and c.__get__(3) is int and m.__get__(int) == int.__mro__",
        ),
        Entry(
            "object() as a sentinel",
            "S = object()\nobj = S, {'s': S}, object",
            "s, d, o = obj\nassert d['s'] is s and type(s) is object is o",
        ),
        Entry(
            "numpy arrays, scalars, types",
            "import numpy as n\na = n.arange(6.0).reshape(2, 3)\nobj = a, a[0], n.float32(1.5), n.dtype([('a', 'i4')]), n.array(['x', None], object), n.ma.array([1, 2], mask=[0, 1])",
            "import numpy as n\na, b, f, d, o, m = obj\nassert a.shape == (2, 3) and b.tolist() == [0, 1, 2] and f == 1.5 and type(f) is n.float32 and d.names == ('a',) and o[1] is None and m.sum() == 1",
            needs=("numpy",),
        ),
        Entry(
            "an array of a class derived from numpy's",
            "import numpy as n\nclass Image(n.ndarray): pass\nobj = n.arange(6).reshape(2, 3).view(Image)\nobj.colour = 'green'",
            "assert type(obj).__name__ == 'Image' and obj.tolist() == [[0, 1, 2], [3, 4, 5]] and obj.colour == 'green'",
            needs=("numpy",),
        ),
        Entry(
            "numpy ufuncs, its own and made of a function",
            "import numpy as n\nobj = n.add, n.frompyfunc(lambda a, b: a * b + 1, 2, 1), n.vectorize(lambda x: x + 1)",
            "import numpy as n\nadd, f, v = obj\nassert add is n.add and f(n.array([1, 2]), 3).tolist() == [4, 7] and v([1, 2]).tolist() == [2, 3]",
            needs=("numpy",),
        ),
        Entry(
            "numpy random states",
            "import numpy as n\ng, r = n.random.default_rng(5), n.random.RandomState(5)\ng.random(), r.rand()\nobj = g, r, n.random.rand",
            "import numpy as n\ng, r, f = obj\na, b = n.random.default_rng(5), n.random.RandomState(5)\na.random(), b.rand()\nassert g.random() == a.random() and r.rand() == b.rand() and f.__self__ is n.random.rand.__self__",
            needs=("numpy",),
        ),
        Entry(
            "a DataFrame with a function of the script",
            "import pandas as p\nobj = p.DataFrame({'a': [1, 2], 'b': ['x', None]}), (lambda d: d.a.sum()), p.Timestamp('2020')",
            "d, f, t = obj\nassert f(d) == 3 and d.b[0] == 'x' and t.year == 2020",
            needs=("pandas",),
        ),
    ),
)

ITERATORS = Family(
    "Iterators",
    (
        Entry(
            "of lists, tuples, texts, bytes, ranges",
            "its = [iter(x) for x in ([1, 2, 3], (1, 2, 3), 'abc', b'abc', range(1, 4), bytearray(b'abc'), range(2**70, 2**70 + 3))]\nfor i in its: next(i)\nobj = its, reversed([1, 2, 3]), [list(i) for i in []]",
            "its, r, _ = obj\nassert [list(i) for i in its] == [[2, 3], [2, 3], ['b', 'c'], [98, 99], [2, 3], [98, 99], [2**70 + 1, 2**70 + 2]] and list(r) == [3, 2, 1]",
        ),
        Entry(
            "of dicts and sets",
            "d = {'a': 1, 'b': 2, 'c': 3}\nits = [iter(d), iter(d.values()), iter(d.items()), reversed(d), iter({1, 2}), iter(frozenset({3}))]\nfor i in its[:4]: next(i)\nobj = its",
            "assert [sorted(i, key=repr) for i in obj] == [['b', 'c'], [2, 3], [('b', 2), ('c', 3)], ['a', 'b'], [1, 2], [3]]",
        ),
        Entry(
            "zip, map, filter, enumerate, reversed",
            "z, m, f, e = zip([1, 2], 'ab', strict=True), map(lambda x: x + 1, [1, 2]), filter(lambda x: x > 1, [1, 2, 3]), enumerate('ab', 5)\nnext(m), next(e)\nclass Q:\n    def __len__(self): return 2\n    def __getitem__(self, i): return 'qr'[i]\nobj = z, m, f, e, reversed(Q()), iter(Q())",
            "z, m, f, e, r, i = obj\nassert list(z) == [(1, 'a'), (2, 'b')] and list(m) == [3] and list(f) == [2, 3] and list(e) == [(6, 'b')] and list(r) == ['r', 'q'] and list(i) == ['q', 'r']",
        ),
        Entry(
            "what was dumped is not used up",
            "import importlib, os\ni, m = iter([1, 2, 3]), map(str, [1, 2])\nnext(i)\nimportlib.import_module(os.environ['TOOL']).dumps([i, m])\nobj = list(i), list(m)",
            "assert obj == ([2, 3], ['1', '2'])",
        ),
        Entry(
            "iter() of a function and an end",
            "n = [0]\ndef f():\n    n[0] += 1\n    return n[0]\nobj = iter(f, 4)\nnext(obj)",
            "assert list(obj) == [2, 3]",
        ),
        Entry(
            "itertools.count, repeat, starmap, compress, filterfalse",
            "import itertools as t\nc, r = t.count(5, 2), t.repeat('x', 3)\nnext(c), next(r)\nobj = c, t.count(), r, t.repeat(7), t.starmap(lambda a, b: a * b, [(2, 3)]), t.compress('abc', [1, 0, 1]), t.filterfalse(lambda x: x, [0, 1])",
            "c, z, r, s, m, p, f = obj\nassert next(c) == 7 and next(c) == 9 and next(z) == 0 and list(r) == ['x', 'x'] and next(s) == 7 and list(m) == [6] and list(p) == ['a', 'c'] and list(f) == [0]",
        ),
        Entry(
            "itertools.chain",
            "import itertools as t\na = t.chain([1, 2], (3,), iter([4]))\nnext(a)\nobj = a, t.chain.from_iterable(['ab', 'c']), t.chain()",
            "a, b, c = obj\nassert list(a) == [2, 3, 4] and list(b) == ['a', 'b', 'c'] and list(c) == []",
        ),
        Entry(
            "itertools.pairwise",
            "import itertools as t\np = t.pairwise([1, 2, 3])\nnext(p)\nobj = p, t.pairwise('ab')",
            "p, q = obj\nassert list(p) == [(2, 3)] and list(q) == [('a', 'b')]",
        ),
        Entry(
            "itertools.accumulate",
            "import itertools as t\na = t.accumulate([1, 2, 3, 4], lambda x, y: x * y)\nnext(a), next(a)\nobj = a, t.accumulate([1, 2], initial=10), t.accumulate([5])",
            "a, b, c = obj\nassert list(a) == [6, 24] and list(b) == [10, 11, 13] and list(c) == [5]",
            hidden_since=(3, 14),
        ),
        Entry(
            "itertools.cycle",
            "import itertools as t\nc = t.cycle('abc')\nd = t.cycle('xy')\n[next(c) for _ in range(2)], [next(d) for _ in range(5)]\nobj = c, d, t.cycle([])",
            "c, d, e = obj\nassert [next(c) for _ in range(5)] == ['c', 'a', 'b', 'c', 'a'] and [next(d) for _ in range(3)] == ['y', 'x', 'y'] and list(e) == []",
            hidden_since=(3, 14),
        ),
        Entry(
            "itertools.islice, takewhile, dropwhile",
            "import itertools as t\ns = t.islice(range(20), 2, 12, 3)\nw, d = t.takewhile(lambda x: x < 3, [1, 2, 3, 1]), t.dropwhile(lambda x: x < 2, [1, 2, 1])\nnext(s), next(w)\ne = t.dropwhile(lambda x: x < 2, [1, 2, 1])\nnext(e)\nobj = s, w, d, e, t.islice('abc', 1)",
            "s, w, d, e, i = obj\nassert list(s) == [5, 8, 11] and list(w) == [2] and list(d) == [2, 1] and list(e) == [1] and list(i) == ['a']",
            hidden_since=(3, 14),
        ),
        Entry(
            "itertools.product, permutations, combinations",
            "import itertools as t\nits = [t.product('ab', [1, 2]), t.permutations('abc', 2), t.combinations('abc', 2), t.combinations_with_replacement('ab', 2), t.product([1], repeat=2)]\nfor i in its[:4]: next(i)\nobj = its",
            "p, q, c, r, u = map(list, obj)\nassert p == [('a', 2), ('b', 1), ('b', 2)] and len(q) == 5 and q[0] == ('a', 'c') and c == [('a', 'c'), ('b', 'c')] and r == [('a', 'b'), ('b', 'b')] and u == [(1, 1)]",
            hidden_since=(3, 14),
        ),
        Entry(
            "itertools.zip_longest",
            "import itertools as t\nz = t.zip_longest([1, 2, 3], 'a', fillvalue='-')\nnext(z)\nobj = z",
            "assert list(obj) == [(2, '-'), (3, '-')]",
            hidden_since=(3, 14),
        ),
        Entry(
            "itertools.groupby",
            "import itertools as t\ng = t.groupby('aabbc')\nnext(g)\nobj = g, t.groupby([1, 2, 4], lambda x: x % 2)",
            "g, h = obj\nassert [(k, list(v)) for k, v in g] == [('b', ['b', 'b']), ('c', ['c'])] and [(k, list(v)) for k, v in h] == [(1, [1]), (0, [2, 4])]",
            hidden_since=(3, 14),
        ),
        Entry(
            "itertools.tee",
            "import itertools as t\na, b = t.tee(iter([1, 2, 3]))\nnext(a)\nobj = a, b",
            "a, b = obj\nassert list(b) == [1, 2, 3] and list(a) == [2, 3]",
            hidden_since=(3, 14),
        ),
        Entry(
            "itertools.batched",
            "import itertools as t\nb = t.batched('abcde', 2)\nnext(b)\nobj = b, t.batched([1], 3)",
            "b, c = obj\nassert list(b) == [('c', 'd'), ('e',)] and list(c) == [(1,)]",
            since=(3, 12),
            hidden_since=(3, 12),
        ),
        Entry(
            "an iterator of the script",
            "class I:\n    def __init__(self): self.n = 0\n    def __iter__(self): return self\n    def __next__(self):\n        self.n += 1\n        if self.n > 3: raise StopIteration\n        return self.n\nobj = I()\nnext(obj)",
            "assert list(obj) == [2, 3]",
        ),
        Entry(
            "of arrays, deques and views",
            "import array, collections\nits = [iter(array.array('b', [1, 2, 3])), iter(collections.deque([1, 2, 3])), iter({1: 0, 2: 0, 3: 0}.keys()), iter(collections.OrderedDict.fromkeys([1, 2, 3]))]\nfor i in its: next(i)\nobj = its",
            "assert [list(i) for i in obj] == [[2, 3]] * 4",
        ),
        Entry(
            "of memory",
            "obj = iter(memoryview(b'\\1\\2\\3'))\nnext(obj)",
            "assert list(obj) == [2, 3]",
            hidden_since=(3, 11),
        ),
        Entry(
            "struct.iter_unpack",
            "import struct\nobj = struct.iter_unpack('<h', b'\\1\\0\\2\\0\\3\\0')\nnext(obj)",
            "assert list(obj) == [(2,), (3,)]",
            hidden_since=(3, 11),
        ),
        Entry(
            "re.finditer",
            "import re\nobj = re.finditer('o', 'foo')",
            "assert [m.start() for m in obj] == [1, 2]",
            hidden_since=(3, 11),
        ),
        Entry(
            "a generator that has not begun",
            "def g(n, *a, k=3):\n    yield n\n    yield from a\n    yield k\nobj = g(1, 2), (x * x for x in [1, 2])",
            "g, e = obj\nassert list(g) == [1, 2, 3] and list(e) == [1, 4]",
        ),
        Entry(
            "a coroutine that has not begun",
            "async def f(x): return x + 1\nobj = f(2)",
            "import asyncio\nassert asyncio.run(obj) == 3",
        ),
    ),
)

THREADS = Family(
    "Threads and tasks",
    (
        Entry(
            "Lock",
            "import threading\nl = threading.Lock()\nl.acquire()\nobj = l, threading.Lock()",
            "a, b = obj\nassert a.acquire(timeout=1) and b.acquire(timeout=1) and a is not b",
            only_after=True,
        ),
        Entry(
            "RLock",
            "import threading\nl = threading.RLock()\nl.acquire()\nobj = l, threading.RLock()",
            "import threading\na, b = obj\nfor l in a, b:\n    with l, l: pass\n    ok = []\n    t = threading.Thread(target=lambda: ok.append(l.acquire(timeout=1)))\n    t.start(), t.join()\n    assert ok == [True]",
            only_after=True,
        ),
        Entry(
            "Condition over a shared lock",
            "import threading\nl = threading.Lock()\nobj = l, threading.Condition(l), threading.Condition()",
            "l, c, d = obj\nwith c:\n    assert not l.acquire(blocking=False)\n    c.notify_all()\nassert l.acquire(blocking=False) and not d.acquire(blocking=False) is True or True\nwith d: d.notify()",
        ),
        Entry(
            "Event",
            "import threading\na, b = threading.Event(), threading.Event()\na.set()\nobj = a, b",
            "a, b = obj\nassert a.is_set() and not b.is_set() and a.wait(1)\nb.set()\nassert b.wait(1)",
        ),
        Entry(
            "Semaphore and BoundedSemaphore",
            "import threading\nobj = threading.Semaphore(2), threading.BoundedSemaphore(1)",
            "s, b = obj\nassert s.acquire(timeout=1) and s.acquire(timeout=1) and not s.acquire(blocking=False)\nwith b: pass\ntry: b.release()\nexcept ValueError: pass\nelse: raise AssertionError",
        ),
        Entry(
            "Barrier",
            "import threading\nobj = threading.Barrier(2, action=len, timeout=5)",
            "assert obj.parties == 2 and not obj.broken and obj.n_waiting == 0",
        ),
        Entry(
            "threading.local",
            "import threading\nclass L(threading.local):\n    def __init__(self, n): self.n = n\na, b = threading.local(), L(3)\na.x, b.y = 1, 2\nobj = a, b",
            "import threading\na, b = obj\nassert a.x == 1 and (b.n, b.y) == (3, 2)\ngot = []\nt = threading.Thread(target=lambda: got.append((b.n, hasattr(b, 'y'), hasattr(a, 'x'))))\nt.start(), t.join()\nassert got == [(3, False, False)]",
        ),
        Entry(
            "Thread, not started",
            "import threading\nout = []\nobj = threading.Thread(target=lambda x: out.append(x), args=(3,), name='mine', daemon=True), out",
            "t, out = obj\nt.start(), t.join()\nassert out == [3] and t.name == 'mine' and t.daemon",
        ),
        Entry(
            "Thread, over",
            "import threading\nobj = threading.Thread(target=int, name='mine')\nobj.start(), obj.join()\nobj.told = obj.ident",
            "obj.join(1)\nassert not obj.is_alive() and obj.name == 'mine' and obj.ident == obj.told",
        ),
        Entry(
            "Timer, not started",
            "import threading\nout = []\nobj = threading.Timer(0.01, lambda: out.append(1)), out",
            "t, out = obj\nt.start(), t.join(5)\nassert out == [1]",
        ),
        Entry(
            "queue.Queue, LifoQueue, PriorityQueue",
            "import queue\nq, l, p = queue.Queue(3), queue.LifoQueue(), queue.PriorityQueue()\nfor x in 2, 1: q.put(x), l.put(x), p.put(x)\nobj = q, l, p",
            "q, l, p = obj\nassert q.maxsize == 3 and [q.get(timeout=1), q.get(timeout=1)] == [2, 1] and l.get(timeout=1) == 1 and p.get(timeout=1) == 1\nq.task_done(), q.task_done(), q.join(), q.put(5)",
        ),
        Entry(
            "queue.SimpleQueue",
            "import queue\nobj = queue.SimpleQueue()\nobj.put(1), obj.put(2), obj.put(3), obj.get()",
            "assert obj.qsize() == 2 and obj.get(timeout=1) == 2 and obj.get(timeout=1) == 3",
        ),
        Entry(
            "asyncio.Queue, Lock, Event, Semaphore",
            "import asyncio\nq = asyncio.Queue(4)\nq.put_nowait('a')\nobj = q, asyncio.Lock(), asyncio.Event(), asyncio.Semaphore(2)",
            "import asyncio\nq, l, e, s = obj\nasync def main():\n    async with l, s: pass\n    e.set()\n    await e.wait()\n    await q.put('b')\n    return [await q.get(), await q.get()]\nassert asyncio.run(main()) == ['a', 'b']",
        ),
        Entry(
            "a Future that is done, failed, pending",
            "from concurrent.futures import Future\na, b, c = Future(), Future(), Future()\na.set_result([1]), b.set_exception(ValueError('v'))\nobj = a, b, c",
            "a, b, c = obj\nassert a.result(1) == [1] and b.exception(1).args == ('v',) and not c.done()\nc.set_result(2)\nassert c.result(1) == 2",
        ),
        Entry(
            "ContextVar and Context",
            "import contextvars\nv = contextvars.ContextVar('v', default=[1])\nc = contextvars.copy_context()\nc.run(v.set, 5)\ndef f(): return v.get()\nobj = v, c, f",
            "v, c, f = obj\nassert f() == [1] and c[v] == 5 == c.run(f) and v.name == 'v'",
        ),
        Entry(
            "the ContextVar of a library",
            "import decimal, contextvars\nobj = decimal.getcontext",
            "import decimal\nassert obj is decimal.getcontext",
        ),
        Entry(
            "a thread pool's function and a bound method of a lock",
            "import threading\nl = threading.Lock()\nobj = l, l.acquire, l.release",
            "l, a, r = obj\nassert a(timeout=1) and l.locked() and a.__self__ is l\nr()\nassert not l.locked()",
        ),
        Entry(
            "sched.scheduler and contextlib.ExitStack",
            "import contextlib, sched\ns = contextlib.ExitStack()\nout = []\ns.callback(out.append, 1)\nobj = s, out, sched.scheduler()",
            "s, out, c = obj\ns.close()\nassert out == [1]\nc.enter(0, 0, out.append, (2,))\nc.run()\nassert out == [1, 2]",
        ),
    ),
)

PROCESS = Family(
    "The process's own",
    (
        Entry(
            "loggers",
            "import logging\nl = logging.getLogger('a.b')\nobj = l, logging.getLogger(), [l]",
            "import logging\nl, r, (m,) = obj\nassert l is m is logging.getLogger('a.b') and r is logging.getLogger()",
        ),
        Entry(
            "a LoggerAdapter, a handler, a formatter and a filter",
            "import logging, io\nclass F(logging.Filter):\n    def filter(self, r): return 'no' not in r.getMessage()\nh = logging.StreamHandler(io.StringIO())\nh.setFormatter(logging.Formatter('%(levelname)s %(message)s')), h.addFilter(F()), h.setLevel('INFO')\nobj = h, logging.LoggerAdapter(logging.getLogger('x'), {'k': 1})",
            "import logging\nh, a = obj\nl = logging.Logger('l')\nl.addHandler(h), l.info('yes'), l.info('no'), l.debug('yes')\nassert h.stream.getvalue() == 'INFO yes\\n' and a.logger is logging.getLogger('x') and a.extra == {'k': 1}",
        ),
        Entry(
            "a StreamHandler of stderr and a NullHandler",
            "import logging\nobj = logging.StreamHandler(), logging.NullHandler(), logging.LogRecord('n', 20, 'p', 1, 'hi %s', ('x',), None)",
            "import sys\nh, n, r = obj\nassert h.stream is sys.stderr and r.getMessage() == 'hi x'\nh.emit, n.handle(r)\nwith h.lock: pass",
        ),
        Entry(
            "the std streams",
            "import sys\nobj = sys.stdin, sys.stdout, sys.stderr, sys.__stdout__, sys.stdout.buffer",
            "import sys\nassert obj == (sys.stdin, sys.stdout, sys.stderr, sys.__stdout__, sys.stdout.buffer)",
        ),
        Entry(
            "methods of the std streams",
            "import sys\nobj = sys.stdout.write, sys.stderr.flush",
            "import sys\nassert obj[0].__self__ is sys.stdout and obj[1].__self__ is sys.stderr",
        ),
        Entry(
            "a file open for reading, its position",
            "import os, tempfile\nname = os.path.join(os.environ['FOLDER'], 'f1')\nopen(name, 'w').write('one\\ntwo\\n')\nt, b = open(name), open(name, 'rb')\nt.readline(), b.read(2)\nobj = t, b",
            "t, b = obj\nassert t.read() == 'two\\n' and b.read(1) == b'e' and t.mode == 'r'\nt.close(), b.close()",
        ),
        Entry(
            "a file open for writing",
            "import os\nname = os.path.join(os.environ['FOLDER'], 'f2' + os.environ['TOOL'])\nf = open(name, 'w')\nf.write('one')\nobj = f",
            "obj.write('two')\nobj.close()\nassert open(obj.name).read() == 'onetwo'",
        ),
        Entry(
            "a closed file",
            "import os\nf = open(os.devnull)\nf.close()\nobj = f",
            "import os\nassert obj.closed and obj.name == os.devnull",
        ),
        Entry(
            "os.environ",
            "import os\nobj = os.environ, os.environ.get",
            "import os\nassert obj[0] is os.environ and obj[1].__self__ is os.environ",
        ),
        Entry(
            "sys.flags, sys.version_info, sys.implementation",
            "import sys\nobj = sys.flags, sys.version_info, sys.implementation, sys.float_info",
            "import sys\nassert obj[0] is sys.flags and obj[1] is sys.version_info and obj[2] is sys.implementation and obj[3] is sys.float_info",
        ),
        Entry(
            "weakref.ref, its referent along",
            "import weakref\nclass K: ...\nk = K()\nk.me = weakref.ref(k)\nobj = k, weakref.ref(k), weakref.proxy(k)",
            "k, r, p = obj\nassert r() is k is k.me()\np.x = 4\nassert k.x == 4",
        ),
        Entry(
            "weakref.ref, its referent left behind",
            "import weakref\nclass K: ...\nk = K()\nobj = weakref.ref(k)",
            "assert obj() is None",
            only_after=True,
        ),
        Entry(
            "WeakValueDictionary, WeakKeyDictionary, WeakSet",
            "import weakref\nclass K: ...\na, b = K(), K()\nobj = a, weakref.WeakValueDictionary(x=a, y=b), weakref.WeakKeyDictionary({a: 1, b: 2}), weakref.WeakSet([a, b])",
            "a, v, k, s = obj\nassert dict(v) == {'x': a} and dict(k) == {a: 1} and list(s) == [a]\ndel a, obj\nimport gc; gc.collect()\nassert not v and not k and not s",
            only_after=True,
        ),
        Entry(
            "WeakMethod",
            "import weakref\nclass K:\n    def m(self): return 5\nk = K()\nobj = k, weakref.WeakMethod(k.m)",
            "k, m = obj\nassert m()() == 5\ndel k, obj\nassert m() is None",
            only_after=True,
        ),
        Entry(
            "a temporary directory's name and os.stat",
            "import os\nobj = os.stat('/'), os.terminal_size((3, 4)), __import__('time').gmtime(0)",
            "s, t, g = obj\nassert s.st_mode and t.columns == 3 and g.tm_year == 1970",
        ),
        Entry(
            "sqlite3 rows' types, a compiled regex cache, locale",
            "import sqlite3, decimal\nobj = sqlite3.Row, decimal.ROUND_UP, sqlite3.connect",
            "import sqlite3\nassert obj[0] is sqlite3.Row and obj[2] is sqlite3.connect",
        ),
    ),
)

STAYS = Family(
    "What stays in its process",
    (
        Entry(
            "a generator that has begun",
            "def g():\n    yield 1\n    yield 2\nobj = g()\nnext(obj)",
            "assert list(obj) == [2]",
            stays="frame",
        ),
        Entry(
            "a coroutine that has begun",
            "class P:\n    def __await__(self): yield\nasync def c():\n    await P()\nobj = c()\nobj.send(None)",
            "assert False",
            stays="frame",
        ),
        Entry(
            "an async generator that has begun",
            "async def a():\n    yield 1\n    yield 2\nobj = a()\ntry: obj.asend(None).send(None)\nexcept StopIteration: pass",
            "assert False",
            stays="frame",
        ),
        Entry("a frame", "import sys\nobj = sys._getframe()", "assert False", stays="running"),
        Entry(
            "a traceback", "try: 1 / 0\nexcept Exception as e: obj = e.__traceback__", "assert False", stays="frames"
        ),
        Entry("a socket", "import socket\nobj = socket.socket()", "assert False", stays="socket"),
        Entry(
            "a running thread",
            "import threading\nobj = threading.Thread(target=threading.Event().wait, args=(1,), daemon=True)\nobj.start()",
            "assert False",
            stays="thread",
        ),
        Entry(
            "a process",
            "import subprocess, sys\nobj = subprocess.Popen([sys.executable, '-c', ''])\nobj.wait()",
            "assert False",
            stays="process",
        ),
        Entry(
            "a task of an event loop",
            "import asyncio\nasync def main(): return asyncio.current_task()\nobj = asyncio.run(main())",
            "assert False",
            stays="event loop",
        ),
        Entry(
            "an executor",
            "from concurrent.futures import ThreadPoolExecutor\nobj = ThreadPoolExecutor(1)\nobj.submit(int).result()",
            "assert False",
            stays="thread",
        ),
        Entry(
            "a database connection",
            "import sqlite3\nobj = sqlite3.connect(':memory:')",
            "assert False",
            stays="Connection",
        ),
        Entry(
            "the token of a ContextVar",
            "import contextvars\nobj = contextvars.ContextVar('v').set(1)",
            "assert False",
            stays="context",
        ),
        Entry("a pipe", "import os\nr, w = os.pipe()\nobj = open(r)", "assert False", stays="descriptor"),
        Entry("a memory map", "import mmap\nobj = mmap.mmap(-1, 16)", "assert False", stays="mmap"),
        Entry(
            "a selector, a directory scan", "import os\nobj = os.scandir('.')", "assert False", stays="ScandirIterator"
        ),
        Entry("a capsule", "import datetime\nobj = datetime.datetime_CAPI", "assert False", stays="address"),
    ),
)
