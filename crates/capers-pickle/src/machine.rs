//! The pickle machine: a stack, marks and a memo, run by one loop.
//!
//! No recursion, no allocation per instruction, and no knowledge of objects: a [`Host`] makes them. The order of checks
//! within an instruction is that of CPython's `Modules/_pickle.c`, so that of two faults in one instruction the same one
//! is reported. Marks are kept apart from values, as there; `fence` is where the topmost mark stands, and no value below
//! it is in reach.
#![expect(clippy::inline_always, reason = "the arms of the one loop, written apart to be read")]

use crate::error::{Error, ErrorKind, Locate};
use crate::host::Host;
use crate::limits::Meter;
use crate::memo::Memo;
use crate::opcode::{HIGHEST_PROTOCOL, Op};
use crate::reader::{self, Ready, Source};

/// The host is asked for a pause once in this many instructions: well below 0.1 s of the cheap ones.
const PAUSE: u32 = 1 << 14;

/// No bytes object has more bytes than this: its header comes before them.
const MOST_BYTES: usize = isize::MAX.unsigned_abs() - 33;

/// Bytes objects from here on are read straight into their place when they come from a stream.
const DIRECT: usize = 1 << 16;

/// The state of the machine.
///
/// It survives a run: the memo is kept for the next pickle of the same stream until [`Machine::memo`] is cleared, and the
/// room of the stack is used again.
#[derive(Debug)]
pub struct Machine<V> {
    stack: Vec<V>,
    marks: Vec<usize>,
    fence: usize,
    /// What the pickle stored for use again.
    pub memo: Memo<V>,
}

impl<V> Default for Machine<V> {
    fn default() -> Self {
        Machine::with_room(Room::default())
    }
}

/// The allocations of a machine, empty, to be used again.
#[derive(Debug)]
pub struct Room<V> {
    stack: Vec<V>,
    marks: Vec<usize>,
    memo: Vec<Option<V>>,
}

impl<V> Default for Room<V> {
    fn default() -> Self {
        Room { stack: Vec::new(), marks: Vec::new(), memo: Vec::new() }
    }
}

/// Rooms larger than this many entries are not kept.
const KEPT: usize = 1 << 13;

impl<V> Room<V> {
    /// The same room for values of another type of the same size, such as one with another lifetime.
    #[must_use]
    pub fn recycle<W>(self) -> Room<W> {
        // Both vectors are empty. The standard library collects in place, so that the allocations are kept.
        Room {
            stack: self.stack.into_iter().filter_map(|_| None).collect(),
            marks: self.marks,
            memo: self.memo.into_iter().filter_map(|_| None::<Option<W>>).collect(),
        }
    }
}

macro_rules! fail {
    ($kind:expr) => {
        return Err(Error::new($kind).into())
    };
}

impl<V> Machine<V> {
    /// An empty machine in this room.
    #[must_use]
    pub fn with_room(room: Room<V>) -> Self {
        Machine { stack: room.stack, marks: room.marks, fence: 0, memo: Memo::from_vec(room.memo) }
    }

    /// A machine that goes on with this memo.
    #[must_use]
    pub fn with_memo(memo: Memo<V>) -> Self {
        Machine { stack: Vec::new(), marks: Vec::new(), fence: 0, memo }
    }

    /// Drop every value and give back the room, unless it is too large to be worth keeping.
    #[must_use]
    pub fn into_room(mut self) -> Option<Room<V>> {
        self.reset();
        let memo = self.memo.into_vec();
        (self.stack.capacity() <= KEPT && memo.capacity() <= KEPT && self.marks.capacity() <= KEPT).then_some(Room {
            stack: self.stack,
            marks: self.marks,
            memo,
        })
    }

    /// The values on the stack, the lowest first: after a failure, what was being made then.
    #[must_use]
    pub fn stack(&self) -> &[V] {
        &self.stack
    }

    /// Drop the stack and keep the memo.
    #[must_use]
    pub fn into_memo(self) -> Memo<V> {
        self.memo
    }

    fn reset(&mut self) {
        self.stack.clear();
        self.marks.clear();
        self.fence = 0;
    }

    #[cold]
    #[inline(never)]
    fn underflow(&self) -> Error {
        Error::new(if self.marks.is_empty() { ErrorKind::Underflow } else { ErrorKind::UnexpectedMark })
    }

    #[inline(always)]
    fn pop(&mut self) -> Result<V, Error> {
        if self.stack.len() > self.fence
            && let Some(value) = self.stack.pop()
        {
            return Ok(value);
        }
        Err(self.underflow())
    }

