//! What a class or a type variable is by its definition: the bytes whose digest is its key.
//!
//! They depend on the class statement and on the plain values it reaches, and on nothing else: not on addresses, hash seeds or
//! the class's own history. Names, bases, code and atoms count in full; containers and instances count by their plain
//! content down to a small depth; of other classes and functions only what names them counts. Two classes that still look
//! alike are told apart by their order in the process, so a key need not be more than a good name.

use blake2::digest::consts::U16;
use blake2::{Blake2b, Digest};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyInt, PyString, PyTuple, PyType, PyWeakrefReference};

use super::code;
use crate::ffi::access::{cell_content, dict_get, set_items, str_bytes};
use crate::ffi::class::namespace;
use crate::ffi::function::{FunctionView, function_view};
use crate::ffi::kind::{Kind, kind};

/// Nesting of containers and instances that is looked into.
const MAX_DEPTH: usize = 4;
/// Items of a container that are looked at.
const MAX_ITEMS: usize = 200;

/// The key of a class or type variable: kept from its first journey, or the digest of the bytes that describe it.
pub(crate) fn key<'py>(
    object: &Bound<'py, PyAny>,
    describe: impl FnOnce() -> PyResult<Vec<u8>>,
) -> PyResult<Bound<'py, PyString>> {
    static KEYS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let py = object.py();
    // What `_rebuild._key_of` looks at: by address, a weak reference that tells whether it is still that object, and the key.
    let keys = KEYS.get_or_try_init(py, || table(py, "_keys"))?.bind(py);
    if let Some(known) = dict_get(keys, PyInt::new(py, object.as_ptr() as usize).as_any())?
        && let Ok(known) = known.cast_into_exact::<PyTuple>()
        && known.get_item(0)?.cast::<PyWeakrefReference>().is_ok_and(|it| it.upgrade().is_some_and(|it| it.is(object)))
    {
        return Ok(known.get_item(1)?.cast_into()?);
    }
    let rebuild = py.import(intern!(py, "capers._rebuild"))?;
    let key = format!("{:x}", Blake2b::<U16>::digest(describe()?));
    Ok(rebuild.getattr(intern!(py, "_name"))?.call1((object, key))?.cast_into()?)
}

/// A table of this process that `_rebuild` keeps.
pub(super) fn table(py: Python<'_>, name: &str) -> PyResult<Py<PyDict>> {
    Ok(py.import(intern!(py, "capers._rebuild"))?.getattr(name)?.cast_into::<PyDict>()?.unbind())
}

/// The bytes that stand for a type variable: its name and module, and what else it was made with.
pub(crate) fn describe_variable<'py>(
    object: &Bound<'py, PyAny>,
    parts: impl Iterator<Item = (&'static str, Option<Bound<'py, PyAny>>)>,
) -> PyResult<Vec<u8>> {
    let mut out = Vec::with_capacity(256);
    name_class(&object.get_type(), &mut out)?;
    for (name, value) in parts {
        write(&mut out, b'n', name.as_bytes());
        if let Some(value) = value {
            token(&value, MAX_DEPTH, &mut out)?;
        }
    }
    Ok(out)
}

/// The bytes that stand for the definition of `class`.
pub(crate) fn describe(class: &Bound<'_, PyType>) -> PyResult<Vec<u8>> {
    let mut out = Vec::with_capacity(1024);
    name_class(class, &mut out)?;
    name_class(&class.get_type(), &mut out)?;
    for base in class.getattr(intern!(class.py(), "__bases__"))?.cast::<PyTuple>()?.iter() {
        name_class(base.cast()?, &mut out)?;
    }
    for (name, value) in namespace(class)?.iter() {
        if super::class::is_remade(&name)? {
            continue;
        }
        write(&mut out, b'n', name.str()?.to_string_lossy().as_bytes());
        token(&value, MAX_DEPTH, &mut out)?;
    }
    Ok(out)
}

fn write(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&(content.len() as u64).to_le_bytes());
    out.extend_from_slice(content);
}

fn name_class(class: &Bound<'_, PyType>, out: &mut Vec<u8>) -> PyResult<()> {
    let py = class.py();
    let of_type = py.get_type::<PyType>().getattr(intern!(py, "__getattribute__"))?;
    for name in [intern!(py, "__module__"), intern!(py, "__qualname__")] {
        let text = match of_type.call1((class, name)) {
            Ok(value) => value.str()?.to_string_lossy().into_owned(),
            // A class without a module is named by its qualname alone.
            Err(error) if error.is_instance_of::<pyo3::exceptions::PyAttributeError>(py) => String::new(),
            Err(error) => return Err(error),
        };
        write(out, b'c', text.as_bytes());
    }
    Ok(())
}

