//! How instances of a class are reduced, where nobody but `object` has a say in it.
//!
//! For such a class `object.__reduce_ex__` gives `copyreg.__newobj__`, the class, and the instance's `__dict__` or the values
//! of its slots. That is found out once: from the reduction of a first instance, which Python itself has made, and from what
//! the class and its metaclass define. The verdict is kept under the address of the type together with its version tag,
//! which the interpreter gives out once only and takes away when the class or a base of it changes.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int};
use std::rc::Rc;

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple, PyType};

use super::access::tuple_item;

/// How instances of a type are written.
pub(crate) enum Plan {
    /// Made by `copyreg.__newobj__`; the state is the `__dict__`.
    Dict,
    /// Made by `copyreg.__newobj__`; the state is what these slots hold, if there are any.
    Slots(Vec<Slot>),
    /// Made of what the `datetime` module keeps in one of its objects.
    Moment(Moment),
}

/// The types of the `datetime` module that are written from their memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Date,
    Time,
    DateTime,
    Delta,
}

impl Plan {
    /// The name of a slot, to be shown.
    pub(crate) fn name(&self, at: usize) -> Option<String> {
        let Plan::Slots(slots) = self else { return None };
        let slot = slots.get(at)?;
        Python::try_attach(|py| slot.name.bind(py).to_string_lossy().into_owned())
    }
}

impl Moment {
    /// The bytes that an object keeps, as `__reduce_ex__` gives them for protocol 4 and later, and how many they are; the
    /// time zone, if it has one.
    ///
    /// # Safety
    /// The object must be alive and of the very type, but no timedelta.
    pub(super) unsafe fn state(self, object: *mut ffi::PyObject) -> ([u8; 10], usize, Option<*mut ffi::PyObject>) {
        let mut state = [0; 10];
        // SAFETY: alive, type: promised by the caller; the field of the time zone is there only where it is said to be. shared:
        // these objects do not change. runs: nothing.
        unsafe {
            match self {
                Moment::Date | Moment::Delta => {
                    let date = object.cast::<ffi::PyDateTime_Date>();
                    state[..4].copy_from_slice(&(*date).data);
                    (state, 4, None)
                }
                Moment::Time => {
                    let time = object.cast::<ffi::PyDateTime_Time>();
                    state[..6].copy_from_slice(&(*time).data);
                    state[0] |= u8::from((&raw const (*time).fold).read() != 0) << 7;
                    let zone = ((&raw const (*time).hastzinfo).read() != 0).then(|| (&raw const (*time).tzinfo).read());
                    (state, 6, zone)
                }
                Moment::DateTime => {
                    let moment = object.cast::<ffi::PyDateTime_DateTime>();
                    state.copy_from_slice(&(*moment).data);
                    state[2] |= u8::from((&raw const (*moment).fold).read() != 0) << 7;
                    let zone =
                        ((&raw const (*moment).hastzinfo).read() != 0).then(|| (&raw const (*moment).tzinfo).read());
                    (state, 10, zone)
                }
            }
        }
    }

    /// Days, seconds and microseconds of a timedelta.
    ///
    /// # Safety
    /// The object must be alive and exactly a timedelta.
    pub(super) unsafe fn delta(object: *mut ffi::PyObject) -> [i32; 3] {
        // SAFETY: alive, type: promised by the caller. shared: it does not change. runs: nothing.
        unsafe {
            let delta = &*object.cast::<ffi::PyDateTime_Delta>();
            [delta.days, delta.seconds, delta.microseconds]
        }
    }
}

/// Which of the types of the `datetime` module `class` is.
fn moment(class: &Bound<'_, PyType>) -> Option<Moment> {
    let kind = class.as_type_ptr();
    // SAFETY: alive: the class is owned by the caller; the table of the module, once imported, lives as long as the process.
    // type: a type object, whose name is a C string. shared: never changes. runs: importing the capsule of a module that has
    // been imported already, since there is an object of it, runs nothing.
    unsafe {
        if (*kind).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0
            || !CStr::from_ptr((*kind).tp_name).to_bytes().starts_with(b"datetime.")
        {
            return None;
        }
        ffi::PyDateTime_IMPORT();
        let table = ffi::PyDateTimeAPI();
        if table.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let known = [
            ((*table).DateType, Moment::Date),
            ((*table).TimeType, Moment::Time),
            ((*table).DateTimeType, Moment::DateTime),
            ((*table).DeltaType, Moment::Delta),
        ];
        known.into_iter().find(|(each, _)| *each == kind).map(|(_, moment)| moment)
    }
}

