//! Reductions that are known before the object is asked: those of `OrderedDict` and `defaultdict`, and of a numpy array like
//! one that was asked in this dump. The parts are the ones that asking gives; what is saved is the way to them. Nothing here
//! writes: the parts go the way of every reduction.
//!
//! Sources, alike from 3.11 to 3.15: `odict_reduce` in `Objects/odictobject.c`, `defdict_reduce` in
//! `Modules/_collectionsmodule.c`; `array_reduce_ex` in numpy's `multiarray/methods.c`, 1.26 to 2.x.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::Dumper;
use crate::ffi::access::tuple_item;
use crate::ffi::instance::has_no_attributes;

/// What numpy said of the first array of a data type: a function that makes an array of a buffer.
pub(super) struct Arrays<'py> {
    class: Bound<'py, PyAny>,
    dtype: Bound<'py, PyAny>,
    from_buffer: Bound<'py, PyAny>,
    order: Bound<'py, PyAny>,
}

impl<'py> Dumper<'py> {
    /// What an object would say of itself, where that is known.
    #[inline]
    pub(super) fn known_reduction(&self, object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let class = object.get_type_ptr() as usize;
        if class == self.state.ordered_dict.as_ptr() as usize || class == self.state.default_dict.as_ptr() as usize {
            return self.mapping(object);
        }
        match &self.arrays {
            Some(known) if class == known.class.as_ptr() as usize => self.array(known, object),
            _ => Ok(None),
        }
    }

    /// To answer, `object.__reduce_ex__` looks for slots and a state that no such object has, and raises and catches errors on
    /// its way.
    fn mapping(&self, object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let py = self.py;
        let class = object.get_type();
        let arguments = if class.is(&self.state.default_dict) {
            let factory = object.getattr(intern!(py, "default_factory"))?;
            if factory.is_none() { PyTuple::empty(py) } else { PyTuple::new(py, [factory])? }
        } else if has_no_attributes(object) {
            PyTuple::empty(py)
        } else {
            return Ok(None);
        };
        let items = object.call_method0(intern!(py, "items"))?.try_iter()?;
        let none = py.None();
        PyTuple::new(py, [class.as_any(), arguments.as_any(), none.bind(py), none.bind(py), items.as_any()]).map(Some)
    }

    /// numpy imports a module and looks its function up for every array.
    fn array(&self, known: &Arrays<'py>, object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let py = self.py;
        let dtype = object.getattr(intern!(py, "dtype"))?;
        if !dtype.is(&known.dtype)
            || !object.getattr(intern!(py, "flags"))?.getattr(intern!(py, "c_contiguous"))?.is_truthy()?
        {
            return Ok(None);
        }
        let buffer = self.state.pickle_buffer.bind(py).call1((object,))?;
        let shape = object.getattr(intern!(py, "shape"))?;
        let arguments = PyTuple::new(py, [buffer, dtype, shape, known.order.clone()])?;
        PyTuple::new(py, [&known.from_buffer, arguments.as_any()]).map(Some)
    }

    /// Remembers what numpy said of an array, if it is what it says of every contiguous array of that data type.
    pub(super) fn learn_array(&mut self, object: &Bound<'py, PyAny>, said: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = self.py;
        let Ok(said) = said.cast_exact::<PyTuple>() else { return Ok(()) };
        let (2, Some(from_buffer), Some(arguments)) = (said.len(), tuple_item(said, 0), tuple_item(said, 1)) else {
            return Ok(());
        };
        let Ok(arguments) = arguments.cast_into_exact::<PyTuple>() else { return Ok(()) };
        if arguments.len() != 4 {
            return Ok(());
        }
        let (buffer, order) = (arguments.get_item(0)?, arguments.get_item(3)?);
        let class = object.get_type();
        if !buffer.is_exact_instance(self.state.pickle_buffer.bind(py))
            || !order.cast::<PyString>().is_ok_and(|it| it == "C")
            || class.module()? != "numpy"
            || class.name()? != "ndarray"
        {
            return Ok(());
        }
        let dtype = object.getattr(intern!(py, "dtype"))?;
        if dtype.is(&arguments.get_item(1)?) {
            self.arrays = Some(Arrays { class: class.into_any(), dtype, from_buffer, order });
        }
        Ok(())
    }
}
