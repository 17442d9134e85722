//! A str of UTF-8 that is not ASCII: measured first, so that it is made once and in its final form.

use pyo3::ffi;
use pyo3::prelude::*;

use super::layout;

/// The str that these bytes mean; `None` for what the interpreter's own decoder has to see: surrogates, faults, and single
/// characters, which are shared objects.
pub(super) fn wide<'py>(py: Python<'py>, utf8: &[u8]) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Ok(text) = std::str::from_utf8(utf8) else { return Ok(None) };
    let (mut count, mut top) = (0usize, 0u8);
    for &byte in utf8 {
        // All but continuation bytes begin a character, and the largest of them tells the width.
        count += usize::from(byte & 0xc0 != 0x80);
        top = top.max(byte);
    }
    if count < 2 {
        return Ok(None);
    }
    let most = match top {
        0xf0.. => 0x10_ffff,
        0xc4.. => 0xffff,
        _ => 0xff,
    };
    // SAFETY: alive: the new str is owned here. type: with a largest character above 127 `PyUnicode_New` returns a compact str of
    // `count` characters of one, two or four bytes, and exactly as many characters are in `text`. shared: nobody else has
    // it yet. runs: strings are not tracked by the garbage collector, so no Python code runs.
    unsafe {
        let made = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(count as ffi::Py_ssize_t, most))?;
        let data = layout::compact_data(made.as_ptr());
        match most {
            0xff => fill(text, data),
            0xffff => fill(text, data.cast::<u16>()),
            _ => fill(text, data.cast::<u32>()),
        }
        Ok(Some(made))
    }
}

/// A unit that a character is stored in.
trait Unit {
    fn of(point: u32) -> Self;
}

impl Unit for u8 {
    fn of(point: u32) -> Self {
        point as u8
    }
}

impl Unit for u16 {
    fn of(point: u32) -> Self {
        point as u16
    }
}

impl Unit for u32 {
    fn of(point: u32) -> Self {
        point
    }
}

/// Stores the characters of `text`.
///
/// # Safety
/// There must be room for as many units.
#[inline]
unsafe fn fill<T: Unit>(text: &str, mut to: *mut T) {
    for point in text.chars() {
        // SAFETY: alive, type: room, as the caller promises. shared: the str is new. runs: nothing.
        unsafe {
            to.write(T::of(point.into()));
            to = to.add(1);
        }
    }
}
