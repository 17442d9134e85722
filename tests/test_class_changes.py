"""What a class has become since it first travelled reaches those who know it, and nothing else touches a live class."""

from shipping import ship


def test_what_is_set_or_deleted_after_the_first_journey_arrives_and_an_old_payload_changes_nothing():
    ship(
        """
        import capers as t
        class K:
            x = 1
            def m(self): return "old"
        a = t.dumps(K())
        K.x, K.m, K.new = 2, lambda self: "new", 5
        b = t.dumps(K())
        del K.new
        c = t.dumps(K())
        obj = a, b, c
        """,
        """
        import capers as t
        a = t.loads(obj[0])
        assert (a.x, a.m()) == (1, "old")
        b = t.loads(obj[1])
        assert type(a) is type(b) and (b.x, b.m(), b.new) == (2, "new", 5)
        c = t.loads(obj[2])
        assert not hasattr(c, "new")
        t.loads(obj[0])
        assert c.m() == "new"
        """,
        in_place=False,
    )


def test_a_helper_of_a_method_that_was_defined_anew_arrives():
    ship(
        """
        import capers as t
        def helper2(): return 1
        def helper(): return helper2()
        class K:
            def m(self): return helper()
        a = t.dumps(K())
        def helper2(): return 2
        b = t.dumps(K())
        obj = a, b
        """,
        """
        import capers as t
        a = t.loads(obj[0])
        assert a.m() == 1
        b = t.loads(obj[1])
        assert b.m() == 2 and type(a) is type(b)
        """,
        in_place=False,
    )


def test_globals_that_methods_use_arrive_as_they_are_now():
    ship(
        """
        import capers as t
        N = 1
        L = [1]
        class K:
            def m(self): return N, L
        a = t.dumps(K())
        N = 2
        L.append(2)
        b = t.dumps(K())
        obj = a, b
        """,
        """
        import capers as t
        a = t.loads(obj[0])
        assert a.m() == (1, [1])
        b = t.loads(obj[1])
        assert b.m() == (2, [1, 2]) and type(a) is type(b)
        """,
        in_place=False,
    )


def test_what_the_receiver_has_set_stays():
    ship(
        """
        import capers as t
        class K:
            n = 0
            seen = []
        obj = t.dumps(K()), t.dumps(K())
        """,
        """
        import capers as t
        a = t.loads(obj[0])
        type(a).n = 7
        type(a).seen.append(1)
        b = t.loads(obj[1])
        assert type(a) is type(b) and b.n == 7 and b.seen == [1]
        """,
        in_place=False,
    )


def test_a_container_of_a_class_that_was_changed_arrives():
    ship(
        """
        import capers as t
        class K:
            d = {}
        a = t.dumps(K())
        K.d['x'] = 1
        obj = a, t.dumps(K())
        """,
        """
        import capers as t
        a = t.loads(obj[0]); assert a.d == {}
        b = t.loads(obj[1])
        assert b.d == {'x': 1} and type(a) is type(b)
        """,
        in_place=False,
    )


def test_a_class_defined_anew_arrives_beside_the_old_one():
    ship(
        """
        import capers as t
        class K:
            def m(self): return 1
        a = t.dumps(K())
        class K:
            def m(self): return 2
        obj = a, t.dumps(K())
        """,
        """
        import capers as t
        a = t.loads(obj[0]); b = t.loads(obj[1])
        assert (a.m(), b.m()) == (1, 2) and type(a) is not type(b)
        """,
        in_place=False,
    )
