//! Caps on what a pickle may ask for: the class `Limits`, and `LimitError`, which says that one was passed.

use capers_pickle::limits::{Limit, Limits as Caps};
use capers_pickle::{Error, ErrorKind};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

/// Caps on what a pickle may ask for, for `loads`, `load` and `Unpickler`.
///
/// All are optional; None means no cap.
///
/// operations: instructions run.
/// depth: how deep containers and objects are nested, 1 for one without others inside. A container counts what it was
/// given before it was itself put into another; each level takes one operation at least.
/// memo: objects remembered for later reference.
/// size: bytes of one str, bytes, bytearray or int as it is in the stream, and items that one container is given in all.
/// total: the sum of all such bytes and items.
///
/// A cap that is passed raises LimitError. Caps bound the work that a pickle asks of the unpickler itself; they do not
/// make it safe: what the pickle calls may do anything.
#[pyclass(frozen, eq, hash, get_all, module = "capers", name = "Limits")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Limits {
    operations: Option<u64>,
    depth: Option<u64>,
    memo: Option<u64>,
    size: Option<u64>,
    total: Option<u64>,
}

fn cap(value: Option<&Bound<'_, PyAny>>, name: &str) -> PyResult<Option<u64>> {
    let Some(value) = value else { return Ok(None) };
    let number = value.py().import("operator")?.getattr("index")?.call1((value,))?;
    if number.lt(0)? {
        return Err(PyValueError::new_err(format!("{name} must not be below zero")));
    }
    // Nothing can be counted beyond 64 bits.
    Ok(Some(number.extract().unwrap_or(u64::MAX)))
}

#[pymethods]
impl Limits {
    #[new]
    #[pyo3(signature = (*, operations=None, depth=None, memo=None, size=None, total=None))]
    fn new(
        operations: Option<&Bound<'_, PyAny>>,
        depth: Option<&Bound<'_, PyAny>>,
        memo: Option<&Bound<'_, PyAny>>,
        size: Option<&Bound<'_, PyAny>>,
        total: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Ok(Limits {
            operations: cap(operations, "operations")?,
            depth: cap(depth, "depth")?,
            memo: cap(memo, "memo")?,
            size: cap(size, "size")?,
            total: cap(total, "total")?,
        })
    }

    fn __repr__(&self) -> String {
        let parts: Vec<String> = self.set().map(|(name, cap)| format!("{name}={cap}")).collect();
        format!("Limits({})", parts.join(", "))
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let given = PyDict::new(py);
        for (name, cap) in self.set() {
            given.set_item(name, cap)?;
        }
        Ok((PyTuple::empty(py), given))
    }
}

impl Limits {
    fn set(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let all = [
            (Limit::Operations, self.operations),
            (Limit::Depth, self.depth),
            (Limit::Memo, self.memo),
            (Limit::Size, self.size),
            (Limit::Total, self.total),
        ];
        all.into_iter().filter_map(|(limit, cap)| Some((limit.name(), cap?)))
    }

    fn caps(&self) -> Caps {
        let Limits { operations, depth, memo, size, total } = *self;
        Caps { operations, depth, memo, size, total }
    }
}

/// The caps that an argument `limits` states: a `Limits`, or a dict of its arguments.
pub(super) fn caps(limits: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Caps>> {
    let Some(limits) = limits.filter(|limits| !limits.is_none()) else { return Ok(None) };
    if let Ok(limits) = limits.cast::<Limits>() {
        return Ok(Some(limits.get().caps()));
    }
    let Ok(given) = limits.cast::<PyDict>() else {
        let kind = limits.get_type();
        return Err(PyTypeError::new_err(format!("limits must be a Limits or a dict, not {}", kind.name()?)));
    };
    let made = limits.py().get_type::<Limits>().call((), Some(given))?;
    Ok(Some(made.cast::<Limits>()?.get().caps()))
}

/// Makes the class `LimitError`.
pub(super) fn error_class<'py>(base: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyType>> {
    let py = base.py();
    let members = PyDict::new(py);
    members.set_item("__module__", "capers")?;
    members.set_item(
        "__doc__",
        "A pickle that asks for more than it may. `limit` names the limit and `cap` is its value; `offset` and `opcode` say \
         which instruction passed it.",
    )?;
    for name in ["limit", "cap", "offset", "opcode"] {
        members.set_item(name, py.None())?;
    }
    Ok(py.get_type::<PyType>().call1(("LimitError", (base,), members))?.cast_into()?)
}

/// The exception for a cap that was passed.
pub(super) fn exception(class: &Bound<'_, PyType>, error: &Error) -> PyErr {
    let made = || -> PyResult<PyErr> {
        let value = class.call1((error.to_string(),))?;
        if let ErrorKind::Limit(limit, cap) = error.kind() {
            value.setattr("limit", limit.name())?;
            value.setattr("cap", cap)?;
        }
        value.setattr("offset", error.offset())?;
        value.setattr("opcode", error.opcode().map(capers_pickle::Op::name))?;
        Ok(PyErr::from_value(value))
    };
    made().unwrap_or_else(|error| error)
}
