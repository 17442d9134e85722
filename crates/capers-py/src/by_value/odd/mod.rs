//! Objects of the standard library that their own reduction carries wrongly or not at all.
//!
//! A rule is a function from an object to what becomes of it; [`table`] says which types have one. Each file here holds one
//! family of rules. A rule answers `None` where the object's own reduction is right after all: what C pickle carries keeps
//! its bytes.

mod enums;
mod exceptions;
mod files;
mod functools;
mod generators;
mod instances;
mod iterators;
mod locks;
mod methods;
mod refused;
mod singletons;
mod table;
mod text;
mod types;
mod typing;
mod variables;
mod views;
mod weak;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyType};

use super::{Fill, Part, Reduction};
use crate::ffi::access::call_method;
use crate::ffi::class::{own, qualname};
use crate::ffi::kind::Kind;
use crate::policy::{self, Reference};
use crate::wire::Wire;

pub(crate) use enums::members_of;
pub(crate) use functools::{unnamed, wrapper_function};
pub(crate) use instances::{
    is_by_value, is_made_of_its_class, lost_attributes, lost_beside_state, named_here, plain_new,
};
pub(crate) use singletons::{module_level, of_sys, sentinel_of_modules};
pub(crate) use weak::{dead, is_elsewhere};

/// What an odd object becomes.
pub(crate) enum Travel<'py> {
    Reduction(Reduction<'py>),
    Reference(Reference<'py>),
    /// A reduction whose arguments travel only to be referred to weakly; where they cannot, [`dead`] takes its place.
    Weak(Reduction<'py>),
    /// A reduction of the pickle protocol: a name, or a tuple of two to six items.
    Reduced(Bound<'py, PyAny>),
    /// A weak proxy of this object.
    Proxy(Bound<'py, PyAny>),
    /// An object that is filled at the end of the payload.
    Container(Reduction<'py>, Late<'py>),
}

/// What fills a weak container when all else has been written.
pub(crate) struct Late<'py> {
    pub(crate) make: Wire,
    /// Objects held weakly, each with what to write if it travels for another reason.
    pub(crate) entries: Vec<(Bound<'py, PyAny>, Vec<Part<'py>>)>,
}

/// What a rule answers; `None` leaves the object to its own reduction.
type Answer<'py> = PyResult<Option<Travel<'py>>>;

/// Describes `object` if its type has a rule here.
#[inline]
pub(crate) fn reduce<'py>(py: Python<'py>, kind: Kind, object: &Bound<'py, PyAny>) -> Answer<'py> {
    match kind {
        Kind::Method => methods::bound(object),
        Kind::BuiltinFunction => methods::builtin(object),
        Kind::Type => types::hidden(object),
        _ => match table::rule_of(py, object)? {
            Some(rule) => rule(object),
            None => Ok(None),
        },
    }
}

/// What `object` says of itself by `__reduce_ex__` or `__reduce__`; `None` if it has neither.
pub(crate) fn own_reduction<'py>(
    object: &Bound<'py, PyAny>,
    protocol: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    let name = intern!(py, "__reduce_ex__");
    if let Some(value) = call_method(object, name, protocol)? {
        return Ok(Some(value));
    }
    // Its type looks attributes up in its own way.
    if let Some(reduce_ex) = object.getattr_opt(name)? {
        return reduce_ex.call1((protocol,)).map(Some);
    }
    object.getattr_opt(intern!(py, "__reduce__"))?.map(|reduce| reduce.call0()).transpose()
}

/// Whether objects of the type of `object` may have a rule here.
pub(crate) fn has_rule(py: Python<'_>, object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(table::rule_of(py, object)?.is_some())
}

/// Made by a call, complete with it.
fn made(make: Wire, args: Vec<Part<'_>>) -> Answer<'_> {
    filled(make, args, Vec::new())
}

/// Made by a call and filled afterwards.
fn filled<'py>(make: Wire, args: Vec<Part<'py>>, fills: Vec<Fill<'py>>) -> Answer<'py> {
    Ok(Some(Travel::Reduction(Reduction { make, args, fills })))
}

/// Attributes to set on the object made, as a fill if there are any.
fn attributes<'py>(dict: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>) -> Vec<Fill<'py>> {
    if dict.is_empty() { Vec::new() } else { vec![Fill::State { of: None, dict, slots: Vec::new() }] }
}

/// The type of `object`, whatever its `__class__` says.
fn class_of<'py>(object: &Bound<'py, PyAny>) -> Part<'py> {
    Part::Object(object.get_type().into_any())
}

/// A string constant as a part.
fn word<'py>(py: Python<'py>, text: &str) -> Part<'py> {
    Part::Text(PyString::intern(py, text))
}

/// What `object` itself stores under `name`, found by its type's own lookup: no `__getattr__` or `__getattribute__` of a
/// subclass has a say.
fn stored<'py>(object: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    generic_lookup(object.py())?.call1((object, name))
}

fn generic_lookup(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.get_type::<PyAny>().getattr(intern!(py, "__getattribute__"))
}

/// What `class` has under `name`, past any `__getattribute__` of a metaclass.
pub(super) fn stated<'py>(class: &Bound<'py, PyType>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    // What `type` would give for these two.
    if name.is(intern!(py, "__qualname__")) {
        return Ok(qualname(class)?.into_any());
    }
    if name.is(intern!(py, "__module__"))
        && let Some(module) = own(class, name)?.filter(PyAnyMethods::is_instance_of::<PyString>)
    {
        return Ok(module);
    }
    py.get_type::<PyType>().getattr(intern!(py, "__getattribute__"))?.call1((class, name))
}

/// The `__dict__` of an instance, if it has one that is a plain dict.
fn instance_dict<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    match stored(object, intern!(object.py(), "__dict__")) {
        Ok(dict) => Ok(dict.cast_into().ok()),
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyAttributeError>(object.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The items of an instance's `__dict__` but those named in `without`.
fn own_attributes<'py>(
    object: &Bound<'py, PyAny>,
    without: &[&str],
) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    let Some(dict) = instance_dict(object)? else { return Ok(Vec::new()) };
    Ok(dict.iter().filter(|(key, _)| !named(key, without)).collect())
}

fn named(key: &Bound<'_, PyAny>, names: &[&str]) -> bool {
    key.cast::<PyString>().is_ok_and(|key| key.to_str().is_ok_and(|key| names.contains(&key)))
}

/// What the garbage collector sees in `object`: the only view of what C objects keep to themselves.
fn referents<'py>(object: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let py = object.py();
    let found = policy::library(intern!(py, "gc"))?.call_method1(intern!(py, "get_referents"), (object,))?;
    let class = object.get_type();
    let mut found: Vec<_> = found.cast_into::<PyList>()?.iter().collect();
    // Instances of heap types show their type, too; first or last, depending on the type.
    if found.last().is_some_and(|it| it.is(&class)) {
        found.pop();
    } else if found.first().is_some_and(|it| it.is(&class)) {
        found.remove(0);
    }
    Ok(found)
}

/// Whether `class` is exactly the type that has a rule, and not one derived from it.
fn is_exactly(object: &Bound<'_, PyAny>, module: &str, name: &str) -> PyResult<bool> {
    let py = object.py();
    let class = object.get_type();
    let module = stated(&class, intern!(py, "__module__"))?.eq(module)?;
    Ok(module && stated(&class, intern!(py, "__qualname__"))?.eq(name)?)
}
