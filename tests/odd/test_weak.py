"""What is held weakly is alive on the other side when something else in the payload holds it, and gone otherwise."""

import pytest
from shipping import run, ship

K = "import weakref\nclass K: ...\n"

ALIVE = {
    "a_reference_before_its_referent": ("k = K()\nobj = weakref.ref(k), k", "assert obj[0]() is obj[1]"),
    "a_reference_after_its_referent": ("k = K()\nobj = k, weakref.ref(k)", "assert obj[1]() is obj[0]"),
    "a_reference_in_its_referent": ("obj = K()\nobj.me = weakref.ref(obj)", "assert obj.me() is obj"),
    "a_reference_with_a_callback": (
        "k, seen = K(), []\nobj = [weakref.ref(k, seen.append), k, seen]",
        "ref, k, seen = obj\ndel k\nobj.clear()\nimport gc\ngc.collect()\nassert seen == [ref] and ref() is None",
    ),
    "a_reference_of_a_derived_class": (
        "class R(weakref.ref):\n    pass\nk = K()\nobj = R(k), k",
        "assert obj[0]() is obj[1] and type(obj[0]).__name__ == 'R'",
    ),
    "a_proxy": ("k = K()\nobj = weakref.proxy(k), k", "obj[0].x = 1\nassert obj[1].x == 1"),
    "a_proxy_of_a_function": ("def f(): return 3\nobj = weakref.proxy(f), f", "assert obj[0]() == 3"),
    "a_reference_to_a_function": ("def f(): return 3\nobj = weakref.ref(f), f", "assert obj[0]() is obj[1]"),
    "a_reference_to_a_class": ("obj = weakref.ref(K), K", "assert obj[0]() is obj[1]"),
    "a_reference_to_a_library_function": (
        "import json\nobj = weakref.ref(json.dumps)",
        "import json\nassert obj() is json.dumps",
    ),
    "a_method": (
        "class M:\n    def m(self): return 5\nm = M()\nobj = weakref.WeakMethod(m.m), m",
        "assert obj[0]()() == 5 and obj[0]().__self__ is obj[1]",
    ),
    "a_set": (
        "a, b = K(), K()\nobj = weakref.WeakSet([a, b]), [b], a",
        "assert len(obj[0]) == 2 and obj[2] in obj[0] and obj[1][0] in obj[0]",
    ),
    "a_dict_of_weak_keys": (
        "a, b = K(), K()\nobj = weakref.WeakKeyDictionary({a: b, b: [1]}), a",
        "d, a = obj\nassert d[d[a]] == [1] and len(d) == 2",
    ),
    "a_dict_of_weak_values": (
        "a, b = K(), K()\nobj = weakref.WeakValueDictionary(a=a, b=b), [a, b]",
        "assert list(obj[0]) == ['a', 'b'] and obj[0]['b'] is obj[1][1]",
    ),
    "a_set_of_library_classes": (
        "import collections\nobj = weakref.WeakSet([collections.Counter])",
        "import collections\nassert list(obj) == [collections.Counter]",
    ),
    "a_set_of_a_derived_class": (
        "class S(weakref.WeakSet):\n    tag = 1\na = K()\nobj = S([a]), a\nobj[0].own = 2",
        "assert list(obj[0]) == [obj[1]] and obj[0].tag == 1 and obj[0].own == 2",
    ),
    "the_instances_that_a_class_knows": (
        """
class Known:
    all = weakref.WeakValueDictionary()
    def __init__(self, name):
        self.all[name] = self
held, dropped = Known("held"), Known("dropped")
obj = held
""",
        "cls = type(obj)\nassert cls.all['held'] is obj\nb = cls('b')\nassert cls.all['b'] is b",
    ),
    "a_set_filled_by_what_comes_later": (
        "a = K()\nobj = [weakref.WeakSet([a]), lambda: a]",
        "assert list(obj[0]) == [obj[1]()]",
    ),
}

DEAD = {
    "a_reference_that_was_dead": ("obj = weakref.ref(K())", "assert obj() is None"),
    "a_reference_that_alone_leads_to_it": ("k = K()\nobj = weakref.ref(k)", "assert obj() is None"),
    "a_method_that_alone_leads_to_it": (
        "class M:\n    def m(self): ...\nm = M()\nobj = weakref.WeakMethod(m.m)",
        "assert obj() is None",
    ),
    "a_set_that_alone_leads_to_it": ("k = K()\nobj = weakref.WeakSet([k])", "assert len(obj) == 0"),
    "a_reference_to_what_cannot_travel": (
        "import socket\ns = socket.socket()\nobj = [1, weakref.ref(s), weakref.proxy(s), weakref.WeakMethod(s.dup), 2]",
        "assert obj[0] == 1 and obj[1]() is None and obj[3]() is None and obj[4] == 2",
    ),
    "a_reference_to_what_leads_to_something_that_cannot_travel": (
        "import socket\nk = K()\nk.deep = [K, {1: socket.socket()}]\nobj = [weakref.ref(k), K, 'end']",
        "assert obj[0]() is None and obj[1].__name__ == 'K' and obj[2] == 'end'",
    ),
}


