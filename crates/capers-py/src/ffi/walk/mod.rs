//! The fast walk over plain data: exact lists, tuples, dicts, sets, strings, numbers and bytes, and plain instances.
//!
//! It writes what `crate::dump` writes for the same objects, and knows nothing else: at anything that is not plain, and
//! wherever Python code might run, it stops and says at which object ([`Pause`]). What it has not finished stands on the
//! stack of [`Level`]s, each of which owns its container, so that the general code can go on from there and come back.
//! `tests/test_two_walks.py` holds the two ways of writing together.
//!
//! Inside a walk nothing but the walk runs. Pointers taken from containers are therefore good until it pauses; none is
//! kept across a pause.

mod container;
mod instance;
mod object;

use std::rc::Rc;

use capers_pickle::Writer;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::identity::Identities;
use super::output::Output;
use super::plan::Plan;
use super::{access, layout};

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
    /// The arguments of the call that makes `object`, the callable written.
    Call { object: Bound<'py, PyAny>, args: Bound<'py, PyTuple>, index: usize },
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
    /// Where it is the state of an instance, to be set by `BUILD`: the memo index of the class.
    pub(crate) state: Option<u32>,
    /// The key of the pair being written, where it is not written at once.
    pub(crate) key: Option<Bound<'py, PyAny>>,
    /// The value still to be written after the key.
    pub(crate) value: Option<Bound<'py, PyAny>>,
    /// A value that is being written and that the dict may have lost meanwhile.
    pub(crate) held: Option<Bound<'py, PyAny>>,
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
    pub(crate) fn dict(dict: Bound<'py, PyDict>, state: Option<u32>) -> Self {
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
            held: None,
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
    /// The topmost level, if a level stands there and belongs to this walk.
    fn top(&mut self) -> Option<&mut Level<'py>>;
    /// Puts a level on top; `false` if the stack is too high.
    fn push(&mut self, level: Level<'py>) -> bool;
    /// Takes off the topmost level.
    fn drop_top(&mut self);
    /// Whether no more than one level is left, and nothing else: that of the object that is being dumped.
    fn is_last(&self) -> bool;
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
#[derive(Clone, Copy, PartialEq, Eq)]
enum Saved {
    Done,
    /// A container was opened, and its items come next.
    List,
    Tuple,
    Dict,
    Set,
    FrozenSet,
    /// An instance was opened, and its dict comes next, which is in `Walker::state`.
    State,
    /// An instance was opened, and its slots come next; `Walker::state` is their plan, and `Walker::count` how many are set.
    Slots,
    /// Nothing was written: a file has to take the frame first.
    Flush,
    /// Nothing was written: the general code has to do it.
    Other,
}

/// How the work on a level ended.
enum Outcome<'py> {
    End,
    Enter(Saved, Object),
    Pause(Pause<'py>),
}

struct Walker<'a, 'py> {
    py: Python<'py>,
    writer: &'a mut Writer<Output<'py>>,
    memo: &'a mut Identities,
    next: u32,
    /// Where the next byte goes.
    at: *mut u8,
    /// Up to here objects are written without a check: the end of the frame, or less where there is no room for as much.
    soft: *mut u8,
    /// Behind this place there is room for what one object takes at most, and no more.
    brim: *mut u8,
    /// What goes with `Saved::State` and `Saved::Slots`.
    state: *mut std::ffi::c_void,
    count: usize,
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
    let Walk { py, writer, memo, next, streams, plain_dicts, dispatch_table } = walk;
    memo.reserve(1);
    let mut walker = Walker {
        py,
        writer,
        memo,
        next: *next as u32,
        at: std::ptr::null_mut(),
        soft: std::ptr::null_mut(),
        brim: std::ptr::null_mut(),
        state: std::ptr::null_mut(),
        count: 0,
        streams,
        plain_dicts,
        dispatch_table,
        last: (std::ptr::null_mut(), None),
        budget: BUDGET,
        quiet: None,
    };
    walker.refill();
    // Levels pushed in this walk.
    let mut fresh = 0_usize;
    let pause = loop {
        let Some(level) = levels.top() else { break Pause::Ended };
        walker.budget -= 1;
        if walker.budget < 0 {
            break Pause::Interrupt;
        }
        // SAFETY: alive: the level owns its container. type: a level is made for an exact container of its kind. shared: the
        // token says that the interpreter is held. runs: nothing but the walk, which no Python code can interrupt.
        let outcome = unsafe {
            match level {
                Level::List { list, index, batch, single } => walker.list(list.as_ptr(), index, batch, single),
                Level::Tuple { tuple, index } => walker.tuple(tuple.as_ptr(), index, None),
                Level::Call { object, args, index } => walker.tuple(args.as_ptr(), index, Some(object.as_ptr())),
                Level::Dict(dict) => walker.dict(dict),
                Level::Set { set, position, size, batch, opened, frozen } => {
                    walker.set(set.as_ptr(), position, *size, batch, opened, *frozen)
                }
                Level::Slots { object, plan, index, count } => walker.slots(object.as_ptr(), plan, index, *count),
            }
        };
        match outcome {
            Outcome::End => {
                if fresh > 0 {
                    fresh -= 1;
                } else if !levels.is_last() {
                    // Other code has run since this level was pushed, and nobody else may hold its container any more. The
                    // object that is dumped is held by the caller.
                    walker.memo.own();
                }
                levels.drop_top();
            }
            Outcome::Enter(saved, item) => {
                // SAFETY: invariant WALK.
                if !levels.push(unsafe { walker.level(saved, item) }) {
                    break Pause::TooDeep;
                }
                fresh += 1;
            }
            Outcome::Pause(pause) => break pause,
        }
    };
    walker.settle();
    *next = walker.next as usize;
    pause
}

impl<'py> Walker<'_, 'py> {
    /// Where to write now; there is room for one object and what closes its container.
    #[inline]
    fn begin(&mut self) -> *mut u8 {
        if self.at > self.brim {
            self.settle();
            self.refill();
        }
        self.at
    }

    /// What was written up to `p` counts.
    #[inline]
    fn end(&mut self, p: *mut u8) {
        self.at = p;
    }

    /// Tells the writer what has been written.
    fn settle(&mut self) {
        // SAFETY: invariant WALK.
        unsafe { self.writer.buffer_mut().written_to(self.at) };
    }

    /// Makes room, in a frame.
    #[cold]
    fn refill(&mut self) {
        self.writer.open_frame();
        let frame = self.writer.until_boundary();
        let out = self.writer.buffer_mut();
        out.reserve(ROOM);
        let (p, end) = out.window();
        let room = end as usize - p as usize - MARGIN;
        // SAFETY: invariant WALK.
        unsafe {
            self.at = p;
            self.soft = p.add(room.min(frame));
            self.brim = p.add(room);
        }
    }

    /// At the check before an object: closes a full frame, makes room. `false` if a file has to take the frame first.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self) -> bool {
        self.settle();
        if self.writer.until_boundary() == 0 {
            if self.streams {
                return false;
            }
            self.writer.boundary();
        }
        self.refill();
        true
    }

    /// Makes sure of room for one large object, the check before it done.
    fn need(&mut self, more: usize) {
        self.settle();
        self.writer.buffer_mut().reserve(more + ROOM);
        self.refill();
    }

    /// The check before a part of an instance.
    #[inline]
    fn check(&mut self, p: &mut *mut u8) {
        if *p >= self.soft {
            self.at = *p;
            self.make_room();
            *p = self.at;
        }
    }

    /// The level of a container that was opened.
    #[inline]
    unsafe fn level(&mut self, saved: Saved, item: Object) -> Level<'py> {
        // SAFETY: invariant WALK; the plan in `state` is held by `last`, which has not changed since.
        unsafe {
            let own = |object: Object| Bound::from_borrowed_ptr(self.py, object);
            match saved {
                Saved::List => Level::list(own(item).cast_into_unchecked()),
                Saved::Tuple => Level::Tuple { tuple: own(item).cast_into_unchecked(), index: 0 },
                Saved::Set | Saved::FrozenSet => Level::set(own(item), saved == Saved::FrozenSet),
                Saved::Slots => {
                    let plan: *const Plan = self.state.cast();
                    Rc::increment_strong_count(plan);
                    Level::Slots { object: own(item), plan: Rc::from_raw(plan), index: 0, count: self.count }
                }
                Saved::State => {
                    let class = self.last.1.as_ref().map_or(0, |it| it.1);
                    Level::dict(own(self.state.cast()).cast_into_unchecked(), Some(class))
                }
                _ => Level::dict(own(item).cast_into_unchecked(), None),
            }
        }
    }

    /// What a level says when an object was not just written.
    #[inline]
    unsafe fn between(&mut self, saved: Saved, item: Object) -> Outcome<'py> {
        match saved {
            Saved::Flush => Outcome::Pause(Pause::Flush),
            // SAFETY: invariant WALK.
            Saved::Other => Outcome::Pause(Pause::Object(unsafe { Bound::from_borrowed_ptr(self.py, item) })),
            _ => Outcome::Enter(saved, item),
        }
    }

    /// Fetches an item and its place in the memo ahead of their use.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "part of the hottest loops")]
    unsafe fn fetch(&self, items: *const Object, at: usize, size: usize) {
        // SAFETY: invariant WALK.
        unsafe {
            if at + AHEAD < size {
                layout::prefetch(items.add(at + AHEAD).read().cast());
                layout::prefetch(self.memo.home(items.add(at + AHEAD_MEMO).read()));
            }
        }
    }
}