    #[inline(always)]
    fn top(&self) -> Result<&V, Error> {
        match self.stack.last() {
            Some(value) if self.stack.len() > self.fence => Ok(value),
            _ => Err(self.underflow()),
        }
    }

    /// Close the topmost mark; the values above it begin at the returned index.
    #[inline(always)]
    fn mark(&mut self) -> Result<usize, Error> {
        let Some(at) = self.marks.pop() else {
            return Err(Error::new(ErrorKind::NoMark));
        };
        self.fence = self.marks.last().copied().unwrap_or(0);
        Ok(at)
    }

    /// Run one pickle and return its value.
    pub fn run<H, S, M>(&mut self, host: &mut H, source: &mut S, meter: &mut M) -> Result<V, H::Error>
    where
        V: Clone,
        H: Host<Value = V>,
        S: Ready<V>,
        M: Meter,
        H::Error: From<S::Error>,
    {
        self.reset();
        let mut until_pause = PAUSE;
        loop {
            let start = source.offset();
            let byte = match source.next_byte() {
                Ok(Some(byte)) => byte,
                Ok(None) => return Err(nowhere(ErrorKind::OutOfInput, start)),
                Err(error) => return Err(error.into()),
            };
            let Some(op) = Op::from_byte(byte) else {
                return Err(nowhere(ErrorKind::UnknownOpcode(byte), start));
            };
            if let Err(error) = host.before(op, start, &mut self.stack, &self.marks) {
                return Err(placed(error, start, op));
            }
            if op == Op::Stop {
                source.finish()?;
                return self.pop().map_err(|error| placed(error, start, op));
            }
            if let Err(error) = self.step(op, host, source, meter) {
                return Err(placed(error, start, op));
            }
            until_pause -= 1;
            if until_pause == 0 {
                until_pause = PAUSE;
                host.pause(source.offset())?;
            }
        }
    }

