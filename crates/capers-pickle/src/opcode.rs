//! The 68 opcodes of the pickle format, declared once.
//!
//! One row of the table below says everything that is fixed about an opcode: its byte, its name as `pickletools` spells
//! it, the kind of its inline argument, the first protocol that has it, its effect on the stack, and one line of
//! meaning. The enum, the decoder's dispatch, the names in errors, the listing and the documentation page derive from
//! it. Names, argument kinds, protocols and stack effects agree with CPython's `Lib/pickletools.py`, the authority on
//! terms; a test of the extension compares the two.
//!
//! This module knows nothing about values, sources or hosts.

/// How the inline argument of an opcode is written in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Arg {
    /// No argument.
    None,
    /// One byte, unsigned.
    U1,
    /// Two bytes, little-endian, unsigned.
    U2,
    /// Four bytes, little-endian, signed.
    I4,
    /// Four bytes, little-endian, unsigned.
    U4,
    /// Eight bytes, little-endian, unsigned.
    U8,
    /// Eight bytes, big-endian IEEE 754 double.
    F8,
    /// Decimal text up to a newline; `00` and `01` mean the two bools for `INT`.
    DecimalLine,
    /// Decimal text up to a newline with an optional trailing `L`.
    LongLine,
    /// Text of a float up to a newline.
    FloatLine,
    /// A quoted Python 2 string literal up to a newline.
    StringLine,
    /// Text up to a newline, taken as it is.
    Line,
    /// Two lines of text: module and qualname.
    LinePair,
    /// Raw-unicode-escape text up to a newline.
    UnicodeLine,
    /// One length byte and a two's complement little-endian integer.
    Long1,
    /// Four length bytes (signed) and a two's complement little-endian integer.
    Long4,
    /// One length byte and a Python 2 string.
    String1,
    /// Four length bytes (signed) and a Python 2 string.
    String4,
    /// One length byte and bytes.
    Bytes1,
    /// Four length bytes and bytes.
    Bytes4,
    /// Eight length bytes and bytes.
    Bytes8,
    /// Eight length bytes and the content of a bytearray.
    ByteArray8,
    /// One length byte and UTF-8 text (surrogates allowed).
    Unicode1,
    /// Four length bytes and UTF-8 text (surrogates allowed).
    Unicode4,
    /// Eight length bytes and UTF-8 text (surrogates allowed).
    Unicode8,
}

impl Arg {
    /// The name `pickletools` gives this kind of argument, or `None` where there is no argument.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Arg::None => return None,
            Arg::U1 => "uint1",
            Arg::U2 => "uint2",
            Arg::I4 => "int4",
            Arg::U4 => "uint4",
            Arg::U8 => "uint8",
            Arg::F8 => "float8",
            Arg::DecimalLine => "decimalnl_short",
            Arg::LongLine => "decimalnl_long",
            Arg::FloatLine => "floatnl",
            Arg::StringLine => "stringnl",
            Arg::Line => "stringnl_noescape",
            Arg::LinePair => "stringnl_noescape_pair",
            Arg::UnicodeLine => "unicodestringnl",
            Arg::Long1 => "long1",
            Arg::Long4 => "long4",
            Arg::String1 => "string1",
            Arg::String4 => "string4",
            Arg::Bytes1 => "bytes1",
            Arg::Bytes4 => "bytes4",
            Arg::Bytes8 => "bytes8",
            Arg::ByteArray8 => "bytearray8",
            Arg::Unicode1 => "unicodestring1",
            Arg::Unicode4 => "unicodestring4",
            Arg::Unicode8 => "unicodestring8",
        })
    }
}

/// What an opcode takes from the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Takes {
    /// This many values from the top.
    Values(u8),
    /// Everything above the topmost mark (of which at least `above` values), the mark, and `below` values under it.
    ToMark {
        /// Values under the mark.
        below: u8,
        /// Values above the mark that must be there.
        above: u8,
    },
}

/// What an opcode puts on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gives {
    /// This many values.
    Values(u8),
    /// A mark.
    Mark,
}

