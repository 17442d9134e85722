//! Making and filling objects for the loading side.
//!
//! Each function here owns what it takes and returns a strong reference. Arguments that must be of one exact type are
//! typed so; where the type is only known at run time it is checked first.

use std::ffi::{CString, c_char, c_int, c_long};
use std::vec::Drain;

use pyo3::exceptions::{PyMemoryError, PyOverflowError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCode, PyDict, PyFunction, PyList, PyModule, PySet, PyString, PyTuple, PyType};

use super::growing::{HUGE, advise};

type Object<'py> = Bound<'py, PyAny>;

unsafe extern "C" {
    fn PySys_Audit(event: *const c_char, format: *const c_char, ...) -> c_int;
    fn _PyLong_FromByteArray(bytes: *const u8, count: usize, little_endian: c_int, signed: c_int)
    -> *mut ffi::PyObject;
    fn _PyLong_New(digits: ffi::Py_ssize_t) -> *mut ffi::PyObject;
    fn _PyObject_GenericGetAttrWithDict(
        object: *mut ffi::PyObject,
        name: *mut ffi::PyObject,
        dict: *mut ffi::PyObject,
        suppress: c_int,
    ) -> *mut ffi::PyObject;
    fn _PySet_Update(set: *mut ffi::PyObject, iterable: *mut ffi::PyObject) -> c_int;
}

/// Whether one lock guards all objects: free-threaded builds have a longer object header.
const HAS_GIL: bool = size_of::<ffi::PyObject>() == 2 * size_of::<usize>();

/// `-1` means that an exception is set.
#[inline]
fn done(py: Python<'_>, status: c_int) -> PyResult<()> {
    if status < 0 { Err(PyErr::fetch(py)) } else { Ok(()) }
}

/// A tuple of the items.
#[inline]
pub(crate) fn tuple<'py>(py: Python<'py>, items: Drain<'_, Object<'py>>) -> PyResult<Bound<'py, PyTuple>> {
    let count = items.len();
    // SAFETY: alive: the new tuple and the items are owned here. type: `PyTuple_New` returns an exact tuple of `count`
    // slots, and the drain yields exactly `count` items, so each slot is set once. shared: the tuple may be visible to the
    // garbage collector from here on, which skips empty slots. runs: a collection may run Python code inside `PyTuple_New`
    // only, before the first item is placed; placing an item is a store.
    unsafe {
        let made = Bound::from_owned_ptr_or_err(py, ffi::PyTuple_New(count as ffi::Py_ssize_t))?;
        for (at, item) in items.enumerate() {
            ffi::PyTuple_SET_ITEM(made.as_ptr(), at as ffi::Py_ssize_t, item.into_ptr());
        }
        Ok(made.cast_into_unchecked())
    }
}

/// A list of the items.
#[inline]
pub(crate) fn list<'py>(py: Python<'py>, items: Drain<'_, Object<'py>>) -> PyResult<Bound<'py, PyList>> {
    let count = items.len();
    // SAFETY: alive: the new list and the items are owned here. type: `PyList_New` returns an exact list of `count` empty
    // slots, and the drain yields exactly `count` items. shared: nobody has a reference to the list yet but the garbage
    // collector, which skips empty slots. runs: a collection may run Python code inside `PyList_New` only; placing an
    // item is a store.
    unsafe {
        let made = Bound::from_owned_ptr_or_err(py, ffi::PyList_New(count as ffi::Py_ssize_t))?;
        let slots = (*made.as_ptr().cast::<ffi::PyListObject>()).ob_item;
        for (at, item) in items.enumerate() {
            *slots.add(at) = item.into_ptr();
        }
        Ok(made.cast_into_unchecked())
    }
}

