//! What `explain` asks for: a dump with a ledger, and the ledger as plain objects.
//!
//! How a report is shown is Python's business (`capers._report`); the numbers come from here.

use capers_pickle::Writer;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::complaint::full_name;
use super::ledger::Ledger;
use super::memo::Memo;
use super::pickler::{Options, caught};
use super::{Dumper, Hooks};
use crate::choices::{self, Arguments};
use crate::ffi::output::Output;

/// Dump obj and tell who wrote what: a dict of the nodes, the offenders and the total. The arguments are those of dumps.
#[pyfunction]
#[pyo3(name = "_explain", signature = (obj, protocol=None, *, by_value=None, locks=None, files=None, reducers=None, globals=None))]
pub(super) fn explain<'py>(
    obj: &Bound<'py, PyAny>,
    protocol: Option<&Bound<'py, PyAny>>,
    by_value: Option<&Bound<'py, PyAny>>,
    locks: Option<&str>,
    files: Option<&str>,
    reducers: Option<&Bound<'py, PyAny>>,
    globals: Option<&str>,
) -> PyResult<Bound<'py, PyDict>> {
    let arguments = Arguments { by_value, locks, files, reducers, globals };
    let options = Options::new(obj.py(), protocol, true, None, &arguments)?;
    let mut hooks = Hooks::default();
    hooks.add_reducers(obj.py(), options.choices.as_deref())?;
    account(obj, options, hooks, Box::default(), false)
}

/// What a dump of `obj` notes; the hooks have their reducers, the memo is the one to begin with.
pub(super) fn account<'py>(
    obj: &Bound<'py, PyAny>,
    options: Options,
    hooks: Hooks<'py>,
    memo: Box<Memo>,
    fast: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let py = obj.py();
    let settings = options.settings(fast);
    let _scope = choices::enter(options.choices);
    let writer = Writer::new(options.protocol, Output::new(py, Vec::new()));
    let mut dumper = Dumper::new(py, writer, memo, hooks, settings)?;
    dumper.keep_ledger(obj);
    caught(py, || dumper.dump(obj))?;
    let (total, ledger) = (dumper.writer.as_bytes().len(), dumper.ledger.take());
    let Some(ledger) = ledger else { return Err(PyRuntimeError::new_err("the account of the dump is gone")) };
    let report = as_objects(py, &ledger, total)?;
    report.set_item("protocol", options.protocol)?;
    report.set_item("name", super::path::name_of(obj))?;
    Ok(report)
}

/// Nodes as tuples: parent, label, class, module and name, what, how, own bytes, total bytes, shared nodes.
fn as_objects<'py>(py: Python<'py>, ledger: &Ledger<'py>, total: usize) -> PyResult<Bound<'py, PyDict>> {
    let classes: Vec<_> = ledger
        .classes
        .iter()
        .map(|class| {
            class.fully_qualified_name().map_or_else(|_| full_name(class), |it| it.to_string_lossy().into_owned())
        })
        .collect();
    let (own, shared) = (ledger.own(), ledger.shared());
    let nodes = PyList::empty(py);
    let mut accounted = 0;
    for (at, node) in ledger.nodes.iter().enumerate() {
        let size = node.end - node.start;
        if node.parent.is_none() {
            accounted += size;
        }
        let class = node.class.and_then(|it| classes.get(it as usize)).map_or("", String::as_str);
        let shared = PyTuple::new(py, &shared[at])?;
        nodes.append((node.parent, &node.label, class, &node.what, node.how.name(), own[at], size, shared))?;
    }
    let offenders = PyList::empty(py);
    for offender in &ledger.offenders {
        offenders.append((offender.node, &offender.path, &offender.class, &offender.message))?;
    }
    let report = PyDict::new(py);
    report.set_item("nodes", nodes)?;
    report.set_item("offenders", offenders)?;
    report.set_item("total", total)?;
    report.set_item("framing", total - accounted)?;
    Ok(report)
}
