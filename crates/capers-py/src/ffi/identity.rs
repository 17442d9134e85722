//! Which object stands under which memo index: a table by address.
//!
//! Slots are emptied by counting up a stamp instead of by writing to them, so that the table can serve the next dump at no
//! cost. Entries are kept in order of insertion, which is what taking back needs.
//!
//! Everything in the memo must be kept alive, or its address could be given to another object. While plain data is
//! walked no Python code runs and nothing can go away, so that the references are only taken ([`Identities::own`]) when
//! something else is about to run; for plain data as a whole that is never.

use std::ptr::NonNull;

use pyo3::ffi;
use pyo3::prelude::*;

use super::output::advise_huge;
use super::reserve;

/// Tables of more slots are not kept for the next dump.
const MAX_KEPT_SLOTS: usize = 1 << 16;
/// Tables from this size in bytes on are worth huge pages.
const HUGE: usize = 4 << 20;

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    key: usize,
    index: u32,
    stamp: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    object: NonNull<ffi::PyObject>,
    index: u32,
}

/// Objects and their memo indices.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// Open addressing with linear probing; a power of two long, or empty.
    table: Vec<Slot>,
    stamp: u32,
    /// How many entries the table takes before it grows.
    limit: usize,
    entries: Vec<Entry>,
    /// How many entries, from the first on, hold a reference.
    owned: usize,
}

// SAFETY: alive: entries below `owned` hold references, and there are others only while a dump runs in one thread. type: any
// objects. shared: reference counts are touched with the interpreter held only: by a token, or by `Py`, which sees to it.
// runs: moving the table runs nothing.
unsafe impl Send for Identities {}
// SAFETY: alive, type, shared, runs: as for Send; nothing can be changed through a shared reference.
unsafe impl Sync for Identities {}

/// Neighbours in memory have neighbouring slots; objects are 16 bytes apart at least.
#[inline(always)]
#[expect(clippy::inline_always, reason = "two instructions in the hottest loop")]
fn spread(key: usize) -> usize {
    (key >> 4) ^ (key >> 22)
}

impl Identities {
    /// The index of an object.
    #[inline]
    pub(crate) fn get(&self, object: &Bound<'_, PyAny>) -> Option<usize> {
        if self.entries.is_empty() {
            return None;
        }
        self.probe(object.as_ptr() as usize).ok().map(|index| index as usize)
    }

    /// The index kept for `key`, or the place of the free slot. The table must not be empty.
    #[inline]
    fn probe(&self, key: usize) -> Result<u32, usize> {
        let mask = self.table.len() - 1;
        let mut at = spread(key) & mask;
        loop {
            let slot = self.table[at];
            if slot.stamp != self.stamp {
                return Err(at);
            }
            if slot.key == key {
                return Ok(slot.index);
            }
            at = (at + 1) & mask;
        }
    }

    /// Keeps `object` under `index`, unless it is here already. There must be no entry without a reference.
    pub(crate) fn put(&mut self, object: &Bound<'_, PyAny>, index: usize) {
        debug_assert_eq!(self.owned, self.entries.len());
        self.reserve(1);
        if let Err(at) = self.probe(object.as_ptr() as usize) {
            let object = object.clone().into_ptr();
            self.table[at] = Slot { key: object as usize, index: index as u32, stamp: self.stamp };
            if let Some(object) = NonNull::new(object) {
                self.entries.push(Entry { object, index: index as u32 });
                self.owned = self.entries.len();
            }
        }
    }

