//! The code of functions in a payload: found among the arguments of a constructor, and put in words by `capers-code`.

use std::borrow::Cow;
use std::rc::Rc;

use capers_code::outline::{self, Made, Outline};
use capers_code::{Version, marshal};

use super::graph::{Atom, Graph, Kind, Value};
use super::known::{Role, field};
use super::tree::{argument, callable, shape_of};
use super::{Codes, Inspection};
use crate::opcode::Op;
use crate::reader::Argument;

/// The most bytes of one code object that are looked into: reading needs up to 64 times as much memory.
const MOST_BYTES: usize = 1 << 19;

/// What is known of a code object in a payload.
#[derive(Clone, Debug)]
pub enum Code {
    /// Its outline, and the version that made it, where the payload tells.
    Known(Option<Version>, Box<Outline>),
    /// Why nothing is known: one sentence.
    Unknown(String),
}

/// Marshal bytes of a code object, and the version whose they are.
#[derive(Clone, Debug)]
pub struct Marshalled<'a> {
    /// The bytes; up to protocol 2 they are written as text.
    pub bytes: Cow<'a, [u8]>,
    /// The version.
    pub version: Version,
    /// The offset of the instruction that holds them.
    pub offset: u64,
}

impl<'a> Inspection<'a> {
    /// The node of the code object that a function is made of, or of a code object itself.
    pub(super) fn code_node(&self, id: u32) -> Option<u32> {
        match shape_of(&self.graph, id)?.role {
            Role::Function => argument(&self.graph, id, 0)?.node().filter(|code| self.is_code(*code)),
            Role::Code | Role::CodeFields => Some(id),
            _ => None,
        }
    }

    fn is_code(&self, id: u32) -> bool {
        shape_of(&self.graph, id).is_some_and(|shape| matches!(shape.role, Role::Code | Role::CodeFields))
    }

    /// What is known of the code of a function, or of a code object.
    #[must_use]
    pub fn code(&self, id: u32) -> Option<Rc<Code>> {
        let id = self.code_node(id)?;
        if let Some(known) = self.codes.borrow().known.get(&id) {
            return Some(Rc::clone(known));
        }
        let code = match shape_of(&self.graph, id)?.role {
            Role::CodeFields => fields(&self.graph, id),
            _ => match self.marshalled(id) {
                Ok(marshalled) => outline_of(&marshalled, self.room.code, &mut self.codes.borrow_mut()),
                Err(reason) => Code::Unknown(reason),
            },
        };
        let code = Rc::new(code);
        self.codes.borrow_mut().known.insert(id, Rc::clone(&code));
        Some(code)
    }

    /// The marshal bytes of the code of a function, or of a code object; the error says why there are none to be read.
    pub fn marshalled(&self, id: u32) -> Result<Marshalled<'a>, String> {
        let graph = &self.graph;
        let id = self.code_node(id).ok_or("this is no code object")?;
        let version = self.version(id)?;
        let data = argument(graph, id, 1);
        let (offset, is_text) = match data {
            Some(Value::Node { id, .. }) if graph.node(id).kind == Kind::Reduce => (encoded(graph, id), true),
            Some(value) => (place(graph, value, Atom::Bytes, Kind::Bytes), false),
            None => (None, false),
        };
        let offset = offset.ok_or("its bytes are not in one piece")?;
        let bytes = if is_text {
            graph.text(offset).and_then(|text| narrowed(&text)).map(Cow::Owned)
        } else {
            graph.content(offset).map(Cow::Borrowed)
        };
        Ok(Marshalled { bytes: bytes.ok_or("its bytes cannot be read")?, version, offset })
    }

    /// The version whose code a code object, or that of a function, is.
    pub(super) fn version(&self, id: u32) -> Result<Version, String> {
        let id = self.code_node(id).ok_or("this is no code object")?;
        let tag = argument(&self.graph, id, 0).and_then(|value| int(&self.graph, value));
        Version::from_tag(tag.ok_or("its version is not told")?).map_err(|error| error.to_string())
    }
}

/// Where the instruction of such a value is.
fn place(graph: &Graph<'_>, value: Value, small: Atom, large: Kind) -> Option<u64> {
    match value {
        Value::Atom { atom, at, .. } if atom == small => Some(at),
        Value::Node { id, .. } if graph.node(id).kind == large => Some(graph.node(id).at),
        _ => None,
    }
}

