"""Workers of the suites: processes of their own that measure one case and answer in a line of JSON."""

import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def asked(command, question=None, **options):
    """Run *command* with *question* on its standard input; return its answer, and None or what went wrong."""
    given = None if question is None else json.dumps(question)
    done = subprocess.run(command, input=given, capture_output=True, text=True, **options)
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return json.loads(done.stdout.splitlines()[-1]), None


@contextmanager
def script(source, send, worker, role):
    """Write the script *source*, which makes *send* and then runs *worker* as *role*; give its path."""
    start = f"__import__('runpy').run_path({str(worker)!r}, {{'make': lambda: {send}}}, {role!r})"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder, "script.py")
        path.write_text(f"{source}\n{start}\n")
        yield path


def figures_of(worker, source, send, question):
    """Return the figures of a case whose object is made by a script run as ``__main__``."""
    with script(source, send, worker, "measurer") as path:
        figures, trouble = asked([sys.executable, path], question)
    return figures if trouble is None else {"failed": {question["tool"]: trouble}, "bytes": {}}
