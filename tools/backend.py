"""The build backend: maturin, after the command has been built and laid where maturin takes scripts from.

A wheel holds the extension and, beside it, the `capers` command, a program of its own that links no Python; installing the
wheel puts it on the PATH.  maturin builds one of the two, so cargo builds the other first.
"""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from maturin import *
from maturin import build_editable as _build_editable
from maturin import build_sdist as _build_sdist
from maturin import build_wheel as _build_wheel

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "build" / "wheel" / "scripts"  # `data` in pyproject.toml names the folder around it
SCRIPTS.mkdir(parents=True, exist_ok=True)  # maturin wants it to be there, whatever it is asked for


def lay_command():
    """Build the command in release mode and lay it where maturin takes scripts from."""
    name = "capers.exe" if os.name == "nt" else "capers"
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    command = ["cargo", "build", "--release", "--quiet", "--package", "capers-cli", "--target-dir", str(target)]
    subprocess.run(command, cwd=ROOT, check=True)
    shutil.copy2(target / "release" / name, SCRIPTS / name)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Build a wheel; see PEP 517."""
    lay_command()
    return _build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """Build a wheel for an editable installation; see PEP 660."""
    lay_command()
    return _build_editable(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory, config_settings=None):
    """Build a source distribution; see PEP 517.  maturin leaves out what the extension does not depend on: the command."""
    name = _build_sdist(sdist_directory, config_settings)
    made = Path(sdist_directory, name)
    folder = name.removesuffix(".tar.gz")
    added = [ROOT / "Cargo.toml", ROOT / "Cargo.lock", Path(__file__)]
    added += sorted(path for path in (ROOT / "crates" / "capers-cli").rglob("*") if path.is_file())
    inside = {f"{folder}/{path.resolve().relative_to(ROOT).as_posix()}": path for path in added}
    whole = made.with_suffix(".new")
    with tarfile.open(made) as old, tarfile.open(whole, "w:gz") as new:
        for member in old:
            if member.name not in inside:
                new.addfile(member, old.extractfile(member))
        for path, source in inside.items():
            new.add(source, path)
    whole.replace(made)
    return name


if __name__ == "__main__":
    lay_command()
