//! What a caller chose for one dump, beyond the arguments of `pickle`.
//!
//! The choices hold while that dump runs, on its thread: policy and rules ask here. A dump inside of it, by a reducer, has
//! choices of its own. Reducers are handed to the dumper, which asks them.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyType};

use crate::policy;
use crate::state::state;

/// A type and the callable that reduces its instances.
pub(crate) type Reducer = (Py<PyType>, Py<PyAny>);

/// Where functions find their globals when they arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Globals {
    /// Those of an importable module in that module, all others in a namespace that travels.
    #[default]
    Module,
    /// All in a namespace that travels.
    Copy,
    /// Those of any module in the receiver's module of that name, `__main__` among them.
    Live,
}

/// The choices of one dump.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    /// Names of modules that travel by value, with all below them.
    by_value: Vec<String>,
    /// Whether the user's own modules do.
    local: bool,
    locks_refused: bool,
    file_contents: bool,
    globals: Globals,
    pub(crate) reducers: Vec<Reducer>,
}

/// The arguments that make choices, as the caller gave them.
#[derive(Default)]
pub(crate) struct Arguments<'a, 'py> {
    pub(crate) by_value: Option<&'a Bound<'py, PyAny>>,
    pub(crate) locks: Option<&'a str>,
    pub(crate) files: Option<&'a str>,
    pub(crate) reducers: Option<&'a Bound<'py, PyAny>>,
    pub(crate) globals: Option<&'a str>,
}

/// Stands for the user's own modules: those whose source lies neither in the standard library nor in site-packages.
#[pyclass(module = "capers", name = "LocalModules", frozen)]
pub(crate) struct LocalModules;

#[pymethods]
impl LocalModules {
    fn __repr__(&self) -> &'static str {
        "capers.LOCAL_MODULES"
    }

    fn __reduce__(&self) -> &'static str {
        "LOCAL_MODULES"
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Choices>>> = const { RefCell::new(None) };
}

/// Whether the user's own modules travel by value in the whole process.
static LOCAL: AtomicBool = AtomicBool::new(false);

/// Whether a reducer was ever registered.
static REGISTERED: AtomicBool = AtomicBool::new(false);

/// Puts the choices of the dump around it back in place when it goes.
pub(crate) enum Scope {
    /// There were none, and there are none.
    Unchanged,
    Before(Option<Arc<Choices>>),
}

impl Drop for Scope {
    fn drop(&mut self) {
        if let Self::Before(before) = self {
            CURRENT.set(before.take());
        }
    }
}

impl Choices {
    /// The choices that `arguments` make, `None` where all are left to capers; and whether nothing is to travel by value.
    #[inline]
    pub(crate) fn new(arguments: &Arguments<'_, '_>) -> PyResult<(Option<Arc<Self>>, bool)> {
        match arguments {
            Arguments { by_value: None, locks: None, files: None, reducers: None, globals: None } => Ok((None, false)),
            _ => Self::of(arguments),
        }
    }

    #[inline(never)]
    fn of(arguments: &Arguments<'_, '_>) -> PyResult<(Option<Arc<Self>>, bool)> {
        let mut choices = Self::default();
        let strict = choices.set_by_value(arguments.by_value)?;
        choices.locks_refused = is_second("locks", arguments.locks, "fresh", "error")?;
        choices.file_contents = is_second("files", arguments.files, "reopen", "content")?;
        choices.globals = match arguments.globals {
            None | Some("module") => Globals::Module,
            Some("copy") => Globals::Copy,
            Some("live") => Globals::Live,
            Some(word) => {
                return Err(PyValueError::new_err(format!("globals must be 'module', 'copy' or 'live', not '{word}'")));
            }
        };
        if let Some(given) = arguments.reducers.filter(|it| !it.is_none()) {
            choices.reducers = reducers(given)?;
        }
        let Self { by_value, local, locks_refused, file_contents, globals, reducers } = &choices;
        let any = !by_value.is_empty() || *local || *locks_refused || *file_contents || !reducers.is_empty();
        let any = any || *globals != Globals::Module;
        Ok((any.then(|| Arc::new(choices)), strict))
    }

    /// Takes over `by_value`; `true` when it is `False`.
    fn set_by_value(&mut self, by_value: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        let Some(by_value) = by_value.filter(|it| !it.is_none()) else { return Ok(false) };
        if let Ok(flag) = by_value.cast::<PyBool>() {
            return if flag.is_true() { Err(no_choice(by_value)?) } else { Ok(true) };
        }
        if self.add_module(by_value)? {
            return Ok(false);
        }
        let Ok(modules) = by_value.try_iter() else { return Err(no_choice(by_value)?) };
        for module in modules {
            let module = module?;
            if !self.add_module(&module)? {
                return Err(no_choice(by_value)?);
            }
        }
        Ok(false)
    }

    fn add_module(&mut self, module: &Bound<'_, PyAny>) -> PyResult<bool> {
        if module.is_instance_of::<LocalModules>() {
            self.local = true;
            return Ok(true);
        }
        if !module.is_instance_of::<PyString>() && !module.is_instance_of::<pyo3::types::PyModule>() {
            return Ok(false);
        }
        self.by_value.push(policy::loaded_name(module, "carry by value")?);
        Ok(true)
    }
}

#[cold]
fn no_choice(by_value: &Bound<'_, PyAny>) -> PyResult<PyErr> {
    Ok(PyTypeError::new_err(format!(
        "by_value must be None, False, or modules or their names, not {}",
        by_value.repr()?.to_string_lossy()
    )))
}

