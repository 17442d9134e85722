//! Where a load failed: notes that are added to the exception, which keeps its class and text.
//!
//! A note tells the offset and the opcode of the instruction, the global, call or object that it was about, and what in the
//! payload needed that: the function, class or object being made, read off the stack that the machine leaves behind. Nothing
//! here runs before something has failed.

use pyo3::exceptions::PyMemoryError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::failure::Failure;
use super::live::Live;
use crate::ffi::kind::{Kind, kind};
use crate::note;
use crate::policy;

/// What an instruction that failed was about.
pub(super) enum Subject<'py> {
    /// Module and name of a global.
    Global(Bound<'py, PyAny>, Bound<'py, PyAny>),
    /// What was called.
    Call(Bound<'py, PyAny>),
    /// An object that was given its state.
    State(Bound<'py, PyAny>),
}

/// The module of the wire names.
const WIRE: &str = "capers._rebuild";

/// The exception for `failure`, with a note; `stack` is what the machine held, the lowest first.
#[cold]
pub(super) fn tell<'a, 'py: 'a>(
    failure: Failure,
    live: &mut Live<'_, 'py>,
    stack: impl Iterator<Item = &'a Bound<'py, PyAny>>,
) -> PyErr {
    let py = live.py;
    let subject = live.failed.take();
    let (error, place) = failure.into_exception(py, live.state);
    // Where memory ends there is none for notes, and what has passed a limit says itself where.
    let silent = error.is_instance_of::<PyMemoryError>(py) || error.is_instance(py, live.state.limit_error.bind(py));
    let Some((offset, op)) = place.filter(|_| !silent) else { return error };
    let what = match &subject {
        Some(Subject::Global(module, name)) => format!("while loading the global '{}.{}'", text(module), text(name)),
        Some(Subject::Call(callable)) => format!("while calling '{}'", name_of(callable)),
        Some(Subject::State(object)) => format!("while setting the state of a '{}' object", class_name(object)),
        None => String::from("while loading"),
    };
    let op = op.map_or_else(String::new, |op| format!("{} at ", op.name()));
    let mut note = format!("{what} ({op}offset {offset})");
    let stack: Vec<_> = stack.collect();
    if matches!(subject, Some(Subject::Global(..) | Subject::Call(_)))
        && let Some(owner) = (0..stack.len()).rev().find_map(|at| owner(&stack, at))
    {
        note.push_str(", needed by ");
        note.push_str(&owner);
    }
    note::add(py, &error, &note);
    error
}

/// What the value at `at` is to the one above it, if it needs that.
fn owner(stack: &[&Bound<'_, PyAny>], at: usize) -> Option<String> {
    let value = stack[at];
    match kind(value) {
        Kind::Function | Kind::BuiltinFunction => {
            let name = name_of(value);
            match name.strip_prefix("capers._rebuild.") {
                // Key, metaclass and name of the class come first.
                Some("class_") => Some(
                    stack.get(at + 3).map_or_else(|| String::from("a class"), |it| format!("class '{}'", text(it))),
                ),
                Some(_) => None,
                None if is_named(value) => Some(format!("a call of '{name}'")),
                None => Some(format!("function '{}'", stated(value, "__qualname__"))),
            }
        }
        // The metaclass of a class that is being made.
        Kind::Type if at >= 2 && name_of(stack[at - 2]) == "capers._rebuild.class_" => None,
        Kind::Type if is_named(value) => Some(format!("a call of '{}'", name_of(value))),
        Kind::Type => Some(format!("class '{}'", stated(value, "__qualname__"))),
        Kind::Other | Kind::Module | Kind::Method => Some(format!("a '{}' object", class_name(value))),
        _ => None,
    }
}

/// Whether `value` is found under the name that it states.
fn is_named(value: &Bound<'_, PyAny>) -> bool {
    let py = value.py();
    let (Ok(module), Ok(name)) = (value.getattr(intern!(py, "__module__")), value.getattr(intern!(py, "__qualname__")))
    else {
        return false;
    };
    let Ok(name) = name.cast_into::<PyString>() else { return false };
    match policy::loaded(py, &module) {
        Ok(Some(module)) => matches!(policy::resolve(&module, &name), Ok(Some(found)) if found.is(value)),
        _ => false,
    }
}

fn name_of(value: &Bound<'_, PyAny>) -> String {
    let (module, name) = (stated(value, "__module__"), stated(value, "__qualname__"));
    match (module.as_str(), name.is_empty()) {
        (_, true) => class_name(value),
        ("" | "builtins", false) => name,
        (WIRE, false) => format!("{WIRE}.{name}"),
        (module, false) => format!("{module}.{name}"),
    }
}

fn stated(value: &Bound<'_, PyAny>, attribute: &str) -> String {
    match value.getattr(attribute) {
        Ok(found) if found.is_instance_of::<PyString>() => text(&found),
        _ => String::new(),
    }
}

fn text(value: &Bound<'_, PyAny>) -> String {
    value.str().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

fn class_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}
