"""The kept opening of a function's payload took along atoms and marks that stood before the function when it was first written."""

import pickle

import capers


def script(name):
    namespace = {"__name__": "__main__"}
    exec(f"def {name}(): return 1", namespace)
    return namespace[name]


def test_numbers_before_a_function_stay_in_their_own_payload():
    function = script("job")
    for number in range(1, 5):
        assert pickle.loads(capers.dumps((number, function)))[0] == number


def test_a_mark_before_a_function_stays_in_its_own_payload():
    function = script("work")
    capers.dumps((1, 2, 3, function))
    first, second, third, arrived, last = capers.loads(capers.dumps((10, 20, 30, function, 40)))
    assert (first, second, third, last) == (10, 20, 30, 40) and arrived() == 1
    assert len(capers.loads(capers.dumps(frozenset([function])))) == 1


def test_a_buffer_before_a_function_stays_in_its_own_payload():
    function = script("task")
    capers.dumps((pickle.PickleBuffer(b"x"), function), buffer_callback=[].append)
    assert capers.loads(capers.dumps(function))() == 1
