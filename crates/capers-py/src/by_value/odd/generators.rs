//! Generators and coroutines that have not begun: their function and its arguments say everything of them.
//!
//! One that has begun is a frame of this process, with a place in the code and values on a stack, and stays here.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::refused::suspended;
use super::{Answer, Fill, Part, filled, referents};
use crate::ffi::function::function_view;
use crate::wire::Wire;

pub(super) fn generator<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    unstarted(object, "gi")
}

pub(super) fn coroutine<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    unstarted(object, "cr")
}

pub(super) fn async_generator<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    unstarted(object, "ag")
}

/// What makes `object` again, whose attributes begin with `prefix`, if nothing of it has run.
fn unstarted<'py>(object: &Bound<'py, PyAny>, prefix: &str) -> Answer<'py> {
    let py = object.py();
    let get = |name: &str| object.getattr(PyString::intern(py, &format!("{prefix}_{name}")));
    let (frame, code) = (get("frame")?, get("code")?);
    if frame.is_none() || get("running")?.is_truthy()? || has_begun(object, prefix, &frame, &code)? {
        return suspended(object);
    }
    let Some(function) =
        referents(object)?.into_iter().find(|it| function_view(it).is_some_and(|it| it.code.is(&code)))
    else {
        return suspended(object);
    };
    let number = |name: &Bound<'py, PyString>| -> PyResult<usize> { code.getattr(name)?.extract() };
    let names = code.getattr(intern!(py, "co_varnames"))?.cast_into::<PyTuple>()?;
    let locals = frame.getattr(intern!(py, "f_locals"))?;
    let positional = number(intern!(py, "co_argcount"))?;
    let named = number(intern!(py, "co_kwonlyargcount"))?;
    let flags = number(intern!(py, "co_flags"))?;
    let mut args = Vec::with_capacity(positional);
    let keywords = PyDict::new(py);
    for (index, name) in names.iter().enumerate().take(positional + named) {
        let value = locals.get_item(&name)?;
        if index < positional {
            args.push(value);
        } else {
            keywords.set_item(name, value)?;
        }
    }
    let mut next = positional + named;
    if flags & 4 != 0 {
        args.extend(locals.get_item(names.get_item(next)?)?.cast_into::<PyTuple>()?.iter());
        next += 1;
    }
    if flags & 8 != 0 {
        keywords.update(locals.get_item(names.get_item(next)?)?.cast::<PyDict>()?.as_mapping())?;
    }
    let mut slots = Vec::new();
    for name in [intern!(py, "__name__"), intern!(py, "__qualname__")] {
        let own = object.getattr(name)?;
        if !own.eq(function.getattr(name)?)? {
            slots.push((name.clone(), Part::Object(own)));
        }
    }
    let fills = if slots.is_empty() { Vec::new() } else { vec![Fill::State { of: None, dict: Vec::new(), slots }] };
    let mut parts = vec![Part::Object(function), Part::Object(PyTuple::new(py, args)?.into_any())];
    if !keywords.is_empty() {
        parts.push(Part::Object(keywords.into_any()));
    }
    filled(Wire::Unstarted, parts, fills)
}

fn has_begun(
    object: &Bound<'_, PyAny>,
    prefix: &str,
    frame: &Bound<'_, PyAny>,
    code: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let py = object.py();
    if let Some(suspended) = object.getattr_opt(PyString::intern(py, &format!("{prefix}_suspended")))? {
        return suspended.is_truthy();
    }
    // Async generators of 3.11 do not say. The first instruction that counts is the one that returned the generator.
    let opcode: u8 = py.import("opcode")?.getattr("opmap")?.get_item("RETURN_GENERATOR")?.extract()?;
    let bytes: Vec<u8> = code.getattr(intern!(py, "co_code"))?.extract()?;
    let first = bytes.iter().step_by(2).position(|it| *it == opcode).map_or(-1, |it| 2 * it as i64);
    Ok(frame.getattr(intern!(py, "f_lasti"))?.extract::<i64>()? > first)
}
