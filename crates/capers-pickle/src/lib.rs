//! The pickle format: opcodes, argument codecs, reader and machine.
//!
//! No Python, no files, no clock, no environment, no unsafe code. The machine of [`machine`] is generic over a [`host`]
//! that makes objects; the extension's live host, the plain Rust values of [`plain`] and inspectors are hosts of one
//! machine, so they cannot disagree about what a pickle means. Reader and writer never import each other, and the machine
//! never imports a host.
#![forbid(unsafe_code)]

pub mod error;
pub mod host;
pub mod inspect;
pub mod limits;
pub mod listing;
pub mod machine;
pub mod memo;
pub mod opcode;
pub mod plain;
pub mod reader;
pub mod splice;
pub mod text;
pub mod weighed;
pub mod writer;

pub use error::{Error, ErrorKind, Locate};
pub use host::{Host, Items};
pub use machine::{Machine, Room};
pub use opcode::{Arg, Gives, HIGHEST_PROTOCOL, Info, Op, Takes};
pub use reader::{Ready, SliceSource, Source};
pub use writer::{Buffer, Checkpoint, FRAME_TARGET, Writer};
