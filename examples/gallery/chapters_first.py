"""The first chapters: small functions, the names they use, and what else they carry."""

from .entry import Entry, Section

FIRST_STEPS = Section(
    "First steps",
    """
    pickle notes where a function can be imported. What a script defines can be imported from nowhere, so the smallest
    function there is stays at home. capers sends the function itself.
    """,
    [
        Entry("the identity", "identity", "f(42)", "42", "def identity(x):\n    return x", show=True),
        Entry("a lambda", "double", "f(21)", "42", "double = lambda x: x * 2"),
        Entry(
            "factorial: calls itself",
            "factorial",
            "f(10)",
            "3628800",
            """
            def factorial(n):
                return 1 if n < 2 else n * factorial(n - 1)
            """,
        ),
        Entry(
            "makeadder: makes functions",
            "makeadder",
            "f(3)(4)",
            "7",
            """
            def makeadder(a):
                def adder(b):
                    return a + b
                return adder
            """,
        ),
        Entry(
            "add8: one that was made",
            "add8",
            "f(2), f.__closure__[0].cell_contents",
            "(10, 8)",
            """
            def makeadder(a):
                def adder(b):
                    return a + b
                return adder

            add8 = makeadder(8)
            """,
            show=True,
        ),
    ],
)

NAMES = Section(
    "The names it uses",
    """
    A function is not worth much without its globals. The ones it can reach travel, nested code included, and no
    others. What belongs to the process, such as its environment, means the receiver's own.
    """,
    [
        Entry(
            "only the globals it needs",
            "area",
            "f(2), sorted(n for n in f.__globals__ if n[0] != '_')",
            "(12.56, ['pi'])",
            """
            pi, password = 3.14, "secret"

            def area(r):
                return pi * r * r
            """,
        ),
        Entry(
            "a name inside a nested lambda",
            "count",
            "f([3, 5, 8])",
            "2",
            """
            limit = 4

            def count(items):
                return sum(map(lambda n: [1 for _ in range(1) if n > limit] != [], items))
            """,
        ),
        Entry(
            "is_even and is_odd",
            "is_even",
            "f(10), f(7)",
            "(True, False)",
            """
            def is_even(n):
                return n == 0 or is_odd(n - 1)

            def is_odd(n):
                return n != 0 and is_even(n - 1)
            """,
        ),
        Entry(
            "two functions, one counter",
            "[count, show]",
            "[f[0](), f[0](), f[1]()][-1]",
            "2",
            """
            total = 0

            def count():
                global total
                total += 1

            def show():
                return total
            """,
        ),
        Entry(
            "a shadowed builtin",
            "total",
            "f([1, 2])",
            "'no sums today'",
            """
            def sum(items):
                return "no sums today"

            def total(items):
                return sum(items)
            """,
        ),
        Entry(
            "a name not defined yet",
            "later",
            "f(0), error(f, 1)",
            "(0, 'NameError')",
            """
            def later(x):
                return x and not_yet(x)
            """,
        ),
        Entry(
            "import a.b.c, used in a lambda",
            "tag",
            "f('<caper/>')",
            "'caper'",
            """
            import xml.dom.minidom

            def tag(text):
                parse = lambda: xml.dom.minidom.parseString(text)
                return parse().documentElement.tagName
            """,
        ),
        Entry(
            "from os import environ",
            "side",
            "f()",
            "'receiver'",
            """
            from os import environ

            def side():
                return environ["GALLERY_SIDE"]
            """,
        ),
        Entry(
            "from random import random",
            "dice",
            "__import__('random').seed(1), round(f(), 3)",
            "(None, 0.134)",
            """
            from random import random

            def dice():
                return random()
            """,
        ),
        Entry(
            "from sys import flags",
            "isolated",
            "f()",
            "1",
            """
            from sys import flags

            def isolated():
                return flags.isolated
            """,
        ),
        Entry(
            "made by a library's decorator",
            "session",
            "f.__globals__ is vars(__import__('contextlib'))",
            "True",
            """
            from contextlib import contextmanager

            @contextmanager
            def session():
                yield "open"
            """,
        ),
    ],
)

LUGGAGE = Section(
    "The luggage",
    """
    Defaults, keyword defaults, annotations, attributes, the name: all of it arrives, and what was one object before
    is one object after.
    """,
    [
        Entry(
            "defaults and keyword defaults",
            "greet",
            "f(), f('ho', name='you')",
            "('hi, all', 'ho, you')",
            """
            def greet(word="hi", *, name="all"):
                return f"{word}, {name}"
            """,
        ),
        Entry(
            "annotations and docstring",
            "scale",
            "sorted(f.__annotations__), f.__doc__",
            "(['by', 'return', 'x'], 'Scale x.')",
            '''
            def scale(x: float, by: "int" = 2) -> float:
                """Scale x."""
                return x * by
            ''',
        ),
        Entry(
            "attributes",
            "route",
            "f.path, f.methods",
            "('/home', ['GET'])",
            """
            def route():
                pass

            route.path, route.methods = "/home", ["GET"]
            """,
        ),
        Entry(
            "names of its own choosing",
            "masked",
            "f.__name__, f.__qualname__",
            "('zorro', 'Diego.zorro')",
            """
            def masked():
                pass

            masked.__name__, masked.__qualname__ = "zorro", "Diego.zorro"
            """,
        ),
        Entry(
            "a chain of decorators",
            "hello",
            "f('you'), f.__wrapped__.__wrapped__('me')",
            "('HELLO YOU!', 'hello me')",
            """
            import functools

            def loud(function):
                @functools.wraps(function)
                def wrapper(*args):
                    return function(*args).upper()
                return wrapper

            def eager(function):
                @functools.wraps(function)
                def wrapper(*args):
                    return function(*args) + "!"
                return wrapper

            @loud
            @eager
            def hello(name):
                return f"hello {name}"
            """,
        ),
        Entry(
            "a generic function, PEP 695",
            "first",
            "f([7, 8]), f.__type_params__[0].__name__",
            "(7, 'T')",
            """
            def first[T](items: list[T]) -> T:
                return items[0]
            """,
            least=(3, 12),
        ),
        Entry(
            "a constant marshal refuses",
            "odd",
            "f()",
            "[1, 2]",
            """
            def odd():
                return list("a constant")

            odd.__code__ = odd.__code__.replace(
                co_consts=tuple((range(1, 3) if c == "a constant" else c) for c in odd.__code__.co_consts)
            )
            """,
        ),
    ],
)

SECTIONS = [FIRST_STEPS, NAMES, LUGGAGE]
