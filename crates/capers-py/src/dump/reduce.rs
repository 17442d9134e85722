//! The reduce protocol: what an object says of itself, turned into a pickle.

use capers_pickle::Op;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyString, PyTuple, PyType};

use super::containers::Into;
use super::{Begun, Dumper, Frame, complaint, fast};
use crate::by_value::odd;
use crate::ffi::access::tuple_item;
use crate::ffi::function::is_named_otherwise;
use crate::ffi::kind::{Kind, kind};
use crate::ffi::plan;
use crate::ffi::walk::Level;

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
pub(super) enum How {
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
    pub(super) how: How,
    state: Option<Bound<'py, PyAny>>,
    list_items: Option<Bound<'py, PyAny>>,
    dict_items: Option<Bound<'py, PyAny>>,
    setter: Option<Bound<'py, PyAny>>,
    /// The phase to enter next.
    phase: Phase,
    /// The phase that wrote what is above this frame now.
    pub(super) current: Phase,
    /// Whether the object, or a reducer for it, said so, and not the pickler.
    pub(super) own: bool,
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
            own: false,
        }
    }
}

impl Reduce<'_> {
    /// Whether it is a call and nothing else.
    fn is_call(&self) -> bool {
        self.how == How::Reduce
            && self.state.is_none()
            && self.list_items.is_none()
            && self.dict_items.is_none()
            && self.setter.is_none()
    }
}

/// The step of a path that a part of a reduction is; none where what comes above tells enough.
pub(super) fn step(reduce: &Reduce<'_>) -> Option<String> {
    let object = reduce.object.as_ref();
    let fixed = match (reduce.current, reduce.how) {
        (Phase::Callable, How::Reduce) => ".__reduce__()[0]",
        (Phase::Callable, _) => ".__class__",
        (Phase::Args, How::NewObj) if object.is_some_and(is_named_tuple) => return None,
        (Phase::Args, How::NewObj) => ".__getnewargs__()",
        (Phase::Args, How::NewObjEx) => ".__getnewargs_ex__()[0]",
        (Phase::Kwargs, _) => ".__getnewargs_ex__()[1]",
        (Phase::Setter, _) => ".__reduce__()[5]",
        (Phase::State | Phase::SetterState, how) => match (&reduce.state, how) {
            (Some(state), _) if is_pair(state) || state.is_instance_of::<PyDict>() => return None,
            _ if object.is_some_and(is_partial) => return None,
            (_, How::Reduce) => ".__reduce__()[2]",
            _ => ".__getstate__()",
        },
        _ => return None,
    };
    Some(fixed.to_owned())
}

/// The step that an item of a tuple is which `reduce` is writing.
pub(super) fn item(reduce: &Reduce<'_>, tuple: &Bound<'_, PyTuple>, index: usize) -> Option<String> {
    match (reduce.current, &reduce.object) {
        // The pair of `__dict__` and slots is no step of the path.
        (Phase::State | Phase::SetterState, _) if is_pair(tuple.as_any()) => None,
        (Phase::State | Phase::SetterState, Some(object)) if is_partial(object) => {
            [".func", ".args", ".keywords", ".__dict__"].get(index).map(|it| (*it).to_owned())
        }
        (Phase::Args, Some(object)) if reduce.how == How::Reduce && reduce.own => Some(argument(object, index)),
        _ => Some(format!("[{index}]")),
    }
}

/// The step that an argument is of the call which makes `object`: the attribute that holds it, where that is known.
pub(super) fn argument(object: &Bound<'_, PyAny>, index: usize) -> String {
    if object.is_instance_of::<pyo3::exceptions::PyBaseException>() {
        return format!(".args[{index}]");
    }
    let named: &[&str] = match (kind(object), complaint::full_name(object).as_str()) {
        (Kind::Method | Kind::BuiltinFunction, _) => &[".__self__"],
        (_, "functools.partial") => &[".func"],
        (_, "slice") => &[".start", ".stop", ".step"],
        (_, "types.GenericAlias") => &[".__origin__", ".__args__"],
        _ => &[],
    };
    named.get(index).map_or_else(|| format!(".__reduce__()[1][{index}]"), |it| (*it).to_owned())
}

