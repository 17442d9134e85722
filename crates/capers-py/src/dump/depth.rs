//! How deep a dump may go.
//!
//! Depth costs memory and nothing else, so that the limit is far away. But a reduction that leads back to its own object before
//! that is made would run into it in any case, and take minutes and gigabytes: as the stack grows, it is searched for
//! an object that has been begun again and again.

use std::collections::HashMap;

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;

use super::reduce::Phase;
use super::{Dumper, Frame};
use crate::ffi::reserve;
use crate::ffi::walk::Level;
use crate::limits;

/// The height at which the stack is searched first; then at each doubling.
pub(super) const FIRST_LOOK: usize = 1 << 13;

impl Dumper<'_> {
    /// Looks at a stack that has grown to `self.patience`.
    #[cold]
    #[inline(never)]
    pub(super) fn look_down(&mut self) -> PyResult<()> {
        let height = self.stack.len();
        if height >= limits::MAX_DEPTH {
            return Err(too_deep());
        }
        let mut begun = HashMap::new();
        if begun.try_reserve(height).is_err() {
            reserve::out_of_memory();
        }
        for object in self.stack.iter().filter_map(unmade) {
            let times = begun.entry(object).or_insert(0_usize);
            *times += 1;
            if *times > limits::MAX_TIMES_INSIDE_ITSELF {
                return Err(PyRecursionError::new_err(
                    "maximum recursion depth exceeded while pickling an object: its reduction leads back to it",
                ));
            }
        }
        self.patience = (2 * height).min(limits::MAX_DEPTH);
        Ok(())
    }
}

/// The address of the object whose making has been begun and not ended.
fn unmade(frame: &Frame<'_>) -> Option<usize> {
    match frame {
        Frame::Reduce(reduce) if matches!(reduce.current, Phase::Callable | Phase::Args | Phase::Kwargs) => {
            reduce.object.as_ref().map(|object| object.as_ptr() as usize)
        }
        Frame::Plain(Level::Call { object, .. }) => Some(object.as_ptr() as usize),
        _ => None,
    }
}

#[cold]
pub(super) fn too_deep() -> PyErr {
    PyRecursionError::new_err("cannot pickle this object: its parts lead to ever new parts")
}
