//! Classes by value: everything that a class statement gave them, made again in one step.
//!
//! The namespace travels in its order, minus what `type.__new__` makes itself. The key tells classes apart across
//! payloads; it comes from the pickler, which derives it from this very description.

use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::changes::changes;
use super::keywords::{Keywords, keywords};
use super::odd::{self, members_of};
use super::{Fill, Part, Reduction};
use crate::ffi::access::{cell_content, str_bytes};
use crate::ffi::class::{Holder, flags, holder, namespace, own};
use crate::ffi::function::function_view;
use crate::ffi::kind::{Kind, kind};
use crate::policy::{self, Reference};
use crate::wire::Wire;

/// Names that a class gets from the interpreter, its metaclass or `copyreg` once it is made.
const REMADE: [&[u8]; 5] =
    [b"__abstractmethods__", b"_abc_impl", b"__annotations_cache__", b"__qualname__", b"__slotnames__"];

/// Whether a class gets `name` from its making or from those who look at it.
pub(super) fn is_remade(name: &Bound<'_, PyAny>) -> PyResult<bool> {
    match name.cast::<PyString>() {
        Ok(name) => Ok(REMADE.contains(&str_bytes(name)?.as_ref())),
        Err(_) => Ok(false),
    }
}

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
    if flags(class) & (HEAP_TYPE | IMMUTABLE_TYPE) != HEAP_TYPE {
        return Ok(false);
    }
    for (name, value) in namespace(class)?.iter() {
        // ctypes puts this one into classes of Python, too.
        if holder(&value) == Holder::Native
            && !name.eq(intern!(class.py(), "from_param"))?
            && value.getattr(intern!(class.py(), "__objclass__"))?.is(class)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn enum_class(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    if class.get_type().is(py.get_type::<PyType>()) {
        return Ok(false);
    }
    match policy::loaded(py, intern!(py, "enum").as_any())? {
        Some(module) => class.get_type().is_subclass(&module.getattr(intern!(py, "EnumMeta"))?),
        None => Ok(false),
    }
}

/// What a class statement gave, read off the namespace.
struct Body<'py> {
    entries: Vec<(Bound<'py, PyString>, Part<'py>)>,
    /// How many of the entries were there when the class was made, if that can be told.
    statement: Option<usize>,
    class_dict_cell: Option<Bound<'py, PyAny>>,
    class_cell: Option<Bound<'py, PyAny>>,
}

/// The namespace of `class` without what its making puts there again.
fn body<'py>(
    class: &Bound<'py, PyType>,
    namespace: &Bound<'py, PyDict>,
    members: Option<&Bound<'py, PyDict>>,
) -> PyResult<Body<'py>> {
    let mut entries: Vec<(Bound<'py, PyString>, Part<'py>)> = Vec::with_capacity(namespace.len() + 2);
    let (mut class_dict_cell, mut class_cell) = (None, None);
    let (mut statement, mut undocumented) = (None, None);
    for (name, value) in namespace.iter() {
        let Ok(name) = name.cast_into::<PyString>() else {
            return Err(PyTypeError::new_err("cannot pickle a class with an attribute whose name is not a string"));
        };
        let text = str_bytes(&name)?;
        let mut value = value;
        let value_kind = kind(&value);
        match entry(class, members, name.as_any(), &value)? {
            Entry::Given => {}
            Entry::Descriptor if matches!(text.as_ref(), b"__dict__" | b"__weakref__") => {
                // What stands behind these two came later.
                statement.get_or_insert(entries.len());
                continue;
            }
            Entry::Descriptor | Entry::Ignored => continue,
        }
        match text.as_ref() {
            // Put there at the end where the class statement has none.
            b"__doc__" if value_kind == Kind::None => {
                undocumented = undocumented.or(Some(entries.len()));
                continue;
            }
            b"__slots__" => value = slots(class, value, namespace)?,
            _ => {}
        }
        if class_dict_cell.is_none() {
            class_dict_cell = class_dict(&value, WRAPPERS)?;
        }
        if class_cell.is_none() {
            class_cell = cell_of_class(class, value_kind, &value)?;
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
        statement = statement.map(|it| it + 1);
        undocumented = undocumented.map(|it| it + 1);
    }
    Ok(Body { entries, statement: statement.or(undocumented), class_dict_cell, class_cell })
}

