//! The fields of a code object and the slot in which capers keeps what it knows about one.

use std::os::raw::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::by_value::code::CodeInfo;

/// The start of CPython's `PyCodeObject` (`Include/cpython/code.h`, read in 3.11 to 3.15; from 3.12 on the same).
#[repr(C)]
struct RawCode {
    base: ffi::PyVarObject,
    consts: *mut ffi::PyObject,
    names: *mut ffi::PyObject,
    exceptiontable: *mut ffi::PyObject,
    flags: c_int,
    #[cfg(not(Py_3_12))]
    warmup_and_linearray: [std::os::raw::c_short; 2],
    argcount: c_int,
    posonlyargcount: c_int,
    kwonlyargcount: c_int,
    stacksize: c_int,
    firstlineno: c_int,
    /// 3.11: nlocalsplus nlocals nplaincellvars ncellvars nfreevars;
    /// 3.12+: nlocalsplus framesize nlocals ncellvars nfreevars version
    #[cfg(not(Py_3_12))]
    counts: [c_int; 5],
    #[cfg(Py_3_12)]
    counts: [c_int; 6],
    localsplusnames: *mut ffi::PyObject,
    localspluskinds: *mut ffi::PyObject,
    filename: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
    qualname: *mut ffi::PyObject,
    linetable: *mut ffi::PyObject,
}

/// What a code object holds, each part owned.
pub(crate) struct CodeView<'py> {
    pub(crate) argcount: i32,
    pub(crate) posonlyargcount: i32,
    pub(crate) kwonlyargcount: i32,
    pub(crate) stacksize: i32,
    pub(crate) flags: i32,
    pub(crate) firstlineno: i32,
    pub(crate) consts: Bound<'py, PyTuple>,
    pub(crate) names: Bound<'py, PyTuple>,
    pub(crate) localsplusnames: Bound<'py, PyTuple>,
    pub(crate) localspluskinds: Bound<'py, PyBytes>,
    pub(crate) filename: Bound<'py, PyString>,
    pub(crate) name: Bound<'py, PyString>,
    pub(crate) qualname: Bound<'py, PyString>,
    pub(crate) linetable: Bound<'py, PyBytes>,
    pub(crate) exceptiontable: Bound<'py, PyBytes>,
}

fn is_code(object: &Bound<'_, PyAny>) -> bool {
    object.get_type_ptr() == &raw mut ffi::PyCode_Type
}

/// The fields of `code`, an error when it is not a code object.
pub(crate) fn code_view<'py>(code: &Bound<'py, PyAny>) -> PyResult<CodeView<'py>> {
    if !is_code(code) {
        return Err(PyTypeError::new_err("expected a code object"));
    }
    let py = code.py();
    // SAFETY: alive: owned handle; each field is owned before the block ends. type: exactly a code object, and RawCode is
    // the layout of this version (checked at import by `self_test`). shared: these fields never change after creation.
    // runs: nothing.
    unsafe {
        let raw = &*code.as_ptr().cast::<RawCode>();
        let own = |ptr| Bound::from_borrowed_ptr(py, ptr);
        Ok(CodeView {
            argcount: raw.argcount,
            posonlyargcount: raw.posonlyargcount,
            kwonlyargcount: raw.kwonlyargcount,
            stacksize: raw.stacksize,
            flags: raw.flags,
            firstlineno: raw.firstlineno,
            consts: own(raw.consts).cast_into()?,
            names: own(raw.names).cast_into()?,
            localsplusnames: own(raw.localsplusnames).cast_into()?,
            localspluskinds: own(raw.localspluskinds).cast_into()?,
            filename: own(raw.filename).cast_into()?,
            name: own(raw.name).cast_into()?,
            qualname: own(raw.qualname).cast_into()?,
            linetable: own(raw.linetable).cast_into()?,
            exceptiontable: own(raw.exceptiontable).cast_into()?,
        })
    }
}

/// `co_name` and `co_qualname` of `code`.
#[inline]
pub(crate) fn code_names<'py>(code: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    if !is_code(code) {
        return None;
    }
    // SAFETY: alive: owned handle, both fields owned at once. type: exactly a code object. shared: never change. runs: nothing.
    unsafe {
        let raw = &*code.as_ptr().cast::<RawCode>();
        Some((Bound::from_borrowed_ptr(code.py(), raw.name), Bound::from_borrowed_ptr(code.py(), raw.qualname)))
    }
}

/// The docstring a new function of `code` starts with, as `PyFunction_New` finds it; `None` for none.
#[inline]
pub(crate) fn code_doc<'py>(code: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    if !is_code(code) {
        return None;
    }
    // SAFETY: alive: owned handle, consts is owned at once. type: exactly a code object. shared: never changes. runs: nothing.
    let (consts, flags) = unsafe {
        let raw = &*code.as_ptr().cast::<RawCode>();
        (Bound::from_borrowed_ptr(code.py(), raw.consts), raw.flags)
    };
    // CO_HAS_DOCSTRING of 3.14; before it, a first constant that is a str is the docstring.
    if cfg!(Py_3_14) && flags & 0x0400_0000 == 0 {
        return None;
    }
    let first = super::access::tuple_item(consts.cast().ok()?, 0)?;
    first.is_instance_of::<PyString>().then_some(first)
}

