//! The reference list of the writer: which string was written where.
//!
//! Strings are the only values that enter marshal's reference list in the canonical form, so the number of a string here
//! *is* its reference index. The table stores no strings: a key is compared with the bytes that the writer has already
//! put out. Looking a string up costs one hash and, nearly always, one probe and one comparison of bytes.
//!
//! The hash is seeded anew for every table, so that nobody can prepare names that collide; the order of the slots is never
//! looked at, so the seed cannot reach the output.

use std::hash::{BuildHasher, RandomState};

/// Slots of an empty table. A small function has 5 to 20 distinct strings.
const FIRST_SLOTS: usize = 64;

/// Where a string's bytes stand in the output, and the slot that points here.
struct Entry {
    offset: u32,
    len: u32,
    hash: u64,
    slot: u32,
}

/// Maps string values to their reference index by comparing with the output.
pub(super) struct Refs {
    /// Zero, or the high half of the hash above the reference index plus one. The length is a power of two.
    slots: Vec<u64>,
    /// One for each string in the reference list.
    entries: Vec<Entry>,
    seed: u64,
}

/// What [`Refs::find_or_insert`] found.
pub(super) enum Lookup {
    /// The string has this reference index.
    Known(u32),
    /// The string is new and was entered; the caller must now write its bytes at the offset it gave.
    New,
}

impl Refs {
    pub(super) fn new() -> Self {
        Self { slots: vec![0; FIRST_SLOTS], entries: Vec::new(), seed: RandomState::new().hash_one(0) }
    }

    /// Forgets every string. Costs one store per string known, whatever the size the table once had.
    pub(super) fn clear(&mut self) {
        for entry in self.entries.drain(..) {
            self.slots[entry.slot as usize] = 0;
        }
    }

    /// Looks `key` up among the strings in `out`, or enters it as the string that will stand at `offset`.
    #[inline]
    pub(super) fn find_or_insert(&mut self, key: &[u8], out: &[u8], offset: usize) -> Lookup {
        let hash = hash(key, self.seed);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                break;
            }
            if slot >> 32 == hash >> 32 {
                let index = slot as u32 - 1;
                let entry = &self.entries[index as usize];
                let start = entry.offset as usize;
                if &out[start..start + entry.len as usize] == key {
                    return Lookup::Known(index);
                }
            }
            at = (at + 1) & mask;
        }
        let index = self.entries.len() as u32;
        self.slots[at] = (hash >> 32) << 32 | u64::from(index + 1);
        self.entries.push(Entry { offset: offset as u32, len: key.len() as u32, hash, slot: at as u32 });
        if self.entries.len() * 2 > self.slots.len() {
            self.grow();
        }
        Lookup::New
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let mask = self.slots.len() * 4 - 1;
        self.slots.clear();
        self.slots.resize(mask + 1, 0);
        for (index, entry) in self.entries.iter_mut().enumerate() {
            let mut at = entry.hash as usize & mask;
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = (entry.hash >> 32) << 32 | (index as u64 + 1);
            entry.slot = at as u32;
        }
    }
}

/// A seeded hash after wyhash: eight bytes a step, each step a 64 by 64 bit product folded onto itself.
#[inline]
fn hash(key: &[u8], seed: u64) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = seed ^ (key.len() as u64).wrapping_mul(STEP);
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), seed | 1);
    }
    let mut last = 0;
    for &byte in rest {
        last = last << 8 | u64::from(byte);
    }
    fold(state ^ last, STEP ^ seed.rotate_left(32))
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_keeps_its_index_while_the_table_grows_and_after_it_is_cleared() {
        let mut refs = Refs::new();
        for round in 0..3 {
            let mut out = Vec::new();
            let count = [5, 5000, 70][round];
            for i in 0..count {
                let key = format!("name_{i}");
                assert!(matches!(refs.find_or_insert(key.as_bytes(), &out, out.len()), Lookup::New));
                out.extend_from_slice(key.as_bytes());
            }
            for i in 0..count {
                let key = format!("name_{i}");
                assert!(matches!(refs.find_or_insert(key.as_bytes(), &out, out.len()), Lookup::Known(n) if n == i));
            }
            refs.clear();
            assert!(refs.slots.iter().all(|&slot| slot == 0));
        }
    }
}
