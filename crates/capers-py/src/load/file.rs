//! A pickle that is read from a Python file.
//!
//! Reads what CPython's unpickler reads: with `peek`, as much as the file has ready, and later only as far as it was
//! used; without it, exactly the bytes asked for, so that the file stands right behind the pickle afterwards. Unlike it,
//! a read that returns less than it was asked for is followed by another until nothing comes (gh-93050), and nothing is
//! asked for far ahead of the bytes seen.

use capers_pickle::reader::Bounds;
use capers_pickle::{Error, ErrorKind, Ready, Source};
use pyo3::exceptions::{PyNotImplementedError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCFunction};

use super::failure::Failure;
use crate::ffi::{growing, load_window, make, reserve};
use crate::progress::{self, Progress};

/// How much `peek` is asked for.
const PREFETCH: usize = 1 << 17;

/// A file of the interpreter is asked for no larger bytes object than this: it makes room for all of it first.
const LARGEST: usize = 32 << 20;

/// From here on what is read goes straight into the memory that will hold it.
const SMALL: usize = 1 << 20;

/// The methods of a file and what was read of it but not yet used.
#[derive(Default)]
pub(super) struct File {
    methods: Option<Methods>,
    held: Option<Py<PyBytes>>,
    at: usize,
    /// Up to where the file itself has advanced within `held`.
    advanced: usize,
}

struct Methods {
    read: Py<PyAny>,
    readline: Py<PyAny>,
    readinto: Option<Py<PyAny>>,
    peek: Option<Py<PyAny>>,
}

impl File {
    /// Take the methods of a file object.
    pub(super) fn new(file: &Bound<'_, PyAny>) -> PyResult<File> {
        let method = |name: &str| -> PyResult<Option<Py<PyAny>>> { Ok(file.getattr_opt(name)?.map(Bound::unbind)) };
        let (peek, readinto, read, readline) =
            (method("peek")?, method("readinto")?, method("read")?, method("readline")?);
        let (Some(read), Some(readline)) = (read, readline) else {
            return Err(PyTypeError::new_err("file must have 'read' and 'readline' attributes"));
        };
        Ok(File { methods: Some(Methods { read, readline, readinto, peek }), ..File::default() })
    }

    /// The method `read`, if there is a file.
    pub(super) fn read<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.methods.as_ref().map(|it| it.read.bind(py).clone())
    }

    /// How far the file has advanced beyond what was used of it; below zero where it stands behind that.
    pub(super) fn ahead(&self) -> i64 {
        self.advanced as i64 - self.at as i64
    }

    /// Show the garbage collector what is kept.
    pub(super) fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        if let Some(methods) = &self.methods {
            visit.call(&methods.read)?;
            visit.call(&methods.readline)?;
            visit.call(&methods.readinto)?;
            visit.call(&methods.peek)?;
        }
        Ok(())
    }

    /// Read on from here.
    ///
    /// `strict` says whether arguments must not cross the end of their frame.
    pub(super) fn source<'a, 'py>(
        &'a mut self,
        py: Python<'py>,
        strict: bool,
        progress: Option<&'a Progress<'py>>,
    ) -> Option<FileSource<'a, 'py>> {
        self.methods.as_ref()?;
        let held = self.held.take().map_or_else(|| PyBytes::new(py, b""), |held| held.into_bound(py));
        let mut bounds = Bounds::new(held.as_bytes().len(), strict);
        bounds.at = self.at;
        let before = -(self.at as i64);
        Some(FileSource { held, bounds, before, file: self, landing: load_window::Landing::default(), progress })
    }
}

/// A [`File`] being read.
pub(super) struct FileSource<'a, 'py> {
    file: &'a mut File,
    held: Bound<'py, PyBytes>,
    bounds: Bounds,
    /// Where `held` begins, counted from where the pickle does; below zero where earlier pickles have used some of it.
    before: i64,
    landing: load_window::Landing<'py>,
    progress: Option<&'a Progress<'py>>,
}

/// How many bytes are left where the file whose `read` this is has advanced by so many; `None` where nobody knows.
pub(super) fn left(read: Option<&Bound<'_, PyAny>>, ahead: i64) -> PyResult<Option<u64>> {
    let Some(read) = read else { return Ok(None) };
    let left = progress::left(read)?.map(|left| left.saturating_add(ahead));
    Ok(left.and_then(|left| u64::try_from(left).ok()))
}

impl Drop for FileSource<'_, '_> {
    fn drop(&mut self) {
        self.file.at = self.bounds.at;
        self.file.held = Some(self.held.clone().unbind());
    }
}

