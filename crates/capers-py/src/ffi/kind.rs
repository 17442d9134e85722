//! The exact type of an object as one small number, in the order of measured frequency.

use pyo3::ffi;
use pyo3::prelude::*;

unsafe extern "C" {
    /// Not declared by pyo3-ffi.
    static mut PyMethod_Type: ffi::PyTypeObject;
}

/// What an object is *exactly*; a subclass is [`Kind::Other`], except for types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Str,
    Int,
    Dict,
    Tuple,
    List,
    None,
    Float,
    Bool,
    Bytes,
    Function,
    /// A type, whatever its metaclass.
    Type,
    Set,
    FrozenSet,
    ByteArray,
    Cell,
    Code,
    Module,
    Method,
    BuiltinFunction,
    Other,
}

/// The exact kind of `obj`.
#[inline]
pub(crate) fn kind(obj: &Bound<'_, PyAny>) -> Kind {
    let ptr = obj.get_type_ptr();
    if ptr == &raw mut ffi::PyUnicode_Type {
        Kind::Str
    } else if ptr == &raw mut ffi::PyLong_Type {
        Kind::Int
    } else if ptr == &raw mut ffi::PyDict_Type {
        Kind::Dict
    } else if ptr == &raw mut ffi::PyTuple_Type {
        Kind::Tuple
    } else if ptr == &raw mut ffi::PyList_Type {
        Kind::List
    } else if obj.is_none() {
        Kind::None
    } else if ptr == &raw mut ffi::PyFloat_Type {
        Kind::Float
    } else if ptr == &raw mut ffi::PyBool_Type {
        Kind::Bool
    } else if ptr == &raw mut ffi::PyBytes_Type {
        Kind::Bytes
    } else if ptr == &raw mut ffi::PyFunction_Type {
        Kind::Function
    } else {
        rare(obj)
    }
}

#[cold]
#[inline(never)]
fn rare(obj: &Bound<'_, PyAny>) -> Kind {
    let ptr = obj.get_type_ptr();
    if ptr == &raw mut ffi::PyType_Type || obj.is_instance_of::<pyo3::types::PyType>() {
        Kind::Type
    } else if ptr == &raw mut ffi::PySet_Type {
        Kind::Set
    } else if ptr == &raw mut ffi::PyFrozenSet_Type {
        Kind::FrozenSet
    } else if ptr == &raw mut ffi::PyByteArray_Type {
        Kind::ByteArray
    } else if ptr == &raw mut ffi::PyCell_Type {
        Kind::Cell
    } else if ptr == &raw mut ffi::PyCode_Type {
        Kind::Code
    } else if ptr == &raw mut ffi::PyModule_Type {
        Kind::Module
    } else if ptr == &raw mut PyMethod_Type {
        Kind::Method
    } else if ptr == &raw mut ffi::PyCFunction_Type {
        Kind::BuiltinFunction
    } else {
        Kind::Other
    }
}

/// The address of the type of `obj` and its version tag, 0 while it has none; a tag is given to one version of one type only.
#[inline]
pub(crate) fn type_tag(obj: &Bound<'_, PyAny>) -> (usize, u32) {
    let ptr = obj.get_type_ptr();
    // SAFETY: alive: the object owns its type. type: every type object starts with the fields of PyTypeObject. shared: the tag is
    // written with the GIL held. runs: nothing.
    (ptr as usize, unsafe { (*ptr).tp_version_tag })
}

/// Whether `obj` is a type whose metaclass is `type` itself.
pub(crate) fn is_plain_type(obj: &Bound<'_, PyAny>) -> bool {
    obj.get_type_ptr() == &raw mut ffi::PyType_Type
}
