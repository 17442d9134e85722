"""Cells: what they hold, when they are empty, and who shares them."""

from shipping import ship


def test_a_name_assigned_after_the_closure_was_made_arrives():
    ship(
        """
        def outer():
            def f(): return late
            late = "assigned later"
            return f
        obj = outer()
        """,
        "assert obj() == 'assigned later'",
    )


def test_a_nonlocal_assigned_by_another_function_arrives():
    ship(
        """
        def outer():
            value = None
            def get(): return value
            def put(x):
                nonlocal value
                value = x
            put("put before the journey")
            return get
        obj = outer()
        """,
        "assert obj() == 'put before the journey'",
    )


def test_a_counter_incremented_by_one_function_is_seen_by_the_other():
    ship(
        """
        def outer():
            n = 10
            def bump():
                nonlocal n
                n += 1
            def get(): return n
            return bump, get
        obj = outer()
        """,
        """
        bump, get = obj
        bump(), bump()
        assert get() == 12
        assert bump.__closure__[0] is get.__closure__[0]
        """,
    )


def test_a_cell_is_shared_by_functions_in_different_places_of_a_payload():
    ship(
        """
        def outer():
            n = 0
            def bump():
                nonlocal n
                n += 1
                return n
            return bump, lambda: n
        bump, get = outer()
        def by_default(get=get): return get()
        obj = {"first": [bump], "last": {"deep": [1, (by_default,)]}}
        """,
        """
        (bump,) = obj["first"]
        ((by_default,)) = obj["last"]["deep"][1]
        bump(), bump(), bump()
        assert by_default() == 3
        """,
    )


def test_a_cell_is_shared_by_inner_functions_of_different_depth():
    ship(
        """
        def outer():
            n = 1
            def direct():
                nonlocal n
                n *= 2
            def middle():
                def inner(): return n
                return inner
            return direct, middle()
        obj = outer()
        """,
        "double, inner = obj\ndouble(), double()\nassert inner() == 4",
    )


def test_each_call_of_a_factory_keeps_a_cell_of_its_own():
    ship(
        """
        def counter():
            n = 0
            def bump():
                nonlocal n
                n += 1
                return n
            return bump
        obj = [counter(), counter()]
        obj[0]()
        """,
        "a, b = obj\nassert (a(), a(), b()) == (2, 3, 1)",
        in_place=True,
    )


def test_a_cell_shared_with_a_function_that_was_not_sent_is_free():
    ship(
        """
        def outer():
            n = 0
            def bump():
                nonlocal n
                n += 1
                return n
            def get(): return n
            return bump, get
        bump, get = outer()
        bump()
        obj = get
        """,
        "assert obj() == 1",
    )


def test_an_empty_cell_stays_empty_and_can_be_filled():
    ship(
        """
        def outer():
            def get(): return later
            def fill(x):
                nonlocal later
                later = x
            return get, fill
            later = None
        obj = outer()
        """,
        """
        get, fill = obj
        try:
            get()
        except NameError as error:
            assert "later" in str(error)
        else:
            raise AssertionError("the cell had something in it")
        fill(3)
        assert get() == 3
        """,
    )


def test_a_deleted_cell_stays_empty_for_all_who_share_it():
    ship(
        """
        def outer():
            v = 1
            def clear():
                nonlocal v
                del v
            def fill(x):
                nonlocal v
                v = x
            def get(): return v
            clear()
            return fill, get
        obj = outer()
        """,
        """
        fill, get = obj
        try:
            get()
        except NameError:
            pass
        else:
            raise AssertionError("the cell had something in it")
        fill(9)
        assert get() == 9
        """,
    )


def test_a_closure_with_many_cells_keeps_them_in_order():
    ship(
        """
        def outer(a, b, c, d, e):
            def f(): return e, d, c, b, a
            return f
        obj = outer(*"abcde")
        """,
        "assert obj() == tuple('edcba') and [c.cell_contents for c in obj.__closure__] == list('abcde')",
    )


def test_a_cell_that_holds_none_is_not_an_empty_cell():
    ship(
        """
        def outer(x):
            return lambda: x
        obj = outer(None)
        """,
        "assert obj() is None and obj.__closure__[0].cell_contents is None",
    )


def test_a_cell_holds_the_same_object_as_the_rest_of_the_payload():
    ship(
        """
        def outer(log):
            return lambda x: log.append(x)
        log = []
        obj = (outer(log), outer(log), log)
        """,
        "a, b, log = obj\na(1), b(2)\nassert log == [1, 2]",
    )


def test_a_generator_expression_in_a_closure_sees_its_cell():
    ship(
        """
        def outer(k):
            def f(xs):
                return sum(x * k for x in xs), [x + k for x in xs], {k: x for x in xs}
            return f
        obj = outer(3)
        """,
        "assert obj([1, 2]) == (9, [4, 5], {3: 2})",
    )


def test_a_cell_in_a_default_is_the_cell_of_the_closure():
    ship(
        """
        def outer():
            n = 0
            def f():
                nonlocal n
                n += 1
            return f
        f = outer()
        def show(cell=f.__closure__[0]): return cell.cell_contents
        obj = (f, show)
        """,
        "f, show = obj\nf()\nassert show() == 1",
    )


def test_a_comprehension_cell_is_captured():
    ship(
        "obj = [lambda: i for i in range(3)]",
        "assert [f() for f in obj] == [2, 2, 2] and obj[0].__closure__[0] is obj[1].__closure__[0]",
    )


def test_a_class_method_and_a_function_share_a_nonlocal_counter():
    ship(
        """
        def outer():
            n = 0
            class Counter:
                def bump(self):
                    nonlocal n
                    n += 1
            def get(): return n
            return Counter, get
        obj = outer()
        """,
        "Counter, get = obj\nCounter().bump(), Counter().bump()\nassert get() == 2",
    )