impl<'py> FileSource<'_, 'py> {
    fn methods(&self) -> Result<&Methods, Failure> {
        self.file.methods.as_ref().ok_or_else(truncated)
    }

    fn rest(&self) -> usize {
        self.held.as_bytes().len() - self.bounds.at
    }

    /// Let the file advance to where reading has come.
    fn skip_consumed(&mut self) -> Result<(), Failure> {
        let consumed = self.bounds.at.saturating_sub(self.file.advanced);
        if consumed > 0 {
            self.methods()?.read.call1(self.held.py(), (consumed,))?;
            self.file.advanced = self.bounds.at;
        }
        Ok(())
    }

    fn hold(&mut self, data: Bound<'py, PyBytes>) {
        self.before += self.bounds.at as i64;
        self.bounds = self.bounds.renewed(data.as_bytes().len());
        self.file.advanced = data.as_bytes().len();
        self.held = data;
    }

    /// Have at least `count` bytes at hand; what was held is used up or, as in C, let go.
    #[cold]
    fn fill(&mut self, count: usize) -> Result<(), Failure> {
        let py = self.held.py();
        self.skip_consumed()?;
        if count < PREFETCH
            && let Some(peek) = &self.methods()?.peek
        {
            match peek.call1(py, (PREFETCH,)) {
                Ok(data) => {
                    let data = load_window::as_bytes(data.bind(py))?;
                    self.hold(data);
                    self.file.advanced = 0;
                    if count <= self.rest() {
                        return Ok(());
                    }
                }
                Err(error) if error.is_instance_of::<PyNotImplementedError>(py) => {
                    if let Some(methods) = &mut self.file.methods {
                        methods.peek = None;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        if count > SMALL {
            let data = growing::filled::<PyBytes, Failure>(py, count, |out| self.read_piece(out, false));
            // What was held has been used up, also where the rest does not come.
            self.hold(data.as_ref().map_or_else(|_| PyBytes::new(py, b""), Bound::clone));
            return data.map(drop);
        }
        let first = self.read(count)?;
        if first.as_bytes().len() >= count {
            self.hold(first);
            return Ok(());
        }
        let mut all = reserve::try_copy(first.as_bytes())?;
        let mut more = first;
        while all.len() < count && !more.as_bytes().is_empty() {
            more = self.read(count - all.len())?;
            reserve::reserve(&mut all, more.as_bytes().len());
            all.extend_from_slice(more.as_bytes());
        }
        self.hold(make::bytes(py, &all)?);
        if all.len() < count { Err(truncated()) } else { Ok(()) }
    }

    /// Leave the frame if it is at its end, then see that so many bytes are held.
    #[cold]
    fn beyond(&mut self, count: usize) -> Result<(), Failure> {
        self.bounds.leave_frame(self.held.as_bytes().len())?;
        if self.bounds.has(count) { Ok(()) } else { self.fill(count) }
    }

    /// Hold the next `count` bytes, of which the first ones are held already. There are few enough of them.
    #[cold]
    fn join(&mut self, count: usize) -> Result<(), Failure> {
        let mut all = Vec::new();
        while all.len() < count {
            let begun = all.len();
            let piece = (count - begun).min(SMALL);
            reserve::reserve(&mut all, piece);
            all.resize(begun + piece, 0);
            self.read_through(&mut all[begun..], true)?;
        }
        self.hold(make::bytes(self.held.py(), &all)?);
        self.before -= count as i64;
        Ok(())
    }

    /// Fill `out` with what is held, and then with what the file has next.
    fn read_through(&mut self, mut out: &mut [u8], strict: bool) -> Result<(), Failure> {
        if !self.bounds.has(out.len()) {
            self.bounds.leave_frame(self.held.as_bytes().len())?;
        }
        let held = self.rest().min(out.len());
        out[..held].copy_from_slice(self.take(held)?);
        out = &mut out[held..];
        if out.is_empty() {
            return Ok(());
        }
        self.skip_consumed()?;
        self.read_on(out, strict)
    }

    /// Fill `out` with what the file has next, which counts as read once it is there.
    fn read_on(&mut self, out: &mut [u8], strict: bool) -> Result<(), Failure> {
        let count = out.len();
        self.read_piece(out, strict)?;
        self.before += count as i64;
        Ok(())
    }

    /// Fill `out` with what the file has next; `strict` says whether `read` must return bytes, as C asks for some objects.
    fn read_piece(&mut self, mut out: &mut [u8], strict: bool) -> Result<(), Failure> {
        let py = self.held.py();
        while !out.is_empty() {
            let readinto = self.methods()?.readinto.as_ref().map(|readinto| readinto.bind(py).clone());
            let count = if let Some(readinto) = readinto {
                self.landing.read_into(&readinto, out)?
            } else {
                let data = self.methods()?.read.call1(py, (out.len(),))?.into_bound(py);
                if strict {
                    demand_bytes(&data)?;
                }
                let data = load_window::as_bytes(&data)?;
                let count = data.as_bytes().len().min(out.len());
                out[..count].copy_from_slice(&data.as_bytes()[..count]);
                count
            };
            if count == 0 {
                return Err(truncated());
            }
            out = &mut out[count..];
        }
        if let Some(progress) = self.progress {
            progress.tell(|_| self.offset()).map_err(Failure::apart)?;
        }
        Ok(())
    }

    fn read(&self, count: usize) -> Result<Bound<'py, PyBytes>, Failure> {
        let py = self.held.py();
        let data = self.methods()?.read.call1(py, (count,))?;
        Ok(load_window::as_bytes(data.bind(py))?)
    }
}

#[cold]
fn truncated() -> Failure {
    Error::new(ErrorKind::Truncated).into()
}

impl Source for FileSource<'_, '_> {
    type Error = Failure;

    fn offset(&self) -> u64 {
        (self.before + self.bounds.at as i64).unsigned_abs()
    }

    fn prefers_copy(&self, count: usize) -> bool {
        count > self.rest()
    }

    #[inline]
    fn next_byte(&mut self) -> Result<Option<u8>, Failure> {
        match self.take(1) {
            Ok(bytes) => Ok(bytes.first().copied()),
            Err(failure) if failure.is_truncated() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    #[inline]
    fn take(&mut self, count: usize) -> Result<&[u8], Failure> {
        if !self.bounds.has(count) {
            self.beyond(count)?;
        }
        let at = self.bounds.at;
        self.bounds.at += count;
        Ok(&self.held.as_bytes()[at..at + count])
    }

    fn take_whole(&mut self, count: usize) -> Result<&[u8], Failure> {
        if !self.bounds.has(count) && self.rest() > 0 {
            self.bounds.leave_frame(self.held.as_bytes().len())?;
            if !self.bounds.has(count) {
                self.join(count)?;
            }
        }
        self.take(count)
    }

    fn line(&mut self) -> Result<&[u8], Failure> {
        if !self.bounds.has(1) {
            self.bounds.leave_frame(self.held.as_bytes().len())?;
        }
        let rest = &self.held.as_bytes()[self.bounds.at..];
        let mut end = rest.iter().position(|&byte| byte == b'\n');
        if end.is_none() {
            self.bounds.leave_frame(self.held.as_bytes().len())?;
            self.skip_consumed()?;
            let py = self.held.py();
            let data = self.methods()?.readline.call0(py)?;
            let data = load_window::as_bytes(data.bind(py))?;
            self.hold(data);
            if self.held.as_bytes().last() == Some(&b'\n') {
                end = Some(self.rest() - 1);
            }
        }
        match end {
            Some(end) => self.take(end + 1),
            None => Err(truncated()),
        }
    }

    fn read_into(&mut self, out: &mut [u8]) -> Result<(), Failure> {
        self.read_through(out, true)
    }

    fn read_text_into(&mut self, out: &mut [u8]) -> Result<(), Failure> {
        self.read_through(out, false)
    }

    fn frame(&mut self, count: u64) -> Result<(), Failure> {
        let count = self.bounds.check_frame(count, self.held.as_bytes().len())?;
        if !self.bounds.has(count) {
            self.fill(count)?;
        }
        self.bounds.enter_frame(count);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.skip_consumed()?;
        if self.rest() == 0 {
            // What was used up is not kept until the next pickle.
            self.hold(PyBytes::new(self.held.py(), b""));
        }
        Ok(())
    }
}

impl<'py> Ready<Bound<'py, PyAny>> for FileSource<'_, 'py> {
    /// Files of the interpreter make a bytes object of what they read, with nobody else having it; no better place to read to can
    /// be offered to them. Files without `readinto` make one anyway.
    fn ready(&mut self, count: usize) -> Result<Option<Bound<'py, PyAny>>, Failure> {
        let (py, held) = (self.held.py(), self.held.as_bytes().len());
        let methods = self.methods()?;
        let builtin = |method: &Py<PyAny>| method.bind(py).is_instance_of::<PyCFunction>();
        let strict = methods.readinto.is_none();
        let builtin = builtin(&methods.read) && methods.readinto.as_ref().is_none_or(builtin);
        // A file that has moved past what is held cannot read it again.
        if count > LARGEST || self.file.advanced > self.bounds.at || !(builtin || strict) {
            return Ok(None);
        }
        self.bounds.leave_frame(held)?;
        self.skip_consumed()?;
        let data = self.methods()?.read.call1(py, (count,))?.into_bound(py);
        self.hold(PyBytes::new(py, b""));
        if data.cast_exact::<PyBytes>().is_ok_and(|data| data.as_bytes().len() == count) {
            self.before += count as i64;
            return Ok(Some(data));
        }
        if strict {
            demand_bytes(&data)?;
        }
        let data = load_window::as_bytes(&data)?;
        let begun = &data.as_bytes()[..data.as_bytes().len().min(count)];
        if begun.is_empty() {
            return Err(truncated());
        }
        self.before += begun.len() as i64;
        let rest = |out: &mut [u8]| self.read_on(out, true);
        Ok(Some(growing::filled_after::<PyBytes, Failure>(py, count, begun, rest)?.into_any()))
    }
}

/// What C says where it takes nothing but bytes from `read`.
fn demand_bytes(data: &Bound<'_, PyAny>) -> Result<(), Failure> {
    if data.is_instance_of::<PyBytes>() {
        return Ok(());
    }
    Err(PyValueError::new_err(format!("read() returned non-bytes object ({})", data.get_type().repr()?)).into())
}
