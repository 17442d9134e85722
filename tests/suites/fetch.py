"""Fetches source distributions that hold the tests of others: ``python fetch.py FOLDER PEER ...``; wheels leave them out.

Each is unpacked into ``FOLDER/PEER``; what is there already is not fetched again.
"""

import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = {"cloudpickle": "cloudpickle==2.2.1"}


def fetch(folder, peer, requirement):
    """Download and unpack one source distribution."""
    to = folder / peer
    stamp = folder / f"{peer}.stamp"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == requirement:
        return
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps")
    subprocess.run([*pip, "--no-binary", peer, "--dest", to, requirement], check=True)
    for archive in to.glob("*.tar.gz"):
        shutil.unpack_archive(archive, to, filter="data")
    stamp.write_text(requirement, encoding="utf-8")


def main(folder, *peers):
    """Fetch what *peers* need, ``all`` of them if that is asked for."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for peer, requirement in SOURCES.items():
        if peer in peers or "all" in peers:
            fetch(folder, peer, requirement)


if __name__ == "__main__":
    main(*sys.argv[1:])
