//! A bytes object or bytearray that is built where it will stay.
//!
//! The output of `dumps` and the large objects of `load` are written once, into the object that is given out, which grows
//! as the bytes arrive. A large object moves by its pages when it grows, so that there is never a second copy of it, and
//! memory is asked for ahead of the bytes by no more than a bounded share.

use std::ffi::c_int;

use pyo3::exceptions::PyMemoryError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyString};

/// From here on an object grows by a quarter instead of doubling.
const DOUBLING: usize = 32 << 20;

/// The smallest room.
const LEAST: usize = 1 << 12;

/// An allocation of at least this size is worth huge pages.
pub(crate) const HUGE: usize = 4 << 20;

/// What can be built so.
pub(crate) trait Body: Sized {
    /// `object` with `size` bytes of memory; a new one if there is none yet. An error loses the object.
    fn resize<'py>(
        py: Python<'py>,
        object: Option<Bound<'py, Self>>,
        size: ffi::Py_ssize_t,
    ) -> PyResult<Bound<'py, Self>>;

    /// Where its bytes are.
    fn data(object: &Bound<'_, Self>) -> *mut u8;

    /// An object without bytes.
    fn empty(py: Python<'_>) -> Bound<'_, Self>;
}

impl Body for PyBytes {
    fn resize<'py>(
        py: Python<'py>,
        object: Option<Bound<'py, Self>>,
        size: ffi::Py_ssize_t,
    ) -> PyResult<Bound<'py, Self>> {
        unsafe extern "C" {
            fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> c_int;
        }
        let mut object = object.map_or(std::ptr::null_mut(), Bound::into_ptr);
        // SAFETY: alive: the only reference to the object is handed over and one comes back, or null with an exception set. type:
        // exact bytes, or null for the first time. shared: not at all, as `_PyBytes_Resize` asks: `Growing` alone has
        // the object. runs: no Python code.
        unsafe {
            if object.is_null() {
                object = ffi::PyBytes_FromStringAndSize(std::ptr::null(), size);
            } else {
                _PyBytes_Resize(&raw mut object, size);
            }
            Ok(Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked())
        }
    }

    fn data(object: &Bound<'_, Self>) -> *mut u8 {
        // SAFETY: alive: borrowed. type: the pyo3 type says bytes. shared: one address. runs: no Python code.
        unsafe { ffi::PyBytes_AS_STRING(object.as_ptr()).cast_mut().cast() }
    }

    fn empty(py: Python<'_>) -> Bound<'_, Self> {
        PyBytes::new(py, b"")
    }
}

impl Body for PyByteArray {
    fn resize<'py>(
        py: Python<'py>,
        object: Option<Bound<'py, Self>>,
        size: ffi::Py_ssize_t,
    ) -> PyResult<Bound<'py, Self>> {
        // SAFETY: alive: the object is owned here; one that is new is owned at once. type: exact bytearray. shared: not at all:
        // `Growing` alone has the object, so no view of it is open. runs: no Python code.
        unsafe {
            let Some(object) = object else {
                let made = ffi::PyByteArray_FromStringAndSize(std::ptr::null(), size);
                return Ok(Bound::from_owned_ptr_or_err(py, made)?.cast_into_unchecked());
            };
            if ffi::PyByteArray_Resize(object.as_ptr(), size) < 0 {
                return Err(PyErr::fetch(py));
            }
            Ok(object)
        }
    }

    fn data(object: &Bound<'_, Self>) -> *mut u8 {
        // SAFETY: alive: borrowed. type: the pyo3 type says bytearray. shared: one address. runs: no Python code.
        unsafe { ffi::PyByteArray_AsString(object.as_ptr()).cast() }
    }

    fn empty(py: Python<'_>) -> Bound<'_, Self> {
        PyByteArray::new(py, b"")
    }
}

/// A str of ASCII, whose memory is its characters.
impl Body for PyString {
    fn resize<'py>(
        py: Python<'py>,
        object: Option<Bound<'py, Self>>,
        size: ffi::Py_ssize_t,
    ) -> PyResult<Bound<'py, Self>> {
        // SAFETY: alive: the only reference to the object is handed over and one comes back, also where the call fails. type:
        // `PyUnicode_New` with a largest character of 127 makes a compact ASCII str of `size` bytes, and resizing keeps it one.
        // shared: not at all: `Growing` alone has the object, and nobody has asked for its hash. runs: no Python code.
        unsafe {
            let Some(object) = object else {
                let made = ffi::PyUnicode_New(size, 127);
                return Ok(Bound::from_owned_ptr_or_err(py, made)?.cast_into_unchecked());
            };
            let mut object = object.into_ptr();
            let status = ffi::PyUnicode_Resize(&raw mut object, size);
            let object = Bound::from_owned_ptr_or_err(py, object)?;
            if status < 0 {
                return Err(PyErr::fetch(py));
            }
            Ok(object.cast_into_unchecked())
        }
    }

    fn data(object: &Bound<'_, Self>) -> *mut u8 {
        // SAFETY: alive: borrowed. type: a compact str, as made above. shared: one address. runs: no Python code.
        unsafe { ffi::PyUnicode_1BYTE_DATA(object.as_ptr()) }
    }

    fn empty(py: Python<'_>) -> Bound<'_, Self> {
        PyString::new(py, "")
    }
}

