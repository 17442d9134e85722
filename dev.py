#!/usr/bin/env python3
"""Developer tasks for capers: ``python3 dev.py`` lists them.

Needs Python 3.11 or newer and cargo; everything else is installed into virtual environments of its own below
``build/``, one per interpreter.  What is already there and still fresh is used again: a stamp beside each environment
remembers the requirements and the sources it was made from.  This file uses the standard library only and knows nothing
of capers but where its parts lie.
"""

import argparse
import contextlib
import functools
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
if sys.version_info < OLDEST:
    sys.exit("dev.py needs Python %d.%d or newer; this is %d.%d" % (OLDEST + tuple(sys.version_info[:2])))

NEXT = ((3, 14), (3, 15))  # may live in a folder of their own, see NextPython
ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "build"
SHARED = ROOT.parent / "shared"
OPTIONAL = ("numpy", "pandas", "attrs", "pydantic")  # left out where no wheel exists for an interpreter
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
    """Hold the lock *name*, so that two runs of this file do not make the same thing at once."""
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
    names = ("Cargo.toml", "Cargo.lock", "crates", "python", "pyproject.toml", "tools")
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
    """Return the interpreter that runs this file, or the one its virtual environment was made from."""
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


# ------------------------------------------------------------------ tasks


def task_build(options):
    """Build capers (release) and install it into build/venv-X.Y."""
    python = choose(options.python)
    python.build()
    say(f"capers is installed in {python.venv}")


def task_demo(options):
    """Ship a gallery of functions to fresh processes; compare pickle, dill, cloudpickle."""
    python = choose(options.python)
    python.install(ROOT / "examples" / "requirements.txt")
    python.build()
    python.share(ROOT / "examples")
    return python.run("-m", "examples.gallery", *options.rest, check=False)


def rust_tests():
    """Test the crates that know no Python; the extension is tested through Python."""
    pure = ("--workspace", "--exclude", "capers-py")
    if shutil.which("cargo-nextest"):
        run(cargo(), "nextest", "run", "--no-tests", "pass", *pure)
        run(cargo(), "test", "--quiet", "--doc", *pure)
    else:
        run(cargo(), "test", "--quiet", *pure)


def python_tests(python, arguments, env=None):
    """Build capers for *python*, run pytest there and return its exit code."""
    python.install(ROOT / "tests" / "requirements.txt")
    python.build()
    folders = ["tests"]
    if isinstance(python, NextPython):
        # The folder holds no Rust sources, and what they look like is the same for every Python.
        folders.append("--ignore=tests/tidy")
    python.share(ROOT / "tests", ROOT / "examples", ROOT / "bench", ROOT / "python")
    return python.run("-m", "pytest", *folders, *arguments, env=env, check=False)


def task_test(options):
    """Run the Rust tests, build capers, run pytest (tidy tests included)."""
    arguments = ["-k", options.k] if options.k else []
    python = choose(options.python)
    if not options.k:
        rust_tests()
    env = {"PYTHONMALLOC": options.malloc} if options.malloc else None
    return python_tests(python, arguments + options.rest, env)


def task_asan(options):
    """Run pytest with the extension built with AddressSanitizer, in build/asan-X.Y."""
    python = choose(options.python)
    if isinstance(python, NextPython):
        raise Failure("asan runs on an interpreter of this machine, not on one in a folder of its own")
    python = SanitizedPython(python)
    python.install(ROOT / "tests" / "requirements.txt")
    python.build()
    python.check()
    arguments = ["-k", options.k] if options.k else []
    for path, reason in python.LEFT_OUT.items():
        say(f"left out: {path} {reason}", "2")
        arguments.append(f"--deselect={path}" if "::" in path else f"--ignore={path}")
    return python.run("-m", "pytest", "tests", *arguments, *options.rest, env=python.sanitized, check=False)


def task_matrix(options):
    """Run the tests on every interpreter present (PATH, pyenv, 3.14 and 3.15)."""
    arguments = (["-k", options.k] if options.k else []) + options.rest
    pythons = all_pythons()
    if not options.k:
        rust_tests()
    results = []
    for python in pythons:
        say(f"\n── {python}")
        begun = time.monotonic()
        try:
            code = python_tests(python, arguments)
        except Failure as failure:
            say(str(failure), "31")
            code = 1
        results.append((python, code, time.monotonic() - begun))
    say("\nmatrix")
    for python, code, seconds in results:
        say(f"  {python.name:6} {'pass' if code == 0 else 'FAIL':5} {seconds:5.0f} s", "32" if code == 0 else "31")
    return int(any(code for _, code, _ in results))