/// One row of the opcode table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// The opcode itself.
    pub op: Op,
    /// Its name as `pickletools` spells it.
    pub name: &'static str,
    /// The kind of its inline argument.
    pub arg: Arg,
    /// The first protocol that has it.
    pub proto: u8,
    /// What it takes from the stack.
    pub takes: Takes,
    /// What it puts on the stack.
    pub gives: Gives,
    /// One line of meaning.
    pub doc: &'static str,
}

macro_rules! takes {
    (mark) => {
        Takes::ToMark { below: 0, above: 0 }
    };
    ($below:literal + mark) => {
        Takes::ToMark { below: $below, above: 0 }
    };
    (mark + $above:literal) => {
        Takes::ToMark { below: 0, above: $above }
    };
    ($count:literal) => {
        Takes::Values($count)
    };
}

macro_rules! gives {
    (mark) => {
        Gives::Mark
    };
    ($count:literal) => {
        Gives::Values($count)
    };
}

macro_rules! opcodes {
    ($($variant:ident = $byte:literal, $name:literal, $arg:ident, $proto:literal,
       ($($takes:tt)+) => ($gives:tt), $doc:literal;)+) => {
        /// An opcode; its discriminant is its byte in the stream.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Op {
            $(#[doc = $doc] $variant = $byte,)+
        }

        impl Op {
            /// Every opcode with all that the table says of it, in the order of protocol and byte.
            pub const ALL: &'static [Info] = &[$(Info {
                op: Op::$variant,
                name: $name,
                arg: Arg::$arg,
                proto: $proto,
                takes: takes!($($takes)+),
                gives: gives!($gives),
                doc: $doc,
            },)+];

            /// The kind of its inline argument.
            #[inline]
            #[must_use]
            pub const fn arg(self) -> Arg {
                match self {
                    $(Op::$variant => Arg::$arg,)+
                }
            }
        }
    };
}

