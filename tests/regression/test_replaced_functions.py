"""The functions of capers put in the place of those of `pickle` before anything was loaded did not come back."""

from shipping import run


def test_a_program_may_replace_the_functions_of_pickle():
    said = run(
        """
        import _pickle, capers, pickle
        for name in ("dump", "dumps", "load", "loads", "Pickler", "Unpickler"):
            for module in (_pickle, pickle):
                setattr(module, name, getattr(capers, name))
        print(pickle.loads(pickle.dumps([1, lambda: 2]))[1]())
        """
    )
    assert said == "2\n"
