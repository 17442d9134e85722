//! By reference or by value: the decision, as data.
//!
//! An object travels by reference when the module and qualname it states lead, here and now, to this very object, and the
//! module can be imported elsewhere: it is not `__main__`, it was not made at run time, it was not registered to travel by
//! value, and the import system finds it under its name. Everything else travels by value, so that a shadowed or
//! patched function never silently turns into its namesake. To find out, a module of a package that is loaded may be
//! imported.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString, PyWeakrefReference};

use crate::choices::{self, Globals, LocalModules};
use crate::ffi::access::{attribute, dict_get, str_bytes};
use crate::ffi::class::own;
use crate::ffi::modules;
use crate::state::{State, state};

/// Where an object can be found by name.
pub(crate) struct Reference<'py> {
    pub(crate) module: Bound<'py, PyString>,
    pub(crate) name: Bound<'py, PyString>,
}

/// Whether `name` is the running script, under whichever of its names.
pub(crate) fn is_main(name: &[u8]) -> bool {
    name == b"__main__" || name == b"__mp_main__"
}

/// The module called `name` if it is loaded.
#[inline]
pub(crate) fn loaded<'py>(py: Python<'py>, name: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(dict_get(&modules(py)?, name)?.filter(|module| !module.is_none()))
}

/// What `qualname` leads to from `module`, or `None` when it leads nowhere.
pub(crate) fn resolve<'py>(
    module: &Bound<'py, PyAny>,
    qualname: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let name = str_bytes(qualname)?;
    if !name.contains(&b'.') {
        return held(module, qualname);
    }
    let mut at = module.clone();
    for part in parts_of(qualname, &name).iter() {
        let Some(part) = part else { return Ok(None) };
        match held(&at, part.bind(module.py()))? {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// The attribute `name` of `holder`, a module or a class in it.
#[inline]
fn held<'py>(holder: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Ok(module) = holder.cast_exact::<PyModule>() {
        let dict = module.dict();
        if let Some(found) = dict_get(&dict, name)? {
            return Ok(Some(found));
        }
        // The lookup would make an error only to drop it.
        if dict_get(&dict, intern!(dict.py(), "__getattr__"))?.is_none() && !of_every_module(name)? {
            return Ok(None);
        }
    }
    attribute(holder, name)
}

/// A module of the standard library or of capers, imported if it is not loaded.
pub(crate) fn library<'py>(name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    match loaded(name.py(), name.as_any())? {
        Some(module) => Ok(module),
        None => Ok(name.py().import(name)?.into_any()),
    }
}

/// Whether all modules have an attribute `name` by their type.
fn of_every_module(name: &Bound<'_, PyString>) -> PyResult<bool> {
    let py = name.py();
    Ok(own(&py.get_type::<PyModule>(), name)?.is_some() || own(&py.get_type::<PyAny>(), name)?.is_some())
}

/// The parts of a dotted name, `None` for a place inside a function.
type Parts = Arc<[Option<Py<PyString>>]>;
/// Dotted names by address, each kept with its parts.
type Names = HashMap<usize, (Py<PyString>, Parts)>;

/// The parts of `qualname`, whose text is `name`. They are kept: the same names are resolved over and over.
fn parts_of(qualname: &Bound<'_, PyString>, name: &[u8]) -> Parts {
    static KNOWN: Mutex<Option<Names>> = Mutex::new(None);
    const MOST: usize = 4096;
    let (py, address) = (qualname.py(), qualname.as_ptr() as usize);
    if let Ok(known) = KNOWN.try_lock()
        && let Some((_, parts)) = known.as_ref().and_then(|known| known.get(&address))
    {
        return Arc::clone(parts);
    }
    let part = |part: &[u8]| {
        (part != b"<locals>").then(|| PyString::intern(py, String::from_utf8_lossy(part).as_ref()).unbind())
    };
    let parts: Parts = name.split(|byte| *byte == b'.').map(part).collect();
    if let Ok(mut known) = KNOWN.try_lock() {
        let known = known.get_or_insert_with(HashMap::new);
        if known.len() < MOST {
            known.insert(address, (qualname.clone().unbind(), Arc::clone(&parts)));
        }
    }
    parts
}

