//! The memo of an unpickler between two loads.
//!
//! A load works on handles that carry the proof that the interpreter is held. Between loads there is no such proof, but
//! the entries must not be converted one by one: a stream of many pickles with one memo would take time by the square of
//! its length. So the handles stay as they are, out of reach until somebody shows the proof again.

use capers_pickle::memo::Memo;
use capers_pickle::weighed::Weighed;
use pyo3::prelude::*;

type Handle<'py> = Bound<'py, PyAny>;

enum Entries<'py> {
    /// Of an unpickler without limits.
    Plain(Memo<Handle<'py>>),
    /// Of one with limits.
    Weighed(Memo<Weighed<Handle<'py>>>),
}

/// A memo that no load is using.
pub(crate) struct KeptMemo(Entries<'static>);

// SAFETY: alive: the entries own their objects. type: any. shared: they are reached by the methods below only, which ask for
// the token or get it from a handle, and dropped where an unpickler or a load is, with the interpreter held. runs: nothing.
unsafe impl Send for KeptMemo {}
// SAFETY: alive, type, shared, runs: as for Send; nothing can be changed through a shared reference.
unsafe impl Sync for KeptMemo {}

impl Default for KeptMemo {
    fn default() -> Self {
        KeptMemo(Entries::Plain(Memo::default()))
    }
}

impl KeptMemo {
    fn keep(entries: Entries<'_>) -> Self {
        // SAFETY: alive: the entries own their objects. type: the same but for the lifetime, which stands for the interpreter
        // being held; nobody uses a handle until it has that lifetime again. shared: moved. runs: nothing.
        KeptMemo(unsafe { std::mem::transmute::<Entries<'_>, Entries<'static>>(entries) })
    }

    fn release<'py>(self, _py: Python<'py>) -> Entries<'py> {
        // SAFETY: alive: the entries own their objects. type: the same but for the lifetime, which the token vouches for. shared:
        // moved. runs: nothing.
        unsafe { std::mem::transmute::<Entries<'static>, Entries<'py>>(self.0) }
    }

    /// The memo of a load without limits.
    pub(crate) fn of_plain(memo: Memo<Handle<'_>>) -> Self {
        Self::keep(Entries::Plain(memo))
    }

    /// The memo of a load with limits.
    pub(crate) fn of_weighed(memo: Memo<Weighed<Handle<'_>>>) -> Self {
        Self::keep(Entries::Weighed(memo))
    }

    /// For a load without limits.
    pub(crate) fn into_plain(self, py: Python<'_>) -> Memo<Handle<'_>> {
        match self.release(py) {
            Entries::Plain(memo) => memo,
            Entries::Weighed(memo) => memo.map(|entry| entry.value),
        }
    }

    /// For a load with limits.
    pub(crate) fn into_weighed(self, py: Python<'_>) -> Memo<Weighed<Handle<'_>>> {
        match self.release(py) {
            Entries::Plain(memo) => memo.map(Weighed::light),
            Entries::Weighed(memo) => memo,
        }
    }

    /// The entries in the order of their indices.
    pub(crate) fn entries<'py>(&self, py: Python<'py>) -> Vec<(u64, Handle<'py>)> {
        let owned = |(index, entry): (u64, &Handle<'static>)| (index, entry.as_unbound().bind(py).clone());
        match &self.0 {
            Entries::Plain(memo) => memo.iter().map(owned).collect(),
            Entries::Weighed(memo) => memo.iter().map(|(index, entry)| owned((index, &entry.value))).collect(),
        }
    }

    /// Shows every object to the garbage collector.
    pub(crate) fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        match &self.0 {
            Entries::Plain(memo) => memo.values().try_for_each(|entry| visit.call(entry.as_unbound())),
            Entries::Weighed(memo) => memo.values().try_for_each(|entry| visit.call(entry.value.as_unbound())),
        }
    }
}
