//! Bytes that the loading side reads from: an object's buffer, held for as long as it is read.
//!
//! Slices are lent only of memory that cannot change: that of exact `bytes`. What another owner could write to while it
//! is read (bytearray, memoryview, mmap) is copied piece by piece as it is taken.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use capers_pickle::reader::Bounds;
use capers_pickle::{Error, ErrorKind, Source};
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A buffer of any object, released when dropped.
struct View<'py> {
    view: Box<ffi::Py_buffer>,
    py: PhantomData<Python<'py>>,
}

impl<'py> View<'py> {
    fn new(object: &Bound<'py, PyAny>) -> PyResult<View<'py>> {
        let mut view = Box::new(MaybeUninit::<ffi::Py_buffer>::zeroed());
        // SAFETY: alive: the object is borrowed and the view keeps it from here on. type: any; objects without a buffer
        // raise. shared: the box is ours and does not move. runs: a `__buffer__` method may run Python code; nothing is
        // borrowed across it. On success the view is filled in.
        unsafe {
            if ffi::PyObject_GetBuffer(object.as_ptr(), view.as_mut_ptr(), ffi::PyBUF_CONTIG_RO) < 0 {
                return Err(PyErr::fetch(object.py()));
            }
            Ok(View { view: Box::from_raw(Box::into_raw(view).cast()), py: PhantomData })
        }
    }

    fn len(&self) -> usize {
        self.view.len.unsigned_abs()
    }

    /// Copy from `at` on to fill `out`; the caller checked the bounds, which do not change while the view is held.
    fn copy(&self, at: usize, out: &mut [u8]) {
        assert!(at <= self.len() && out.len() <= self.len() - at);
        // SAFETY: alive: the view holds the memory. type: contiguous plain bytes, as requested, within the bounds asserted
        // above. shared: with the interpreter held nobody writes during the copy; `out` is ours and cannot overlap.
        // runs: no Python code.
        unsafe {
            std::ptr::copy_nonoverlapping(self.view.buf.cast::<u8>().add(at), out.as_mut_ptr(), out.len());
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

/// A pickle in the memory of a Python object.
pub(crate) struct ObjectSource<'py> {
    view: View<'py>,
    bounds: Bounds,
    piece: Vec<u8>,
}

impl<'py> ObjectSource<'py> {
    /// Read from any bytes-like object; `strict` as for a slice.
    pub(crate) fn new(object: &Bound<'py, PyAny>, strict: bool) -> PyResult<ObjectSource<'py>> {
        let view = View::new(object)?;
        let bounds = Bounds::new(view.len(), strict);
        Ok(ObjectSource { view, bounds, piece: Vec::new() })
    }

    fn need(&mut self, count: usize) -> Result<(), Error> {
        if !self.bounds.has(count) {
            self.bounds.leave_frame(self.view.len())?;
            if !self.bounds.has(count) {
                return Err(Error::new(ErrorKind::Truncated));
            }
        }
        Ok(())
    }
}

impl Source for ObjectSource<'_> {
    type Error = Error;

    fn offset(&self) -> u64 {
        self.bounds.at as u64
    }

    fn prefers_copy(&self, count: usize) -> bool {
        self.bounds.has(count)
    }

    #[inline]
    fn next_byte(&mut self) -> Result<Option<u8>, Error> {
        if self.bounds.at == self.view.len() {
            return Ok(None);
        }
        let mut byte = [0];
        self.read_into(&mut byte)?;
        Ok(Some(byte[0]))
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Error> {
        self.need(count)?;
        self.piece.resize(count, 0);
        self.view.copy(self.bounds.at, &mut self.piece);
        self.bounds.at += count;
        Ok(&self.piece)
    }

    fn line(&mut self) -> Result<&[u8], Error> {
        self.need(1)?;
        let mut count = 0;
        loop {
            let mut byte = [0];
            self.need(count + 1)?;
            self.view.copy(self.bounds.at + count, &mut byte);
            count += 1;
            if byte[0] == b'\n' {
                return self.take(count);
            }
        }
    }

    fn read_into(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.need(out.len())?;
        self.view.copy(self.bounds.at, out);
        self.bounds.at += out.len();
        Ok(())
    }

    fn frame(&mut self, count: u64) -> Result<(), Error> {
        let count = self.bounds.check_frame(count, self.view.len())?;
        self.need(count)?;
        self.bounds.enter_frame(count);
        Ok(())
    }
}

/// The content of a bytes-like object as `bytes`: itself where it is that already.
pub(crate) fn as_bytes<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = object.cast_exact::<PyBytes>() {
        return Ok(bytes.clone());
    }
    let view = View::new(object)?;
    PyBytes::new_with(object.py(), view.len(), |out| {
        view.copy(0, out);
        Ok(())
    })
}

/// Let the file's `readinto` fill `out`; returns how many bytes it says it read.
///
/// A method that keeps the memoryview it was given could write to memory that is gone (gh-151046). The view is therefore
/// over a bytearray of our own, and the bytes are copied from there.
pub(crate) fn read_into(readinto: &Bound<'_, PyAny>, out: &mut [u8]) -> PyResult<usize> {
    let py = readinto.py();
    let room = pyo3::types::PyByteArray::new_with(py, out.len(), |_| Ok(()))?;
    let view = pyo3::types::PyMemoryView::from(&room)?;
    let count = readinto.call1((view,))?;
    let count: isize = count.extract()?;
    let Ok(count) = usize::try_from(count) else {
        return Err(PyValueError::new_err("readinto() returned negative size"));
    };
    if count > out.len() {
        return Err(PyValueError::new_err("readinto() returned more than asked for"));
    }
    let view = View::new(room.as_any())?;
    if view.len() < count {
        return Err(PyValueError::new_err("readinto() changed the size of its buffer"));
    }
    view.copy(0, &mut out[..count]);
    Ok(count)
}