/// The bytecode of `code` as `co_code` shows it: not specialised, not instrumented.
pub(crate) fn code_bytes<'py>(code: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    unsafe extern "C" {
        fn PyCode_GetCode(code: *mut ffi::PyObject) -> *mut ffi::PyObject;
    }
    if !is_code(code) {
        return Err(PyTypeError::new_err("expected a code object"));
    }
    // SAFETY: alive: owned handle, the result is a new reference. type: exactly a code object. shared: GIL. runs: nothing.
    Ok(unsafe { Bound::from_owned_ptr_or_err(code.py(), PyCode_GetCode(code.as_ptr()))? }.cast_into()?)
}

/// The index of our slot among the extra data of code objects; negative where the interpreter gave none.
static EXTRA: AtomicIsize = AtomicIsize::new(-1);

/// Asks the interpreter for a slot in code objects. Once, at import.
pub(crate) fn reserve_extra(_py: Python<'_>) {
    if EXTRA.load(Ordering::Relaxed) < 0 {
        // SAFETY: alive: the function lives as long as the process. type: freefunc. shared: GIL held by the token. runs: nothing.
        let index = unsafe { ffi::PyUnstable_Eval_RequestCodeExtraIndex(free_extra) };
        EXTRA.store(index, Ordering::Relaxed);
    }
}

unsafe extern "C" fn free_extra(extra: *mut c_void) {
    if !extra.is_null() {
        // SAFETY: alive: `extra` came from Arc::into_raw in `set_extra` and the code object gives it up here, once. type: our slot
        // holds nothing else. shared: the code object is being torn down. runs: dropping names may free strings, no user code.
        drop(unsafe { Arc::from_raw(extra.cast::<CodeInfo>()) });
    }
}

/// What was kept for `code`, if anything.
#[inline]
pub(crate) fn get_extra(code: &Bound<'_, PyAny>) -> Option<Arc<CodeInfo>> {
    let index = EXTRA.load(Ordering::Relaxed);
    if index < 0 || !is_code(code) {
        return None;
    }
    let mut extra: *mut c_void = std::ptr::null_mut();
    // SAFETY: alive: owned handle; the Arc in the slot is counted up before it is used. type: exactly a code object, and our
    // slot holds Arc<CodeInfo> only. shared: GIL. runs: nothing.
    unsafe {
        if ffi::PyUnstable_Code_GetExtra(code.as_ptr(), index, &raw mut extra) != 0 || extra.is_null() {
            return None;
        }
        let info = extra.cast_const().cast::<CodeInfo>();
        Arc::increment_strong_count(info);
        Some(Arc::from_raw(info))
    }
}

/// Keeps `info` for as long as `code` lives. An entry that is there already stays.
pub(crate) fn set_extra(code: &Bound<'_, PyAny>, info: &Arc<CodeInfo>) {
    let index = EXTRA.load(Ordering::Relaxed);
    if index < 0 || !is_code(code) || get_extra(code).is_some() {
        return;
    }
    let raw = Arc::into_raw(Arc::clone(info)).cast_mut().cast::<c_void>();
    // SAFETY: alive: owned handle; the slot takes over one count. type: exactly a code object. shared: GIL, and the slot was just
    // seen empty. runs: nothing.
    if unsafe { ffi::PyUnstable_Code_SetExtra(code.as_ptr(), index, raw) } != 0 {
        drop(PyErr::take(code.py()));
        // SAFETY: alive: the count just made, which the failed call did not take. type: as above. shared: ours alone. runs: no.
        drop(unsafe { Arc::from_raw(raw.cast_const().cast::<CodeInfo>()) });
    }
}

/// Compares what [`code_view`] reads with what Python code sees, on `code`; `false` when the layout is not the expected one.
pub(crate) fn self_test(code: &Bound<'_, PyAny>) -> PyResult<bool> {
    let view = code_view(code)?;
    let number = |name: &str| -> PyResult<i32> { code.getattr(name)?.extract() };
    let same = |name: &str, value: &Bound<'_, PyAny>| -> PyResult<bool> { code.getattr(name)?.eq(value) };
    Ok(number("co_argcount")? == view.argcount
        && number("co_posonlyargcount")? == view.posonlyargcount
        && number("co_kwonlyargcount")? == view.kwonlyargcount
        && number("co_stacksize")? == view.stacksize
        && number("co_flags")? == view.flags
        && number("co_firstlineno")? == view.firstlineno
        && same("co_consts", view.consts.as_any())?
        && same("co_names", view.names.as_any())?
        && same("co_filename", view.filename.as_any())?
        && same("co_name", view.name.as_any())?
        && same("co_qualname", view.qualname.as_any())?
        && same("co_linetable", view.linetable.as_any())?
        && same("co_exceptiontable", view.exceptiontable.as_any())?)
}
