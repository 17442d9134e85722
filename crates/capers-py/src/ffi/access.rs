//! Reading containers, strings and integers without assuming that they stand still.
//!
//! Every function owns what it returns and reads the length anew, so that a container changed by Python code between
//! two calls costs an item or gives an error, and is never read out of bounds.

use std::borrow::Cow;

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyInt, PyList, PyString, PyTuple};

use super::reserve;

/// The item `index` of `list`, or `None` past its present end.
#[inline]
pub(crate) fn list_item<'py>(list: &Bound<'py, PyList>, index: usize) -> Option<Bound<'py, PyAny>> {
    // SAFETY: alive: `list` is owned by the caller's handle. type: PyList holds for subclasses too, the macro reads the
    // PyListObject that all of them start with. shared: the GIL is held and the size is read right here. runs: nothing.
    unsafe {
        if index >= ffi::PyList_GET_SIZE(list.as_ptr()) as usize {
            return None;
        }
        Bound::from_borrowed_ptr_or_opt(list.py(), ffi::PyList_GET_ITEM(list.as_ptr(), index as ffi::Py_ssize_t))
    }
}

/// The item `index` of `tuple`, or `None` past its end or where a tuple under construction has a hole.
#[inline]
pub(crate) fn tuple_item<'py>(tuple: &Bound<'py, PyTuple>, index: usize) -> Option<Bound<'py, PyAny>> {
    // SAFETY: alive: `tuple` is owned by the caller's handle. type: PyTuple, subclasses share its layout. shared: a tuple's
    // size never changes and the GIL is held while the item is owned. runs: nothing.
    unsafe {
        if index >= ffi::PyTuple_GET_SIZE(tuple.as_ptr()) as usize {
            return None;
        }
        Bound::from_borrowed_ptr_or_opt(tuple.py(), ffi::PyTuple_GET_ITEM(tuple.as_ptr(), index as ffi::Py_ssize_t))
    }
}

/// The next pair of `dict` at `position`, which starts at 0 and is moved on; `None` at the end.
///
/// Iteration over a dict that changes in between may skip or repeat pairs, as `PyDict_Next` documents; callers compare the
/// size before and after.
#[inline]
pub(crate) fn dict_next<'py>(
    dict: &Bound<'py, PyDict>,
    position: &mut isize,
) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let mut key = std::ptr::null_mut();
    let mut value = std::ptr::null_mut();
    // SAFETY: alive: `dict` is owned by the caller's handle; key and value are borrowed from it and owned before anything
    // else happens. type: PyDict or a subclass of it. shared: the GIL is held; PyDict_Next checks the position against the
    // present table. runs: nothing.
    unsafe {
        if ffi::PyDict_Next(dict.as_ptr(), position, &raw mut key, &raw mut value) == 0 {
            return None;
        }
        Some((Bound::from_borrowed_ptr(dict.py(), key), Bound::from_borrowed_ptr(dict.py(), value)))
    }
}

/// The number of pairs in `dict` now.
#[inline]
pub(crate) fn dict_len(dict: &Bound<'_, PyDict>) -> usize {
    // SAFETY: alive: owned handle. type: PyDict. shared: a plain read under the GIL. runs: nothing.
    unsafe { ffi::PyDict_Size(dict.as_ptr()) as usize }
}

/// The value of the exact-`str` key `name` in `dict`, without raising for a missing key.
#[inline]
pub(crate) fn dict_get<'py>(
    dict: &Bound<'py, PyDict>,
    name: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    // SAFETY: alive: both are owned handles, the borrowed result is owned at once. type: PyDict, any key. shared: GIL. runs: a
    // key in the dict that collides with `name` may run its __eq__; nothing is borrowed across that call.
    unsafe {
        let found = ffi::PyDict_GetItemWithError(dict.as_ptr(), name.as_ptr());
        if found.is_null() {
            return match PyErr::take(dict.py()) {
                Some(error) => Err(error),
                None => Ok(None),
            };
        }
        Ok(Some(Bound::from_borrowed_ptr(dict.py(), found)))
    }
}

/// The UTF-8 of `text`, lone surrogates encoded as CPython's `surrogatepass` does.
#[inline]
pub(crate) fn str_bytes<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, [u8]>> {
    let mut len: ffi::Py_ssize_t = 0;
    // SAFETY: alive: `text` outlives the slice by the signature, and a str never changes; the UTF-8 form is kept in the object.
    // type: PyString or a subclass. shared: immutable. runs: nothing (an encoder of the core, no registered handler).
    let data = unsafe { ffi::PyUnicode_AsUTF8AndSize(text.as_ptr(), &raw mut len) };
    if data.is_null() {
        return surrogates(text);
    }
    // SAFETY: alive: as above. type: `len` bytes at `data` by the contract of the call. shared: immutable. runs: nothing.
    Ok(Cow::Borrowed(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len as usize) }))
}

#[cold]
fn surrogates<'a>(text: &Bound<'_, PyString>) -> PyResult<Cow<'a, [u8]>> {
    let py = text.py();
    drop(PyErr::take(py));
    let encoded = text.call_method1(intern!(py, "encode"), (intern!(py, "utf-8"), intern!(py, "surrogatepass")))?;
    Ok(Cow::Owned(reserve::try_copy(encoded.cast::<PyBytes>()?.as_bytes())?))
}

