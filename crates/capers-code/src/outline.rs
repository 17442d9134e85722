//! What a code object is called, what it takes, and which names it uses.
//!
//! Read from the code object alone, of any supported version and whatever its origin. Code nested inside counts as part of
//! the whole when names are collected, as it does when capers decides what a function takes along.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;

use crate::marshal::{CodeId, CodeValue, Tree, Value};
use crate::names::{NameUse, scan};
use crate::repr;
use crate::version::Version;

/// `CO_*` flags of `Include/cpython/code.h`, the same in 3.11 to 3.15.
mod flag {
    pub(super) const VARARGS: i32 = 0x04;
    pub(super) const VARKEYWORDS: i32 = 0x08;
    pub(super) const GENERATOR: i32 = 0x20;
    pub(super) const COROUTINE: i32 = 0x80;
    pub(super) const ASYNC_GENERATOR: i32 = 0x200;
}

/// `CO_FAST_*` flags of `Include/internal/pycore_code.h`, the same in 3.11 to 3.15.
mod fast {
    pub(super) const CELL: u8 = 0x40;
    pub(super) const FREE: u8 = 0x80;
}

/// How a parameter is given its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// By position only.
    Position,
    /// By position or by name.
    Either,
    /// By name only.
    Name,
    /// All further arguments by position.
    Rest,
    /// All further arguments by name.
    RestByName,
}

/// What a code object makes when it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Made {
    /// Whatever it returns.
    #[default]
    Value,
    /// A generator.
    Generator,
    /// A coroutine.
    Coroutine,
    /// An async generator.
    AsyncGenerator,
}

impl Made {
    /// What these `co_flags` say.
    #[must_use]
    pub fn of(flags: i32) -> Made {
        if flags & flag::ASYNC_GENERATOR != 0 {
            Made::AsyncGenerator
        } else if flags & flag::COROUTINE != 0 {
            Made::Coroutine
        } else if flags & flag::GENERATOR != 0 {
            Made::Generator
        } else {
            Made::Value
        }
    }

    /// What such a function is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Made::Value => "function",
            Made::Generator => "generator function",
            Made::Coroutine => "coroutine function",
            Made::AsyncGenerator => "async generator function",
        }
    }
}

/// A code object in words. Names are shown with replacement characters where they are no Unicode text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// `co_name`.
    pub name: String,
    /// `co_qualname`.
    pub qualname: String,
    /// `co_filename`.
    pub filename: String,
    /// `co_firstlineno`.
    pub line: i32,
    /// What calling it gives.
    pub made: Made,
    /// Its parameters, in the order of a signature.
    pub parameters: Vec<(String, Taken)>,
    /// Globals and builtins that it or code inside it reads, sorted.
    pub globals: Vec<String>,
    /// Globals that it or code inside it sets, sorted.
    pub sets: Vec<String>,
    /// Attributes that it or code inside it names, sorted.
    pub attributes: Vec<String>,
    /// Modules that it or code inside it imports, sorted.
    pub imports: Vec<String>,
    /// Variables of functions around it that it uses.
    pub free: Vec<String>,
    /// Its variables that functions inside it use.
    pub cells: Vec<String>,
    /// Qualified names of the code objects directly inside it.
    pub nested: Vec<String>,
}

impl Outline {
    /// The outline of a code object of `tree`, which `version` made.
    #[must_use]
    pub fn of(tree: &Tree<'_>, code: &CodeValue<'_>, version: Version) -> Self {
        let text = |text: crate::marshal::Str<'_>| text.to_string_lossy().into_owned();
        let mut uses = Uses::default();
        let mut seen: HashSet<CodeId> = HashSet::new();
        let mut open = vec![code];
        while let Some(each) = open.pop() {
            uses.add(tree, each, version);
            let inside = nested(tree, each).filter(|id| seen.insert(*id));
            open.extend(inside.map(|id| tree.code(id)));
        }
        let variables = |kind: u8| {
            let names = tree.strs(code.localsplusnames).zip(code.localspluskinds);
            names.filter(|(_, kinds)| *kinds & kind != 0).map(|(name, _)| text(name)).collect()
        };
        Outline {
            name: text(code.name),
            qualname: text(code.qualname),
            filename: text(code.filename),
            line: code.firstlineno,
            made: Made::of(code.header.flags),
            parameters: parameters(tree, code),
            globals: uses.globals.into_iter().collect(),
            sets: uses.sets.into_iter().collect(),
            attributes: uses.attributes.into_iter().collect(),
            imports: uses.imports.into_iter().collect(),
            free: variables(fast::FREE),
            cells: variables(fast::CELL),
            nested: nested(tree, code).map(|id| text(tree.code(id).qualname)).collect(),
        }
    }

    /// The parameters in brackets, as in a `def`.
    ///
    /// Defaults are no part of a code object: the last `defaults` parameters that may be given by position have one, as have
    /// those by name that are in `named`. A default is shown as an ellipsis.
    #[must_use]
    pub fn signature(&self, defaults: usize, named: &[String]) -> String {
        signature(&self.parameters, defaults, named)
    }
}

/// The constants of a code object but for code inside it, each as Python writes it in at most [`repr::SHORT`] bytes.
pub fn constants<'a>(tree: &'a Tree<'_>, code: &CodeValue<'_>) -> impl Iterator<Item = String> + 'a {
    let constants = tree.items(code.consts).iter().filter(|id| !matches!(tree.value(**id), Value::Code(_)));
    constants.map(|id| repr::value(tree, *id, repr::SHORT))
}

