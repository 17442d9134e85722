//! Built-in types that their own name does not lead to.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyModule, PyString, PyTuple, PyType};

use super::{Answer, Part, Travel, made, stated, table, word};
use crate::ffi::class::own;
use crate::policy::{self, Reference};
use crate::wire::Wire;

/// Names of types and where each is to be had: always loaded modules of the standard library.
const NAMED: &[(&str, &str, &str)] = &[
    ("async_generator", "types", "AsyncGeneratorType"),
    ("builtin_function_or_method", "types", "BuiltinFunctionType"),
    ("bytearray_iterator", "_collections_abc", "bytearray_iterator"),
    ("bytes_iterator", "_collections_abc", "bytes_iterator"),
    ("CallableProxyType", "weakref", "CallableProxyType"),
    ("cell", "types", "CellType"),
    ("classmethod_descriptor", "types", "ClassMethodDescriptorType"),
    ("code", "types", "CodeType"),
    ("coroutine", "types", "CoroutineType"),
    ("dict_itemiterator", "_collections_abc", "dict_itemiterator"),
    ("dict_items", "_collections_abc", "dict_items"),
    ("dict_keyiterator", "_collections_abc", "dict_keyiterator"),
    ("dict_keys", "_collections_abc", "dict_keys"),
    ("dict_valueiterator", "_collections_abc", "dict_valueiterator"),
    ("dict_values", "_collections_abc", "dict_values"),
    ("ellipsis", "types", "EllipsisType"),
    ("frame", "types", "FrameType"),
    ("FrameLocalsProxy", "_collections_abc", "framelocalsproxy"),
    ("function", "types", "FunctionType"),
    ("generator", "types", "GeneratorType"),
    ("getset_descriptor", "types", "GetSetDescriptorType"),
    ("list_iterator", "_collections_abc", "list_iterator"),
    ("list_reverseiterator", "_collections_abc", "list_reverseiterator"),
    ("lock", "_thread", "LockType"),
    ("longrange_iterator", "_collections_abc", "longrange_iterator"),
    ("mappingproxy", "types", "MappingProxyType"),
    ("member_descriptor", "types", "MemberDescriptorType"),
    ("method", "types", "MethodType"),
    ("method-wrapper", "types", "MethodWrapperType"),
    ("method_descriptor", "types", "MethodDescriptorType"),
    ("module", "types", "ModuleType"),
    ("PyCapsule", "types", "CapsuleType"),
    ("range_iterator", "_collections_abc", "range_iterator"),
    ("set_iterator", "_collections_abc", "set_iterator"),
    ("str_ascii_iterator", "_collections_abc", "str_iterator"),
    ("traceback", "types", "TracebackType"),
    ("tuple_iterator", "_collections_abc", "tuple_iterator"),
    ("Union", "types", "UnionType"),
    ("UnionType", "types", "UnionType"),
    ("weakproxy", "weakref", "ProxyType"),
    ("weakref", "weakref", "ReferenceType"),
    ("wrapper_descriptor", "types", "WrapperDescriptorType"),
    ("zip", "_collections_abc", "zip_iterator"),
];

/// A type that cannot be found by module and qualname.
pub(super) fn hidden<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let Ok(class) = object.cast::<PyType>() else { return Ok(None) };
    let plain = object.get_type().is(py.get_type::<PyType>());
    let made_here = table::is_python_made(class)?;
    if plain
        && made_here
        && own(class, intern!(py, "__module__"))?.is_some_and(|it| !it.eq("functools").unwrap_or(true))
    {
        return Ok(None);
    }
    let Ok(name) = stated(class, intern!(py, "__name__"))?.cast_into::<PyString>() else { return Ok(None) };
    let module = stated(class, intern!(py, "__module__"))?;
    if !plain && let Some(answer) = of_ctypes(class)? {
        return Ok(Some(answer));
    }
    if made_here && !(module.eq("functools")? && name.eq("KeyWrapper")) {
        return Ok(None);
    }
    let text = name.to_string_lossy();
    if let Ok(at) = NAMED.binary_search_by(|(each, ..)| letters(each).cmp(letters(&text))) {
        let (_, module, attribute) = NAMED[at];
        let (module, attribute) = (PyString::intern(py, module), PyString::intern(py, attribute));
        let loaded = policy::library(&module)?;
        if policy::resolve(&loaded, &attribute)?.is_some_and(|it| it.is(object)) {
            return Ok(Some(Travel::Reference(Reference { module, name: attribute })));
        }
    }
    // The loading side knows some more by an expression each.
    let rebuild = policy::library(intern!(py, "capers._rebuild"))?;
    if rebuild.getattr("_HIDDEN")?.contains(&name)? && rebuild.getattr("hidden_type")?.call1((&name,))?.is(object) {
        return made(Wire::HiddenType, vec![word(py, &text)]);
    }
    renamed(object, &module)
}

/// A type of C code that its module holds under another name than its own.
fn renamed<'py>(object: &Bound<'py, PyAny>, module: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let Ok(module) = module.cast::<PyString>() else { return Ok(None) };
    let Some(Ok(loaded)) = policy::loaded(py, module.as_any())?.map(Bound::cast_into::<PyModule>) else {
        return Ok(None);
    };
    for (name, value) in loaded.dict().iter() {
        if value.is(object)
            && let Ok(name) = name.cast_into::<PyString>()
            && policy::importable(module, loaded.as_any())?
        {
            return Ok(Some(Travel::Reference(Reference { module: module.clone(), name })));
        }
    }
    Ok(None)
}

/// A pointer, array or function type of `ctypes`: it is made once for the types it is made of.
fn of_ctypes<'py>(class: &Bound<'py, PyType>) -> Answer<'py> {
    let py = class.py();
    let metaclass = class.get_type();
    if !stated(&metaclass, intern!(py, "__module__"))?.eq("_ctypes")? {
        return Ok(None);
    }
    let name = metaclass.name()?;
    let held = |name: &Bound<'py, PyString>| own(class, name);
    let ctypes = py.import("ctypes")?;
    match name.to_str()? {
        "PyCPointerType" => {
            let Some(target) = held(intern!(py, "_type_"))? else { return Ok(None) };
            if ctypes.call_method1("POINTER", (&target,))?.is(class) {
                return made(Wire::CPointer, vec![Part::Object(target)]);
            }
        }
        "PyCArrayType" => {
            let (Some(item), Some(length)) = (held(intern!(py, "_type_"))?, held(intern!(py, "_length_"))?) else {
                return Ok(None);
            };
            if item.mul(&length)?.is(class) {
                return made(Wire::Multiply, vec![Part::Object(item), Part::Object(length)]);
            }
        }
        "PyCFuncPtrType" => {
            let (Some(result), Some(arguments)) = (held(intern!(py, "_restype_"))?, held(intern!(py, "_argtypes_"))?)
            else {
                return Ok(None);
            };
            let mut parts = vec![result];
            parts.extend(arguments.cast_into::<PyTuple>()?.iter());
            let same = ctypes.getattr("CFUNCTYPE")?.call1(PyTuple::new(py, &parts)?)?;
            if same.is(class) {
                return made(Wire::CFunction, parts.into_iter().map(Part::Object).collect());
            }
        }
        _ => {}
    }
    Ok(None)
}

/// What the table is ordered by: the letters without regard to case.
fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}
