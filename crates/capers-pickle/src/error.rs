//! Why reading a pickle failed, and where.
//!
//! One word wide, so that a `Result` of it travels in registers; made in cold functions; formatted only when shown. The
//! kinds are stable: a host turns them into its own exceptions by matching, never by reading the text.

use std::fmt;

use crate::opcode::Op;

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input ended where an opcode was expected.
    OutOfInput,
    /// The input ended inside an instruction.
    Truncated,
    /// An argument crosses the end of its frame.
    FrameExhausted,
    /// A frame begins before the one around it has ended.
    FrameNested,
    /// No opcode has this byte.
    UnknownOpcode(u8),
    /// An opcode needed more values than the stack has.
    Underflow,
    /// An opcode needed a value where the stack has a mark.
    UnexpectedMark,
    /// An opcode needed a mark and there is none.
    NoMark,
    /// The memo has no entry at this index.
    MemoMissing(i64),
    /// `PUT` with an index below zero.
    NegativePut,
    /// A memo index that is not a number, or too big a one.
    BadMemoIndex,
    /// `PROTO` with a protocol that nobody has defined.
    UnsupportedProtocol(u8),
    /// A length that no object can have.
    TooLong,
    /// `LONG4` or `BINSTRING` with a length below zero.
    NegativeLength,
    /// Keys without values.
    OddItems,
    /// `STRING` without its quotes.
    Unquoted,
    /// Text that is not an integer.
    BadInt,
    /// Text that is not a float.
    BadFloat,
    /// Text or bytes that the encoding does not allow.
    BadText,
    /// `EXT` with a code below one.
    BadExtensionCode(i32),
    /// `STACK_GLOBAL` of something that is not a str.
    GlobalNotText,
    /// An operand of a kind that the opcode cannot use; the text names what was expected.
    BadOperand(&'static str),
    /// There is no memory for what the pickle asks for.
    OutOfMemory,
    /// A cap of [`crate::limits::Limits`] was reached; the text names it.
    Limit(&'static str),
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ErrorKind::OutOfInput => f.write_str("ran out of input"),
            ErrorKind::Truncated => f.write_str("pickle data was truncated"),
            ErrorKind::FrameExhausted => f.write_str("pickle exhausted before end of frame"),
            ErrorKind::FrameNested => f.write_str("beginning of a new frame before end of current frame"),
            ErrorKind::UnknownOpcode(byte) => write!(f, "no opcode has the byte {byte:#04x}"),
            ErrorKind::Underflow => f.write_str("the stack has too few values"),
            ErrorKind::UnexpectedMark => f.write_str("the stack has a mark where a value is needed"),
            ErrorKind::NoMark => f.write_str("the stack has no mark"),
            ErrorKind::MemoMissing(index) => write!(f, "the memo has no entry {index}"),
            ErrorKind::NegativePut => f.write_str("memo index below zero"),
            ErrorKind::BadMemoIndex => f.write_str("memo index is not a number in range"),
            ErrorKind::UnsupportedProtocol(proto) => write!(f, "unsupported pickle protocol: {proto}"),
            ErrorKind::TooLong => f.write_str("length exceeds what an object can have"),
            ErrorKind::NegativeLength => f.write_str("length below zero"),
            ErrorKind::OddItems => f.write_str("odd number of keys and values"),
            ErrorKind::Unquoted => f.write_str("the string literal is not quoted"),
            ErrorKind::BadInt => f.write_str("could not convert string to int"),
            ErrorKind::BadFloat => f.write_str("could not convert string to float"),
            ErrorKind::BadText => f.write_str("text is not in the expected encoding"),
            ErrorKind::BadExtensionCode(code) => write!(f, "extension code {code} is below one"),
            ErrorKind::GlobalNotText => f.write_str("module and qualname must be str"),
            ErrorKind::BadOperand(expected) => write!(f, "operand is not {expected}"),
            ErrorKind::OutOfMemory => f.write_str("out of memory"),
            ErrorKind::Limit(limit) => write!(f, "the limit on {limit} was reached"),
        }
    }
}

/// An [`ErrorKind`] with its place in the stream.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    offset: Option<u64>,
    op: Option<Op>,
}

impl Error {
    /// An error whose place [`Error::locate`] tells later.
    #[cold]
    #[must_use]
    pub fn new(kind: ErrorKind) -> Error {
        Error(Box::new(Inner { kind, offset: None, op: None }))
    }

    /// What was wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The offset in bytes of the instruction that failed, from where reading began.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// The opcode of the instruction that failed.
    #[must_use]
    pub fn opcode(&self) -> Option<Op> {
        self.0.op
    }
}

/// An error that can be told where it happened.
pub trait Locate: Sized {
    /// The same error with the place of the failed instruction, unless it had one.
    #[must_use]
    fn locate(self, offset: u64, op: Option<Op>) -> Self;
}

impl Locate for Error {
    fn locate(mut self, offset: u64, op: Option<Op>) -> Self {
        if self.0.offset.is_none() {
            self.0.offset = Some(offset);
            self.0.op = op;
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(f)?;
        match (self.0.op, self.0.offset) {
            (Some(op), Some(offset)) => write!(f, " ({} at byte {offset})", op.name()),
            (None, Some(offset)) => write!(f, " (at byte {offset})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}, {self})", self.0.kind)
    }
}

impl std::error::Error for Error {}
