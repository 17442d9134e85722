"""The corpus, second part: every opcode that takes values off the stack, on values it cannot use."""

import itertools
import pickle

from .corpus import DOT, VALUES, Stream, category, instance, named, text, u1, u4, u8
from .objects import MODULE

NAMES = list(VALUES)
ONE = [pickle.TUPLE1, pickle.BINPERSID, pickle.READONLY_BUFFER, pickle.MEMOIZE, pickle.DUP, pickle.POP, pickle.STOP]
TWO = [pickle.APPEND, pickle.BUILD, pickle.REDUCE, pickle.NEWOBJ, pickle.STACK_GLOBAL, pickle.TUPLE2]
THREE = [pickle.SETITEM, pickle.NEWOBJ_EX, pickle.TUPLE3]
MARKED = [pickle.APPENDS, pickle.SETITEMS, pickle.ADDITEMS, pickle.OBJ, pickle.TUPLE, pickle.LIST, pickle.DICT, pickle.FROZENSET,
          pickle.POP_MARK]  # fmt: skip


@category
def operands(dice):
    """Every opcode on operands of every kind."""
    for opcode, one in itertools.product(ONE, NAMES):
        yield Stream(VALUES[one] + opcode + DOT)
    for opcode, one, two in itertools.product(TWO, NAMES, NAMES):
        yield Stream(VALUES[one] + VALUES[two] + opcode + DOT)
    for opcode in THREE:
        for _ in range(1500):
            yield Stream(b"".join(VALUES[name] for name in dice.choices(NAMES, k=3)) + opcode + DOT)
    for opcode in MARKED:
        for under in NAMES:
            for above in ([], ["None"], ["str", "int"], ["list", "None"], ["picky", "dict"]):
                yield Stream(VALUES[under] + pickle.MARK + b"".join(VALUES[name] for name in above) + opcode + DOT)
        for _ in range(300):
            above = dice.choices(NAMES, k=dice.randrange(1, 7))
            yield Stream(
                VALUES[dice.choice(NAMES)] + pickle.MARK + b"".join(VALUES[name] for name in above) + opcode + DOT
            )
    # Two opcodes that find what the first one made.
    for _ in range(3000):
        first, second = dice.choices(TWO + THREE + ONE[:4], k=2)
        values = [VALUES[name] for name in dice.choices(NAMES, k=5)]
        yield Stream(b"".join(values[:3]) + first + b"".join(values[3:]) + second + DOT)


@category
def new_objects(dice):
    """NEWOBJ, NEWOBJ_EX, OBJ and INST of classes and of what is none, with arguments that are none."""
    makers = [
        "class",
        "maker",
        "unmakable",
        "meta",
        "int class",
        "function",
        "failing",
        "instance",
        "None",
        "str",
        "tuple",
    ]
    classes = [VALUES[name] for name in makers] + [named(name) for name in ("Slots", "Stranger", "Initialized", "TupleLike", "Colour",
               "Meta", "Picky", "Point", "TextLike", "give_up", "EMPTY", "NOTHING", "INSTANCE", "ListLike", "object")]  # fmt: skip
    classes += [named(name, "builtins") for name in ("object", "list", "frozenset", "tuple", "complex", "range")]
    arguments = ["empty tuple", "tuple", "pair", "list", "dict", "None", "int", "str", "instance", "class"]
    keywords = ["dict", "dict of str", "dict of int", "None", "list", "empty tuple", "dictlike", "mapping", "int"]
    for each, given in itertools.product(classes, arguments):
        yield Stream(each + VALUES[given] + pickle.NEWOBJ + DOT)
        yield Stream(each + VALUES[given] + pickle.REDUCE + DOT)
        for words in keywords:
            yield Stream(each + VALUES[given] + VALUES[words] + pickle.NEWOBJ_EX + DOT)
    for each, count in itertools.product(classes, range(4)):
        items = b"".join(VALUES[name] for name in dice.choices(NAMES, k=count))
        yield Stream(pickle.MARK + each + items + pickle.OBJ + DOT)
        yield Stream(each + pickle.MARK + items + pickle.OBJ + DOT)
        yield Stream(each + items + pickle.OBJ + DOT)
    modules = [MODULE, "builtins", "hostile.nowhere", "", ".", "hostile..objects", "é"]
    names = [
        "Plain",
        "Initialized",
        "pack",
        "fail",
        "Unmakable",
        "missing",
        "Outer.Inner",
        "",
        "EMPTY",
        "INSTANCE",
        "object",
        "é",
    ]
    for module, name, items in itertools.product(modules, names, (b"", pickle.NONE, VALUES["str"] * 3)):
        line = module.encode() + b"\n" + name.encode() + b"\n"
        yield Stream(pickle.MARK + items + pickle.INST + line + DOT)
        yield Stream(items + pickle.INST + line + DOT)
        for cut in range(1, len(line), 5):
            yield Stream(pickle.MARK + items + pickle.INST + line[:cut])
    # An object that is taken off the stack while it is made, or is its own argument.
    yield Stream(named("Maker") + pickle.MARK + pickle.POP + pickle.NEWOBJ + DOT)
    yield Stream(named("Plain") + pickle.MEMOIZE + pickle.DUP + pickle.NEWOBJ + DOT)
    yield Stream(pickle.EMPTY_TUPLE + pickle.DUP + pickle.NEWOBJ + DOT)
    yield Stream(named("Maker") + pickle.DUP + pickle.TUPLE1 + pickle.NEWOBJ + pickle.DUP + pickle.BUILD + DOT)


