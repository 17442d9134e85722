"""Code of another Python version is refused with a sentence that names both, and never reaches the interpreter."""

import functools
import glob
import marshal
import os
import pickle
import pickletools
import shutil
import struct
import subprocess
import sys

import capers
import capers._rebuild
import pytest
from gallery import GALLERY
from shipping import payload, run

OURS = "%d.%d" % sys.version_info[:2]
LOADS = {"capers": capers.loads, "pickle": pickle.loads}


class Code:
    """Pickles as a call of the wire constructor for code."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return capers._rebuild.code, self.arguments


def refusal(loads, data):
    with pytest.raises(capers.UnpicklingError) as caught:
        loads(data)
    return str(caught.value)


@pytest.mark.parametrize("loads", LOADS.values(), ids=LOADS)
@pytest.mark.parametrize("other", [(3, 8), (3, 11), (3, 12), (3, 13), (3, 14), (3, 15), (3, 99), (4, 0)], ids=str)
def test_code_of_another_version_is_refused_by_name(loads, other):
    if other == sys.version_info[:2]:
        pytest.skip("this is the version of this interpreter")
    tag = 1234 << 16 | other[0] << 8 | other[1]
    said = refusal(loads, pickle.dumps(Code(tag, b"\xff not marshal at all"), 4))
    assert "%d.%d" % other in said and OURS in said


@pytest.mark.parametrize("loads", LOADS.values(), ids=LOADS)
def test_another_bytecode_of_the_same_version_is_refused(loads):
    said = refusal(loads, pickle.dumps(Code(capers._rebuild.TAG ^ 1 << 16, b"\xff not marshal at all"), 4))
    assert OURS in said and "bytecode" in said


@pytest.mark.parametrize("loads", LOADS.values(), ids=LOADS)
@pytest.mark.parametrize("tag", [0, -1, 1 << 80, True], ids=str)
def test_a_nonsensical_tag_is_refused(loads, tag):
    assert OURS in refusal(loads, pickle.dumps(Code(tag, b""), 4))


@pytest.mark.parametrize("loads", LOADS.values(), ids=LOADS)
def test_source_text_of_a_later_version_is_refused(loads):
    data = pickle.dumps(Code(capers._rebuild.TAG, marshal.dumps((lambda: 0).__code__), "lambda: 0"), 4)
    assert "newer" in refusal(loads, data)


def tags(data):
    """Return where in the payload *data* the tag of this interpreter is an integer argument."""
    found = [(arg, at) for _, arg, at in pickletools.genops(data) if arg == capers._rebuild.TAG]
    return [at for _, at in found]


@pytest.mark.parametrize("loads", LOADS.values(), ids=LOADS)
@pytest.mark.parametrize("name", ["identity", "rangefact", "a shared counter", "globals of several kinds"])
def test_a_function_whose_tag_is_changed_is_refused(loads, name):
    data = payload(GALLERY[name], 2)
    ours = struct.pack("<i", capers._rebuild.TAG)
    theirs = struct.pack("<i", capers._rebuild.TAG + 1)
    assert tags(data) and data.count(ours) >= 1
    said = refusal(loads, data.replace(ours, theirs))
    assert OURS in said and "%d.%d" % (sys.version_info[0], sys.version_info[1] + 1) in said


@pytest.mark.parametrize("protocol", range(2, 6))
def test_every_function_carries_the_tag_of_its_version(protocol):
    assert tags(payload(GALLERY["identity"], protocol))


@functools.cache
def other_pythons():
    """Return other interpreters of this machine, by version, that have what the readable loader needs."""
    found = {}
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    names = glob.glob(os.path.join(root, "versions", "3.*", "bin", "python"))
    names += [shutil.which(f"python3.{minor}") for minor in range(8, 17)]
    for python in filter(None, names):
        line = "import sys; print('%d.%d' % sys.version_info[:2], sys.version_info >= (3, 8))"
        told = subprocess.run([python, "-S", "-c", line], capture_output=True, text=True).stdout.split()
        if len(told) == 2 and told[1] == "True" and told[0] != OURS:
            found.setdefault(told[0], python)
    return found


@pytest.mark.parametrize("version", [f"3.{minor}" for minor in range(8, 16)])
def test_stock_pickle_of_the_other_version_refuses_a_function_by_name(version):
    if version == OURS:
        pytest.skip("this is the version of this interpreter")
    python = other_pythons().get(version)
    if python is None:
        pytest.skip("there is no Python " + version)
    where = os.path.dirname(os.path.dirname(capers._rebuild.__file__))
    script = f"""
        import sys
        sys.path.insert(0, {where!r})
        import pickle
        try:
            pickle.loads({payload(GALLERY["rangefact"], 4)!r})
        except pickle.UnpicklingError as error:
            print(error)
        """
    said = run(script, python=python, options=["-S", "-E"])
    assert version in said and OURS in said


@pytest.mark.parametrize("version", [f"3.{minor}" for minor in range(8, 16)])
def test_data_of_this_version_loads_on(version):
    if version == OURS:
        pytest.skip("this is the version of this interpreter")
    python = other_pythons().get(version)
    if python is None:
        pytest.skip("there is no Python " + version)
    data = capers.dumps({"a": [1, 2.5, "é", b"x", None, (True,)], "f": len}, 5)
    said = run(f"import pickle\nprint(pickle.loads({data!r}))", python=python, options=["-S", "-E"])
    assert said.strip() == "{'a': [1, 2.5, 'é', b'x', None, (True,)], 'f': <built-in function len>}"
