//! What `pickle` says of a broken reduction, in the words of the version at hand.
//!
//! The texts are those that `_pickle` raises itself, so that code which looks at a message finds the one it knows; from 3.14
//! on they name types in full. Nothing is decided here.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use super::Dumper;
use crate::ffi::make::type_name;

/// Whether types are named in full, and notes say where an error came from.
pub(super) const TELLS_MORE: bool = cfg!(Py_3_14);

/// The type of `object` as C's `%T` has it: with its module, but for the builtins and the running script.
pub(super) fn full_name(object: &Bound<'_, PyAny>) -> String {
    let name = object.get_type().fully_qualified_name();
    name.map_or_else(|_| type_name(object), |it| it.to_string_lossy().into_owned())
}

/// The type of `object` as messages of this version have it.
fn shown(object: &Bound<'_, PyAny>) -> String {
    if TELLS_MORE { full_name(object) } else { type_name(object) }
}

/// `text`, and from 3.14 on what was found instead.
fn but_found(text: &str, object: &Bound<'_, PyAny>) -> String {
    if TELLS_MORE { format!("{text}, not {}", full_name(object)) } else { text.to_owned() }
}

/// Texts of ours and of others in one; theirs may hold what no Rust string can.
type Said<'py> = PyResult<Bound<'py, PyString>>;

fn say<'py>(ours: &[&str], theirs: &[Bound<'py, PyString>]) -> Said<'py> {
    let py = theirs[0].py();
    let parts = PyList::empty(py);
    for (at, text) in ours.iter().enumerate() {
        parts.append(text)?;
        if let Some(text) = theirs.get(at) {
            parts.append(text)?;
        }
    }
    Ok(PyString::new(py, "").call_method1("join", (parts,))?.cast_into()?)
}

pub(super) fn no_way<'py>(object: &Bound<'py, PyAny>) -> Said<'py> {
    if TELLS_MORE {
        return Ok(PyString::new(object.py(), &format!("Can't pickle {} object", full_name(object))));
    }
    say(&[&format!("can't pickle '{:.200}' object: ", type_name(object))], &[object.repr()?])
}

pub(super) fn local_object<'py>(object: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> Said<'py> {
    if TELLS_MORE {
        return say(&["Can't pickle local object "], &[object.repr()?]);
    }
    let verb = if cfg!(Py_3_13) { "get" } else { "pickle" };
    say(&[&format!("Can't {verb} local object ")], &[name.repr()?])
}

pub(super) fn import_failed<'py>(
    object: &Bound<'py, PyAny>,
    module: &Bound<'py, PyAny>,
    cause: &Bound<'py, PyAny>,
) -> Said<'py> {
    if TELLS_MORE {
        say(&["Can't pickle ", ": "], &[object.repr()?, cause.str()?])
    } else {
        say(&["Can't pickle ", ": import of module ", " failed"], &[object.repr()?, module.repr()?])
    }
}

pub(super) fn not_found<'py>(
    object: &Bound<'py, PyAny>,
    module: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Said<'py> {
    if TELLS_MORE {
        say(&["Can't pickle ", ": it's not found as ", "."], &[object.repr()?, module.str()?, name.clone()])
    } else {
        let theirs = [object.repr()?, name.clone(), module.str()?];
        say(&["Can't pickle ", ": attribute lookup ", " on ", " failed"], &theirs)
    }
}

pub(super) fn not_the_same<'py>(
    object: &Bound<'py, PyAny>,
    module: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Said<'py> {
    let theirs = [object.repr()?, module.str()?, name.clone()];
    say(&["Can't pickle ", ": it's not the same object as ", "."], &theirs)
}

/// A name that its protocol cannot carry; `what` is `module` or `global`.
pub(super) fn bad_identifier<'py>(what: &str, name: &Bound<'py, PyString>, protocol: u8) -> Said<'py> {
    let (quote, shown) = if TELLS_MORE { ("", name.repr()?) } else { ("'", name.clone()) };
    let before = format!("can't pickle {what} identifier {quote}");
    say(&[&before, &format!("{quote} using pickle protocol {protocol}")], &[shown])
}

