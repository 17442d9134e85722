"""The middle chapters: functions that wait, functools, and the objects around a function."""

from .entry import Entry, Section

WAITING = Section(
    "Functions that wait",
    """
    Coroutines and generators are functions too, as long as they have not begun to run.
    """,
    [
        Entry(
            "async def",
            "fetch",
            "run(f(20))",
            "21",
            """
            import asyncio

            async def fetch(x):
                await asyncio.sleep(0)
                return x + 1
            """,
        ),
        Entry(
            "a generator function",
            "countdown",
            "list(f(3))",
            "[3, 2, 1]",
            """
            def countdown(n):
                while n:
                    yield n
                    n -= 1
            """,
        ),
        Entry(
            "an async generator function",
            "collect",
            "run(f(4))",
            "[0, 1, 4, 9]",
            """
            async def squares(n):
                for i in range(n):
                    yield i * i

            async def collect(n):
                return [x async for x in squares(n)]
            """,
        ),
    ],
)

SHELF = Section(
    "The functools shelf",
    """
    Wrappers keep what they were given and leave behind what belongs to the sender: a cache comes back empty.
    """,
    [
        Entry(
            "partial",
            "cube",
            "f(3), f.keywords",
            "(27, {'exponent': 3})",
            """
            import functools

            def power(base, exponent):
                return base**exponent

            cube = functools.partial(power, exponent=3)
            """,
        ),
        Entry(
            "lru_cache",
            "fib",
            "f.cache_info().currsize, f(30), f.cache_parameters()['maxsize']",
            "(0, 832040, 64)",
            """
            import functools

            @functools.lru_cache(maxsize=64)
            def fib(n):
                return n if n < 2 else fib(n - 1) + fib(n - 2)

            fib(10)
            """,
        ),
        Entry(
            "singledispatch",
            "describe",
            "f(1), f([1, 2]), f('x')",
            "('int 1', '2 items', '?')",
            """
            import functools

            @functools.singledispatch
            def describe(x):
                return "?"

            @describe.register
            def _(x: int):
                return f"int {x}"

            @describe.register
            def _(x: list):
                return f"{len(x)} items"
            """,
        ),
        Entry(
            "cmp_to_key",
            "by_length",
            "sorted(['ccc', 'a', 'bb'], key=f)",
            "['a', 'bb', 'ccc']",
            """
            import functools

            by_length = functools.cmp_to_key(lambda a, b: len(a) - len(b))
            """,
        ),
        Entry(
            "cached_property",
            "slow",
            "f.func(None), f.attrname",
            "(42, None)",
            """
            import functools

            slow = functools.cached_property(lambda self: 42)
            """,
        ),
    ],
)

AROUND = Section(
    "What surrounds a function",
    """
    Methods bound to an object, code, cells and modules travel on their own as well.
    """,
    [
        Entry(
            "a bound method",
            "hello",
            "f('!')",
            "'caper!'",
            """
            import types

            hello = types.MethodType(lambda self, mark: self + mark, "caper")
            """,
        ),
        Entry(
            "methods of built-in objects",
            "[items.append, items]",
            "(f[0](3), f[1])[1]",
            "[1, 2, 3]",
            "items = [1, 2]",
        ),
        Entry(
            "a static and a class method",
            "pair",
            "[m.__func__(1) for m in f]",
            "[2, 3]",
            "pair = staticmethod(lambda x: x + 1), classmethod(lambda x: x + 2)",
        ),
        Entry(
            "a code object",
            "code",
            "eval(f, {'x': 20})",
            "41",
            "code = compile('x * 2 + 1', 'a formula', 'eval')",
        ),
        Entry(
            "one cell, twice",
            "[cell, cell]",
            "f[0] is f[1], f[0].cell_contents",
            "(True, 'inside')",
            """
            import types

            cell = types.CellType("inside")
            """,
        ),
        Entry(
            "a module made by hand",
            "shop",
            "f.price('tea'), f.price.__globals__ is vars(f)",
            "(3, True)",
            """
            import types

            shop = types.ModuleType("shop")
            exec("prices = {'tea': 3}\\ndef price(what):\\n    return prices[what]", vars(shop))
            """,
        ),
    ],
)

SECTIONS = [WAITING, SHELF, AROUND]
