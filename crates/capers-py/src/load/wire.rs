//! The wire names of `capers._rebuild`, done natively.
//!
//! Each fast path here does exactly what the function of that name does in `_rebuild.py`. On any doubt (an argument of
//! another type, a foreign tag, a subclass) the answer is `None` and the Python function is called, which then raises what
//! it raises or does what it does.

use capers_code::marshal::is_cut_short;
use pyo3::exceptions::PyEOFError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCode, PyDict, PyFunction, PyModule, PyString, PyTuple};

use super::globals;
use super::state::State;
use crate::ffi::make;

/// The module of the wire names.
const MODULE: &str = "capers._rebuild";

/// One of the constructors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Code,
    Function,
    Cell,
    Namespace,
    Imported,
    Module,
    ModuleDict,
}

const ALL: [(Wire, &str); 7] = [
    (Wire::Code, "code"),
    (Wire::Function, "function"),
    (Wire::Cell, "cell"),
    (Wire::Namespace, "namespace"),
    (Wire::Imported, "imported"),
    (Wire::Module, "module"),
    (Wire::ModuleDict, "module_dict"),
];

/// The constructors as this interpreter has them.
pub(super) struct WireNames {
    module: Py<PyString>,
    functions: [Py<PyAny>; ALL.len()],
    tag: i64,
}

impl WireNames {
    pub(super) fn new(py: Python<'_>) -> PyResult<WireNames> {
        let rebuild = py.import(MODULE)?;
        let mut functions = Vec::new();
        for (_, name) in ALL {
            functions.push(rebuild.getattr(name)?.unbind());
        }
        let functions = functions.try_into().map_err(|_| pyo3::exceptions::PySystemError::new_err("wire names"))?;
        Ok(WireNames {
            module: PyString::intern(py, MODULE).unbind(),
            functions,
            tag: rebuild.getattr("TAG")?.extract()?,
        })
    }

    /// The kept str of the module's name, where these bytes spell it.
    #[inline]
    pub(super) fn module_name<'py>(&self, py: Python<'py>, utf8: &[u8]) -> Option<Bound<'py, PyAny>> {
        (utf8 == MODULE.as_bytes()).then(|| self.module.bind(py).as_any().clone())
    }

    /// The constructor of this name.
    #[inline]
    pub(super) fn resolve<'py>(
        &self,
        module: &Bound<'py, PyString>,
        name: &Bound<'py, PyString>,
    ) -> Option<Bound<'py, PyAny>> {
        let py = module.py();
        if !module.is(&self.module) && module.to_str().ok()? != MODULE {
            return None;
        }
        let name = name.to_str().ok()?;
        let at = ALL.iter().position(|(_, each)| *each == name)?;
        Some(self.functions[at].bind(py).clone())
    }

    /// Which constructor this is.
    #[inline]
    pub(super) fn which(&self, callable: &Bound<'_, PyAny>) -> Option<Wire> {
        let at = self.functions.iter().position(|each| callable.is(each))?;
        Some(ALL[at].0)
    }
}

/// The last code object made in this load and its number of free variables: a function of it comes next.
pub(super) type LastCode<'py> = Option<(Bound<'py, PyAny>, usize)>;

/// Call a constructor, or say `None` where only the Python function knows what to do.
pub(super) fn call<'py>(
    wire: Wire,
    arguments: &Bound<'py, PyTuple>,
    state: &State,
    last: &mut LastCode<'py>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match wire {
        Wire::Code => code(arguments, state, last),
        Wire::Function => function(arguments, last),
        Wire::Cell => match arguments.len() {
            0 => make::cell(arguments.py(), None).map(Some),
            1 => make::cell(arguments.py(), Some(&arguments.get_item(0)?)).map(Some),
            _ => Ok(None),
        },
        Wire::Namespace => namespace(arguments, state),
        Wire::Imported => imported(arguments, state),
        Wire::Module => module(arguments, state),
        Wire::ModuleDict => match arguments.len() {
            1 => arguments.get_item(0)?.getattr(&state.names.dict).map(Some),
            _ => Ok(None),
        },
    }
}

fn code<'py>(
    arguments: &Bound<'py, PyTuple>,
    state: &State,
    last: &mut LastCode<'py>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if arguments.len() != 2 {
        return Ok(None);
    }
    let tag = arguments.get_item(0)?;
    let data = arguments.get_item(1)?;
    let Ok(data) = data.cast_exact::<PyBytes>() else { return Ok(None) };
    if !tag.is_exact_instance_of::<pyo3::types::PyInt>() || tag.extract::<i64>().ok() != Some(state.wire.tag) {
        return Ok(None);
    }
    if let Some((code, free)) = state.codes.get(data) {
        make::audit_marshal(data)?;
        *last = Some((code.clone(), free));
        return Ok(Some(code));
    }
    if is_cut_short(data.as_bytes()) {
        make::audit_marshal(data)?;
        return Err(PyEOFError::new_err("marshal data too short"));
    }
    let made = make::unmarshal(data)?;
    let Ok(as_code) = made.cast_exact::<PyCode>() else {
        let kind = made.get_type().name()?;
        let text = format!("expected a marshalled code object, not {}", kind.repr()?);
        return Err(state.unpickling_error(made.py(), text));
    };
    let free = free_variables(as_code)?;
    state.codes.put(data, &made, free);
    *last = Some((made.clone(), free));
    Ok(Some(made))
}