pub(super) fn no_extension_code<'py>(object: &Bound<'py, PyAny>, code: &Bound<'py, PyAny>) -> Said<'py> {
    say(&["Can't pickle ", ": extension code ", " isn't an integer"], &[object.repr()?, code.repr()?])
}

pub(super) fn bad_extension_code<'py>(object: &Bound<'py, PyAny>, code: i64) -> Said<'py> {
    say(&["Can't pickle ", &format!(": extension code {code} is out of range")], &[object.repr()?])
}

pub(super) fn no_reduction(value: &Bound<'_, PyAny>) -> String {
    but_found("__reduce__ must return a string or tuple", value)
}

pub(super) fn wrong_size() -> String {
    "tuple returned by __reduce__ must contain 2 through 6 elements".to_owned()
}

pub(super) fn no_callable(found: &Bound<'_, PyAny>) -> String {
    but_found("first item of the tuple returned by __reduce__ must be callable", found)
}

pub(super) fn no_arguments(found: &Bound<'_, PyAny>) -> String {
    but_found("second item of the tuple returned by __reduce__ must be a tuple", found)
}

/// An item that should be an iterator; `place` is `fourth` or `fifth`.
pub(super) fn no_iterator(place: &str, found: &Bound<'_, PyAny>) -> String {
    let part = if TELLS_MORE { "item" } else { "element" };
    format!("{place} {part} of the tuple returned by __reduce__ must be an iterator, not {}", shown(found))
}

pub(super) fn no_setter(found: &Bound<'_, PyAny>) -> String {
    if TELLS_MORE {
        format!("sixth item of the tuple returned by __reduce__ must be callable, not {}", full_name(found))
    } else {
        format!("sixth element of the tuple returned by __reduce__ must be a function, not {}", type_name(found))
    }
}

pub(super) fn wrong_count_for_newobj_ex(count: usize) -> String {
    if TELLS_MORE {
        format!("__newobj_ex__ expected 3 arguments, got {count}")
    } else {
        format!("length of the NEWOBJ_EX argument tuple must be exactly 3, not {count}")
    }
}

/// An argument of `__newobj_ex__` of the wrong type; `place` is `first`, `second` or `third`.
pub(super) fn wrong_argument_for_newobj_ex(place: &str, wanted: &str, found: &Bound<'_, PyAny>) -> String {
    if TELLS_MORE {
        format!("{place} argument to __newobj_ex__() must be {wanted}, not {}", full_name(found))
    } else {
        format!("{place} item from NEWOBJ_EX argument tuple must be {wanted}, not {:.200}", type_name(found))
    }
}

pub(super) fn no_argument_for_newobj() -> String {
    if TELLS_MORE { "__newobj__ expected at least 1 argument, got 0" } else { "__newobj__ arglist is empty" }.to_owned()
}

pub(super) fn no_class_for_newobj(found: &Bound<'_, PyAny>) -> String {
    if TELLS_MORE {
        format!("first argument to __newobj__() must be a class, not {}", full_name(found))
    } else {
        "args[0] from __newobj__ args is not a type".to_owned()
    }
}

pub(super) fn wrong_class_for_newobj<'py>(wanted: &Bound<'py, PyAny>, found: &Bound<'py, PyAny>) -> Said<'py> {
    if TELLS_MORE {
        say(&["first argument to __newobj__() must be ", ", not "], &[wanted.repr()?, found.repr()?])
    } else {
        Ok(PyString::new(wanted.py(), "args[0] from __newobj__ args has the wrong class"))
    }
}

pub(super) fn old_protocol_for_buffer() -> &'static str {
    if cfg!(Py_3_13) {
        "PickleBuffer can only be pickled with protocol >= 5"
    } else {
        "PickleBuffer can only pickled with protocol >= 5"
    }
}

impl<'py> Dumper<'py> {
    /// A `PicklingError` about what `object` says of itself.
    #[cold]
    pub(super) fn complaint(&self, object: Option<&Bound<'py, PyAny>>, text: impl IntoPyObject<'py>) -> PyErr {
        let error = self.pickling_error(text);
        if let (true, Some(object)) = (TELLS_MORE, object) {
            super::notes::add(self.py, &error, &format!("when serializing {} object", full_name(object)));
        }
        error
    }
}
