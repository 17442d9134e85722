//! Payloads of simple functions, kept and given out again while nothing they depend on has changed.
//!
//! A task system dumps the same function over and over. For functions of the script that reach nothing but immutable
//! atoms and other such functions, everything a payload depends on can be named: the fields of each function, the
//! globals its code looks up, missing ones included, and the content of its cells. A [`Replay`] holds these
//! *witnesses* beside the payload. If each is still the very same object, the payload is what the dumper would write.
//!
//! Functions and code objects are held weakly, so that a kept payload keeps nothing alive but atoms; a weak reference, unlike
//! an address, cannot be mistaken for a later object at the same place. The replay itself lives with the code object of
//! the function. Anything the dumper meets that is not covered here spoils the recording (`Dumper::spoil`).

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple, PyWeakrefReference};

use crate::by_value::code::CodeInfo;
use crate::by_value::function::names_of;
use crate::ffi::access::{cell_content, dict_get, str_bytes, tuple_item};
use crate::ffi::code::get_extra;
use crate::ffi::function::{FunctionView, function_view};
use crate::ffi::kind::{Kind, kind};

/// Payloads longer than this are not kept.
const MAX_PAYLOAD: usize = 16 * 1024;
/// After as many changes the functions of a code object are no longer recorded.
const MAX_MISSES: u32 = 8;

/// The replay slot of a code object.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    replay: Option<Replay>,
    /// Dumps seen so far, and how often a kept payload was out of date.
    dumps: u32,
    misses: u32,
}

#[derive(Debug)]
struct Replay {
    protocol: u8,
    functions: Vec<Witness>,
    payload: Py<PyBytes>,
}

/// What one function was when it was written.
#[derive(Debug)]
struct Witness {
    function: Py<PyWeakrefReference>,
    code: Py<PyWeakrefReference>,
    name: Py<PyAny>,
    qualname: Py<PyAny>,
    module: Option<Py<PyAny>>,
    doc: Option<Py<PyAny>>,
    defaults: Option<Py<PyTuple>>,
    globals: Vec<(Py<PyString>, Expected)>,
    cells: Vec<Expected>,
}

/// What a name or a cell held.
#[derive(Debug)]
enum Expected {
    Nothing,
    Atom(Py<PyAny>),
    Function(Py<PyWeakrefReference>),
}

impl Expected {
    fn of(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Self>> {
        let Some(value) = value else { return Ok(Some(Self::Nothing)) };
        Ok(match kind(value) {
            Kind::Function => Some(Self::Function(PyWeakrefReference::new(value)?.unbind())),
            _ if is_atomic(value) => Some(Self::Atom(value.clone().unbind())),
            _ => None,
        })
    }

    #[inline]
    fn holds(&self, value: Option<&Bound<'_, PyAny>>) -> bool {
        match (self, value) {
            (Self::Nothing, None) => true,
            (Self::Atom(atom), Some(value)) => value.is(atom),
            (Self::Function(weak), Some(value)) => refers_to(weak, value),
            _ => false,
        }
    }
}

#[inline]
fn refers_to(weak: &Py<PyWeakrefReference>, object: &Bound<'_, PyAny>) -> bool {
    weak.bind(object.py()).upgrade().is_some_and(|it| it.is(object))
}

/// Whether `value` is an immutable atom, or a tuple of such.
pub(crate) fn is_atomic(value: &Bound<'_, PyAny>) -> bool {
    let atom =
        |it: &Bound<'_, PyAny>| matches!(kind(it), Kind::None | Kind::Bool | Kind::Int | Kind::Float | Kind::Str);
    match value.cast_exact::<PyTuple>() {
        Ok(tuple) => tuple.iter_borrowed().all(|item| atom(&item)),
        Err(_) => atom(value),
    }
}

/// Whether a function has nothing beyond what a [`Witness`] covers.
fn is_simple(view: &FunctionView<'_>) -> bool {
    // Looking at `__annotations__` leaves an empty dict behind.
    let unset = |it: &Option<Bound<'_, PyAny>>| {
        it.as_ref()
            .is_none_or(|it| it.is_none() || it.cast_exact::<PyDict>().is_ok_and(pyo3::types::PyDictMethods::is_empty))
    };
    let no_params = |it: &Option<Bound<'_, PyAny>>| {
        it.as_ref().is_none_or(|it| it.cast::<PyTuple>().is_ok_and(pyo3::types::PyTupleMethods::is_empty))
    };
    view.kwdefaults.as_ref().is_none_or(pyo3::types::PyAnyMethods::is_none)
        && unset(&view.annotations)
        && unset(&view.annotate)
        && no_params(&view.type_params)
        && view.dict.as_ref().is_none_or(pyo3::types::PyDictMethods::is_empty)
        && view.defaults.as_ref().is_none_or(|it| is_atomic(it.as_any()))
}

