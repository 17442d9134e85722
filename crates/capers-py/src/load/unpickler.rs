//! The class `Unpickler` and its memo proxy.
//!
//! What may be reached again while a load runs (from `find_class`, `persistent_load`, a file's methods) is guarded by a
//! busy flag, as in CPython from 3.14 on (gh-143638): a second load, a new `__init__` or a change of the memo in between
//! raises `RuntimeError`. The lock around the parts is never held while Python code can run.
#![expect(clippy::doc_markdown, reason = "help() shows these texts as they are, arguments set off in Python's manner")]

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use capers_pickle::Machine;
use capers_pickle::limits::Limits as Caps;
use capers_pickle::memo::Memo;
use pyo3::exceptions::{PyAttributeError, PyMemoryError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyIterator, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::failure::Failure;
use super::file::{self, File};
use super::hashing::Hashing;
use super::keys::Keys;
use super::live::{Decoding, Door, Live};
use super::quiet::Quiet;
use super::state::State;
use super::{DOING, check_codec, globals, limits, run, run_limited};
use crate::ffi::instance::Names;
use crate::ffi::kept::KeptMemo;
use crate::ffi::make;
use crate::ffi::shape::Shape;
use crate::progress::{self, Progress};

/// Read pickles from the binary file *file*.
///
/// The file must have the methods ``read(n)`` and ``readline()``; ``readinto`` and ``peek`` are used where it has them.
/// *fix_imports*, *encoding* and *errors* say how to read pickles of Python 2: whether to map its module names, and how
/// to decode its strings (``"bytes"`` leaves them as bytes). *buffers* is an iterable of the buffers that were pickled
/// out of band. *limits*, a Limits or a dict of its arguments, caps what each pickle may ask for.
///
/// Loading a pickle runs code: load only what you trust.
#[pyclass(subclass, frozen, module = "capers", name = "Unpickler")]
pub(super) struct Unpickler {
    parts: Mutex<Parts>,
    busy: AtomicBool,
    proto: AtomicU8,
}

#[derive(Default)]
struct Parts {
    file: File,
    options: Options,
    buffers: Option<Py<PyIterator>>,
    memo: KeptMemo,
    persistent: Option<Py<PyAny>>,
    progress: Option<Py<PyAny>>,
}

#[derive(Clone, Default)]
struct Options {
    fix_imports: bool,
    encoding: String,
    errors: String,
    caps: Option<Caps>,
}

/// Clears the busy flag, whatever way a load ends.
struct Busy<'a>(&'a AtomicBool);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Unpickler {
    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self) -> PyResult<Busy<'_>> {
        if self.busy.swap(true, Ordering::Acquire) {
            return Err(PyRuntimeError::new_err("Unpickler object is already used"));
        }
        Ok(Busy(&self.busy))
    }

    /// Whoever is told how far the next load comes.
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Option<Progress<'py>>> {
        let (progress, read, ahead) = {
            let parts = self.parts();
            let Some(progress) = &parts.progress else { return Ok(None) };
            (progress.bind(py).clone(), parts.file.read(py), parts.file.ahead())
        };
        Progress::new(Some(&progress), DOING, || file::left(read.as_ref(), ahead))
    }

    /// What the stream being read states.
    pub(super) fn set_proto(&self, proto: u8) {
        self.proto.store(proto, Ordering::Relaxed);
    }
}

