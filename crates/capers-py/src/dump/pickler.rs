//! `dumps`, `dump` and the `Pickler` type.
#![expect(clippy::doc_markdown, reason = "help() shows these texts as they are")]

use capers_pickle::{HIGHEST_PROTOCOL, Writer};
use pyo3::Borrowed;
use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use super::memo::Memo;
use super::warned::Again;
use super::{Dumper, Frame, Hooks, Settings, given};
use crate::choices::{self, Arguments, Choices};
use crate::ffi::output::{self, Output};
use crate::ffi::reserve;
use crate::progress::{self, Progress};
use crate::replay;
use crate::state::state;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Scratch kept between calls of `dumps`: an output buffer, the tables of a memo, an empty work stack.
type Scratch = (Vec<u8>, Box<Memo>, Vec<Frame<'static>>);

/// What a bar says in front.
const DOING: &str = "dumping";

/// A work stack that grew beyond this is not kept.
const KEPT_FRAMES: usize = 1024;

thread_local! {
    static SCRATCH: Cell<Option<Scratch>> = const { Cell::new(None) };
}

/// The protocol number that an argument means.
pub(crate) fn protocol(py: Python<'_>, protocol: Option<&Bound<'_, PyAny>>) -> PyResult<u8> {
    let Some(protocol) = protocol.filter(|it| !it.is_none()) else { return default_protocol(py) };
    let number: i64 = protocol.extract()?;
    if number < 0 {
        return Ok(HIGHEST_PROTOCOL);
    }
    u8::try_from(number)
        .ok()
        .filter(|it| *it <= HIGHEST_PROTOCOL)
        .ok_or_else(|| PyValueError::new_err(format!("pickle protocol must be <= {HIGHEST_PROTOCOL}")))
}

/// Protocol 5 on every Python: all supported versions read it.
fn default_protocol(_py: Python<'_>) -> PyResult<u8> {
    Ok(HIGHEST_PROTOCOL)
}

/// What the arguments of `dumps`, `dump` and `Pickler` have decided.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) protocol: u8,
    fix_imports: bool,
    /// Nothing travels by value.
    strict: bool,
    pub(super) choices: Option<Arc<Choices>>,
}

impl Options {
    pub(super) fn new(
        py: Python<'_>,
        protocol: Option<&Bound<'_, PyAny>>,
        fix_imports: bool,
        callback: Option<&Bound<'_, PyAny>>,
        arguments: &Arguments<'_, '_>,
    ) -> PyResult<Self> {
        let protocol = self::protocol(py, protocol)?;
        if callback.is_some_and(|it| !it.is_none()) && protocol < 5 {
            return Err(PyValueError::new_err("buffer_callback needs protocol >= 5"));
        }
        let (choices, strict) = Choices::new(arguments)?;
        Ok(Self { protocol, fix_imports, strict, choices })
    }

    pub(super) fn settings(&self, fast: bool) -> Settings {
        Settings { fix_imports: self.fix_imports && self.protocol < 3, fast, strict: self.strict }
    }
}

/// The truth of any object, as C takes a flag.
#[derive(Clone, Copy)]
pub(crate) struct Truth(bool);

impl<'a, 'py> FromPyObject<'a, 'py> for Truth {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        object.is_truthy().map(Truth)
    }
}

