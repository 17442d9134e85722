//! Functions by value: code, namespace and cells make one, its attributes and captures fill it.

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString, PyTuple};

use super::code::CodeInfo;
use super::{Context, Fill, Part, Reduction, odd, settled};
use crate::ffi::access::{cell_content, dict_get, str_eq, tuple_item};
use crate::ffi::code::{code_doc, code_names};
use crate::ffi::function::{FunctionView, function_annotations, function_view};
use crate::ffi::kind::{Kind, kind};
use crate::policy::{self, Reference};
use crate::state::state;
use crate::wire::Wire;

/// Where `function` can be imported from, if it can: it states `module` and `qualname`, and its namespace is `globals`.
#[inline]
pub(crate) fn reference<'py>(
    function: &Bound<'py, PyAny>,
    module: Option<&Bound<'py, PyAny>>,
    qualname: &Bound<'py, PyAny>,
    globals: &Bound<'py, PyDict>,
) -> PyResult<Option<Reference<'py>>> {
    match module {
        Some(module) if policy::at_home(globals, module)? => policy::reference(function, module, qualname),
        _ => Ok(None),
    }
}

/// Keys of a namespace that travel with every function of it, as far as they are there.
fn standing_names(py: Python<'_>) -> [&Bound<'_, PyString>; 3] {
    [intern!(py, "__package__"), intern!(py, "__path__"), intern!(py, "__file__")]
}

/// Every global that a payload of a function of this code depends on.
pub(crate) fn names_of<'a, 'py: 'a>(
    py: Python<'py>,
    info: &'a CodeInfo,
) -> impl Iterator<Item = &'a Bound<'py, PyString>> {
    standing_names(py).into_iter().chain(info.globals.iter().chain(&info.hints).map(move |name| name.bind(py)))
}

/// The builtins of a namespace that brings its own, as code in a sandbox has them.
#[inline]
pub(crate) fn own_builtins<'py>(globals: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let py = globals.py();
    let Some(builtins) = dict_get(globals, intern!(py, "__builtins__").as_any())? else { return Ok(None) };
    let Ok(builtins) = builtins.cast_into_exact::<PyDict>() else { return Ok(None) };
    Ok((!builtins.is(state(py)?.builtins.bind(py))).then_some(builtins))
}

/// What fills the builtins that a namespace brings along, unless another function did it.
pub(crate) fn fill_builtins<'py>(
    globals: &Bound<'py, PyDict>,
    context: &mut impl Context,
) -> PyResult<Option<Fill<'py>>> {
    let Some(builtins) = own_builtins(globals)? else { return Ok(None) };
    // No name has this address: the whole dict is taken care of.
    if policy::module_of(globals)?.is_some() || !context.capture(builtins.as_ptr() as usize, 1) {
        return Ok(None);
    }
    let mut items = Vec::with_capacity(builtins.len());
    for (name, value) in builtins.iter() {
        items.push((name.cast_into()?, Part::Object(value)));
    }
    Ok((!items.is_empty()).then_some(Fill::Items { of: builtins, items }))
}

/// Describes `function`, whose code is described by `info`.
pub(crate) fn reduce<'py>(
    function: &Bound<'py, PyAny>,
    info: &CodeInfo,
    context: &mut impl Context,
) -> PyResult<Reduction<'py>> {
    let view = function_view(function).ok_or_else(|| PyRuntimeError::new_err("this function has no usable fields"))?;
    let mut args = Vec::with_capacity(8);
    args.push(Part::Code(view.code.clone()));
    args.push(Part::Globals(view.globals.clone()));
    if let Some(closure) = &view.closure {
        args.push(Part::Tuple(closure.len()));
        args.extend(closure.iter().map(Part::Cell));
    }
    let mut fills = Vec::new();
    fills.extend(fill_builtins(&view.globals, context)?);
    let name = dict_get(&view.globals, intern!(function.py(), "__name__").as_any())?;
    fills.extend(attributes(function, &view, name.as_ref())?);
    let mut captures = Captures::new(&view, policy::module_of(&view.globals)?.is_some(), context);
    let mut items = Vec::new();
    while let Some(item) = captures.next(&view, info, context)? {
        items.push(item);
    }
    if !items.is_empty() {
        fills.push(Fill::Items { of: view.globals.clone(), items });
    }
    captures.finish(&view, info, context, &mut fills)?;
    Ok(Reduction { make: Wire::Function, args, fills })
}

