//! The memo: values by index, dense where pickles are, sparse where hostile input is.
//!
//! A pickler numbers its entries 0, 1, 2 …, so a vector holds them. An index far beyond what was stored so far (four
//! bytes of input can name index 4,294,967,295) goes to a map instead, so that memory follows the entries that exist, not
//! the numbers that name them.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind};

/// Indices below this are always dense; it is what CPython's unpickler allocates at first, times 32.
const FREE: usize = 1024;

/// Values by index.
#[derive(Debug)]
pub struct Memo<V> {
    dense: Vec<Option<V>>,
    sparse: BTreeMap<u64, V>,
    len: usize,
}

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Memo::from_vec(Vec::new())
    }
}

impl<V> Memo<V> {
    /// An empty memo that uses the room of this vector.
    #[must_use]
    pub fn from_vec(mut room: Vec<Option<V>>) -> Self {
        room.clear();
        Memo { dense: room, sparse: BTreeMap::new(), len: 0 }
    }

    /// Forget all entries and give back the room.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<Option<V>> {
        self.sparse.clear();
        self.dense.clear();
        self.dense
    }

    /// How many entries there are; also the index that `MEMOIZE` uses next.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entry at this index.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&V> {
        match self.dense.get(usize::try_from(index).ok()?) {
            Some(Some(value)) => Some(value),
            _ if self.sparse.is_empty() => None,
            _ => self.sparse.get(&index),
        }
    }

    /// Store an entry; the one that was there before is returned, so that the caller decides when it dies. Fails where there
    /// is no memory.
    #[inline]
    pub fn put(&mut self, index: u64, value: V) -> Result<Option<V>, Error> {
        if index == self.dense.len() as u64 && self.sparse.is_empty() {
            if self.dense.len() == self.dense.capacity() {
                self.room(1)?;
            }
            self.dense.push(Some(value));
            self.len += 1;
            return Ok(None);
        }
        self.put_elsewhere(index, value)
    }

    #[cold]
    #[inline(never)]
    fn room(&mut self, more: usize) -> Result<(), Error> {
        self.dense.try_reserve(more).map_err(|_| Error::new(ErrorKind::OutOfMemory))
    }

    #[cold]
    fn put_elsewhere(&mut self, index: u64, value: V) -> Result<Option<V>, Error> {
        let bound = 2 * self.len + FREE;
        let before = match usize::try_from(index) {
            Ok(index) if index < self.dense.len() => {
                let before = self.dense[index].replace(value);
                before.or_else(|| self.sparse.remove(&(index as u64)))
            }
            Ok(index) if index < bound => {
                self.room(index + 1 - self.dense.len())?;
                self.dense.resize_with(index + 1, || None);
                self.dense[index] = Some(value);
                self.sparse.remove(&(index as u64))
            }
            _ => self.sparse.insert(index, value),
        };
        if before.is_none() {
            self.len += 1;
        }
        Ok(before)
    }

    /// Store under the next index, as `MEMOIZE` does.
    #[inline]
    pub fn memoize(&mut self, value: V) -> Result<Option<V>, Error> {
        self.put(self.len as u64, value)
    }

    /// All entries in the order of their indices.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &V)> {
        let dense = self.dense.iter().enumerate();
        let mut all: Vec<(u64, &V)> = dense.filter_map(|(at, entry)| Some((at as u64, entry.as_ref()?))).collect();
        all.extend(self.sparse.iter().map(|(&at, entry)| (at, entry)));
        all.sort_unstable_by_key(|&(at, _)| at);
        all.into_iter()
    }

    /// The same entries converted one by one, in the same room where the types allow it.
    #[must_use]
    pub fn map<W>(self, mut convert: impl FnMut(V) -> W) -> Memo<W> {
        Memo {
            dense: self.dense.into_iter().map(|entry| entry.map(&mut convert)).collect(),
            sparse: self.sparse.into_iter().map(|(at, entry)| (at, convert(entry))).collect(),
            len: self.len,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_index_costs_one_entry() {
        let mut memo = Memo::default();
        assert_eq!(memo.put(u64::from(u32::MAX), 'a'), Ok(None));
        assert_eq!(memo.put(1 << 60, 'b'), Ok(None));
        assert!(memo.dense.capacity() < 2 * FREE);
        assert_eq!(memo.get(u64::from(u32::MAX)), Some(&'a'));
        assert_eq!(memo.get(3), None);
        assert_eq!(memo.len(), 2);
        assert_eq!(memo.put(1 << 60, 'c'), Ok(Some('b')));
        assert_eq!(memo.len(), 2);
    }

    #[test]
    fn an_entry_is_found_when_the_dense_part_grows_past_it() {
        let mut memo = Memo::default();
        let far = FREE as u64 + 10;
        memo.put(far, 0).unwrap();
        for index in 0..2 * FREE as u64 {
            if index != far {
                memo.put(index, index).unwrap();
            }
        }
        assert_eq!(memo.get(far), Some(&0));
        assert_eq!(memo.put(far, 5), Ok(Some(0)));
        assert_eq!(memo.get(far), Some(&5));
        assert_eq!(memo.len(), 2 * FREE);
        let mut seen = memo.iter().map(|(at, _)| at);
        assert!((0..2 * FREE as u64).all(|at| seen.next() == Some(at)));
    }

    #[test]
    fn memoize_uses_the_number_of_entries_as_c_does() {
        let mut memo = Memo::default();
        memo.put(7, 'x').unwrap();
        memo.memoize('y').unwrap();
        assert_eq!(memo.get(1), Some(&'y'));
        assert_eq!(memo.get(0), None);
    }
}