fn is_second(name: &str, given: Option<&str>, first: &str, second: &str) -> PyResult<bool> {
    match given {
        None => Ok(false),
        Some(word) if word == first => Ok(false),
        Some(word) if word == second => Ok(true),
        Some(word) => Err(PyValueError::new_err(format!("{name} must be '{first}' or '{second}', not '{word}'"))),
    }
}

/// The entries of a mapping from types to callables.
pub(crate) fn reducers(given: &Bound<'_, PyAny>) -> PyResult<Vec<Reducer>> {
    let py = given.py();
    let copy = py.get_type::<PyDict>().call1((given,))?.cast_into::<PyDict>()?;
    let mut reducers = Vec::with_capacity(copy.len());
    for (class, function) in copy.iter() {
        reducers.push(reducer(&class, &function)?);
    }
    Ok(reducers)
}

fn reducer(class: &Bound<'_, PyAny>, function: &Bound<'_, PyAny>) -> PyResult<Reducer> {
    let Ok(class) = class.cast::<PyType>() else {
        return Err(PyTypeError::new_err(format!(
            "a reducer is for a type, not for {}",
            class.repr()?.to_string_lossy()
        )));
    };
    if !function.is_callable() {
        let name = function.get_type().name()?;
        return Err(PyTypeError::new_err(format!("a reducer must be callable, not {}", name.to_string_lossy())));
    }
    Ok((class.clone().unbind(), function.clone().unbind()))
}

/// Lets `choices` hold on this thread until the scope goes.
#[inline]
pub(crate) fn enter(choices: Option<Arc<Choices>>) -> Scope {
    if choices.is_none() && CURRENT.with_borrow(Option::is_none) {
        return Scope::Unchanged;
    }
    Scope::Before(CURRENT.replace(choices))
}

fn chosen(what: impl FnOnce(&Choices) -> bool) -> bool {
    CURRENT.with_borrow(|current| current.as_deref().is_some_and(what))
}

/// Whether there are any choices, of this dump or of the process.
#[inline]
pub(crate) fn any() -> bool {
    LOCAL.load(Ordering::Relaxed) || CURRENT.with_borrow(Option::is_some)
}

/// Whether the module called `name` was chosen to travel by value.
pub(crate) fn is_by_value(name: &[u8]) -> bool {
    chosen(|it| {
        it.by_value.iter().any(|chosen| {
            name.strip_prefix(chosen.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
        })
    })
}

/// Whether `module` is one of the user's own, and these travel by value.
pub(crate) fn is_local(module: &Bound<'_, PyAny>) -> PyResult<bool> {
    if !LOCAL.load(Ordering::Relaxed) && !chosen(|it| it.local) {
        return Ok(false);
    }
    let py = module.py();
    py.import("capers._local")?.getattr(intern!(py, "is_local"))?.call1((module,))?.extract()
}

/// Whether locks and what is built on them are to be refused.
pub(crate) fn are_locks_refused() -> bool {
    chosen(|it| it.locks_refused)
}

/// Whether open files travel with their content.
pub(crate) fn are_contents_wanted() -> bool {
    chosen(|it| it.file_contents)
}

/// Where functions find their globals when they arrive.
pub(crate) fn globals() -> Globals {
    CURRENT.with_borrow(|current| current.as_deref().map_or(Globals::Module, |it| it.globals))
}

/// Lets the user's own modules travel by value in the whole process, or no longer; returns what was so before.
pub(crate) fn set_local(local: bool) -> bool {
    LOCAL.swap(local, Ordering::Relaxed)
}

/// Whether the user's own modules travel by value in the whole process.
pub(crate) fn local() -> bool {
    LOCAL.load(Ordering::Relaxed)
}

/// Lets instances of a class travel as a function of yours says, in this process.
///
/// Arguments: the class, whose subclasses count too, and a callable that gets the object and returns what `__reduce__` may
/// return, or `NotImplemented` to leave it to the next reducer, or to capers. Raises `TypeError` for anything else.
#[pyfunction]
pub(crate) fn register_reducer(cls: &Bound<'_, PyAny>, reducer: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = cls.py();
    let new = self::reducer(cls, reducer)?;
    REGISTERED.store(true, Ordering::Relaxed);
    let old = state(py)?.reducers.lock().map(|mut all| {
        let old = all.iter().position(|(known, _)| known.is(&new.0)).map(|at| all.swap_remove(at));
        all.push(new);
        old
    });
    // Whatever it lets go of may run code: not under the lock.
    drop(old);
    Ok(())
}

/// Takes back `register_reducer(cls, ...)`.
///
/// Raises `ValueError` when the class has no registered reducer.
#[pyfunction]
pub(crate) fn unregister_reducer(cls: &Bound<'_, PyAny>) -> PyResult<()> {
    let all = &state(cls.py())?.reducers;
    let old = all.lock().ok().and_then(|mut all| {
        let at = all.iter().position(|(known, _)| known.is(cls));
        at.map(|at| all.remove(at))
    });
    match old {
        Some(_) => Ok(()),
        None => Err(PyValueError::new_err(format!(
            "cannot unregister {}: it has no registered reducer",
            cls.repr()?.to_string_lossy()
        ))),
    }
}

/// Whether a reducer was ever registered.
#[inline]
pub(crate) fn any_registered() -> bool {
    REGISTERED.load(Ordering::Relaxed)
}

/// Copies of all registered reducers.
#[inline]
pub(crate) fn registered(py: Python<'_>) -> PyResult<Vec<Reducer>> {
    if !any_registered() {
        return Ok(Vec::new());
    }
    let Ok(all) = state(py)?.reducers.lock() else { return Ok(Vec::new()) };
    Ok(all.iter().map(|(class, function)| (class.clone_ref(py), function.clone_ref(py))).collect())
}
