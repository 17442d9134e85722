//! Names instead of content: globals, the extension registry and the wire names of capers.

use std::borrow::Cow;

use capers_pickle::Op;
use pyo3::exceptions::{PyAttributeError, PyImportError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple, PyType};

use super::complaint::TELLS_MORE;
use super::{Begun, Dumper, complaint};
use crate::by_value::function;
use crate::ffi::access::{dict_get, str_bytes};
use crate::ffi::function::{FunctionNames, function_names};
use crate::ffi::make::type_name;
use crate::ffi::modules;
use crate::policy::{self, Reference};
use crate::wire::Wire;

impl<'py> Dumper<'py> {
    /// Writes a wire name, in full the first time.
    pub(super) fn write_wire(&mut self, wire: Wire) {
        if let Some(index) = self.memo.wire(wire) {
            self.writer.get(index);
            return;
        }
        let (module, name) = wire.names();
        if self.writer.protocol() >= 4 {
            match self.memo.wire_module(module) {
                Some(index) => self.writer.get(index),
                None => {
                    self.writer.str_header(module.len());
                    self.writer.payload(module.as_bytes());
                    let index = self.memo.put_wire_module(module);
                    self.writer.memoize(index);
                }
            }
            self.writer.str_header(name.len());
            self.writer.payload(name.as_bytes());
            self.writer.op(Op::StackGlobal);
        } else {
            self.writer.global(module.as_bytes(), name.as_bytes());
        }
        let index = self.memo.put_wire(wire);
        self.writer.memoize(index);
    }

    pub(super) fn begin_function(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        let Some(FunctionNames { module, qualname, globals }) = function_names(object) else {
            return self.begin_global(object, None);
        };
        if let Some(reference) = function::reference(object, module.as_ref(), &qualname, &globals)? {
            self.spoil();
            return self.begin_reference(object, &reference);
        }
        self.begin_function_by_value(object)
    }

