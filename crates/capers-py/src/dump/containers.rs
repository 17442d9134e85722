//! Lists, tuples, dicts and sets.
//!
//! Batches, one-item shortcuts and the places where a changed size is noticed are those of `_pickle.c`, so that plain data
//! comes out byte for byte the same.

use capers_pickle::Op;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PySet, PyTuple};

use super::fast::Part;
use super::{Begun, Dumper, Frame};
use crate::ffi::access::{dict_len, dict_next, list_item, set_items, set_len, set_next, tuple_item};
use crate::ffi::walk::{self, Level};
use crate::limits;

/// Items between two `APPENDS`, `SETITEMS` or `ADDITEMS`.
const BATCH: usize = walk::BATCH as usize;

/// What the items of an iterator become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Into {
    List,
    Dict,
}

/// Items of an iterator on their way out.
pub(crate) struct Batch<'py> {
    into: Into,
    iterator: Bound<'py, PyAny>,
    /// The item fetched ahead, as the C pickler does.
    ahead: Option<Bound<'py, PyAny>>,
    /// The value that follows the key being written.
    value: Option<Bound<'py, PyAny>>,
    /// The key of the pair being written.
    key: Option<Bound<'py, PyAny>>,
    /// An item is being written.
    saving: bool,
    /// Items in the open batch; 0 before the first.
    count: usize,
    marked: bool,
    pub(super) index: usize,
    started: bool,
}

