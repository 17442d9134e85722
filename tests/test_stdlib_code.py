"""Code objects of the standard library come back deep-equal, and the same bytes come out of what came back."""

import importlib.util
import marshal
import os
import pickle
import sysconfig
import types
from pathlib import Path

import capers
import pytest
from likeness import difference

SAMPLE = ["argparse", "ast", "asyncio/tasks", "collections/__init__", "contextlib", "dataclasses", "datetime", "_pydecimal",
          "dis", "enum", "functools", "heapq", "inspect", "json/decoder", "pickle", "shlex", "tarfile", "typing", "xml/dom/minidom"]  # fmt: skip
LIBRARY = Path(sysconfig.get_path("stdlib"))
LEFT_OUT = {"site-packages", "test", "tests", "idlelib", "turtledemo", "lib2to3", "__pycache__", "ensurepip"}


def code_of(file):
    """Return the code of the module in *file*, from its .pyc where there is a fresh one, else compiled."""
    cached = Path(importlib.util.cache_from_source(str(file)))
    if cached.exists() and cached.stat().st_mtime >= file.stat().st_mtime:
        data = cached.read_bytes()
        if data[:4] == importlib.util.MAGIC_NUMBER:
            return marshal.loads(data[16:])
    return compile(file.read_bytes(), str(file), "exec", dont_inherit=True)


def nested(code):
    """Yield *code* and every code object among its constants, all the way down."""
    yield code
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from nested(each)


def check(code):
    """Ship *code* as a whole, and each of its parts on its own."""
    native = capers.loads(capers.dumps(code))
    assert difference(code, native) is None
    for each, again in zip(nested(code), nested(native), strict=True):
        data = capers.dumps(each)
        assert capers.dumps(again) == data, each
        assert capers.dumps(pickle.loads(data)) == data, each


@pytest.mark.parametrize("module", SAMPLE)
def test_every_code_object_comes_back_from(module):
    check(code_of(LIBRARY / (module + ".py")))


def modules():
    """Yield the files of the library, by the first letter of their top-level name."""
    for folder, folders, files in os.walk(LIBRARY):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for name in sorted(files):
            if name.endswith(".py"):
                yield Path(folder, name)


@pytest.mark.slow
@pytest.mark.parametrize("letters", ["_a", "bcd", "efgh", "ijklm", "nopq", "rst", "uvwxyz"])
def test_every_code_object_of_the_library_comes_back_from_modules_that_begin_with(letters):
    count = 0
    for file in modules():
        if file.relative_to(LIBRARY).parts[0][0].lower() in letters:
            check(code_of(file))
            count += 1
    assert count > 5
