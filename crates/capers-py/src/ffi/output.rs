//! The memory that a pickle is written into: a kept scratch while it is small, the bytes object of the result once it is
//! not, so that a large payload is never copied as a whole.
//!
//! The object grows by doubling, later by a half, and by what is needed where a large part comes; the operating system moves its pages
//! instead of copying them. Where a part of many megabytes comes, huge pages are asked for: most of the time of a large
//! copy is page faults.

use std::marker::PhantomData;
use std::panic::resume_unwind;

use capers_pickle::Buffer;
use pyo3::exceptions::PyMemoryError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::buffer::View;
use super::growing::{HUGE, advise};
use super::reserve;

/// Content up to this size stays in the scratch.
const SCRATCH: usize = 64 << 10;
/// What is left over in the scratch for the last instructions of a full frame.
const SLACK: usize = 8 << 10;
/// A part from here on is given exactly the room it needs.
const LARGE: usize = 1 << 20;

unsafe extern "C" {
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> std::os::raw::c_int;
}

/// The message of an unwinding that ends in a `MemoryError`.
pub(crate) struct OutOfMemory;

/// Memory being written to.
pub(crate) struct Output<'py> {
    start: *mut u8,
    len: usize,
    room: usize,
    /// The bytes object that `start` points into, or null while it points into `scratch`.
    object: *mut ffi::PyObject,
    scratch: Vec<u8>,
    py: PhantomData<Python<'py>>,
}

impl<'py> Output<'py> {
    /// An empty output that uses this scratch.
    pub(crate) fn new(_py: Python<'py>, mut scratch: Vec<u8>) -> Self {
        scratch.clear();
        scratch.reserve_exact(SCRATCH + SLACK);
        let (start, room) = (scratch.as_mut_ptr(), scratch.capacity());
        Self { start, len: 0, room, object: std::ptr::null_mut(), scratch, py: PhantomData }
    }