impl Witness {
    fn new(function: &Bound<'_, PyAny>, view: &FunctionView<'_>, info: &CodeInfo) -> PyResult<Option<Self>> {
        let py = function.py();
        let in_main =
            view.module.as_ref().and_then(|it| it.cast_exact::<PyString>().ok()).map(str_bytes).transpose()?;
        if in_main.as_deref() != Some(b"__main__") || !is_simple(view) {
            return Ok(None);
        }
        let mut globals = Vec::with_capacity(info.globals.len() + 4);
        for name in std::iter::once(intern!(py, "__name__")).chain(names_of(py, info)) {
            let Some(expected) = Expected::of(dict_get(&view.globals, name.as_any())?.as_ref())? else {
                return Ok(None);
            };
            globals.push((name.clone().unbind(), expected));
        }
        let mut cells = Vec::new();
        for cell in view.closure.iter().flat_map(pyo3::types::PyTupleMethods::iter) {
            let Some(expected) = Expected::of(cell_content(&cell)?.as_ref())? else { return Ok(None) };
            cells.push(expected);
        }
        Ok(Some(Self {
            function: PyWeakrefReference::new(function)?.unbind(),
            code: PyWeakrefReference::new(&view.code)?.unbind(),
            name: view.name.clone().unbind(),
            qualname: view.qualname.clone().unbind(),
            module: view.module.clone().map(Bound::unbind),
            doc: view.doc.clone().map(Bound::unbind),
            defaults: view.defaults.clone().map(Bound::unbind),
            globals,
            cells,
        }))
    }

    fn holds(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(function) = self.function.bind(py).upgrade() else { return Ok(false) };
        let Some(view) = function_view(&function) else { return Ok(false) };
        let same = |kept: Option<&Py<PyAny>>, now: Option<&Bound<'_, PyAny>>| match (kept, now) {
            (None, None) => true,
            (Some(kept), Some(now)) => now.is(kept),
            _ => false,
        };
        let fields = refers_to(&self.code, &view.code)
            && view.name.is(&self.name)
            && view.qualname.is(&self.qualname)
            && same(self.module.as_ref(), view.module.as_ref())
            && same(self.doc.as_ref(), view.doc.as_ref())
            && same(self.defaults.as_ref().map(Py::as_any), view.defaults.as_ref().map(Bound::as_any))
            && is_simple(&view);
        if !fields {
            return Ok(false);
        }
        for (name, expected) in &self.globals {
            if !expected.holds(dict_get(&view.globals, name.bind(py).as_any())?.as_ref()) {
                return Ok(false);
            }
        }
        for (index, expected) in self.cells.iter().enumerate() {
            let cell = view.closure.as_ref().and_then(|closure| tuple_item(closure, index));
            let Some(cell) = cell else { return Ok(false) };
            if !expected.holds(cell_content(&cell)?.as_ref()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The kept payload of `function`, if there is one and it is still right.
pub(crate) fn kept<'py>(
    py: Python<'py>,
    function: &Bound<'py, PyAny>,
    info: &CodeInfo,
    protocol: u8,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let Ok(mut slot) = info.replay.try_lock() else { return Ok(None) };
    slot.dumps = slot.dumps.saturating_add(1);
    let Some(replay) = &slot.replay else { return Ok(None) };
    let root = replay.functions.first().is_some_and(|it| refers_to(&it.function, function));
    let mut right = root && replay.protocol == protocol;
    if right {
        for witness in &replay.functions {
            if !witness.holds(py)? {
                right = false;
                break;
            }
        }
    }
    if right {
        return Ok(Some(replay.payload.bind(py).clone()));
    }
    slot.replay = None;
    slot.misses += 1;
    Ok(None)
}

/// Whether the next dump of a function of this code should be recorded: not the first one, which is often the last.
pub(crate) fn wanted(info: &CodeInfo) -> bool {
    info.replay.try_lock().is_ok_and(|slot| slot.dumps > 1 && slot.misses < MAX_MISSES && slot.replay.is_none())
}

/// Keeps `payload`, just written for the first of `functions`, if all that it depends on is covered: they are the
/// functions it was written for, and their parts.
pub(crate) fn keep(functions: &[Bound<'_, PyAny>], protocol: u8, payload: &Bound<'_, PyBytes>) -> PyResult<()> {
    if payload.as_bytes().len() > MAX_PAYLOAD {
        return Ok(());
    }
    let mut witnesses = Vec::with_capacity(functions.len());
    let mut root = None;
    for function in functions {
        let Some(view) = function_view(function) else { return Ok(()) };
        let Some(info) = get_extra(&view.code) else { return Ok(()) };
        let Some(witness) = Witness::new(function, &view, &info)? else { return Ok(()) };
        witnesses.push(witness);
        root.get_or_insert(info);
    }
    if let Some(root) = root
        && let Ok(mut slot) = root.replay.try_lock()
    {
        slot.replay = Some(Replay { protocol, functions: witnesses, payload: payload.clone().unbind() });
    }
    Ok(())
}