fn token(value: &Bound<'_, PyAny>, depth: usize, out: &mut Vec<u8>) -> PyResult<()> {
    match kind(value) {
        Kind::None => out.push(b'0'),
        Kind::Bool | Kind::Int | Kind::Float => write(out, b'a', value.repr()?.to_string_lossy().as_bytes()),
        Kind::Str => write(out, b's', &str_bytes(value.cast::<PyString>()?)?),
        Kind::Bytes => write(out, b'b', value.cast::<PyBytes>()?.as_bytes()),
        Kind::Type => name_class(value.cast()?, out)?,
        Kind::Function => {
            if let Some(view) = function_view(value) {
                function(&view, depth, out)?;
            }
        }
        Kind::Module => {
            write(out, b'm', value.getattr(intern!(value.py(), "__name__"))?.str()?.to_string_lossy().as_bytes());
        }
        kind @ (Kind::Tuple | Kind::List | Kind::Set | Kind::FrozenSet) => {
            write(out, b'l', &(value.len()? as u64).to_le_bytes());
            if depth > 0 {
                let mut tokens = Vec::new();
                for item in set_items(value)?.iter().take(MAX_ITEMS) {
                    let mut each = Vec::new();
                    token(item, depth - 1, &mut each)?;
                    tokens.push(each);
                }
                if matches!(kind, Kind::Set | Kind::FrozenSet) {
                    tokens.sort_unstable();
                }
                out.extend(tokens.concat());
            }
        }
        Kind::Dict => dict(value.cast()?, depth, out)?,
        _ => other(value, depth, out)?,
    }
    Ok(())
}

fn dict(dict: &Bound<'_, PyDict>, depth: usize, out: &mut Vec<u8>) -> PyResult<()> {
    write(out, b'd', &(dict.len() as u64).to_le_bytes());
    if depth > 0 {
        for (key, value) in dict.iter().take(MAX_ITEMS) {
            token(&key, depth - 1, out)?;
            token(&value, depth - 1, out)?;
        }
    }
    Ok(())
}

/// The code of a function, its defaults and the plain values that it reaches.
fn function(view: &FunctionView<'_>, depth: usize, out: &mut Vec<u8>) -> PyResult<()> {
    let py = view.code.py();
    let info = code::known(&view.code)?;
    write(out, b'f', &info.marshal);
    if depth == 0 {
        return Ok(());
    }
    if let Some(defaults) = &view.defaults {
        token(defaults.as_any(), depth - 1, out)?;
    }
    for cell in view.closure.iter().flat_map(pyo3::types::PyTupleMethods::iter) {
        if let Some(content) = cell_content(&cell)? {
            shallow(&content, depth, out)?;
        }
    }
    for name in &info.globals {
        if let Some(value) = dict_get(&view.globals, name.bind(py).as_any())? {
            shallow(&value, depth, out)?;
        }
    }
    Ok(())
}

/// A value that a function reaches: functions by their code alone, or mutual recursion would never end.
fn shallow(value: &Bound<'_, PyAny>, depth: usize, out: &mut Vec<u8>) -> PyResult<()> {
    let depth = if kind(value) == Kind::Function { 0 } else { depth - 1 };
    token(value, depth, out)
}

/// Descriptors by the functions in them, other instances by class and plain attributes.
fn other(value: &Bound<'_, PyAny>, depth: usize, out: &mut Vec<u8>) -> PyResult<()> {
    let py = value.py();
    let class = value.get_type();
    name_class(&class, out)?;
    if depth == 0 {
        return Ok(());
    }
    match class.name()?.to_str()? {
        "classmethod" | "staticmethod" => {
            token(&value.getattr(intern!(py, "__func__"))?, depth - 1, out)?;
        }
        "property" => {
            for part in ["fget", "fset", "fdel"] {
                token(&value.getattr(part)?, depth - 1, out)?;
            }
        }
        _ => {
            let lookup = py.get_type::<PyAny>().getattr(intern!(py, "__getattribute__"))?;
            if let Ok(attributes) = lookup.call1((value, intern!(py, "__dict__")))
                && let Ok(attributes) = attributes.cast::<PyDict>()
            {
                dict(attributes, depth - 1, out)?;
            }
        }
    }
    Ok(())
}
