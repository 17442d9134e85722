//! The size from which a payload is warned of; nothing is unless somebody asks for it.

use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Off: no payload has so many bytes.
const NEVER: usize = usize::MAX;

static THRESHOLD: AtomicUsize = AtomicUsize::new(NEVER);

/// Lets dumps, dump and Pickler issue a `LargePayloadWarning` for payloads of size bytes or more, in this process.
///
/// None, the default, means never. Returns what held before. To name the biggest parts, an object whose payload was that large
/// is dumped once more, in memory, reducers and the hooks of a Pickler included, after the file has the payload. Raises
/// `ValueError` for a size that is not positive.
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

/// Whether any payload is.
#[inline]
pub(crate) fn is_on() -> bool {
    THRESHOLD.load(Ordering::Relaxed) != NEVER
}

/// Whether a payload of so many bytes is one to warn of.
#[inline]
pub(crate) fn is_large(size: usize) -> bool {
    size >= THRESHOLD.load(Ordering::Relaxed)
}
