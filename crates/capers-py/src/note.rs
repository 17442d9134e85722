//! Notes on exceptions that others have raised.
//!
//! A program may keep an exception and raise it again and again. What one dump or load says of it is said once, and what all
//! of them say has an end.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::limits::MAX_NOTES;

/// Adds `note` to `error`, unless it says so already.
#[cold]
pub(crate) fn add(py: Python<'_>, error: &PyErr, note: &str) {
    let value = error.value(py);
    if let Ok(Some(notes)) = value.getattr_opt(intern!(py, "__notes__"))
        && let Ok(notes) = notes.cast::<PyList>()
        && (notes.len() >= MAX_NOTES || notes.contains(note).unwrap_or(false))
    {
        return;
    }
    // A note is help; an exception that cannot take one is still the exception.
    drop(value.call_method1(intern!(py, "add_note"), (note,)));
}
