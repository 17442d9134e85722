"""Exceptions arrive with what led to them, and without their constructor being asked."""

import pickle

import capers
import pytest
from shipping import ship

CHAIN = """
def caught(build):
    try:
        try:
            raise KeyError("k")
        except KeyError:
            build()
    except BaseException as error:
        return error
"""

FIELDS = {
    "value": "ValueError(1)",
    "import": "ImportError('m', name='n', path='p')",
    "decode": "UnicodeDecodeError('utf-8', b'a', 0, 1, 'r')",
    "syntax": "SyntaxError('m', ('f', 1, 2, 't', 3, 4))",
    "stop": "StopIteration(7)",
    "exit": "SystemExit(3)",
    "attribute": "AttributeError('a', name='n')",
    "name": "NameError('x', name='n')",
    "group": "ExceptionGroup('g', [ValueError(2), KeyError(3)])",
    "os": "OSError(2, 'no', 'file', None, 'other')",
    "os_bare": "OSError('only')",
}


@pytest.mark.parametrize("field", FIELDS)
def test_the_context_arrives_and_every_field_with_it(field):
    ship(
        CHAIN + f"def build(): raise {FIELDS[field]}\nerror = caught(build)\n"
        "names = [n for n in dir(error) if not n.startswith('__') and not callable(getattr(error, n, len))]\n"
        "obj = error, repr(error), {n: repr(getattr(error, n)) for n in names}",
        """
        error, text, fields = obj
        assert repr(error) == text and repr(error.__context__) == "KeyError('k')" and error.__cause__ is None
        assert {n: repr(getattr(error, n)) for n in fields} == fields
        """,
    )


def test_cause_notes_and_suppression_arrive():
    ship(
        """
        def caught(cause):
            try:
                try:
                    raise OSError(2, "no", "file")
                except OSError as first:
                    raise ValueError("v") from (first if cause else None)
            except ValueError as error:
                error.add_note("n")
                return error
        obj = caught(True), caught(False)
        """,
        """
        one, two = obj
        assert one.__cause__ is one.__context__ and one.__cause__.filename == "file" and one.__notes__ == ["n"]
        assert one.__suppress_context__ and two.__suppress_context__ and two.__cause__ is None
        assert type(two.__context__) is FileNotFoundError
        """,
    )


def test_the_traceback_stays_behind():
    ship(
        CHAIN + "def build(): raise ValueError\nobj = caught(build)",
        "assert obj.__traceback__ is None and obj.__context__.__traceback__ is None",
        in_place=False,
    )


def test_required_keywords_are_not_asked_for():
    ship(
        """
        class Refused(Exception):
            def __init__(self, *, code, retry=False):
                super().__init__("refused", code)
                self.code, self.retry = code, retry
        class Worse(Refused, OSError):
            pass
        obj = Refused(code=3, retry=True), Worse(code=4)
        """,
        """
        one, two = obj
        assert (one.args, one.code, one.retry) == (("refused", 3), 3, True)
        assert two.code == 4 and isinstance(two, OSError) and two.args == ("refused", 4)
        """,
    )


def test_a_class_that_forbids_attributes_is_not_asked():
    ship(
        """
        import dataclasses
        @dataclasses.dataclass(frozen=True)
        class Frozen(Exception):
            code: int
        obj = Frozen(4)
        """,
        "assert obj.code == 4 and obj.args == (4,)",
    )


def test_a_class_with_a_reduction_of_its_own_is_asked():
    ship(
        """
        class Own(Exception):
            def __init__(self, a, b):
                super().__init__(a)
                self.b = b
            def __reduce__(self):
                return Own, (self.args[0], self.b + 1)
        obj = Own(1, 2)
        """,
        "assert obj.b == 3",
        in_place=False,
    )


def test_causes_may_go_round_in_circles():
    ship(
        "obj, other = ValueError(1), KeyError(2)\nobj.__context__, other.__context__ = other, obj",
        "assert obj.__context__.__context__ is obj",
    )


def test_a_long_chain_needs_no_stack():
    ship(
        """
        obj = None
        for i in range(20_000):
            error = ValueError(i)
            error.__cause__ = obj
            obj = error
        """,
        """
        count = 0
        at = obj
        while at is not None:
            at, count = at.__cause__, count + 1
        assert count == 20_000
        at = obj
        while at is not None:
            following, at.__cause__, at = at.__cause__, None, at.__cause__
        """,
        protocols=(5,),
        in_place=False,
    )


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("protocol", range(6))
def test_without_cause_and_context_the_bytes_are_those_of_pickle(field, protocol):
    error = eval(FIELDS[field])
    assert capers.dumps(error, protocol) == pickle.dumps(error, protocol)
