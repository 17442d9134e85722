"""Views show the very object that arrives beside them."""

import pytest
from shipping import ship

CASES = {
    "a_mapping_proxy": (
        "import types\nd = {'a': 1}\nobj = types.MappingProxyType(d), d",
        "obj[1]['b'] = 2\nassert obj[0]['b'] == 2 and type(obj[0]).__name__ == 'mappingproxy'",
    ),
    "a_proxy_in_its_own_dict": (
        "import types\nd = {}\nd['me'] = types.MappingProxyType(d)\nobj = d",
        "obj['x'] = 1\nassert obj['me']['x'] == 1 and obj['me']['me'] is obj['me']",
    ),
    "a_proxy_of_another_mapping": (
        "import collections, types\nobj = types.MappingProxyType(collections.ChainMap({'a': 1}))",
        "assert obj['a'] == 1 and repr(obj).startswith('mappingproxy(ChainMap')",
    ),
    "the_namespace_of_a_class": (
        "class K: x = 1\nobj = vars(K), K, vars(int)",
        "assert obj[0]['x'] == 1 and obj[2] == vars(int)\nobj[1].y = 2\nassert obj[0]['y'] == 2",
    ),
    "the_namespace_of_a_class_without_descriptors": (
        "class K: __slots__ = ()\nobj = vars(K), K",
        "obj[1].y = 2\nassert obj[0]['y'] == 2",
    ),
    "the_views_of_a_dict": (
        "d = {'a': 1}\nobj = d.keys(), d.values(), d.items(), d",
        "obj[3]['b'] = 2\nassert [list(each) for each in obj[:3]] == [['a', 'b'], [1, 2], [('a', 1), ('b', 2)]]",
    ),
    "a_view_in_its_own_dict": ("d = {}\nd['v'] = d.values()\nobj = d", "assert list(obj['v']) == [obj['v']]"),
    "the_views_of_an_ordered_dict": (
        "import collections\nd = collections.OrderedDict(a=1)\nobj = d.keys(), d.items(), d",
        "obj[2]['b'] = 2\nassert list(obj[0]) == ['a', 'b'] and type(obj[1]).__name__ == 'odict_items'",
    ),
}

MEMORY = {
    "all_of_it": "memoryview(b)",
    "a_slice": "memoryview(b)[2:5]",
    "every_other_byte": "memoryview(b)[::2]",
    "backwards": "memoryview(b)[::-3]",
    "backwards_to_the_start": "memoryview(b)[4::-2]",
    "nothing": "memoryview(b)[3:3]",
    "read_only": "memoryview(b).toreadonly()",
    "a_slice_read_only": "memoryview(b)[2:6].toreadonly()",
    "in_another_format": "memoryview(b)[2:6].cast('H')",
    "in_rows": "memoryview(bytes(range(12))).cast('B', (3, 4))",
    "a_number": "memoryview(b)[:8].cast('d', ())",
    "of_an_array": "memoryview(array.array('i', range(6)))",
    "of_a_slice_of_an_array": "memoryview(array.array('d', range(6)))[1:5:2]",
    "of_the_middle_of_an_array": "memoryview(array.array('i', range(6)))[2:4]",
    "of_a_ctypes_array": "memoryview((ctypes.c_char * 4)(*b'abcd')).cast('B')[1:]",
}


@pytest.mark.parametrize("case", CASES)
def test_it_shows_what_arrives_beside_it(case):
    ship(*CASES[case])


@pytest.mark.parametrize("case", MEMORY)
def test_memory_looks_the_same(case):
    ship(
        f"import array, ctypes\nb = bytearray(b'0123456789')\nv = {MEMORY[case]}\n"
        "obj = v, (v.tolist(), v.format, v.shape, v.strides, v.readonly)",
        "v, want = obj\nassert (v.tolist(), v.format, v.shape, v.strides, v.readonly) == want",
    )


def test_memory_is_shared_with_its_owner():
    ship(
        "import array\nb, a = bytearray(4), array.array('i', [1, 2])\nobj = memoryview(b)[1:3], b, memoryview(a), a",
        "v, b, w, a = obj\nb[1] = 7\na[1] = 8\nassert v[0] == 7 and w[1] == 8\nv[1] = 9\nassert b[2] == 9",
    )
