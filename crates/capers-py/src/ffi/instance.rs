//! Making plain instances again: `NEWOBJ` and `BUILD` for classes that leave both to `object`.
//!
//! The state of an instance is set past its descriptors, into its `__dict__`. Where no descriptor of the class has that name,
//! setting the attribute in the usual way does the same and lets the interpreter keep the values inside the instance, which
//! is smaller and faster than a dict made for it.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

type Object<'py> = Bound<'py, PyAny>;

unsafe extern "C" {
    fn _PyType_Lookup(class: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn _PyObject_GetDictPtr(object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject;
    /// Not declared by pyo3-ffi.
    static mut PyGetSetDescr_Type: ffi::PyTypeObject;
}

/// Whether making an instance of `class` without arguments runs no Python code: `object` does it.
#[inline]
pub(crate) fn is_made_by_object(class: &Bound<'_, PyType>, arguments: &Bound<'_, PyTuple>) -> bool {
    // SAFETY: alive: borrowed. type: type objects, whose slots are read. shared: slots are written with the interpreter held.
    // runs: nothing.
    unsafe {
        let kind = class.as_type_ptr();
        let base = &raw const ffi::PyBaseObject_Type;
        let same = match ((*kind).tp_new, (*base).tp_new) {
            (Some(one), Some(other)) => std::ptr::fn_addr_eq(one, other),
            _ => false,
        };
        same && (*kind).tp_flags & ffi::Py_TPFLAGS_IS_ABSTRACT == 0 && ffi::PyTuple_GET_SIZE(arguments.as_ptr()) == 0
    }
}

/// Whether an object, whose type is one of C code, has no attributes of its own; none are made by asking.
pub(crate) fn has_no_attributes(object: &Object<'_>) -> bool {
    // SAFETY: alive: borrowed; the dict is owned by the object. type: any object; the result is null or points to a dict or to
    // null. shared: read with the interpreter held. runs: no Python code.
    unsafe {
        let place = _PyObject_GetDictPtr(object.as_ptr());
        place.is_null() || (*place).is_null() || ffi::PyDict_Size(*place) == 0
    }
}

/// Whether callable is a type of the interpreter or of a C module, made for good: calling it may run code of arguments, but
/// it is no code of the user's.
#[inline]
pub(crate) fn is_static_type(callable: &Object<'_>) -> bool {
    // SAFETY: alive: borrowed. type: compared before the flags of a type are read. shared: they do not change. runs: nothing.
    unsafe {
        let kind = callable.as_ptr().cast::<ffi::PyTypeObject>();
        callable.get_type_ptr() == &raw mut ffi::PyType_Type && (*kind).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0
    }
}

/// Names as instances keep them: interned. The last ones are remembered, since instances of a class bring the same ones.
#[derive(Default)]
pub(crate) struct Names<'py> {
    known: Vec<Option<(Bound<'py, PyString>, Bound<'py, PyString>)>>,
}

/// How many names are remembered; a power of two.
const NAMES: usize = 64;

impl<'py> Names<'py> {
    fn interned(&mut self, name: &Bound<'py, PyString>) -> Bound<'py, PyString> {
        if self.known.is_empty() {
            self.known.resize_with(NAMES, || None);
        }
        let place = &mut self.known[(name.as_ptr() as usize >> 5) % NAMES];
        if let Some((seen, interned)) = place
            && seen.is(name)
        {
            return interned.clone();
        }
        let interned = super::make::interned(name.clone());
        *place = Some((name.clone(), interned.clone()));
        interned
    }
}

/// Sets the attributes in `state`, as `BUILD` does; `false` if that may run Python code or is not for us, and nothing was done.
///
/// Asks that the type looks attributes up and sets them as `object` does, has no `__setstate__`, and that none of its
/// descriptors catches one of the names.
pub(crate) fn set_attributes<'py>(
    object: &Object<'py>,
    state: &Bound<'py, PyDict>,
    names: &mut Names<'py>,
) -> PyResult<bool> {
    let py = object.py();
    let kind = object.get_type_ptr();
    // SAFETY: alive: the object owns its type. type: a type object. shared: read with the interpreter held. runs: looking a name up
    // in a type runs nothing: the namespaces of classes have str keys.
    let plain = unsafe {
        let (get, set): (ffi::getattrofunc, ffi::setattrofunc) =
            (ffi::PyObject_GenericGetAttr, ffi::PyObject_GenericSetAttr);
        (*kind).tp_getattro.is_some_and(|it| std::ptr::fn_addr_eq(it, get))
            && (*kind).tp_setattro.is_some_and(|it| std::ptr::fn_addr_eq(it, set))
            && _PyType_Lookup(kind, intern!(py, "__setstate__").as_ptr()).is_null()
            && {
                let dict = _PyType_Lookup(kind, intern!(py, "__dict__").as_ptr());
                !dict.is_null() && ffi::Py_TYPE(dict) == &raw mut PyGetSetDescr_Type
            }
    };
    if !plain {
        return Ok(false);
    }
    let (mut at, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: alive: the state is borrowed and owns its keys and values. type: the pyo3 type says dict. shared: the interpreter is
    // held. runs: nothing, so that what the loop borrows stays.
    let free = unsafe {
        let mut free = true;
        while free && ffi::PyDict_Next(state.as_ptr(), &raw mut at, &raw mut key, &raw mut value) != 0 {
            free = ffi::Py_TYPE(key) == &raw mut ffi::PyUnicode_Type && {
                let found = _PyType_Lookup(kind, key);
                found.is_null() || (*ffi::Py_TYPE(found)).tp_descr_set.is_none()
            };
        }
        free
    };
    // An instance that has an attribute `__setstate__` of its own is asked, and one that gets one is asked the next time.
    if !free
        || state.contains(intern!(py, "__setstate__"))?
        || super::make::attribute(object, intern!(py, "__setstate__"))?.is_some()
    {
        return Ok(false);
    }
    at = 0;
    loop {
        // SAFETY: alive: the state is borrowed; key and value are owned before anything else happens. type: the keys have been found
        // to be exact str, and nothing has run since. shared: the interpreter is held. runs: nothing.
        let (key, value) = unsafe {
            if ffi::PyDict_Next(state.as_ptr(), &raw mut at, &raw mut key, &raw mut value) == 0 {
                return Ok(true);
            }
            (Bound::from_borrowed_ptr(py, key).cast_into_unchecked::<PyString>(), Bound::from_borrowed_ptr(py, value))
        };
        let name = names.interned(&key);
        // SAFETY: alive: all three are owned here. type: any object whose type sets attributes in this way, and a str. shared: nothing
        // is borrowed across the call. runs: no descriptor has this name, so that no Python code runs but what a value that is
        // replaced does when it goes; the state dict belongs to the machine, which nobody else can reach.
        if unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value.as_ptr()) } < 0 {
            return Err(PyErr::fetch(py));
        }
    }
}
