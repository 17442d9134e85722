"""One shipment: an entry, a tool, a sending process and a receiving process."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")
SECONDS = 30  # after which a process counts as hanging


@dataclass(frozen=True)
class Outcome:
    """How a shipment ended.

    *word* is "ok", "wrong" for a wrong answer, "hangs", "crash", or the step that raised an error: "script" (before
    anything was shipped), "dump", "load" or "call".
    """

    word: str
    size: int | None = None
    answer: str = ""
    detail: str = ""

    @property
    def ok(self):
        """Whether the object arrived and gave the right answer."""
        return self.word == "ok"


def _process(side, arguments, folder):
    """Run one end and return what it told, or an Outcome where it could not tell anything."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment |= {"GALLERY_SIDE": side, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return Outcome("hangs", detail=f"the {side} did not end within {SECONDS} s")
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines and lines[-1].startswith("{"):
        told = json.loads(lines[-1])
        if "error" in told:
            return Outcome(told["stage"], detail=f"{told['stage']}: {told['error']}")
        return told
    if done.returncode < 0:
        return Outcome("crash", detail=f"the {side} was ended by signal {-done.returncode}")
    trouble = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return Outcome("script", detail=f"{side}: {trouble}")


def ship(entry, tool, loaders=None):
    """Ship *entry* with *tool* and return the Outcome; *loaders* are the tools to load with, else the same one.

    With several loaders, each in a process of its own, the first failure is the outcome.
    """
    with tempfile.TemporaryDirectory(prefix="gallery-") as temporary:
        here, there = Path(temporary, "here"), Path(temporary, "there")
        here.mkdir()
        there.mkdir()
        script, payload = here / "script.py", there / "payload"
        script.write_text(
            f"{entry.script}\n__import__('runpy').run_path({str(WORKER)!r}, {{'make': lambda: {entry.send}}}, 'sender')\n"
        )
        sent = _process("sender", [script, tool, payload], here)
        if isinstance(sent, Outcome):
            return sent
        script.unlink()
        for loader in loaders or [tool]:
            start = "__import__('runpy').run_path(__import__('sys').argv[1], run_name='receiver')"
            got = _process("receiver", ["-I", "-c", start, WORKER, loader, payload, entry.call, entry.gives], there)
            if isinstance(got, Outcome):
                detail = got.detail + (f" (loaded by {loader})" if loader != tool else "")
                return Outcome(got.word, sent["bytes"], detail=detail)
            if not got["right"]:
                detail = f"{got['answer']} instead of {entry.gives}"
                return Outcome("wrong", sent["bytes"], got["answer"], detail)
        return Outcome("ok", sent["bytes"], got["answer"])
