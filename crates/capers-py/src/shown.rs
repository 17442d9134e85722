//! Payloads that are looked into without loading them, and the page that shows a report.
//!
//! Both come from `capers-pickle`; here they get arguments and results of Python.

use capers_pickle::inspect::{self, Room};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// A page of more nodes than this is slow in a browser; smaller ones are summed up.
const MOST_NODES: usize = 20_000;

/// What is in the payload data, as JSON; nothing of it is made.
#[pyfunction]
#[pyo3(name = "_inspect")]
pub(crate) fn look_into(py: Python<'_>, data: &[u8], title: &str) -> PyResult<String> {
    py.detach(|| {
        let mut json = String::new();
        inspect::inspect(data, Room::for_payload(data.len()))
            .write_json(title, Some(MOST_NODES), &mut json)
            .map_err(|_| PyRuntimeError::new_err("this report cannot be written"))?;
        Ok(json)
    })
}

/// The page that shows a report; json is a report in which every "<" is escaped.
#[pyfunction]
#[pyo3(name = "_page")]
pub(crate) fn page(json: &str) -> PyResult<String> {
    let mut page = String::new();
    inspect::write_page(json, &mut page).map_err(|_| PyRuntimeError::new_err("this page cannot be written"))?;
    Ok(page)
}
