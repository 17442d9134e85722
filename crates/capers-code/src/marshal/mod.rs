//! CPython's marshal format, as far as code objects need it.
//!
//! marshal has no specification but `Python/marshal.c`. What stands here was read there, in a source of early 3.11;
//! what came later (qualified names in 3.11 itself, slices in 3.14, frozendicts in 3.15) was learned from the bytes
//! that the interpreters write, and all of it is checked against 3.11 to 3.15.
//!
//! A value is one type byte and its content. The top bit of the type byte (`FLAG_REF`) enters the value into a list, in
//! the order of the type bytes, and `TYPE_REF` with a list index stands for the same value again. Numbers are little-
//! endian.
//!
//! CPython sets `FLAG_REF` where the reference count happens to be above one, so its bytes vary with what the process
//! did before. [`Writer`] has fixed rules instead; its bytes are a function of the value. [`Tree`] reads either, and
//! [`canonicalize`] goes from one to the other. Writer and reader share nothing but the type bytes and the code header
//! here.

mod canonical;
mod lengths;
mod reader;
mod refs;
mod tree;
mod writer;

pub use canonical::canonicalize;
pub use lengths::is_cut_short;
pub use tree::{CodeId, CodeValue, Items, Long, Str, Tree, Value, ValueId};
pub use writer::Writer;

/// The numbers at the head of a code object, named as in the data model without `co_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeHeader {
    /// Positional parameters, positional-only ones included.
    pub argcount: i32,
    /// Positional-only parameters.
    pub posonlyargcount: i32,
    /// Keyword-only parameters.
    pub kwonlyargcount: i32,
    /// Stack slots a frame needs.
    pub stacksize: i32,
    /// `CO_*` flags.
    pub flags: i32,
}

/// Type bytes. Names are those of `Python/marshal.c`, without `TYPE_`.
mod tag {
    pub(super) const NULL: u8 = b'0';
    pub(super) const NONE: u8 = b'N';
    pub(super) const FALSE: u8 = b'F';
    pub(super) const TRUE: u8 = b'T';
    pub(super) const STOPITER: u8 = b'S';
    pub(super) const ELLIPSIS: u8 = b'.';
    pub(super) const INT: u8 = b'i';
    pub(super) const LONG: u8 = b'l';
    pub(super) const BINARY_FLOAT: u8 = b'g';
    pub(super) const BINARY_COMPLEX: u8 = b'y';
    pub(super) const STRING: u8 = b's';
    pub(super) const UNICODE: u8 = b'u';
    pub(super) const INTERNED: u8 = b't';
    pub(super) const ASCII: u8 = b'a';
    pub(super) const ASCII_INTERNED: u8 = b'A';
    pub(super) const SHORT_ASCII: u8 = b'z';
    pub(super) const SHORT_ASCII_INTERNED: u8 = b'Z';
    pub(super) const TUPLE: u8 = b'(';
    pub(super) const SMALL_TUPLE: u8 = b')';
    pub(super) const LIST: u8 = b'[';
    pub(super) const DICT: u8 = b'{';
    pub(super) const SET: u8 = b'<';
    pub(super) const FROZENSET: u8 = b'>';
    /// From marshal version 5 (3.14).
    pub(super) const SLICE: u8 = b':';
    /// From marshal version 6 (3.15); keys and values in turn, ended by `NULL`.
    pub(super) const FROZENDICT: u8 = b'}';
    pub(super) const CODE: u8 = b'c';
    pub(super) const REF: u8 = b'r';
    pub(super) const FLAG_REF: u8 = 0x80;
}

/// Marshal versions from which a type exists.
mod since {
    pub(super) const SLICE: u8 = 5;
    pub(super) const FROZENDICT: u8 = 6;
}
