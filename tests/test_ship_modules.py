"""Modules and what belongs to the process: imported where the function arrives, never copied."""

import pytest
from shipping import payload, ship


def test_modules_imported_at_the_top_are_imported_where_the_function_arrives():
    ship(
        """
        import json
        import math as m
        from collections import OrderedDict as OD
        def f(x): return json.dumps(OD(v=m.sqrt(x)))
        obj = f
        """,
        """
        assert obj(16) == '{"v": 4.0}'
        import json, collections
        assert obj.__globals__["json"] is json and obj.__globals__["OD"] is collections.OrderedDict
        """,
    )


CHAINS = {
    "the_function_itself": "def f(s):\n    return xml.dom.minidom.parseString(s).documentElement.tagName",
    "a_nested_function": "def f(s):\n    def g(): return xml.dom.minidom.parseString(s)\n    return g().documentElement.tagName",
    "a_lambda": "def f(s):\n    parse = lambda: xml.dom.minidom.parseString(s)\n    return parse().documentElement.tagName",
    "a_comprehension": "def f(s):\n    return [xml.dom.minidom.parseString(x).documentElement.tagName for x in [s]][0]",
    "a_generator_expression": "def f(s):\n    return next(xml.dom.minidom.parseString(x).documentElement.tagName for x in [s])",
    "a_class_body": "def f(s):\n    class K:\n        parse = xml.dom.minidom.parseString\n    return K.parse(s).documentElement.tagName",
    "a_default_of_a_nested_function": "def f(s):\n    def g(parse=xml.dom.minidom.parseString): return parse(s)\n    return g().documentElement.tagName",
    "a_function_that_it_calls": "def g(s):\n    return xml.dom.minidom.parseString(s)\ndef f(s):\n    return g(s).documentElement.tagName",
}  # fmt: skip


@pytest.mark.parametrize("place", CHAINS)
def test_a_submodule_used_as_an_attribute_chain_is_imported_when_it_is_used_in(place):
    ship(
        "import xml.dom.minidom\n" + CHAINS[place] + "\nobj = f\n",
        "import sys\nassert 'xml.dom.minidom' in sys.modules\nassert obj('<a/>') == 'a'",
    )


def test_a_submodule_of_a_package_under_another_name_is_imported():
    ship(
        """
        import xml.dom.minidom
        import xml.dom as d
        def f(s): return d.minidom.parseString(s).documentElement.tagName
        obj = f
        """,
        "assert obj('<a/>') == 'a'",
    )


def test_a_submodule_reached_through_a_closure_cell_is_imported():
    ship(
        """
        def outer():
            import importable.deep.below
            def f(): return importable.deep.below.answer()
            return f
        obj = outer()
        """,
        "assert obj() == 42",
    )


def test_a_submodule_that_the_function_does_not_use_is_not_imported():
    ship(
        """
        import importable.deep.below
        import xml.dom.minidom
        def f(): return importable.plain(2)
        obj = f
        """,
        "import sys\nassert obj() == 4\nassert 'importable.deep.below' not in sys.modules and 'xml' not in sys.modules",
        in_place=False,
    )


def test_several_submodules_of_one_package_are_imported():
    ship(
        """
        import xml.dom.minidom, xml.etree.ElementTree, xml.sax.saxutils
        def f(s):
            return (xml.dom.minidom.parseString(s).documentElement.tagName, xml.etree.ElementTree.fromstring(s).tag,
                    xml.sax.saxutils.escape(s))
        obj = f
        """,
        "assert obj('<a/>') == ('a', 'a', '&lt;a/&gt;')",
    )


def test_a_package_attribute_that_is_no_module_costs_no_import():
    ship(
        """
        import os
        def f(): return os.path.join("a", "b"), os.sep, os.environ.get("HOME")
        obj = f
        """,
        "import os\nassert obj()[0] == os.path.join('a', 'b')",
    )


