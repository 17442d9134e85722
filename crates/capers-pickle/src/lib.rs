//! The pickle format: opcodes, argument codecs, reader and machine.
//!
//! No Python, no files, no clock, no environment, no unsafe code. The machine of [`machine`] is generic over a host that
//! makes objects; the extension's live host, the plain Rust values of [`plain`] and inspectors are hosts of one machine,
//! so they cannot disagree about what a pickle means.
#![forbid(unsafe_code)]

pub mod opcode;
pub mod writer;

pub use opcode::{Arg, Gives, HIGHEST_PROTOCOL, Info, Op, Takes};
pub use writer::{Checkpoint, FRAME_TARGET, Writer};
