//! `find_class`: from a module and a qualname to the object they name.
//!
//! What CPython's `Unpickler.find_class` does, step by step, with its own errors per version. The import itself is left
//! out where it would change nothing: the module is in `sys.modules`, is a plain module, is not being initialized right
//! now, and nobody replaced `builtins.__import__`.

use pyo3::exceptions::{PyAttributeError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyModule, PyString, PyTuple};

use super::state::State;
use crate::ffi::{access, make};

/// Resolve a global.
pub(super) fn find_class<'py>(
    module: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    proto: u8,
    fix_imports: bool,
    state: &State,
) -> PyResult<Bound<'py, PyAny>> {
    make::audit_pair(c"pickle.find_class", module, name)?;
    if let (Ok(module), Ok(name)) = (module.cast_exact::<PyString>(), name.cast_exact::<PyString>())
        && let Some(found) = state.wire.resolve(module, name)
    {
        return Ok(found);
    }
    if proto < 3 && fix_imports {
        let (module, name) = renamed(module, name, state)?;
        return attribute(&import(&module, state)?, &name, &module, proto, state);
    }
    attribute(&import(module, state)?, name, module, proto, state)
}

/// The Python 3 names of what Python 2 called otherwise.
fn renamed<'py>(
    module: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    state: &State,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let py = module.py();
    let type_name = |object: &Bound<'py, PyAny>| object.get_type().name().map(|name| name.to_string());
    if let Some(pair) = state.name_mapping.bind(py).get_item((module, name))? {
        let Ok(pair) = pair.cast::<PyTuple>().cloned() else {
            let kind = type_name(&pair)?;
            let text = format!("_compat_pickle.NAME_MAPPING values should be 2-tuples, not {kind}");
            return Err(PyRuntimeError::new_err(text));
        };
        if pair.len() != 2 {
            let text = "_compat_pickle.NAME_MAPPING values should be 2-tuples, not tuple";
            return Err(PyRuntimeError::new_err(text));
        }
        let (module, name) = (pair.get_item(0)?, pair.get_item(1)?);
        if !module.is_instance_of::<PyString>() || !name.is_instance_of::<PyString>() {
            let (module, name) = (type_name(&module)?, type_name(&name)?);
            let text = format!("_compat_pickle.NAME_MAPPING values should be pairs of str, not ({module}, {name})");
            return Err(PyRuntimeError::new_err(text));
        }
        return Ok((module, name));
    }
    if let Some(renamed) = state.import_mapping.bind(py).get_item(module)? {
        if !renamed.is_instance_of::<PyString>() {
            let kind = type_name(&renamed)?;
            let text = format!("_compat_pickle.IMPORT_MAPPING values should be strings, not {kind}");
            return Err(PyRuntimeError::new_err(text));
        }
        return Ok((renamed, name.clone()));
    }
    Ok((module.clone(), name.clone()))
}

fn import<'py>(name: &Bound<'py, PyAny>, state: &State) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(name) = name.cast_exact::<PyString>()
        && let Some(module) = ready_module(name, state)?
    {
        return Ok(module);
    }
    make::import(name)
}

/// The module of this name if importing it would do nothing but return it.
pub(super) fn ready_module<'py>(name: &Bound<'py, PyString>, state: &State) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = name.py();
    let import = state.builtins.bind(py).get_item(&state.names.dunder_import)?;
    if !import.is_some_and(|import| import.is(&state.import)) {
        return Ok(None);
    }
    let Some(module) = make::loaded_module(name)? else { return Ok(None) };
    let Ok(plain) = module.cast_exact::<PyModule>() else { return Ok(None) };
    let Some(spec) = plain.dict().get_item(&state.names.spec)? else { return Ok(None) };
    // A spec without the flag: importing would take the module as it is.
    let initializing = match access::attribute(&spec, state.names.initializing.bind(py))? {
        Some(flag) => flag.is_truthy()?,
        None => false,
    };
    Ok((!initializing).then_some(module))
}

/// The attribute that a name or, from protocol 4 on, a dotted path leads to.
fn attribute<'py>(
    module: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    module_name: &Bound<'py, PyAny>,
    proto: u8,
    state: &State,
) -> PyResult<Bound<'py, PyAny>> {
    let name = name.cast::<PyString>()?;
    let dotted = proto >= 4 && name.to_str().map_or(true, |name| name.contains('.') || name == "<locals>");
    if !dotted {
        return module.getattr(name).map_err(|error| no_attribute(error, module, name, state));
    }
    let parts = name.call_method1("split", (".",))?;
    if state.minor < 14 && parts.contains("<locals>")? {
        let verb = if state.minor < 13 { "pickle" } else { "get" };
        let text = format!("Can't {verb} local attribute {} on {}", name.repr()?, module.repr()?);
        return Err(PyAttributeError::new_err(text));
    }
    let several = parts.len()? > 1;
    let mut found = module.clone();
    for part in parts.try_iter()? {
        found = match found.getattr(part?.cast::<PyString>()?) {
            Ok(next) => next,
            Err(error) if state.minor < 14 => return Err(no_attribute(error, module, name, state)),
            Err(error) if several => {
                let text = format!("Can't resolve path {} on module {}", name.repr()?, module_name.repr()?);
                let outer = PyAttributeError::new_err(text);
                outer.value(name.py()).setattr("__context__", error.value(name.py()))?;
                return Err(outer);
            }
            Err(error) => return Err(error),
        };
    }
    Ok(found)
}

#[cold]
fn no_attribute(error: PyErr, module: &Bound<'_, PyAny>, name: &Bound<'_, PyString>, state: &State) -> PyErr {
    if state.minor >= 14 || !error.is_instance_of::<PyAttributeError>(name.py()) {
        return error;
    }
    match (name.repr(), module.repr()) {
        (Ok(name), Ok(module)) => PyAttributeError::new_err(format!("Can't get attribute {name} on {module}")),
        (Err(error), _) | (_, Err(error)) => error,
    }
}
