//! The fast walk over plain data: exact lists, tuples, dicts, sets, strings, numbers and bytes, and plain instances.
//!
//! It writes what `crate::dump` writes for the same objects, and knows nothing else: at anything that is not plain, and
//! wherever Python code might run, it stops and says at which object ([`Pause`]). What it has not finished stands on the
//! stack of [`Level`]s, each of which owns its container, so that the general code can go on from there and come back.
//! `tests/test_two_walks.py` holds the two ways of writing together.
//!
//! Inside a walk nothing but the walk runs. Pointers taken from containers are therefore good until it pauses; none is
//! kept across a pause.

use capers_pickle::{Op, Writer};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::access;
use super::identity::Identities;
use super::layout::{self, Characters};
use super::output::Output;
use super::plan::{self, Plan};
use std::rc::Rc;

type Object = *mut ffi::PyObject;

/// Items between two `APPENDS`, `SETITEMS` or `ADDITEMS` (`BATCHSIZE` in `_pickle.c`).
pub(crate) const BATCH: u32 = 1000;

/// What one object that is written without a check of the room may take at most: a string of 255 bytes, an instance's
/// opening. Room for as much is left behind the place where the check is due.
const MARGIN: usize = 640;
/// Room made at a time.
const ROOM: usize = 2 * MARGIN;
/// Strings and bytes from here on stand outside of frames and are written by the general code.
const LARGE: usize = capers_pickle::FRAME_TARGET;
/// How far ahead objects are fetched, and how far ahead their places in the memo.
const AHEAD: usize = 11;
const AHEAD_MEMO: usize = 5;
/// Items of a tuple between two looks at the budget.
const STRETCH: usize = 4096;
/// Items after which a walk pauses, so that an interrupt is answered: about a millisecond.
const BUDGET: isize = 1 << 15;

