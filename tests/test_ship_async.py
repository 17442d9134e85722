"""Generator, coroutine and asynchronous generator functions."""

from shipping import ship


def test_a_generator_function_arrives():
    ship(
        """
        def count(n):
            got = []
            try:
                for i in range(n):
                    got.append((yield i))
                yield from "ab"
            finally:
                got.append("closed")
            return got
        obj = count
        """,
        """
        import inspect
        assert inspect.isgeneratorfunction(obj)
        g = obj(2)
        assert [next(g), g.send("x"), g.send("y"), next(g)] == [0, 1, "a", "b"]
        try:
            next(g)
        except StopIteration as stop:
            assert stop.value == ["x", "y", "closed"]
        else:
            raise AssertionError("the generator did not end")
        """,
    )


def test_a_coroutine_function_arrives():
    ship(
        """
        import asyncio
        async def double(x):
            await asyncio.sleep(0)
            return 2 * x
        async def main(): return await asyncio.gather(double(1), double(2))
        obj = main
        """,
        "import asyncio, inspect\nassert inspect.iscoroutinefunction(obj) and asyncio.run(obj()) == [2, 4]",
    )


def test_an_asynchronous_generator_function_arrives():
    ship(
        """
        async def count(n):
            for i in range(n):
                yield i
        async def main(): return [x async for x in count(3)], {y: 1 async for y in count(2)}
        obj = (count, main)
        """,
        """
        import asyncio, inspect
        count, main = obj
        assert inspect.isasyncgenfunction(count) and asyncio.run(main()) == ([0, 1, 2], {0: 1, 1: 1})
        """,
    )


def test_an_asynchronous_context_manager_of_main_arrives():
    ship(
        """
        import contextlib
        @contextlib.asynccontextmanager
        async def tag(log):
            log.append("in")
            yield
            log.append("out")
        async def main():
            log = []
            async with tag(log):
                log.append("body")
            return log
        obj = main
        """,
        "import asyncio\nassert asyncio.run(obj()) == ['in', 'body', 'out']",
    )


def test_a_recursive_generator_closure_arrives():
    ship(
        """
        def outer():
            def walk(tree):
                for each in tree:
                    if isinstance(each, list):
                        yield from walk(each)
                    else:
                        yield each
            return walk
        obj = outer()
        """,
        "assert list(obj([1, [2, [3], 4]])) == [1, 2, 3, 4]",
    )


def test_a_coroutine_made_by_the_types_decorator_arrives():
    ship(
        """
        import types
        @types.coroutine
        def pause():
            return (yield "paused")
        async def f(): return await pause()
        obj = f
        """,
        """
        c = obj()
        assert c.send(None) == "paused"
        try:
            c.send(7)
        except StopIteration as stop:
            assert stop.value == 7
        """,
    )


def test_an_asynchronous_closure_shares_its_cell():
    ship(
        """
        def outer():
            n = 0
            async def bump():
                nonlocal n
                n += 1
            return bump, lambda: n
        obj = outer()
        """,
        "import asyncio\nbump, get = obj\nasyncio.run(bump())\nassert get() == 1",
    )
