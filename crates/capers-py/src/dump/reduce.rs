//! The reduce protocol: what an object says of itself, turned into a pickle.

use capers_pickle::Op;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyString, PyTuple, PyType};

use super::containers::Into;
use super::{Begun, Dumper, Frame};
use crate::by_value::odd;
use crate::ffi::access::tuple_item;
use crate::ffi::plan;

/// Which part of a reduction comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Callable,
    Args,
    Kwargs,
    Made,
    ListItems,
    DictItems,
    State,
    Setter,
    SetterObject,
    SetterState,
    SetterEnd,
    Build,
}

/// How the object is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Reduce,
    NewObj,
    NewObjEx,
}

/// A reduction on its way out.
pub(crate) struct Reduce<'py> {
    pub(super) object: Option<Bound<'py, PyAny>>,
    callable: Bound<'py, PyAny>,
    args: Bound<'py, PyAny>,
    kwargs: Option<Bound<'py, PyAny>>,
    how: How,
    state: Option<Bound<'py, PyAny>>,
    list_items: Option<Bound<'py, PyAny>>,
    dict_items: Option<Bound<'py, PyAny>>,
    setter: Option<Bound<'py, PyAny>>,
    /// The phase to enter next.
    phase: Phase,
    /// The phase that wrote what is above this frame now.
    pub(super) current: Phase,
}

impl<'py> Reduce<'py> {
    /// `callable(*args)`, nothing else.
    pub(super) fn call(object: Bound<'py, PyAny>, callable: Bound<'py, PyAny>, args: Bound<'py, PyTuple>) -> Self {
        Self {
            object: Some(object),
            callable,
            args: args.into_any(),
            kwargs: None,
            how: How::Reduce,
            state: None,
            list_items: None,
            dict_items: None,
            setter: None,
            phase: Phase::Callable,
            current: Phase::Callable,
        }
    }
}

impl<'py> Dumper<'py> {
    /// What the dispatch table, the pickler's own or the global one, says about `object`.
    pub(super) fn dispatched(&self, object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let kind = object.get_type();
        let reducer = match &self.hooks.dispatch_table {
            None => self.state.dispatch_table.bind(self.py).get_item(&kind)?,
            Some(table) => match table.get_item(&kind) {
                Ok(found) => Some(found),
                Err(error) if error.is_instance_of::<pyo3::exceptions::PyKeyError>(self.py) => None,
                Err(error) => return Err(error),
            },
        };
        reducer.map(|reducer| reducer.call1((object,))).transpose()
    }

    /// Asks `object` itself, by `__reduce_ex__` or `__reduce__`.
    pub(super) fn begin_own_reduction(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        let py = self.py;
        let value = match object.getattr_opt(intern!(py, "__reduce_ex__"))? {
            Some(reduce_ex) => reduce_ex.call1((self.writer.protocol(),)),
            None => match object.getattr_opt(intern!(py, "__reduce__"))? {
                Some(reduce) => reduce.call0(),
                None => {
                    return Err(self.pickling_error(format!(
                        "can't pickle '{}' object: {}",
                        object.get_type().name()?,
                        object.repr()?
                    )));
                }
            },
        };
        let value = value?;
        if self.walks && !plan::is_decided(object) && odd::is_made_of_its_class(object)? {
            plan::learn(object, &value)?;
        }
        self.begin_reduced(object, &value)
    }

    /// Starts the reduction `value` of `object`: a name, or a tuple of two to six items.
    pub(super) fn begin_reduced(
        &mut self,
        object: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<Begun<'py>> {
        if let Ok(name) = value.cast::<PyString>() {
            return self.begin_named(object, name);
        }
        let Ok(tuple) = value.cast::<PyTuple>() else {
            return Err(self.pickling_error("__reduce__ must return a string or tuple"));
        };
        let mut reduce = self.reduction(Some(object), tuple)?;
        if reduce.state.is_none()
            && let Some(lost) = odd::lost_attributes(object)?
        {
            reduce.state = Some(lost.into_any());
        }
        if self.classes.any_in_progress()
            && reduce.how == How::Reduce
            && let Some(class) = self.call_waits_for(&reduce.callable)?
        {
            return Ok(Begun::InProgress(class));
        }
        if let Some(frame) = self.bring_lacking(&reduce.callable)? {
            self.stack.push(Frame::Reduce(Box::new(reduce)));
            return Ok(Begun::Frame(frame));
        }
        Ok(Begun::Frame(Frame::Reduce(Box::new(reduce))))
    }