fn free_variables(code: &Bound<'_, PyCode>) -> PyResult<usize> {
    code.getattr(pyo3::intern!(code.py(), "co_freevars"))?.len()
}

fn function<'py>(arguments: &Bound<'py, PyTuple>, last: &LastCode<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
    if !(2..=3).contains(&arguments.len()) {
        return Ok(None);
    }
    let code = arguments.get_item(0)?;
    let globals = arguments.get_item(1)?;
    let (Ok(as_code), Ok(globals)) = (code.cast_exact::<PyCode>(), globals.cast_exact::<PyDict>()) else {
        return Ok(None);
    };
    let closure = match arguments.len() {
        3 => Some(arguments.get_item(2)?).filter(|closure| !closure.is_none()),
        _ => None,
    };
    let closure = match &closure {
        None => None,
        Some(closure) => match closure.cast_exact::<PyTuple>() {
            Ok(closure) => Some(closure),
            Err(_) => return Ok(None),
        },
    };
    let free = match last {
        Some((made, free)) if made.is(&code) => *free,
        _ => free_variables(as_code)?,
    };
    make::audit(c"function.__new__", &code)?;
    match make::function(as_code, free, globals, closure)? {
        Some(made) => Ok(Some(made)),
        // The event was raised; `types.FunctionType` would raise it again before it refuses. The refusal is what matters.
        None => Ok(None),
    }
}

fn namespace<'py>(arguments: &Bound<'py, PyTuple>, state: &State) -> PyResult<Option<Bound<'py, PyAny>>> {
    if arguments.len() > 1 {
        return Ok(None);
    }
    let py = arguments.py();
    let made = make::empty_dict(py)?;
    make::dict_set(&made, state.names.builtins.bind(py), state.builtins.bind(py))?;
    if arguments.len() == 1 {
        let name = arguments.get_item(0)?;
        if !name.is_none() {
            make::dict_set(&made, state.names.name.bind(py), &name)?;
        }
    }
    Ok(Some(made.into_any()))
}

fn imported<'py>(arguments: &Bound<'py, PyTuple>, state: &State) -> PyResult<Option<Bound<'py, PyAny>>> {
    let mut first = None;
    for name in arguments.iter() {
        let Ok(name) = name.cast_exact::<PyString>() else { return Ok(None) };
        let Some(module) = globals::ready_module(name, state)? else { return Ok(None) };
        first.get_or_insert(module);
    }
    Ok(first)
}

fn module<'py>(arguments: &Bound<'py, PyTuple>, state: &State) -> PyResult<Option<Bound<'py, PyAny>>> {
    if arguments.len() != 1 {
        return Ok(None);
    }
    let name = arguments.get_item(0)?;
    let Ok(name) = name.cast_exact::<PyString>() else { return Ok(None) };
    let py = name.py();
    let made: Bound<'_, PyModule> = make::module(name)?;
    make::dict_set(&made.dict(), state.names.builtins.bind(py), state.builtins.bind(py))?;
    Ok(Some(made.into_any()))
}

/// `BUILD` on an object of ours, the plain attribute protocol without its detours; `false` if it is not for us.
///
/// A cell has no `__setstate__` and no `__dict__`: its state is `(None, {'cell_contents': value})`. A function has none
/// either unless its `__dict__` does, so the search for it is left out while there is no `__dict__`.
#[inline]
pub(super) fn build<'py>(object: &Bound<'py, PyAny>, state_value: &Bound<'py, PyAny>, state: &State) -> PyResult<bool> {
    if make::is_cell(object) {
        let Ok(parts) = state_value.cast_exact::<PyTuple>() else { return Ok(false) };
        if parts.len() != 2 || !parts.get_item(0)?.is_none() {
            return Ok(false);
        }
        let slots = parts.get_item(1)?;
        let Ok(slots) = slots.cast_exact::<PyDict>() else { return Ok(false) };
        if slots.len() != 1 {
            return Ok(false);
        }
        let Some(content) = slots.get_item(&state.names.cell_contents)? else { return Ok(false) };
        return make::cell_set(object, &content);
    }
    Ok(false)
}

/// Whether the search for `__setstate__` on this object finds nothing for certain.
#[inline]
pub(super) fn has_no_setstate(object: &Bound<'_, PyAny>) -> bool {
    object.cast_exact::<PyFunction>().is_ok_and(|function| !make::function_has_dict(function))
}
