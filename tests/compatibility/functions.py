"""Functions of a script."""

from .entry import Entry, Family

FUNCTIONS = Family(
    "Functions",
    (
        Entry("a function of the script", "def f(x): return 2 * x\nobj = f", "assert obj(4) == 8"),
        Entry(
            "a function of a library", "from os.path import join\nobj = join", "import os\nassert obj is os.path.join"
        ),
        Entry("a lambda", "obj = lambda x, y=2, *a, k=3, **kw: (x, y, a, k, kw)", "assert obj(1) == (1, 2, (), 3, {})"),
        Entry(
            "a closure",
            "def outer(n):\n    def inner(x): return x + n\n    return inner\nobj = outer(3)",
            "assert obj(4) == 7",
        ),
        Entry(
            "a recursive inner function",
            """
            def outer():
                def factorial(n): return 1 if n < 2 else n * factorial(n - 1)
                return factorial
            obj = outer()
            """,
            "assert obj(5) == 120",
        ),
        Entry(
            "two inner functions that call each other",
            """
            def outer():
                def even(n): return n == 0 or odd(n - 1)
                def odd(n): return n != 0 and even(n - 1)
                return even, odd
            obj = outer()
            """,
            "even, odd = obj\nassert even(10) and odd(7) and not even(3)",
        ),
        Entry(
            "two functions that count in one cell",
            """
            def outer():
                n = 0
                def bump():
                    nonlocal n
                    n += 1
                def get(): return n
                return bump, get
            obj = outer()
            """,
            "bump, get = obj\nbump(), bump()\nassert get() == 2",
        ),
        Entry(
            "a function with an empty cell",
            """
            def outer():
                def get(): return later
                return get
                later = None
            obj = outer()
            """,
            """
            try: obj()
            except NameError: pass
            else: raise AssertionError("the cell is full")
            """,
        ),
        Entry(
            "a function and the globals it uses",
            "K = 3\ndef helper(x): return x * K\ndef f(x): return helper(x) + 1\nobj = f",
            "assert obj(4) == 13",
        ),
        Entry(
            "two functions that share a global",
            "n = 0\ndef bump():\n    global n\n    n += 1\ndef get(): return n\nobj = bump, get",
            "bump, get = obj\nbump(), bump()\nassert get() == 2",
        ),
        Entry(
            "a function that uses imported modules",
            "import json, math as m\nimport xml.dom.minidom\ndef f(s): return json.loads(s), m.pi, xml.dom.minidom.parseString('<a/>')\nobj = f",
            "import math\nassert obj('[1]')[:2] == ([1], math.pi)",
        ),
        Entry(
            "a function that uses a submodule in a lambda",
            "import xml\nimport xml.dom.minidom\ndef f(): return (lambda: xml.dom.minidom.parseString('<a/>').firstChild.tagName)()\nobj = f",
            "assert obj() == 'a'",
        ),
        Entry(
            "a function that is its own default",
            "def f(n, g=None): return n if g is None else g(n + 1)\nf.__defaults__ = (f,)\nobj = f",
            "assert obj(1, None) == 1 and obj.__defaults__ == (obj,)",
        ),
        Entry(
            "a function with attributes and metadata",
            '''
            def f(x: int, *, y: "str" = "d") -> list:
                """The doc."""
            f.tags, f.me = ["a"], f
            obj = f
            ''',
            """
            assert obj.__doc__ == "The doc." and obj.tags == ["a"] and obj.me is obj and obj.__kwdefaults__ == {"y": "d"}
            assert obj.__annotations__ == {"x": int, "y": "str", "return": list} and obj.__qualname__ == "f"
            """,
        ),
        Entry(
            "a function behind a decorator of the script",
            """
            import functools
            def twice(f):
                @functools.wraps(f)
                def wrapper(*a): return f(f(*a))
                return wrapper
            @twice
            def add(x):
                "adds"
                return x + 1
            obj = add
            """,
            "assert obj(1) == 3 and obj.__name__ == 'add' and obj.__doc__ == 'adds' and obj.__wrapped__(1) == 2",
        ),
        Entry(
            "a generator function", "def g(n):\n    yield from range(n)\nobj = g", "assert list(obj(3)) == [0, 1, 2]"
        ),
        Entry(
            "a coroutine function",
            "async def helper(): return 4\nasync def f(x): return x + await helper()\nobj = f",
            "import asyncio, inspect\nassert inspect.iscoroutinefunction(obj) and asyncio.run(obj(1)) == 5",
        ),
        Entry(
            "an async generator function",
            "async def g():\n    yield 1\n    yield 2\nobj = g",
            "import asyncio\nasync def all(): return [x async for x in obj()]\nassert asyncio.run(all()) == [1, 2]",
        ),
        Entry(
            "a function with builtins of its own",
            """
            space = {"__builtins__": {"len": lambda x: "fake"}, "__name__": "sandbox"}
            exec("def f(x): return len(x)\\ndef g(): return print", space)
            obj = space["f"], space["g"]
            """,
            """
            f, g = obj
            assert f([1]) == "fake"
            try: g()
            except NameError: pass
            else: raise AssertionError("it got out of the sandbox")
            """,
        ),
        Entry(
            "a function with a namespace of its own",
            "space = {'__name__': 'made', 'k': 2}\nexec('def f(x): return x * k', space)\nobj = space['f']",
            "assert obj(3) == 6 and obj.__module__ == 'made'",
        ),
        Entry(
            "a function put in the place of a library's",
            "import textwrap\ndef dedent(text): return 'mine'\ndedent.__module__ = 'textwrap'\ntextwrap.dedent = dedent\nobj = dedent",
            "import textwrap\nassert obj('x') == 'mine' and textwrap.dedent('  x') == 'x'",
            only_after=True,
        ),
        Entry(
            "a function that uses the std streams and the environment",
            "import os, sys\nfrom os import environ\ndef f(): return sys.stdout, environ\nobj = f",
            "import os, sys\nassert obj() == (sys.stdout, os.environ) and obj()[1] is os.environ",
        ),
        Entry(
            "a function whose default is a sentinel",
            "import dataclasses\nMISSING = object()\ndef f(x=MISSING): return x is MISSING\nobj = f",
            "assert obj() and not obj(1)",
        ),
        Entry(
            "a chain of 5,000 closures",
            "def wrap(f):\n    return lambda n: (f, n)\nobj = wrap(None)\nfor _ in range(5000): obj = wrap(obj)",
            "for n in range(5000):\n    obj, m = obj(n)\n    assert m == n\nassert obj(1) == (None, 1)",
        ),
        Entry(
            "a function of 2,000 lines",
            "exec('def f(x):\\n' + ''.join(f'    x += {i}\\n' for i in range(2000)) + '    return x')\nobj = f",
            "assert obj(1) == 1999001",
        ),
        Entry(
            "a function with type parameters",
            "def first[T: int](items: list[T]) -> T: return items[0]\nobj = first",
            "(T,) = obj.__type_params__\nassert T.__bound__ is int and obj.__annotations__['return'] is T and obj([3]) == 3",
            since=(3, 12),
        ),
        Entry(
            "type parameters with defaults",
            "def f[T = int, *Ts = *tuple[str], **P = [int]](x: T) -> T: return x\nobj = f",
            """
            T, Ts, P = obj.__type_params__
            assert T.__default__ is int and P.__default__ == [int] and T.has_default()
            assert tuple(Ts.__default__) == tuple([*tuple[str]][0:1]) or list(Ts.__default__) == [*tuple[str]]
            """,
            since=(3, 13),
        ),
        Entry(
            "annotations that wait for a name",
            "def f(x: Later) -> Later: return x\nclass Later: n = 5\nobj = f",
            "assert obj.__annotations__['x'].n == 5 and obj.__annotations__['x'] is obj.__annotations__['return']",
            since=(3, 14),
        ),
        Entry(
            "annotations that lead nowhere",
            "def f(x: Nowhere) -> int: return x\nobj = f",
            """
            import annotationlib
            got = annotationlib.get_annotations(obj, format=annotationlib.Format.FORWARDREF)
            assert got["x"].__forward_arg__ == "Nowhere" and got["return"] is int and obj(2) == 2
            """,
            since=(3, 14),
        ),
        Entry(
            "a code object",
            "obj = compile('x + 1', 'name', 'eval')",
            "assert eval(obj, {'x': 2}) == 3 and obj.co_filename == 'name'",
        ),
        Entry(
            "a cell",
            "import types\nobj = [types.CellType([1]), types.CellType()]",
            "full, empty = obj\nassert full.cell_contents == [1]\ntry: empty.cell_contents\nexcept ValueError: pass\nelse: assert False",
        ),
        Entry(
            "functools.partial of a function of the script",
            "import functools\ndef f(*a, **k): return a, k\nobj = functools.partial(f, 1, k=2)",
            "assert obj(3) == ((1, 3), {'k': 2}) and obj.func.__name__ == 'f'",
        ),
        Entry(
            "a partial that holds itself",
            "import functools\ndef f(*a, **k): return a, k\nobj = functools.partial(f)\nobj.__setstate__((f, (obj,), {}, {}))",
            "assert obj.args == (obj,)",
        ),
        Entry(
            "a cached function",
            "import functools\n@functools.lru_cache(maxsize=7, typed=True)\ndef f(x): return [x]\nf(1)\nobj = f",
            "assert obj.cache_parameters() == {'maxsize': 7, 'typed': True} and obj(2) is obj(2) and obj.cache_info().hits == 1",
        ),
        Entry(
            "a cached method",
            "import functools\nclass K:\n    @functools.cache\n    def m(self, x): return [x]\nobj = K()",
            "assert obj.m(1) is obj.m(1) and type(obj).m.cache_info().hits == 1",
        ),
        Entry(
            "functools.singledispatch",
            """
            import functools
            @functools.singledispatch
            def f(x): return "any"
            @f.register
            def _(x: int): return "int"
            class K: ...
            f.register(K, lambda x: "K")
            obj = f, K()
            """,
            "f, k = obj\nassert (f(''), f(1), f(k)) == ('any', 'int', 'K')\nf.register(str, lambda x: 'str')\nassert f('') == 'str'",
        ),
        Entry(
            "functools.singledispatchmethod",
            """
            import functools
            class K:
                @functools.singledispatchmethod
                def m(self, x): return "any"
                @m.register
                def _(self, x: int): return "int"
            obj = K()
            """,
            "assert (obj.m(''), obj.m(1)) == ('any', 'int')",
        ),
        Entry(
            "functools.cached_property",
            "import functools\nclass K:\n    n = 0\n    @functools.cached_property\n    def p(self):\n        K.n += 1\n        return K.n\nobj = K(), K()\nobj[0].p",
            "a, b = obj\nassert (a.p, b.p, b.p) == (1, 2, 2) and 'p' in vars(a)",
        ),
        Entry(
            "functools.partialmethod",
            "import functools\nclass K:\n    def m(self, *a): return a\n    one = functools.partialmethod(m, 1)\nobj = K()",
            "assert obj.one(2) == (1, 2)",
        ),
        Entry(
            "functools.cmp_to_key",
            "import functools\nkey = functools.cmp_to_key(lambda a, b: b - a)\nobj = key, key(3)",
            "key, three = obj\nassert sorted([1, 3, 2], key=key) == [3, 2, 1] and three.obj == 3 and three < key(2)",
        ),
        Entry(
            "functools.total_ordering",
            "import functools\n@functools.total_ordering\nclass K:\n    def __init__(s, n): s.n = n\n    def __eq__(s, o): return s.n == o.n\n    def __lt__(s, o): return s.n < o.n\nobj = K(1), K(2)",
            "a, b = obj\nassert a < b and b >= a and a <= a",
        ),
        Entry(
            "a context manager of a generator function",
            "import contextlib\n@contextlib.contextmanager\ndef cm(x): yield x + 1\nobj = cm",
            "with obj(1) as two: assert two == 2",
        ),
        Entry(
            "operator.itemgetter, attrgetter and methodcaller",
            "import operator as o\nobj = o.itemgetter(1), o.itemgetter(0, 2), o.attrgetter('real', 'imag'), o.methodcaller('split', ',', maxsplit=1)",
            "a, b, c, d = obj\nassert a('xyz') == 'y' and b('xyz') == ('x', 'z') and c(1j) == (0, 1) and d('a,b,c') == ['a', 'b,c']",
        ),
        Entry(
            "built-in functions and methods",
            "obj = len, [1].append, {}.get, str.upper, int.from_bytes, 'a'.join",
            "import builtins\nn, ap, get, up, fb, join = obj\nassert n is len and ap(2) is None and ap.__self__ == [1, 2] and get(1, 3) == 3 and up('a') == 'A' and fb(b'1', 'big') == 49 and join('xy') == 'xay'",
        ),
        Entry(
            "method wrappers and slot wrappers",
            "obj = (3).__add__, int.__add__, [1, 2].__len__, object.__init__",
            "a, b, c, d = obj\nassert a(4) == 7 and b(1, 2) == 3 and c() == 2 and d is object.__init__",
        ),
    ),
)
