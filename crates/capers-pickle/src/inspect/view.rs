//! A node in words: what it is called, what it is, what it holds.
//!
//! Nothing of this is kept: a view is made when it is asked for, so that a large graph costs no texts.

use std::rc::Rc;

use capers_code::repr::{self, Short};

use super::code::{Code, lossy};
use super::graph::{Atom, Edge, Kind, LARGE, Label, MORE, ROOT, Value};
use super::known::Role;
use super::tree::{arguments, callable, shape_of};
use super::{Inspection, graph::Graph};
use crate::reader::Argument;

/// How something travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// As a name: the receiver's own.
    Reference,
    /// A function, class, module or a part of one, as its parts.
    Value,
    /// As data.
    Data,
}

impl How {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            How::Reference => "reference",
            How::Value => "value",
            How::Data => "data",
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its number.
    pub id: u32,
    /// Its own name, or what its parent calls it.
    pub name: String,
    /// What its parent calls it.
    pub label: Option<String>,
    /// What it is.
    pub kind: String,
    /// How it travels.
    pub how: How,
    /// The offset of the instruction that makes it.
    pub offset: u64,
    /// Bytes of its own.
    pub own: u64,
    /// Bytes with all below it.
    pub total: u64,
    /// How many items it was given.
    pub items: u64,
    /// Nodes that are part of it.
    pub children: Vec<u32>,
    /// Nodes that it refers to and that are part of something else.
    pub shared: Vec<u32>,
    /// Small values in it, the first ones: what they are called, and how Python writes them.
    pub values: Vec<(String, String)>,
    /// What is worth a second look.
    pub warnings: Vec<String>,
    /// The code of a function or code object.
    pub code: Option<Rc<Code>>,
    /// The parameters of a function, in brackets.
    pub signature: Option<String>,
}

/// A share of the payload from which captured data is worth a warning, and the least bytes for that.
const LARGE_PERCENT: u128 = 30;
const LARGE_BYTES: u64 = 1 << 20;

/// Bytes that are shown of a large text or large bytes, and of small ones, which are shown whole.
const PREVIEW: usize = 60;
const WHOLE: usize = 4 * LARGE + 4;

/// The parts of a node, those folded into it included.
#[derive(Default)]
struct Parts {
    children: Vec<u32>,
    shared: Vec<u32>,
    values: Vec<(String, String)>,
}

pub(super) fn node(inspection: &Inspection<'_>, id: u32) -> Node {
    let (graph, tree) = (&inspection.graph, &inspection.tree);
    let raw = graph.node(id);
    let role = shape_of(graph, id).map(|shape| shape.role);
    let code = inspection.code(id);
    let label = label_of(inspection, id);
    let (name, kind, how) = named(inspection, id, role, code.as_deref());
    let parts = parts(inspection, id);
    let signature = match (role, code.as_deref()) {
        (Some(Role::Function), Some(Code::Known(_, outline))) => {
            let (defaults, by_name) = defaults(inspection, id);
            Some(outline.signature(defaults, &by_name))
        }
        _ => None,
    };
    let warnings = warnings(inspection, id, how, code.as_deref());
    Node {
        id,
        name: name.or_else(|| label.clone()).unwrap_or_else(|| kind.clone()),
        label,
        kind,
        how,
        offset: raw.at,
        own: inspection.own[id as usize],
        total: tree.total(id),
        items: raw.items,
        children: parts.children,
        shared: parts.shared,
        values: parts.values,
        warnings,
        code,
        signature,
    }
}

