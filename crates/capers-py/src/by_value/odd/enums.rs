//! Enumerations: their members, made as they are, and members on their own, which are found by name.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFunction, PyString, PyTuple, PyType};

use super::table::found;
use super::{Answer, Fill, Part, made, stated};
use crate::ffi::access::{dict_get, str_bytes};
use crate::policy;
use crate::wire::Wire;

/// What fills an enumeration that has just been made: its members, and then what else they hold, which may lead to members.
pub(crate) fn members_of<'py>(class: &Bound<'py, PyType>, members: &Bound<'py, PyDict>) -> PyResult<Vec<Fill<'py>>> {
    let py = class.py();
    let data_type = class.getattr(intern!(py, "_member_type_"))?;
    let plain_enum = data_type.is(py.get_type::<PyAny>());
    let mut args = vec![Part::Object(class.clone().into_any())];
    let mut fills = Vec::new();
    // Under which name each member stands first; others are aliases.
    let mut seen: Vec<(Bound<'py, PyAny>, Bound<'py, PyString>)> = Vec::with_capacity(members.len());
    for (name, member) in members.iter() {
        let name = name.cast_into::<PyString>()?;
        args.push(Part::Text(name.clone()));
        if let Some((_, first)) = seen.iter().find(|(it, _)| member.is(it)) {
            args.push(Part::None);
            args.push(Part::Text(first.clone()));
            continue;
        }
        seen.push((member.clone(), name.clone()));
        args.push(if plain_enum { Part::None } else { plain_value(&member)? });
        let state = member.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        let (mut entries, mut others) = (Vec::with_capacity(state.len()), Vec::new());
        for (key, value) in state.iter() {
            let key = key.cast_into::<PyString>()?;
            let text = str_bytes(&key)?.into_owned();
            match text.as_slice() {
                // Worked out when it is asked for.
                b"_inverted_" => entries.push((key, Part::None)),
                b"_value_" | b"_name_" | b"__objclass__" | b"_sort_order_" => entries.push((key, Part::Object(value))),
                _ => others.push((key, Part::Object(value))),
            }
        }
        args.push(Part::Entries(entries));
        if !others.is_empty() {
            let args = vec![Part::Object(class.clone().into_any()), Part::Text(name), Part::Entries(others)];
            fills.push(Fill::Call { make: Wire::EnumAttributes, args });
        }
    }
    fills.insert(0, Fill::Call { make: Wire::EnumMembers, args });
    Ok(fills)
}

/// The value of a member as an instance of its data type alone.
fn plain_value<'py>(member: &Bound<'py, PyAny>) -> PyResult<Part<'py>> {
    let py = member.py();
    for base in [
        py.get_type::<pyo3::types::PyInt>(),
        py.get_type::<PyString>(),
        py.get_type::<pyo3::types::PyBytes>(),
        py.get_type::<pyo3::types::PyFloat>(),
        py.get_type::<PyTuple>(),
    ] {
        if member.is_instance(&base)? {
            if base.is(py.get_type::<PyString>()) {
                return Ok(Part::Object(base.getattr("__str__")?.call1((member,))?));
            }
            if base.is(py.get_type::<pyo3::types::PyInt>()) {
                return Ok(Part::Object(base.getattr("__int__")?.call1((member,))?));
            }
            return Ok(Part::Object(base.call1((member,))?));
        }
    }
    // A data type of Python's own making is rebuilt from its attributes.
    Ok(Part::None)
}

/// A member of an enumeration that travels by value: its name in it, as its value may be equal to nothing that arrives later.
pub(super) fn member<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let class = object.get_type();
    let (module, qualname) = (stated(&class, intern!(py, "__module__"))?, stated(&class, intern!(py, "__qualname__"))?);
    if policy::reference(class.as_any(), &module, &qualname)?.is_some() {
        return Ok(None);
    }
    // The script may have said otherwise; what `enum` puts in where a data type cannot be pickled does not count.
    let reduce = found(&class, intern!(py, "__reduce_ex__"))?;
    if let Some(reduce) = reduce.as_ref().and_then(|it| it.cast::<PyFunction>().ok())
        && !reduce.getattr(intern!(py, "__module__"))?.eq("enum")?
    {
        return Ok(None);
    }
    let Ok(name) = object.getattr(intern!(py, "_name_"))?.cast_into::<PyString>() else { return Ok(None) };
    let members = stated(&class, intern!(py, "_member_map_"))?.cast_into::<PyDict>()?;
    match dict_get(&members, name.as_any())? {
        Some(member) if member.is(object) => {
            made(Wire::EnumMember, vec![Part::Object(class.into_any()), Part::Text(name)])
        }
        _ => Ok(None),
    }
}
