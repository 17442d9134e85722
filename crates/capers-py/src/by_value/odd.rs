//! Objects of the standard library that their own reduction carries wrongly or not at all.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::{Fill, Part, Reduction};
use crate::ffi::function::function_view;
use crate::ffi::kind::Kind;
use crate::policy::{self, Reference};
use crate::state::state;
use crate::wire::Wire;

/// What an odd object becomes.
pub(crate) enum Travel<'py> {
    Reduction(Reduction<'py>),
    Reference(Reference<'py>),
}

fn made<'py>(make: Wire, args: Vec<Part<'py>>) -> Travel<'py> {
    Travel::Reduction(Reduction { make, args, fills: Vec::new() })
}

/// Describes `object` if its type has a rule here.
pub(crate) fn reduce<'py>(py: Python<'py>, kind: Kind, object: &Bound<'py, PyAny>) -> PyResult<Option<Travel<'py>>> {
    match kind {
        Kind::Method => return method(object),
        Kind::BuiltinFunction => return builtin_method(object),
        _ => {}
    }
    let known = &state(py)?.known;
    let class = object.get_type();
    if class.is(known.lru_cache.bind(py)) {
        return lru_cache(object);
    }
    if class.is(known.key_wrapper.bind(py)) {
        return comparison_key(object);
    }
    let name = class.name()?;
    match name.to_string_lossy().as_ref() {
        "property" if class.is(py.get_type::<pyo3::types::PyAny>()) => Ok(None),
        "property" => {
            let parts = ["fget", "fset", "fdel", "__doc__"].map(|it| object.getattr(it).map(Part::Object));
            Ok(Some(made(Wire::Property, parts.into_iter().collect::<PyResult<_>>()?)))
        }
        "classmethod" => Ok(Some(made(Wire::ClassMethod, vec![Part::Object(object.getattr(intern!(py, "__func__"))?)]))),
        "staticmethod" => {
            Ok(Some(made(Wire::StaticMethod, vec![Part::Object(object.getattr(intern!(py, "__func__"))?)])))
        }
        "getset_descriptor" | "member_descriptor" | "classmethod_descriptor" => {
            let owner = object.getattr(intern!(py, "__objclass__"))?;
            let name = object.getattr(intern!(py, "__name__"))?.cast_into::<PyString>()?;
            Ok(Some(made(Wire::Descriptor, vec![Part::Object(owner), Part::Text(name)])))
        }
        other => Ok(singleton(object, other)?.map(Travel::Reference)),
    }
}

/// Objects of which each process has its own: type name, module, names.
const SINGLETONS: &[(&str, &str, &[&str])] = &[
    ("_Environ", "os", &["environ", "environb"]),
    ("flags", "sys", &["flags"]),
    ("version_info", "sys", &["version_info"]),
    ("SimpleNamespace", "sys", &["implementation"]),
    ("float_info", "sys", &["float_info"]),
    ("int_info", "sys", &["int_info"]),
    ("hash_info", "sys", &["hash_info"]),
    ("thread_info", "sys", &["thread_info"]),
    ("TextIOWrapper", "sys", &["stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"]),
    ("Random", "random", &["_inst"]),
    ("_MISSING_TYPE", "dataclasses", &["MISSING"]),
    ("_KW_ONLY_TYPE", "dataclasses", &["KW_ONLY"]),
    ("_HAS_DEFAULT_FACTORY_CLASS", "dataclasses", &["_HAS_DEFAULT_FACTORY"]),
    ("_FIELD_BASE", "dataclasses", &["_FIELD", "_FIELD_CLASSVAR", "_FIELD_INITVAR"]),
];

fn singleton<'py>(object: &Bound<'py, PyAny>, type_name: &str) -> PyResult<Option<Reference<'py>>> {
    let py = object.py();
    for (_, module, names) in SINGLETONS.iter().filter(|(name, ..)| *name == type_name) {
        let module = PyString::intern(py, module);
        let Some(loaded) = policy::loaded(py, module.as_any())? else { continue };
        for name in *names {
            let name = PyString::intern(py, name);
            if policy::resolve(&loaded, &name)?.is_some_and(|it| it.is(object)) {
                return Ok(Some(Reference { module, name }));
            }
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

/// A bound method: by its own reduction where the class leads to the function, else as function and object.
fn method<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Travel<'py>>> {
    let py = object.py();
    let function = object.getattr(intern!(py, "__func__"))?;
    let holder = object.getattr(intern!(py, "__self__"))?;
    if let Some(reference) = bound_singleton(object, &holder)? {
        return Ok(Some(Travel::Reference(reference)));
    }
    Ok(Some(made(Wire::Method, vec![Part::Object(function), Part::Object(holder)])))
}

/// A method of a built-in type, bound to an object that the type's module keeps: `random.random`.
fn builtin_method<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Travel<'py>>> {
    let holder = object.getattr(intern!(object.py(), "__self__"))?;
    if holder.is_none() || holder.is_instance_of::<pyo3::types::PyModule>() {
        return Ok(None);
    }
    Ok(bound_singleton(object, &holder)?.map(Travel::Reference))
}

fn bound_singleton<'py>(method: &Bound<'py, PyAny>, holder: &Bound<'py, PyAny>) -> PyResult<Option<Reference<'py>>> {
    let py = method.py();
    let class = if holder.is_instance_of::<PyType>() { return Ok(None) } else { holder.get_type() };
    let Ok(module) = class.getattr(intern!(py, "__module__"))?.cast_into::<PyString>() else { return Ok(None) };
    let Ok(name) = method.getattr(intern!(py, "__name__"))?.cast_into::<PyString>() else { return Ok(None) };
    let Some(loaded) = policy::loaded(py, module.as_any())? else { return Ok(None) };
    if policy::resolve(&loaded, &name)?.is_some_and(|it| it.is(method)) && policy::importable(&module, &loaded)? {
        return Ok(Some(Reference { module, name }));
    }
    Ok(None)
}

/// A cached function keeps its parameters and starts empty.
fn lru_cache<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Travel<'py>>> {
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
        let metadata = ["__module__", "__name__", "__qualname__", "__doc__", "__annotate__", "__annotations__", "__type_params__"]
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
    Ok(Some(Travel::Reduction(Reduction { make: Wire::LruCache, args, fills })))
}

/// What `functools.cmp_to_key` returns keeps its function where only the garbage collector sees it.
fn comparison_key<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Travel<'py>>> {
    let py = object.py();
    let held = py.import("gc")?.getattr("get_referents")?.call1((object,))?;
    let value = object.getattr_opt(intern!(py, "obj"))?;
    let mut compare = None;
    for each in held.try_iter()? {
        let each = each?;
        let is_value = value.as_ref().is_some_and(|value| value.is(&each));
        if !is_value && !each.is(object.get_type()) {
            compare = Some(each);
        }
    }
    let Some(compare) = compare else { return Ok(None) };
    let mut args = vec![Part::Object(compare)];
    args.extend(value.map(Part::Object));
    Ok(Some(made(Wire::ComparisonKey, args)))
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