def test_two_functions_that_use_different_submodules_both_find_theirs():
    ship(
        """
        import xml.dom.minidom, xml.etree.ElementTree
        def one(s): return xml.dom.minidom.parseString(s).documentElement.tagName
        def two(s): return xml.etree.ElementTree.fromstring(s).tag
        obj = [one, two]
        """,
        "assert [f('<a/>') for f in obj] == ['a', 'a']",
    )


def test_a_module_on_its_own_is_the_receivers_module():
    ship("import json.decoder\nobj = [json, json.decoder]", "import json.decoder\nassert obj == [json, json.decoder]")


def test_a_module_that_needs_an_import_is_imported():
    ship(
        "import importable.deep.below as b\nobj = b",
        "assert obj.answer() == 42 and obj.__name__ == 'importable.deep.below'",
    )


def test_an_extension_module_and_a_builtin_module_arrive():
    ship(
        "import _struct, sys, builtins\nobj = [_struct, sys, builtins]",
        "import _struct, sys, builtins\nassert obj == [_struct, sys, builtins]",
    )


def test_a_module_made_at_run_time_travels_with_its_content():
    ship(
        """
        import types
        m = types.ModuleType("made_here", "its doc")
        exec("K = 3\\ndef f(x):\\n    return x * K", m.__dict__)
        obj = m
        """,
        """
        assert type(obj).__name__ == "module" and obj.__name__ == "made_here" and obj.__doc__ == "its doc"
        assert obj.K == 3 and obj.f(2) == 6
        import sys
        assert "made_here" not in sys.modules
        """,
    )


def test_the_functions_of_a_module_made_at_run_time_write_to_the_loaded_module():
    ship(
        """
        import types
        m = types.ModuleType("made_here")
        exec("N = 1\\ndef bump():\\n    global N\\n    N += 1\\n    return N", m.__dict__)
        obj = (m, m.bump)
        """,
        "m, bump = obj\nassert m.bump is bump and bump() == 2 and m.N == 2\nm.N = 10\nassert bump() == 11",
    )


def test_a_module_made_at_run_time_that_holds_itself_arrives():
    ship(
        "import types\nm = types.ModuleType('made_here')\nm.me = m\nm.pair = [m]\nobj = m",
        "assert obj.me is obj and obj.pair[0] is obj",
    )


def test_a_module_made_at_run_time_in_two_places_stays_one_module():
    ship(
        "import types\nm = types.ModuleType('made_here')\ndef f(): return m\nobj = [m, f]",
        "m, f = obj\nassert f() is m",
    )


def test_a_module_in_sys_modules_that_cannot_be_found_travels_by_value():
    ship(
        """
        import sys, types
        m = types.ModuleType("nowhere_to_be_found")
        sys.modules["nowhere_to_be_found"] = m
        exec("K = 3\\ndef helper(x):\\n    return x * K\\ndef f(x):\\n    return helper(x) + 1", m.__dict__)
        obj = m.f
        """,
        "assert obj(2) == 7 and obj.__module__ == 'nowhere_to_be_found'",
    )


def test_the_environment_is_the_receivers_own():
    ship(
        """
        import os
        os.environ["CAPERS_SENDER_SECRET"] = "do not tell"
        from os import environ
        def f(): return environ
        obj = f
        """,
        "import os\nassert obj() is os.environ and 'CAPERS_SENDER_SECRET' not in obj()",
        in_place=False,
    )


def test_no_byte_of_the_environment_is_in_the_payload():
    script = """
        import os
        os.environ["CAPERS_SENDER_SECRET"] = "do not tell"
        from os import environ
        def f(): return environ["CAPERS_SENDER_SECRET"]
        obj = [f, environ, os.environ]
        """
    data = payload(script)
    assert b"do not tell" not in data and b"PATH" not in data


