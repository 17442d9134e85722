//! A host that makes nothing: it notes what the machine would have made, and from which bytes.
//!
//! Every byte of the payload is charged to one node. An instruction that makes a node is charged to it, and one that makes a
//! small value, or fetches something from the memo, to whoever takes that value from the stack. What is thrown away unused,
//! frames and the protocol go to the root. Operands are not judged: a list may be appended to anything, since only loading
//! tells what a call returns.

use super::escapes;
use super::graph::{Asked, Atom, Graph, Kind, LARGE, Label, MORE, ROOT, Value};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Items};
use crate::limits::{Limit, Meter};
use crate::opcode::{Op, Takes};
use crate::text::{self, IntRules, IntText};

/// Who is charged for the instruction that runs.
#[derive(Clone, Copy, Debug)]
enum Charge {
    /// The root.
    Root,
    /// This node.
    Node(u32),
    /// The value on top of the stack, in addition to what it cost before.
    Top,
    /// The value on top of the stack, which is a second reference and has cost nothing yet.
    Fetched,
}

pub(super) struct Survey<'a> {
    pub(super) graph: Graph<'a>,
    /// How many values may lie on the stack.
    stack: usize,
    /// The most globals that are noted.
    globals: usize,
    op: Op,
    start: u64,
    charge: Charge,
    buffers: u64,
    pub(super) protocol: u8,
}

/// Counts memo entries; nothing else takes memory that the survey does not see itself.
pub(super) struct MemoMeter(pub(super) usize);

impl Meter for MemoMeter {
    fn step(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn memo(&mut self, count: usize) -> Result<(), Error> {
        Limit::Memo.check(count as u64, Some(self.0 as u64))
    }

    fn bytes(&mut self, _count: usize) -> Result<(), Error> {
        Ok(())
    }

    fn items(&mut self, _count: usize) -> Result<(), Error> {
        Ok(())
    }
}

impl<'a> Survey<'a> {
    pub(super) fn new(graph: Graph<'a>, stack: usize, globals: usize) -> Self {
        Survey { graph, stack, globals, op: Op::Proto, start: 0, charge: Charge::Root, buffers: 0, protocol: 0 }
    }

    /// Charge the instruction that ran for its bytes, which end at `end`.
    fn settle(&mut self, end: u64, stack: &mut [Value]) {
        let mut bytes = end - self.start;
        // A mark is one byte, and belongs to whoever closes it.
        bytes += u64::from(matches!(self.op.info().takes, Takes::ToMark { .. }));
        let bytes32 = u32::try_from(bytes).unwrap_or(u32::MAX);
        match (self.charge, stack.last_mut()) {
            (Charge::Node(id), _) => self.graph.charge(id, bytes),
            (Charge::Fetched, Some(top)) => *top.cost_mut() = bytes32,
            (Charge::Top, Some(Value::Node { id, cost: 0 })) => self.graph.charge(*id, bytes),
            (Charge::Top, Some(top)) => *top.cost_mut() = top.cost_mut().saturating_add(bytes32),
            (Charge::Root | Charge::Top | Charge::Fetched, _) => self.graph.charge(ROOT, bytes),
        }
    }

    /// A value goes unused.
    fn discard(&mut self, value: Value) -> u32 {
        let id = value.node().unwrap_or(ROOT);
        self.graph.charge(id, value.cost());
        id
    }

    /// The end: what lies on the stack below the result is charged, and so are the marks there.
    pub(super) fn finish(&mut self, result: Value) {
        self.graph.charge(ROOT, 1);
        self.graph.take(ROOT, Label::Index(0), result);
    }

    /// The instruction at `read` could not be run: what lay on the stack has no owner, and goes to the root.
    pub(super) fn broke_off(&mut self, read: u64) {
        let charged: u64 = self.graph.nodes.iter().map(|node| node.own).sum();
        self.graph.charge(ROOT, read.saturating_sub(charged));
    }

    fn atom(&mut self, atom: Atom) -> Value {
        self.charge = Charge::Top;
        Value::Atom { atom, cost: 0, at: self.start }
    }

    /// A value of so many bytes: small, or a node.
    fn sized(&mut self, atom: Atom, kind: Kind, bytes: usize) -> Value {
        if bytes < LARGE { self.atom(atom) } else { self.node(kind) }
    }

