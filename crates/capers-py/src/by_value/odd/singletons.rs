//! Objects of which each process has its own: what arrives is the receiver's.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString};

use super::{Answer, Travel};
use crate::ffi::access::{dict_get, references};
use crate::ffi::modules;
use crate::policy::{self, Reference};

/// A reference to `object` if `module` holds it under one of `names`, which may be dotted.
pub(super) fn of<'py>(object: &Bound<'py, PyAny>, module: &str, names: &[&str]) -> Answer<'py> {
    let py = object.py();
    let module = PyString::intern(py, module);
    let Some(loaded) = policy::loaded(py, module.as_any())? else { return Ok(None) };
    for name in names {
        let name = PyString::intern(py, name);
        if policy::resolve(&loaded, &name)?.is_some_and(|it| it.is(object)) {
            return Ok(Some(Travel::Reference(Reference { module, name })));
        }
    }
    Ok(None)
}

/// The reference to an instance that an importable module holds under `name`, as in `from package import config`.
///
/// Asked for objects that a function captures under that name; the module is looked for where the type comes from.
pub(crate) fn module_level<'py>(
    name: &Bound<'py, PyString>,
    object: &Bound<'py, PyAny>,
) -> PyResult<Option<Reference<'py>>> {
    let py = object.py();
    if object.get_type().is(py.get_type::<PyAny>()) {
        return sentinel(name, object);
    }
    let Ok(stated) = object.get_type().getattr(intern!(py, "__module__")) else { return Ok(None) };
    let Ok(stated) = stated.cast_into::<PyString>() else { return Ok(None) };
    let text = stated.to_string_lossy();
    let mut at = text.as_ref();
    loop {
        let module = PyString::intern(py, at);
        if let Some(loaded) = policy::loaded(py, module.as_any())?
            && policy::resolve(&loaded, name)?.is_some_and(|it| it.is(object))
            && policy::importable(&module, &loaded)?
        {
            return Ok(Some(Reference { module, name: name.clone() }));
        }
        match at.rsplit_once('.') {
            Some((parent, _)) => at = parent,
            None => return Ok(None),
        }
    }
}

/// The same for a list, dict or set, whose type tells nothing: `from package import config` means the one over there, as
/// `package.config` does.
///
/// A search through all modules; one that only `globals` holds is in none of them.
pub(crate) fn module_level_container<'py>(
    name: &Bound<'py, PyString>,
    object: &Bound<'py, PyAny>,
) -> PyResult<Option<Reference<'py>>> {
    // The namespace holds it, and this handle: nobody else is left to look for.
    if references(object) <= 2 {
        return Ok(None);
    }
    sentinel(name, object)
}

/// A bare `object()` is nothing but its identity: the importable module that holds it under `name`.
fn sentinel<'py>(name: &Bound<'py, PyString>, object: &Bound<'py, PyAny>) -> PyResult<Option<Reference<'py>>> {
    for (module, loaded) in modules(object.py())?.copy()?.iter() {
        let Ok(loaded) = loaded.cast_into::<PyModule>() else { continue };
        let held = dict_get(&loaded.dict(), name.as_any())?;
        if held.is_some_and(|it| it.is(object))
            && let Ok(module) = module.cast_into::<PyString>()
            && policy::importable(&module, loaded.as_any())?
        {
            return Ok(Some(Reference { module, name: name.clone() }));
        }
    }
    Ok(None)
}

/// The same for an `object()` whose name is not known: looked for in the modules that `globals` names.
pub(crate) fn sentinel_of_modules<'py>(
    globals: &Bound<'py, PyDict>,
    object: &Bound<'py, PyAny>,
) -> PyResult<Option<Reference<'py>>> {
    for (_, value) in globals.iter() {
        let Ok(module) = value.cast_into::<PyModule>() else { continue };
        for (name, held) in module.dict().iter() {
            if held.is(object)
                && let Ok(name) = name.cast_into::<PyString>()
                && let Some(stated) = dict_get(&module.dict(), intern!(object.py(), "__name__").as_any())?
                && let Ok(stated) = stated.cast_into::<PyString>()
                && policy::loaded(object.py(), stated.as_any())?.is_some_and(|it| it.is(&module))
                && policy::importable(&stated, module.as_any())?
            {
                return Ok(Some(Reference { module: stated, name }));
            }
        }
    }
    Ok(None)
}
