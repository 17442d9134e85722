"""The process that runs a file of dill's tests as its main program: ``python script.py FILE RECORD``.

Writes a line of JSON to the record when a part of the file begins and when it ends.
"""


def main(path, record):
    """Run the file *path* statement by statement; everything used here is local, since the file takes over this module."""
    import ast
    import collections
    import json
    import os
    import sys
    import traceback

    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read(), path)
    log = open(record, "a", encoding="utf-8")

    def note(*row):
        log.write(json.dumps(row) + "\n")
        log.flush()

    def is_end(node):
        return (
            isinstance(node, ast.If) and "__name__" in ast.unparse(node.test) and "__main__" in ast.unparse(node.test)
        )

    namespace = sys.modules["__main__"].__dict__
    for name in [name for name in namespace if not name.startswith("__")]:
        del namespace[name]
    namespace.update(__file__=path, __name__="__main__")
    sys.argv = [path]
    sys.path[0] = os.path.dirname(path)

    def run(name, nodes):
        note("begin", name)
        kind, told = "passed", ""
        try:
            exec(compile(ast.Module(nodes, []), path, "exec"), namespace)
        except SystemExit as error:
            kind, told = ("failed", f"exit {error.code!r}") if error.code else ("passed", "")
        except BaseException as error:
            # A test may turn the exception into one of its own.
            private = "PrivateName" in traceback.format_exc()
            kind = "skipped" if private else "failed"
            told = "uses names that are not of dill's pickling" if private else f"{type(error).__name__}: {error}"[:500]
        note("end", name, kind, told)
        return kind

    whole = run("<body>", [node for node in tree.body if not is_end(node)])
    seen = collections.Counter()
    for block in tree.body:
        if not is_end(block) or "sys.argv" in ast.unparse(block.test):
            continue
        for statement in block.body:
            calls = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
            tests = [each.id for each in calls if isinstance(each, ast.Name) and each.id.startswith("test")]
            name = "+".join(tests) or ast.unparse(statement).partition("\n")[0]
            seen[name] += 1
            if seen[name] > 1:
                name += f"#{seen[name]}"
            if whole == "passed":
                run(name, [statement])
            elif tests:
                note("end", name, whole, "the body of the file did not run to its end")
    note("done")
    os._exit(0)  # whatever threads the tests have left


if __name__ == "__main__":
    import sys

    main(*sys.argv[1:])
