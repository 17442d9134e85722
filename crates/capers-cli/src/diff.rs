//! `capers diff`: what differs between two payloads, by function, capture and constant.
//!
//! Each payload is turned into facts: a name that says where something is, and what is there. Definitions are known by their
//! names, whatever their place; all else by the way from the next definition above it. Facts are then compared by name.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use capers_code::{disassembly, marshal, outline};
use capers_pickle::inspect::{self, Code, Inspection, MORE, Node, ROOT, Room};

use crate::arguments::Diff;
use crate::input;
use crate::output::{Ended, Failure, Output, Style, number, tame};

/// Lines of a value that are shown.
const LONGEST: usize = 200;

/// What is known under a name.
enum Fact {
    /// A value with one text, and what cannot be seen in the text.
    Is(String, u64),
    /// A number of things, each of which is there or not.
    Has(Vec<String>),
    /// Something long, by lines, of which only a summary is shown; and what cannot be seen in the lines.
    Long(String, Vec<String>, u64),
}

/// So many facts are collected of a payload of so many bytes: what is beyond them is counted and not compared.
fn most_facts(bytes: usize) -> usize {
    (1 << 14).max(bytes / 96)
}

/// Facts by section and name, in the order of the sections.
type Facts = BTreeMap<(usize, String), Fact>;

/// More small values of one container than this are compared as a whole.
const MOST_LINES: usize = 16;

const SECTIONS: [&str; 4] = ["payload", "functions, classes and modules", "captures and data", "globals by reference"];
const PAYLOAD: usize = 0;
const DEFINITIONS: usize = 1;
const DATA: usize = 2;
const GLOBALS: usize = 3;

pub(crate) fn diff(options: &Diff, output: &mut Output) -> Result<Ended, Failure> {
    let (first, second) = (input::read(&options.first)?, input::read(&options.second)?);
    let mut damaged = false;
    let mut unseen = 0;
    let before = facts(&options.first, &first, &mut damaged, &mut unseen)?;
    if first == second {
        return Ok(if damaged { Ended::Otherwise } else { Ended::Well });
    }
    let after = facts(&options.second, &second, &mut damaged, &mut unseen)?;
    let mut section = None;
    let mut differences = 0u64;
    let mut names: Vec<&(usize, String)> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        for (style, line) in compared(before.get(name), after.get(name)) {
            differences += 1;
            if section != Some(name.0) {
                let heading = output.paint(Style::Heading, SECTIONS[name.0]);
                output.line(&heading)?;
                section = Some(name.0);
            }
            let sign = match style {
                Style::Added => '+',
                Style::Removed => '-',
                _ => '~',
            };
            let gap = if line.is_empty() { "" } else { ": " };
            let line = output.paint(style, &format!("{sign} {}{gap}{line}", tame(&name.1)));
            output.line(&format!("  {line}"))?;
        }
    }
    if unseen > 0 {
        let more = format!("{} bytes of values beyond the room for them were not compared", number(unseen));
        let more = output.paint(Style::Warning, &more);
        output.line(&more)?;
    } else if differences == 0 && !damaged {
        output.line("the same functions, captures, constants and data, written in other bytes")?;
        return Ok(Ended::Well);
    }
    Ok(Ended::Otherwise)
}

