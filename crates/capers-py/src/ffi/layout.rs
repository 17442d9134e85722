//! Where the parts of exact built-in objects lie in memory, per version of CPython.
//!
//! Read from the headers of 3.11 to 3.15 (builds with a lock): `Include/cpython/unicodeobject.h`, `longintrepr.h`,
//! `listobject.h`, `tupleobject.h`, `Include/internal/pycore_dict.h`. [`self_test`] compares each with what the interpreter's
//! own functions say, once per process; where it fails, nothing is read by layout.
//!
//! Every function here reads one object of the exact type that its name tells, which its caller has checked, and runs
//! nothing.
#![expect(clippy::inline_always, reason = "single loads and stores, called from the hottest loops")]

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyList, PySet, PyString, PyTuple};

type Object = *mut ffi::PyObject;

/// Bytes before the characters of a compact ASCII str.
const ASCII_DATA: usize = if cfg!(Py_3_12) { 40 } else { 48 };
/// Bytes before the characters of a compact str that is not ASCII.
const COMPACT_DATA: usize = if cfg!(Py_3_12) { 56 } else { 72 };
/// Where the length and the pointer of the kept UTF-8 form of a compact str lie.
const UTF8: usize = ASCII_DATA;
/// Where the state of a str lies; from 3.14 on its bits stand where they stood before in builds with a lock.
const STATE: usize = 32;
const COMPACT: u32 = 1 << 5;
const ASCII: u32 = 1 << 6;
/// Bytes before the digits of an int and before what a variable-sized object counts.
const DIGITS: usize = 24;
const SIZE: usize = 16;
/// Bytes before the content of bytes.
const BYTES_DATA: usize = 32;
/// Bytes before the value of a float.
const FLOAT_VALUE: usize = 16;
/// Bytes before the items of a tuple.
const TUPLE_ITEMS: usize = if cfg!(Py_3_14) { 32 } else { 24 };
/// Bytes before the table of a dict, and before its values where they are kept apart.
const TABLE: usize = 32;
const VALUES: usize = 40;
/// Bytes before the pointer to the items of a list.
const LIST_ITEMS: usize = 24;

/// Reads a `T` at so many bytes from the start of an object.
///
/// # Safety
/// The object must be alive and have a `T` there.
#[inline(always)]
unsafe fn at<T: Copy>(object: Object, offset: usize) -> T {
    // SAFETY: alive, type: promised by the caller. shared: the interpreter is held by whoever has the object. runs: nothing.
    unsafe { object.cast::<u8>().add(offset).cast::<T>().read() }
}

/// The type of an object.
///
/// # Safety
/// The object must be alive.
#[inline(always)]
pub(super) unsafe fn type_of(object: Object) -> *mut ffi::PyTypeObject {
    // SAFETY: alive: promised by the caller. type: every object has a type there. shared, runs: one read.
    unsafe { at(object, 8) }
}

/// The characters of a str that is compact and ASCII.
///
/// # Safety
/// The object must be an exact str that is alive.
#[inline(always)]
pub(super) unsafe fn ascii(object: Object) -> Option<(*const u8, usize)> {
    // SAFETY: alive, type: promised by the caller. shared: a str does not change. runs: nothing.
    unsafe {
        if at::<u32>(object, STATE) & (COMPACT | ASCII) != COMPACT | ASCII {
            return None;
        }
        Some((object.cast::<u8>().add(ASCII_DATA), at::<usize>(object, SIZE)))
    }
}

/// The form in which a str stores its characters.
pub(super) enum Characters {
    /// Kept UTF-8.
    Utf8(*const u8, usize),
    /// Code points of one, two or four bytes each.
    One(*const u8, usize),
    Two(*const u16, usize),
    Four(*const u32, usize),
    /// A form that is not read by layout.
    Other,
}