/// Extend an exact list by the items.
///
/// The references move straight into the list's array, which grows as the interpreter's own `list_resize` grows it (`Objects/listobject.c`,
/// the same from 3.11 to 3.15).
#[inline]
pub(crate) fn extend<'py>(list: &Bound<'py, PyList>, items: Drain<'_, Object<'py>>) -> PyResult<()> {
    let py = list.py();
    // SAFETY: alive: the list is borrowed and the items are owned. type: the pyo3 type says list, so the layout is CPython's;
    // the array comes from `PyMem_Realloc`, as `list_resize` makes it. shared: size and array are read here and written
    // back in one stretch with the interpreter held; a list that is being sorted (`allocated` below zero) is left to
    // CPython, as is any list of a free-threaded build. runs: no Python code; reallocating runs none.
    unsafe {
        let raw = list.as_ptr().cast::<ffi::PyListObject>();
        if HAS_GIL && (*raw).allocated >= 0 {
            let (before, count) = ((*raw).ob_base.ob_size.unsigned_abs(), items.len());
            let after = before + count;
            if after > (*raw).allocated.unsigned_abs() {
                let room = if before == 0 { (after + 1) & !1 } else { (after + (after >> 3) + 6) & !3 };
                let bytes = room.saturating_mul(size_of::<*mut ffi::PyObject>());
                let array = ffi::PyMem_Realloc((*raw).ob_item.cast(), bytes).cast::<*mut ffi::PyObject>();
                if array.is_null() {
                    return Err(PyMemoryError::new_err(()));
                }
                (*raw).ob_item = array;
                (*raw).allocated = room as ffi::Py_ssize_t;
            }
            let mut slot = (*raw).ob_item.add(before);
            for item in items {
                slot.write(item.into_ptr());
                slot = slot.add(1);
            }
            (*raw).ob_base.ob_size = after as ffi::Py_ssize_t;
            return Ok(());
        }
        let more = self::list(py, items)?;
        let end = ffi::PyList_Size(list.as_ptr());
        done(py, ffi::PyList_SetSlice(list.as_ptr(), end, end, more.as_ptr()))
    }
}

/// Append to an exact list.
#[inline]
pub(crate) fn append(list: &Bound<'_, PyList>, item: &Object<'_>) -> PyResult<()> {
    // SAFETY: alive: both are borrowed by the caller. type: the pyo3 type says list. shared: CPython locks where it must.
    // runs: appending runs no Python code.
    done(list.py(), unsafe { ffi::PyList_Append(list.as_ptr(), item.as_ptr()) })
}

/// Set an item of an exact dict.
#[inline]
pub(crate) fn dict_set(dict: &Bound<'_, PyDict>, key: &Object<'_>, value: &Object<'_>) -> PyResult<()> {
    // SAFETY: alive: all three are owned by the caller for the whole call. type: the pyo3 type says dict. shared: CPython
    // keeps its own references while it compares. runs: hashing and comparing keys may run Python code; nothing borrowed
    // from the dict is kept across it.
    done(dict.py(), unsafe { ffi::PyDict_SetItem(dict.as_ptr(), key.as_ptr(), value.as_ptr()) })
}

/// `object[key] = value` for any object.
#[inline]
pub(crate) fn set_item(object: &Object<'_>, key: &Object<'_>, value: &Object<'_>) -> PyResult<()> {
    // SAFETY: alive: all three are owned by the caller for the whole call. type: any. shared: nothing is borrowed from
    // them. runs: any Python code may run.
    done(object.py(), unsafe { ffi::PyObject_SetItem(object.as_ptr(), key.as_ptr(), value.as_ptr()) })
}

/// Add an element to a set, or to a frozenset that nobody else has yet.
#[inline]
pub(crate) fn set_add(set: &Object<'_>, item: &Object<'_>) -> PyResult<()> {
    // SAFETY: alive: both are owned by the caller. type: `PySet_Add` checks for a set, or a frozenset with one reference. shared:
    // CPython keeps its own references while it compares. runs: hashing and comparing may run Python code.
    done(set.py(), unsafe { ffi::PySet_Add(set.as_ptr(), item.as_ptr()) })
}

/// Add the items of a tuple to a set or to an instance of a subclass of set.
pub(crate) fn set_update(set: &Bound<'_, PySet>, items: &Bound<'_, PyTuple>) -> PyResult<()> {
    // SAFETY: alive: both are owned by the caller. type: the pyo3 type says set, which is what `_PySet_Update` asks for.
    // shared: the tuple is ours. runs: hashing and comparing may run Python code; nothing is borrowed across it.
    done(set.py(), unsafe { _PySet_Update(set.as_ptr(), items.as_ptr()) })
}

