//! Lists, dicts, sets and attributes while a class is being made.
//!
//! They are made at once, and an item that leads back to the class is taken back and put in once the class is there. Hooks
//! that see the class being made so find every container that the class statement gave it, with what it had then. The
//! place of an attribute is held by `None`.

use capers_pickle::Op;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::by_value::{At, ByValue, Slot};
use super::{Begun, Dumper, Frame};
use crate::by_value::{Fill, Reduction, Shape};
use crate::ffi::access::set_items;
use crate::ffi::class::own;
use crate::ffi::kind::Kind;
use crate::wire::Wire;

/// Items between two opcodes that take them off the stack.
const BATCH: usize = 1000;

/// A container on its way out.
pub(crate) struct Inside<'py> {
    pub(super) object: Bound<'py, PyAny>,
    shape: Shape,
    /// Key, where there is one, and value.
    pub(super) items: Vec<(Option<Bound<'py, PyAny>>, Bound<'py, PyAny>)>,
    pub(super) index: usize,
    /// Items in the open batch.
    batch: usize,
    /// Whether the open batch is one item on its own.
    single: bool,
    /// What is being written.
    at: Step,
    pub(super) slot: Option<Slot>,
}

impl Inside<'_> {
    /// Whether what is being written will be hashed.
    pub(super) fn hashes(&self) -> bool {
        self.at == Step::Key || self.shape == Shape::Set
    }
}

/// Where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Start,
    Key,
    Value,
}

impl<'py> Dumper<'py> {
    /// Starts a container item by item; `None` for what cannot be split.
    #[cold]
    #[inline(never)]
    pub(super) fn begin_inside(&mut self, kind: Kind, object: &Bound<'py, PyAny>) -> PyResult<Option<Begun<'py>>> {
        if self.hooked || !self.writer.binary() {
            return Ok(None);
        }
        let (shape, items, op) = match kind {
            Kind::List => {
                let list = object.cast::<PyList>()?;
                (Shape::List, list.iter().map(|it| (None, it)).collect::<Vec<_>>(), Op::EmptyList)
            }
            Kind::Dict => {
                let dict = object.cast::<PyDict>()?;
                (Shape::Dict, dict.iter().map(|(key, value)| (Some(key), value)).collect(), Op::EmptyDict)
            }
            Kind::Set if self.writer.protocol() >= 4 => {
                (Shape::Set, set_items(object)?.into_iter().map(|it| (None, it)).collect(), Op::EmptySet)
            }
            _ => return Ok(None),
        };
        self.writer.op(op);
        self.memoize_made(object);
        if items.is_empty() {
            return Ok(Some(Begun::Done));
        }
        Ok(Some(Begun::Frame(inside(object, shape, items))))
    }

    /// Writes the state of an instance attribute by attribute, if it is nothing but attributes; `false` if it is not.
    pub(super) fn split_state(&mut self, object: &Bound<'py, PyAny>, state: &Bound<'py, PyAny>) -> PyResult<bool> {
        let Ok(state) = state.cast_exact::<PyDict>() else { return Ok(false) };
        let strings = state.keys().iter().all(|key| key.is_exact_instance_of::<PyString>());
        if self.hooked || !self.writer.binary() || !strings || state.is_empty() {
            return Ok(false);
        }
        for class in object.get_type().mro().iter() {
            if own(class.cast()?, pyo3::intern!(self.py, "__setstate__"))?.is_some() {
                return Ok(false);
            }
        }
        self.stack.pop();
        let fills = vec![Fill::State { of: None, dict: state.iter().collect(), slots: Vec::new() }];
        let reduction = Reduction { make: Wire::Namespace, args: Vec::new(), fills };
        self.stack.push(Frame::ByValue(Box::new(ByValue::new(object, reduction, At::Item(0, 0)))));
        Ok(true)
    }

    pub(super) fn step_inside(&mut self) -> PyResult<()> {
        loop {
            let Some(Frame::Inside(frame)) = self.stack.last_mut() else { return Ok(()) };
            let shape = frame.shape;
            let Some((key, value)) = frame.items.get(frame.index).cloned() else {
                let (batch, single) = (frame.batch, frame.single);
                self.stack.pop();
                self.end_batch(shape, batch, single);
                return Ok(());
            };
            match frame.at {
                Step::Start => {
                    if frame.batch == BATCH {
                        let single = std::mem::take(&mut frame.single);
                        frame.batch = 0;
                        self.end_batch(shape, BATCH, single);
                        continue;
                    }
                    frame.at = if key.is_some() { Step::Key } else { Step::Value };
                    if frame.batch == 0 {
                        frame.single = frame.index + 1 == frame.items.len() && shape != Shape::Set;
                        if !frame.single {
                            self.writer.op(Op::Mark);
                        }
                    }
                    self.open_slot();
                    let begun = self.begin(key.as_ref().unwrap_or(&value))?;
                    if self.push(begun)? {
                        return Ok(());
                    }
                }
                Step::Key => {
                    frame.at = Step::Value;
                    let begun = self.begin(&value)?;
                    if self.push(begun)? {
                        return Ok(());
                    }
                }
                Step::Value => {
                    frame.at = Step::Start;
                    frame.slot = None;
                    frame.index += 1;
                    frame.batch += 1;
                }
            }
        }
    }

    fn end_batch(&mut self, shape: Shape, batch: usize, single: bool) {
        match (shape, batch, single) {
            (_, 0, _) => {}
            (Shape::List, _, false) => self.writer.op(Op::Appends),
            (Shape::List, _, true) => self.writer.op(Op::Append),
            (Shape::Dict, _, false) => self.writer.op(Op::SetItems),
            (Shape::Dict, _, true) => self.writer.op(Op::SetItem),
            (Shape::Set, ..) => self.writer.op(Op::AddItems),
        }
    }

    /// Says how the item that has just been taken back is put in later. In a list or dict all that stands behind it waits as
    /// well: what leads back to the class came after the class, and so did they.
    pub(super) fn put_off(&mut self) -> Vec<Fill<'py>> {
        let Some(Frame::Inside(frame)) = self.stack.last_mut() else { return Vec::new() };
        let (object, shape) = (frame.object.clone(), frame.shape);
        let waiting = if shape == Shape::Set {
            vec![frame.items.remove(frame.index)]
        } else {
            frame.items.split_off(frame.index)
        };
        frame.at = Step::Start;
        match (frame.batch, frame.single) {
            // A mark with nothing behind it: adding nothing is no mistake.
            (0, false) => frame.batch = 1,
            (_, true) => frame.batch = 0,
            _ => {}
        }
        waiting.into_iter().map(|(key, value)| Fill::Later { of: object.clone(), shape, key, value }).collect()
    }

    /// Puts an item into a container that has been made before and stands on the pickle machine's stack.
    pub(super) fn put_later(
        &mut self,
        of: &Bound<'py, PyAny>,
        shape: Shape,
        key: Option<Bound<'py, PyAny>>,
        value: Bound<'py, PyAny>,
    ) {
        self.stack.push(inside(of, shape, vec![(key, value)]));
    }
}

fn inside<'py>(
    object: &Bound<'py, PyAny>,
    shape: Shape,
    items: Vec<(Option<Bound<'py, PyAny>>, Bound<'py, PyAny>)>,
) -> Frame<'py> {
    let object = object.clone();
    Frame::Inside(Box::new(Inside {
        object,
        shape,
        items,
        index: 0,
        batch: 0,
        single: false,
        at: Step::Start,
        slot: None,
    }))
}