@category
def states(dice):
    """BUILD of every kind of object with states of every kind."""
    targets = ["None", "int", "str", "list", "dict", "tuple", "class", "meta", "function", "instance", "slots", "both", "setter", "refuser",
               "picky", "listlike", "dictlike", "enum", "frozenset"]  # fmt: skip
    texts = [
        text("x"),
        text("state"),
        text("__class__"),
        text("__dict__"),
        text("\ud800"),
        text(""),
        text("a" * 200),
        text("missing"),
    ]
    keys = texts + [VALUES[name] for name in ("int", "bytes", "tuple", "list", "None", "instance", "picky")]
    states = [VALUES[name] for name in NAMES]
    for one, two in itertools.product(
        ("None", "dict", "dict of str", "dict of int", "list", "int", "dictlike"), repeat=2
    ):
        states.append(VALUES[one] + VALUES[two] + pickle.TUPLE2)
    for key, value in itertools.product(keys, ("None", "class", "dict", "int")):
        pair = pickle.EMPTY_DICT + key + VALUES[value] + pickle.SETITEM
        states += [
            pair,
            pickle.NONE + pair + pickle.TUPLE2,
            pair + pickle.NONE + pickle.TUPLE2,
            pair + pair + pickle.TUPLE2,
        ]
    states += [
        pickle.EMPTY_DICT + pickle.MARK + (texts[0] + pickle.NONE + texts[3] + pickle.EMPTY_DICT) * 20 + pickle.SETITEMS
    ]
    states += [
        pickle.NONE + pickle.DUP + pickle.DUP + pickle.TUPLE3,
        pickle.MARK + pickle.NONE * 9 + pickle.TUPLE,
        pickle.NONE + pickle.TUPLE1,
    ]
    for target, state in itertools.product(targets, states):
        yield Stream(VALUES[target] + state + pickle.BUILD + DOT)
    for target in targets:
        # The object as its own state, and a state that holds the object.
        yield Stream(VALUES[target] + pickle.DUP + pickle.BUILD + DOT)
        yield Stream(
            VALUES[target]
            + pickle.MEMOIZE
            + pickle.EMPTY_DICT
            + text("me")
            + pickle.BINGET
            + b"\0"
            + pickle.SETITEM
            + pickle.BUILD
            + DOT
        )
        yield Stream(VALUES[target] + (pickle.EMPTY_DICT + pickle.BUILD) * 50 + DOT)
        # The dict of the object as its state.
        yield Stream(VALUES[target] + pickle.EMPTY_DICT + pickle.MEMOIZE + text("__dict__") + pickle.BINGET + b"\0" + pickle.SETITEM
                     + pickle.BUILD + pickle.BINGET + b"\0" + pickle.BUILD + DOT)  # fmt: skip


