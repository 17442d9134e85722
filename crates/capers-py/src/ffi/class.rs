//! What a class holds and what it is, without asking its metaclass.

use std::os::raw::c_ulong;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

use super::access::{dict_get, dict_next};

/// The namespace of `class`, as it is now.
#[inline]
pub(crate) fn namespace<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyDict>> {
    live(class)?.copy()
}

/// What `class` itself holds under `name`.
#[inline]
pub(crate) fn own<'py>(class: &Bound<'py, PyType>, name: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    dict_get(&live(class)?, name.as_any())
}

/// The dict behind a class; nothing may be written into it, so it does not leave this file.
#[inline]
fn live<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyDict>> {
    let py = class.py();
    // SAFETY: alive: `class` is an owned handle; the result is owned at once, or a new reference. type: a PyType is a type object,
    // and its namespace is a dict, which the cast finds out. shared: GIL; nothing is written. runs: nothing.
    let dict = unsafe {
        let ptr = class.as_ptr().cast::<ffi::PyTypeObject>();
        #[cfg(Py_3_12)]
        let dict = Bound::from_owned_ptr_or_err(py, ffi::PyType_GetDict(ptr))?;
        #[cfg(not(Py_3_12))]
        let dict = Bound::from_borrowed_ptr_or_err(py, (*ptr).tp_dict)?;
        dict
    };
    Ok(dict.cast_into()?)
}

/// Visits the names and values that `class` itself holds, in order.
pub(crate) fn each_entry<'py, E: From<PyErr>>(
    class: &Bound<'py, PyType>,
    mut visit: impl FnMut(&Bound<'py, PyAny>, Bound<'py, PyAny>) -> Result<(), E>,
) -> Result<(), E> {
    let (dict, mut position) = (live(class)?, 0);
    while let Some((name, value)) = dict_next(&dict, &mut position) {
        visit(&name, value)?;
    }
    Ok(())
}

/// The qualname of `class`, whatever its metaclass has under that name.
#[inline]
pub(crate) fn qualname<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyString>> {
    // SAFETY: alive: owned handle; the result is a new reference. type: a PyType is a type object, and a qualname is a str, which
    // the cast finds out. shared: a plain read under the GIL. runs: nothing.
    let name = unsafe { Bound::from_owned_ptr_or_err(class.py(), ffi::PyType_GetQualName(class.as_ptr().cast()))? };
    Ok(name.cast_into()?)
}

/// The type flags of `class`.
#[inline]
pub(crate) fn flags(class: &Bound<'_, PyType>) -> c_ulong {
    // SAFETY: alive: owned handle. type: a PyType is a type object. shared: a plain read under the GIL. runs: nothing.
    unsafe { ffi::PyType_GetFlags(class.as_ptr().cast()) }
}

/// The kinds of objects that classes keep their behaviour in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A method of C code.
    Native,
    /// What `__slots__` made, or a field of C code.
    Slot,
    ClassMethod,
    StaticMethod,
    Property,
    Other,
}

/// What `value` is, exactly, to the class that holds it.
#[inline]
pub(crate) fn holder(value: &Bound<'_, PyAny>) -> Holder {
    let ptr = value.get_type_ptr();
    if ptr == &raw mut ffi::PyProperty_Type {
        Holder::Property
    } else if ptr == &raw mut ffi::PyClassMethod_Type {
        Holder::ClassMethod
    } else if ptr == &raw mut ffi::PyStaticMethod_Type {
        Holder::StaticMethod
    } else if ptr == &raw mut ffi::PyMemberDescr_Type || ptr == &raw mut ffi::PyGetSetDescr_Type {
        Holder::Slot
    } else if ptr == &raw mut ffi::PyMethodDescr_Type
        || ptr == &raw mut ffi::PyWrapperDescr_Type
        || ptr == &raw mut ffi::PyClassMethodDescr_Type
    {
        Holder::Native
    } else {
        Holder::Other
    }
}