/// An object under construction, which nobody else can reach.
pub(crate) struct Growing<'py, T: Body = PyBytes> {
    py: Python<'py>,
    /// `None` before the first byte.
    made: Option<Bound<'py, T>>,
    filled: usize,
    room: usize,
}

impl<'py, T: Body> Growing<'py, T> {
    /// No bytes yet, and no memory.
    pub(crate) fn new(py: Python<'py>) -> Self {
        Growing { py, made: None, filled: 0, room: 0 }
    }

    /// How many bytes have been written.
    pub(crate) fn len(&self) -> usize {
        self.filled
    }

    /// How many bytes fit without another allocation.
    pub(crate) fn spare(&self) -> usize {
        self.room - self.filled
    }

    /// Make room for exactly `more` bytes.
    pub(crate) fn reserve(&mut self, more: usize) -> PyResult<()> {
        if more > self.spare() {
            self.resize(self.filled.saturating_add(more))?;
        }
        Ok(())
    }

    /// Append `bytes`.
    pub(crate) fn extend(&mut self, bytes: &[u8]) -> PyResult<()> {
        if bytes.len() > self.spare() {
            let grown = if self.room < DOUBLING { self.room * 2 } else { self.room + self.room / 4 };
            self.resize(grown.max(self.filled.saturating_add(bytes.len())).max(LEAST))?;
        }
        // SAFETY: alive: the slice is borrowed. type: plain bytes. shared: a slice that is lent is not written to. runs: no Python
        // code.
        unsafe { self.append(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    /// Append `count` bytes at `from`, for which there is room.
    ///
    /// # Safety
    ///
    /// `from` must be readable for `count` bytes, and they must not change meanwhile.
    unsafe fn append(&mut self, from: *const u8, count: usize) {
        assert!(count <= self.spare());
        let Some(made) = &self.made else { return };
        // SAFETY: alive: `made` is owned by `self`; the caller answers for `from`. type: `room` bytes of memory, in which
        // `count` fit behind what is filled. shared: nobody else has a reference to the object, so the two cannot
        // overlap. runs: no Python code.
        unsafe {
            let at = T::data(made).add(self.filled);
            std::ptr::copy_nonoverlapping(from, at, count);
        }
        self.filled += count;
    }

    /// Append `count` bytes, for which there is room, as `fill` writes them; it is lent zeros.
    ///
    /// What `fill` has written counts only if it succeeds.
    pub(crate) fn fill<E>(&mut self, count: usize, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<(), E> {
        assert!(count <= self.spare());
        let Some(made) = &self.made else { return Ok(()) };
        // SAFETY: alive: `made` is owned by `self`, which is borrowed across the call of `fill`. type: `room` bytes of memory, of
        // which this piece lies behind what is filled and is zeroed before it is lent. shared: nobody else has a reference to
        // the object, and neither bytes nor bytearrays are tracked by the garbage collector, so Python code that runs in
        // `fill` cannot reach the piece. runs: any Python code, in `fill`.
        unsafe {
            let at = T::data(made).add(self.filled);
            std::ptr::write_bytes(at, 0, count);
            fill(std::slice::from_raw_parts_mut(at, count))?;
        }
        self.filled += count;
        Ok(())
    }

    /// Show what has been written.
    fn lend<R>(&self, show: impl FnOnce(&[u8]) -> R) -> R {
        let Some(made) = &self.made else { return show(b"") };
        // SAFETY: alive: `made` is owned by `self`, which is borrowed meanwhile. type: `filled` bytes of its memory have been
        // written. shared: nobody else has a reference to the object. runs: what `show` runs cannot reach it.
        show(unsafe { std::slice::from_raw_parts(T::data(made), self.filled) })
    }

    /// The object, cut to what has been written.
    pub(crate) fn finish(mut self) -> PyResult<Bound<'py, T>> {
        if self.filled < self.room {
            self.resize(self.filled)?;
        }
        Ok(self.made.unwrap_or_else(|| T::empty(self.py)))
    }

    fn resize(&mut self, room: usize) -> PyResult<()> {
        let size = ffi::Py_ssize_t::try_from(room).map_err(|_| PyMemoryError::new_err(()))?;
        // Until there is memory again, there is none.
        let (object, filled) = (self.made.take(), std::mem::take(&mut self.filled));
        self.room = 0;
        let made = T::resize(self.py, object, size)?;
        if room >= HUGE {
            advise(T::data(&made), room);
        }
        (self.made, self.filled, self.room) = (Some(made), filled, room);
        Ok(())
    }
}

/// A new object of `bytes`.
pub(crate) fn copied<'py, T: Body>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, T>> {
    let mut made = Growing::<T>::new(py);
    made.reserve(bytes.len())?;
    made.extend(bytes)?;
    made.finish()
}

/// How much memory is asked for ahead of the bytes that fill it.
const AHEAD: usize = 64 << 20;

/// How many bytes are read at a time into an object.
const PIECE: usize = 1 << 20;

/// A new object of `count` bytes, made as `fill` delivers them.
pub(crate) fn filled<T: Body, E: From<PyErr>>(
    py: Python<'_>,
    count: usize,
    fill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Bound<'_, T>, E> {
    filled_after(py, count, b"", fill)
}

/// A new object of `count` bytes that begin with `begun`; the rest as `fill` delivers it.
pub(crate) fn filled_after<'py, T: Body, E: From<PyErr>>(
    py: Python<'py>,
    count: usize,
    begun: &[u8],
    fill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Bound<'py, T>, E> {
    let mut made = Growing::<T>::new(py);
    made.reserve(count.min(AHEAD).max(begun.len()))?;
    made.extend(begun)?;
    rest(made, count, fill)
}

/// The object that `made` becomes when `fill` has delivered the rest of its `count` bytes.
fn rest<T: Body, E: From<PyErr>>(
    mut made: Growing<'_, T>,
    count: usize,
    mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Bound<'_, T>, E> {
    while made.len() < count {
        if made.spare() == 0 {
            made.reserve((count - made.len()).min(made.len().max(AHEAD)))?;
        }
        made.fill(PIECE.min(made.spare()), &mut fill)?;
    }
    Ok(made.finish()?)
}

/// A new str of `count` bytes of ASCII, made as `fill` delivers them. Where they are not ASCII, all of them as bytes.
pub(crate) fn ascii_filled<E: From<PyErr>>(
    py: Python<'_>,
    count: usize,
    mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Result<Bound<'_, PyString>, Bound<'_, PyBytes>>, E> {
    let mut made = Growing::<PyString>::new(py);
    while made.len() < count {
        if made.spare() == 0 {
            made.reserve((count - made.len()).min(made.len().max(AHEAD)))?;
        }
        let mut ascii = true;
        made.fill(PIECE.min(made.spare()), |out| {
            fill(out)?;
            ascii = out.is_ascii();
            Ok::<(), E>(())
        })?;
        if !ascii {
            // What has been read never becomes a str.
            let begun = made.filled;
            let mut bytes = Growing::<PyBytes>::new(py);
            bytes.reserve(count.min(begun.max(AHEAD)))?;
            made.lend(|made| bytes.extend(made))?;
            drop(made);
            return Ok(Err(rest(bytes, count, fill)?));
        }
    }
    Ok(Ok(made.finish()?))
}

/// Ask for huge pages for an allocation of at least [`HUGE`] bytes, where the kernel gives them only to those who ask: making
/// pages of 4 KiB costs more than filling them.
///
/// The advice must be for a whole allocation, never for a part: the kernel moves and grows only what it keeps as one mapping, and
/// the allocator copies the rest.
#[cfg(target_os = "linux")]
pub(super) fn advise(data: *mut u8, count: usize) {
    unsafe extern "C" {
        fn madvise(address: *mut std::ffi::c_void, length: usize, advice: c_int) -> c_int;
    }
    const MADV_HUGEPAGE: c_int = 14;
    const PAGE: usize = 1 << 12;
    // The headers that stand before the bytes fill a part of the first page.
    let from = data as usize & !(PAGE - 1);
    let to = (data as usize + count).next_multiple_of(PAGE);
    // SAFETY: alive: the caller has the memory. type: addresses only. shared: the advice changes no content, of that memory or of
    // what else may lie in its first and last page. runs: no Python code. That the kernel may refuse is no error: the pages
    // are small ones then.
    unsafe {
        madvise(from as *mut std::ffi::c_void, to - from, MADV_HUGEPAGE);
    }
}

/// Elsewhere there is nobody to ask.
#[cfg(not(target_os = "linux"))]
pub(super) fn advise(_data: *mut u8, _count: usize) {}
