//! The one error of this crate: what went wrong, and at which offset of the input.
//!
//! The value is one word wide so that `Result`s stay in registers on the hot path; it is built in cold functions and
//! turned into text only when shown. An error never holds bytes of the input.

use std::fmt;

use crate::version::Version;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input ends inside a value.
    Truncated,
    /// Bytes follow the end of the outermost value.
    TrailingBytes,
    /// A type byte that no supported marshal version has, or not this one.
    UnknownType(u8),
    /// A reference to a value that does not exist yet or is not finished.
    BadReference(i32),
    /// A negative length.
    BadLength(i32),
    /// Values nest deeper than [`limits::MAX_DEPTH`](crate::limits::MAX_DEPTH).
    TooDeep,
    /// Input or output is larger than its limit.
    TooLarge,
    /// A string marked as ASCII holds other bytes.
    NotAscii,
    /// A string is not UTF-8, not even with surrogates allowed.
    NotUtf8,
    /// An integer whose digits are out of range or start with zero.
    BadInteger,
    /// A field of a code object, or a key of a container, has a type that does not belong there.
    WrongType {
        /// The field, as the data model names it (`co_names`), or another place.
        field: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// `co_localsplusnames` and `co_localspluskinds` differ in length.
    UnevenLocals,
    /// A value of this type cannot be part of a code object of this version.
    NotConstant {
        /// The Python type.
        found: &'static str,
        /// The version whose marshal cannot carry it.
        version: Version,
    },
    /// A frozenset or frozendict was opened and not closed, or closed and not opened: a defect of the caller.
    Unbalanced,
    /// A wire tag that is not that of a supported version.
    UnknownTag(i64),
}

/// Why an operation of this crate failed.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    offset: Option<usize>,
}

impl Error {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, offset: None }))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn at(kind: ErrorKind, offset: usize) -> Self {
        Self(Box::new(Inner { kind, offset: Some(offset) }))
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Offset in the input, in bytes, of the value at fault; `None` when there is no input.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        self.0.offset
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated => write!(f, "marshal data is truncated"),
            Self::TrailingBytes => write!(f, "marshal data goes on after its end"),
            Self::UnknownType(byte) => write!(f, "unknown marshal type 0x{byte:02x}"),
            Self::BadReference(index) => {
                write!(f, "marshal reference {index} points to no finished value")
            }
            Self::BadLength(length) => write!(f, "marshal length {length} is negative"),
            Self::TooDeep => write!(f, "marshal data nests too deep"),
            Self::TooLarge => write!(f, "marshal data is too large"),
            Self::NotAscii => write!(f, "string marked as ASCII is not"),
            Self::NotUtf8 => write!(f, "string is not UTF-8"),
            Self::BadInteger => write!(f, "integer is not normalized"),
            Self::WrongType { field, found } => write!(f, "{field} cannot be '{found}'"),
            Self::UnevenLocals => write!(f, "co_localsplusnames and co_localspluskinds differ in length"),
            Self::NotConstant { found, version } => {
                write!(f, "code objects of Python {version} cannot hold '{found}' constants")
            }
            Self::Unbalanced => write!(f, "a container was not opened and closed in pairs"),
            Self::UnknownTag(tag) => match u32::try_from(tag) {
                Ok(tag) => write!(
                    f,
                    "unsupported code object of Python {}.{} (magic number {})",
                    tag >> 8 & 0xff,
                    tag & 0xff,
                    tag >> 16
                ),
                Err(_) => write!(f, "{tag} is not the tag of a code object"),
            },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.kind, f)?;
        match self.0.offset {
            Some(offset) => write!(f, " (at byte {offset})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}, offset {:?})", self.0.kind, self.0.offset)
    }
}

impl std::error::Error for Error {}