/// The parameters in brackets; see [`Outline::signature`].
#[must_use]
pub fn signature(parameters: &[(String, Taken)], defaults: usize, named: &[String]) -> String {
    let positional = parameters.iter().filter(|(_, taken)| matches!(taken, Taken::Position | Taken::Either)).count();
    let mut out = String::from("(");
    let mut before = None;
    for (at, (name, taken)) in parameters.iter().enumerate() {
        if at > 0 {
            out += ", ";
        }
        if before == Some(Taken::Position) && *taken != Taken::Position {
            out += "/, ";
        }
        if *taken == Taken::Name && before != Some(Taken::Name) && before != Some(Taken::Rest) {
            out += "*, ";
        }
        before = Some(*taken);
        let has_default = match taken {
            Taken::Position | Taken::Either => at + defaults >= positional,
            Taken::Name => named.contains(name),
            Taken::Rest | Taken::RestByName => false,
        };
        let stars = match taken {
            Taken::Rest => "*",
            Taken::RestByName => "**",
            _ => "",
        };
        let _ = write!(out, "{stars}{name}{}", if has_default { "=…" } else { "" });
    }
    if before == Some(Taken::Position) {
        out += ", /";
    }
    out + ")"
}

/// The code objects among the constants of `code`.
fn nested<'a>(tree: &'a Tree<'_>, code: &CodeValue<'_>) -> impl Iterator<Item = CodeId> + 'a {
    tree.items(code.consts).iter().filter_map(|&id| match tree.value(id) {
        Value::Code(id) => Some(id),
        _ => None,
    })
}

/// The parameters: the first of the variables, in the order that CPython's frames have them.
fn parameters(tree: &Tree<'_>, code: &CodeValue<'_>) -> Vec<(String, Taken)> {
    let names = tree.strs(code.localsplusnames).map(|name| name.to_string_lossy().into_owned());
    let header = &code.header;
    arranged(names, header.argcount, header.posonlyargcount, header.kwonlyargcount, header.flags)
}

/// The parameters among `names`, which are the variables of a code object: positional ones, those by name only, and the rests
/// that the flags speak of. Numbers of any size do: there are no more parameters than names.
#[must_use]
pub fn arranged(
    names: impl Iterator<Item = String>,
    count: i32,
    by_position: i32,
    by_name: i32,
    flags: i32,
) -> Vec<(String, Taken)> {
    let size = |count: i32| usize::try_from(count).unwrap_or(0);
    let mut names = names;
    let mut found: Vec<(String, Taken)> = Vec::new();
    for (at, name) in names.by_ref().take(size(count)).enumerate() {
        found.push((name, if at < size(by_position) { Taken::Position } else { Taken::Either }));
    }
    let positional = found.len();
    found.extend(names.by_ref().take(size(by_name)).map(|name| (name, Taken::Name)));
    if flags & flag::VARARGS != 0
        && let Some(name) = names.next()
    {
        found.insert(positional, (name, Taken::Rest));
    }
    if flags & flag::VARKEYWORDS != 0
        && let Some(name) = names.next()
    {
        found.push((name, Taken::RestByName));
    }
    found
}

#[derive(Default)]
struct Uses {
    globals: BTreeSet<String>,
    sets: BTreeSet<String>,
    attributes: BTreeSet<String>,
    imports: BTreeSet<String>,
}

impl Uses {
    fn add(&mut self, tree: &Tree<'_>, code: &CodeValue<'_>, version: Version) {
        let mut seen = HashSet::new();
        // In class bodies and modules, a name that is set there is not one of the world outside.
        let is_function = code.header.flags & 0x02 != 0; // CO_NEWLOCALS
        let mut own: HashSet<u32> = HashSet::new();
        scan(version, code.code, |use_, index| {
            let Some(name) = tree.str_at(code.names, index) else { return };
            if use_ == NameUse::GlobalWrite && !is_function {
                own.insert(index);
            }
            if own.contains(&index) && matches!(use_, NameUse::GlobalRead | NameUse::GlobalWrite) {
                return;
            }
            if seen.insert((use_, index)) {
                let set = match use_ {
                    NameUse::GlobalRead => &mut self.globals,
                    NameUse::GlobalWrite => &mut self.sets,
                    NameUse::Attribute => &mut self.attributes,
                    NameUse::Import => &mut self.imports,
                };
                set.insert(name.to_string_lossy().into_owned());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> impl Iterator<Item = String> {
        all.iter().map(|&name| name.to_owned()).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn a_signature_reads_as_in_a_def() {
        let found = arranged(names(&["a", "b", "c", "k", "l", "rest", "more", "local"]), 3, 1, 2, 0x0c);
        assert_eq!(signature(&found, 1, &["l".into()]), "(a, /, b, c=…, *rest, k, l=…, **more)");
        assert_eq!(signature(&arranged(names(&["x"]), 1, 1, 0, 0), 1, &[]), "(x=…, /)");
        assert_eq!(signature(&arranged(names(&["k"]), 0, 0, 1, 0), 0, &[]), "(*, k)");
        assert_eq!(signature(&[], 7, &[]), "()");
    }

    #[test]
    fn counts_that_lie_give_no_more_parameters_than_there_are_names() {
        assert_eq!(arranged(names(&["a"]), i32::MAX, -1, i32::MAX, -1).len(), 1);
    }
}
