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

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(version: Version, code: &[u8]) -> Vec<(NameUse, u32)> {
        let mut uses = Vec::new();
        scan(version, code, |use_, index| uses.push((use_, index)));
        uses
    }

    #[test]
    fn arguments_are_extended_then_shifted() {
        // 3.13: EXTENDED_ARG is 71, LOAD_GLOBAL 91, LOAD_SUPER_ATTR 93.
        let code = [71, 1, 71, 2, 93, 3];
        assert_eq!(uses(Version::V3_13, &code), [(NameUse::Attribute, 0x01_02_03 >> 2)]);
        // The extension is used up by the instruction that follows it.
        let code = [71, 1, 91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 91, 2];
        assert_eq!(uses(Version::V3_13, &code), [(NameUse::GlobalRead, 128), (NameUse::GlobalRead, 1)]);
    }

    #[test]
    fn inline_caches_are_not_instructions() {
        // 3.11: LOAD_GLOBAL is 116 with five units of cache, here filled with its own opcode.
        let code = [116; 12];
        assert_eq!(uses(Version::V3_11, &code), [(NameUse::GlobalRead, 58)]);
    }

    #[test]
    fn an_import_names_a_module_from_the_bits_above_its_laziness() {
        // IMPORT_NAME: 75 in 3.13; 72 in 3.15, where the low two bits say lazy or eager.
        assert_eq!(uses(Version::V3_13, &[75, 8]), [(NameUse::Import, 8)]);
        assert_eq!(uses(Version::V3_15, &[72, 8]), [(NameUse::Import, 2)]);
    }

    #[test]
    fn half_an_instruction_at_the_end_is_not_read() {
        assert_eq!(uses(Version::V3_13, &[91]), []);
    }
}
