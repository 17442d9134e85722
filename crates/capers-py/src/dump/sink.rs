//! Where a pickle goes: into the bytes object that `dumps` returns, or to the `write` of a file.
//!
//! The result of `dumps` is the memory that the writer writes into. To a file, what has been written is handed on at the end
//! of each frame, or of as many bytes where the protocol has no frames, unless it may still be taken back. A large part is
//! not copied into the writer's buffer then: what came before it, its header included, is handed on, and then the part.
//! The calls of `write` are those of `_pickle.c`: one for each frame with its header, one for what precedes a large part, one
//! for the part.
//!
//! A file may keep what it is given. It gets bytes objects only: the very object that is pickled where that is exact
//! bytes, and copies of everything else, in pieces where it is very large. So nothing it keeps can change or go away, and
//! no second copy of a large buffer is made.

use capers_pickle::writer::FRAME_TARGET;
use pyo3::exceptions::{PyBlockingIOError, PyOSError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCFunction, PyFunction, PyInt, PyMemoryView, PySlice};

use super::Dumper;
use crate::ffi::buffer::View;

/// A part up to this size reaches the file by one call of `write`, a larger one in pieces.
const WHOLE: usize = 16 << 20;

/// The size of these pieces: large for a file, small beside the part, and still in the processor's cache when it is written.
const PIECE: usize = 1 << 20;

/// Where the bytes go.
pub(super) enum Sink<'py> {
    /// Into the result of `dumps`, which is what the writer writes into.
    Result,
    /// To a file.
    File(Target<'py>),
}

/// The content of a part.
pub(super) enum Content<'a, 'py> {
    /// That of a bytes object.
    Bytes(&'a Bound<'py, PyBytes>),
    /// Memory that cannot change, owned by an object that the caller holds.
    Fixed(&'a [u8]),
    /// Memory that others may write to.
    Shared(&'a View<'py>),
}

impl Content<'_, '_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Content::Bytes(bytes) => bytes.as_bytes().len(),
            Content::Fixed(slice) => slice.len(),
            Content::Shared(view) => view.len(),
        }
    }
}

/// The `write` of a file.
pub(super) struct Target<'py> {
    write: Bound<'py, PyAny>,
    /// Whether it belongs to a raw file, once that has been looked at.
    raw: Option<bool>,
    /// Whether the file has taken anything of this pickle.
    begun: bool,
    /// Whether it failed after that: what it has is the beginning of a pickle, cut anywhere.
    torn: bool,
    /// How many bytes of this pickle it has.
    taken: usize,
}

impl<'py> Sink<'py> {
    pub(super) fn new(write: Option<Bound<'py, PyAny>>) -> Self {
        match write {
            Some(write) => Sink::File(Target { write, raw: None, begun: false, torn: false, taken: 0 }),
            None => Sink::Result,
        }
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Sink::File(_))
    }

    /// How many bytes a file has.
    pub(super) fn taken(&self) -> usize {
        match self {
            Sink::Result => 0,
            Sink::File(target) => target.taken,
        }
    }

    /// Whether a file has the beginning of a part, or of a pickle, without its end.
    pub(super) fn is_torn(&self) -> bool {
        matches!(self, Sink::File(Target { torn: true, .. }))
    }
}

impl<'py> Target<'py> {
    /// Writes a large part, in pieces where it is very large; `pause` runs between them, told how many bytes there are.
    fn put(
        &mut self,
        py: Python<'py>,
        content: &Content<'_, 'py>,
        mut pause: impl FnMut(usize) -> PyResult<()>,
    ) -> PyResult<()> {
        if let Content::Bytes(bytes) = content {
            return self.write(bytes);
        }
        let len = content.len();
        let step = if len <= WHOLE { len } else { PIECE };
        let mut at = 0;
        while at < len {
            let count = step.min(len - at);
            let paused = if at > 0 { pause(self.taken) } else { Ok(()) };
            let piece = paused.and_then(|()| match content {
                Content::Bytes(bytes) => Ok(PyBytes::new(py, &bytes.as_bytes()[at..at + count])),
                Content::Fixed(slice) => Ok(PyBytes::new(py, &slice[at..at + count])),
                Content::Shared(view) => view.bytes(py, at, count),
            });
            // The header of the part has been written: whatever fails now leaves it without its end.
            let piece = piece.inspect_err(|_| self.torn = true)?;
            self.write(&piece)?;
            at += count;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &Bound<'py, PyBytes>) -> PyResult<()> {
        let outcome = self.write_all(bytes);
        self.torn = outcome.is_err() && self.begun;
        if outcome.is_ok() {
            self.taken += bytes.as_bytes().len();
        }
        outcome
    }

    /// Writes all of `bytes`.
    ///
    /// Raw files may take less than they are given, and say how much; what they left is given to them again. What other
    /// objects return is not looked at, as in C: it need not be a number of bytes, and where it is, not of these.
    fn write_all(&mut self, bytes: &Bound<'py, PyBytes>) -> PyResult<()> {
        let (py, len) = (bytes.py(), bytes.as_bytes().len());
        let told = self.write.call1((bytes,))?;
        let Some(mut taken) = self.short(&told, len)? else {
            self.begun = true;
            return Ok(());
        };
        let view = PyMemoryView::from(bytes)?;
        loop {
            self.begun = true;
            py.check_signals()?;
            let rest = view.get_item(PySlice::new(py, taken as isize, len as isize, 1))?;
            let told = self.write.call1((rest,))?;
            match self.short(&told, len - taken)? {
                Some(count) => taken += count,
                None => return Ok(()),
            }
        }
    }

    /// How much a raw file took of `len` bytes if it was not all.
    fn short(&mut self, told: &Bound<'py, PyAny>, len: usize) -> PyResult<Option<usize>> {
        let count = match told.cast_exact::<PyInt>() {
            Ok(count) => count.extract::<usize>().ok().filter(|count| *count < len),
            Err(_) => (told.is_none() && len > 0).then_some(0),
        };
        if count.is_none() || !self.is_raw()? {
            return Ok(None);
        }
        let py = told.py();
        if told.is_none() {
            let again = py.import(intern!(py, "errno"))?.getattr(intern!(py, "EAGAIN"))?;
            let text = "cannot write a pickle to a non-blocking file that takes no more now";
            return Err(PyBlockingIOError::new_err((again.unbind(), text)));
        }
        if count == Some(0) {
            return Err(PyOSError::new_err(format!("write() took none of {len} bytes")));
        }
        Ok(count)
    }

    /// Whether `write` is the method of a raw file; functions that say what they wrap are looked through, which those of
    /// `tempfile` do.
    fn is_raw(&mut self) -> PyResult<bool> {
        if let Some(raw) = self.raw {
            return Ok(raw);
        }
        let py = self.write.py();
        let mut method = self.write.clone();
        for _ in 0..WRAPPERS {
            if !method.is_exact_instance_of::<PyFunction>() {
                break;
            }
            let Some(wrapped) = method.getattr_opt(intern!(py, "__wrapped__"))? else { break };
            method = wrapped;
        }
        let bound = method.is_instance_of::<PyCFunction>() || method.is_exact_instance(&self.method_type()?);
        let raw = bound && {
            let class = py.import(intern!(py, "io"))?.getattr(intern!(py, "RawIOBase"))?;
            method.getattr(intern!(py, "__self__"))?.is_instance(&class)?
        };
        self.raw = Some(raw);
        Ok(raw)
    }

    fn method_type(&self) -> PyResult<Bound<'py, PyAny>> {
        let py = self.write.py();
        py.import(intern!(py, "types"))?.getattr(intern!(py, "MethodType"))
    }
}

