//! Which node is part of which: the graph as a tree, with the machinery of calls folded away.
//!
//! The first way to a node, depth first and in the order of the payload, makes it a child; other ways are shared references.
//! What the payload does to an object after it was made (a state setter, a class attribute) hangs below that object. The tuple
//! of a call's arguments, the state of an object and a constructor's name say nothing by themselves, and are folded into the
//! call. Everything is done with stacks of its own, whatever the depth.

use super::graph::{Edge, Graph, Kind, Label, MORE, ROOT, Value};
use super::known::{self, Role, Shape};

const NONE: u32 = u32::MAX;

/// See the module.
#[derive(Debug)]
pub(super) struct Tree {
    /// By node: the number of the edge that makes it a child.
    pub(super) way: Vec<u32>,
    /// By node: its parent.
    pub(super) parent: Vec<u32>,
    /// By node: the node that it is folded into, or itself.
    pub(super) folded: Vec<u32>,
    /// By node: its bytes with those of all below it.
    total: Vec<u64>,
    /// Nodes that are children without an edge, by their parents: sorted pairs.
    done: Vec<(u32, u32)>,
    /// All nodes that are part of the root, parents before their children.
    pub(super) order: Vec<u32>,
}

impl Tree {
    pub(super) fn new(graph: &Graph<'_>) -> Tree {
        let count = graph.nodes.len();
        let mut tree = Tree {
            way: vec![NONE; count],
            parent: vec![NONE; count],
            folded: (0..count as u32).collect(),
            total: graph.nodes.iter().map(|node| node.own).collect(),
            done: Vec::new(),
            order: Vec::new(),
        };
        let mut order = Vec::with_capacity(count);
        tree.parent[ROOT as usize] = ROOT;
        tree.visit(graph, ROOT, &mut order);
        // What nothing refers to: later ones hold earlier ones.
        for id in (MORE + 1..count as u32).rev() {
            if tree.parent[id as usize] == NONE {
                let target = first_argument(graph, id).filter(|target| tree.parent[*target as usize] != NONE);
                tree.hang(graph, id, target.unwrap_or(ROOT), &mut order);
            }
        }
        if graph.node(MORE).items > 0 {
            tree.hang(graph, MORE, ROOT, &mut order);
        }
        for &id in order.iter().rev() {
            let parent = tree.parent[id as usize];
            if parent != id && parent != NONE {
                tree.total[parent as usize] += tree.total[id as usize];
            }
        }
        tree.done.sort_unstable();
        tree.order = order;
        tree
    }

    fn hang(&mut self, graph: &Graph<'_>, id: u32, parent: u32, order: &mut Vec<u32>) {
        self.parent[id as usize] = parent;
        if shape_of(graph, id).is_some_and(|shape| matches!(shape.role, Role::ClassAttribute | Role::SetState))
            && parent != ROOT
        {
            self.folded[id as usize] = self.shown(parent);
        }
        self.done.push((parent, id));
        self.visit(graph, id, order);
    }

    /// Make children of everything that is reached from here and has no parent yet.
    fn visit(&mut self, graph: &Graph<'_>, from: u32, order: &mut Vec<u32>) {
        let first = |id: u32| graph.edges(id).next().map_or(NONE, |(number, _)| number);
        order.push(from);
        let mut open = vec![first(from)];
        while let Some(top) = open.last_mut() {
            let Some(edge) = graph.edges.get(*top as usize) else {
                open.pop();
                continue;
            };
            let number = std::mem::replace(top, edge.following());
            if let Value::Node { id, .. } = edge.to
                && self.parent[id as usize] == NONE
            {
                self.parent[id as usize] = edge.from;
                self.way[id as usize] = number;
                if self.folds(graph, edge, id) {
                    self.folded[id as usize] = self.shown(edge.from);
                }
                order.push(id);
                open.push(first(id));
            }
        }
    }

