//! What the factories of `functools` return, and functions that numpy made.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::{Answer, Fill, Part, Reduction, Travel, filled, made, referents};
use crate::ffi::function::function_view;
use crate::policy;
use crate::state::state;
use crate::wire::Wire;

/// A cached function keeps its parameters and starts empty.
pub(super) fn lru_cache<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let module = object.getattr(intern!(py, "__module__"))?;
    let qualname = object.getattr(intern!(py, "__qualname__"))?;
    if let Some(reference) = policy::reference(object, &module, &qualname)? {
        return Ok(Some(Travel::Reference(reference)));
    }
    let parameters = object.call_method0(intern!(py, "cache_parameters"))?;
    let function = object.getattr(intern!(py, "__wrapped__"))?;
    let args = vec![
        Part::Object(parameters.get_item("maxsize")?),
        Part::Object(parameters.get_item("typed")?),
        Part::Object(function.clone()),
    ];
    // A new cache takes these over from the function it wraps; only what was changed since has to travel.
    let dict = object.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
    let theirs = function.getattr_opt(intern!(py, "__dict__"))?;
    let theirs = theirs.as_ref().and_then(|it| it.cast::<PyDict>().ok());
    let mut fills = Vec::new();
    let mut changed = Vec::new();
    for (key, value) in dict.iter() {
        let same = match theirs {
            Some(theirs) => theirs.get_item(&key)?.is_some_and(|it| it.is(&value)),
            None => false,
        };
        // The wrapper sets these itself.
        let own = key.eq("cache_parameters")? || key.eq("__wrapped__")?;
        let metadata =
            ["__module__", "__name__", "__qualname__", "__doc__", "__annotate__", "__annotations__", "__type_params__"]
                .iter()
                .any(|name| key.eq(name).unwrap_or(false))
                && function.getattr_opt(key.cast::<PyString>()?)?.is_some_and(|it| it.eq(&value).unwrap_or(false));
        if !(same || own || metadata) {
            changed.push((key, value));
        }
    }
    if !changed.is_empty() {
        fills.push(Fill::State { of: None, dict: changed, slots: Vec::new() });
    }
    filled(Wire::LruCache, args, fills)
}

/// What `functools.cmp_to_key` returns keeps its function where only the garbage collector sees it.
pub(super) fn comparison_key<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let value = object.getattr_opt(intern!(py, "obj"))?;
    let mut compare = None;
    for each in referents(object)? {
        if !value.as_ref().is_some_and(|value| value.is(&each)) {
            compare = Some(each);
        }
    }
    // One function may well be compared by itself.
    let compare = compare.or_else(|| value.clone());
    let Some(compare) = compare else { return Ok(None) };
    let mut args = vec![Part::Object(compare)];
    args.extend(value.map(Part::Object));
    made(Wire::ComparisonKey, args)
}

/// A function that a factory of the standard library made and that is more than its code: `functools.singledispatch`.
pub(crate) fn wrapper_function<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Reduction<'py>>> {
    let py = object.py();
    let Some(view) = function_view(object) else { return Ok(None) };
    match &state(py)?.known.singledispatch {
        Some(code) if view.code.is(code.bind(py)) => {}
        _ => return Ok(None),
    }
    let registry = object.getattr(intern!(py, "registry"))?;
    let any = py.get_type::<pyo3::types::PyAny>();
    let mut implementations = Vec::new();
    let mut default = None;
    for item in registry.call_method0(intern!(py, "items"))?.try_iter()? {
        let item = item?.cast_into::<PyTuple>()?;
        let (class, function) = (item.get_item(0)?, item.get_item(1)?);
        if class.is(&any) {
            default = Some(function);
        } else {
            implementations.push(Part::Object(class));
            implementations.push(Part::Object(function));
        }
    }
    let Some(default) = default else { return Ok(None) };
    let mut fills = Vec::new();
    let dict = object.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
    let mut extra = Vec::new();
    for (key, value) in dict.iter() {
        let name = key.str()?;
        if !matches!(
            name.to_string_lossy().as_ref(),
            "register" | "dispatch" | "registry" | "_clear_cache" | "__wrapped__"
        ) {
            extra.push((key, value));
        }
    }
    if !extra.is_empty() {
        fills.push(Fill::State { of: None, dict: extra, slots: Vec::new() });
    }
    if !implementations.is_empty() {
        implementations.insert(0, Part::Object(object.clone()));
        fills.push(Fill::Call { make: Wire::Register, args: implementations });
    }
    Ok(Some(Reduction { make: Wire::SingleDispatch, args: vec![Part::Object(default)], fills }))
}

/// An object whose reduction is a name that leads nowhere: a numpy function made of a Python function.
pub(crate) fn unnamed<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Reduction<'py>>> {
    let py = object.py();
    let Some(numpy) = policy::loaded(py, intern!(py, "numpy").as_any())? else { return Ok(None) };
    if !numpy.getattr_opt(intern!(py, "ufunc"))?.is_some_and(|it| object.get_type().is(&it)) {
        return Ok(None);
    }
    let identity = object.getattr(intern!(py, "identity"))?;
    let mut held = referents(object)?;
    held.retain(|it| it.is_callable() && !it.is(&identity));
    let Some(function) = held.into_iter().next() else { return Ok(None) };
    let mut args = vec![
        Part::Object(numpy),
        Part::Object(function),
        Part::Object(object.getattr(intern!(py, "nin"))?),
        Part::Object(object.getattr(intern!(py, "nout"))?),
    ];
    if !identity.is_none() {
        args.push(Part::Object(identity));
    }
    Ok(Some(Reduction { make: Wire::Ufunc, args, fills: Vec::new() }))
}

/// A `partialmethod` of 3.14 and later cannot be made without its function, which its own reduction leaves out.
pub(super) fn partial_method<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    if cfg!(not(Py_3_14)) {
        return Ok(None);
    }
    let function = object.getattr(intern!(object.py(), "func"))?;
    let dict = super::instance_dict(object)?.map(|dict| dict.iter().collect()).unwrap_or_default();
    super::filled(Wire::PartialMethod, vec![Part::Object(function)], super::attributes(dict))
}
