//! Modules: by name where they can be imported, else by their whole namespace.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyModule, PyString};

use super::{Context, Fill, Part, Reduction, settled};
use crate::ffi::access::{dict_get, str_bytes};
use crate::policy;
use crate::wire::Wire;

/// The name under which `module` is imported on the other side; `None` when it travels by value.
pub(crate) fn import_name<'py>(module: &Bound<'py, PyModule>) -> PyResult<Option<Bound<'py, PyString>>> {
    let py = module.py();
    let Some(name) = dict_get(&module.dict(), intern!(py, "__name__").as_any())? else { return Ok(None) };
    let Ok(name) = name.cast_into::<PyString>() else { return Ok(None) };
    if !policy::loaded(py, name.as_any())?.is_some_and(|it| it.is(module)) {
        return Ok(None);
    }
    // The script's own module means the receiver's: its content travels with the functions that use it.
    if policy::is_main(&str_bytes(&name)?) || policy::importable(&name, module)? {
        return Ok(Some(name));
    }
    Ok(None)
}

/// Describes a module made at run time: its name makes it, everything in it fills it.
pub(crate) fn reduce<'py>(module: &Bound<'py, PyModule>, context: &impl Context) -> PyResult<Reduction<'py>> {
    let py = module.py();
    let dict = module.dict();
    let address = dict.as_ptr() as usize;
    let name = dict_get(&dict, intern!(py, "__name__").as_any())?;
    let arg = match name.as_ref().map(|it| it.cast_exact::<PyString>()) {
        Some(Ok(text)) => Part::Text(text.clone()),
        _ => Part::Text(PyString::new(py, "")),
    };
    let mut items = Vec::with_capacity(dict.len());
    for (key, value) in dict.iter() {
        let Ok(key) = key.cast_into::<PyString>() else {
            return Err(PyTypeError::new_err("cannot pickle a module with a name that is not a string"));
        };
        let text = str_bytes(&key)?;
        if matches!(text.as_ref(), b"__builtins__" | b"__name__") {
            continue;
        }
        // A module made by hand starts with these, all None.
        if value.is_none() && matches!(text.as_ref(), b"__doc__" | b"__package__" | b"__loader__" | b"__spec__") {
            continue;
        }
        drop(text);
        if !context.captured(address, key.as_ptr() as usize) {
            items.push((key, Part::Object(settled(value)?)));
        }
    }
    let mut fills = Vec::new();
    if !items.is_empty() {
        fills.push(Fill::Items { of: dict, items });
    }
    Ok(Reduction { make: Wire::Module, args: vec![arg], fills })
}