def task_lint(options):
    """Check formatting, lints and types; change nothing."""
    python = choose(options.python)
    if isinstance(python, NextPython):
        raise Failure("lint runs on an interpreter of this machine, not on one in a folder of its own")
    python.install(ROOT / "tests" / "tidy" / "requirements.txt")
    env = {"PYO3_PYTHON": str(python.python)}
    stubs = sorted((ROOT / "python").rglob("*.pyi"))
    checks = [
        (cargo(), "fmt", "--all", "--check"),
        (cargo(), "clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"),
        (python.python, "-m", "ruff", "check", "."),
        (python.python, "-m", "ruff", "format", "--check", "--quiet", "."),
        (python.python, "-m", "mypy", *stubs),
    ]
    failed = [" ".join(Path(part).name for part in check[:4]) for check in checks if run(*check, env=env, check=False)]
    python.build()
    if run(python.python, "-m", "mypy.stubtest", "capers", "--mypy-config-file", "pyproject.toml", check=False):
        failed.append("stubtest")
    if failed:
        raise Failure("not tidy: " + "; ".join(failed))
    say("tidy", "32")


def task_format(options):
    """Rewrite the Rust and Python sources in the house style."""
    python = choose(options.python)
    python.install(ROOT / "tests" / "tidy" / "requirements.txt")
    run(cargo(), "fmt", "--all")
    python.run("-m", "ruff", "check", "--fix", "--quiet", ".", check=False)
    python.run("-m", "ruff", "format", "--quiet", ".")


def task_bless(options):
    """Rewrite the golden files from what the code does now; read the diff afterwards."""
    python = choose(options.python)
    python.install(ROOT / "tests" / "requirements.txt")
    python.build()
    return python.run("-m", "pytest", "tests", "-k", "frozen or golden", env={"CAPERS_BLESS": "1"}, check=False)


def task_bench(options):
    """Measure capers against cloudpickle and dill, and judge the figures."""
    python = choose(options.python)
    python.install(ROOT / "bench" / "requirements.txt")
    python.build()
    python.share(ROOT / "bench", ROOT / "examples")
    arguments = ["--suite", options.suite]
    if options.rounds:
        arguments += ["--rounds", options.rounds]
    result = python.path(Path(options.json).absolute()) if options.json else None
    if result:
        arguments += ["--json", result]
    if options.readme:
        arguments += ["--readme", "README.md"]
    code = python.run("-m", "bench", *arguments, *options.rest, check=False)
    if result and isinstance(python, NextPython) and python.outside(result).exists():
        shutil.copy(python.outside(result), options.json)
    return code


def task_compatibility(options):
    """Ship a gallery of objects with pickle, cloudpickle, dill and capers; write COMPATIBILITY.md."""
    python = choose(options.python)
    python.install(ROOT / "tests" / "requirements.txt")
    python.build()
    python.share(ROOT / "tests")
    page = ROOT / "COMPATIBILITY.md"
    inside = python.path(page) if isinstance(python, NextPython) else page
    code = python.run("-m", "tests.compatibility", "--to", inside, *options.rest, check=False)
    if isinstance(python, NextPython) and python.outside(inside).exists():
        shutil.copy(python.outside(inside), page)
    return code


def task_suites(options):
    """Run the tests of others against capers: CPython's own, the standard library's, cloudpickle's, dill's."""
    failed = []
    sources = BUILD / "peers"
    current_python().prepare()
    current_python().run("tests/suites/fetch.py", sources, *options.peer)
    for python in [choose(options.python)] if options.python else all_pythons():
        say(f"\n── {python}")
        python.install(ROOT / "tests" / "suites" / "requirements.txt")
        python.build()
        python.share(ROOT / "tests", sources)
        arguments = ["-m", "suites"]
        for name in ("peer", "group", "file"):
            for value in getattr(options, name):
                arguments += [f"--{name}", value]
        if options.mode:
            arguments += ["--mode", options.mode]
        if python.run(*arguments, *options.rest, env={"PYTHONPATH": "tests"}, check=False):
            failed.append(python.name)
    if failed:
        raise Failure(f"tests failed on Python {', '.join(failed)}")


