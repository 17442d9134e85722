"""Classes took each other's key, and attributes that lead back to a class were lost when a load broke off."""

import gc
import subprocess
import sys
import textwrap

import capers


def test_a_class_defined_like_one_that_is_gone_is_another_class():
    def make(number):
        hidden = type("Hidden", (), {"__module__": "__main__", "number": number})()

        class Kind:
            def value(self):
                return hidden.number

        Kind.__module__ = "__main__"
        return Kind

    first = capers.dumps(make(1))
    gc.collect()
    second = capers.dumps(make(2))
    assert [capers.loads(data)().value() for data in (first, second)] == [1, 2]


def test_a_load_that_broke_off_is_completed_by_the_next(tmp_path):
    payload = tmp_path / "payload"
    sender = """
        import sys, capers
        class Fails:
            def __reduce__(self): return eval, ("__import__('sys').modules['ready'].value",)
        class A: pass
        A.y = [Fails(), A]
        A.z = [A]
        open(sys.argv[1], "wb").write(capers.dumps(A))
    """
    receiver = """
        import sys, types, capers
        data = open(sys.argv[1], "rb").read()
        try:
            capers.loads(data)
        except KeyError:
            pass
        else:
            raise AssertionError("the first load should fail")
        sys.modules["ready"] = types.SimpleNamespace(value=1)
        A = capers.loads(data)
        assert A.y == [1, A] and A.z == [A], vars(A)
    """
    for text in (sender, receiver):
        subprocess.run([sys.executable, "-c", textwrap.dedent(text), payload], check=True)
