//! Every unsafe line of the project, behind safe functions on borrowed and owned Python objects.
//!
//! What leaves this module is safe to call with any object: a wrong type is an error or `None`, never undefined
//! behaviour. Each unsafe block answers four questions: what is alive, what type it is exactly, who else could change it
//! now, and whether Python code can run inside. Where one argument holds for many blocks, it has a name:
//!
//! invariant WALK: alive: every object met in a walk is owned by its container, each container by the container or level
//! above it, and the outermost by the caller; room for what is written has been made (`begin`, `need`, MARGIN). type: each
//! layout is read of an object whose exact type has just been compared. shared: the interpreter is held. runs: nothing but
//! the walk: no call in it can run Python code, free memory that is in use, or change a container.
#![expect(unsafe_code, reason = "the one address of unsafe code; tests/tidy holds it")]
#![expect(
    clippy::cast_ptr_alignment,
    reason = "fields are reached by their offsets in objects, which have the alignment of the layout; output is written unaligned"
)]

pub(crate) mod access;
pub(crate) mod buffer;
pub(crate) mod class;
pub(crate) mod code;
mod decode;
pub(crate) mod function;
pub(crate) mod growing;
pub(crate) mod identity;
pub(crate) mod instance;
pub(crate) mod kept;
pub(crate) mod kind;
pub(crate) mod layout;
pub(crate) mod load_window;
pub(crate) mod make;
pub(crate) mod moment;
pub(crate) mod output;
pub(crate) mod plan;
pub(crate) mod reserve;
pub(crate) mod shape;
pub(crate) mod walk;

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

/// Whether Ctrl-C waits to be answered; it still does afterwards, and nothing has run.
pub(crate) fn interrupt_waits(_py: Python<'_>) -> bool {
    // SAFETY: alive, type: no objects. shared: flags of the signal module, made for being set from anywhere. runs: nothing;
    // asking takes the flag back, and setting it again only notes that a handler is to be called.
    unsafe {
        let waits = ffi::PyOS_InterruptOccurred() != 0;
        if waits {
            ffi::PyErr_SetInterrupt();
        }
        waits
    }
}
