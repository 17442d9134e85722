//! Hands the version of the interpreter being built for to the `cfg(Py_3_…)` conditions of the crate.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
