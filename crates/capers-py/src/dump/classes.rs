//! Classes that are being made, what waits for them, and the keys by which they are known.

use capers_pickle::Checkpoint;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::by_value::Slot;
use super::memo::Mark;
use super::pending::Pending;
use super::{Begun, Dumper, Frame};
use crate::by_value::reach::Missing;
use crate::by_value::{Fill, Part, class, definition, odd};
use crate::ffi::kind::Kind;

/// A class whose making has begun and not ended.
struct InProgress<'py> {
    class: Bound<'py, PyAny>,
    /// Height of the work stack where its frame stands.
    place: usize,
    /// Slots that led to it, numbered in the order of postponement.
    later: Vec<(usize, Fill<'py>)>,
}

/// The classes in progress, outermost first.
#[derive(Default)]
pub(super) struct Classes<'py> {
    open: Vec<InProgress<'py>>,
    /// Number of the next postponed slot.
    next: usize,
    pub(super) pending: Pending<'py>,
}

impl<'py> Classes<'py> {
    #[inline]
    pub(super) fn any_in_progress(&self) -> bool {
        !self.open.is_empty()
    }

    /// Where the frame of `class` stands if it is being made.
    pub(super) fn place_of(&self, class: &Bound<'_, PyAny>) -> Option<usize> {
        self.open.iter().find(|it| it.class.is(class)).map(|it| it.place)
    }

    /// The number that the next postponed slot will have.
    pub(super) fn next(&self) -> usize {
        self.next
    }

    /// Keeps `fill` until `class` has been made.
    fn postpone(&mut self, class: &Bound<'_, PyAny>, fill: Fill<'py>) {
        let number = self.next;
        self.next += 1;
        if let Some(open) = self.open.iter_mut().find(|it| it.class.is(class)) {
            open.later.push((number, fill));
        }
    }

    /// What functions lack until each class in progress is there, outermost first; with the place of its frame.
    pub(super) fn missing(&self) -> Vec<(Bound<'py, PyAny>, usize, Missing<'py>)> {
        let mut all = Vec::new();
        for open in &self.open {
            let mut missing = Missing { objects: self.pending.waiting_for(&open.class), ..Missing::default() };
            for (_, fill) in &open.later {
                match fill {
                    Fill::Items { of, items, .. } => {
                        missing.names.extend(items.iter().map(|(name, _)| (of.as_ptr() as usize, name.clone())));
                    }
                    // Through this one a method sees its own class only.
                    Fill::Cell { name: Some(name), .. } if name == "__class__" => {}
                    Fill::Cell { cell, .. } => missing.cells.push(cell.as_ptr() as usize),
                    _ => {}
                }
            }
            if !missing.is_empty() {
                all.push((open.class.clone(), open.place, missing));
            }
        }
        all
    }

    /// Forgets what was begun above `height` of the stack and postponed since `number`.
    fn rewind(&mut self, height: usize, number: usize) {
        self.open.retain(|it| it.place < height);
        for open in &mut self.open {
            open.later.retain(|(it, _)| *it < number);
        }
    }

    /// Ends the making of `class`; returns what waited for it.
    pub(super) fn close(&mut self, class: &Bound<'py, PyAny>) -> Vec<Fill<'py>> {
        self.pending.complete(class);
        match self.open.iter().position(|it| it.class.is(class)) {
            Some(at) => {
                // First what functions lack: the rest may call them.
                let fills = self.open.remove(at).later.into_iter().map(|(_, fill)| fill);
                let (mut first, rest): (Vec<_>, Vec<_>) =
                    fills.partition(|fill| matches!(fill, Fill::Items { .. } | Fill::Cell { .. }));
                first.extend(rest);
                first
            }
            None => Vec::new(),
        }
    }
}

impl<'py> Dumper<'py> {
    pub(super) fn begin_class(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        let py = self.py;
        if self.classes.place_of(object).is_some() {
            return Ok(Begun::InProgress(object.clone()));
        }
        let class = object.cast::<PyType>()?;
        if let Some(reference) = class::reference(class)? {
            return self.begin_reference(object, &reference);
        }
        match odd::reduce(py, Kind::Type, object)? {
            Some(odd::Travel::Reference(reference)) => return self.begin_reference(object, &reference),
            Some(odd::Travel::Reduction(reduction)) => return self.begin_reduction(object, reduction),
            _ => {}
        }
        if !class::is_python_class(class)? {
            return self.begin_global(object, None);
        }
        if self.put_kept(object)? {
            return Ok(Begun::Done);
        }
        let key = self.class_key(class)?;
        let reduction = class::reduce(class, &key)?;
        self.classes.open.push(InProgress { class: object.clone(), place: self.stack.len(), later: Vec::new() });
        self.begin_reduction(object, reduction)
    }

