//! Arrays of numpy, made of a buffer without the Python function that their reduction names.
//!
//! `numpy._core.numeric._frombuffer` (1.26 to 2.x; `numpy.core` before 2.0) calls `frombuffer` and `reshape` with keywords. For an
//! array in C order the same calls are made here, in the same order, on the same objects. A function of that name whose
//! code looks anything else up is called as every other.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::ffi::access::{str_bytes, tuple_item};
use crate::ffi::function::function_view;

/// Modules that hold the function, and its name.
const MODULES: [&[u8]; 2] = [b"numpy._core.numeric", b"numpy.core.numeric"];
const NAME: &[u8] = b"_frombuffer";

/// The function, and numpy's `frombuffer` as it sees it.
pub(super) struct Arrays<'py> {
    function: Bound<'py, PyAny>,
    from_buffer: Bound<'py, PyAny>,
}

impl<'py> Arrays<'py> {
    /// What `found` is known to do, if it is numpy's function.
    #[inline]
    pub(super) fn learn(
        module: &Bound<'py, PyAny>,
        name: &Bound<'py, PyAny>,
        found: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Self>> {
        let (Ok(module), Ok(name)) = (module.cast_exact::<PyString>(), name.cast_exact::<PyString>()) else {
            return Ok(None);
        };
        if str_bytes(name)?.as_ref() != NAME || !MODULES.contains(&str_bytes(module)?.as_ref()) {
            return Ok(None);
        }
        let py = found.py();
        let Some(view) = function_view(found) else { return Ok(None) };
        let names = view.code.getattr(intern!(py, "co_names"))?.cast_into::<PyTuple>()?;
        for name in names.iter() {
            if !matches!(str_bytes(name.cast()?)?.as_ref(), b"frombuffer" | b"reshape" | b"transpose") {
                return Ok(None);
            }
        }
        let from_buffer = view.globals.get_item(intern!(py, "frombuffer"))?;
        Ok(from_buffer.map(|from_buffer| Arrays { function: found.clone(), from_buffer }))
    }

    /// The array that `callable(*arguments)` is, where that is known.
    #[inline]
    pub(super) fn made(
        &self,
        callable: &Bound<'py, PyAny>,
        arguments: &Bound<'py, PyTuple>,
    ) -> Option<PyResult<Bound<'py, PyAny>>> {
        if !callable.is(&self.function) || arguments.len() != 4 {
            return None;
        }
        let (buffer, dtype) = (tuple_item(arguments, 0)?, tuple_item(arguments, 1)?);
        let (shape, order) = (tuple_item(arguments, 2)?, tuple_item(arguments, 3)?);
        if !shape.is_exact_instance_of::<PyTuple>() || !order.cast_exact::<PyString>().is_ok_and(|it| it == "C") {
            return None;
        }
        let flat = match self.from_buffer.call1((buffer, dtype)) {
            Ok(flat) => flat,
            Err(error) => return Some(Err(error)),
        };
        Some(flat.call_method1(intern!(callable.py(), "reshape"), (shape,)))
    }
}
