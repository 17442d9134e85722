//! Instances of classes that travel by value, where what they say of themselves would not bring them back as they were.
//!
//! A class that travels by value arrives with all its methods, so an instance can be made without asking its `__new__` for
//! more than it can know, keeps attributes that a standard base forgets, and is described past a `__getattr__` that
//! answers for everything. Instances of classes that can be imported keep what `pickle` makes of them.

use std::cell::Cell;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyFunction, PyList, PyString, PyTuple, PyType};

use super::table::found;
use super::{Answer, Part, Reduction, Travel, instance_dict, stated, stored};
use crate::ffi::access::str_bytes;
use crate::ffi::class::own;
use crate::ffi::function::function_view;
use crate::ffi::kind::type_tag;
use crate::policy;
use crate::wire::Wire;

/// Whether `class` travels by value.
pub(crate) fn is_by_value(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let (module, name) = (stated(class, intern!(py, "__module__"))?, stated(class, intern!(py, "__qualname__"))?);
    Ok(super::table::is_python_made(class)? && policy::reference(class.as_any(), &module, &name)?.is_none())
}

/// What the class of an instance has to do with its making and its attributes, whether it travels by value or not.
#[derive(Clone, Copy, Debug, Default)]
struct Traits {
    /// The address of the class and its version tag, as in [`table`](super::table).
    address: usize,
    tag: u32,
    /// `__new__` is written in Python, and the plain value in C: it has been worked on already.
    of_value: bool,
    /// The least and greatest number of arguments that a `__new__` in Python takes besides the class.
    least: u16,
    most: u16,
    /// A class of the standard library says how instances are reduced.
    standard_reduction: bool,
    /// numpy's array says so, with a state of its own.
    array_reduction: bool,
}

impl Traits {
    const NONE: Self = Self {
        address: 0,
        tag: 0,
        of_value: false,
        least: 0,
        most: 0,
        standard_reduction: false,
        array_reduction: false,
    };
}

const PLACES: usize = 64;

thread_local! {
    static SEEN: [Cell<Traits>; PLACES] = const {
        [const { Cell::new(Traits::NONE) }; PLACES]
    };
}

/// The traits of the class of `object`, looked up once for each version of a class.
#[inline]
fn traits(object: &Bound<'_, PyAny>) -> PyResult<Traits> {
    let (address, tag) = type_tag(object);
    let place = (address >> 4 ^ address >> 13) % PLACES;
    let known = SEEN.with(|seen| seen[place].get());
    if known.address == address && known.tag == tag && tag != 0 {
        return Ok(known);
    }
    let mut traits = work_out(&object.get_type())?;
    (traits.address, traits.tag) = type_tag(object);
    SEEN.with(|seen| seen[place].set(traits));
    Ok(traits)
}

#[cold]
#[inline(never)]
fn work_out(class: &Bound<'_, PyType>) -> PyResult<Traits> {
    const VARIABLE_POSITIONALS: usize = 4;
    let py = class.py();
    let mut traits = Traits { most: u16::MAX, ..Traits::default() };
    if !super::table::is_python_made(class)? {
        return Ok(traits);
    }
    if let Some(new) = found(class, intern!(py, "__new__"))? {
        let new = new.getattr_opt(intern!(py, "__func__"))?.unwrap_or(new);
        if let Some(view) = function_view(&new) {
            traits.of_value =
                found(class, intern!(py, "__getnewargs__"))?.is_some_and(|it| !it.is_instance_of::<PyFunction>());
            let number = |name: &Bound<'_, PyString>| -> PyResult<usize> { view.code.getattr(name)?.extract() };
            let positional = number(intern!(py, "co_argcount"))?.saturating_sub(1);
            let defaults = view.defaults.as_ref().map_or(0, pyo3::types::PyTupleMethods::len);
            let keywords = match &view.kwdefaults {
                Some(given) if !given.is_none() => given.len()?,
                _ => 0,
            };
            traits.least = u16::try_from(positional.saturating_sub(defaults)).unwrap_or(u16::MAX);
            if number(intern!(py, "co_flags"))? & VARIABLE_POSITIONALS == 0 {
                traits.most = u16::try_from(positional).unwrap_or(u16::MAX);
            }
            if number(intern!(py, "co_kwonlyargcount"))? > keywords {
                // No positional arguments are enough.
                traits.least = u16::MAX;
            }
        }
    }
    (traits.standard_reduction, traits.array_reduction) = reduction_of(class)?;
    Ok(traits)
}

