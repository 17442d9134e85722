"""Functions that a library made: they stay at home in the library, on whichever side they are."""

from shipping import payload, ship


def test_a_closure_made_by_an_importable_factory_uses_the_live_globals_of_its_module():
    ship(
        "import importable\nimportable.STATE['level'] = 'changed by the sender'\nobj = importable.make_reader()",
        """
        import importable
        assert obj.__globals__ is importable.__dict__
        assert obj("level") == "as imported"
        importable.STATE["level"] = "changed by the receiver"
        assert obj("level") == "changed by the receiver"
        """,
        in_place=False,
    )


def test_a_closure_made_by_an_importable_factory_writes_to_its_module():
    ship(
        "import importable\nobj = importable.make_writer()\nobj()",
        "import importable\nassert (obj(), obj()) == (1, 2) and importable.WRITES == 2",
        in_place=False,
    )


def test_a_lock_of_a_library_is_not_copied():
    ship(
        "import importable\nobj = importable.make_adder(3)",
        """
        import importable
        assert obj(4) == 7
        importable.LOCK.acquire()
        import threading
        done = []
        thread = threading.Thread(target=lambda: done.append(obj(1)))
        thread.start()
        thread.join(0.05)
        assert not done
        importable.LOCK.release()
        thread.join()
        assert done == [4]
        """,
    )


def test_a_function_decorated_by_a_library_uses_the_lock_and_locals_of_the_library():
    ship(
        """
        import importable
        K = 10
        @importable.locked
        def f(x):
            "doc of f"
            return x + K
        obj = f
        """,
        """
        import importable
        assert obj(1) == 11 and importable.LOCAL.depth == 1
        assert obj.__globals__ is importable.__dict__
        assert (obj.__name__, obj.__doc__, obj.__module__) == ("f", "doc of f", "__main__")
        assert obj.__wrapped__.__globals__["K"] == 10
        """,
    )


def test_a_recursive_function_decorated_by_a_library_calls_the_decorated_one():
    ship(
        """
        import functools, importable
        def traced(f):
            @functools.wraps(f)
            def wrapper(n): return f(n)
            return wrapper
        @traced
        def fact(n): return 1 if n < 2 else n * fact(n - 1)
        obj = fact
        """,
        "assert obj(5) == 120 and obj.__wrapped__.__globals__['fact'] is obj",
    )


def test_a_context_manager_function_of_main_arrives():
    ship(
        """
        import contextlib
        @contextlib.contextmanager
        def tag(log):
            log.append("in")
            try:
                yield 5
            finally:
                log.append("out")
        obj = tag
        """,
        """
        import contextlib
        log = []
        with obj(log) as five:
            assert five == 5 and log == ["in"]
        assert log == ["in", "out"] and obj.__globals__ is contextlib.__dict__
        """,
    )


def test_a_function_made_by_a_library_factory_is_small():
    data = payload("import importable\nobj = importable.make_adder(3)")
    assert b"STATE" not in data and b"LOCAL" not in data and b"as imported" not in data


def test_a_function_that_a_library_made_and_keeps_under_a_name_of_its_own_arrives():
    ship(
        "import importable\nobj = importable.made_here",
        "import importable\nassert obj(1) == 101 and obj.__globals__ is importable.__dict__",
    )


def test_a_library_function_with_a_copied_code_and_main_globals_is_not_the_librarys():
    ship(
        """
        import importable, types
        STATE = {"level": "of main"}
        reader = importable.make_reader()
        obj = types.FunctionType(reader.__code__, globals(), "reader")
        """,
        "assert obj('level') == 'of main'",
    )


def test_closures_of_the_library_and_of_main_share_a_cell_content():
    ship(
        """
        import importable
        def f(x): return x
        wrapped = importable.locked(f)
        obj = (f, wrapped)
        """,
        "f, wrapped = obj\nassert wrapped.__wrapped__ is f and wrapped(3) == 3",
    )
