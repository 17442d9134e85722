//! Why loading failed: a Python exception, or a fault of the stream that becomes one at the door.
//!
//! One word wide, so that the results inside the loop travel in registers. Classes and texts are those of CPython's
//! `_pickle`.

use capers_pickle::{Error, ErrorKind, Locate, Op};
use pyo3::exceptions::{PyEOFError, PyMemoryError, PyOverflowError, PyValueError};
use pyo3::prelude::*;

use super::limits;
use super::state::State;

/// The instruction that failed: its offset, from where reading began, and its opcode, if it has one.
pub(super) type Place = Option<(u64, Option<Op>)>;

/// A failure of a load.
pub(super) struct Failure(Box<Cause>);

enum Cause {
    Python(PyErr, Place),
    /// Raised by code that no instruction called.
    Apart(PyErr),
    Stream(Error),
}

impl From<PyErr> for Failure {
    #[cold]
    fn from(error: PyErr) -> Self {
        Failure(Box::new(Cause::Python(error, None)))
    }
}

impl From<Error> for Failure {
    #[cold]
    fn from(error: Error) -> Self {
        Failure(Box::new(Cause::Stream(error)))
    }
}

impl Locate for Failure {
    fn locate(self, offset: u64, op: Option<Op>) -> Self {
        match *self.0 {
            Cause::Stream(error) => error.locate(offset, op).into(),
            Cause::Python(error, place) => Failure(Box::new(Cause::Python(error, place.or(Some((offset, op)))))),
            Cause::Apart(_) => self,
        }
    }
}

impl Failure {
    /// The failure that an exception is which has nothing to do with the instruction at hand.
    #[cold]
    pub(super) fn apart(error: PyErr) -> Self {
        Failure(Box::new(Cause::Apart(error)))
    }

    /// Whether the input ended too early.
    pub(super) fn is_truncated(&self) -> bool {
        matches!(&*self.0, Cause::Stream(error) if error.kind() == ErrorKind::Truncated)
    }

    /// The exception that a caller of `loads` sees, and which instruction raised it, if it was one.
    pub(super) fn into_exception(self, py: Python<'_>, state: &State) -> (PyErr, Place) {
        match *self.0 {
            Cause::Python(error, place) => (error, place),
            Cause::Apart(error) => (error, None),
            // The end of the input is where streams of pickles end, too.
            Cause::Stream(error) if error.kind() == ErrorKind::OutOfInput => (exception(py, state, &error), None),
            Cause::Stream(error) => {
                (exception(py, state, &error), error.offset().map(|offset| (offset, error.opcode())))
            }
        }
    }
}

fn exception(py: Python<'_>, state: &State, error: &Error) -> PyErr {
    let text = match error.kind() {
        ErrorKind::Limit(..) => return limits::exception(state.limit_error.bind(py), error),
        ErrorKind::OutOfMemory => return PyMemoryError::new_err(()),
        ErrorKind::OutOfInput => return PyEOFError::new_err("Ran out of input"),
        ErrorKind::UnsupportedProtocol(proto) => {
            return PyValueError::new_err(format!("unsupported pickle protocol: {proto}"));
        }
        ErrorKind::NegativePut => return PyValueError::new_err("negative PUT argument"),
        ErrorKind::TooLong => {
            let what = match error.opcode() {
                Some(Op::Frame) => "FRAME length exceeds system's maximum of",
                Some(Op::ByteArray8) => "BYTEARRAY8 exceeds system's maximum size of",
                Some(Op::BinUnicode | Op::BinUnicode8) => "BINUNICODE exceeds system's maximum size of",
                _ => "BINBYTES exceeds system's maximum size of",
            };
            return PyOverflowError::new_err(format!("{what} {} bytes", isize::MAX));
        }
        ErrorKind::Truncated => "pickle data was truncated".to_owned(),
        ErrorKind::UnknownOpcode(byte) => match byte {
            b'\'' | b'\\' => format!("invalid load key, '\\x{byte:02x}'."),
            0x20..=0x7e => format!("invalid load key, '{}'.", char::from(byte)),
            _ => format!("invalid load key, '\\x{byte:02x}'."),
        },
        ErrorKind::Underflow => "unpickling stack underflow".to_owned(),
        ErrorKind::UnexpectedMark => "unexpected MARK found".to_owned(),
        ErrorKind::NoMark => "could not find MARK".to_owned(),
        ErrorKind::MemoMissing(index) => format!("Memo value not found at index {index}"),
        ErrorKind::NegativeLength => {
            let what = if error.opcode() == Some(Op::BinString) { "BINSTRING" } else { "LONG" };
            format!("{what} pickle has negative byte count")
        }
        ErrorKind::OddItems => {
            let what = if error.opcode() == Some(Op::Dict) { "DICT" } else { "SETITEMS" };
            format!("odd number of items for {what}")
        }
        ErrorKind::Unquoted => "the STRING opcode argument must be quoted".to_owned(),
        ErrorKind::BadExtensionCode(_) => "EXT specifies code <= 0".to_owned(),
        ErrorKind::GlobalNotText => "STACK_GLOBAL requires str".to_owned(),
        // The text of the kind alone: CPython names no place.
        kind => kind.to_string(),
    };
    state.unpickling_error(py, text)
}
