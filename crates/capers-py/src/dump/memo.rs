//! The memo of a pickler: which object, text or global stands under which memo index.
//!
//! User objects are keyed by identity, as `pickle` does. Texts of by-value parts (names, keys of namespaces) are keyed by
//! value, so that the bytes do not depend on which strings happen to be the same object. Everything that is memoized is
//! also kept alive, or its address could be given to another object while the memo still knows it.
//!
//! Entries are kept in order of insertion, so that a [`Mark`] is enough to take back all that came after it.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::ffi::access::{str_eq, str_hash};
use crate::wire::Wire;

const EMPTY: u32 = u32::MAX;

/// A place in the memo to which [`Memo::rewind`] can return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    entries: usize,
    texts: usize,
    wires: usize,
    captures: usize,
    next: usize,
}

/// Object, text, global and capture tables of one pickler.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    /// Objects in order: the object and its memo index.
    entries: Vec<(Py<PyAny>, usize)>,
    /// Open addressing over `entries`, by address; a power of two long.
    slots: Vec<u32>,
    texts: Vec<(Py<PyString>, isize, usize)>,
    text_slots: Vec<u32>,
    wires: Vec<(Wire, usize)>,
    modules: Vec<(&'static str, usize)>,
    captures: Vec<(usize, usize)>,
    capture_slots: Vec<u32>,
    next: usize,
}

#[inline]
fn spread(key: usize) -> usize {
    (key >> 4) ^ (key >> 22)
}

/// Finds `matches` in the chain that starts at `hash`; the slot to fill otherwise.
#[inline]
fn probe(slots: &[u32], hash: usize, matches: impl Fn(usize) -> bool) -> Result<usize, usize> {
    let mask = slots.len() - 1;
    let mut at = hash & mask;
    loop {
        let entry = slots[at];
        if entry == EMPTY {
            return Err(at);
        }
        if matches(entry as usize) {
            return Ok(entry as usize);
        }
        at = (at + 1) & mask;
    }
}

fn rebuild(slots: &mut Vec<u32>, count: usize, hash: impl Fn(usize) -> usize) {
    let wanted = (count * 3).max(16).next_power_of_two();
    slots.clear();
    slots.resize(wanted, EMPTY);
    for entry in 0..count {
        if let Err(at) = probe(slots, hash(entry), |_| false) {
            slots[at] = entry as u32;
        }
    }
}

impl Memo {
    /// The number of memo indices given out.
    pub(crate) fn next_index(&self) -> usize {
        self.next
    }