/// Whether the reduction that Python made of `object` holds what is read from its memory.
fn agrees(moment: Moment, object: &Bound<'_, PyAny>, reduction: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Ok(parts) = reduction.cast_exact::<PyTuple>() else { return Ok(false) };
    let Some(args) = tuple_item(parts, 1).and_then(|it| it.cast_into_exact::<PyTuple>().ok()) else { return Ok(false) };
    if parts.len() != 2 || !tuple_item(parts, 0).is_some_and(|it| it.is(object.get_type())) {
        return Ok(false);
    }
    // SAFETY: alive: owned by the caller. type: `moment` has compared the type. shared: such objects do not change. runs: nothing.
    let (delta, state) = unsafe {
        match moment {
            Moment::Delta => (Some(Moment::delta(object.as_ptr())), None),
            _ => (None, Some(moment.state(object.as_ptr()))),
        }
    };
    if let Some(delta) = delta {
        return args.eq(PyTuple::new(object.py(), delta)?);
    }
    let Some((state, len, zone)) = state else { return Ok(false) };
    let right = tuple_item(&args, 0)
        .and_then(|it| it.cast_into_exact::<PyBytes>().ok())
        .is_some_and(|it| it.as_bytes() == &state[..len]);
    Ok(right && tuple_item(&args, 1).map(|it| it.as_ptr()) == zone && args.len() == 1 + usize::from(zone.is_some()))
}

/// A slot of an instance: what `__slots__` makes.
pub(crate) struct Slot {
    name: Py<PyString>,
    offset: isize,
}

impl Slot {
    /// The name of the slot as `copyreg` has it.
    pub(super) fn name(&self) -> *mut ffi::PyObject {
        self.name.as_ptr()
    }

    /// What the slot of an instance holds, or null.
    ///
    /// # Safety
    /// The object must be alive and an instance of the very type whose plan this slot belongs to.
    pub(super) unsafe fn read(&self, object: *mut ffi::PyObject) -> *mut ffi::PyObject {
        // SAFETY: alive, type: promised by the caller; the member descriptor of the type says that an object pointer stands
        // there. shared: the interpreter is held. runs: nothing.
        unsafe { object.cast::<u8>().offset(self.offset).cast::<*mut ffi::PyObject>().read() }
    }
}

/// A verdict: address and version tag of a type, and its plan if it has one.
type Seen = (usize, u32, Option<Rc<Plan>>);

/// How many verdicts each thread keeps; types that share a place push each other out.
const PLACES: usize = 256;
/// Slots are written in one batch.
const MOST_SLOTS: usize = super::walk::BATCH as usize;

