//! Cycles in `fast` mode, where nothing is memoized and a cycle would be written forever.
//!
//! `pickle` looks for a list or dict inside of itself from a depth of 50 on, and runs into the recursion limit in any other
//! cycle. Here what is open is noted, and searched each time the depth has doubled, so that looking costs no more than
//! writing.

use std::collections::HashSet;

use pyo3::exceptions::{PyRecursionError, PyValueError};
use pyo3::prelude::*;

use super::Dumper;
use crate::ffi::reserve;

/// The depth of the first search.
const FIRST: usize = 64;

/// What may take part in a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    List,
    Dict,
    /// An object that is being reduced.
    Object,
}

/// An object that has been begun: how high the work stack was then, and its address, which is compared and nothing else.
#[derive(Clone, Copy, Debug)]
struct Begun {
    height: usize,
    address: usize,
    part: Part,
}

/// What is open, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Open {
    begun: Vec<Begun>,
    next_search: usize,
}

impl<'py> Dumper<'py> {
    /// Notes that an object is begun; fails where it is inside of itself.
    #[inline]
    pub(super) fn enter(&mut self, object: &Bound<'py, PyAny>, part: Part) -> PyResult<()> {
        if self.settings.fast { self.enter_fast(object, part) } else { Ok(()) }
    }

    #[cold]
    fn enter_fast(&mut self, object: &Bound<'py, PyAny>, part: Part) -> PyResult<()> {
        let (open, height) = (&mut self.open, self.stack.len());
        while open.begun.last().is_some_and(|last| last.height >= height) {
            open.begun.pop();
        }
        reserve::push(&mut open.begun, Begun { height, address: object.as_ptr() as usize, part });
        let depth = open.begun.len();
        if depth < open.next_search.max(FIRST) {
            return Ok(());
        }
        open.next_search = depth * 2;
        let mut seen = HashSet::new();
        if seen.try_reserve(depth).is_err() {
            reserve::out_of_memory();
        }
        let mut again = open.begun.iter().filter(|each| !seen.insert((each.address, each.part == Part::Object)));
        let Some(first) = again.next().copied() else { return Ok(()) };
        let plain = std::iter::once(first).chain(again.copied()).find(|each| each.part != Part::Object);
        Err(match plain {
            Some(plain) => {
                let kind = if plain.part == Part::List { "list" } else { "dict" };
                PyValueError::new_err(format!("fast mode: can't pickle cyclic objects including object type {kind}"))
            }
            None => PyRecursionError::new_err("fast mode: cannot pickle an object inside of itself"),
        })
    }
}
