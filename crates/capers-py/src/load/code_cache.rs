//! Code objects that were loaded before, by their marshal bytes.
//!
//! Reading marshal bytes is most of the time of loading a function. Code objects are immutable and may be shared by any
//! number of functions, so that the same bytes may give the same object. A fingerprint finds the slot; the bytes are
//! compared in full. The table is bounded in entries and in bytes of keys, and one that is full of bytes starts anew.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Slots, a power of two.
const SLOTS: usize = 1024;

/// Bytes of keys kept alive in all.
const TOTAL: usize = 32 << 20;

/// Bytes of the largest key that is kept.
const LARGEST: usize = 1 << 20;

struct Entry {
    key: Py<PyBytes>,
    code: Py<PyAny>,
    free: usize,
}

#[derive(Default)]
struct Table {
    slots: Vec<Option<Entry>>,
    bytes: usize,
}

/// The cache. Its lock is never held while Python code can run.
#[derive(Default)]
pub(super) struct CodeCache(Mutex<Table>);

impl CodeCache {
    /// The code object made of these bytes before, and its number of free variables.
    pub(super) fn get<'py>(&self, key: &Bound<'py, PyBytes>) -> Option<(Bound<'py, PyAny>, usize)> {
        let bytes = key.as_bytes();
        let table = self.0.try_lock().ok()?;
        let entry = table.slots.get(slot(bytes))?.as_ref()?;
        if entry.key.as_bytes(key.py()) != bytes {
            return None;
        }
        Some((entry.code.bind(key.py()).clone(), entry.free))
    }

    /// Remember what was made of these bytes.
    pub(super) fn put(&self, key: &Bound<'_, PyBytes>, code: &Bound<'_, PyAny>, free: usize) {
        let bytes = key.as_bytes();
        if bytes.len() > LARGEST {
            return;
        }
        let entry = Entry { key: key.clone().unbind(), code: code.clone().unbind(), free };
        let mut old = Vec::new();
        if let Ok(mut table) = self.0.try_lock() {
            if table.slots.is_empty() || table.bytes + bytes.len() > TOTAL {
                old = std::mem::take(&mut table.slots);
                table.slots.resize_with(SLOTS, || None);
                table.bytes = 0;
            }
            table.bytes += bytes.len();
            let before = table.slots[slot(bytes)].replace(entry);
            if let Some(before) = &before {
                table.bytes -= before.key.as_bytes(key.py()).len();
            }
            old.push(before);
        }
        // The lock is released: dropping a code object may run Python code (a weak reference's callback).
        drop(old);
    }
}

/// The slot for these bytes. Eight bytes at a time in four lanes; collisions cost a miss, never a wrong answer.
fn slot(bytes: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut lanes = [bytes.len() as u64, 1, 2, 3];
    let mut chunks = bytes.chunks_exact(32);
    for chunk in &mut chunks {
        for (lane, word) in lanes.iter_mut().zip(chunk.chunks_exact(8)) {
            let mut wide = [0; 8];
            wide.copy_from_slice(word);
            *lane = (*lane ^ u64::from_le_bytes(wide)).wrapping_mul(FACTOR).rotate_left(29);
        }
    }
    for (at, &byte) in chunks.remainder().iter().enumerate() {
        lanes[at & 3] = (lanes[at & 3] ^ u64::from(byte)).wrapping_mul(FACTOR).rotate_left(29);
    }
    let mixed = lanes.iter().fold(0u64, |mixed, lane| (mixed ^ lane).wrapping_mul(FACTOR).rotate_left(31));
    (mixed >> 32) as usize % SLOTS
}