    /// Whether the node that `edge` leads to is a part that says nothing by itself.
    fn folds(&self, graph: &Graph<'_>, edge: &Edge, id: u32) -> bool {
        let kind = graph.node(id).kind;
        match edge.label {
            Label::Arguments => kind == Kind::Tuple,
            Label::State => matches!(kind, Kind::Tuple | Kind::Dict),
            Label::Keywords => kind == Kind::Dict,
            Label::Callable => match kind {
                Kind::Global(_) => global_shape(graph, id).is_some(),
                Kind::Reduce => shape_of(graph, id).is_some_and(|shape| shape.role == Role::Builtin),
                _ => false,
            },
            // The marshal bytes of a code object are the code object.
            Label::Index(0 | 1) if matches!(kind, Kind::Bytes | Kind::Reduce | Kind::Text) => {
                let owner = self.folded[edge.from as usize];
                owner != edge.from && shape_of(graph, owner).is_some_and(|shape| shape.role == Role::Code)
            }
            Label::Index(_) if matches!(kind, Kind::Tuple | Kind::Dict) => {
                let owner = self.folded[edge.from as usize];
                if owner == edge.from {
                    return false;
                }
                let container = self.way_of(graph, edge.from);
                match container.map(|way| way.label) {
                    // State as a pair of a dict and slots.
                    Some(Label::State) => true,
                    Some(Label::Arguments) => self.parameter(graph, owner, edge.label).is_some_and(|name| {
                        matches!(
                            name,
                            "closure" | "bases" | "namespace" | "keywords" | "state" | "defaults" | "changes"
                        )
                    }),
                    // The state of cloudpickle's setters is one level deeper.
                    _ => shape_of(graph, self.parent[edge.from as usize])
                        .is_some_and(|shape| shape.role == Role::SetState),
                }
            }
            _ => false,
        }
    }

    /// The name of a parameter of the known constructor that `call` calls.
    pub(super) fn parameter(&self, graph: &Graph<'_>, call: u32, label: Label) -> Option<&'static str> {
        let Label::Index(at) = label else { return None };
        shape_of(graph, call)?.parameters.get(at as usize).copied()
    }

    /// The edge that makes a node a child.
    pub(super) fn way_of<'g>(&self, graph: &'g Graph<'_>, id: u32) -> Option<&'g Edge> {
        graph.edges.get(self.way[id as usize] as usize)
    }

    /// The node as part of which this one is shown.
    pub(super) fn shown(&self, id: u32) -> u32 {
        let mut id = id;
        while self.folded[id as usize] != id {
            id = self.folded[id as usize];
        }
        id
    }

    /// Bytes of a node and all below it.
    pub(super) fn total(&self, id: u32) -> u64 {
        self.total[id as usize]
    }

    /// Children without an edge.
    pub(super) fn done_to(&self, id: u32) -> impl Iterator<Item = u32> {
        let from = self.done.partition_point(|(parent, _)| *parent < id);
        self.done[from..].iter().take_while(move |(parent, _)| *parent == id).map(|(_, child)| *child)
    }
}

/// The tuple of the arguments of a call.
pub(super) fn arguments(graph: &Graph<'_>, call: u32) -> Option<u32> {
    graph.edges(call).take(4).find(|(_, edge)| edge.label == Label::Arguments).and_then(|(_, edge)| edge.to.node())
}

/// An argument of a call, by its place.
pub(super) fn argument(graph: &Graph<'_>, call: u32, at: u32) -> Option<Value> {
    let tuple = arguments(graph, call)?;
    let found = graph.edges(tuple).take(32).find(|(_, edge)| edge.label == Label::Index(at));
    found.map(|(_, edge)| edge.to)
}

/// The node that is the first argument of a call.
fn first_argument(graph: &Graph<'_>, id: u32) -> Option<u32> {
    match graph.node(id).kind {
        Kind::Reduce => argument(graph, id, 0)?.node().filter(|target| *target != id),
        _ => None,
    }
}

/// What a call calls.
pub(super) fn callable(graph: &Graph<'_>, call: u32) -> Option<u32> {
    match graph.node(call).kind {
        Kind::Reduce | Kind::New | Kind::Instance => {
            let (_, edge) = graph.edges(call).next()?;
            (edge.label == Label::Callable).then(|| edge.to.node())?
        }
        _ => None,
    }
}

fn global_shape(graph: &Graph<'_>, id: u32) -> Option<Shape> {
    let Kind::Global(asked) = graph.node(id).kind else { return None };
    let (module, name) = graph.names(graph.globals.get(asked as usize)?)?;
    known::constructor(&module, &name)
}

/// The known constructor that a node is a call of.
pub(super) fn shape_of(graph: &Graph<'_>, call: u32) -> Option<Shape> {
    if graph.node(call).kind != Kind::Reduce {
        return None;
    }
    let called = callable(graph, call)?;
    if let Some(shape) = global_shape(graph, called) {
        return Some(shape);
    }
    // cloudpickle makes code objects by a type that it looks up by name.
    let inner = callable(graph, called).and_then(|inner| global_shape(graph, inner))?;
    let name = argument(graph, called, 0).and_then(|name| graph.text_of(name))?;
    (inner.role == Role::Builtin && name == b"CodeType").then_some(Shape { role: Role::CodeFields, parameters: &[] })
}
