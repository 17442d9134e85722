//! `dumps`, `dump` and the `Pickler` type.

use capers_pickle::{HIGHEST_PROTOCOL, Writer};
use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use super::memo::Memo;
use super::{Dumper, Hooks, Settings};
use crate::ffi::output::{self, Output};
use crate::replay;
use crate::state::state;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Scratch kept between calls of `dumps`: an output buffer and the tables of a memo.
type Scratch = (Vec<u8>, Box<Memo>);

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

fn check_callback(callback: Option<&Bound<'_, PyAny>>, protocol: u8) -> PyResult<()> {
    if callback.is_some_and(|it| !it.is_none()) && protocol < 5 {
        return Err(PyValueError::new_err("buffer_callback needs protocol >= 5"));
    }
    Ok(())
}

fn dump_to<'py>(
    py: Python<'py>,
    object: &Bound<'py, PyAny>,
    protocol: u8,
    fix_imports: bool,
    hooks: Hooks<'py>,
) -> PyResult<Bound<'py, PyBytes>> {
    // A dump inside a dump finds nothing here and makes its own.
    let (buffer, memo) = SCRATCH.with(Cell::take).unwrap_or_default();
    let settings = Settings { fix_imports: fix_imports && protocol < 3, fast: false };
    let mut dumper = Dumper::new(py, Writer::new(protocol, Output::new(py, buffer)), memo, hooks, settings)?;
    // A protocol below 4 may write other names, and hooks may decide otherwise each time.
    let replayable = protocol >= 4 && !dumper.has_hooks();
    let outcome = caught(py, || match if replayable { dumper.replay(object) } else { Ok(None) } {
        Ok(Some(payload)) => Ok(Some(payload)),
        Ok(None) => dumper.dump(object).map(|()| None),
        Err(error) => Err(error),
    });
    let recorded = dumper.take_recorded();
    let Dumper { writer, mut memo, .. } = dumper;
    memo.clear(py);
    let output = writer.into_buffer();
    let (outcome, buffer) = match outcome {
        Ok(None) => {
            let (payload, buffer) = output.into_bytes(py)?;
            if let Some(functions) = recorded {
                replay::keep(&functions, protocol, &payload)?;
            }
            (Ok(payload), buffer)
        }
        Ok(Some(payload)) => (Ok(payload), output.into_scratch()),
        Err(error) => (Err(error), output.into_scratch()),
    };
    SCRATCH.with(|kept| kept.set(Some((buffer, memo))));
    outcome
}

/// Runs a dump. A panic is a fault of ours and surfaces as a `PicklingError`; memory that cannot be had is none.
fn caught<T>(py: Python<'_>, run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
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
#[pyfunction]
#[pyo3(signature = (obj, protocol=None, *, fix_imports=true, buffer_callback=None))]
pub(crate) fn dumps<'py>(
    obj: &Bound<'py, PyAny>,
    protocol: Option<&Bound<'py, PyAny>>,
    fix_imports: bool,
    buffer_callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = obj.py();
    let protocol = self::protocol(py, protocol)?;
    check_callback(buffer_callback.as_ref(), protocol)?;
    dump_to(py, obj, protocol, fix_imports, Hooks { buffer_callback, ..Hooks::default() })
}

/// Write the pickle of obj to the open file object file, which needs a method write(bytes).
///
/// Equivalent to Pickler(file, protocol).dump(obj), and otherwise like dumps.
#[pyfunction]
#[pyo3(signature = (obj, file, protocol=None, *, fix_imports=true, buffer_callback=None))]
pub(crate) fn dump<'py>(
    obj: &Bound<'py, PyAny>,
    file: &Bound<'py, PyAny>,
    protocol: Option<&Bound<'py, PyAny>>,
    fix_imports: bool,
    buffer_callback: Option<Bound<'py, PyAny>>,
) -> PyResult<()> {
    let py = obj.py();
    let protocol = self::protocol(py, protocol)?;
    check_callback(buffer_callback.as_ref(), protocol)?;
    let write = Some(write_method(file)?);
    dump_to(py, obj, protocol, fix_imports, Hooks { buffer_callback, write, ..Hooks::default() }).map(drop)
}