/// Decides about a function or class that states `module` and `qualname`: a reference, or `None` for by value.
pub(crate) fn reference<'py>(
    object: &Bound<'py, PyAny>,
    module: &Bound<'py, PyAny>,
    qualname: &Bound<'py, PyAny>,
) -> PyResult<Option<Reference<'py>>> {
    let py = object.py();
    let (Ok(module_name), Ok(qualname)) = (module.cast::<PyString>(), qualname.cast::<PyString>()) else {
        return Ok(None);
    };
    if is_main(&str_bytes(module_name)?) {
        return Ok(None);
    }
    let module = match loaded(py, module)? {
        Some(module) => module,
        None => match not_yet_loaded(module_name)? {
            Some(module) => module,
            None => return Ok(None),
        },
    };
    let mut name = qualname.clone();
    match resolve(&module, qualname)? {
        Some(found) if found.is(object) => {}
        Some(_) => return Ok(None),
        None => match mangled(qualname) {
            Some(mangled) if resolve(&module, &mangled)?.is_some_and(|it| it.is(object)) => name = mangled,
            _ => return Ok(None),
        },
    }
    if !importable(module_name, &module)? {
        return Ok(None);
    }
    Ok(Some(Reference { module: module_name.clone(), name }))
}

/// A module that an object states as its own though nothing has loaded it: libraries hide where a class is made. It is imported,
/// as `pickle` does, if it belongs to a package that is loaded; importing anything else to find out may run what nobody
/// asked for. Where that fails, there is no such module.
#[cold]
fn not_yet_loaded<'py>(name: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = name.py();
    let text = name.to_string_lossy();
    let Some((parent, last)) = text.rsplit_once('.') else { return Ok(None) };
    let parent = PyString::new(py, parent);
    let Some(package) = loaded(py, parent.as_any())? else { return Ok(None) };
    if last == "__main__" || !package.hasattr(intern!(py, "__path__"))? || !importable(&parent, &package)? {
        return Ok(None);
    }
    match py.import(name) {
        Ok(_) => loaded(py, name.as_any()),
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyException>(py) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `qualname` with its private parts as the compiler mangles them, if it has any.
pub(crate) fn mangled<'py>(qualname: &Bound<'py, PyString>) -> Option<Bound<'py, PyString>> {
    let text = qualname.to_string_lossy();
    if !text.contains(".__") {
        return None;
    }
    let mut mangled = String::with_capacity(text.len() + 16);
    let mut class = "";
    for (at, part) in text.split('.').enumerate() {
        let class_name = class.trim_start_matches('_');
        if at > 0 {
            mangled.push('.');
            if part.starts_with("__") && !part.ends_with("__") && !class_name.is_empty() {
                mangled.push('_');
                mangled.push_str(class_name);
            }
        }
        mangled.push_str(part);
        class = part;
    }
    Some(PyString::new(qualname.py(), &mangled))
}

/// Whether `module`, loaded under `name`, will be found by an import of `name` in another process.
pub(crate) fn importable(name: &Bound<'_, PyString>, module: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = name.py();
    let state = state(py)?;
    let name_bytes = str_bytes(name)?;
    if is_main(&name_bytes) || registered(state, &name_bytes) || choices::is_by_value(&name_bytes) {
        return Ok(false);
    }
    if choices::is_local(module)? {
        return Ok(false);
    }
    let address = module.as_ptr() as usize;
    if let Ok(known) = state.importable.lock()
        && let Some((_, weak, verdict)) =
            known.get(&address).and_then(|names| names.iter().find(|it| it.0 == *name_bytes))
        && weak.bind(py).cast::<PyWeakrefReference>().is_ok_and(|it| it.upgrade().is_some_and(|it| it.is(module)))
    {
        return Ok(*verdict);
    }
    let verdict = findable(name, module)?;
    if let Ok(weak) = PyWeakrefReference::new(module)
        && let Ok(mut known) = state.importable.lock()
    {
        if known.len() > 10_000 {
            let lives = |weak: &Py<PyAny>| weak.bind(py).call0().is_ok_and(|it| !it.is_none());
            known.retain(|_, names| names.iter().any(|(_, weak, _)| lives(weak)));
        }
        let names = known.entry(address).or_default();
        names.retain(|(it, ..)| *it != *name_bytes);
        names.push((name_bytes.to_vec(), weak.into_any().unbind(), verdict));
    }
    Ok(verdict)
}

