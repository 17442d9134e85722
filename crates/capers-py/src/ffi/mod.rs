//! Every unsafe line of the project, behind safe functions on borrowed and owned Python objects.
//!
//! What leaves this module is safe to call with any object: a wrong type is an error or `None`, never undefined
//! behaviour. Each unsafe block answers four questions: what is alive, what type it is exactly, who else could change it
//! now, and whether Python code can run inside.
#![expect(unsafe_code, reason = "the one address of unsafe code; tests/tidy holds it")]

pub(crate) mod access;
pub(crate) mod class;
pub(crate) mod code;
pub(crate) mod function;
pub(crate) mod kind;
pub(crate) mod load_window;
pub(crate) mod make;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The interpreter's table of loaded modules, whatever `sys.modules` has been set to.
#[inline]
pub(crate) fn modules(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    // SAFETY: alive: the interpreter owns the dict, the borrowed result is owned at once. type: a dict unless someone broke the
    // interpreter, which the cast finds out. shared: GIL. runs: nothing.
    let table = unsafe { Bound::from_borrowed_ptr_or_err(py, ffi::PyImport_GetModuleDict())? };
    Ok(table.cast_into()?)
}