    #[inline(always)]
    #[expect(clippy::too_many_lines, reason = "one arm per opcode; splitting the match would hide what is missing")]
    fn step<H, S, M>(&mut self, op: Op, host: &mut H, source: &mut S, meter: &mut M) -> Result<(), H::Error>
    where
        V: Clone,
        H: Host<Value = V>,
        S: Ready<V>,
        M: Meter,
        H::Error: From<S::Error>,
    {
        meter.step()?;
        let value = match op {
            Op::Stop => return Ok(()),
            Op::Proto => {
                let proto = reader::array::<1, _>(source)?[0];
                if proto > HIGHEST_PROTOCOL {
                    fail!(ErrorKind::UnsupportedProtocol(proto));
                }
                host.protocol(proto);
                return Ok(());
            }
            Op::Frame => {
                let count = u64::from_le_bytes(reader::array(source)?);
                return Ok(source.frame(count)?);
            }

            // Atoms.
            Op::None => host.none(),
            Op::NewTrue => host.bool(true),
            Op::NewFalse => host.bool(false),
            Op::BinInt => host.int(i32::from_le_bytes(reader::array(source)?))?,
            Op::BinInt1 => host.int(reader::array::<1, _>(source)?[0].into())?,
            Op::BinInt2 => host.int(u16::from_le_bytes(reader::array(source)?).into())?,
            Op::Int => host.int_line(reader::full_line::<S, H::Error>(source)?)?,
            Op::Long => {
                let line = reader::full_line::<S, H::Error>(source)?;
                meter.bytes(line.len() - 1)?;
                host.long_line(line)?
            }
            Op::Long1 => {
                let count = reader::array::<1, _>(source)?[0].into();
                meter.bytes(count)?;
                host.long(source.take(count)?)?
            }
            Op::Long4 => {
                let count = reader::signed_length::<S, H::Error>(source)?;
                meter.bytes(count)?;
                host.long(source.take(count)?)?
            }
            Op::BinFloat => host.float(f64::from_be_bytes(reader::array(source)?))?,
            Op::Float => host.float_line(reader::full_line::<S, H::Error>(source)?)?,

            // Text and bytes.
            Op::ShortBinUnicode => {
                let count = reader::array::<1, _>(source)?[0].into();
                meter.bytes(count)?;
                let above = self.stack.len() - self.fence;
                let key = above.is_multiple_of(2)
                    && self.fence > 0
                    && !self.marks.is_empty()
                    && host.takes_keys(&self.stack[self.fence - 1]);
                if key { host.key(source.take(count)?)? } else { host.text(source.take(count)?)? }
            }
            Op::BinUnicode => {
                let count = reader::length::<4, S, H::Error>(source)?;
                text(count, host, source, meter)?
            }
            Op::BinUnicode8 => {
                let count = reader::length::<8, S, H::Error>(source)?;
                text(count, host, source, meter)?
            }
            Op::Unicode => {
                let line = content(source.line()?);
                let count = line.len();
                meter.bytes(count)?;
                let value = host.raw_unicode(line)?;
                pause_after(count, host, source)?;
                value
            }
            Op::ShortBinBytes => {
                let count = reader::array::<1, _>(source)?[0].into();
                meter.bytes(count)?;
                host.bytes(source.take_whole(count)?)?
            }
            Op::BinBytes => {
                let count = reader::length::<4, S, H::Error>(source)?;
                bytes(count, host, source, meter)?
            }
            Op::BinBytes8 => {
                let count = reader::length::<8, S, H::Error>(source)?;
                bytes(count, host, source, meter)?
            }
            Op::ByteArray8 => {
                let count = reader::length::<8, S, H::Error>(source)?;
                meter.bytes(count)?;
                let value = if count >= DIRECT && source.prefers_copy(count) {
                    host.bytearray_from(count, source)?
                } else {
                    host.bytearray(source.take_whole(count)?)?
                };
                pause_after(count, host, source)?;
                value
            }
            Op::ShortBinString => {
                let count = reader::array::<1, _>(source)?[0].into();
                meter.bytes(count)?;
                host.string(source.take(count)?)?
            }
            Op::BinString => {
                let count = if host.signed_binstring() {
                    reader::signed_length::<S, H::Error>(source)?
                } else {
                    reader::length::<4, S, H::Error>(source)?
                };
                meter.bytes(count)?;
                host.string(source.take(count)?)?
            }
            Op::String => {
                let text = reader::unquote(source.line()?)?;
                meter.bytes(text.len())?;
                host.string_literal(text)?
            }

            // Containers.
            Op::EmptyTuple => host.empty_tuple(),
            Op::Tuple1 => self.small_tuple(host, meter, 1)?,
            Op::Tuple2 => self.small_tuple(host, meter, 2)?,
            Op::Tuple3 => self.small_tuple(host, meter, 3)?,
            Op::Tuple => {
                let at = self.mark()?;
                meter.items(self.stack.len() - at)?;
                host.tuple(self.stack.drain(at..))?
            }
            Op::EmptyList => host.empty_list()?,
            Op::List => {
                let at = self.mark()?;
                meter.items(self.stack.len() - at)?;
                host.list(self.stack.drain(at..))?
            }
            Op::EmptyDict => host.empty_dict()?,
            Op::Dict => {
                let at = self.mark()?;
                meter.items((self.stack.len() - at) / 2)?;
                if !(self.stack.len() - at).is_multiple_of(2) {
                    fail!(ErrorKind::OddItems);
                }
                host.dict(self.stack.drain(at..))?
            }
            Op::EmptySet => host.empty_set()?,
            Op::FrozenSet => {
                let at = self.mark()?;
                meter.items(self.stack.len() - at)?;
                host.frozenset(self.stack.drain(at..))?
            }
            Op::Append => {
                // Both must stand above the fence.
                if self.stack.len() <= self.fence + 1 {
                    return Err(self.underflow().into());
                }
                meter.items(1)?;
                let item = self.pop()?;
                return host.append(self.top()?, item);
            }
            Op::Appends => {
                let skips = host.skips_nothing();
                return self.fill(meter, 1, skips, |list, items| host.appends(list, items));
            }
            Op::SetItem => {
                if self.stack.len() <= self.fence + 2 {
                    return Err(self.underflow().into());
                }
                meter.items(1)?;
                let (value, key) = (self.pop()?, self.pop()?);
                return host.set_item(self.top()?, key, value);
            }
            Op::SetItems => {
                return self.fill(meter, 2, true, |dict, items| {
                    if !items.len().is_multiple_of(2) {
                        fail!(ErrorKind::OddItems);
                    }
                    host.set_items(dict, items)
                });
            }
            Op::AddItems => {
                let skips = host.skips_nothing();
                return self.fill(meter, 1, skips, |set, items| host.add_items(set, items));
            }

            // The stack.
            Op::Mark => {
                self.fence = self.stack.len();
                push(&mut self.marks, self.fence)?;
                return Ok(());
            }
            Op::Pop => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.mark()?;
                } else {
                    drop(self.pop()?);
                }
                return Ok(());
            }
            Op::PopMark => {
                let at = self.mark()?;
                self.stack.truncate(at);
                return Ok(());
            }
            Op::Dup => self.top()?.clone(),