/// A string of this many characters is a large part.
const LONG: ffi::Py_ssize_t = 1 << 18;

/// Whether `text` is so long that a second form of it had better not be kept in the object.
#[inline]
pub(crate) fn is_long(text: &Bound<'_, PyString>) -> bool {
    // SAFETY: alive: owned handle. type: PyString; every str, compact or not, begins with a PyASCIIObject. shared: a str never
    // changes its length. runs: nothing.
    unsafe { (*text.as_ptr().cast::<ffi::PyASCIIObject>()).length >= LONG }
}

/// Whether `text` has ASCII characters only, so that its UTF-8 is its own memory.
pub(crate) fn is_only_ascii(text: &Bound<'_, PyString>) -> PyResult<bool> {
    let py = text.py();
    py.get_type::<PyString>().call_method1(intern!(py, "isascii"), (text,))?.is_truthy()
}

/// The UTF-8 of `text` as bytes of their own, lone surrogates as in [`str_bytes`]; nothing is kept in the object.
pub(crate) fn encode<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
    let py = text.py();
    // SAFETY: alive: owned handle; the result is a new reference or null. type: PyString. shared: immutable. runs: nothing (an
    // encoder of the core, no registered handler).
    let plain = unsafe { Bound::from_owned_ptr_or_opt(py, ffi::PyUnicode_AsUTF8String(text.as_ptr())) };
    let encoded = match plain {
        Some(encoded) => encoded,
        None => {
            drop(PyErr::take(py));
            let class = py.get_type::<PyString>();
            class.call_method1(intern!(py, "encode"), (text, intern!(py, "utf-8"), intern!(py, "surrogatepass")))?
        }
    };
    Ok(encoded.cast_into()?)
}

/// Whether `text`, whose UTF-8 is `bytes`, is pure ASCII: each character has one byte.
#[inline]
pub(crate) fn is_ascii(text: &Bound<'_, PyString>, bytes: &[u8]) -> bool {
    // SAFETY: alive: owned handle. type: PyString. shared: a str never changes its length. runs: nothing.
    (unsafe { ffi::PyUnicode_GetLength(text.as_ptr()) }) as usize == bytes.len()
}

/// The hash of an exact `str`, which is kept in the object.
#[inline]
pub(crate) fn str_hash(text: &Bound<'_, PyString>) -> isize {
    // SAFETY: alive: owned handle. type: called for exact str only, whose hash cannot fail; a subclass's own __hash__ is not
    // asked because the type's slot is named. shared: immutable. runs: nothing.
    unsafe { (ffi::PyUnicode_Type.tp_hash).map_or(0, |hash| hash(text.as_ptr())) }
}

/// Whether two exact `str` have the same value.
#[inline]
pub(crate) fn str_eq(a: &Bound<'_, PyString>, b: &Bound<'_, PyString>) -> bool {
    // SAFETY: alive: owned handles. type: both are str, as PyUnicode_Compare wants. shared: immutable. runs: nothing.
    a.is(b) || unsafe { ffi::PyUnicode_Compare(a.as_ptr(), b.as_ptr()) == 0 }
}

/// The value of an int if it fits 64 bits.
#[inline]
pub(crate) fn int_value(int: &Bound<'_, PyInt>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: alive: owned handle. type: PyInt or a subclass; its digits are read, no __index__ is called. shared: immutable.
    // runs: nothing.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(int.as_ptr(), &raw mut overflow) };
    (overflow == 0).then_some(value)
}

/// Shortest little-endian two's complement of an int beyond 64 bits.
pub(crate) fn int_bytes(int: &Bound<'_, PyInt>) -> PyResult<Vec<u8>> {
    let py = int.py();
    let as_int = py.get_type::<PyInt>();
    let bits: usize = as_int.call_method1(intern!(py, "bit_length"), (int,))?.extract()?;
    let kwargs = PyDict::new(py);
    kwargs.set_item(intern!(py, "signed"), true)?;
    let bytes =
        as_int.getattr(intern!(py, "to_bytes"))?.call((int, bits / 8 + 1, intern!(py, "little")), Some(&kwargs))?;
    let mut bytes = reserve::try_copy(bytes.cast::<PyBytes>()?.as_bytes())?;
    // A negative power of two has one byte too many.
    if let [.., before, 0xff] = bytes[..]
        && before & 0x80 != 0
    {
        bytes.pop();
    }
    Ok(bytes)
}

/// A copy of a bytearray's content at this moment.
pub(crate) fn bytearray_copy(array: &Bound<'_, PyByteArray>) -> PyResult<Vec<u8>> {
    // SAFETY: alive: owned handle. type: PyByteArray. shared: the interpreter is held while the bytes are copied. runs: nothing.
    reserve::try_copy(unsafe { array.as_bytes() })
}

