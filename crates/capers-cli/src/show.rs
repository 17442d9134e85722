//! `capers show`: what is in a payload, as a summary, a tree, JSON or a page.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use capers_pickle::inspect::{self, Code, How, Inspection, Node, ROOT, Room};

use crate::arguments::Show;
use crate::input;
use crate::output::{self, Ended, Failure, Output, Style, number, size};

/// Lines of each list, and children of each node, that are shown unless all are asked for.
const FEW: usize = 12;
const CHILDREN: usize = 16;
/// How deep a tree is shown unless all of it is asked for, and even then: what is deeper is not indented further.
const DEEP: usize = 8;
const DEEPEST: usize = 100;
/// Bytes of data from which it is listed.
const WORTH_LISTING: u64 = 16;
/// Bytes of a part of listed data from which it is listed, too.
const WORTH_FOLLOWING: u64 = 1 << 10;

pub(crate) fn show(options: &Show, output: &mut Output) -> Result<Ended, Failure> {
    let data = input::read(&options.file)?;
    let inspection = inspect::inspect(&data, Room::for_payload(data.len()));
    let title = output::name(&options.file);
    if let Some(error) = inspection.error() {
        // What is no pickle is told before anything is said about it.
        input::check(&options.file, &data, error)?;
    }
    if let Some(path) = &options.html {
        let mut page = String::new();
        if inspection.write_page(&title, &mut page).is_err() {
            return Err(Failure::Write(path.clone(), std::io::ErrorKind::OutOfMemory.into()));
        }
        fs::write(path, page).map_err(|error| Failure::Write(path.clone(), error))?;
    }
    if options.json {
        if inspection.write_json(&title, None, output).is_err() {
            return Err(output.failure());
        }
    } else if options.tree {
        header(&inspection, &title, output)?;
        tree(&inspection, options.all, output)?;
    } else if options.html.is_none() {
        header(&inspection, &title, output)?;
        summary(&inspection, options.all, output)?;
    }
    match inspection.error() {
        None => Ok(Ended::Well),
        Some(error) => {
            output.flush()?;
            input::complain(&options.file, &data, error)?;
            Ok(Ended::Otherwise)
        }
    }
}

fn header(inspection: &Inspection<'_>, title: &str, output: &mut Output) -> Result<(), Failure> {
    let mut told = format!("pickle, protocol {}, {} bytes", inspection.protocol(), number(inspection.len() as u64));
    if let Some(version) = inspection.python() {
        let _ = write!(told, ", code of Python {version}");
    }
    let title = output.paint(Style::Heading, title);
    output.line(&format!("{title}: {told}"))?;
    if inspection.following() > 0 {
        let more = format!("{} bytes follow the payload", number(inspection.following() as u64));
        let more = output.paint(Style::Warning, &more);
        output.line(&more)?;
    }
    Ok(())
}

fn summary(inspection: &Inspection<'_>, all: bool, output: &mut Output) -> Result<(), Failure> {
    let (mut by_value, mut data, mut warned) = (Vec::new(), Vec::new(), Vec::new());
    for id in inspection.ids() {
        let warnings = inspection.warnings(id);
        if !warnings.is_empty() {
            warned.push((id, warnings));
        }
        match inspection.how(id) {
            How::Value if inspection.is_definition(id) => by_value.push(id),
            How::Data if id != ROOT && is_listed(inspection, id) && inspection.total(id) >= WORTH_LISTING => {
                data.push((inspection.total(id), id));
            }
            _ => {}
        }
    }
    let limit = if all { usize::MAX } else { FEW };
    if !by_value.is_empty() {
        heading("functions, classes and modules by value", output)?;
        for &id in by_value.iter().take(limit) {
            definition(inspection, &inspection.node(id), output)?;
        }
        rest(by_value.len(), limit, output)?;
    }
    data.sort_by_key(|(bytes, id)| (std::cmp::Reverse(*bytes), *id));
    if !data.is_empty() {
        heading("data, by size with all that is in it", output)?;
        for &(_, id) in data.iter().take(limit) {
            datum(inspection, &inspection.node(id), output)?;
        }
        rest(data.len(), limit, output)?;
    }
    globals(inspection, limit, output)?;
    if !warned.is_empty() {
        heading("worth a second look", output)?;
        for (id, warnings) in warned.iter().take(limit) {
            let name = inspection.name(*id);
            for warning in warnings {
                let warning = output.paint(Style::Warning, warning);
                output.line(&format!("  {}: {warning}", output::tame(&name)))?;
            }
        }
        rest(warned.len(), limit, output)?;
    }
    Ok(())
}