fn dump_to<'py>(
    py: Python<'py>,
    object: &Bound<'py, PyAny>,
    options: Options,
    mut hooks: Hooks<'py>,
) -> PyResult<Bound<'py, PyBytes>> {
    let settings = options.settings(false);
    hooks.add_reducers(py, options.choices.as_deref())?;
    let again = Again::new(py, &options, &hooks, false)?;
    let replayable = options.protocol >= 4 && !options.strict && options.choices.is_none();
    let _scope = choices::enter(options.choices);
    // A dump inside a dump finds nothing here and makes its own.
    let (buffer, memo, stack) = SCRATCH.with(Cell::take).unwrap_or_default();
    let writer = Writer::new(options.protocol, Output::new(py, buffer));
    let mut dumper = Dumper::new(py, writer, memo, hooks, settings)?;
    dumper.stack = emptied(stack);
    // A protocol below 4 may write other names, and hooks may decide otherwise each time.
    dumper.keeps = replayable && dumper.is_unhooked();
    let replayable = replayable && !dumper.has_hooks();
    let outcome = caught(py, || match if replayable { dumper.replay(object) } else { Ok(None) } {
        Ok(Some(payload)) => Ok(Some(payload)),
        Ok(None) => dumper.dump(object).map(|()| None),
        Err(error) => Err(error),
    });
    let recorded = dumper.take_recorded();
    let taken = dumper.taken();
    let Dumper { writer, mut memo, stack, .. } = dumper;
    memo.clear(py);
    let output = writer.into_buffer();
    let (outcome, buffer) = match outcome {
        Ok(None) => {
            let (payload, buffer) = output.into_bytes(py)?;
            if let Some(functions) = recorded {
                replay::keep(&functions, options.protocol, &payload)?;
            }
            (Ok(payload), buffer)
        }
        Ok(Some(payload)) => (Ok(payload), output.into_scratch()),
        Err(error) => (Err(error), output.into_scratch()),
    };
    // What was made where memory had run out lies in the reserve, which has to be free again.
    if !reserve::is_touched() {
        let stack = if stack.capacity() <= KEPT_FRAMES { emptied(stack) } else { Vec::new() };
        SCRATCH.with(|kept| kept.set(Some((buffer, memo, stack))));
    }
    if let (Some(again), Ok(payload)) = (again, &outcome) {
        again.warn(object, taken + payload.as_bytes().len(), None)?;
    }
    outcome
}

/// A work stack for another dump, with the room of this one: collecting nothing out of a vector keeps its allocation.
#[inline]
fn emptied<'to>(mut stack: Vec<Frame<'_>>) -> Vec<Frame<'to>> {
    stack.clear();
    stack.into_iter().map_while(|_| None).collect()
}

/// Runs a dump. A panic is a fault of ours and surfaces as a `PicklingError`; memory that cannot be had is none.
pub(super) fn caught<T>(py: Python<'_>, run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(outcome) => outcome,
        Err(panic) => Err(match output::unwound(&*panic) {
            Some(error) => error,
            None => {
                let what = panic.downcast_ref::<&str>().copied();
                let what = what.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic");
                let class = state(py)?.pickling_error.bind(py).clone();
                PyErr::from_type(class, (format!("internal error in capers: {what}"),))
            }
        }),
    }
}

/// Return the pickle of obj as bytes.
///
/// Any function travels: by reference where it can be imported, by value where it cannot. Arguments, protocols (0 to 5)
/// and exceptions are those of pickle.dumps; an object that cannot travel raises CannotPickleError, a PicklingError and
/// TypeError whose message tells the way to it.
///
/// With by_value=False nothing travels by value: every object goes as pickle has it, and what pickle refuses is refused with
/// the same exception. None, the default, leaves the choice to capers; modules or their names, or LOCAL_MODULES for all of
/// the user's own, travel by value in this call, as if they had been registered.
///
/// Locks and what is built on them arrive free; with locks='error' they are refused. Open files are opened again by name;
/// with files='content' their content travels. reducers maps types to callables that say how instances travel: they get the
/// object and return what __reduce__ may return, or NotImplemented.
///
/// Functions made inside an importable module find their globals in that module where they arrive. With globals='copy' they
/// bring along what they use of it, for receivers without the module; with globals='live' those of any
/// module, __main__ among them, find theirs in the receiver's module of that name.
///
/// progress is a callable that gets a Progress some ten times a second while the dump takes longer than that, and once at
/// its end; what it raises ends the dump. True draws a bar where stderr is a terminal.
#[pyfunction]
#[pyo3(
    signature = (
        obj, protocol=None, *, fix_imports=Truth(true), buffer_callback=None, by_value=None, locks=None, files=None,
        reducers=None, globals=None, progress=None
    ),
    text_signature = "(obj, protocol=None, *, fix_imports=True, buffer_callback=None, by_value=None, locks='fresh', \
                      files='reopen', reducers=None, globals='module', progress=None)"
)]
#[expect(clippy::too_many_arguments, reason = "the arguments of pickle, and ours")]
pub(crate) fn dumps<'py>(
    obj: &Bound<'py, PyAny>,
    protocol: Option<&Bound<'py, PyAny>>,
    fix_imports: Truth,
    buffer_callback: Option<Bound<'py, PyAny>>,
    by_value: Option<&Bound<'py, PyAny>>,
    locks: Option<&str>,
    files: Option<&str>,
    reducers: Option<&Bound<'py, PyAny>>,
    globals: Option<&str>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = obj.py();
    let arguments = Arguments { by_value, locks, files, reducers, globals };
    let options = Options::new(py, protocol, fix_imports.0, buffer_callback.as_ref(), &arguments)?;
    let progress = Progress::new(progress, DOING, || Ok(None))?;
    dump_to(py, obj, options, Hooks { buffer_callback, progress, ..Hooks::default() })
}