/// Where the text is that a call of `_codecs.encode` makes bytes of, as protocols without bytes have it.
fn encoded(graph: &Graph<'_>, call: u32) -> Option<u64> {
    let Kind::Global(asked) = graph.node(callable(graph, call)?).kind else { return None };
    let (module, name) = graph.names(graph.globals.get(asked as usize)?)?;
    let encoding = argument(graph, call, 1).and_then(|value| graph.text_of(value))?;
    if module != b"_codecs" || name != b"encode" || encoding != b"latin1" {
        return None;
    }
    place(graph, argument(graph, call, 0)?, Atom::Text, Kind::Text)
}

/// Text as Latin-1.
fn narrowed(text: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(text).ok()?.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}

fn outline_of(marshalled: &Marshalled<'_>, room: usize, codes: &mut Codes) -> Code {
    let (bytes, version) = (&*marshalled.bytes, marshalled.version);
    codes.bytes = codes.bytes.saturating_add(bytes.len());
    if codes.bytes > room || bytes.len() > room.max(MOST_BYTES) {
        return Code::Unknown("there is too much code to look into all of it".to_owned());
    }
    match marshal::Tree::parse(bytes, version) {
        Ok(tree) => match tree.value(tree.root()) {
            marshal::Value::Code(code) => {
                Code::Known(Some(version), Box::new(Outline::of(&tree, tree.code(code), version)))
            }
            other => Code::Unknown(format!("it is of type '{}'", other.type_name())),
        },
        Err(error) => Code::Unknown(error.to_string()),
    }
}

/// The outline of a code object from the arguments of its type. They do not tell the version, so that names of globals and of
/// attributes cannot be told apart: all are called globals.
fn fields(graph: &Graph<'_>, id: u32) -> Code {
    let number =
        |at| argument(graph, id, at).and_then(|value| int(graph, value)).and_then(|value| i32::try_from(value).ok());
    let text = |at| argument(graph, id, at).and_then(|value| graph.text_of(value)).map(|text| lossy(&text));
    let texts = |at| -> Vec<String> {
        let tuple = argument(graph, id, at).and_then(|value| value.node());
        let items = tuple.into_iter().flat_map(|tuple| graph.edges(tuple));
        items.filter_map(|(_, edge)| graph.text_of(edge.to)).map(|text| lossy(&text)).collect()
    };
    let (Some(name), Some(line), Some(flags)) = (text(field::NAME), number(field::LINE), number(field::FLAGS)) else {
        return Code::Unknown("its arguments are not those of a code object of Python 3.11 or newer".to_owned());
    };
    let count = |at| number(at).unwrap_or(0);
    Code::Known(
        None,
        Box::new(Outline {
            qualname: text(field::QUALNAME).unwrap_or_else(|| name.clone()),
            name,
            filename: text(field::FILE).unwrap_or_default(),
            line,
            made: Made::of(flags),
            parameters: outline::arranged(
                texts(field::VARIABLES).into_iter(),
                count(field::ARGUMENTS),
                count(field::BY_POSITION),
                count(field::BY_NAME),
                flags,
            ),
            globals: texts(field::NAMES),
            free: texts(field::FREE),
            ..Outline::default()
        }),
    )
}

/// A small int.
fn int(graph: &Graph<'_>, value: Value) -> Option<i64> {
    let Value::Atom { atom: Atom::Int, at, .. } = value else { return None };
    let instruction = graph.instruction(at)?;
    match instruction.argument {
        Argument::Int(value) => Some(value),
        Argument::Line(line) => std::str::from_utf8(line).ok()?.trim_end_matches('L').parse().ok(),
        Argument::Long(bytes) if bytes.len() <= 8 && instruction.op == Op::Long1 => {
            let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
            let mut wide = [if negative { 0xff } else { 0 }; 8];
            wide[..bytes.len()].copy_from_slice(bytes);
            Some(i64::from_le_bytes(wide))
        }
        _ => None,
    }
}

/// For showing.
pub(super) fn lossy(text: &[u8]) -> String {
    match String::from_utf8_lossy(text) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    }
}