/// The characters of a str that is not ASCII.
///
/// # Safety
/// The object must be an exact str that is alive, and [`ascii`] must have answered `None`.
#[inline(always)]
pub(super) unsafe fn characters(object: Object) -> Characters {
    // SAFETY: alive, type: promised by the caller. shared: a str does not change but for its kept UTF-8, which is there for
    // good once it is there. runs: nothing.
    unsafe {
        let state = at::<u32>(object, STATE);
        if state & COMPACT == 0 {
            return Characters::Other;
        }
        let kept: *const u8 = at(object, UTF8 + 8);
        if !kept.is_null() {
            return Characters::Utf8(kept, at(object, UTF8));
        }
        let data = object.cast::<u8>().add(COMPACT_DATA);
        let count = at::<usize>(object, SIZE);
        match state >> 2 & 7 {
            1 => Characters::One(data, count),
            2 => Characters::Two(data.cast(), count),
            4 => Characters::Four(data.cast(), count),
            _ => Characters::Other,
        }
    }
}

/// The digits of an int, 30 bits each, lowest first, and whether it is below zero.
///
/// # Safety
/// The object must be an exact int that is alive.
#[inline(always)]
pub(super) unsafe fn digits(object: Object) -> (*const u32, usize, bool) {
    // SAFETY: alive, type: promised by the caller. shared: an int does not change. runs: nothing.
    unsafe {
        let digits = object.cast::<u8>().add(DIGITS).cast::<u32>();
        if cfg!(Py_3_12) {
            let tag: usize = at(object, SIZE);
            (digits, tag >> 3, tag & 3 == 2)
        } else {
            let size: isize = at(object, SIZE);
            (digits, size.unsigned_abs(), size < 0)
        }
    }
}

/// Gives an int the other sign: that of its size up to 3.11, from 3.12 on two bits of `lv_tag` (`Include/internal/pycore_long.h`).
///
/// # Safety
/// The object must be an int above zero that nobody else has seen yet.
#[inline(always)]
pub(super) unsafe fn negate(object: Object) {
    // SAFETY: alive, type, shared: promised by the caller. runs: nothing.
    unsafe {
        if cfg!(Py_3_12) {
            let tag: usize = at(object, SIZE);
            object.cast::<u8>().add(SIZE).cast::<usize>().write(tag | 2);
        } else {
            let size: isize = at(object, SIZE);
            object.cast::<u8>().add(SIZE).cast::<isize>().write(-size);
        }
    }
}

/// The value of a float.
///
/// # Safety
/// The object must be an exact float that is alive.
#[inline(always)]
pub(super) unsafe fn float(object: Object) -> f64 {
    // SAFETY: alive, type: promised by the caller. shared: a float does not change. runs: nothing.
    unsafe { at(object, FLOAT_VALUE) }
}

/// The content of bytes.
///
/// # Safety
/// The object must be exact bytes that are alive.
#[inline(always)]
pub(super) unsafe fn bytes(object: Object) -> (*const u8, usize) {
    // SAFETY: alive, type: promised by the caller. shared: bytes do not change. runs: nothing.
    unsafe { (object.cast::<u8>().add(BYTES_DATA), at(object, SIZE)) }
}

/// The items of a list as they are now.
///
/// # Safety
/// The object must be an exact list that is alive; what is returned holds until other code runs.
#[inline(always)]
pub(super) unsafe fn list(object: Object) -> (*const Object, usize) {
    // SAFETY: alive, type: promised by the caller. shared: the interpreter is held. runs: nothing.
    unsafe { (at(object, LIST_ITEMS), at(object, SIZE)) }
}

/// The items of a tuple.
///
/// # Safety
/// The object must be an exact tuple that is alive.
#[inline(always)]
pub(super) unsafe fn tuple(object: Object) -> (*const Object, usize) {
    // SAFETY: alive, type: promised by the caller. shared: a tuple that others can see does not change. runs: nothing.
    unsafe { (object.cast::<u8>().add(TUPLE_ITEMS).cast(), at(object, SIZE)) }
}

/// The start of `PyDictKeysObject`.
#[repr(C)]
pub(super) struct Keys {
    pub(super) references: isize,
    pub(super) log2_size: u8,
    pub(super) log2_index_bytes: u8,
    /// 0: entries with hashes; 1: entries whose keys are all str; 2: as 1, the values kept apart.
    pub(super) kind: u8,
    pub(super) version: u32,
    pub(super) usable: isize,
    pub(super) entries: isize,
}