/// How many functions around a method are looked through.
const WRAPPERS: usize = 4;

impl<'py> Dumper<'py> {
    /// Hands on what has been written, unless it may still be taken back.
    pub(super) fn flush(&mut self) -> PyResult<()> {
        if self.held_back() {
            return Ok(());
        }
        self.hand_on()?;
        self.pause()
    }

    fn held_back(&mut self) -> bool {
        self.classes.any_in_progress() || self.any_weak_open()
    }

    /// Hands on all that has been written, where a file takes it.
    fn hand_on(&mut self) -> PyResult<()> {
        let Sink::File(target) = &mut self.sink else { return Ok(()) };
        let ready = self.writer.buffer_mut().take(self.py)?;
        if ready.as_bytes().is_empty() {
            return Ok(());
        }
        target.write(&ready)?;
        self.sent = self.memo.next_index();
        Ok(())
    }

    /// Writes the content that belongs to the header just written: a file gets a large one by itself.
    #[cold]
    #[inline(never)]
    pub(super) fn write_large(&mut self, content: &Content<'_, 'py>) -> PyResult<()> {
        let len = content.len();
        if len >= FRAME_TARGET && self.sink.is_file() && !self.held_back() {
            self.hand_on()?;
            if let Sink::File(target) = &mut self.sink {
                let (py, progress) = (self.py, &self.hooks.progress);
                let interrupted = &mut self.stops.interrupted;
                target.put(py, content, |taken| {
                    let mut outcome = py.check_signals();
                    if outcome.is_ok()
                        && let Some(progress) = progress
                    {
                        outcome = progress.tell(|_| taken as u64);
                    }
                    *interrupted |= outcome.is_err();
                    outcome
                })?;
            }
            return self.pause();
        }
        self.writer.buffer_mut().reserve(len);
        let mut at = 0;
        while at < len {
            if at > 0 {
                self.pause()?;
            }
            let count = WHOLE.min(len - at);
            match content {
                Content::Bytes(bytes) => self.writer.payload(&bytes.as_bytes()[at..at + count]),
                Content::Fixed(slice) => self.writer.payload(&slice[at..at + count]),
                Content::Shared(view) => self.writer.buffer_mut().extend_from(view, at, count),
            }
            at += count;
        }
        self.pause()
    }

    /// Tells how far the dump has come: what may still be taken back, and the open frame, which may lose its header, do not
    /// count.
    #[cold]
    pub(super) fn tell(&mut self) -> PyResult<()> {
        let held = self.held_back();
        let bytes = self.sink.taken() + self.writer.committed_len();
        let Some(progress) = &self.hooks.progress else { return Ok(()) };
        progress.tell(|told| if held { told } else { bytes as u64 })
    }

    /// Tells that the pickle is complete.
    #[cold]
    pub(super) fn tell_end(&mut self) -> PyResult<()> {
        self.memo.own();
        let bytes = self.taken() + self.writer.as_bytes().len();
        self.hooks.progress.as_ref().map_or(Ok(()), |progress| progress.end(bytes as u64))
    }

    /// How many bytes of the pickle a file has.
    pub(super) fn taken(&self) -> usize {
        self.sink.taken()
    }

    /// The end of a pickle: a file has all of it then.
    pub(super) fn finish(&mut self) -> PyResult<()> {
        self.hand_on()
    }

    /// Whether the file has the beginning of a part, or of the pickle, without its end.
    pub(super) fn is_torn(&self) -> bool {
        self.sink.is_torn()
    }
}