/// The differences under one name.
fn compared(before: Option<&Fact>, after: Option<&Fact>) -> Vec<(Style, String)> {
    match (before, after) {
        (Some(Fact::Is(old, old_digest)), Some(Fact::Is(new, new_digest))) => {
            if old != new {
                vec![(Style::Warning, format!("{old} → {new}"))]
            } else if old_digest != new_digest {
                vec![(Style::Warning, format!("{new}, but not the same ones"))]
            } else {
                Vec::new()
            }
        }
        (Some(Fact::Long(old, old_lines, old_digest)), Some(Fact::Long(new, new_lines, new_digest))) => {
            let what = if old == new { new.clone() } else { format!("{old} → {new}") };
            if old_lines == new_lines {
                let same = old == new && old_digest == new_digest;
                return if same {
                    Vec::new()
                } else {
                    vec![(Style::Warning, format!("{what}, but not the same ones"))]
                };
            }
            let same = old_lines.iter().zip(new_lines).take_while(|(old, new)| old == new).count();
            let show = |lines: &[String]| lines.get(same).map_or_else(|| "nothing".to_owned(), Clone::clone);
            vec![(Style::Warning, format!("{what}; first {} → {}", show(old_lines), show(new_lines)))]
        }
        (Some(Fact::Has(old)), Some(Fact::Has(new))) => {
            let mut lines: Vec<(Style, String)> =
                without(old, new).into_iter().map(|each| (Style::Removed, each)).collect();
            lines.extend(without(new, old).into_iter().map(|each| (Style::Added, each)));
            lines
        }
        (Some(fact), None) => told(fact).into_iter().map(|line| (Style::Removed, line)).collect(),
        (None, Some(fact)) => told(fact).into_iter().map(|line| (Style::Added, line)).collect(),
        // Two kinds of facts have no name in common.
        _ => Vec::new(),
    }
}

fn told(fact: &Fact) -> Vec<String> {
    match fact {
        Fact::Is(text, _) | Fact::Long(text, ..) => vec![text.clone()],
        Fact::Has(all) => all.clone(),
    }
}

/// Those of `all` that are not in `others`, counted: one in `others` takes one away.
fn without(all: &[String], others: &[String]) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for other in others {
        *counts.entry(other).or_default() += 1;
    }
    let mut left = Vec::new();
    for each in all {
        match counts.get_mut(each.as_str()) {
            Some(count) if *count > 0 => *count -= 1,
            _ => left.push(each.clone()),
        }
    }
    left
}

/// What there is to say of a payload; notes whether it is damaged, and the bytes of which nothing can be said.
fn facts(path: &Path, data: &[u8], damaged: &mut bool, unseen: &mut u64) -> Result<Facts, Failure> {
    let room = Room { digests: true, ..Room::for_payload(data.len()) };
    let inspection = inspect::inspect(data, room);
    *unseen = unseen.saturating_add(inspection.unseen());
    let (mut facts, most) = (Collected::default(), most_facts(data.len()));
    facts.add(PAYLOAD, "protocol", Fact::Is(inspection.protocol().to_string(), 0));
    facts.add(PAYLOAD, "Python", Fact::Is(inspection.python().unwrap_or_else(|| "no code".to_owned()), 0));
    if let Some(error) = inspection.error() {
        *damaged = true;
        input::complain(path, data, error)?;
        facts.add(PAYLOAD, "damage", Fact::Is(error.to_string(), 0));
    }
    let mut globals: Vec<String> = Vec::new();
    for global in inspection.globals() {
        globals.push(match global.names {
            Some((module, name)) => format!("{} {}", String::from_utf8_lossy(&module), String::from_utf8_lossy(&name)),
            None => "a name that only loading computes".to_owned(),
        });
    }
    globals.sort();
    globals.dedup();
    for global in globals {
        facts.add(GLOBALS, &global, Fact::Is(String::new(), 0));
    }
    for id in inspection.in_order().filter(|id| !matches!(*id, ROOT | MORE)) {
        if facts.all.len() >= most {
            *unseen += inspection.own(id);
            continue;
        }
        let node = inspection.node(id);
        if inspection.is_definition(id) {
            definition(&inspection, &node, &mut facts);
        } else if node.code.is_none() && node.kind != "global" {
            datum(&inspection, &node, &mut facts);
        }
    }
    Ok(facts.all)
}

/// Facts, with a number behind the names of those that would have one name.
#[derive(Default)]
struct Collected {
    all: Facts,
    counts: HashMap<(usize, String), usize>,
}

impl Collected {
    /// The name itself, or with a number where it is taken.
    fn name(&mut self, section: usize, name: &str) -> String {
        let count = self.counts.entry((section, name.to_owned())).or_default();
        *count += 1;
        if *count == 1 { name.to_owned() } else { format!("{name} ({count})") }
    }

