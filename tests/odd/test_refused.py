"""What belongs to the running process is refused in one sentence that says what it is, why, and where."""

import pytest
from shipping import run

REFUSED = {
    "generator": ("begun(x for x in [1, 2])", "frame"),
    "coroutine": ("begun(co())", "frame"),
    "async_generator": ("begun(ag())", "frame"),
    "frame": ("sys._getframe()", "running"),
    "traceback": ("tb()", "frames"),
    "Token": ("contextvars.ContextVar('v').set(1)", "context"),
    "_MainThread": ("threading.current_thread()", "process"),
    "PyCapsule": ("datetime.datetime_CAPI", "address"),
    "TextIOWrapper": ("open(os.pipe()[0])", "descriptor"),
    "Popen": ("subprocess.Popen([sys.executable, '-c', ''])", "child"),
    "_TemporaryFileCloser": ("tempfile.NamedTemporaryFile()", "goes"),
    "Task": ("task()", "event loop"),
}
SETUP = """
import asyncio, capers, contextvars, datetime, os, pickle, subprocess, sys, tempfile, threading, warnings
warnings.simplefilter("ignore")
class Pause:
    def __await__(self): yield
async def co(): await Pause()
async def ag():
    await Pause()
    yield
def begun(made):
    (made.asend(None) if hasattr(made, "asend") else made).send(None)
    return made
def tb():
    try: 1 / 0
    except ZeroDivisionError as error: return error.__traceback__
def task():
    async def main(): return asyncio.current_task()
    return asyncio.run(main())
"""


@pytest.mark.parametrize("kind", REFUSED)
def test_it_is_refused_with_its_reason_and_its_place(kind):
    expression, reason = REFUSED[kind]
    run(
        SETUP
        + f"""
held = {expression}
try:
    capers.dumps({{"k": [held]}})
except pickle.PicklingError as error:
    said = str(error)
    assert isinstance(error, TypeError) and said.startswith("cannot pickle '") and {kind!r} in said, said
    assert {reason!r} in said and "['k'][0]" in said, said
else:
    raise AssertionError("it was written")
try:
    capers.dumps(held)
except pickle.PicklingError as error:
    assert isinstance(error, TypeError) and {reason!r} in str(error)
"""
    )


def test_a_running_thread_is_refused():
    run(
        SETUP
        + """
go = threading.Event()
t = threading.Thread(target=go.wait)
t.start()
try:
    capers.dumps(t)
except TypeError as error:
    assert "Thread" in str(error) and "started" in str(error)
else:
    raise AssertionError("it was written")
finally:
    go.set()
t.join()
assert not capers.loads(capers.dumps(t)).is_alive()
"""
    )
