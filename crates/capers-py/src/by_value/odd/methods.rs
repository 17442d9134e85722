//! Methods, properties and the other things that a class keeps its behaviour in.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyFunction, PyString, PyType};

use super::table::found;
use super::{
    Answer, Fill, Part, Travel, attributes, class_of, filled, instance_dict, is_exactly, made, named, own_attributes,
    stored,
};
use crate::policy::{self, Reference};
use crate::wire::Wire;

/// A bound method: function and object.
pub(super) fn bound<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let function = object.getattr(intern!(py, "__func__"))?;
    let holder = object.getattr(intern!(py, "__self__"))?;
    if let Some(reference) = bound_singleton(object, &holder)? {
        return Ok(Some(Travel::Reference(reference)));
    }
    if name_in_class(object, &holder)?.is_some() {
        // The class leads to the function: its own reduction is right, and finds the function of a class that is there already.
        return Ok(None);
    }
    made(Wire::Method, vec![Part::Object(function), Part::Object(holder)])
}

/// The name of a bound method, if that name leads from its object to the method.
pub(super) fn name_in_class<'py>(
    method: &Bound<'py, PyAny>,
    holder: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyString>>> {
    let py = method.py();
    let function = method.getattr(intern!(py, "__func__"))?;
    let Ok(Some(name)) = function.getattr_opt(intern!(py, "__name__")) else { return Ok(None) };
    let Ok(name) = name.cast_into_exact::<PyString>() else { return Ok(None) };
    let class = match holder.cast::<PyType>() {
        Ok(class) => class.clone(),
        Err(_) => {
            let class = holder.get_type();
            let shadowed = instance_dict(holder)?.is_some_and(|dict| dict.contains(&name).unwrap_or(true));
            let lookup = class.getattr_opt(intern!(py, "__getattribute__"))?;
            if shadowed || lookup.is_none_or(|it| it.is_instance_of::<PyFunction>()) {
                return Ok(None);
            }
            return Ok(class.getattr_opt(&name)?.is_some_and(|it| it.is(&function)).then_some(name));
        }
    };
    if !class.get_type().is(py.get_type::<PyType>()) {
        return Ok(None);
    }
    let held = match found(&class, &name)? {
        Some(held) if is_exactly(&held, "builtins", "classmethod")? => held.getattr(intern!(py, "__func__"))?,
        _ => return Ok(None),
    };
    Ok(held.is(&function).then_some(name))
}

/// A method of a built-in type, bound to an object that the type's module keeps: `random.random`.
pub(super) fn builtin<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
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

/// A property, or one of a derived class.
pub(super) fn property<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let getter = stored(object, intern!(py, "fget"))?;
    let doc = stored(object, intern!(py, "__doc__"))?;
    // A docstring taken over from the getter is taken over again.
    let copied = !getter.is_none() && getter.getattr_opt(intern!(py, "__doc__"))?.is_some_and(|it| it.is(&doc));
    let parts = vec![
        Part::Object(getter.clone()),
        Part::Object(stored(object, intern!(py, "fset"))?),
        Part::Object(stored(object, intern!(py, "fdel"))?),
        if copied { Part::None } else { Part::Object(doc) },
    ];
    let exact = is_exactly(object, "builtins", "property")?;
    let mut slots = Vec::new();
    // Since 3.13 a property knows its name; one that was never told asks its getter.
    let name = intern!(py, "__name__");
    if exact
        && !getter.is_none()
        && let Ok(own) = stored(object, name)
        && !getter.getattr_opt(name)?.is_some_and(|it| it.eq(&own).unwrap_or(false))
    {
        slots.push((name.clone(), Part::Object(own)));
    }
    let dict = if exact { Vec::new() } else { own_attributes(object, &["__doc__"])? };
    let fills =
        if dict.is_empty() && slots.is_empty() { Vec::new() } else { vec![Fill::State { of: None, dict, slots }] };
    if exact { filled(Wire::Property, parts, fills) } else { derived(object, "property", parts, fills) }
}

/// A classmethod or staticmethod object, or one of a derived class.
pub(super) fn class_or_static<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let function = stored(object, intern!(py, "__func__"))?;
    // It has taken these over from the function; only what differs has to travel.
    let mut changed = Vec::new();
    for (key, value) in own_attributes(object, &["__wrapped__"])? {
        const COPIED: &[&str] = &[
            "__module__",
            "__name__",
            "__qualname__",
            "__doc__",
            "__annotations__",
            "__annotate__",
            "__type_params__",
        ];
        let same = named(&key, COPIED)
            && function.getattr_opt(key.cast::<PyString>()?)?.is_some_and(|it| it.eq(&value).unwrap_or(false));
        if !same {
            changed.push((key, value));
        }
    }
    let fills = attributes(changed);
    let parts = vec![Part::Object(function)];
    if is_exactly(object, "builtins", "classmethod")? {
        return filled(Wire::ClassMethod, parts, fills);
    }
    if is_exactly(object, "builtins", "staticmethod")? {
        return filled(Wire::StaticMethod, parts, fills);
    }
    let class = policy::library(intern!(py, "builtins"))?.getattr(intern!(py, "classmethod"))?;
    let base = if object.is_instance(&class)? { "classmethod" } else { "staticmethod" };
    derived(object, base, parts, fills)
}

fn derived<'py>(object: &Bound<'py, PyAny>, base: &str, parts: Vec<Part<'py>>, fills: Vec<Fill<'py>>) -> Answer<'py> {
    let mut args = vec![Part::Object(object.py().import("builtins")?.getattr(base)?), class_of(object)];
    args.extend(parts);
    filled(Wire::Subclassed, args, fills)
}

/// What `super()` returns.
pub(super) fn superior<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let mut args = vec![Part::Object(member(object, intern!(py, "__thisclass__"))?)];
    let holder = member(object, intern!(py, "__self__"))?;
    if !holder.is_none() {
        args.push(Part::Object(holder));
    }
    made(Wire::Super, args)
}

/// A member of the type itself, past the lookup that makes `super` what it is.
fn member<'py>(object: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    object.get_type().getattr(name)?.call_method1(intern!(object.py(), "__get__"), (object,))
}

/// A descriptor of C code or of `__slots__`: what its class holds under its name.
pub(super) fn descriptor<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let owner = object.getattr(intern!(py, "__objclass__"))?;
    let name = object.getattr(intern!(py, "__name__"))?.cast_into::<PyString>()?;
    if object.getattr_opt(intern!(py, "__reduce__"))?.is_some()
        && is_exactly(object, "builtins", "member_descriptor")?
        && owner.getattr_opt(&name)?.is_some_and(|it| it.is(object))
    {
        // The class gives it as it is: its own reduction is right.
        return Ok(None);
    }
    made(Wire::Descriptor, vec![Part::Object(owner), Part::Text(name)])
}
