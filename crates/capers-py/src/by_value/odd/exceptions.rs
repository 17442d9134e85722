//! Exceptions with what led to them, and those whose class cannot be called with their `args`.
//!
//! An exception that has neither cause nor context, and whose class is found by name, is left to its own reduction. The
//! traceback stays behind: its frames belong to the process.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

use super::instances::slot_values;
use super::table::found;
use super::{Answer, Fill, Part, attributes, class_of, filled, own_attributes, stated, stored};
use crate::policy;
use crate::wire::Wire;

pub(super) fn exception<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let class = object.get_type();
    let cause = stored(object, intern!(py, "__cause__"))?;
    let context = stored(object, intern!(py, "__context__"))?;
    if cause.is_none() && context.is_none() && is_reference(&class)? {
        return Ok(None);
    }
    // An exception that knows how to travel is asked.
    for name in ["__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__", "__getstate__"] {
        if defines(&class, name)? {
            return Ok(None);
        }
    }
    let Some(base) = built_in_base(&class)? else { return Ok(None) };
    let args = stored(object, intern!(py, "args"))?;
    let parts = vec![Part::Object(base.clone().into_any()), class_of(object), Part::Object(args)];
    let mut own = own_attributes(object, &[])?;
    own.extend(slot_values(object)?.iter());
    let mut native = fields(object, &base)?;
    let mut put = |name: &Bound<'py, PyString>, value: Bound<'py, PyAny>| native.push((name.clone().into_any(), value));
    if !context.is_none() {
        put(intern!(py, "__context__"), context);
    }
    if !cause.is_none() {
        put(intern!(py, "__cause__"), cause.clone());
    }
    let suppressed = stored(object, intern!(py, "__suppress_context__"))?;
    if suppressed.is_truthy()? == cause.is_none() {
        put(intern!(py, "__suppress_context__"), suppressed);
    }
    let set_by_class = defines(&class, "__setattr__")?;
    if !set_by_class && !defines(&class, "__setstate__")? {
        // `BaseException.__setstate__` sets one attribute after the other.
        native.extend(own);
        return filled(Wire::Exception, parts, attributes(native));
    }
    let mut fills = Vec::new();
    if set_by_class {
        native.extend(own);
    } else {
        fills = attributes(own);
    }
    if !native.is_empty() {
        let dict = PyDict::new(py);
        for (name, value) in native {
            dict.set_item(name, value)?;
        }
        let args = vec![Part::Object(object.clone()), Part::Object(dict.into_any())];
        fills.push(Fill::Call { make: Wire::ExceptionState, args });
    }
    filled(Wire::Exception, parts, fills)
}

fn is_reference(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let (module, name) = (stated(class, intern!(py, "__module__"))?, stated(class, intern!(py, "__qualname__"))?);
    Ok(policy::reference(class.as_any(), &module, &name)?.is_some())
}

/// Whether Python code defines `name` for `class`, or C code outside of the core.
fn defines(class: &Bound<'_, PyType>, name: &str) -> PyResult<bool> {
    let Some(definition) = found(class, &PyString::intern(class.py(), name))? else { return Ok(false) };
    let owner = definition.getattr_opt(intern!(class.py(), "__objclass__"))?;
    let Some(owner) = owner.and_then(|it| it.cast_into::<PyType>().ok()) else { return Ok(true) };
    Ok(!stated(&owner, intern!(class.py(), "__module__"))?.eq("builtins")?)
}

/// The class of C code that makes instances of `class`, if it is one of the core.
fn built_in_base<'py>(class: &Bound<'py, PyType>) -> PyResult<Option<Bound<'py, PyType>>> {
    const HEAP_TYPE: u64 = 1 << 9;
    let py = class.py();
    let mut at = class.clone();
    loop {
        let flags: u64 = stated(&at, intern!(py, "__flags__"))?.extract()?;
        if flags & HEAP_TYPE == 0 {
            return Ok(stated(&at, intern!(py, "__module__"))?.eq("builtins")?.then_some(at));
        }
        match stated(&at, intern!(py, "__base__"))?.cast_into() {
            Ok(base) => at = base,
            Err(_) => return Ok(None),
        }
    }
}

/// Values that `base` keeps outside of `args` and `__dict__`: `errno`, `filename`, `name` and the like.
fn fields<'py>(
    object: &Bound<'py, PyAny>,
    base: &Bound<'py, PyType>,
) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    let py = object.py();
    let mut fields = Vec::new();
    for owner in base.mro().iter() {
        let owner = owner.cast_into::<PyType>()?;
        let owner_name = owner.name()?;
        // A group is complete with its args.
        if matches!(owner_name.to_str()?, "BaseException" | "BaseExceptionGroup" | "object") {
            continue;
        }
        for item in stated(&owner, intern!(py, "__dict__"))?.call_method0(intern!(py, "items"))?.try_iter()? {
            let (name, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = item?.extract()?;
            let kind = value.get_type().name()?;
            if !matches!(kind.to_str()?, "member_descriptor" | "getset_descriptor") || name.eq("__dict__")? {
                continue;
            }
            // Where an attribute was looked for may be anything, and is left out by `AttributeError` itself, too.
            if name.eq("obj")? {
                continue;
            }
            // A field that is not set raises or gives None.
            if let Ok(content) = value.call_method1(intern!(py, "__get__"), (object,))
                && !content.is_none()
            {
                fields.push((name, content));
            }
        }
    }
    Ok(fields)
}
