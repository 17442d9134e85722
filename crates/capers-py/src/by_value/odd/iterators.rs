//! The iterators of `itertools` that have no reduction: `pairwise` and `batched` never had one, the rest lost it in 3.14.
//!
//! None is ever moved on. What the garbage collector sees in them is enough for those that keep no count of their own; the
//! others are refused.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::refused::hidden_state;
use super::table::found;
use super::{Answer, Part, made, referents};
use crate::wire::Wire;

/// Whether the type has a reduction of its own.
fn has_reduction(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = object.py();
    let reduce = found(&object.get_type(), intern!(py, "__reduce__"))?;
    let default = found(&py.get_type::<PyAny>(), intern!(py, "__reduce__"))?;
    Ok(match (reduce, default) {
        (Some(mine), Some(default)) => !mine.is(&default),
        _ => false,
    })
}

/// An iterator that does not show where it stands.
pub(super) fn unlisted<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    if has_reduction(object)? { Ok(None) } else { hidden_state(object) }
}

fn from_referents<'py>(object: &Bound<'py, PyAny>, count: usize, make: Wire) -> Answer<'py> {
    if has_reduction(object)? {
        return Ok(None);
    }
    let mut held = referents(object)?;
    if held.len() != count {
        return hidden_state(object);
    }
    let function_last = matches!(make, Wire::FilterFalse | Wire::StarMap);
    if function_last {
        held.reverse();
    }
    made(make, held.into_iter().map(Part::Object).collect())
}

pub(super) fn compress<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    from_referents(object, 2, Wire::Compress)
}

pub(super) fn filter_false<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    from_referents(object, 2, Wire::FilterFalse)
}

pub(super) fn star_map<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    from_referents(object, 2, Wire::StarMap)
}

/// Counts by machine integers show their number in their representation only.
pub(super) fn count<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    if has_reduction(object)? {
        return Ok(None);
    }
    let held = referents(object)?;
    if let [first, step] = &held[..] {
        return made(Wire::Count, vec![Part::Object(first.clone()), Part::Object(step.clone())]);
    }
    let text = object.repr()?;
    let number = text.to_string_lossy().strip_prefix("count(").and_then(|it| it.strip_suffix(')')?.parse::<i64>().ok());
    match number {
        Some(number) => made(Wire::Count, vec![Part::Int(number)]),
        None => hidden_state(object),
    }
}

pub(super) fn repeat<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    if has_reduction(object)? {
        return Ok(None);
    }
    let [element] = &referents(object)?[..] else { return hidden_state(object) };
    let mut args = vec![Part::Object(element.clone())];
    match object.call_method0(intern!(py, "__length_hint__")) {
        Ok(left) => args.push(Part::Object(left)),
        // Without an end there is no length.
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyTypeError>(py) => {}
        Err(error) => return Err(error),
    }
    made(Wire::Repeat, args)
}

/// A chain that has iterators left.
pub(super) fn chain<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    if has_reduction(object)? {
        return Ok(None);
    }
    // The iterator of iterables is seen first, then the one in use.
    made(Wire::Chained, referents(object)?.into_iter().rev().map(Part::Object).collect())
}

/// Pairs of neighbours; the one that has been read already goes before the rest.
pub(super) fn pairwise<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    if has_reduction(object)? {
        return Ok(None);
    }
    let held = referents(object)?;
    // Later versions keep a tuple for reuse behind the two.
    let fresh = referents(&object.get_type().call1((PyTuple::empty(object.py()),))?)?.len();
    match &held[..] {
        [] => made(Wire::Pairs, vec![Part::Tuple(0)]),
        [rest, ..] if held.len() == fresh => made(Wire::Pairs, vec![Part::Object(rest.clone())]),
        [rest, old, ..] if held.len() == fresh + 1 => {
            made(Wire::Pairs, vec![Part::Object(rest.clone()), Part::Object(old.clone())])
        }
        _ => hidden_state(object),
    }
}
