//! How each version's bytecode is read: two bytes a unit, an opcode and its argument, some followed by inline caches.
//!
//! A table has one entry per opcode number: how many cache units follow it, and whether its argument names something. It
//! is built at compile time from the rows in `tables.rs`, which hold only the opcodes that differ from "plain, no caches".
//! The tables describe *de-specialised* code, as `co_code` shows it: specialised and instrumented opcodes, which live in the
//! same number space while a function runs, are not in them.

pub(crate) mod meanings;
mod tables;

use crate::names::NameUse;
use crate::version::Version;

/// What one opcode needs to be stepped over and understood.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// Inline cache units that follow the instruction.
    pub(crate) caches: u8,
    /// What the argument means.
    pub(crate) argument: Argument,
}

/// What the argument of an opcode means, as far as this crate cares.
#[derive(Clone, Copy)]
pub(crate) enum Argument {
    /// Nothing about names.
    Plain,
    /// The high bits of the next instruction's argument.
    Extended,
    /// Shifted right by this many bits, it is an index into `co_names`.
    Name(NameUse, u8),
}

/// The entries of all 256 opcodes of a version.
pub(crate) struct Table([Entry; 256]);

impl Table {
    /// The table of `version`.
    pub(crate) fn of(version: Version) -> &'static Self {
        match version.minor() {
            11 => &tables::V3_11,
            12 => &tables::V3_12,
            13 => &tables::V3_13,
            14 => &tables::V3_14,
            _ => &tables::V3_15,
        }
    }

    /// The entry of an opcode.
    #[inline]
    pub(crate) fn entry(&self, opcode: u8) -> Entry {
        self.0[opcode as usize]
    }

    const fn new(extended_arg: u8, rows: &[Row]) -> Self {
        let mut table = [Entry { caches: 0, argument: Argument::Plain }; 256];
        table[extended_arg as usize].argument = Argument::Extended;
        // `for` is not allowed in a constant function.
        let mut i = 0;
        while i < rows.len() {
            table[rows[i].0 as usize] = rows[i].1;
            i += 1;
        }
        Self(table)
    }
}

/// An opcode number and its entry.
struct Row(u8, Entry);

impl Row {
    const fn plain(opcode: u8, caches: u8) -> Self {
        Self(opcode, Entry { caches, argument: Argument::Plain })
    }

    const fn name(opcode: u8, caches: u8, use_: NameUse, shift: u8) -> Self {
        Self(opcode, Entry { caches, argument: Argument::Name(use_, shift) })
    }
}
