//! What the extension looks up once and keeps: modules, exception classes and tables of the running interpreter.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFrozenSet, PyType};

use crate::choices::Reducer;

use crate::dump::pickler::no_persistent_id;

/// Under the address of a module, for each name that it was loaded under: a weak reference to it, and whether it can be
/// imported elsewhere by that name.
pub(crate) type Verdicts = HashMap<usize, Vec<(Vec<u8>, Py<PyAny>, bool)>>;

/// Kept objects; one for the process, as PyO3 modules load in one interpreter only.
pub(crate) struct State {
    /// `pickle.PicklingError`.
    pub(crate) pickling_error: Py<PyType>,
    /// Both a `PicklingError` and a `TypeError`, with the path to the culprit.
    pub(crate) cannot_pickle: Py<PyType>,
    /// The namespace of `builtins`.
    pub(crate) builtins: Py<PyDict>,
    /// `_pickle.loads` as it was when capers was loaded: a program may put that of capers in its place.
    pub(crate) stock_loads: Py<PyAny>,
    /// `copyreg.dispatch_table`.
    pub(crate) dispatch_table: Py<PyDict>,
    /// `copyreg._extension_registry`.
    pub(crate) extension_registry: Py<PyDict>,
    /// `_compat_pickle.REVERSE_NAME_MAPPING`.
    pub(crate) reverse_names: Py<PyDict>,
    /// `_compat_pickle.REVERSE_IMPORT_MAPPING`.
    pub(crate) reverse_imports: Py<PyDict>,
    /// `pickle.PickleBuffer`.
    pub(crate) pickle_buffer: Py<PyType>,
    /// `collections.OrderedDict`.
    pub(crate) ordered_dict: Py<PyType>,
    /// `collections.defaultdict`.
    pub(crate) default_dict: Py<PyType>,
    /// Names of the modules registered by `register_pickle_by_value`.
    pub(crate) by_value: Mutex<HashSet<String>>,
    /// Reducers registered by `register_reducer`.
    pub(crate) reducers: Mutex<Vec<Reducer>>,
    /// `sys.stdlib_module_names`.
    pub(crate) stdlib: Py<PyFrozenSet>,
    /// Whether the module at an address can be imported elsewhere; the weak reference tells whether it is still that module.
    pub(crate) importable: Mutex<Verdicts>,
    /// Functions and types that are told apart by identity.
    pub(crate) known: Known,
    /// What a pickler without hooks has for `persistent_id` from CPython 3.13 on.
    pub(crate) no_persistent_id: Py<PyAny>,
    /// Whether plain objects lie in memory as the fast walk expects.
    pub(crate) layouts_known: bool,
    /// The numbers of the protocols.
    pub(crate) protocols: [Py<PyAny>; 6],
}

/// Objects of the standard library that are told apart by identity.
pub(crate) struct Known {
    /// The code object of the function that `functools.singledispatch` returns.
    pub(crate) singledispatch: Option<Py<PyAny>>,
    /// The type of imports that have been put off (3.15 and later).
    pub(crate) lazy_import: Option<Py<PyAny>>,
}

static STATE: PyOnceLock<State> = PyOnceLock::new();

/// The kept objects.
pub(crate) fn state(py: Python<'_>) -> PyResult<&'static State> {
    STATE.get_or_try_init(py, || State::new(py))
}

impl State {
    fn new(py: Python<'_>) -> PyResult<Self> {
        let copyreg = py.import("copyreg")?;
        let compat = py.import("_compat_pickle")?;
        let pickle = py.import("_pickle")?;
        let pickling_error = pickle.getattr("PicklingError")?.cast_into::<PyType>()?;
        let members = PyDict::new(py);
        members.set_item("__module__", "capers")?;
        members.set_item(
            "__doc__",
            "An object that cannot travel. The message names its type and the way to it from the object given to dumps.",
        )?;
        let cannot_pickle = py.get_type::<PyType>().call1((
            "CannotPickleError",
            (&pickling_error, py.get_type::<PyTypeError>()),
            members,
        ))?;
        let collections = py.import("_collections")?;
        Ok(Self {
            pickling_error: pickling_error.unbind(),
            cannot_pickle: cannot_pickle.cast_into::<PyType>()?.unbind(),
            builtins: py.import("builtins")?.dict().unbind(),
            stock_loads: pickle.getattr("loads")?.unbind(),
            dispatch_table: copyreg.getattr("dispatch_table")?.cast_into()?.unbind(),
            extension_registry: copyreg.getattr("_extension_registry")?.cast_into()?.unbind(),
            reverse_names: compat.getattr("REVERSE_NAME_MAPPING")?.cast_into()?.unbind(),
            reverse_imports: compat.getattr("REVERSE_IMPORT_MAPPING")?.cast_into()?.unbind(),
            pickle_buffer: pickle.getattr("PickleBuffer")?.cast_into()?.unbind(),
            ordered_dict: collections.getattr("OrderedDict")?.cast_into()?.unbind(),
            default_dict: collections.getattr("defaultdict")?.cast_into()?.unbind(),
            by_value: Mutex::new(HashSet::new()),
            reducers: Mutex::new(Vec::new()),
            stdlib: py.import("sys")?.getattr("stdlib_module_names")?.cast_into()?.unbind(),
            importable: Mutex::new(HashMap::new()),
            known: Known::new(py)?,
            no_persistent_id: wrap_pyfunction!(no_persistent_id, py)?.into_any().unbind(),
            layouts_known: crate::ffi::layout::self_test(py)?,
            protocols: [0, 1, 2, 3, 4, 5].map(|number: i64| pyo3::types::PyInt::new(py, number).into_any().unbind()),
        })
    }
}

impl Known {
    fn new(py: Python<'_>) -> PyResult<Self> {
        let functools = py.import("functools")?;
        let function_type = py.import("types")?.getattr("CodeType")?;
        let mut singledispatch = None;
        for constant in functools.getattr("singledispatch")?.getattr("__code__")?.getattr("co_consts")?.try_iter()? {
            let constant = constant?;
            if constant.is_instance(&function_type)? && constant.getattr("co_name")?.eq("wrapper")? {
                singledispatch = Some(constant.unbind());
            }
        }
        let lazy_import = py.import("types")?.getattr_opt("LazyImportType")?.map(Bound::unbind);
        Ok(Self { singledispatch, lazy_import })
    }
}
