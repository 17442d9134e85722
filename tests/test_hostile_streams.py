"""A share of the hostile corpus: whatever bytes come, they give a value or an exception, in bounded memory.

`python3 dev.py hostile` feeds all of it.
"""

import sys

import pytest
from hostile import corpus, runner

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="address space cannot be limited on Windows")

# Every so many streams of a category: a few hundred of each, and few of those that are long.
STRIDES = {
    "truncations": 150,
    "flipped bits": 150,
    "changed bytes": 40,
    "stack and marks": 30,
    "operands": 50,
    "random bytes": 20,
    "states": 15,
    "deep": 29,
    "hashed": 13,
    "floods": 43,
}


@pytest.mark.parametrize("category", corpus.categories())
def test_no_stream_crashes_hangs_or_takes_memory_ahead_of_its_bytes(category):
    report = runner.feed(category, stride=STRIDES.get(category, 7))
    assert report.streams > 3
    assert report.complaints == []


def test_the_corpus_is_large_and_the_same_each_time():
    assert sum(1 for name in ("changed bytes", "operands", "stack and marks") for _ in corpus.corpus(name)) > 10_000
    first, again = ([each.data for each in corpus.corpus("changed bytes")] for _ in range(2))
    assert first == again


def test_a_feeder_that_dies_is_charged_to_the_stream_it_died_of(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "def hook(event, args):\n"
        "    if event == 'pickle.find_class' and args[1] == 'fail' and sys.argv[0].endswith('feeder.py'):\n"
        "        os.abort()\n"
        "sys.addaudithook(hook)\n"
    )
    report = runner.feed("extensions", stride=1, PYTHONPATH=f"{tmp_path}:{runner.environment()['PYTHONPATH']}")
    dead = [complaint for complaint in report.complaints if complaint[1].startswith("death by signal")]
    assert dead and all(bytes.fromhex(beginning).startswith(b"\x84\xff\xff\xff\x7f") for _, _, beginning in dead)
    assert report.streams == sum(1 for _ in corpus.corpus("extensions"))