/// Whether what is being written are the arguments or the state of an object.
pub(super) fn is_content(reduce: &Reduce<'_>) -> bool {
    matches!(reduce.current, Phase::Args | Phase::Kwargs | Phase::State | Phase::SetterState)
}

/// Whether `state` is the pair of attributes and slots that `object.__getstate__` makes.
pub(super) fn is_pair(state: &Bound<'_, PyAny>) -> bool {
    let Ok(tuple) = state.cast_exact::<PyTuple>() else { return false };
    let (2, Some(dict), Some(slots)) = (tuple.len(), tuple_item(tuple, 0), tuple_item(tuple, 1)) else { return false };
    (dict.is_none() || dict.is_instance_of::<PyDict>()) && slots.is_instance_of::<PyDict>()
}

fn is_named_tuple(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyTuple>() && object.get_type().hasattr("_fields").unwrap_or(false)
}

fn is_partial(object: &Bound<'_, PyAny>) -> bool {
    complaint::full_name(object) == "functools.partial"
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

    /// What the first reducer for the class of `object`, or for the nearest of its bases, says about it.
    #[cold]
    pub(super) fn reduced_by_choice(&self, object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        for base in object.get_type().mro().iter() {
            for (class, function) in &self.hooks.reducers {
                if base.is(class) {
                    let value = function.bind(self.py).call1((object,))?;
                    if !value.is(self.py.NotImplemented()) {
                        return Ok(Some(value));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Asks `object` itself, by `__reduce_ex__` or `__reduce__`.
    pub(super) fn begin_own_reduction(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        if let Some(known) = self.known_reduction(object)? {
            return self.begin_reduced(object, known.as_any());
        }
        let value = self.own_reduction(object)?;
        self.learn_array(object, &value)?;
        // In the strict mode types come here that otherwise have a rule of ours, which goes before any plan.
        if self.walks
            && !plan::is_decided(object)
            && odd::is_made_of_its_class(object)?
            && (!self.settings.strict || !odd::has_rule(self.py, object)?)
        {
            plan::learn(object, &value)?;
        }
        self.begin_reduced(object, &value)
    }

    /// What `object` says of itself.
    pub(super) fn own_reduction(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match odd::own_reduction(object, self.protocol_object())? {
            Some(value) => Ok(value),
            None => Err(self.pickling_error(complaint::no_way(object)?)),
        }
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
            return Err(self.complaint(Some(object), complaint::no_reduction(value)));
        };
        let mut reduce = self.reduction(Some(object), tuple)?;
        let first = if self.settings.strict { None } else { self.mend(object, &mut reduce)? };
        if let Some(Begun::InProgress(class)) = first {
            return Ok(Begun::InProgress(class));
        }
        if self.walks
            && first.is_none()
            && !self.classes.any_in_progress()
            && reduce.is_call()
            && let Some(index) = self.memo.get(&reduce.callable)
            && let Ok(args) = reduce.args.cast_exact::<PyTuple>()
            && !args.is_empty()
            && self.memo.get(args.as_any()).is_none()
        {
            // What begins most objects of the standard library and of C: a known callable and new arguments.
            self.writer.get(index);
            if self.writer.boundary() {
                self.flush()?;
            }
            self.writer.tuple_begin(args.len());
            return Ok(Begun::Frame(Frame::Plain(Level::Call {
                object: object.clone(),
                args: args.clone(),
                index: 0,
            })));
        }
        self.enter(object, fast::Part::Object)?;
        let frame = Frame::Reduce(Box::new(reduce));
        if let Some(first) = first {
            self.stack.push(frame);
            return Ok(first);
        }
        Ok(Begun::Frame(frame))
    }

    /// Sees to what a reduction forgets and what it needs: attributes that a standard base leaves out, a class to wait for
    /// before the call can be made, or names that have to be there first.
    fn mend(&mut self, object: &Bound<'py, PyAny>, reduce: &mut Reduce<'py>) -> PyResult<Option<Begun<'py>>> {
        if reduce.state.is_none()
            && let Some(lost) = odd::lost_attributes(object)?
        {
            reduce.state = Some(lost.into_any());
        } else if let Some(state) = &reduce.state
            && reduce.setter.is_none()
            && let Some((state, setter)) = odd::lost_beside_state(object, state)?
        {
            (reduce.state, reduce.setter) = (Some(state), Some(setter));
        }
        if self.classes.any_in_progress()
            && reduce.how == How::Reduce
            && let Some(class) = self.call_waits_for(&reduce.callable)?
        {
            return Ok(Some(Begun::InProgress(class)));
        }
        Ok(self.bring_lacking(&reduce.callable)?.map(Begun::Frame))
    }

    fn reduction(&self, object: Option<&Bound<'py, PyAny>>, value: &Bound<'py, PyTuple>) -> PyResult<Reduce<'py>> {
        let len = value.len();
        if !(2..=6).contains(&len) {
            return Err(self.complaint(object, complaint::wrong_size()));
        }
        let part = |index| tuple_item(value, index).filter(|it| !it.is_none());
        let callable = value.get_item(0)?;
        let args = value.get_item(1)?;
        if !callable.is_callable() {
            return Err(self.complaint(object, complaint::no_callable(&callable)));
        }
        if !args.is_instance_of::<PyTuple>() {
            return Err(self.complaint(object, complaint::no_arguments(&args)));
        }
        let (list_items, dict_items, setter) = (part(3), part(4), part(5));
        for (items, place) in [(&list_items, "fourth"), (&dict_items, "fifth")] {
            if let Some(items) = items
                && items.cast::<PyIterator>().is_err()
            {
                return Err(self.complaint(object, complaint::no_iterator(place, items)));
            }
        }
        if let Some(setter) = &setter
            && !setter.is_callable()
        {
            return Err(self.complaint(object, complaint::no_setter(setter)));
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
            own: true,
        };
        if self.writer.protocol() >= 2 {
            self.recognise_newobj(&mut reduce)?;
        }
        Ok(reduce)
    }

    /// `copyreg.__newobj__` and `__newobj_ex__` have opcodes of their own.
    fn recognise_newobj(&self, reduce: &mut Reduce<'py>) -> PyResult<()> {
        let py = self.py;
        if is_named_otherwise(&reduce.callable, b"__newobj") {
            return Ok(());
        }
        let Some(name) = reduce.callable.getattr_opt(intern!(py, "__name__"))? else { return Ok(()) };
        let Ok(name) = name.cast::<PyString>() else { return Ok(()) };
        let name = name.to_string_lossy();
        let args = reduce.args.cast::<PyTuple>()?.clone();
        let object = reduce.object.as_ref();
        if name == "__newobj_ex__" {
            if args.len() != 3 {
                return Err(self.complaint(object, complaint::wrong_count_for_newobj_ex(args.len())));
            }
            let (class, positional, keywords) = (args.get_item(0)?, args.get_item(1)?, args.get_item(2)?);
            let wrong = |place, wanted, found| {
                Err(self.complaint(object, complaint::wrong_argument_for_newobj_ex(place, wanted, found)))
            };
            if !class.is_instance_of::<PyType>() {
                return wrong("first", "a class", &class);
            }
            if !positional.is_instance_of::<PyTuple>() {
                return wrong("second", "a tuple", &positional);
            }
            if !keywords.is_instance_of::<PyDict>() {
                return wrong("third", "a dict", &keywords);
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
                return Err(self.complaint(object, complaint::no_argument_for_newobj()));
            };
            if !class.is_instance_of::<PyType>() {
                return Err(self.complaint(object, complaint::no_class_for_newobj(&class)));
            }
            if let Some(object) = object
                && (self.settings.strict || !object.get_type().is(&class))
            {
                let own = match object.getattr_opt(intern!(py, "__class__"))? {
                    Some(own) => own,
                    None => object.get_type().into_any(),
                };
                if !own.is(&class) {
                    return Err(self.complaint(Some(object), complaint::wrong_class_for_newobj(&own, &class)?));
                }
            }
            let rest = args.get_slice(1, args.len());
            if !self.settings.strict
                && let Some(object) = object
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
                    // Whatever the protocol, as in `_pickle.c`.
                    self.writer.op(Op::Tuple2);
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