@category
def found_names(dice):
    """STACK_GLOBAL and GLOBAL of names that are none, missing, dotted, or no text."""
    modules = [MODULE, "hostile.nowhere", "builtins", "__builtin__", "", ".", "..", "a.b", "hostile.", "hostile", "sys", "\ud800", "a\0b", "é",
               "x" * 300, "copy_reg", "exceptions", "UserDict", "__main__"]  # fmt: skip
    names = ["Plain", "Outer.Inner", "Outer.Missing", "Outer..Inner", ".Plain", "Plain.", "", ".", "missing", "pack.<locals>.x", "<locals>",
             "__class__", "__dict__", "Plain.__init__.__globals__", "\ud800", "a\0b", "é", "x" * 300, "a." * 100 + "a", "xrange", "object"]  # fmt: skip
    for module, name in itertools.product(modules, names):
        for proto in (2, 4):
            start = pickle.PROTO + u1(proto)
            both = [part if len(part) < 250 else "y" * 250 for part in (module, name)]
            yield Stream(start + text(both[0]) + text(both[1]) + pickle.STACK_GLOBAL + DOT)
            if "\n" not in module + name:
                line = module.encode("utf-8", "surrogatepass") + b"\n" + name.encode("utf-8", "surrogatepass") + b"\n"
                yield Stream(start + pickle.GLOBAL + line + DOT)
    for one, two in itertools.product(NAMES, repeat=2):
        yield Stream(VALUES[one] + VALUES[two] + pickle.STACK_GLOBAL + DOT)
    like = named("TextLike") + text("Plain") + pickle.TUPLE1 + pickle.NEWOBJ
    yield Stream(text(MODULE) + like + pickle.STACK_GLOBAL + DOT)
    yield Stream(like + text("Plain") + pickle.STACK_GLOBAL + DOT)
    yield Stream(text(MODULE) + pickle.MARK + text("Plain") + pickle.STACK_GLOBAL + DOT)


@category
def extensions(dice):
    """EXT1, EXT2 and EXT4 with codes that are registered, are not, or are no codes."""
    codes = [0, 1, 2, 3, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1]
    for code in codes:
        for opcode, width in ((pickle.EXT1, 1), (pickle.EXT2, 2), (pickle.EXT4, 4)):
            if code < 1 << 8 * width:
                raw = opcode + code.to_bytes(width, "little")
                for after in (DOT, pickle.EMPTY_TUPLE + pickle.REDUCE + DOT, raw + pickle.TUPLE2 + DOT, b""):
                    yield Stream(raw + after)
                for cut in range(1, len(raw)):
                    yield Stream(raw[:cut])


@category
def persistent_ids(dice):
    """Persistent ids of every kind, in lines and from the stack."""
    for name in NAMES:
        yield Stream(VALUES[name] + pickle.BINPERSID + DOT)
        yield Stream(VALUES[name] + pickle.BINPERSID * 3 + DOT)
        yield Stream(pickle.MARK + VALUES[name] + pickle.BINPERSID + pickle.TUPLE + DOT)
    for line in (b"", b"x", b"\xff", b"\xc3\xa9", b"\0", b"1\0", b" " * 300, b"x" * 70_000, b"raise", b"\r"):
        yield Stream(pickle.PERSID + line + b"\n" + DOT)
        yield Stream(pickle.PERSID + line)
        yield Stream(text("raise") + pickle.BINPERSID + pickle.PERSID + line + b"\n" + DOT)
    yield Stream(pickle.BINPERSID + DOT)
    yield Stream(pickle.MARK + pickle.BINPERSID + DOT)


@category
def buffers(dice):
    """Out-of-band buffers asked for more often than there are, or made read-only when they are none."""
    for count in range(12):
        for between in (b"", pickle.READONLY_BUFFER, pickle.READONLY_BUFFER * 3, pickle.POP, pickle.MEMOIZE):
            yield Stream(pickle.MARK + (pickle.NEXT_BUFFER + between) * count + pickle.TUPLE + DOT)
    for name in NAMES:
        yield Stream(VALUES[name] + pickle.READONLY_BUFFER + DOT)
        yield Stream(VALUES[name] + pickle.NEXT_BUFFER + pickle.BUILD + DOT)
        yield Stream(pickle.NEXT_BUFFER + VALUES[name] + pickle.APPEND + DOT)
        yield Stream(VALUES[name] + pickle.NEXT_BUFFER + pickle.REDUCE + DOT)
    yield Stream(pickle.READONLY_BUFFER + DOT)
    yield Stream(pickle.MARK + pickle.READONLY_BUFFER + DOT)


def constructors():
    """Return the names of the functions that by-value payloads may call."""
    from capers import _rebuild

    return [
        name
        for name, made in vars(_rebuild).items()
        if name[0] != "_" and getattr(made, "__module__", "") == _rebuild.__name__
    ]


