//! The way from the object given to `dumps` to the one that failed, read off the work stack.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::by_value::{At, ByValue};
use super::containers::Into;
use super::reduce::Phase;
use super::{Dumper, Frame};
use crate::by_value::Fill;
use crate::ffi::walk::Level;

/// Longest representation of a dict key that is shown whole.
const MAX_KEY: usize = 60;
/// Steps shown of a long path, at either end.
const MAX_STEPS: usize = 24;

/// Adds the path to `error`: a refusal of ours or of `object.__reduce_ex__` gets it into its message and becomes a
/// `CannotPickleError`, any other exception keeps its type and gets a note.
#[cold]
pub(super) fn explain(dumper: &Dumper<'_>, base: usize, root: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let py = dumper.py;
    if error.is_instance(py, dumper.state.cannot_pickle.bind(py)) {
        return error;
    }
    let path = path(&dumper.stack[base..], root);
    let value = error.value(py);
    let message = value.str().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let refused = is_refusal(dumper, &error);
    if refused {
        let class = dumper.state.cannot_pickle.bind(py).clone();
        let traceback = error.traceback(py);
        let message = if path.is_empty() { message } else { format!("{message} (at {path})") };
        let explained = PyErr::from_type(class, (message,));
        explained.set_cause(py, error.cause(py));
        explained.set_traceback(py, traceback);
        return explained;
    }
    if !path.is_empty() {
        // A note is help; an exception that cannot take one is still the user's own.
        let noted = value.call_method1(intern!(py, "add_note"), (format!("while pickling {path}"),));
        drop(noted);
    }
    error
}

/// Whether `error` says that an object cannot travel, by us or by `object.__reduce_ex__`, and not that code of the user failed.
#[cold]
pub(super) fn is_refusal(dumper: &Dumper<'_>, error: &PyErr) -> bool {
    let py = dumper.py;
    let value = error.value(py);
    let kind = value.get_type();
    if kind.is(dumper.state.pickling_error.bind(py)) || kind.is(dumper.state.cannot_pickle.bind(py)) {
        return true;
    }
    let message = value.str().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    kind.is(py.get_type::<pyo3::exceptions::PyTypeError>())
        && (message.starts_with("cannot pickle") || message.starts_with("can't pickle"))
}

/// The path as text, such as `handler.__globals__['service'].pool[3]`; empty when the failure is at the root itself.
fn path(stack: &[Frame<'_>], root: &Bound<'_, PyAny>) -> String {
    let mut steps = Vec::new();
    let mut previous: Option<&Frame<'_>> = None;
    for frame in stack {
        if let Some(step) = step(frame, previous) {
            steps.push(step);
        }
        previous = Some(frame);
    }
    if steps.is_empty() {
        return String::new();
    }
    let mut path = name_of(root);
    let hidden = steps.len().saturating_sub(2 * MAX_STEPS);
    for (index, step) in steps.iter().enumerate() {
        if hidden > 0 && index == MAX_STEPS {
            path.push_str(" … ");
        }
        if hidden == 0 || index < MAX_STEPS || index >= MAX_STEPS + hidden {
            path.push_str(step);
        }
    }
    path
}

fn name_of(object: &Bound<'_, PyAny>) -> String {
    let py = object.py();
    let named = object.is_instance_of::<PyType>()
        || object.is_instance_of::<pyo3::types::PyFunction>()
        || object.is_instance_of::<pyo3::types::PyModule>();
    if named && let Ok(name) = object.getattr(intern!(py, "__name__")) {
        return name.to_string();
    }
    object.get_type().name().map_or_else(|_| String::from("object"), |it| it.to_string_lossy().into_owned())
}

fn key(key: &Bound<'_, PyAny>) -> String {
    let text = if key.is_exact_instance_of::<PyString>() || key.is_exact_instance_of::<pyo3::types::PyInt>() {
        key.repr().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
    } else {
        format!("<{}>", key.get_type().name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default())
    };
    if text.chars().count() > MAX_KEY { text.chars().take(MAX_KEY).chain("…".chars()).collect() } else { text }
}

/// Whether the frame below writes the state of an instance, so that dict keys are attributes.
fn is_state(previous: Option<&Frame<'_>>) -> bool {
    matches!(previous, Some(Frame::Reduce(reduce)) if matches!(reduce.current, Phase::State | Phase::SetterState))
}

fn step(frame: &Frame<'_>, previous: Option<&Frame<'_>>) -> Option<String> {
    match frame {
        Frame::Plain(level) => plain(level, previous),
        Frame::Batch(batch) => Some(match batch.target() {
            Into::List => format!("[{}]", batch.index.saturating_sub(1)),
            Into::Dict => String::from("[…]"),
        }),
        Frame::Reduce(reduce) => match reduce.current {
            Phase::Callable | Phase::Setter => Some(String::from(".__reduce__()[0]")),
            _ => None,
        },
        Frame::ByValue(frame) => by_value(frame),
        Frame::Entries(entries) => {
            let (name, _) = entries.items.get(entries.index)?;
            Some(if entries.owner.is_some() { format!(".{name}") } else { format!("[{}]", key(name.as_any())) })
        }
        Frame::Inside(inside) => {
            let (shown, _) = inside.items.get(inside.index)?;
            Some(shown.as_ref().map_or_else(|| format!("[{}]", inside.index), |shown| format!("[{}]", key(shown))))
        }
        Frame::PersistentId => Some(String::from(".persistent_id()")),
    }
}

fn plain(level: &Level<'_>, previous: Option<&Frame<'_>>) -> Option<String> {
    match level {
        // The pair of `__dict__` and slots that a state can be is no step of the path.
        Level::Tuple { .. } if is_state(previous) => None,
        Level::List { index, .. } | Level::Tuple { index, .. } => Some(format!("[{}]", index.saturating_sub(1))),
        Level::Set { .. } => Some(String::from("{…}")),
        Level::Slots { plan, index, .. } => Some(format!(".{}", plan.name(index.saturating_sub(1) / 2)?)),
        Level::Dict(dict) => {
            let shown = dict.key.as_ref()?;
            // `value` is still there while the key itself is being written.
            if dict.value.is_some() {
                return Some(format!(".key({})", key(shown)));
            }
            Some(if (dict.state || is_state(previous)) && shown.is_instance_of::<PyString>() {
                format!(".{}", shown.str().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default())
            } else {
                format!("[{}]", key(shown))
            })
        }
    }
}

fn by_value(frame: &ByValue<'_>) -> Option<String> {
    let At::AfterItem(fill, item) = frame.at else { return None };
    Some(match frame.reduction.fills.get(fill)? {
        Fill::State { dict, slots, .. } => match item.checked_sub(dict.len()) {
            None => format!(".{}", dict.get(item)?.0),
            Some(slot) => format!(".{}", slots.get(slot)?.0),
        },
        Fill::Items { items, .. } if frame.object.is_instance_of::<pyo3::types::PyModule>() => {
            format!(".{}", items.get(item)?.0)
        }
        Fill::Items { items, .. } => format!(".__globals__[{}]", key(items.get(item)?.0.as_any())),
        Fill::Cell { name: Some(name), .. } => format!(".__closure__[{}]", key(name.as_any())),
        Fill::Cell { .. } => String::from(".cell_contents"),
        Fill::Call { .. } | Fill::Later { .. } => return None,
    })
}