fn warnings(inspection: &Inspection<'_>, id: u32, how: How, code: Option<&Code>) -> Vec<String> {
    let graph = &inspection.graph;
    let mut warnings = Vec::new();
    if let Some(Code::Unknown(reason)) = code
        && inspection.code_node(id) == Some(id)
    {
        warnings.push(format!("its code was not looked into: {reason}"));
    }
    if let Kind::Global(asked) = graph.node(id).kind
        && graph.globals.get(asked as usize).is_some_and(|asked| graph.names(asked).is_none())
    {
        warnings.push("its name is known only when the payload is loaded".to_owned());
    }
    let (total, whole) = (inspection.total(id), inspection.total(ROOT));
    let percent = u128::from(total) * 100 / u128::from(whole.max(1));
    if how == How::Data && !matches!(id, ROOT | MORE) && total >= LARGE_BYTES && percent >= LARGE_PERCENT {
        warnings.push(format!("makes up {percent} % of the payload"));
    }
    warnings
}

impl Inspection<'_> {
    /// What is worth a second look in a node, one sentence each.
    #[must_use]
    pub fn warnings(&self, id: u32) -> Vec<String> {
        // Only a code object is looked into for that: its function has the same code.
        let code = if self.code_node(id) == Some(id) { self.code(id) } else { None };
        warnings(self, id, self.how(id), code.as_deref())
    }

    /// What a node is called: [`Node::name`], without looking at what is in it.
    #[must_use]
    pub fn name(&self, id: u32) -> String {
        let role = shape_of(&self.graph, id).map(|shape| shape.role);
        let code = self.code(id);
        let (name, kind, _) = named(self, id, role, code.as_deref());
        name.or_else(|| label_of(self, id)).unwrap_or(kind)
    }

    /// How a node travels.
    #[must_use]
    pub fn how(&self, id: u32) -> How {
        let role = shape_of(&self.graph, id).map(|shape| shape.role);
        named(self, id, role, None).2
    }

    /// Whether a node is a function, class or module by value, or a code object that belongs to no function.
    #[must_use]
    pub fn is_definition(&self, id: u32) -> bool {
        match shape_of(&self.graph, id).map(|shape| shape.role) {
            Some(Role::Function | Role::Class | Role::Module) => true,
            Some(Role::Code | Role::CodeFields) => self.code_node(self.parent(id)) != Some(id),
            _ => false,
        }
    }

    /// How one comes to a node from the next definition above it, or from the payload's value.
    #[must_use]
    pub fn path(&self, id: u32) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut at = id;
        loop {
            if at != id && (self.is_definition(at) || is_globals(self, at)) {
                parts.push(self.name(at));
                break;
            }
            let parent = self.parent(at);
            if parent == ROOT || parent == at {
                parts.push("payload".to_owned());
                break;
            }
            let is_content = shape_of(&self.graph, parent).is_some_and(|shape| shape.role == Role::Cell);
            match label_of(self, at) {
                Some(_) if is_content => {}
                Some(label) if label.starts_with('[') => parts.push(label),
                Some(label) => parts.push(format!(".{label}")),
                None => parts.push(".…".to_owned()),
            }
            if parts.len() > LONGEST_PATH {
                parts.push("…".to_owned());
                break;
            }
            at = parent;
        }
        parts.reverse();
        parts.concat()
    }
}

/// Whether a node is the namespace that functions look their globals up in.
fn is_globals(inspection: &Inspection<'_>, id: u32) -> bool {
    let (graph, tree) = (&inspection.graph, &inspection.tree);
    if graph.node(id).kind != Kind::Dict {
        return shape_of(graph, id).is_some_and(|shape| shape.role == Role::Namespace);
    }
    let Some(way) = tree.way_of(graph, id) else { return false };
    let owner = tree.shown(way.from);
    owner != way.from && tree.parameter(graph, owner, way.label) == Some("globals")
}

/// The most steps of a path that are shown.
const LONGEST_PATH: usize = 24;

