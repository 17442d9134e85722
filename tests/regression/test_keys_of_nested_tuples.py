"""Loading a key of a million nested tuples crashed, one of 2**60 shared tuples never came back: both in its hash."""

import sys

import capers
import pytest
from shipping import run

DEEP = b")" + b"\x85" * 1_000_000
SHARED = b")" + b"2\x86" * 60
USES = [b"}%sNs.", b"}(%sNu.", b"(%sNd.", b"\x8f(%s\x90.", b"(%s\x91."]


@pytest.mark.parametrize("use", USES)
def test_a_key_that_is_too_deep_is_refused(use):
    script = "import capers\ntry: capers.loads(open(0, 'rb').read())\nexcept RecursionError as error: assert 'nested' in str(error)\nelse: raise SystemExit(5)"
    run(script, data=use % DEEP)


@pytest.mark.parametrize("use", USES)
def test_a_key_whose_hash_takes_forever_is_refused_where_tuples_do_not_remember_theirs(use):
    if sys.version_info >= (3, 14):
        assert len(capers.loads(use % SHARED)) == 1
    else:
        with pytest.raises(capers.UnpicklingError, match="steps"):
            capers.loads(use % SHARED)


def test_keys_as_deep_as_programs_have_them_load():
    key = ()
    for _ in range(900):
        key = (key, "x")
    assert list(capers.loads(capers.dumps({key: 1}))) == [key]
    assert capers.loads(capers.dumps({(1, (2, (3, "x"))): [], ("a", ("a",)): {}})) == {
        (1, (2, (3, "x"))): [],
        ("a", ("a",)): {},
    }
