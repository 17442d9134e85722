//! Who has written which bytes: the account that `explain` keeps while a real dump runs.
//!
//! A *node* is an object that was begun, with the place where its bytes start and, once it is finished, where they end. What
//! lies in there and in none of its children is its own; so the sums are exact. Nodes are few and compact: of a container
//! only the first items get nodes, and what comes after them is one node for all.
//!
//! This module counts. When a node begins and ends, and what an object is called, is told by `noted`.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::PyType;

use super::by_value::Slot;

/// Children of one node that are told apart.
pub(super) const MAX_CHILDREN: usize = 200;

/// Nodes in all.
const MAX_NODES: usize = 20_000;

/// How an object travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Reference,
    Value,
    Data,
}

impl How {
    pub(super) fn name(self) -> &'static str {
        match self {
            How::Reference => "reference",
            How::Value => "value",
            How::Data => "data",
        }
    }
}

/// An object and its bytes.
pub(super) struct Node {
    pub(super) parent: Option<u32>,
    /// The step from the parent.
    pub(super) label: String,
    /// Its class, as an index into the classes; none for what is no object.
    pub(super) class: Option<u32>,
    /// What there is to say of it besides its class.
    pub(super) what: String,
    pub(super) how: How,
    pub(super) start: usize,
    pub(super) end: usize,
    address: usize,
    children: usize,
    /// Where the children begin that are not told apart, and how many they are, where that is known.
    cut: Option<(usize, Option<usize>)>,
}

/// An object that has been begun and not finished.
pub(super) struct Open<'py> {
    /// The height of the work stack when it was begun.
    pub(super) height: usize,
    pub(super) node: Option<u32>,
    pub(super) object: Bound<'py, PyAny>,
    /// How to take it back.
    pub(super) slot: Slot,
    pub(super) start: usize,
    /// Whether plain data took the fast walk when it was begun.
    pub(super) walks: bool,
}

/// An object that cannot travel.
pub(super) struct Offender {
    pub(super) node: Option<u32>,
    pub(super) path: String,
    pub(super) class: String,
    pub(super) message: String,
    at: usize,
}

/// The account of one dump.
pub(super) struct Ledger<'py> {
    pub(super) root: Bound<'py, PyAny>,
    pub(super) nodes: Vec<Node>,
    open: Vec<Open<'py>>,
    /// Which of the open objects have nodes.
    noted: Vec<usize>,
    pub(super) classes: Vec<Bound<'py, PyType>>,
    class_indices: HashMap<usize, u32>,
    addresses: HashMap<usize, u32>,
    /// Who refers to what was written before: from, to, and where.
    edges: Vec<(u32, u32, usize)>,
    pub(super) offenders: Vec<Offender>,
    /// Whether plain data may take the fast walk.
    pub(super) may_walk: bool,
}

impl<'py> Ledger<'py> {
    pub(super) fn new(root: &Bound<'py, PyAny>, may_walk: bool) -> Self {
        Self {
            root: root.clone(),
            nodes: Vec::new(),
            open: Vec::new(),
            noted: Vec::new(),
            classes: Vec::new(),
            class_indices: HashMap::new(),
            addresses: HashMap::new(),
            edges: Vec::new(),
            offenders: Vec::new(),
            may_walk,
        }
    }

    /// Notes that an object has been begun. What is open stands at rising heights of the work stack.
    pub(super) fn open(&mut self, open: Open<'py>) {
        if open.node.is_some() {
            self.noted.push(self.open.len());
        }
        self.open.push(open);
    }

