//! What the loading side keeps of the interpreter: made at the first load, never changed after.

use capers_pickle::text::IntRules;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple, PyType};

use super::code_cache::CodeCache;
use super::limits;
use super::live::NO_PERSISTENT_LOAD;
use super::wire::{Wire, WireNames};

/// Objects and facts of this interpreter.
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub(super) struct State {
    unpickling_error: Py<PyAny>,
    /// `capers.LimitError`
    pub(super) limit_error: Py<PyType>,
    /// `capers._rebuild`, its name and its constructors.
    pub(super) wire: WireNames,
    /// Code objects by their marshal bytes.
    pub(super) codes: CodeCache,
    /// `copyreg._extension_cache`
    pub(super) extension_cache: Py<PyDict>,
    /// `copyreg._inverted_registry`
    pub(super) inverted_registry: Py<PyDict>,
    /// `_compat_pickle.NAME_MAPPING`
    pub(super) name_mapping: Py<PyDict>,
    /// `_compat_pickle.IMPORT_MAPPING`
    pub(super) import_mapping: Py<PyDict>,
    /// `builtins.__dict__`
    pub(super) builtins: Py<PyDict>,
    /// `builtins.__import__` as it was at the first load
    pub(super) import: Py<PyAny>,
    pub(super) empty_tuple: Py<PyTuple>,
    /// The minor version of this Python 3.
    pub(super) minor: u8,
    pub(super) int_rules: IntRules,
    pub(super) signed_binstring: bool,
    pub(super) strict_frames: bool,
    pub(super) skips_nothing: bool,
    /// Whether a length that no bytes object can have is an error of its own.
    pub(super) refuses_too_long: bool,
    /// Whether plain objects lie in memory as we expect.
    pub(super) layouts: bool,
    /// Whether tables of dicts can be copied.
    pub(super) shapes: bool,
    pub(super) names: Names,
    /// `types.MethodType`
    pub(super) method_type: Py<PyAny>,
    /// What the base class has for `persistent_load` from CPython 3.13 on.
    pub(super) no_persistent_load: Py<PyAny>,
}

macro_rules! names {
    ($($name:ident = $text:literal),+ $(,)?) => {
        /// Attribute names, interned.
        pub(super) struct Names { $(pub(super) $name: Py<PyString>,)+ }

        impl Names {
            fn new(py: Python<'_>) -> Names {
                Names { $($name: PyString::intern(py, $text).unbind(),)+ }
            }
        }
    };
}

names! {
    add = "add",
    append = "append",
    builtins = "__builtins__",
    cell_contents = "cell_contents",
    dict = "__dict__",
    dunder_import = "__import__",
    extend = "extend",
    find_class = "find_class",
    getinitargs = "__getinitargs__",
    initializing = "_initializing",
    name = "__name__",
    new = "__new__",
    persistent_load = "persistent_load",
    setstate = "__setstate__",
    spec = "__spec__",
}

static STATE: PyOnceLock<State> = PyOnceLock::new();

impl State {
    pub(super) fn get(py: Python<'_>) -> PyResult<&State> {
        match STATE.get(py) {
            Some(state) => Ok(state),
            None => STATE.get_or_try_init(py, || State::new(py)),
        }
    }

    #[cold]
    fn new(py: Python<'_>) -> PyResult<State> {
        let dict = |module: &str, name: &str| -> PyResult<Py<PyDict>> {
            Ok(py.import(module)?.getattr(name)?.cast_into::<PyDict>()?.unbind())
        };
        let builtins = py.import("builtins")?;
        let stock = crate::state::state(py)?.stock_loads.bind(py);
        // How this very interpreter reads odd numbers is asked of its own unpickler: maintenance releases have changed it.
        let probe = |pickle: &[u8]| stock.call1((PyBytes::new(py, pickle),));
        let int_rules = IntRules {
            prefixes: probe(b"I0x10\n.").is_ok(),
            loose_bools: probe(b"I+0\n.").is_ok_and(|value| value.is_instance_of::<pyo3::types::PyBool>()),
        };
        let signed_binstring = match probe(b"T\xff\xff\xff\xff.") {
            Ok(_) => false,
            Err(error) => error.value(py).str()?.to_cow()?.contains("negative"),
        };
        let layouts = crate::state::state(py)?.layouts_known;
        let unpickling_error = py.import("_pickle")?.getattr("UnpicklingError")?;
        Ok(State {
            limit_error: limits::error_class(&unpickling_error)?.unbind(),
            unpickling_error: unpickling_error.unbind(),
            wire: WireNames::new(py)?,
            codes: CodeCache::default(),
            extension_cache: dict("copyreg", "_extension_cache")?,
            inverted_registry: dict("copyreg", "_inverted_registry")?,
            name_mapping: dict("_compat_pickle", "NAME_MAPPING")?,
            import_mapping: dict("_compat_pickle", "IMPORT_MAPPING")?,
            builtins: builtins.dict().unbind(),
            import: builtins.getattr("__import__")?.unbind(),
            empty_tuple: PyTuple::empty(py).unbind(),
            minor: py.version_info().minor,
            int_rules,
            signed_binstring,
            strict_frames: probe(b"\x80\x04\x95\x03\0\0\0\0\0\0\0C\x05hello.").is_err(),
            layouts,
            shapes: layouts && crate::ffi::shape::self_test(py)?,
            refuses_too_long: probe(b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f")
                .is_err_and(|error| error.is_instance_of::<pyo3::exceptions::PyOverflowError>(py)),
            skips_nothing: probe(b"N(e.").is_ok(),
            names: Names::new(py),
            method_type: py.import("types")?.getattr("MethodType")?.unbind(),
            no_persistent_load: wrap_pyfunction!(persistent_load, py)?.into_any().unbind(),
        })
    }

    /// A `pickle.UnpicklingError`.
    #[cold]
    pub(super) fn unpickling_error(&self, py: Python<'_>, text: impl Into<String>) -> PyErr {
        let class = self.unpickling_error.bind(py);
        match class.call1((text.into(),)) {
            Ok(value) => PyErr::from_value(value),
            Err(error) => error,
        }
    }

    /// Which wire name a callable is, by identity.
    #[inline]
    pub(super) fn wire_of(&self, callable: &Bound<'_, PyAny>) -> Option<Wire> {
        self.wire.which(callable)
    }
}

/// Raise ``UnpicklingError``: this unpickler has no function that turns persistent ids into objects.
#[pyfunction]
fn persistent_load(_unpickler: &Bound<'_, PyAny>, pid: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    Err(State::get(pid.py())?.unpickling_error(pid.py(), NO_PERSISTENT_LOAD))
}
