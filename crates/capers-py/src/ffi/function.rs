//! The fields of a function object, all at once and without running Python code.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// What a function object holds, each part owned.
pub(crate) struct FunctionView<'py> {
    pub(crate) code: Bound<'py, PyAny>,
    pub(crate) globals: Bound<'py, PyDict>,
    pub(crate) name: Bound<'py, PyAny>,
    pub(crate) qualname: Bound<'py, PyAny>,
    pub(crate) module: Option<Bound<'py, PyAny>>,
    pub(crate) doc: Option<Bound<'py, PyAny>>,
    pub(crate) defaults: Option<Bound<'py, PyTuple>>,
    pub(crate) kwdefaults: Option<Bound<'py, PyAny>>,
    pub(crate) closure: Option<Bound<'py, PyTuple>>,
    pub(crate) dict: Option<Bound<'py, PyDict>>,
    /// A dict, or before 3.14 the flat tuple that the interpreter turns into a dict at the first look.
    pub(crate) annotations: Option<Bound<'py, PyAny>>,
    /// The callable that evaluates the annotations (3.14 and later).
    pub(crate) annotate: Option<Bound<'py, PyAny>>,
    /// The type parameters (3.12 and later).
    pub(crate) type_params: Option<Bound<'py, PyAny>>,
}

/// The fields of `function`, or `None` when it is not exactly a function or a field has an unexpected type.
#[inline]
pub(crate) fn function_view<'py>(function: &Bound<'py, PyAny>) -> Option<FunctionView<'py>> {
    if function.get_type_ptr() != &raw mut ffi::PyFunction_Type {
        return None;
    }
    let py = function.py();
    // SAFETY: alive: `function` is owned by the caller's handle and every field is owned before this block ends. type: the
    // type was just compared with PyFunction_Type, whose layout pyo3-ffi declares per version. shared: the GIL is held, so
    // no setter can run. runs: nothing, the fields are read directly.
    unsafe {
        let raw = &*function.as_ptr().cast::<ffi::PyFunctionObject>();
        let own = |ptr: *mut ffi::PyObject| Bound::from_borrowed_ptr_or_opt(py, ptr);
        #[cfg(Py_3_12)]
        let type_params = own(raw.func_typeparams);
        #[cfg(not(Py_3_12))]
        let type_params = None;
        #[cfg(Py_3_14)]
        let annotate = own(raw.func_annotate);
        #[cfg(not(Py_3_14))]
        let annotate = None;
        Some(FunctionView {
            code: own(raw.func_code)?,
            globals: own(raw.func_globals)?.cast_into().ok()?,
            name: own(raw.func_name)?,
            qualname: own(raw.func_qualname)?,
            module: own(raw.func_module),
            doc: own(raw.func_doc),
            defaults: own(raw.func_defaults).and_then(|it| it.cast_into().ok()),
            kwdefaults: own(raw.func_kwdefaults),
            closure: own(raw.func_closure).and_then(|it| it.cast_into().ok()),
            dict: own(raw.func_dict).and_then(|it| it.cast_into().ok()),
            annotations: own(raw.func_annotations),
            annotate,
            type_params,
        })
    }
}

/// The code object of `function`, or `None` when it is not exactly a function.
#[inline]
pub(crate) fn function_code<'py>(function: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    if function.get_type_ptr() != &raw mut ffi::PyFunction_Type {
        return None;
    }
    // SAFETY: alive: owned by the caller's handle, the field is owned at once. type: compared with PyFunction_Type above.
    // shared: GIL held. runs: nothing.
    unsafe {
        let raw = &*function.as_ptr().cast::<ffi::PyFunctionObject>();
        Bound::from_borrowed_ptr_or_opt(function.py(), raw.func_code)
    }
}

/// Where a function says it is from.
pub(crate) struct FunctionNames<'py> {
    pub(crate) module: Option<Bound<'py, PyAny>>,
    pub(crate) qualname: Bound<'py, PyAny>,
    pub(crate) globals: Bound<'py, PyDict>,
}

/// The module, qualname and namespace of a function, enough to decide whether it travels by reference.
#[inline]
pub(crate) fn function_names<'py>(function: &Bound<'py, PyAny>) -> Option<FunctionNames<'py>> {
    if function.get_type_ptr() != &raw mut ffi::PyFunction_Type {
        return None;
    }
    // SAFETY: alive: owned by the caller's handle. type: compared with PyFunction_Type above. shared: GIL held, both fields are
    // owned at once. runs: nothing.
    unsafe {
        let raw = &*function.as_ptr().cast::<ffi::PyFunctionObject>();
        Some(FunctionNames {
            module: Bound::from_borrowed_ptr_or_opt(function.py(), raw.func_module),
            qualname: Bound::from_borrowed_ptr_or_opt(function.py(), raw.func_qualname)?,
            globals: Bound::from_borrowed_ptr_or_opt(function.py(), raw.func_globals)?.cast_into().ok()?,
        })
    }
}

/// The annotations of `function` as the dict that `__annotations__` gives (before 3.14, where that runs no code).
pub(crate) fn function_annotations<'py>(function: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    if function.get_type_ptr() != &raw mut ffi::PyFunction_Type {
        return Ok(None);
    }
    // SAFETY: alive: owned handle, the borrowed result is owned at once. type: checked above. shared: GIL. runs: on 3.14 and
    // later the __annotate__ function may run; nothing is borrowed across it.
    unsafe {
        let found = ffi::PyFunction_GetAnnotations(function.as_ptr());
        if found.is_null() {
            return match PyErr::take(function.py()) {
                Some(error) => Err(error),
                None => Ok(None),
            };
        }
        Ok(Bound::from_borrowed_ptr_or_opt(function.py(), found))
    }
}

/// Whether the `__name__` of a callable surely does not begin with `prefix`: it is a type that was not made in Python, or a
/// built-in function, whose name can be looked at without making a str of it.
pub(crate) fn is_named_otherwise(callable: &Bound<'_, PyAny>, prefix: &[u8]) -> bool {
    let kind = callable.get_type_ptr();
    // SAFETY: alive: owned handle; the names are C strings that live as long as the object. type: compared right here: a static
    // type whose metaclass is `type` itself has its name in `tp_name`, behind the module; a built-in function has a method
    // definition. shared: neither changes. runs: nothing.
    unsafe {
        if kind == &raw mut ffi::PyType_Type {
            let class = callable.as_ptr().cast::<ffi::PyTypeObject>();
            if (*class).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 {
                return false;
            }
            let name = std::ffi::CStr::from_ptr((*class).tp_name).to_bytes();
            return !name.rsplit(|&byte| byte == b'.').next().unwrap_or(name).starts_with(prefix);
        }
        if kind == &raw mut ffi::PyCFunction_Type {
            let definition = (*callable.as_ptr().cast::<ffi::PyCFunctionObject>()).m_ml;
            return !std::ffi::CStr::from_ptr((*definition).ml_name).to_bytes().starts_with(prefix);
        }
    }
    false
}
