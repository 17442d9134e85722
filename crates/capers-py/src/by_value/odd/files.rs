//! Open files: the standard streams are the receiver's own, others are opened again by name.
//!
//! The content travels on request only. What is written and not yet flushed is flushed, so that whoever opens the file by that
//! name finds it.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::refused::refusal;
use super::{Answer, Part, class_of, is_exactly, made, singletons};
use crate::choices;
use crate::wire::Wire;

/// Where the standard streams are kept, with the layers below them.
const STREAMS: &[&str] = &["stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"];
const LAYERS: &[&str] = &[
    "stdin.buffer",
    "stdout.buffer",
    "stderr.buffer",
    "stdin.buffer.raw",
    "stdout.buffer.raw",
    "stderr.buffer.raw",
    "__stdin__.buffer",
    "__stdout__.buffer",
    "__stderr__.buffer",
];

/// A text file.
pub(super) fn text<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    if let Some(stream) = singletons::of(object, "sys", STREAMS)? {
        return Ok(Some(stream));
    }
    let Ok(buffer) = object.getattr(intern!(py, "buffer")) else {
        return Err(refusal(object, "it has been detached from its buffer"));
    };
    let options = ["encoding", "errors", "line_buffering", "write_through"].map(|name| object.getattr(name));
    let options = options.into_iter().collect::<PyResult<Vec<_>>>()?;
    if !["BufferedReader", "BufferedWriter", "BufferedRandom"]
        .iter()
        .any(|name| is_exactly(&buffer, "_io", name).unwrap_or(false))
    {
        let Some(position) = position(object)? else { return Err(refusal(object, "it is closed")) };
        let mut args = vec![class_of(object), Part::Object(buffer), Part::Object(position)];
        args.extend(options.into_iter().map(Part::Object));
        return made(Wire::FileOver, args);
    }
    let Some(mode) = object.getattr_opt(intern!(py, "mode"))? else {
        return Err(refusal(object, "it does not tell how it was opened"));
    };
    let mut args = by_name(object, mode, -1)?;
    args.push(Part::Object(PyTuple::new(py, options)?.into_any()));
    args.extend(content(object)?.map(Part::Object));
    made(Wire::File, args)
}

/// A binary file, buffered or not.
pub(super) fn binary<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    if let Some(stream) = singletons::of(object, "sys", LAYERS)? {
        return Ok(Some(stream));
    }
    let raw = is_exactly(object, "_io", "FileIO")?;
    let Some(mode) = object.getattr_opt(intern!(py, "mode"))? else {
        return Err(refusal(object, "it is no file with a name"));
    };
    if !mode.is_instance_of::<PyString>() {
        return Err(refusal(object, "it is no file with a name"));
    }
    let mut args = by_name(object, mode, if raw { 0 } else { -1 })?;
    if let Some(content) = content(object)? {
        args.extend([Part::None, Part::Object(content)]);
    }
    made(Wire::File, args)
}

/// What is in the file, if that is to travel. It is read by its name: where the file stands does not change.
fn content<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    if !choices::are_contents_wanted() || object.getattr(intern!(py, "closed"))?.is_truthy()? {
        return Ok(None);
    }
    let name = object.getattr(intern!(py, "name"))?;
    let file = py.import("builtins")?.call_method1("open", (name, "rb"));
    let content = file.and_then(|file| {
        let content = file.call_method0("read");
        file.call_method0("close")?;
        content
    });
    content.map(Some).map_err(|error| {
        let refused = refusal(object, "its content cannot be read");
        refused.set_cause(py, Some(error));
        refused
    })
}

fn by_name<'py>(object: &Bound<'py, PyAny>, mode: Bound<'py, PyAny>, buffering: i64) -> PyResult<Vec<Part<'py>>> {
    let Some(name) = object.getattr_opt(intern!(object.py(), "name"))? else {
        return Err(refusal(object, "it is no file with a name"));
    };
    if !name.is_instance_of::<PyString>() && !name.is_instance_of::<pyo3::types::PyBytes>() {
        return Err(refusal(object, "it was opened by a descriptor of this process, not by a name"));
    }
    let position = position(object)?.map_or(Part::None, Part::Object);
    Ok(vec![Part::Object(name), Part::Object(mode), Part::Int(buffering), position])
}

/// Where the file stands, `None` when it is closed.
fn position<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    if object.getattr(intern!(py, "closed"))?.is_truthy()? {
        return Ok(None);
    }
    let asked = |name: &str| object.call_method0(name).and_then(|it| it.is_truthy());
    if !asked("seekable")? {
        return Err(refusal(object, "it has no position to come back to; it may be a pipe or a terminal"));
    }
    if asked("writable")? {
        object.call_method0(intern!(py, "flush"))?;
    }
    match object.call_method0(intern!(py, "tell")) {
        Ok(position) => Ok(Some(position)),
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyOSError>(py) => {
            let refused = refusal(object, "it does not tell its position while a loop reads its lines");
            refused.set_cause(py, Some(error));
            Err(refused)
        }
        Err(error) => Err(error),
    }
}
