"""Flags had to be bools, codec names with a null character were taken, and tables that somebody broke gave odd errors."""

import _compat_pickle
import io

import capers
import pytest


class OnlyHere:
    pass


@pytest.mark.parametrize("flag", [0, 1, None, "", "x", [], 1.5])
def test_fix_imports_is_true_or_false_whatever_it_is(flag):
    data = capers.dumps(range, 2, fix_imports=flag)
    assert (b"__builtin__" in data) is bool(flag)
    file = io.BytesIO()
    capers.dump(range, file, 2, fix_imports=flag)
    capers.Pickler(file, 2, flag).dump(range)
    assert file.getvalue() == data * 2


@pytest.mark.parametrize("name", ["encoding", "errors"])
def test_names_of_codecs_with_a_null_character_are_refused(name):
    for call in (
        lambda **k: capers.loads(b"N.", **k),
        lambda **k: capers.load(io.BytesIO(b"N."), **k),
        lambda **k: capers.Unpickler(io.BytesIO(), **k),
    ):
        with pytest.raises(ValueError, match="null"):
            call(**{name: "a\0b"})


@pytest.mark.parametrize("odd", [3, (), (1, 2), ("a", "b", "c"), None])
def test_a_broken_table_of_old_names_is_a_runtime_error(odd, monkeypatch):
    monkeypatch.setitem(_compat_pickle.REVERSE_NAME_MAPPING, (__name__, "OnlyHere"), odd)
    with pytest.raises(RuntimeError, match="REVERSE_NAME_MAPPING"):
        capers.dumps(OnlyHere, 2)
    monkeypatch.delitem(_compat_pickle.REVERSE_NAME_MAPPING, (__name__, "OnlyHere"))
    monkeypatch.setitem(_compat_pickle.REVERSE_IMPORT_MAPPING, __name__, odd)
    with pytest.raises(RuntimeError, match="REVERSE_IMPORT_MAPPING"):
        capers.dumps(OnlyHere, 2)