@category
def wire_names(dice):
    """The constructors of by-value payloads with arguments they cannot use."""
    import marshal

    from capers import _rebuild

    good = marshal.dumps((lambda x: x).__code__)
    other = marshal.dumps((lambda: NAMES).__code__)
    for name in constructors():
        call = named(name, "capers._rebuild")
        for values in (NAMES, ["dict", "dict of str", "str", "pair", "empty tuple", "None", "class", "bytes"]):
            for count in (0, 1, 2, 2, 2, 3, 3, 4, 5, 7):
                for _ in range(6):
                    given = b"".join(VALUES[each] for each in dice.choices(values, k=count))
                    yield Stream(call + pickle.MARK + given + pickle.TUPLE + pickle.REDUCE + DOT, door="gallery")
        for values in ("list", "dict", "None", "int"):
            yield Stream(call + VALUES[values] + pickle.REDUCE + DOT, door="gallery")
        yield Stream(call + VALUES["dict of str"] + pickle.BUILD + DOT, door="gallery")
    code = named("code", "capers._rebuild")
    function = named("function", "capers._rebuild")
    tag = pickle.BININT + u4(_rebuild.TAG) if _rebuild.TAG < 2**31 else pickle.LONG1 + b"\x08" + u8(_rebuild.TAG)
    payloads = [
        b"",
        b"N",
        b"\xe9\1\0\0\0",
        b"c",
        good[:10],
        good[:-1],
        marshal.dumps(7),
        marshal.dumps([1, (2, "x")]),
        good,
        other,
    ]
    for raw in payloads:
        made = code + tag + pickle.BINBYTES + u4(len(raw)) + raw + pickle.TUPLE2 + pickle.REDUCE
        yield Stream(made + DOT, door="gallery")
        for names in itertools.product(("dict", "None", "dictlike", "list"), ("None", "empty tuple", "tuple", "list")):
            given = b"".join(VALUES[name] for name in names)
            yield Stream(function + made + given + pickle.TUPLE3 + pickle.REDUCE + DOT, door="gallery")
    for wrong in (pickle.NONE, pickle.BININT1 + b"\1", pickle.BINFLOAT + b"\0" * 8, text("x"), VALUES["long"]):
        yield Stream(
            code + wrong + pickle.BINBYTES + u4(len(good)) + good + pickle.TUPLE2 + pickle.REDUCE + DOT, door="gallery"
        )


@category
def containers(dice):
    """Items for objects that take them oddly, and keys that cannot be keys."""
    takers = ["list", "dict", "set", "listlike", "dictlike", "setlike", "appender", "extender", "adder", "mapping", "picky", "frozenset", "str",
              "instance", "class", "None", "tuple", "bytearray"]  # fmt: skip
    items = [VALUES[name] for name in ("int", "str", "list", "dict", "picky", "instance", "float", "tuple")] + [
        instance("Colliding")
    ]
    for taker, opcode in itertools.product(takers, (pickle.APPENDS, pickle.SETITEMS, pickle.ADDITEMS)):
        for count in (0, 1, 2, 3, 10):
            for _ in range(4):
                given = b"".join(dice.choices(items, k=count))
                yield Stream(VALUES[taker] + pickle.MARK + given + opcode + DOT)
                yield Stream(VALUES[taker] + (pickle.MARK + given + opcode) * 3 + DOT)
    for taker, one, two in itertools.product(takers, items, items[:4]):
        yield Stream(VALUES[taker] + one + pickle.APPEND + DOT)
        yield Stream(VALUES[taker] + one + two + pickle.SETITEM + DOT)
    for taker in takers:
        # The container inside of itself.
        yield Stream(VALUES[taker] + pickle.MEMOIZE + pickle.DUP + pickle.APPEND + DOT)
        yield Stream(VALUES[taker] + pickle.MEMOIZE + pickle.MARK + pickle.BINGET + b"\0" + pickle.ADDITEMS + DOT)
        yield Stream(
            VALUES[taker] + pickle.MEMOIZE + pickle.BINGET + b"\0" + pickle.BINGET + b"\0" + pickle.SETITEM + DOT
        )
        yield Stream(VALUES[taker] + pickle.MEMOIZE + pickle.MARK + (pickle.BINGET + b"\0") * 40 + pickle.APPENDS + DOT)
