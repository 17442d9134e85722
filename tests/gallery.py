"""A gallery of senders, by name: scripts that bind ``obj``, used wherever a test needs functions of every kind."""

GALLERY = {
    "identity": """
        def identity(x): return x
        obj = identity
        """,
    "a lambda with a default": "obj = lambda x, y=2: x * y",
    "factorial": """
        def factorial(n): return 1 if n < 2 else n * factorial(n - 1)
        obj = factorial
        """,
    "add8": """
        def makeadder(n):
            def adder(x): return x + n
            return adder
        obj = makeadder(8)
        """,
    "rangefact": """
        def makerangefact(step):
            def factorial(n): return 1 if n < 2 else n * factorial(n - 1)
            def rangefact(n): return [factorial(i) for i in range(0, n, step)]
            return rangefact
        obj = makerangefact(3)
        """,
    "three in a ring": """
        def outer():
            def a(n): return "a" if n == 0 else b(n - 1)
            def b(n): return "b" if n == 0 else c(n - 1)
            def c(n): return "c" if n == 0 else a(n - 1)
            return [a, b, c]
        obj = outer()
        """,
    "a shared counter": """
        def outer():
            n = 0
            def bump():
                nonlocal n
                n += 1
                return n
            return bump, lambda: n
        obj = outer()
        """,
    "an empty cell": """
        def outer():
            def get(): return later
            return get
            later = None
        obj = outer()
        """,
    "globals of several kinds": """
        import json, math as m, xml.dom.minidom
        from os import environ
        K, TABLE = 3, {"a": [1, 2.5, None, True, b"b", (1,)]}
        def helper(x): return [(K, y) for y in x]
        def f(x): return helper(TABLE["a"]), m.pi, json.dumps(x), environ, lambda: xml.dom.minidom.parseString(x)
        obj = f
        """,
    "metadata of every kind": """
        import functools
        def f(a: int, b: "text" = 1, *, c: list = None, d=(2, "é")) -> dict:
            "doc"
            return a
        f.tag, f.me = ["x"], f
        @functools.wraps(f)
        def g(*a): return f(*a)
        obj = g
        """,
    "a function that is its own default": """
        def f(n, me=None): return me
        f.__defaults__ = (f,)
        obj = f
        """,
    "asynchronous and generating": """
        async def a(): return [x async for x in b()]
        async def b(): yield 1
        def c(): yield from (1, 2)
        obj = [a, b, c]
        """,
    "a partial and an lru_cache": """
        import functools
        @functools.lru_cache(maxsize=4)
        def f(n): return n if n < 2 else f(n - 1) + f(n - 2)
        obj = [functools.partial(f, 3), f]
        """,
    "made by a library": """
        import importable
        @importable.locked
        def f(x): return x
        obj = [f, importable.make_writer(), importable.make_adder(3)]
        """,
    "a big one": """
        lines = ["def big(x):", "    s = 0"]
        lines += ["    s += x * %d if x %% %d else %d" % (i, i % 97 + 1, i) for i in range(200)]
        exec("\\n".join([*lines, "    return s"]))
        obj = big
        """,
    "constants of every kind": """
        def f(x): return (0.0, -0.0, 1e400, 1j, 10**40, b"\\x00", "\\ud800", (1, (2, 3)), ..., x in {1, 2, "a"}, x in ("a", "b"))
        obj = f
        """,
    "code and cells on their own": """
        import types
        def outer(n): return lambda: n
        f = outer(1)
        obj = [f.__code__, f.__closure__[0], f, types.CellType(), outer]
        """,
    "methods and built-ins": """
        import importable, types
        log = []
        obj = [log.append, (5).__add__, len, str.upper, importable.Holder(1).get, types.MethodType(lambda self: self, log)]
        """,
    "a module made at run time": """
        import types
        m = types.ModuleType("made_here")
        exec("N = 1\\ndef bump():\\n    global N\\n    N += 1\\n    return N", m.__dict__)
        obj = m
        """,
}