    fn reduction(&self, object: Option<&Bound<'py, PyAny>>, value: &Bound<'py, PyTuple>) -> PyResult<Reduce<'py>> {
        let len = value.len();
        if !(2..=6).contains(&len) {
            return Err(self.pickling_error("tuple returned by __reduce__ must contain 2 through 6 elements"));
        }
        let part = |index| tuple_item(value, index).filter(|it| !it.is_none());
        let callable = value.get_item(0)?;
        let args = value.get_item(1)?;
        if !callable.is_callable() {
            return Err(self.pickling_error("first item of the tuple returned by __reduce__ must be callable"));
        }
        if !args.is_instance_of::<PyTuple>() {
            return Err(self.pickling_error("second item of the tuple returned by __reduce__ must be a tuple"));
        }
        let (list_items, dict_items, setter) = (part(3), part(4), part(5));
        for (items, place) in [(&list_items, "fourth"), (&dict_items, "fifth")] {
            if let Some(items) = items
                && items.cast::<PyIterator>().is_err()
            {
                return Err(self.pickling_error(format!(
                    "{place} element of the tuple returned by __reduce__ must be an iterator, not {}",
                    items.get_type().name()?
                )));
            }
        }
        if let Some(setter) = &setter
            && !setter.is_callable()
        {
            return Err(self.pickling_error(format!(
                "sixth element of the tuple returned by __reduce__ must be a function, not {}",
                setter.get_type().name()?
            )));
        }
        let mut reduce = Reduce {
            object: object.cloned(),
            callable,
            args,
            kwargs: None,
            how: How::Reduce,
            state: part(2),
            list_items,
            dict_items,
            setter,
            phase: Phase::Callable,
            current: Phase::Callable,
        };
        if self.writer.protocol() >= 2 {
            self.recognise_newobj(&mut reduce)?;
        }
        Ok(reduce)
    }

    /// `copyreg.__newobj__` and `__newobj_ex__` have opcodes of their own.
    fn recognise_newobj(&self, reduce: &mut Reduce<'py>) -> PyResult<()> {
        let py = self.py;
        let Some(name) = reduce.callable.getattr_opt(intern!(py, "__name__"))? else { return Ok(()) };
        let Ok(name) = name.cast::<PyString>() else { return Ok(()) };
        let name = name.to_string_lossy();
        let args = reduce.args.cast::<PyTuple>()?.clone();
        if name == "__newobj_ex__" {
            if args.len() != 3 {
                return Err(self.pickling_error(format!(
                    "length of the NEWOBJ_EX argument tuple must be exactly 3, not {}",
                    args.len()
                )));
            }
            let (class, positional, keywords) = (args.get_item(0)?, args.get_item(1)?, args.get_item(2)?);
            self.check_class(reduce, &class, "__newobj_ex__")?;
            if !positional.is_instance_of::<PyTuple>() {
                return Err(self.pickling_error(format!(
                    "second item from NEWOBJ_EX argument tuple must be a tuple, not {}",
                    positional.get_type().name()?
                )));
            }
            if !keywords.is_instance_of::<PyDict>() {
                return Err(self.pickling_error(format!(
                    "third item from NEWOBJ_EX argument tuple must be a dict, not {}",
                    keywords.get_type().name()?
                )));
            }
            if self.writer.protocol() >= 4 {
                reduce.how = How::NewObjEx;
                reduce.callable = class;
                reduce.args = positional;
                reduce.kwargs = Some(keywords);
            } else {
                let mut all = vec![class.getattr(intern!(py, "__new__"))?, class];
                all.extend(positional.cast::<PyTuple>()?.iter());
                let partial = py.import("functools")?.getattr("partial")?;
                reduce.callable = partial.call(PyTuple::new(py, all)?, Some(keywords.cast::<PyDict>()?))?;
                reduce.args = PyTuple::empty(py).into_any();
            }
        } else if name == "__newobj__" {
            let Some(class) = tuple_item(&args, 0) else {
                return Err(self.pickling_error("__newobj__ arglist is empty"));
            };
            self.check_class(reduce, &class, "__newobj__")?;
            let rest = args.get_slice(1, args.len());
            if let Some(object) = &reduce.object
                && object.get_type().is(&class)
                && let Some(new) = odd::plain_new(object, &rest)?
            {
                reduce.callable = new;
                return Ok(());
            }
            reduce.how = How::NewObj;
            reduce.callable = class;
            reduce.args = rest.into_any();
        }
        Ok(())
    }

    fn check_class(&self, reduce: &Reduce<'py>, class: &Bound<'py, PyAny>, function: &str) -> PyResult<()> {
        let py = self.py;
        if function == "__newobj_ex__" && !class.is_instance_of::<PyType>() {
            return Err(self.pickling_error(format!(
                "first item from NEWOBJ_EX argument tuple must be a class, not {}",
                class.get_type().name()?
            )));
        }
        if class.getattr_opt(intern!(py, "__new__"))?.is_none() {
            return Err(self.pickling_error(format!("args[0] from {function} args has no __new__")));
        }
        if function == "__newobj__"
            && let Some(object) = &reduce.object
            && !object.get_type().is(class)
            && !object.getattr(intern!(py, "__class__"))?.is(class)
        {
            return Err(self.pickling_error("args[0] from __newobj__ args has the wrong class"));
        }
        Ok(())
    }

    /// Saves `object` as a part of the reduction on top of the stack; `true` when it got a frame.
    fn part(&mut self, object: &Bound<'py, PyAny>) -> PyResult<bool> {
        let begun = self.begin(object)?;
        self.push(begun)
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each phase, read as a table")]
    pub(super) fn step_reduce(&mut self) -> PyResult<()> {
        loop {
            let Some(Frame::Reduce(reduce)) = self.stack.last_mut() else { return Ok(()) };
            reduce.current = reduce.phase;
            let waiting = match reduce.phase {
                Phase::Callable => {
                    reduce.phase = Phase::Args;
                    let callable = reduce.callable.clone();
                    self.part(&callable)?
                }
                Phase::Args => {
                    reduce.phase = if reduce.kwargs.is_some() { Phase::Kwargs } else { Phase::Made };
                    let args = reduce.args.clone();
                    self.part(&args)?
                }
                Phase::Kwargs => {
                    reduce.phase = Phase::Made;
                    match reduce.kwargs.clone() {
                        Some(kwargs) => self.part(&kwargs)?,
                        None => false,
                    }
                }
                Phase::Made => {
                    reduce.phase = Phase::ListItems;
                    let (how, object) = (reduce.how, reduce.object.clone());
                    self.writer.op(match how {
                        How::Reduce => Op::Reduce,
                        How::NewObj => Op::NewObj,
                        How::NewObjEx => Op::NewObjEx,
                    });
                    if let Some(object) = object {
                        // Already in the memo: the object is part of its own arguments and has been made meanwhile.
                        if let Some(index) = self.memo.get(&object) {
                            self.writer.op(Op::Pop);
                            self.writer.get(index);
                            self.stack.pop();
                            return Ok(());
                        }
                        self.memoize(&object);
                    }
                    false
                }
                Phase::ListItems => {
                    reduce.phase = Phase::DictItems;
                    match reduce.list_items.take() {
                        Some(items) => {
                            let begun = self.begin_batch(Into::List, items)?;
                            self.push(begun)?
                        }
                        None => false,
                    }
                }
                Phase::DictItems => {
                    reduce.phase = if reduce.setter.is_some() { Phase::Setter } else { Phase::State };
                    match reduce.dict_items.take() {
                        Some(items) => {
                            let begun = self.begin_batch(Into::Dict, items)?;
                            self.push(begun)?
                        }
                        None => false,
                    }
                }
                Phase::State => {
                    reduce.phase = Phase::Build;
                    let Some(state) = reduce.state.clone() else {
                        self.stack.pop();
                        return Ok(());
                    };
                    if self.classes.any_in_progress()
                        && let Some(object) = reduce.object.clone()
                        && self.split_state(&object, &state)?
                    {
                        return Ok(());
                    }
                    self.part(&state)?
                }
                Phase::Build => {
                    self.stack.pop();
                    self.writer.op(Op::Build);
                    return Ok(());
                }
                Phase::Setter => {
                    reduce.phase = Phase::SetterObject;
                    let (Some(setter), true) = (reduce.setter.clone(), reduce.state.is_some()) else {
                        self.stack.pop();
                        return Ok(());
                    };
                    self.part(&setter)?
                }
                Phase::SetterObject => {
                    reduce.phase = Phase::SetterState;
                    if self.writer.protocol() < 2 {
                        self.writer.op(Op::Mark);
                    }
                    let Some(Frame::Reduce(reduce)) = self.stack.last() else { return Ok(()) };
                    match reduce.object.clone() {
                        Some(object) => self.part(&object)?,
                        None => return Err(PyTypeError::new_err("a state setter needs an object")),
                    }
                }
                Phase::SetterState => {
                    reduce.phase = Phase::SetterEnd;
                    match reduce.state.clone() {
                        Some(state) => self.part(&state)?,
                        None => false,
                    }
                }
                Phase::SetterEnd => {
                    self.stack.pop();
                    self.writer.tuple_end(2);
                    self.writer.op(Op::Reduce);
                    self.writer.op(Op::Pop);
                    return Ok(());
                }
            };
            if waiting {
                return Ok(());
            }
        }
    }
}
