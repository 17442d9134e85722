//! Classes by value: everything that a class statement gave them, made again in one step.
//!
//! The namespace travels in its order, minus what `type.__new__` makes itself. The key tells classes apart across
//! payloads; it comes from the pickler, which derives it from this very description.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::{Fill, Part, Reduction};
use crate::ffi::access::{cell_content, dict_get, str_bytes};
use crate::ffi::function::function_view;
use crate::ffi::kind::{Kind, kind};
use crate::policy;
use crate::wire::Wire;

/// Names that a class gets from the interpreter or its metaclass when it is made.
const REMADE: [&[u8]; 4] = [b"__abstractmethods__", b"_abc_impl", b"__annotations_cache__", b"__qualname__"];

/// How many functions deep the cell of the class's namespace is looked for: `typing` wraps annotations once.
const WRAPPERS: usize = 3;

/// Names that an enumeration gets with its members.
const ENUM_TABLES: [&[u8]; 6] = [
    b"_member_map_",
    b"_member_names_",
    b"_value2member_map_",
    b"_unhashable_values_",
    b"_unhashable_values_map_",
    b"_hashable_values_",
];

/// Whether `class` was made by a class statement or a call of a metaclass, and not by C code.
pub(crate) fn is_python_class(class: &Bound<'_, PyType>) -> PyResult<bool> {
    const HEAP_TYPE: u64 = 1 << 9;
    const IMMUTABLE_TYPE: u64 = 1 << 8;
    let py = class.py();
    let flags: u64 = class.getattr(intern!(py, "__flags__"))?.extract()?;
    if flags & HEAP_TYPE == 0 || flags & IMMUTABLE_TYPE != 0 {
        return Ok(false);
    }
    let namespace = namespace(class)?;
    for value in namespace.values() {
        let kind = value.get_type().name()?;
        if matches!(kind.to_str()?, "method_descriptor" | "wrapper_descriptor" | "classmethod_descriptor")
            && value.getattr(intern!(py, "__objclass__"))?.is(class)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A copy of what `class` itself holds.
pub(crate) fn namespace<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyDict>> {
    let py = class.py();
    let proxy = py.get_type::<PyType>().getattr(intern!(py, "__dict__"))?.get_item(intern!(py, "__dict__"))?;
    let proxy = proxy.call_method1(intern!(py, "__get__"), (class,))?;
    Ok(proxy.call_method0(intern!(py, "copy"))?.cast_into()?)
}

fn enum_class(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    match policy::loaded(py, intern!(py, "enum").as_any())? {
        Some(module) => class.get_type().is_subclass(&module.getattr(intern!(py, "EnumMeta"))?),
        None => Ok(false),
    }
}

/// Describes `class`, known by `key`.
pub(crate) fn reduce<'py>(class: &Bound<'py, PyType>, key: &Bound<'py, PyString>) -> PyResult<Reduction<'py>> {
    let py = class.py();
    let namespace = namespace(class)?;
    let is_enum = enum_class(class)?;
    let members = if is_enum {
        match dict_get(&namespace, intern!(py, "_member_map_").as_any())? {
            Some(map) => Some(map.cast_into::<PyDict>()?),
            None => None,
        }
    } else {
        None
    };
    let mut entries: Vec<(Bound<'py, PyString>, Part<'py>)> = Vec::with_capacity(namespace.len() + 1);
    let mut class_dict_cell = None;
    for (name, value) in namespace.iter() {
        let Ok(name) = name.cast_into::<PyString>() else {
            return Err(PyTypeError::new_err("cannot pickle a class with an attribute whose name is not a string"));
        };
        let text = str_bytes(&name)?;
        if REMADE.contains(&text.as_ref()) {
            continue;
        }
        // From 3.15 on all classes share these two descriptors.
        let shared = matches!(text.as_ref(), b"__dict__" | b"__weakref__") && kind(&value) == Kind::Other;
        if shared || is_made_by_type(class, &value)? {
            continue;
        }
        if is_enum && (ENUM_TABLES.contains(&text.as_ref()) || is_member(members.as_ref(), &name)?) {
            continue;
        }
        if class_dict_cell.is_none() {
            class_dict_cell = class_dict(&value, WRAPPERS)?;
        }
        let is_module = text.as_ref() == b"__module__";
        drop(text);
        let part = match value.cast_exact::<PyString>() {
            Ok(text) => Part::Text(text.clone()),
            Err(_) => Part::Object(value),
        };
        entries.push((name, part));
        if is_module {
            entries.push(qualname(class)?);
        }
    }
    if !entries.iter().any(|(name, _)| str_bytes(name).is_ok_and(|it| it.as_ref() == b"__qualname__")) {
        entries.insert(0, qualname(class)?);
    }
    if let Some(cell) = class_dict_cell {
        entries.push((intern!(py, "__classdictcell__").clone(), Part::Cell(cell)));
    }
    let keywords = keywords(class)?;
    let bases = class.getattr(intern!(py, "__bases__"))?.cast_into::<PyTuple>()?;
    let mut args = vec![
        Part::Text(key.clone()),
        Part::Object(class.get_type().into_any()),
        Part::Text(class.getattr(intern!(py, "__name__"))?.cast_into()?),
        Part::Tuple(bases.len()),
    ];
    args.extend(bases.iter().map(Part::Object));
    args.push(Part::Entries(entries));
    match keywords {
        Keywords::None => args.push(Part::Entries(Vec::new())),
        Keywords::Known(known) => args.push(Part::Entries(known)),
        Keywords::Unknown => {}
    }
    let mut fills = Vec::new();
    if let Some(members) = members {
        fills.push(enum_members(class, &members)?);
    }
    fills.extend(registered(class)?);
    Ok(Reduction { make: Wire::Class, args, fills })
}

fn qualname<'py>(class: &Bound<'py, PyType>) -> PyResult<(Bound<'py, PyString>, Part<'py>)> {
    let py = class.py();
    let descriptor = py.get_type::<PyType>().getattr(intern!(py, "__dict__"))?.get_item(intern!(py, "__qualname__"))?;
    let value = descriptor.call_method1(intern!(py, "__get__"), (class,))?;
    Ok((intern!(py, "__qualname__").clone(), Part::Text(value.cast_into()?)))
}

/// Descriptors that `type.__new__` puts in for `__slots__`, `__dict__` and `__weakref__`.
fn is_made_by_type(class: &Bound<'_, PyType>, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if kind(value) != Kind::Other {
        return Ok(false);
    }
    let name = value.get_type().name()?;
    // The fields of a ctypes structure; its metaclass makes them from `_fields_`.
    if name.to_str()? == "CField" {
        return Ok(true);
    }
    if !matches!(name.to_str()?, "member_descriptor" | "getset_descriptor") {
        return Ok(false);
    }
    let py = class.py();
    let owner = value.getattr(intern!(py, "__objclass__"))?;
    // Since 3.15 all classes share two descriptors that say they belong to `object`, which does not have them.
    Ok(owner.is(class)
        || owner.is(py.get_type::<PyAny>())
            && ["__dict__", "__weakref__"].contains(&value.getattr(intern!(py, "__name__"))?.str()?.to_str()?))
}