/// The table of a dict, and its values where they are kept apart.
///
/// # Safety
/// The object must be an exact dict that is alive.
#[inline(always)]
pub(super) unsafe fn table(object: Object) -> (*const Keys, *const u8) {
    // SAFETY: alive, type: promised by the caller. shared: the interpreter is held. runs: nothing.
    unsafe { (at(object, TABLE), at(object, VALUES)) }
}

/// Gives a dict another table, with so many items in it.
///
/// # Safety
/// The object must be an exact dict that is alive, and the table one that belongs to nobody else.
#[inline(always)]
pub(super) unsafe fn set_table(object: Object, table: *mut Keys, count: usize) {
    // SAFETY: alive, type: promised by the caller. shared: the interpreter is held. runs: nothing.
    unsafe {
        object.cast::<u8>().add(TABLE).cast::<*mut Keys>().write(table);
        object.cast::<u8>().add(SIZE).cast::<usize>().write(count);
    }
}

/// The characters of a compact str that is not ASCII, to be written.
///
/// # Safety
/// The object must be such a str, alive and not yet seen by anybody else.
#[inline(always)]
pub(super) unsafe fn compact_data(object: Object) -> *mut u8 {
    // SAFETY: alive, type, shared: promised by the caller. runs: nothing.
    unsafe { object.cast::<u8>().add(COMPACT_DATA) }
}

/// Where the entries of a dict lie, and how far apart; `None` where its values are kept apart.
pub(super) struct Entries {
    /// The key of the first entry; its value stands right behind it.
    pub(super) first: *const Object,
    /// Words from one key to the next.
    pub(super) step: usize,
    pub(super) count: usize,
}

/// The entries of a dict that keeps keys and values together.
///
/// # Safety
/// The object must be an exact dict that is alive; what is returned holds until other code runs.
#[inline(always)]
pub(super) unsafe fn entries(object: Object) -> Option<Entries> {
    // SAFETY: alive, type: promised by the caller. shared: the interpreter is held. runs: nothing. The table of indices is
    // 2 to the power of `log2_index_bytes` long and stands between the head and the entries.
    unsafe {
        let (keys, values) = table(object);
        if !values.is_null() {
            return None;
        }
        let indices = keys.cast::<u8>().add(size_of::<Keys>());
        let first = indices.add(1 << (*keys).log2_index_bytes).cast::<Object>();
        let count = (*keys).entries.unsigned_abs();
        Some(if (*keys).kind == 0 {
            Entries { first: first.add(1), step: 3, count }
        } else {
            Entries { first, step: 2, count }
        })
    }
}

/// The number of items in a dict or set.
///
/// # Safety
/// The object must be an exact dict that is alive.
#[inline(always)]
pub(super) unsafe fn dict_len(object: Object) -> usize {
    // SAFETY: alive, type: promised by the caller. shared: the interpreter is held. runs: nothing.
    unsafe { at(object, SIZE) }
}

/// Fetches memory that is about to be read.
#[inline(always)]
pub(super) fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: alive, type: a prefetch of any address is allowed and reads nothing. shared, runs: nothing.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Whether the layouts above are those of the running interpreter.
pub(crate) fn self_test(py: Python<'_>) -> PyResult<bool> {
    if size_of::<ffi::PyObject>() != 16 || size_of::<usize>() != 8 || cfg!(target_endian = "big") {
        return Ok(false);
    }
    Ok(strings(py) && numbers(py)? && containers(py)?)
}

