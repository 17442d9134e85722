"""What a class statement said: the keywords behind its bases, which the interpreter does not keep.

They are read from the source, where there is one, and evaluated without calling anything.  Hooks of importable bases and
metaclasses get them once more where the class arrives.  Nothing here is named inside a pickle.
"""

import weakref

_known: dict = {}


def keywords(cls):
    """Return the keywords of the statement that made *cls*, ``metaclass`` left out, or ``None`` when they are not known."""
    address = id(cls)
    kept = _known.get(address)
    if kept is None or kept[0]() is not cls:
        kept = _known[address] = (weakref.ref(cls, lambda _: _known.pop(address, None)), _read(cls))
    return kept[1]


def _read(cls):
    """Find the statement and evaluate its keywords."""
    import ast
    import sys
    import types

    held = type.__getattribute__(cls, "__dict__")
    name = type.__getattribute__(cls, "__qualname__")
    functions = [_function(each) for each in held.values()]
    functions = [each for each in functions if each and each.__qualname__.rpartition(".")[0] == name]
    module = sys.modules.get(held.get("__module__"))
    space = functions[0].__globals__ if functions else getattr(module, "__dict__", {})
    file = functions[0].__code__.co_filename if functions else space.get("__file__")
    tree = _tree(file, space)
    lines = [each.__code__.co_firstlineno for each in functions]
    found = [each for each in _statements(tree, name.split(".")) if _fits(each, held.get("__firstlineno__"), lines)]
    if len(found) != 1:
        return None
    names = dict(space)
    for each in functions:
        for free, cell in zip(each.__code__.co_freevars, each.__closure__ or (), strict=True):
            if cell != types.CellType():
                names[free] = cell.cell_contents
    values = {}
    for keyword in found[0].keywords:
        if keyword.arg == "metaclass":
            continue
        if not all(isinstance(node, _harmless(ast)) for node in ast.walk(keyword.value)):
            return None
        try:
            value = eval(compile(ast.Expression(keyword.value), file, "eval"), names)
        except Exception:
            # A name of the function around the class, or one that is gone by now.
            return None
        values.update(value if keyword.arg is None else {keyword.arg: value})
    return values


def _function(value):
    """Return the function in *value*, something that a class holds, or ``None``."""
    import types

    value = getattr(value, "__func__", getattr(value, "fget", value))
    return value if isinstance(value, types.FunctionType) else None


def _tree(file, space):
    """Return the syntax tree of the source *file*, an empty one where there is none."""
    import ast
    import linecache

    lines = linecache.getlines(file, space) if file else []
    try:
        return ast.parse("".join(lines))
    except SyntaxError:
        return ast.parse("")


def _statements(tree, path):
    """Yield the class statements that make a class whose qualname is *path*."""
    import ast

    waiting = [(node, path) for node in ast.iter_child_nodes(tree)]
    while waiting:
        node, path = waiting.pop()
        if isinstance(node, ast.ClassDef) and path == [node.name]:
            yield node
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if path[0] != node.name:
                continue
            path = path[1:]
            if not isinstance(node, ast.ClassDef):
                if path[:1] != ["<locals>"]:
                    continue
                path = path[1:]
            if not path:
                continue
        elif isinstance(node, ast.expr):
            continue
        waiting += [(each, path) for each in ast.iter_child_nodes(node)]


def _fits(node, first, lines):
    """Whether the statement *node* begins at line *first* and has functions at *lines*, as far as these are known."""
    import ast

    starts = {
        _start(each) for each in ast.walk(node) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    }
    return (first is None or first == _start(node)) and starts.issuperset(lines)


def _start(node):
    """Return the line that *node* begins at, its decorators included."""
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])


def _harmless(ast):
    """The kinds of nodes that are evaluated: none of them calls what the script defines."""
    return (
        *(ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Starred, ast.Subscript),
        *(ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.JoinedStr, ast.FormattedValue, ast.Slice),
        *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context),
    )