fn is_member(members: Option<&Bound<'_, PyDict>>, name: &Bound<'_, PyString>) -> PyResult<bool> {
    members.map_or(Ok(false), |members| members.contains(name))
}

/// The cell through which annotation scopes see the namespace of their class, if `value` is a function that has one: in
/// its own closure, in that of its annotations, or in that of a function it wraps.
fn class_dict<'py>(value: &Bound<'py, PyAny>, depth: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = value.py();
    let Some(view) = function_view(value) else { return Ok(None) };
    let mut inner: Vec<_> = view.annotate.into_iter().collect();
    if let Some(closure) = view.closure {
        let names = view.code.getattr(intern!(py, "co_freevars"))?.cast_into::<PyTuple>()?;
        for (name, cell) in names.iter().zip(closure.iter()) {
            if name.eq(intern!(py, "__classdict__"))? {
                return Ok(Some(cell));
            }
            inner.extend(cell_content(&cell)?);
        }
    }
    if depth > 0 {
        for value in inner {
            if let Some(cell) = class_dict(&value, depth - 1)? {
                return Ok(Some(cell));
            }
        }
    }
    Ok(None)
}

/// What is known of the keywords of the class statement.
enum Keywords<'py> {
    /// No hook on the other side takes any.
    None,
    /// Each keyword that a hook takes and what it was, as far as the class shows it.
    Known(Vec<(Bound<'py, PyString>, Part<'py>)>),
    /// A hook requires one that the class does not show.
    Unknown,
}

