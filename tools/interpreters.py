"""Interpreters and their virtual environments, and how the tasks of ``dev.py`` run programs.

Standard library only, as ``dev.py`` itself.
"""

import contextlib
import functools
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from . import OLDEST

NEXT = ((3, 14), (3, 15))  # may live in a folder of their own, see NextPython
ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
SHARED = ROOT.parent / "shared"
OPTIONAL = ("numpy", "pandas", "attrs", "pydantic", "tqdm")  # left out where no wheel exists for an interpreter
PLATFORMS = ("manylinux_2_17", "manylinux2014", "manylinux_2_24", "manylinux_2_27", "manylinux_2_28", "manylinux_2_34")


class Failure(Exception):
    """Something to tell the developer in one sentence; no traceback is shown."""


# ------------------------------------------------------------------ talking and running


def say(text, style="1"):
    """Print one line of our own, set apart from what the tools print."""
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        text = f"\033[{style}m{text}\033[0m"
    print(text, flush=True)


def name_of(version):
    """Return ``(3, 12)`` as ``"3.12"``."""
    return "%d.%d" % version


def run(*command, env=None, cwd=ROOT, check=True, quiet=False):
    """Run *command* and return its exit code; show what it is, and fail on a non-zero code if *check*.

    A *quiet* command prints nothing unless it fails.
    """
    command = [str(part) for part in command]
    if not quiet:
        say("$ " + shlex.join(command).replace(str(ROOT) + os.sep, ""), "2")
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
        )
    except FileNotFoundError as error:
        raise Failure(f"cannot find {command[0]!r}") from error
    if done.returncode and quiet and check:
        sys.stdout.write(done.stdout.decode(errors="replace"))
    if done.returncode and check:
        raise Failure(f"{shlex.join(command[:4])} … ended with exit code {done.returncode}")
    return done.returncode


def output_of(*command):
    """Return what *command* prints, or None where it cannot run."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def cargo():
    """Return the path of cargo."""
    found = shutil.which("cargo")
    if found is None:
        raise Failure(
            "cannot find cargo: install Rust (the minimum version is rust-version in Cargo.toml) and put it on PATH"
        )
    return found


# ------------------------------------------------------------------ stamps: what is still fresh


def digest(*parts):
    """Return a hash of *parts*: texts, files, and folders with all that is in them."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            files = sorted(each for each in part.rglob("*") if each.is_file()) if part.is_dir() else [part]
            for file in files:
                if "__pycache__" not in file.parts and file.suffix not in (".so", ".pyd") and file.exists():
                    total.update(str(file).encode() + b"\0" + file.read_bytes() + b"\0")
        else:
            total.update(str(part).encode() + b"\0")
    return total.hexdigest()


@contextlib.contextmanager
def unless_fresh(stamp, want):
    """Yield True when the file *stamp* does not say *want*; write it when the body succeeds."""
    stale = not stamp.exists() or stamp.read_text() != want
    if stale:
        stamp.unlink(missing_ok=True)
    yield stale
    if stale:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(want)


@contextlib.contextmanager
def alone(name):
    """Hold the lock *name*, so that two runs of a task do not make the same thing at once."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / f"{name}.lock", "w") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        except ImportError:
            pass
        yield


def requirements(file, without=()):
    """Return the requirement lines of *file*, the files it includes among them."""
    lines = []
    for line in file.read_text().splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r "):
            lines += requirements(file.parent / line[3:].strip(), without)
        elif line and not line.startswith(tuple(without) or "#"):
            lines.append(line)
    return list(dict.fromkeys(lines))


def extension_sources():
    """Return everything the built extension depends on."""
    names = ("Cargo.toml", "Cargo.lock", "crates", "python", "pyproject.toml", "tools/backend.py")
    return tuple(ROOT / name for name in names)


def target_folder(version):
    """Return cargo's target folder: PyO3 is built once per Python version, so each but our own has its own folder."""
    base = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return base if version == sys.version_info[:2] else base / f"python-{name_of(version)}"


# ------------------------------------------------------------------ interpreters


