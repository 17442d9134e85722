//! Names put into the namespaces of functions.
//!
//! While a payload loads, code of the script may run: a reducer makes an object, a state is set, a key is hashed. The
//! functions that run must find what they use. So a name counts as taken care of when it is about to be set and not
//! before, a function takes along what has not been begun, each name is set as soon as its value has been made, and
//! functions and containers even before they are filled themselves.

use capers_pickle::Op;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::by_value::{At, ByValue, FILLED, Placed};
use super::{Begun, Dumper, Frame, path};
use crate::by_value::{Fill, Part, Reduction, reach, settled};
use crate::ffi::access::str_eq;
use crate::ffi::kind::{Kind, kind};
use crate::ffi::walk::Level;
use crate::wire::Wire;

impl<'py> Dumper<'py> {
    /// A dict that travels as data and is also the namespace of functions: brings along what they have left out.
    pub(super) fn complete_namespace(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        let dict = object.cast::<PyDict>()?;
        let address = dict.as_ptr() as usize;
        // A dict that is no namespace has been written whole.
        if !self.memo.is_namespace(address) || !self.memo.capture(address, FILLED) {
            return Ok(Begun::Done);
        }
        let mut items = Vec::with_capacity(dict.len());
        for (key, value) in dict.iter() {
            let Ok(key) = key.cast_into_exact::<PyString>() else {
                return Err(
                    self.pickling_error("cannot pickle a namespace of functions with a key that is not a string")
                );
            };
            let standing = str_eq(&key, intern!(self.py, "__name__")) || str_eq(&key, intern!(self.py, "__builtins__"));
            if !standing && !self.memo.captured(address, key.as_ptr() as usize) {
                items.push((key, Part::Object(settled(value)?)));
            }
        }
        if items.is_empty() {
            return Ok(Begun::Done);
        }
        let fills = vec![Fill::Items { of: dict.clone(), items }];
        let reduction = Reduction { make: Wire::Namespace, args: Vec::new(), fills };
        Ok(Begun::Frame(Frame::ByValue(Box::new(ByValue::new(object, reduction, At::Item(0, 0))))))
    }

    /// Starts to write items into a namespace; how many there will be is not known yet.
    pub(super) fn open_namespace(&mut self, globals: &Bound<'py, PyDict>) -> PyResult<()> {
        self.write_made(globals.as_any())?;
        if self.writer.binary() {
            self.writer.op(Op::Mark);
        }
        Ok(())
    }

    /// Ends what [`open_namespace`](Self::open_namespace) started.
    pub(super) fn close_namespace(&mut self) {
        if self.writer.binary() {
            self.writer.op(Op::SetItems);
        }
        self.writer.op(Op::Pop);
    }

    /// Writes the items of a namespace from `item` on, until one needs a frame of its own; `true` when one does.
    pub(super) fn step_namespace(&mut self, fill: usize, item: usize) -> PyResult<bool> {
        let mut item = item;
        loop {
            let Some(Frame::ByValue(frame)) = self.stack.last_mut() else { return Ok(true) };
            let Some(Fill::Items { of, items }) = frame.reduction.fills.get(fill) else { return Ok(true) };
            let (of, entry) = (of.clone(), items.get(item).cloned());
            if item == 0 {
                frame.marked = false;
                self.write_globals(&of)?;
            }
            let Some((name, part)) = entry else {
                self.end_marked();
                self.writer.op(Op::Pop);
                if let Some(Frame::ByValue(frame)) = self.stack.last_mut() {
                    frame.at = At::Item(fill + 1, 0);
                }
                return Ok(false);
            };
            let key = (of.as_ptr() as usize, name.as_ptr() as usize);
            if self.memo.captured(key.0, key.1) {
                item += 1;
                continue;
            }
            if let Part::Object(value) = &part
                && self.inline_content(value)
            {
                self.memo.capture(key.0, key.1);
                self.begin_marked();
                self.write_definition_text(&name)?;
                self.inline(value, || path::global(&name))?;
                if !self.writer.binary() {
                    self.writer.op(Op::SetItem);
                }
                item += 1;
                continue;
            }
            self.end_marked();
            self.open_slot();
            self.memo.capture(key.0, key.1);
            if let Some(Frame::ByValue(frame)) = self.stack.last_mut() {
                frame.at = At::AfterItem(fill, item);
                frame.placed = Placed::No;
            }
            self.write_definition_text(&name)?;
            if let Part::Object(value) = &part
                && self.begin_placed_list(value)?
            {
                return Ok(true);
            }
            let begun = self.write_part(part)?;
            return self.push_placed(begun);
        }
    }