    /// Makes room for so many more entries.
    #[inline]
    pub(super) fn reserve(&mut self, more: usize) {
        if self.entries.len() + more > self.limit {
            self.grow(more);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        let count = self.entries.len() + more;
        // Four times as large while it is small, since each growth hashes everything again.
        let factor = if count < (1 << 16) { 4 } else { 2 };
        let size = (count * factor).max(256).next_power_of_two();
        let limit = size / 3 * 2;
        let more = limit - self.entries.len();
        reserve::reserve(&mut self.entries, more);
        let mut table = Vec::new();
        reserve::reserve(&mut table, size);
        table.resize(size, Slot::default());
        self.table = table;
        if size * size_of::<Slot>() >= HUGE {
            advise_huge(self.table.as_mut_ptr().cast(), size * size_of::<Slot>());
        }
        self.stamp = 1;
        self.limit = limit;
        for entry in 0..self.entries.len() {
            let Entry { object, index } = self.entries[entry];
            let key = object.as_ptr() as usize;
            if let Err(at) = self.probe(key) {
                self.table[at] = Slot { key, index, stamp: self.stamp };
            }
        }
    }

    /// The index of the object at `key`; where it has none yet, it gets `index`, without a reference.
    ///
    /// # Safety
    /// Room for an entry must have been reserved. The object must stay alive until [`Identities::own`] or one of the
    /// methods that forget entries is called.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the hottest loop of all")]
    pub(super) unsafe fn find_or_put(&mut self, key: *mut ffi::PyObject, index: u32) -> Option<u32> {
        let mask = self.table.len() - 1;
        let mut at = spread(key as usize) & mask;
        // SAFETY: alive: the table is owned and not empty, since room was reserved. type: `at` is masked by its length, a power
        // of two. shared: ours. runs: nothing. The vector of entries has room for the same reason, and the key is an object.
        unsafe {
            let table = self.table.as_mut_ptr();
            loop {
                let slot = &mut *table.add(at);
                if slot.stamp != self.stamp {
                    *slot = Slot { key: key as usize, index, stamp: self.stamp };
                    let len = self.entries.len();
                    let entry = Entry { object: NonNull::new_unchecked(key), index };
                    self.entries.as_mut_ptr().add(len).write(entry);
                    self.entries.set_len(len + 1);
                    return None;
                }
                if slot.key == key as usize {
                    return Some(slot.index);
                }
                at = (at + 1) & mask;
            }
        }
    }

    /// The index of the object at this address, if it has one.
    ///
    /// # Safety
    /// Room for an entry must have been reserved, so that there is a table.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the hottest loop of all")]
    pub(super) unsafe fn find(&self, key: *mut ffi::PyObject) -> Option<u32> {
        let mask = self.table.len() - 1;
        let mut at = spread(key as usize) & mask;
        // SAFETY: alive: the table is owned and not empty, since room was reserved. type: `at` is masked by its length, a power
        // of two. shared: ours. runs: nothing.
        unsafe {
            let table = self.table.as_ptr();
            loop {
                let slot = *table.add(at);
                if slot.stamp != self.stamp {
                    return None;
                }
                if slot.key == key as usize {
                    return Some(slot.index);
                }
                at = (at + 1) & mask;
            }
        }
    }

    /// Where the search for this address begins, to be fetched ahead.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the hottest loop of all")]
    pub(super) fn home(&self, key: *mut ffi::PyObject) -> *const u8 {
        self.table.as_ptr().wrapping_add(spread(key as usize) & (self.table.len() - 1)).cast()
    }

    /// Whether room for another entry has been reserved.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "one comparison in the hottest loop")]
    pub(super) fn has_room(&self) -> bool {
        self.entries.len() < self.limit
    }

    /// Takes a reference to every object that has none yet: other code is about to run.
    #[inline]
    pub(crate) fn own(&mut self) {
        if self.owned < self.entries.len() {
            for entry in &self.entries[self.owned..] {
                // SAFETY: alive: nothing has run since the object was found inside an object that lives. type: any. shared: the
                // interpreter is held by the dump that put the entry. runs: nothing.
                unsafe { ffi::Py_INCREF(entry.object.as_ptr()) };
            }
            self.owned = self.entries.len();
        }
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets all entries but the first `len`, at the cost of what is forgotten; the objects are handed over.
    ///
    /// The entry inserted last can be taken out of a table of linear probing without breaking a chain; a table made anew is
    /// filled in the same order.
    pub(crate) fn truncate(&mut self, len: usize) -> Vec<Py<PyAny>> {
        for entry in self.entries.iter().skip(len).rev() {
            let key = entry.object.as_ptr() as usize;
            let mask = self.table.len() - 1;
            let mut at = spread(key) & mask;
            while self.table[at].stamp == self.stamp {
                if self.table[at].key == key {
                    self.table[at].stamp = 0;
                    break;
                }
                at = (at + 1) & mask;
            }
        }
        let held = self.hand_over(len);
        self.entries.truncate(len);
        held
    }

    /// The references of the entries from `len` on; these have none then.
    fn hand_over(&mut self, len: usize) -> Vec<Py<PyAny>> {
        let (first, last) = (len.min(self.owned), self.owned);
        self.owned = first;
        let handle = |entry: &Entry| {
            // SAFETY: alive: entries below `owned` hold a reference, which moves into the handle once. type: `Py` is a
            // transparent wrapper of the same pointer. shared: the count is not touched here. runs: nothing.
            unsafe { std::mem::transmute::<NonNull<ffi::PyObject>, Py<PyAny>>(entry.object) }
        };
        self.entries[first..last].iter().map(handle).collect()
    }

    /// Forgets everything; keeps the memory of the tables up to a bound.
    pub(crate) fn clear(&mut self, py: Python<'_>) {
        if self.table.len() > MAX_KEPT_SLOTS || self.stamp == u32::MAX {
            self.table = Vec::new();
            self.limit = 0;
            self.stamp = 0;
        }
        self.stamp += 1;
        let owned = std::mem::take(&mut self.owned);
        // Dropping objects may run their __del__: the tables are in order before, and the entries are out of reach.
        let mut entries = std::mem::take(&mut self.entries);
        let limit = std::mem::take(&mut self.limit);
        for entry in &entries[..owned] {
            // SAFETY: alive: entries below `owned` hold a reference, which is dropped once. type: any object. shared: the token
            // says that the interpreter is held. runs: any Python code, which cannot reach the entries.
            drop(unsafe { Bound::from_owned_ptr(py, entry.object.as_ptr()) });
        }
        entries.clear();
        if self.entries.is_empty() && entries.capacity() >= limit {
            (self.entries, self.limit) = (entries, limit);
        }
    }

    /// The objects with their indices, in order of insertion. There must be no entry without a reference.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Py<PyAny>, usize)> {
        self.entries[..self.owned].iter().map(|entry| {
            // SAFETY: alive: the entry holds a reference and is borrowed with this table. type: `Py` is a transparent wrapper of
            // the same pointer. shared: only read. runs: nothing.
            let object = unsafe { &*(&raw const entry.object).cast::<Py<PyAny>>() };
            (object, entry.index as usize)
        })
    }
}

impl Drop for Identities {
    fn drop(&mut self) {
        drop(self.hand_over(0));
    }
}