/// The own name of a node if it has one, its type, and how it travels.
fn named(
    inspection: &Inspection<'_>,
    id: u32,
    role: Option<Role>,
    code: Option<&Code>,
) -> (Option<String>, String, How) {
    let graph = &inspection.graph;
    let outline = match code {
        Some(Code::Known(_, outline)) => Some(outline),
        _ => None,
    };
    let argument =
        |name| argument_named(graph, id, name).and_then(|value| graph.text_of(value)).map(|text| lossy(&text));
    let data = |kind: &str| (None, kind.to_owned(), How::Data);
    let value = |name, kind: &str| (name, kind.to_owned(), How::Value);
    match role {
        Some(Role::Function) => {
            let name = state(inspection, id, b"__qualname__").and_then(|value| graph.text_of(value));
            let name = name.map(|text| lossy(&text)).or_else(|| outline.map(|outline| outline.qualname.clone()));
            return value(name, outline.map_or("function", |outline| outline.made.name()));
        }
        Some(Role::Code | Role::CodeFields) => return value(outline.map(|outline| outline.qualname.clone()), "code"),
        Some(Role::Cell) => return value(None, "cell"),
        Some(Role::Namespace) => return value(Some("globals".to_owned()), "globals"),
        Some(Role::Class) => return value(argument("name"), "class"),
        Some(Role::Module) => return value(argument("name"), "module"),
        Some(Role::Imported) => return (argument("name"), "module".to_owned(), How::Reference),
        _ => {}
    }
    match graph.node(id).kind {
        Kind::Root => (Some("payload".to_owned()), "pickle".to_owned(), How::Data),
        Kind::More => (Some("everything else".to_owned()), "values beyond the room for them".to_owned(), How::Data),
        Kind::Text => data("str"),
        Kind::Bytes => data("bytes"),
        Kind::ByteArray => data("bytearray"),
        Kind::Number => data("int"),
        Kind::String => data("str of Python 2"),
        Kind::Tuple => data("tuple"),
        Kind::List => data("list"),
        Kind::Dict if is_globals(inspection, id) => (Some("globals".to_owned()), "dict".to_owned(), How::Value),
        Kind::Dict => data("dict"),
        Kind::Set => data("set"),
        Kind::FrozenSet => data("frozenset"),
        Kind::Global(_) => (global_name(graph, id), "global".to_owned(), How::Reference),
        Kind::Extension(code) => (Some(format!("extension {code}")), "global".to_owned(), How::Reference),
        Kind::Persistent => (None, "persistent id".to_owned(), How::Reference),
        Kind::Buffer(number) => (Some(format!("buffer {number}")), "out-of-band buffer".to_owned(), How::Reference),
        Kind::ReadOnly => data("read-only buffer"),
        Kind::Reduce | Kind::New | Kind::Instance => {
            let made = callable(graph, id).and_then(|called| match graph.node(called).kind {
                Kind::Global(_) => global_name(graph, called),
                Kind::Reduce if shape_of(graph, called).is_some() => {
                    named(inspection, called, shape_of(graph, called).map(|shape| shape.role), None).0
                }
                _ => None,
            });
            (None, made.unwrap_or_else(|| "result of a call".to_owned()), How::Data)
        }
    }
}

/// Module and qualname as one would write them; what is built in needs no module.
fn global_name(graph: &Graph<'_>, id: u32) -> Option<String> {
    let Kind::Global(asked) = graph.node(id).kind else { return None };
    let (module, name) = graph.names(graph.globals.get(asked as usize)?)?;
    let (module, name) = (lossy(&module), lossy(&name));
    Some(if matches!(module.as_str(), "builtins" | "__builtin__") { name } else { format!("{module}.{name}") })
}

/// An argument of a known constructor by the name of its parameter.
fn argument_named(graph: &Graph<'_>, id: u32, name: &str) -> Option<Value> {
    let at = shape_of(graph, id)?.parameters.iter().position(|parameter| *parameter == name)?;
    super::tree::argument(graph, id, at as u32)
}