unsafe extern "C" {
    fn _PySet_NextEntry(
        set: *mut ffi::PyObject,
        position: *mut ffi::Py_ssize_t,
        key: *mut *mut ffi::PyObject,
        hash: *mut ffi::Py_hash_t,
    ) -> std::os::raw::c_int;
}

/// The next element of a set or frozenset at `position`, which starts at 0 and is moved on; null at the end.
///
/// # Safety
/// The object must be alive and a set or frozenset; the element is borrowed from it.
#[inline]
pub(super) unsafe fn set_entry(set: *mut ffi::PyObject, position: &mut isize) -> *mut ffi::PyObject {
    let (mut key, mut hash) = (std::ptr::null_mut(), 0);
    // SAFETY: alive, type: promised by the caller. shared: the interpreter is held; the position is checked against the present
    // table. runs: nothing.
    unsafe {
        if _PySet_NextEntry(set, position, &raw mut key, &raw mut hash) == 0 {
            return std::ptr::null_mut();
        }
    }
    key
}

/// The next element of `set` at `position`; `None` at the end, and where `set` is neither a set nor a frozenset.
pub(crate) fn set_next<'py>(set: &Bound<'py, PyAny>, position: &mut isize) -> Option<Bound<'py, PyAny>> {
    if !is_set(set) {
        return None;
    }
    // SAFETY: alive: owned handle, the element is owned at once. type: checked above. shared: the interpreter is held. runs:
    // nothing.
    unsafe { Bound::from_borrowed_ptr_or_opt(set.py(), set_entry(set.as_ptr(), position)) }
}

/// The number of elements in a set or frozenset now; 0 for anything else.
pub(crate) fn set_len(set: &Bound<'_, PyAny>) -> usize {
    if !is_set(set) {
        return 0;
    }
    // SAFETY: alive: owned handle. type: checked above. shared: a plain read with the interpreter held. runs: nothing.
    unsafe { ffi::PySet_Size(set.as_ptr()) as usize }
}

fn is_set(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: alive: owned handle. type: any. shared, runs: reads the object's type and compares it.
    unsafe { ffi::PyAnySet_Check(object.as_ptr()) != 0 }
}

/// The items of a set or frozenset in iteration order, owned.
pub(crate) fn set_items<'py>(set: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let mut items = Vec::new();
    for item in set.try_iter()? {
        reserve::push(&mut items, item?);
    }
    Ok(items)
}

/// The attribute `name` of `object`, or `None` without making an exception first where there is none.
#[inline]
pub(crate) fn attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    unsafe extern "C" {
        #[cfg_attr(not(Py_3_13), link_name = "_PyObject_LookupAttr")]
        fn PyObject_GetOptionalAttr(
            object: *mut ffi::PyObject,
            name: *mut ffi::PyObject,
            result: *mut *mut ffi::PyObject,
        ) -> std::os::raw::c_int;
    }
    let mut found = std::ptr::null_mut();
    // SAFETY: alive: owned handles; the result is a new reference or null. type: any object and a str, as the function wants; up to
    // 3.12 it has another name and the same signature. shared: nothing is borrowed across the call. runs: attribute access may run
    // Python code.
    unsafe {
        if PyObject_GetOptionalAttr(object.as_ptr(), name.as_ptr(), &raw mut found) < 0 {
            return Err(PyErr::fetch(object.py()));
        }
        Ok(Bound::from_owned_ptr_or_opt(object.py(), found))
    }
}

/// What a cell holds now, `None` when it is empty; an error when `cell` is not a cell.
pub(crate) fn cell_content<'py>(cell: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    // SAFETY: alive: owned handle; PyCell_Get returns a new reference. type: checked by PyCell_Check before. shared: GIL. runs:
    // nothing.
    unsafe {
        if ffi::Py_TYPE(cell.as_ptr()) != &raw mut ffi::PyCell_Type {
            return Err(PyRuntimeError::new_err("expected a cell"));
        }
        Ok(Bound::from_owned_ptr_or_opt(cell.py(), ffi::PyCell_Get(cell.as_ptr())))
    }
}

/// What the method `name` of `object` gives for one argument; `None` where attributes of its type are not looked up in the
/// plain way.
pub(crate) fn call_method<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let args = [object.as_ptr(), argument.as_ptr()];
    // SAFETY: alive: all three are owned by the caller for the whole call. type: any object; a type always has the slot, and
    // `PyObject_VectorcallMethod` wants the object first. shared: nothing is borrowed from them. runs: any Python code may run.
    unsafe {
        let plain: ffi::getattrofunc = ffi::PyObject_GenericGetAttr;
        let slot = (*object.get_type_ptr()).tp_getattro;
        if !slot.is_some_and(|slot| std::ptr::fn_addr_eq(slot, plain)) {
            return Ok(None);
        }
        let made = ffi::PyObject_VectorcallMethod(name.as_ptr(), args.as_ptr(), 2, std::ptr::null_mut());
        Bound::from_owned_ptr_or_err(object.py(), made).map(Some)
    }
}

/// How many references there are to an object, `object` itself among them.
pub(crate) fn references(object: &Bound<'_, PyAny>) -> isize {
    // SAFETY: alive: borrowed. type: any. shared: one read. runs: nothing.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) }
}