    fn add(&mut self, section: usize, name: &str, fact: Fact) {
        self.all.insert((section, name.to_owned()), fact);
    }
}

fn definition(inspection: &Inspection<'_>, node: &Node, facts: &mut Collected) {
    let name = facts.name(DEFINITIONS, &format!("{} {}", node.kind, node.name));
    let signature = node.signature.clone().unwrap_or_default();
    facts.add(DEFINITIONS, &name, Fact::Is(signature, 0));
    for (label, value) in node.values.iter().filter(|(label, _)| label != "key") {
        facts.add(DEFINITIONS, &format!("{name}, {label}"), Fact::Is(value.clone(), 0));
    }
    let Some(Code::Known(_, known)) = node.code.as_deref() else { return };
    let place = format!("{}:{}", known.filename, known.line);
    facts.add(DEFINITIONS, &format!("{name}, source"), Fact::Is(place, 0));
    for (what, names) in [
        ("global", &known.globals),
        ("global set", &known.sets),
        ("import", &known.imports),
        ("attribute", &known.attributes),
        ("closes over", &known.free),
    ] {
        facts.add(DEFINITIONS, &format!("{name}, {what}"), Fact::Has(names.clone()));
    }
    let Ok(code) = inspection.marshalled(node.id) else { return };
    let Ok(tree) = marshal::Tree::parse(&code.bytes, code.version) else { return };
    let (mut constants, mut lines) = (Vec::new(), Vec::new());
    for code_value in tree.codes().iter().rev() {
        constants.extend(outline::constants(&tree, code_value));
        for instruction in disassembly::instructions(code.version, code_value.code) {
            let mut shown = disassembly::shown(&tree, code_value, &instruction);
            if shown.is_empty() {
                shown = instruction.argument.map(|argument| argument.to_string()).unwrap_or_default();
            }
            let name = instruction.name();
            if name == "LOAD_SMALL_INT" {
                // From 3.14 on, small ints need not be entries of `co_consts`.
                constants.push(shown.clone());
            }
            lines.push(format!("{name} {shown}"));
        }
    }
    constants.sort();
    constants.dedup();
    facts.add(DEFINITIONS, &format!("{name}, constant"), Fact::Has(constants));
    let count = format!("{} instructions", number(lines.len() as u64));
    facts.add(DEFINITIONS, &format!("{name}, bytecode"), Fact::Long(count, lines, 0));
}

fn datum(inspection: &Inspection<'_>, node: &Node, facts: &mut Collected) {
    let name = facts.name(DATA, &inspection.path(node.id));
    if node.kind == "cell" {
        // A variable of a function: what it holds is what counts.
        for (_, value) in node.values.iter().filter(|(label, _)| label == "content" || label == "cell_contents") {
            facts.add(DATA, &name, Fact::Is(value.clone(), 0));
        }
        return;
    }
    let mut text = node.kind.clone();
    if let [(label, value)] = node.values.as_slice()
        && label.is_empty()
    {
        // A large value, of which the beginning is shown.
        text = format!("{text} of {} bytes {value}", number(node.own));
    } else {
        if matches!(node.kind.as_str(), "list" | "tuple" | "dict" | "set" | "frozenset") {
            text = format!("{text} of {}", number(node.items));
        }
        if node.values.len() > MOST_LINES {
            let lines = node.values.iter().map(|(label, value)| format!("{label} {value}")).collect();
            facts.add(DATA, &name, Fact::Long(text, lines, inspection.digest(node.id)));
            return;
        }
        for (label, value) in &node.values {
            let label = if label.starts_with('[') { label.clone() } else { format!(".{label}") };
            facts.add(DATA, &format!("{name}{label}"), Fact::Is(value.clone(), 0));
        }
    }
    // Where every small value has a line of its own, the digest would only repeat that one differs.
    let seen = node.values.iter().all(|(label, _)| !label.is_empty());
    let digest = if seen { 0 } else { inspection.digest(node.id) };
    text.truncate(text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at));
    facts.add(DATA, &name, Fact::Is(text, digest));
}