    /// The innermost open object, which is no longer.
    pub(super) fn end(&mut self) -> Option<Open<'py>> {
        let open = self.open.pop()?;
        if open.node.is_some() {
            self.noted.pop();
        }
        Some(open)
    }

    /// The innermost open object.
    pub(super) fn innermost(&self) -> Option<&Open<'py>> {
        self.open.last()
    }

    /// The outermost of the objects that were begun at `height` of the work stack or above.
    pub(super) fn first_from(&self, height: usize) -> Option<&Open<'py>> {
        self.open.get(self.open.partition_point(|it| it.height < height))
    }

    /// How many objects are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The innermost open object that has a node.
    pub(super) fn parent(&self) -> Option<&Open<'py>> {
        self.open.get(*self.noted.last()?)
    }

    /// The height of the work stack below the innermost open object.
    pub(super) fn floor(&self) -> usize {
        self.open.last().map_or(0, |it| it.height)
    }

    /// Whether there is room for a further node.
    pub(super) fn has_room(&self) -> bool {
        let cut = self.parent_node().is_some_and(|it| it.cut.is_some());
        !cut && self.nodes.len() < MAX_NODES
    }

    /// Whether no node will ever be added again.
    pub(super) fn is_full(&self) -> bool {
        self.nodes.len() >= MAX_NODES
    }

    fn parent_node(&self) -> Option<&Node> {
        self.nodes.get(self.parent()?.node? as usize)
    }

    /// Whether the parent has as many children as are told apart.
    pub(super) fn parent_is_full(&self) -> bool {
        self.parent_node().is_some_and(|it| it.children >= MAX_CHILDREN)
    }

    /// Tells no children of the parent apart from `at` on; `count` are left.
    pub(super) fn cut_parent(&mut self, at: usize, count: Option<usize>) {
        if let Some(node) = self.parent().and_then(|it| it.node) {
            self.nodes[node as usize].cut = Some((at, count));
        }
    }

    /// A new node at `start`, below the innermost open one.
    pub(super) fn add(
        &mut self,
        object: &Bound<'py, PyAny>,
        label: String,
        what: String,
        how: How,
        start: usize,
    ) -> u32 {
        let class = object.get_type();
        let known = &mut self.classes;
        let class = *self.class_indices.entry(class.as_ptr() as usize).or_insert_with(|| {
            known.push(class);
            known.len() as u32 - 1
        });
        let address = object.as_ptr() as usize;
        // While it is being written it is held, and may be referred to.
        self.addresses.insert(address, self.nodes.len() as u32);
        self.push(Node {
            parent: self.parent().and_then(|it| it.node),
            label,
            class: Some(class),
            what,
            how,
            start,
            end: start,
            address,
            children: 0,
            cut: None,
        })
    }

    fn push(&mut self, node: Node) -> u32 {
        if let Some(parent) = node.parent {
            self.nodes[parent as usize].children += 1;
        }
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }

    /// The node of the object being begun, or being written.
    pub(super) fn current(&mut self) -> Option<&mut Node> {
        let node = self.open.last()?.node?;
        self.nodes.get_mut(node as usize)
    }

    /// Ends `node` at `end`; it is found by its address if it has been `memoized`, and so stays where it is.
    pub(super) fn close(&mut self, node: u32, end: usize, memoized: bool) {
        let closed = &mut self.nodes[node as usize];
        closed.end = end;
        if memoized {
            self.addresses.insert(closed.address, node);
        } else if self.addresses.get(&closed.address) == Some(&node) {
            self.addresses.remove(&closed.address);
        }
        if let Some((at, count)) = closed.cut {
            let label = match count {
                Some(count) => format!("… {count} more items"),
                None => String::from("… more items"),
            };
            self.push(Node {
                parent: Some(node),
                label,
                class: None,
                what: String::new(),
                how: How::Data,
                start: at,
                end,
                address: 0,
                children: 0,
                cut: None,
            });
        }
    }

    /// Notes that the innermost open node refers to `object`, at `at`.
    pub(super) fn refer(&mut self, object: &Bound<'py, PyAny>, at: usize) {
        let (Some(from), Some(to)) =
            (self.parent().and_then(|it| it.node), self.addresses.get(&(object.as_ptr() as usize)).copied())
        else {
            return;
        };
        if self.nodes[to as usize].how == How::Reference || self.edges.len() >= 4 * MAX_NODES {
            return;
        }
        if !self.edges.iter().rev().take(16).any(|edge| (edge.0, edge.1) == (from, to)) {
            self.edges.push((from, to, at));
        }
    }

    /// Notes an object that cannot travel.
    pub(super) fn offend(&mut self, node: Option<u32>, path: String, class: String, message: String, at: usize) {
        self.offenders.push(Offender { node, path, class, message, at });
    }

    /// Forgets what was begun at `height` of the work stack or above, and what was written from `at` on.
    ///
    /// What is forgotten was noted last, in all lists; so this costs no more than noting it did.
    pub(super) fn rewind(&mut self, height: usize, at: usize) {
        while self.open.last().is_some_and(|it| it.height >= height) {
            self.end();
        }
        let innermost = self.parent().and_then(|it| it.node);
        let kept = innermost.map_or(0, |it| it as usize + 1);
        while self.nodes.len() > kept && self.nodes.last().is_some_and(|it| it.start >= at) {
            let Some(node) = self.nodes.pop() else { break };
            if self.addresses.get(&node.address) == Some(&(self.nodes.len() as u32)) {
                self.addresses.remove(&node.address);
            }
            if let Some(parent) = node.parent {
                self.nodes[parent as usize].children -= 1;
            }
        }
        // Below a node that is cut there are no others, so that no more than the innermost can be.
        if let Some(node) = innermost {
            let node = &mut self.nodes[node as usize];
            node.cut = node.cut.filter(|(cut, _)| *cut < at);
        }
        while self.edges.last().is_some_and(|edge| edge.2 >= at) {
            self.edges.pop();
        }
        while self.offenders.last().is_some_and(|it| it.at >= at) {
            self.offenders.pop();
        }
    }

    /// For each node, what it refers to.
    pub(super) fn shared(&self) -> Vec<Vec<u32>> {
        let mut shared = vec![Vec::new(); self.nodes.len()];
        for (from, to, _) in &self.edges {
            if !shared[*from as usize].contains(to) {
                shared[*from as usize].push(*to);
            }
        }
        shared
    }

    /// For each node, its bytes without those of its children.
    pub(super) fn own(&self) -> Vec<usize> {
        let mut own: Vec<_> = self.nodes.iter().map(|it| it.end - it.start).collect();
        for (at, node) in self.nodes.iter().enumerate() {
            if let Some(parent) = node.parent {
                own[parent as usize] -= self.nodes[at].end - self.nodes[at].start;
            }
        }
        own
    }
}