/// Works out the keywords for hooks of importable bases and metaclasses.
///
/// The interpreter does not keep them. A hook nearly always stores a keyword on the class under its own name, perhaps with
/// underscores around it; that is where they are looked for.
fn keywords<'py>(class: &Bound<'py, PyType>) -> PyResult<Keywords<'py>> {
    let py = class.py();
    let own = namespace(class)?;
    let mut hooks = Vec::new();
    let metaclass = class.get_type();
    for name in ["__new__", "__init__"] {
        for holder in metaclass.mro().iter() {
            if let Some(hook) = namespace(holder.cast()?)?.get_item(name)? {
                hooks.push((holder, hook));
                break;
            }
        }
    }
    for holder in class.mro().iter().skip(1) {
        if let Some(hook) = namespace(holder.cast()?)?.get_item("__init_subclass__")? {
            hooks.push((holder, hook));
        }
    }
    let mut known: Vec<(Bound<'py, PyString>, Part<'py>)> = Vec::new();
    for (holder, hook) in hooks {
        let module = holder.getattr(intern!(py, "__module__"))?;
        let name = holder.getattr(intern!(py, "__qualname__"))?;
        // The hooks of the standard library keep nothing but what is on the class.
        let standard = module.cast::<PyString>().is_ok_and(|it| {
            it.to_string_lossy()
                .split('.')
                .next()
                .is_some_and(|root| root == "builtins" || root == "typing" || root == "enum")
        });
        if standard || policy::reference(&holder, &module, &name)?.is_none() {
            continue;
        }
        let function = hook.getattr_opt(intern!(py, "__func__"))?.unwrap_or(hook);
        let Some(view) = function_view(&function) else { continue };
        let count = |name: &str| -> PyResult<usize> { view.code.getattr(name)?.extract() };
        let (positional, keyword_only) = (count("co_argcount")?, count("co_kwonlyargcount")?);
        let names = view.code.getattr(intern!(py, "co_varnames"))?.cast_into::<PyTuple>()?;
        let fixed = if hook_takes_namespace(&function)? { 4 } else { 1 };
        let defaults = view.defaults.as_ref().map_or(0, pyo3::types::PyTupleMethods::len);
        for (index, name) in names.iter().enumerate().take(positional + keyword_only).skip(fixed) {
            let name = name.cast_into::<PyString>()?;
            let required = if index < positional {
                index + defaults < positional
            } else {
                !view.kwdefaults.as_ref().is_some_and(|it| it.contains(&name).unwrap_or(false))
            };
            let text = name.to_string_lossy().into_owned();
            let mut found = None;
            for shown in [text.clone(), format!("_{text}"), format!("__{text}__"), format!("_{text}_")] {
                found = found.or(own.get_item(shown)?);
            }
            match found {
                Some(value) if !known.iter().any(|(it, _)| crate::ffi::access::str_eq(it, &name)) => {
                    known.push((name, Part::Object(value)));
                }
                None if required => return Ok(Keywords::Unknown),
                _ => {}
            }
        }
    }
    Ok(if known.is_empty() { Keywords::None } else { Keywords::Known(known) })
}

fn hook_takes_namespace(function: &Bound<'_, PyAny>) -> PyResult<bool> {
    let name = function.getattr(intern!(function.py(), "__name__"))?;
    Ok(!name.eq("__init_subclass__")?)
}

/// The members of an enumeration as they are.
fn enum_members<'py>(class: &Bound<'py, PyType>, members: &Bound<'py, PyDict>) -> PyResult<Fill<'py>> {
    let py = class.py();
    let data_type = class.getattr(intern!(py, "_member_type_"))?;
    let plain_enum = data_type.is(py.get_type::<pyo3::types::PyAny>());
    let mut args = vec![Part::Object(class.clone().into_any())];
    for (name, member) in members.iter() {
        let name = name.cast_into::<PyString>()?;
        args.push(Part::Text(name.clone()));
        let own_name = member.getattr(intern!(py, "_name_"))?;
        if !own_name.eq(&name)? {
            args.push(Part::None);
            args.push(Part::Text(own_name.cast_into()?));
            continue;
        }
        args.push(if plain_enum { Part::None } else { plain_value(&member)? });
        let state = member.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        let mut entries = Vec::with_capacity(state.len());
        for (key, value) in state.iter() {
            entries.push((key.cast_into()?, Part::Object(value)));
        }
        args.push(Part::Entries(entries));
    }
    Ok(Fill::Call { make: Wire::EnumMembers, args })
}

/// The value of a member as an instance of its data type alone.
fn plain_value<'py>(member: &Bound<'py, PyAny>) -> PyResult<Part<'py>> {
    let py = member.py();
    for base in [
        py.get_type::<pyo3::types::PyInt>(),
        py.get_type::<PyString>(),
        py.get_type::<pyo3::types::PyBytes>(),
        py.get_type::<pyo3::types::PyFloat>(),
        py.get_type::<PyTuple>(),
    ] {
        if member.is_instance(&base)? {
            if base.is(py.get_type::<PyString>()) {
                return Ok(Part::Object(base.getattr("__str__")?.call1((member,))?));
            }
            if base.is(py.get_type::<pyo3::types::PyInt>()) {
                return Ok(Part::Object(base.getattr("__int__")?.call1((member,))?));
            }
            return Ok(Part::Object(base.call1((member,))?));
        }
    }
    // A data type of Python's own making is rebuilt from its attributes.
    Ok(Part::None)
}

/// Virtual subclasses of an abstract base class.
fn registered<'py>(class: &Bound<'py, PyType>) -> PyResult<Option<Fill<'py>>> {
    let py = class.py();
    if namespace(class)?.get_item("_abc_impl")?.is_none() {
        return Ok(None);
    }
    let registry = py.import("_abc")?.getattr("_get_dump")?.call1((class,))?.get_item(0)?;
    let mut subclasses = Vec::new();
    for weak in registry.try_iter()? {
        let subclass = weak?.call0()?;
        if !subclass.is_none() {
            subclasses.push((subclass.getattr(intern!(py, "__qualname__"))?.to_string(), subclass));
        }
    }
    if subclasses.is_empty() {
        return Ok(None);
    }
    // The registry is a set of weak references: an order of its own would change from process to process.
    subclasses.sort_by(|a, b| a.0.cmp(&b.0));
    let mut args = vec![Part::Object(class.clone().into_any())];
    args.extend(subclasses.into_iter().map(|(_, it)| Part::Object(it)));
    Ok(Some(Fill::Call { make: Wire::AbcRegister, args }))
}