opcodes! {
    // Protocol 0.
    Mark = 0x28, "MARK", None, 0, (0) => (mark), "Push a mark";
    Stop = 0x2e, "STOP", None, 0, (1) => (0), "End the pickle; the top of the stack is its value";
    Pop = 0x30, "POP", None, 0, (1) => (0), "Discard the top of the stack, be it a value or a mark";
    Dup = 0x32, "DUP", None, 0, (1) => (2), "Push the top of the stack again";
    Float = 0x46, "FLOAT", FloatLine, 0, (0) => (1), "Push a float written as text";
    Int = 0x49, "INT", DecimalLine, 0, (0) => (1), "Push an int or a bool written as text";
    Long = 0x4c, "LONG", LongLine, 0, (0) => (1), "Push an int of any size written as text";
    None = 0x4e, "NONE", None, 0, (0) => (1), "Push None";
    PersId = 0x50, "PERSID", Line, 0, (0) => (1), "Push the object that a persistent id written as text stands for";
    Reduce = 0x52, "REDUCE", None, 0, (2) => (1), "Call a callable with a tuple of arguments and push the result";
    String = 0x53, "STRING", StringLine, 0, (0) => (1), "Push a Python 2 string written as a quoted literal";
    Unicode = 0x56, "UNICODE", UnicodeLine, 0, (0) => (1), "Push a str written in raw-unicode-escape";
    Append = 0x61, "APPEND", None, 0, (2) => (1), "Append a value to a list";
    Build = 0x62, "BUILD", None, 0, (2) => (1), "Give an object its state, by __setstate__ or attribute by attribute";
    Global = 0x63, "GLOBAL", LinePair, 0, (0) => (1), "Push the global of a module and qualname written as text";
    Dict = 0x64, "DICT", None, 0, (mark) => (1), "Make a dict of the keys and values above the mark";
    Get = 0x67, "GET", DecimalLine, 0, (0) => (1), "Push a memo entry; the index is text";
    Inst = 0x69, "INST", LinePair, 0, (mark) => (1), "Make an instance of the class named in the argument from the values above the mark";
    List = 0x6c, "LIST", None, 0, (mark) => (1), "Make a list of the values above the mark";
    Put = 0x70, "PUT", DecimalLine, 0, (0) => (0), "Store the top of the stack in the memo; the index is text";
    SetItem = 0x73, "SETITEM", None, 0, (3) => (1), "Set one key and value in a dict";
    Tuple = 0x74, "TUPLE", None, 0, (mark) => (1), "Make a tuple of the values above the mark";

    // Protocol 1.
    EmptyTuple = 0x29, "EMPTY_TUPLE", None, 1, (0) => (1), "Push an empty tuple";
    PopMark = 0x31, "POP_MARK", None, 1, (mark) => (0), "Discard everything down to and including the topmost mark";
    BinFloat = 0x47, "BINFLOAT", F8, 1, (0) => (1), "Push a float";
    BinInt = 0x4a, "BININT", I4, 1, (0) => (1), "Push an int of four bytes";
    BinInt1 = 0x4b, "BININT1", U1, 1, (0) => (1), "Push an int of one byte";
    BinInt2 = 0x4d, "BININT2", U2, 1, (0) => (1), "Push an int of two bytes";
    BinPersId = 0x51, "BINPERSID", None, 1, (1) => (1), "Replace a persistent id by the object it stands for";
    BinString = 0x54, "BINSTRING", String4, 1, (0) => (1), "Push a Python 2 string";
    ShortBinString = 0x55, "SHORT_BINSTRING", String1, 1, (0) => (1), "Push a Python 2 string of less than 256 bytes";
    BinUnicode = 0x58, "BINUNICODE", Unicode4, 1, (0) => (1), "Push a str";
    EmptyList = 0x5d, "EMPTY_LIST", None, 1, (0) => (1), "Push an empty list";
    Appends = 0x65, "APPENDS", None, 1, (1 + mark) => (1), "Extend a list by the values above the mark";
    BinGet = 0x68, "BINGET", U1, 1, (0) => (1), "Push a memo entry; the index is one byte";
    LongBinGet = 0x6a, "LONG_BINGET", U4, 1, (0) => (1), "Push a memo entry; the index is four bytes";
    Obj = 0x6f, "OBJ", None, 1, (mark + 1) => (1), "Make an instance of the first value above the mark from the other values there";
    BinPut = 0x71, "BINPUT", U1, 1, (0) => (0), "Store the top of the stack in the memo; the index is one byte";
    LongBinPut = 0x72, "LONG_BINPUT", U4, 1, (0) => (0), "Store the top of the stack in the memo; the index is four bytes";
    SetItems = 0x75, "SETITEMS", None, 1, (1 + mark) => (1), "Set the keys and values above the mark in a dict";
    EmptyDict = 0x7d, "EMPTY_DICT", None, 1, (0) => (1), "Push an empty dict";

    // Protocol 2.
    Proto = 0x80, "PROTO", U1, 2, (0) => (0), "State the protocol";
    NewObj = 0x81, "NEWOBJ", None, 2, (2) => (1), "Call __new__ of a class with a tuple of arguments";
    Ext1 = 0x82, "EXT1", U1, 2, (0) => (1), "Push the global of an extension code of one byte";
    Ext2 = 0x83, "EXT2", U2, 2, (0) => (1), "Push the global of an extension code of two bytes";
    Ext4 = 0x84, "EXT4", I4, 2, (0) => (1), "Push the global of an extension code of four bytes";
    Tuple1 = 0x85, "TUPLE1", None, 2, (1) => (1), "Make a tuple of the top value";
    Tuple2 = 0x86, "TUPLE2", None, 2, (2) => (1), "Make a tuple of the top two values";
    Tuple3 = 0x87, "TUPLE3", None, 2, (3) => (1), "Make a tuple of the top three values";
    NewTrue = 0x88, "NEWTRUE", None, 2, (0) => (1), "Push True";
    NewFalse = 0x89, "NEWFALSE", None, 2, (0) => (1), "Push False";
    Long1 = 0x8a, "LONG1", Long1, 2, (0) => (1), "Push an int of less than 256 bytes";
    Long4 = 0x8b, "LONG4", Long4, 2, (0) => (1), "Push an int of any size";

    // Protocol 3.
    BinBytes = 0x42, "BINBYTES", Bytes4, 3, (0) => (1), "Push bytes";
    ShortBinBytes = 0x43, "SHORT_BINBYTES", Bytes1, 3, (0) => (1), "Push less than 256 bytes";

    // Protocol 4.
    ShortBinUnicode = 0x8c, "SHORT_BINUNICODE", Unicode1, 4, (0) => (1), "Push a str of less than 256 bytes of UTF-8";
    BinUnicode8 = 0x8d, "BINUNICODE8", Unicode8, 4, (0) => (1), "Push a str of any length";
    BinBytes8 = 0x8e, "BINBYTES8", Bytes8, 4, (0) => (1), "Push bytes of any length";
    EmptySet = 0x8f, "EMPTY_SET", None, 4, (0) => (1), "Push an empty set";
    AddItems = 0x90, "ADDITEMS", None, 4, (1 + mark) => (1), "Add the values above the mark to a set";
    FrozenSet = 0x91, "FROZENSET", None, 4, (mark) => (1), "Make a frozenset of the values above the mark";
    NewObjEx = 0x92, "NEWOBJ_EX", None, 4, (3) => (1), "Call __new__ of a class with a tuple of arguments and a dict of keyword arguments";
    StackGlobal = 0x93, "STACK_GLOBAL", None, 4, (2) => (1), "Push the global whose module and qualname are on the stack";
    Memoize = 0x94, "MEMOIZE", None, 4, (1) => (1), "Store the top of the stack in the memo under the next index";
    Frame = 0x95, "FRAME", U8, 4, (0) => (0), "Announce how many bytes belong together";

    // Protocol 5.
    ByteArray8 = 0x96, "BYTEARRAY8", ByteArray8, 5, (0) => (1), "Push a bytearray";
    NextBuffer = 0x97, "NEXT_BUFFER", None, 5, (0) => (1), "Push the next out-of-band buffer";
    ReadOnlyBuffer = 0x98, "READONLY_BUFFER", None, 5, (1) => (1), "Make an out-of-band buffer read-only";
}