def test_the_environment_as_data_is_the_receivers_own():
    ship(
        "import os\nobj = {'env': os.environ, 'bytes': os.environb}",
        "import os\nassert obj['env'] is os.environ and obj['bytes'] is os.environb",
    )


def test_a_function_of_the_random_module_is_the_receivers_own():
    ship(
        """
        from random import random, randint
        def f(): return random
        obj = (f, randint)
        """,
        """
        import random
        f, randint = obj
        assert f().__self__ is random._inst if hasattr(f(), "__self__") else f() is random.random
        assert randint.__self__ is random._inst
        random.seed(1); a = f()(); random.seed(1)
        assert a == random.random()
        """,
    )


def test_a_random_generator_of_the_senders_own_travels_with_its_state():
    ship(
        "import random\nr = random.Random(7)\nr.random()\nobj = (r, r.randint)",
        """
        import random
        r, randint = obj
        w = random.Random(7)
        w.random()
        assert randint.__self__ is r and randint(0, 10**9) == w.randint(0, 10**9) and r.random() == w.random()
        """,
    )


def test_the_flags_of_the_interpreter_are_the_receivers_own():
    ship(
        "from sys import flags, version_info\ndef f(): return flags, version_info\nobj = f",
        "import sys\nassert obj()[0] is sys.flags and obj()[1] is sys.version_info",
    )


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_a_standard_stream_is_the_receivers_own(name):
    ship(
        f"from sys import {name} as stream\ndef f(): return stream\nobj = [f, stream]",
        f"import sys\nf, stream = obj\nassert f() is stream is sys.{name}",
    )


def test_a_logger_is_the_receivers_own():
    ship(
        """
        import logging
        log = logging.getLogger("a.b")
        def f(): return log
        obj = [f, logging.getLogger()]
        """,
        "import logging\nf, root = obj\nassert f() is logging.getLogger('a.b') and root is logging.getLogger()",
    )


def test_the_instance_that_a_library_module_holds_is_the_librarys_own():
    ship(
        "from importable import INSTANCE\ndef f(): return INSTANCE\nobj = f",
        "import importable\nassert obj() is importable.INSTANCE",
    )


def test_the_sentinel_that_a_library_module_holds_is_the_librarys_own():
    ship(
        "from importable import SENTINEL\ndef f(): return SENTINEL\nobj = f",
        "import importable\nassert obj() is importable.SENTINEL",
    )


def test_a_function_that_uses_numpy_arrives():
    pytest.importorskip("numpy")
    ship(
        """
        import numpy as np
        K = np.arange(3.0)
        def f(x): return np.linalg.norm(K * x)
        obj = f
        """,
        "assert obj(2) == 20 ** 0.5",
    )


def test_an_array_of_a_derived_class_keeps_its_attributes():
    pytest.importorskip("numpy")
    ship(
        """
        import numpy as np
        class Image(np.ndarray):
            pass
        image = np.arange(6).reshape(2, 3).view(Image)
        image.colour, image.whole = "green", image
        obj = [image, image[:1]]
        obj[1].colour = "blue"
        """,
        """
        image, part = obj
        assert type(image) is type(part) and image.tolist() == [[0, 1, 2], [3, 4, 5]] and part.tolist() == [[0, 1, 2]]
        assert (image.colour, part.colour) == ("green", "blue") and image.whole is image
        """,
    )


def test_a_numpy_function_is_the_receivers_own():
    pytest.importorskip("numpy")
    ship(
        "import numpy\nobj = [numpy.sin, numpy.linalg.norm, numpy.float64]",
        "import numpy\nassert obj == [numpy.sin, numpy.linalg.norm, numpy.float64]",
    )


def test_loading_a_function_does_not_run_the_senders_script():
    ship(
        "import sys\nsys.senders_mark = 1\ndef f(): return 1\nobj = f",
        "import sys\nassert not hasattr(sys, 'senders_mark') and obj() == 1",
        in_place=False,
    )
