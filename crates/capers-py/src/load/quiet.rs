//! Building without collections in between.
//!
//! Up to CPython 3.11 every container made may start a garbage collection, which walks all that was built so far and finds
//! nothing. While a load only builds, automatic collection is therefore off; it is on again before anything that can run
//! Python code, and at the end. From 3.12 on the interpreter collects between bytecodes only, and nothing is done here.

use pyo3::prelude::*;

use crate::ffi::make;

/// Whether and when collection is off.
pub(super) struct Quiet<'py> {
    py: Python<'py>,
    applies: bool,
    off: bool,
}

impl<'py> Quiet<'py> {
    /// A switch that is never used unless it `applies`.
    pub(super) fn new(py: Python<'py>, applies: bool) -> Self {
        Quiet { py, applies, off: false }
    }

    /// A container is about to be made.
    #[inline]
    pub(super) fn build(&mut self) {
        if self.applies && !self.off {
            self.off = make::stop_collecting(self.py);
        }
    }

    /// Python code may run now.
    #[inline]
    pub(super) fn wake(&mut self) {
        if self.off {
            self.off = false;
            make::start_collecting(self.py);
        }
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.wake();
    }
}
