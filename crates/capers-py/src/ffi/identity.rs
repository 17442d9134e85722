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

use super::growing::advise;
use super::reserve;

/// Tables of more slots are not kept for the next dump.
const MAX_KEPT_SLOTS: usize = 1 << 17;
/// Tables from this size in bytes on are worth huge pages.
const HUGE: usize = 4 << 20;

/// An address, and the memo index with the stamp above it. Plain numbers, so that an empty table costs nothing to make.
type Slot = [u64; 2];

#[derive(Clone, Copy, Debug)]
struct Entry {
    object: NonNull<ffi::PyObject>,
    index: u32,
}

/// Objects and their memo indices.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// Open addressing; a power of two of slots from `origin` on, where a line begins, or empty.
    table: Vec<Slot>,
    origin: usize,
    mask: usize,
    /// So far an address is shifted to tell how often neighbours have gone around the table.
    shift: u32,
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

/// The slots in a line of the processor's cache; a search looks at all of one line before it goes on to another.
const LINE: usize = 4;

/// How far apart the lines of a search are. Runs of neighbours would grow together if the next line came next.
#[inline]
fn stride(key: usize) -> usize {
    ((key as u64 >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize | 1
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "two instructions in the hottest loop")]
fn filled(key: usize, index: u32, stamp: u32) -> Slot {
    [key as u64, u64::from(stamp) << 32 | u64::from(index)]
}

impl Identities {
    /// The index of an object.
    #[inline]
    pub(crate) fn get(&self, object: &Bound<'_, PyAny>) -> Option<usize> {
        // Without a limit there is no table, or nothing in it.
        if self.limit == 0 {
            return None;
        }
        self.probe(object.as_ptr() as usize).ok().map(|index| index as usize)
    }

    /// Whether there is an object at this address.
    pub(crate) fn has(&self, address: usize) -> bool {
        self.limit != 0 && self.probe(address).is_ok()
    }

    /// Where the search for an address begins. Neighbours in memory have neighbouring slots: objects that were made one
    /// after the other are looked up one after the other. Each time around the table they shift by one slot, since
    /// objects of one size leave the same slots between them.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "three instructions in the hottest loop")]
    fn spread(&self, key: usize) -> usize {
        ((key >> 4) + (key >> self.shift)) & self.mask
    }

    /// The index kept for `key`, or the place of the free slot. The table must not be empty.
    #[inline]
    fn probe(&self, key: usize) -> Result<u32, usize> {
        let mut line = self.spread(key);
        loop {
            for place in 0..LINE {
                let at = self.origin + (line ^ place);
                let [known, what] = self.table[at];
                if what >> 32 != u64::from(self.stamp) {
                    return Err(at);
                }
                if known == key as u64 {
                    return Ok(what as u32);
                }
            }
            line = (line + stride(key)) & self.mask;
        }
    }

    /// Keeps `object` under `index`, unless it is here already. There must be no entry without a reference.
    pub(crate) fn put(&mut self, object: &Bound<'_, PyAny>, index: usize) {
        self.own();
        self.reserve(1);
        if let Err(at) = self.probe(object.as_ptr() as usize) {
            let object = object.clone().into_ptr();
            self.table[at] = filled(object as usize, index as u32, self.stamp);
            if let Some(object) = NonNull::new(object) {
                self.entries.push(Entry { object, index: index as u32 });
                self.owned = self.entries.len();
            }
        }
    }

    /// Makes room for so many more entries.
    #[inline]
    pub(crate) fn reserve(&mut self, more: usize) {
        if self.entries.len() + more > self.limit {
            self.grow(more);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        let count = self.entries.len() + more;
        // Twice as many as now, four times while it is small, since each growth places everything again.
        let factor = if count < (1 << 14) { 8 } else { 4 };
        let size = (count.saturating_mul(factor)).max(256).next_power_of_two() / 2;
        let limit = size / 3 * 2;
        let more = limit.saturating_sub(self.entries.len());
        reserve::reserve(&mut self.entries, more);
        // There may be no memory for the new table: then there is none, and the next to need one asks again.
        (self.table, self.limit) = (Vec::new(), 0);
        self.table = reserve::zeroed(size + LINE - 1);
        if size * size_of::<Slot>() >= HUGE {
            advise(self.table.as_mut_ptr().cast(), size * size_of::<Slot>());
        }
        self.origin = self.table.as_ptr().align_offset(LINE * size_of::<Slot>()).min(LINE - 1);
        self.mask = size - 1;
        self.shift = 4 + size.trailing_zeros();
        self.stamp = 1;
        self.limit = limit;
        for entry in 0..self.entries.len() {
            let Entry { object, index } = self.entries[entry];
            let key = object.as_ptr() as usize;
            if let Err(at) = self.probe(key) {
                self.table[at] = filled(key, index, self.stamp);
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
        let mut line = self.spread(key as usize);
        // SAFETY: alive: the table is owned and not empty, since room was reserved. type: a place is masked by the number of slots
        // behind `origin`, a power of two. shared: ours. runs: nothing. The vector of entries has room for the same reason, and
        // the key is an object.
        unsafe {
            let table = self.table.as_mut_ptr().add(self.origin);
            loop {
                for place in 0..LINE {
                    let slot = table.add(line ^ place);
                    let [known, what] = slot.read();
                    if what >> 32 != u64::from(self.stamp) {
                        slot.write(filled(key as usize, index, self.stamp));
                        let len = self.entries.len();
                        let entry = Entry { object: NonNull::new_unchecked(key), index };
                        self.entries.as_mut_ptr().add(len).write(entry);
                        self.entries.set_len(len + 1);
                        return None;
                    }
                    if known == key as u64 {
                        return Some(what as u32);
                    }
                }
                line = (line + stride(key as usize)) & self.mask;
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
        let mut line = self.spread(key as usize);
        // SAFETY: alive: the table is owned and not empty, since room was reserved. type: a place is masked by the number of slots
        // behind `origin`, a power of two. shared: ours. runs: nothing.
        unsafe {
            let table = self.table.as_ptr().add(self.origin);
            loop {
                for place in 0..LINE {
                    let [known, what] = table.add(line ^ place).read();
                    if what >> 32 != u64::from(self.stamp) {
                        return None;
                    }
                    if known == key as u64 {
                        return Some(what as u32);
                    }
                }
                line = (line + stride(key as usize)) & self.mask;
            }
        }
    }

    /// Where the search for this address begins, to be fetched ahead.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the hottest loop of all")]
    pub(super) fn home(&self, key: *mut ffi::PyObject) -> *const u8 {
        self.table.as_ptr().wrapping_add(self.origin + self.spread(key as usize)).cast()
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
    /// The entry inserted last can be taken out without breaking another's search; a table made anew is filled in the same
    /// order.
    pub(crate) fn truncate(&mut self, len: usize) -> Vec<Py<PyAny>> {
        let listed = if self.limit == 0 { len } else { self.entries.len() };
        for entry in (len..listed).rev() {
            let key = self.entries[entry].object.as_ptr() as usize;
            let mut line = self.spread(key);
            let mut found = None;
            while found.is_none() {
                let places = (0..LINE).map(|place| self.origin + (line ^ place));
                found = places.into_iter().find(|&at| self.table[at][0] == key as u64 || self.is_free(at));
                line = (line + stride(key)) & self.mask;
            }
            if let Some(at) = found.filter(|&at| !self.is_free(at)) {
                self.table[at] = [0; 2];
            }
        }
        let held = self.hand_over(len);
        self.entries.truncate(len);
        held
    }

    fn is_free(&self, at: usize) -> bool {
        self.table[at][1] >> 32 != u64::from(self.stamp)
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
        if self.mask >= MAX_KEPT_SLOTS || self.stamp == u32::MAX {
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