def task_hostile(options):
    """Feed capers the whole hostile corpus and run all hostile programs."""
    return tests_module(options, "tests.hostile")


def task_differential(options):
    """Compare capers with C pickle on generated graphs and mutated streams."""
    return tests_module(options, "tests.differential")


def tests_module(options, module):
    """Build capers and run a module of the tests."""
    python = choose(options.python)
    python.install(ROOT / "tests" / "requirements.txt")
    python.build()
    python.share(ROOT / "tests", ROOT / "examples", ROOT / "python")
    return python.run("-m", module, *options.rest, check=False)


def task_conformance(options):
    """Run the shared round-trip cases, where they are present."""
    runner = SHARED / "conformance" / "runner.py"
    if not runner.exists():
        raise Failure(f"there is no {runner}")
    python = choose(options.python)
    python.install(ROOT / "tests" / "requirements.txt")
    python.build()
    python.share(runner.parent)
    script = f"{python.path(runner.parent)}/{runner.name}"
    arguments = ["-k", options.k] if options.k else []
    return python.run(script, options.module, "--python", python.python, *arguments, *options.rest, check=False)


def task_clean(options):
    """Remove build/ (with --all also target/) and the tools' caches."""
    names = ["build", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".hypothesis"] + ["target"] * options.all
    for name in names:
        if (ROOT / name).exists():
            say(f"removing {name}")
            shutil.rmtree(ROOT / name)
    for folder in ("python", "tests", "bench", "examples"):
        for cache in list((ROOT / folder).rglob("__pycache__")):
            shutil.rmtree(cache)


# ------------------------------------------------------------------ the command line


def parser():
    """Return the command line's parser and the tasks by name."""
    layout = functools.partial(argparse.RawDescriptionHelpFormatter, max_help_position=16, width=100)
    top = argparse.ArgumentParser(
        prog="dev.py",
        formatter_class=layout,
        description="Developer tasks for capers.",
        epilog="Arguments after -- go to the tool underneath (pytest, the gallery, the bench).",
    )
    commands = top.add_subparsers(dest="task", metavar="TASK", title="tasks")
    tasks = {name.removeprefix("task_"): function for name, function in globals().items() if name.startswith("task_")}
    made = {}
    for name, function in tasks.items():
        told = function.__doc__
        in_list = told[0].lower() + told[1:].rstrip(".")
        made[name] = commands.add_parser(name, help=in_list, description=told, formatter_class=layout)
        if name not in ("matrix", "clean"):
            made[name].add_argument("--python", metavar="X.Y", help="a version or the path of an interpreter")
    made["test"].add_argument("--malloc", metavar="NAME", help="debug or malloc: Python's allocator while pytest runs")
    for name in ("test", "matrix", "asan", "conformance"):
        made[name].add_argument("-k", metavar="EXPR", help="only what matches; leaves the Rust tests out")
    suites = made["suites"]
    suites.add_argument("--peer", action="append", default=[], help="cpython (the default), stdlib, dill, …, all")
    suites.add_argument("--group", action="append", default=[], help="only this group of the peer cpython")
    suites.add_argument("--file", action="append", default=[], help="only this file of other peers, as test_enum")
    suites.add_argument("--mode", help="default, strict or both (default: both)")
    bench = made["bench"]
    bench.add_argument("--suite", default="functions", help="functions, classes, data, import, leaks, memory or all")
    bench.add_argument("--rounds", metavar="N", help="how often each thing is measured (or, for leaks, repeated)")
    bench.add_argument("--json", metavar="FILE", help="write the figures there too")
    bench.add_argument("--readme", action="store_true", help="write the suite functions' table into README.md")
    made["conformance"].add_argument("--module", default="capers", help="test another module (default: %(default)s)")
    made["clean"].add_argument("--all", action="store_true", help="remove target/ too")
    return top, tasks


def main(arguments):
    """Run one task and return the exit code."""
    top, tasks = parser()
    rest = []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, rest = arguments[:cut], arguments[cut + 1 :]
    options = top.parse_args(arguments)
    if options.task is None:
        top.print_help()
        return 0
    options.rest = rest
    try:
        return tasks[options.task](options) or 0
    except Failure as failure:
        print(f"dev.py {options.task}: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