/// Write the pickle of obj to the open file object file, which needs a method write(bytes).
///
/// Equivalent to Pickler(file, protocol).dump(obj), and otherwise like dumps.
#[pyfunction]
#[pyo3(
    signature = (
        obj, file, protocol=None, *, fix_imports=Truth(true), buffer_callback=None, by_value=None, locks=None, files=None,
        reducers=None, globals=None, progress=None
    ),
    text_signature = "(obj, file, protocol=None, *, fix_imports=True, buffer_callback=None, by_value=None, locks='fresh', \
                      files='reopen', reducers=None, globals='module', progress=None)"
)]
#[expect(clippy::too_many_arguments, reason = "the arguments of pickle, and ours")]
pub(crate) fn dump<'py>(
    obj: &Bound<'py, PyAny>,
    file: &Bound<'py, PyAny>,
    protocol: Option<&Bound<'py, PyAny>>,
    fix_imports: Truth,
    buffer_callback: Option<Bound<'py, PyAny>>,
    by_value: Option<&Bound<'py, PyAny>>,
    locks: Option<&str>,
    files: Option<&str>,
    reducers: Option<&Bound<'py, PyAny>>,
    globals: Option<&str>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<()> {
    let py = obj.py();
    let arguments = Arguments { by_value, locks, files, reducers, globals };
    let options = Options::new(py, protocol, fix_imports.0, buffer_callback.as_ref(), &arguments)?;
    let write = Some(write_method(file)?);
    let progress = Progress::new(progress, DOING, || Ok(None))?;
    dump_to(py, obj, options, Hooks { buffer_callback, write, progress, ..Hooks::default() }).map(drop)
}

fn write_method<'py>(file: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    file.getattr_opt(intern!(file.py(), "write"))?
        .ok_or_else(|| PyTypeError::new_err("file must have a 'write' attribute"))
}

/// This takes a binary file for writing a pickle data stream.
///
/// The arguments and methods are those of pickle.Pickler; functions and what else cannot be imported travel by value, unless
/// by_value is False.
/// Subclasses may define `persistent_id(obj)` and `reducer_override(obj)`, and set `dispatch_table` and `reducers`.
#[pyclass(subclass, module = "capers", name = "Pickler", weakref)]
pub(crate) struct Pickler {
    write: Option<Py<PyAny>>,
    pub(super) memo: Option<Box<Memo>>,
    options: Options,
    /// 0 for protocol 0, whatever was asked for.
    #[pyo3(get, set)]
    bin: i32,
    /// Whether nothing is remembered: for data without cycles only.
    #[pyo3(get, set)]
    fast: i32,
    buffer_callback: Option<Py<PyAny>>,
    dispatch_table: Option<Py<PyAny>>,
    persistent_id: Option<Py<PyAny>>,
    progress: Option<Py<PyAny>>,
    pub(super) busy: bool,
    /// A dump ended in the middle of a part that the file had begun to take: nobody could read what follows.
    pub(super) torn: bool,
}

