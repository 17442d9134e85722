"""Write the Rust source of what each opcode means to a reader, from the running interpreter's own `opcode` and `dis`.

    for minor in 11 12 13 14 15; do
        python3.$minor crates/capers-code/tools/make_meanings.py > crates/capers-code/src/bytecode/meanings/v3_$minor.rs
    done

What an argument stands for is asked of `dis` itself, value by value, so that a listing says what `dis` says. Opcodes of
specialised or instrumented code are left out: they never show in `co_code`.
"""

import dis
import opcode
import sys

MINOR = sys.version_info[1]
PAIRS = ("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST")
# Opcodes whose argument selects something with a name, and how many low bits of it say nothing.
SELECT = {
    "BINARY_OP": 0,
    "CALL_INTRINSIC_1": 0,
    "CALL_INTRINSIC_2": 0,
    "COMPARE_OP": 0 if MINOR == 11 else 4,
    "CONTAINS_OP": 0,
    "CONVERT_VALUE": 0,
    "FORMAT_VALUE": 0,
    "IS_OP": 0,
    "LOAD_COMMON_CONSTANT": 0,
    "LOAD_SPECIAL": 0,
    "MAKE_FUNCTION": 0,
    "SET_FUNCTION_ATTRIBUTE": 0,
}
MOST = {"MAKE_FUNCTION": 16, "FORMAT_VALUE": 8, "IS_OP": 2, "CONTAINS_OP": 2, "SET_FUNCTION_ATTRIBUTE": 17}


def told(op, argument, names=None):
    """Return what `dis` shows beside an argument."""
    if hasattr(dis, "ArgResolver"):
        return dis.ArgResolver(names=names).get_argval_argrepr(op, argument, 0)[1]
    code = bytes([op, argument]) + bytes(2 * opcode._inline_cache_entries[op])
    return next(iter(dis._get_instructions_bytes(code, names=names))).argrepr


def selected(name, op):
    """Return the names that an argument selects from, in order, as far as `dis` has any."""
    shift, found = SELECT[name], []
    for index in range(MOST.get(name, 64)):
        try:
            found.append(told(op, index << shift) if (index << shift) < 256 else "")
        except (IndexError, KeyError):
            break
    while found and not found[-1]:
        found.pop()
    return shift, found


def flags(op, shift):
    """Return what stands around a name for each value of the bits below its index."""
    return [tuple(told(op, bits, ("name",) * 4).split("name")) for bits in range(1 << shift)]


def quoted(text):
    """Return a Rust text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def meaning(name, op):
    """Return the Rust expression for what the argument of an opcode means."""
    if op not in getattr(opcode, "hasarg", range(opcode.HAVE_ARGUMENT, 256)):
        return "Nothing"
    if op in opcode.hasname:
        shift = next(bits for bits in range(4) if told(op, 1 << bits, ("no", "name", "no", "no")).startswith("name"))
        around = ", ".join(f"({quoted(before)}, {quoted(after)})" for before, after in flags(op, shift))
        return f"Name({shift}, &[{around}])"
    if op in opcode.hasconst:
        return "Constant"
    if name in PAIRS:
        return "Locals"
    if op in opcode.haslocal or op in opcode.hasfree:
        return "Local"
    if op in opcode.hasjrel:
        return "Backward" if dis._is_backward_jump(op) else "Forward"
    if name in SELECT:
        shift, found = selected(name, op)
        if not found:  # older versions show the number only
            return "Number"
        return f"Select({shift}, &[{', '.join(map(quoted, found))}])"
    return "Number"


def main():
    """Print the module."""
    print(
        f"//! What the opcodes of CPython 3.{MINOR} mean to a reader. Written by `tools/make_meanings.py`; do not edit by hand.\n"
    )
    rows = [
        f"    ({op}, {quoted(name)}, {meaning(name, op)}),"
        for name, op in sorted(opcode.opmap.items(), key=lambda item: item[1])
        if op < 256 and not name.startswith("INSTRUMENTED_")
    ]
    used = sorted({row.split('", ')[1].split("(")[0].rstrip("),") for row in rows})
    print(f"use super::Meaning::{{self, {', '.join(used)}}};\n")
    print(f"/// Read from CPython {sys.version.split()[0]}.")
    print("#[rustfmt::skip]")
    print("pub(super) static OPCODES: &[(u8, &str, Meaning)] = &[")
    print("\n".join(rows))
    print("];")


if __name__ == "__main__":
    main()