    /// Makes sure that `more` bytes can be written behind what is there.
    #[inline]
    pub(crate) fn reserve(&mut self, more: usize) {
        if more > self.room - self.len {
            self.grow(more);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        let needed = self.len.saturating_add(more);
        let grown = if self.room < LARGE { self.room * 2 } else { self.room.saturating_add(self.room / 2) };
        // Exactly enough for one huge part; in proportion where there are many.
        let room = if more >= LARGE && more >= self.len / 4 {
            needed.saturating_add(SLACK)
        } else if more >= LARGE {
            needed.max(self.len.saturating_add(self.len / 4)).saturating_add(SLACK)
        } else {
            needed.max(grown)
        };
        let size = ffi::Py_ssize_t::try_from(room).unwrap_or(ffi::Py_ssize_t::MAX);
        // SAFETY: alive: the object, where there is one, is owned here, and `_PyBytes_Resize` takes this only reference and
        // gives back another, or null after it has dropped it. type: made as exact bytes below. shared: nobody else has the
        // object yet, as `_PyBytes_Resize` asks; the content copied lies in the scratch, which is ours. runs: no Python code.
        unsafe {
            if self.object.is_null() {
                let object = ffi::PyBytes_FromStringAndSize(std::ptr::null(), size);
                if object.is_null() {
                    self.fail();
                }
                let start = ffi::PyBytes_AS_STRING(object).cast_mut().cast::<u8>();
                std::ptr::copy_nonoverlapping(self.start, start, self.len);
                self.object = object;
            } else if _PyBytes_Resize(&raw mut self.object, size) < 0 {
                self.start = self.scratch.as_mut_ptr();
                (self.len, self.room) = (0, self.scratch.capacity());
                self.fail();
            }
            self.start = ffi::PyBytes_AS_STRING(self.object).cast_mut().cast::<u8>();
            self.room = room;
            if room >= HUGE {
                advise(self.start, room);
            }
        }
    }

    /// Ends the dump: what is half written is of no use. The door turns this into a `MemoryError`.
    #[cold]
    fn fail(&self) -> ! {
        // SAFETY: alive, type: no objects. shared: the interpreter is held, as the lifetime says. runs: nothing; the exception
        // that the failed allocation has set is dropped.
        unsafe { ffi::PyErr_Clear() };
        resume_unwind(Box::new(OutOfMemory))
    }

    /// Where the next byte goes, and the end of the room.
    #[inline]
    pub(super) fn window(&mut self) -> (*mut u8, *mut u8) {
        // SAFETY: alive: the memory is owned here. type: `room` bytes from `start` on are one allocation. shared: ours. runs:
        // nothing.
        unsafe { (self.start.add(self.len), self.start.add(self.room)) }
    }

    /// Takes over what was written through [`Output::window`] up to `at`.
    ///
    /// # Safety
    /// `at` must come from the last window, and everything before it must have been written.
    #[inline]
    pub(super) unsafe fn written_to(&mut self, at: *mut u8) {
        self.len = at as usize - self.start as usize;
        debug_assert!(self.len <= self.room);
    }

    /// Appends the `count` bytes of `view` from `at` on.
    pub(crate) fn extend_from(&mut self, view: &View<'_>, at: usize, count: usize) {
        let from = view.range(at, count);
        self.reserve(count);
        // SAFETY: alive: the view holds its memory, and the room is owned. type: plain bytes within the bounds that `range` asserts.
        // shared: with the interpreter held nobody writes during the copy; the room is ours and cannot overlap. runs: nothing.
        unsafe { std::ptr::copy_nonoverlapping(from, self.start.add(self.len), count) };
        self.len += count;
    }

    /// Hands on what has been written and begins anew.
    pub(crate) fn take(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        if self.object.is_null() {
            let made = PyBytes::new(py, self.as_slice());
            self.len = 0;
            return Ok(made);
        }
        let len = std::mem::take(&mut self.len);
        let mut object = std::mem::replace(&mut self.object, std::ptr::null_mut());
        (self.start, self.room) = (self.scratch.as_mut_ptr(), self.scratch.capacity());
        // SAFETY: alive: the only reference is handed over and comes back as a new one, or null with an exception set. type:
        // exact bytes, of which `len` are written. shared: nobody else has it. runs: no Python code.
        unsafe {
            _PyBytes_Resize(&raw mut object, len as ffi::Py_ssize_t);
            Ok(Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked())
        }
    }

    /// The result, and the scratch to be used again.
    pub(crate) fn into_bytes(mut self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, Vec<u8>)> {
        let made = self.take(py)?;
        Ok((made, std::mem::take(&mut self.scratch)))
    }

    /// Drops the content; the scratch can be used again.
    pub(crate) fn into_scratch(mut self) -> Vec<u8> {
        std::mem::take(&mut self.scratch)
    }
}

impl Drop for Output<'_> {
    fn drop(&mut self) {
        // SAFETY: alive: the object, where there is one, is owned here and dropped once. type: exact bytes. shared: nobody else
        // has it; the lifetime says that the interpreter is held. runs: nothing.
        unsafe { ffi::Py_XDECREF(self.object) };
    }
}

impl Buffer for Output<'_> {
    #[inline]
    fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        self.reserve(1);
        // SAFETY: alive: owned memory. type: room for a byte has just been made sure of. shared: ours. runs: nothing.
        unsafe { self.start.add(self.len).write(byte) };
        self.len += 1;
    }

    #[inline]
    fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        // SAFETY: alive: owned memory and a borrowed slice, which cannot lie in it: it would need a borrow of this output. type:
        // room for that many bytes has just been made sure of. shared: ours. runs: nothing.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(self.len), bytes.len()) };
        self.len += bytes.len();
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    #[inline]
    fn as_slice(&self) -> &[u8] {
        // SAFETY: alive: owned memory, borrowed with this output. type: `len` bytes are written. shared: ours. runs: nothing.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }

    #[inline]
    fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: alive: owned memory, borrowed with this output. type: `len` bytes are written. shared: ours. runs: nothing.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

/// The door's answer to an unwinding: an exception of the kind that it stands for.
pub(crate) fn unwound(panic: &(dyn std::any::Any + Send)) -> Option<PyErr> {
    (panic.is::<OutOfMemory>() || reserve::is_null(panic)).then(|| PyMemoryError::new_err(()))
}