    /// A reduction that is a name: of a global, as `pickle` has it, or of a class or function that travels by value.
    pub(super) fn begin_named(
        &mut self,
        object: &Bound<'py, PyAny>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Begun<'py>> {
        if self.settings.strict {
            return self.begin_global(object, Some(name));
        }
        if let Some(reduction) = odd::unnamed(object)? {
            return self.begin_reduction(object, reduction);
        }
        let module = self.module_name(object, name)?;
        if let Some(reduction) = odd::named_here(object, name, &module)? {
            // When it comes home it must be found under the key of its class.
            let class = object.get_type();
            if odd::is_by_value(&class)? {
                self.class_key(&class)?;
            }
            let rebuild = self.py.import(intern!(self.py, "capers._rebuild"))?;
            rebuild.getattr(intern!(self.py, "_note_named"))?.call1((class, name, object))?;
            return self.begin_reduction(object, reduction);
        }
        self.begin_global(object, Some(name))
    }

    /// The key of a class: kept from its first journey, or the digest of its definition.
    fn class_key(&self, class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyString>> {
        definition::key(class, || definition::describe(class))
    }

    /// Takes back the nearest slot that led to `class`, which is still being made, and notes it for later.
    #[cold]
    pub(super) fn postpone(&mut self, class: &Bound<'py, PyAny>) -> PyResult<()> {
        let floor = self.classes.place_of(class).unwrap_or(0);
        let slot = self.places(floor).find_map(|at| match &mut self.stack[at] {
            Frame::ByValue(frame) => frame.slot.take().map(|slot| (at, slot)),
            Frame::Entries(frame) => frame.slot.take().map(|slot| (at, slot)),
            Frame::Inside(frame) => frame.slot.take().map(|slot| (at, slot)),
            _ => None,
        });
        let Some((at, Slot { checkpoint, mark, number })) = slot else {
            return Err(self.refusal(format!(
                "cannot pickle class '{}': it leads back to itself before it can be made",
                class.getattr(intern!(self.py, "__qualname__"))?
            )));
        };
        self.leave_pending(class, at);
        self.stack.truncate(at + 1);
        self.rewind(checkpoint, mark, at + 1, number);
        self.rewind_notes(at + 1);
        let later = match self.stack.last_mut() {
            Some(Frame::ByValue(frame)) => {
                let (fill, held) = frame.postponed()?;
                if let Some((key, count)) = held {
                    self.hold_attribute(&key, count)?;
                }
                vec![fill]
            }
            Some(Frame::Entries(frame)) => {
                let (name, value) = frame.items[frame.index].clone();
                let count = frame.items.len();
                frame.index += 1;
                frame.pending = false;
                let owner = frame.owner.clone().map_or(Part::None, Part::Object);
                self.hold_class_attribute(&name, count)?;
                vec![Fill::Call { make: crate::wire::Wire::ClassAttribute, args: vec![owner, Part::Text(name), value] }]
            }
            Some(Frame::Inside(_)) => self.put_off(),
            _ => Vec::new(),
        };
        for fill in later {
            self.classes.postpone(class, fill);
        }
        Ok(())
    }

    pub(super) fn rewind(&mut self, checkpoint: Checkpoint, mark: Mark, height: usize, number: usize) {
        self.writer.rewind(checkpoint);
        self.proxies.rewind(checkpoint.offset());
        self.memo.rewind(mark);
        self.classes.rewind(height, number);
        if self.recording.as_ref().is_some_and(|it| it.is_after(checkpoint)) {
            self.recording = None;
        }
        self.complete.clear();
    }
}