/// What differs from a function freshly made of the same code and namespace.
pub(crate) fn attributes<'py>(
    function: &Bound<'py, PyAny>,
    view: &FunctionView<'py>,
    derived: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<Fill<'py>>> {
    let py = function.py();
    let mut slots = Vec::new();
    if let Some((name, qualname)) = code_names(&view.code) {
        if !same_text(&name, &view.name) {
            slots.push((intern!(py, "__name__").clone(), text_or_object(&view.name)));
        }
        if !same_text(&qualname, &view.qualname) {
            slots.push((intern!(py, "__qualname__").clone(), text_or_object(&view.qualname)));
        }
    }
    match (&view.module, derived) {
        (None, None) => {}
        (Some(module), Some(derived)) if same_text(module, derived) => {}
        (Some(module), _) => slots.push((intern!(py, "__module__").clone(), text_or_object(module))),
        (None, Some(_)) => slots.push((intern!(py, "__module__").clone(), Part::None)),
    }
    let doc = view.doc.as_ref().filter(|doc| !doc.is_none());
    match (doc, code_doc(&view.code)) {
        (None, None) => {}
        (Some(doc), Some(derived)) if same_text(doc, &derived) => {}
        (Some(doc), _) => slots.push((intern!(py, "__doc__").clone(), text_or_object(doc))),
        (None, Some(_)) => slots.push((intern!(py, "__doc__").clone(), Part::None)),
    }
    if let Some(defaults) = &view.defaults {
        slots.push((intern!(py, "__defaults__").clone(), Part::Object(defaults.clone().into_any())));
    }
    if let Some(kwdefaults) = view.kwdefaults.as_ref().filter(|it| !it.is_none()) {
        slots.push((intern!(py, "__kwdefaults__").clone(), Part::Object(kwdefaults.clone())));
    }
    annotations(function, view, &mut slots)?;
    if let Some(params) = &view.type_params
        && params.cast::<PyTuple>().is_ok_and(|it| !it.is_empty())
    {
        slots.push((intern!(py, "__type_params__").clone(), Part::Object(params.clone())));
    }
    let mut dict = Vec::new();
    if let Some(attributes) = &view.dict {
        dict.extend(attributes.iter());
    }
    if slots.is_empty() && dict.is_empty() {
        return Ok(None);
    }
    Ok(Some(Fill::State { of: None, dict, slots }))
}

/// Annotations stay what they are: evaluated, or on 3.14 and later a function that evaluates them when asked.
fn annotations<'py>(
    function: &Bound<'py, PyAny>,
    view: &FunctionView<'py>,
    slots: &mut Vec<(Bound<'py, PyString>, Part<'py>)>,
) -> PyResult<()> {
    let py = function.py();
    if let Some(annotate) = view.annotate.as_ref().filter(|it| !it.is_none()) {
        // Looking at the annotations evaluates and keeps them; that must not change the payload. Only a dict that has been
        // altered since is worth more than the function that made it.
        let unaltered = match &view.annotations {
            None => true,
            Some(kept) => match annotate.call1((1,)) {
                Ok(fresh) => fresh.eq(kept)?,
                Err(_) => false,
            },
        };
        if unaltered {
            slots.push((intern!(py, "__annotate__").clone(), Part::Object(annotate.clone())));
            return Ok(());
        }
    }
    if view.annotations.is_some()
        && let Some(found) = function_annotations(function)?
        && found.is_truthy()?
    {
        slots.push((intern!(py, "__annotations__").clone(), Part::Object(found)));
    }
    Ok(())
}

/// Walks over the globals that a function brings along: the standing ones, then those that its code reaches.
///
/// What has travelled meanwhile with another function is left out when it is written.
pub(crate) struct Captures<'py> {
    next: usize,
    done: bool,
    /// Whether any name was left to be brought along.
    any: bool,
    imports: Option<Vec<Bound<'py, PyString>>>,
}

impl<'py> Captures<'py> {
    /// Starts the walk; there is nothing to walk over when the namespace is named, or was walked for this code before.
    pub(crate) fn new(view: &FunctionView<'py>, named: bool, context: &mut impl Context) -> Self {
        let (globals, code) = (view.globals.as_ptr() as usize, view.code.as_ptr() as usize);
        let done = named || context.captured(globals, code);
        // Submodules are imported once for each code. No name and no code object has this address.
        let imports = !done && context.capture(globals, code + 1);
        Self { next: 0, done, any: false, imports: imports.then(Vec::new) }
    }

    /// The next name and its value.
    pub(crate) fn next(
        &mut self,
        view: &FunctionView<'py>,
        info: &CodeInfo,
        context: &mut impl Context,
    ) -> PyResult<Option<(Bound<'py, PyString>, Part<'py>)>> {
        if self.done {
            return Ok(None);
        }
        let globals = &view.globals;
        let py = globals.py();
        let address = globals.as_ptr() as usize;
        let standing = standing_names(py);
        loop {
            let index = self.next;
            self.next += 1;
            let name = match standing.get(index) {
                Some(name) => *name,
                None => {
                    let index = index - standing.len();
                    let name = info.globals.get(index).or_else(|| info.hints.get(index - info.globals.len()));
                    match name {
                        Some(name) => name.bind(py),
                        None => {
                            self.done = true;
                            if !self.any {
                                context.capture(address, view.code.as_ptr() as usize);
                            }
                            return Ok(None);
                        }
                    }
                }
            };
            let Some(value) = dict_get(globals, name.as_any())? else { continue };
            let value = settled(value)?;
            let value_kind = kind(&value);
            if value_kind == Kind::Module
                && index >= standing.len()
                && let Some(imports) = &mut self.imports
            {
                submodules(py, &value, info, imports)?;
            }
            if context.captured(address, name.as_ptr() as usize)
                || name.is(intern!(py, "__builtins__"))
                || name.is(intern!(py, "__name__"))
            {
                continue;
            }
            self.any = true;
            let found = match value_kind {
                Kind::Other => odd::module_level(name, &value)?,
                Kind::List | Kind::Dict => odd::of_sys(&value)?,
                _ => None,
            };
            let part = match found {
                Some(found) => Part::Reference(value, found.module, found.name),
                None => Part::Object(value),
            };
            return Ok(Some((name.clone(), part)));
        }
    }

