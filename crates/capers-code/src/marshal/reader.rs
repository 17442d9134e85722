//! Reads marshal bytes of unknown origin into a [`Tree`].
//!
//! Takes what `marshal.loads` of the stated version takes, as far as compilers and `marshal.dumps` write it (marshal
//! versions 2 to 6), with these differences, all on the strict side: the whole input must be one value; a reference to a
//! value that is still being read is refused, so there are no cycles; a string marked as ASCII must be (CPython reads other
//! bytes as Latin-1); the fields of a code object must have their types. The text forms of floats, which only marshal
//! versions 0 and 1 write, are refused.
//!
//! The bytes are read front to back by one loop with a stack of its own. Nothing is allocated on the word of a length: a
//! container grows as its items are read, and strings are borrowed. Memory stays below 64 bytes per byte of input.

use super::tree::{CodeId, CodeValue, Items, Long, Str, Tree, Value, ValueId};
use super::{CodeHeader, since, tag};
use crate::error::{Error, ErrorKind};
use crate::limits;
use crate::version::Version;

/// Values that cost one byte of input stand at fixed places, so that a flood of them costs no nodes.
const SINGLETONS: [Value<'static>; 5] =
    [Value::None, Value::Bool(false), Value::Bool(true), Value::Ellipsis, Value::StopIteration];

/// Fields of a code object that are values, and how many of them follow the line number.
const CODE_FIELDS: u32 = 10;
const FIELDS_AFTER_LINE: u32 = 2;

impl<'a> Tree<'a> {
    /// Reads `bytes`, which `marshal.dumps` of `version` wrote, or anybody.
    pub fn parse(bytes: &'a [u8], version: Version) -> Result<Self, Error> {
        if bytes.len() > limits::MAX_INPUT {
            return Err(Error::new(ErrorKind::TooLarge));
        }
        let tree = Tree { values: SINGLETONS.to_vec(), items: Vec::new(), codes: Vec::new(), root: ValueId(0) };
        Reader {
            bytes,
            at: 0,
            marshal_version: version.marshal_version(),
            tree,
            refs: Vec::new(),
            open: Vec::new(),
            pending: Vec::new(),
        }
        .run()
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    marshal_version: u8,
    tree: Tree<'a>,
    /// The reference list.
    refs: Vec<ValueId>,
    /// Containers and code objects being read, outermost first. Their ids ascend.
    open: Vec<Open>,
    /// Finished items of all open values, those of the outermost first.
    pending: Vec<ValueId>,
}

/// A value being read.
struct Open {
    id: ValueId,
    kind: Kind,
    /// Where the type byte stands.
    offset: usize,
    /// Items yet to come; meaningless for dicts, which end with a null.
    left: u32,
    /// Length of `pending` before the first item.
    first: usize,
}

enum Kind {
    Tuple,
    List,
    Set,
    FrozenSet,
    Dict,
    FrozenDict,
    Slice,
    Code { header: CodeHeader, firstlineno: i32 },
}

/// What one type byte led to.
enum Step {
    /// A finished value.
    Done(ValueId),
    /// A container or code object was opened.
    Opened,
    /// The null that ends a dict.
    Null,
}

impl<'a> Reader<'a> {
    fn run(mut self) -> Result<Tree<'a>, Error> {
        loop {
            let mut done = match self.step()? {
                Step::Done(id) => Some(id),
                Step::Opened => None,
                Step::Null => Some(self.end_dict()?),
            };
            // Hand the finished value to the value around it, which may be finished by that in turn.
            loop {
                if let Some(id) = done.take() {
                    let Some(parent) = self.open.last_mut() else {
                        self.tree.root = id;
                        return self.finish();
                    };
                    self.pending.push(id);
                    parent.left = parent.left.wrapping_sub(1);
                }
                let Some(top) = self.open.last_mut() else {
                    break;
                };
                match &mut top.kind {
                    Kind::Dict | Kind::FrozenDict => break,
                    Kind::Code { firstlineno, .. } if top.left == FIELDS_AFTER_LINE => {
                        let line = read_i32(self.bytes, &mut self.at)?;
                        *firstlineno = line;
                        break;
                    }
                    _ if top.left > 0 => break,
                    _ => done = Some(self.close()?),
                }
            }
        }
    }

    fn finish(self) -> Result<Tree<'a>, Error> {
        if self.at == self.bytes.len() { Ok(self.tree) } else { Err(Error::at(ErrorKind::TrailingBytes, self.at)) }
    }

    /// Reads one type byte and, unless it opens a container, the value.
    fn step(&mut self) -> Result<Step, Error> {
        let offset = self.at;
        if self.open.len() >= limits::MAX_DEPTH {
            return Err(Error::at(ErrorKind::TooDeep, offset));
        }
        let byte = self.take(1)?[0];
        let flagged = byte & tag::FLAG_REF != 0;
        let value = match byte & !tag::FLAG_REF {
            tag::NONE => return Ok(Step::Done(ValueId(0))),
            tag::FALSE => return Ok(Step::Done(ValueId(1))),
            tag::TRUE => return Ok(Step::Done(ValueId(2))),
            tag::ELLIPSIS => return Ok(Step::Done(ValueId(3))),
            tag::STOPITER => return Ok(Step::Done(ValueId(4))),
            tag::NULL => return Ok(Step::Null),
            tag::REF => return self.reference(offset).map(Step::Done),
            tag::INT => Value::Int(self.i32()?),
            tag::LONG => Value::Long(self.long(offset)?),
            tag::BINARY_FLOAT => Value::Float(self.f64()?),
            tag::BINARY_COMPLEX => Value::Complex(self.f64()?, self.f64()?),
            tag::STRING => {
                let len = self.len(offset)?;
                Value::Bytes(self.take(len)?)
            }
            tag::SHORT_ASCII | tag::SHORT_ASCII_INTERNED => {
                let len = self.take(1)?[0];
                self.string(usize::from(len), true, offset)?
            }
            tag::ASCII | tag::ASCII_INTERNED => {
                let len = self.len(offset)?;
                self.string(len, true, offset)?
            }
            tag::UNICODE | tag::INTERNED => {
                let len = self.len(offset)?;
                self.string(len, false, offset)?
            }
            other => {
                let (kind, left) = self.container(other, offset)?;
                self.open_value(kind, left, offset, flagged);
                return Ok(Step::Opened);
            }
        };
        Ok(Step::Done(self.enter(value, flagged)))
    }

    /// Reads the head of a container or code object.
    fn container(&mut self, tag: u8, offset: usize) -> Result<(Kind, u32), Error> {
        let kind = match tag {
            tag::SMALL_TUPLE => return Ok((Kind::Tuple, u32::from(self.take(1)?[0]))),
            tag::DICT => return Ok((Kind::Dict, 0)),
            tag::FROZENDICT if self.marshal_version >= since::FROZENDICT => {
                return Ok((Kind::FrozenDict, 0));
            }
            tag::SLICE if self.marshal_version >= since::SLICE => return Ok((Kind::Slice, 3)),
            tag::CODE => {
                let header = CodeHeader {
                    argcount: self.i32()?,
                    posonlyargcount: self.i32()?,
                    kwonlyargcount: self.i32()?,
                    stacksize: self.i32()?,
                    flags: self.i32()?,
                };
                return Ok((Kind::Code { header, firstlineno: 0 }, CODE_FIELDS));
            }
            tag::TUPLE => Kind::Tuple,
            tag::LIST => Kind::List,
            tag::SET => Kind::Set,
            tag::FROZENSET => Kind::FrozenSet,
            _ => {
                return Err(Error::at(ErrorKind::UnknownType(self.bytes[offset]), offset));
            }
        };
        Ok((kind, self.len(offset)? as u32))
    }

    /// Enters a value that is complete.
    fn enter(&mut self, value: Value<'a>, flagged: bool) -> ValueId {
        let id = ValueId(self.tree.values.len() as u32);
        self.tree.values.push(value);
        if flagged {
            self.refs.push(id);
        }
        id
    }

    fn open_value(&mut self, kind: Kind, left: u32, offset: usize, flagged: bool) {
        // The place is taken now because the reference list counts type bytes; `close` puts the value there.
        let id = self.enter(Value::None, flagged);
        let first = self.pending.len();
        self.open.push(Open { id, kind, offset, left, first });
    }

    fn reference(&mut self, offset: usize) -> Result<ValueId, Error> {
        let index = self.i32()?;
        usize::try_from(index)
            .ok()
            .and_then(|index| self.refs.get(index).copied())
            .filter(|id| self.open.binary_search_by_key(&id.0, |open| open.id.0).is_err())
            .ok_or_else(|| Error::at(ErrorKind::BadReference(index), offset))
    }

    fn end_dict(&mut self) -> Result<ValueId, Error> {
        match self.open.last() {
            Some(Open { kind: Kind::Dict | Kind::FrozenDict, first, .. })
                if (self.pending.len() - first).is_multiple_of(2) =>
            {
                self.close()
            }
            _ => Err(Error::at(ErrorKind::UnknownType(tag::NULL), self.at - 1)),
        }
    }

    /// Makes a value of the innermost open one and its items.
    fn close(&mut self) -> Result<ValueId, Error> {
        let Some(open) = self.open.pop() else {
            return Err(Error::at(ErrorKind::UnknownType(tag::NULL), self.at));
        };
        let value = if let Kind::Code { header, firstlineno } = open.kind {
            let code = self.code(header, firstlineno, &open)?;
            self.pending.truncate(open.first);
            let id = CodeId(self.tree.codes.len() as u32);
            self.tree.codes.push(code);
            Value::Code(id)
        } else {
            let items = Items { start: self.tree.items.len() as u32, len: (self.pending.len() - open.first) as u32 };
            self.tree.items.extend(self.pending.drain(open.first..));
            match open.kind {
                Kind::List => Value::List(items),
                Kind::Set => Value::Set(items),
                Kind::FrozenSet => Value::FrozenSet(items),
                Kind::Dict => Value::Dict(items),
                Kind::FrozenDict => Value::FrozenDict(items),
                Kind::Slice => Value::Slice(items),
                Kind::Tuple | Kind::Code { .. } => Value::Tuple(items),
            }
        };
        self.tree.values[open.id.0 as usize] = value;
        Ok(open.id)
    }

    /// Checks the types of a code object's fields, as the code constructor does.
    fn code(&self, header: CodeHeader, firstlineno: i32, open: &Open) -> Result<CodeValue<'a>, Error> {
        let field = |index: usize| self.tree.value(self.pending[open.first + index]);
        let wrong = |name, found: Value<'_>| {
            Error::at(ErrorKind::WrongType { field: name, found: found.type_name() }, open.offset)
        };
        let bytes = |index, name| match field(index) {
            Value::Bytes(value) => Ok(value),
            other => Err(wrong(name, other)),
        };
        let tuple = |index, name| match field(index) {
            Value::Tuple(value) => Ok(value),
            other => Err(wrong(name, other)),
        };
        let str = |index, name| match field(index) {
            Value::Str(value) => Ok(value),
            other => Err(wrong(name, other)),
        };
        let strs = |index, name| {
            let items = tuple(index, name)?;
            let mut values = self.tree.items(items).iter().map(|&id| self.tree.value(id));
            match values.find(|value| !matches!(value, Value::Str(_))) {
                None => Ok(items),
                Some(other) => Err(wrong(name, other)),
            }
        };
        let code = CodeValue {
            header,
            code: bytes(0, "co_code")?,
            consts: tuple(1, "co_consts")?,
            names: strs(2, "co_names")?,
            localsplusnames: strs(3, "co_localsplusnames")?,
            localspluskinds: bytes(4, "co_localspluskinds")?,
            filename: str(5, "co_filename")?,
            name: str(6, "co_name")?,
            qualname: str(7, "co_qualname")?,
            firstlineno,
            linetable: bytes(8, "co_linetable")?,
            exceptiontable: bytes(9, "co_exceptiontable")?,
        };
        if code.localsplusnames.len as usize != code.localspluskinds.len() {
            return Err(Error::at(ErrorKind::UnevenLocals, open.offset));
        }
        Ok(code)
    }

    fn long(&mut self, offset: usize) -> Result<Long<'a>, Error> {
        let count = self.i32()?;
        let digits = self.take(count.unsigned_abs() as usize * 2)?;
        let (pairs, _) = digits.as_chunks::<2>();
        let in_range = pairs.iter().all(|pair| pair[1] < 0x80);
        if !in_range || pairs.last() == Some(&[0, 0]) {
            return Err(Error::at(ErrorKind::BadInteger, offset));
        }
        Ok(Long { negative: count < 0, digits })
    }

    fn string(&mut self, len: usize, must_be_ascii: bool, offset: usize) -> Result<Value<'a>, Error> {
        let bytes = self.take(len)?;
        let ascii = bytes.is_ascii();
        if must_be_ascii && !ascii {
            return Err(Error::at(ErrorKind::NotAscii, offset));
        }
        if !ascii && !is_utf8_with_surrogates(bytes) {
            return Err(Error::at(ErrorKind::NotUtf8, offset));
        }
        Ok(Value::Str(Str { bytes, ascii }))
    }

    fn f64(&mut self) -> Result<f64, Error> {
        read_array(self.bytes, &mut self.at).map(f64::from_le_bytes)
    }

    fn i32(&mut self) -> Result<i32, Error> {
        read_i32(self.bytes, &mut self.at)
    }

    fn len(&mut self, offset: usize) -> Result<usize, Error> {
        let len = self.i32()?;
        usize::try_from(len).map_err(|_| Error::at(ErrorKind::BadLength(len), offset))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        match self.bytes[self.at..].split_at_checked(len) {
            Some((head, _)) => {
                self.at += len;
                Ok(head)
            }
            None => Err(Error::at(ErrorKind::Truncated, self.at)),
        }
    }
}

fn read_i32(bytes: &[u8], at: &mut usize) -> Result<i32, Error> {
    read_array(bytes, at).map(i32::from_le_bytes)
}

fn read_array<const N: usize>(bytes: &[u8], at: &mut usize) -> Result<[u8; N], Error> {
    match bytes[*at..].first_chunk() {
        Some(array) => {
            *at += N;
            Ok(*array)
        }
        None => Err(Error::at(ErrorKind::Truncated, *at)),
    }
}

/// Whether Python's `bytes.decode("utf-8", "surrogatepass")` would take these bytes.
fn is_utf8_with_surrogates(mut bytes: &[u8]) -> bool {
    while let Err(error) = std::str::from_utf8(bytes) {
        match &bytes[error.valid_up_to()..] {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, rest @ ..] => bytes = rest,
            _ => return false,
        }
    }
    true
}
