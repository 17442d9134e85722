//! What is in a payload, without making any of it.
//!
//! [`inspect`] runs the pickle machine with a host that makes nothing ([`survey`]), so that it cannot disagree with the
//! loader about what a pickle means. What comes out is a graph ([`graph`]) whose nodes hold every byte of the payload exactly
//! once, arranged as a tree ([`tree`]); calls of constructors that are known ([`known`]) are recognised as functions, classes
//! and modules, and the code of functions is read by `capers-code`. An [`Inspection`] shows it node by node ([`view`]) and as
//! JSON ([`json`]).
//!
//! Nothing is imported, called or decompressed, nothing recurses, and memory follows the bytes that were read: [`Room`] caps
//! it. A payload that is cut short or damaged is shown as far as it goes, with the error that the loader would raise.
//!
//! The machine must not know this module.

mod code;
pub(crate) mod escapes;
mod graph;
pub mod json;
mod known;
mod page;
mod source;
mod survey;
mod tree;
mod view;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use capers_code::Version;

use crate::error::Error;
use crate::machine::Machine;
use crate::reader::{Instruction, Source};

pub use code::{Code, Marshalled};
pub use graph::{MORE, ROOT};
pub use page::write_page;
pub use view::{How, Node};

use graph::Graph;
use source::Lenient;
use survey::{MemoMeter, Survey};
use tree::Tree;

/// How much an inspection may hold, all in all some 40 MiB beside the payload for small ones.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Values on the stack or in the memo at once; more of them are an error.
    pub values: usize,
    /// Nodes of the graph; what comes after them is counted in one node.
    pub nodes: usize,
    /// Bytes of marshalled code that are looked into, all in all; further code is counted and not described.
    pub code: usize,
    /// Whether [`Inspection::digest`] is wanted.
    pub digests: bool,
}

impl Room {
    /// What suits a payload of so many bytes: a fixed room, and more only in proportion to the payload itself.
    #[must_use]
    pub fn for_payload(bytes: usize) -> Room {
        Room {
            values: (1 << 20).max(bytes / 16),
            nodes: (3 << 15).max(bytes / 64).min(1 << 26),
            code: (2 << 20).max(bytes / 16),
            digests: false,
        }
    }

    /// As much as it takes, for payloads that one has written oneself.
    #[must_use]
    pub fn unlimited() -> Room {
        Room { values: usize::MAX, nodes: u32::MAX as usize / 4, code: usize::MAX, digests: false }
    }
}

/// A payload that was looked into.
#[derive(Debug)]
pub struct Inspection<'a> {
    data: &'a [u8],
    graph: Graph<'a>,
    tree: Tree,
    /// By node: its own bytes with those of the parts folded into it.
    own: Vec<u64>,
    protocol: u8,
    read: usize,
    error: Option<Error>,
    room: Room,
    codes: RefCell<Codes>,
}

/// Code that was looked into already, by the number of its node.
#[derive(Debug, Default)]
struct Codes {
    known: HashMap<u32, Rc<Code>>,
    bytes: usize,
}

/// A global that a payload asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// The offset of the instruction that asks.
    pub offset: u64,
    /// Module and qualname as `find_class` gets them, in UTF-8 with surrogates allowed; `None` for names that are known only
    /// when the payload is loaded.
    pub names: Option<(Vec<u8>, Vec<u8>)>,
}

/// Look into the payload at the beginning of `data`.
#[must_use]
pub fn inspect(data: &[u8], room: Room) -> Inspection<'_> {
    let nodes = u32::try_from(room.nodes).unwrap_or(u32::MAX / 4);
    let graph = Graph::new(data, graph::Room { nodes, edges: nodes.saturating_mul(2), digests: room.digests });
    let mut survey = Survey::new(graph, room.values, room.values);
    let mut source = Lenient::new(data);
    let mut meter = MemoMeter(room.values);
    let (read, error) = match Machine::default().run(&mut survey, &mut source, &mut meter) {
        Ok(value) => {
            survey.finish(value);
            (source.offset() as usize, None)
        }
        Err(error) => {
            let read = error.offset().and_then(|offset| usize::try_from(offset).ok()).unwrap_or(0).min(data.len());
            survey.broke_off(read as u64);
            (read, Some(error))
        }
    };
    let error = error.or(source.error);
    let tree = Tree::new(&survey.graph);
    let mut own: Vec<u64> = survey.graph.nodes.iter().map(|node| node.own).collect();
    for id in 0..own.len() as u32 {
        let shown = tree.shown(id);
        if shown != id {
            own[shown as usize] += std::mem::take(&mut own[id as usize]);
        }
    }
    let (graph, protocol) = (survey.graph, survey.protocol);
    Inspection { data, graph, tree, own, protocol, read, error, room, codes: RefCell::default() }
}

