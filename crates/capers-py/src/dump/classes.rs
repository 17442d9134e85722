//! Classes that are being made, and what waits for them.

use pyo3::prelude::*;

use super::{Begun, Dumper};
use crate::by_value::Fill;

/// A class whose making has begun and not ended.
struct InProgress<'py> {
    class: Bound<'py, PyAny>,
    /// Height of the work stack where its frame stands.
    place: usize,
    /// Slots that led to it.
    later: Vec<Fill<'py>>,
}

/// The classes in progress, outermost first.
#[derive(Default)]
pub(super) struct Classes<'py> {
    open: Vec<InProgress<'py>>,
}

impl<'py> Classes<'py> {
    pub(super) fn any_in_progress(&self) -> bool {
        !self.open.is_empty()
    }

    /// Where the frame of `class` stands if it is being made.
    pub(super) fn place_of(&self, class: &Bound<'_, PyAny>) -> Option<usize> {
        self.open.iter().find(|it| it.class.is(class)).map(|it| it.place)
    }

    /// Keeps `fill` until `class` has been made.
    pub(super) fn postpone(&mut self, class: &Bound<'_, PyAny>, fill: Fill<'py>) {
        if let Some(open) = self.open.iter_mut().find(|it| it.class.is(class)) {
            open.later.push(fill);
        }
    }
}

impl<'py> Dumper<'py> {
    pub(super) fn begin_class(&mut self, class: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        self.begin_global(class, None)
    }

    pub(super) fn begin_named(
        &mut self,
        object: &Bound<'py, PyAny>,
        name: &Bound<'py, pyo3::types::PyString>,
    ) -> PyResult<Begun<'py>> {
        self.begin_global(object, Some(name))
    }

    pub(super) fn last_resort(&mut self, _object: &Bound<'py, PyAny>, _error: &PyErr) -> PyResult<Option<Begun<'py>>> {
        Ok(None)
    }
}
