//! A host around a host that counts how deep values are nested and how much a container was given.
//!
//! Each value on the machine's stack and in its memo carries a weight: its depth and, where it can be filled, how many
//! items it was given so far. A tuple or frozenset is one deeper than the deepest of its items. A list, dict, set or object
//! is one deeper than the deepest of what it was given *up to now*, by its arguments, its items or its state; what it is
//! given after it was itself put elsewhere does not count there. One level therefore costs one instruction at least, so
//! that a cap on operations caps depth of any kind.
//!
//! Weights are kept by reference: all places where an object stands see it grow.

use std::cell::Cell;
use std::rc::Rc;

use crate::error::{Error, ErrorKind};
use crate::host::{Host, Items};
use crate::limits::{Limit, Limits};
use crate::reader::{Ready, Source};

/// What an object that can be filled has been given.
#[derive(Debug, Default)]
struct Given {
    depth: Cell<u32>,
    items: Cell<u64>,
}

#[derive(Clone, Debug)]
enum Weight {
    /// A value that does not change any more.
    Fixed(u32),
    /// A value that can be filled.
    Growing(Rc<Given>),
}

/// A value with its weight.
#[derive(Clone, Debug)]
pub struct Weighed<V> {
    /// The value.
    pub value: V,
    weight: Weight,
}

impl<V> Weighed<V> {
    /// A value that nothing is known of: as light as an atom, and counted from now on.
    pub fn light(value: V) -> Self {
        Weighed { value, weight: Weight::Growing(Rc::default()) }
    }

    fn fixed(value: V, depth: u32) -> Self {
        Weighed { value, weight: Weight::Fixed(depth) }
    }

    fn growing(value: V, depth: u32, items: usize) -> Self {
        let given = Given { depth: Cell::new(depth), items: Cell::new(items as u64) };
        Weighed { value, weight: Weight::Growing(Rc::new(given)) }
    }

    fn depth(&self) -> u32 {
        match &self.weight {
            Weight::Fixed(depth) => *depth,
            Weight::Growing(given) => given.depth.get(),
        }
    }
}

/// The host around another.
#[derive(Debug)]
pub struct Weighing<'a, H> {
    host: &'a mut H,
    limits: Limits,
}

impl<'a, H: Host> Weighing<'a, H> {
    /// Weigh what `host` makes, and hold it to these caps.
    pub fn new(host: &'a mut H, limits: Limits) -> Self {
        Weighing { host, limits }
    }

    /// One level above the deepest of `items`.
    fn above<'b>(&self, items: impl Iterator<Item = &'b Weighed<H::Value>>) -> Result<u32, Error>
    where
        H::Value: 'b,
    {
        let depth = items.map(Weighed::depth).max().unwrap_or(0).saturating_add(1);
        Limit::Depth.check(depth.into(), self.limits.depth)?;
        Ok(depth)
    }

    /// `to` is given an object as deep as `depth` and so many items.
    fn give(&self, to: &Weighed<H::Value>, depth: u32, items: usize) -> Result<(), Error> {
        Limit::Depth.check(depth.into(), self.limits.depth)?;
        let Weight::Growing(given) = &to.weight else { return Ok(()) };
        given.depth.set(given.depth.get().max(depth));
        given.items.set(given.items.get().saturating_add(items as u64));
        Limit::Size.check(given.items.get(), self.limits.size)
    }
}

/// A source that hands out nothing ready-made, since that would have no weight.
#[derive(Debug)]
pub struct NotReady<'a, S>(pub &'a mut S);

impl<S: Source> Source for NotReady<'_, S> {
    type Error = S::Error;

    fn offset(&self) -> u64 {
        self.0.offset()
    }

    fn next_byte(&mut self) -> Result<Option<u8>, S::Error> {
        self.0.next_byte()
    }

    fn prefers_copy(&self, count: usize) -> bool {
        self.0.prefers_copy(count)
    }

    fn take(&mut self, count: usize) -> Result<&[u8], S::Error> {
        self.0.take(count)
    }

    fn take_whole(&mut self, count: usize) -> Result<&[u8], S::Error> {
        self.0.take_whole(count)
    }

    fn line(&mut self) -> Result<&[u8], S::Error> {
        self.0.line()
    }

    fn read_into(&mut self, out: &mut [u8]) -> Result<(), S::Error> {
        self.0.read_into(out)
    }

    fn read_text_into(&mut self, out: &mut [u8]) -> Result<(), S::Error> {
        self.0.read_text_into(out)
    }

    fn frame(&mut self, count: u64) -> Result<(), S::Error> {
        self.0.frame(count)
    }

    fn finish(&mut self) -> Result<(), S::Error> {
        self.0.finish()
    }
}

impl<S: Source, V> Ready<V> for NotReady<'_, S> {}