#[pymethods]
impl Pickler {
    #[new]
    #[pyo3(
        signature = (*_args, **_kwargs),
        text_signature = "(file, protocol=None, fix_imports=True, buffer_callback=None, *, by_value=None, locks='fresh', \
            files='reopen', reducers=None, globals='module', progress=None)"
    )]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            write: None,
            memo: None,
            options: Options { protocol: HIGHEST_PROTOCOL, fix_imports: true, strict: false, choices: None },
            bin: 1,
            fast: 0,
            buffer_callback: None,
            dispatch_table: None,
            persistent_id: None,
            progress: None,
            busy: false,
            torn: false,
        }
    }

    #[pyo3(signature = (
        file, protocol=None, fix_imports=Truth(true), buffer_callback=None, *, by_value=None, locks=None, files=None,
        reducers=None, globals=None, progress=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of pickle, and ours")]
    fn __init__(
        slf: &Bound<'_, Self>,
        file: &Bound<'_, PyAny>,
        protocol: Option<&Bound<'_, PyAny>>,
        fix_imports: Truth,
        buffer_callback: Option<Bound<'_, PyAny>>,
        by_value: Option<&Bound<'_, PyAny>>,
        locks: Option<&str>,
        files: Option<&str>,
        reducers: Option<&Bound<'_, PyAny>>,
        globals: Option<&str>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let arguments = Arguments { by_value, locks, files, reducers, globals };
        let options = Options::new(slf.py(), protocol, fix_imports.0, buffer_callback.as_ref(), &arguments)?;
        let write = write_method(file)?;
        let progress = progress::kept(progress)?;
        let mut this = slf.try_borrow_mut()?;
        if this.busy {
            return Err(busy());
        }
        this.progress = progress;
        this.write = Some(write.unbind());
        this.memo = Some(Box::default());
        this.torn = false;
        this.bin = i32::from(options.protocol > 0);
        this.options = options;
        this.fast = 0;
        this.buffer_callback = buffer_callback.filter(|it| !it.is_none()).map(Bound::unbind);
        Ok(())
    }

    /// Write a pickled representation of the given object to the open file.
    #[pyo3(signature = (obj, /))]
    fn dump<'py>(slf: &Bound<'py, Self>, obj: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let mut hooks = hooks(slf)?;
        let (memo, options, fast) = {
            let mut this = slf.try_borrow_mut()?;
            if this.busy {
                return Err(busy());
            }
            if this.torn {
                return Err(PyErr::from_type(
                    state(py)?.pickling_error.bind(py).clone(),
                    ("the file failed in the middle of a pickle: clear_memo() starts afresh",),
                ));
            }
            let Some(memo) = this.memo.take() else {
                return Err(PyErr::from_type(
                    state(py)?.pickling_error.bind(py).clone(),
                    (format!("Pickler.__init__() was not called by {}.__init__()", slf.get_type().name()?),),
                ));
            };
            this.busy = true;
            let protocol = if this.bin == 0 { 0 } else { this.options.protocol };
            (memo, Options { protocol, ..this.options.clone() }, this.fast != 0)
        };
        let writer = Writer::new(options.protocol, Output::new(py, Vec::new()));
        let mark = memo.mark();
        let settings = options.settings(fast);
        let again =
            hooks.add_reducers(py, options.choices.as_deref()).and_then(|()| Again::new(py, &options, &hooks, fast));
        let _scope = choices::enter(options.choices);
        let dumper = again.and_then(|again| Ok((Dumper::new(py, writer, memo, hooks, settings)?, again)));
        let (mut torn, mut warned) = (false, Ok(()));
        let (outcome, memo) = match dumper {
            Ok((mut dumper, again)) => {
                let outcome = caught(py, || dumper.dump(obj));
                if outcome.is_ok() {
                    dumper.memo.own();
                    if let Some(again) = again {
                        warned = again.warn(obj, dumper.taken(), Some((&dumper.memo, mark)));
                    }
                }
                torn = dumper.is_torn();
                let mut memo = dumper.memo;
                if outcome.is_err() {
                    // Where memory ran out in a walk, the entries it has not owned yet may be gone; they are not looked at.
                    // What was written last may not have reached the file: nothing of it may be referred to. What earlier
                    // dumps wrote is there, and the beginning of this one has used up memo indices.
                    memo.rewind(mark);
                    if memo.next_index() < dumper.sent {
                        memo.go_on_from(dumper.sent);
                    }
                }
                (outcome, memo)
            }
            Err(error) => (Err(error), Box::default()),
        };
        let mut this = slf.try_borrow_mut()?;
        this.busy = false;
        this.torn = torn;
        this.memo = Some(memo);
        outcome.and(warned)
    }

    /// Clears the pickler's "memo".
    ///
    /// The memo is the data structure that remembers which objects the pickler has already seen, so that shared or
    /// recursive objects are pickled by reference and not by value. This method is useful when re-using picklers.
    fn clear_memo(slf: &Bound<'_, Self>) -> PyResult<()> {
        let mut old = given::replace(slf, Box::default())?;
        // Nothing is borrowed: what the memo lets go of may use the pickler.
        old.clear(slf.py());
        given::keep_room(slf, old);
        slf.try_borrow_mut()?.torn = false;
        Ok(())
    }

    /// A mapping from types to reducers, which is asked in place of copyreg.dispatch_table.
    #[getter]
    fn get_dispatch_table<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        match &slf.try_borrow()?.dispatch_table {
            Some(table) => Ok(table.bind(slf.py()).clone()),
            None => Err(missing(slf, "dispatch_table")),
        }
    }

    #[setter]
    fn set_dispatch_table(&mut self, table: Py<PyAny>) {
        self.dispatch_table = Some(table);
    }

    #[deleter]
    fn delete_dispatch_table(slf: &Bound<'_, Self>) -> PyResult<()> {
        match slf.try_borrow_mut()?.dispatch_table.take() {
            Some(_) => Ok(()),
            None => Err(missing(slf, "dispatch_table")),
        }
    }

    /// The function that gives objects their persistent ids, or None for those that have none.
    #[getter]
    fn get_persistent_id<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if let Some(hook) = &slf.try_borrow()?.persistent_id {
            return Ok(hook.bind(py).clone());
        }
        if cfg!(not(Py_3_13)) {
            return Err(missing(slf, "persistent_id"));
        }
        // A method of a builtin function, so that it compares equal to itself whenever it is asked for.
        let method = py.import(intern!(py, "types"))?.getattr(intern!(py, "MethodType"))?;
        method.call1((state(py)?.no_persistent_id.bind(py), slf))
    }

    #[setter]
    fn set_persistent_id(&mut self, hook: &Bound<'_, PyAny>) -> PyResult<()> {
        if cfg!(not(Py_3_13)) && !hook.is_callable() {
            return Err(PyTypeError::new_err("persistent_id must be a callable taking one argument"));
        }
        self.persistent_id = Some(hook.clone().unbind());
        Ok(())
    }

    #[deleter]
    fn delete_persistent_id(&mut self) -> PyResult<()> {
        if cfg!(not(Py_3_13)) {
            return Err(PyTypeError::new_err("attribute deletion is not supported"));
        }
        self.persistent_id = None;
        Ok(())
    }

    /// The memo: objects seen, with their indices; its own methods are clear and copy.
    #[getter]
    fn get_memo(slf: &Bound<'_, Self>) -> PicklerMemoProxy {
        PicklerMemoProxy { pickler: slf.clone().unbind() }
    }

    #[setter]
    fn set_memo(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        given::check_idle(slf)?;
        let memo = given::memo(value)?;
        drop(given::replace(slf, memo)?);
        Ok(())
    }

    #[deleter]
    fn delete_memo(&mut self) -> PyResult<()> {
        Err(PyTypeError::new_err("attribute deletion is not supported"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for held in [&self.write, &self.buffer_callback, &self.dispatch_table, &self.persistent_id, &self.progress] {
            visit.call(held)?;
        }
        if let Some(memo) = &self.memo {
            for (object, _) in memo.objects() {
                visit.call(object)?;
            }
        }
        Ok(())
    }

    fn __clear__(&mut self) {
        self.write = None;
        self.buffer_callback = None;
        self.dispatch_table = None;
        self.persistent_id = None;
        self.progress = None;
        self.memo = None;
    }
}

/// The memo of a pickler as an object of its own.
#[pyclass(module = "capers", name = "PicklerMemoProxy", frozen)]
pub(super) struct PicklerMemoProxy {
    pub(super) pickler: Py<Pickler>,
}

#[pymethods]
impl PicklerMemoProxy {
    /// Remove all items from the memo.
    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        Pickler::clear_memo(self.pickler.bind(py))
    }

    /// Copy the memo to a new object: the id of each object to its index and the object itself.
    pub(super) fn copy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let copy = PyDict::new(py);
        let mut entries = Vec::new();
        if let Some(memo) = &self.pickler.bind(py).try_borrow()?.memo {
            entries.extend(memo.objects().map(|(object, index)| (object.clone_ref(py), index)));
        }
        for (object, index) in entries {
            copy.set_item(object.as_ptr() as usize, (index, object))?;
        }
        Ok(copy)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyDict>,))> {
        Ok((py.get_type::<PyDict>().into_any(), (self.copy(py)?,)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.pickler)
    }
}