/// What `BUILD` gives an object under a key.
fn state(inspection: &Inspection<'_>, id: u32, key: &[u8]) -> Option<Value> {
    let graph = &inspection.graph;
    let given = graph.edges(id).take(8).filter(|(_, edge)| edge.label == Label::State);
    let mut dicts: Vec<u32> = Vec::new();
    for node in given.filter_map(|(_, edge)| edge.to.node()) {
        match graph.node(node).kind {
            Kind::Dict => dicts.push(node),
            Kind::Tuple => dicts.extend(graph.edges(node).take(4).filter_map(|(_, edge)| edge.to.node())),
            _ => {}
        }
    }
    // Functions have few attributes that count; a dict of many is one of the user's.
    dicts.iter().find_map(|dict| {
        let found = graph.edges(*dict).take(64).find(|(_, edge)| match edge.label {
            Label::Key(Atom::Text | Atom::String, at) => graph.text(at).as_deref() == Some(key),
            _ => false,
        });
        found.map(|(_, edge)| edge.to)
    })
}

/// How many defaults a function has, and which parameters by name have one.
fn defaults(inspection: &Inspection<'_>, id: u32) -> (usize, Vec<String>) {
    let graph = &inspection.graph;
    let given = state(inspection, id, b"__defaults__").or_else(|| argument_named(graph, id, "defaults"));
    let count = given.and_then(|value| value.node()).map_or(0, |tuple| graph.node(tuple).items as usize);
    let by_name = state(inspection, id, b"__kwdefaults__").and_then(|value| value.node());
    let keys = by_name.into_iter().flat_map(|dict| graph.edges(dict).take(256));
    let keys = keys.filter_map(|(_, edge)| match edge.label {
        Label::Key(Atom::Text | Atom::String, at) => graph.text(at).map(|text| lossy(&text)),
        _ => None,
    });
    (count, keys.collect())
}

/// What a node is called in the node that it is shown in.
fn label_of(inspection: &Inspection<'_>, id: u32) -> Option<String> {
    let edge = inspection.tree.way_of(&inspection.graph, id)?;
    edge_label(inspection, edge)
}

fn edge_label(inspection: &Inspection<'_>, edge: &Edge) -> Option<String> {
    let (graph, tree) = (&inspection.graph, &inspection.tree);
    let folded = tree.folded[edge.from as usize] != edge.from;
    let owner = tree.shown(edge.from);
    match edge.label {
        Label::Callable => Some("callable".to_owned()),
        Label::Arguments => Some("arguments".to_owned()),
        Label::Keywords => Some("keywords".to_owned()),
        Label::State => Some("state".to_owned()),
        Label::Entry => None,
        Label::Key(atom, at) => {
            if (folded || is_globals(inspection, owner))
                && let Some(text) = graph.text(at)
            {
                return Some(lossy(&text));
            }
            Some(format!("[{}]", atom_text(graph, atom, at)))
        }
        Label::Index(at) => {
            if edge.from == ROOT {
                return None;
            }
            if !folded {
                return Some(format!("[{at}]"));
            }
            if let Some(Role::ClassAttribute) = shape_of(graph, tree.parent[edge.from as usize]).map(|shape| shape.role)
            {
                let call = tree.parent[edge.from as usize];
                let name = super::tree::argument(graph, call, 1).and_then(|name| graph.text_of(name));
                return name.map(|name| lossy(&name));
            }
            if arguments(graph, owner) == Some(edge.from) {
                let known = tree.parameter(graph, owner, edge.label);
                return Some(known.map_or_else(|| format!("argument {at}"), str::to_owned));
            }
            // A tuple within the arguments: the closure, the bases.
            let part = tree.way_of(graph, edge.from).and_then(|way| tree.parameter(graph, owner, way.label));
            if part == Some("closure")
                && let Some(Code::Known(_, outline)) = inspection.code(owner).as_deref()
                && let Some(name) = outline.free.get(at as usize)
            {
                return Some(name.clone());
            }
            Some(format!("{}[{at}]", part.unwrap_or("state")))
        }
    }
}

