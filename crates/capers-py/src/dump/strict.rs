//! The strict mode, `by_value=False`: nothing travels that `pickle` refuses, and each object goes as `pickle` has it.
//!
//! What differs from the default is here and in [`path`](super::path), which leaves errors as they are; the walk, the memo
//! and the bytes of plain data are the same.

use pyo3::prelude::*;

use super::{Begun, Dumper};
use crate::ffi::kind::{Kind, is_plain_type};

impl<'py> Dumper<'py> {
    /// Starts an object that is no plain data, when `reducer_override` has been asked.
    #[cold]
    pub(super) fn begin_strictly(&mut self, kind: Kind, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        match kind {
            Kind::Type if is_plain_type(object) => return self.begin_type(object),
            Kind::Function => return self.begin_global(object, None),
            _ => {}
        }
        match self.dispatched(object)? {
            Some(value) => self.begin_reduced(object, &value),
            None if kind == Kind::Type => self.begin_global(object, None),
            None => self.begin_own_reduction(object),
        }
    }
}