/// Whether a module of this name belongs to the standard library.
pub(crate) fn is_standard(module: &Bound<'_, PyString>) -> PyResult<bool> {
    let py = module.py();
    let text = module.to_string_lossy();
    state(py)?.stdlib.bind(py).contains(text.split('.').next().unwrap_or_default())
}

/// Asks the import system for `name` as if it were not loaded.
fn findable(name: &Bound<'_, PyString>, module: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = name.py();
    let Some(spec) = module.getattr_opt(intern!(py, "__spec__"))? else { return Ok(false) };
    if spec.is_none() {
        return Ok(false);
    }
    if is_standard(name)? {
        return Ok(true);
    }
    let text = name.to_string_lossy();
    let path = match text.rsplit_once('.') {
        None => py.None().into_bound(py),
        Some((parent, _)) => match loaded(py, PyString::new(py, parent).as_any())? {
            None => return Ok(false),
            Some(package) => match package.getattr_opt(intern!(py, "__path__"))? {
                // A module put under a dotted name by a parent that is no package (six.moves, os.path): trust the parent.
                None => return importable(&PyString::new(py, parent), &package),
                Some(path) => path,
            },
        },
    };
    for finder in py.import("sys")?.getattr(intern!(py, "meta_path"))?.try_iter()? {
        let finder = finder?;
        let Some(find_spec) = finder.getattr_opt(intern!(py, "find_spec"))? else { continue };
        let found = match find_spec.call1((name, &path, py.None())) {
            Ok(found) => found,
            // A finder that fails finds nothing; the question here is only whether one of them does.
            Err(error) if error.is_instance_of::<pyo3::exceptions::PyException>(py) => continue,
            Err(error) => return Err(error),
        };
        if found.is_none() {
            continue;
        }
        // The same origin is the same module; a loader without origins is taken at its word.
        let theirs = found.getattr_opt(intern!(py, "origin"))?;
        let ours = spec.getattr_opt(intern!(py, "origin"))?;
        return match (ours, theirs) {
            (Some(ours), Some(theirs)) => ours.eq(theirs),
            _ => Ok(true),
        };
    }
    Ok(false)
}

/// Whether a function over `globals` may be what its stated `module` offers elsewhere: it was made in that module, or by a
/// decorator or factory of another importable one. A function of the script that was put into a library's module, name and
/// all, is not what an import will find there.
pub(crate) fn at_home(globals: &Bound<'_, PyDict>, module: &Bound<'_, PyAny>) -> PyResult<bool> {
    if let Some(loaded) = loaded(globals.py(), module)?
        && loaded.cast_exact::<PyModule>().is_ok_and(|it| it.dict().is(globals))
    {
        return Ok(true);
    }
    match dict_get(globals, intern!(globals.py(), "__name__").as_any())? {
        // Namespaces without a name belong to code generators (dataclasses, namedtuple): trust the stated module.
        None => Ok(true),
        Some(name) => match (name.cast::<PyString>(), loaded(globals.py(), &name)?) {
            (Ok(name), Some(maker)) => importable(name, &maker),
            (Ok(name), None) => Ok(!is_main(&str_bytes(name)?)),
            (Err(_), _) => Ok(true),
        },
    }
}

