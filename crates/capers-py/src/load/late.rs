//! Keys that cannot be hashed yet. In a cycle, a set or dict may be filled while one of its keys still waits for its state:
//! hashing it then asks for attributes that it does not have. Such a key waits, and all that comes after it for the same
//! container, in order, until the key has its state or the pickle ends. Only an `AttributeError` of a key makes it wait; if it
//! never can be hashed, that error is the outcome, as it is with `pickle`.

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet};

use super::failure::Failure;
use super::live::Live;
use crate::ffi::{make, reserve};

type Object<'py> = Bound<'py, PyAny>;

/// A container that lacks items, a key of which could not be hashed.
struct Waiting<'py> {
    container: Object<'py>,
    /// Elements of a set; keys and values of a dict in turn.
    items: Vec<Object<'py>>,
    error: PyErr,
}

/// What waits in a load.
#[derive(Default)]
pub(super) struct Late<'py>(Vec<Waiting<'py>>);

impl<'py> Late<'py> {
    /// Whether anything waits.
    #[inline]
    pub(super) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Lets items wait if others for the same container do.
    #[cold]
    pub(super) fn joins(&mut self, container: &Object<'py>, items: impl IntoIterator<Item = Object<'py>>) -> bool {
        let Some(waiting) = self.0.iter_mut().find(|it| it.container.is(container)) else { return false };
        items.into_iter().for_each(|item| reserve::push(&mut waiting.items, item));
        true
    }

    /// Lets items wait because hashing the first failed; any other error is one.
    #[cold]
    pub(super) fn wait(
        &mut self,
        container: &Object<'py>,
        first: impl IntoIterator<Item = Object<'py>>,
        rest: impl IntoIterator<Item = Object<'py>>,
        error: PyErr,
    ) -> Result<(), Failure> {
        if !error.is_instance_of::<PyAttributeError>(container.py()) {
            return Err(error.into());
        }
        let mut items = Vec::new();
        first.into_iter().chain(rest).for_each(|item| reserve::push(&mut items, item));
        reserve::push(&mut self.0, Waiting { container: container.clone(), items, error });
        Ok(())
    }
}

impl<'py> Live<'_, 'py> {
    /// Tries again what waits for `object`, which has its state now.
    #[cold]
    pub(super) fn complete(&mut self, object: &Object<'py>) -> Result<(), Failure> {
        let (ready, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.late.0)
            .into_iter()
            .partition(|it| it.items.first().is_some_and(|it| it.is(object)));
        self.late.0 = others;
        ready.into_iter().try_for_each(|it| self.fill(it))
    }

    /// Tries again what waits, at the end of the pickle, for as long as that helps.
    #[cold]
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        loop {
            let waiting = std::mem::take(&mut self.late.0);
            let before: usize = waiting.iter().map(|it| it.items.len()).sum();
            waiting.into_iter().try_for_each(|it| self.fill(it))?;
            let after: usize = self.late.0.iter().map(|it| it.items.len()).sum();
            if after == 0 {
                return Ok(());
            }
            if after >= before {
                let first = self.late.0.swap_remove(0);
                return Err(first.error.into());
            }
        }
    }

    /// Puts the items into their container; from the first that fails on they wait again.
    fn fill(&mut self, waiting: Waiting<'py>) -> Result<(), Failure> {
        let Waiting { container, items, .. } = waiting;
        let mut items = items.into_iter();
        while let Some(key) = items.next() {
            self.mind(&key)?;
            let (value, outcome) = if container.is_instance_of::<PySet>() {
                (None, make::set_add(&container, &key))
            } else {
                let Some(value) = items.next() else { return Ok(()) };
                let outcome = match container.cast_exact::<PyDict>() {
                    Ok(dict) => make::dict_set(dict, &key, &value),
                    Err(_) => make::set_item(&container, &key, &value),
                };
                (Some(value), outcome)
            };
            if let Err(error) = outcome {
                return self.late.wait(&container, std::iter::once(key).chain(value), items, error);
            }
        }
        Ok(())
    }
}
