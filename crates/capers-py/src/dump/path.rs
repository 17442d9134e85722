//! The way from the object given to `dumps` to the one that failed, read off the work stack.

use pyo3::exceptions::{PyAttributeError, PyMemoryError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use super::by_value::{At, ByValue};
use super::complaint::TELLS_MORE;
use super::containers::Into;
use super::reduce::{self, Phase};
use super::{Dumper, Frame, notes};
use crate::by_value::{Fill, Part};
use crate::ffi::kind::{Kind, kind};
use crate::ffi::walk::Level;
use crate::note;
use crate::wire::Wire;

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
        note::add(py, &error, &format!("while pickling {path}"));
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

pub(super) fn message(error: &PyErr, py: Python<'_>) -> String {
    error.value(py).str().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The steps that frames from `from` on are, the last `most` of them.
pub(super) fn steps(stack: &[Frame<'_>], from: usize, most: usize) -> String {
    let mut steps = Vec::new();
    for at in (from..stack.len()).rev() {
        if steps.len() == most {
            steps.push(String::from("…"));
            break;
        }
        steps.extend(step(&stack[..=at]));
    }
    steps.into_iter().rev().collect()
}

/// The path of all of the stack, or the name of the object at its root.
pub(super) fn whole(stack: &[Frame<'_>], root: &Bound<'_, PyAny>) -> String {
    let path = path(stack, root);
    if path.is_empty() { name_of(root) } else { path }
}

/// The path as text, such as `handler.__globals__['service'].pool[3]`; empty when the failure is at the root itself.
fn path(stack: &[Frame<'_>], root: &Bound<'_, PyAny>) -> String {
    // A stack of millions is read at its ends only: memory may be what has run out.
    let step_at = |at: usize| step(&stack[..=at]);
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

pub(super) fn name_of(object: &Bound<'_, PyAny>) -> String {
    let py = object.py();
    let named = object.is_instance_of::<PyType>()
        || object.is_instance_of::<pyo3::types::PyFunction>()
        || object.is_instance_of::<pyo3::types::PyModule>();
    if named && let Ok(name) = object.getattr(intern!(py, "__name__")) {
        return name.to_string();
    }
    class_name(object)
}

pub(super) fn class_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| String::from("object"), |it| it.to_string_lossy().into_owned())
}

/// A key as source text where it has one that is short; else its type.
fn key(key: &Bound<'_, PyAny>) -> String {
    let spelt = match kind(key) {
        Kind::Str | Kind::Int | Kind::None | Kind::Bool | Kind::Float | Kind::Bytes => true,
        Kind::Tuple => key.cast::<PyTuple>().is_ok_and(is_spelt),
        _ => false,
    };
    // A number of thousands of digits has none.
    let text = if spelt { key.repr().ok().map(|it| it.to_string_lossy().into_owned()) } else { None };
    let text = text.unwrap_or_else(|| format!("<{}>", class_name(key)));
    if text.chars().count() > MAX_KEY { text.chars().take(MAX_KEY).chain("…".chars()).collect() } else { text }
}

/// Whether a tuple is short and of atoms.
fn is_spelt(tuple: &Bound<'_, PyTuple>) -> bool {
    const ATOMS: [Kind; 6] = [Kind::Str, Kind::Int, Kind::None, Kind::Bool, Kind::Float, Kind::Bytes];
    tuple.len() <= 4 && tuple.iter().all(|item| ATOMS.contains(&kind(&item)))
}

/// `.name`, or what reaches an attribute whose name is no identifier.
fn attribute(name: &Bound<'_, PyAny>) -> String {
    match name.cast::<PyString>().map(|it| it.to_string_lossy().into_owned()) {
        Ok(text) if text.chars().all(|it| it.is_alphanumeric() || it == '_') => format!(".{text}"),
        _ => format!(".__dict__[{}]", key(name)),
    }
}

/// Whether the frame below writes the state of an instance, so that dict keys are attributes.
fn is_state(below: Option<&Frame<'_>>) -> bool {
    match below {
        Some(Frame::Reduce(reduce)) => matches!(reduce.current, Phase::State | Phase::SetterState),
        Some(Frame::ByValue(frame)) => member(frame).is_some(),
        _ => false,
    }
}

/// The step that `frames`, from the bottom up to it, ends with.
fn step(frames: &[Frame<'_>]) -> Option<String> {
    let (frame, below) = frames.split_last()?;
    match frame {
        Frame::Plain(level) => plain(level, below),
        Frame::Batch(batch) => Some(match (batch.target(), batch.present_key()) {
            (Into::List, _) => format!("[{}]", batch.index.saturating_sub(1)),
            (Into::Dict, Some((shown, true))) => format!(".key({})", key(shown)),
            (Into::Dict, Some((shown, false))) => format!("[{}]", key(shown)),
            (Into::Dict, None) => String::from(".items()"),
        }),
        Frame::Reduce(frame) => reduce::step(frame),
        Frame::ByValue(frame) => by_value(frame),
        Frame::Entries(entries) => {
            let (name, _) = entries.items.get(entries.index)?;
            if entries.owner.is_none() && !is_state(below.last()) {
                return Some(format!("[{}]", key(name.as_any())));
            }
            Some(attribute(name.as_any()))
        }
        Frame::Inside(inside) => {
            let (shown, _) = inside.items.get(inside.index)?;
            Some(match shown {
                Some(shown) if inside.hashes() => format!(".key({})", key(shown)),
                Some(shown) => format!("[{}]", key(shown)),
                None if inside.hashes() => String::from("{…}"),
                None => format!("[{}]", inside.index),
            })
        }
        Frame::PersistentId => Some(String::from(".persistent_id()")),
        Frame::Copying(_) => Some(String::from(".__copy__()")),
    }
}

fn plain(level: &Level<'_>, below: &[Frame<'_>]) -> Option<String> {
    match level {
        Level::Tuple { tuple, index } => {
            let index = index.saturating_sub(1);
            match below.last() {
                Some(Frame::Reduce(frame)) => reduce::item(frame, tuple, index),
                Some(Frame::ByValue(_)) if is_state(below.last()) => None,
                _ => Some(format!("[{index}]")),
            }
        }
        Level::List { index, .. } => Some(format!("[{}]", index.saturating_sub(1))),
        Level::Call { object, index, .. } => Some(reduce::argument(object, index.saturating_sub(1))),
        Level::Set { .. } => Some(String::from("{…}")),
        Level::Slots { plan, index, .. } => Some(format!(".{}", plan.name(index.saturating_sub(1) / 2)?)),
        Level::Dict(dict) => {
            let shown = dict.key.as_ref()?;
            // `value` is still there while the key itself is being written.
            if dict.value.is_some() {
                return Some(format!(".key({})", key(shown)));
            }
            let attributes = dict.state.is_some()
                || is_state(below.last())
                || matches!(below, [.., lower, Frame::Plain(Level::Tuple { tuple, .. })]
                    if is_state(Some(lower)) && reduce::is_pair(tuple.as_any()));
            Some(if attributes && shown.is_instance_of::<PyString>() {
                attribute(shown)
            } else {
                format!("[{}]", key(shown))
            })
        }
    }
}

/// The step to the global `name`.
pub(super) fn global(name: &Bound<'_, PyString>) -> String {
    format!(".__globals__[{}]", key(name.as_any()))
}

fn by_value(frame: &ByValue<'_>) -> Option<String> {
    let (fill, item) = match frame.at {
        At::AfterItem(fill, item) => (fill, item),
        At::Arg(next) => return argument(frame, next.checked_sub(1)?),
        At::Item(..) => return None,
    };
    Some(match frame.reduction.fills.get(fill)? {
        Fill::State { dict, slots, .. } => match item.checked_sub(dict.len()) {
            None => attribute(&dict.get(item)?.0),
            Some(slot) => attribute(slots.get(slot)?.0.as_any()),
        },
        Fill::Items { items, .. } if frame.object.is_instance_of::<pyo3::types::PyModule>() => {
            attribute(items.get(item)?.0.as_any())
        }
        Fill::Items { items, .. } => global(&items.get(item)?.0),
        Fill::Cell { name: Some(name), .. } => format!(".__closure__[{}]", key(name.as_any())),
        Fill::Cell { .. } => String::from(".cell_contents"),
        Fill::Call { .. } => return member(frame),
        Fill::Later { .. } => return None,
    })
}

/// The member of an enumeration that is being written.
fn member(frame: &ByValue<'_>) -> Option<String> {
    let At::AfterItem(fill, item) = frame.at else { return None };
    match frame.reduction.fills.get(fill)? {
        // The class, then name, value and attributes of each.
        Fill::Call { make: Wire::EnumMembers, args } => match args.get(1 + item.checked_sub(1)? / 3 * 3)? {
            Part::Text(name) => Some(attribute(name.as_any())),
            _ => None,
        },
        _ => None,
    }
}

/// What an argument of a constructor is to the object made.
fn argument(frame: &ByValue<'_>, index: usize) -> Option<String> {
    let named = |names: &[&str]| names.get(index).map(|name| (*name).to_owned());
    match frame.reduction.make {
        // Key, metaclass, name, the tuple of bases, the bases.
        Wire::Class => match index {
            1 => Some(String::from(".__class__")),
            4.. if matches!(frame.reduction.args.get(3), Some(Part::Tuple(bases)) if index < 4 + bases) => {
                Some(format!(".__bases__[{}]", index - 4))
            }
            _ => None,
        },
        Wire::Method => named(&[".__func__", ".__self__"]),
        Wire::ClassMethod | Wire::StaticMethod => named(&[".__func__"]),
        Wire::Property => named(&[".fget", ".fset", ".fdel", ".__doc__"]),
        Wire::Super => named(&[".__thisclass__", ".__self__"]),
        Wire::Getattr => named(&[".__self__"]),
        Wire::PartialMethod => named(&[".func"]),
        Wire::Exception if index == 2 => Some(String::from(".args")),
        Wire::WeakReference => named(&["()"]),
        Wire::LruCache if index == 2 => Some(String::from(".__wrapped__")),
        Wire::SingleDispatch => named(&[".__wrapped__"]),
        Wire::Code => Some(String::from(".co_consts")),
        _ => None,
    }
}