fn strings(py: Python<'_>) -> bool {
    let read = |text: &str| -> Option<Vec<u32>> {
        let made = PyString::new(py, text);
        // SAFETY: alive: owned. type: an exact str. shared, runs: nothing. The slices have the lengths that the layout tells.
        unsafe {
            if let Some((data, count)) = ascii(made.as_ptr()) {
                return Some(std::slice::from_raw_parts(data, count).iter().map(|&it| it.into()).collect());
            }
            match characters(made.as_ptr()) {
                Characters::One(data, count) => {
                    Some(std::slice::from_raw_parts(data, count).iter().map(|&it| it.into()).collect())
                }
                Characters::Two(data, count) => {
                    Some(std::slice::from_raw_parts(data, count).iter().map(|&it| it.into()).collect())
                }
                Characters::Four(data, count) => Some(std::slice::from_raw_parts(data, count).to_vec()),
                Characters::Utf8(..) | Characters::Other => None,
            }
        }
    };
    let right = |text: &str| {
        // The lengths are looked at before anything is read.
        let made = PyString::new(py, text);
        // SAFETY: alive: owned. type: an exact str, whose size field stands in the same place in every version. shared, runs: nothing.
        let count: usize = unsafe { at(made.as_ptr(), SIZE) };
        count == text.chars().count() && read(text) == Some(text.chars().map(u32::from).collect())
    };
    let kept = PyString::new(py, "größe – 数");
    let utf8 = kept.to_str().unwrap_or_default();
    // SAFETY: alive: owned. type: an exact str that is not ASCII and has just been asked for its UTF-8. shared, runs: nothing.
    let kept_right = unsafe {
        ascii(kept.as_ptr()).is_none()
            && matches!(characters(kept.as_ptr()),
                Characters::Utf8(data, count) if data == utf8.as_ptr() && count == utf8.len())
    };
    ["plain", "größe", "数字 – 1", "🌿 caper"].into_iter().all(right) && kept_right
}

fn numbers(py: Python<'_>) -> PyResult<bool> {
    for value in [0i64, 1, -1, 255, 1 << 29, -(1 << 31), (1 << 59) + 7, i64::MAX, i64::MIN + 1] {
        let made = value.into_pyobject(py)?;
        // SAFETY: alive: owned. type: an exact int; the count of digits is checked before they are read. shared, runs: nothing.
        let same = unsafe {
            let (digits, count, negative) = digits(made.as_ptr());
            let mut total: i128 = 0;
            if count <= 3 {
                for place in (0..count).rev() {
                    total = total << 30 | i128::from(digits.add(place).read());
                }
            }
            count <= 3 && total == i128::from(value).abs() && negative == (value < 0)
        };
        if !same {
            return Ok(false);
        }
    }
    let value = PyFloat::new(py, 1.25e-9);
    let content = PyBytes::new(py, b"content");
    // SAFETY: alive: owned. type: an exact float and exact bytes; the length is checked before the content is read. shared, runs:
    // nothing.
    Ok(unsafe {
        let (data, count) = bytes(content.as_ptr());
        float(value.as_ptr()).to_bits() == 1.25e-9f64.to_bits()
            && count == 7
            && std::slice::from_raw_parts(data, count) == b"content"
    })
}

fn containers(py: Python<'_>) -> PyResult<bool> {
    let one = PyString::new(py, "one").into_any();
    let two = 2000i64.into_pyobject(py)?.into_any();
    let items = [one.as_ptr(), two.as_ptr()];
    let as_list = PyList::new(py, [&one, &two])?;
    let as_tuple = PyTuple::new(py, [&one, &two])?;
    // SAFETY: alive: owned. type: an exact list and an exact tuple; lengths are checked before items are read. shared, runs: nothing.
    let sequences = unsafe {
        [list(as_list.as_ptr()), tuple(as_tuple.as_ptr())]
            .into_iter()
            .all(|(data, count)| count == 2 && std::slice::from_raw_parts(data, 2) == items)
    };
    let dicts = [PyDict::new(py), PyDict::new(py)];
    dicts[0].set_item(&one, &two)?;
    dicts[1].set_item(&two, &one)?;
    let expected = [[items[0], items[1]], [items[1], items[0]]];
    // SAFETY: alive: owned. type: exact dicts of one pair; the count is checked before the entry is read. shared, runs: nothing.
    let mappings = dicts.iter().zip(expected).all(|(dict, pair)| unsafe {
        dict_len(dict.as_ptr()) == 1
            && entries(dict.as_ptr()).is_some_and(|it| it.count == 1 && std::slice::from_raw_parts(it.first, 2) == pair)
    });
    let set = PySet::new(py, [&one])?;
    let mut position = 0;
    let found = super::access::set_next(set.as_any(), &mut position);
    let sets = found.is_some_and(|it| it.is(&one)) && super::access::set_next(set.as_any(), &mut position).is_none();
    Ok(sequences && mappings && sets)
}
