//! Type parameters, new types and type aliases that no module holds.
//!
//! What the source says of them after a colon or an equals sign is evaluated late, since 3.12: it may lead to the very
//! thing that is being defined. So it is the function that evaluates it that travels.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyFunction, PyString, PyTuple};

use super::{Answer, Fill, Part, filled, made, own_attributes, referents, stored, word};
use crate::by_value::definition;
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
    let constraints = match optional(object, "__constraints__") {
        Ok(found) => found.and_then(|it| it.cast_into::<PyTuple>().ok()).filter(|it| !it.is_empty()),
        Err(_) => None,
    };
    let Evaluators { first, default: late_default } =
        evaluators(object, &name, &["evaluate_constraints", "evaluate_bound"])?;
    let late = first.is_some() || late_default.is_some();
    match (first, constraints) {
        (Some(function), Some(constraints)) => {
            put("evaluate_constraints", Part::Object(function));
            put("count", Part::Int(constraints.len() as i64));
        }
        (Some(function), None) => put("evaluate_bound", Part::Object(function)),
        (None, Some(constraints)) => put("constraints", Part::Object(constraints.into_any())),
        (None, None) if kind.to_str()? == "TypeVar" => {
            if let Some(bound) = optional(object, "__bound__")?.filter(|it| !it.is_none()) {
                put("bound", Part::Object(bound));
            }
        }
        (None, None) => {}
    }
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
    let mut args = vec![Part::Text(kind.cast_into()?), Part::Object(name), module, Part::Entries(options)];
    args.extend(variable_key(object)?.map(Part::Text));
    made(Wire::TypeVariable, args)
}

/// The key by which a type variable is one object however often it arrives; those of type parameter lists have none: they
/// belong to the function or class that has the list, and many are alike.
fn variable_key<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyString>>> {
    const STATED: &[&str] = &[
        "__name__",
        "__module__",
        "__constraints__",
        "__bound__",
        "__covariant__",
        "__contravariant__",
        "__default__",
    ];
    if optional(object, "__infer_variance__")?.is_some_and(|it| it.is_truthy().unwrap_or(false)) {
        return Ok(None);
    }
    let mut parts = Vec::with_capacity(STATED.len());
    for name in STATED {
        parts.push((*name, optional(object, name)?));
    }
    definition::key(object, || definition::describe_variable(object, parts.into_iter())).map(Some)
}

/// The functions of the source that evaluate the bound, the constraints or the value of an alias, and the default.
///
/// They are attributes since 3.14. Before, only the garbage collector sees them: they are called like the parameter, and that
/// of the default comes last (`Objects/typevarobject.c`, `typevar_traverse`).
struct Evaluators<'py> {
    first: Option<Bound<'py, PyAny>>,
    default: Option<Bound<'py, PyAny>>,
}

fn evaluators<'py>(object: &Bound<'py, PyAny>, name: &Bound<'py, PyAny>, firsts: &[&str]) -> PyResult<Evaluators<'py>> {
    let py = object.py();
    if cfg!(Py_3_14) {
        // Where there is no source, these are objects of another kind that hold the value.
        let function = |name: &str| -> PyResult<_> {
            Ok(optional(object, name)?.filter(pyo3::types::PyAnyMethods::is_exact_instance_of::<PyFunction>))
        };
        let mut first = None;
        for name in firsts {
            first = first.or(function(name)?);
        }
        return Ok(Evaluators { first, default: function("evaluate_default")? });
    }
    let mut functions = Vec::new();
    if cfg!(Py_3_12) {
        for each in referents(object)? {
            if each.is_exact_instance_of::<PyFunction>() && each.getattr(intern!(py, "__name__"))?.eq(name)? {
                functions.push(each);
            }
        }
    }
    let has_default = match optional(object, "has_default")? {
        Some(method) => method.call0()?.is_truthy()?,
        None => false,
    };
    let default = if has_default { functions.pop() } else { None };
    Ok(Evaluators { first: functions.into_iter().next(), default })
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
    let late = if parameters.is_truthy()? { None } else { evaluators(object, &name, &["evaluate_value"])?.first };
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
