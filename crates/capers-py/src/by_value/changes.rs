//! What has changed of a class since it first travelled.
//!
//! A class is known by its key for good, but it is an object like others: attributes are set, helpers that its methods call
//! are defined anew in a notebook. So each attribute of a class at home here has a *stamp*, a number that stands for all the
//! attribute leads to; where the stamp differs from that of the dump before, the attribute gets the number of the change,
//! which travels along. Who received the class before takes over what has a higher number than it has seen.
//!
//! A stamp looks into functions (code, defaults, cells, the globals that the code names), containers and instances.
//! Modules, other classes and objects of C code count by identity. Stamps stay in this process.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Mutex;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyType, PyWeakrefReference};

use super::definition::table;
use super::{Part, code, settled};
use crate::ffi::access::{
    bytearray_copy, cell_content, dict_get, dict_next, int_value, list_item, set_items, str_hash, tuple_item,
};
use crate::ffi::class::{Holder, holder, own};
use crate::ffi::function::function_view;
use crate::ffi::kind::{Kind, kind};
use crate::policy;

/// How many objects are looked into for one class. What lies beyond counts as unchanged.
const MAX_STEPS: usize = 20_000;
/// Bytes and strings longer than this count by identity: they cannot change.
const MAX_BYTES: usize = 4096;

/// The stamps of a class when it was last dumped.
struct Record {
    class: Py<PyAny>,
    /// Name, stamp, and the number of the change that brought it; `None` for what has been deleted.
    attributes: Vec<(Py<PyString>, Option<u64>, i64)>,
    last: i64,
}

/// `_rebuild._changes`: by key, what payloads have changed of the classes that they made here.
static RECEIVED: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// The records by address of the class; the weak reference in each tells whether it is still that class.
static RECORDS: Mutex<Option<HashMap<usize, Record>>> = Mutex::new(None);

/// The attributes of `class` that have changed since it first travelled, each with the number of its last change.
pub(super) fn changes<'py>(
    class: &Bound<'py, PyType>,
    key: &Bound<'py, PyString>,
    entries: &[(Bound<'py, PyString>, Part<'py>)],
) -> PyResult<Vec<(Bound<'py, PyString>, i64)>> {
    let py = class.py();
    let received = RECEIVED.get_or_try_init(py, || table(py, "_changes"))?.bind(py);
    if let Some(seen) = dict_get(received, key.as_any())? {
        // Another process is at home with it, and numbers its changes.
        let seen = seen.cast_into::<PyDict>()?;
        return seen.iter().map(|(name, number)| Ok((name.cast_into()?, number.extract()?))).collect();
    }
    let mut steps = MAX_STEPS;
    let mut stamps = Vec::with_capacity(entries.len());
    for (name, part) in entries {
        let stamp = match part {
            Part::Text(text) => str_hash(text) as u64,
            Part::Object(value) => stamp(value, &mut steps)?,
            _ => continue,
        };
        stamps.push((name, stamp));
    }
    let address = class.as_ptr() as usize;
    let weak = PyWeakrefReference::new(class)?.into_any().unbind();
    // Nothing below runs Python code. Whoever is in here on another thread will note the changes.
    let Ok(mut records) = RECORDS.try_lock() else { return Ok(Vec::new()) };
    let records = records.get_or_insert_with(HashMap::new);
    let known = records.get_mut(&address).filter(|it| {
        it.class.bind(py).cast::<PyWeakrefReference>().is_ok_and(|it| it.upgrade().is_some_and(|it| it.is(class)))
    });
    let Some(record) = known else {
        let attributes = stamps.iter().map(|(name, stamp)| ((*name).clone().unbind(), Some(*stamp), 0)).collect();
        if records.len().is_power_of_two() {
            records
                .retain(|_, it| it.class.bind(py).cast::<PyWeakrefReference>().is_ok_and(|it| it.upgrade().is_some()));
        }
        records.insert(address, Record { class: weak, attributes, last: 0 });
        return Ok(Vec::new());
    };
    Ok(record.update(py, &stamps))
}