# A proxy is what it stands for where nothing else is, as with pickle.
PROXIES = {
    "alone_is_a_copy": ("obj = p", "assert type(obj).__name__ == 'K' and obj.z == 1"),
    "twice_is_one_copy": ("obj = [p, p]", "assert obj[0] is obj[1] and obj[0].z == 1"),
    "after_its_referent_is_a_proxy": ("obj = [k, p]", "assert is_proxy(obj[1], obj[0])"),
    "before_its_referent_is_a_proxy": ("obj = [p, k]", "assert is_proxy(obj[0], obj[1])"),
    "twice_before_its_referent_is_a_proxy": (
        "obj = [p, [p], k]",
        "assert is_proxy(obj[0], obj[2]) and obj[1][0] is obj[0]",
    ),
    "between_large_parts_is_a_proxy": (
        "obj = [p, 'x' * 100_000, b'y' * 70_000, p, b'z' * 70_000, k]",
        "assert is_proxy(obj[0], obj[5]) and obj[3] is obj[0] and len(obj[4]) == 70_000",
    ),
    "of_a_parent_that_comes_along_for_it_is_a_copy": (
        "child = K()\nk.children = [child]\nchild.parent = p\nobj = child",
        "assert type(obj.parent).__name__ == 'K' and obj.parent.children[0] is obj",
    ),
    "of_a_parent_that_comes_later_is_a_proxy": (
        "child = K()\nk.children = [child]\nchild.parent = p\nobj = [child, k]",
        "assert is_proxy(obj[0].parent, obj[1]) and obj[1].children[0] is obj[0]",
    ),
    "of_an_object_that_only_its_own_parts_lead_to_is_a_copy": (
        "child = K()\nk.children = [child]\nchild.up = k\nobj = p",
        "assert obj.children[0].up is obj",
    ),
    "beside_a_weak_reference_is_a_copy": ("obj = [p, weakref.ref(k)]", "assert obj[1]() is obj[0] and obj[0].z == 1"),
    "beside_a_weak_container_is_a_copy": (
        "obj = [p, weakref.WeakSet([k])]",
        "assert type(obj[0]).__name__ == 'K' and list(obj[1]) == [obj[0]]",
    ),
    "in_a_class_that_leads_to_its_referent_is_a_proxy": (
        "class L:\n    near = p\n    far = [k]\nobj = [L(), p]",
        "assert is_proxy(obj[0].near, obj[0].far[0]) and is_proxy(obj[1], obj[0].far[0])",
    ),
    "of_a_set_is_a_set": ("s = {1}\nobj = [weakref.proxy(s)]", "assert obj == [{1}]"),
    "of_a_lock_alone_is_dead": (
        "import threading\nlock = threading.Lock()\nobj = [1, weakref.proxy(lock)]",
        "assert obj[0] == 1 and isinstance(obj[1], weakref.ProxyType)",
    ),
    "of_what_leads_to_something_that_cannot_travel_is_dead": (
        "import socket\nk.s = socket.socket()\nobj = [p, 2]",
        "assert isinstance(obj[0], weakref.ProxyType) and obj[1] == 2",
    ),
}
IS_PROXY = """
import gc, weakref
gc.collect()
def is_proxy(proxy, referent):
    referent.mark = object()
    return isinstance(proxy, weakref.ProxyType) and proxy.mark is referent.mark
"""


@pytest.mark.parametrize("case", PROXIES)
def test_a_proxy(case):
    sender, check = PROXIES[case]
    ship(K + "k = K()\nk.z = 1\np = weakref.proxy(k)\n" + sender, IS_PROXY + check, in_place=False)


def test_a_proxy_alone_has_the_bytes_of_pickle():
    run(
        """
import capers, importable, pickle, weakref
point = importable.Holder([1])
proxy = weakref.proxy(point)
for protocol in range(6):
    assert capers.dumps([proxy, proxy], protocol) == pickle.dumps([proxy, proxy], protocol)
"""
    )


def test_a_pickler_remembers_what_it_made_of_a_proxy():
    run(
        K
        + """
import capers, io
k = K()
p = weakref.proxy(k)
for first, kind in ([p], K), ([p, k], weakref.ProxyType):
    file = io.BytesIO()
    pickler = capers.Pickler(file)
    pickler.dump(first)
    pickler.dump(p)
    file.seek(0)
    unpickler = capers.Unpickler(file)
    first, second = unpickler.load(), unpickler.load()
    assert type(second) is kind and second is first[0]
"""
    )


@pytest.mark.parametrize("case", ALIVE)
def test_it_is_alive_when_something_else_holds_it(case):
    sender, check = ALIVE[case]
    ship(K + sender, check)


@pytest.mark.parametrize("case", DEAD)
def test_it_is_gone_when_nothing_else_holds_it(case):
    sender, check = DEAD[case]
    # A cycle with the frame of the loader may take a collection to go.
    ship(K + sender, "import gc\ngc.collect()\n" + check, in_place=False)


def test_containers_carry_nothing_that_only_they_hold():
    said = run(
        K
        + """
import capers
kept = [K() for _ in range(100)]
for k in kept: k.big = "x" * 1000
print(len(capers.dumps([weakref.WeakSet(kept), weakref.WeakValueDictionary(enumerate(kept)), K])) < 5000)
"""
    )
    assert said == "True\n"


def test_a_failing_referent_that_is_held_elsewhere_is_still_refused():
    run(
        K
        + """
import capers, socket
s = socket.socket()
try:
    capers.dumps([weakref.ref(s), s])
except TypeError as error:
    assert "socket" in str(error)
else:
    raise AssertionError("it was written")
"""
    )


def test_taking_back_a_referent_keeps_what_is_shared():
    ship(
        K
        + """
import socket
shared = ["shared"]
k = K()
k.parts = [shared, K, socket.socket()]
obj = [weakref.ref(k), shared, shared, K(), lambda: shared]
""",
        "import gc\ngc.collect()\nassert obj[1] == ['shared'] and obj[1] is obj[2] is obj[4]() and type(obj[3]).__name__ == 'K'",
        in_place=False,
    )
