"""`Pickler` and `Unpickler` where code expects those of `pickle`: what they look like, what they keep alive, who derives
from them."""

import collections
import copyreg
import gc
import inspect
import io
import pickle
import pydoc
import sys
import threading
import types
import weakref

import capers
import pytest
from shipping import run

FUNCTIONS = ("dump", "dumps", "load", "loads", "Pickler", "Unpickler")
# What capers adds to the signatures of pickle: keywords at the end.
DUMPING = {
    "by_value": None,
    "locks": "fresh",
    "files": "reopen",
    "reducers": None,
    "globals": "module",
    "progress": None,
}
LOADING = {"limits": None, "progress": None}
ADDED = {"dump": DUMPING, "dumps": DUMPING, "Pickler": DUMPING, "load": LOADING, "loads": LOADING, "Unpickler": LOADING}
METHODS = ("Pickler.dump", "Pickler.clear_memo", "Unpickler.load", "Unpickler.find_class")


def at(module, path):
    for part in path.split("."):
        module = getattr(module, part)
    return module


# ------------------------------------------------------------------ what they look like


@pytest.mark.parametrize("name", [*FUNCTIONS, *METHODS])
def test_the_signature_is_that_of_pickle_with_keywords_added_at_the_end_of(name):
    ours = dict(inspect.signature(at(capers, name)).parameters)
    theirs = dict(inspect.signature(at(pickle, name)).parameters)
    added = {keyword: ours.pop(keyword) for keyword in list(ours)[len(theirs) :]}
    assert {keyword: each.default for keyword, each in added.items()} == ADDED.get(name, {})
    assert {each.kind for each in added.values()} <= {inspect.Parameter.KEYWORD_ONLY}
    # What C has for "no buffers" is an empty tuple in some versions; the documentation says None.
    defaults = {"buffers": None}
    assert [(each.name, each.kind, defaults.get(each.name, each.default)) for each in ours.values()] == [
        (each.name, each.kind, defaults.get(each.name, each.default)) for each in theirs.values()
    ]


@pytest.mark.parametrize("name", ["Pickler", "Unpickler"])
def test_help_shows_the_signature_and_the_methods_of(name):
    told = " ".join(pydoc.plain(pydoc.render_doc(getattr(capers, name))).split())
    signature = str(inspect.signature(getattr(capers, name)))
    assert f"class {name}" in told
    # Long signatures are broken into lines.
    assert signature.replace(" ", "") in told.replace(" ", "").replace("|", "")
    for method in METHODS:
        kind, _, method = method.partition(".")
        assert kind != name or f"{method}(self" in told


@pytest.mark.parametrize("name", sorted(capers.__all__))
@pytest.mark.parametrize("dumps", [pickle.dumps, capers.dumps], ids=["pickle", "capers"])
def test_it_travels_by_name(name, dumps):
    public = getattr(capers, name)
    assert pickle.loads(dumps(public)) is public or isinstance(public, int)


@pytest.mark.parametrize("name", ["Pickler", "Unpickler"])
def test_an_instance_does_not_travel(name):
    made = getattr(capers, name)(io.BytesIO())
    for dumps in pickle.dumps, capers.dumps:
        with pytest.raises(TypeError, match=f"cannot pickle 'capers.{name}' object"):
            dumps(made)


ATTRIBUTES = {
    "no_dispatch_table": lambda p: p.dispatch_table,
    "deleting_no_dispatch_table": lambda p: delattr(p, "dispatch_table"),
    "a_dispatch_table": lambda p: setattr(p, "dispatch_table", {}) or p.dispatch_table,
    "a_deleted_dispatch_table": lambda p: setattr(p, "dispatch_table", {}) or delattr(p, "dispatch_table"),
    "a_number_for_a_memo": lambda p: setattr(p, "memo", 5),
    "numbers_in_a_memo": lambda p: setattr(p, "memo", {1: 5}),
    "a_dict_for_a_memo": lambda p: setattr(p, "memo", {1: (0, "x")}) or list(p.memo.copy().values()),
    "deleting_the_memo": lambda p: delattr(p, "memo"),
    "a_copied_memo": lambda p: p.dump([]) or [index for index, _ in p.memo.copy().values()],
    "a_cleared_memo": lambda p: p.dump([]) or p.memo.clear() or p.memo.copy(),
    "bin": lambda p: p.bin,
    "fast": lambda p: p.fast,
    "fast_set": lambda p: setattr(p, "fast", True) or p.fast,
    "fast_set_to_a_text": lambda p: setattr(p, "fast", "x"),
    "an_unknown_attribute": lambda p: setattr(p, "unknown", 1),
    "an_uncallable_persistent_id": lambda p: setattr(p, "persistent_id", 5),
    "no_persistent_id": lambda p: getattr(p, "persistent_id", len)([]),
    "deleting_no_persistent_id": lambda p: delattr(p, "persistent_id"),
}


if sys.version_info[:3] == (3, 13, 0):  # the one release in which persistent_id cannot be set
    ATTRIBUTES = {case: what for case, what in ATTRIBUTES.items() if "persistent_id" not in case}


