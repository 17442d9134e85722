//! Objects of which each process has its own: what arrives is the receiver's.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::{Answer, Travel};
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
