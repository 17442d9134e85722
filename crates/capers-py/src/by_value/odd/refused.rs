//! What cannot travel, and why.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;

use super::{Answer, stated};

/// The refusal of `object`; the pickler adds the way to it.
#[cold]
pub(super) fn refusal(object: &Bound<'_, PyAny>, reason: &str) -> PyErr {
    PyTypeError::new_err(format!("cannot pickle '{}' object: {reason}", type_name(object)))
}

#[cold]
pub(super) fn with<'py>(object: &Bound<'py, PyAny>, reason: &str) -> Answer<'py> {
    Err(refusal(object, reason))
}

#[cold]
pub(super) fn suspended<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    with(object, "what it has still to run is a frame of this process; pass the function that makes it")
}

#[cold]
pub(super) fn hidden_state<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    with(object, "it does not tell how far it has come; turn it into a list first")
}

fn type_name(object: &Bound<'_, PyAny>) -> String {
    let py = object.py();
    let class = object.get_type();
    let text = |name| stated(&class, name).map(|it| it.to_string()).unwrap_or_default();
    let (module, name) = (text(intern!(py, "__module__")), text(intern!(py, "__qualname__")));
    if module == "builtins" { name } else { format!("{module}.{name}") }
}
