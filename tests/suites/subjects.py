"""What stands in for `pickle`: pickle's own C implementation, capers, or capers in its strict mode."""

from types import SimpleNamespace

# The order is that of the columns.  `pickle` comes first: what it does is the measure.
NAMES = ("pickle", "default", "strict")

FUNCTIONS = ("dump", "dumps", "load", "loads", "Pickler", "Unpickler")


def subject(name):
    """Return the namespace of functions called *name*."""
    if name == "pickle":
        import _pickle

        return SimpleNamespace(
            **{each: getattr(_pickle, each) for each in FUNCTIONS}, PickleBuffer=_pickle.PickleBuffer
        )
    import capers

    found = SimpleNamespace(**{each: getattr(capers, each) for each in FUNCTIONS}, PickleBuffer=capers.PickleBuffer)
    return strict(found) if name == "strict" else found


def strict(capers):
    """Return *capers* with ``by_value=False`` in every call."""

    def dump(obj, file, protocol=None, **options):
        return capers.dump(obj, file, protocol, by_value=False, **options)

    def dumps(obj, protocol=None, **options):
        return capers.dumps(obj, protocol, by_value=False, **options)

    class Pickler(capers.Pickler):
        def __init__(self, *args, **options):
            super().__init__(*args, by_value=False, **options)

    return SimpleNamespace(**{**vars(capers), "dump": dump, "dumps": dumps, "Pickler": Pickler})
