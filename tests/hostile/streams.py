"""The corpus, first part: pickles that were whole once, claims, the stack, frames, lines of text."""

import itertools
import pickle
import pickletools
import struct

from . import gallery
from .corpus import DOT, OPCODES, VALUES, Stream, argument_of, category, named, text, u1, u4, u8
from .objects import MODULE

# ---------------------------------------------------------------- pickles that were whole once


def blocks(data):
    """Return the spans of *data* that are code: to break them is to break the interpreter, not the unpickler."""
    found, last = [], None
    for op, argument, at in pickletools.genops(data):
        if last is not None:
            found.append((last, at))
            last = None
        if op.name.startswith(("BINBYTES", "SHORT_BINBYTES")) and len(argument) > 20:
            last = at
    return found


@category
def truncations(dice):
    """Every beginning of every pickle of the galleries, at every protocol."""
    for data in gallery.data_pickles():
        if len(data) <= 400:
            ends = range(len(data))
        else:
            ends = sorted(dice.sample(range(len(data)), 200))
        for end in ends:
            yield Stream(data[:end])
    for data in gallery.shipped():
        for end in range(len(data)):
            yield Stream(data[:end], door="gallery")


@category
def flipped_bits(dice):
    """Pickles of the galleries with one bit changed."""
    for data in gallery.data_pickles():
        places = range(len(data) * 8)
        for place in places if len(data) <= 25 else sorted(dice.sample(places, min(len(places), 150))):
            changed = bytearray(data)
            changed[place // 8] ^= 1 << place % 8
            yield Stream(bytes(changed))
    for data in gallery.shipped():
        code = blocks(data)
        for place in sorted(dice.sample(range(len(data) * 8), min(len(data) * 8, 400))):
            if any(start <= place // 8 < end for start, end in code):
                continue
            changed = bytearray(data)
            changed[place // 8] ^= 1 << place % 8
            yield Stream(bytes(changed), door="gallery")


@category
def changed_bytes(dice):
    """Pickles of the gallery with bytes changed, put in, taken out, doubled, or mixed with others."""
    pool = list(gallery.data_pickles())
    opcodes = list(OPCODES.values())
    for _ in range(12_000):
        data = bytearray(dice.choice(pool))
        for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
            at, how = dice.randrange(len(data) + 1), dice.randrange(7)
            if how == 0:
                data[at : at + 1] = bytes([dice.randrange(256)])
            elif how == 1:
                data[at : at + 1] = dice.choice(opcodes)
            elif how == 2:
                data[at:at] = dice.choice(opcodes)
            elif how == 3:
                del data[at : at + dice.randrange(1, 9)]
            elif how == 4:
                data[at:at] = data[at : at + dice.randrange(1, 30)]
            elif how == 5:
                data[at:at] = dice.choice(list(VALUES.values()))
            else:
                other = dice.choice(pool)
                start = dice.randrange(len(other))
                data[at:at] = other[start : start + dice.randrange(1, 60)]
        yield Stream(bytes(data))


# ---------------------------------------------------------------- claims


LENGTHS = [0, 1, 2, 127, 128, 255, 256, 65535, 65536, 2**24, 2**30, 2**31 - 2, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1,
           2**32, 2**33, 2**40, 2**47, 2**62, 2**63 - 2, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1]  # fmt: skip


@category
def lengths(dice):
    """Counted arguments that claim more than there is, up to 2**64."""
    counted = {
        1: [pickle.SHORT_BINSTRING, pickle.SHORT_BINUNICODE, pickle.SHORT_BINBYTES, pickle.LONG1],
        4: [pickle.BINSTRING, pickle.BINUNICODE, pickle.BINBYTES, pickle.LONG4],
        8: [pickle.BINUNICODE8, pickle.BINBYTES8, pickle.BYTEARRAY8, pickle.FRAME],
    }
    for width, opcodes in counted.items():
        for opcode, length in itertools.product(opcodes, LENGTHS):
            if length >= 1 << 8 * width:
                continue
            claim = opcode + length.to_bytes(width, "little")
            for body in (b"", b".", b"ab.", b"\x80" * 300, b"x" * 70_000):
                yield Stream(claim + body)
            for before in (pickle.PROTO + b"\4", pickle.MARK, pickle.EMPTY_LIST + pickle.MARK + pickle.NONE):
                yield Stream(before + claim + b"abc" + DOT)
            if opcode != pickle.FRAME:
                frame = claim + b"ab" + DOT
                for size in (0, 1, 2, len(frame) - 1, len(frame), len(frame) + 1, 2**40, 2**63):
                    yield Stream(pickle.PROTO + b"\4" + pickle.FRAME + u8(size) + frame)
            if length <= 300:
                yield Stream(claim + b"\x7f" * length + DOT)
            # Many claims in a row, each of which would have to be met.
            if length < 2**63:
                yield Stream((claim + b"ab") * 50)


INDICES = [0, 1, 2, 3, 255, 256, 1023, 1024, 1025, 2**16, 2**20, 2**24, 2**28, 2**31 - 1, 2**31, 2**32 - 1]


@category
def memo_indices(dice):
    """Memo indices far beyond what is stored, below zero, and of odd spelling."""
    spelt = [
        str(n)
        for n in [*INDICES, 2**32, 2**40, 2**62, 2**63 - 1, 2**63, 2**64, 10**40, -1, -2, -(2**31), -(2**63), -(2**64)]
    ]
    spelt += [" 1", "1 ", "+1", "-0", "00", "01", "0x1", "0b1", "1_0", "1L", "1.0", "1e3", "", "-", "+", "x", "1\0", "\0001", "1\r",
              "\u0661", "9" * 5000, "0" * 5000, "1" + "\0" * 100, "nan", "True", "None"]  # fmt: skip
    for number in spelt:
        line = number.encode("utf-8") + b"\n"
        for opcode in (pickle.PUT, pickle.GET):
            for before in (
                b"",
                pickle.NONE,
                pickle.MARK,
                pickle.NONE + pickle.PUT + b"0\n",
                pickle.NONE + pickle.MEMOIZE,
            ):
                for after in (DOT, pickle.GET + line + DOT, b""):
                    yield Stream(before + opcode + line + after)
    for index in INDICES:
        put = pickle.LONG_BINPUT + u4(index)
        get = pickle.LONG_BINGET + u4(index)
        for before in (b"", pickle.NONE, pickle.MARK, pickle.EMPTY_LIST + put, pickle.NONE + pickle.MEMOIZE * 3):
            yield Stream(before + put + DOT)
            yield Stream(before + get + DOT)
            yield Stream(before + put + pickle.POP + get + pickle.MEMOIZE + get + DOT)
        if index < 256:
            yield Stream(pickle.NONE + pickle.BINPUT + u1(index) + pickle.BINGET + u1(index) + DOT)
            yield Stream(pickle.BINGET + u1(index) + DOT)
    for step in (1, 3, 255, 1000, 4097, 2**16, 2**20, 2**24):
        # Entries further and further apart, then asked for in turn.
        order = [n * step for n in range(500) if n * step < 2**32]
        dice.shuffle(order)
        puts = b"".join(pickle.LONG_BINPUT + u4(n) for n in order)
        gets = b"".join(pickle.LONG_BINGET + u4(n) + pickle.POP for n in order)
        yield Stream(pickle.NONE + puts + gets + DOT)
        yield Stream(pickle.NONE + puts + pickle.MEMOIZE * 2000 + gets + DOT)
        yield Stream(pickle.EMPTY_LIST + puts + pickle.MARK + gets.replace(pickle.POP, b"") + pickle.APPENDS + DOT)


# ---------------------------------------------------------------- the stack


@category
def stack_and_marks(dice):
    """Every opcode on stacks of every small shape, marks among the values."""
    shapes = [shape for count in range(5) for shape in itertools.product(b"N(", repeat=count)]
    tops = [b"", pickle.EMPTY_LIST, pickle.EMPTY_DICT, pickle.EMPTY_SET, named("pack") + pickle.EMPTY_TUPLE]
    for opcode in OPCODES.values():
        for shape in shapes:
            yield Stream(bytes(shape) + opcode + argument_of(opcode) + DOT)
        for shape, top in itertools.product(shapes[:15], tops[1:]):
            yield Stream(bytes(shape) + top + opcode + argument_of(opcode) + DOT)
            yield Stream(top + bytes(shape) + opcode + argument_of(opcode) + DOT)
    for _ in range(3000):
        # Only opcodes that move the stack, so that most programs get somewhere.
        moves = dice.choices([b"N", b"(", b"0", b"1", b"2", b"]", b"}", b"\x8f", b")", b"a", b"e", b"s", b"u", b"\x90", b"\x91",
                              b"\x85", b"\x86", b"\x87", b"t", b"l", b"d", b"\x94", b"h\0", b"K\1"], k=dice.randrange(1, 40))  # fmt: skip
        yield Stream(b"".join(moves) + DOT)


@category
def random_bytes(dice):
    """Bytes, opcodes and arguments at random."""
    opcodes = list(OPCODES.values())
    for count in range(256):
        yield Stream(bytes([count]))
        yield Stream(bytes([count]) + DOT)
        yield Stream(pickle.PROTO + bytes([count]) + pickle.NONE + DOT)
    for _ in range(2000):
        yield Stream(dice.randbytes(dice.randrange(1, 60)))
    for _ in range(4000):
        program = b"".join(op + argument_of(op) for op in dice.choices(opcodes, k=dice.randrange(1, 30)))
        yield Stream(program + DOT)
    for _ in range(2000):
        ops = dice.choices(opcodes, k=dice.randrange(1, 20))
        yield Stream(
            b"".join(op + dice.randbytes(len(argument_of(op)) if dice.random() < 0.9 else 3) for op in ops) + DOT
        )


# ---------------------------------------------------------------- frames and protocols


@category
def frames(dice):
    """Frames that are nested, short, long, empty, doubled or cut."""
    body = (
        pickle.EMPTY_LIST
        + pickle.MARK
        + text("abc")
        + pickle.BININT1
        + b"\5"
        + pickle.LONG1
        + b"\2ab"
        + pickle.APPENDS
        + DOT
    )
    for size in [*range(len(body) + 12), *LENGTHS]:
        frame = pickle.FRAME + u8(size)
        for proto in (b"", pickle.PROTO + b"\2", pickle.PROTO + b"\4", pickle.PROTO + b"\5"):
            yield Stream(proto + frame + body)
            yield Stream(proto + pickle.NONE + frame + body)
        yield Stream(frame + frame + body)
        yield Stream(frame + pickle.FRAME + u8(3) + body)
        yield Stream(pickle.FRAME + u8(3) + frame + body)
        yield Stream(pickle.FRAME + u8(0) + frame + body + body)
        yield Stream(body[:-1] + pickle.POP + frame + body)
        for cut in range(1, 9):
            yield Stream(frame[:cut])
        # A frame that ends in the middle of each kind of argument.
        for piece in (
            pickle.BININT + b"\1\1\1\1",
            b"I12345\n",
            named("pack"),
            pickle.BINBYTES + u4(5) + b"hello",
            b"p0\n",
        ):
            if size <= len(piece) + 3:
                yield Stream(pickle.PROTO + b"\4" + frame + pickle.NONE + piece + DOT)
                yield Stream(pickle.PROTO + b"\4" + frame + piece + pickle.FRAME + u8(1) + DOT)
    for _ in range(400):
        cuts = sorted(dice.sample(range(len(body)), dice.randrange(1, 5)))
        parts = [body[a:b] for a, b in itertools.pairwise([0, *cuts, len(body)])]
        yield Stream(
            b"".join(pickle.FRAME + u8(len(part) + dice.choice((0, 0, 0, -1, 1))) + part for part in parts if part)
        )


@category
def protocols(dice):
    """PROTO of every number, anywhere, again and again, or cut."""
    for proto in range(256):
        for body in (pickle.NONE + DOT, named("pack") + DOT, text("x") * 2 + pickle.STACK_GLOBAL + DOT, b""):
            yield Stream(pickle.PROTO + u1(proto) + body)
    for first, second in itertools.product(range(7), repeat=2):
        yield Stream(pickle.PROTO + u1(first) + pickle.PROTO + u1(second) + named("Outer.Inner") + DOT)
        yield Stream(
            pickle.PROTO
            + u1(first)
            + named("xrange", "__builtin__")
            + pickle.POP
            + pickle.PROTO
            + u1(second)
            + pickle.NONE
            + DOT
        )
    yield Stream(pickle.PROTO)
    yield Stream(pickle.PROTO * 3 + DOT)


# ---------------------------------------------------------------- lines of text


LINES = ["", "0", "1", "00", "01", "02", "10", "-0", "+0", "+1", "-1", " 1", "1 ", "1L", "L", "1l", "0x10", "0X1F", "0b1", "0o7", "010",
         "1_000", "_1", "--1", "1.5", ".5", "5.", "1e5", "1e400", "-1e400", "nan", "-nan", "inf", "-inf", "infinity", "1e", "e1", "0x1p3",
         "True", "False", "I01", "\0", "1\0", "\0001", "1\x002", "\t7", "7\r", "\x0b7", "\x0c7", "\xa07", "\u0661", "9223372036854775807",
         "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1" * 4300, "1" * 4301, "1" * 20_000, "'", "''", '"', '""',
         "'\"", "'a", "a'", "'a'", '"a"', "'a' ", " 'a'", "'a'b", "'\\", "'\\'", "'\\n'", "'\\x4'", "'\\x41'", "'\\xzz'", "'\\777'",
         "'\\u1234'", "'\\N{DASH}'", "'\\q'", "'é'", "'\\xff'", "é", "\\", "\\u", "\\u12", "\\u1234", "\\ud800", "\\U0001f600", "\\U00110000",
         "\\Uffffffff", "\\u005c\\u000a", "\\x41", "a\\", "\\\\u1234", "\\\\\\u1234", "\ud800", "\U0001f600", "x" * 5000, "a.b", "a..b", ".",
         "..", "a.", ".a", "hostile.objects", "hostile", "os", "builtins", "a\0b", "None", "pack", "\ufeff1", "\u2028"]  # fmt: skip


@category
def lines(dice):
    """Lines of text that are not what their opcode expects."""
    raw = [line.encode("utf-8", "surrogatepass") for line in LINES] + [
        line.encode("latin-1", "ignore") for line in LINES
    ]
    raw += [b"\xff", b"\x80\x81", b"'\xff\xfe'", b"\xc3", b"\xed\xa0\x80", b"'\xc3\xa9'", b"\xf4\x90\x80\x80"]
    raw = list(dict.fromkeys(raw))
    for opcode in (pickle.INT, pickle.LONG, pickle.FLOAT, pickle.STRING, pickle.UNICODE, pickle.PERSID):
        for line in raw:
            yield Stream(opcode + line + b"\n" + DOT)
            yield Stream(opcode + line)
            yield Stream(pickle.PROTO + b"\4" + pickle.FRAME + u8(len(line)) + opcode + line + b"\n" + DOT)
    for opcode, before in ((pickle.GLOBAL, b""), (pickle.INST, pickle.MARK)):
        for line in raw:
            for module, name in ((line, b"pack"), (MODULE.encode(), line), (line, line)):
                for proto in (b"", pickle.PROTO + b"\4"):
                    yield Stream(proto + before + opcode + module + b"\n" + name + b"\n" + DOT)
            yield Stream(before + opcode + line + b"\n")
            yield Stream(before + opcode + line + b"\nx")
    for ending in (b"\r\n", b"\r", b"\n\n", b"\0", b""):
        for opcode in (pickle.INT, pickle.STRING, pickle.GET, pickle.UNICODE, pickle.GLOBAL):
            yield Stream(opcode + b"1" + ending + b"1" + ending + DOT)


@category
def numbers_and_text(dice):
    """Binary numbers and text at their edges."""
    for count in range(256):
        for pattern in (b"\0", b"\xff", b"\x7f", b"\x80", b"\x01"):
            yield Stream(pickle.LONG1 + u1(count) + pattern * count + DOT)
    for sign in (0, 1, 4, 300, 2**31 - 1, 2**31, 2**32 - 1):
        yield Stream(pickle.LONG4 + u4(sign) + b"\xff" * min(sign, 300) + DOT)
        yield Stream(pickle.BINSTRING + u4(sign) + b"\xff" * min(sign, 300) + DOT)
    for bits in [
        0,
        1,
        0x7FF0 << 48,
        0xFFF0 << 48,
        0x7FF8 << 48,
        0x7FF0000000000001,
        (1 << 64) - 1,
        1 << 63,
        0x000FFFFFFFFFFFFF,
    ]:
        yield Stream(pickle.BINFLOAT + struct.pack(">Q", bits) + DOT)
    odd = [b"\x80", b"\xc0\x80", b"\xc1\xbf", b"\xc2", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80",
           b"\xf0\x80\x80\x80", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xff", b"\xfe\xff", b"a\0b", b"\0",
           "\u0130\u00e9".encode(), "\U0010ffff".encode(), b"\xe2\x82", b"\xf0\x9f\x98", b"\xef\xbb\xbf", b"abc\xed\xa0"]  # fmt: skip
    for raw in odd:
        for around in (raw, b"ascii" * 20 + raw, raw + "é".encode() * 20, raw * 30):
            yield Stream(pickle.SHORT_BINUNICODE + u1(len(around) & 255) + around + DOT)
            yield Stream(pickle.BINUNICODE + u4(len(around)) + around + DOT)
            yield Stream(pickle.BINUNICODE8 + u8(len(around)) + around + DOT)
            yield Stream(pickle.SHORT_BINSTRING + u1(len(around) & 255) + around + DOT)
            yield Stream(pickle.BINSTRING + u4(len(around)) + around + DOT)
            yield Stream(pickle.UNICODE + around.replace(b"\n", b"") + b"\n" + DOT)