/// For each byte, the place of its opcode in [`Op::ALL`], or 0xff.
const INDEX: [u8; 256] = {
    let mut index = [0xff; 256];
    let mut at = 0;
    while at < Op::ALL.len() {
        let byte = Op::ALL[at].op as usize;
        assert!(index[byte] == 0xff, "two opcodes have one byte");
        index[byte] = at as u8;
        at += 1;
    }
    index
};

/// For each byte, its opcode.
static OPS: [Option<Op>; 256] = {
    let mut ops = [None; 256];
    let mut at = 0;
    while at < Op::ALL.len() {
        ops[Op::ALL[at].op as usize] = Some(Op::ALL[at].op);
        at += 1;
    }
    ops
};

impl Op {
    /// The opcode whose byte this is.
    #[inline]
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Op> {
        OPS[byte as usize]
    }

    /// Its byte in the stream.
    #[inline]
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// All that the table says of it.
    #[must_use]
    pub const fn info(self) -> &'static Info {
        &Op::ALL[INDEX[self as usize] as usize]
    }

    /// Its name as `pickletools` spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.info().name
    }

    /// The first protocol that has it.
    #[must_use]
    pub const fn proto(self) -> u8 {
        self.info().proto
    }
}

/// The highest protocol there is.
pub const HIGHEST_PROTOCOL: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_68_opcodes_and_each_finds_itself() {
        assert_eq!(Op::ALL.len(), 68);
        for info in Op::ALL {
            assert_eq!(Op::from_byte(info.op.byte()), Some(info.op));
            assert_eq!(info.op.info(), info);
            assert_eq!(info.op.arg(), info.arg);
            assert!(info.proto <= HIGHEST_PROTOCOL);
        }
        assert_eq!((0..=255).filter_map(Op::from_byte).count(), 68);
    }

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<_> = Op::ALL.iter().map(|info| info.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 68);
    }
}