/// Whether data is listed: what a definition takes along, the payload's value itself or what is directly in it, and what makes
/// up most of such data.
fn is_listed(inspection: &Inspection<'_>, id: u32) -> bool {
    let mut id = id;
    for _ in 0..4 {
        let parent = inspection.parent(id);
        if parent == ROOT {
            return inspection.node(id).children.is_empty();
        }
        if inspection.how(parent) == How::Value || inspection.parent(parent) == ROOT {
            return true;
        }
        let (bytes, all) = (inspection.total(id), inspection.total(parent));
        if bytes < WORTH_FOLLOWING || bytes < all / 2 {
            return false;
        }
        id = parent;
    }
    false
}

fn heading(text: &str, output: &mut Output) -> Result<(), Failure> {
    let text = output.paint(Style::Heading, text);
    output.line(&format!("\n{text}"))
}

fn rest(count: usize, limit: usize, output: &mut Output) -> Result<(), Failure> {
    if count > limit {
        let more = format!("  and {} more (--all lists them)", number((count - limit) as u64));
        let more = output.paint(Style::Faint, &more);
        output.line(&more)?;
    }
    Ok(())
}

fn bytes(node: &Node) -> String {
    format!("{:>9}", size(node.total))
}

fn definition(inspection: &Inspection<'_>, node: &Node, output: &mut Output) -> Result<(), Failure> {
    let name = output.paint(Style::Name, &node.name);
    let mut line = format!("  {} {} {name}", bytes(node), node.kind);
    line += &output::tame(node.signature.as_deref().unwrap_or_default());
    let Some(Code::Known(version, outline)) = node.code.as_deref() else {
        return output.line(&line);
    };
    let place = output.paint(Style::Faint, &format!("{}:{}", outline.filename, outline.line));
    let _ = write!(line, "  {place}");
    if let Some(version) = version
        && inspection.python().is_some_and(|all| all.contains(','))
    {
        let _ = write!(line, " (Python {version})");
    }
    output.line(&line)?;
    let free: Vec<String> = outline.free.iter().map(|name| closed_over(inspection, node, name)).collect();
    for (what, names) in [("uses", &outline.globals), ("imports", &outline.imports), ("closes over", &free)] {
        if !names.is_empty() {
            let names = output.paint(Style::Faint, &format!("{what} {}", joined(names)));
            output.line(&format!("            {names}"))?;
        }
    }
    Ok(())
}

/// A variable that a function closes over, with its value where that is a small one.
fn closed_over(inspection: &Inspection<'_>, function: &Node, name: &str) -> String {
    let cells = function.children.iter().chain(&function.shared).take(64).map(|id| inspection.node(*id));
    let cell = cells.into_iter().find(|cell| cell.kind == "cell" && cell.label.as_deref() == Some(name));
    let value = cell.and_then(|cell| cell.values.into_iter().find(|(label, _)| label == "content"));
    value.map_or_else(|| name.to_owned(), |(_, value)| format!("{name} = {value}"))
}

/// Names in one line, cut where there are very many.
fn joined(names: &[String]) -> String {
    const MOST: usize = 40;
    let mut text = names.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        let _ = write!(text, " and {} more", names.len() - MOST);
    }
    text
}

fn datum(inspection: &Inspection<'_>, node: &Node, output: &mut Output) -> Result<(), Failure> {
    let path = output.paint(Style::Name, &inspection.path(node.id));
    let mut line = format!("  {} {path}  {}", bytes(node), output::tame(&described(node)));
    if let [(label, value)] = node.values.as_slice()
        && label.is_empty()
    {
        let value = output.paint(Style::Faint, value);
        let _ = write!(line, " {value}");
    }
    output.line(&line)
}

/// The type of a node, with the number of its items where that says something.
fn described(node: &Node) -> String {
    match node.kind.as_str() {
        "list" | "tuple" | "set" | "frozenset" | "dict" => format!("{} of {}", node.kind, number(node.items)),
        kind => kind.to_owned(),
    }
}

