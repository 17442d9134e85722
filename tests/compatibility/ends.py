"""The two ends of a journey of the gallery, each in a process of its own; what became of it is written into a file.

The tool is named by the variable ``TOOL``, the loader by ``LOADER``; ``FOLDER`` is where the payload and the report lie,
and where a script may leave files for its check.
"""

import importlib
import json
import os
import sys
import warnings


def report(word, error=None):
    """Write how it ended: a word, and the error's type and text."""
    told = "" if error is None else "%s: %s" % (type(error).__name__, error)
    with open(os.path.join(os.environ["FOLDER"], "report"), "w", encoding="utf-8") as file:
        json.dump({"word": word, "error": told[:2000]}, file)
    sys.stdout.flush()
    # What an interpreter does on its way out is no part of the journey; some objects hold it up.
    os._exit(0)


def send(obj):
    """Dump *obj* into a file."""
    tool = importlib.import_module(os.environ["TOOL"])
    warnings.simplefilter("ignore")
    try:
        data = tool.dumps(obj)
    except BaseException as error:
        report("refused", error)
    with open(os.path.join(os.environ["FOLDER"], "payload"), "wb") as file:
        file.write(data)
    report("sent")


def receive():
    """Load the payload and run the check on what arrives."""
    warnings.simplefilter("ignore")
    loader = importlib.import_module(os.environ["LOADER"])
    with open(os.path.join(os.environ["FOLDER"], "payload"), "rb") as file:
        data = file.read()
    try:
        obj = loader.loads(data)
    except BaseException as error:
        report("not loaded", error)
    with open(os.path.join(os.environ["FOLDER"], "check.py"), encoding="utf-8") as file:
        text = file.read()
    space = {"__name__": "__check__", "obj": obj}
    del obj, data
    try:
        exec(compile(text, "check.py", "exec"), space)
    except BaseException as error:
        report("wrong", error)
    report("right")