impl<'a> Inspection<'a> {
    /// The bytes that were looked into, and what follows them.
    #[must_use]
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// How many bytes belong to the payload: up to `STOP`, or up to the instruction that could not be read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read
    }

    /// Whether not one instruction could be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read == 0
    }

    /// Why reading stopped before the end of the payload, if it did.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// The protocol that the payload states; 0 where it states none.
    #[must_use]
    pub fn protocol(&self) -> u8 {
        self.protocol
    }

    /// How many bytes of the payload belong to values that there was no room for, of which nothing else is known.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        self.own.get(MORE as usize).copied().unwrap_or(0)
    }

    /// How many bytes follow the payload.
    #[must_use]
    pub fn following(&self) -> usize {
        if self.error.is_some() { 0 } else { self.data.len() - self.read }
    }

    /// The Python version of the code in the payload, or several of them; `None` where there is no code that tells.
    #[must_use]
    pub fn python(&self) -> Option<String> {
        let versions: BTreeSet<Version> = self
            .ids()
            .filter(|id| matches!(self.graph.node(*id).kind, graph::Kind::Reduce))
            .filter_map(|id| self.version(id).ok())
            .collect();
        let told: Vec<String> = versions.iter().map(Version::to_string).collect();
        (!told.is_empty()).then(|| told.join(", "))
    }

    /// The globals that the payload asks for, in the order in which it does.
    pub fn globals(&self) -> impl Iterator<Item = Global> {
        self.graph.globals.iter().map(|asked| Global { offset: asked.offset, names: self.graph.names(asked) })
    }

    /// The numbers of all nodes that are shown, the root first.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        (0..self.own.len() as u32).filter(|id| self.is_shown(*id))
    }

    fn is_shown(&self, id: u32) -> bool {
        self.tree.parent[id as usize] != u32::MAX && self.tree.folded[id as usize] == id
    }

    /// A node by its number.
    #[must_use]
    pub fn node(&self, id: u32) -> Node {
        view::node(self, id)
    }

    /// A digest of the small values in a node and, for a text, bytes or a number, of what it holds; 0 where
    /// [`Room::digests`] did not ask for it.
    #[must_use]
    pub fn digest(&self, id: u32) -> u64 {
        let Some(digests) = &self.graph.digests else { return 0 };
        let content = self.graph.content(self.graph.node(id).at);
        let mut hasher = DefaultHasher::new();
        (digests.get(id as usize), content).hash(&mut hasher);
        hasher.finish()
    }

    /// Bytes of a node itself.
    #[must_use]
    pub fn own(&self, id: u32) -> u64 {
        self.own[id as usize]
    }

    /// Bytes of a node with those of all below it.
    #[must_use]
    pub fn total(&self, id: u32) -> u64 {
        self.tree.total(id)
    }

    /// The node that this one is part of; the root is part of itself.
    #[must_use]
    pub fn parent(&self, id: u32) -> u32 {
        self.tree.shown(self.tree.parent[id as usize])
    }

    /// The instruction that makes a node, argument and all: for large texts and bytes, what they hold.
    #[must_use]
    pub fn instruction(&self, id: u32) -> Option<Instruction<'a>> {
        self.graph.instruction(self.graph.node(id).at)
    }

    /// The numbers of all nodes that are shown, parents before their children, in the order of the payload.
    pub fn in_order(&self) -> impl Iterator<Item = u32> {
        self.tree.order.iter().copied().filter(|id| self.is_shown(*id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(data: &[u8]) -> (Inspection<'_>, u64) {
        let inspection = inspect(data, Room::for_payload(data.len()));
        let sum = inspection.ids().map(|id| inspection.node(id).own).sum();
        (inspection, sum)
    }

    #[test]
    fn every_byte_belongs_to_one_node() {
        for data in [
            &b"\x80\x04\x95\x0b\0\0\0\0\0\0\0]\x94(K\x01\x8c\x01a\x94e."[..],
            b"(lp0\nI1\naI01\naL12L\na.",
            b"(dp0\nVkey\np1\n(lp2\nsg1\ng0\ns.",
            b"]2\x85h\x000(K\x01K\x021N0.",
            b"]\x94(h\x00h\x00K\x01e.",
            b"(((N00K\x05.",
            b"}(K\x01]K\x02]u.",
            b"cbuiltins\nlist\n)R(K\x01e.",
            b"(cbuiltins\nlist\no(ibuiltins\nlist\n\x86.",
            b"\x8c\x08builtins\x8c\x04list\x93)\x81\x94}\x8c\x01ah\x00sb.",
        ] {
            let (inspection, sum) = all(data);
            if let Some(error) = inspection.error() {
                assert_eq!(error.to_string(), "the memo has no entry 0 (BINGET at byte 3)", "{data:?}");
            }
            assert_eq!(sum, inspection.len() as u64, "{data:?}");
            assert_eq!(inspection.node(ROOT).total, sum, "{data:?}");
        }
    }

    #[test]
    fn what_is_cut_short_is_shown_as_far_as_it_goes() {
        let data = b"\x80\x04]\x94(K\x01\x8c\x05abc";
        let (inspection, sum) = all(data);
        assert_eq!((inspection.len(), sum), (7, 7));
        let error = inspection.error().unwrap();
        assert_eq!(error.to_string(), "pickle data was truncated (SHORT_BINUNICODE at byte 7)");
    }

    #[test]
    fn a_frame_that_promises_too_much_is_an_error_that_does_not_end_the_reading() {
        let (inspection, sum) = all(b"\x80\x04\x95\xff\0\0\0\0\0\0\0]K\x01a.");
        assert_eq!((inspection.len(), sum), (16, 16));
        assert_eq!(inspection.error().unwrap().to_string(), "pickle data was truncated (FRAME at byte 2)");
    }

    #[test]
    fn globals_are_told_in_order_with_their_places() {
        let data = b"cos\npath\n\x8c\x03sys\x8c\x04argv\x93(icollections\ndeque\nU\x03sys\x8c\x04path\x93\x87.";
        let (inspection, _) = all(data);
        let told: Vec<_> = inspection.globals().map(|global| (global.offset, global.names.unwrap())).collect();
        let names = |module: &str, name: &str| (module.as_bytes().to_vec(), name.as_bytes().to_vec());
        assert_eq!(
            told,
            [
                (0, names("os", "path")),
                (20, names("sys", "argv")),
                (22, names("collections", "deque")),
                (52, names("sys", "path"))
            ]
        );
    }

    #[test]
    fn a_name_that_only_loading_computes_is_told_as_such() {
        let data = b"\x8c\x02oscbuiltins\nstr\n(t\x8c\x01xR\x93.";
        let (inspection, _) = all(data);
        assert!(inspection.error().is_some() || inspection.globals().any(|global| global.names.is_none()));
    }

    #[test]
    fn nodes_beyond_the_room_are_counted_in_one() {
        let data = [b"(".to_vec(), b"]".repeat(5000), b"t.".to_vec()].concat();
        let inspection = inspect(&data, Room { values: 10_000, nodes: 100, code: 0, digests: false });
        assert!(inspection.error().is_none());
        let sum: u64 = inspection.ids().map(|id| inspection.node(id).own).sum();
        assert_eq!(sum, data.len() as u64);
        // 98 lists have nodes; the tuple with its mark has none either.
        assert_eq!(inspection.node(MORE).own, 4904);
        let cut = inspect(&data, Room { values: 1000, nodes: 100, code: 0, digests: false });
        assert_eq!(cut.error().unwrap().to_string(), "out of memory (EMPTY_LIST at byte 1002)");
    }

    #[test]
    fn deep_nesting_needs_no_stack_of_the_thread() {
        let depth = 200_000;
        let data = [b"]".repeat(depth), b"a".repeat(depth - 1), b".".to_vec()].concat();
        let inspection = inspect(&data, Room::for_payload(data.len()));
        assert!(inspection.error().is_none());
        assert_eq!(inspection.node(ROOT).total, data.len() as u64);
    }
}
