//! A memo that is set from outside, by `pickler.memo = ...`, and how a pickler lets go of the one it has.
//!
//! A memo may come from another pickler, or be a dict made by hand. Where its indices are not 0, 1, 2 …, an unpickler
//! counts differently than the pickler; the indices are then spelt out in the stream, which is right in every protocol.

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyTuple};

use super::memo::Memo;
use super::pickler::{Pickler, PicklerMemoProxy, busy};
use crate::ffi::make;

/// The largest index that may be given: half of what a stream can spell, so that as many can follow.
const LARGEST: i64 = i32::MAX as i64;

/// Fails while the pickler is at work.
pub(super) fn check_idle(pickler: &Bound<'_, Pickler>) -> PyResult<()> {
    if pickler.try_borrow()?.busy { Err(busy()) } else { Ok(()) }
}

/// Puts a memo in the place of the one before, which is handed over: to let go of it may run any code.
pub(super) fn replace(pickler: &Bound<'_, Pickler>, memo: Box<Memo>) -> PyResult<Box<Memo>> {
    check_idle(pickler)?;
    Ok(pickler.try_borrow_mut()?.memo.replace(memo).unwrap_or_default())
}

/// Lets the pickler use the room of an empty memo again, unless it has got on with another meanwhile.
pub(super) fn keep_room(pickler: &Bound<'_, Pickler>, room: Box<Memo>) {
    let Ok(mut this) = pickler.try_borrow_mut() else { return };
    if !this.busy && this.memo.as_ref().is_some_and(|memo| memo.next_index() == 0) {
        this.memo = Some(room);
    }
}

/// The memo that `value`, a memo of another pickler or a dict of pairs, describes.
pub(super) fn memo(value: &Bound<'_, PyAny>) -> PyResult<Box<Memo>> {
    let py = value.py();
    let mut next = 0;
    let copied;
    let items = if let Ok(proxy) = value.cast::<PicklerMemoProxy>() {
        if let Some(other) = &proxy.get().pickler.bind(py).try_borrow()?.memo {
            next = other.next_index();
        }
        copied = proxy.get().copy(py)?;
        &copied
    } else {
        value.cast::<PyDict>().map_err(|_| {
            PyTypeError::new_err(format!(
                "'memo' attribute must be a PicklerMemoProxy object or dict, not {:.200}",
                make::type_name(value)
            ))
        })?
    };
    let mut memo = Box::<Memo>::default();
    for (_, entry) in make::pairs(items) {
        let pair = entry.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
        let Some(pair) = pair else { return Err(PyTypeError::new_err("'memo' values must be 2-item tuples")) };
        let (index, object) = (pair.get_item(0)?, pair.get_item(1)?);
        let index = index.cast::<PyInt>().map_err(|_| PyTypeError::new_err("a memo index must be an int"))?;
        let index = match make::index(index.as_any())? {
            index if index < 0 => return Err(PyValueError::new_err("a memo index must not be below zero")),
            index if index > LARGEST => return Err(PyOverflowError::new_err("a memo index is too large")),
            index => index as usize,
        };
        memo.put_at(&object, index);
        next = next.max(index + 1);
    }
    memo.go_on_from(next);
    Ok(memo)
}