    /// Gives out the next memo index to something that is not looked up here.
    pub(crate) fn take_index(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// The memo index of an object.
    #[inline]
    pub(crate) fn get(&self, object: &Bound<'_, PyAny>) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let key = object.as_ptr() as usize;
        probe(&self.slots, spread(key), |entry| self.entries[entry].0.as_ptr() as usize == key)
            .ok()
            .map(|entry| self.entries[entry].1)
    }

    /// Gives `object` the next memo index and keeps it alive.
    #[inline]
    pub(crate) fn put(&mut self, object: &Bound<'_, PyAny>) -> usize {
        let index = self.take_index();
        self.put_at(object, index);
        index
    }

    /// Lets `object` be found under an index that something else has already.
    pub(crate) fn put_at(&mut self, object: &Bound<'_, PyAny>, index: usize) {
        if (self.entries.len() + 1) * 3 > self.slots.len() * 2 {
            let entries = &self.entries;
            rebuild(&mut self.slots, entries.len(), |entry| spread(entries[entry].0.as_ptr() as usize));
        }
        let key = object.as_ptr() as usize;
        if let Err(at) = probe(&self.slots, spread(key), |entry| self.entries[entry].0.as_ptr() as usize == key) {
            self.slots[at] = self.entries.len() as u32;
            self.entries.push((object.clone().unbind(), index));
        }
    }

    /// The memo index of a text of the same value.
    pub(crate) fn text(&self, text: &Bound<'_, PyString>) -> Option<usize> {
        let py = text.py();
        if self.texts.len() <= 4 {
            return self.texts.iter().find(|(known, ..)| str_eq(known.bind(py), text)).map(|it| it.2);
        }
        let hash = str_hash(text);
        probe(&self.text_slots, hash as usize, |entry| {
            let (known, its_hash, _) = &self.texts[entry];
            *its_hash == hash && str_eq(known.bind(py), text)
        })
        .ok()
        .map(|entry| self.texts[entry].2)
    }

    /// Gives `text` the next memo index.
    pub(crate) fn put_text(&mut self, text: &Bound<'_, PyString>) -> usize {
        let index = self.take_index();
        let hash = str_hash(text);
        self.texts.push((text.clone().unbind(), hash, index));
        if self.texts.len() > 4 {
            if self.texts.len() * 3 > self.text_slots.len() * 2 {
                let texts = &self.texts;
                rebuild(&mut self.text_slots, texts.len(), |entry| texts[entry].1 as usize);
            } else if let Err(at) = probe(&self.text_slots, hash as usize, |_| false) {
                self.text_slots[at] = self.texts.len() as u32 - 1;
            }
        }
        index
    }

    /// The memo index of a wire name.
    pub(crate) fn wire(&self, wire: Wire) -> Option<usize> {
        self.wires.iter().find(|(known, _)| *known == wire).map(|it| it.1)
    }

    /// Gives `wire` the next memo index.
    pub(crate) fn put_wire(&mut self, wire: Wire) -> usize {
        let index = self.take_index();
        self.wires.push((wire, index));
        index
    }

    /// The memo index of the name of a module of wire names.
    pub(crate) fn wire_module(&self, module: &'static str) -> Option<usize> {
        self.modules.iter().find(|(known, _)| *known == module).map(|it| it.1)
    }

    /// Gives the name of a module of wire names the next memo index.
    pub(crate) fn put_wire_module(&mut self, module: &'static str) -> usize {
        let index = self.take_index();
        self.modules.push((module, index));
        index
    }

    /// Notes that `what` (a name or a code object) of the namespace `globals` is taken care of; `false` if it was before.
    ///
    /// Both are addresses of objects that live as long as the memo: the namespace is memoized, names belong to its code.
    #[inline]
    pub(crate) fn capture(&mut self, globals: usize, what: usize) -> bool {
        let key = (globals, what);
        if self.captures.len() < 16 {
            if self.captures.contains(&key) {
                return false;
            }
            self.captures.push(key);
            return true;
        }
        let hash = |(globals, what): (usize, usize)| spread(globals).wrapping_mul(31) ^ spread(what);
        if (self.captures.len() + 1) * 3 > self.capture_slots.len() * 2 {
            let captures = &self.captures;
            rebuild(&mut self.capture_slots, captures.len(), |entry| hash(captures[entry]));
        }
        match probe(&self.capture_slots, hash(key), |entry| self.captures[entry] == key) {
            Ok(_) => false,
            Err(at) => {
                self.capture_slots[at] = self.captures.len() as u32;
                self.captures.push(key);
                true
            }
        }
    }

    /// The present state, for [`Memo::rewind`].
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            entries: self.entries.len(),
            texts: self.texts.len(),
            wires: self.wires.len(),
            captures: self.captures.len(),
            next: self.next,
        }
    }

    /// Forgets everything that came after `to`.
    pub(crate) fn rewind(&mut self, to: Mark) {
        self.next = to.next;
        self.entries.truncate(to.entries);
        self.texts.truncate(to.texts);
        self.wires.truncate(to.wires);
        self.modules.retain(|it| it.1 < to.next);
        self.captures.truncate(to.captures);
        let (entries, texts) = (&self.entries, &self.texts);
        if !self.slots.is_empty() {
            rebuild(&mut self.slots, entries.len(), |entry| spread(entries[entry].0.as_ptr() as usize));
        }
        if texts.len() <= 4 {
            self.text_slots.clear();
        } else {
            rebuild(&mut self.text_slots, texts.len(), |entry| texts[entry].1 as usize);
        }
        self.capture_slots.clear();
    }

    /// Forgets everything; keeps the memory of the tables up to a bound.
    pub(crate) fn clear(&mut self) {
        self.next = 0;
        self.entries.clear();
        self.texts.clear();
        self.wires.clear();
        self.modules.clear();
        self.captures.clear();
        self.text_slots.clear();
        self.capture_slots.clear();
        if self.slots.len() > 1 << 16 {
            self.slots = Vec::new();
        } else {
            self.slots.fill(EMPTY);
        }
    }

    /// The objects in the memo with their indices.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (&Py<PyAny>, usize)> {
        self.entries.iter().map(|(object, index)| (object, *index))
    }
}
