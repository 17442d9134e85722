"""One journey: an entry, a tool, a sending process and a receiving process."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .entry import Entry

HERE = Path(__file__).resolve().parent
SECONDS = 60  # after which a process counts as hanging
LAST = "\n__import__('ends').send(obj)\n"


@dataclass(frozen=True)
class Outcome:
    """How a journey ended.

    *word* is "right", "wrong" (what arrived fails the check), "not loaded", "refused", "hangs" or "crashes"; *detail* is the
    error, or where it hung or crashed.
    """

    word: str
    detail: str = ""


def possible(entry: Entry) -> bool:
    """Whether this interpreter can run the script of *entry*: its version and packages are there."""
    here = sys.version_info[:2]
    return entry.since <= here <= entry.until and all(importlib.util.find_spec(each) for each in entry.needs)


def travel(entry: Entry, tool: str, loaders: tuple[str, ...]) -> dict[str, Outcome]:
    """Dump the object of *entry* with *tool* and load it with each of *loaders*; return the outcome for each."""
    with tempfile.TemporaryDirectory(prefix="gallery") as folder:
        Path(folder, "script.py").write_text(entry.script + LAST, encoding="utf-8")
        Path(folder, "check.py").write_text(entry.check, encoding="utf-8")
        sent = _process(["script.py"], folder, tool, tool, "TOOL" in entry.script)
        if sent.word != "sent":
            return dict.fromkeys(loaders, sent)
        return {each: _process(["-c", "import ends; ends.receive()"], folder, tool, each) for each in loaders}


def _process(arguments: list[str], folder: str, tool: str, loader: str, uses_tool: bool = False) -> Outcome:
    """Run one end in *folder*; a script that fails by itself, without any tool in use, is a mistake of the gallery."""
    report = Path(folder, "report")
    report.unlink(missing_ok=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    # The payload of a script may lead to nothing of the gallery, so its folder comes last, and holds no name of theirs.
    environment |= {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(HERE),
        "TOOL": tool,
        "LOADER": loader,
        "FOLDER": folder,
    }
    side = "the dump" if arguments == ["script.py"] else "the load or the check"
    try:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return Outcome("hangs", f"{side} did not end within {SECONDS} s")
    if report.exists():
        told = json.loads(report.read_text(encoding="utf-8"))
        return Outcome(told["word"], told["error"])
    if done.returncode < 0:
        return Outcome("crashes", f"{side} died of signal {-done.returncode}")
    if uses_tool:
        return Outcome("refused", done.stderr.strip().splitlines()[-1])
    raise RuntimeError(f"{side} of a gallery entry failed by itself:\n{done.stderr}")