    /// What comes after the globals: submodules to import, and the cells that this function is the first to bring.
    pub(crate) fn finish(
        self,
        view: &FunctionView<'py>,
        info: &CodeInfo,
        context: &mut impl Context,
        fills: &mut Vec<Fill<'py>>,
    ) -> PyResult<()> {
        import_call(self.imports.unwrap_or_default(), fills);
        match &view.closure {
            Some(closure) => cells(&view.code, info, closure, context, fills),
            None => Ok(()),
        }
    }
}

fn import_call<'py>(imports: Vec<Bound<'py, PyString>>, fills: &mut Vec<Fill<'py>>) {
    if !imports.is_empty() {
        fills.push(Fill::Call { make: Wire::Imported, args: imports.into_iter().map(Part::Text).collect() });
    }
}

/// Loaded submodules of the package `module` that are reached by attribute names of the code.
pub(super) fn submodules<'py>(
    py: Python<'py>,
    module: &Bound<'py, PyAny>,
    info: &CodeInfo,
    found: &mut Vec<Bound<'py, PyString>>,
) -> PyResult<()> {
    let mut open = vec![module.clone()];
    while let Some(package) = open.pop() {
        let Ok(package) = package.cast::<PyModule>() else { continue };
        let dict = package.dict();
        if dict_get(&dict, intern!(py, "__path__").as_any())?.is_none() {
            continue;
        }
        let Some(package_name) = dict_get(&dict, intern!(py, "__name__").as_any())? else { continue };
        let Ok(package_name) = package_name.cast_into::<PyString>() else { continue };
        for attribute in &info.attributes {
            let attribute = attribute.bind(py);
            let Some(value) = dict_get(&dict, attribute.as_any())? else { continue };
            let Ok(submodule) = value.cast::<PyModule>() else { continue };
            let full =
                PyString::new(py, &format!("{}.{}", package_name.to_string_lossy(), attribute.to_string_lossy()));
            let is_it = policy::loaded(py, full.as_any())?.is_some_and(|it| it.is(submodule));
            if is_it && !found.iter().any(|known| str_eq(known, &full)) && policy::importable(&full, submodule)? {
                found.push(full);
                open.push(value);
            }
        }
    }
    Ok(())
}

/// The cells of a closure that this function is the first to bring along.
fn cells<'py>(
    code: &Bound<'py, PyAny>,
    info: &CodeInfo,
    closure: &Bound<'py, PyTuple>,
    context: &mut impl Context,
    fills: &mut Vec<Fill<'py>>,
) -> PyResult<()> {
    let mut names = None;
    let mut imports = Vec::new();
    for (index, cell) in closure.iter().enumerate() {
        let Some(content) = cell_content(&cell)? else { continue };
        if kind(&content) == Kind::Module {
            submodules(code.py(), &content, info, &mut imports)?;
        }
        if context.is_filled(&cell) {
            continue;
        }
        if names.is_none() {
            names = Some(code.getattr(intern!(code.py(), "co_freevars"))?.cast_into::<PyTuple>()?);
        }
        let name: Option<Bound<'py, PyString>> =
            names.as_ref().and_then(|names| tuple_item(names, index)).and_then(|it| it.cast_into().ok());
        // The namespace of a class, as annotation scopes see it: the class fills that cell when it is made.
        if name.as_ref().is_some_and(|name| str_eq(name, intern!(code.py(), "__classdict__"))) {
            continue;
        }
        fills.push(Fill::Cell { cell, name, content });
    }
    import_call(imports, fills);
    Ok(())
}

/// Describes a cell on its own.
pub(crate) fn reduce_cell<'py>(cell: &Bound<'py, PyAny>) -> PyResult<Reduction<'py>> {
    let fills = match cell_content(cell)? {
        Some(content) => vec![Fill::Cell { cell: cell.clone(), name: None, content }],
        None => Vec::new(),
    };
    Ok(Reduction { make: Wire::Cell, args: Vec::new(), fills })
}

fn same_text(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> bool {
    if a.is(b) {
        return true;
    }
    match (a.cast_exact::<PyString>(), b.cast_exact::<PyString>()) {
        (Ok(a), Ok(b)) => str_eq(a, b),
        _ => false,
    }
}

fn text_or_object<'py>(value: &Bound<'py, PyAny>) -> Part<'py> {
    match value.cast_exact::<PyString>() {
        Ok(text) => Part::Text(text.clone()),
        Err(_) => Part::Object(value.clone()),
    }
}
