//! The memory of another object, held for as long as it is read.
//!
//! While a [`View`] is held its owner can neither free nor move the memory, but it may write to it. So no slice of it is
//! lent: the bytes are copied out, with the interpreter held.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A contiguous buffer of any object, released when dropped.
pub(crate) struct View<'py> {
    view: Box<ffi::Py_buffer>,
    py: PhantomData<Python<'py>>,
}

impl<'py> View<'py> {
    /// The memory of `object`, an exception where it has none that is contiguous.
    pub(crate) fn new(object: &Bound<'py, PyAny>) -> PyResult<View<'py>> {
        Self::get(object, ffi::PyBUF_CONTIG_RO)
    }

    /// The memory of `object` as it lies there, in whatever order of its dimensions; `None` where there are gaps in it.
    pub(crate) fn flat(object: &Bound<'py, PyAny>) -> PyResult<Option<View<'py>>> {
        let view = Self::get(object, ffi::PyBUF_FULL_RO)?;
        // SAFETY: alive: the view is held. type: filled in. shared: only read. runs: no Python code.
        let flat = unsafe { ffi::PyBuffer_IsContiguous(&raw const *view.view, b'A'.cast_signed()) } != 0;
        Ok(flat.then_some(view))
    }

    fn get(object: &Bound<'py, PyAny>, flags: c_int) -> PyResult<View<'py>> {
        let mut view = Box::new(MaybeUninit::<ffi::Py_buffer>::zeroed());
        // SAFETY: alive: the object is borrowed and the view keeps it from here on. type: any; objects without a buffer
        // raise. shared: the box is ours and does not move. runs: a `__buffer__` method may run Python code; nothing is
        // borrowed across it. On success the view is filled in.
        unsafe {
            if ffi::PyObject_GetBuffer(object.as_ptr(), view.as_mut_ptr(), flags) < 0 {
                return Err(PyErr::fetch(object.py()));
            }
            Ok(View { view: Box::from_raw(Box::into_raw(view).cast()), py: PhantomData })
        }
    }

    /// Whether the memory must not be written to.
    pub(crate) fn is_readonly(&self) -> bool {
        self.view.readonly != 0
    }

    /// The object whose memory it is, if there is one.
    pub(crate) fn owner(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: alive: the view owns a reference to it. type: any, or null. shared: one read. runs: nothing.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.view.obj) }
    }

    /// How many bytes there are; this does not change while the view is held.
    pub(crate) fn len(&self) -> usize {
        self.view.len.unsigned_abs()
    }

    /// Copy from `at` on to fill `out`; both must lie within the view.
    pub(crate) fn copy(&self, at: usize, out: &mut [u8]) {
        let from = self.range(at, out.len());
        // SAFETY: alive: the view holds the memory. type: contiguous plain bytes, as requested, within the bounds that `range`
        // asserts. shared: with the interpreter held nobody writes during the copy; `out` is ours and cannot overlap.
        // runs: no Python code.
        unsafe { std::ptr::copy_nonoverlapping(from, out.as_mut_ptr(), out.len()) }
    }

    /// Where the `count` bytes from `at` on are, which must lie within the view.
    pub(super) fn range(&self, at: usize, count: usize) -> *const u8 {
        assert!(at <= self.len() && count <= self.len() - at);
        self.view.buf.cast::<u8>().cast_const().wrapping_add(at)
    }

    /// A bytes object of `count` bytes from `at` on.
    pub(crate) fn bytes(&self, py: Python<'py>, at: usize, count: usize) -> PyResult<Bound<'py, PyBytes>> {
        let from = self.range(at, count);
        // SAFETY: alive: the view holds the memory; the result is owned. type: contiguous plain bytes within the bounds that `range`
        // asserts. shared: with the interpreter held nobody writes during the copy. runs: no Python code.
        unsafe {
            let made = ffi::PyBytes_FromStringAndSize(from.cast(), count as ffi::Py_ssize_t);
            Ok(Bound::from_owned_ptr_or_err(py, made)?.cast_into_unchecked())
        }
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        // SAFETY: alive: the view was filled in by `PyObject_GetBuffer` and is released once. type: as filled in. shared:
        // ours. runs: releasing may run Python code; nothing is borrowed. The lifetime says that the interpreter is held.
        unsafe { ffi::PyBuffer_Release(&raw mut *self.view) }
    }
}
