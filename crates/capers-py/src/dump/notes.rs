//! Where an error came from, told as `pickle` of 3.14 and later tells it: a note for each container and each part of a
//! reduction on the way, the innermost first.
//!
//! Read off the work stack, like the path of our own refusals, and only when an error is on its way out.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::complaint::full_name;
use super::containers::Into;
use super::reduce::{How, Phase};
use super::{Dumper, Frame};

/// Notes told of a deep structure, at either end; `pickle` itself cannot go deeper than some ten thousand levels.
const MAX_NOTES: usize = 20_000;

/// Adds one note to `error`.
pub(super) fn add(py: Python<'_>, error: &PyErr, note: &str) {
    // A note is help; an exception that cannot take one is still the exception.
    drop(error.value(py).call_method1(intern!(py, "add_note"), (note,)));
}

/// Adds the notes of every frame above `base`.
#[cold]
pub(super) fn add_all(dumper: &Dumper<'_>, base: usize, error: &PyErr) {
    let py = dumper.py;
    let frames = &dumper.stack[base..];
    let hidden = frames.len().saturating_sub(2 * MAX_NOTES);
    for at in (0..frames.len()).rev() {
        if hidden > 0 && at == MAX_NOTES + hidden - 1 {
            add(py, error, &format!("… {hidden} more …"));
        }
        if hidden == 0 || at < MAX_NOTES || at >= MAX_NOTES + hidden {
            let below = at.checked_sub(1).map(|it| &frames[it]);
            for note in notes(&frames[at], below) {
                add(py, error, &note);
            }
        }
    }
}

fn notes(frame: &Frame<'_>, below: Option<&Frame<'_>>) -> Vec<String> {
    let one = |note: String| vec![format!("when serializing {note}")];
    match frame {
        Frame::List { list, index, .. } => one(format!("{} item {}", full_name(list), index.saturating_sub(1))),
        Frame::Tuple { tuple, index } => one(format!("{} item {}", full_name(tuple), index.saturating_sub(1))),
        Frame::FrozenSet { set, .. } => one(format!("{} element", full_name(set))),
        // While the key itself is being written, `value` is still there.
        Frame::Dict(dict) => match (&dict.key, &dict.value) {
            (Some(key), None) => one(format!("{} item {}", full_name(&dict.dict), repr(key))),
            _ => Vec::new(),
        },
        Frame::Batch(batch) => {
            let owner = match below {
                Some(Frame::Reduce(reduce)) if matches!(reduce.current, Phase::ListItems | Phase::DictItems) => {
                    reduce.object.as_ref().map(|it| full_name(it))
                }
                _ => None,
            };
            match (batch.target(), batch.saving()) {
                (_, None) => Vec::new(),
                (Into::Set, Some(_)) => one("set element".to_owned()),
                (Into::List, Some(_)) => {
                    one(format!("{} item {}", owner.as_deref().unwrap_or("list"), batch.index.saturating_sub(1)))
                }
                (Into::Dict, Some(None)) => Vec::new(),
                (Into::Dict, Some(Some(key))) => {
                    one(format!("{} item {}", owner.as_deref().unwrap_or("dict"), repr(key)))
                }
            }
        }
        Frame::Reduce(reduce) => {
            let Some(object) = &reduce.object else { return Vec::new() };
            let name = full_name(object);
            let part = match (reduce.current, reduce.how) {
                (Phase::Callable, How::Reduce) => Some("reconstructor"),
                (Phase::Callable, How::NewObj | How::NewObjEx) => Some("class"),
                (Phase::Args, How::Reduce) => Some("reconstructor arguments"),
                (Phase::Args | Phase::Kwargs, _) => Some("__new__ arguments"),
                (Phase::State | Phase::SetterState, _) => Some("state"),
                (Phase::Setter, _) => Some("state setter"),
                _ => None,
            };
            let mut told: Vec<_> = part.map(|part| format!("when serializing {name} {part}")).into_iter().collect();
            if reduce.own {
                told.push(format!("when serializing {name} object"));
            }
            told
        }
        Frame::ByValue(_) | Frame::Entries(_) | Frame::PersistentId | Frame::Copying(_) => Vec::new(),
    }
}

fn repr(key: &Bound<'_, PyAny>) -> String {
    key.repr()
        .map_or_else(|_| format!("<{}>", full_name(key)), |it: Bound<'_, PyString>| it.to_string_lossy().into_owned())
}
