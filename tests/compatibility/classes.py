"""Classes of a script and their instances."""

from .entry import Entry, Family

CLASSES = Family(
    "Classes",
    (
        Entry(
            "a class and an instance",
            """
            class K:
                "The doc."
                z, a = 1, 2
                def __init__(self, n): self.n = n
                def get(self): return self.n
            obj = K(3), K
            """,
            """
            k, K = obj
            assert type(k) is K and k.get() == 3 and K.__doc__ == "The doc." and K.__qualname__ == "K"
            assert [n for n in vars(K) if n[0] != "_"] == ["z", "a", "get"]
            """,
        ),
        Entry(
            "properties, class methods and static methods",
            """
            class K:
                @property
                def p(self): return self.n
                @p.setter
                def p(self, v): self.n = v
                @classmethod
                def c(cls): return cls
                @staticmethod
                def s(x): return x + 1
                @classmethod
                def __class_getitem__(cls, x): return x
            obj = K()
            """,
            "obj.p = 2\nK = type(obj)\nassert obj.p == 2 and obj.c() is K is K.c() and K.s(1) == 2 and K['x'] == 'x'",
        ),
        Entry(
            "inheritance of several classes",
            "class A: x = 'a'\nclass B(A): ...\nclass C(A): x = 'c'\nclass D(B, C): ...\nobj = D()",
            "assert [c.__name__ for c in type(obj).__mro__] == ['D', 'B', 'C', 'A', 'object'] and obj.x == 'c'",
        ),
        Entry(
            "super() and __class__",
            """
            def make():
                class A:
                    def who(self): return ["A"]
                class B(A):
                    def who(self): return ["B", *super().who()]
                    def cell(self): return __class__
                return B
            obj = make()
            """,
            "assert obj().who() == ['B', 'A'] and obj().cell() is obj\nclass C(obj): ...\nassert C().who() == ['B', 'A']",
        ),
        Entry(
            "a class inside a class",
            "class Out:\n    class In:\n        class Deep: ...\n        def up(self): return Out\nobj = Out.In(), Out.In.Deep(), Out",
            """
            i, d, Out = obj
            assert type(i) is Out.In and type(d) is Out.In.Deep and i.up() is Out
            assert Out.In.Deep.__qualname__ == "Out.In.Deep"
            """,
        ),
        Entry(
            "a class inside a function",
            """
            def make(k):
                class Local:
                    made = []
                    def __init__(self): Local.made.append(k)
                return Local
            obj = make(7)
            """,
            "obj()\nassert obj.made == [7] and obj.__qualname__ == 'make.<locals>.Local'",
        ),
        Entry(
            "two classes that name each other",
            """
            def make():
                class A:
                    def other(self): return B
                class B:
                    owner = A
                A.child = B
                return A
            obj = make()
            """,
            "assert obj().other() is obj.child and obj.child.owner is obj",
        ),
        Entry(
            "a class that holds itself and an instance",
            "class K: ...\nK.me, K.box, K.one = K, [K], K()\nobj = K",
            "assert obj.me is obj and obj.box[0] is obj and type(obj.one) is obj",
        ),
        Entry(
            "the order of attributes, around one that leads back",
            "class K: a = 1\nK.b, K.c = K(), 2\nobj = K",
            "assert [n for n in vars(obj) if n[0] != '_'] == ['a', 'b', 'c']",
        ),
        Entry(
            "__slots__",
            """
            class P:
                __slots__ = ("x", "y", "__hidden", "__weakref__")
                def __init__(self): self.x, self.__hidden = 1, 9
                def peek(self): return self.__hidden
            class Q(P):
                __slots__ = ()
            obj = P(), Q()
            """,
            """
            import weakref
            p, q = obj
            assert p.x == 1 and p.peek() == q.peek() == 9 and not hasattr(p, "y") and not hasattr(q, "__dict__")
            assert weakref.ref(p)() is p and type(p).__slots__ == ("x", "y", "__hidden", "__weakref__")
            """,
        ),
        Entry(
            "__slots__ with __dict__, a string, a dict",
            """
            class A: __slots__ = "only"
            class B(A): __slots__ = ["b", "__dict__"]
            class C: __slots__ = {"c": "the doc of c"}
            a, b, c = A(), B(), C()
            a.only, b.only, b.b, b.free, c.c = 1, 2, 3, 4, 5
            obj = a, b, c
            """,
            """
            import inspect
            a, b, c = obj
            assert (a.only, b.only, b.b, b.free, c.c) == (1, 2, 3, 4, 5) and vars(b) == {"free": 4}
            assert type(a).__slots__ == "only" and type(b).__slots__ == ["b", "__dict__"]
            assert inspect.getdoc(type(c).c) == "the doc of c" and not hasattr(a, "__dict__")
            """,
        ),
        Entry(
            "__slots__ of a generator",
            "class A:\n    __slots__ = (n for n in ('x', '__y'))\n    def y(self): return self.__y\nobj = A",
            "a = obj()\na.x, a._A__y = 1, 2\nassert a.x == 1 and a.y() == 2 and not hasattr(a, '__dict__')",
        ),
        Entry(
            "an override equal to the parent's",
            "class A:\n    x = 1\n    def f(self): ...\nclass B(A):\n    x = 1\n    f = A.f\nobj = A, B",
            "A, B = obj\nassert 'x' in vars(B) and vars(B)['f'] is A.f",
        ),
        Entry(
            "a method under several names",
            "class K:\n    def m(self): return 1\n    n = m\nobj = K",
            "assert obj.m is obj.n and obj().n() == 1",
        ),
        Entry(
            "methods that share a cell",
            """
            def make():
                n = 0
                class K:
                    def bump(self):
                        nonlocal n
                        n += 1
                    def get(self): return n
                return K, lambda: n
            obj = make()
            """,
            "K, get = obj\nK().bump(), K().bump()\nassert K().get() == get() == 2",
        ),
        Entry(
            "a class with annotations",
            "class K:\n    x: int\n    y: 'K' = None\nobj = K",
            "import typing\nassert obj.__annotations__ == {'x': int, 'y': 'K'} and obj.y is None",
        ),
        Entry(
            "a class whose annotations wait",
            "class K:\n    me: K\n    later: Later = 1\nclass Later: ...\nobj = K, Later",
            "K, Later = obj\nassert K.__annotations__ == {'me': K, 'later': Later}",
            since=(3, 14),
        ),
        Entry(
            "a class with bound methods as attributes",
            "class K:\n    def m(self): return self.n\nk = K()\nk.n = 4\nobj = k, k.m, K.m",
            "k, m, f = obj\nassert m() == 4 and m.__self__ is k and f is type(k).m and f(k) == 4",
        ),
        Entry(
            "a descriptor with __set_name__",
            """
            class Typed:
                calls = 0
                def __set_name__(self, owner, name):
                    Typed.calls += 1
                    self.name, self.owner = name, owner
                def __get__(self, o, t=None): return self if o is None else o.__dict__[self.name]
                def __set__(self, o, v): o.__dict__[self.name] = v
            class P: x, y = Typed(), Typed()
            obj = P()
            obj.x = 1
            """,
            "P = type(obj)\nassert obj.x == 1 and P.x.owner is P and P.y.name == 'y' and type(P.x).calls == 2",
        ),
        Entry(
            "__init_subclass__ that registers",
            """
            class Plugin:
                known = {}
                def __init_subclass__(cls, key, **k):
                    super().__init_subclass__(**k)
                    if key in Plugin.known: raise ValueError("twice: " + key)
                    Plugin.known[key] = cls
            class One(Plugin, key="1"): ...
            class Two(One, key="2"): ...
            obj = Two(), Plugin
            """,
            "two, Plugin = obj\nassert sorted(Plugin.known) == ['1', '2'] and Plugin.known['2'] is type(two)",
        ),
        Entry(
            "a class with keywords for a library's hook",
            """
            import typing
            class M(typing.TypedDict, total=False): x: int
            class E(__import__("enum").Flag, boundary=__import__("enum").KEEP): A = 1
            obj = M, E
            """,
            "M, E = obj\nassert M.__total__ is False and M.__optional_keys__ == {'x'} and E(9).value == 9",
        ),
        Entry(
            "a metaclass",
            """
            class Meta(type):
                def __call__(cls, *a): return "made", super().__call__(*a)
                def shout(cls): return cls.__name__.upper()
            class K(metaclass=Meta): ...
            class L(K): ...
            obj = L
            """,
            "assert obj.shout() == 'L' and obj()[0] == 'made' and type(obj) is type(obj.__base__) and type(obj).__name__ == 'Meta'",
        ),
        Entry(
            "a metaclass that counts and takes keywords",
            """
            class Meta(type):
                made = []
                @classmethod
                def __prepare__(m, name, bases, *, table): return {"prepared": table}
                def __new__(m, name, bases, space, *, table):
                    c = super().__new__(m, name, bases, space)
                    Meta.made.append((name, table))
                    return c
                def __init__(c, name, bases, space, *, table): super().__init__(name, bases, space)
            class K(metaclass=Meta, table="rows"): x = 1
            obj = K
            """,
            "assert obj.prepared == 'rows' and obj().x == 1 and type(obj).made == [('K', 'rows')]",
        ),
        Entry(
            "a class that forbids setting attributes",
            """
            class Meta(type):
                def __setattr__(c, k, v): raise AttributeError("frozen")
            class F(metaclass=Meta):
                def __init__(self): object.__setattr__(self, "v", 1)
                def __setattr__(self, k, v): raise AttributeError("frozen")
            obj = F()
            """,
            """
            assert obj.v == 1
            for each in obj, type(obj):
                try: each.z = 1
                except AttributeError as error: assert str(error) == "frozen"
                else: raise AssertionError("it is not frozen")
            """,
        ),
        Entry(
            "an object that answers for every attribute",
            """
            class Proxy:
                def __init__(self, to): self._to = to
                def __getattr__(self, name): return getattr(self._to, name)
            class Anything:
                def __getattr__(self, name): return lambda *a: name
            class Own:
                def __init__(self, d): object.__setattr__(self, "d", d)
                def __getattribute__(self, name): return object.__getattribute__(self, "d")[name]
            obj = Proxy([1]), Proxy("text"), Anything(), Own({"x": 5})
            """,
            "p, t, a, o = obj\np.append(2)\nassert p._to == [1, 2] and t.upper() == 'TEXT' and a.go() == 'go' and o.x == 5",
        ),
        Entry(
            "an abstract class with registered classes",
            """
            import abc
            class Shape(abc.ABC):
                @abc.abstractmethod
                def area(self): ...
                @property
                @abc.abstractmethod
                def name(self): ...
            class Square(Shape):
                name = "sq"
                def area(self): return 9
            class Duck: ...
            Shape.register(Duck)
            obj = Shape, Square(), Duck()
            """,
            """
            Shape, square, duck = obj
            assert isinstance(square, Shape) and isinstance(duck, Shape) and not isinstance(3, Shape)
            assert Shape.__abstractmethods__ == {"area", "name"}
            try: Shape()
            except TypeError: pass
            else: raise AssertionError("it is not abstract")
            """,
        ),
        Entry(
            "a class of collections.abc",
            """
            import collections.abc
            class M(collections.abc.MutableMapping):
                def __init__(self): self.d = {}
                def __getitem__(self, k): return self.d[k]
                def __setitem__(self, k, v): self.d[k] = v
                def __delitem__(self, k): del self.d[k]
                def __iter__(self): return iter(self.d)
                def __len__(self): return len(self.d)
            obj = M()
            obj["a"] = 1
            """,
            "import collections.abc\nobj.update(b=2)\nassert dict(obj) == {'a': 1, 'b': 2} and isinstance(obj, collections.abc.Mapping)",
        ),
        Entry(
            "__subclasshook__ and __instancecheck__",
            """
            import abc
            class Meta(type):
                def __instancecheck__(c, o): return o == 5
            class A(metaclass=Meta): ...
            class B(abc.ABC):
                @classmethod
                def __subclasshook__(cls, c): return hasattr(c, "go") or NotImplemented
            obj = A, B
            """,
            "A, B = obj\nassert isinstance(5, A) and not isinstance(6, A)\nclass G: go = 1\nassert issubclass(G, B) and not issubclass(int, B)",
        ),
        Entry(
            "subclasses of built-in types",
            """
            import collections
            def sub(base, *a):
                o = type("My" + base.__name__, (base,), {"hi": lambda self: "hi"})(*a)
                o.extra = [base.__name__]
                return o
            obj = [sub(dict, {"a": 1}), sub(list, [1]), sub(tuple, (1, 2)), sub(int, 5), sub(str, "s"), sub(set, {1}),
                   sub(bytes, b"b"), sub(bytearray, b"c"), sub(float, 1.5), sub(complex, 1j), sub(frozenset, {2}),
                   sub(collections.OrderedDict, {"z": 1}), sub(collections.deque, [1], 4), type("MyCounter", (collections.Counter,), {"hi": lambda self: "hi", "extra": ["Counter"]})("aa"),
                   sub(collections.defaultdict, list, {"k": [1]}), sub(collections.ChainMap, {"c": 1}), sub(collections.UserDict, {"u": 1})]
            """,
            """
            import collections
            want = [{"a": 1}, [1], (1, 2), 5, "s", {1}, b"b", b"c", 1.5, 1j, {2}, {"z": 1}, collections.deque([1]), {"a": 2},
                    {"k": [1]}, {"c": 1}, {"u": 1}]
            assert all(o == w and o.hi() == "hi" and o.extra[0] in type(o).__name__ for o, w in zip(obj, want, strict=True))
            assert obj[12].maxlen == 4 and obj[14]["new"] == []
            """,
        ),
        Entry(
            "subclasses of standard classes",
            """
            import argparse, ast, datetime, decimal, fractions, json, logging, pathlib, string, threading, uuid
            class Enc(json.JSONEncoder):
                def default(self, o): return "def"
            class T(string.Template): delimiter = "%"
            class V(ast.NodeVisitor):
                def visit_Name(self, n): self.seen = n.id
            class Th(threading.Thread):
                def run(self): self.out = 5
            class D(decimal.Decimal): ...
            class Day(datetime.date): ...
            class H(logging.Handler):
                def emit(self, r): self.last = r.getMessage()
            class Act(argparse.Action):
                def __call__(self, p, ns, v, o=None): setattr(ns, self.dest, v * 2)
            obj = Enc, T, V, Th, D("1.5"), Day(2020, 1, 2), H, Act
            """,
            """
            import argparse, ast, datetime, json, logging
            Enc, T, V, Th, d, day, H, Act = obj
            assert json.dumps(object(), cls=Enc) == '"def"' and T("%a $b").substitute(a=1) == "1 $b"
            v, t = V(), Th()
            v.visit(ast.parse("q")), t.start(), t.join()
            assert v.seen == "q" and t.out == 5 and d + 1 == 2.5 and type(d).__name__ == "D" and day == datetime.date(2020, 1, 2)
            h = H()
            log = logging.Logger("x")
            log.addHandler(h), log.error("hi %s", 1)
            p = argparse.ArgumentParser()
            p.add_argument("x", action=Act)
            assert h.last == "hi 1" and p.parse_args(["ab"]).x == "abab"
            """,
        ),
        Entry(
            "the state protocols",
            """
            class A:
                def __getstate__(self): return {"a": 1}
                def __setstate__(self, s): self.__dict__.update(s, restored=True)
            class B(tuple):
                def __new__(cls, *, x, y): return super().__new__(cls, (x, y))
                def __getnewargs_ex__(self): return (), {"x": self[0], "y": self[1]}
            class C:
                def __reduce__(self): return rebuild, (7,)
            def rebuild(n):
                c = C.__new__(C)
                c.n = n
                return c
            obj = A(), B(x=1, y=2), C()
            """,
            "a, b, c = obj\nassert vars(a) == {'a': 1, 'restored': True} and b == (1, 2) and c.n == 7",
            only_after=True,
        ),
        Entry(
            "an instance with a class of its own",
            "class K:\n    def __init__(self):\n        self.__class__ = type('Own', (K,), {'get': lambda s: s.n})\n        self.n = 3\nobj = K()",
            "assert obj.get() == 3 and type(obj).__name__ == 'Own' and type(obj).__base__.__name__ == 'K'",
        ),
        Entry(
            "instances in a cycle, hashed by what they hold",
            """
            class Node:
                def __init__(self, n): self.n, self.peers = n, set()
                def __hash__(self): return hash(self.n)
                def __eq__(self, o): return self.n == o.n
            a, b = Node("a"), Node("b")
            a.peers.add(b), b.peers.add(a)
            obj = [a, b]
            """,
            "a, b = obj\nassert b in a.peers and a in b.peers",
            nowhere="a set asks for the hash of an object before its attributes are there",
        ),
        Entry(
            "a class that arrives in two payloads",
            "import importlib, os\nclass K: ...\ndumps = importlib.import_module(os.environ['TOOL']).dumps\nobj = [dumps(K()), dumps(K())]",
            "import importlib, os\nloads = importlib.import_module(os.environ['TOOL']).loads\na, b = map(loads, obj)\nassert type(a) is type(b)",
        ),
        Entry(
            "a class that comes home",
            "import importlib, os\ntool = importlib.import_module(os.environ['TOOL'])\ndef make():\n    class K: ...\n    return K\nK = make()\nobj = type(tool.loads(tool.dumps(K()))) is K",
            "assert obj",
        ),
        Entry(
            "a live class is not reset by a load",
            """
            import importlib, os
            tool = importlib.import_module(os.environ["TOOL"])
            def make():
                class K:
                    count = 0
                    def m(self): ...
                return K
            K = make()
            data = tool.dumps(K())
            K.count, m = 5, K.m
            tool.loads(data)
            obj = K.count == 5 and K.m is m
            """,
            "assert obj",
        ),
        Entry(
            "an instance of a class redefined since",
            """
            class P:
                def who(self): return "old"
            old = P()
            class P:
                def who(self): return "new"
            obj = old, P()
            """,
            "old, new = obj\nassert (old.who(), new.who()) == ('old', 'new')",
        ),
        Entry(
            "a class that holds weak containers",
            """
            import weakref
            class K:
                all, by_name = weakref.WeakSet(), weakref.WeakValueDictionary()
                def __init__(self, name):
                    K.all.add(self)
                    K.by_name[name] = self
            obj = K("a"), K("b")
            """,
            "a, b = obj\nK = type(a)\nassert set(K.all) == {a, b} and K.by_name['b'] is b\ndel obj, b\nimport gc; gc.collect()\nassert set(K.all) == {a}",
        ),
        Entry(
            "a class with a lock, a cache and a logger",
            """
            import functools, logging, threading
            class K:
                lock, log = threading.RLock(), logging.getLogger("a.b")
                @functools.lru_cache
                def m(self):
                    with self.lock: return 1
                def __init__(self): self.cond, self.local = threading.Condition(), threading.local()
            obj = K()
            """,
            "import logging\nassert obj.m() == 1 and obj.log is logging.getLogger('a.b')\nwith obj.cond: obj.cond.notify_all()\nobj.local.x = 1",
        ),
        Entry(
            "a class decorator that replaces the class",
            """
            def sub(c):
                class New(c): wrapped = c
                New.__name__, New.__qualname__ = c.__name__, c.__qualname__
                return New
            @sub
            class Thing:
                def m(self): return "m"
            obj = Thing()
            """,
            "T = type(obj)\nassert obj.m() == 'm' and T.wrapped is T.__mro__[1] and T.wrapped is not T and T.__name__ == 'Thing'",
        ),
        Entry(
            "a class made by a call of type",
            "obj = type('Dyn', (dict,), {'x': 1, '__doc__': 'd', 'm': lambda self: len(self)})",
            "assert obj.__name__ == 'Dyn' and obj(a=1).m() == 1 and obj.__doc__ == 'd' and obj.x == 1",
        ),
        Entry(
            "a class of types.new_class and __mro_entries__",
            """
            import types
            class Base: ...
            class Alias:
                def __mro_entries__(self, bases): return (Base,)
            alias = Alias()
            class K(alias): ...
            L = types.new_class("L", (alias,), {}, lambda ns: ns.update(y=1))
            obj = K, L, Base
            """,
            "K, L, Base = obj\nassert K.__bases__ == (Base,) and type(K.__orig_bases__[0]).__name__ == 'Alias' and L.y == 1 and L.__bases__ == (Base,)",
        ),
        Entry(
            "a class with __match_args__, __call__ and operators",
            """
            class V:
                __match_args__ = ("x", "y")
                def __init__(self, x, y): self.x, self.y = x, y
                def __add__(self, o): return V(self.x + o.x, self.y + o.y)
                def __call__(self): return self.x
                def __bool__(self): return False
                def __enter__(self): return self
                def __exit__(self, *a): return True
            obj = V(1, 2)
            """,
            "with obj: raise ValueError\nmatch obj + obj:\n    case object(x=x, y=y): assert (x, y) == (2, 4)\nassert obj() == 1 and not obj",
        ),
        Entry(
            "__del__ and __hash__ = None",
            "log = []\nclass K:\n    __hash__ = None\n    def __del__(self): log.append(1)\nobj = K(), log",
            "assert type(obj[0]).__hash__ is None\nlog = obj[1]\ndel obj\nassert log == [1]",
        ),
        Entry(
            "a singleton by __new__",
            """
            class One:
                it = None
                def __new__(cls):
                    if cls.it is None: cls.it = super().__new__(cls)
                    return cls.it
            obj = One(), One
            """,
            "one, One = obj\nassert One() is one is One.it",
        ),
        Entry(
            "a sentinel by __reduce__",
            "class Missing:\n    def __reduce__(self): return 'MISSING'\n    def __repr__(self): return 'MISSING'\nMISSING = Missing()\nobj = [MISSING, MISSING]",
            "a, b = obj\nassert a is b and repr(a) == 'MISSING'",
        ),
        Entry(
            "a module made at run time",
            "import types\nm = types.ModuleType('m')\nexec('n = 0\\ndef bump():\\n    global n\\n    n += 1\\n    return n', m.__dict__)\nm.me = m\nobj = m, m.bump",
            "m, bump = obj\nassert bump() == 1 and m.n == 1 and m.bump is bump and m.me is m and bump.__globals__ is vars(m)",
        ),
        Entry(
            "a class of a module made at run time",
            "import sys, types\nm = sys.modules['m'] = types.ModuleType('m')\nexec('k = 2\\nclass K:\\n    def get(self): return k', m.__dict__)\nobj = m.K()",
            "assert obj.get() == 2 and type(obj).__module__ == 'm'",
        ),
        Entry(
            "a module of the library",
            "import os.path, xml.dom\nobj = os.path, xml.dom",
            "import os.path, xml.dom\nassert obj == (os.path, xml.dom)",
        ),
        Entry(
            "an instance of a class with 10,000 links",
            "class Node: next = None\nhead = None\nfor n in range(10_000):\n    node = Node()\n    node.n, node.next = n, head\n    head = node\nobj = head",
            "for n in reversed(range(10_000)):\n    assert obj.n == n\n    obj = obj.next\nassert obj is None",
        ),
    ),
)
