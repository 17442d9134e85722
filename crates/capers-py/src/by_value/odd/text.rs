//! What `re` found, compiled formats of `struct`, codecs, and random numbers of the system.

use pyo3::intern;
use pyo3::prelude::*;

use super::refused::refusal;
use super::{Answer, Part, attributes, class_of, filled, is_exactly, made, own_attributes, word};
use crate::wire::Wire;

/// A match: searched for again in the way that finds it.
pub(super) fn found<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let get = |name: &str| object.getattr(name);
    let (pattern, text, start, stop) = (get("re")?, get("string")?, get("pos")?, get("endpos")?);
    let same = |other: &Bound<'py, PyAny>| -> PyResult<bool> {
        for name in ["regs", "pos", "endpos", "lastindex", "lastgroup"] {
            if !other.getattr(name)?.eq(get(name)?)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    if !text.is_none() {
        let args = |how, index: Option<i64>| {
            let mut args = vec![Part::Object(pattern.clone()), word(py, how), Part::Object(text.clone())];
            args.extend([Part::Object(start.clone()), Part::Object(stop.clone())]);
            args.extend(index.map(Part::Int));
            args
        };
        for how in ["search", "fullmatch", "match"] {
            let again = pattern.call_method1(how, (&text, &start, &stop))?;
            if !again.is_none() && same(&again)? {
                return made(Wire::Match, args(how, None));
            }
        }
        for (index, again) in (0..).zip(pattern.call_method1("finditer", (&text, &start, &stop))?.try_iter()?) {
            if same(&again?)? {
                return made(Wire::Match, args("finditer", Some(index)));
            }
        }
    }
    Err(refusal(object, "its pattern no longer finds it; has the text been changed?"))
}

/// A compiled format of `struct`.
pub(super) fn structure<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let format = Part::Object(object.getattr(intern!(py, "format"))?);
    if is_exactly(object, "_struct", "Struct")? {
        return made(Wire::Struct, vec![format]);
    }
    let base = py.import("struct")?.getattr("Struct")?;
    filled(
        Wire::Subclassed,
        vec![Part::Object(base), class_of(object), format],
        attributes(own_attributes(object, &[])?),
    )
}

/// A codec: the receiver's own of that name.
pub(super) fn codec<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let name = object.getattr(intern!(py, "name"))?;
    let own = py.import("codecs")?.call_method1("lookup", (&name,));
    // One of the script's own making is known by no name.
    if own.is_ok_and(|own| own.eq(object).unwrap_or(false)) {
        return made(Wire::Codec, vec![Part::Object(name)]);
    }
    Ok(None)
}

/// A source of random numbers that has no state: the receiver's.
pub(super) fn system_random<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let base = object.py().import("random")?.getattr("SystemRandom")?;
    filled(
        Wire::Subclassed,
        vec![Part::Object(base), class_of(object)],
        attributes(own_attributes(object, &["gauss_next"])?),
    )
}
