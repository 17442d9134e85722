//! Weak references, weak proxies and weak containers.
//!
//! What is held weakly does not travel for that reason. A container is filled at the end of the payload, with those of its
//! objects that came along for another reason ([`Late`]). A reference cannot wait, as it never changes: its referent
//! travels in front of it, and where nothing else in the payload holds it, it is gone as soon as the payload is loaded, and the
//! reference is dead. A referent that cannot travel leaves the reference dead, too. A proxy is what it stands for where
//! nothing else does, as with `pickle`; the pickler sees to that.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyWeakrefProxy};

use super::{Answer, Late, Part, Travel, attributes, class_of, filled, is_exactly, methods, own_attributes, stored};
use crate::by_value::{Reduction, module};
use crate::ffi::kind::{Kind, kind};
use crate::policy;
use crate::wire::Wire;

/// A weak reference, or one of a derived class.
pub(super) fn reference<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let plain = is_exactly(object, "weakref", "ReferenceType")? || is_exactly(object, "builtins", "weakref")?;
    let keyed = is_exactly(object, "weakref", "KeyedRef")?;
    let referent = py.get_type::<pyo3::types::PyWeakrefReference>().call_method1(intern!(py, "__call__"), (object,))?;
    let callback = stored(object, intern!(py, "__callback__"))?;
    let mut rest = Vec::new();
    if keyed {
        rest = vec![Part::Object(callback), Part::Object(stored(object, intern!(py, "key"))?)];
    } else if !callback.is_none() {
        rest.push(Part::Object(callback));
    }
    let fills = if plain || keyed { Vec::new() } else { attributes(own_attributes(object, &[])?) };
    if referent.is_none() {
        let mut args = Vec::new();
        if !plain || !rest.is_empty() {
            args.push(class_of(object));
            args.extend(rest);
        }
        return filled(Wire::DeadReference, args, fills);
    }
    let mut args = Vec::new();
    let make = match (plain, keyed) {
        (true, _) => Wire::WeakReference,
        (_, true) => Wire::KeyedReference,
        _ => {
            args.push(Part::Object(py.get_type::<pyo3::types::PyWeakrefReference>().into_any()));
            args.push(class_of(object));
            Wire::Subclassed
        }
    };
    args.push(Part::Object(referent));
    args.extend(rest);
    Ok(Some(Travel::Weak(Reduction { make, args, fills })))
}

/// Whether the receiver has `object` without any payload: a function, class or module that travels by reference.
pub(crate) fn is_elsewhere(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = object.py();
    match kind(object) {
        Kind::Function | Kind::Type => {}
        Kind::Module => return Ok(module::import_name(object.cast()?)?.is_some()),
        _ => return Ok(false),
    }
    match (object.getattr(intern!(py, "__module__")), object.getattr(intern!(py, "__qualname__"))) {
        (Ok(module), Ok(name)) => Ok(policy::reference(object, &module, &name)?.is_some()),
        _ => Ok(false),
    }
}

/// What becomes of a weak reference or proxy whose referent turned out not to travel.
pub(crate) fn dead<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Reduction<'py>>> {
    let py = object.py();
    let only = |make, args| Ok(Some(Reduction { make, args, fills: Vec::new() }));
    if is_exactly(object, "weakref", "ReferenceType")? || is_exactly(object, "builtins", "weakref")? {
        return only(Wire::DeadReference, Vec::new());
    }
    if is_exactly(object, "weakref", "KeyedRef")? {
        let key = stored(object, intern!(py, "key"))?;
        return only(Wire::DeadReference, vec![class_of(object), Part::None, Part::Object(key)]);
    }
    if is_exactly(object, "weakref", "WeakMethod")? {
        return only(Wire::WeakMethod, vec![Part::None, Part::None]);
    }
    if object.cast::<PyWeakrefProxy>().is_ok() {
        let callable = object.is_callable();
        return only(Wire::DeadProxy, vec![Part::Int(i64::from(callable))]);
    }
    Ok(None)
}

