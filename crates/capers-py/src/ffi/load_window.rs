//! Bytes that the loading side reads from: an object's buffer, held for as long as it is read.
//!
//! Slices are lent only of memory that cannot change: that of exact `bytes`. What another owner could write to while it
//! is read (bytearray, memoryview, mmap) is copied piece by piece as it is taken.

use capers_pickle::reader::Bounds;
use capers_pickle::{Error, ErrorKind, Ready, Source};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PySlice};

use super::buffer::View;

/// A piece larger than this is let go of when the next one is smaller.
const KEPT: usize = 1 << 20;

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
        if count < KEPT && self.piece.capacity() > KEPT {
            self.piece = Vec::new();
        }
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

impl<'py> Ready<Bound<'py, PyAny>> for ObjectSource<'py> {}

/// The content of a bytes-like object as `bytes`: itself where it is that already.
pub(crate) fn as_bytes<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = object.cast_exact::<PyBytes>() {
        return Ok(bytes.clone());
    }
    let view = View::new(object)?;
    view.bytes(object.py(), 0, view.len())
}

/// Memory of our own that a file's `readinto` may write to.
///
/// A method that keeps the memoryview it was given could write to memory that is gone (gh-151046), or to bytes that others
/// take for immutable. So the view is over a bytearray, which lives as long as any view of it, and the bytes are copied
/// from there while they are still in the processor's cache. What is written to the bytearray later is seen by nobody.
#[derive(Default)]
pub(crate) struct Landing<'py> {
    room: Option<Bound<'py, PyByteArray>>,
}

/// The largest landing.
const LANDING: usize = 1 << 20;

impl<'py> Landing<'py> {
    /// Let `readinto` fill the beginning of `out`; returns how many bytes it says it read.
    pub(crate) fn read_into(&mut self, readinto: &Bound<'py, PyAny>, out: &mut [u8]) -> PyResult<usize> {
        let py = readinto.py();
        let wanted = out.len().min(LANDING);
        let room = match self.room.take() {
            Some(room) if room.len() >= wanted => room,
            _ => PyByteArray::new_with(py, wanted, |_| Ok(()))?,
        };
        let mut view = PyMemoryView::from(&room)?.into_any();
        if room.len() > wanted {
            view = view.get_item(PySlice::new(py, 0, wanted as isize, 1))?;
        }
        let count: isize = readinto.call1((view,))?.extract()?;
        let Ok(count) = usize::try_from(count) else {
            return Err(PyValueError::new_err("readinto() returned negative size"));
        };
        if count > wanted {
            return Err(PyValueError::new_err("readinto() returned more than asked for"));
        }
        let held = View::new(room.as_any())?;
        if held.len() < count {
            return Err(PyValueError::new_err("readinto() changed the size of its buffer"));
        }
        held.copy(0, &mut out[..count]);
        drop(held);
        self.room = Some(room);
        Ok(count)
    }
}
