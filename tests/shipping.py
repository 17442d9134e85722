"""The harness: objects made in one process and checked in another.

A behaviour is two texts.  The *sender* is run as a script, so that its definitions live in ``__main__``, in a fresh
process, and binds ``obj``.  The *check* is run in other fresh processes, where nothing of the sender can be imported,
with ``obj`` bound to what arrived: once for each loader (``capers.loads`` and stock ``pickle.loads``) and protocol.

``SHIP_WITH`` in the environment names another module with ``dumps`` and ``loads`` to ship with; ``SHIP_WITH=identity``
hands the object to the check in the sender itself, which proves that a check asks nothing that the original does not do.
"""

import functools
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SHIP_WITH = os.environ.get("SHIP_WITH", "capers")
PROTOCOLS = (2, 3, 4, 5)
LOADERS = ("capers", "pickle")
TIMEOUT = 120  # seconds; a hang is a failure, and the slowest check takes a few seconds on a busy machine
SEND = "\n__import__('sender_end').send(obj)\n"


def ship(sender, check, *, protocols=PROTOCOLS, loaders=LOADERS, in_place=True, env=None, stack=None):
    """Send what *sender* binds to ``obj`` and run *check* on what arrives.

    *in_place* is False when the check holds only after a journey, not on the original.  *env* holds more variables for
    both sides, *stack* caps the C stack of all processes, in KiB.
    """
    __tracebackhide__ = True
    if SHIP_WITH == "identity" and not in_place:
        pytest.skip("holds only after a journey")
    loaders = LOADERS if SHIP_WITH == "identity" else [SHIP_WITH if each == "capers" else each for each in loaders]
    with tempfile.TemporaryDirectory(prefix="ship") as folder:
        text = Path(folder, "check.py")
        text.write_text(plain(check), encoding="utf-8")
        variables = {
            "SHIP_TO": folder,
            "SHIP_CHECK": str(text),
            "SHIP_WITH": SHIP_WITH,
            "SHIP_LOADERS": " ".join(loaders),
            "SHIP_PROTOCOLS": " ".join(map(str, protocols)),
            **(env or {}),
        }
        ended = start_script(sender, SEND, env=variables, stack=stack)
        if ended.returncode:
            fail("the sender", ended, sender, check)
        if SHIP_WITH == "identity":
            return
        ended = start(["-c", "import receiver_end; receiver_end.main()"], folder, env=variables, stack=stack)
        if ended.returncode:
            fail("the receiver", ended, sender, check)


def run(script, *, env=None, stack=None, python=sys.executable, options=(), data=None):
    """Run *script* as ``__main__`` in a fresh process; return what it printed, or fail with its traceback."""
    __tracebackhide__ = True
    ended = start_script(script, env=env, stack=stack, python=python, options=options, data=data)
    if ended.returncode:
        fail("the script", ended, script)
    return ended.stdout.decode("utf-8", "replace")


@functools.cache
def payload(sender, protocol=5):
    """Return the bytes that a fresh process makes of what *sender* binds to ``obj``."""
    __tracebackhide__ = True
    ended = start_script(sender, "\nimport sys, capers\nsys.stdout.buffer.write(capers.dumps(obj, %d))\n" % protocol)
    if ended.returncode:
        fail("the sender", ended, sender)
    return ended.stdout


def written(folder, script, **env):
    """Return the bytes of what *script* binds to ``obj``, run from the one file ``script.py`` in *folder*.

    ``payload`` runs every script in a folder of its own, and the name of its file is part of a function's code.
    """
    __tracebackhide__ = True
    file = Path(folder, "script.py")
    file.write_text(
        plain(script) + "\nimport sys, capers\nsys.stdout.buffer.write(capers.dumps(obj, 5))\n", encoding="utf-8"
    )
    ended = start([str(file)], str(folder), env=env)
    if ended.returncode:
        fail("the sender", ended, script)
    return ended.stdout


def plain(text):
    """Return *text* as a script: without the indentation and the empty line that it starts with in a test."""
    return textwrap.dedent(text).lstrip("\n")


def start_script(script, last="", **how):
    """Run *script*, followed by the lines *last*, from a file in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="sender") as folder:
        file = Path(folder, "script.py")
        file.write_text(plain(script) + last, encoding="utf-8")
        options = how.pop("options", ())
        return start([*options, str(file)], folder, **how)


def start(arguments, folder, *, env=None, stack=None, python=sys.executable, data=None):
    """Run a Python process in *folder* and return how it ended; its whole process group goes when it takes too long."""
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
    path = [str(HERE / "ends"), str(HERE / "library"), variables.get("PYTHONPATH", "")]
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    process = subprocess.Popen(
        [python, *arguments],
        cwd=folder,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=None if stack is None else lambda: small_stack(stack),
    )
    try:
        out, err = process.communicate(data, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        stop(process)
        out, err = process.communicate()
        err += b"\nno end after %d seconds" % TIMEOUT
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def stop(process):
    """End *process* and, where the system has process groups, all that it started."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def small_stack(kib):
    """Cap the C stack of this process and its children, as ``ulimit -s`` does."""
    import resource

    resource.setrlimit(resource.RLIMIT_STACK, (kib * 1024, resource.getrlimit(resource.RLIMIT_STACK)[1]))


def fail(who, ended, *texts):
    """Fail the test, showing the scripts with line numbers and what the other process said last."""
    __tracebackhide__ = True
    code = ended.returncode
    how = "died of signal %d" % -code if code < 0 else "ended with exit code %d" % code
    parts = ["%s %s" % (who, how)]
    for text in texts:
        lines = plain(text).splitlines()[:80]
        parts.append("\n".join("%4d  %s" % line for line in enumerate(lines, 1)))
    for stream in (ended.stdout, ended.stderr):
        if stream:
            parts.append(stream.decode("utf-8", "replace")[-6000:].rstrip())
    pytest.fail("\n\n".join(parts), pytrace=False)