/// A str of UTF-8 with surrogates allowed.
#[inline]
pub(crate) fn text<'py>(py: Python<'py>, utf8: &[u8]) -> PyResult<Object<'py>> {
    let count = utf8.len() as ffi::Py_ssize_t;
    // Strings of length 0 and 1 are shared objects of the interpreter; the decoder finds them.
    if utf8.len() > 1 && utf8.is_ascii() {
        // SAFETY: alive: the new str is owned here. type: with a largest character of 127, `PyUnicode_New` returns a
        // compact ASCII str with room for `count` bytes and the end byte already written. shared: nobody else has it yet.
        // runs: strings are not tracked by the garbage collector, so no Python code runs.
        unsafe {
            let made = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(count, 127))?;
            let to = ffi::PyUnicode_1BYTE_DATA(made.as_ptr());
            if utf8.len() >= HUGE {
                advise(to, utf8.len());
            }
            std::ptr::copy_nonoverlapping(utf8.as_ptr(), to, utf8.len());
            return Ok(made);
        }
    }
    if let [byte] = *utf8
        && byte.is_ascii()
    {
        // SAFETY: alive: the result is owned here. type: any ordinal gives an exact str. shared: strings never change. runs:
        // C code of the interpreter only.
        return unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_FromOrdinal(byte.into())) };
    }
    if let Some(made) = super::decode::wide(py, utf8)? {
        return Ok(made);
    }
    // SAFETY: alive: the bytes are borrowed for the whole call. type: plain memory of the given length. shared: the
    // source of the bytes is never written to while a slice of it is lent. runs: the decoder and "surrogatepass" are C
    // code of the interpreter.
    unsafe {
        let made = ffi::PyUnicode_DecodeUTF8(utf8.as_ptr().cast(), count, c"surrogatepass".as_ptr());
        Bound::from_owned_ptr_or_err(py, made)
    }
}

/// A str of strict UTF-8.
pub(crate) fn strict_text<'py>(py: Python<'py>, utf8: &[u8]) -> PyResult<Object<'py>> {
    // SAFETY: as in `text`: alive: borrowed bytes; type: plain memory; shared: not written to; runs: C code only.
    unsafe {
        let made = ffi::PyUnicode_DecodeUTF8(utf8.as_ptr().cast(), utf8.len() as ffi::Py_ssize_t, std::ptr::null());
        Bound::from_owned_ptr_or_err(py, made)
    }
}

/// A str of strict ASCII.
pub(crate) fn ascii<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Object<'py>> {
    // SAFETY: as in `text`: alive: borrowed bytes; type: plain memory; shared: not written to; runs: C code only.
    unsafe {
        let made = ffi::PyUnicode_DecodeASCII(bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t, std::ptr::null());
        Bound::from_owned_ptr_or_err(py, made)
    }
}

/// A str of each byte as the character of the same number.
pub(crate) fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    // SAFETY: as in `text`: alive: borrowed bytes; type: plain memory, and the result is an exact str; shared: not written to;
    // runs: C code only.
    unsafe {
        let made = ffi::PyUnicode_DecodeLatin1(bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t, std::ptr::null());
        Ok(Bound::from_owned_ptr_or_err(py, made)?.cast_into_unchecked())
    }
}

/// A str of raw-unicode-escape text.
pub(crate) fn raw_unicode<'py>(py: Python<'py>, escaped: &[u8]) -> PyResult<Object<'py>> {
    let count = escaped.len() as ffi::Py_ssize_t;
    // SAFETY: as in `text`: alive: borrowed bytes; type: plain memory; shared: not written to; runs: C code only.
    unsafe {
        let made = ffi::PyUnicode_DecodeRawUnicodeEscape(escaped.as_ptr().cast(), count, std::ptr::null());
        Bound::from_owned_ptr_or_err(py, made)
    }
}

/// The bytes that a Python 2 string literal stands for.
pub(crate) fn decode_escapes<'py>(py: Python<'py>, escaped: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let owned = super::reserve::try_copy(escaped)?;
    let count = owned.len() as ffi::Py_ssize_t;
    // SAFETY: alive: a copy of our own. type: plain memory; with no `errors` the decoder is strict. shared: the copy is
    // ours. runs: a warning about an unknown escape may run Python code, which cannot reach the copy.
    unsafe {
        let made = ffi::PyBytes_DecodeEscape(owned.as_ptr().cast(), count, std::ptr::null(), 0, std::ptr::null());
        Ok(Bound::from_owned_ptr_or_err(py, made)?.cast_into_unchecked())
    }
}