@pytest.mark.parametrize("case", ATTRIBUTES)
@pytest.mark.parametrize("protocol", [0, 5])
def test_attributes_of_a_pickler_are_as_with_pickle(case, protocol):
    told = []
    for kind in pickle.Pickler, capers.Pickler:
        try:
            told.append(ATTRIBUTES[case](kind(io.BytesIO(), protocol)))
        except (AttributeError, TypeError, ValueError) as error:
            # Some releases say no more than the name of an attribute that is not there.
            said = str(error).replace("_pickle.", "capers.")
            told.append((type(error), "" if isinstance(error, AttributeError) else said))
    assert told[0] == told[1]


# ------------------------------------------------------------------ what they keep alive


class Node:
    pass


def dies(make):
    """Tell whether what *make* ties into a cycle is collected; it returns the object to watch."""
    gc.collect()
    watched = weakref.ref(make())
    gc.collect()
    return watched() is None


class Target(io.BytesIO):
    """A file that can hold on to things."""


def pickler_in_its_file():
    file = Target()
    file.pickler = capers.Pickler(file)
    return file


def pickler_in_its_memo():
    node = Node()
    node.pickler = capers.Pickler(io.BytesIO())
    node.pickler.memo = {id(node): (0, node)}
    return node


def pickler_in_its_dispatch_table():
    node = Node()
    node.pickler = capers.Pickler(io.BytesIO())
    node.pickler.dispatch_table = {Node: node}
    return node


def pickler_in_its_buffer_callback():
    node = Node()
    node.pickler = capers.Pickler(io.BytesIO(), 5, buffer_callback=lambda buffer: node)
    return node


def pickler_in_its_persistent_id():
    node = Node()
    node.pickler = capers.Pickler(io.BytesIO())
    node.pickler.persistent_id = lambda obj: node
    return node


def pickler_in_its_memo_proxy():
    node = Node()
    node.pickler = capers.Pickler(io.BytesIO())
    node.proxy = node.pickler.memo
    node.pickler.memo = {id(node): (0, node)}
    return node


def unpickler_in_its_file():
    file = Target()
    file.unpickler = capers.Unpickler(file)
    return file


def unpickler_in_its_memo():
    node = Node()
    node.unpickler = capers.Unpickler(io.BytesIO())
    node.unpickler.memo = {0: node}
    return node


def unpickler_in_its_memo_proxy():
    node = Node()
    node.unpickler = capers.Unpickler(io.BytesIO())
    node.unpickler.memo = {0: node}
    node.proxy = node.unpickler.memo
    return node


def unpickler_in_its_persistent_load():
    node = Node()
    node.unpickler = capers.Unpickler(io.BytesIO())
    node.unpickler.persistent_load = lambda pid: node
    return node


def unpickler_in_its_buffers():
    node = Node()
    node.unpickler = capers.Unpickler(io.BytesIO(), buffers=[node])
    return node


def derived_pickler():
    class Derived(capers.Pickler):
        def reducer_override(self, obj):
            return NotImplemented

    node = Node()
    node.pickler = Derived(io.BytesIO())
    node.pickler.node = node
    node.pickler.dump([1, node.pickler.memo.copy()])
    return node


def derived_unpickler():
    class Derived(capers.Unpickler):
        def persistent_load(self, pid):
            return self

    node = Node()
    node.unpickler = Derived(io.BytesIO(b"N\x51."))
    node.loaded = node.unpickler.load()
    node.loaded.node = node
    return node


CYCLES = [
    pickler_in_its_file, pickler_in_its_memo, pickler_in_its_dispatch_table, pickler_in_its_buffer_callback,
    pickler_in_its_persistent_id, pickler_in_its_memo_proxy, unpickler_in_its_file, unpickler_in_its_memo,
    unpickler_in_its_memo_proxy, unpickler_in_its_persistent_load, unpickler_in_its_buffers, derived_pickler,
    derived_unpickler,
]  # fmt: skip


@pytest.mark.parametrize("make", CYCLES, ids=lambda make: make.__name__)
def test_a_cycle_is_collected_through_a(make):
    assert dies(make)


def test_a_memo_proxy_keeps_its_pickler_alive():
    pickler = capers.Pickler(io.BytesIO())
    shared = ["shared"]
    pickler.dump(shared)
    proxy = pickler.memo
    del pickler
    gc.collect()
    assert any(obj is shared for _, obj in proxy.copy().values())


def test_a_pickler_that_is_dropped_lets_go_of_what_it_wrote():
    node = Node()
    pickler = capers.Pickler(io.BytesIO())
    before = sys.getrefcount(node)
    pickler.dump([node])
    assert sys.getrefcount(node) > before
    del pickler
    assert sys.getrefcount(node) == before


# ------------------------------------------------------------------ who derives from them


class Forking(capers.Pickler):
    """In the manner of `multiprocessing.reduction.ForkingPickler`: reducers of its own before those of copyreg."""

    own = {}

    def __init__(self, *args):
        super().__init__(*args)
        self.dispatch_table = collections.ChainMap(self.own, copyreg.dispatch_table)

    @classmethod
    def register(cls, kind, reduce):
        cls.own[kind] = reduce

    @classmethod
    def dumps(cls, obj, protocol=None):
        file = io.BytesIO()
        cls(file, protocol).dump(obj)
        return file.getbuffer()