class Python:
    """An interpreter of this machine with its virtual environment ``build/venv-X.Y``."""

    def __init__(self, version, executable):
        self.version = version
        self.executable = executable
        self.name = name_of(version)
        self.venv = BUILD / f"venv-{self.name}"
        self.missing = []

    def __str__(self):
        return f"Python {self.name} ({self.executable})"

    @property
    def python(self):
        """The environment's own interpreter."""
        return self.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def command(self, *arguments):
        """Return the command line that runs this environment's interpreter with *arguments*."""
        return [self.python, *arguments]

    def path(self, path):
        """Return *path* as this interpreter sees it."""
        return path

    def prepare(self):
        """Make the environment, with a recent pip: pip's bundled version can be too old for what follows."""
        with unless_fresh(self.venv / "made.stamp", digest(self.executable)) as stale:
            if stale:
                say(f"making {self.venv.relative_to(ROOT)}")
                shutil.rmtree(self.venv, ignore_errors=True)
                run(self.executable, "-m", "venv", self.venv, quiet=True)
                self.pip("install", "--upgrade", "pip")

    def pip(self, *arguments, check=True):
        """Run pip in the environment."""
        return run(self.python, "-m", "pip", "--disable-pip-version-check", *arguments, quiet=True, check=check)

    def install(self, file):
        """Install the requirements in *file*, those that have no wheel for this interpreter left out."""
        wanted = requirements(file)
        with alone(self.venv.name):
            self.prepare()
            stamp = self.venv / ("-".join(file.relative_to(ROOT).parts) + ".stamp")
            with unless_fresh(stamp, digest(*wanted)) as stale:
                if stale:
                    say(f"installing {file.relative_to(ROOT)} for Python {self.name}")
                    self.install_lines(wanted)

    def install_lines(self, wanted):
        """Install the requirement lines *wanted*."""
        optional = [line for line in wanted if line.startswith(OPTIONAL)]
        self.pip("install", *[line for line in wanted if line not in optional])
        for line in optional:
            if self.pip("install", "--only-binary", ":all:", line, check=False):
                say(f"Python {self.name}: no wheel for {line}; what needs it is skipped")

    def build(self):
        """Build capers in release mode and install it here, unless it is there already."""
        with alone(self.venv.name):
            self.prepare()
            with unless_fresh(self.venv / "capers.stamp", digest(self.executable, *extension_sources())) as stale:
                if stale:
                    cargo()
                    say(f"building capers for Python {self.name}")
                    self.build_now()

    def build_now(self):
        """Build one wheel for this interpreter and install it."""
        import tomllib

        needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
        self.pip("install", *needed)
        wheels = BUILD / "wheels" / self.name
        shutil.rmtree(wheels, ignore_errors=True)
        env = {"CARGO_TARGET_DIR": str(target_folder(self.version)), "PYO3_PYTHON": str(self.python)}
        self.run("tools/backend.py", env=env)
        build = self.command("-m", "maturin", "build", "--release", "--quiet")
        run(*build, "--interpreter", self.python, "--out", wheels, env=env)
        self.pip("install", "--force-reinstall", "--no-deps", *wheels.glob("*.whl"))

    def share(self, *_):
        """Make folders of the project visible to this interpreter; it sees them all."""

    def run(self, *arguments, env=None, check=True):
        """Run this environment's interpreter in the project's folder."""
        return run(*self.command(*arguments), env=env, check=check)