/// Bytes in any encoding.
pub(crate) fn decode<'py>(py: Python<'py>, bytes: &[u8], encoding: &str, errors: &str) -> PyResult<Object<'py>> {
    let owned = super::reserve::try_copy(bytes)?;
    let (encoding, errors) = (CString::new(encoding)?, CString::new(errors)?);
    // SAFETY: alive: all three are copies of our own. type: plain memory and C strings. shared: they are ours. runs: a
    // codec may be Python code, which cannot reach the copies.
    unsafe {
        let count = owned.len() as ffi::Py_ssize_t;
        let made = ffi::PyUnicode_Decode(owned.as_ptr().cast(), count, encoding.as_ptr(), errors.as_ptr());
        Bound::from_owned_ptr_or_err(py, made)
    }
}

/// A float.
#[inline]
pub(crate) fn float(py: Python<'_>, value: f64) -> PyResult<Object<'_>> {
    // SAFETY: alive: the result is owned. type: a float. shared: floats are immutable. runs: no Python code.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyFloat_FromDouble(value)) }
}

/// A bytes object.
#[inline]
pub(crate) fn bytes<'py>(py: Python<'py>, content: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    // SAFETY: alive: the content is borrowed for the whole call. type: plain memory of the given length; the result is exact
    // bytes. shared: not written to while lent. runs: no Python code.
    unsafe {
        let made = ffi::PyBytes_FromStringAndSize(content.as_ptr().cast(), content.len() as ffi::Py_ssize_t);
        Ok(Bound::from_owned_ptr_or_err(py, made)?.cast_into_unchecked())
    }
}

/// A bytearray.
pub(crate) fn bytearray<'py>(py: Python<'py>, content: &[u8]) -> PyResult<Object<'py>> {
    // SAFETY: alive: the content is borrowed for the whole call. type: plain memory of the given length. shared: not written
    // to while lent. runs: no Python code.
    unsafe {
        let made = ffi::PyByteArray_FromStringAndSize(content.as_ptr().cast(), content.len() as ffi::Py_ssize_t);
        Bound::from_owned_ptr_or_err(py, made)
    }
}

/// An empty list.
#[inline]
pub(crate) fn empty_list(py: Python<'_>) -> PyResult<Object<'_>> {
    // SAFETY: alive: the result is owned. type: a list. shared: it is new. runs: a collection may run Python code; nothing is
    // borrowed across it.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyList_New(0)) }
}

/// An empty dict.
#[inline]
pub(crate) fn empty_dict(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    // SAFETY: alive: the result is owned. type: an exact dict. shared: it is new. runs: a collection may run Python code;
    // nothing is borrowed across it.
    unsafe { Ok(Bound::from_owned_ptr_or_err(py, ffi::PyDict_New())?.cast_into_unchecked()) }
}

/// An int.
#[inline]
pub(crate) fn int(py: Python<'_>, value: i64) -> PyResult<Object<'_>> {
    // SAFETY: alive: the result is owned. type: an int. shared: ints are immutable. runs: no Python code.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyLong_FromLong(value as c_long)) }
}

/// Bits in a digit of an int.
const DIGIT: usize = 30;

/// Ints below zero are turned round in a buffer of this size.
const TURNED: usize = 256;

/// An int of two's complement little-endian bytes, by writing its digits: the interpreter takes the bytes one by one. `None`
/// for ints of fewer than three digits, which the interpreter may have made already, and for huge ones below zero.
///
/// The layout of ints must be known.
#[inline]
pub(crate) fn big_int<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Option<Object<'py>>> {
    let mut turned;
    let negative = bytes.last().is_some_and(|&last| last >= 0x80);
    let bytes = if negative {
        turned = [0; TURNED];
        let Some(turned) = turned.get_mut(..bytes.len()) else { return Ok(None) };
        let mut carry = true;
        for (to, &from) in turned.iter_mut().zip(bytes) {
            (*to, carry) = (!from).overflowing_add(carry.into());
        }
        &*turned
    } else {
        bytes
    };
    let zeros = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
    let bytes = &bytes[..bytes.len() - zeros];
    let Some(top) = bytes.last() else { return Ok(None) };
    let digits = (bytes.len() * 8 - top.leading_zeros() as usize).div_ceil(DIGIT);
    if digits < 3 {
        return Ok(None);
    }
    // SAFETY: alive: the new int is owned here. type: an int with room for as many digits as asked for, which are all written, and
    // the highest of which is not zero, as its rules are. shared: nobody else has it yet. runs: no Python code.
    unsafe {
        let made = Bound::from_owned_ptr_or_err(py, _PyLong_New(digits as ffi::Py_ssize_t))?;
        let (to, room, _) = super::layout::digits(made.as_ptr());
        assert!(room == digits);
        let to = to.cast_mut();
        for place in 0..digits {
            let (from, shift) = (place * DIGIT / 8, place * DIGIT % 8);
            let word = match bytes[from..].first_chunk() {
                Some(&word) => word,
                None => {
                    let mut word = [0; 8];
                    word[..bytes.len() - from].copy_from_slice(&bytes[from..]);
                    word
                }
            };
            to.add(place).write((u64::from_le_bytes(word) >> shift) as u32 & ((1 << DIGIT) - 1));
        }
        if negative {
            super::layout::negate(made.as_ptr());
        }
        Ok(Some(made))
    }
}

/// An int of two's complement little-endian bytes.
#[inline]
pub(crate) fn int_from_bytes<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Object<'py>> {
    if bytes.len() <= 8 {
        let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        return int(py, i64::from_le_bytes(wide));
    }
    // SAFETY: alive: the bytes are borrowed for the whole call. type: plain memory of the given length. shared: not
    // written to while lent. runs: no Python code.
    unsafe {
        let made = _PyLong_FromByteArray(bytes.as_ptr(), bytes.len(), 1, 1);
        Bound::from_owned_ptr_or_err(py, made)
    }
}

