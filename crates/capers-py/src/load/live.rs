//! The live host: makes Python objects for the pickle machine.
//!
//! Each method is one opcode's work on objects, in the order and with the errors of CPython's `Modules/_pickle.c` of the
//! running version. Nothing is borrowed across a call into Python: what is in use is owned by the frame here or by the
//! machine's stack, which nobody else can reach.

use capers_pickle::text::{self, IntText};
use capers_pickle::{Error, ErrorKind, Host, Items, Source};
use pyo3::exceptions::{PyUnicodeDecodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyIterator, PyList, PyMemoryView, PySet, PyString, PyTuple, PyType,
};

use super::arrays::Arrays;
use super::failure::Failure;
use super::globals;
use super::hashing::Hashing;
use super::keys::Keys;
use super::quiet::Quiet;
use super::state::State;
use super::told::Subject;
use super::unpickler::Unpickler;
use super::wire;
use crate::ffi::growing::{self, HUGE};
use crate::ffi::instance::{self, Names};
use crate::ffi::kind::{Kind, kind};
use crate::ffi::shape::Shape;
use crate::ffi::{make, moment, reserve};
use crate::progress::Progress;

type Object<'py> = Bound<'py, PyAny>;
type Made<'py> = Result<Object<'py>, Failure>;

/// Texts from here on are made from the stream without being held in between.
const LONG: usize = 1 << 20;

/// How Python 2 strings become objects.
#[derive(Clone, Copy)]
pub(super) struct Decoding<'a> {
    pub(super) encoding: &'a str,
    pub(super) errors: &'a str,
}

impl Default for Decoding<'_> {
    fn default() -> Self {
        Decoding { encoding: "ASCII", errors: "strict" }
    }
}

/// Who resolves globals and persistent ids.
pub(super) enum Door<'a, 'py> {
    /// The functions of this module alone.
    Plain,
    /// An unpickler whose type is exactly ours: its protocol is to be kept up to date.
    Exact(&'a Bound<'py, Unpickler>),
    /// An unpickler of a subclass: its methods may be overridden.
    Subclass(&'a Bound<'py, Unpickler>),
}

/// The host.
pub(super) struct Live<'a, 'py> {
    pub(super) py: Python<'py>,
    /// Whoever is told how far the load has come.
    pub(super) progress: Option<&'a Progress<'py>>,
    pub(super) state: &'a State,
    pub(super) door: Door<'a, 'py>,
    pub(super) persistent: Option<Object<'py>>,
    pub(super) decoding: Decoding<'a>,
    pub(super) fix_imports: bool,
    pub(super) buffers: Option<Bound<'py, PyIterator>>,
    pub(super) proto: u8,
    pub(super) last_code: wire::LastCode<'py>,
    pub(super) quiet: Quiet<'py>,
    pub(super) hashing: Hashing,
    pub(super) shape: Shape<'py>,
    pub(super) attribute_names: Names<'py>,
    pub(super) keys: Keys,
    pub(super) arrays: Option<Arrays<'py>>,
    /// What the instruction that failed was about.
    pub(super) failed: Option<Subject<'py>>,
}

