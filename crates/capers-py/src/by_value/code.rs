//! What capers needs to know of a code object, worked out once and kept with it.
//!
//! The canonical marshal bytes come from `capers_code::marshal::Writer`; this module only walks the live constants and
//! says what stands where. The same walk collects the names that the code, nested code included, looks up, because both
//! need the de-specialised bytecode. Constants that are not plain immutable values (a user can put any object there with
//! `code.replace`) are left out of the bytes and travel as objects of their own.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, OnceLock};

use capers_code::marshal::{CodeHeader, Writer};
use capers_code::{NameUse, Version, scan};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyComplex, PyFloat, PyInt, PyList, PySlice, PyString, PyTuple};

use crate::ffi::access::{int_bytes, int_value, is_ascii, set_items, str_bytes, tuple_item};
use crate::ffi::code::{CodeView, code_bytes, code_view, get_extra, set_extra};
use crate::ffi::kind::{Kind, kind};
use crate::replay;

/// Bound on the nesting of constants and code objects, below the 1,000 to 2,000 levels that CPython's `marshal.loads` takes.
const MAX_NESTING: usize = 900;
/// Names by which code reaches globals that no instruction names.
const REFLECTIVE: [&str; 3] = ["globals", "eval", "exec"];
/// `CO_OPTIMIZED`: set for functions, clear for class bodies, whose stores go to the class.
const OPTIMIZED: i32 = 1;

/// What is kept with a code object.
#[derive(Debug)]
pub(crate) struct CodeInfo {
    /// Canonical marshal bytes.
    pub(crate) marshal: Vec<u8>,
    /// A number that stands for the bytes.
    pub(crate) digest: u64,
    /// Constants that are not in the bytes: their index in `co_consts` and they themselves.
    pub(crate) odd: Vec<(usize, Py<PyAny>)>,
    /// Names looked up as globals, nested code included, in order of appearance.
    pub(crate) globals: Vec<Py<PyString>>,
    /// Attribute names and string constants, by which submodules are reached; empty without globals or free variables.
    pub(crate) attributes: Vec<Py<PyString>>,
    /// String constants of code that calls `globals()` or the like and may name a global in one.
    pub(crate) hints: Vec<Py<PyString>>,
    /// What a payload of a function of this code in `__main__` begins with, once it has been written.
    pub(crate) opening: OnceLock<Vec<u8>>,
    /// The last payload of a function of this code and what it depends on.
    pub(crate) replay: Mutex<replay::Slot>,
}