/// An int of text, with Python's rules for the base; the text ends at the first `\0`.
pub(crate) fn int_from_text<'py>(py: Python<'py>, text: &[u8], base: c_int) -> PyResult<Object<'py>> {
    let text = until_nul(text)?;
    // SAFETY: alive: a copy of our own. type: a C string. shared: ours. runs: no Python code.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyLong_FromString(text.as_ptr(), std::ptr::null_mut(), base)) }
}

fn until_nul(text: &[u8]) -> PyResult<CString> {
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    let mut copy = Vec::new();
    copy.try_reserve_exact(end + 1).map_err(|_| PyMemoryError::new_err(()))?;
    copy.extend_from_slice(&text[..end]);
    Ok(CString::new(copy)?)
}

/// A float of a line of text, newline included.
pub(crate) fn float_from_line<'py>(py: Python<'py>, line: &[u8]) -> PyResult<Object<'py>> {
    let text = until_nul(line)?;
    // SAFETY: alive: the text is a copy of our own and outlives `end`, which points into it or at its end byte. type: a C
    // string. shared: ours; the exception class is a static of the interpreter. runs: no Python code.
    unsafe {
        let mut end = std::ptr::null_mut();
        let value = ffi::PyOS_string_to_double(text.as_ptr(), &raw mut end, ffi::PyExc_OverflowError);
        if let Some(error) = PyErr::take(py) {
            return Err(error);
        }
        if !matches!(end.read().cast_unsigned(), b'\n' | 0) {
            return Err(PyValueError::new_err("could not convert string to float"));
        }
        Bound::from_owned_ptr_or_err(py, ffi::PyFloat_FromDouble(value))
    }
}

/// An index of the size that C's `Py_ssize_t` holds.
pub(crate) fn index(value: &Object<'_>) -> PyResult<i64> {
    let too_large = |_| PyOverflowError::new_err("Python int too large to convert to C ssize_t");
    value.extract().map_err(too_large)
}

/// Call with a tuple of arguments; anything else but a tuple is a `TypeError`.
#[inline]
pub(crate) fn call<'py>(callable: &Object<'py>, arguments: &Object<'py>) -> PyResult<Object<'py>> {
    // SAFETY: alive: both are owned by the caller for the whole call. type: `PyObject_CallObject` checks for a tuple.
    // shared: nothing is borrowed from them. runs: any Python code may run.
    unsafe {
        let made = ffi::PyObject_CallObject(callable.as_ptr(), arguments.as_ptr());
        Bound::from_owned_ptr_or_err(callable.py(), made)
    }
}

