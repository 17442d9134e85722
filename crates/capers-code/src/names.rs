//! Which entries of `co_names` a code object uses, and what for.
//!
//! What a function captures is decided by the names its bytecode looks up. `co_names` alone says too much: it mixes globals
//! with attributes, and a global `path` is not used by a function that says `os.path`. Only the bytecode tells the two
//! apart. One code object is scanned at a time; nested code objects stand in `co_consts` and are the caller's to visit.

use crate::bytecode::{Argument, Table};
use crate::version::Version;

/// What an instruction does with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameUse {
    /// Needs a global of that name: `LOAD_GLOBAL`, `LOAD_NAME`, `LOAD_FROM_DICT_OR_GLOBALS`, and the deletions, which fail
    /// without one. `LOAD_NAME`, in class bodies and modules, looks at the local namespace first.
    GlobalRead,
    /// Binds a global of that name whether or not there was one: `STORE_GLOBAL`, `STORE_NAME`.
    GlobalWrite,
    /// Names an attribute: `LOAD_ATTR`, `LOAD_METHOD` (3.11), `LOAD_SUPER_ATTR`, `STORE_ATTR`, `DELETE_ATTR`, `IMPORT_FROM`.
    Attribute,
    /// Names a module to import: `IMPORT_NAME`.
    Import,
}

/// Calls `sink` with each use of a name in `code` and its index into `co_names`, in the order of the instructions.
///
/// `code` is de-specialised bytecode of `version`, inline caches included: `co_code` as Python shows it. A name used twice is
/// reported twice. The index is whatever the bytecode says: for code of unknown origin it may lie outside `co_names`.
pub fn scan(version: Version, code: &[u8], mut sink: impl FnMut(NameUse, u32)) {
    let table = Table::of(version);
    let (units, _) = code.as_chunks::<2>();
    let mut extended = 0;
    let mut at = 0;
    while let Some(&[opcode, argument]) = units.get(at) {
        let entry = table.entry(opcode);
        at += 1 + entry.caches as usize;
        let argument = extended << 8 | u32::from(argument);
        extended = 0;
        match entry.argument {
            Argument::Plain => {}
            Argument::Extended => extended = argument,
            Argument::Name(use_, shift) => sink(use_, argument >> shift),
        }
    }
}
