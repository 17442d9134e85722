//! The warning of a large payload: the same dump once more, with a ledger, to name its biggest parts.
//!
//! What that takes is put by before the dump, and only while a size is set; the second dump runs only where the first was
//! larger. It is asked what the first was asked, hooks included, but writes nothing to a file; buffers go out of band and
//! nowhere. Where it comes out otherwise than the first, nothing is named.

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::cell::Cell;

use super::memo::{Mark, Memo};
use super::pickler::Options;
use super::{Hooks, explain};
use crate::large;

thread_local! {
    /// Whether a second dump runs on this thread: dumps inside of it warn of nothing.
    static RUNS: Cell<bool> = const { Cell::new(false) };
}

/// What a second dump of the same kind takes.
pub(super) struct Again<'py> {
    options: Options,
    hooks: Hooks<'py>,
    fast: bool,
}

impl<'py> Again<'py> {
    /// As `options` and `hooks`, whose reducers are all there, say; `None` while no size is set.
    #[inline]
    pub(super) fn new(py: Python<'py>, options: &Options, hooks: &Hooks<'py>, fast: bool) -> PyResult<Option<Self>> {
        if large::is_on() && !RUNS.get() { Self::prepare(py, options, hooks, fast).map(Some) } else { Ok(None) }
    }

    #[cold]
    fn prepare(py: Python<'py>, options: &Options, hooks: &Hooks<'py>, fast: bool) -> PyResult<Self> {
        // What a new list does with a buffer is what most callbacks do.
        let nowhere = || PyList::empty(py).getattr(intern!(py, "append"));
        let hooks = Hooks {
            persistent_id: hooks.persistent_id.clone(),
            reducer_override: hooks.reducer_override.clone(),
            dispatch_table: hooks.dispatch_table.clone(),
            buffer_callback: hooks.buffer_callback.as_ref().map(|_| nowhere()).transpose()?,
            reducers: hooks.reducers.iter().map(|(class, each)| (class.clone_ref(py), each.clone_ref(py))).collect(),
            write: None,
            progress: None,
        };
        Ok(Self { options: options.clone(), hooks, fast })
    }

    /// Warns of the payload of `object`, if its `size` is one to warn of; `memo` is that of the dump, which began at the mark.
    #[inline]
    pub(super) fn warn(self, object: &Bound<'py, PyAny>, size: usize, memo: Option<(&Memo, Mark)>) -> PyResult<()> {
        if large::is_large(size) { self.warn_of(object, size, memo) } else { Ok(()) }
    }

    #[cold]
    fn warn_of(self, object: &Bound<'py, PyAny>, size: usize, memo: Option<(&Memo, Mark)>) -> PyResult<()> {
        let py = object.py();
        let mut before = Box::<Memo>::default();
        if let Some((memo, mark)) = memo {
            *before = memo.copy(py);
            before.rewind(mark);
        }
        RUNS.set(true);
        let found = explain::account(object, self.options, self.hooks, before, self.fast);
        RUNS.set(false);
        // The payload is there. A dump that fails the second time, for want of memory perhaps, only leaves its parts unnamed.
        let found = match found {
            Ok(found) => Some(found),
            Err(error) if error.is_instance_of::<PyException>(py) => None,
            Err(error) => return Err(error),
        };
        let report = py.import(intern!(py, "capers._report"))?;
        report.getattr(intern!(py, "warn_large"))?.call1((found, size)).map(drop)
    }
}