/// Whether a class of the standard library, or numpy's array, says how instances of `class` are reduced.
fn reduction_of(class: &Bound<'_, PyType>) -> PyResult<(bool, bool)> {
    let py = class.py();
    for base in class.mro().iter() {
        let base = base.cast_into::<PyType>()?;
        for name in [intern!(py, "__reduce_ex__"), intern!(py, "__reduce__"), intern!(py, "__getstate__")] {
            if own(&base, name)?.is_none() {
                continue;
            }
            let module = stated(&base, intern!(py, "__module__"))?.cast_into::<PyString>()?;
            let text = str_bytes(&module)?;
            let root = text.split(|it| *it == b'.').next().unwrap_or_default();
            let standard = policy::is_standard(&module)?;
            // `object` leaves nothing out, and members of enumerations are nothing but their names.
            let array = root == b"numpy" && base.name()?.to_string_lossy() == "ndarray";
            return Ok((standard && !base.is(py.get_type::<PyAny>()) && root != b"enum", array));
        }
    }
    Ok((false, false))
}

/// The `__new__` of C code that makes `object` from `args`, which follow its class, where the `__new__` of the class would do
/// something else than the first time: it needs more than them, or has worked on the plain value already.
#[inline]
pub(crate) fn plain_new<'py>(
    object: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let traits = traits(object)?;
    if !traits.of_value && (usize::from(traits.least)..=usize::from(traits.most)).contains(&args.len()) {
        return Ok(None);
    }
    native_new(&object.get_type())
}

/// Whether the class of `object` alone is enough for its `__new__`.
pub(crate) fn is_made_of_its_class(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let traits = traits(object)?;
    Ok(!traits.of_value && traits.least == 0)
}

#[cold]
#[inline(never)]
fn native_new<'py>(class: &Bound<'py, PyType>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = class.py();
    if !is_by_value(class)? {
        return Ok(None);
    }
    for base in class.mro().iter() {
        let base = base.cast_into::<PyType>()?;
        if own(&base, intern!(py, "__new__"))?.is_some_and(|it| it.is_instance_of::<PyCFunction>()) {
            return base.getattr(intern!(py, "__new__")).map(Some);
        }
    }
    Ok(None)
}

/// Attributes of an instance that the reduction of a standard base leaves out: those of a `Counter`, a `date` or a `Path` of the
/// script.
#[inline]
pub(crate) fn lost_attributes<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    if !traits(object)?.standard_reduction || !is_by_value(&object.get_type())? {
        return Ok(None);
    }
    Ok(instance_dict(object)?.filter(|it| !it.is_empty()))
}

/// The state and the setter of an instance of a class that travels by value, whose base has a state in C that leaves out the
/// attributes: an array of a class derived from numpy's.
#[inline]
pub(crate) fn lost_beside_state<'py>(
    object: &Bound<'py, PyAny>,
    state: &Bound<'py, PyAny>,
) -> PyResult<Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    if !traits(object)?.array_reduction || !is_by_value(&object.get_type())? {
        return Ok(None);
    }
    let py = object.py();
    let Some(lost) = instance_dict(object)?.filter(|it| !it.is_empty()) else { return Ok(None) };
    let none = py.None().into_bound(py);
    let state = PyTuple::new(py, [state.clone(), lost.into_any(), none])?.into_any();
    Ok(Some((state, py.import("capers._rebuild")?.getattr("set_state")?)))
}

/// Whether instances of `class` are asked for the reduce protocol through a `__getattr__` or `__getattribute__` of the class,
/// which may need the very state that is to be set, or answer what was not asked.
pub(super) fn answers_for_everything(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    if !super::table::is_python_made(class)? {
        return Ok(false);
    }
    let lookup = found(class, intern!(py, "__getattribute__"))?;
    Ok(found(class, intern!(py, "__getattr__"))?.is_some()
        || lookup.is_some_and(|it| it.is_instance_of::<PyFunction>()))
}

