//! The door: argument checking and defaults, nowhere else.

use pyo3::prelude::*;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    crate::load::register(module)
}
