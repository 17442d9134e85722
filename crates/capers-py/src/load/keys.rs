//! Keys that were loaded before: dicts bring the same short texts again and again, and one str of a value is as good as
//! another.
//!
//! A found key costs no allocation, has its hash already, and is the very object that other dicts have, so that comparing
//! them is comparing addresses. The table belongs to a thread and is out while a load uses it; its size bounds what it keeps
//! alive. A load that brings ever new keys stops asking.

use std::cell::Cell;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyStringMethods};

use crate::ffi::make;

/// Places; a power of two.
const PLACES: usize = 1024;
/// Longer texts are rarely keys.
pub(super) const LONGEST: usize = 32;
/// A load that missed so many times more than it hit asks no more.
const PATIENCE: i32 = 256;

type Table = Vec<Option<Py<PyString>>>;

thread_local! {
    static TABLE: Cell<Option<Table>> = const { Cell::new(None) };
}

/// The keys known to a load.
#[derive(Default)]
pub(super) struct Keys {
    table: Table,
    misses: i32,
}

impl Keys {
    /// A str of these bytes, which are to be a key.
    #[inline]
    pub(super) fn get<'py>(&mut self, py: Python<'py>, utf8: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        if utf8.len() < 2 || utf8.len() > LONGEST || self.misses > PATIENCE {
            return make::text(py, utf8);
        }
        if self.table.is_empty() {
            self.table = TABLE.take().unwrap_or_default();
            self.table.resize_with(PLACES, || None);
        }
        let place = place(utf8);
        if let Some(known) = &self.table[place]
            && known.bind(py).to_str().is_ok_and(|text| text.as_bytes() == utf8)
        {
            self.misses -= i32::from(self.misses > -PATIENCE);
            return Ok(known.bind(py).clone().into_any());
        }
        self.misses += 1;
        let made = make::text(py, utf8)?;
        if utf8.is_ascii()
            && let Ok(text) = made.cast_exact::<PyString>()
        {
            self.table[place] = Some(text.clone().unbind());
        }
        Ok(made)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if !self.table.is_empty() {
            TABLE.set(Some(std::mem::take(&mut self.table)));
        }
    }
}

/// Where a text is kept: its first and last eight bytes and its length, mixed.
#[inline]
fn place(utf8: &[u8]) -> usize {
    let mut mixed = utf8.len() as u64;
    for chunk in utf8.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mixed = (mixed.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (mixed >> 48) as usize % PLACES
}