/// An instance of such a class, if the class travels by value: what its class defines, and nothing that it answers. Others
/// keep the bytes that `pickle` gives them.
pub(super) fn guarded<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let class = object.get_type();
    if !is_by_value(&class)? {
        return Ok(None);
    }
    let defined = |name: &Bound<'py, PyString>| -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(found) = found(&class, name)? else { return Ok(None) };
        if !found.is_instance_of::<PyFunction>() {
            return Ok(None);
        }
        found.call_method1(intern!(py, "__get__"), (object, &class)).map(Some)
    };
    if let Some(reduce) = defined(intern!(py, "__reduce_ex__"))? {
        return Ok(Some(Travel::Reduced(reduce.call1((5,))?)));
    }
    if let Some(reduce) = defined(intern!(py, "__reduce__"))? {
        return Ok(Some(Travel::Reduced(reduce.call0()?)));
    }
    let lookup = found(&class, intern!(py, "__reduce_ex__"))?;
    let plain = found(&py.get_type::<PyAny>(), intern!(py, "__reduce_ex__"))?;
    let inherited = found(&class, intern!(py, "__reduce__"))?;
    let default = found(&py.get_type::<PyAny>(), intern!(py, "__reduce__"))?;
    let same =
        |a: Option<Bound<'py, PyAny>>, b: Option<Bound<'py, PyAny>>| matches!((a, b), (Some(a), Some(b)) if a.is(&b));
    if !same(lookup, plain) || !same(inherited, default) {
        // A base of C code knows better.
        return Ok(None);
    }
    let copyreg = py.import("copyreg")?;
    let (mut make, mut args) = (copyreg.getattr("__newobj__")?, vec![class.clone().into_any()]);
    if let Some(given) = defined(intern!(py, "__getnewargs_ex__"))? {
        let given = given.call0()?.cast_into::<PyTuple>()?;
        make = copyreg.getattr("__newobj_ex__")?;
        args.extend(given.iter());
    } else if let Some(given) = found(&class, intern!(py, "__getnewargs__"))? {
        let given = given.call_method1(intern!(py, "__get__"), (object, &class))?.call0()?;
        args.extend(given.cast_into::<PyTuple>()?.iter());
    }
    let own = match defined(intern!(py, "__getstate__"))? {
        Some(given) => given.call0()?,
        None => default_state(object)?,
    };
    let none = py.None().into_bound(py);
    let items = |base: Bound<'py, PyType>, name: &str| -> PyResult<Bound<'py, PyAny>> {
        if !class.is_subclass(&base)? {
            return Ok(none.clone());
        }
        base.getattr(name)?.call1((object,))?.try_iter().map(Bound::into_any)
    };
    let (list, dict) = (items(py.get_type::<PyList>(), "__iter__")?, items(py.get_type::<PyDict>(), "items")?);
    let setter = match found(&class, intern!(py, "__setstate__"))? {
        Some(setter) => setter,
        None => py.import("capers._rebuild")?.getattr("set_state")?,
    };
    let setter = if own.is_none() { none } else { setter };
    let all = [make, PyTuple::new(py, args)?.into_any(), own, list, dict, setter];
    Ok(Some(Travel::Reduced(PyTuple::new(py, all)?.into_any())))
}

/// The state that `object.__getstate__` gives, found by the type's own lookup.
pub(crate) fn default_state<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    let attributes = match instance_dict(object)?.filter(|it| !it.is_empty()) {
        Some(dict) => dict.into_any(),
        None => py.None().into_bound(py),
    };
    let slots = slot_values(object)?;
    if slots.is_empty() {
        return Ok(attributes);
    }
    Ok(PyTuple::new(py, [attributes, slots.into_any()])?.into_any())
}

/// What `object` holds in slots.
pub(super) fn slot_values<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let py = object.py();
    let values = PyDict::new(py);
    let names = py.import("copyreg")?.getattr("_slotnames")?.call1((object.get_type(),))?;
    for name in names.try_iter()? {
        let name = name?.cast_into::<PyString>()?;
        match stored(object, &name) {
            Ok(value) => values.set_item(name, value)?,
            // The slot is empty.
            Err(error) if error.is_instance_of::<pyo3::exceptions::PyAttributeError>(py) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(values)
}

/// What makes `object`, which says that it is to be found under `name`, where its `module` cannot be imported elsewhere: a
/// sentinel of the script. It is one object in each process, however often it arrives.
pub(crate) fn named_here<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    module: &Bound<'py, PyAny>,
) -> PyResult<Option<Reduction<'py>>> {
    let py = object.py();
    let class = object.get_type();
    let Ok(module) = module.cast::<PyString>() else { return Ok(None) };
    let Some(loaded) = policy::loaded(py, module.as_any())? else { return Ok(None) };
    if !super::table::is_python_made(&class)?
        || !policy::resolve(&loaded, name)?.is_some_and(|it| it.is(object))
        || policy::importable(module, &loaded)?
    {
        return Ok(None);
    }
    let state = default_state(object)?;
    let mut args = vec![Part::Object(class.into_any()), Part::Text(name.clone())];
    if !state.is_none() {
        args.push(Part::Object(state));
    }
    Ok(Some(Reduction { make: Wire::Named, args, fills: Vec::new() }))
}