    fn node(&mut self, kind: Kind) -> Value {
        let id = self.graph.make(kind, self.start);
        self.charge = Charge::Node(id);
        Value::Node { id, cost: 0 }
    }

    fn container(&mut self, kind: Kind, items: Items<'_, Value>) -> Value {
        let value = self.node(kind);
        self.fill(&value, items);
        value
    }

    /// Items are added to whatever this is.
    fn fill(&mut self, to: &Value, items: Items<'_, Value>) {
        let id = self.target(to);
        let begun = self.graph.node(id).items;
        for (at, item) in (begun..).zip(items) {
            self.graph.take(id, Label::Index(u32::try_from(at).unwrap_or(u32::MAX)), item);
        }
    }

    /// Keys and values are set in whatever this is.
    fn pairs(&mut self, to: &Value, mut items: Items<'_, Value>) {
        let id = self.target(to);
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            self.pair(id, key, value);
        }
    }

    fn pair(&mut self, id: u32, key: Value, value: Value) {
        let label = match key {
            Value::Atom { atom, at, cost } => {
                self.graph.charge(id, cost.into());
                Label::Key(atom, at)
            }
            Value::Node { .. } => {
                self.graph.take(id, Label::Entry, key);
                Label::Entry
            }
        };
        self.graph.take(id, label, value);
    }

    /// The node that something is done to; it is charged for it.
    fn target(&mut self, to: &Value) -> u32 {
        let id = to.node().unwrap_or(ROOT);
        self.charge = Charge::Node(id);
        id
    }

    fn asked(&mut self, module: Option<u64>, name: Option<u64>) -> Result<Value, Error> {
        let at = self.graph.globals.len();
        if at >= self.globals {
            return Err(Error::new(ErrorKind::OutOfMemory));
        }
        self.graph.globals.push(Asked::new(self.start, module, name));
        Ok(self.node(Kind::Global(at as u32)))
    }
}

