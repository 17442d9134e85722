//! The graph that a survey makes: values, what each refers to, and the bytes that each came from.
//!
//! Small values are not nodes. A list of a million ints is one node whose bytes are all there is to say; the first few of its
//! items are kept, so that they can be shown. Nothing is copied out of the payload: a text is the offset of the instruction
//! that pushed it. Nodes and edges are capped; what comes after the cap is counted in one node, so that sums stay exact.

use crate::error::{Error, ErrorKind};
use crate::opcode::Op;
use crate::reader::{Argument, Instruction, Instructions};

/// Text, bytes and ints of at least this many bytes are nodes of their own.
pub(super) const LARGE: usize = 64;

/// So many small items of one container are kept.
const KEPT_ITEMS: u32 = 64;

/// The payload as a whole, of which everything is a part.
pub const ROOT: u32 = 0;
/// What came after the cap on nodes.
pub const MORE: u32 = 1;

/// A small value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Atom {
    /// `None`
    None,
    /// A bool.
    Bool(bool),
    /// An int.
    Int,
    /// A float.
    Float,
    /// A str.
    Text,
    /// Bytes or a bytearray.
    Bytes,
    /// A Python 2 string.
    String,
    /// `()`
    EmptyTuple,
}

/// A value on the stack or in the memo: a small one by itself, or a node.
///
/// `cost` counts the bytes of the instructions that made this value or fetched it from the memo, and that no node has been
/// charged for. Whoever takes the value from the stack is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A small value, and the offset of the instruction that pushed it.
    Atom {
        /// What it is.
        atom: Atom,
        /// Uncharged bytes.
        cost: u32,
        /// The offset.
        at: u64,
    },
    /// A node.
    Node {
        /// Its number.
        id: u32,
        /// Uncharged bytes; 0 for the value as it was made.
        cost: u32,
    },
}

impl Value {
    pub(super) fn cost(&self) -> u64 {
        match *self {
            Value::Atom { cost, .. } | Value::Node { cost, .. } => u64::from(cost),
        }
    }

    pub(super) fn cost_mut(&mut self) -> &mut u32 {
        match self {
            Value::Atom { cost, .. } | Value::Node { cost, .. } => cost,
        }
    }

    /// The node, if it is one.
    #[must_use]
    pub(super) fn node(&self) -> Option<u32> {
        match *self {
            Value::Node { id, .. } => Some(id),
            Value::Atom { .. } => None,
        }
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The payload.
    Root,
    /// What came after the cap on nodes.
    More,
    /// A large str.
    Text,
    /// Large bytes.
    Bytes,
    /// A large bytearray.
    ByteArray,
    /// A number of many digits.
    Number,
    /// A large Python 2 string.
    String,
    /// A tuple with items.
    Tuple,
    /// A list.
    List,
    /// A dict.
    Dict,
    /// A set.
    Set,
    /// A frozenset.
    FrozenSet,
    /// A global, by its place among the globals asked for.
    Global(u32),
    /// A global by its extension code.
    Extension(i32),
    /// A persistent id.
    Persistent,
    /// The out-of-band buffer of this number.
    Buffer(u64),
    /// A read-only view of a buffer.
    ReadOnly,
    /// The result of `REDUCE`.
    Reduce,
    /// The result of `NEWOBJ` or `NEWOBJ_EX`.
    New,
    /// The result of `INST` or `OBJ`.
    Instance,
}

/// In which part of a node an edge leads away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// What was called.
    Callable,
    /// Its arguments, as a tuple.
    Arguments,
    /// Its keyword arguments, as a dict.
    Keywords,
    /// The state that `BUILD` gives.
    State,
    /// An item by its number.
    Index(u32),
    /// The value for this small key.
    Key(Atom, u64),
    /// The value for a key that is a node, or the key itself.
    Entry,
}

/// A node refers to a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    /// The node.
    pub(super) from: u32,
    next: u32,
    /// In which part of it.
    pub(super) label: Label,
    /// The value.
    pub(super) to: Value,
}

/// A node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// What it is.
    pub(super) kind: Kind,
    /// The offset of the instruction that made it.
    pub(super) at: u64,
    /// Bytes of the payload that belong to it and to nothing in it.
    pub(super) own: u64,
    /// Items it was given, kept ones or not.
    pub(super) items: u64,
    first: u32,
    last: u32,
    small: u32,
}