impl<'py> Live<'_, 'py> {
    fn find_class(&mut self, module: &Object<'py>, name: &Object<'py>) -> Made<'py> {
        self.quiet.wake();
        let found = match &self.door {
            Door::Plain | Door::Exact(_) => globals::find_class(module, name, self.proto, self.fix_imports, self.state),
            Door::Subclass(unpickler) => unpickler.call_method1(&self.state.names.find_class, (module, name)),
        };
        let found = found.map_err(|error| self.failed(Subject::Global(module.clone(), name.clone()), error))?;
        if self.arrays.is_none() {
            self.arrays = Arrays::learn(module, name, &found)?;
        }
        Ok(found)
    }

    /// Notes what failed.
    #[cold]
    fn failed(&mut self, subject: Subject<'py>, error: PyErr) -> Failure {
        self.failed = Some(subject);
        error.into()
    }

    fn unpickling_error(&self, text: impl Into<String>) -> Failure {
        self.state.unpickling_error(self.py, text).into()
    }

    /// An attribute that may be missing.
    fn attribute(&self, object: &Object<'py>, name: &Py<PyString>) -> Result<Option<Object<'py>>, Failure> {
        Ok(make::attribute(object, name.bind(self.py))?)
    }

    #[inline]
    fn fill_dict(&mut self, dict: &Bound<'py, PyDict>, mut items: Items<'_, Object<'py>>) -> Result<(), Failure> {
        if !self.state.shapes {
            return self.put_pairs(dict, items);
        }
        if self.shape.fill(dict, &mut items) {
            return Ok(());
        }
        let new = dict.is_empty();
        self.put_pairs(dict, items)?;
        if new {
            self.shape.follow(dict);
        }
        Ok(())
    }

    fn put_pairs(&mut self, dict: &Bound<'py, PyDict>, mut items: Items<'_, Object<'py>>) -> Result<(), Failure> {
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            self.mind(&key)?;
            make::dict_set(dict, &key, &value)?;
        }
        Ok(())
    }

    /// Before something is hashed: a str or a number runs no Python code, and anything else may take forever.
    #[inline]
    fn mind(&mut self, key: &Object<'py>) -> Result<(), Failure> {
        match kind(key) {
            Kind::Str | Kind::Int | Kind::Float | Kind::None | Kind::Bool | Kind::Bytes => {}
            _ => {
                self.quiet.wake();
                self.hashing.check(key, self.state)?;
            }
        }
        Ok(())
    }

    fn check_elements(&mut self, items: &Bound<'py, PyTuple>) -> Result<(), Failure> {
        items.iter().try_for_each(|item| self.hashing.check(&item, self.state))?;
        Ok(())
    }

    /// Attributes one by one, as `BUILD` sets them.
    fn set_state(&self, object: &Object<'py>, state: &Object<'py>) -> Result<(), Failure> {
        let (dict_state, slot_state) = match state.cast::<PyTuple>() {
            Ok(pair) if pair.len() == 2 => (pair.get_item(0)?, Some(pair.get_item(1)?)),
            _ => (state.clone(), None),
        };
        if !dict_state.is_none() {
            let Ok(dict_state) = dict_state.cast::<PyDict>() else {
                return Err(self.unpickling_error("state is not a dictionary"));
            };
            let dict = object.getattr(&self.state.names.dict)?;
            let plain = dict.cast_exact::<PyDict>().ok();
            for (key, value) in make::pairs(dict_state) {
                let key = match key.cast_into_exact::<PyString>() {
                    Ok(key) => make::interned(key).into_any(),
                    Err(other) => other.into_inner(),
                };
                match plain {
                    Some(dict) => make::dict_set(dict, &key, &value)?,
                    None => make::set_item(&dict, &key, &value)?,
                }
            }
        }
        if let Some(slot_state) = slot_state {
            let Ok(slot_state) = slot_state.cast::<PyDict>() else {
                return Err(self.unpickling_error("slot state is not a dictionary"));
            };
            for (key, value) in make::pairs(slot_state) {
                make::set_attribute(object, &key, &value)?;
            }
        }
        Ok(())
    }
}

