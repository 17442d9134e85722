//! Who makes the objects that a pickle describes.
//!
//! The machine knows opcodes, the stack, marks and the memo; a [`Host`] knows objects. Live Python objects, plain Rust
//! values and inspectors are hosts of the one machine. Every method may run foreign code; the machine holds no
//! reference into an object across a call, and what it passes it either owns or keeps on its own stack meanwhile.

use std::vec::Drain;

use crate::error::{Error, Locate};
use crate::opcode::Op;
use crate::reader::Source;

/// Values taken off the stack, bottom first. What the host leaves is dropped.
pub type Items<'a, V> = Drain<'a, V>;

/// Makes and fills objects.
#[expect(missing_docs, reason = "each method is the opcode of its name; those with more to say say it")]
pub trait Host {
    /// A reference to an object; cloning it makes a second reference to the same object.
    type Value: Clone;
    /// What can go wrong.
    type Error: From<Error> + Locate;

    /// Called every few thousand instructions and after large parts, when `offset` bytes have been taken: the place to
    /// answer an interrupt, and to tell how far it has come.
    fn pause(&mut self, _offset: u64) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The instruction at `offset` is about to run on this stack, in which marks stand at the depths `marks`. It is the place
    /// to note which bytes a value came from; a host that does not care pays nothing.
    #[inline]
    fn before(
        &mut self,
        _op: Op,
        _offset: u64,
        _stack: &mut [Self::Value],
        _marks: &[usize],
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The stream states its protocol.
    fn protocol(&mut self, _proto: u8) {}

    /// Whether the length of `BINSTRING` is signed (CPython from 3.14 on, gh-135321).
    fn signed_binstring(&self) -> bool {
        true
    }

    /// Whether `APPENDS` and `ADDITEMS` of nothing pass without a look at the container (CPython up to 3.14).
    fn skips_nothing(&self) -> bool {
        false
    }

    fn none(&mut self) -> Self::Value;
    fn bool(&mut self, value: bool) -> Self::Value;
    fn int(&mut self, value: i32) -> Result<Self::Value, Self::Error>;
    /// A two's complement little-endian integer of any size.
    fn long(&mut self, bytes: &[u8]) -> Result<Self::Value, Self::Error>;
    /// The line of an `INT`, newline included.
    fn int_line(&mut self, line: &[u8]) -> Result<Self::Value, Self::Error>;
    /// The line of a `LONG`, newline included.
    fn long_line(&mut self, line: &[u8]) -> Result<Self::Value, Self::Error>;
    /// The line of a `GET` or `PUT`, newline included, when it is not made of plain digits.
    fn index_line(&mut self, line: &[u8]) -> Result<i64, Self::Error>;
    fn float(&mut self, value: f64) -> Result<Self::Value, Self::Error>;
    /// The line of a `FLOAT`, newline included.
    fn float_line(&mut self, line: &[u8]) -> Result<Self::Value, Self::Error>;

    /// A str of UTF-8 with surrogates allowed.
    fn text(&mut self, utf8: &[u8]) -> Result<Self::Value, Self::Error>;

    /// Whether bytes that no bytes object could hold, its header coming before them, are refused before they are looked for.
    fn refuses_too_long(&self) -> bool {
        true
    }

    /// Whether a value is a dict, so that every second value above it is going to be a key.
    fn takes_keys(&self, _value: &Self::Value) -> bool {
        false
    }
    /// As [`Host::text`], for a text that is going to be a key.
    fn key(&mut self, utf8: &[u8]) -> Result<Self::Value, Self::Error> {
        self.text(utf8)
    }
    /// A str of raw-unicode-escape text without its newline.
    fn raw_unicode(&mut self, text: &[u8]) -> Result<Self::Value, Self::Error>;
    /// A Python 2 string.
    fn string(&mut self, bytes: &[u8]) -> Result<Self::Value, Self::Error>;
    /// A Python 2 string in the escapes of its literal, without the quotes.
    fn string_literal(&mut self, escaped: &[u8]) -> Result<Self::Value, Self::Error>;
    fn bytes(&mut self, bytes: &[u8]) -> Result<Self::Value, Self::Error>;
    fn bytearray(&mut self, bytes: &[u8]) -> Result<Self::Value, Self::Error>;

    /// Bytes that are read from the stream straight into their object. Asks for no memory ahead of the bytes seen.
    fn bytes_from<S: Source>(&mut self, count: usize, source: &mut S) -> Result<Self::Value, Self::Error>
    where
        Self::Error: From<S::Error>,
    {
        let bytes = read_growing(count, source)?;
        self.bytes(&bytes)
    }

    /// As [`Host::bytes_from`] for a str, which is of UTF-8 as in [`Host::text`].
    fn text_from<S: Source>(&mut self, count: usize, source: &mut S) -> Result<Self::Value, Self::Error>
    where
        Self::Error: From<S::Error>,
    {
        self.text(source.take(count)?)
    }

    /// As [`Host::bytes_from`] for a bytearray.
    fn bytearray_from<S: Source>(&mut self, count: usize, source: &mut S) -> Result<Self::Value, Self::Error>
    where
        Self::Error: From<S::Error>,
    {
        let bytes = read_growing(count, source)?;
        self.bytearray(&bytes)
    }

    fn empty_tuple(&mut self) -> Self::Value;
    fn tuple(&mut self, items: Items<'_, Self::Value>) -> Result<Self::Value, Self::Error>;
    fn empty_list(&mut self) -> Result<Self::Value, Self::Error>;
    fn list(&mut self, items: Items<'_, Self::Value>) -> Result<Self::Value, Self::Error>;
    fn empty_dict(&mut self) -> Result<Self::Value, Self::Error>;
    /// Keys and values in turn, an even number.
    fn dict(&mut self, items: Items<'_, Self::Value>) -> Result<Self::Value, Self::Error>;
    fn empty_set(&mut self) -> Result<Self::Value, Self::Error>;
    fn frozenset(&mut self, items: Items<'_, Self::Value>) -> Result<Self::Value, Self::Error>;

    fn append(&mut self, list: &Self::Value, item: Self::Value) -> Result<(), Self::Error>;
    /// Any number of items; none only where [`Host::skips_nothing`] says so.
    fn appends(&mut self, list: &Self::Value, items: Items<'_, Self::Value>) -> Result<(), Self::Error>;
    fn set_item(&mut self, dict: &Self::Value, key: Self::Value, value: Self::Value) -> Result<(), Self::Error>;
    /// Keys and values in turn, an even number, at least one pair.
    fn set_items(&mut self, dict: &Self::Value, items: Items<'_, Self::Value>) -> Result<(), Self::Error>;
    /// As [`Host::appends`].
    fn add_items(&mut self, set: &Self::Value, items: Items<'_, Self::Value>) -> Result<(), Self::Error>;

    /// A line of a `GLOBAL` without its newline: UTF-8.
    fn global_line(&mut self, line: &[u8]) -> Result<Self::Value, Self::Error>;
    /// A line of an `INST` without its newline: ASCII.
    fn inst_line(&mut self, line: &[u8]) -> Result<Self::Value, Self::Error>;
    /// The global that two such lines name.
    fn global(&mut self, module: Self::Value, name: Self::Value) -> Result<Self::Value, Self::Error>;
    /// The global that two values of the stack name, whatever they are.
    fn stack_global(&mut self, module: Self::Value, name: Self::Value) -> Result<Self::Value, Self::Error>;
    /// The global of an extension code above zero.
    fn extension(&mut self, code: i32) -> Result<Self::Value, Self::Error>;
    /// A persistent id comes next: the place to refuse before it is read.
    fn expect_persistent(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
    /// The line of a `PERSID` without its newline.
    fn persistent_line(&mut self, id: &[u8]) -> Result<Self::Value, Self::Error>;
    fn persistent(&mut self, id: Self::Value) -> Result<Self::Value, Self::Error>;

    fn reduce(&mut self, callable: Self::Value, arguments: Self::Value) -> Result<Self::Value, Self::Error>;
    /// `NEWOBJ`, and `NEWOBJ_EX` where there are keywords.
    fn new_object(
        &mut self,
        class: Self::Value,
        arguments: Self::Value,
        keywords: Option<Self::Value>,
    ) -> Result<Self::Value, Self::Error>;
    /// `INST` and `OBJ`.
    fn instance(&mut self, class: Self::Value, items: Items<'_, Self::Value>) -> Result<Self::Value, Self::Error>;
    fn build(&mut self, object: &Self::Value, state: Self::Value) -> Result<(), Self::Error>;

    fn next_buffer(&mut self) -> Result<Self::Value, Self::Error>;
    fn readonly_buffer(&mut self, buffer: Self::Value) -> Result<Self::Value, Self::Error>;
}

/// Read `count` bytes, growing with what arrives.
fn read_growing<S: Source>(count: usize, source: &mut S) -> Result<Vec<u8>, S::Error> {
    const STEP: usize = 1 << 20;
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let filled = bytes.len();
        let step = STEP.max(filled).min(count - filled);
        bytes.resize(filled + step, 0);
        source.read_into(&mut bytes[filled..])?;
    }
    Ok(bytes)
}
