"""The last chapters: shared cells, closures that hold themselves, and sheer size."""

from .entry import Entry, Section

CELLS = Section(
    "One cell, two functions",
    """
    A closure keeps its variables in cells, and two functions may keep the same one. Copy the content, and they stop
    hearing each other: no error, just wrong numbers.
    """,
    [
        Entry(
            "a counter and its reader",
            "counter()",
            "[f[0](), f[0](), f[1]()]",
            "[1, 2, 2]",
            """
            def counter():
                n = 0
                def count():
                    nonlocal n
                    n += 1
                    return n
                def read():
                    return n
                return count, read
            """,
            show=True,
        ),
        Entry(
            "the same, far apart",
            "{'a': [parts[0]], 'b': {'c': parts[1]}}",
            "[f['a'][0](5), f['b']['c']()]",
            "[None, 5]",
            """
            def account():
                balance = 0
                def put(amount):
                    nonlocal balance
                    balance += amount
                return put, lambda: balance

            parts = account()
            """,
        ),
        Entry(
            "a class and a function",
            "bank()",
            "[f[0]().put(5), f[1]()]",
            "[None, 5]",
            """
            def bank():
                total = 0
                class Account:
                    def put(self, amount):
                        nonlocal total
                        total += amount
                return Account, lambda: total
            """,
        ),
        Entry(
            "an empty cell",
            "too_early()",
            "error(f)",
            "'NameError'",
            """
            def too_early():
                def read():
                    return late
                return read
                late = 1
            """,
        ),
    ],
)

CYCLES = Section(
    "Functions that hold themselves",
    """
    The inner factorial is kept in a cell of its own closure, and rangefact keeps factorial. To make the function you
    need the cell, to fill the cell you need the function. capers makes first and fills later, so any shape works.
    """,
    [
        Entry(
            "makerangefact(3)",
            "makerangefact(3)",
            "f(7)",
            "[6, 24, 120, 720]",
            """
            def makerangefact(a):
                def factorial(n):
                    return 1 if n < 2 else n * factorial(n - 1)
                def rangefact(b):
                    return [factorial(n) for n in range(a, b)]
                return rangefact
            """,
            show=True,
        ),
        Entry(
            "three that call each other",
            "ring()",
            "f(7)",
            "'abcabca.'",
            """
            def ring():
                def a(n):
                    return "a" + b(n - 1) if n else "."
                def b(n):
                    return "b" + c(n - 1) if n else "."
                def c(n):
                    return "c" + a(n - 1) if n else "."
                return a
            """,
        ),
        Entry(
            "through a list and a dict",
            "knot()",
            "f(6)",
            "720",
            """
            def knot():
                table, row = {}, []
                row.append(lambda n: 1 if n < 2 else n * table["next"](n - 1))
                table["next"] = lambda n: row[0](n)
                return row[0]
            """,
        ),
        Entry(
            "through functools.partial",
            "halve()",
            "f(40)",
            "5",
            """
            import functools

            def halve():
                def steps(count, n):
                    return count if n <= 1 else again(n=n // 2)(count + 1)
                again = lambda n: functools.partial(bound.func, n=n)
                bound = functools.partial(steps, 0)
                return bound
            """,
        ),
        Entry(
            "its own default",
            "loop",
            "f(3), f.__defaults__[0] is f",
            "(0, True)",
            """
            def loop(n, me=None):
                return me(n - 1) if n else n

            loop.__defaults__ = (loop,)
            """,
        ),
        Entry(
            "its own attribute and kwdefault",
            "mirror",
            "f() is f, f.me is f",
            "(True, True)",
            """
            def mirror(*, me=None):
                return me

            mirror.me = mirror
            mirror.__kwdefaults__["me"] = mirror
            """,
        ),
        Entry(
            "the Y combinator",
            "Y(lambda me: lambda n: 1 if n < 2 else n * me(n - 1))",
            "f(6)",
            "720",
            "Y = lambda f: (lambda x: x(x))(lambda x: f(lambda n: x(x)(n)))",
        ),
    ],
)

SIZE = Section(
    "And large ones",
    """
    Depth is bounded by memory, not by a stack, and length is no reason to wait.
    """,
    [
        Entry(
            "a function of 5,000 lines",
            "long",
            "f(1)",
            "872769",
            """
            lines = "".join(f"    x = (x * 31 + {i}) % 1000003\\n" for i in range(5000))
            exec(f"def long(x):\\n{lines}    return x")
            """,
            big=True,
        ),
        Entry(
            "10,000 closures in each other",
            "depth",
            "f()",
            "10000",
            """
            def link(before):
                return lambda: before

            chain = None
            for _ in range(10_000):
                chain = link(chain)

            def depth():
                count, at = 0, chain
                while at is not None:
                    count, at = count + 1, at()
                return count
            """,
            big=True,
        ),
    ],
)

SECTIONS = [CELLS, CYCLES, SIZE]
