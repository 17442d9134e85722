//! A host of plain Rust values: what a pickle describes, with nothing imported and nothing called.
//!
//! Values are nodes of an arena and refer to each other by [`Id`], so that shared and cyclic structures are kept as they
//! are and dropping them is one loop over a vector, whatever their depth. A call is kept as a node that records it. The
//! tests, the fuzzers and Miri run the machine with this host.

use crate::error::{Error, ErrorKind};
use crate::host::{Host, Items};
use crate::limits::{Meter, Unlimited};
use crate::machine::Machine;
use crate::reader::SliceSource;
use crate::text::{self, IntRules, IntText};

/// A node of the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u32);

/// What a call gave rise to, and what was done to the result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// States given by `BUILD`.
    pub states: Vec<Id>,
    /// Items given by `APPEND`, `APPENDS` and `ADDITEMS`.
    pub items: Vec<Id>,
    /// Keys and values given by `SETITEM` and `SETITEMS`.
    pub pairs: Vec<(Id, Id)>,
}

/// How an object is made by a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `REDUCE`: a callable and its arguments.
    Reduce(Id, Id),
    /// `NEWOBJ` and `NEWOBJ_EX`: a class, arguments, keyword arguments.
    New(Id, Id, Option<Id>),
    /// `INST` and `OBJ`: a class and a tuple of arguments.
    Instance(Id, Id),
    /// A persistent id.
    Persistent(Id),
    /// An extension code.
    Extension(i32),
    /// The out-of-band buffer of this number.
    Buffer(u64),
    /// A read-only view of a buffer.
    ReadOnly(Id),
    /// A module and a qualname.
    Global(Id, Id),
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `None`
    None,
    /// A bool.
    Bool(bool),
    /// An int of up to 64 bits.
    Int(i64),
    /// A larger int, two's complement, little-endian.
    Long(Box<[u8]>),
    /// An int too large for 64 bits, as text.
    Digits(Box<[u8]>),
    /// A float.
    Float(f64),
    /// A str in UTF-8, surrogates allowed.
    Text(Box<[u8]>),
    /// A str in raw-unicode-escape.
    RawUnicode(Box<[u8]>),
    /// Bytes.
    Bytes(Box<[u8]>),
    /// A Python 2 string.
    String(Box<[u8]>),
    /// A Python 2 string with its escapes.
    Literal(Box<[u8]>),
    /// A bytearray.
    ByteArray(Box<[u8]>),
    /// A tuple.
    Tuple(Vec<Id>),
    /// A list.
    List(Vec<Id>),
    /// A dict, as the assignments made to it.
    Dict(Vec<(Id, Id)>),
    /// A set, as the items added to it.
    Set(Vec<Id>),
    /// A frozenset.
    FrozenSet(Vec<Id>),
    /// The result of a call.
    Called(Call, Content),
}

/// The arena, and the host that fills it.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    nodes: Vec<Node>,
    buffers: u64,
}

impl Plain {
    /// Run the pickle at the beginning of `data`.
    pub fn load(data: &[u8]) -> Result<(Plain, Id), Error> {
        Plain::load_metered(data, &mut Unlimited)
    }

    /// As [`Plain::load`], with caps.
    pub fn load_metered(data: &[u8], meter: &mut impl Meter) -> Result<(Plain, Id), Error> {
        let mut plain = Plain::default();
        let root = Machine::default().run(&mut plain, &mut SliceSource::new(data), meter)?;
        Ok((plain, root))
    }

    /// The value of a node; its own ids only.
    #[must_use]
    pub fn get(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing was made yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn make(&mut self, node: Node) -> Result<Id, Error> {
        let id = u32::try_from(self.nodes.len()).map_err(|_| Error::new(ErrorKind::OutOfMemory))?;
        self.nodes.push(node);
        Ok(Id(id))
    }

    /// For the opcodes that cannot fail: the first node takes the place of one too many.
    fn make_small(&mut self, node: Node) -> Id {
        self.make(node).unwrap_or(Id(0))
    }

    fn node(&mut self, id: Id) -> Result<&mut Node, Error> {
        self.nodes.get_mut(id.0 as usize).ok_or_else(|| Error::new(ErrorKind::BadOperand("a value of this host")))
    }

    fn call(&mut self, call: Call) -> Result<Id, Error> {
        self.make(Node::Called(call, Content::default()))
    }
}

fn pairs(mut items: Items<'_, Id>) -> Vec<(Id, Id)> {
    let mut pairs = Vec::with_capacity(items.len() / 2);
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        pairs.push((key, value));
    }
    pairs
}

