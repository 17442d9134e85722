//! Dicts of one shape: where the keys of a new dict are those of the one before, in the same order, its table is copied from
//! there instead of being built by hashing and comparing.
//!
//! The layout is that of `Include/internal/pycore_dict.h`, the same from CPython 3.11 to 3.15 in builds with a lock;
//! [`self_test`] copies a dict and looks at the result before anything relies on it.

use std::vec::Drain;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::layout::{self, Keys};

type Object<'py> = Bound<'py, PyAny>;

/// Dicts of more keys are not copied: they are rarely of one shape.
const MOST: usize = 64;

/// The last dict that was filled with str keys and nothing else.
#[derive(Default)]
pub(crate) struct Shape<'py> {
    model: Option<Bound<'py, PyDict>>,
}

impl<'py> Shape<'py> {
    /// Fills `dict`, which must be empty, with keys and values in turn, if it has the shape of the model; takes nothing
    /// otherwise.
    #[inline]
    pub(crate) fn fill(&self, dict: &Bound<'py, PyDict>, items: &mut Drain<'_, Object<'py>>) -> bool {
        match &self.model {
            Some(model) => fill(model, dict, items),
            None => false,
        }
    }

    /// Takes `dict` for a model.
    #[inline]
    pub(crate) fn follow(&mut self, dict: &Bound<'py, PyDict>) {
        if keys_of(dict).is_some() {
            self.model = Some(dict.clone());
        }
    }
}

/// The table of a dict, if it can be copied: its keys are str, it keeps its values beside them, and nothing was deleted.
fn keys_of(dict: &Bound<'_, PyDict>) -> Option<*const Keys> {
    // SAFETY: alive: the dict is borrowed. type: the pyo3 type says dict, and `cast_exact` gave it. shared: the interpreter is
    // held. runs: nothing.
    unsafe {
        let (keys, values) = layout::table(dict.as_ptr());
        let count = layout::dict_len(dict.as_ptr());
        let plain = values.is_null()
            && (*keys).kind == 1
            && (*keys).log2_size >= 3
            && (1..=MOST).contains(&count)
            && (*keys).entries.unsigned_abs() == count;
        plain.then_some(keys)
    }
}

unsafe extern "C" {
    #[cfg_attr(not(Py_3_13), link_name = "PyObject_Malloc")]
    #[cfg_attr(Py_3_13, link_name = "PyMem_Malloc")]
    fn allocate_keys(size: usize) -> *mut std::ffi::c_void;
}

fn fill<'py>(model: &Bound<'py, PyDict>, dict: &Bound<'py, PyDict>, items: &mut Drain<'_, Object<'py>>) -> bool {
    let Some(keys) = keys_of(model) else { return false };
    let given = items.as_slice();
    let count = given.len() / 2;
    // SAFETY: alive: both dicts are borrowed, the items owned by the drain until they are moved out of it. type: exact dicts; the
    // model has just been found to have `count` entries of str keys and their values, and the new dict to have the empty
    // table that all new dicts share. The copy has the size that the interpreter gives a table of this kind, and comes from
    // the allocator that it frees tables with. shared: the interpreter is held, and nobody changes either meanwhile.
    // runs: nothing: allocating, copying and counting references run no Python code, and keys are compared by address.
    unsafe {
        if (*keys).entries.unsigned_abs() != count || layout::dict_len(dict.as_ptr()) != 0 {
            return false;
        }
        let (old, values) = layout::table(dict.as_ptr());
        if !values.is_null() || (*old).log2_size != 0 {
            return false;
        }
        let index_bytes = 1usize << (*keys).log2_index_bytes;
        let entries = keys.cast::<u8>().add(size_of::<Keys>() + index_bytes).cast::<[*mut ffi::PyObject; 2]>();
        for at in 0..count {
            if (*entries.add(at))[0] != given[2 * at].as_ptr() {
                return false;
            }
        }
        let usable = (2usize << (*keys).log2_size) / 3;
        let head = size_of::<Keys>() + index_bytes;
        let made = allocate_keys(head + usable * size_of::<[*mut ffi::PyObject; 2]>()).cast::<u8>();
        if made.is_null() {
            return false;
        }
        std::ptr::copy_nonoverlapping(keys.cast::<u8>(), made, head);
        let table = made.cast::<Keys>();
        (*table).references = 1;
        (*table).version = 0;
        let to = made.add(head).cast::<[*mut ffi::PyObject; 2]>();
        let mut tracked = false;
        for at in 0..count {
            let (Some(key), Some(value)) = (items.next(), items.next()) else { break };
            tracked |= (*value.get_type_ptr()).tp_flags & ffi::Py_TPFLAGS_HAVE_GC != 0;
            to.add(at).write([key.into_ptr(), value.into_ptr()]);
        }
        std::ptr::write_bytes(to.add(count), 0, usable - count);
        layout::set_table(dict.as_ptr(), table, count);
        // The empty table counts its dicts up to 3.11; later it lives for ever.
        if cfg!(not(Py_3_12)) {
            (*old.cast_mut()).references -= 1;
        }
        if tracked && ffi::PyObject_GC_IsTracked(dict.as_ptr()) == 0 {
            ffi::PyObject_GC_Track(dict.as_ptr().cast());
        }
        true
    }
}

/// Whether a copy behaves as a dict that was built by the interpreter.
pub(crate) fn self_test(py: Python<'_>) -> PyResult<bool> {
    let (model, copy) = (PyDict::new(py), PyDict::new(py));
    let keys: Vec<Object<'_>> =
        ["one", "two", "three"].map(|it| pyo3::types::PyString::intern(py, it).into_any()).to_vec();
    let values: Vec<Object<'_>> = vec![
        pyo3::types::PyList::empty(py).into_any(),
        pyo3::types::PyString::new(py, "value").into_any(),
        py.None().into_bound(py),
    ];
    for (key, value) in keys.iter().zip(&values) {
        model.set_item(key, value)?;
    }
    let mut items: Vec<Object<'_>> =
        keys.iter().zip(&values).flat_map(|(key, value)| [key.clone(), value.clone()]).collect();
    let mut shape = Shape::default();
    shape.follow(&model);
    if !shape.fill(&copy, &mut items.drain(..)) || !copy.eq(&model)? || copy.len() != 3 {
        return Ok(false);
    }
    copy.del_item("two")?;
    copy.set_item("four", 4)?;
    let found = copy.get_item("three")?.is_some_and(|it| it.is_none()) && copy.get_item("two")?.is_none();
    Ok(found && copy.len() == 3 && model.len() == 3)
}
