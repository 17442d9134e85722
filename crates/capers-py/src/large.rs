//! The size from which `dumps` warns of its payload; nothing is warned of unless somebody asks for it.

use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

/// Off: no payload has so many bytes.
const NEVER: usize = usize::MAX;

static THRESHOLD: AtomicUsize = AtomicUsize::new(NEVER);

/// Lets dumps issue a `LargePayloadWarning` for payloads of size bytes or more, in this process.
///
/// None, the default, means never. Returns what held before. To name the biggest parts, what is being dumped is dumped once
/// more. Raises `ValueError` for a size that is not positive.
#[pyfunction]
pub(crate) fn set_large_payload_size(size: Option<isize>) -> PyResult<Option<usize>> {
    let new = match size {
        None => NEVER,
        Some(size) => match usize::try_from(size) {
            Ok(size) if size > 0 => size,
            _ => return Err(PyValueError::new_err(format!("size must be positive, not {size}"))),
        },
    };
    let old = THRESHOLD.swap(new, Ordering::Relaxed);
    Ok((old != NEVER).then_some(old))
}

/// Whether a payload of so many bytes is one to warn of.
#[inline]
pub(crate) fn is_large(size: usize) -> bool {
    size >= THRESHOLD.load(Ordering::Relaxed)
}

/// Warns of the payload of `object`; a warning may be an error.
#[cold]
pub(crate) fn warn(object: &Bound<'_, PyAny>, size: usize) -> PyResult<()> {
    let py = object.py();
    // To name its parts, the object is dumped again, which must not warn again.
    let report = py.import(intern!(py, "capers._report"))?;
    report.getattr(intern!(py, "warn_large"))?.call1((object, size)).map(drop)
}
