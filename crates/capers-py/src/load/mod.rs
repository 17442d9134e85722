//! The loading side: a live host for the pickle machine, and the functions and the class that drive it.
//!
//! The way in is `loads | load | Unpickler.load → run → capers_pickle::Machine ⇄ Live → find_class | wire → object`.
//! This module knows nothing of the dumping side.
#![expect(clippy::doc_markdown, reason = "help() shows these texts as they are, arguments set off in Python's manner")]

mod arrays;
mod code_cache;
mod failure;
mod file;
mod globals;
mod hashing;
mod keys;
mod limits;
mod live;
mod quiet;
mod state;
mod told;
mod unpickler;
mod wire;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use capers_pickle::limits::{Limited, Limits as Caps, Unlimited};
use capers_pickle::weighed::{NotReady, Weighed, Weighing};
use capers_pickle::{Machine, Ready, Room, SliceSource, Source};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator};

use self::failure::Failure;
use self::hashing::Hashing;
use self::keys::Keys;
use self::live::{Decoding, Door, Live};
use self::quiet::Quiet;
use self::state::State;
use crate::ffi::buffer::View;
use crate::ffi::instance::Names;
use crate::ffi::load_window::ObjectSource;
use crate::ffi::output;
use crate::ffi::shape::Shape;
use crate::progress::Progress;

/// What a bar says in front.
const DOING: &str = "loading";

/// What has the size of a reference, so that the allocations fit both.
type Pointer = std::num::NonZeroUsize;

thread_local! {
    /// The allocations of this thread's last machine. While a load runs they are out, so that a load inside it makes its own.
    static ROOM: Cell<Option<Room<Pointer>>> = const { Cell::new(None) };
}

/// Tells that the pickle has been read, of which `offset` bytes were taken.
#[inline]
fn told_end<'py>(value: Bound<'py, PyAny>, live: &Live<'_, 'py>, offset: u64) -> PyResult<Bound<'py, PyAny>> {
    if let Some(progress) = live.progress {
        progress.end(offset)?;
    }
    Ok(value)
}

/// Run one pickle.
fn run<'py, S: Ready<Bound<'py, PyAny>>>(
    machine: &mut Machine<Bound<'py, PyAny>>,
    live: &mut Live<'_, 'py>,
    source: &mut S,
) -> PyResult<Bound<'py, PyAny>>
where
    Failure: From<S::Error>,
{
    let (py, state) = (live.py, live.state);
    match caught(py, state, || machine.run(live, source, &mut Unlimited))? {
        Ok(value) => told_end(value, live, source.offset()),
        Err(failure) => Err(told::tell(failure, live, machine.stack().iter())),
    }
}

/// Run one pickle that is held to these caps.
#[cold]
#[inline(never)]
fn run_limited<'py, S: Source>(
    machine: &mut Machine<Weighed<Bound<'py, PyAny>>>,
    live: &mut Live<'_, 'py>,
    source: &mut S,
    caps: Caps,
) -> PyResult<Bound<'py, PyAny>>
where
    Failure: From<S::Error>,
{
    let (py, state) = (live.py, live.state);
    let outcome = caught(py, state, || {
        let mut host = Weighing::new(&mut *live, caps);
        Ok(machine.run(&mut host, &mut NotReady(&mut *source), &mut Limited::new(caps))?.value)
    })?;
    match outcome {
        Ok(value) => told_end(value, live, source.offset()),
        Err(failure) => Err(told::tell(failure, live, machine.stack().iter().map(|it| &it.value))),
    }
}

/// What a run gives. A panic is a fault of ours; it surfaces as an `UnpicklingError`.
fn caught<'py>(
    py: Python<'py>,
    state: &State,
    run: impl FnOnce() -> Result<Bound<'py, PyAny>, Failure>,
) -> PyResult<Result<Bound<'py, PyAny>, Failure>> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(outcome) => Ok(outcome),
        Err(panic) => {
            if let Some(error) = output::unwound(&*panic) {
                return Err(error);
            }
            let what = panic.downcast_ref::<&str>().copied();
            let what = what.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic");
            Err(state.unpickling_error(py, format!("internal error in capers: {what}")))
        }
    }
}

fn iterator<'py>(buffers: Option<&Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyIterator>>> {
    buffers.map(PyAnyMethods::try_iter).transpose()
}

/// Names of codecs and error handlers become C strings.
fn check_codec(encoding: &str, errors: &str) -> PyResult<()> {
    // They are short: a plain loop takes less than a search does to begin.
    if [encoding, errors].iter().any(|text| text.bytes().any(|byte| byte == 0)) {
        return Err(PyValueError::new_err("embedded null character"));
    }
    Ok(())
}