/// The members of an enumeration by name, aliases included.
pub(super) fn members<'py>(class: &Bound<'py, PyType>) -> PyResult<Option<Bound<'py, PyDict>>> {
    if !enum_class(class)? {
        return Ok(None);
    }
    let map = own(class, intern!(class.py(), "_member_map_"))?;
    Ok(map.map(Bound::cast_into::<PyDict>).transpose()?)
}

/// Where `class` can be imported from, if it can.
pub(crate) fn reference<'py>(class: &Bound<'py, PyType>) -> PyResult<Option<Reference<'py>>> {
    let py = class.py();
    let module = match odd::stated(class, intern!(py, "__module__")) {
        Ok(module) => module,
        // It does not say where it is from.
        Err(error) if error.is_instance_of::<PyException>(py) => return Ok(None),
        Err(error) => return Err(error),
    };
    policy::reference(class.as_any(), &module, crate::ffi::class::qualname(class)?.as_any())
}

/// What becomes of something in the namespace of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It is an item of the namespace that travels.
    Given,
    /// A descriptor that the making of the class puts there again.
    Descriptor,
    /// What is there follows from the rest, or is told by other parts.
    Ignored,
}

/// What becomes of `value`, which `class` has under `name`; `members` are those of an enumeration.
pub(super) fn entry<'py>(
    class: &Bound<'py, PyType>,
    members: Option<&Bound<'py, PyDict>>,
    name: &Bound<'py, PyAny>,
    value: &Bound<'py, PyAny>,
) -> PyResult<Entry> {
    let Ok(name) = name.cast::<PyString>() else { return Ok(Entry::Given) };
    let text = str_bytes(name)?;
    if REMADE.contains(&text.as_ref()) {
        return Ok(Entry::Ignored);
    }
    if kind(value) == Kind::Other {
        let slot = holder(value) == Holder::Slot;
        // Since 3.15 all classes share these two descriptors.
        if slot && matches!(text.as_ref(), b"__dict__" | b"__weakref__") || is_made_by_type(class, name, value)? {
            return Ok(if slot { Entry::Descriptor } else { Entry::Ignored });
        }
    }
    let told = members.is_some() && ENUM_TABLES.contains(&text.as_ref()) || is_member(members, name)?;
    Ok(if told { Entry::Ignored } else { Entry::Given })
}

/// What fills `class` once it has been made: the members of an enumeration, registered subclasses.
pub(super) fn fills<'py>(class: &Bound<'py, PyType>, members: Option<&Bound<'py, PyDict>>) -> PyResult<Vec<Fill<'py>>> {
    let mut fills = Vec::new();
    if let Some(members) = members {
        fills.extend(members_of(class, members)?);
    }
    fills.extend(registered(class)?);
    Ok(fills)
}

/// Describes `class`, known by `key`.
pub(crate) fn reduce<'py>(class: &Bound<'py, PyType>, key: &Bound<'py, PyString>) -> PyResult<Reduction<'py>> {
    let py = class.py();
    let namespace = namespace(class)?;
    let members = members(class)?;
    let Body { mut entries, statement, class_dict_cell, class_cell } = body(class, &namespace, members.as_ref())?;
    let Keywords { given, hooked } = keywords(class)?;
    // Hooks that the class statement ran must not see what came later.
    let statement = statement.filter(|it| hooked && *it < entries.len());
    let changes = changes(class, key, &entries)?;
    let mut cells = Vec::new();
    if let Some(cell) = class_dict_cell {
        cells.push((intern!(py, "__classdictcell__").clone(), Part::Cell(cell)));
    }
    if let Some(cell) = class_cell {
        cells.push((intern!(py, "__classcell__").clone(), Part::Cell(cell)));
    }
    let at = statement.unwrap_or(entries.len());
    let statement = statement.map(|it| it + cells.len());
    entries.splice(at..at, cells);
    let bases = class.getattr(intern!(py, "__bases__"))?.cast_into::<PyTuple>()?;
    let mut args = vec![
        Part::Text(key.clone()),
        Part::Object(class.get_type().into_any()),
        Part::Text(class.getattr(intern!(py, "__name__"))?.cast_into()?),
        Part::Tuple(bases.len()),
    ];
    args.extend(bases.iter().map(Part::Object));
    args.push(Part::Entries(entries));
    args.push(given.map_or(Part::None, Part::Entries));
    if statement.is_some() || !changes.is_empty() {
        args.push(statement.map_or(Part::None, |it| Part::Int(it as i64)));
    }
    if !changes.is_empty() {
        args.push(Part::Entries(changes.into_iter().map(|(name, number)| (name, Part::Int(number))).collect()));
    }
    Ok(Reduction { make: Wire::Class, args, fills: fills(class, members.as_ref())? })
}