const NO_EDGE: u32 = u32::MAX;

/// How large a graph may grow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Nodes; further values are counted in one node.
    pub(super) nodes: u32,
    /// Edges; further ones are left out.
    pub(super) edges: u32,
    /// Whether digests are made.
    pub(super) digests: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    data: &'a [u8],
    room: Room,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    /// The globals that the payload asks for, in the order in which it does.
    pub(super) globals: Vec<Asked>,
    /// By node, where they are asked for: a digest of all small values in it, kept ones or not.
    pub(super) digests: Option<Vec<u64>>,
}

/// A global that is asked for: where, and the offsets of the instructions that hold its module and its qualname.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The offset of the instruction that asks.
    pub(super) offset: u64,
    module: u64,
    name: u64,
}

/// The place of a name that is known only when the payload is loaded.
const COMPUTED: u64 = u64::MAX;

impl Asked {
    pub(super) fn new(offset: u64, module: Option<u64>, name: Option<u64>) -> Self {
        Asked { offset, module: module.unwrap_or(COMPUTED), name: name.unwrap_or(COMPUTED) }
    }
}

impl Edge {
    /// The number of the next edge of the same node.
    pub(super) fn following(&self) -> u32 {
        self.next
    }
}

impl<'a> Graph<'a> {
    pub(super) fn new(data: &'a [u8], room: Room) -> Self {
        let (nodes, edges, globals) = (Vec::new(), Vec::new(), Vec::new());
        let digests = room.digests.then(Vec::new);
        let mut graph = Graph { data, room, nodes, edges, globals, digests };
        graph.push(Kind::Root, 0);
        graph.push(Kind::More, 0);
        graph
    }

    fn push(&mut self, kind: Kind, at: u64) -> u32 {
        let node = Node { kind, at, own: 0, items: 0, first: NO_EDGE, last: NO_EDGE, small: 0 };
        self.nodes.push(node);
        if let Some(digests) = &mut self.digests {
            digests.push(0);
        }
        self.nodes.len() as u32 - 1
    }

    /// A new node, or the one that stands for all after the cap.
    pub(super) fn make(&mut self, kind: Kind, at: u64) -> u32 {
        if self.nodes.len() as u32 >= self.room.nodes {
            self.nodes[MORE as usize].items += 1;
            return MORE;
        }
        self.push(kind, at)
    }

    /// Charge bytes to a node.
    pub(super) fn charge(&mut self, id: u32, bytes: u64) {
        self.nodes[id as usize].own += bytes;
    }

    /// Add to the digest of a node what the instruction at an offset holds.
    fn digest(&mut self, id: u32, at: u64) {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let instruction = self.instruction(at);
        let Some(digest) = self.digests.as_mut().and_then(|all| all.get_mut(id as usize)) else { return };
        let mut hasher = DefaultHasher::new();
        digest.hash(&mut hasher);
        if let Some(instruction) = instruction {
            match instruction.argument {
                Argument::None => instruction.op.hash(&mut hasher),
                Argument::Int(value) => value.hash(&mut hasher),
                Argument::Unsigned(value) => value.hash(&mut hasher),
                Argument::Float(value) => value.to_bits().hash(&mut hasher),
                Argument::LinePair(module, name) => (module, name).hash(&mut hasher),
                Argument::Line(bytes) | Argument::Long(bytes) | Argument::Bytes(bytes) => bytes.hash(&mut hasher),
            }
        }
        *digest = hasher.finish();
    }

    /// `from` takes a value from the stack.
    pub(super) fn take(&mut self, from: u32, label: Label, to: Value) {
        if self.digests.is_some() {
            if let Label::Key(_, at) = label {
                self.digest(from, at);
            }
            if let Value::Atom { at, .. } = to {
                self.digest(from, at);
            }
        }
        let at = self.edges.len() as u32;
        let node = &mut self.nodes[from as usize];
        node.own += to.cost();
        node.items += 1;
        if from == MORE || to.node() == Some(MORE) || at >= self.room.edges {
            return;
        }
        if matches!(to, Value::Atom { .. }) {
            if node.small >= KEPT_ITEMS {
                return;
            }
            node.small += 1;
        }
        let before = std::mem::replace(&mut node.last, at);
        if before == NO_EDGE {
            node.first = at;
        } else {
            self.edges[before as usize].next = at;
        }
        self.edges.push(Edge { from, next: NO_EDGE, label, to });
    }