    /// Writes `object` as the name it was found under.
    pub(super) fn begin_reference(
        &mut self,
        object: &Bound<'py, PyAny>,
        reference: &Reference<'py>,
    ) -> PyResult<Begun<'py>> {
        if self.ledger.is_some() {
            self.note_reference(object);
        }
        if self.writer.protocol() >= 2 && self.write_extension(object, &reference.module, &reference.name)? {
            return Ok(Begun::Done);
        }
        if self.writer.protocol() >= 4 {
            self.write_global_text(&reference.module)?;
            self.write_global_text(&reference.name)?;
            self.writer.op(Op::StackGlobal);
            self.memoize(object);
            return Ok(Begun::Done);
        }
        self.begin_old_global(object, &reference.module, &reference.name)
    }

    /// Names of globals are memoized by identity, as the C pickler does it for its `str` objects.
    fn write_global_text(&mut self, text: &Bound<'py, PyString>) -> PyResult<()> {
        match self.memo.get(text.as_any()) {
            Some(index) => {
                self.writer.get(index);
                Ok(())
            }
            None => self.write_str(text),
        }
    }

    fn write_extension(
        &mut self,
        object: &Bound<'py, PyAny>,
        module: &Bound<'py, PyString>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<bool> {
        let registry = self.state.extension_registry.bind(self.py);
        if registry.is_empty() {
            return Ok(false);
        }
        let Some(code) = registry.get_item((module, name))? else { return Ok(false) };
        let code = self.extension_code(object, &code)?;
        self.writer.ext(code);
        Ok(true)
    }

    fn extension_code(&self, object: &Bound<'py, PyAny>, code: &Bound<'py, PyAny>) -> PyResult<u32> {
        const LARGEST: i64 = 0x7fff_ffff;
        if cfg!(not(Py_3_13)) && !code.is_instance_of::<PyInt>() {
            return Err(self.pickling_error(complaint::no_extension_code(object, code)?));
        }
        let number = code.extract::<i64>()?;
        if (1..=LARGEST).contains(&number) {
            return Ok(number as u32);
        }
        Err(if cfg!(Py_3_13) {
            PyRuntimeError::new_err(format!("extension code {number} is out of range"))
        } else {
            self.pickling_error(complaint::bad_extension_code(object, number)?)
        })
    }

    /// A global before protocol 4: two lines of text; a dotted name is reached by `getattr`.
    fn begin_old_global(
        &mut self,
        object: &Bound<'py, PyAny>,
        module: &Bound<'py, PyString>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Begun<'py>> {
        let text = name.to_string_lossy().into_owned();
        let Some((parents, last)) = text.rsplit_once('.') else {
            self.write_global_lines(module, name)?;
            self.memoize(object);
            return Ok(Begun::Done);
        };
        let builtins = modules(self.py)?.get_item(intern!(self.py, "builtins"))?;
        let getattr = builtins.ok_or_else(|| PyTypeError::new_err("builtins is not loaded"))?.getattr("getattr")?;
        if cfg!(Py_3_13) {
            // One call inside the other, none of the steps memoized (`save_global` in `_pickle.c` from 3.13 on).
            let mut parts = text.split('.');
            let first = PyString::new(self.py, parts.next().unwrap_or_default());
            for _ in parts.clone() {
                self.begin(&getattr)?;
                self.writer.tuple_begin(2);
            }
            self.write_global_lines(module, &first)?;
            for part in parts {
                self.begin(PyString::new(self.py, part).as_any())?;
                self.writer.tuple_end(2);
                self.writer.op(Op::Reduce);
            }
            self.memoize(object);
            return Ok(Begun::Done);
        }
        let holder = policy::loaded(self.py, module.as_any())?
            .map(|it| policy::resolve(&it, &PyString::new(self.py, parents)))
            .transpose()?
            .flatten();
        let Some(holder) = holder else {
            return Err(self.not_found(object, module.as_any(), name, None)?);
        };
        let args = PyTuple::new(self.py, [holder, PyString::new(self.py, last).into_any()])?;
        self.begin_call(object, getattr, args)
    }

    /// Writes `GLOBAL`, under the names of Python 2 where asked to.
    fn write_global_lines(&mut self, module: &Bound<'py, PyString>, name: &Bound<'py, PyString>) -> PyResult<()> {
        let (mut module, mut name) = (module.clone(), name.clone());
        if self.settings.fix_imports && self.writer.protocol() < 3 {
            let names = self.state.reverse_names.bind(self.py);
            let imports = self.state.reverse_imports.bind(self.py);
            if let Some(old) = names.get_item((&module, &name))? {
                let Some(pair) = old.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2) else {
                    return Err(complaint::odd_mapping("REVERSE_NAME_MAPPING", "values should be 2-tuples", &[&old]));
                };
                let (old_module, old_name) = (pair.get_item(0)?, pair.get_item(1)?);
                let (Ok(old_module), Ok(old_name)) = (old_module.cast::<PyString>(), old_name.cast::<PyString>())
                else {
                    let parts = [&old_module, &old_name];
                    return Err(complaint::odd_mapping(
                        "REVERSE_NAME_MAPPING",
                        "values should be pairs of str",
                        &parts,
                    ));
                };
                (module, name) = (old_module.clone(), old_name.clone());
            } else if let Some(old) = imports.get_item(&module)? {
                module = old.cast_into().map_err(|error| {
                    complaint::odd_mapping("REVERSE_IMPORT_MAPPING", "values should be strings", &[&error.into_inner()])
                })?;
            }
        }
        let (module_bytes, name_bytes) = (self.identifier(&module, "module")?, self.identifier(&name, "global")?);
        self.writer.global(&module_bytes, &name_bytes);
        Ok(())
    }

    /// A name as a line of `GLOBAL`: ASCII, and from protocol 3 on UTF-8 without surrogates.
    fn identifier<'a>(&self, name: &'a Bound<'py, PyString>, what: &str) -> PyResult<Cow<'a, [u8]>> {
        let bytes = str_bytes(name)?;
        if bytes.is_ascii() || self.writer.protocol() >= 3 && str::from_utf8(&bytes).is_ok() {
            return Ok(bytes);
        }
        let protocol = self.writer.protocol();
        let error = self.pickling_error(complaint::bad_identifier(what, name, protocol)?);
        let encoding = if protocol >= 3 { "utf-8" } else { "ascii" };
        Err(match name.call_method1(intern!(self.py, "encode"), (encoding,)) {
            Ok(_) => error,
            Err(cause) => self.because(error, &cause),
        })
    }

    /// Writes `object` as a global, as `pickle` does: by `name` or its own qualname, in its own module or the first one
    /// found to hold it. Raises what `pickle` raises when the name does not lead back to the object.
    pub(super) fn begin_global(
        &mut self,
        object: &Bound<'py, PyAny>,
        name: Option<&Bound<'py, PyString>>,
    ) -> PyResult<Begun<'py>> {
        let py = self.py;
        let name = match name {
            Some(name) => name.clone().into_any(),
            None => match object.getattr_opt(intern!(py, "__qualname__"))? {
                Some(name) => name,
                None => object.getattr(intern!(py, "__name__"))?,
            },
        };
        let name = match name.cast::<PyString>() {
            // Private names have been mangled since 3.15.
            Ok(name) if cfg!(Py_3_15) => policy::mangled(name).unwrap_or_else(|| name.clone()),
            Ok(name) => name.clone(),
            Err(_) => return Err(PyTypeError::new_err(format!("must be str, not {:.100}", type_name(&name)))),
        };
        if str_bytes(&name)?.split(|byte| *byte == b'.').any(|part| part == b"<locals>") {
            let text = complaint::local_object(object, &name)?;
            return Err(if TELLS_MORE { self.pickling_error(text) } else { PyAttributeError::new_err(text.unbind()) });
        }
        let module_name = self.module_name(object, &name)?;
        let module = match policy::loaded(py, &module_name)? {
            Some(it) => it,
            None => match import(&module_name) {
                Ok(it) => it,
                Err(cause) => return Err(self.cannot_import(object, &module_name, cause)?),
            },
        };
        match policy::resolve(&module, &name) {
            Ok(Some(it)) if it.is(object) => match module_name.cast_into::<PyString>() {
                Ok(module_name) => {
                    let name = shortened(&module, &name)?;
                    self.begin_reference(object, &Reference { module: module_name, name })
                }
                Err(other) => Err(PyTypeError::new_err(format!(
                    "must be str, not {:.100}",
                    type_name(other.into_inner().as_any())
                ))),
            },
            Ok(Some(_)) => Err(self.pickling_error(complaint::not_the_same(object, &module_name, &name)?)),
            Ok(None) => Err(self.not_found(object, &module_name, &name, lookup_error(&module, &name))?),
            Err(cause) if TELLS_MORE => Err(cause),
            Err(cause) => Err(self.not_found(object, &module_name, &name, Some(cause))?),
        }
    }

    #[cold]
    fn cannot_import(&self, object: &Bound<'py, PyAny>, module: &Bound<'py, PyAny>, cause: PyErr) -> PyResult<PyErr> {
        let py = self.py;
        let expected = cause.is_instance_of::<PyImportError>(py) || cause.is_instance_of::<PyValueError>(py);
        if TELLS_MORE && !expected {
            return Ok(cause);
        }
        let error = self.pickling_error(complaint::import_failed(object, module, cause.value(py))?);
        Ok(self.because(error, &cause))
    }

    #[cold]
    fn not_found(
        &self,
        object: &Bound<'py, PyAny>,
        module: &Bound<'py, PyAny>,
        name: &Bound<'py, PyString>,
        cause: Option<PyErr>,
    ) -> PyResult<PyErr> {
        let error = self.pickling_error(complaint::not_found(object, module, name)?);
        Ok(match cause {
            Some(cause) => self.because(error, &cause),
            None => error,
        })
    }

    /// `error`, raised while `cause` was handled.
    #[cold]
    fn because(&self, error: PyErr, cause: &PyErr) -> PyErr {
        // The context is help; without it the error is still the error.
        drop(error.value(self.py).setattr(intern!(self.py, "__context__"), cause.value(self.py)));
        error
    }

    /// The module an object states, or the first loaded one that holds it under `name`, or `__main__`.
    pub(super) fn module_name(
        &self,
        object: &Bound<'py, PyAny>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        if let Some(module) = object.getattr_opt(intern!(py, "__module__"))?
            && !module.is_none()
        {
            return Ok(module);
        }
        for (module_name, module) in modules(py)?.copy()?.iter() {
            let skipped =
                module_name.cast::<PyString>().is_ok_and(|it| str_bytes(it).is_ok_and(|it| policy::is_main(&it)));
            if skipped || module.is_none() {
                continue;
            }
            match policy::resolve(&module, name) {
                Ok(Some(found)) if found.is(object) => return Ok(module_name),
                // A module that fails to answer holds nothing.
                Err(error) if self.settings.strict => return Err(error),
                _ => {}
            }
        }
        Ok(intern!(py, "__main__").clone().into_any())
    }

    pub(super) fn begin_type(&mut self, class: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        let py = self.py;
        for singleton in [py.None().into_bound(py), py.NotImplemented().into_bound(py), py.Ellipsis().into_bound(py)] {
            if class.is(singleton.get_type()) {
                let args = PyTuple::new(py, [singleton])?;
                return self.begin_call(class, py.get_type::<PyType>().into_any(), args);
            }
        }
        if self.settings.strict { self.begin_global(class, None) } else { self.begin_class(class) }
    }

    /// Writes builtins of a sandbox, empty: the first function of the sandbox fills them.
    fn write_builtins(&mut self, builtins: &Bound<'py, PyDict>) {
        match self.memo.get(builtins.as_any()) {
            Some(index) => self.writer.get(index),
            None => {
                self.writer.empty_dict();
                self.memo.add_namespace(builtins.as_ptr() as usize);
                self.memoize_made(builtins.as_any());
            }
        }
    }

    /// Writes the namespace of a function: by name when it is that of an importable module, else as one made anew.
    pub(super) fn write_globals(&mut self, globals: &Bound<'py, PyDict>) -> PyResult<()> {
        if let Some(index) = self.memo.get(globals.as_any()) {
            self.writer.get(index);
            return Ok(());
        }
        if let Some(module) = policy::module_of(globals)? {
            let dict = intern!(self.py, "__dict__");
            if self.writer.protocol() >= 4 {
                self.write_definition_text(&module)?;
                self.write_definition_text(dict)?;
                self.writer.op(Op::StackGlobal);
            } else {
                self.writer.global(&str_bytes(&module)?, b"__dict__");
            }
            let index = self.memo.put(globals.as_any());
            self.writer.memoize(index);
            return Ok(());
        }
        self.memo.add_namespace(globals.as_ptr() as usize);
        let owner = self.memo.owner_of(globals.as_any());
        if let Some(owner) = owner {
            self.write_wire(Wire::ModuleDict);
            self.writer.tuple_begin(1);
            self.writer.get(owner);
            self.writer.tuple_end(1);
            self.writer.op(Op::Reduce);
            let index = self.memo.put(globals.as_any());
            self.writer.memoize(index);
            return Ok(());
        }
        let name = dict_get(globals, intern!(self.py, "__name__").as_any())?;
        let name = name.as_ref().and_then(|it| it.cast_exact::<PyString>().ok());
        let builtins = function::own_builtins(globals)?;
        match name {
            _ if builtins.is_some() => {
                self.write_wire(Wire::Namespace);
                self.writer.tuple_begin(2);
                match name {
                    Some(name) => self.write_definition_text(name)?,
                    None => self.writer.op(Op::None),
                }
                if let Some(builtins) = builtins {
                    self.write_builtins(&builtins);
                }
                self.writer.tuple_end(2);
            }
            Some(name) if !policy::is_main(&str_bytes(name)?) => {
                // A module may own this namespace, and may come along later: make one that does.
                self.write_wire(Wire::ModuleDict);
                self.writer.tuple_begin(1);
                self.write_wire(Wire::Module);
                self.writer.tuple_begin(1);
                self.write_definition_text(name)?;
                self.writer.tuple_end(1);
                self.writer.op(Op::Reduce);
                let index = self.memo.take_index();
                self.writer.memoize(index);
                self.memo.add_space(globals.as_any(), index);
                self.writer.tuple_end(1);
            }
            _ => {
                self.write_wire(Wire::Namespace);
                let count = usize::from(name.is_some());
                self.writer.tuple_begin(count);
                if let Some(name) = name {
                    self.write_definition_text(name)?;
                }
                self.writer.tuple_end(count);
            }
        }
        self.writer.op(Op::Reduce);
        let index = self.memo.put(globals.as_any());
        self.writer.memoize(index);
        Ok(())
    }
}

/// Imports the module called `name`, whatever that is.
fn import<'py>(name: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let module = name.py().import(intern!(name.py(), "builtins"))?.getattr(intern!(name.py(), "__import__"))?;
    module.call1((name, PyDict::new(name.py()), PyDict::new(name.py()), (intern!(name.py(), "__doc__"),)))
}

/// The last part of `name` where the rest leads back to `module` itself: up to 3.12 `pickle` has it under that name.
fn shortened<'py>(module: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
    let text = name.to_string_lossy();
    let Some((parents, last)) = text.rsplit_once('.').filter(|_| cfg!(not(Py_3_13))) else { return Ok(name.clone()) };
    let holder = policy::resolve(module, &PyString::new(name.py(), parents))?;
    Ok(if holder.is_some_and(|it| it.is(module)) { PyString::new(name.py(), last) } else { name.clone() })
}

/// What the attribute lookup says that finds no `name` in `module`.
fn lookup_error(module: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> Option<PyErr> {
    let mut at = module.clone();
    for part in name.to_string_lossy().split('.') {
        match at.getattr(part) {
            Ok(next) => at = next,
            Err(error) => return Some(error),
        }
    }
    None
}
