//! Objects of the `datetime` module, made from the arguments of their reduction.
//!
//! The module's own constructors convert and add up Python numbers; its C interface takes the fields. What it refuses, and
//! every argument that is not as `__reduce__` writes it, is left to the constructor.

use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::access::tuple_item;
use super::layout;

type Object<'py> = Bound<'py, PyAny>;

/// Addresses of the types, once one of them has been met.
struct Types {
    date: usize,
    time: usize,
    datetime: usize,
    delta: usize,
}

static TYPES: OnceLock<Option<Types>> = OnceLock::new();

fn types() -> Option<&'static Types> {
    // SAFETY: alive: the table of the module, once imported, lives as long as the process. type: as pyo3-ffi declares it. shared:
    // never changes. runs: importing the capsule of a module that has been imported already runs nothing.
    let find = || unsafe {
        ffi::PyDateTime_IMPORT();
        let table = ffi::PyDateTimeAPI();
        if table.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(Types {
            date: (*table).DateType as usize,
            time: (*table).TimeType as usize,
            datetime: (*table).DateTimeType as usize,
            delta: (*table).DeltaType as usize,
        })
    };
    TYPES.get_or_init(find).as_ref()
}

/// Whether a static type is named as one of the module's.
fn is_named_so(callable: &Object<'_>) -> bool {
    // SAFETY: alive: borrowed. type: the caller has found it to be a static type, whose name is a C string. shared: never changes.
    // runs: nothing.
    unsafe {
        let kind = callable.as_ptr().cast::<ffi::PyTypeObject>();
        std::ffi::CStr::from_ptr((*kind).tp_name).to_bytes().starts_with(b"datetime.")
    }
}

/// What `callable(*args)` makes, where `callable`, a static type, is one of the `datetime` module and `args` are as its
/// objects write them; `None` otherwise.
#[inline]
pub(crate) fn made<'py>(callable: &Object<'py>, args: &Bound<'py, PyTuple>) -> Option<Object<'py>> {
    if TYPES.get().is_none() && !is_named_so(callable) {
        return None;
    }
    let types = types()?;
    let kind = callable.as_ptr() as usize;
    if kind == types.delta {
        return delta(args);
    }
    if kind != types.datetime && kind != types.date && kind != types.time {
        return None;
    }
    let (state, len) = content(&tuple_item(args, 0)?)?;
    let zone = if args.len() > 1 { Some(tuple_item(args, 1)?) } else { None };
    let py = args.py();
    // SAFETY: alive: the table lives as long as the process, the zone is owned here. type: the functions take fields, which they
    // check, and `None` or a time zone, which is compared below. shared: nothing is borrowed. runs: no Python code: the types
    // are exact and their constructors C.
    unsafe {
        let table = &*ffi::PyDateTimeAPI();
        let zone = match &zone {
            None => ffi::Py_None(),
            Some(zone) if is_zone(zone, table.TZInfoType) => zone.as_ptr(),
            Some(_) => return None,
        };
        let micro = |bytes: &[u8]| i32::from(bytes[0]) << 16 | i32::from(bytes[1]) << 8 | i32::from(bytes[2]);
        let made = match state[..len] {
            [high, low, month, day] if kind == types.date && args.len() == 1 => {
                let year = i32::from(high) << 8 | i32::from(low);
                (table.Date_FromDate)(year, month.into(), day.into(), table.DateType)
            }
            [high, low, month, day, hour, minute, second, ref rest @ ..]
                if kind == types.datetime && rest.len() == 3 =>
            {
                let year = i32::from(high) << 8 | i32::from(low);
                (table.DateTime_FromDateAndTimeAndFold)(
                    year,
                    (month & 0x7f).into(),
                    day.into(),
                    hour.into(),
                    minute.into(),
                    second.into(),
                    micro(rest),
                    zone,
                    (month >> 7).into(),
                    table.DateTimeType,
                )
            }
            [hour, minute, second, ref rest @ ..] if kind == types.time && rest.len() == 3 => (table
                .Time_FromTimeAndFold)(
                (hour & 0x7f).into(),
                minute.into(),
                second.into(),
                micro(rest),
                zone,
                (hour >> 7).into(),
                table.TimeType,
            ),
            _ => return None,
        };
        if made.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(Bound::from_owned_ptr(py, made))
    }
}

fn delta<'py>(args: &Bound<'py, PyTuple>) -> Option<Object<'py>> {
    if args.len() != 3 {
        return None;
    }
    let [days, seconds, micro] =
        [small(&tuple_item(args, 0)?)?, small(&tuple_item(args, 1)?)?, small(&tuple_item(args, 2)?)?];
    // SAFETY: alive: the table lives as long as the process. type: the function takes three numbers, which it normalizes and checks.
    // shared: nothing is borrowed. runs: no Python code.
    unsafe {
        let table = &*ffi::PyDateTimeAPI();
        let made = (table.Delta_FromDelta)(days, seconds, micro, 1, table.DeltaType);
        if made.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(Bound::from_owned_ptr(args.py(), made))
    }
}

/// The value of an exact int of up to 30 bits.
fn small(number: &Object<'_>) -> Option<i32> {
    // SAFETY: alive: borrowed. type: compared to be exactly int before digits are read. shared: ints do not change. runs: nothing.
    unsafe {
        if number.get_type_ptr() != &raw mut ffi::PyLong_Type {
            return None;
        }
        let (digits, count, negative) = layout::digits(number.as_ptr());
        let size = match count {
            0 => 0,
            1 => digits.read() as i32,
            _ => return None,
        };
        Some(if negative { -size } else { size })
    }
}

/// The content of exact bytes, where there are no more than an object of the module writes.
fn content(bytes: &Object<'_>) -> Option<([u8; 10], usize)> {
    let bytes = bytes.cast_exact::<pyo3::types::PyBytes>().ok()?.as_bytes();
    let mut content = [0; 10];
    content.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some((content, bytes.len()))
}

fn is_zone(zone: &Object<'_>, kind: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: alive: borrowed. type: any object and a type. shared: the bases of a type are read. runs: nothing.
    unsafe { ffi::PyObject_TypeCheck(zone.as_ptr(), kind) != 0 }
}
