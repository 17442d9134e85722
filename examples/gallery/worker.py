"""The two ends of one shipment; each runs in a process of its own.

The sender is the entry's script with one line added, which runs this file with ``make`` defined; so the script is
``__main__`` and holds nothing of ours.  The receiver runs this file from ``python -I -c``, in another folder, after the
script is gone.  The last line that either prints is one JSON object saying how far it came.
"""

import asyncio
import importlib
import json
import pickle
import sys

# How a tool is called: the module, and what its dumps gets besides the object.
TOOLS = {"dill-recurse": ("dill", {"recurse": True})}


def tell(**what):
    """Print the outcome as the last line."""
    print("\n" + json.dumps(what), flush=True)


def short(error):
    """Return *error* in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def error(function, *arguments):
    """Call *function* and return the name of the exception it raises."""
    try:
        function(*arguments)
    except Exception as error:
        return type(error).__name__
    return "nothing raised"


def send(make, tool, path):
    """Dump what *make* returns to the file *path*."""
    name, options = TOOLS.get(tool, (tool, {}))
    module = importlib.import_module(name)
    thing = make()
    try:
        payload = module.dumps(thing, **options)
    except Exception as error:
        tell(stage="dump", error=short(error))
        return
    with open(path, "wb") as file:
        file.write(payload)
    tell(stage="sent", bytes=len(payload))


def receive(tool, path, call, gives):
    """Load the file *path*, evaluate *call* with it and compare with what *gives* gives."""
    with open(path, "rb") as file:
        payload = file.read()
    stage = "load"
    try:
        thing = importlib.import_module(TOOLS.get(tool, (tool,))[0]).loads(payload)
        stage = "call"
        answer = repr(eval(call, {"f": thing, "run": asyncio.run, "error": error}))
    except Exception as error_:
        tell(stage=stage, error=short(error_))
        return
    tell(stage="done", answer=answer, right=answer == repr(eval(gives)))


if __name__ == "sender":
    send(globals()["make"], *sys.argv[1:])
elif __name__ == "receiver":
    assert pickle.__name__ == "pickle"
    receive(*sys.argv[2:])
