//! What a function takes along, told without a dump: asked of the very code that a dump asks.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyModule, PyString, PyTuple};

use super::memo::Memo;
use crate::by_value::function::{self, Captures};
use crate::by_value::{Fill, Part, code, module};
use crate::ffi::access::dict_get;
use crate::ffi::function::{FunctionNames, function_names, function_view};
use crate::ffi::kind::{Kind, kind};
use crate::policy;

/// The names that a function takes along: tuples of name, origin and value, in the order in which they travel.
#[pyfunction]
#[pyo3(name = "_captures")]
pub(super) fn captures<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = function.py();
    let found = PyList::empty(py);
    if kind(function) == Kind::Method {
        let (inner, holder) = (function.getattr(intern!(py, "__func__"))?, function.getattr(intern!(py, "__self__"))?);
        found.append(("__self__", "self", holder))?;
        collect(&inner, &found)?;
    } else {
        collect(function, &found)?;
    }
    Ok(found)
}

fn collect<'py>(object: &Bound<'py, PyAny>, found: &Bound<'py, PyList>) -> PyResult<()> {
    let py = object.py();
    let Some(view) = function_view(object) else {
        return Err(PyTypeError::new_err(format!(
            "captures are those of a function or method, not of '{}'",
            crate::ffi::make::type_name(object)
        )));
    };
    if let Some(FunctionNames { module: Some(module), qualname, globals }) = function_names(object)
        && policy::at_home(&globals, &module)?
        && policy::reference(object, &module, &qualname)?.is_some()
    {
        // It travels by name, and nothing with it.
        return Ok(());
    }
    let info = code::known(&view.code)?;
    let context = &mut Memo::default();
    let name = dict_get(&view.globals, intern!(py, "__name__").as_any())?;
    if let Some(Fill::State { dict, slots, .. }) = function::attributes(object, &view, name.as_ref())? {
        let arguments = Arguments::of(&view.code)?;
        for (slot, part) in slots {
            match (slot.to_str()?, part) {
                ("__defaults__", Part::Object(values)) => arguments.positional(&values, found)?,
                ("__kwdefaults__", Part::Object(values)) => {
                    for (name, value) in values.cast::<PyDict>()?.iter() {
                        found.append((name, "default", value))?;
                    }
                }
                (_, Part::Object(value)) => found.append((slot, "attribute", value))?,
                (_, Part::Text(value)) => found.append((slot, "attribute", value))?,
                _ => found.append((slot, "attribute", py.None()))?,
            }
        }
        for (name, value) in dict {
            found.append((name, "attribute", value))?;
        }
    }
    let named = policy::module_of(&view.globals)?.is_some();
    let mut names = Captures::new(&view, named, context);
    while let Some((name, part)) = names.next(&view, &info, context)? {
        let (Part::Object(value) | Part::Reference(value, ..)) = part else { continue };
        // What every function brings of its module is no choice of its code.
        if !matches!(name.to_str()?, "__package__" | "__path__" | "__file__") {
            found.append((name, origin(&value, "global")?, value))?;
        }
    }
    let mut fills = Vec::new();
    names.finish(&view, &info, context, &mut fills)?;
    for fill in fills {
        match fill {
            Fill::Cell { name, content, .. } => found.append((name, origin(&content, "closure")?, content))?,
            Fill::Call { args, .. } => {
                for part in args {
                    if let Part::Text(name) = part
                        && let Some(module) = policy::loaded(py, name.as_any())?
                    {
                        found.append((name, "module", module))?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `module` for one that travels by name, else `otherwise`.
fn origin<'a>(value: &Bound<'_, PyAny>, otherwise: &'a str) -> PyResult<&'a str> {
    Ok(match value.cast::<PyModule>() {
        Ok(module) if module::import_name(module)?.is_some() => "module",
        _ => otherwise,
    })
}

/// The names of the arguments of a code object that may have defaults.
struct Arguments<'py> {
    names: Bound<'py, PyTuple>,
    count: usize,
}

impl<'py> Arguments<'py> {
    fn of(code: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = code.py();
        let names = code.getattr(intern!(py, "co_varnames"))?.cast_into()?;
        Ok(Self { names, count: code.getattr(intern!(py, "co_argcount"))?.extract()? })
    }

    /// Adds the defaults of positional arguments, which belong to the last ones.
    fn positional(&self, values: &Bound<'py, PyAny>, found: &Bound<'py, PyList>) -> PyResult<()> {
        let values = values.cast::<PyTuple>()?;
        let first = self.count.saturating_sub(values.len());
        for (at, value) in values.iter().enumerate() {
            let name = self.names.get_item(first + at).unwrap_or_else(|_| PyString::new(values.py(), "").into_any());
            found.append((name, "default", value))?;
        }
        Ok(())
    }
}
