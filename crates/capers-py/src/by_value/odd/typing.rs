//! Type parameters, new types and type aliases that no module holds.
//!
//! What the source says of them after a colon or an equals sign is evaluated late, since 3.12: it may lead to the very
//! thing that is being defined. So it is the function that evaluates it that travels.

use pyo3::exceptions::PyAttributeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyFunction, PyString, PyTuple};

use super::{Answer, Fill, Part, filled, made, own_attributes, referents, stored, word};
use crate::policy;
use crate::wire::Wire;

/// Whether a module holds `object` under its name, so that its own reduction is right.
fn is_reference(object: &Bound<'_, PyAny>, name: &Bound<'_, PyAny>) -> PyResult<bool> {
    match object.getattr_opt(intern!(object.py(), "__module__"))? {
        Some(module) => Ok(policy::reference(object, &module, name)?.is_some()),
        None => Ok(false),
    }
}

fn optional<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    object.getattr_opt(PyString::intern(object.py(), name))
}

/// A `TypeVar`, `ParamSpec` or `TypeVarTuple`.
pub(super) fn parameter<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let name = object.getattr(intern!(py, "__name__"))?;
    if is_reference(object, &name)? {
        return Ok(None);
    }
    let kind = object.get_type().name()?;
    let mut options: Vec<(Bound<'py, PyString>, Part<'py>)> = Vec::new();
    let mut put = |name: &str, value: Part<'py>| options.push((PyString::intern(py, name), value));
    let thunk = |what: &str, fallback: bool| evaluator(object, &name, what, fallback);
    let constraints = match optional(object, "__constraints__") {
        Ok(found) => found.and_then(|it| it.cast_into::<PyTuple>().ok()).filter(|it| !it.is_empty()),
        Err(_) => None,
    };
    let late_default = thunk("evaluate_default", false)?;
    let late = if kind.to_str()? != "TypeVar" {
        false
    } else if let Some(constraints) = &constraints {
        match thunk("evaluate_constraints", late_default.is_none())? {
            Some(function) => {
                put("evaluate_constraints", Part::Object(function));
                put("count", Part::Int(constraints.len() as i64));
                true
            }
            None => {
                put("constraints", Part::Object(constraints.clone().into_any()));
                false
            }
        }
    } else if let Some(function) = thunk("evaluate_bound", late_default.is_none())? {
        put("evaluate_bound", Part::Object(function));
        true
    } else {
        if let Some(bound) = optional(object, "__bound__")?.filter(|it| !it.is_none()) {
            put("bound", Part::Object(bound));
        }
        false
    };
    match late_default {
        Some(function) => put("evaluate_default", Part::Object(function)),
        None if late => {}
        None => {
            if let Some(default) = optional(object, "__default__")?
                && !default.is(py.import("typing")?.getattr("NoDefault").unwrap_or_else(|_| py.None().into_bound(py)))
            {
                put("default", Part::Object(default));
            }
        }
    }
    if !late {
        for (attribute, option) in [
            ("__covariant__", "covariant"),
            ("__contravariant__", "contravariant"),
            ("__infer_variance__", "infer_variance"),
        ] {
            if optional(object, attribute)?.is_some_and(|it| it.is_truthy().unwrap_or(false)) {
                put(option, Part::Object(pyo3::types::PyBool::new(py, true).to_owned().into_any()));
            }
        }
    }
    let module = optional(object, "__module__")?.map_or(Part::None, Part::Object);
    made(Wire::TypeVariable, vec![Part::Text(kind.cast_into()?), Part::Object(name), module, Part::Entries(options)])
}

/// The function of the source that evaluates `what`: an attribute since 3.14, before visible to the garbage collector only,
/// where it is called like the parameter.
fn evaluator<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    what: &str,
    fallback: bool,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match optional(object, what) {
        Ok(Some(found)) => return Ok(Some(found).filter(pyo3::types::PyAnyMethods::is_exact_instance_of::<PyFunction>)),
        Ok(None) => {}
        Err(error) if error.is_instance_of::<PyAttributeError>(object.py()) => {}
        Err(error) => return Err(error),
    }
    if cfg!(Py_3_14) || !cfg!(Py_3_12) {
        return Ok(None);
    }
    let is_default = |it: &Bound<'py, PyAny>| -> PyResult<bool> {
        let qualname = it.getattr(intern!(object.py(), "__qualname__"))?.str()?;
        Ok(qualname.to_string_lossy().contains("<default of"))
    };
    let wanted = what == "evaluate_default";
    for each in referents(object)? {
        if each.is_exact_instance_of::<PyFunction>()
            && each.getattr(intern!(object.py(), "__name__"))?.eq(name)?
            && (!wanted || is_default(&each)?)
            && (wanted || fallback || !is_default(&each)?)
        {
            return Ok(Some(each));
        }
    }
    Ok(None)
}

/// `P.args` and `P.kwargs`.
pub(super) fn parameter_part<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let origin = object.getattr(intern!(py, "__origin__"))?;
    let which = if object.get_type().name()?.to_str()? == "ParamSpecArgs" { "args" } else { "kwargs" };
    made(Wire::Getattr, vec![Part::Object(origin), word(py, which)])
}

/// A `NewType`.
pub(super) fn new_type<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let qualname = stored(object, intern!(py, "__qualname__"))?;
    if is_reference(object, &qualname)? {
        return Ok(None);
    }
    let supertype = stored(object, intern!(py, "__supertype__"))?;
    let dict = own_attributes(object, &["__name__", "__supertype__"])?;
    let fills = vec![Fill::State { of: None, dict, slots: Vec::new() }];
    filled(Wire::NewType, vec![Part::Object(stored(object, intern!(py, "__name__"))?), Part::Object(supertype)], fills)
}

/// The alias of a `type` statement.
pub(super) fn alias<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let name = object.getattr(intern!(py, "__name__"))?;
    if is_reference(object, &name)? {
        return Ok(None);
    }
    let parameters = object.getattr(intern!(py, "__type_params__"))?;
    let late = if parameters.is_truthy()? { None } else { evaluator(object, &name, "evaluate_value", true)? };
    let value = match late {
        Some(function) => function,
        None => object.getattr(intern!(py, "__value__"))?,
    };
    let module = optional(object, "__module__")?.map_or(Part::None, Part::Object);
    let mut args = vec![Part::Object(name), module, Part::Object(value)];
    if parameters.is_truthy()? {
        args.push(Part::Object(parameters));
    }
    made(Wire::TypeAlias, args)
}
