//! Views: objects that show another object, which travels with them and is shared with whoever else has it.

use pyo3::buffer::PyUntypedBuffer;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyString, PyType};

use super::refused::refusal;
use super::{Answer, Part, made, referents, stated, word};
use crate::ffi::access::dict_get;
use crate::wire::Wire;

/// A read-only proxy of a mapping, or the namespace of a class.
pub(super) fn mapping_proxy<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let Some(mapping) = referents(object)?.into_iter().next() else {
        return Err(refusal(object, "its mapping cannot be seen"));
    };
    if let Some(dict) = mapping.cast_exact::<PyDict>().ok()
        && let Some(class) = class_of_namespace(dict)?
    {
        return made(Wire::Vars, vec![Part::Object(class.into_any())]);
    }
    made(Wire::MappingProxy, vec![Part::Object(mapping)])
}

/// The class whose namespace `dict` is.
fn class_of_namespace<'py>(dict: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyType>>> {
    let py = dict.py();
    let is_its = |class: &Bound<'py, PyAny>| -> PyResult<bool> {
        let Ok(class) = class.cast::<PyType>() else { return Ok(false) };
        let proxy = stated(class, intern!(py, "__dict__"))?;
        Ok(referents(&proxy)?.first().is_some_and(|it| it.is(dict)))
    };
    // Descriptors know their class; a namespace without one is looked for among the owners of the dict.
    for value in dict.values() {
        if value.get_type().name()?.to_string_lossy().contains("descriptor")
            && let Some(class) = value.getattr_opt(intern!(py, "__objclass__"))?
            && is_its(&class)?
        {
            return Ok(class.cast_into().ok());
        }
    }
    if dict_get(dict, intern!(py, "__module__").as_any())?.is_none() || !dict.contains(intern!(py, "__doc__"))? {
        return Ok(None);
    }
    for owner in py.import("gc")?.call_method1("get_referrers", (dict,))?.try_iter()? {
        let owner = owner?;
        if is_its(&owner)? {
            return Ok(owner.cast_into().ok());
        }
    }
    Ok(None)
}

/// The keys, values or items of a dict.
pub(super) fn dict_view<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    let Some(dict) = referents(object)?.into_iter().next() else {
        return Err(refusal(object, "its dict cannot be seen"));
    };
    let name = object.get_type().name()?;
    let name = name.to_string_lossy();
    let which = name.rsplit('_').next().unwrap_or_default();
    made(Wire::DictView, vec![Part::Object(dict), word(py, which)])
}

/// A view of memory: over its exporter where that travels, else over a copy of the bytes.
pub(super) fn memory<'py>(object: &Bound<'py, PyAny>) -> Answer<'py> {
    let py = object.py();
    // A single number, without dimensions, is looked at as its bytes.
    let (view, single) = match (PyUntypedBuffer::get(object), object.call_method1(intern!(py, "cast"), ("B",))) {
        (Ok(view), _) => (view, false),
        (Err(_), Ok(bytes)) => (PyUntypedBuffer::get(&bytes)?, true),
        (Err(_), Err(_)) => return Err(refusal(object, "it has been released")),
    };
    let exporter = object.getattr(intern!(py, "obj"))?;
    let readonly = view.readonly();
    if travels(&exporter)?
        && let Ok(whole) = PyUntypedBuffer::get(&exporter)
        && let Some(mut slice) = slice_of(&view, &whole)
    {
        slice.cast |= single;
        let reading = readonly && !whole.readonly();
        let mut args = vec![Part::Object(exporter)];
        let plain = slice.start.is_none() && slice.stop.is_none() && slice.step.is_none();
        if slice.cast || reading || !plain {
            args.extend(shown(object, slice.cast)?);
            args.push(truth(py, reading));
            for each in [slice.start, slice.stop, slice.step] {
                args.push(each.map_or(Part::None, |it| Part::Int(it as i64)));
            }
        }
        return made(Wire::Memory, args);
    }
    let format = object.getattr(intern!(py, "format"))?.str()?;
    let format = format.to_string_lossy();
    let castable = format.strip_prefix('@').unwrap_or(&format);
    if castable.len() != 1 || !"bBhHiIlLqQnNfdc?".contains(castable) {
        return Err(refusal(object, "it shows memory that cannot travel, in a format that cannot be made again"));
    }
    let bytes = object.call_method0(intern!(py, "tobytes"))?.cast_into::<PyBytes>()?;
    let copy = if readonly { bytes.into_any() } else { PyByteArray::new(py, bytes.as_bytes()).into_any() };
    let mut args = vec![Part::Object(copy)];
    args.extend(shown(object, true)?);
    made(Wire::Memory, args)
}