#[cold]
fn missing(pickler: &Bound<'_, Pickler>, name: &str) -> PyErr {
    let class = crate::ffi::make::type_name(pickler.as_any());
    PyAttributeError::new_err(format!("'{class}' object has no attribute '{name}'"))
}

#[cold]
pub(super) fn busy() -> PyErr {
    PyRuntimeError::new_err("this Pickler is in use: a dump called back into it")
}

/// The hooks of a pickler, looked up anew for each dump: an attribute, a method of a subclass, or none.
fn hooks<'py>(pickler: &Bound<'py, Pickler>) -> PyResult<Hooks<'py>> {
    let py = pickler.py();
    let mut hooks = Hooks::default();
    let any = pickler.as_any();
    if !any.is_exact_instance_of::<Pickler>() {
        hooks.reducer_override = any.getattr_opt(intern!(py, "reducer_override"))?;
        if let Some(given) = any.getattr_opt(intern!(py, "reducers"))? {
            hooks.reducers = choices::reducers(&given)?;
        }
    }
    hooks.persistent_id = persistent_id(pickler)?;
    hooks.dispatch_table = any.getattr_opt(intern!(py, "dispatch_table"))?;
    let progress = pickler.try_borrow()?.progress.as_ref().map(|it| it.bind(py).clone());
    hooks.progress = Progress::new(progress.as_ref(), DOING, || Ok(None))?;
    let this = pickler.try_borrow()?;
    hooks.buffer_callback = this.buffer_callback.as_ref().map(|it| it.bind(py).clone());
    hooks.write = this.write.as_ref().map(|it| it.bind(py).clone());
    Ok(hooks)
}

