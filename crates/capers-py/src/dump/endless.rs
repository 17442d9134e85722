//! Dumps that do not end.
//!
//! An object whose reduction holds the object itself, before it has been made, is written again and again; one that
//! leads to ever new objects is too. The first is found by counting how often an object is being reduced at one time,
//! each time the work stack has doubled; for the second there is a cap on the stack.

use std::collections::HashMap;

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;

use super::{Dumper, Frame};
use crate::limits;

/// The height of the work stack at the first look.
pub(super) const FIRST_LOOK: usize = 1 << 13;

impl Dumper<'_> {
    /// The work stack has reached the height at which it is looked at.
    #[cold]
    pub(super) fn look_for_the_end(&mut self) -> PyResult<()> {
        let height = self.stack.len();
        if height >= limits::MAX_DEPTH {
            return Err(too_deep());
        }
        self.next_look = (height * 2).min(limits::MAX_DEPTH);
        let mut times: HashMap<usize, usize> = HashMap::new();
        for frame in &self.stack {
            let Frame::Reduce(reduce) = frame else { continue };
            let Some(object) = reduce.object.as_ref() else { continue };
            let times = times.entry(object.as_ptr() as usize).or_default();
            *times += 1;
            if *times > limits::MAX_TIMES_INSIDE_ITSELF {
                return Err(PyRecursionError::new_err("cannot pickle this object: it is part of what it is made from"));
            }
        }
        Ok(())
    }
}

#[cold]
pub(super) fn too_deep() -> PyErr {
    PyRecursionError::new_err("cannot pickle this object: its parts lead to ever new parts")
}
