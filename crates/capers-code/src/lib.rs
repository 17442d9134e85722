//! CPython code objects as data.
//!
//! This crate owns what capers knows about the *inside* of code objects: which CPython versions there are ([`Version`]),
//! how `marshal` lays a code object out ([`marshal`]), how a version's bytecode is read ([`bytecode`]), and which names a
//! code object looks up ([`names`]). It works on bytes alone: it links no Python, opens no files, reads no clock, and
//! contains no `unsafe`.
//!
//! Two users stand in front of it. The extension writes live code objects with [`marshal::Writer`] and asks [`names::scan`]
//! what to capture; there speed counts. The command line reads bytes of unknown origin with [`marshal::Tree`]; there
//! nothing may crash, recurse or allocate ahead of the input, and every fixed cap lives in [`limits`]. What it shows stands in
//! [`outline`] (what a function is called, takes and uses), [`disassembly`] and [`repr`].

#![forbid(unsafe_code)]

pub mod bytecode;
pub mod disassembly;
mod error;
pub mod limits;
pub mod marshal;
pub mod names;
pub mod outline;
pub mod repr;
mod version;

pub use error::{Error, ErrorKind};
pub use names::{NameUse, scan};
pub use version::Version;
