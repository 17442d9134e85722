//! What opcodes are called and what their arguments mean, for those who show bytecode.
//!
//! One table per CPython version, written by `tools/make_meanings.py` from that version's own `dis`; an index by opcode is
//! made at compile time. The scan for names does not come here: its own, smaller table is in `tables.rs`, and the two are
//! compared by a test.

mod v3_11;
mod v3_12;
mod v3_13;
mod v3_14;
mod v3_15;

use crate::version::Version;

/// What the argument of an opcode stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meaning {
    /// The opcode takes no argument.
    Nothing,
    /// A number that stands for itself.
    Number,
    /// An index into `co_consts`.
    Constant,
    /// An index into `co_names` above so many bits; the bits choose what is written before and after the name.
    Name(u8, &'static [(&'static str, &'static str)]),
    /// An index into `co_localsplusnames`.
    Local,
    /// Two such indices of four bits each.
    Locals,
    /// Units to jump ahead.
    Forward,
    /// Units to jump back.
    Backward,
    /// An index, above so many bits, into names of operations.
    Select(u8, &'static [&'static str]),
}

type Row = (u8, &'static str, Meaning);

/// The rows of a version, found by opcode.
struct Opcodes {
    rows: &'static [Row],
    index: [u8; 256],
}

const ABSENT: u8 = 0xff;

impl Opcodes {
    const fn new(rows: &'static [Row]) -> Self {
        assert!(rows.len() < ABSENT as usize, "a row's index must fit");
        let mut index = [ABSENT; 256];
        let mut at = 0;
        while at < rows.len() {
            index[rows[at].0 as usize] = at as u8;
            at += 1;
        }
        Self { rows, index }
    }
}

static V3_11: Opcodes = Opcodes::new(v3_11::OPCODES);
static V3_12: Opcodes = Opcodes::new(v3_12::OPCODES);
static V3_13: Opcodes = Opcodes::new(v3_13::OPCODES);
static V3_14: Opcodes = Opcodes::new(v3_14::OPCODES);
static V3_15: Opcodes = Opcodes::new(v3_15::OPCODES);

/// The name of an opcode and what its argument means; `None` for a number that is no opcode of `version`.
pub(crate) fn of(version: Version, opcode: u8) -> Option<(&'static str, Meaning)> {
    let opcodes = match version.minor() {
        11 => &V3_11,
        12 => &V3_12,
        13 => &V3_13,
        14 => &V3_14,
        _ => &V3_15,
    };
    let row = opcodes.rows.get(usize::from(opcodes.index[usize::from(opcode)]))?;
    Some((row.1, row.2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytecode::{Argument, Table};

    #[test]
    fn both_tables_say_the_same_of_names() {
        for &version in Version::SUPPORTED {
            for opcode in 0..=255 {
                let scanned = match Table::of(version).entry(opcode).argument {
                    Argument::Name(_, shift) => Some(shift),
                    _ => None,
                };
                let shown = match of(version, opcode) {
                    Some((_, Meaning::Name(shift, around))) => {
                        assert_eq!(around.len(), 1 << shift);
                        Some(shift)
                    }
                    _ => None,
                };
                assert_eq!(scanned, shown, "opcode {opcode} of {version}");
            }
        }
    }

    #[test]
    fn what_has_caches_is_an_opcode() {
        for &version in Version::SUPPORTED {
            for opcode in 0..=255 {
                assert!(Table::of(version).entry(opcode).caches == 0 || of(version, opcode).is_some());
            }
        }
    }
}