impl Record {
    /// Takes over the present `stamps`; returns all numbers but zero.
    fn update<'py>(
        &mut self,
        py: Python<'py>,
        stamps: &[(&Bound<'py, PyString>, u64)],
    ) -> Vec<(Bound<'py, PyString>, i64)> {
        let next = self.last + 1;
        let unchanged = stamps.len() == self.attributes.len()
            && stamps
                .iter()
                .zip(&self.attributes)
                .all(|((name, stamp), (known, old, _))| name.is(known.bind(py)) && Some(*stamp) == *old);
        if !unchanged {
            let mut now = Vec::with_capacity(stamps.len());
            for (name, stamp) in stamps {
                let at =
                    self.attributes.iter().position(|(known, ..)| crate::ffi::access::str_eq(known.bind(py), name));
                let number = match at.map(|at| self.attributes.swap_remove(at)) {
                    Some((_, old, number)) if old == Some(*stamp) => number,
                    _ => next,
                };
                now.push(((*name).clone().unbind(), Some(*stamp), number));
            }
            for (name, old, number) in self.attributes.drain(..) {
                now.push((name, None, if old.is_some() { next } else { number }));
            }
            if now.iter().any(|(_, _, number)| *number == next) {
                self.last = next;
            }
            self.attributes = now;
        }
        let changed = self.attributes.iter().filter(|(_, _, number)| *number > 0);
        changed.map(|(name, _, number)| (name.bind(py).clone(), *number)).collect()
    }
}

/// Hashes an address, which is spread well enough when its lowest bits, all zero, are mixed with others.
#[derive(Default)]
struct Address(u64);

impl Hasher for Address {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_usize(&mut self, address: usize) {
        self.0 = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

/// Walks over what a value leads to.
struct Stamper<'py> {
    hash: u64,
    seen: HashSet<usize, BuildHasherDefault<Address>>,
    waiting: Vec<Bound<'py, PyAny>>,
}

/// A number that stands for all that `value` leads to, as long as nothing of it changes.
fn stamp(value: &Bound<'_, PyAny>, steps: &mut usize) -> PyResult<u64> {
    let mut stamper = Stamper { hash: 0, seen: HashSet::default(), waiting: vec![value.clone()] };
    let mut direct = true;
    while let Some(value) = stamper.waiting.pop() {
        if *steps == 0 {
            break;
        }
        *steps -= 1;
        stamper.add(&value, direct)?;
        direct = false;
    }
    Ok(stamper.hash)
}

impl<'py> Stamper<'py> {
    #[inline]
    fn mix(&mut self, word: u64) {
        self.hash = (self.hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn mix_bytes(&mut self, bytes: &[u8]) {
        self.mix(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn wait(&mut self, value: Option<Bound<'py, PyAny>>) {
        match value {
            Some(value) => self.waiting.push(value),
            None => self.mix(0),
        }
    }

    fn add(&mut self, value: &Bound<'py, PyAny>, direct: bool) -> PyResult<()> {
        let kind = kind(value);
        self.mix(kind as u64);
        let address = value.as_ptr() as u64;
        match kind {
            Kind::None | Kind::Bool | Kind::Type | Kind::Module | Kind::Code | Kind::BuiltinFunction => {
                self.mix(address);
            }
            Kind::Int => match int_value(value.cast()?) {
                Some(number) => self.mix(number as u64),
                None => self.mix(address),
            },
            Kind::Float => self.mix(value.extract::<f64>()?.to_bits()),
            Kind::Str => self.mix(str_hash(value.cast()?) as u64),
            Kind::Bytes => {
                let bytes = value.cast::<pyo3::types::PyBytes>()?.as_bytes();
                if bytes.len() > MAX_BYTES { self.mix(address) } else { self.mix_bytes(bytes) }
            }
            Kind::ByteArray => self.mix_bytes(&bytearray_copy(value.cast()?)?),
            _ if !self.seen.insert(value.as_ptr() as usize) => {}
            Kind::Function => self.function(value)?,
            Kind::Cell => {
                let content = cell_content(value)?;
                self.wait(content);
            }
            Kind::Method => {
                self.waiting.push(value.getattr(intern!(value.py(), "__func__"))?);
                self.waiting.push(value.getattr(intern!(value.py(), "__self__"))?);
            }
            Kind::Tuple => {
                let tuple = value.cast()?;
                let mut index = 0;
                while let Some(item) = tuple_item(tuple, index) {
                    self.waiting.push(item);
                    index += 1;
                }
                self.mix(index as u64);
            }
            Kind::List => {
                let list = value.cast::<PyList>()?;
                let mut index = 0;
                while let Some(item) = list_item(list, index).filter(|_| index < MAX_STEPS) {
                    self.waiting.push(item);
                    index += 1;
                }
                self.mix(list.len() as u64);
            }
            Kind::Set | Kind::FrozenSet => {
                let items = set_items(value)?;
                self.mix(items.len() as u64);
                self.waiting.extend(items);
            }
            Kind::Dict => self.dict(value.cast()?),
            Kind::Other => self.other(value, direct)?,
        }
        Ok(())
    }

    fn dict(&mut self, dict: &Bound<'py, PyDict>) {
        self.mix(dict.len() as u64);
        let mut position = 0;
        while let Some((key, value)) = dict_next(dict, &mut position) {
            self.waiting.push(key);
            self.waiting.push(value);
        }
    }

    fn function(&mut self, function: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = function.py();
        let Some(view) = function_view(function) else { return Ok(()) };
        if policy::module_of(&view.globals)?.is_some() {
            // The receiver's own module is behind it.
            self.mix(function.as_ptr() as u64);
        }
        let info = code::known(&view.code)?;
        self.mix(info.digest);
        self.waiting.push(view.qualname);
        self.wait(view.defaults.map(Bound::into_any));
        self.wait(view.kwdefaults);
        self.wait(view.doc);
        self.wait(view.dict.map(Bound::into_any));
        for cell in view.closure.iter().flat_map(pyo3::types::PyTupleMethods::iter) {
            self.waiting.push(cell);
        }
        if policy::module_of(&view.globals)?.is_none() {
            for name in info.globals.iter().chain(&info.hints) {
                let found = dict_get(&view.globals, name.bind(py).as_any())?.map(settled).transpose()?;
                self.wait(found);
            }
        }
        Ok(())
    }

    /// Descriptors by the functions in them, other instances by class and attributes.
    fn other(&mut self, value: &Bound<'py, PyAny>, direct: bool) -> PyResult<()> {
        let py = value.py();
        self.mix(value.get_type_ptr() as u64);
        match holder(value) {
            Holder::Property => {
                for part in [intern!(py, "fget"), intern!(py, "fset"), intern!(py, "fdel")] {
                    self.waiting.push(value.getattr(part)?);
                }
                return Ok(());
            }
            Holder::ClassMethod | Holder::StaticMethod => {
                self.waiting.push(value.getattr(intern!(py, "__func__"))?);
                return Ok(());
            }
            _ => {}
        }
        // Objects of the library count by identity, but for those that stand in the class: they hold functions of it.
        if !direct && is_standard(value)? {
            self.mix(value.as_ptr() as u64);
            return Ok(());
        }
        let lookup = py.get_type::<PyAny>().getattr(intern!(py, "__getattribute__"))?;
        match lookup.call1((value, intern!(py, "__dict__"))) {
            Ok(attributes) => match attributes.cast::<PyDict>() {
                Ok(attributes) => self.dict(attributes),
                Err(_) => self.mix(value.as_ptr() as u64),
            },
            Err(_) => self.mix(value.as_ptr() as u64),
        }
        for base in value.get_type().mro().iter() {
            let slots = own(base.cast()?, intern!(py, "__slots__"))?;
            if let Some(names) = slots.and_then(|it| it.cast_into::<pyo3::types::PyTuple>().ok()) {
                for name in names.iter() {
                    // A slot without a value, or one whose private name is spelt differently.
                    let content = lookup.call1((value, name)).ok();
                    self.wait(content);
                }
            }
        }
        Ok(())
    }
}

fn is_standard(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = value.py();
    let module = own(&value.get_type(), intern!(py, "__module__"))?;
    let Some(Ok(module)) = module.map(Bound::cast_into::<PyString>) else { return Ok(true) };
    policy::is_standard(&module)
}