impl Host for Plain {
    type Value = Id;
    type Error = Error;

    fn none(&mut self) -> Id {
        self.make_small(Node::None)
    }

    fn bool(&mut self, value: bool) -> Id {
        self.make_small(Node::Bool(value))
    }

    fn int(&mut self, value: i32) -> Result<Id, Error> {
        self.make(Node::Int(value.into()))
    }

    fn long(&mut self, bytes: &[u8]) -> Result<Id, Error> {
        if bytes.len() > 8 {
            return self.make(Node::Long(bytes.into()));
        }
        let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        self.make(Node::Int(i64::from_le_bytes(wide)))
    }

    fn int_line(&mut self, line: &[u8]) -> Result<Id, Error> {
        match text::int_line(line, IntRules::STRICT) {
            IntText::Bool(value) => self.make(Node::Bool(value)),
            IntText::Int(value) => self.make(Node::Int(value)),
            IntText::Other => self.long_line(line),
        }
    }

    fn long_line(&mut self, line: &[u8]) -> Result<Id, Error> {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"L").unwrap_or(text);
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Error::new(ErrorKind::BadInt));
        }
        match std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()) {
            Some(value) => self.make(Node::Int(value)),
            None => self.make(Node::Digits(text.into())),
        }
    }

    fn index_line(&mut self, line: &[u8]) -> Result<i64, Error> {
        let text = std::str::from_utf8(line).ok().map(str::trim);
        text.and_then(|text| text.parse().ok()).ok_or_else(|| Error::new(ErrorKind::BadMemoIndex))
    }

    fn float(&mut self, value: f64) -> Result<Id, Error> {
        self.make(Node::Float(value))
    }

    fn float_line(&mut self, line: &[u8]) -> Result<Id, Error> {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let value = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        self.make(Node::Float(value.ok_or_else(|| Error::new(ErrorKind::BadFloat))?))
    }

    fn text(&mut self, utf8: &[u8]) -> Result<Id, Error> {
        self.make(Node::Text(utf8.into()))
    }

    fn raw_unicode(&mut self, text: &[u8]) -> Result<Id, Error> {
        self.make(Node::RawUnicode(text.into()))
    }

    fn string(&mut self, bytes: &[u8]) -> Result<Id, Error> {
        self.make(Node::String(bytes.into()))
    }

    fn string_literal(&mut self, escaped: &[u8]) -> Result<Id, Error> {
        self.make(Node::Literal(escaped.into()))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<Id, Error> {
        self.make(Node::Bytes(bytes.into()))
    }

    fn bytearray(&mut self, bytes: &[u8]) -> Result<Id, Error> {
        self.make(Node::ByteArray(bytes.into()))
    }

    fn empty_tuple(&mut self) -> Id {
        self.make_small(Node::Tuple(Vec::new()))
    }

    fn tuple(&mut self, items: Items<'_, Id>) -> Result<Id, Error> {
        self.make(Node::Tuple(items.collect()))
    }

    fn empty_list(&mut self) -> Result<Id, Error> {
        self.make(Node::List(Vec::new()))
    }

    fn list(&mut self, items: Items<'_, Id>) -> Result<Id, Error> {
        self.make(Node::List(items.collect()))
    }

    fn empty_dict(&mut self) -> Result<Id, Error> {
        self.make(Node::Dict(Vec::new()))
    }

    fn dict(&mut self, items: Items<'_, Id>) -> Result<Id, Error> {
        self.make(Node::Dict(pairs(items)))
    }

    fn empty_set(&mut self) -> Result<Id, Error> {
        self.make(Node::Set(Vec::new()))
    }

    fn frozenset(&mut self, items: Items<'_, Id>) -> Result<Id, Error> {
        self.make(Node::FrozenSet(items.collect()))
    }

    fn append(&mut self, list: &Id, item: Id) -> Result<(), Error> {
        match self.node(*list)? {
            Node::List(all) | Node::Called(_, Content { items: all, .. }) => all.push(item),
            _ => return Err(Error::new(ErrorKind::BadOperand("a list"))),
        }
        Ok(())
    }

    fn appends(&mut self, list: &Id, items: Items<'_, Id>) -> Result<(), Error> {
        match self.node(*list)? {
            Node::List(all) | Node::Called(_, Content { items: all, .. }) => all.extend(items),
            _ => return Err(Error::new(ErrorKind::BadOperand("a list"))),
        }
        Ok(())
    }

    fn set_item(&mut self, dict: &Id, key: Id, value: Id) -> Result<(), Error> {
        match self.node(*dict)? {
            Node::Dict(all) | Node::Called(_, Content { pairs: all, .. }) => all.push((key, value)),
            _ => return Err(Error::new(ErrorKind::BadOperand("a dict"))),
        }
        Ok(())
    }

    fn set_items(&mut self, dict: &Id, items: Items<'_, Id>) -> Result<(), Error> {
        match self.node(*dict)? {
            Node::Dict(all) | Node::Called(_, Content { pairs: all, .. }) => all.extend(pairs(items)),
            _ => return Err(Error::new(ErrorKind::BadOperand("a dict"))),
        }
        Ok(())
    }

    fn add_items(&mut self, set: &Id, items: Items<'_, Id>) -> Result<(), Error> {
        match self.node(*set)? {
            Node::Set(all) | Node::Called(_, Content { items: all, .. }) => all.extend(items),
            _ => return Err(Error::new(ErrorKind::BadOperand("a set"))),
        }
        Ok(())
    }

    fn global_line(&mut self, line: &[u8]) -> Result<Id, Error> {
        match std::str::from_utf8(line) {
            Ok(_) => self.text(line),
            Err(_) => Err(Error::new(ErrorKind::BadText)),
        }
    }

    fn inst_line(&mut self, line: &[u8]) -> Result<Id, Error> {
        if line.is_ascii() { self.text(line) } else { Err(Error::new(ErrorKind::BadText)) }
    }

    fn global(&mut self, module: Id, name: Id) -> Result<Id, Error> {
        self.call(Call::Global(module, name))
    }

    fn stack_global(&mut self, module: Id, name: Id) -> Result<Id, Error> {
        for id in [module, name] {
            if !matches!(self.node(id)?, Node::Text(_) | Node::RawUnicode(_) | Node::String(_) | Node::Literal(_)) {
                return Err(Error::new(ErrorKind::GlobalNotText));
            }
        }
        self.call(Call::Global(module, name))
    }

    fn extension(&mut self, code: i32) -> Result<Id, Error> {
        self.call(Call::Extension(code))
    }

    fn persistent_line(&mut self, id: &[u8]) -> Result<Id, Error> {
        let id = self.inst_line(id)?;
        self.call(Call::Persistent(id))
    }

    fn persistent(&mut self, id: Id) -> Result<Id, Error> {
        self.call(Call::Persistent(id))
    }

    fn reduce(&mut self, callable: Id, arguments: Id) -> Result<Id, Error> {
        self.call(Call::Reduce(callable, arguments))
    }

    fn new_object(&mut self, class: Id, arguments: Id, keywords: Option<Id>) -> Result<Id, Error> {
        self.call(Call::New(class, arguments, keywords))
    }

    fn instance(&mut self, class: Id, items: Items<'_, Id>) -> Result<Id, Error> {
        let arguments = self.tuple(items)?;
        self.call(Call::Instance(class, arguments))
    }

    fn build(&mut self, object: &Id, state: Id) -> Result<(), Error> {
        match self.node(*object)? {
            Node::Called(_, Content { states, .. }) => states.push(state),
            _ => return Err(Error::new(ErrorKind::BadOperand("an object made by a call"))),
        }
        Ok(())
    }

    fn next_buffer(&mut self) -> Result<Id, Error> {
        self.buffers += 1;
        self.call(Call::Buffer(self.buffers - 1))
    }

    fn readonly_buffer(&mut self, buffer: Id) -> Result<Id, Error> {
        self.call(Call::ReadOnly(buffer))
    }
}
