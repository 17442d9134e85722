//! The way from the object given to `dumps` to the one that failed, read off the work stack.

use pyo3::exceptions::{PyAttributeError, PyMemoryError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::by_value::{At, ByValue};
use super::complaint::TELLS_MORE;
use super::containers::Into;
use super::reduce::Phase;
use super::{Dumper, Frame, notes};
use crate::by_value::Fill;
use crate::ffi::walk::Level;

/// Longest representation of a dict key that is shown whole.
const MAX_KEY: usize = 60;
/// Steps shown of a long path, at either end.
const MAX_STEPS: usize = 24;

/// Tells in `error` where it came from.
///
/// A refusal of ours or of `object.__reduce_ex__` gets the path into its message and becomes a `CannotPickleError`. Any other
/// exception, those that `pickle` raises itself among them, keeps its class and text, and gets a note: from 3.14 on, and
/// as far as `pickle` could have come, the notes of `pickle`. The strict mode leaves errors to be those of `pickle`.
#[cold]
pub(super) fn explain(dumper: &Dumper<'_>, base: usize, root: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let py = dumper.py;
    // Where memory ends there is none for notes.
    let tells_more = TELLS_MORE && !error.is_instance_of::<PyMemoryError>(py);
    if dumper.settings.strict {
        if tells_more {
            notes::add_all(dumper, base, &error);
        }
        return error;
    }
    if error.is_instance(py, dumper.state.cannot_pickle.bind(py)) {
        return error;
    }
    let by_value = |frame: &Frame<'_>| matches!(frame, Frame::ByValue(_) | Frame::Entries(_));
    let refused = refuses(&error, py);
    if !refused && tells_more && !dumper.stack[base..].iter().any(by_value) {
        notes::add_all(dumper, base, &error);
        return error;
    }
    let path = path(&dumper.stack[base..], root);
    if refused {
        let class = dumper.state.cannot_pickle.bind(py).clone();
        let traceback = error.traceback(py);
        let message = message(&error, py);
        let message = if path.is_empty() { message } else { format!("{message} (at {path})") };
        let explained = PyErr::from_type(class, (message,));
        explained.set_cause(py, error.cause(py));
        explained.set_traceback(py, traceback);
        return explained;
    }
    if !path.is_empty() {
        notes::add(py, &error, &format!("while pickling {path}"));
    }
    error
}

/// Whether `error` says that an object cannot travel, by us, by `pickle` or by `object.__reduce_ex__`, and not that code of the
/// user failed.
#[cold]
pub(super) fn is_refusal(dumper: &Dumper<'_>, error: &PyErr) -> bool {
    let py = dumper.py;
    let class = error.get_type(py);
    class.is(dumper.state.pickling_error.bind(py))
        || class.is(dumper.state.cannot_pickle.bind(py))
        || refuses(error, py)
        || class.is(py.get_type::<PyAttributeError>()) && message(error, py).contains(" local object ")
}

/// Whether `error` is what a type says that cannot be pickled.
fn refuses(error: &PyErr, py: Python<'_>) -> bool {
    if !error.get_type(py).is(py.get_type::<PyTypeError>()) {
        return false;
    }
    let said = message(error, py);
    said.starts_with("cannot pickle") || said.starts_with("can't pickle")
}

fn message(error: &PyErr, py: Python<'_>) -> String {
    error.value(py).str().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The path as text, such as `handler.__globals__['service'].pool[3]`; empty when the failure is at the root itself.
fn path(stack: &[Frame<'_>], root: &Bound<'_, PyAny>) -> String {
    // A stack of millions is read at its ends only: memory may be what has run out.
    let step_at = |at: usize| step(&stack[at], at.checked_sub(1).map(|below| &stack[below]));
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let (mut at, mut end) = (0, stack.len());
    while at < end && first.len() < MAX_STEPS {
        first.extend(step_at(at));
        at += 1;
    }
    while end > at && last.len() < MAX_STEPS {
        end -= 1;
        last.extend(step_at(end));
    }
    if first.is_empty() {
        return String::new();
    }
    let mut path = name_of(root);
    path.extend(first);
    if (at..end).any(|at| step_at(at).is_some()) {
        path.push_str(" … ");
    }
    path.extend(last.into_iter().rev());
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
        Frame::Copying(_) => None,
    }
}

fn plain(level: &Level<'_>, previous: Option<&Frame<'_>>) -> Option<String> {
    match level {
        // The pair of `__dict__` and slots that a state can be is no step of the path.
        Level::Tuple { .. } if is_state(previous) => None,
        Level::List { index, .. } | Level::Tuple { index, .. } | Level::Call { index, .. } => {
            Some(format!("[{}]", index.saturating_sub(1)))
        }
        Level::Set { .. } => Some(String::from("{…}")),
        Level::Slots { plan, index, .. } => Some(format!(".{}", plan.name(index.saturating_sub(1) / 2)?)),
        Level::Dict(dict) => {
            let shown = dict.key.as_ref()?;
            // `value` is still there while the key itself is being written.
            if dict.value.is_some() {
                return Some(format!(".key({})", key(shown)));
            }
            Some(if (dict.state.is_some() || is_state(previous)) && shown.is_instance_of::<PyString>() {
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