fn truthy(flag: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
    flag.map_or(Ok(true), PyAnyMethods::is_truthy)
}

/// Return the object that the pickle in *data*, a bytes-like object, describes.
///
/// *fix_imports*, *encoding* and *errors* say how to read pickles of Python 2: whether to map its module names, and how
/// to decode its strings (``"bytes"`` leaves them as bytes). *buffers* is an iterable of the buffers that were pickled
/// out of band. Bytes after the pickle are ignored. *limits*, a Limits or a dict of its arguments, caps what the pickle
/// may ask for. *progress* is a callable that gets a Progress some ten times a second while the load takes longer than
/// that, and once at its end; what it raises ends the load. True draws a bar where stderr is a terminal.
///
/// Loading a pickle runs code: load only what you trust.
#[pyfunction]
#[pyo3(
    signature = (data, /, *, fix_imports=None, encoding="ASCII", errors="strict", buffers=None, limits=None, progress=None),
    text_signature = "(data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=None, limits=None, progress=None)"
)]
fn loads<'py>(
    data: &Bound<'py, PyAny>,
    fix_imports: Option<&Bound<'py, PyAny>>,
    encoding: &str,
    errors: &str,
    buffers: Option<&Bound<'py, PyAny>>,
    limits: Option<&Bound<'py, PyAny>>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = data.py();
    let state = State::get(py)?;
    let caps = limits::caps(limits)?;
    check_codec(encoding, errors)?;
    let progress = Progress::new(progress, DOING, || Ok(Some(View::new(data)?.len() as u64)))?;
    let mut live = Live {
        py,
        state,
        progress: progress.as_ref(),
        door: Door::Plain,
        persistent: None,
        decoding: Decoding { encoding, errors },
        fix_imports: truthy(fix_imports)?,
        buffers: iterator(buffers)?,
        proto: 0,
        last_code: None,
        quiet: Quiet::new(py, state.minor < 12),
        hashing: Hashing::default(),
        shape: Shape::default(),
        attribute_names: Names::default(),
        keys: Keys::default(),
        arrays: None,
        failed: None,
    };
    if let Some(caps) = caps {
        let machine = &mut Machine::default();
        return match data.cast_exact::<PyBytes>() {
            Ok(bytes) => {
                let source = &mut SliceSource::with_frames(bytes.as_bytes(), state.strict_frames);
                run_limited(machine, &mut live, source, caps)
            }
            Err(_) => run_limited(machine, &mut live, &mut ObjectSource::new(data, state.strict_frames)?, caps),
        };
    }
    let room = ROOM.take().map(Room::recycle).unwrap_or_default();
    let mut machine = Machine::with_room(room);
    let result = match data.cast_exact::<PyBytes>() {
        Ok(bytes) => run(&mut machine, &mut live, &mut SliceSource::with_frames(bytes.as_bytes(), state.strict_frames)),
        Err(_) => match ObjectSource::new(data, state.strict_frames) {
            Ok(mut source) => run(&mut machine, &mut live, &mut source),
            Err(error) => Err(error),
        },
    };
    // Dropping what the machine still holds may run Python code, so the room is put back after it.
    let room = machine.into_room();
    ROOM.set(room.map(Room::recycle));
    result
}

/// Read a pickle from the binary file *file* and return the object it describes.
///
/// The same as ``Unpickler(file, ...).load()``; see there for the arguments. Loading runs code that the pickle names or
/// brings along: load only what you trust.
#[pyfunction]
#[pyo3(
    signature = (file, *, fix_imports=None, encoding="ASCII", errors="strict", buffers=None, limits=None, progress=None),
    text_signature = "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=None, limits=None, progress=None)"
)]
fn load<'py>(
    file: &Bound<'py, PyAny>,
    fix_imports: Option<&Bound<'py, PyAny>>,
    encoding: &str,
    errors: &str,
    buffers: Option<&Bound<'py, PyAny>>,
    limits: Option<&Bound<'py, PyAny>>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let decoding = Decoding { encoding, errors };
    check_codec(encoding, errors)?;
    unpickler::load_file(file, truthy(fix_imports)?, decoding, iterator(buffers)?, limits::caps(limits)?, progress)
}

/// Add the names of the loading side to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Functions take their `__module__` from the module they are made for; users know them as `capers.loads`.
    let shown = PyModule::new(module.py(), "capers")?;
    module.add("loads", wrap_pyfunction!(loads, &shown)?)?;
    module.add("load", wrap_pyfunction!(load, &shown)?)?;
    module.add_class::<unpickler::Unpickler>()?;
    module.add_class::<limits::Limits>()?;
    module.add("LimitError", State::get(module.py())?.limit_error.bind(module.py()))?;
    Ok(())
}