impl Hooks<'_> {
    /// The reducers of this dump, those asked first in front: of the call, of the class of the pickler, of the process.
    #[inline]
    pub(super) fn add_reducers(&mut self, py: Python<'_>, choices: Option<&Choices>) -> PyResult<()> {
        if choices.is_none() && !choices::any_registered() {
            return Ok(());
        }
        let mut reducers: Vec<_> =
            choices.iter().flat_map(|it| &it.reducers).map(|(a, b)| (a.clone_ref(py), b.clone_ref(py))).collect();
        reducers.append(&mut self.reducers);
        reducers.extend(choices::registered(py)?);
        self.reducers = reducers;
        Ok(())
    }
}

/// The hook `persistent_id`, unless it is the one of the base class, which knows no ids.
fn persistent_id<'py>(pickler: &Bound<'py, Pickler>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = pickler.py();
    if pickler.as_any().is_exact_instance_of::<Pickler>() {
        return Ok(pickler.try_borrow()?.persistent_id.as_ref().map(|it| it.bind(py).clone()));
    }
    let Some(hook) = pickler.as_any().getattr_opt(intern!(py, "persistent_id"))? else { return Ok(None) };
    let none = state(py)?.no_persistent_id.bind(py);
    let inherited = cfg!(Py_3_13) && hook.getattr_opt(intern!(py, "__func__"))?.is_some_and(|it| it.is(none));
    Ok(if inherited { None } else { Some(hook) })
}

/// What the base class has for `persistent_id` from CPython 3.13 on: no object has one.
#[pyfunction]
#[pyo3(name = "persistent_id", signature = (_pickler, _obj, /))]
pub(crate) fn no_persistent_id(_pickler: &Bound<'_, PyAny>, _obj: &Bound<'_, PyAny>) {}

/// Puts the dumping side into the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(dumps, module)?)?;
    module.add_function(wrap_pyfunction!(dump, module)?)?;
    module.add_function(wrap_pyfunction!(super::explain::explain, module)?)?;
    module.add_function(wrap_pyfunction!(super::captured::captures, module)?)?;
    module.add_class::<Pickler>()
}
