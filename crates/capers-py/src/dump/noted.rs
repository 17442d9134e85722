//! A dump that is written down: the dumper with a [`Ledger`].
//!
//! What is measured is the dump itself, so the account cannot disagree with it. Each object is noted where it is begun, and
//! ends when the work stack is as low again. An object that is refused does not end the dump: what it has written is taken
//! back, `None` stands in its place, and it is noted as an offender.

use pyo3::exceptions::{PyException, PyMemoryError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::by_value::Slot;
use super::ledger::{How, Ledger};
use super::{Begun, Dumper, Frame, path, reduce};
use crate::ffi::access::{dict_len, list_item, set_items, set_len, tuple_item};
use crate::ffi::kind::{Kind, kind};
use crate::ffi::walk::Level;

/// Texts up to this many characters count as part of what holds them.
const SHORT: usize = 120;

/// Containers of more items are looked at, and take the fast walk if they hold nothing but atoms.
const MANY: usize = 512;

/// How many of their items are looked at.
const LOOKED_AT: usize = 32;

/// Steps shown between a node and the next one above it.
const MAX_STEPS: usize = 6;

impl<'py> Dumper<'py> {
    /// Lets everything from now on be noted.
    pub(crate) fn keep_ledger(&mut self, root: &Bound<'py, PyAny>) {
        self.ledger = Some(Box::new(Ledger::new(root, self.walks)));
        self.walks = false;
    }

    /// How much has been written, headers of frames not counted.
    fn position(&self) -> usize {
        self.writer.content_len()
    }

    /// Begins `object` by `begin`, and notes it; `label` is the step to it where the work stack does not tell.
    #[cold]
    #[inline(never)]
    pub(super) fn note(
        &mut self,
        object: &Bound<'py, PyAny>,
        label: Option<String>,
        begin: impl FnOnce(&mut Self) -> PyResult<Begun<'py>>,
    ) -> PyResult<Begun<'py>> {
        let kind = kind(object);
        let small = match kind {
            Kind::None | Kind::Bool | Kind::Int | Kind::Float => true,
            Kind::Str => object.cast::<PyString>()?.len()? <= SHORT,
            _ => false,
        };
        if small {
            return begin(self);
        }
        let known = self.memo.get(object).is_some();
        let slot = Slot { checkpoint: self.writer.checkpoint(), mark: self.memo.mark(), number: self.classes.next() };
        let (height, start) = (self.stack.len(), self.position());
        let node = if known || self.is_part(object) { None } else { self.new_node(kind, object, label, start) };
        let walks = self.walks;
        if let Some(ledger) = &mut self.ledger {
            ledger.open(super::ledger::Open { height, node, object: object.clone(), slot, start, walks });
            self.walks = ledger.may_walk && (self.walks || ledger.is_full() || is_many_atoms(kind, object)?);
        }
        match begin(self) {
            Ok(Begun::Done) => {
                self.end_noted();
                if known {
                    let at = self.position();
                    if let Some(ledger) = &mut self.ledger {
                        ledger.refer(object, at);
                    }
                }
                Ok(Begun::Done)
            }
            Ok(Begun::Frame(frame)) => {
                if matches!(frame, Frame::ByValue(_))
                    && let Some(node) = self.ledger.as_mut().and_then(|it| it.current())
                    && node.how == How::Data
                {
                    node.how = How::Value;
                }
                Ok(Begun::Frame(frame))
            }
            Ok(Begun::InProgress(class)) => {
                // The slot that led here is about to be taken back, and the node with it.
                if let Some(ledger) = &mut self.ledger {
                    drop(ledger.end());
                }
                self.walks = walks;
                Ok(Begun::InProgress(class))
            }
            Err(error) if self.may_pardon(&error) => {
                self.pardon_last(&error);
                Ok(Begun::Done)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a text is long enough to be noted on its own.
    #[cold]
    pub(super) fn is_noted(&self, text: &Bound<'py, PyAny>) -> bool {
        text.len().is_ok_and(|len| len > SHORT)
    }

    /// Notes that `object` has been written by name.
    #[cold]
    pub(super) fn note_reference(&mut self, object: &Bound<'py, PyAny>) {
        if let Some(ledger) = &mut self.ledger
            && ledger.innermost().is_some_and(|it| it.object.is(object))
            && let Some(node) = ledger.current()
        {
            node.how = How::Reference;
        }
    }

    /// Ends what stood on the work stack above its present height.
    #[cold]
    #[inline(never)]
    pub(super) fn settle_notes(&mut self) {
        let height = self.stack.len();
        while self.ledger.as_ref().and_then(|it| it.innermost()).is_some_and(|it| it.height >= height) {
            self.end_noted();
        }
    }

    /// Ends the object noted last.
    fn end_noted(&mut self) {
        let end = self.position();
        let Some(ledger) = &mut self.ledger else { return };
        let Some(open) = ledger.end() else { return };
        self.walks = open.walks || ledger.may_walk && ledger.is_full();
        if let Some(node) = open.node {
            ledger.close(node, end, self.memo.get(&open.object).is_some());
        }
    }

    /// Whether `object` is part of the reduction that is being written, such as the tuple of its arguments.
    fn is_part(&self, object: &Bound<'py, PyAny>) -> bool {
        let (dict, tuple) = (object.is_exact_instance_of::<PyDict>(), object.is_exact_instance_of::<PyTuple>());
        match &self.stack[..] {
            [.., Frame::Reduce(frame)] => (dict || tuple) && reduce::is_content(frame),
            [.., Frame::Reduce(frame), Frame::Plain(Level::Tuple { tuple, .. })] => {
                dict && reduce::is_content(frame) && reduce::is_pair(tuple.as_any())
            }
            _ => false,
        }
    }

    fn new_node(&mut self, kind: Kind, object: &Bound<'py, PyAny>, label: Option<String>, start: usize) -> Option<u32> {
        let ledger = self.ledger.as_ref()?;
        if !ledger.has_room() {
            return None;
        }
        if ledger.parent_is_full() {
            // The rest of a plain container takes the fast walk.
            let place = ledger.parent().map(|it| it.height)?;
            let (plain, left) = match self.stack.get(place) {
                Some(Frame::Plain(level)) if place + 1 == self.stack.len() => (true, left(level)),
                _ => (false, None),
            };
            let ledger = self.ledger.as_mut()?;
            ledger.cut_parent(start, left);
            self.walks |= plain && ledger.may_walk;
            return None;
        }
        let label = label.or_else(|| {
            Some(match ledger.parent() {
                Some(parent) => path::steps(&self.stack, parent.height, MAX_STEPS),
                None if ledger.nodes.is_empty() => path::name_of(&ledger.root),
                None => String::from("(filled at the end)"),
            })
        })?;
        let what = what(kind, object);
        let how = match kind {
            Kind::Function | Kind::Type | Kind::Code | Kind::Cell | Kind::Module => How::Value,
            _ => How::Data,
        };
        Some(self.ledger.as_mut()?.add(object, label, what, how, start))
    }

    /// Whether the dump goes on after `error`, with `None` in the place of what cannot travel.
    fn may_pardon(&mut self, error: &PyErr) -> bool {
        let py = self.py;
        self.ledger.as_ref().is_some_and(|it| it.depth() > 0)
            && !self.stops.interrupted
            && error.is_instance_of::<PyException>(py)
            && !error.is_instance_of::<PyMemoryError>(py)
            && !self.would_weaken(error)
    }

    /// Goes on after `error`, if it can.
    #[cold]
    pub(super) fn pardon(&mut self, error: &PyErr) -> bool {
        if !self.may_pardon(error) {
            return false;
        }
        // What has ended since the last look has ended; the object that failed is the innermost one left.
        let height = self.stack.len();
        while self
            .ledger
            .as_ref()
            .is_some_and(|it| it.depth() > 1 && it.innermost().is_some_and(|it| it.height > height))
        {
            self.end_noted();
        }
        self.pardon_last(error);
        true
    }

    /// Takes back the object noted last, and writes `None` in its place.
    fn pardon_last(&mut self, error: &PyErr) {
        let Some(ledger) = &self.ledger else { return };
        let Some(open) = ledger.innermost() else { return };
        let (height, slot, start, node) = (open.height, open.slot, open.start, open.node);
        let class = super::complaint::full_name(&open.object);
        let path = path::whole(&self.stack, &ledger.root);
        let refused = path::is_refusal(self, error);
        let text = path::message(error, self.py);
        let message =
            if refused { text } else { format!("{}: {text}", path::class_name(error.value(self.py).as_any())) };
        self.stack.truncate(height);
        self.rewind(slot.checkpoint, slot.mark, height, slot.number);
        if let Some(ledger) = &mut self.ledger {
            ledger.rewind(height + 1, start);
            ledger.offend(node, path, class, message, start);
        }
        self.writer.op(capers_pickle::Op::None);
        self.end_noted();
    }

    /// Forgets what was noted of an attempt that has been taken back to the present place: all that was begun at `height` of
    /// the work stack or above.
    pub(super) fn rewind_notes(&mut self, height: usize) {
        let at = self.position();
        if let Some(ledger) = &mut self.ledger {
            if let Some(open) = ledger.first_from(height) {
                self.walks = open.walks;
            }
            ledger.rewind(height, at);
        }
    }
}

/// How many items of a container have not been begun, the present one included.
fn left(level: &Level<'_>) -> Option<usize> {
    match level {
        Level::List { list, index, .. } => Some((list.len() + 1).saturating_sub(*index)),
        Level::Tuple { tuple, index } => Some((tuple.len() + 1).saturating_sub(*index)),
        Level::Dict(dict) => Some((dict_len(&dict.dict) + 1).saturating_sub(dict.written)),
        _ => None,
    }
}

/// What there is to say of an object in a few words, besides its class.
fn what(kind: Kind, object: &Bound<'_, PyAny>) -> String {
    let py = object.py();
    let stated = |name| match object.getattr(name) {
        Ok(found) if found.is_exact_instance_of::<PyString>() => found.to_string(),
        _ => String::new(),
    };
    match kind {
        Kind::Function | Kind::Type => stated(intern!(py, "__qualname__")),
        Kind::Module => stated(intern!(py, "__name__")),
        Kind::Code => stated(intern!(py, "co_name")),
        Kind::List | Kind::Tuple | Kind::Dict | Kind::Set | Kind::FrozenSet => match object.len() {
            Ok(1) => String::from("1 item"),
            Ok(len) => format!("{len} items"),
            Err(_) => String::new(),
        },
        _ => String::new(),
    }
}

/// Whether a large container holds atoms, as far as one looks.
fn is_many_atoms(kind: Kind, object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let is_atom = |it: &Bound<'_, PyAny>| match self::kind(it) {
        Kind::None | Kind::Bool | Kind::Int | Kind::Float => true,
        Kind::Str => it.len().is_ok_and(|len| len <= SHORT),
        _ => false,
    };
    Ok(match kind {
        Kind::List => {
            let list = object.cast::<PyList>()?;
            let step = list.len() / LOOKED_AT;
            list.len() > MANY && (0..LOOKED_AT).all(|at| list_item(list, at * step).is_some_and(|it| is_atom(&it)))
        }
        Kind::Tuple => {
            let tuple = object.cast::<PyTuple>()?;
            let step = tuple.len() / LOOKED_AT;
            tuple.len() > MANY && (0..LOOKED_AT).all(|at| tuple_item(tuple, at * step).is_some_and(|it| is_atom(&it)))
        }
        Kind::Dict => {
            let dict = object.cast::<PyDict>()?;
            dict_len(dict) > MANY && dict.iter().take(LOOKED_AT).all(|(key, value)| is_atom(&key) && is_atom(&value))
        }
        Kind::Set | Kind::FrozenSet => set_len(object) > MANY && set_items(object)?.iter().take(LOOKED_AT).all(is_atom),
        _ => false,
    })
}