/// Exporters that travel with their memory.
fn travels(exporter: &Bound<'_, PyAny>) -> PyResult<bool> {
    if exporter.is_instance_of::<PyBytes>() || exporter.is_instance_of::<PyByteArray>() {
        return Ok(true);
    }
    let class = exporter.get_type();
    let module = stated(&class, intern!(exporter.py(), "__module__"))?;
    let name = stated(&class, intern!(exporter.py(), "__qualname__"))?;
    Ok(module.eq("array")? && name.eq("array")? || module.eq("numpy")? && name.eq("ndarray")?)
}

/// How a view is cut out of its exporter.
#[derive(Default)]
struct Slice {
    /// Cut out of the bytes and then shown in another format.
    cast: bool,
    start: Option<isize>,
    stop: Option<isize>,
    step: Option<isize>,
}

fn slice_of(view: &PyUntypedBuffer, whole: &PyUntypedBuffer) -> Option<Slice> {
    let same_format = view.format() == whole.format() && view.item_size() == whole.item_size();
    if same_format
        && view.buf_ptr() == whole.buf_ptr()
        && view.shape() == whole.shape()
        && view.strides() == whole.strides()
    {
        return Some(Slice::default());
    }
    if !whole.is_c_contiguous() {
        return None;
    }
    let offset = (view.buf_ptr() as isize).checked_sub(whole.buf_ptr() as isize)?;
    let size = isize::try_from(view.item_size()).ok().filter(|size| *size > 0)?;
    let count = isize::try_from(view.item_count()).ok()?;
    let len = isize::try_from(whole.len_bytes()).ok()?;
    if count == 0 {
        let flat = same_format && view.dimensions() == 1 && whole.dimensions() == 1;
        return flat.then_some(Slice { cast: false, start: Some(0), stop: Some(0), step: None });
    }
    if offset < 0 || offset >= len {
        return None;
    }
    if view.is_c_contiguous() {
        let stop = offset + count * size;
        return (stop <= len).then_some(Slice { cast: true, start: Some(offset), stop: Some(stop), step: None });
    }
    if !same_format || view.dimensions() != 1 || whole.dimensions() != 1 || view.suboffsets().is_some() {
        return None;
    }
    let stride = *view.strides().first()?;
    if stride % size != 0 || offset % size != 0 {
        return None;
    }
    let (start, step) = (offset / size, stride / size);
    let stop = start + count * step;
    Some(Slice { cast: false, start: Some(start), stop: (stop >= 0).then_some(stop), step: Some(step) })
}

/// Format and shape, as arguments.
fn shown<'py>(object: &Bound<'py, PyAny>, cast: bool) -> PyResult<[Part<'py>; 2]> {
    let py = object.py();
    if !cast {
        return Ok([Part::None, Part::None]);
    }
    let format = object.getattr(intern!(py, "format"))?.cast_into::<PyString>()?;
    Ok([Part::Text(format), Part::Object(object.getattr(intern!(py, "shape"))?)])
}

fn truth(py: Python<'_>, value: bool) -> Part<'_> {
    Part::Object(pyo3::types::PyBool::new(py, value).to_owned().into_any())
}