#[pymethods]
impl Unpickler {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=None, limits=None, progress=None)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Unpickler { parts: Mutex::default(), busy: AtomicBool::new(false), proto: AtomicU8::new(0) }
    }

    #[pyo3(signature = (file, *, fix_imports=None, encoding="ASCII", errors="strict", buffers=None, limits=None, progress=None))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of pickle, and ours")]
    fn __init__(
        &self,
        file: &Bound<'_, PyAny>,
        fix_imports: Option<&Bound<'_, PyAny>>,
        encoding: &str,
        errors: &str,
        buffers: Option<&Bound<'_, PyAny>>,
        limits: Option<&Bound<'_, PyAny>>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _busy = self.reserve()?;
        check_codec(encoding, errors)?;
        let options = Options {
            fix_imports: fix_imports.map_or(Ok(true), PyAnyMethods::is_truthy)?,
            encoding: encoding.to_owned(),
            errors: errors.to_owned(),
            caps: limits::caps(limits)?,
        };
        let file = File::new(file)?;
        let buffers = match buffers {
            None => None,
            Some(buffers) => Some(buffers.try_iter()?.unbind()),
        };
        let progress = progress::kept(progress)?;
        let mut parts = Parts { file, options, buffers, progress, ..Parts::default() };
        std::mem::swap(&mut *self.parts(), &mut parts);
        self.set_proto(0);
        // The lock is released: dropping what was there before may run Python code.
        drop(parts);
        Ok(())
    }

    /// Read a pickle from the file and return the object it describes.
    fn load<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let state = State::get(py)?;
        let _busy = this.reserve()?;
        let progress = this.progress(py)?;
        let (mut file, memo, buffers, options, persistent) = {
            let mut parts = this.parts();
            let persistent = parts.persistent.as_ref().map(|load| load.clone_ref(py));
            let buffers = parts.buffers.as_ref().map(|buffers| buffers.clone_ref(py));
            let (file, memo) = (std::mem::take(&mut parts.file), std::mem::take(&mut parts.memo));
            (file, memo, buffers, parts.options.clone(), persistent)
        };
        let mut memo = Some(memo);
        let result = match file.source(py, state.strict_frames, progress.as_ref()) {
            None => {
                let text =
                    format!("Unpickler.__init__() was not called by {}.__init__()", make::type_name(slf.as_any()));
                Err(state.unpickling_error(py, text))
            }
            Some(mut source) => {
                this.set_proto(0);
                let exact = slf.get_type().is(py.get_type::<Unpickler>());
                let found = match persistent {
                    Some(load) if exact => Ok(Some(load.into_bound(py))),
                    _ if exact => Ok(None),
                    _ => slf.as_any().getattr_opt(&state.names.persistent_load),
                };
                found.and_then(|persistent| {
                    let mut live = Live {
                        py,
                        state,
                        progress: progress.as_ref(),
                        door: if exact { Door::Exact(slf) } else { Door::Subclass(slf) },
                        persistent,
                        decoding: Decoding { encoding: &options.encoding, errors: &options.errors },
                        fix_imports: options.fix_imports,
                        buffers: buffers.map(|buffers| buffers.into_bound(py)),
                        proto: 0,
                        last_code: None,
                        quiet: Quiet::new(py, false),
                        hashing: Hashing::default(),
                        shape: Shape::default(),
                        attribute_names: Names::default(),
                        keys: Keys::default(),
                        arrays: None,
                        failed: None,
                    };
                    let before = memo.take().unwrap_or_default();
                    match options.caps {
                        None => {
                            let mut machine = Machine::with_memo(before.into_plain(py));
                            let result = run(&mut machine, &mut live, &mut source);
                            memo = Some(KeptMemo::of_plain(machine.into_memo()));
                            result
                        }
                        Some(caps) => {
                            let mut machine = Machine::with_memo(before.into_weighed(py));
                            let result = run_limited(&mut machine, &mut live, &mut source, caps);
                            memo = Some(KeptMemo::of_weighed(machine.into_memo()));
                            result
                        }
                    }
                })
            }
        };
        let memo = memo.unwrap_or_default();
        let old = {
            let mut parts = this.parts();
            (std::mem::replace(&mut parts.file, file), std::mem::replace(&mut parts.memo, memo))
        };
        drop(old);
        result
    }

    /// Return the object that *global_name* names in the module *module_name*, which is imported if need be.
    ///
    /// A subclass may override this method to restrict what a pickle can name.
    #[pyo3(signature = (module_name, global_name, /))]
    fn find_class<'py>(
        slf: &Bound<'py, Self>,
        module_name: &Bound<'py, PyAny>,
        global_name: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let this = slf.get();
        let fix_imports = this.parts().options.fix_imports;
        let proto = this.proto.load(Ordering::Relaxed);
        globals::find_class(module_name, global_name, proto, fix_imports, State::get(slf.py())?)
    }

    /// The function that turns persistent ids into objects.
    #[getter]
    fn persistent_load<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if let Some(load) = &slf.get().parts().persistent {
            return Ok(load.bind(py).clone());
        }
        let state = State::get(py)?;
        if state.minor < 13 {
            return Err(PyAttributeError::new_err("persistent_load"));
        }
        // A method of a builtin function, so that it compares equal to itself whenever it is asked for.
        state.method_type.bind(py).call1((state.no_persistent_load.bind(py), slf))
    }

    #[setter]
    fn set_persistent_load(&self, load: &Bound<'_, PyAny>) -> PyResult<()> {
        if State::get(load.py())?.minor < 13 && !load.is_callable() {
            return Err(PyTypeError::new_err("persistent_load must be a callable taking one argument"));
        }
        let old = self.parts().persistent.replace(load.clone().unbind());
        drop(old);
        Ok(())
    }

    #[deleter]
    fn delete_persistent_load(&self, py: Python<'_>) -> PyResult<()> {
        if State::get(py)?.minor < 13 {
            return Err(PyTypeError::new_err("attribute deletion is not supported"));
        }
        let old = self.parts().persistent.take();
        drop(old);
        Ok(())
    }

    /// The objects that later pickles of the same stream may refer to.
    #[getter]
    fn memo(slf: &Bound<'_, Self>) -> UnpicklerMemoProxy {
        UnpicklerMemoProxy { unpickler: Mutex::new(Some(slf.clone().unbind())) }
    }

    #[setter]
    fn set_memo(&self, memo: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = memo.py();
        let _busy = self.reserve()?;
        let mut new = Memo::default();
        if let Ok(proxy) = memo.cast_exact::<UnpicklerMemoProxy>() {
            if let Some(other) = proxy.get().unpickler(py) {
                for (index, value) in other.get().entries(py) {
                    put(&mut new, index, value)?;
                }
            }
        } else if let Ok(dict) = memo.cast::<PyDict>() {
            for (key, value) in make::pairs(dict) {
                if !key.is_instance_of::<PyInt>() {
                    return Err(PyTypeError::new_err("memo key must be integers"));
                }
                let Ok(index) = u64::try_from(make::index(&key)?) else {
                    return Err(PyValueError::new_err("memo key must be positive integers."));
                };
                put(&mut new, index, value)?;
            }
        } else {
            let kind = make::type_name(memo);
            let text = format!("'memo' attribute must be an UnpicklerMemoProxy object or dict, not {kind}");
            return Err(PyTypeError::new_err(text));
        }
        let old = std::mem::replace(&mut self.parts().memo, KeptMemo::of_plain(new));
        drop(old);
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(parts) = self.parts.try_lock() else { return Ok(()) };
        parts.file.traverse(&visit)?;
        visit.call(&parts.buffers)?;
        visit.call(&parts.persistent)?;
        visit.call(&parts.progress)?;
        parts.memo.traverse(&visit)
    }

    fn __clear__(&self) {
        let old = std::mem::take(&mut *self.parts());
        drop(old);
    }
}