/// The value of `__slots__` that makes the same slots again: an iterator has been used up by the first time.
fn slots<'py>(
    class: &Bound<'py, PyType>,
    value: Bound<'py, PyAny>,
    namespace: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    if !value.try_iter().is_ok_and(|it| it.is(&value)) {
        return Ok(value);
    }
    let mut names = Vec::new();
    for (name, slot) in namespace.iter() {
        if holder(&slot) == Holder::Slot && is_made_by_type(class, name.cast()?, &slot)? {
            names.push(name);
        }
    }
    Ok(PyTuple::new(class.py(), names)?.into_any())
}

/// The cell through which methods see their class, if `value` is one or holds one.
fn cell_of_class<'py>(
    class: &Bound<'py, PyType>,
    value_kind: Kind,
    value: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = value.py();
    let function = match (value_kind, holder(value)) {
        (Kind::Function, _) => value.clone(),
        (Kind::Other, Holder::ClassMethod | Holder::StaticMethod) => value.getattr(intern!(py, "__func__"))?,
        (Kind::Other, Holder::Property) => value.getattr(intern!(py, "fget"))?,
        _ => return Ok(None),
    };
    let Some(view) = function_view(&function) else { return Ok(None) };
    let Some(closure) = view.closure else { return Ok(None) };
    let names = view.code.getattr(intern!(py, "co_freevars"))?.cast_into::<PyTuple>()?;
    for (name, cell) in names.iter_borrowed().zip(closure.iter()) {
        // A decorator may have put another class in the place of the one that the methods know.
        if name.eq(intern!(py, "__class__"))? && cell_content(&cell)?.is_some_and(|it| it.is(class)) {
            return Ok(Some(cell));
        }
    }
    Ok(None)
}

fn qualname<'py>(class: &Bound<'py, PyType>) -> PyResult<(Bound<'py, PyString>, Part<'py>)> {
    Ok((intern!(class.py(), "__qualname__").clone(), Part::Text(crate::ffi::class::qualname(class)?)))
}

/// Descriptors that `type.__new__` puts in for `__slots__`, and the metaclass of a ctypes structure for its `_fields_`.
fn is_made_by_type(class: &Bound<'_, PyType>, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = class.py();
    match holder(value) {
        // Under another name it has been put there by someone.
        Holder::Slot => Ok(value.getattr(intern!(py, "__objclass__"))?.is(class)
            && value.getattr(intern!(py, "__name__"))?.eq(name)?),
        Holder::Native => Ok(name == "from_param" && value.getattr(intern!(py, "__objclass__"))?.is(class)),
        Holder::Other => Ok(value.get_type().name()?.to_str()? == "CField"),
        _ => Ok(false),
    }
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

/// Virtual subclasses of an abstract base class.
fn registered<'py>(class: &Bound<'py, PyType>) -> PyResult<Option<Fill<'py>>> {
    let py = class.py();
    if own(class, intern!(py, "_abc_impl"))?.is_none() {
        return Ok(None);
    }
    let registry =
        policy::library(intern!(py, "_abc"))?.getattr(intern!(py, "_get_dump"))?.call1((class,))?.get_item(0)?;
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