def test_a_pickler_in_the_manner_of_multiprocessing_works(monkeypatch):
    monkeypatch.setattr(Forking, "own", {})
    Forking.register(types.MethodType, lambda method: (getattr, (method.__self__, method.__func__.__name__)))
    Forking.register(Node, lambda node: (tuple, ()))
    assert pickle.loads(Forking.dumps([Node(), Forking.dumps])) == [(), Forking.dumps]


def test_multiprocessing_itself_can_derive_from_it():
    said = run(
        """
        import pickle
        import capers
        pickle.Pickler, pickle.dumps = capers.Pickler, capers.dumps
        import multiprocessing
        import multiprocessing.reduction as reduction

        class Counted:
            def __init__(self, n): self.n = n

        reduction.ForkingPickler.register(Counted, lambda it: (Counted, (it.n + 1,)))
        assert issubclass(reduction.ForkingPickler, capers.Pickler)
        if __name__ == "__main__":
            # Pipes and queues go through ForkingPickler; a connection travels by a reducer of multiprocessing.
            context = multiprocessing.get_context("fork")
            here, there = context.Pipe()
            def work(connection):
                other, counted = connection.recv()
                other.send([counted.n, lambda: 7])
            process = context.Process(target=work, args=(there,))
            process.start()
            receiving, sending = context.Pipe(duplex=False)
            here.send([sending, Counted(1)])
            n, function = receiving.recv()
            process.join()
            print(n, function(), process.exitcode)
        """
    )
    assert said == "2 7 0\n"


class WithTable(capers.Pickler):
    """A table of the class that is changed in place, under both names that engines know it by."""

    dispatch_table = collections.ChainMap({}, copyreg.dispatch_table)
    dispatch = dispatch_table

    def dump(self, obj):
        self.dumped = getattr(self, "dumped", 0) + 1
        return super().dump(obj)


def written(kind, obj, **options):
    file = io.BytesIO()
    pickler = kind(file, **options)
    pickler.dump(obj)
    return pickler, file.getvalue()


def test_a_table_of_the_class_is_read_at_each_dump(monkeypatch):
    pickler, before = written(WithTable, Node())
    assert isinstance(pickle.loads(before), Node) and pickler.dumped == 1
    monkeypatch.setitem(WithTable.dispatch, Node, lambda node: (dict, ()))
    assert pickle.loads(written(WithTable, Node())[1]) == {}
    # The pickler made before sees it, too.
    file = io.BytesIO()
    pickler.__init__(file)
    pickler.dump(Node())
    assert pickle.loads(file.getvalue()) == {}


def test_a_table_of_the_instance_goes_before_that_of_the_class():
    class Both(WithTable):
        def __init__(self, file):
            super().__init__(file)
            self.dispatch_table = {Node: lambda node: (list, ())}

    assert pickle.loads(written(Both, Node())[1]) == []


def test_hooks_put_on_an_instance_or_a_class_later_are_used(monkeypatch):
    class Late(capers.Pickler):
        pass

    file = io.BytesIO()
    pickler = Late(file)
    Late.reducer_override = lambda self, obj: (dict, ()) if isinstance(obj, Node) else NotImplemented
    pickler.dump(Node())
    Late.reducer_override = lambda self, obj: NotImplemented
    pickler.reducer_override = lambda obj: (list, ()) if isinstance(obj, Node) else NotImplemented
    pickler.dump(Node())
    Late.persistent_id = lambda self, obj: "pid" if isinstance(obj, Node) else None
    pickler.dump(Node())
    file.seek(0)

    class Loader(capers.Unpickler):
        def persistent_load(self, pid):
            return pid

    loader = Loader(file)
    assert [loader.load() for _ in range(3)] == [{}, [], "pid"]


def test_a_hook_may_dump_with_another_pickler_of_its_kind():
    class Nesting(capers.Pickler):
        def reducer_override(self, obj):
            if isinstance(obj, Node):
                return pickle.loads, (written(type(self), [obj.value])[1],)
            return NotImplemented

    node = Node()
    node.value = {"a": 1}
    assert pickle.loads(written(Nesting, (node, node))[1]) == ([{"a": 1}], [{"a": 1}])


def test_an_abstract_base_can_be_mixed_in():
    class Base:
        def reducer_override(self, obj):
            return super().reducer_override(obj) if obj is None else NotImplemented

        def persistent_id(self, obj):
            return None

    class Mixed(Base, capers.Pickler):
        __slots__ = ("extra",)

    pickler, data = written(Mixed, [1])
    pickler.extra = 2
    assert pickle.loads(data) == [1]


def test_threads_each_use_a_pickler_of_their_own():
    results = []

    def work(number):
        for _ in range(50):
            results.append(pickle.loads(written(WithTable, [Node, number, {"k": (number,)}])[1])[1])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted([0, 1, 2, 3] * 50)
