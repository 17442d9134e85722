//! Whether a key can be hashed at all.
//!
//! A tuple hashes its items, those that are tuples recurse on the C stack, and up to CPython 3.13 no tuple remembers its
//! hash. A pickle makes a million nested tuples with a million bytes and a tuple of 2^60 leaves with 120, and one more byte
//! makes it a key: the interpreter then dies of its stack, or does not come back. So a tuple of tuples is measured before it
//! becomes a key or an element. Other keys cost a look at their type.

use std::collections::HashMap;

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::state::State;
use crate::limits;

/// Measures keys, and counts what hashing them takes.
#[derive(Default)]
pub(super) struct Hashing {
    /// Steps taken since the last look at the signals.
    spent: u64,
}

/// What is known of a tuple.
#[derive(Clone, Copy)]
struct Size {
    /// Tuples inside each other, itself included.
    depth: usize,
    /// Items that its hash looks at, all levels together.
    steps: u64,
}

impl Hashing {
    /// Fails where the hash of `key` would overflow the stack or take forever.
    #[inline]
    pub(super) fn check(&mut self, key: &Bound<'_, PyAny>, state: &State) -> PyResult<()> {
        match key.cast::<PyTuple>() {
            Ok(tuple) if holds_tuples(tuple) => self.measure(tuple, state),
            _ => Ok(()),
        }
    }

    #[cold]
    fn measure(&mut self, tuple: &Bound<'_, PyTuple>, state: &State) -> PyResult<()> {
        let py = tuple.py();
        let Size { depth, steps } = size(tuple);
        if depth > limits::MAX_HASH_DEPTH {
            let text = format!("cannot hash a key of tuples nested more than {} deep", limits::MAX_HASH_DEPTH);
            return Err(PyRecursionError::new_err(text));
        }
        if steps > limits::MAX_HASH_STEPS {
            let text = format!("hashing a key of shared tuples takes more than {} steps", limits::MAX_HASH_STEPS);
            return Err(state.unpickling_error(py, text));
        }
        self.spent += steps;
        if self.spent > limits::HASH_STEPS_PER_LOOK {
            self.spent = 0;
            py.check_signals()?;
        }
        Ok(())
    }
}

fn holds_tuples(tuple: &Bound<'_, PyTuple>) -> bool {
    tuple.iter_borrowed().any(|item| item.is_instance_of::<PyTuple>())
}

/// Measure a tuple without recursion, each tuple inside once; stops where it is too deep.
fn size(tuple: &Bound<'_, PyTuple>) -> Size {
    let mut known: HashMap<usize, Size> = HashMap::new();
    // Tuples whose items are being looked at, with the next item and what was found so far. They keep each other alive.
    let mut open = vec![(tuple.clone(), 0, Size { depth: 1, steps: 0 })];
    loop {
        let too_deep = open.len() > limits::MAX_HASH_DEPTH;
        let Some((current, next, found)) = open.last_mut() else { return Size { depth: 0, steps: 0 } };
        if too_deep {
            return Size { depth: limits::MAX_HASH_DEPTH + 1, steps: 0 };
        }
        let mut inner = None;
        while let Ok(item) = current.get_borrowed_item(*next) {
            *next += 1;
            found.steps = found.steps.saturating_add(1);
            let Ok(item) = item.cast::<PyTuple>() else { continue };
            match known.get(&(item.as_ptr() as usize)) {
                Some(&size) => found.add(size, !cfg!(Py_3_14)),
                None if holds_tuples(&item) => {
                    inner = Some(item.to_owned());
                    break;
                }
                None => found.add(Size { depth: 1, steps: item.len() as u64 }, true),
            }
        }
        if let Some(inner) = inner {
            open.push((inner, 0, Size { depth: 1, steps: 0 }));
            continue;
        }
        let Some((done, _, size)) = open.pop() else { continue };
        known.insert(done.as_ptr() as usize, size);
        match open.last_mut() {
            Some((_, _, above)) => above.add(size, true),
            None => return size,
        }
    }
}

impl Size {
    /// Take in an item; `again` says whether its hash is computed (from 3.14 on tuples remember theirs).
    fn add(&mut self, item: Size, again: bool) {
        self.depth = self.depth.max(item.depth + 1);
        if again {
            self.steps = self.steps.saturating_add(item.steps);
        }
    }
}