enum Task<'py> {
    Value(Bound<'py, PyAny>, usize),
    Element(Bound<'py, PyAny>, usize),
    EndFrozenSet,
    /// The fields of a code object after its constants.
    CodeTail(Bound<'py, PyAny>),
}

thread_local! {
    static WRITER: RefCell<Option<Writer>> = const { RefCell::new(None) };
}

/// The version of the running interpreter.
pub(crate) fn running_version(py: Python<'_>) -> PyResult<Version> {
    static KEPT: PyOnceLock<Version> = PyOnceLock::new();
    if let Some(version) = KEPT.get(py) {
        return Ok(*version);
    }
    let info = py.version_info();
    let version = Version::new(info.major, info.minor)
        .ok_or_else(|| PyValueError::new_err(format!("capers does not know Python {}.{}", info.major, info.minor)))?;
    Ok(*KEPT.get_or_init(py, || version))
}

/// What is known of `code`, found out once for as long as it lives.
pub(crate) fn known(code: &Bound<'_, PyAny>) -> PyResult<Arc<CodeInfo>> {
    if let Some(info) = get_extra(code) {
        return Ok(info);
    }
    let info = Arc::new(describe(code)?);
    // Odd constants may lead back to the code object: keeping them with it would keep both alive for ever.
    if info.odd.is_empty() {
        set_extra(code, &info);
    }
    Ok(info)
}

/// Works out everything about `code`.
pub(crate) fn describe(code: &Bound<'_, PyAny>) -> PyResult<CodeInfo> {
    let version = running_version(code.py())?;
    let mut writer = WRITER
        .with(|kept| kept.try_borrow_mut().ok().and_then(|mut it| it.take()))
        .unwrap_or_else(|| Writer::new(version));
    writer.clear();
    let mut names = Names::default();
    let mut odd = Vec::new();
    let outcome = write_code(&mut writer, version, code, &mut names, &mut odd);
    let marshal = outcome.and_then(|()| writer.as_bytes().map(<[u8]>::to_vec).map_err(broken));
    WRITER.with(|kept| {
        if let Ok(mut slot) = kept.try_borrow_mut() {
            *slot = Some(writer);
        }
    });
    let reflective = names.globals.iter().any(|(_, name)| REFLECTIVE.iter().any(|it| name.to_string_lossy() == *it));
    let hints =
        if reflective { names.constants.iter().map(|(_, it)| it.clone().unbind()).collect() } else { Vec::new() };
    let mut attributes: Vec<_> = names.attributes.into_iter().map(|(_, it)| it.unbind()).collect();
    attributes.extend(names.constants.into_iter().map(|(_, it)| it.unbind()));
    let marshal = marshal?;
    let mut digest = DefaultHasher::new();
    digest.write(&marshal);
    Ok(CodeInfo {
        digest: digest.finish(),
        marshal,
        odd,
        globals: names.globals.into_iter().map(|(_, it)| it.unbind()).collect(),
        attributes,
        hints,
        opening: OnceLock::new(),
        replay: Mutex::default(),
    })
}

/// Names in order of appearance, each once. Names of code are interned, so identity tells them apart.
#[derive(Default)]
struct Names<'py> {
    globals: Vec<(usize, Bound<'py, PyString>)>,
    attributes: Vec<(usize, Bound<'py, PyString>)>,
    constants: Vec<(usize, Bound<'py, PyString>)>,
    seen: [std::collections::HashSet<usize>; 3],
}

impl<'py> Names<'py> {
    fn add(&mut self, list: usize, name: &Bound<'py, PyString>) {
        let into = match list {
            0 => &mut self.globals,
            1 => &mut self.attributes,
            _ => &mut self.constants,
        };
        let key = name.as_ptr() as usize;
        // A short list is searched faster than it is hashed.
        if into.len() < 16 {
            if into.iter().any(|(known, _)| *known == key) {
                return;
            }
        } else {
            let seen = &mut self.seen[list];
            if seen.is_empty() {
                seen.extend(into.iter().map(|(known, _)| *known));
            }
            if !seen.insert(key) {
                return;
            }
        }
        into.push((key, name.clone()));
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the argument of map_err")]
fn broken(error: capers_code::Error) -> PyErr {
    PyValueError::new_err(format!("cannot marshal this code object: {error}"))
}

fn write_code<'py>(
    writer: &mut Writer,
    version: Version,
    code: &Bound<'py, PyAny>,
    names: &mut Names<'py>,
    odd: &mut Vec<(usize, Py<PyAny>)>,
) -> PyResult<()> {
    let mut tasks = Vec::with_capacity(16);
    begin_code(writer, version, code, names, 0, Some(odd), &mut tasks)?;
    while let Some(task) = tasks.pop() {
        match task {
            Task::Element(value, depth) => {
                writer.element();
                write_value(writer, version, &value, names, depth, &mut tasks)?;
            }
            Task::Value(value, depth) => write_value(writer, version, &value, names, depth, &mut tasks)?,
            Task::EndFrozenSet => writer.end_frozenset(),
            Task::CodeTail(code) => end_code(writer, &code)?,
        }
    }
    Ok(())
}

fn begin_code<'py>(
    writer: &mut Writer,
    version: Version,
    code: &Bound<'py, PyAny>,
    names: &mut Names<'py>,
    depth: usize,
    odd: Option<&mut Vec<(usize, Py<PyAny>)>>,
    tasks: &mut Vec<Task<'py>>,
) -> PyResult<()> {
    let view = code_view(code)?;
    let bytecode = scan_names(version, code, &view, names)?;
    writer
        .begin_code(&CodeHeader {
            argcount: view.argcount,
            posonlyargcount: view.posonlyargcount,
            kwonlyargcount: view.kwonlyargcount,
            stacksize: view.stacksize,
            flags: view.flags,
        })
        .map_err(broken)?;
    writer.bytes(bytecode.as_bytes());
    let count = view.consts.len();
    writer.tuple(count).map_err(broken)?;
    tasks.push(Task::CodeTail(code.clone()));
    let first = tasks.len();
    let mut odd = odd;
    for index in 0..count {
        let Some(value) = tuple_item(&view.consts, index) else { continue };
        if let Some(odd) = odd.as_deref_mut()
            && !is_plain(&value)?
        {
            // The constants of a left-out code object still name globals that this one needs.
            collect_names(version, &value, names)?;
            odd.push((index, value.unbind()));
            tasks.push(Task::Value(code.py().None().into_bound(code.py()), depth));
            continue;
        }
        if kind(&value) == Kind::Str
            && let Ok(text) = value.cast::<PyString>()
        {
            names.add(2, text);
        }
        tasks.push(Task::Value(value, depth + 1));
    }
    tasks[first..].reverse();
    Ok(())
}

fn end_code(writer: &mut Writer, code: &Bound<'_, PyAny>) -> PyResult<()> {
    let view = code_view(code)?;
    for tuple in [&view.names, &view.localsplusnames] {
        writer.tuple(tuple.len()).map_err(broken)?;
        for name in tuple.iter_borrowed() {
            let name = name.cast::<PyString>()?;
            let bytes = str_bytes(&name)?;
            writer.name(&bytes, is_ascii(&name, &bytes));
        }
    }
    writer.bytes(view.localspluskinds.as_bytes());
    for text in [&view.filename, &view.name, &view.qualname] {
        let bytes = str_bytes(text)?;
        writer.str(&bytes, is_ascii(text, &bytes));
    }
    writer.raw_long(view.firstlineno);
    writer.bytes(view.linetable.as_bytes());
    writer.bytes(view.exceptiontable.as_bytes());
    Ok(())
}

fn write_value<'py>(
    writer: &mut Writer,
    version: Version,
    value: &Bound<'py, PyAny>,
    names: &mut Names<'py>,
    depth: usize,
    tasks: &mut Vec<Task<'py>>,
) -> PyResult<()> {
    if depth > MAX_NESTING {
        return Err(PyValueError::new_err("cannot marshal this code object: its constants are nested too deeply"));
    }
    match kind(value) {
        Kind::None => writer.none(),
        Kind::Bool if value.is_truthy()? => writer.true_(),
        Kind::Bool => writer.false_(),
        Kind::Int => write_int(writer, value.cast::<PyInt>()?)?,
        Kind::Float => writer.float(value.cast::<PyFloat>()?.value()),
        Kind::Str => {
            let text = value.cast::<PyString>()?;
            let bytes = str_bytes(text)?;
            writer.str(&bytes, is_ascii(text, &bytes));
        }
        Kind::Bytes => writer.bytes(value.cast::<PyBytes>()?.as_bytes()),
        Kind::Tuple => {
            let tuple = value.cast::<PyTuple>()?;
            writer.tuple(tuple.len()).map_err(broken)?;
            tasks.extend((0..tuple.len()).rev().filter_map(|i| Some(Task::Value(tuple_item(tuple, i)?, depth + 1))));
        }
        Kind::FrozenSet => {
            writer.begin_frozenset().map_err(broken)?;
            tasks.push(Task::EndFrozenSet);
            tasks.extend(set_items(value)?.into_iter().map(|item| Task::Element(item, depth + 1)));
        }
        Kind::Code => begin_code(writer, version, value, names, depth, None, tasks)?,
        _ => write_rare(writer, value, depth, tasks)?,
    }
    Ok(())
}

fn write_int(writer: &mut Writer, int: &Bound<'_, PyInt>) -> PyResult<()> {
    if let Some(small) = int_value(int) {
        writer.int64(small);
        return Ok(());
    }
    let negative = int.lt(0)?;
    let magnitude = int.call_method0("__abs__")?;
    writer.long_from_le_bytes(negative, &int_bytes(magnitude.cast::<PyInt>()?)?);
    Ok(())
}

#[cold]
fn write_rare<'py>(
    writer: &mut Writer,
    value: &Bound<'py, PyAny>,
    depth: usize,
    tasks: &mut Vec<Task<'py>>,
) -> PyResult<()> {
    if let Ok(complex) = value.cast_exact::<PyComplex>() {
        use pyo3::types::PyComplexMethods;
        writer.complex(complex.real(), complex.imag());
    } else if value.is(value.py().Ellipsis()) {
        writer.ellipsis();
    } else if value.is_instance_of::<PySlice>() {
        writer.slice().map_err(broken)?;
        for part in ["step", "stop", "start"] {
            tasks.push(Task::Value(value.getattr(part)?, depth + 1));
        }
    } else {
        return Err(PyValueError::new_err(format!(
            "cannot marshal this code object: a constant of type '{}'",
            value.get_type().name()?
        )));
    }
    Ok(())
}

/// Whether marshal can carry `value` without losing anything: an immutable constant through and through.
fn is_plain(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    match kind(value) {
        Kind::None | Kind::Bool | Kind::Int | Kind::Float | Kind::Str | Kind::Bytes => return Ok(true),
        _ => {}
    }
    let slices = value.py().version_info() >= (3, 14);
    let mut open = vec![value.clone()];
    while let Some(value) = open.pop() {
        match kind(&value) {
            Kind::None | Kind::Bool | Kind::Int | Kind::Float | Kind::Str | Kind::Bytes => {}
            Kind::Tuple => open.extend(value.cast::<PyTuple>()?.iter()),
            Kind::FrozenSet => open.extend(set_items(&value)?),
            Kind::Code => open.extend(code_view(&value)?.consts.iter()),
            Kind::Other if value.is(value.py().Ellipsis()) || value.cast_exact::<PyComplex>().is_ok() => {}
            Kind::Other if slices && value.is_instance_of::<PySlice>() => {
                for part in ["start", "stop", "step"] {
                    open.push(value.getattr(part)?);
                }
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Adds the names used by the code objects inside `value`.
fn collect_names<'py>(version: Version, value: &Bound<'py, PyAny>, names: &mut Names<'py>) -> PyResult<()> {
    let mut open = vec![value.clone()];
    while let Some(value) = open.pop() {
        match kind(&value) {
            Kind::Tuple => open.extend(value.cast::<PyTuple>()?.iter()),
            Kind::Code => {
                let view = code_view(&value)?;
                scan_names(version, &value, &view, names)?;
                open.extend(view.consts.iter());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Adds the names that `code` itself uses; returns its bytecode.
fn scan_names<'py>(
    version: Version,
    code: &Bound<'py, PyAny>,
    view: &CodeView<'py>,
    names: &mut Names<'py>,
) -> PyResult<Bound<'py, PyBytes>> {
    let bytecode = code_bytes(code)?;
    scan(version, bytecode.as_bytes(), |name_use, index| {
        let list = match name_use {
            NameUse::GlobalRead => 0,
            NameUse::GlobalWrite if view.flags & OPTIMIZED != 0 => 0,
            NameUse::Attribute => 1,
            NameUse::GlobalWrite | NameUse::Import => return,
        };
        if let Some(name) = tuple_item(&view.names, index as usize)
            && let Ok(name) = name.cast::<PyString>()
        {
            names.add(list, name);
        }
    });
    Ok(bytecode)
}

/// The constants of `info` that travel beside the bytes, as the flat tuple the wire constructor takes.
pub(crate) fn odd_constants<'py>(py: Python<'py>, info: &CodeInfo) -> PyResult<Bound<'py, PyTuple>> {
    let flat = PyList::empty(py);
    for (index, value) in &info.odd {
        flat.append(*index)?;
        flat.append(value)?;
    }
    Ok(flat.to_tuple())
}