/// A weak proxy; its callback is not to be had.
pub(super) fn proxy<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    match object.cast::<PyWeakrefProxy>()?.upgrade() {
        Some(referent) => Ok(Some(Travel::Proxy(referent))),
        None => Ok(dead(object)?.map(Travel::Reduction)),
    }
}

/// A weak reference to a bound method.
pub(super) fn method<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let method = object.call0()?;
    let mut args = Vec::new();
    if method.is_none() {
        args.extend([Part::None, Part::None]);
    } else {
        let holder = method.getattr(intern!(py, "__self__"))?;
        let name = methods::name_in_class(&method, &holder)?;
        args.push(Part::Object(holder));
        args.push(match name {
            Some(name) => Part::Text(name),
            None => Part::Object(method.getattr(intern!(py, "__func__"))?),
        });
    }
    // The class puts a callback of its own before the user's, and keeps that one in a closure.
    let callback = object.getattr_opt(intern!(py, "__callback__"))?.filter(|it| !it.is_none());
    if let Some(callback) = callback
        && let Some(cells) =
            callback.getattr_opt(intern!(py, "__closure__"))?.and_then(|it| it.cast_into::<PyTuple>().ok())
        && let Some(code) = callback.getattr_opt(intern!(py, "__code__"))?
    {
        for (name, cell) in code.getattr(intern!(py, "co_freevars"))?.try_iter()?.zip(cells.iter()) {
            if name?.eq("callback")? {
                let theirs = cell.getattr(intern!(py, "cell_contents"))?;
                if !theirs.is_none() {
                    args.push(Part::Object(theirs));
                }
            }
        }
    }
    Ok(Some(Travel::Weak(Reduction { make: Wire::WeakMethod, args, fills: Vec::new() })))
}

/// A set that holds its items weakly.
pub(super) fn set<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let mut entries = Vec::new();
    for item in object.try_iter()? {
        let item = item?;
        entries.push((item.clone(), vec![Part::Object(item)]));
    }
    let exact = is_exactly(object, "_weakrefset", "WeakSet")?;
    container(object, exact.then_some(Wire::WeakSet), "WeakSet", entries)
}

/// A dict that holds its keys weakly.
pub(super) fn key_dictionary<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let exact = is_exactly(object, "weakref", "WeakKeyDictionary")?;
    container(object, exact.then_some(Wire::WeakKeyDictionary), "WeakKeyDictionary", pairs(object, 0)?)
}

/// A dict that holds its values weakly.
pub(super) fn value_dictionary<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let exact = is_exactly(object, "weakref", "WeakValueDictionary")?;
    container(object, exact.then_some(Wire::WeakValueDictionary), "WeakValueDictionary", pairs(object, 1)?)
}

/// An object held weakly, and what to write when it travels.
type Entry<'py> = (Bound<'py, PyAny>, Vec<Part<'py>>);

fn pairs<'py>(object: &Bound<'py, PyAny>, weak: usize) -> PyResult<Vec<Entry<'py>>> {
    let mut entries = Vec::new();
    for item in object.call_method0(intern!(object.py(), "items"))?.try_iter()? {
        let item = item?;
        let parts = vec![Part::Object(item.get_item(0)?), Part::Object(item.get_item(1)?)];
        entries.push((item.get_item(weak)?, parts));
    }
    Ok(entries)
}

fn container<'py>(object: &Bound<'py, PyAny>, make: Option<Wire>, base: &str, entries: Vec<Entry<'py>>) -> Answer<'py> {
    const INTERNALS: &[&str] = &["data", "_remove", "_pending_removals", "_iterating", "_dirty_len"];
    let py = object.py();
    let fills = attributes(own_attributes(object, INTERNALS)?);
    let (make, args) = match make {
        Some(make) => (make, Vec::new()),
        None => (Wire::Subclassed, vec![Part::Object(py.import("weakref")?.getattr(base)?), class_of(object)]),
    };
    Ok(Some(Travel::Container(Reduction { make, args, fills }, Late { make: Wire::WeakItems, entries })))
}