fn globals(inspection: &Inspection<'_>, limit: usize, output: &mut Output) -> Result<(), Failure> {
    // Module and name, with where it is asked for first and how often.
    let mut asked: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for global in inspection.globals() {
        let name = match &global.names {
            Some((module, name)) => format!("{} {}", String::from_utf8_lossy(module), String::from_utf8_lossy(name)),
            None => "a name that only loading computes".to_owned(),
        };
        asked.entry(name).or_insert((global.offset, 0)).1 += 1;
    }
    if asked.is_empty() {
        return Ok(());
    }
    heading("globals by reference", output)?;
    for (name, (offset, times)) in asked.iter().take(limit) {
        let mut place = format!("at {offset}");
        if *times > 1 {
            let _ = write!(place, ", {times} times");
        }
        let (name, place) = (output::tame(name), output.paint(Style::Faint, &place));
        output.line(&format!("  {name}  {place}"))?;
    }
    rest(asked.len(), limit, output)
}

/// A step of the walk through the tree: a node at a depth, or a line about what is left out.
enum Step {
    Node(u32, usize, bool),
    Left(String, usize),
}

fn tree(inspection: &Inspection<'_>, all: bool, output: &mut Output) -> Result<(), Failure> {
    let mut open = vec![Step::Node(ROOT, 0, false)];
    while let Some(step) = open.pop() {
        let (id, depth, again) = match step {
            Step::Node(id, depth, again) => (id, depth, again),
            Step::Left(text, depth) => {
                let text = output.paint(Style::Faint, &text);
                output.line(&format!("{:>9} {}{text}", "", "  ".repeat(depth.min(DEEPEST))))?;
                continue;
            }
        };
        let indent = "  ".repeat(depth.min(DEEPEST));
        if again {
            let text = output.paint(Style::Faint, &format!("{} (see above or below)", inspection.name(id)));
            output.line(&format!("{:>9} {indent}{text}", ""))?;
            continue;
        }
        let node = inspection.node(id);
        branch(&node, &indent, output)?;
        let shown = if all { usize::MAX } else { CHILDREN };
        if !all && depth >= DEEP && !node.children.is_empty() {
            open.push(Step::Left(format!("… {} parts inside (--all shows them)", node.children.len()), depth + 1));
            continue;
        }
        let mut children = node.children.clone();
        if children.len() > shown {
            // The largest ones, in the order of the payload.
            children.sort_by_key(|child| std::cmp::Reverse(inspection.total(*child)));
            let left: u64 = children[shown..].iter().map(|child| inspection.total(*child)).sum();
            let count = children.len() - shown;
            children.truncate(shown);
            children.sort_unstable();
            open.push(Step::Left(format!("… and {} smaller ones, {}", number(count as u64), size(left)), depth + 1));
        }
        let references = if all { usize::MAX } else { 4 };
        if node.shared.len() > references {
            let count = number((node.shared.len() - references) as u64);
            open.push(Step::Left(format!("… and {count} more references"), depth + 1));
        }
        open.extend(node.shared.iter().take(references).rev().map(|id| Step::Node(*id, depth + 1, true)));
        open.extend(children.iter().rev().map(|id| Step::Node(*id, depth + 1, false)));
    }
    Ok(())
}

fn branch(node: &Node, indent: &str, output: &mut Output) -> Result<(), Failure> {
    let name = output.paint(Style::Name, &node.name);
    let mut line = format!("{} {indent}{name}", bytes(node));
    line += &output::tame(node.signature.as_deref().unwrap_or_default());
    if node.name != node.kind {
        let _ = write!(line, "  {}", output::tame(&described(node)));
    }
    if node.how == How::Reference {
        line += " by reference";
    }
    if !node.children.is_empty() {
        let own = output.paint(Style::Faint, &format!("own {}", size(node.own)));
        let _ = write!(line, "  {own}");
    }
    let values: Vec<String> = node
        .values
        .iter()
        .take(4)
        .map(|(label, value)| if label.is_empty() { value.clone() } else { format!("{label}={value}") })
        .collect();
    if !values.is_empty() && node.signature.is_none() && node.kind != "code" {
        let more = if node.values.len() > 4 { ", …" } else { "" };
        let values = output.paint(Style::Faint, &(values.join(", ") + more));
        let _ = write!(line, "  {values}");
    }
    for warning in &node.warnings {
        let warning = output.paint(Style::Warning, warning);
        let _ = write!(line, "  {warning}");
    }
    output.line(&line)
}
