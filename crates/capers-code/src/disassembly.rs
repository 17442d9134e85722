//! Bytecode as a list of instructions, as `dis` shows them.
//!
//! Nothing here trusts the bytes: an opcode that the version does not have is named by its number, an index may lead
//! nowhere, a jump may leave the code. Half an instruction at the end is left out, and so are inline caches.

use std::fmt::Write;

use crate::bytecode::meanings::{self, Meaning};
use crate::bytecode::{Argument, Table};
use crate::marshal::{CodeValue, Tree};
use crate::repr;
use crate::version::Version;

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Where it stands in `co_code`, in bytes.
    pub offset: u32,
    /// The opcode.
    pub opcode: u8,
    /// Its argument, that of the `EXTENDED_ARG`s before it included, if it takes one.
    pub argument: Option<u32>,
    /// What the argument stands for.
    pub target: Target,
    version: Version,
}

/// What the argument of an instruction stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing that has a name.
    None,
    /// A constant, by its index into `co_consts`.
    Constant(u32),
    /// A name, by its index into `co_names`, and what is written before and after it.
    Name(u32, &'static str, &'static str),
    /// A variable, by its index into `co_localsplusnames`.
    Local(u32),
    /// Two variables.
    Locals(u32, u32),
    /// An offset in `co_code`; a hostile one may lie anywhere.
    Jump(i64),
    /// One of a few operations.
    Operation(&'static str),
}

impl Instruction {
    /// Its name as `dis` spells it; `<n>` for a number that is no opcode.
    #[must_use]
    pub fn name(&self) -> String {
        match meanings::of(self.version, self.opcode) {
            Some((name, _)) => name.to_owned(),
            None => format!("<{}>", self.opcode),
        }
    }
}

/// The instructions of `code`, which is `co_code` of `version`.
pub fn instructions(version: Version, code: &[u8]) -> impl Iterator<Item = Instruction> {
    let table = Table::of(version);
    let (units, _) = code.as_chunks::<2>();
    let mut extended = 0u32;
    let mut at = 0;
    std::iter::from_fn(move || {
        let &[opcode, low] = units.get(at)?;
        let offset = 2 * at as u32;
        let entry = table.entry(opcode);
        at += 1 + usize::from(entry.caches);
        let meaning = meanings::of(version, opcode).map_or(Meaning::Nothing, |(_, meaning)| meaning);
        let argument = match meaning {
            Meaning::Nothing => None,
            _ => Some(extended << 8 | u32::from(low)),
        };
        extended = match entry.argument {
            Argument::Extended => argument.unwrap_or(0),
            _ => 0,
        };
        let after = i64::from(offset) + 2 + 2 * i64::from(entry.caches);
        let target = argument.map_or(Target::None, |argument| target(meaning, argument, after));
        Some(Instruction { offset, opcode, argument, target, version })
    })
}

fn target(meaning: Meaning, argument: u32, after: i64) -> Target {
    match meaning {
        Meaning::Nothing | Meaning::Number => Target::None,
        Meaning::Constant => Target::Constant(argument),
        Meaning::Name(shift, around) => {
            let (before, behind) = around[(argument & ((1 << shift) - 1)) as usize];
            Target::Name(argument >> shift, before, behind)
        }
        Meaning::Local => Target::Local(argument),
        Meaning::Locals => Target::Locals(argument >> 4, argument & 15),
        Meaning::Forward => Target::Jump(after + 2 * i64::from(argument)),
        Meaning::Backward => Target::Jump(after - 2 * i64::from(argument)),
        Meaning::Select(shift, names) => {
            names.get((argument >> shift) as usize).map_or(Target::None, |name| Target::Operation(name))
        }
    }
}

/// What `dis` writes in brackets beside the argument of `instruction` of `code`; empty where that is nothing.
#[must_use]
pub fn shown(tree: &Tree<'_>, code: &CodeValue<'_>, instruction: &Instruction) -> String {
    let text = |items, index: u32| match tree.str_at(items, index) {
        Some(text) => text.to_string_lossy().into_owned(),
        None => format!("<{index}>"),
    };
    match instruction.target {
        Target::None => String::new(),
        Target::Constant(index) => match tree.items(code.consts).get(index as usize) {
            Some(&id) => repr::value(tree, id, repr::SHORT),
            None => format!("<{index}>"),
        },
        Target::Name(index, before, behind) => format!("{before}{}{behind}", text(code.names, index)),
        Target::Local(index) => text(code.localsplusnames, index),
        Target::Locals(first, second) => {
            format!("{}, {}", text(code.localsplusnames, first), text(code.localsplusnames, second))
        }
        Target::Jump(offset) => format!("to {offset}"),
        Target::Operation(name) => name.to_owned(),
    }
}

/// Writes the instructions of `code`, one a line, each after `indent`.
pub fn write(
    tree: &Tree<'_>,
    code: &CodeValue<'_>,
    version: Version,
    indent: &str,
    out: &mut impl Write,
) -> std::fmt::Result {
    for instruction in instructions(version, code.code) {
        write!(out, "{indent}{:>6} ", instruction.offset)?;
        match instruction.argument {
            None => write!(out, "{}", instruction.name())?,
            Some(argument) => write!(out, "{:<30} {argument:>5}", instruction.name())?,
        }
        let shown = shown(tree, code, &instruction);
        if !shown.is_empty() {
            write!(out, " ({shown})")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(version: Version, code: &[u8]) -> Vec<(String, Option<u32>, Target)> {
        instructions(version, code).map(|each| (each.name(), each.argument, each.target)).collect()
    }

    #[test]
    fn extended_arguments_are_joined_and_shown() {
        // 3.13: EXTENDED_ARG is 71, LOAD_GLOBAL 91 with four caches.
        let listed = listed(Version::V3_13, &[71, 1, 91, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(listed[0], ("EXTENDED_ARG".into(), Some(1), Target::None));
        assert_eq!(listed[1], ("LOAD_GLOBAL".into(), Some(259), Target::Name(129, "", " + NULL")));
        assert_eq!(listed.len(), 2);
    }

    #[test]
    fn numbers_that_are_no_opcodes_are_listed() {
        assert_eq!(listed(Version::V3_11, &[255, 7, 9]), [("<255>".into(), None, Target::None)]);
    }

    #[test]
    fn jumps_may_lead_out_of_the_code() {
        // 3.11: JUMP_BACKWARD is 140.
        assert_eq!(listed(Version::V3_11, &[140, 9])[0].2, Target::Jump(-16));
    }
}