fn write_method<'py>(file: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    file.getattr_opt(intern!(file.py(), "write"))?
        .ok_or_else(|| PyTypeError::new_err("file must have a 'write' attribute"))
}

/// This takes a binary file for writing a pickle data stream.
///
/// The arguments and methods are those of pickle.Pickler; functions and what else cannot be imported travel by value.
/// Subclasses may define `persistent_id(obj)` and `reducer_override(obj)`, and set `dispatch_table`.
#[pyclass(subclass, module = "capers", name = "Pickler", weakref)]
pub(crate) struct Pickler {
    write: Option<Py<PyAny>>,
    memo: Option<Box<Memo>>,
    protocol: u8,
    /// The protocol in use, changed by `bin` and read by reducers.
    #[pyo3(get, set)]
    bin: i32,
    #[pyo3(get, set)]
    fast: i32,
    fix_imports: bool,
    buffer_callback: Option<Py<PyAny>>,
    dispatch_table: Option<Py<PyAny>>,
    persistent_id: Option<Py<PyAny>>,
    busy: bool,
    /// The file failed in the middle of a pickle, so that nobody could read what follows.
    torn: bool,
}

#[pymethods]
impl Pickler {
    #[new]
    #[pyo3(
        signature = (*_args, **_kwargs),
        text_signature = "(file, protocol=None, fix_imports=True, buffer_callback=None)"
    )]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            write: None,
            memo: None,
            protocol: HIGHEST_PROTOCOL,
            bin: 1,
            fast: 0,
            fix_imports: true,
            buffer_callback: None,
            dispatch_table: None,
            persistent_id: None,
            busy: false,
            torn: false,
        }
    }

    #[pyo3(signature = (file, protocol=None, fix_imports=true, buffer_callback=None))]
    fn __init__(
        slf: &Bound<'_, Self>,
        file: &Bound<'_, PyAny>,
        protocol: Option<&Bound<'_, PyAny>>,
        fix_imports: bool,
        buffer_callback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let protocol = self::protocol(slf.py(), protocol)?;
        check_callback(buffer_callback.as_ref(), protocol)?;
        let write = write_method(file)?;
        let mut this = slf.try_borrow_mut()?;
        if this.busy {
            return Err(busy());
        }
        this.write = Some(write.unbind());
        this.memo = Some(Box::default());
        this.torn = false;
        this.protocol = protocol;
        this.bin = i32::from(protocol > 0);
        this.fast = 0;
        this.fix_imports = fix_imports;
        this.buffer_callback = buffer_callback.filter(|it| !it.is_none()).map(Bound::unbind);
        Ok(())
    }

    /// Write a pickled representation of the given object to the open file.
    #[pyo3(signature = (obj, /))]
    fn dump<'py>(slf: &Bound<'py, Self>, obj: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let hooks = hooks(slf)?;
        let (memo, protocol, settings) = {
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
            let protocol = if this.bin == 0 { 0 } else { this.protocol };
            (memo, protocol, Settings { fix_imports: this.fix_imports && protocol < 3, fast: this.fast != 0 })
        };
        let writer = Writer::new(protocol, Output::new(py, Vec::new()));
        let mark = memo.mark();
        let dumper = Dumper::new(py, writer, memo, hooks, settings);
        let mut torn = false;
        let (outcome, memo) = match dumper {
            Ok(mut dumper) => {
                let outcome = caught(py, || dumper.dump(obj));
                dumper.memo.own();
                torn = dumper.is_torn();
                let mut memo = dumper.memo;
                if outcome.is_err() {
                    // What was written last may not have reached the file: nothing of it may be referred to. What earlier
                    // dumps wrote is there, and the beginning of this one has used up memo indices.
                    memo.rewind(mark);
                    while memo.next_index() < dumper.sent {
                        memo.take_index();
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
        outcome
    }

    /// Clears the pickler's "memo".
    ///
    /// The memo is the data structure that remembers which objects the pickler has already seen, so that shared or
    /// recursive objects are pickled by reference and not by value. This method is useful when re-using picklers.
    fn clear_memo(&mut self, py: Python<'_>) -> PyResult<()> {
        match &mut self.memo {
            Some(memo) => {
                memo.clear(py);
                self.torn = false;
                Ok(())
            }
            None => Err(busy()),
        }
    }

    #[getter]
    fn get_dispatch_table(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match &self.dispatch_table {
            Some(table) => Ok(table.clone_ref(py)),
            None => Err(PyAttributeError::new_err("dispatch_table")),
        }
    }

    #[setter]
    fn set_dispatch_table(&mut self, table: Option<Py<PyAny>>) {
        self.dispatch_table = table;
    }

    #[getter]
    fn get_persistent_id(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match &self.persistent_id {
            Some(hook) => Ok(hook.clone_ref(py)),
            None => Err(PyAttributeError::new_err("persistent_id")),
        }
    }

    #[setter]
    fn set_persistent_id(&mut self, hook: Option<Py<PyAny>>) -> PyResult<()> {
        self.persistent_id = hook;
        Ok(())
    }

    /// The memo: objects seen, with their indices; its own methods are clear and copy.
    #[getter]
    fn get_memo(slf: &Bound<'_, Self>) -> PicklerMemoProxy {
        PicklerMemoProxy { pickler: slf.clone().unbind() }
    }

    #[setter]
    fn set_memo(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut memo = Box::<Memo>::default();
        let copied = value.cast::<PicklerMemoProxy>().ok().map(|proxy| proxy.get().copy(value.py())).transpose()?;
        let items = copied.as_ref().map_or_else(|| value.cast::<PyDict>(), Ok).map_err(|_| {
            PyTypeError::new_err(format!(
                "'memo' attribute must be a PicklerMemoProxy object or dict, not {}",
                value.get_type()
            ))
        })?;
        let mut next = 0;
        for (_, entry) in items.iter() {
            let entry =
                entry.cast::<PyTuple>().map_err(|_| PyTypeError::new_err("'memo' values must be 2-item tuples"))?;
            let (index, object): (usize, Bound<'_, PyAny>) = entry.extract()?;
            memo.put_at(&object, index);
            next = next.max(index + 1);
        }
        while memo.next_index() < next {
            memo.take_index();
        }
        self.memo = Some(memo);
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for held in [&self.write, &self.buffer_callback, &self.dispatch_table, &self.persistent_id] {
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
        self.memo = None;
    }
}

/// The memo of a pickler as an object of its own.
#[pyclass(module = "capers", name = "PicklerMemoProxy", frozen)]
struct PicklerMemoProxy {
    pickler: Py<Pickler>,
}

#[pymethods]
impl PicklerMemoProxy {
    /// Remove all items from the memo.
    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        self.pickler.bind(py).try_borrow_mut()?.clear_memo(py)
    }

    /// Copy the memo to a new object: the id of each object to its index and the object itself.
    fn copy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let copy = PyDict::new(py);
        if let Some(memo) = &self.pickler.bind(py).try_borrow()?.memo {
            for (object, index) in memo.objects() {
                copy.set_item(object.as_ptr() as usize, (index, object))?;
            }
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
fn busy() -> PyErr {
    PyRuntimeError::new_err("this Pickler is in use: a dump called back into it")
}

/// The hooks of a pickler, looked up anew for each dump: an attribute, a method of a subclass, or none.
fn hooks<'py>(pickler: &Bound<'py, Pickler>) -> PyResult<Hooks<'py>> {
    let py = pickler.py();
    let mut hooks = Hooks::default();
    let any = pickler.as_any();
    if !any.is_exact_instance_of::<Pickler>() {
        hooks.reducer_override = any.getattr_opt(intern!(py, "reducer_override"))?;
    }
    hooks.persistent_id = any.getattr_opt(intern!(py, "persistent_id"))?;
    hooks.dispatch_table = any.getattr_opt(intern!(py, "dispatch_table"))?;
    let this = pickler.try_borrow()?;
    hooks.buffer_callback = this.buffer_callback.as_ref().map(|it| it.bind(py).clone());
    hooks.write = this.write.as_ref().map(|it| it.bind(py).clone());
    Ok(hooks)
}

/// Puts the dumping side into the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(dumps, module)?)?;
    module.add_function(wrap_pyfunction!(dump, module)?)?;
    module.add_class::<Pickler>()
}
