"""Context variables mean the receiver's own where a module holds them; contexts keep their values."""

from shipping import ship


def test_a_variable_of_the_script_arrives_with_name_and_default_once():
    ship(
        """
        import contextvars
        V, W = contextvars.ContextVar("V", default=[1]), contextvars.ContextVar("W")
        W.set(3)
        def f():
            return V.get()
        obj = V, V, f, W
        """,
        """
        V, again, f, W = obj
        assert V is again and V.name == "V" and f() is V.get() and V.get() == [1]
        assert W.get("unset") == "unset" or W.get() == 3
        """,
    )


def test_a_variable_that_a_module_holds_is_the_modules_own():
    ship(
        "import importable_variables as v\nobj = v.request_id, v.other",
        "import importable_variables as v\nassert obj[0] is v.request_id and obj[1] is v.other",
    )


def test_a_context_arrives_with_its_values():
    ship(
        """
        import contextvars
        V = contextvars.ContextVar("V")
        context = contextvars.Context()
        context.run(V.set, [4])
        obj = context, V
        """,
        "context, V = obj\nassert context[V] == [4] and V.get(None) is None and context.run(V.get) == [4]",
    )


def test_a_context_may_hold_itself():
    ship(
        """
        import contextvars
        V = contextvars.ContextVar("V")
        obj = contextvars.Context()
        obj.run(V.set, obj)
        """,
        "[value] = obj.values()\nassert value is obj",
    )
