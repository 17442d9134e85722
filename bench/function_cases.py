"""The functions that the suite ``functions`` measures, from a lambda to 5,000 lines.

*code* is run as a script, so that every tool ships by value; the expression *send* is what is dumped; *call*, evaluated
with the loaded object as *f*, must give in a fresh process what it gives here.  Scripts that make functions with ``exec``
begin them on line ``serial``, where that is set, so that two runs make functions that differ.
"""

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    code: str
    send: str
    call: str
    needs: tuple[str, ...] = ()  # packages the row cannot do without

    @property
    def script(self):
        """The code without the indentation it has here."""
        return dedent(self.code).strip() + "\n"


BLANK = '"\\n" * globals().get("serial", 0)'


def long(lines):
    """Return a script that makes a function of so many *lines*."""
    body = f'"".join(f"    x = (x * 31 + {{i}}) % 1000003\\n" for i in range({lines}))'
    return f'exec({BLANK} + "def long(x):\\n" + {body} + "    return x")'


CASES = [
    Case("identity lambda", "f = lambda x: x", "f", "f(3)"),
    Case("def with a docstring", 'def scale(x, by=2):\n    """Scale x."""\n    return x * by', "scale", "f(3)"),
    Case(
        "closure over a number",
        """
        def makeadder(a):
            def adder(b):
                return a + b
            return adder
        """,
        "makeadder(8)",
        "f(3)",
    ),
    Case(
        "recursive closure",
        """
        def makerangefact(a):
            def factorial(n):
                return 1 if n < 2 else n * factorial(n - 1)
            def rangefact(b):
                return [factorial(n) for n in range(a, b)]
            return rangefact
        """,
        "makerangefact(3)",
        "f(7)",
    ),
    Case(
        "mutual recursion, globals",
        """
        def is_even(n):
            return n == 0 or is_odd(n - 1)
        def is_odd(n):
            return n != 0 and is_even(n - 1)
        """,
        "is_even",
        "f(10), f(7)",
    ),
    Case(
        "globals and a helper",
        """
        rate, names, unused = 0.19, {"a": 1, "b": 2}, list(range(1000))
        def tax(x):
            return round(x * rate, 2)
        def bill(items):
            return {name: tax(items[name] * names.get(name, 0)) for name in items}
        """,
        "bill",
        "f({'a': 10, 'b': 20})",
    ),
    Case(
        "four packages, pandas imported",
        """
        import json, math, collections, pandas, numpy as np
        def study(rows):
            table = collections.Counter(math.floor(row) for row in rows)
            return json.dumps([table[1], float(np.mean(rows)), len(pandas.Series(rows))])
        """,
        "study",
        "f([1.5, 2.5])",
        needs=("numpy", "pandas"),
    ),
    Case(
        "defaults, kwdefaults, annotations",
        """
        def rich(a: int, b: float = 1.5, *rest: str, c: "bytes" = b"x", d: dict = {"k": (1, 2)}, **more: object) -> tuple:
            return a, b, rest, c, d, more
        """,
        "rich",
        "f(1, 2, '3', e=4)",
    ),
    Case(
        "chain of three decorators",
        """
        import functools
        def tagged(tag):
            def decorate(function):
                @functools.wraps(function)
                def wrapper(*args, **kwargs):
                    return tag, function(*args, **kwargs)
                return wrapper
            return decorate
        @tagged("a")
        @tagged("b")
        @tagged("c")
        def work(x):
            return x + 1
        """,
        "work",
        "f(1)",
    ),
    Case(
        "async generator",
        """
        import asyncio
        async def ticks(n):
            for i in range(n):
                yield i
                await asyncio.sleep(0)
        async def collect(n):
            return [i async for i in ticks(n)]
        """,
        "collect",
        "run(f(4))",
    ),
    Case(
        "partial of a lambda",
        "import functools\nf = functools.partial(lambda a, b, *, c: a + b + c, 1, c=3)",
        "f",
        "f(2)",
    ),
    Case(
        "nested functions, three deep",
        """
        def outer(x):
            def middle(y):
                def inner(z):
                    return [(lambda w: w + x + y)(q) for q in range(z)]
                return inner
            return middle
        """,
        "outer",
        "f(1)(2)(3)",
    ),
    Case(
        "closure chain of 100",
        """
        def link(before):
            return lambda: before
        chain = lambda: 0
        for _ in range(100):
            chain = link(chain)
        def depth():
            count, at = 0, chain
            while at:
                count, at = count + 1, at()
            return count
        """,
        "depth",
        "f()",
    ),
    Case(
        "50 functions, shared globals",
        f"""
        base = 7
        exec({BLANK} + "".join(f"def f{{i}}(x):\\n    return x + base + {{i}}\\n" for i in range(50)))
        """,
        "[globals()[f'f{i}'] for i in range(50)]",
        "sum(each(1) for each in f)",
    ),
    *(Case(f"{lines:,} lines", long(lines), "long", "f(1)") for lines in (100, 1000, 5000)),
]
