#!/usr/bin/env python3
"""Developer tasks for capers: ``python3 dev.py`` lists them.

Needs Python 3.11 or newer and cargo; everything else is installed into virtual environments of its own below
``build/``, one per interpreter.  What is already there and still fresh is used again: a stamp beside each environment
remembers the requirements and the sources it was made from.  This file uses the standard library only and knows nothing
of capers but where its parts lie.
"""

import argparse
import functools
import os
import shutil
import sys
import time
from pathlib import Path

from tools import OLDEST

if sys.version_info < OLDEST:
    sys.exit("dev.py needs Python %d.%d or newer; this is %d.%d" % (OLDEST + tuple(sys.version_info[:2])))

from tools.interpreters import (
    BUILD,
    ROOT,
    SHARED,
    Failure,
    NextPython,
    SanitizedPython,
    all_pythons,
    cargo,
    choose,
    current_python,
    run,
    say,
)

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
    # Cases that send something to another version of Python use those that capers is installed for.
    others = [each for each in all_pythons() if type(each) is type(python) and each.version != python.version]
    others = [str(each.python) for each in others if (each.venv / "capers.stamp").exists()]
    command = (script, options.module, "--python", python.python, *arguments, *options.rest)
    return python.run(*command, env={"OTHER_PYTHONS": os.pathsep.join(others)}, check=False)


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
    bench.add_argument(
        "--suite", default="functions", help="functions, classes, data, import, leaks, memory, paths or all"
    )
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