class SanitizedPython(Python):
    """An interpreter with an environment of its own, ``build/asan-X.Y``, for an extension built with AddressSanitizer."""

    # What cannot run so, and why.
    LEFT_OUT = {
        "tests/tidy": "reads sources; nothing of it runs in the extension",
        "tests/command": "runs a program of its own, which is not sanitized",
        "tests/test_leaks.py": "measures memory, most of which is the sanitizer's",
        "tests/test_stream_memory.py": "measures memory, most of which is the sanitizer's",
        "tests/test_hostile.py::test_bytes_that_are_no_payload_raise_what_stock_pickle_raises": (
            "limits the address space, of which the sanitizer takes terabytes"
        ),
        "tests/test_hostile.py::test_lengths_that_the_input_does_not_have_cost_no_memory": "measures memory",
        "tests/test_differential.py": "limits the address space of its workers",
        "tests/test_hostile_programs.py": "limits the address space",
        "tests/test_hostile_streams.py": "limits the address space of its feeders",
        "tests/regression/test_lengths_in_marshal.py": "limits the address space",
        "tests/regression/test_no_memory.py": "limits the address space",
        "tests/test_deep.py::test_a_reduction_without_end_is_stopped_or_runs_out_of_depth": "limits the address space",
    }

    def __init__(self, python):
        super().__init__(python.version, python.executable)
        self.venv = BUILD / f"asan-{self.name}"

    def build_now(self):
        told = (output_of("rustc", "-vV") or "").splitlines()
        host = dict(line.split(": ", 1) for line in told if ": " in line).get("host")
        if host is None:
            raise Failure("cannot ask rustc what it builds for")
        # With a target named, build scripts and macros are left as they are.
        command = (cargo(), "build", "--release", "--quiet", "--package", "capers-py", "--target", host)
        target = BUILD / "asan-target" / self.name
        run(
            *(*command, "--target-dir", target),
            env={
                "PYO3_PYTHON": str(self.python),
                "RUSTC_BOOTSTRAP": "1",  # a stable compiler has the sanitizer, but asks to be told that it may
                "RUSTFLAGS": "-Zsanitizer=address -Cdebuginfo=1",
                "CARGO_PROFILE_RELEASE_STRIP": "none",
                "CARGO_PROFILE_RELEASE_LTO": "off",
                "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
            },
        )
        told = "import sysconfig; print(sysconfig.get_path('platlib'), sysconfig.get_config_var('EXT_SUFFIX'))"
        site, suffix = (output_of(*self.command("-c", told)) or "").split()
        package = Path(site, "capers")
        shutil.rmtree(package, ignore_errors=True)
        shutil.copytree(ROOT / "python" / "capers", package, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        shutil.copy(target / host / "release" / "lib_core.so", package / f"_core{suffix}")

    @functools.cached_property
    def sanitized(self):
        """The environment variables of a sanitized process."""
        for compiler, library in (("gcc", "libasan.so"), ("clang", "libclang_rt.asan-x86_64.so")):
            found = Path(output_of(compiler, f"-print-file-name={library}") or "").resolve()
            if found.is_file():
                break
        else:
            raise Failure("cannot find AddressSanitizer's library: install gcc or clang with its sanitizers")
        return {
            "LD_PRELOAD": str(found),
            "PYTHONMALLOC": "malloc",  # CPython's own allocator hides the borders of objects
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:abort_on_error=1",
        }

    def check(self):
        """Fail unless the extension is sanitized and the sanitizer is watching."""
        use = "import capers; assert capers.loads(capers.dumps([1])) == [1]"
        if output_of(*self.command("-c", use)) is not None:
            raise Failure("the extension runs without AddressSanitizer's library: it was not built with it")
        self.run("-c", use, env=self.sanitized)
        overflow = (
            "import ctypes; libc = ctypes.CDLL(None); libc.malloc.restype = ctypes.c_void_p; "
            "ctypes.memmove(libc.malloc(8), b'x' * 64, 64)"
        )
        command = [str(part) for part in self.command("-c", overflow)]
        ended = subprocess.run(command, env={**os.environ, **self.sanitized}, capture_output=True)
        if b"heap-buffer-overflow" not in ended.stderr:
            raise Failure("AddressSanitizer did not notice a write past the end of an allocation")


class NextPython(Python):
    """An interpreter in a Debian folder of its own: it needs a newer C library, so it runs by ``chroot``.

    The extension is built outside with a PyO3 configuration file and copied in, with the tests.  Packages are
    downloaded outside, by a pip that is told the target's version, and installed from a folder inside.
    """

    def __init__(self, version, folder):
        super().__init__(version, f"chroot {folder} python{name_of(version)}")
        self.folder = folder
        self.home = f"/opt/capers-{digest(str(ROOT))[:8]}-{self.name}"
        self.venv = folder / self.home[1:] / "venv"
        self.project = f"{self.home}/project"

    @property
    def python(self):
        return f"{self.home}/venv/bin/python"

    def command(self, *arguments):
        return ["chroot", self.folder, "env", "-C", self.project, self.python, *arguments]

    def path(self, path):
        return f"{self.home}/{Path(path).name}"

    def outside(self, path):
        """Return the inside path *path* as seen from outside."""
        return self.folder / str(path).lstrip("/")

    def prepare(self):
        with unless_fresh(self.venv / "made.stamp", digest(self.executable)) as stale:
            if stale:
                say(f"making the environment of Python {self.name} in {self.folder}")
                shutil.rmtree(self.venv, ignore_errors=True)
                self.outside(self.project).mkdir(parents=True, exist_ok=True)
                run("chroot", self.folder, f"python{self.name}", "-m", "venv", f"{self.home}/venv", quiet=True)

    def install_lines(self, wanted):
        helper = current_python()
        helper.prepare()
        store = self.outside(f"{self.home}/wheels")
        shutil.rmtree(store, ignore_errors=True)
        tag = self.name.replace(".", "")
        machine = os.uname().machine
        target = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", self.name]
        target += [word for abi in (f"cp{tag}", "abi3", "none") for word in ("--abi", abi)]
        target += [word for platform in PLATFORMS for word in ("--platform", f"{platform}_{machine}")]
        optional = [line for line in wanted if line.startswith(OPTIONAL)]
        helper.pip("download", "--dest", store, *target, *[line for line in wanted if line not in optional])
        for line in optional:
            if helper.pip("download", "--dest", store, *target, line, check=False):
                say(f"Python {self.name}: no wheel for {line}; what needs it is skipped")
                wanted = [each for each in wanted if each != line]
        self.pip("install", "--no-index", "--find-links", f"{self.home}/wheels", *wanted)

    def pip(self, *arguments, check=True):
        return run(*self.command("-m", "pip", "--disable-pip-version-check", *arguments), quiet=True, check=check)

    def build_now(self):
        settings = BUILD / f"pyo3-{self.name}.txt"
        settings.write_text(
            f"implementation=CPython\nversion={self.name}\nshared=true\nabi3=false\npointer_width=64\nbuild_flags=\n"
            "suppress_build_script_link_lines=true\n"
        )
        target = target_folder(self.version)
        run(
            *(cargo(), "build", "--release", "--quiet", "--target-dir", target),
            *("--package", "capers-py", "--package", "capers-cli"),
            env={"PYO3_CONFIG_FILE": str(settings)},
        )
        package = self.outside(f"{self.home}/venv/lib/python{self.name}/site-packages/capers")
        shutil.rmtree(package, ignore_errors=True)
        shutil.copytree(ROOT / "python" / "capers", package, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        suffix = output_of(*self.command("-c", "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))"))
        shutil.copy(target / "release" / "lib_core.so", package / f"_core{suffix}")
        shutil.copy(target / "release" / "capers", self.outside(f"{self.home}/venv/bin/capers"))

    def share(self, *folders):
        inside = self.outside(self.project)
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, inside / name)
        for folder in folders:
            to = self.outside(self.path(folder)) if SHARED in folder.parents else inside / folder.relative_to(ROOT)
            shutil.rmtree(to, ignore_errors=True)
            shutil.copytree(folder, to, ignore=shutil.ignore_patterns("__pycache__"))


def version_of(executable):
    """Return the version of the CPython *executable*, or None where it does not run or is something else."""
    told = output_of(executable, "-c", "import sys; print(sys.implementation.name, *sys.version_info[:2])")
    name, _, numbers = (told or "").partition(" ")
    return tuple(map(int, numbers.split())) if name == "cpython" else None


@functools.cache
def current_python():
    """Return the interpreter that runs the task, or the one its virtual environment was made from."""
    return Python(sys.version_info[:2], Path(getattr(sys, "_base_executable", sys.executable)))


@functools.cache
def local_pythons():
    """Return every usable interpreter of this machine by version: the running one, those on PATH, pyenv's."""
    found = {current_python().version: current_python()}
    candidates = [shutil.which(f"python3.{minor}") for minor in range(OLDEST[1], 30)]
    root = os.environ.get("PYENV_ROOT") or output_of("pyenv", "root")
    if root:
        candidates += sorted(Path(root, "versions").glob("3.*/bin/python"), reverse=True)
    for candidate in filter(None, candidates):
        version = version_of(candidate)
        if version and version >= OLDEST and version not in found:
            found[version] = Python(version, candidate)
    return found


def next_folder():
    """Return the folder that 3.14 and 3.15 live in and whether they can be used, making it where it is absent.

    ``CAPERS_NEXT_PYTHONS`` names another folder than ``build/next-pythons``.
    """
    chosen = os.environ.get("CAPERS_NEXT_PYTHONS")
    folder = Path(chosen) if chosen else BUILD / "next-pythons"
    script = SHARED / "next-pythons.sh"
    if not (folder / "usr/bin/python3.15").exists() and not script.exists():
        return None, f"there is neither {folder} nor {script}"
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None, "they run by chroot, which only root can do"
    with alone("next-pythons"):
        if not (folder / "usr/bin/python3.15").exists():
            say(f"making {folder}: this takes a minute or two")
            run("bash", script, folder, quiet=True)
    return folder, None


def all_pythons():
    """Return every interpreter present, oldest first."""
    found = dict(local_pythons())
    absent = [version for version in NEXT if version not in found]
    if absent:
        folder, reason = next_folder()
        for version in absent:
            if folder:
                found[version] = NextPython(version, folder)
            else:
                say(f"Python {name_of(version)} is left out: {reason}")
    return [found[version] for version in sorted(found)]


def choose(wanted):
    """Return the interpreter that ``--python`` names: a version, the path of an executable, or None for this one."""
    if wanted is None:
        return current_python()
    if os.sep in wanted:
        version = version_of(wanted)
        if version is None or version < OLDEST:
            raise Failure(f"{wanted} is not a CPython {name_of(OLDEST)} or newer")
        return Python(version, Path(wanted).absolute())
    try:
        version = tuple(int(part) for part in wanted.split(".")[:2])
        assert len(version) == 2
    except (ValueError, AssertionError):
        raise Failure(f"--python takes a version such as 3.12 or a path, not {wanted!r}") from None
    if version < OLDEST:
        raise Failure(f"capers needs Python {name_of(OLDEST)} or newer, not {wanted}")
    found = local_pythons()
    if version in found:
        return found[version]
    if version in NEXT:
        folder, reason = next_folder()
        if folder:
            return NextPython(version, folder)
        raise Failure(f"cannot find Python {wanted}: {reason}")
    raise Failure(f"cannot find Python {wanted}; present: {', '.join(name_of(each) for each in sorted(found))}")