impl<'py> Host for Live<'_, 'py> {
    type Value = Object<'py>;
    type Error = Failure;

    fn pause(&mut self, offset: u64) -> Result<(), Failure> {
        self.quiet.wake();
        reserve::check()?;
        self.py.check_signals().map_err(Failure::apart)?;
        match self.progress {
            None => Ok(()),
            Some(progress) => progress.tell(|_| offset).map_err(Failure::apart),
        }
    }

    fn protocol(&mut self, proto: u8) {
        self.proto = proto;
        if let Door::Exact(unpickler) | Door::Subclass(unpickler) = &self.door {
            unpickler.get().set_proto(proto);
        }
    }

    fn signed_binstring(&self) -> bool {
        self.state.signed_binstring
    }

    fn skips_nothing(&self) -> bool {
        self.state.skips_nothing
    }

    #[inline]
    fn none(&mut self) -> Object<'py> {
        self.py.None().into_bound(self.py)
    }

    #[inline]
    fn bool(&mut self, value: bool) -> Object<'py> {
        PyBool::new(self.py, value).to_owned().into_any()
    }

    #[inline]
    fn int(&mut self, value: i32) -> Made<'py> {
        Ok(make::int(self.py, value.into())?)
    }

    fn long(&mut self, bytes: &[u8]) -> Made<'py> {
        if self.state.layouts
            && let Some(big) = make::big_int(self.py, bytes)?
        {
            return Ok(big);
        }
        Ok(make::int_from_bytes(self.py, bytes)?)
    }

    fn int_line(&mut self, line: &[u8]) -> Made<'py> {
        Ok(match text::int_line(line, self.state.int_rules) {
            IntText::Bool(value) => self.bool(value),
            IntText::Int(value) => make::int(self.py, value)?,
            IntText::Other => {
                let base = if self.state.int_rules.prefixes { 0 } else { 10 };
                make::int_from_text(self.py, line, base)
                    .map_err(|_| PyValueError::new_err("could not convert string to int"))?
            }
        })
    }

    fn long_line(&mut self, line: &[u8]) -> Made<'py> {
        let base = if self.state.int_rules.prefixes { 0 } else { 10 };
        let digits = line.strip_suffix(b"L\n").unwrap_or(line);
        Ok(make::int_from_text(self.py, digits, base)?)
    }

    fn index_line(&mut self, line: &[u8]) -> Result<i64, Failure> {
        Ok(make::index(&make::int_from_text(self.py, line, 10)?)?)
    }

    #[inline]
    fn float(&mut self, value: f64) -> Made<'py> {
        Ok(make::float(self.py, value)?)
    }

    fn float_line(&mut self, line: &[u8]) -> Made<'py> {
        Ok(make::float_from_line(self.py, line)?)
    }

    #[inline]
    fn text(&mut self, utf8: &[u8]) -> Made<'py> {
        if let Some(name) = self.state.wire.module_name(self.py, utf8) {
            return Ok(name);
        }
        Ok(make::text(self.py, utf8)?)
    }

    #[cold]
    fn refuses_too_long(&self) -> bool {
        self.state.refuses_too_long
    }

    #[inline]
    fn takes_keys(&self, value: &Object<'py>) -> bool {
        kind(value) == Kind::Dict
    }

    #[inline]
    fn key(&mut self, utf8: &[u8]) -> Made<'py> {
        Ok(self.keys.get(self.py, utf8)?)
    }

    fn raw_unicode(&mut self, text: &[u8]) -> Made<'py> {
        Ok(make::raw_unicode(self.py, text)?)
    }

    fn string(&mut self, bytes: &[u8]) -> Made<'py> {
        self.quiet.wake();
        let Decoding { encoding, errors } = self.decoding;
        if encoding == "bytes" {
            return self.bytes(bytes);
        }
        Ok(make::decode(self.py, bytes, encoding, errors)?)
    }

    fn string_literal(&mut self, escaped: &[u8]) -> Made<'py> {
        self.quiet.wake();
        let bytes = make::decode_escapes(self.py, escaped)?;
        if self.decoding.encoding == "bytes" {
            return Ok(bytes.into_any());
        }
        self.string(bytes.as_bytes())
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) -> Made<'py> {
        if bytes.len() >= HUGE {
            return Ok(growing::copied::<PyBytes>(self.py, bytes)?.into_any());
        }
        Ok(make::bytes(self.py, bytes)?.into_any())
    }

    fn bytearray(&mut self, bytes: &[u8]) -> Made<'py> {
        if bytes.len() >= HUGE {
            return Ok(growing::copied::<PyByteArray>(self.py, bytes)?.into_any());
        }
        Ok(make::bytearray(self.py, bytes)?)
    }

    fn bytes_from<S: Source>(&mut self, count: usize, source: &mut S) -> Made<'py>
    where
        Failure: From<S::Error>,
    {
        let fill = |out: &mut [u8]| source.read_into(out).map_err(Failure::from);
        Ok(growing::filled::<PyBytes, Failure>(self.py, count, fill)?.into_any())
    }

    fn text_from<S: Source>(&mut self, count: usize, source: &mut S) -> Made<'py>
    where
        Failure: From<S::Error>,
    {
        if count < LONG {
            return self.text(source.take(count)?);
        }
        let fill = |out: &mut [u8]| source.read_text_into(out).map_err(Failure::from);
        match growing::ascii_filled(self.py, count, fill)? {
            Ok(text) => Ok(text.into_any()),
            Err(utf8) => self.text(utf8.as_bytes()),
        }
    }

    fn bytearray_from<S: Source>(&mut self, count: usize, source: &mut S) -> Made<'py>
    where
        Failure: From<S::Error>,
    {
        let fill = |out: &mut [u8]| source.read_into(out).map_err(Failure::from);
        Ok(growing::filled::<PyByteArray, Failure>(self.py, count, fill)?.into_any())
    }

    #[inline]
    fn empty_tuple(&mut self) -> Object<'py> {
        self.state.empty_tuple.bind(self.py).clone().into_any()
    }

    #[inline]
    fn tuple(&mut self, items: Items<'_, Object<'py>>) -> Made<'py> {
        self.quiet.build();
        Ok(make::tuple(self.py, items)?.into_any())
    }

    #[inline]
    fn empty_list(&mut self) -> Made<'py> {
        self.quiet.build();
        Ok(make::empty_list(self.py)?)
    }

    fn list(&mut self, items: Items<'_, Object<'py>>) -> Made<'py> {
        self.quiet.build();
        Ok(make::list(self.py, items)?.into_any())
    }

    #[inline]
    fn empty_dict(&mut self) -> Made<'py> {
        self.quiet.build();
        Ok(make::empty_dict(self.py)?.into_any())
    }

    fn dict(&mut self, items: Items<'_, Object<'py>>) -> Made<'py> {
        self.quiet.build();
        let made = make::empty_dict(self.py)?;
        self.fill_dict(&made, items)?;
        Ok(made.into_any())
    }

    fn empty_set(&mut self) -> Made<'py> {
        self.quiet.build();
        Ok(PySet::empty(self.py)?.into_any())
    }

    fn frozenset(&mut self, items: Items<'_, Object<'py>>) -> Made<'py> {
        self.quiet.build();
        let items = make::tuple(self.py, items)?;
        for item in items.iter_borrowed() {
            self.mind(&item)?;
        }
        Ok(make::frozenset(&items)?)
    }

    fn append(&mut self, list: &Object<'py>, item: Object<'py>) -> Result<(), Failure> {
        if let Ok(list) = list.cast_exact::<PyList>() {
            return Ok(make::append(list, &item)?);
        }
        self.quiet.wake();
        // `extend` is what C calls here too, with a list of one.
        let mut items = vec![item];
        self.appends(list, items.drain(..))
    }

    fn appends(&mut self, list: &Object<'py>, items: Items<'_, Object<'py>>) -> Result<(), Failure> {
        if let Ok(list) = list.cast_exact::<PyList>() {
            return Ok(make::extend(list, items)?);
        }
        self.quiet.wake();
        if let Some(extend) = self.attribute(list, &self.state.names.extend)? {
            let items = make::list(self.py, items)?;
            extend.call1((items,))?;
            return Ok(());
        }
        let append = list.getattr(&self.state.names.append)?;
        for item in items {
            append.call1((item,))?;
        }
        Ok(())
    }

    #[inline]
    fn set_item(&mut self, dict: &Object<'py>, key: Object<'py>, value: Object<'py>) -> Result<(), Failure> {
        if let Ok(dict) = dict.cast_exact::<PyDict>() {
            self.mind(&key)?;
            return Ok(make::dict_set(dict, &key, &value)?);
        }
        self.quiet.wake();
        if dict.is_instance_of::<PyDict>() {
            self.hashing.check(&key, self.state)?;
        }
        Ok(make::set_item(dict, &key, &value)?)
    }

    #[inline]
    fn set_items(&mut self, dict: &Object<'py>, mut items: Items<'_, Object<'py>>) -> Result<(), Failure> {
        if let Ok(dict) = dict.cast_exact::<PyDict>() {
            return self.fill_dict(dict, items);
        }
        self.quiet.wake();
        let hashes = dict.is_instance_of::<PyDict>();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            if hashes {
                self.hashing.check(&key, self.state)?;
            }
            make::set_item(dict, &key, &value)?;
        }
        Ok(())
    }

    fn add_items(&mut self, set: &Object<'py>, items: Items<'_, Object<'py>>) -> Result<(), Failure> {
        if set.is_exact_instance_of::<PySet>() {
            for item in items {
                self.mind(&item)?;
                make::set_add(set, &item)?;
            }
            return Ok(());
        }
        self.quiet.wake();
        if let Ok(set) = set.cast::<PySet>() {
            let items = make::tuple(self.py, items)?;
            self.check_elements(&items)?;
            return Ok(make::set_update(set, &items)?);
        }
        let add = set.getattr(&self.state.names.add)?;
        for item in items {
            add.call1((item,))?;
        }
        Ok(())
    }

    fn global_line(&mut self, line: &[u8]) -> Made<'py> {
        Ok(make::strict_text(self.py, line)?)
    }

    fn inst_line(&mut self, line: &[u8]) -> Made<'py> {
        Ok(make::ascii(self.py, line)?)
    }

    fn global(&mut self, module: Object<'py>, name: Object<'py>) -> Made<'py> {
        self.find_class(&module, &name)
    }

    fn stack_global(&mut self, module: Object<'py>, name: Object<'py>) -> Made<'py> {
        if !module.is_exact_instance_of::<PyString>() || !name.is_exact_instance_of::<PyString>() {
            return Err(Error::new(ErrorKind::GlobalNotText).into());
        }
        self.find_class(&module, &name)
    }

    fn extension(&mut self, code: i32) -> Made<'py> {
        self.quiet.wake();
        let cache = self.state.extension_cache.bind(self.py);
        let key = make::int(self.py, code.into())?;
        if let Some(found) = cache.get_item(&key)? {
            return Ok(found);
        }
        let Some(pair) = self.state.inverted_registry.bind(self.py).get_item(&key)? else {
            return Err(PyValueError::new_err(format!("unregistered extension code {code}")).into());
        };
        let parts = pair.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
        let parts = parts.map(|pair| (pair.get_item(0), pair.get_item(1)));
        let (module, name) = match parts {
            Some((Ok(module), Ok(name)))
                if module.is_instance_of::<PyString>() && name.is_instance_of::<PyString>() =>
            {
                (module, name)
            }
            _ => {
                let text = format!("_inverted_registry[{code}] isn't a 2-tuple of strings");
                return Err(PyValueError::new_err(text).into());
            }
        };
        let found = self.find_class(&module, &name)?;
        cache.set_item(key, &found)?;
        Ok(found)
    }

    fn expect_persistent(&mut self) -> Result<(), Failure> {
        // Up to 3.12 the unpickler looks for the function first and reads after.
        if self.persistent.is_none() && self.state.minor < 13 {
            let first_line_ends = if self.state.minor < 12 { ",\n" } else { ", " };
            return Err(self.unpickling_error(NO_PERSISTENT_LOAD.replace(", ", first_line_ends)));
        }
        Ok(())
    }

    fn persistent_line(&mut self, id: &[u8]) -> Made<'py> {
        match make::ascii(self.py, id) {
            Ok(id) => self.persistent(id),
            Err(error) if error.is_instance_of::<PyUnicodeDecodeError>(self.py) => {
                Err(self.unpickling_error("persistent IDs in protocol 0 must be ASCII strings"))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn persistent(&mut self, id: Object<'py>) -> Made<'py> {
        self.quiet.wake();
        match &self.persistent {
            Some(load) => Ok(load.call1((id,))?),
            None => Err(self.unpickling_error(NO_PERSISTENT_LOAD)),
        }
    }

    #[inline]
    fn reduce(&mut self, callable: Object<'py>, arguments: Object<'py>) -> Made<'py> {
        if instance::is_static_type(&callable) {
            if let Ok(arguments) = arguments.cast_exact::<PyTuple>()
                && let Some(made) = moment::made(&callable, arguments)
            {
                return Ok(made);
            }
        } else {
            self.quiet.wake();
        }
        if let Some(arrays) = &self.arrays
            && let Ok(arguments) = arguments.cast_exact::<PyTuple>()
            && let Some(made) = arrays.made(&callable, arguments)
        {
            return made.map_err(|error| self.failed(Subject::Call(callable), error));
        }
        if let Some(wire) = self.state.wire_of(&callable)
            && let Ok(arguments) = arguments.cast_exact::<PyTuple>()
        {
            match wire::call(wire, arguments, self.state, &mut self.last_code) {
                Ok(Some(made)) => return Ok(made),
                Ok(None) => {}
                Err(error) => return Err(self.failed(Subject::Call(callable), error)),
            }
        }
        make::call(&callable, &arguments).map_err(|error| self.failed(Subject::Call(callable), error))
    }

    fn new_object(&mut self, class: Object<'py>, arguments: Object<'py>, keywords: Option<Object<'py>>) -> Made<'py> {
        if keywords.is_none()
            && let (Ok(as_type), Ok(as_tuple)) = (class.cast::<PyType>(), arguments.cast_exact::<PyTuple>())
            && instance::is_made_by_object(as_type, as_tuple)
        {
            self.quiet.build();
            if let Some(made) = make::new_object(as_type, as_tuple, None)? {
                return Ok(made);
            }
        }
        self.quiet.wake();
        let op = if keywords.is_some() { "NEWOBJ_EX" } else { "NEWOBJ" };
        let wrong = |what: &str, object: &Object<'py>| -> Failure {
            self.unpickling_error(format!("{op} {what}, not {}", make::type_name(object)))
        };
        let Ok(as_type) = class.cast::<PyType>() else {
            return Err(wrong("class argument must be a type", &class));
        };
        if !make::has_new(as_type) {
            let kind = make::type_name(&class);
            return Err(self.unpickling_error(format!("{op} class argument '{kind}' doesn't have __new__")));
        }
        let Ok(as_tuple) = arguments.cast::<PyTuple>() else {
            return Err(wrong("args argument must be a tuple", &arguments));
        };
        let as_dict = match &keywords {
            None => None,
            Some(keywords) => match keywords.cast::<PyDict>() {
                Ok(keywords) => Some(keywords),
                Err(_) => return Err(wrong("kwargs argument must be a dict", keywords)),
            },
        };
        match make::new_object(as_type, as_tuple, as_dict) {
            Err(error) => Err(self.failed(Subject::Call(class), error)),
            Ok(Some(made)) => Ok(made),
            Ok(None) => Err(self.unpickling_error(format!("{op} class argument doesn't have __new__"))),
        }
    }

    fn instance(&mut self, class: Object<'py>, items: Items<'_, Object<'py>>) -> Made<'py> {
        self.quiet.wake();
        let arguments = make::tuple(self.py, items)?;
        if arguments.is_empty()
            && class.is_instance_of::<PyType>()
            && self.attribute(&class, &self.state.names.getinitargs)?.is_none()
        {
            return Ok(class.call_method1(&self.state.names.new, (&class,))?);
        }
        make::call(&class, arguments.as_any()).map_err(|error| self.failed(Subject::Call(class), error))
    }

    fn build(&mut self, object: &Object<'py>, state: Object<'py>) -> Result<(), Failure> {
        if let Ok(attributes) = state.cast_exact::<PyDict>()
            && instance::set_attributes(object, attributes, &mut self.attribute_names)?
        {
            return Ok(());
        }
        self.quiet.wake();
        if wire::build(object, &state, self.state)? {
            return Ok(());
        }
        if !wire::has_no_setstate(object)
            && let Some(setstate) = self.attribute(object, &self.state.names.setstate)?
        {
            return match setstate.call1((state,)) {
                Ok(_) => Ok(()),
                Err(error) => Err(self.failed(Subject::State(object.clone()), error)),
            };
        }
        self.set_state(object, &state)
    }

    fn next_buffer(&mut self) -> Made<'py> {
        self.quiet.wake();
        let Some(buffers) = &mut self.buffers else {
            return Err(
                self.unpickling_error("pickle stream refers to out-of-band data but no *buffers* argument was given")
            );
        };
        match buffers.next() {
            Some(buffer) => Ok(buffer?),
            None => Err(self.unpickling_error("not enough out-of-band buffers")),
        }
    }

    fn readonly_buffer(&mut self, buffer: Object<'py>) -> Made<'py> {
        self.quiet.wake();
        let view = PyMemoryView::from(&buffer)?;
        if view.getattr("readonly")?.is_truthy()? {
            return Ok(buffer);
        }
        Ok(view.call_method0("toreadonly")?)
    }
}

/// What an unpickler without `persistent_load` says.
pub(super) const NO_PERSISTENT_LOAD: &str =
    "A load persistent id instruction was encountered, but no persistent_load function was specified.";