/// Whether a class can make objects.
pub(crate) fn has_new(class: &Bound<'_, PyType>) -> bool {
    // SAFETY: alive: the class is borrowed. type: the pyo3 type says that it is a type object. shared: one read. runs: no
    // Python code.
    unsafe { (*class.as_type_ptr()).tp_new.is_some() }
}

/// `class.__new__(class, *arguments, **keywords)`, by the slot as `NEWOBJ` does.
#[inline]
pub(crate) fn new_object<'py>(
    class: &Bound<'py, PyType>,
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Option<Object<'py>>> {
    // SAFETY: alive: all are owned by the caller for the whole call. type: a type object, a tuple and a dict, as the slot
    // asks for. shared: nothing is borrowed from them. runs: any Python code may run.
    unsafe {
        let Some(new) = (*class.as_type_ptr()).tp_new else { return Ok(None) };
        let keywords = keywords.map_or(std::ptr::null_mut(), Bound::as_ptr);
        let made = new(class.as_type_ptr(), arguments.as_ptr(), keywords);
        Bound::from_owned_ptr_or_err(class.py(), made).map(Some)
    }
}

/// Raise an audit event with two objects.
#[inline]
pub(crate) fn audit_pair(event: &'static std::ffi::CStr, first: &Object<'_>, second: &Object<'_>) -> PyResult<()> {
    // SAFETY: alive: both objects are borrowed by the caller from owners. type: "OO" takes two objects. shared: nothing is
    // borrowed from them. runs: hooks may run any Python code.
    let status = unsafe { PySys_Audit(event.as_ptr(), c"OO".as_ptr(), first.as_ptr(), second.as_ptr()) };
    done(first.py(), status)
}

/// Raise an audit event with one object.
pub(crate) fn audit(event: &'static std::ffi::CStr, object: &Object<'_>) -> PyResult<()> {
    // SAFETY: alive: the object is borrowed by the caller from an owner. type: "O" takes one object. shared: nothing is
    // borrowed from it. runs: hooks may run any Python code.
    let status = unsafe { PySys_Audit(event.as_ptr(), c"O".as_ptr(), object.as_ptr()) };
    done(object.py(), status)
}

/// The event that `marshal.loads` raises before it looks at its bytes.
pub(crate) fn audit_marshal(data: &Bound<'_, PyBytes>) -> PyResult<()> {
    let bytes = data.as_bytes();
    let count = bytes.len() as ffi::Py_ssize_t;
    // SAFETY: alive: the caller owns the bytes object. type: "y#" takes a pointer and a `Py_ssize_t`. shared: bytes are
    // immutable. runs: hooks may run any Python code; they get a copy.
    let status = unsafe { PySys_Audit(c"marshal.loads".as_ptr(), c"y#".as_ptr(), bytes.as_ptr(), count) };
    done(data.py(), status)
}

/// `marshal.loads`, which raises its own audit events.
pub(crate) fn unmarshal<'py>(data: &Bound<'py, PyBytes>) -> PyResult<Object<'py>> {
    let bytes = data.as_bytes();
    // SAFETY: alive: the caller owns the bytes object. type: plain memory of the given length. shared: bytes are immutable.
    // runs: audit hooks and the hashing of constants run Python code at most; it cannot change the bytes.
    unsafe {
        let made = ffi::PyMarshal_ReadObjectFromString(bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t);
        Bound::from_owned_ptr_or_err(data.py(), made)
    }
}

/// A new function of a code object over a globals dict, as `types.FunctionType` makes it.
///
/// `closure` must hold as many cells as the code has free variables (`free`); otherwise there is no function and the
/// answer is `None`.
pub(crate) fn function<'py>(
    code: &Bound<'py, PyCode>,
    free: usize,
    globals: &Bound<'py, PyDict>,
    closure: Option<&Bound<'py, PyTuple>>,
) -> PyResult<Option<Object<'py>>> {
    if closure.map_or(0, PyTupleMethods::len) != free {
        return Ok(None);
    }
    if closure.is_some_and(|cells| cells.iter_borrowed().any(|cell| !is_cell(&cell))) {
        return Ok(None);
    }
    // SAFETY: alive: the caller owns code, globals and closure. type: a code object, a dict, and a tuple of exactly as many
    // cells as the code has free variables, checked above. shared: the tuple is immutable. runs: making the function may
    // run a collection; nothing is borrowed across it.
    unsafe {
        let py = code.py();
        let made = Bound::from_owned_ptr_or_err(py, ffi::PyFunction_New(code.as_ptr(), globals.as_ptr()))?;
        if let Some(closure) = closure {
            done(py, ffi::PyFunction_SetClosure(made.as_ptr(), closure.as_ptr()))?;
        }
        Ok(Some(made))
    }
}

