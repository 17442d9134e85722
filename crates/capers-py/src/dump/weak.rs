//! Weak references on the way out: what is taken back when a referent cannot travel, and what is filled at the end.

use std::collections::HashSet;

use pyo3::prelude::*;

use super::by_value::{At, ByValue, Slot};
use super::{Dumper, Frame, path};
use crate::by_value::odd::{self, Late};
use crate::by_value::{Fill, Part, Reduction};

/// What the dumper remembers of weak references and containers.
#[derive(Default)]
pub(super) struct Weak<'py> {
    /// References whose referents are being written: the place of each on the stack, and how to take it back.
    open: Vec<(usize, Bound<'py, PyAny>, Slot)>,
    /// Containers to be filled.
    late: Vec<(Bound<'py, PyAny>, Late<'py>)>,
}

impl<'py> Dumper<'py> {
    /// Notes that `reference`, whose frame comes next, can be taken back.
    pub(super) fn open_weak(&mut self, reference: &Bound<'py, PyAny>) {
        let slot = Slot { checkpoint: self.writer.checkpoint(), mark: self.memo.mark(), number: self.classes.next() };
        self.forget_closed();
        self.weak.open.push((self.stack.len(), reference.clone(), slot));
    }

    /// Notes that `container` is filled at the end.
    pub(super) fn later(&mut self, container: &Bound<'py, PyAny>, late: Late<'py>) {
        if !late.entries.is_empty() {
            self.weak.late.push((container.clone(), late));
        }
    }

    /// Whether something is to be filled at the end.
    pub(super) fn anything_late(&self) -> bool {
        !self.weak.late.is_empty()
    }

    /// Whether anything weak has been met so far.
    pub(super) fn any_weak(&self) -> bool {
        !self.weak.open.is_empty() || !self.weak.late.is_empty() || self.proxies.any()
    }

    pub(super) fn any_weak_open(&mut self) -> bool {
        self.forget_closed();
        !self.weak.open.is_empty() || self.proxies.any()
    }

    fn forget_closed(&mut self) {
        while let Some((place, reference, _)) = self.weak.open.last() {
            match self.stack.get(*place) {
                Some(Frame::ByValue(frame)) if frame.object.is(reference) && matches!(frame.at, At::Arg(_)) => return,
                Some(Frame::Copying(frame)) if frame.proxy.is(reference) => return,
                _ => drop(self.weak.open.pop()),
            }
        }
    }

    /// Whether [`weaken`](Self::weaken) would see to `error`.
    pub(super) fn would_weaken(&mut self, error: &PyErr) -> bool {
        self.forget_closed();
        !self.weak.open.is_empty() && path::is_refusal(self, error)
    }

    /// Whether `error` means no more than that the referent of the innermost open reference cannot travel; that reference is
    /// written as a dead one then.
    #[cold]
    pub(super) fn weaken(&mut self, base: usize, error: &PyErr) -> PyResult<bool> {
        self.forget_closed();
        let refused = super::path::is_refusal(self, error);
        match self.weak.open.last() {
            Some((place, ..)) if refused && *place >= base => {}
            _ => return Ok(false),
        }
        let Some((place, reference, slot)) = self.weak.open.pop() else { return Ok(false) };
        let Some(reduction) = odd::dead(&reference)? else { return Ok(false) };
        self.stack.truncate(place);
        self.rewind(slot.checkpoint, slot.mark, place, slot.number);
        self.rewind_notes(place + 1);
        let begun = self.begin_reduction(&reference, reduction)?;
        self.push(begun)?;
        Ok(true)
    }

    /// Fills the weak containers with those of their objects that have been written; values may bring further ones along.
    pub(super) fn settle(&mut self) -> PyResult<()> {
        if self.weak.late.is_empty() {
            return Ok(());
        }
        let mut known = HashSet::new();
        let mut waiting = Vec::new();
        loop {
            // The last note of a container that was taken back and begun again is the one that holds.
            let mut arrived = std::mem::take(&mut self.weak.late);
            arrived.reverse();
            arrived.retain(|(container, _)| {
                self.memo.get(container).is_some() && known.insert(container.as_ptr() as usize)
            });
            arrived.reverse();
            waiting.extend(arrived);
            let mut any = false;
            for (container, late) in &mut waiting {
                let mut args = vec![Part::Object(container.clone())];
                let mut left = Vec::new();
                for (weak, parts) in late.entries.drain(..) {
                    if self.memo.get(&weak).is_some() || odd::is_elsewhere(&weak)? {
                        self.proxies.note_weak(&parts);
                        args.extend(parts);
                    } else {
                        left.push((weak, parts));
                    }
                }
                late.entries = left;
                if args.len() == 1 {
                    continue;
                }
                any = true;
                let make = late.make;
                let reduction = Reduction { make, args: Vec::new(), fills: vec![Fill::Call { make, args }] };
                let frame = ByValue::new(container, reduction, At::Item(0, 0));
                self.stack.push(Frame::ByValue(Box::new(frame)));
                if let Err(error) = self.run(0) {
                    let error = path::explain(self, 0, container, error);
                    self.stack.clear();
                    return Err(error);
                }
            }
            if !any && self.weak.late.is_empty() {
                return Ok(());
            }
        }
    }
}
