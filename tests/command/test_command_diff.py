"""`capers diff` says what differs in words: by function, capture, constant."""

import pickle
import textwrap

import capers as module
import pytest
from command_line import capers, complaint


def made(source, name="f"):
    """Return the payload of what *source* defines as *name*."""
    space = {"__name__": "made_here"}
    exec(compile(textwrap.dedent(source), "made_here.py", "exec"), space)
    return module.dumps(space[name])


@pytest.fixture
def differences(tmp_path):
    """Return a function that compares two payloads and returns the lines, headings left out."""

    def compare(first, second, code=1):
        (tmp_path / "a").write_bytes(first)
        (tmp_path / "b").write_bytes(second)
        out = capers("diff", tmp_path / "a", tmp_path / "b", code=code)
        return [line.strip() for line in out.splitlines() if line.startswith("  ")]

    return compare


def test_a_payload_does_not_differ_from_itself(differences):
    data = made("def f(x): return x")
    assert differences(data, data, code=0) == []


def test_a_damaged_payload_is_told_of_although_it_does_not_differ_from_itself(tmp_path):
    (tmp_path / "a").write_bytes(pickle.dumps(["x" * 100])[:-20])
    assert "damaged" in complaint("diff", tmp_path / "a", tmp_path / "a", code=1)


def many(size, changed):
    """Return the payload of 40,000 functions, each with a global of its own of *size* bytes, of which one may be changed."""
    lines = [f"def f{at}(x): return f{(at + 1) % 40_000}(x), T{at}" for at in range(40_000)]
    space = {"__name__": "made_here", **{f"T{at}": b"%d" % (at + (at == changed)) * size for at in range(40_000)}}
    exec("\n".join(lines), space)
    return module.dumps(space["f0"])


def test_thousands_of_functions_that_share_their_globals_are_compared(differences):
    # Looking through all globals for each of them takes minutes.
    (line,) = differences(many(150, None), many(150, 30_007))
    assert line.startswith("~ globals.T30007: bytes of ")


def test_what_there_is_no_room_for_is_not_called_the_same(tmp_path):
    (tmp_path / "a").write_bytes(many(20, None))
    (tmp_path / "b").write_bytes(many(20, 7))
    told = capers("diff", tmp_path / "a", tmp_path / "b", code=1).splitlines()
    assert told[-1].endswith(" bytes of values beyond the room for them were not compared")


def test_a_changed_constant_is_told(differences):
    lines = differences(made("def f(x): return x + 10"), made("def f(x): return x + 11"))
    assert "- function f, constant: 10" in lines and "+ function f, constant: 11" in lines
    assert len(lines) == 3 and lines[0].startswith("~ function f, bytecode: ")


def test_a_changed_signature_is_told(differences):
    lines = differences(made("def f(x): return 1"), made("def f(x, y=2): return 1"))
    assert "~ function f: (x) → (x, y=…)" in lines
    assert "+ f.__defaults__: tuple of 1" in lines and "+ f.__defaults__[0]: 2" in lines


def test_a_changed_capture_is_told(differences):
    source = "def outer(n):\n    return lambda x: x + n\nf = outer(%s)"
    assert differences(made(source % 3), made(source % 4)) == ["~ outer.<locals>.<lambda>.n: 3 → 4"]


def test_a_changed_global_is_told_by_its_name(differences):
    source = "TABLE = {'a': [1, %s]}\ndef f(): return TABLE"
    assert differences(made(source % 2), made(source % 5)) == ["~ globals.TABLE['a'][1]: 2 → 5"]


def test_added_and_removed_functions_are_told(differences):
    first = made("def g(): return 1\ndef f(): return g()")
    second = made("def h(): return 1\ndef f(): return h()")
    lines = differences(first, second)
    assert "- function g: ()" in lines and "+ function h: ()" in lines


def test_globals_by_reference_are_compared(differences):
    import collections
    import functools

    lines = differences(pickle.dumps([collections.deque]), pickle.dumps([functools.reduce]))
    assert lines == ["+ _functools reduce", "- collections deque"]


def test_small_values_far_down_a_long_list_are_compared(differences):
    first, second = list(range(5000)), list(range(5000))
    second[4000] = 1
    assert differences(pickle.dumps(first), pickle.dumps(second)) == ["~ payload: list of 5,000, but not the same ones"]


def test_of_a_long_list_the_first_difference_is_told(differences):
    assert differences(pickle.dumps(list(range(30))), pickle.dumps([*range(20), 7, 8, *range(22, 30)])) == [
        "~ payload: list of 30; first [20] 20 → [20] 7"
    ]


def test_large_values_are_compared_to_their_ends(differences):
    first = pickle.dumps([b"x" * 100_000 + b"a"])
    second = pickle.dumps([b"x" * 100_000 + b"b"])
    (line,) = differences(first, second)
    assert line.startswith("~ payload[0]: bytes of 100,00") and line.endswith("but not the same ones")


def test_the_same_things_in_other_bytes_do_not_differ(tmp_path):
    (tmp_path / "a").write_bytes(pickle.dumps([1, 2, 3], 4))
    (tmp_path / "b").write_bytes(b"\x80\x04](K\x01K\x02K\x03e.")
    assert capers("diff", tmp_path / "a", tmp_path / "b") == (
        "the same functions, captures, constants and data, written in other bytes\n"
    )


def test_damage_is_a_difference(tmp_path):
    data = pickle.dumps(["x" * 50, "y" * 50])
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "b").write_bytes(data[:90])
    assert "is damaged: pickle data was truncated" in complaint("diff", tmp_path / "a", tmp_path / "b", code=1)