/// Whether an exact function has a `__dict__` already.
pub(crate) fn function_has_dict(function: &Bound<'_, PyFunction>) -> bool {
    // SAFETY: alive: borrowed. type: the pyo3 type says function, which cannot be subclassed. shared: one read. runs: no
    // Python code.
    unsafe { !(*function.as_ptr().cast::<ffi::PyFunctionObject>()).func_dict.is_null() }
}

/// A new cell.
pub(crate) fn cell<'py>(py: Python<'py>, content: Option<&Object<'py>>) -> PyResult<Object<'py>> {
    // SAFETY: alive: the content is owned by the caller. type: any object, or null for an empty cell. shared: the cell is
    // new. runs: a collection may run; nothing is borrowed across it.
    unsafe {
        let content = content.map_or(std::ptr::null_mut(), Bound::as_ptr);
        Bound::from_owned_ptr_or_err(py, ffi::PyCell_New(content))
    }
}

/// Whether this is a cell.
#[inline]
pub(crate) fn is_cell(object: &Object<'_>) -> bool {
    // SAFETY: alive: borrowed. type: any. shared: one read. runs: no Python code.
    unsafe { ffi::Py_TYPE(object.as_ptr()) == &raw mut ffi::PyCell_Type }
}

/// Set what a cell holds; `false` if it is no cell.
pub(crate) fn cell_set(cell: &Object<'_>, content: &Object<'_>) -> PyResult<bool> {
    if !is_cell(cell) {
        return Ok(false);
    }
    // SAFETY: alive: both are owned by the caller. type: a cell, checked above. shared: CPython swaps the content before
    // it releases the old one. runs: releasing the old content may run Python code; nothing is borrowed across it.
    done(cell.py(), unsafe { ffi::PyCell_Set(cell.as_ptr(), content.as_ptr()) })?;
    Ok(true)
}

/// A new module that is not in `sys.modules`.
pub(crate) fn module<'py>(name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyModule>> {
    // SAFETY: alive: the name is owned by the caller. type: a str. shared: the module is new. runs: a collection may run;
    // nothing is borrowed across it.
    unsafe {
        let made = Bound::from_owned_ptr_or_err(name.py(), ffi::PyModule_NewObject(name.as_ptr()))?;
        Ok(made.cast_into_unchecked())
    }
}

/// What `sys.modules` has under this name.
#[inline]
pub(crate) fn loaded_module<'py>(name: &Bound<'py, PyString>) -> PyResult<Option<Object<'py>>> {
    // SAFETY: alive: the name is owned by the caller. type: a str. shared: the result is a strong reference. runs: a
    // `sys.modules` that is not a plain dict may run Python code; nothing is borrowed across it.
    unsafe {
        let found = ffi::PyImport_GetModule(name.as_ptr());
        if found.is_null() {
            return PyErr::take(name.py()).map_or(Ok(None), Err);
        }
        Ok(Some(Bound::from_owned_ptr(name.py(), found)))
    }
}

/// Import through `builtins.__import__`.
pub(crate) fn import<'py>(name: &Object<'py>) -> PyResult<Object<'py>> {
    // SAFETY: alive: the name is owned by the caller. type: any; the import system checks it. shared: nothing is borrowed.
    // runs: any Python code may run.
    unsafe { Bound::from_owned_ptr_or_err(name.py(), ffi::PyImport_Import(name.as_ptr())) }
}