impl<'py> Dumper<'py> {
    pub(super) fn begin_list(&mut self, list: &Bound<'py, PyList>) -> PyResult<Begun<'py>> {
        if self.writer.binary() {
            self.writer.op(Op::EmptyList);
        } else {
            self.writer.raw(&[Op::Mark as u8, Op::List as u8]);
        }
        self.memoize(list.as_any());
        self.enter(list.as_any(), Part::List)?;
        let len = list.len();
        if len == 0 {
            return Ok(Begun::Done);
        }
        if !self.writer.binary() {
            return self.begin_batch(Into::List, list.try_iter()?.into_any());
        }
        if len > 1 {
            self.writer.op(Op::Mark);
        }
        Ok(Begun::Frame(Frame::Plain(Level::list(list.clone()))))
    }

    pub(super) fn step_list(&mut self) -> PyResult<()> {
        let top = self.stack.len() - 1;
        let Some(Frame::Plain(Level::List { list, index, batch, single })) = self.stack.last() else { return Ok(()) };
        let (list, mut at, mut batch, mut single) = (list.clone(), *index, *batch as usize, *single);
        loop {
            if single && batch == 1 {
                self.stack.truncate(top);
                self.writer.op(Op::Append);
                return Ok(());
            }
            let item = if batch == BATCH { None } else { list_item(&list, at) };
            let Some(item) = item else {
                self.writer.op(Op::Appends);
                if at < list.len() {
                    batch = 0;
                    // From 3.15 on a last item that is left over stands alone.
                    single = cfg!(Py_3_15) && at + 1 == list.len();
                    if !single {
                        self.writer.op(Op::Mark);
                    }
                    continue;
                }
                self.stack.truncate(top);
                return Ok(());
            };
            at += 1;
            batch += 1;
            if self.leaf(&item)? {
                continue;
            }
            if let Some(Frame::Plain(Level::List { index, batch: kept, single: alone, .. })) = self.stack.last_mut() {
                *index = at;
                *kept = batch as u32;
                *alone = single;
            }
            let begun = self.begin(&item)?;
            if self.push(begun)? {
                return Ok(());
            }
        }
    }

    pub(super) fn begin_tuple(&mut self, tuple: &Bound<'py, PyTuple>) -> PyResult<Begun<'py>> {
        let len = tuple.len();
        if len == 0 {
            self.writer.tuple_end(0);
            return Ok(Begun::Done);
        }
        self.writer.tuple_begin(len);
        let mut index = 0;
        while index < len {
            let Some(item) = tuple_item(tuple, index) else { return Err(hole()) };
            if !self.leaf(&item)? {
                return Ok(Begun::Frame(Frame::Plain(Level::Tuple { tuple: tuple.clone(), index })));
            }
            index += 1;
        }
        self.end_tuple(tuple);
        Ok(Begun::Done)
    }

    pub(super) fn step_tuple(&mut self) -> PyResult<()> {
        let Some(Frame::Plain(Level::Tuple { tuple, index })) = self.stack.last() else { return Ok(()) };
        let (tuple, mut at) = (tuple.clone(), *index);
        let len = tuple.len();
        while at < len {
            let Some(item) = tuple_item(&tuple, at) else { return Err(hole()) };
            at += 1;
            if self.leaf(&item)? {
                continue;
            }
            if let Some(Frame::Plain(Level::Tuple { index, .. })) = self.stack.last_mut() {
                *index = at;
            }
            let begun = self.begin(&item)?;
            if self.push(begun)? {
                return Ok(());
            }
        }
        self.stack.pop();
        self.end_tuple(&tuple);
        Ok(())
    }

    fn end_tuple(&mut self, tuple: &Bound<'py, PyTuple>) {
        let len = tuple.len();
        // A tuple that got into the memo while its items were written contains itself: take the items back.
        if let Some(index) = self.memo.get(tuple.as_any()) {
            if len <= 3 && self.writer.protocol() >= 2 {
                (0..len).for_each(|_| self.writer.op(Op::Pop));
            } else if self.writer.binary() {
                self.writer.op(Op::PopMark);
            } else {
                (0..=len).for_each(|_| self.writer.op(Op::Pop));
            }
            self.writer.get(index);
            return;
        }
        self.writer.tuple_end(len);
        self.memoize(tuple.as_any());
    }

    pub(super) fn begin_dict(&mut self, dict: &Bound<'py, PyDict>) -> PyResult<Begun<'py>> {
        self.writer.empty_dict();
        self.memoize(dict.as_any());
        self.enter(dict.as_any(), Part::Dict)?;
        let size = dict_len(dict);
        if size == 0 {
            return Ok(Begun::Done);
        }
        if !self.writer.binary() {
            let items = dict.call_method0(intern!(self.py, "items"))?.try_iter()?;
            return self.begin_batch(Into::Dict, items.into_any());
        }
        Ok(Begun::Frame(Frame::Plain(Level::dict(dict.clone(), None))))
    }

    pub(super) fn step_dict(&mut self) -> PyResult<()> {
        let Some(Frame::Plain(Level::Dict(frame))) = self.stack.last_mut() else { return Ok(()) };
        if let Some(value) = frame.value.take() {
            let begun = self.begin(&value)?;
            if self.push(begun)? {
                return Ok(());
            }
        }
        loop {
            let Some(Frame::Plain(Level::Dict(frame))) = self.stack.last_mut() else { return Ok(()) };
            if !frame.opened {
                frame.opened = true;
                if !frame.single {
                    self.writer.op(Op::Mark);
                }
            } else if frame.single && frame.batch == 1 {
                self.stack.pop();
                self.writer.op(Op::SetItem);
                return Ok(());
            }
            let full = frame.batch as usize == BATCH;
            let pair = if full { None } else { dict_next(&frame.dict, &mut frame.position) };
            let Some((key, value)) = pair else {
                self.writer.op(Op::SetItems);
                if dict_len(&frame.dict) != frame.size {
                    self.stack.pop();
                    return Err(PyRuntimeError::new_err("dictionary changed size during iteration"));
                }
                // Up to 3.14 a full batch is always followed by another one, even an empty one.
                let more =
                    full && (cfg!(not(Py_3_15)) || dict_next(&frame.dict, &mut frame.position.clone()).is_some());
                if !more {
                    self.stack.pop();
                    return Ok(());
                }
                frame.batch = 0;
                frame.single = cfg!(Py_3_15) && frame.written + 1 == frame.size;
                if !frame.single {
                    self.writer.op(Op::Mark);
                }
                continue;
            };
            frame.batch += 1;
            frame.written += 1;
            if self.leaf(&key)? {
                if self.leaf(&value)? {
                    continue;
                }
                if let Some(Frame::Plain(Level::Dict(frame))) = self.stack.last_mut() {
                    frame.key = told(&key);
                }
                let begun = self.begin(&value)?;
                if self.push(begun)? {
                    return Ok(());
                }
                continue;
            }
            if let Some(Frame::Plain(Level::Dict(frame))) = self.stack.last_mut() {
                frame.key = told(&key);
                frame.value = Some(value);
            }
            let begun = self.begin(&key)?;
            if self.push(begun)? {
                return Ok(());
            }
            if let Some(Frame::Plain(Level::Dict(frame))) = self.stack.last_mut()
                && let Some(value) = frame.value.take()
            {
                let begun = self.begin(&value)?;
                if self.push(begun)? {
                    return Ok(());
                }
            }
        }
    }

    pub(super) fn begin_set(&mut self, set: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        if self.writer.protocol() < 4 {
            let items = PyList::new(self.py, set_items(set)?)?;
            let args = PyTuple::new(self.py, [items])?;
            return self.begin_call(set, self.py.get_type::<PySet>().into_any(), args);
        }
        self.writer.op(Op::EmptySet);
        self.memoize(set);
        if set_len(set) == 0 {
            return Ok(Begun::Done);
        }
        Ok(Begun::Frame(Frame::Plain(Level::set(set.clone(), false))))
    }

    pub(super) fn begin_frozenset(&mut self, set: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        if self.writer.protocol() < 4 {
            let items = PyList::new(self.py, set_items(set)?)?;
            let args = PyTuple::new(self.py, [items])?;
            return self.begin_call(set, self.py.get_type::<pyo3::types::PyFrozenSet>().into_any(), args);
        }
        self.writer.op(Op::Mark);
        Ok(Begun::Frame(Frame::Plain(Level::set(set.clone(), true))))
    }

    pub(super) fn step_set(&mut self) -> PyResult<()> {
        loop {
            let Some(Frame::Plain(Level::Set { set, position, size, batch, opened, frozen })) = self.stack.last_mut()
            else {
                return Ok(());
            };
            if !*opened {
                *opened = true;
                self.writer.op(Op::Mark);
            }
            let full = !*frozen && *batch as usize == BATCH;
            let item = if full { None } else { set_next(set, position) };
            if let Some(item) = item {
                *batch += 1;
                if self.leaf(&item)? {
                    continue;
                }
                let begun = self.begin(&item)?;
                if self.push(begun)? {
                    return Ok(());
                }
                continue;
            }
            if *frozen {
                let set = set.clone();
                self.stack.pop();
                match self.memo.get(&set) {
                    Some(index) => {
                        self.writer.op(Op::PopMark);
                        self.writer.get(index);
                    }
                    None => {
                        self.writer.op(Op::FrozenSet);
                        self.memoize(&set);
                    }
                }
                return Ok(());
            }
            self.writer.op(Op::AddItems);
            if set_len(set) != *size {
                self.stack.pop();
                return Err(PyRuntimeError::new_err("set changed size during iteration"));
            }
            // Up to 3.14 a full batch is always followed by another one, even an empty one.
            if !full || (cfg!(Py_3_15) && set_next(set, &mut position.clone()).is_none()) {
                self.stack.pop();
                return Ok(());
            }
            *batch = 0;
            *opened = false;
        }
    }

    /// Starts to write the items of `iterator` into the object on top of the machine's stack.
    pub(super) fn begin_batch(&mut self, into: Into, iterator: Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        Ok(Begun::Frame(Frame::Batch(Box::new(Batch::new(into, iterator)))))
    }

    pub(super) fn step_batch(&mut self) -> PyResult<()> {
        loop {
            let binary = self.writer.binary();
            let Some(Frame::Batch(batch)) = self.stack.last_mut() else { return Ok(()) };
            // The value of a pair whose key has been written.
            batch.saving = batch.value.is_some();
            if let Some(value) = batch.value.take() {
                if self.leaf(&value)? {
                    continue;
                }
                let begun = self.begin(&value)?;
                if self.push(begun)? {
                    return Ok(());
                }
                continue;
            }
            if !batch.started {
                batch.started = true;
                batch.ahead = next(&batch.iterator)?;
                if batch.ahead.is_none() {
                    self.stack.pop();
                    return Ok(());
                }
            } else if !binary || (batch.count == 1 && !batch.marked) {
                // One item stands alone.
                let op = if batch.into == Into::Dict { Op::SetItem } else { Op::Append };
                self.writer.op(op);
                if !binary {
                    batch.ahead = next(&batch.iterator)?;
                }
                batch.count = 0;
                if batch.ahead.is_none() {
                    self.stack.pop();
                    return Ok(());
                }
            } else if batch.count == BATCH || batch.ahead.is_none() {
                self.writer.op(match batch.into {
                    Into::List => Op::Appends,
                    Into::Dict => Op::SetItems,
                });
                let full = batch.count == BATCH;
                batch.count = 0;
                batch.marked = false;
                if batch.ahead.is_none() && full {
                    batch.ahead = next(&batch.iterator)?;
                }
                if batch.ahead.is_none() {
                    self.stack.pop();
                    return Ok(());
                }
            }
            let Some(Frame::Batch(batch)) = self.stack.last_mut() else { return Ok(()) };
            let Some(item) = batch.ahead.take() else { return Ok(()) };
            if binary {
                // Whether a second item follows decides between one opcode for one item and a batch.
                let room = batch.count + 1 < BATCH;
                batch.ahead = if room || batch.count == 0 { next(&batch.iterator)? } else { None };
                if batch.count == 0 && batch.ahead.is_some() {
                    batch.marked = true;
                    self.writer.op(Op::Mark);
                }
            }
            batch.count += 1;
            batch.index += 1;
            let item = if batch.into == Into::Dict {
                let Some((key, value)) = pair(&item) else {
                    return Err(PyTypeError::new_err("dict items iterator must return 2-tuples"));
                };
                batch.value = Some(value);
                batch.key = told(&key);
                key
            } else {
                item
            };
            batch.saving = true;
            if self.leaf(&item)? {
                continue;
            }
            let begun = self.begin(&item)?;
            if self.push(begun)? {
                return Ok(());
            }
        }
    }
}

impl<'py> Batch<'py> {
    fn new(into: Into, iterator: Bound<'py, PyAny>) -> Self {
        Self {
            into,
            iterator,
            ahead: None,
            value: None,
            key: None,
            saving: false,
            count: 0,
            marked: false,
            index: 0,
            started: false,
        }
    }

    /// Whether an item is being written.
    pub(super) fn saving(&self) -> bool {
        self.saving
    }

    /// The key of the value that is being written.
    pub(super) fn key_of_value(&self) -> Option<&Bound<'py, PyAny>> {
        // While the key itself is being written, `value` is still there.
        self.key.as_ref().filter(|_| self.saving && self.value.is_none())
    }

    /// The key of the pair being written, and whether it is the key itself that is.
    pub(super) fn present_key(&self) -> Option<(&Bound<'py, PyAny>, bool)> {
        self.key.as_ref().filter(|_| self.saving).map(|key| (key, self.value.is_some()))
    }

    /// What the items become.
    pub(super) fn target(&self) -> Into {
        self.into
    }
}

/// A key, kept for the way that an error tells.
#[inline]
fn told<'py>(key: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    limits::TELLS_PATHS.then(|| key.clone())
}

fn next<'py>(iterator: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    iterator.clone().cast_into::<PyIterator>()?.next().transpose()
}

fn pair<'py>(item: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let tuple = item.cast::<PyTuple>().ok()?;
    if tuple.len() == 2 { Some((tuple_item(tuple, 0)?, tuple_item(tuple, 1)?)) } else { None }
}

#[cold]
pub(super) fn hole() -> PyErr {
    PyRuntimeError::new_err("cannot pickle a tuple that is still being built")
}
