//! What may be put off while a class is being made.
//!
//! An item can be put in later if nobody looks at its container before: a list that stands in the namespace of the class, an
//! attribute of an instance, a cell. What is an argument of a call, a state that a method takes, or a key that is
//! hashed, has to be complete; then something further out is put off instead. Objects that have been left incomplete are
//! *pending*. To refer to one where it has to be complete leads back to the class as well.

use std::collections::HashMap;

use pyo3::prelude::*;

use super::by_value::{At, ByValue};
use super::containers::Into;
use super::reduce::Phase;
use super::{Dumper, Frame};
use crate::by_value::Fill;
use crate::ffi::kind::{Kind, kind};
use crate::ffi::walk::Level;
use crate::wire::Wire;

/// Pending objects by address, each with the class it waits for.
#[derive(Default)]
pub(super) struct Pending<'py> {
    objects: HashMap<usize, Bound<'py, PyAny>>,
}

impl<'py> Pending<'py> {
    /// The class that completes `object`.
    pub(super) fn class_of(&self, object: &Bound<'py, PyAny>) -> Option<&Bound<'py, PyAny>> {
        self.objects.get(&(object.as_ptr() as usize))
    }

    /// The addresses of all objects that wait for `class`.
    pub(super) fn waiting_for(&self, class: &Bound<'py, PyAny>) -> Vec<usize> {
        self.objects.iter().filter(|(_, it)| it.is(class)).map(|(address, _)| *address).collect()
    }

    /// `class` is there, and what waited for it is written next.
    pub(super) fn complete(&mut self, class: &Bound<'py, PyAny>) {
        self.objects.retain(|_, it| !it.is(class));
    }
}

impl<'py> Dumper<'py> {
    /// Where on the stack a slot may be taken back for a class whose frame stands at `floor`: the highest places first.
    pub(super) fn places(&self, floor: usize) -> impl Iterator<Item = usize> + use<> {
        // What fills a function is looked at by nobody before the function is called.
        let ground =
            (floor + 1..self.stack.len()).rev().find(|at| is_function_filled(&self.stack[*at])).unwrap_or(floor);
        let top = (ground..self.stack.len()).find(|at| consumes(&self.stack[*at]));
        (floor..=top.unwrap_or_else(|| self.stack.len().saturating_sub(1))).rev()
    }

    /// Notes what is left incomplete when the slot at `at` is put off until `class` is there.
    pub(super) fn leave_pending(&mut self, class: &Bound<'py, PyAny>, at: usize) {
        for frame in self.stack[..=at].iter().rev() {
            let object = match frame {
                Frame::Inside(frame) => frame.object.clone(),
                Frame::Reduce(reduce) => match &reduce.object {
                    Some(object) => object.clone(),
                    None => continue,
                },
                Frame::Plain(level) => match level {
                    Level::List { list, .. } => list.clone().into_any(),
                    Level::Tuple { tuple, .. } => tuple.clone().into_any(),
                    Level::Dict(dict) => dict.dict.clone().into_any(),
                    Level::Set { set, .. } => set.clone(),
                    Level::Slots { object, .. } | Level::Call { object, .. } => object.clone(),
                },
                Frame::ByValue(frame) if frame.reduction.make == Wire::Class || is_function(frame) => return,
                Frame::ByValue(frame) => frame.object.clone(),
                _ => continue,
            };
            self.classes.pending.objects.insert(object.as_ptr() as usize, class.clone());
        }
    }

    /// The class to wait for before `object`, which is in the memo, can be referred to here.
    #[cold]
    #[inline(never)]
    pub(super) fn waits_for(&mut self, object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let class = self.classes.pending.class_of(object)?.clone();
        let floor = self.classes.place_of(&class)?;
        let ground =
            (floor + 1..self.stack.len()).rev().find(|at| is_function_filled(&self.stack[*at])).unwrap_or(floor);
        if self.stack[ground..].iter().any(consumes) {
            return Some(class);
        }
        if let Some(at) = self.stack.len().checked_sub(1) {
            self.leave_pending(&class, at);
        }
        None
    }
}

impl<'py> Dumper<'py> {
    /// The class to wait for before `callable`, code that travels by value, can run: what it leads to is filled in only when
    /// that class is there.
    #[cold]
    #[inline(never)]
    pub(super) fn call_waits_for(&mut self, callable: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !matches!(kind(callable), Kind::Function | Kind::Type | Kind::Method) {
            return Ok(None);
        }
        for (class, place, missing) in self.classes.missing() {
            // Who is asked for a slot must have one to give.
            if missing.is_reached_from(callable)? && self.places(place).any(|at| self.has_slot(at)) {
                return Ok(Some(class));
            }
        }
        Ok(None)
    }

    fn has_slot(&self, at: usize) -> bool {
        match &self.stack[at] {
            Frame::ByValue(frame) => frame.slot.is_some(),
            Frame::Entries(frame) => frame.slot.is_some(),
            Frame::Inside(frame) => frame.slot.is_some(),
            _ => false,
        }
    }
}

fn is_function(frame: &ByValue<'_>) -> bool {
    kind(&frame.object) == Kind::Function
}

/// Whether `frame` puts something into a function, a namespace or a cell.
fn is_function_filled(frame: &Frame<'_>) -> bool {
    let Frame::ByValue(frame) = frame else { return false };
    let (At::Item(fill, _) | At::AfterItem(fill, _)) = frame.at else { return false };
    match frame.reduction.fills.get(fill) {
        Some(Fill::Cell { .. } | Fill::Items { .. }) => true,
        Some(Fill::State { .. }) => is_function(frame),
        _ => false,
    }
}

/// Whether what stands above `frame` must be complete when it is written.
fn consumes(frame: &Frame<'_>) -> bool {
    match frame {
        Frame::Reduce(reduce) => !matches!(reduce.current, Phase::Made | Phase::ListItems | Phase::DictItems),
        Frame::ByValue(frame) => match frame.at {
            At::Arg(_) => frame.reduction.make != Wire::Class,
            At::Item(fill, _) | At::AfterItem(fill, _) => match frame.reduction.fills.get(fill) {
                Some(Fill::Call { make, .. }) => *make != Wire::ClassAttribute,
                _ => false,
            },
        },
        Frame::Inside(inside) => inside.hashes(),
        Frame::Batch(batch) => batch.target() != Into::List,
        // A pair of a dict keeps its value aside as long as the key is being written.
        Frame::Plain(Level::Dict(dict)) => dict.value.is_some(),
        Frame::Plain(Level::Set { .. } | Level::Call { .. }) | Frame::PersistentId | Frame::Copying(_) => true,
        // From this attribute ctypes lays out a structure once and for all.
        Frame::Entries(entries) => entries.items.get(entries.index).is_some_and(|(name, _)| name == "_fields_"),
        Frame::Plain(_) => false,
    }
}