impl Unpickler {
    /// The memo's entries. The lock is released when they are there: what is done with them may run Python code.
    fn entries<'py>(&self, py: Python<'py>) -> Vec<(u64, Bound<'py, PyAny>)> {
        self.parts().memo.entries(py)
    }
}

fn put<'py>(memo: &mut Memo<Bound<'py, PyAny>>, index: u64, value: Bound<'py, PyAny>) -> PyResult<()> {
    memo.put(index, value).map_or_else(|_| Err(PyMemoryError::new_err(())), |_| Ok(()))
}

/// A view of an unpickler's memo.
#[pyclass(frozen, module = "capers")]
pub(super) struct UnpicklerMemoProxy {
    unpickler: Mutex<Option<Py<Unpickler>>>,
}

impl UnpicklerMemoProxy {
    fn unpickler<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Unpickler>> {
        let held = self.unpickler.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|unpickler| unpickler.bind(py).clone())
    }
}

#[pymethods]
impl UnpicklerMemoProxy {
    /// Remove all items from the memo.
    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(unpickler) = self.unpickler(py) {
            let _busy = unpickler.get().reserve()?;
            let old = std::mem::take(&mut unpickler.get().parts().memo);
            drop(old);
        }
        Ok(())
    }

    /// Copy the memo to a dict.
    fn copy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let made = PyDict::new(py);
        if let Some(unpickler) = self.unpickler(py) {
            for (index, value) in unpickler.get().entries(py) {
                made.set_item(index, value)?;
            }
        }
        Ok(made)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyType>, (Bound<'py, PyDict>,))> {
        Ok((py.get_type::<PyDict>(), (self.copy(py)?,)))
    }

    #[classattr]
    const __hash__: Option<Py<PyAny>> = None;

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.unpickler.try_lock() {
            Ok(unpickler) => visit.call(&*unpickler),
            Err(_) => Ok(()),
        }
    }

    fn __clear__(&self) {
        let old = self.unpickler.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(old);
    }
}

/// `load`: one pickle of a file, without an unpickler object.
pub(super) fn load_file<'py>(
    file: &Bound<'py, PyAny>,
    fix_imports: bool,
    decoding: Decoding<'_>,
    buffers: Option<Bound<'py, PyIterator>>,
    caps: Option<Caps>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = file.py();
    let state = State::get(py)?;
    let mut file = File::new(file)?;
    let progress = Progress::new(progress, DOING, || file::left(file.read(py).as_ref(), file.ahead()))?;
    let mut live = Live {
        py,
        state,
        progress: progress.as_ref(),
        door: Door::Plain,
        persistent: None,
        decoding,
        fix_imports,
        buffers,
        proto: 0,
        last_code: None,
        quiet: Quiet::new(py, false),
        hashing: Hashing::default(),
        shape: Shape::default(),
        attribute_names: Names::default(),
        keys: Keys::default(),
        arrays: None,
        failed: None,
    };
    let Some(mut source) = file.source(py, state.strict_frames, progress.as_ref()) else {
        return Err(Failure::from(capers_pickle::Error::new(capers_pickle::ErrorKind::OutOfInput))
            .into_exception(py, state)
            .0);
    };
    match caps {
        None => run(&mut Machine::default(), &mut live, &mut source),
        Some(caps) => run_limited(&mut Machine::default(), &mut live, &mut source, caps),
    }
}