/// A container that has been begun and not finished.
pub(crate) enum Level<'py> {
    /// The items of an exact list, in batches; `single` when it had one item at the start.
    List { list: Bound<'py, PyList>, index: usize, batch: u32, single: bool },
    /// The items of a tuple.
    Tuple { tuple: Bound<'py, PyTuple>, index: usize },
    /// The pairs of an exact dict.
    Dict(DictLevel<'py>),
    /// The elements of a set or, with `frozen`, of a frozenset.
    Set { set: Bound<'py, PyAny>, position: isize, size: usize, batch: u32, opened: bool, frozen: bool },
    /// The slots of an instance.
    Slots { object: Bound<'py, PyAny>, plan: Rc<Plan>, index: usize, count: usize },
}

/// The pairs of an exact dict on their way out.
pub(crate) struct DictLevel<'py> {
    pub(crate) dict: Bound<'py, PyDict>,
    pub(crate) position: isize,
    /// How many pairs there were at the start.
    pub(crate) size: usize,
    pub(crate) written: usize,
    pub(crate) batch: u32,
    pub(crate) single: bool,
    pub(crate) opened: bool,
    /// Whether it is the state of an instance, to be set by `BUILD`.
    pub(crate) state: bool,
    /// The key of the pair being written, where it is not written at once.
    pub(crate) key: Option<Bound<'py, PyAny>>,
    /// The value still to be written after the key.
    pub(crate) value: Option<Bound<'py, PyAny>>,
}

impl<'py> Level<'py> {
    /// The items of a list that has some and whose opening has been written, but for a `MARK` where there are several.
    #[inline]
    pub(crate) fn list(list: Bound<'py, PyList>) -> Self {
        let single = list.len() == 1;
        Level::List { list, index: 0, batch: 0, single }
    }

    /// The pairs of a dict that has some and whose opening has been written.
    #[inline]
    pub(crate) fn dict(dict: Bound<'py, PyDict>, state: bool) -> Self {
        let size = access::dict_len(&dict);
        Level::Dict(DictLevel {
            dict,
            position: 0,
            size,
            written: 0,
            batch: 0,
            single: size == 1,
            opened: false,
            state,
            key: None,
            value: None,
        })
    }

    /// The elements of a set or frozenset whose opening has been written.
    #[inline]
    pub(crate) fn set(set: Bound<'py, PyAny>, frozen: bool) -> Self {
        let size = access::set_len(&set);
        Level::Set { set, position: 0, size, batch: 0, opened: frozen, frozen }
    }
}

/// A work stack whose top may be a [`Level`].
pub(crate) trait Levels<'py> {
    /// Takes the topmost level, if a level stands there and belongs to this walk.
    fn pop(&mut self) -> Option<Level<'py>>;
    /// Puts a level on top; `false` if the stack is too high.
    fn push(&mut self, level: Level<'py>) -> bool;
}

/// Why a walk stopped.
pub(crate) enum Pause<'py> {
    /// There is no further level.
    Ended,
    /// The frame is full and a file waits for it.
    Flush,
    /// It is time to look for an interrupt.
    Interrupt,
    /// This object is not plain; it comes next.
    Object(Bound<'py, PyAny>),
    /// The stack is too high.
    TooDeep,
    /// A container changed its size; the text says which.
    Changed(&'static str),
    /// A tuple with an item that is not there.
    Hole,
}

/// What a walk works with.
pub(crate) struct Walk<'a, 'py> {
    pub(crate) py: Python<'py>,
    pub(crate) writer: &'a mut Writer<Output<'py>>,
    pub(crate) memo: &'a mut Identities,
    /// The next memo index.
    pub(crate) next: &'a mut usize,
    /// Whether a file takes finished frames.
    pub(crate) streams: bool,
    /// Whether a dict that is in the memo is as good as any other object there.
    pub(crate) plain_dicts: bool,
    /// `copyreg.dispatch_table`, where instances may be written by plan; `None` where hooks decide on them.
    pub(crate) dispatch_table: Option<&'a Bound<'py, PyDict>>,
}

/// What became of an object.
enum Saved {
    Done,
    Enter(Enter),
    Stop(Stop),
}

/// A container that was opened.
enum Enter {
    List,
    Tuple,
    Dict,
    Set(bool),
    /// The state of an instance: its dict.
    State(Object),
    /// The state of an instance: so many slots are set; they are those of this plan, which the walker holds.
    Slots(usize, *const Plan),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    Flush,
    Other,
}

enum Outcome<'py> {
    End,
    Enter(Level<'py>),
    Pause(Pause<'py>),
}

struct Walker<'a, 'py> {
    py: Python<'py>,
    writer: &'a mut Writer<Output<'py>>,
    memo: &'a mut Identities,
    next: u32,
    /// Up to here objects are written without a check.
    soft: *mut u8,
    streams: bool,
    plain_dicts: bool,
    dispatch_table: Option<&'a Bound<'py, PyDict>>,
    /// The type of the last instance, its plan, and the memo index of its class.
    last: (*mut ffi::PyTypeObject, Option<(Rc<Plan>, u32)>),
    budget: isize,
    /// Set while automatic garbage collection is off: up to CPython 3.11 an instance's new dict may start one, which can
    /// run any code.
    quiet: Option<Quiet>,
}

/// Keeps automatic garbage collection off; on again when dropped, if it was on.
struct Quiet(bool);

impl Quiet {
    fn new() -> Self {
        // SAFETY: alive, type: no objects. shared: the interpreter is held by the walk. runs: nothing.
        Quiet(unsafe { ffi::PyGC_Disable() != 0 })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if self.0 {
            // SAFETY: alive, type: no objects. shared: the interpreter is held by the walk. runs: nothing.
            unsafe { ffi::PyGC_Enable() };
        }
    }
}

/// Writes on from the topmost level until there is none or something else has to be done.
pub(crate) fn walk<'py>(walk: Walk<'_, 'py>, levels: &mut impl Levels<'py>) -> Pause<'py> {
    let Some(mut level) = levels.pop() else { return Pause::Ended };
    let Walk { py, writer, memo, next, streams, plain_dicts, dispatch_table } = walk;
    memo.reserve(1);
    let mut walker = Walker {
        py,
        writer,
        memo,
        next: *next as u32,
        soft: std::ptr::null_mut(),
        streams,
        plain_dicts,
        dispatch_table,
        last: (std::ptr::null_mut(), None),
        budget: BUDGET,
        quiet: None,
    };
    let pause = loop {
        walker.budget -= 1;
        if walker.budget < 0 {
            let kept = levels.push(level);
            break if kept { Pause::Interrupt } else { Pause::TooDeep };
        }
        // SAFETY: alive: the level owns its container. type: a level is made for an exact container of its kind. shared: the
        // token says that the interpreter is held. runs: nothing but the walk, which no Python code can interrupt.
        let outcome = unsafe {
            match &mut level {
                Level::List { list, index, batch, single } => walker.list(list.as_ptr(), index, batch, single),
                Level::Tuple { tuple, index } => walker.tuple(tuple.as_ptr(), index),
                Level::Dict(dict) => walker.dict(dict),
                Level::Set { set, position, size, batch, opened, frozen } => {
                    let set = set.as_ptr();
                    walker.set(set, position, *size, batch, opened, *frozen)
                }
                Level::Slots { object, plan, index, count } => walker.slots(object.as_ptr(), plan, index, *count),
            }
        };
        match outcome {
            Outcome::End => match levels.pop() {
                Some(below) => level = below,
                None => break Pause::Ended,
            },
            Outcome::Enter(above) => {
                if !levels.push(std::mem::replace(&mut level, above)) {
                    break Pause::TooDeep;
                }
            }
            Outcome::Pause(pause) => {
                let kept = levels.push(level);
                break if kept { pause } else { Pause::TooDeep };
            }
        }
    };
    *next = walker.next as usize;
    pause
}

/// Writes one byte.
///
/// # Safety
/// There must be room at `p`.
#[inline(always)]
unsafe fn op(p: &mut *mut u8, op: Op) {
    // SAFETY: alive, type: room, as the caller promises. shared: the output is ours. runs: nothing.
    unsafe {
        p.write(op as u8);
        *p = p.add(1);
    }
}

/// Writes an opcode and the lowest `len` bytes of a little-endian argument.
///
/// # Safety
/// There must be room for nine bytes at `p`.
#[inline(always)]
unsafe fn op_with(p: &mut *mut u8, op: u8, argument: u64, len: usize) {
    // SAFETY: alive, type: room, as the caller promises; what is written too far is written over. shared: ours. runs: nothing.
    unsafe {
        p.write(op);
        p.add(1).cast::<u64>().write_unaligned(argument.to_le());
        *p = p.add(1 + len);
    }
}

/// Copies up to 255 bytes.
///
/// # Safety
/// `from` must hold `len` bytes, and there must be room for them at `to`.
#[inline(always)]
unsafe fn copy_short(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: alive, type: as the caller promises; each branch stays within `len` bytes, reading and writing some of them
    // twice. shared: the source does not change, the target is ours. runs: nothing.
    unsafe {
        if len >= 16 {
            let mut at = 0;
            while at + 16 < len {
                to.add(at).cast::<u128>().write_unaligned(from.add(at).cast::<u128>().read_unaligned());
                at += 16;
            }
            to.add(len - 16).cast::<u128>().write_unaligned(from.add(len - 16).cast::<u128>().read_unaligned());
        } else if len >= 8 {
            to.cast::<u64>().write_unaligned(from.cast::<u64>().read_unaligned());
            to.add(len - 8).cast::<u64>().write_unaligned(from.add(len - 8).cast::<u64>().read_unaligned());
        } else if len >= 4 {
            to.cast::<u32>().write_unaligned(from.cast::<u32>().read_unaligned());
            to.add(len - 4).cast::<u32>().write_unaligned(from.add(len - 4).cast::<u32>().read_unaligned());
        } else {
            for at in 0..len {
                to.add(at).write(from.add(at).read());
            }
        }
    }
}

mod body {
    use super::*;

    impl<'py> Walker<'_, 'py> {
        /// Where to write now.
        #[inline]
        pub(super) fn begin(&mut self) -> *mut u8 {
            self.writer.open_frame();
            let frame = self.writer.until_boundary();
            let out = self.writer.buffer_mut();
            out.reserve(ROOM);
            let (p, end) = out.window();
            let room = end as usize - p as usize - MARGIN;
            // SAFETY: invariant WALK.
            self.soft = unsafe { p.add(room.min(frame)) };
            p
        }

        /// What was written up to `p` counts.
        #[inline]
        pub(super) fn end(&mut self, p: *mut u8) {
            // SAFETY: invariant WALK.
            unsafe { self.writer.buffer_mut().written_to(p) };
        }

        /// At the check before an object: closes a full frame, makes room. `false` if a file has to take the frame first.
        #[cold]
        #[inline(never)]
        unsafe fn make_room(&mut self, p: &mut *mut u8) -> bool {
            self.end(*p);
            if self.writer.until_boundary() == 0 {
                if self.streams {
                    return false;
                }
                self.writer.boundary();
            }
            *p = self.begin();
            true
        }

        #[inline(always)]
        unsafe fn get(&self, p: &mut *mut u8, index: u32) {
            // SAFETY: invariant WALK.
            unsafe {
                if index < 256 {
                    op_with(p, Op::BinGet as u8, u64::from(index), 1);
                } else {
                    op_with(p, Op::LongBinGet as u8, u64::from(index), 4);
                }
            }
        }

        /// The index of `key` in the memo, or a new entry for it.
        #[inline(always)]
        unsafe fn find_or_put(&mut self, key: Object) -> Option<u32> {
            if !self.memo.has_room() {
                self.memo.reserve(1);
            }
            // SAFETY: invariant WALK.
            unsafe { self.memo.find_or_put(key, self.next) }
        }

        /// Ends an object that `find_or_put` has just put into the memo.
        #[inline(always)]
        unsafe fn memoize(&mut self, p: &mut *mut u8) {
            // SAFETY: invariant WALK.
            unsafe { op(p, Op::Memoize) };
            self.next += 1;
        }

        /// Writes an object that needs no level, or opens one that does.
        #[inline(always)]
        unsafe fn save(&mut self, p: &mut *mut u8, item: Object) -> Saved {
            // SAFETY: invariant WALK.
            unsafe {
                if *p >= self.soft && !self.make_room(p) {
                    return Saved::Stop(Stop::Flush);
                }
                let kind = layout::type_of(item);
                if kind == &raw mut ffi::PyUnicode_Type {
                    return self.text(p, item);
                }
                if kind == &raw mut ffi::PyLong_Type {
                    return self.int(p, item);
                }
                if kind == &raw mut ffi::PyFloat_Type {
                    op_with(p, Op::BinFloat as u8, layout::float(item).to_bits().swap_bytes(), 8);
                    return Saved::Done;
                }
                if item == ffi::Py_None() {
                    op(p, Op::None);
                    return Saved::Done;
                }
                if kind == &raw mut ffi::PyBool_Type {
                    op(p, if item == ffi::Py_True() { Op::NewTrue } else { Op::NewFalse });
                    return Saved::Done;
                }
                if kind == &raw mut ffi::PyTuple_Type {
                    return self.open_tuple(p, item);
                }
                if kind == &raw mut ffi::PyDict_Type {
                    return self.open_dict(p, item);
                }
                if kind == &raw mut ffi::PyList_Type {
                    return self.open_list(p, item);
                }
                self.rare(p, item, kind)
            }
        }

        #[inline(always)]
        unsafe fn text(&mut self, p: &mut *mut u8, item: Object) -> Saved {
            // SAFETY: invariant WALK.
            unsafe {
                if let Some((data, len)) = layout::ascii(item)
                    && len < 256
                {
                    match self.find_or_put(item) {
                        Some(index) => self.get(p, index),
                        None => {
                            p.write(Op::ShortBinUnicode as u8);
                            p.add(1).write(len as u8);
                            copy_short(data, p.add(2), len);
                            *p = p.add(2 + len);
                            self.memoize(p);
                        }
                    }
                    return Saved::Done;
                }
                self.other_text(p, item)
            }
        }

        /// Strings that are longer or not ASCII.
        #[inline(never)]
        unsafe fn other_text(&mut self, p: &mut *mut u8, item: Object) -> Saved {
            // SAFETY: invariant WALK.
            unsafe {
                if let Some(index) = self.memo.find(item) {
                    self.get(p, index);
                    return Saved::Done;
                }
                let ascii = layout::ascii(item);
                let form = match ascii {
                    Some((data, len)) => Characters::Utf8(data, len),
                    None => layout::characters(item),
                };
                let most = match form {
                    Characters::Utf8(_, len) => len,
                    Characters::One(_, len) => len.saturating_mul(2),
                    Characters::Two(_, len) => len.saturating_mul(3),
                    Characters::Four(_, len) => len.saturating_mul(4),
                    Characters::Other => LARGE,
                };
                if most >= LARGE {
                    return Saved::Stop(Stop::Other);
                }
                self.need(p, most + 16);
                // A header of two bytes where the text can only be short, else one of five, closed up if it is short after all.
                let head = if most < 256 { 2 } else { 5 };
                let start = p.add(head);
                let end = match form {
                    Characters::Utf8(data, len) => {
                        std::ptr::copy_nonoverlapping(data, start, len);
                        start.add(len)
                    }
                    Characters::One(data, len) => encode(data, len, start),
                    Characters::Two(data, len) => encode(data, len, start),
                    Characters::Four(data, len) => encode(data, len, start),
                    Characters::Other => return Saved::Stop(Stop::Other),
                };
                let len = end as usize - start as usize;
                if len < 256 {
                    if head == 5 {
                        std::ptr::copy(start, p.add(2), len);
                    }
                    p.write(Op::ShortBinUnicode as u8);
                    p.add(1).write(len as u8);
                    *p = p.add(2 + len);
                } else {
                    p.write(Op::BinUnicode as u8);
                    p.add(1).cast::<u32>().write_unaligned((len as u32).to_le());
                    *p = end;
                }
                self.find_or_put(item);
                self.memoize(p);
                Saved::Done
            }
        }

        /// Makes sure of room for one large object, the check before it done.
        unsafe fn need(&mut self, p: &mut *mut u8, more: usize) {
            self.end(*p);
            self.writer.buffer_mut().reserve(more + ROOM);
            *p = self.begin();
        }

        #[inline(always)]
        unsafe fn int(&mut self, p: &mut *mut u8, item: Object) -> Saved {
            // SAFETY: invariant WALK.
            unsafe {
                let (digits, count, negative) = layout::digits(item);
                if count <= 1 {
                    let size = if count == 0 { 0 } else { i64::from(digits.read()) };
                    small_int(p, if negative { -size } else { size });
                    return Saved::Done;
                }
                self.long_int(p, item)
            }
        }

        #[inline(never)]
        unsafe fn long_int(&mut self, p: &mut *mut u8, item: Object) -> Saved {
            // SAFETY: invariant WALK.
            unsafe {
                let (digits, count, negative) = layout::digits(item);
                if count <= 4 {
                    let mut value: i128 = 0;
                    for place in (0..count).rev() {
                        value = value << 30 | i128::from(digits.add(place).read());
                    }
                    if negative {
                        value = -value;
                    }
                    if let Ok(small) = i32::try_from(value) {
                        small_int(p, small.into());
                        return Saved::Done;
                    }
                    // One bit is for the sign.
                    let bits = 128 - if value < 0 { !value } else { value }.leading_zeros();
                    let len = bits as usize / 8 + 1;
                    p.write(Op::Long1 as u8);
                    p.add(1).write(len as u8);
                    p.add(2).cast::<i128>().write_unaligned(value.to_le());
                    *p = p.add(2 + len);
                    return Saved::Done;
                }
                // Up to 255 bytes; longer ones are rare enough for the general code.
                if count > 67 {
                    return Saved::Stop(Stop::Other);
                }
                let start = p.add(2);
                let (mut at, mut held, mut bits) = (0, 0u64, 0);
                // Two's complement on the way: the digits of a negative number are inverted, plus one.
                let mut carry = u64::from(negative);
                for place in 0..count {
                    let mut digit = u64::from(digits.add(place).read());
                    if negative {
                        digit = (digit ^ 0x3fff_ffff) + carry;
                        carry = digit >> 30;
                        digit &= 0x3fff_ffff;
                    }
                    held |= digit << bits;
                    bits += 30;
                    while bits >= 8 {
                        start.add(at).write(held as u8);
                        held >>= 8;
                        bits -= 8;
                        at += 1;
                    }
                }
                let sign = if negative { 0xff } else { 0 };
                start.add(at).write(held as u8 | (sign << bits) as u8);
                start.add(at + 1).write(sign as u8);
                let mut len = at + 2;
                while len > 1
                    && start.add(len - 1).read() == sign as u8
                    && (start.add(len - 2).read() ^ sign as u8) & 0x80 == 0
                {
                    len -= 1;
                }
                if len > 255 {
                    return Saved::Stop(Stop::Other);
                }
                p.write(Op::Long1 as u8);
                p.add(1).write(len as u8);
                *p = p.add(2 + len);
                Saved::Done
            }
        }

        #[inline(always)]
        unsafe fn open_tuple(&mut self, p: &mut *mut u8, item: Object) -> Saved {
            // SAFETY: invariant WALK.
            unsafe {
                let (_, len) = layout::tuple(item);
                if len == 0 {
                    op(p, Op::EmptyTuple);
                    return Saved::Done;
                }
                if let Some(index) = self.memo.find(item) {
                    self.get(p, index);
                    return Saved::Done;
                }
                if len > 3 {
                    op(p, Op::Mark);
                }
                Saved::Enter(Enter::Tuple)
            }
        }

        #[inline(always)]
        unsafe fn open_list(&mut self, p: &mut *mut u8, item: Object) -> Saved {
            // SAFETY: invariant WALK.
            unsafe {
                if let Some(index) = self.find_or_put(item) {
                    self.get(p, index);
                    return Saved::Done;
                }
                op(p, Op::EmptyList);
                self.memoize(p);
                match layout::list(item).1 {
                    0 => Saved::Done,
                    len => {
                        if len > 1 {
                            op(p, Op::Mark);
                        }
                        Saved::Enter(Enter::List)
                    }
                }
            }
        }

        #[inline(always)]
        unsafe fn open_dict(&mut self, p: &mut *mut u8, item: Object) -> Saved {
            // SAFETY: invariant WALK.
            unsafe {
                if let Some(index) = self.find_or_put(item) {
                    if !self.plain_dicts {
                        return Saved::Stop(Stop::Other);
                    }
                    self.get(p, index);
                    return Saved::Done;
                }
                op(p, Op::EmptyDict);
                self.memoize(p);
                if layout::dict_len(item) == 0 { Saved::Done } else { Saved::Enter(Enter::Dict) }
            }
        }

        #[inline(never)]
        unsafe fn rare(&mut self, p: &mut *mut u8, item: Object, kind: *mut ffi::PyTypeObject) -> Saved {
            // SAFETY: invariant WALK.
            unsafe {
                if let Some(index) = self.memo.find(item) {
                    self.get(p, index);
                    return Saved::Done;
                }
                if kind == &raw mut ffi::PyBytes_Type {
                    return self.bytes(p, item);
                }
                if kind == &raw mut ffi::PySet_Type {
                    op(p, Op::EmptySet);
                    self.find_or_put(item);
                    self.memoize(p);
                    let empty = ffi::PySet_Size(item) == 0;
                    return if empty { Saved::Done } else { Saved::Enter(Enter::Set(false)) };
                }
                if kind == &raw mut ffi::PyFrozenSet_Type {
                    op(p, Op::Mark);
                    return Saved::Enter(Enter::Set(true));
                }
                self.instance(p, item, kind)
            }
        }

        unsafe fn bytes(&mut self, p: &mut *mut u8, item: Object) -> Saved {
            // SAFETY: invariant WALK.
            unsafe {
                let (data, len) = layout::bytes(item);
                if len < 256 {
                    p.write(Op::ShortBinBytes as u8);
                    p.add(1).write(len as u8);
                    copy_short(data, p.add(2), len);
                    *p = p.add(2 + len);
                } else if len < LARGE {
                    self.need(p, len + 16);
                    op_with(p, Op::BinBytes as u8, len as u64, 4);
                    std::ptr::copy_nonoverlapping(data, *p, len);
                    *p = p.add(len);
                } else {
                    return Saved::Stop(Stop::Other);
                }
                self.find_or_put(item);
                self.memoize(p);
                Saved::Done
            }
        }

        /// The plan for instances of this type and the memo index of the type itself, if it has both.
        #[inline]
        unsafe fn plan_of(&mut self, kind: *mut ffi::PyTypeObject) -> Option<(&Plan, u32)> {
            if self.last.0 != kind {
                self.last = (kind, self.look_up(kind));
            }
            self.last.1.as_ref().map(|(plan, index)| (&**plan, *index))
        }

        #[cold]
        fn look_up(&self, kind: *mut ffi::PyTypeObject) -> Option<(Rc<Plan>, u32)> {
            let table = self.dispatch_table?;
            let plan = plan::known(kind)?;
            // SAFETY: invariant WALK.
            let index = unsafe { self.memo.find(kind.cast()) }?;
            // Classes are equal to nothing but themselves.
            // SAFETY: invariant WALK.
            let listed = match unsafe { layout::entries(table.as_ptr()) } {
                // SAFETY: invariant WALK.
                Some(entries) => (0..entries.count).any(|at| unsafe {
                    let key = entries.first.add(at * entries.step);
                    key.read() == kind.cast() && !key.add(1).read().is_null()
                }),
                None => true,
            };
            (!listed).then_some((plan, index))
        }

        /// An instance whose class is in the memo and whose state is its dict or its slots.
        unsafe fn instance(&mut self, p: &mut *mut u8, item: Object, kind: *mut ffi::PyTypeObject) -> Saved {
            // SAFETY: invariant WALK.
            unsafe {
                // A frame may end inside; the general code knows how to hand it on to a file.
                if self.streams && p.wrapping_add(64) >= self.soft {
                    return Saved::Stop(Stop::Other);
                }
                let Some((plan, _)) = self.plan_of(kind) else { return Saved::Stop(Stop::Other) };
                let has_dict = plan.has_dict;
                if has_dict && cfg!(not(Py_3_12)) && self.quiet.is_none() {
                    self.quiet = Some(Quiet::new());
                }
                let Some((plan, class)) = self.plan_of(kind) else { return Saved::Stop(Stop::Other) };
                let state = if has_dict {
                    let dict = ffi::PyObject_GenericGetDict(item, std::ptr::null_mut());
                    if dict.is_null() {
                        ffi::PyErr_Clear();
                        return Saved::Stop(Stop::Other);
                    }
                    // The object keeps its dict.
                    ffi::Py_DECREF(dict);
                    if !plain_attributes(dict) {
                        return Saved::Stop(Stop::Other);
                    }
                    if layout::dict_len(dict) == 0 { None } else { Some(Enter::State(dict)) }
                } else {
                    match plan.slots.iter().filter(|slot| !slot.read(item).is_null()).count() {
                        0 => None,
                        count => Some(Enter::Slots(count, std::ptr::from_ref(plan))),
                    }
                };
                self.get(p, class);
                self.check(p);
                op(p, Op::EmptyTuple);
                op(p, Op::NewObj);
                self.find_or_put(item);
                self.memoize(p);
                let Some(state) = state else { return Saved::Done };
                self.check(p);
                match state {
                    Enter::State(dict) => {
                        if let Some(index) = self.find_or_put(dict) {
                            self.get(p, index);
                            op(p, Op::Build);
                            return Saved::Done;
                        }
                        op(p, Op::EmptyDict);
                        self.memoize(p);
                    }
                    Enter::Slots(count, _) => {
                        op(p, Op::None);
                        self.check(p);
                        op(p, Op::EmptyDict);
                        self.memoize(p);
                        if count > 1 {
                            op(p, Op::Mark);
                        }
                    }
                    _ => {}
                }
                Saved::Enter(state)
            }
        }

        /// The check before a part of an instance.
        #[inline]
        unsafe fn check(&mut self, p: &mut *mut u8) {
            if *p >= self.soft {
                // SAFETY: invariant WALK.
                unsafe { self.make_room(p) };
            }
        }

        /// Makes room in the memo for the items of a long list, where they look as if each will need some.
        #[inline]
        unsafe fn expect(&mut self, list: Object) {
            // SAFETY: invariant WALK.
            unsafe {
                let (items, size) = layout::list(list);
                if size < 4096 {
                    return;
                }
                let samples = [0, size / 3, size / 2, size - 1].map(|at| items.add(at).read());
                let (first, kind) = (samples[0], layout::type_of(samples[0]));
                let memoized = kind != &raw mut ffi::PyLong_Type && kind != &raw mut ffi::PyFloat_Type;
                let alike = samples[1..].iter().all(|&it| it != first && layout::type_of(it) == kind);
                if memoized && alike && kind != &raw mut ffi::PyBool_Type {
                    self.memo.reserve(size);
                }
            }
        }

        /// The level of a container that was opened.
        #[inline]
        unsafe fn level(&mut self, enter: &Enter, item: Object) -> Level<'py> {
            // SAFETY: invariant WALK.
            unsafe {
                let own = |object: Object| Bound::from_borrowed_ptr(self.py, object);
                match enter {
                    Enter::List => Level::list(own(item).cast_into_unchecked()),
                    Enter::Tuple => Level::Tuple { tuple: own(item).cast_into_unchecked(), index: 0 },
                    Enter::Dict => Level::dict(own(item).cast_into_unchecked(), false),
                    Enter::Set(frozen) => Level::set(own(item), *frozen),
                    Enter::State(dict) => Level::dict(own(*dict).cast_into_unchecked(), true),
                    Enter::Slots(count, plan) => {
                        Rc::increment_strong_count(*plan);
                        Level::Slots { object: own(item), plan: Rc::from_raw(*plan), index: 0, count: *count }
                    }
                }
            }
        }

        /// The object at which a walk stops.
        #[cold]
        unsafe fn stop(&mut self, stop: Stop, item: Object) -> Outcome<'py> {
            Outcome::Pause(match stop {
                Stop::Flush => Pause::Flush,
                // SAFETY: invariant WALK.
                Stop::Other => Pause::Object(unsafe { Bound::from_borrowed_ptr(self.py, item) }),
            })
        }

        /// Fetches an item and its place in the memo ahead of their use.
        #[inline(always)]
        unsafe fn fetch(&self, items: *const Object, at: usize, size: usize) {
            // SAFETY: invariant WALK.
            unsafe {
                if at + AHEAD < size {
                    layout::prefetch(items.add(at + AHEAD).read().cast());
                    layout::prefetch(self.memo.home(items.add(at + AHEAD_MEMO).read()));
                }
            }
        }

        #[inline(never)]
        pub(super) unsafe fn list(
            &mut self,
            list: Object,
            index: &mut usize,
            batch: &mut u32,
            single: &mut bool,
        ) -> Outcome<'py> {
            // SAFETY: invariant WALK.
            unsafe {
                let mut p = self.begin();
                if *index == 0 {
                    self.expect(list);
                }
                loop {
                    if *single && *batch == 1 {
                        op(&mut p, Op::Append);
                        self.end(p);
                        return Outcome::End;
                    }
                    let (items, size) = layout::list(list);
                    let first = *index;
                    let stop = size.min(first + (BATCH - *batch) as usize);
                    let mut at = first;
                    while at < stop {
                        let item = items.add(at).read();
                        self.fetch(items, at, size);
                        match self.save(&mut p, item) {
                            Saved::Done => at += 1,
                            Saved::Enter(enter) => {
                                *batch += (at + 1 - first) as u32;
                                *index = at + 1;
                                self.end(p);
                                return Outcome::Enter(self.level(&enter, item));
                            }
                            Saved::Stop(stop) => {
                                let done = at + usize::from(stop == Stop::Other);
                                *batch += (done - first) as u32;
                                *index = done;
                                self.end(p);
                                return self.stop(stop, item);
                            }
                        }
                    }
                    if at > first {
                        *batch += (at - first) as u32;
                        *index = at;
                        self.budget -= (at - first) as isize;
                    }
                    if *single && *batch == 1 {
                        continue;
                    }
                    op(&mut p, Op::Appends);
                    if at >= size {
                        self.end(p);
                        return Outcome::End;
                    }
                    *batch = 0;
                    // From 3.15 on a last item that is left over stands alone.
                    *single = cfg!(Py_3_15) && at + 1 == size;
                    if !*single {
                        op(&mut p, Op::Mark);
                    }
                    if self.budget < 0 {
                        self.end(p);
                        return Outcome::Pause(Pause::Interrupt);
                    }
                }
            }
        }

        #[inline(never)]
        pub(super) unsafe fn tuple(&mut self, tuple: Object, index: &mut usize) -> Outcome<'py> {
            // SAFETY: invariant WALK.
            unsafe {
                let mut p = self.begin();
                let (items, size) = layout::tuple(tuple);
                let first = *index;
                let stop = size.min(first + STRETCH);
                let mut at = first;
                while at < stop {
                    let item = items.add(at).read();
                    if item.is_null() {
                        self.end(p);
                        return Outcome::Pause(Pause::Hole);
                    }
                    self.fetch(items, at, size);
                    match self.save(&mut p, item) {
                        Saved::Done => at += 1,
                        Saved::Enter(enter) => {
                            *index = at + 1;
                            self.end(p);
                            return Outcome::Enter(self.level(&enter, item));
                        }
                        Saved::Stop(stop) => {
                            *index = at + usize::from(stop == Stop::Other);
                            self.end(p);
                            return self.stop(stop, item);
                        }
                    }
                }
                *index = at;
                self.budget -= (at - first) as isize;
                if at < size {
                    self.end(p);
                    return Outcome::Pause(Pause::Interrupt);
                }
                // A tuple that got into the memo while its items were written contains itself: take the items back.
                match self.find_or_put(tuple) {
                    Some(index) => {
                        if size <= 3 {
                            for _ in 0..size {
                                op(&mut p, Op::Pop);
                            }
                        } else {
                            op(&mut p, Op::PopMark);
                        }
                        self.get(&mut p, index);
                    }
                    None => {
                        op(
                            &mut p,
                            match size {
                                1 => Op::Tuple1,
                                2 => Op::Tuple2,
                                3 => Op::Tuple3,
                                _ => Op::Tuple,
                            },
                        );
                        self.memoize(&mut p);
                    }
                }
                self.end(p);
                Outcome::End
            }
        }

        #[inline(never)]
        pub(super) unsafe fn dict(&mut self, level: &mut DictLevel<'py>) -> Outcome<'py> {
            // SAFETY: invariant WALK.
            unsafe {
                let mut p = self.begin();
                if let Some(value) = level.value.take() {
                    match self.save(&mut p, value.as_ptr()) {
                        Saved::Done => {}
                        Saved::Enter(enter) => {
                            self.end(p);
                            return Outcome::Enter(self.level(&enter, value.as_ptr()));
                        }
                        Saved::Stop(stop) => {
                            self.end(p);
                            let outcome = self.stop(stop, value.as_ptr());
                            if stop == Stop::Flush {
                                level.value = Some(value);
                            }
                            return outcome;
                        }
                    }
                }
                let dict = level.dict.as_ptr();
                if !level.opened {
                    level.opened = true;
                    if !level.single {
                        op(&mut p, Op::Mark);
                    }
                }
                loop {
                    if level.single && level.batch == 1 {
                        op(&mut p, Op::SetItem);
                        break;
                    }
                    let outcome = match layout::entries(dict) {
                        Some(entries) => self.pairs(&mut p, level, |position| {
                            let mut at = position.unsigned_abs();
                            while at < entries.count {
                                let key = entries.first.add(at * entries.step);
                                let value = key.add(1).read();
                                at += 1;
                                if !value.is_null() {
                                    *position = at as isize;
                                    return Some((key.read(), value));
                                }
                            }
                            None
                        }),
                        None => self.pairs(&mut p, level, |position| {
                            let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
                            let more = ffi::PyDict_Next(dict, position, &raw mut key, &raw mut value) != 0;
                            more.then_some((key, value))
                        }),
                    };
                    if let Some(outcome) = outcome {
                        self.end(p);
                        return outcome;
                    }
                    if level.single && level.batch == 1 {
                        continue;
                    }
                    self.budget -= level.batch as isize;
                    op(&mut p, Op::SetItems);
                    if layout::dict_len(dict) != level.size {
                        self.end(p);
                        return Outcome::Pause(Pause::Changed("dictionary changed size during iteration"));
                    }
                    // Up to 3.14 a full batch is always followed by another one, even an empty one.
                    let full = level.batch == BATCH;
                    if !full || (cfg!(Py_3_15) && level.written == level.size) {
                        break;
                    }
                    level.batch = 0;
                    level.single = cfg!(Py_3_15) && level.written + 1 == level.size;
                    if !level.single {
                        op(&mut p, Op::Mark);
                    }
                    if self.budget < 0 {
                        self.end(p);
                        return Outcome::Pause(Pause::Interrupt);
                    }
                }
                if level.state {
                    op(&mut p, Op::Build);
                }
                self.end(p);
                Outcome::End
            }
        }

        /// Writes pairs until the batch is full or there are no more; an outcome where something else comes between.
        #[inline(always)]
        unsafe fn pairs(
            &mut self,
            p: &mut *mut u8,
            level: &mut DictLevel<'py>,
            mut next: impl FnMut(&mut isize) -> Option<(Object, Object)>,
        ) -> Option<Outcome<'py>> {
            // SAFETY: invariant WALK.
            unsafe {
                while level.batch < BATCH && !(level.single && level.batch == 1) {
                    let before = level.position;
                    let (key, value) = next(&mut level.position)?;
                    layout::prefetch(value.cast());
                    match self.save(p, key) {
                        Saved::Done => {}
                        Saved::Stop(Stop::Flush) => {
                            level.position = before;
                            return Some(self.stop(Stop::Flush, key));
                        }
                        between => {
                            level.key = Some(Bound::from_borrowed_ptr(self.py, key));
                            level.value = Some(Bound::from_borrowed_ptr(self.py, value));
                            level.batch += 1;
                            level.written += 1;
                            return Some(self.between(between, key));
                        }
                    }
                    level.batch += 1;
                    level.written += 1;
                    match self.save(p, value) {
                        Saved::Done => {}
                        between => {
                            level.key = Some(Bound::from_borrowed_ptr(self.py, key));
                            if matches!(between, Saved::Stop(Stop::Flush)) {
                                level.value = Some(Bound::from_borrowed_ptr(self.py, value));
                            }
                            return Some(self.between(between, value));
                        }
                    }
                }
                None
            }
        }

        #[inline]
        unsafe fn between(&mut self, saved: Saved, item: Object) -> Outcome<'py> {
            // SAFETY: invariant WALK.
            unsafe {
                match saved {
                    Saved::Enter(enter) => Outcome::Enter(self.level(&enter, item)),
                    Saved::Stop(stop) => self.stop(stop, item),
                    Saved::Done => Outcome::End,
                }
            }
        }

        #[inline(never)]
        pub(super) unsafe fn set(
            &mut self,
            set: Object,
            position: &mut isize,
            size: usize,
            batch: &mut u32,
            opened: &mut bool,
            frozen: bool,
        ) -> Outcome<'py> {
            // SAFETY: invariant WALK.
            unsafe {
                let mut p = self.begin();
                if !*opened {
                    *opened = true;
                    op(&mut p, Op::Mark);
                }
                loop {
                    let mut more = true;
                    while frozen || *batch < BATCH {
                        let before = *position;
                        let item = access::set_entry(set, position);
                        if item.is_null() {
                            more = false;
                            break;
                        }
                        *batch += 1;
                        match self.save(&mut p, item) {
                            Saved::Done => {}
                            Saved::Stop(Stop::Flush) => {
                                *position = before;
                                *batch -= 1;
                                self.end(p);
                                return self.stop(Stop::Flush, item);
                            }
                            between => {
                                self.end(p);
                                return self.between(between, item);
                            }
                        }
                    }
                    if frozen {
                        break;
                    }
                    self.budget -= *batch as isize;
                    op(&mut p, Op::AddItems);
                    if ffi::PySet_Size(set) as usize != size {
                        self.end(p);
                        return Outcome::Pause(Pause::Changed("set changed size during iteration"));
                    }
                    let last = access::set_entry(set, &mut position.clone()).is_null();
                    if !more || (cfg!(Py_3_15) && last) {
                        self.end(p);
                        return Outcome::End;
                    }
                    *batch = 0;
                    op(&mut p, Op::Mark);
                    if self.budget < 0 {
                        self.end(p);
                        return Outcome::Pause(Pause::Interrupt);
                    }
                }
                match self.find_or_put(set) {
                    Some(index) => {
                        op(&mut p, Op::PopMark);
                        self.get(&mut p, index);
                    }
                    None => {
                        op(&mut p, Op::FrozenSet);
                        self.memoize(&mut p);
                    }
                }
                self.end(p);
                Outcome::End
            }
        }

        #[inline(never)]
        pub(super) unsafe fn slots(
            &mut self,
            object: Object,
            plan: &Plan,
            index: &mut usize,
            count: usize,
        ) -> Outcome<'py> {
            // SAFETY: invariant WALK.
            unsafe {
                let mut p = self.begin();
                // Twice the place in the plan, plus one when the name has been written.
                while *index < 2 * plan.slots.len() {
                    let slot = &plan.slots[*index / 2];
                    let value = slot.read(object);
                    if value.is_null() {
                        *index += 2;
                        continue;
                    }
                    let part = if index.is_multiple_of(2) { slot.name() } else { value };
                    match self.save(&mut p, part) {
                        Saved::Done => *index += 1,
                        between => {
                            *index += usize::from(!matches!(between, Saved::Stop(Stop::Flush)));
                            self.end(p);
                            return self.between(between, part);
                        }
                    }
                }
                op(&mut p, if count > 1 { Op::SetItems } else { Op::SetItem });
                op(&mut p, Op::Tuple2);
                self.memoize(&mut p);
                op(&mut p, Op::Build);
                self.end(p);
                Outcome::End
            }
        }
    }

    /// Writes an int of 32 bits.
    #[inline(always)]
    unsafe fn small_int(p: &mut *mut u8, value: i64) {
        const OPS: [u8; 3] = [Op::BinInt1 as u8, Op::BinInt2 as u8, Op::BinInt as u8];
        const LENGTHS: [usize; 3] = [1, 2, 4];
        // Without a branch: numbers of mixed sizes would be guessed wrongly.
        let size = usize::from(value as u64 > 0xff) + usize::from(value as u64 > 0xffff);
        // SAFETY: invariant WALK.
        unsafe { op_with(p, OPS[size], value as u64, LENGTHS[size]) };
    }

    /// Whether a dict of attributes says nothing about how its object is to be reduced: its keys are str, and none is like
    /// `__reduce_ex__`.
    #[inline]
    unsafe fn plain_attributes(dict: Object) -> bool {
        // SAFETY: invariant WALK.
        let plain = |key: Object| unsafe {
            layout::type_of(key) == &raw mut ffi::PyUnicode_Type
                && match layout::ascii(key) {
                    Some((data, len)) => len < 2 || data.cast::<u16>().read_unaligned() != u16::from_le_bytes(*b"__"),
                    None => true,
                }
        };
        // SAFETY: invariant WALK.
        unsafe {
            if layout::type_of(dict) != &raw mut ffi::PyDict_Type {
                return false;
            }
            let (mut position, mut key) = (0, std::ptr::null_mut());
            while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, std::ptr::null_mut()) != 0 {
                if !plain(key) {
                    return false;
                }
            }
            true
        }
    }

    /// Writes code points as UTF-8, lone surrogates in the same manner as all others; returns the end.
    #[inline]
    unsafe fn encode<T: Copy + Into<u32>>(data: *const T, len: usize, mut to: *mut u8) -> *mut u8 {
        // SAFETY: invariant WALK.
        unsafe {
            for at in 0..len {
                let point: u32 = data.add(at).read().into();
                if point < 0x80 {
                    to.write(point as u8);
                    to = to.add(1);
                } else if point < 0x800 {
                    to.write(0xc0 | (point >> 6) as u8);
                    to.add(1).write(0x80 | (point & 0x3f) as u8);
                    to = to.add(2);
                } else if point < 0x1_0000 {
                    to.write(0xe0 | (point >> 12) as u8);
                    to.add(1).write(0x80 | (point >> 6 & 0x3f) as u8);
                    to.add(2).write(0x80 | (point & 0x3f) as u8);
                    to = to.add(3);
                } else {
                    to.write(0xf0 | (point >> 18) as u8);
                    to.add(1).write(0x80 | (point >> 12 & 0x3f) as u8);
                    to.add(2).write(0x80 | (point >> 6 & 0x3f) as u8);
                    to.add(3).write(0x80 | (point & 0x3f) as u8);
                    to = to.add(4);
                }
            }
            to
        }
    }
}
