//! How objects that cannot be named travel: by their parts, described as data.
//!
//! A [`Reduction`] says which wire constructor makes the object, from which parts, and what fills it afterwards. This
//! module and its children decide *what* travels; they know nothing of opcodes, memo or bytes. The pickler turns a
//! reduction into a pickle, always in the order make, memoize, fill, so that whatever the parts lead back to is there.

mod changes;
pub(crate) mod class;
pub(crate) mod code;
pub(crate) mod definition;
pub(crate) mod function;
mod keywords;
pub(crate) mod module;
pub(crate) mod odd;
pub(crate) mod reach;
pub(crate) mod witness;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::ffi::kind::{Kind, kind};
use crate::state::state;
use crate::wire::Wire;

/// What a namespace that holds `value` means by it: an import that was put off is done now, as it would be by the code that
/// uses the name.
#[inline]
pub(crate) fn settled(value: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    if cfg!(not(Py_3_15)) || kind(&value) != Kind::Other {
        return Ok(value);
    }
    let py = value.py();
    match &state(py)?.known.lazy_import {
        Some(lazy) if value.get_type().is(lazy) => value.call_method0(intern!(py, "resolve")),
        _ => Ok(value),
    }
}

/// One argument of a constructor, or one value to fill in.
#[derive(Clone)]
pub(crate) enum Part<'py> {
    /// An object that travels by its own rules.
    Object(Bound<'py, PyAny>),
    /// A string of the definition itself, the same bytes whatever its identity.
    Text(Bound<'py, PyString>),
    /// A number of the definition itself.
    Int(i64),
    /// `None`.
    None,
    /// A code object.
    Code(Bound<'py, PyAny>),
    /// The marshal bytes of a code object.
    Marshal(std::sync::Arc<code::CodeInfo>),
    /// The namespace of a function.
    Globals(Bound<'py, PyDict>),
    /// A cell, to be filled by a [`Fill::Cell`] of the same reduction.
    Cell(Bound<'py, PyAny>),
    /// An object that stands for the receiver's own of that name.
    Reference(Bound<'py, PyAny>, Bound<'py, PyString>, Bound<'py, PyString>),
    /// A dict of its own, keys being names of a definition.
    Entries(Vec<(Bound<'py, PyString>, Part<'py>)>),
    /// The next `n` parts as one tuple.
    Tuple(usize),
}

/// What is done to an object, or around it, once it has been made.
pub(crate) enum Fill<'py> {
    /// Attributes of the object made, or of another one made before: items of its `__dict__`, and values set by name.
    State {
        of: Option<Bound<'py, PyAny>>,
        dict: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>,
        slots: Vec<(Bound<'py, PyString>, Part<'py>)>,
    },
    /// Items of a namespace that has been made already, or can be named.
    Items { of: Bound<'py, PyDict>, items: Vec<(Bound<'py, PyString>, Part<'py>)> },
    /// The content of a cell that has been made already.
    Cell { cell: Bound<'py, PyAny>, name: Option<Bound<'py, PyString>>, content: Bound<'py, PyAny> },
    /// A call for its effect on the loading process.
    Call { make: Wire, args: Vec<Part<'py>> },
    /// An item of a container that has been made already.
    Later { of: Bound<'py, PyAny>, shape: Shape, key: Option<Bound<'py, PyAny>>, value: Bound<'py, PyAny> },
}

/// What holds items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    List,
    Dict,
    Set,
}

/// How an object is made and filled.
pub(crate) struct Reduction<'py> {
    pub(crate) make: Wire,
    pub(crate) args: Vec<Part<'py>>,
    pub(crate) fills: Vec<Fill<'py>>,
}

/// What the by-value side asks of the pickler while it describes an object.
pub(crate) trait Context {
    /// Whether `what` (an address) of the namespace `globals` (an address) still has to travel; notes that it does now.
    fn capture(&mut self, globals: usize, what: usize) -> bool;
    /// Whether `what` of the namespace `globals` has travelled, or is on its way.
    fn captured(&self, globals: usize, what: usize) -> bool;
    /// Whether the content of `cell` has travelled, or is on its way.
    fn is_filled(&self, cell: &Bound<'_, PyAny>) -> bool;
}
