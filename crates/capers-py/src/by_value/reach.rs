//! Whether code that is about to run leads to something that is not there yet.
//!
//! A reducer, a constructor or a state method runs while the payload loads. What it reaches by globals and cells is followed
//! through functions and classes that travel by value; instances and containers are not looked into.

use std::collections::HashSet;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString, PyType};

use super::{Context, settled};
use crate::ffi::access::{cell_content, dict_get, str_eq};
use crate::ffi::class::{Holder, holder, namespace};
use crate::ffi::code::get_extra;
use crate::ffi::function::function_view;
use crate::ffi::kind::{Kind, kind};

/// How many functions and classes are followed; beyond, code counts as leading to what is missing.
const MAX_STEPS: usize = 2000;

/// What is not there yet: names of namespaces, cells, and objects that are incomplete, each by an address.
#[derive(Default)]
pub(crate) struct Missing<'py> {
    pub(crate) names: Vec<(usize, Bound<'py, PyString>)>,
    pub(crate) cells: Vec<usize>,
    pub(crate) objects: Vec<usize>,
}

impl<'py> Missing<'py> {
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.cells.is_empty() && self.objects.is_empty()
    }

    /// Whether calling `start` leads to any of it.
    pub(crate) fn is_reached_from(&self, start: &Bound<'py, PyAny>) -> PyResult<bool> {
        let mut seen = HashSet::new();
        let mut waiting = vec![start.clone()];
        while let Some(next) = waiting.pop() {
            if !seen.insert(next.as_ptr() as usize) {
                continue;
            }
            if seen.len() > MAX_STEPS || self.objects.contains(&(next.as_ptr() as usize)) {
                return Ok(true);
            }
            match kind(&next) {
                Kind::Function if self.function(&next, &mut waiting)? => return Ok(true),
                Kind::Function => {}
                _ => called_through(&next, &mut waiting)?,
            }
        }
        Ok(false)
    }

    fn function(&self, function: &Bound<'py, PyAny>, waiting: &mut Vec<Bound<'py, PyAny>>) -> PyResult<bool> {
        let py = function.py();
        let Some(view) = function_view(function) else { return Ok(false) };
        let address = view.globals.as_ptr() as usize;
        // A namespace of a module is that of the receiver.
        let named = crate::policy::module_of(&view.globals)?.is_some();
        if !named && let Some(info) = get_extra(&view.code) {
            for name in &info.globals {
                let name = name.bind(py);
                if self.names.iter().any(|(space, it)| *space == address && str_eq(it, name)) {
                    return Ok(true);
                }
                waiting.extend(dict_get(&view.globals, name.as_any())?);
            }
        }
        for cell in view.closure.iter().flat_map(pyo3::types::PyTupleMethods::iter) {
            if self.cells.contains(&(cell.as_ptr() as usize)) {
                return Ok(true);
            }
            waiting.extend(cell_content(&cell)?);
        }
        Ok(false)
    }
}

/// A namespace, a name that it lacks, and the value.
pub(crate) type Lacking<'py> = (Bound<'py, PyDict>, Bound<'py, PyString>, Bound<'py, PyAny>);

/// Names that functions reached from `start` lack, though they have been made: each with its namespace and value.
pub(crate) fn lacking<'py>(start: &Bound<'py, PyAny>, context: &impl Context) -> PyResult<Vec<Lacking<'py>>> {
    let mut lacking = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting = vec![start.clone()];
    while let Some(next) = waiting.pop() {
        if !seen.insert(next.as_ptr() as usize) || seen.len() > MAX_STEPS {
            continue;
        }
        match kind(&next) {
            Kind::Function => {
                let Some(view) = function_view(&next) else { continue };
                let address = view.globals.as_ptr() as usize;
                let Some(info) = get_extra(&view.code) else { continue };
                if crate::policy::module_of(&view.globals)?.is_some() {
                    continue;
                }
                for name in &info.globals {
                    let name = name.bind(next.py());
                    let Some(value) = dict_get(&view.globals, name.as_any())? else { continue };
                    if context.captured(address, name.as_ptr() as usize) {
                        waiting.push(value);
                    } else if seen.insert(name.as_ptr() as usize ^ address) {
                        lacking.push((view.globals.clone(), name.clone(), settled(value)?));
                    }
                }
            }
            _ => called_through(&next, &mut waiting)?,
        }
    }
    Ok(lacking)
}

/// What runs when `object`, which is no function, is called or used.
fn called_through<'py>(object: &Bound<'py, PyAny>, waiting: &mut Vec<Bound<'py, PyAny>>) -> PyResult<()> {
    let attribute = match kind(object) {
        Kind::Type => return class(object.cast()?, waiting),
        Kind::Method => intern!(object.py(), "__func__"),
        Kind::Other => match holder(object) {
            Holder::ClassMethod | Holder::StaticMethod => intern!(object.py(), "__func__"),
            Holder::Property => intern!(object.py(), "fget"),
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    waiting.push(object.getattr(attribute)?);
    Ok(())
}

fn class<'py>(class: &Bound<'py, PyType>, waiting: &mut Vec<Bound<'py, PyAny>>) -> PyResult<()> {
    for base in class.mro().iter() {
        let base = base.cast_into::<PyType>()?;
        if !super::odd::is_by_value(&base)? {
            continue;
        }
        for value in namespace(&base)?.values() {
            if matches!(kind(&value), Kind::Function | Kind::Other) && !value.is_instance_of::<PyModule>() {
                waiting.push(value);
            }
        }
    }
    Ok(())
}
