"""Print the Rust source of the bytecode tables, one interpreter per run.

Each interpreter in turn prints one line, `table`, with what it knows of itself; the last step joins the lines:

    for python in python3.11 python3.12 python3.13 python3.14 python3.15; do
        $python crates/capers-code/tools/make_tables.py table
    done | python3.15 crates/capers-code/tools/make_tables.py rust > crates/capers-code/src/bytecode/tables.rs

then `cargo fmt -p capers-code`. The facts come from `opcode` (numbers, inline cache entries, `hasname`); what a name opcode does and how
far its argument is shifted is stated below after `dis.ArgResolver` of 3.15 and the `dis` module of each older version.
"""

import json
import opcode
import sys

# What a name opcode does with its name.
READ, WRITE, ATTRIBUTE, IMPORT = "GlobalRead", "GlobalWrite", "Attribute", "Import"
USES = {
    "LOAD_GLOBAL": READ,
    "LOAD_NAME": READ,
    "LOAD_FROM_DICT_OR_GLOBALS": READ,
    "DELETE_GLOBAL": READ,
    "DELETE_NAME": READ,
    "STORE_GLOBAL": WRITE,
    "STORE_NAME": WRITE,
    "LOAD_ATTR": ATTRIBUTE,
    "STORE_ATTR": ATTRIBUTE,
    "DELETE_ATTR": ATTRIBUTE,
    "LOAD_METHOD": ATTRIBUTE,
    "LOAD_SUPER_ATTR": ATTRIBUTE,
    "IMPORT_FROM": ATTRIBUTE,
    "IMPORT_NAME": IMPORT,
}


def shift(name, minor):
    """Bits below the index into co_names in the argument of opcode `name`."""
    if name == "LOAD_GLOBAL" or (name == "LOAD_ATTR" and minor >= 12):
        return 1
    if name == "LOAD_SUPER_ATTR" or (name == "IMPORT_NAME" and minor >= 15):
        return 2
    return 0


def table():
    """The table of the running interpreter, as a dict that JSON can carry."""
    minor = sys.version_info[1]
    caches = opcode._inline_cache_entries
    if not hasattr(caches, "items"):  # 3.11, 3.12: a list by opcode
        caches = {opcode.opname[op]: count for op, count in enumerate(caches)}
    caches = {name: count for name, count in caches.items() if count}
    # Numbers above 255 are pseudo-opcodes of the compiler; instrumented ones never show in co_code.
    named = [op for op in opcode.hasname if op < 256 and not opcode.opname[op].startswith("INSTRUMENTED_")]
    rows = []
    for name, op in sorted(opcode.opmap.items(), key=lambda item: item[1]):
        if op > 255 or not (op in named or name in caches):
            continue
        use = USES[name] if op in named else None  # a new name opcode must be given a meaning above
        rows.append((op, name, caches.get(name, 0), use, shift(name, minor)))
    return {"minor": minor, "release": sys.version.split()[0], "extended": opcode.EXTENDED_ARG, "rows": rows}


HEADER = """\
//! Bytecode tables, one for each CPython version. Written by `tools/make_tables.py` from the interpreters' own `opcode`
//! module; do not edit by hand.
//!
//! A row is an opcode that has inline caches or names something; every other opcode is plain and has none.

use super::{Row, Table};
use crate::names::NameUse::{Attribute, GlobalRead, GlobalWrite, Import};
"""


def rust(tables):
    """The Rust source of `tables`, oldest first."""
    print(HEADER)
    for entry in tables:
        print(f"/// Read from CPython {entry['release']}.")
        print("#[rustfmt::skip]")
        print(f"pub(super) static V3_{entry['minor']}: Table = Table::new({entry['extended']}, &[")
        for op, name, caches, use, bits in entry["rows"]:
            call = f"Row::name({op}, {caches}, {use}, {bits})" if use else f"Row::plain({op}, {caches})"
            print(f"    {call}, // {name}")
        print("]);\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["table"]:
        print(json.dumps(table()))
    else:
        rust([json.loads(line) for line in sys.stdin])
