//! The keywords of a class statement, for hooks of importable bases and metaclasses.
//!
//! The interpreter does not keep them. They are read from the source of the statement; without it, a hook nearly always
//! stores a keyword on the class under its own name, perhaps with underscores around it, and that is where it is looked
//! for.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::Part;
use crate::ffi::access::str_eq;
use crate::ffi::class::own;
use crate::ffi::function::function_view;
use crate::policy;

/// What is known of the keywords of a class statement.
pub(super) struct Keywords<'py> {
    /// Those that hooks on the other side take; `None` when a hook requires one that is not known.
    pub(super) given: Option<Vec<(Bound<'py, PyString>, Part<'py>)>>,
    /// Whether hooks of importable code outside of the standard library will run on the other side.
    pub(super) hooked: bool,
}

/// A hook in Python, and whether the class that holds it can be imported.
pub(super) struct Hook<'py> {
    pub(super) function: Bound<'py, PyAny>,
    pub(super) foreign: bool,
}

/// Works out the keywords of the statement that made `class`.
pub(super) fn keywords<'py>(class: &Bound<'py, PyType>) -> PyResult<Keywords<'py>> {
    let py = class.py();
    let hooks = hooks(class)?;
    let hooked = hooks.iter().any(|it| it.foreign);
    let mut parameters: Vec<(Bound<'py, PyString>, bool)> = Vec::new();
    let mut any_more = false;
    for hook in hooks.iter().filter(|it| it.foreign) {
        any_more |= parameters_of(&hook.function, &mut parameters)?;
    }
    if parameters.is_empty() && !any_more {
        return Ok(Keywords { given: Some(Vec::new()), hooked });
    }
    let statement = py.import("capers._statement")?.getattr("keywords")?.call1((class,))?;
    let statement = statement.cast::<PyDict>().ok();
    let mut given: Vec<(Bound<'py, PyString>, Part<'py>)> = Vec::new();
    for (name, required) in &parameters {
        let said = match &statement {
            Some(statement) => statement.get_item(name)?,
            None => None,
        };
        match said.map_or_else(|| shown(class, name), |said| Ok(Some(said)))? {
            Some(value) => given.push((name.clone(), Part::Object(value))),
            // A hook that travels by value may have given it.
            None if *required => return Ok(Keywords { given: None, hooked }),
            None => {}
        }
    }
    // A hook by value takes its own keywords out before it hands on the rest.
    if any_more && hooks.iter().all(|it| it.foreign) {
        for (name, value) in statement.iter().flat_map(|it| it.iter()) {
            let name = name.cast_into::<PyString>()?;
            if !parameters.iter().any(|(known, _)| str_eq(known, &name)) {
                given.push((name, Part::Object(value)));
            }
        }
    }
    Ok(Keywords { given: Some(given), hooked })
}

/// The hooks in Python that the statement ran, but for those of the standard library: they take nothing that is not on the
/// class.
pub(super) fn hooks<'py>(class: &Bound<'py, PyType>) -> PyResult<Vec<Hook<'py>>> {
    let py = class.py();
    let mut hooks = Vec::new();
    let metaclass = class.get_type();
    if !metaclass.is(py.get_type::<PyType>()) {
        for name in [intern!(py, "__new__"), intern!(py, "__init__")] {
            for holder in metaclass.mro().iter() {
                let holder = holder.cast_into::<PyType>()?;
                if let Some(hook) = own(&holder, name)? {
                    add(&mut hooks, &holder, hook)?;
                    break;
                }
            }
        }
    }
    let object = py.get_type::<PyAny>();
    for holder in class.mro().iter().skip(1) {
        let holder = holder.cast_into::<PyType>()?;
        if holder.is(&object) {
            continue;
        }
        if let Some(hook) = own(&holder, intern!(py, "__init_subclass__"))? {
            add(&mut hooks, &holder, hook)?;
        }
    }
    Ok(hooks)
}

fn add<'py>(hooks: &mut Vec<Hook<'py>>, holder: &Bound<'py, PyType>, hook: Bound<'py, PyAny>) -> PyResult<()> {
    let py = holder.py();
    let module = own(holder, intern!(py, "__module__"))?;
    let Some(module) = module.and_then(|it| it.cast_into::<PyString>().ok()) else { return Ok(()) };
    if policy::is_standard(&module)? {
        return Ok(());
    }
    let name = py.get_type::<PyType>().getattr(intern!(py, "__getattribute__"))?;
    let name = name.call1((holder, intern!(py, "__qualname__")))?;
    let foreign = policy::reference(holder.as_any(), module.as_any(), &name)?.is_some();
    let function = hook.getattr_opt(intern!(py, "__func__"))?.unwrap_or(hook);
    if function_view(&function).is_some() {
        hooks.push(Hook { function, foreign });
    }
    Ok(())
}

/// Adds the parameters of a hook that keywords can fill, each with whether it must be; tells whether it takes any others.
fn parameters_of<'py>(
    function: &Bound<'py, PyAny>,
    parameters: &mut Vec<(Bound<'py, PyString>, bool)>,
) -> PyResult<bool> {
    const VARIABLE_KEYWORDS: usize = 8;
    let py = function.py();
    let Some(view) = function_view(function) else { return Ok(false) };
    let number = |name: &Bound<'py, PyString>| -> PyResult<usize> { view.code.getattr(name)?.extract() };
    let positional = number(intern!(py, "co_argcount"))?;
    let keyword_only = number(intern!(py, "co_kwonlyargcount"))?;
    let names = view.code.getattr(intern!(py, "co_varnames"))?.cast_into::<PyTuple>()?;
    // `cls` alone, or metaclass, name, bases and namespace.
    let fixed = if view.name.eq("__init_subclass__")? { 1 } else { 4 };
    let fixed = fixed.max(number(intern!(py, "co_posonlyargcount"))?);
    let defaults = view.defaults.as_ref().map_or(0, pyo3::types::PyTupleMethods::len);
    for (index, name) in names.iter().enumerate().take(positional + keyword_only).skip(fixed) {
        let name = name.cast_into::<PyString>()?;
        let required = if index < positional {
            index + defaults < positional
        } else {
            !view.kwdefaults.as_ref().is_some_and(|it| it.contains(&name).unwrap_or(false))
        };
        if !parameters.iter().any(|(known, _)| str_eq(known, &name)) {
            parameters.push((name, required));
        }
    }
    Ok(number(intern!(py, "co_flags"))? & VARIABLE_KEYWORDS != 0)
}

/// What the class shows under the name of a keyword.
fn shown<'py>(class: &Bound<'py, PyType>, name: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let text = name.to_string_lossy();
    for shown in [text.to_string(), format!("_{text}"), format!("__{text}__"), format!("_{text}_")] {
        if let Some(found) = own(class, &PyString::new(class.py(), &shown))? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
