//! How far a long dump or load has come, told to whoever asked with `progress=`.
//!
//! The loops stop now and then to answer an interrupt; there, and nowhere else, they tell. So a call that did not ask pays
//! one look at an empty field at each stop. Time is looked at here; what is told, and how a bar is drawn, is Python's
//! business (`capers._progress`).
//!
//! Telling runs any code. It may raise, which ends the dump or load as an interrupt does.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::limits::PROGRESS_INTERVAL;

/// The time between two calls, in nanoseconds.
static INTERVAL: AtomicU64 = AtomicU64::new(PROGRESS_INTERVAL.as_nanos() as u64);

/// Whoever is told of one dump or load.
pub(crate) struct Progress<'py> {
    tell: Bound<'py, PyAny>,
    record: Bound<'py, PyAny>,
    total: Option<u64>,
    began: Instant,
    due: Cell<Instant>,
    /// The bytes told last.
    told: Cell<u64>,
}

fn interval() -> Duration {
    Duration::from_nanos(INTERVAL.load(Ordering::Relaxed))
}

fn module(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import(intern!(py, "capers._progress"))
}

/// The callable that the argument `progress` means; `doing` names the work.
fn teller<'py>(given: Option<&Bound<'py, PyAny>>, doing: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(given) = given.filter(|it| !it.is_none()) else { return Ok(None) };
    let tell = module(given.py())?.getattr(intern!(given.py(), "teller"))?.call1((given, doing))?;
    Ok((!tell.is_none()).then_some(tell))
}

/// What is kept of an argument `progress` until it is used; refuses what cannot be one.
pub(crate) fn kept(given: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Py<PyAny>>> {
    teller(given, "")?;
    Ok(given.filter(|it| !it.is_none()).map(|it| it.clone().unbind()))
}

/// How many bytes the file has left whose `read` this is; `None` where that cannot be known without reading it.
pub(crate) fn left(read: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    module(read.py())?.getattr(intern!(read.py(), "left"))?.call1((read,))?.extract()
}

impl<'py> Progress<'py> {
    /// Whoever the argument `progress` of a call means; `doing` names what it does, `total` says how many bytes it will be.
    #[inline]
    pub(crate) fn new(
        given: Option<&Bound<'py, PyAny>>,
        doing: &str,
        total: impl FnOnce() -> PyResult<Option<u64>>,
    ) -> PyResult<Option<Self>> {
        if given.is_none() { Ok(None) } else { Self::of(given, doing, total) }
    }

    #[cold]
    fn of(
        given: Option<&Bound<'py, PyAny>>,
        doing: &str,
        total: impl FnOnce() -> PyResult<Option<u64>>,
    ) -> PyResult<Option<Self>> {
        let Some(tell) = teller(given, doing)? else { return Ok(None) };
        let record = module(tell.py())?.getattr(intern!(tell.py(), "Progress"))?;
        let (total, began) = (total()?, Instant::now());
        Ok(Some(Self { tell, record, total, began, due: Cell::new(began + interval()), told: Cell::new(0) }))
    }

    /// Tells of `bytes`, which may depend on what was told last, if it is time to.
    #[cold]
    pub(crate) fn tell(&self, bytes: impl FnOnce(u64) -> u64) -> PyResult<()> {
        if Instant::now() < self.due.get() {
            return Ok(());
        }
        let bytes = bytes(self.told.get()).max(self.told.get());
        self.told.set(bytes);
        self.call(bytes, false)?;
        // However long that took, the work goes on for a while.
        self.due.set(Instant::now() + interval());
        Ok(())
    }

    /// Tells that all is done.
    #[cold]
    pub(crate) fn end(&self, bytes: u64) -> PyResult<()> {
        self.call(bytes.max(self.told.get()), true)
    }

    fn call(&self, bytes: u64, finished: bool) -> PyResult<()> {
        let seconds = self.began.elapsed().as_secs_f64();
        self.tell.call1((self.record.call1((bytes, self.total, seconds, finished))?,)).map(drop)
    }
}

/// Let this many seconds pass between two calls of a progress callable; returns what held before. For tests: with 0 it is
/// called at each stop.
#[pyfunction]
#[pyo3(name = "_set_progress_interval")]
pub(crate) fn set_interval(seconds: f64) -> PyResult<f64> {
    let new = Duration::try_from_secs_f64(seconds).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let new = u64::try_from(new.as_nanos()).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(Duration::from_nanos(INTERVAL.swap(new, Ordering::Relaxed)).as_secs_f64())
}