/// The values alone.
fn bare<V>(items: Items<'_, Weighed<V>>) -> Result<Vec<V>, Error> {
    let mut values = Vec::new();
    values.try_reserve_exact(items.len()).map_err(|_| Error::new(ErrorKind::OutOfMemory))?;
    values.extend(items.map(|item| item.value));
    Ok(values)
}

impl<H: Host> Host for Weighing<'_, H> {
    type Value = Weighed<H::Value>;
    type Error = H::Error;

    fn pause(&mut self, offset: u64) -> Result<(), Self::Error> {
        self.host.pause(offset)
    }

    fn protocol(&mut self, proto: u8) {
        self.host.protocol(proto);
    }

    fn signed_binstring(&self) -> bool {
        self.host.signed_binstring()
    }

    fn skips_nothing(&self) -> bool {
        self.host.skips_nothing()
    }

    fn none(&mut self) -> Self::Value {
        Weighed::fixed(self.host.none(), 0)
    }

    fn bool(&mut self, value: bool) -> Self::Value {
        Weighed::fixed(self.host.bool(value), 0)
    }

    fn int(&mut self, value: i32) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.int(value)?, 0))
    }

    fn long(&mut self, bytes: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.long(bytes)?, 0))
    }

    fn int_line(&mut self, line: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.int_line(line)?, 0))
    }

    fn long_line(&mut self, line: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.long_line(line)?, 0))
    }

    fn index_line(&mut self, line: &[u8]) -> Result<i64, Self::Error> {
        self.host.index_line(line)
    }

    fn float(&mut self, value: f64) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.float(value)?, 0))
    }

    fn float_line(&mut self, line: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.float_line(line)?, 0))
    }

    fn text(&mut self, utf8: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.text(utf8)?, 0))
    }

    fn refuses_too_long(&self) -> bool {
        self.host.refuses_too_long()
    }

    fn takes_keys(&self, value: &Self::Value) -> bool {
        self.host.takes_keys(&value.value)
    }

    fn key(&mut self, utf8: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.key(utf8)?, 0))
    }

    fn raw_unicode(&mut self, text: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.raw_unicode(text)?, 0))
    }

    fn string(&mut self, bytes: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.string(bytes)?, 0))
    }

    fn string_literal(&mut self, escaped: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.string_literal(escaped)?, 0))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.bytes(bytes)?, 0))
    }

    fn bytearray(&mut self, bytes: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.bytearray(bytes)?, 0))
    }

    fn bytes_from<S: Source>(&mut self, count: usize, source: &mut S) -> Result<Self::Value, Self::Error>
    where
        Self::Error: From<S::Error>,
    {
        Ok(Weighed::fixed(self.host.bytes_from(count, source)?, 0))
    }

    fn text_from<S: Source>(&mut self, count: usize, source: &mut S) -> Result<Self::Value, Self::Error>
    where
        Self::Error: From<S::Error>,
    {
        Ok(Weighed::fixed(self.host.text_from(count, source)?, 0))
    }

    fn bytearray_from<S: Source>(&mut self, count: usize, source: &mut S) -> Result<Self::Value, Self::Error>
    where
        Self::Error: From<S::Error>,
    {
        Ok(Weighed::fixed(self.host.bytearray_from(count, source)?, 0))
    }

    fn empty_tuple(&mut self) -> Self::Value {
        Weighed::fixed(self.host.empty_tuple(), 1)
    }

    fn tuple(&mut self, items: Items<'_, Self::Value>) -> Result<Self::Value, Self::Error> {
        let depth = self.above(items.as_slice().iter())?;
        Limit::Size.check(items.len() as u64, self.limits.size)?;
        Ok(Weighed::fixed(self.host.tuple(bare(items)?.drain(..))?, depth))
    }

    fn empty_list(&mut self) -> Result<Self::Value, Self::Error> {
        let depth = self.above(std::iter::empty())?;
        Ok(Weighed::growing(self.host.empty_list()?, depth, 0))
    }

    fn list(&mut self, items: Items<'_, Self::Value>) -> Result<Self::Value, Self::Error> {
        let (depth, count) = (self.above(items.as_slice().iter())?, items.len());
        Limit::Size.check(count as u64, self.limits.size)?;
        Ok(Weighed::growing(self.host.list(bare(items)?.drain(..))?, depth, count))
    }

    fn empty_dict(&mut self) -> Result<Self::Value, Self::Error> {
        let depth = self.above(std::iter::empty())?;
        Ok(Weighed::growing(self.host.empty_dict()?, depth, 0))
    }

    fn dict(&mut self, items: Items<'_, Self::Value>) -> Result<Self::Value, Self::Error> {
        let (depth, count) = (self.above(items.as_slice().iter())?, items.len() / 2);
        Limit::Size.check(count as u64, self.limits.size)?;
        Ok(Weighed::growing(self.host.dict(bare(items)?.drain(..))?, depth, count))
    }

    fn empty_set(&mut self) -> Result<Self::Value, Self::Error> {
        let depth = self.above(std::iter::empty())?;
        Ok(Weighed::growing(self.host.empty_set()?, depth, 0))
    }

    fn frozenset(&mut self, items: Items<'_, Self::Value>) -> Result<Self::Value, Self::Error> {
        let depth = self.above(items.as_slice().iter())?;
        Limit::Size.check(items.len() as u64, self.limits.size)?;
        Ok(Weighed::fixed(self.host.frozenset(bare(items)?.drain(..))?, depth))
    }

    fn append(&mut self, list: &Self::Value, item: Self::Value) -> Result<(), Self::Error> {
        let depth = self.above(std::iter::once(&item))?;
        self.give(list, depth, 1)?;
        self.host.append(&list.value, item.value)
    }

    fn appends(&mut self, list: &Self::Value, items: Items<'_, Self::Value>) -> Result<(), Self::Error> {
        let depth = self.above(items.as_slice().iter())?;
        self.give(list, depth, items.len())?;
        self.host.appends(&list.value, bare(items)?.drain(..))
    }

    fn set_item(&mut self, dict: &Self::Value, key: Self::Value, value: Self::Value) -> Result<(), Self::Error> {
        let depth = self.above([&key, &value].into_iter())?;
        self.give(dict, depth, 1)?;
        self.host.set_item(&dict.value, key.value, value.value)
    }

    fn set_items(&mut self, dict: &Self::Value, items: Items<'_, Self::Value>) -> Result<(), Self::Error> {
        let depth = self.above(items.as_slice().iter())?;
        self.give(dict, depth, items.len() / 2)?;
        self.host.set_items(&dict.value, bare(items)?.drain(..))
    }

    fn add_items(&mut self, set: &Self::Value, items: Items<'_, Self::Value>) -> Result<(), Self::Error> {
        let depth = self.above(items.as_slice().iter())?;
        self.give(set, depth, items.len())?;
        self.host.add_items(&set.value, bare(items)?.drain(..))
    }

    fn global_line(&mut self, line: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.global_line(line)?, 0))
    }

    fn inst_line(&mut self, line: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.inst_line(line)?, 0))
    }

    fn global(&mut self, module: Self::Value, name: Self::Value) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::light(self.host.global(module.value, name.value)?))
    }

    fn stack_global(&mut self, module: Self::Value, name: Self::Value) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::light(self.host.stack_global(module.value, name.value)?))
    }

    fn extension(&mut self, code: i32) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::light(self.host.extension(code)?))
    }

    fn expect_persistent(&mut self) -> Result<(), Self::Error> {
        self.host.expect_persistent()
    }

    fn persistent_line(&mut self, id: &[u8]) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::light(self.host.persistent_line(id)?))
    }

    fn persistent(&mut self, id: Self::Value) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::light(self.host.persistent(id.value)?))
    }

    /// The tuple of arguments is a level already; the object takes its place.
    fn reduce(&mut self, callable: Self::Value, arguments: Self::Value) -> Result<Self::Value, Self::Error> {
        let depth = arguments.depth().max(callable.depth()).max(1);
        Ok(Weighed::growing(self.host.reduce(callable.value, arguments.value)?, depth, 0))
    }

    fn new_object(
        &mut self,
        class: Self::Value,
        arguments: Self::Value,
        keywords: Option<Self::Value>,
    ) -> Result<Self::Value, Self::Error> {
        let depth = arguments.depth().max(keywords.as_ref().map_or(0, Weighed::depth)).max(1);
        let made = self.host.new_object(class.value, arguments.value, keywords.map(|keywords| keywords.value))?;
        Ok(Weighed::growing(made, depth, 0))
    }

    fn instance(&mut self, class: Self::Value, items: Items<'_, Self::Value>) -> Result<Self::Value, Self::Error> {
        let depth = self.above(items.as_slice().iter())?;
        Ok(Weighed::growing(self.host.instance(class.value, bare(items)?.drain(..))?, depth, 0))
    }

    /// As with arguments, the object takes the place of its state.
    fn build(&mut self, object: &Self::Value, state: Self::Value) -> Result<(), Self::Error> {
        self.give(object, state.depth().max(1), 0)?;
        self.host.build(&object.value, state.value)
    }

    fn next_buffer(&mut self) -> Result<Self::Value, Self::Error> {
        Ok(Weighed::fixed(self.host.next_buffer()?, 0))
    }

    fn readonly_buffer(&mut self, buffer: Self::Value) -> Result<Self::Value, Self::Error> {
        let depth = buffer.depth();
        Ok(Weighed::fixed(self.host.readonly_buffer(buffer.value)?, depth))
    }
}