    /// A node by its number.
    #[must_use]
    pub(super) fn node(&self, id: u32) -> &Node {
        &self.nodes[id as usize]
    }

    /// The edges of a node with their numbers, in the order of the payload.
    pub(super) fn edges(&self, id: u32) -> impl Iterator<Item = (u32, &Edge)> {
        let mut at = self.nodes[id as usize].first;
        std::iter::from_fn(move || {
            let edge = self.edges.get(at as usize)?;
            Some((std::mem::replace(&mut at, edge.next), edge))
        })
    }

    /// The instruction at an offset at which one was run.
    #[must_use]
    pub(super) fn instruction(&self, at: u64) -> Option<Instruction<'a>> {
        let rest = self.data.get(usize::try_from(at).ok()?..)?;
        Instructions::new(rest).next()?.ok()
    }

    /// The counted bytes or the line of the instruction at this offset: the content of a text, of bytes, of an int.
    #[must_use]
    pub(super) fn content(&self, at: u64) -> Option<&'a [u8]> {
        match self.instruction(at)?.argument {
            Argument::Bytes(bytes) | Argument::Line(bytes) | Argument::Long(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A str as UTF-8 with surrogates allowed, if the instruction at this offset pushes one.
    #[must_use]
    pub(super) fn text(&self, at: u64) -> Option<Vec<u8>> {
        let instruction = self.instruction(at)?;
        match (instruction.op, instruction.argument) {
            (Op::ShortBinUnicode | Op::BinUnicode | Op::BinUnicode8, Argument::Bytes(bytes)) => Some(bytes.to_vec()),
            (Op::Unicode, Argument::Line(line)) => Some(super::escapes::raw_unicode(line)),
            (Op::BinString | Op::ShortBinString, Argument::Bytes(bytes)) => Some(super::escapes::latin(bytes)),
            (Op::String, Argument::Line(line)) => {
                let inside = line.get(1..line.len().checked_sub(1)?)?;
                Some(super::escapes::latin(&super::escapes::literal(inside)))
            }
            _ => None,
        }
    }

    /// Whether this value is a str, and its text.
    #[must_use]
    pub(super) fn text_of(&self, value: Value) -> Option<Vec<u8>> {
        match value {
            Value::Atom { atom: Atom::Text | Atom::String, at, .. } => self.text(at),
            Value::Node { id, .. } if matches!(self.node(id).kind, Kind::Text | Kind::String) => {
                self.text(self.node(id).at)
            }
            _ => None,
        }
    }

    /// Module and qualname of a global that is asked for; `None` for what is known only when the payload is loaded.
    #[must_use]
    pub(super) fn names(&self, asked: &Asked) -> Option<(Vec<u8>, Vec<u8>)> {
        if asked.module == COMPUTED || asked.name == COMPUTED {
            return None;
        }
        if asked.module == asked.offset {
            return match self.instruction(asked.offset)?.argument {
                Argument::LinePair(module, name) => Some((module.to_vec(), name.to_vec())),
                _ => None,
            };
        }
        Some((self.text(asked.module)?, self.text(asked.name)?))
    }

    /// Where the text of a value that names a module or a qualname is; `None` inside for a value that only loading computes.
    pub(super) fn named(&self, value: Value) -> Result<Option<u64>, Error> {
        match value {
            Value::Atom { atom: Atom::Text | Atom::String, at, .. } => Ok(Some(at)),
            Value::Node { id, .. } => match self.node(id).kind {
                Kind::Text | Kind::String => Ok(Some(self.node(id).at)),
                Kind::Reduce | Kind::New | Kind::Instance | Kind::Persistent | Kind::More | Kind::Extension(_) => {
                    Ok(None)
                }
                Kind::Global(_) => Ok(None),
                _ => Err(Error::new(ErrorKind::GlobalNotText)),
            },
            Value::Atom { .. } => Err(Error::new(ErrorKind::GlobalNotText)),
        }
    }
}