/// Everything in a node, parts that are folded into it gone through in their places.
fn parts(inspection: &Inspection<'_>, id: u32) -> Parts {
    let (graph, tree) = (&inspection.graph, &inspection.tree);
    let mut parts = Parts::default();
    let mut open = vec![id];
    while let Some(part) = open.pop() {
        for (number, edge) in graph.edges(part) {
            match edge.to {
                // A state of slots alone begins with None.
                Value::Atom { atom: Atom::None, .. } if is_slot_state(graph, tree.way_of(graph, part), edge) => {}
                Value::Atom { atom, at, .. } => {
                    let label = edge_label(inspection, edge).unwrap_or_default();
                    parts.values.push((label, atom_text(graph, atom, at)));
                }
                Value::Node { id: to, .. } => {
                    if tree.way[to as usize] != number {
                        let shown = tree.shown(to);
                        if shown != id && is_worth_showing(graph, edge, to) {
                            parts.shared.push(shown);
                        }
                    } else if tree.folded[to as usize] == to {
                        parts.children.push(to);
                    } else {
                        open.push(to);
                    }
                }
            }
        }
        for done in tree.done_to(part) {
            if tree.folded[done as usize] == done { parts.children.push(done) } else { open.push(done) }
        }
    }
    let preview = match graph.node(id).kind {
        Kind::Text | Kind::String => Some(Atom::Text),
        Kind::Bytes | Kind::ByteArray => Some(Atom::Bytes),
        Kind::Number => Some(Atom::Int),
        _ => None,
    };
    if let Some(atom) = preview {
        parts.values.push((String::new(), text_of(graph, atom, graph.node(id).at, PREVIEW)));
    }
    parts
}

/// Whether `edge` leads to the first of the two parts of a state, to which `way` led.
fn is_slot_state(graph: &Graph<'_>, way: Option<&Edge>, edge: &Edge) -> bool {
    edge.label == Label::Index(0)
        && way.is_some_and(|way| way.label == Label::State)
        && graph.node(edge.from).kind == Kind::Tuple
}

/// Constructors of by-value parts are named once and used everywhere; that is no news.
fn is_worth_showing(graph: &Graph<'_>, edge: &Edge, to: u32) -> bool {
    edge.label != Label::Callable
        || !matches!(graph.node(to).kind, Kind::Global(_))
        || shape_of(graph, edge.from).is_none()
}

/// A small value as Python writes it.
fn atom_text(graph: &Graph<'_>, atom: Atom, at: u64) -> String {
    text_of(graph, atom, at, WHOLE)
}

fn text_of(graph: &Graph<'_>, atom: Atom, at: u64, longest: usize) -> String {
    let argument = graph.instruction(at).map_or(Argument::None, |instruction| instruction.argument);
    match (atom, argument) {
        (Atom::None, _) => "None".to_owned(),
        (Atom::Bool(value), _) => if value { "True" } else { "False" }.to_owned(),
        (Atom::EmptyTuple, _) => "()".to_owned(),
        (Atom::Int, Argument::Int(value)) => value.to_string(),
        (Atom::Int, Argument::Long(bytes)) if bytes.len() <= 128 => repr::int_from_twos_complement(bytes),
        (Atom::Int, Argument::Long(bytes)) => format!("int of {} bytes", bytes.len()),
        (Atom::Float, Argument::Float(value)) => repr::float(value),
        (Atom::Int | Atom::Float, Argument::Line(line)) => lossy(&line[..line.len().min(longest)]),
        (Atom::Text | Atom::String, _) => {
            let mut short = Short::new(longest);
            short.push_str(&graph.text(at).unwrap_or_default());
            short.finish()
        }
        (Atom::Bytes, Argument::Bytes(bytes)) => {
            let mut short = Short::new(longest);
            short.push("b");
            short.push_bytes(bytes);
            short.finish()
        }
        _ => "?".to_owned(),
    }
}
