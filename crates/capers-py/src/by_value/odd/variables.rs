//! Context variables and contexts.

use pyo3::exceptions::PyLookupError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyModule, PyString};

use super::{Answer, Fill, Part, Travel, filled, made};
use crate::ffi::access::{dict_get, str_bytes};
use crate::ffi::modules;
use crate::policy::{self, Reference};
use crate::wire::Wire;

/// A context variable: the receiver's own where a module holds it, else a new one of that name.
pub(super) fn variable<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let name = object.getattr(intern!(py, "name"))?;
    if let Some(reference) = held_by_module(object, &name)? {
        return Ok(Some(Travel::Reference(reference)));
    }
    let mut args = vec![Part::Object(name)];
    // An empty context shows the default, which has no name of its own.
    let empty = object_of(py, "contextvars", "Context")?.call0()?;
    match empty.call_method1(intern!(py, "run"), (object.getattr(intern!(py, "get"))?,)) {
        Ok(default) => args.push(Part::Object(default)),
        Err(error) if error.is_instance_of::<PyLookupError>(py) => {}
        Err(error) => return Err(error),
    }
    made(Wire::ContextVariable, args)
}

/// The variable under its own name or any other; of several modules that have it, the one with the shortest name.
fn held_by_module<'py>(object: &Bound<'py, PyAny>, name: &Bound<'py, PyAny>) -> PyResult<Option<Reference<'py>>> {
    let py = object.py();
    let mut best: Option<Reference<'py>> = None;
    for (module_name, module) in modules(py)?.copy()?.iter() {
        let (Ok(module_name), Ok(module)) = (module_name.cast_into::<PyString>(), module.cast_into::<PyModule>())
        else {
            continue;
        };
        if policy::is_main(&str_bytes(&module_name)?) {
            continue;
        }
        let dict = module.dict();
        let mut found = match dict_get(&dict, name)? {
            Some(it) if it.is(object) => name.cast::<PyString>().ok().cloned(),
            _ => None,
        };
        if found.is_none() {
            for (key, value) in dict.iter() {
                if value.is(object) {
                    found = key.cast_into::<PyString>().ok();
                    break;
                }
            }
        }
        let Some(found) = found else { continue };
        let shorter = match &best {
            Some(best) => {
                let key = |it: &Bound<'py, PyString>| (it.len().unwrap_or(0), it.to_string_lossy().into_owned());
                key(&module_name) < key(&best.module)
            }
            None => true,
        };
        if shorter && policy::importable(&module_name, module.as_any())? {
            best = Some(Reference { module: module_name, name: found });
        }
    }
    Ok(best)
}

/// A context with the same values.
pub(super) fn context<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let mut args = vec![Part::Object(object.clone())];
    for item in object.call_method0(intern!(object.py(), "items"))?.try_iter()? {
        let item = item?;
        args.push(Part::Object(item.get_item(0)?));
        args.push(Part::Object(item.get_item(1)?));
    }
    let fills = if args.len() > 1 { vec![Fill::Call { make: Wire::ContextValues, args }] } else { Vec::new() };
    filled(Wire::Context, Vec::new(), fills)
}

fn object_of<'py>(py: Python<'py>, module: &str, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(module)?.getattr(name)
}
