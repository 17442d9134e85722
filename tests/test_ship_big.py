"""Functions that are large, and many of them."""

from shipping import ship


def test_a_function_of_5000_lines_arrives():
    ship(
        """
        lines = ["def big(x):", "    s = 0"]
        lines += ["    s += x * %d if x %% %d else %d" % (i, i % 97 + 1, i) for i in range(5000)]
        exec("\\n".join([*lines, "    return s"]))
        obj = big
        """,
        "assert obj(5) == sum(5 * i if 5 % (i % 97 + 1) else i for i in range(5000))",
    )


def test_ten_thousand_closures_that_each_capture_the_one_before_arrive():
    ship(
        """
        def link(before, i):
            return lambda: (before, i)
        f = None
        for i in range(10_000):
            f = link(f, i)
        obj = f
        """,
        """
        n = 0
        while obj is not None:
            obj, i = obj()
            n += 1
            assert i == 10_000 - n
        assert n == 10_000
        """,
    )


def test_ten_thousand_functions_of_one_namespace_arrive():
    ship(
        """
        for i in range(10_000):
            exec("def f%d(): return f%d" % (i, (i + 1) % 10_000))
        obj = f0
        """,
        """
        f = obj
        for i in range(10_000):
            f = f()
        assert f is obj and len([k for k in obj.__globals__ if k.startswith("f")]) >= 10_000
        """,
        protocols=(2, 5),
    )


def test_a_function_with_a_thousand_cells_arrives():
    ship(
        """
        names = ["v%d" % i for i in range(1000)]
        exec("def outer(%s):\\n    def f(): return [%s]\\n    return f" % (", ".join(names), ", ".join(names)))
        obj = outer(*range(1000))
        """,
        "assert obj() == list(range(1000))",
    )


def test_a_function_with_a_megabyte_of_constants_arrives():
    ship(
        "exec('def f(): return (%r, %r)' % ('é' * 600_000, b'x' * 1_000_000))\nobj = f",
        "text, data = obj()\nassert text == 'é' * 600_000 and data == b'x' * 1_000_000",
    )


def test_functions_nested_fifteen_deep_arrive():
    ship(
        """
        text = ""
        for i in range(15):
            text += "    " * i + "def f%d(x%d):\\n" % (i, i)
        text += "    " * 15 + "return %s\\n" % " + ".join("x%d" % i for i in range(15))
        for i in reversed(range(1, 15)):
            text += "    " * i + "return f%d\\n" % i
        exec(text)
        obj = f0
        """,
        "f = obj\nfor i in range(15): f = f(i)\nassert f == sum(range(15))",
    )


def test_a_function_that_captures_a_large_array_arrives():
    ship(
        "import array\ndata = array.array('d', range(300_000))\ndef f(i): return data[i]\nobj = f",
        "assert obj(299_999) == 299_999.0",
    )