/// The interned twin of an exact str.
pub(crate) fn interned(text: Bound<'_, PyString>) -> Bound<'_, PyString> {
    let py = text.py();
    let mut text = text.into_ptr();
    // SAFETY: alive: the reference is owned and handed over; the call replaces it by one to the interned str. type: an
    // exact str, as the callers check; the call ignores others. shared: strings are immutable. runs: no Python code.
    unsafe {
        ffi::PyUnicode_InternInPlace(&raw mut text);
        Bound::from_owned_ptr(py, text).cast_into_unchecked()
    }
}

/// A snapshot of the keys and values of a dict.
pub(crate) fn pairs<'py>(dict: &Bound<'py, PyDict>) -> Vec<(Object<'py>, Object<'py>)> {
    let mut at = 0;
    let mut found = Vec::new();
    super::reserve::reserve(&mut found, dict.len());
    let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: alive: the dict is borrowed; key and value are made strong before anything else happens. type: the pyo3 type
    // says dict. shared: the loop runs no Python code, so nobody changes the dict meanwhile. runs: nothing; growing the
    // vector is Rust.
    unsafe {
        while ffi::PyDict_Next(dict.as_ptr(), &raw mut at, &raw mut key, &raw mut value) != 0 {
            found.push((Bound::from_borrowed_ptr(dict.py(), key), Bound::from_borrowed_ptr(dict.py(), value)));
        }
    }
    found
}

/// Set an attribute whose name may be any object; what is no str is a `TypeError`.
pub(crate) fn set_attribute(object: &Object<'_>, name: &Object<'_>, value: &Object<'_>) -> PyResult<()> {
    // SAFETY: alive: all three are owned by the caller for the whole call. type: `PyObject_SetAttr` checks the name. shared:
    // nothing is borrowed from them. runs: any Python code may run.
    done(object.py(), unsafe { ffi::PyObject_SetAttr(object.as_ptr(), name.as_ptr(), value.as_ptr()) })
}

/// A frozenset of the items of a tuple.
pub(crate) fn frozenset<'py>(items: &Bound<'py, PyTuple>) -> PyResult<Object<'py>> {
    // SAFETY: alive: the tuple is owned by the caller. type: any iterable will do. shared: the tuple is ours. runs: hashing
    // and comparing may run Python code; nothing is borrowed across it.
    unsafe { Bound::from_owned_ptr_or_err(items.py(), ffi::PyFrozenSet_New(items.as_ptr())) }
}

/// The name of an object's type as C's `tp_name` has it: with its module where the type is not made in Python.
pub(crate) fn type_name(object: &Object<'_>) -> String {
    let class = object.get_type();
    // SAFETY: alive: `class` is owned here and keeps its name. type: a type object; `tp_name` is a C string. shared: renaming
    // a class needs Python code, and none runs before the copy is made. runs: nothing.
    let name = unsafe { std::ffi::CStr::from_ptr((*class.as_type_ptr()).tp_name) };
    name.to_string_lossy().into_owned()
}

/// An attribute that may be missing; that it is missing costs no exception where the type looks attributes up plainly.
#[inline]
pub(crate) fn attribute<'py>(object: &Object<'py>, name: &Bound<'py, PyString>) -> PyResult<Option<Object<'py>>> {
    // SAFETY: alive: both are owned by the caller for the whole call. type: the slot says that attributes of this type are
    // looked up by the function called here; with `suppress` it answers null without an exception where there is none.
    // shared: nothing is borrowed from them. runs: descriptors may run any Python code.
    unsafe {
        let plain: ffi::getattrofunc = ffi::PyObject_GenericGetAttr;
        let slot = (*ffi::Py_TYPE(object.as_ptr())).tp_getattro;
        if slot.is_some_and(|slot| std::ptr::fn_addr_eq(slot, plain)) {
            let found = _PyObject_GenericGetAttrWithDict(object.as_ptr(), name.as_ptr(), std::ptr::null_mut(), 1);
            if found.is_null() {
                return PyErr::take(object.py()).map_or(Ok(None), Err);
            }
            return Ok(Some(Bound::from_owned_ptr(object.py(), found)));
        }
    }
    object.getattr_opt(name)
}

/// Stop automatic garbage collection; returns whether it was on.
pub(crate) fn stop_collecting(_py: Python<'_>) -> bool {
    // SAFETY: alive, type: no objects. shared: the interpreter is held. runs: nothing.
    unsafe { ffi::PyGC_Disable() != 0 }
}

/// Start automatic garbage collection.
pub(crate) fn start_collecting(_py: Python<'_>) {
    // SAFETY: alive, type: no objects. shared: the interpreter is held. runs: nothing.
    unsafe {
        ffi::PyGC_Enable();
    }
}