            // The memo.
            Op::Memoize => {
                let value = self.top()?.clone();
                drop(self.memo.memoize(value)?);
                return Ok(meter.memo(self.memo.len())?);
            }
            Op::BinPut => {
                let index = reader::array::<1, _>(source)?[0].into();
                return Ok(self.put(index, meter)?);
            }
            Op::LongBinPut => {
                let index = u32::from_le_bytes(reader::array(source)?).into();
                return Ok(self.put(index, meter)?);
            }
            Op::Put => {
                let line = reader::full_line::<S, H::Error>(source)?;
                self.top()?;
                let index = match crate::text::index_line(line) {
                    Some(index) => index,
                    None => host.index_line(line)?,
                };
                let Ok(index) = u64::try_from(index) else {
                    fail!(ErrorKind::NegativePut);
                };
                return Ok(self.put(index, meter)?);
            }
            Op::BinGet => {
                let index = reader::array::<1, _>(source)?[0];
                self.get(index.into())?
            }
            Op::LongBinGet => {
                let index = u32::from_le_bytes(reader::array(source)?);
                self.get(index.into())?
            }
            Op::Get => {
                let line = reader::full_line::<S, H::Error>(source)?;
                let index = match crate::text::index_line(line) {
                    Some(index) => index,
                    None => host.index_line(line)?,
                };
                self.get(index)?
            }

            // Globals and persistent ids.
            Op::Global => {
                let module = host.global_line(content(reader::full_line::<S, H::Error>(source)?))?;
                let name = host.global_line(content(reader::full_line::<S, H::Error>(source)?))?;
                host.global(module, name)?
            }
            Op::StackGlobal => {
                let name = self.pop()?;
                let module = self.pop()?;
                host.stack_global(module, name)?
            }
            Op::Ext1 => {
                let code = reader::array::<1, _>(source)?[0];
                extension(host, code.into())?
            }
            Op::Ext2 => {
                let code = u16::from_le_bytes(reader::array(source)?);
                extension(host, code.into())?
            }
            Op::Ext4 => {
                let code = i32::from_le_bytes(reader::array(source)?);
                extension(host, code)?
            }
            Op::PersId => {
                host.expect_persistent()?;
                let id = content(source.line()?).to_vec();
                host.persistent_line(&id)?
            }
            Op::BinPersId => {
                host.expect_persistent()?;
                let id = self.pop()?;
                host.persistent(id)?
            }

            // Objects.
            Op::Reduce => {
                let arguments = self.pop()?;
                let callable = self.pop()?;
                host.reduce(callable, arguments)?
            }
            Op::NewObj => {
                let arguments = self.pop()?;
                let class = self.pop()?;
                host.new_object(class, arguments, None)?
            }
            Op::NewObjEx => {
                let keywords = self.pop()?;
                let arguments = self.pop()?;
                let class = self.pop()?;
                host.new_object(class, arguments, Some(keywords))?
            }
            Op::Inst => {
                let at = self.mark()?;
                let module = host.inst_line(content(reader::full_line::<S, H::Error>(source)?))?;
                let name = host.inst_line(content(reader::full_line::<S, H::Error>(source)?))?;
                let class = host.global(module, name)?;
                meter.items(self.stack.len() - at)?;
                host.instance(class, self.stack.drain(at..))?
            }
            Op::Obj => {
                let at = self.mark()?;
                meter.items((self.stack.len() - at).saturating_sub(1))?;
                let mut items = self.stack.drain(at..);
                let Some(class) = items.next() else {
                    drop(items);
                    return Err(self.underflow().into());
                };
                host.instance(class, items)?
            }
            Op::Build => {
                if self.stack.len() < self.fence + 2 {
                    return Err(self.underflow().into());
                }
                let state = self.pop()?;
                return host.build(self.top()?, state);
            }

