//! Where an error came from, told as `pickle` of 3.14 and later tells it: a note for each container and each part of a
//! reduction on the way, the innermost first.
//!
//! Read off the work stack, like the path of our own refusals, and only when an error is on its way out.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::complaint::full_name;
use super::containers::Into;
use super::reduce::{How, Phase};
use super::{Dumper, Frame};
use crate::ffi::walk::Level;

/// Notes told of a deep structure, at either end; `pickle` itself cannot go deeper than some ten thousand levels.
const MAX_TOLD: usize = 20_000;

/// Adds one note to `error`.
pub(super) fn add(py: Python<'_>, error: &PyErr, note: &str) {
    // A note is help; an exception that cannot take one is still the exception.
    drop(error.value(py).call_method1(intern!(py, "add_note"), (note,)));
}

/// How many notes `error` has.
fn count(py: Python<'_>, error: &PyErr) -> usize {
    let notes = error.value(py).getattr_opt(intern!(py, "__notes__")).ok().flatten();
    notes.and_then(|it| it.len().ok()).unwrap_or(0)
}

/// Adds the notes of every frame above `base`.
#[cold]
pub(super) fn add_all(dumper: &Dumper<'_>, base: usize, error: &PyErr) {
    let py = dumper.py;
    if count(py, error) >= crate::limits::MAX_NOTES {
        // It has been raised before, and tells where.
        return;
    }
    let frames = &dumper.stack[base..];
    let hidden = frames.len().saturating_sub(2 * MAX_TOLD);
    for at in (0..frames.len()).rev() {
        if hidden > 0 && at == MAX_TOLD + hidden - 1 {
            add(py, error, &format!("… {hidden} more …"));
        }
        if hidden == 0 || at < MAX_TOLD || at >= MAX_TOLD + hidden {
            let below = at.checked_sub(1).map(|it| &frames[it]);
            for note in notes(dumper, &frames[at], below) {
                add(py, error, &note);
            }
        }
    }
}

fn notes(dumper: &Dumper<'_>, frame: &Frame<'_>, below: Option<&Frame<'_>>) -> Vec<String> {
    match frame {
        Frame::Plain(level) => plain(dumper, level),
        Frame::Batch(batch) => {
            let owner = match below {
                Some(Frame::Reduce(reduce)) if matches!(reduce.current, Phase::ListItems | Phase::DictItems) => {
                    reduce.object.as_ref().map(full_name)
                }
                _ => None,
            };
            let owner = owner.as_deref();
            match batch.target() {
                Into::List if batch.saving() => told(&[&item(owner.unwrap_or("list"), batch.index.saturating_sub(1))]),
                Into::List => Vec::new(),
                Into::Dict => match batch.key_of_value() {
                    Some(key) => told(&[&entry(owner.unwrap_or("dict"), key)]),
                    None => Vec::new(),
                },
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
            let mut notes = part.map_or_else(Vec::new, |part| told(&[&format!("{name} {part}")]));
            if reduce.own {
                notes.extend(told(&[&format!("{name} object")]));
            }
            notes
        }
        Frame::ByValue(_) | Frame::Entries(_) | Frame::Inside(_) | Frame::PersistentId | Frame::Copying(_) => {
            Vec::new()
        }
    }
}

/// The notes of a container, and those of the instance whose state or arguments it is.
fn plain(dumper: &Dumper<'_>, level: &Level<'_>) -> Vec<String> {
    match level {
        Level::List { list, index, .. } => told(&[&item(&full_name(list), index.saturating_sub(1))]),
        Level::Tuple { tuple, index } => told(&[&item(&full_name(tuple), index.saturating_sub(1))]),
        Level::Set { set, .. } => told(&[&format!("{} element", full_name(set))]),
        Level::Call { object, args, index } => {
            let (name, args) = (full_name(object), item(&full_name(args), index.saturating_sub(1)));
            told(&[&args, &format!("{name} reconstructor arguments"), &format!("{name} object")])
        }
        Level::Slots { object, plan, index, .. } => {
            let name = full_name(object);
            let slot = plan.name(index.saturating_sub(1) / 2).unwrap_or_default();
            let slot = entry("dict", PyString::new(dumper.py, &slot).as_any());
            told(&[&slot, &item("tuple", 1), &format!("{name} state"), &format!("{name} object")])
        }
        Level::Dict(dict) => {
            // While the key itself is being written, `value` is still there.
            let mut notes = match (&dict.key, &dict.value) {
                (Some(key), None) => told(&[&entry(&full_name(&dict.dict), key)]),
                _ => Vec::new(),
            };
            if let Some(class) = dict.state {
                let class = dumper.memo.objects().find(|it| it.1 == class as usize);
                let name = class.map_or_else(String::new, |it| name_of(it.0.bind(dumper.py)));
                notes.extend(told(&[&format!("{name} state"), &format!("{name} object")]));
            }
            notes
        }
    }
}

fn told(notes: &[&str]) -> Vec<String> {
    notes.iter().map(|note| format!("when serializing {note}")).collect()
}

fn item(owner: &str, index: usize) -> String {
    format!("{owner} item {index}")
}

fn entry(owner: &str, key: &Bound<'_, PyAny>) -> String {
    format!("{owner} item {}", repr(key))
}

/// The name of a class in full.
fn name_of(class: &Bound<'_, PyAny>) -> String {
    let Ok(class) = class.cast::<PyType>() else { return String::new() };
    class.fully_qualified_name().map_or_else(|_| String::new(), |it| it.to_string_lossy().into_owned())
}

fn repr(key: &Bound<'_, PyAny>) -> String {
    key.repr()
        .map_or_else(|_| format!("<{}>", full_name(key)), |it: Bound<'_, PyString>| it.to_string_lossy().into_owned())
}