impl Host for Survey<'_> {
    type Value = Value;
    type Error = Error;

    fn before(&mut self, op: Op, offset: u64, stack: &mut [Value], marks: &[usize]) -> Result<(), Error> {
        self.settle(offset, stack);
        if stack.len() + marks.len() / 2 > self.stack {
            return Err(Error::new(ErrorKind::OutOfMemory));
        }
        self.op = op;
        self.start = offset;
        self.charge = match op {
            Op::Memoize | Op::Put | Op::BinPut | Op::LongBinPut => Charge::Top,
            Op::Get | Op::BinGet | Op::LongBinGet | Op::Dup => Charge::Fetched,
            Op::Pop if marks.last() == Some(&stack.len()) => {
                self.graph.charge(ROOT, 1); // the mark
                Charge::Root
            }
            Op::Pop => match stack.last() {
                Some(&value) => Charge::Node(self.discard(value)),
                None => Charge::Root,
            },
            // The mark itself is charged when it is closed, or here when nothing ever closes it.
            Op::Mark => {
                self.start += 1;
                Charge::Root
            }
            Op::PopMark => {
                for &value in &stack[marks.last().copied().unwrap_or(0)..] {
                    self.discard(value);
                }
                Charge::Root
            }
            Op::Stop => {
                if let Some((_, below)) = stack.split_last() {
                    for &value in below {
                        self.discard(value);
                    }
                }
                self.graph.charge(ROOT, marks.len() as u64);
                Charge::Root
            }
            _ => Charge::Root,
        };
        Ok(())
    }

    fn protocol(&mut self, proto: u8) {
        self.protocol = proto;
    }

    fn none(&mut self) -> Value {
        self.atom(Atom::None)
    }

    fn bool(&mut self, value: bool) -> Value {
        self.atom(Atom::Bool(value))
    }

    fn int(&mut self, _value: i32) -> Result<Value, Error> {
        Ok(self.atom(Atom::Int))
    }

    fn long(&mut self, bytes: &[u8]) -> Result<Value, Error> {
        Ok(self.sized(Atom::Int, Kind::Number, bytes.len()))
    }

    fn int_line(&mut self, line: &[u8]) -> Result<Value, Error> {
        Ok(match line {
            b"00\n" => self.atom(Atom::Bool(false)),
            b"01\n" => self.atom(Atom::Bool(true)),
            _ if !is_number(line) && text::int_line(line, IntRules::LOOSE) == IntText::Other => {
                return Err(Error::new(ErrorKind::BadInt));
            }
            _ => self.sized(Atom::Int, Kind::Number, line.len()),
        })
    }

    fn long_line(&mut self, line: &[u8]) -> Result<Value, Error> {
        if !is_number(line) {
            return Err(Error::new(ErrorKind::BadInt));
        }
        Ok(self.sized(Atom::Int, Kind::Number, line.len()))
    }

    fn index_line(&mut self, line: &[u8]) -> Result<i64, Error> {
        let text = std::str::from_utf8(line).ok().map(str::trim);
        let digits = text.map(|text| text.replace('_', ""));
        digits.and_then(|text| text.parse().ok()).ok_or_else(|| Error::new(ErrorKind::BadMemoIndex))
    }

    fn float(&mut self, _value: f64) -> Result<Value, Error> {
        Ok(self.atom(Atom::Float))
    }

    fn float_line(&mut self, line: &[u8]) -> Result<Value, Error> {
        let text = std::str::from_utf8(line).unwrap_or_default();
        if line.is_ascii() && text.trim().replace('_', "").parse::<f64>().is_err() {
            return Err(Error::new(ErrorKind::BadFloat));
        }
        // A long line is a float, too; so that its cost fits, it is a node.
        Ok(self.sized(Atom::Float, Kind::Number, line.len()))
    }

    fn text(&mut self, utf8: &[u8]) -> Result<Value, Error> {
        if !escapes::is_text(utf8) {
            return Err(Error::new(ErrorKind::BadText));
        }
        Ok(self.sized(Atom::Text, Kind::Text, utf8.len()))
    }

    fn raw_unicode(&mut self, text: &[u8]) -> Result<Value, Error> {
        Ok(self.sized(Atom::Text, Kind::Text, text.len()))
    }

    fn string(&mut self, bytes: &[u8]) -> Result<Value, Error> {
        Ok(self.sized(Atom::String, Kind::String, bytes.len()))
    }

    fn string_literal(&mut self, escaped: &[u8]) -> Result<Value, Error> {
        Ok(self.sized(Atom::String, Kind::String, escaped.len()))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<Value, Error> {
        Ok(self.sized(Atom::Bytes, Kind::Bytes, bytes.len()))
    }

    fn bytearray(&mut self, bytes: &[u8]) -> Result<Value, Error> {
        Ok(self.sized(Atom::Bytes, Kind::ByteArray, bytes.len()))
    }

    fn empty_tuple(&mut self) -> Value {
        self.atom(Atom::EmptyTuple)
    }

    fn tuple(&mut self, items: Items<'_, Value>) -> Result<Value, Error> {
        Ok(self.container(Kind::Tuple, items))
    }

    fn empty_list(&mut self) -> Result<Value, Error> {
        Ok(self.node(Kind::List))
    }

    fn list(&mut self, items: Items<'_, Value>) -> Result<Value, Error> {
        Ok(self.container(Kind::List, items))
    }

    fn empty_dict(&mut self) -> Result<Value, Error> {
        Ok(self.node(Kind::Dict))
    }

    fn dict(&mut self, items: Items<'_, Value>) -> Result<Value, Error> {
        let value = self.node(Kind::Dict);
        self.pairs(&value, items);
        Ok(value)
    }

    fn empty_set(&mut self) -> Result<Value, Error> {
        Ok(self.node(Kind::Set))
    }

    fn frozenset(&mut self, items: Items<'_, Value>) -> Result<Value, Error> {
        Ok(self.container(Kind::FrozenSet, items))
    }

    fn append(&mut self, list: &Value, item: Value) -> Result<(), Error> {
        let id = self.target(list);
        let at = u32::try_from(self.graph.node(id).items).unwrap_or(u32::MAX);
        self.graph.take(id, Label::Index(at), item);
        Ok(())
    }

    fn appends(&mut self, list: &Value, items: Items<'_, Value>) -> Result<(), Error> {
        self.fill(list, items);
        Ok(())
    }

    fn set_item(&mut self, dict: &Value, key: Value, value: Value) -> Result<(), Error> {
        let id = self.target(dict);
        self.pair(id, key, value);
        Ok(())
    }

    fn set_items(&mut self, dict: &Value, items: Items<'_, Value>) -> Result<(), Error> {
        self.pairs(dict, items);
        Ok(())
    }

    fn add_items(&mut self, set: &Value, items: Items<'_, Value>) -> Result<(), Error> {
        self.fill(set, items);
        Ok(())
    }

    fn global_line(&mut self, line: &[u8]) -> Result<Value, Error> {
        match std::str::from_utf8(line) {
            Ok(_) => Ok(Value::Atom { atom: Atom::Text, cost: 0, at: self.start }),
            Err(_) => Err(Error::new(ErrorKind::BadText)),
        }
    }

    fn inst_line(&mut self, line: &[u8]) -> Result<Value, Error> {
        if line.is_ascii() { self.global_line(line) } else { Err(Error::new(ErrorKind::BadText)) }
    }

    fn global(&mut self, _module: Value, _name: Value) -> Result<Value, Error> {
        self.asked(Some(self.start), Some(self.start))
    }

    fn stack_global(&mut self, module: Value, name: Value) -> Result<Value, Error> {
        let places = (self.graph.named(module)?, self.graph.named(name)?);
        let value = self.asked(places.0, places.1)?;
        let id = self.target(&value);
        for (at, part) in [module, name].into_iter().enumerate() {
            match part {
                Value::Atom { .. } => self.graph.charge(id, part.cost()),
                Value::Node { .. } => self.graph.take(id, Label::Index(at as u32), part),
            }
        }
        Ok(value)
    }

    fn extension(&mut self, code: i32) -> Result<Value, Error> {
        Ok(self.node(Kind::Extension(code)))
    }

    fn persistent_line(&mut self, id: &[u8]) -> Result<Value, Error> {
        if !id.is_ascii() {
            return Err(Error::new(ErrorKind::BadText));
        }
        Ok(self.node(Kind::Persistent))
    }

    fn persistent(&mut self, id: Value) -> Result<Value, Error> {
        let value = self.node(Kind::Persistent);
        let node = self.target(&value);
        self.graph.take(node, Label::Index(0), id);
        Ok(value)
    }

    fn reduce(&mut self, callable: Value, arguments: Value) -> Result<Value, Error> {
        let value = self.node(Kind::Reduce);
        let id = self.target(&value);
        self.graph.take(id, Label::Callable, callable);
        self.graph.take(id, Label::Arguments, arguments);
        Ok(value)
    }

    fn new_object(&mut self, class: Value, arguments: Value, keywords: Option<Value>) -> Result<Value, Error> {
        let value = self.node(Kind::New);
        let id = self.target(&value);
        self.graph.take(id, Label::Callable, class);
        self.graph.take(id, Label::Arguments, arguments);
        if let Some(keywords) = keywords {
            self.graph.take(id, Label::Keywords, keywords);
        }
        Ok(value)
    }

    fn instance(&mut self, class: Value, items: Items<'_, Value>) -> Result<Value, Error> {
        let value = self.node(Kind::Instance);
        let id = self.target(&value);
        self.graph.take(id, Label::Callable, class);
        for (at, item) in (0..).zip(items) {
            self.graph.take(id, Label::Index(at), item);
        }
        Ok(value)
    }

    fn build(&mut self, object: &Value, state: Value) -> Result<(), Error> {
        let id = self.target(object);
        self.graph.take(id, Label::State, state);
        Ok(())
    }

    fn next_buffer(&mut self) -> Result<Value, Error> {
        self.buffers += 1;
        Ok(self.node(Kind::Buffer(self.buffers - 1)))
    }

    fn readonly_buffer(&mut self, buffer: Value) -> Result<Value, Error> {
        let value = self.node(Kind::ReadOnly);
        let id = self.target(&value);
        self.graph.take(id, Label::Index(0), buffer);
        Ok(value)
    }
}

/// Whether a line may be the text of an int: Python's `int` takes digits of all scripts, among other things, and is not
/// imitated here.
fn is_number(line: &[u8]) -> bool {
    line.iter().any(|byte| byte.is_ascii_digit() || !byte.is_ascii())
}

// What came after the cap has no edges, so the target of a fill may be any node.
const _: () = assert!(ROOT != MORE);
