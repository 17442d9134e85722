"""Each load of an unpickler converted its whole memo: a stream of 100,000 pickles took minutes instead of a second."""

import io
import pickle

import capers


def test_a_long_stream_of_small_pickles_is_loaded_in_one_go():
    file = io.BytesIO()
    pickler = pickle.Pickler(file, 4)
    for n in range(120_000):
        pickler.dump([n, (n, n + 1), str(n)])
    file.seek(0)
    unpickler = capers.Unpickler(file)
    for n in range(120_000):
        assert unpickler.load() == [n, (n, n + 1), str(n)]
    assert len(unpickler.memo.copy()) == 360_000