    /// Sets a function or a container that has been made as the present item of the namespace below it, and goes on to fill
    /// it: what it leads to may use it by its name.
    fn push_placed(&mut self, begun: Begun<'py>) -> PyResult<bool> {
        let Begun::Frame(frame) = begun else { return self.push(begun) };
        let (frame, placed) = match frame {
            Frame::ByValue(mut function)
                if function.at == At::Item(0, 0) && kind(&function.object) == Kind::Function =>
            {
                self.writer.op(Op::SetItem);
                let object = function.object.clone();
                for fill in &mut function.reduction.fills {
                    if let Fill::State { of, .. } = fill {
                        of.get_or_insert_with(|| object.clone());
                    }
                }
                (Frame::ByValue(function), Placed::Set)
            }
            Frame::Plain(Level::Dict(dict)) if !self.hooked && is_lively(dict.dict.values().iter()) => {
                self.place(dict.dict.as_any())?;
                (Frame::Plain(Level::Dict(dict)), Placed::Below)
            }
            Frame::Inside(inside) if !self.hooked && is_lively(inside.items.iter().map(|(_, it)| it.clone())) => {
                self.place(&inside.object)?;
                (Frame::Inside(inside), Placed::Below)
            }
            other => (other, Placed::No),
        };
        if let Some(Frame::ByValue(frame)) = self.stack.last_mut() {
            frame.placed = placed;
        }
        self.push(Begun::Frame(frame))
    }

    /// Sets a container that has just been made, and takes it up again.
    fn place(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        self.writer.op(Op::SetItem);
        self.write_made(object)
    }

    /// The same for a list, which would begin its items at once; `false` if nothing has been written.
    fn begin_placed_list(&mut self, value: &Bound<'py, PyAny>) -> PyResult<bool> {
        let Ok(list) = value.cast_exact::<PyList>() else { return Ok(false) };
        if self.hooked
            || !self.writer.binary()
            || self.classes.any_in_progress()
            || self.memo.get(value).is_some()
            || !is_lively(list.iter())
        {
            return Ok(false);
        }
        self.spoil();
        self.writer.op(Op::EmptyList);
        self.memoize_made(value);
        self.place(value)?;
        if list.len() > 1 {
            self.writer.op(Op::Mark);
        }
        if let Some(Frame::ByValue(frame)) = self.stack.last_mut() {
            frame.placed = Placed::Below;
        }
        self.push(Begun::Frame(Frame::Plain(Level::list(list.clone()))))
    }

    /// What functions that `callable` leads to still lack, as a frame that brings it; they have been made, but who made them
    /// is waiting for something that calls them.
    pub(super) fn bring_lacking(&mut self, callable: &Bound<'py, PyAny>) -> PyResult<Option<Frame<'py>>> {
        if !matches!(kind(callable), Kind::Function | Kind::Type)
            || !self.memo.has_namespaces()
            || self.memo.get(callable).is_none()
            || !self.complete.insert(callable.as_ptr() as usize)
        {
            return Ok(None);
        }
        let lacking = reach::lacking(callable, &*self.memo)?;
        let Some((space, ..)) = lacking.first() else { return Ok(None) };
        let space = space.clone().into_any();
        let fill = |(of, name, value)| Fill::Items { of, items: vec![(name, Part::Object(value))] };
        let reduction =
            Reduction { make: Wire::Namespace, args: Vec::new(), fills: lacking.into_iter().map(fill).collect() };
        Ok(Some(Frame::ByValue(Box::new(ByValue::new(&space, reduction, At::Item(0, 0))))))
    }

    fn begin_marked(&mut self) {
        if let Some(Frame::ByValue(frame)) = self.stack.last_mut()
            && !frame.marked
            && self.writer.binary()
        {
            frame.marked = true;
            self.writer.op(Op::Mark);
        }
    }

    fn end_marked(&mut self) {
        if let Some(Frame::ByValue(frame)) = self.stack.last_mut()
            && std::mem::take(&mut frame.marked)
        {
            self.writer.op(Op::SetItems);
        }
    }
}

/// Whether the first of the items of a container may lead to code that runs while they are loaded.
fn is_lively<'py>(items: impl Iterator<Item = Bound<'py, PyAny>>) -> bool {
    const LOOKED_AT: usize = 16;
    let quiet = |it: &Bound<'py, PyAny>| {
        matches!(kind(it), Kind::None | Kind::Bool | Kind::Int | Kind::Float | Kind::Str | Kind::Bytes)
    };
    items.take(LOOKED_AT).any(|it| !quiet(&it))
}
