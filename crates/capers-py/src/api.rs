//! The door: what the module offers, with its defaults.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

use crate::{by_value, choices, dump, ffi, large, load, policy, progress, shown, state};

#[pymodule(gil_used = true)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    by_value::code::running_version(py)?;
    ffi::code::reserve_extra(py);
    ffi::reserve::report_faults_only();
    let sample = py.import("copyreg")?.getattr("pickle")?.getattr("__code__")?;
    if !ffi::code::self_test(&sample)? {
        return Err(PyImportError::new_err("capers was built for another layout of code objects than this Python has"));
    }
    let kept = state::state(py)?;
    // The C module has the very classes of `pickle`, without what `pickle` imports besides.
    let pickle = py.import("_pickle")?;
    for name in ["PickleError", "PicklingError", "UnpicklingError", "PickleBuffer"] {
        module.add(name, pickle.getattr(name)?)?;
    }
    module.add("HIGHEST_PROTOCOL", capers_pickle::HIGHEST_PROTOCOL)?;
    module.add("DEFAULT_PROTOCOL", capers_pickle::HIGHEST_PROTOCOL)?;
    module.add("CannotPickleError", kept.cannot_pickle.bind(py))?;
    dump::pickler::register(module)?;
    load::register(module)?;
    module.add_function(wrap_pyfunction!(large::set_large_payload_size, module)?)?;
    module.add_function(wrap_pyfunction!(progress::set_interval, module)?)?;
    module.add_function(wrap_pyfunction!(shown::look_into, module)?)?;
    module.add_function(wrap_pyfunction!(shown::page, module)?)?;
    module.add_function(wrap_pyfunction!(policy::register_pickle_by_value, module)?)?;
    module.add_function(wrap_pyfunction!(policy::unregister_pickle_by_value, module)?)?;
    module.add_function(wrap_pyfunction!(policy::list_registry_pickle_by_value, module)?)?;
    module.add_function(wrap_pyfunction!(choices::register_reducer, module)?)?;
    module.add_function(wrap_pyfunction!(choices::unregister_reducer, module)?)?;
    module.add("LOCAL_MODULES", Py::new(py, choices::LocalModules)?)?;
    for name in [
        "dumps",
        "dump",
        "register_pickle_by_value",
        "unregister_pickle_by_value",
        "list_registry_pickle_by_value",
        "register_reducer",
        "unregister_reducer",
        "set_large_payload_size",
    ] {
        module.getattr(name)?.setattr("__module__", "capers")?;
    }
    Ok(())
}