            // Buffers.
            Op::NextBuffer => host.next_buffer()?,
            Op::ReadOnlyBuffer => {
                let buffer = self.pop()?;
                host.readonly_buffer(buffer)?
            }
        };
        push(&mut self.stack, value)?;
        Ok(())
    }

    #[inline(always)]
    fn small_tuple<H: Host<Value = V>, M: Meter>(
        &mut self,
        host: &mut H,
        meter: &mut M,
        count: usize,
    ) -> Result<V, H::Error> {
        meter.items(count)?;
        match self.stack.len().checked_sub(count) {
            Some(at) if at >= self.fence => host.tuple(self.stack.drain(at..)),
            _ => Err(self.underflow().into()),
        }
    }

    #[inline(always)]
    fn fill<E: From<Error>, M: Meter>(
        &mut self,
        meter: &mut M,
        each: usize,
        skips_nothing: bool,
        into: impl FnOnce(&V, crate::host::Items<'_, V>) -> Result<(), E>,
    ) -> Result<(), E> {
        let at = self.mark()?;
        meter.items((self.stack.len() - at) / each)?;
        if at <= self.fence {
            return Err(self.underflow().into());
        }
        if skips_nothing && at == self.stack.len() {
            return Ok(());
        }
        // The container stands right under its items. It is taken off the stack while it is filled, so that nothing
        // borrows the stack but the items.
        let mut items = self.stack.drain(at - 1..);
        let Some(container) = items.next() else {
            return Ok(());
        };
        into(&container, items)?;
        self.stack.push(container);
        Ok(())
    }

    #[inline(always)]
    fn put<M: Meter>(&mut self, index: u64, meter: &mut M) -> Result<(), Error>
    where
        V: Clone,
    {
        let value = self.top()?;
        let value = value.clone();
        drop(self.memo.put(index, value)?);
        meter.memo(self.memo.len())
    }

    #[inline(always)]
    fn get(&self, index: i64) -> Result<V, Error>
    where
        V: Clone,
    {
        match u64::try_from(index).ok().and_then(|index| self.memo.get(index)) {
            Some(value) => Ok(value.clone()),
            None => Err(Error::new(ErrorKind::MemoMissing(index))),
        }
    }
}

/// Append a value, if there is memory for it.
#[inline(always)]
fn push<T>(to: &mut Vec<T>, value: T) -> Result<(), Error> {
    if to.len() == to.capacity() {
        grow(to)?;
    }
    to.push(value);
    Ok(())
}

#[cold]
#[inline(never)]
fn grow<T>(vec: &mut Vec<T>) -> Result<(), Error> {
    vec.try_reserve(1).map_err(|_| Error::new(ErrorKind::OutOfMemory))
}

#[cold]
#[inline(never)]
fn nowhere<E: From<Error>>(kind: ErrorKind, offset: u64) -> E {
    Error::new(kind).locate(offset, None).into()
}

#[cold]
#[inline(never)]
fn placed<E: Locate, F: Into<E>>(error: F, offset: u64, op: Op) -> E {
    error.into().locate(offset, Some(op))
}

#[inline(always)]
fn bytes<H, S, M>(count: usize, host: &mut H, source: &mut S, meter: &mut M) -> Result<H::Value, H::Error>
where
    H: Host,
    S: Ready<H::Value>,
    M: Meter,
    H::Error: From<S::Error>,
{
    meter.bytes(count)?;
    if count > MOST_BYTES && host.refuses_too_long() {
        fail!(ErrorKind::TooLong);
    }
    let value = if count >= DIRECT && source.prefers_copy(count) {
        match source.ready(count)? {
            Some(value) => value,
            None => host.bytes_from(count, source)?,
        }
    } else {
        host.bytes(source.take_whole(count)?)?
    };
    pause_after(count, host, source)?;
    Ok(value)
}

#[inline(always)]
fn text<H, S, M>(count: usize, host: &mut H, source: &mut S, meter: &mut M) -> Result<H::Value, H::Error>
where
    H: Host,
    S: Source,
    M: Meter,
    H::Error: From<S::Error>,
{
    meter.bytes(count)?;
    let value = if count >= DIRECT && source.prefers_copy(count) {
        host.text_from(count, source)?
    } else {
        host.text(source.take(count)?)?
    };
    pause_after(count, host, source)?;
    Ok(value)
}

/// Lets the host pause after a part of `count` bytes, if that is many.
#[inline(always)]
fn pause_after<H: Host, S: Source>(count: usize, host: &mut H, source: &S) -> Result<(), H::Error> {
    if count < DIRECT { Ok(()) } else { host.pause(source.offset()) }
}

#[inline(always)]
fn extension<H: Host>(host: &mut H, code: i32) -> Result<H::Value, H::Error> {
    if code <= 0 {
        fail!(ErrorKind::BadExtensionCode(code));
    }
    host.extension(code)
}

/// A line without its newline.
fn content(line: &[u8]) -> &[u8] {
    &line[..line.len() - 1]
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    #[test]
    fn recycled_room_keeps_its_allocations() {
        let room = Room::<Box<u8>> { stack: Vec::with_capacity(9), marks: Vec::new(), memo: Vec::with_capacity(7) };
        let room: Room<NonZeroUsize> = room.recycle();
        assert_eq!((room.stack.capacity(), room.memo.capacity()), (9, 7));
        let room: Room<Box<u8>> = room.recycle();
        assert_eq!((room.stack.capacity(), room.memo.capacity()), (9, 7));
    }
}