thread_local! {
    static SEEN: RefCell<Vec<Seen>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" {
    fn _PyType_Lookup(class: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject;
    /// Not declared by pyo3-ffi.
    static mut PyMemberDescr_Type: ffi::PyTypeObject;
}

/// The start of `PyMemberDef` (`Include/descrobject.h`).
#[repr(C)]
struct Member {
    name: *const c_char,
    kind: c_int,
    offset: ffi::Py_ssize_t,
    flags: c_int,
}

/// The start of `PyMemberDescrObject`.
#[repr(C)]
struct MemberDescriptor {
    base: ffi::PyObject,
    class: *mut ffi::PyTypeObject,
    name: *mut ffi::PyObject,
    qualname: *mut ffi::PyObject,
    member: *mut Member,
}

/// `Py_T_OBJECT_EX`
const OBJECT_OR_MISSING: c_int = 16;
/// `Py_READONLY`
const READONLY: c_int = 1;

fn place(kind: *mut ffi::PyTypeObject) -> usize {
    (kind as usize >> 4 ^ kind as usize >> 13) % PLACES
}

fn tag(kind: *mut ffi::PyTypeObject) -> u32 {
    // SAFETY: alive: whoever has a type's address here got it from an object that owns it. type: every type object starts with
    // the fields of PyTypeObject. shared: the tag is written with the interpreter held. runs: nothing.
    unsafe { (*kind).tp_version_tag }
}

/// The plan of a type, where it has one and nothing has changed since.
pub(super) fn known(kind: *mut ffi::PyTypeObject) -> Option<Rc<Plan>> {
    let tag = tag(kind);
    SEEN.with_borrow(|seen| match seen.get(place(kind)) {
        Some((address, at, plan)) if *address == kind as usize && *at == tag && tag != 0 => plan.clone(),
        _ => None,
    })
}

/// Whether it is known of the type of `object` that it has a plan or none.
#[inline]
pub(crate) fn is_decided(object: &Bound<'_, PyAny>) -> bool {
    let kind = object.get_type_ptr();
    let tag = tag(kind);
    SEEN.with_borrow(|seen| {
        seen.get(place(kind)).is_some_and(|(address, at, _)| *address == kind as usize && *at == tag && tag != 0)
    })
}

/// Finds out whether instances of the type of `object` have a plan; `reduction` is what `__reduce_ex__` gave for `object`.
pub(crate) fn learn(object: &Bound<'_, PyAny>, reduction: &Bound<'_, PyAny>) -> PyResult<()> {
    let class = object.get_type();
    let plan = draw_up(object, &class, reduction)?.map(Rc::new);
    // The lookups on the way have given the type a tag, unless the interpreter has run out of them.
    let kind = class.as_type_ptr();
    let verdict = (kind as usize, tag(kind), plan);
    let old = SEEN.with_borrow_mut(|seen| {
        if seen.is_empty() {
            seen.resize_with(PLACES, || (0, 0, None));
        }
        std::mem::replace(&mut seen[place(kind)], verdict)
    });
    drop(old);
    Ok(())
}

/// What a type has under `name`, borrowed from it; `null` for nothing.
fn found(class: &Bound<'_, PyType>, name: &Bound<'_, PyString>) -> *mut ffi::PyObject {
    // SAFETY: alive: both are owned by the caller, the result is borrowed from the type and only compared. type: a type object
    // and a str. shared: the interpreter is held. runs: nothing: the namespaces of classes have str keys.
    unsafe { _PyType_Lookup(class.as_type_ptr(), name.as_ptr()) }
}

fn draw_up(
    object: &Bound<'_, PyAny>,
    class: &Bound<'_, PyType>,
    reduction: &Bound<'_, PyAny>,
) -> PyResult<Option<Plan>> {
    let py = object.py();
    if !is_left_to_object(class) {
        let Some(moment) = moment(class) else { return Ok(None) };
        return Ok(agrees(moment, object, reduction)?.then_some(Plan::Moment(moment)));
    }
    let copyreg = py.import(intern!(py, "copyreg"))?;
    let Ok(parts) = reduction.cast_exact::<PyTuple>() else { return Ok(None) };
    let part = |at| tuple_item(parts, at).filter(|it| !it.is_none());
    let Some(args) = part(1).and_then(|it| it.cast_into_exact::<PyTuple>().ok()) else { return Ok(None) };
    let new = copyreg.getattr(intern!(py, "__newobj__"))?;
    let plain = part(0).is_some_and(|it| it.is(&new))
        && args.len() == 1
        && args.get_item(0)?.is(class)
        && part(3).is_none()
        && part(4).is_none()
        && part(5).is_none();
    if !plain {
        return Ok(None);
    }
    let names = copyreg.call_method1(intern!(py, "_slotnames"), (class,))?;
    let Ok(names) = names.cast_exact::<PyList>() else { return Ok(None) };
    let has_dict = may_have_dict(class);
    if !names.is_empty() {
        if has_dict || names.len() > MOST_SLOTS {
            return Ok(None);
        }
        let mut slots = Vec::with_capacity(names.len());
        for name in names.iter() {
            let Ok(name) = name.cast_into_exact::<PyString>() else { return Ok(None) };
            let Some(offset) = offset_of(class, &name) else { return Ok(None) };
            slots.push(Slot { name: name.unbind(), offset });
        }
        return Ok(Some(Plan::Slots(slots)));
    }
    let right = match part(2) {
        None => true,
        Some(state) => has_dict && state.is_exact_instance_of::<PyDict>(),
    };
    Ok(right.then(|| if has_dict { Plan::Dict } else { Plan::Slots(Vec::new()) }))
}

/// Whether class and metaclass leave the reduction of instances, and the look-up of attributes, to `object` and `type`.
fn is_left_to_object(class: &Bound<'_, PyType>) -> bool {
    const CONTAINERS_AND_VALUES: std::os::raw::c_ulong = ffi::Py_TPFLAGS_LONG_SUBCLASS
        | ffi::Py_TPFLAGS_LIST_SUBCLASS
        | ffi::Py_TPFLAGS_TUPLE_SUBCLASS
        | ffi::Py_TPFLAGS_BYTES_SUBCLASS
        | ffi::Py_TPFLAGS_UNICODE_SUBCLASS
        | ffi::Py_TPFLAGS_DICT_SUBCLASS
        | ffi::Py_TPFLAGS_BASE_EXC_SUBCLASS
        | ffi::Py_TPFLAGS_TYPE_SUBCLASS;
    let py = class.py();
    let kind = class.as_type_ptr();
    // SAFETY: alive: the class is owned by the caller and owns its metaclass. type: type objects, whose slots are read. shared:
    // slots are written with the interpreter held. runs: nothing.
    let slots = unsafe {
        let (meta, plain) = (ffi::Py_TYPE(class.as_ptr()), &raw const ffi::PyType_Type);
        let generic: ffi::getattrofunc = ffi::PyObject_GenericGetAttr;
        let same = |one: Option<ffi::getattrofunc>, other: Option<ffi::getattrofunc>| match (one, other) {
            (Some(one), Some(other)) => std::ptr::fn_addr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        let same_address = |one: usize, other: usize| one == other;
        (*kind).tp_flags & CONTAINERS_AND_VALUES == 0
            && (*kind).tp_itemsize == 0
            && same((*kind).tp_getattro, Some(generic))
            && same((*meta).tp_getattro, (*plain).tp_getattro)
            && same_address(
                (*meta).tp_richcompare.map_or(0, |it| it as usize),
                (*plain).tp_richcompare.map_or(0, |it| it as usize),
            )
            && same_address((*meta).tp_hash.map_or(0, |it| it as usize), (*plain).tp_hash.map_or(0, |it| it as usize))
    };
    let base = py.get_type::<PyAny>();
    let inherited = [
        intern!(py, "__reduce_ex__"),
        intern!(py, "__reduce__"),
        intern!(py, "__getstate__"),
        intern!(py, "__class__"),
        intern!(py, "__getnewargs__"),
        intern!(py, "__getnewargs_ex__"),
    ];
    // Looked up in any case: a look-up gives the type its tag.
    let inherited = inherited.map(|name| found(class, name) == found(&base, name));
    slots && inherited == [true; 6]
}

/// Whether instances of a class can have a `__dict__`.
fn may_have_dict(class: &Bound<'_, PyType>) -> bool {
    /// `Py_TPFLAGS_MANAGED_DICT`, from 3.11 on.
    const MANAGED_DICT: std::os::raw::c_ulong = 1 << 4;
    // SAFETY: alive: owned by the caller. type: a type object. shared: neither field changes. runs: nothing.
    unsafe {
        let kind = class.as_type_ptr();
        (*kind).tp_dictoffset != 0 || (*kind).tp_flags & MANAGED_DICT != 0
    }
}

/// Where instances of a class hold the value of the slot `name`.
fn offset_of(class: &Bound<'_, PyType>, name: &Bound<'_, PyString>) -> Option<isize> {
    let descriptor = found(class, name);
    // SAFETY: alive: the descriptor is borrowed from the class, and nothing runs before it has been read. type: checked to be
    // exactly a member descriptor, whose member definition lives as long as it does. shared: never changes. runs: nothing.
    unsafe {
        if descriptor.is_null() || ffi::Py_TYPE(descriptor) != &raw mut PyMemberDescr_Type {
            return None;
        }
        let member = &*(*descriptor.cast::<MemberDescriptor>()).member;
        let plain = member.kind == OBJECT_OR_MISSING && member.flags & !READONLY == 0 && member.offset > 0;
        debug_assert!(!CStr::from_ptr(member.name).is_empty());
        plain.then_some(member.offset)
    }
}
