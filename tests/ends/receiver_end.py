"""The receiving side of a journey: load every payload in a process of its own and run the check on the object.

The processes are forks of one fresh interpreter that has imported nothing of capers, so that what one payload leaves
behind (classes, modules, caches) is never seen by the next.  Where there is no ``fork``, each is a new interpreter.
Equal failures are reported once, with the list of loaders and protocols that share them.
"""

import importlib
import os
import sys


def check(namespace):
    """Run the check text in *namespace*, which alone holds the object as ``obj``, as a script that is not ``__main__``."""
    path = os.environ["SHIP_CHECK"]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    namespace["__name__"] = "__check__"
    try:
        exec(compile(text, path, "exec"), namespace)
    except AssertionError as error:
        for line in operands(error, path, text):
            print("   ", line, file=sys.stderr)
        raise


def operands(error, path, text):
    """Yield what the two sides of the failed comparison are, as far as they can be evaluated once more."""
    import ast
    import traceback

    frames = [
        (frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == path
    ]
    if not frames:
        return
    frame, line = frames[-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assert) and node.lineno <= line <= node.end_lineno:
            for each in ast.walk(node.test):
                if isinstance(each, ast.Compare):
                    for side in (each.left, *each.comparators):
                        if isinstance(side, ast.Constant):
                            continue
                        source = ast.unparse(side)
                        try:
                            value = repr(eval(source, frame.f_globals, frame.f_locals))
                        except Exception as reason:
                            value = "<%s>" % type(reason).__name__
                        yield "%s = %s" % (source[:80], value[:400])


def one(loader, protocol):
    """Load the payload written at *protocol* with *loader* and check the object."""
    module = importlib.import_module(loader)
    with open(os.path.join(os.environ["SHIP_TO"], protocol + ".pickle"), "rb") as file:
        data = file.read()
    namespace = {"obj": module.loads(data)}
    if loader == "pickle" and "capers._core" in sys.modules:
        raise AssertionError("stock pickle had to load the native module of capers")
    check(namespace)
    if "SHIP_NO_TEARDOWN" in os.environ:
        os._exit(0)


def attempt(loader, protocol):
    """Run ``one`` in a process of its own; return '' or the text of its failure."""
    with open(os.path.join(os.environ["SHIP_TO"], "report.%s.%s" % (loader, protocol)), "w+b") as report:
        if not hasattr(os, "fork"):
            import subprocess

            line = "import receiver_end; receiver_end.one(%r, %r)" % (loader, protocol)
            status = subprocess.run([sys.executable, "-c", line], stderr=report).returncode
        else:
            child = os.fork()
            if not child:
                os.dup2(report.fileno(), 2)
                one(loader, protocol)
                sys.exit()
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        report.seek(0)
        text = report.read().decode("utf-8", "replace")
    if status < 0:
        text += "the process died of signal %d" % -status
    elif status:
        text = text or "the process ended with exit code %d" % status
    return text if status else ""


def without_addresses(text):
    """Return *text* with every address written as 0x..., so that equal failures are equal."""
    import re

    return re.sub("0x[0-9a-f]{6,}", "0x...", text)


def main():
    """Try every loader at every protocol; exit with 1 and a report if one failed."""
    failures = {}
    for loader in os.environ["SHIP_LOADERS"].split():
        for protocol in os.environ["SHIP_PROTOCOLS"].split():
            text = without_addresses(attempt(loader, protocol))
            if text:
                failures.setdefault(text, {}).setdefault(loader, []).append(protocol)
    for text, which in failures.items():
        loaders = ["%s at protocol %s" % (loader, " ".join(protocols)) for loader, protocols in which.items()]
        print("loaded by " + " and ".join(loaders) + ":\n" + text, file=sys.stderr)
    sys.exit(1 if failures else 0)
