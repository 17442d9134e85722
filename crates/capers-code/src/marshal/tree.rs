//! What the reader makes of marshal bytes: values in one flat vector, content borrowed from the input.
//!
//! Values name each other by [`ValueId`], so a value that the input refers to twice is stored once, dropping a tree is
//! dropping a few vectors however deep the values nest, and a walk needs a stack of its own rather than the thread's. There
//! are no cycles: an id inside a value always stands for a value that was finished first.

use std::borrow::Cow;

use super::CodeHeader;

/// Names a value of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueId(pub(super) u32);

/// Names a code object of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodeId(pub(super) u32);

/// The items of a container, in the order of the bytes; [`Tree::items`] gives their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Items {
    pub(super) start: u32,
    pub(super) len: u32,
}

/// One value. Strings, bytes and digits are borrowed from the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// `...`.
    Ellipsis,
    /// The class `StopIteration`, which marshal can carry; no compiler makes a constant of it.
    StopIteration,
    /// An integer of up to 32 bits.
    Int(i32),
    /// An integer in marshal's long form.
    Long(Long<'a>),
    /// A float.
    Float(f64),
    /// A complex number: real and imaginary part.
    Complex(f64, f64),
    /// A byte string.
    Bytes(&'a [u8]),
    /// A string.
    Str(Str<'a>),
    /// A tuple.
    Tuple(Items),
    /// A list. Lists, sets and dicts can be marshalled, but no compiler makes constants of them.
    List(Items),
    /// A set.
    Set(Items),
    /// A frozenset.
    FrozenSet(Items),
    /// A dict: keys and values in turn.
    Dict(Items),
    /// A frozendict (3.15): keys and values in turn.
    FrozenDict(Items),
    /// A slice (3.14): start, stop, step.
    Slice(Items),
    /// A code object; [`Tree::code`] gives its fields.
    Code(CodeId),
}

impl Value<'_> {
    /// The name of the Python type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Ellipsis => "ellipsis",
            Self::StopIteration => "type",
            Self::Int(_) | Self::Long(_) => "int",
            Self::Float(_) => "float",
            Self::Complex(..) => "complex",
            Self::Bytes(_) => "bytes",
            Self::Str(_) => "str",
            Self::Tuple(_) => "tuple",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::FrozenSet(_) => "frozenset",
            Self::Dict(_) => "dict",
            Self::FrozenDict(_) => "frozendict",
            Self::Slice(_) => "slice",
            Self::Code(_) => "code",
        }
    }
}

/// An integer of any size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Long<'a> {
    /// Whether it is below zero.
    pub negative: bool,
    /// Little-endian pairs of bytes, each a digit of 15 bits, lowest first; the highest digit is not zero.
    pub(super) digits: &'a [u8],
}

impl Long<'_> {
    /// The little-endian bytes of the magnitude; zeros may stand at the end.
    #[must_use]
    pub fn magnitude(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.digits.len() + 1);
        let mut bits = 0;
        let mut have = 0;
        for digit in self.digits.as_chunks::<2>().0 {
            bits |= u32::from(u16::from_le_bytes(*digit)) << have;
            have += 15;
            while have >= 8 {
                bytes.push(bits as u8);
                bits >>= 8;
                have -= 8;
            }
        }
        bytes.push(bits as u8);
        bytes
    }
}

/// A string: UTF-8 in which surrogates may be encoded too, as Python's `surrogatepass` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Str<'a> {
    /// The encoded string.
    pub bytes: &'a [u8],
    /// Whether it is ASCII.
    pub ascii: bool,
}

impl<'a> Str<'a> {
    /// The string for showing; surrogates become replacement characters.
    #[must_use]
    pub fn to_string_lossy(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.bytes)
    }
}

/// The fields of a code object, named as in the data model without `co_`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CodeValue<'a> {
    /// The numbers at its head.
    pub header: CodeHeader,
    /// The bytecode, de-specialised.
    pub code: &'a [u8],
    /// The constants.
    pub consts: Items,
    /// Names of globals, attributes and imports; all strings.
    pub names: Items,
    /// Names of locals, cells and free variables; all strings.
    pub localsplusnames: Items,
    /// A byte of `CO_FAST_*` flags for each of `localsplusnames`.
    pub localspluskinds: &'a [u8],
    /// The file it was compiled from.
    pub filename: Str<'a>,
    /// Its name.
    pub name: Str<'a>,
    /// Its qualified name.
    pub qualname: Str<'a>,
    /// Its first line in the file.
    pub firstlineno: i32,
    /// Line and column table.
    pub linetable: &'a [u8],
    /// Exception table.
    pub exceptiontable: &'a [u8],
}

/// Values read from marshal bytes. See the module documentation for the shape.
#[derive(Debug)]
pub struct Tree<'a> {
    pub(super) values: Vec<Value<'a>>,
    pub(super) items: Vec<ValueId>,
    pub(super) codes: Vec<CodeValue<'a>>,
    pub(super) root: ValueId,
}

impl<'a> Tree<'a> {
    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> ValueId {
        self.root
    }

    /// The value with this id.
    ///
    /// # Panics
    /// If the id belongs to another tree.
    #[must_use]
    pub fn value(&self, id: ValueId) -> Value<'a> {
        self.values[id.0 as usize]
    }

    /// The ids of the items of a container.
    ///
    /// # Panics
    /// If the items belong to another tree.
    #[must_use]
    pub fn items(&self, items: Items) -> &[ValueId] {
        &self.items[items.start as usize..][..items.len as usize]
    }

    /// The fields of a code object.
    ///
    /// # Panics
    /// If the id belongs to another tree.
    #[must_use]
    pub fn code(&self, id: CodeId) -> &CodeValue<'a> {
        &self.codes[id.0 as usize]
    }

    /// Every code object in the tree, inner ones before those that hold them.
    #[must_use]
    pub fn codes(&self) -> &[CodeValue<'a>] {
        &self.codes
    }

    /// The string at this index of `items`, if there is one.
    #[must_use]
    pub fn str_at(&self, items: Items, index: u32) -> Option<Str<'a>> {
        match self.value(*self.items(items).get(index as usize)?) {
            Value::Str(value) => Some(value),
            _ => None,
        }
    }

    /// Those of `items` that are strings: all of them for the names of a code object.
    pub fn strs(&self, items: Items) -> impl Iterator<Item = Str<'a>> {
        self.items(items).iter().filter_map(|&id| match self.value(id) {
            Value::Str(value) => Some(value),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_magnitude_of_a_long_is_its_digits_of_fifteen_bits_joined() {
        let magnitude = |digits: &[u8]| {
            let mut bytes = Long { negative: false, digits }.magnitude();
            bytes.resize(16, 0);
            u128::from_le_bytes(bytes.try_into().unwrap())
        };
        assert_eq!(magnitude(b""), 0);
        assert_eq!(magnitude(b"\x01\0\0\0\x02\0"), (2 << 30) + 1);
        assert_eq!(magnitude(b"\xff\x7f\xff\x7f\xff\x7f\xff\x7f\xff\x7f"), (1 << 75) - 1);
    }
}