/// The module whose namespace `globals` is, and where a function finds it when it arrives: an importable one, unless the
/// caller chose otherwise.
pub(crate) fn module_of<'py>(globals: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyString>>> {
    let py = globals.py();
    let Some(name) = dict_get(globals, intern!(py, "__name__").as_any())? else { return Ok(None) };
    let Ok(text) = name.cast::<PyString>() else { return Ok(None) };
    let chosen = choices::globals();
    let main = is_main(&str_bytes(text)?);
    if chosen == Globals::Copy || main && chosen != Globals::Live {
        return Ok(None);
    }
    let Some(module) = loaded(py, &name)? else { return Ok(None) };
    match module.cast::<PyModule>() {
        Ok(it) if it.dict().is(globals) => {
            Ok((chosen == Globals::Live || importable(text, &module)?).then(|| text.clone()))
        }
        _ => Ok(None),
    }
}

fn registered(state: &State, name: &[u8]) -> bool {
    let Ok(names) = state.by_value.lock() else { return false };
    if names.is_empty() {
        return false;
    }
    let name = String::from_utf8_lossy(name);
    let mut at: &str = &name;
    loop {
        if names.contains(at) {
            return true;
        }
        match at.rsplit_once('.') {
            Some((parent, _)) => at = parent,
            None => return false,
        }
    }
}

/// Lets functions and classes of `module` travel by value.
///
/// Arguments: the module object or its dotted name, or `LOCAL_MODULES` for all modules of the user's own. Modules below a
/// registered package are registered with it. Raises `TypeError` for anything else and `ValueError` for a module that is not
/// loaded.
#[pyfunction]
pub(crate) fn register_pickle_by_value(module: &Bound<'_, PyAny>) -> PyResult<()> {
    if module.is_instance_of::<LocalModules>() {
        choices::set_local(true);
        return Ok(());
    }
    let name = loaded_name(module, "register")?;
    if let Ok(mut names) = state(module.py())?.by_value.lock() {
        names.insert(name);
    }
    Ok(())
}

/// The name of `module`, given as itself or by its name, which must be loaded so that one can `act` on it.
pub(crate) fn loaded_name(module: &Bound<'_, PyAny>, act: &str) -> PyResult<String> {
    let name = module_name(module)?;
    if loaded(module.py(), name.as_any())?.is_none() {
        return Err(PyValueError::new_err(format!(
            "cannot {act} {}: no module of that name is loaded, import it first",
            module.repr()?
        )));
    }
    Ok(name.to_string_lossy().into_owned())
}

/// Takes back `register_pickle_by_value(module)`.
///
/// Arguments: the module object or its dotted name, or `LOCAL_MODULES`. Raises `ValueError` when it was not registered.
#[pyfunction]
pub(crate) fn unregister_pickle_by_value(module: &Bound<'_, PyAny>) -> PyResult<()> {
    let removed = if module.is_instance_of::<LocalModules>() {
        choices::set_local(false)
    } else {
        let name = module_name(module)?;
        state(module.py())?.by_value.lock().is_ok_and(|mut names| names.remove(name.to_string_lossy().as_ref()))
    };
    if removed {
        Ok(())
    } else {
        Err(PyValueError::new_err(format!(
            "cannot unregister {}: it is not registered to travel by value",
            module.repr()?
        )))
    }
}

/// Returns the set of the names of the modules registered by `register_pickle_by_value`; `'capers.LOCAL_MODULES'` stands for all of
/// the user's own.
#[pyfunction]
pub(crate) fn list_registry_pickle_by_value(py: Python<'_>) -> PyResult<std::collections::HashSet<String>> {
    let mut names = state(py)?.by_value.lock().map(|names| names.clone()).unwrap_or_default();
    if choices::local() {
        names.insert(String::from("capers.LOCAL_MODULES"));
    }
    Ok(names)
}

fn module_name<'py>(module: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    if let Ok(name) = module.cast::<PyString>() {
        return Ok(name.clone());
    }
    if module.is_instance_of::<PyModule>() {
        return Ok(module.getattr("__name__")?.cast_into()?);
    }
    Err(PyTypeError::new_err(format!("expected a module or its name, not {}", module.get_type().name()?)))
}
