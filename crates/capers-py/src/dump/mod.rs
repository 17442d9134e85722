//! The way out: from live objects to a pickle, without recursion.
//!
//! The [`Dumper`] keeps an explicit stack of [`Frame`]s, one for each object that is being written and not finished. To save
//! an object is to [`begin`](Dumper::begin) it: small things are written at once, anything with parts becomes a frame that
//! the run loop advances. Depth is bounded by memory, and the stack *is* the path to the current object, which an error
//! reads off ([`path`]).
//!
//! The order of questions is that of CPython's `save` (`Modules/_pickle.c`): persistent id, atoms, memo, strings, containers,
//! `reducer_override`, types and functions, `dispatch_table`, then the object's own reduction. Between the last two stand
//! the by-value rules of capers.
//!
//! After any call that can run Python code, nothing taken from an object before it is used again: frames own what they
//! hold and read lengths anew.

mod by_value;
mod captured;
mod classes;
mod complaint;
mod containers;
mod depth;
mod explain;
mod fast;
mod function;
mod given;
mod global;
mod inside;
mod kept;
mod known;
mod leaf;
mod ledger;
pub(crate) mod memo;
mod namespace;
mod noted;
mod notes;
mod path;
mod pending;
pub(crate) mod pickler;
mod proxies;
mod reduce;
mod sink;
mod strict;
mod warned;
mod weak;

use std::collections::HashSet;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use capers_pickle::{Op, Writer};

use crate::choices::Reducer;
use crate::ffi::interrupt_waits;
use crate::ffi::kind::{Kind, kind};
use crate::ffi::output::Output;
use crate::ffi::reserve;
use crate::ffi::walk::{self, Level, Pause, Walk};
use crate::limits;
use crate::progress::Progress;
use crate::replay;
use crate::state::{State, state};
use by_value::ByValue;
use classes::Classes;
use memo::Memo;
use reduce::Reduce;
use sink::Sink;

/// What hooks a pickler has, each asked in its place.
#[derive(Default)]
pub(crate) struct Hooks<'py> {
    pub(crate) persistent_id: Option<Bound<'py, PyAny>>,
    pub(crate) reducer_override: Option<Bound<'py, PyAny>>,
    pub(crate) dispatch_table: Option<Bound<'py, PyAny>>,
    pub(crate) buffer_callback: Option<Bound<'py, PyAny>>,
    /// Types and what reduces their instances; the first that answers counts.
    pub(crate) reducers: Vec<Reducer>,
    /// `file.write`, when the pickle goes to a file.
    pub(crate) write: Option<Bound<'py, PyAny>>,
    /// Whoever is told how far it has come.
    pub(crate) progress: Option<Progress<'py>>,
}

/// Settings that do not change while an object is dumped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) fix_imports: bool,
    pub(crate) fast: bool,
    /// Nothing travels by value, and errors are those of `pickle`.
    pub(crate) strict: bool,
}

/// An object that has been begun and not finished.
pub(crate) enum Frame<'py> {
    /// An exact list, tuple, dict or set, or an instance's slots.
    Plain(Level<'py>),
    /// Items from an iterator, as list items, set items or dict items.
    Batch(Box<containers::Batch<'py>>),
    /// A reduction of the pickle protocol.
    Reduce(Box<Reduce<'py>>),
    /// A reduction of capers.
    ByValue(Box<ByValue<'py>>),
    /// A dict of definition names.
    Entries(Box<by_value::Entries<'py>>),
    /// A list, dict or set written while a class is being made.
    Inside(Box<inside::Inside<'py>>),
    /// Writes the tail of a persistent id.
    PersistentId,
    /// A weak proxy, under the copy of its referent.
    Copying(Box<proxies::Copying<'py>>),
}

/// What became of an object that was begun.
pub(crate) enum Begun<'py> {
    /// It has been written.
    Done,
    /// It needs a frame.
    Frame(Frame<'py>),
    /// It is a class that is being made further down the stack.
    InProgress(Bound<'py, PyAny>),
}

/// Where a dump stops to answer interrupts.
#[derive(Default)]
struct Stops {
    steps: u32,
    /// Pauses of the fast walk.
    pauses: u32,
    /// Code that ran at a stop has raised: whatever it was, the dump is over.
    interrupted: bool,
}

/// Writes one object graph.
pub(crate) struct Dumper<'py> {
    pub(crate) py: Python<'py>,
    pub(crate) writer: Writer<Output<'py>>,
    pub(crate) memo: Box<Memo>,
    pub(crate) hooks: Hooks<'py>,
    pub(crate) settings: Settings,
    state: &'static State,
    stack: Vec<Frame<'py>>,
    classes: Classes<'py>,
    /// The functions written so far, as long as the payload depends on nothing else.
    recorded: Option<Vec<Bound<'py, PyAny>>>,
    weak: weak::Weak<'py>,
    /// Code that may be called while the payload loads, by address, once it lacks nothing.
    complete: HashSet<usize>,
    proxies: proxies::Proxies<'py>,
    sink: Sink<'py>,
    /// The number of memo indices that what has been handed on refers to.
    pub(crate) sent: usize,
    hooked: bool,
    /// Whether plain data takes the fast walk.
    walks: bool,
    open: fast::Open,
    arrays: Option<known::Arrays<'py>>,
    /// Whether classes are kept, and given out again as they were.
    keeps: bool,
    recording: Option<Box<kept::Recording<'py>>>,
    /// Who has written which bytes, where that is asked for.
    ledger: Option<Box<ledger::Ledger<'py>>>,
    stops: Stops,
    /// The height at which the stack is looked at next.
    patience: usize,
}

impl<'py> Dumper<'py> {
    pub(crate) fn new(
        py: Python<'py>,
        mut writer: Writer<Output<'py>>,
        memo: Box<Memo>,
        mut hooks: Hooks<'py>,
        settings: Settings,
    ) -> PyResult<Self> {
        let sink = Sink::new(hooks.write.take());
        let hooked = hooks.persistent_id.is_some() || settings.fast;
        let state = state(py)?;
        let walks = state.layouts_known && !hooked && writer.protocol() >= 4 && !memo.has_gaps();
        writer.spell_indices(memo.has_gaps());
        Ok(Self {
            py,
            writer,
            memo,
            hooks,
            settings,
            state,
            stack: Vec::new(),
            classes: Classes::default(),
            recorded: None,
            weak: weak::Weak::default(),
            complete: HashSet::new(),
            proxies: proxies::Proxies::default(),
            sink,
            sent: 0,
            hooked,
            walks,
            open: fast::Open::default(),
            arrays: None,
            keeps: false,
            recording: None,
            ledger: None,
            stops: Stops::default(),
            patience: depth::FIRST_LOOK,
        })
    }

    /// The number of the protocol as reducers get it.
    pub(super) fn protocol_object(&self) -> &Bound<'py, PyAny> {
        self.state.protocols[usize::from(self.writer.protocol())].bind(self.py)
    }

    /// Whether nothing but the objects themselves decides what is written.
    pub(crate) fn is_free(&self) -> bool {
        self.hooks.reducers.is_empty() && self.is_unhooked()
    }

    /// Whether no hook of a pickler decides about it; reducers may.
    pub(crate) fn is_unhooked(&self) -> bool {
        // Each field is named, so that a new one is thought of here.
        let Hooks {
            persistent_id,
            reducer_override,
            dispatch_table,
            buffer_callback,
            reducers: _,
            write: _,
            progress: _,
        } = &self.hooks;
        [persistent_id, reducer_override, dispatch_table, buffer_callback].iter().all(|hook| hook.is_none())
    }

    /// Whether what is written goes elsewhere, or something else decides about it.
    pub(crate) fn has_hooks(&self) -> bool {
        self.sink.is_file() || self.hooks.progress.is_some() || !self.is_free()
    }

    /// Writes a whole pickle of `object`. An error tells the way to the culprit.
    pub(crate) fn dump(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        self.memo.restore();
        self.writer.start();
        self.save(object)?;
        if self.sink.is_file() || self.anything_late() {
            self.memo.own();
        }
        self.settle()?;
        self.writer.finish();
        if self.proxies.any() {
            self.settle_proxies()?;
        }
        self.finish()?;
        if self.hooks.progress.is_some() { self.tell_end() } else { Ok(()) }
    }

    /// Answers interrupts, and tells how far the dump has come. Any code may run.
    pub(super) fn pause(&mut self) -> PyResult<()> {
        self.memo.own();
        let mut outcome = self.py.check_signals();
        if outcome.is_ok() && self.hooks.progress.is_some() {
            outcome = self.tell();
        }
        self.stops.interrupted |= outcome.is_err();
        outcome
    }

    /// Writes `object` and all it leads to.
    pub(crate) fn save(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        let base = self.stack.len();
        let outcome = self.save_from(base, object);
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => {
                // Who stopped the dump has nothing to do with where it was.
                let told = limits::TELLS_PATHS && !self.stops.interrupted;
                let error = if told { path::explain(self, base, object, error) } else { error };
                self.stack.truncate(base);
                Err(error)
            }
        }
    }

    fn save_from(&mut self, base: usize, object: &Bound<'py, PyAny>) -> PyResult<()> {
        let begun = self.begin(object)?;
        self.push(begun)?;
        self.run(base)
    }

    /// Goes on until the work stack is as low as `base`.
    fn run(&mut self, base: usize) -> PyResult<()> {
        while self.stack.len() > base {
            self.stops.steps = self.stops.steps.wrapping_add(1);
            reserve::check()?;
            if self.stops.steps & limits::SIGNAL_MASK == 0 {
                self.pause()?;
            }
            if let Err(error) = self.step(base)
                && (self.stops.interrupted || !self.weaken(base, &error)? && !self.pardon(&error))
            {
                return Err(error);
            }
            if self.notes() {
                self.settle_notes();
            }
        }
        Ok(())
    }

    /// Puts what has been begun onto the stack.
    fn push(&mut self, begun: Begun<'py>) -> PyResult<bool> {
        match begun {
            Begun::Done => Ok(false),
            Begun::Frame(frame) => {
                if self.stack.len() >= self.patience {
                    self.look_down()?;
                }
                reserve::push(&mut self.stack, frame);
                Ok(true)
            }
            Begun::InProgress(class) => {
                self.postpone(&class)?;
                Ok(true)
            }
        }
    }

    /// Writes plain data from the topmost frame on, until something else comes.
    fn walk(&mut self, base: usize) -> PyResult<()> {
        let Hooks { dispatch_table, reducer_override, reducers, .. } = &self.hooks;
        let free = dispatch_table.is_none() && reducer_override.is_none() && reducers.is_empty();
        // What is noted ends where its own frame does.
        let base = self.ledger.as_ref().map_or(base, |ledger| ledger.floor().max(base));
        let dispatch_table = free.then(|| self.state.dispatch_table.bind(self.py));
        let plain_dicts = !self.memo.has_namespaces();
        let (memo, next) = self.memo.for_walk();
        let walk = Walk {
            py: self.py,
            writer: &mut self.writer,
            memo,
            next,
            streams: self.sink.is_file(),
            plain_dicts,
            dispatch_table,
        };
        let pause = walk::walk(walk, &mut Levels { stack: &mut self.stack, base });
        match pause {
            // At the end nothing else runs, or `dump` sees to it; and as long as no interrupt waits, a walk goes on as it came.
            Pause::Ended if self.stack.is_empty() => return Ok(()),
            Pause::Interrupt => {
                self.stops.pauses = self.stops.pauses.wrapping_add(1);
                let silent = self.hooks.progress.is_none();
                if silent && !self.stops.pauses.is_multiple_of(limits::LOOKS) && !interrupt_waits(self.py) {
                    return Ok(());
                }
            }
            _ => {}
        }
        self.memo.own();
        match pause {
            Pause::Ended => Ok(()),
            Pause::Flush => {
                if self.writer.boundary() {
                    self.flush()?;
                }
                Ok(())
            }
            Pause::Interrupt => self.pause(),
            Pause::Object(object) => {
                let begun = self.begin(&object)?;
                self.push(begun)?;
                Ok(())
            }
            Pause::TooDeep => Err(depth::too_deep()),
            Pause::Changed(text) => {
                // None of its items is the culprit.
                self.stack.pop();
                Err(pyo3::exceptions::PyRuntimeError::new_err(text))
            }
            Pause::Hole => Err(containers::hole()),
        }
    }

    /// Advances the topmost frame.
    fn step(&mut self, base: usize) -> PyResult<()> {
        match self.stack.last() {
            // While a class is being made, whatever leads back to it has to be noticed.
            Some(Frame::Plain(_)) if self.walks && !self.classes.any_in_progress() => self.walk(base),
            Some(Frame::Plain(level)) => match level {
                Level::List { .. } => self.step_list(),
                Level::Tuple { .. } => self.step_tuple(),
                Level::Dict(_) => self.step_dict(),
                Level::Set { .. } => self.step_set(),
                Level::Slots { .. } | Level::Call { .. } => {
                    Err(self.pickling_error("this part of an instance is written by the fast walk only"))
                }
            },
            Some(Frame::Batch(_)) => self.step_batch(),
            Some(Frame::Reduce(_)) => self.step_reduce(),
            Some(Frame::ByValue(_)) => self.step_by_value(),
            Some(Frame::Entries(_)) => self.step_entries(),
            Some(Frame::Inside(_)) => self.step_inside(),
            Some(Frame::PersistentId) => {
                self.stack.pop();
                self.writer.op(Op::BinPersId);
                Ok(())
            }
            Some(Frame::Copying(_)) => {
                self.step_copying();
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Whether this dump keeps an account.
    #[inline]
    fn notes(&self) -> bool {
        limits::TELLS_PATHS && self.ledger.is_some()
    }

    /// Starts to write `object`.
    #[inline]
    pub(crate) fn begin(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        if self.notes() {
            return self.note(object, None, |dumper| dumper.begin_object(object));
        }
        self.begin_object(object)
    }

    #[inline]
    fn begin_object(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        if self.writer.boundary() {
            self.flush()?;
        }
        if self.hooks.persistent_id.is_some()
            && let Some(begun) = self.begin_persistent(object)?
        {
            return Ok(begun);
        }
        self.begin_plain(object)
    }

    /// Starts to write `object` without asking for a persistent id.
    #[inline]
    fn begin_plain(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        let kind = kind(object);
        if self.write_atom(kind, object)? {
            return Ok(Begun::Done);
        }
        if let Some(index) = self.memo.get(object) {
            if self.classes.any_in_progress()
                && let Some(class) = self.waits_for(object)
            {
                return Ok(Begun::InProgress(class));
            }
            self.writer.get(index);
            return if kind == Kind::Dict { self.complete_namespace(object) } else { Ok(Begun::Done) };
        }
        match kind {
            Kind::Str => {
                self.write_str(object.cast::<PyString>()?)?;
                Ok(Begun::Done)
            }
            Kind::Function => self.begin_other(kind, object),
            Kind::Tuple if self.recorded.is_none() || replay::is_atomic(object) => {
                self.begin_tuple(object.cast::<PyTuple>()?)
            }
            _ => {
                self.spoil();
                self.begin_compound(kind, object)
            }
        }
    }

    fn begin_compound(&mut self, kind: Kind, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        if self.classes.any_in_progress()
            && let Some(begun) = self.begin_inside(kind, object)?
        {
            return Ok(begun);
        }
        match kind {
            Kind::Bytes => self.begin_bytes(object),
            Kind::Dict => self.begin_dict(object.cast::<PyDict>()?),
            Kind::List => self.begin_list(object.cast::<PyList>()?),
            Kind::Tuple => self.begin_tuple(object.cast::<PyTuple>()?),
            Kind::Set => self.begin_set(object),
            Kind::FrozenSet => self.begin_frozenset(object),
            Kind::ByteArray => self.begin_bytearray(object),
            _ => self.begin_other(kind, object),
        }
    }

    /// Writes an object that needs no frame, whatever it is; `false` if it may need one and nothing has been written.
    #[inline]
    fn leaf(&mut self, object: &Bound<'py, PyAny>) -> PyResult<bool> {
        if self.hooked {
            return Ok(false);
        }
        let kind = kind(object);
        match kind {
            Kind::Str if self.notes() && self.is_noted(object) => Ok(false),
            Kind::Str | Kind::Int | Kind::None | Kind::Bool | Kind::Float => {
                if self.writer.boundary() {
                    self.flush()?;
                }
                if !self.write_atom(kind, object)? {
                    match self.memo.get(object) {
                        Some(index) => self.writer.get(index),
                        None => self.write_str(object.cast::<PyString>()?)?,
                    }
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    #[cold]
    #[inline(never)]
    fn begin_other(&mut self, kind: Kind, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        if object.is_exact_instance(self.state.pickle_buffer.bind(self.py)) {
            return self.begin_buffer(object);
        }
        if let Some(hook) = self.hooks.reducer_override.clone() {
            let value = hook.call1((object,))?;
            if !value.is(self.py.NotImplemented()) {
                return self.begin_reduced(object, &value);
            }
        }
        if !self.hooks.reducers.is_empty()
            && let Some(value) = self.reduced_by_choice(object)?
        {
            return self.begin_reduced(object, &value);
        }
        if self.settings.strict {
            return self.begin_strictly(kind, object);
        }
        match kind {
            Kind::Type if crate::ffi::kind::is_plain_type(object) => return self.begin_type(object),
            Kind::Function => return self.begin_function(object),
            _ => {}
        }
        if let Some(value) = self.dispatched(object)? {
            return self.begin_reduced(object, &value);
        }
        match kind {
            Kind::Type => self.begin_type(object),
            _ => match self.by_value(kind, object)? {
                Some(begun) => Ok(begun),
                None => self.begin_own_reduction(object),
            },
        }
    }

    #[cold]
    fn begin_persistent(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Option<Begun<'py>>> {
        let Some(hook) = self.hooks.persistent_id.clone() else { return Ok(None) };
        let id = hook.call1((object,))?;
        if id.is_none() {
            return Ok(None);
        }
        if !self.writer.binary() {
            let text = id.str()?;
            let text =
                text.to_str().map_err(|_| self.pickling_error("persistent IDs in protocol 0 must be ASCII strings"))?;
            if !text.is_ascii() {
                return Err(self.pickling_error("persistent IDs in protocol 0 must be ASCII strings"));
            }
            self.writer.text_line(Op::PersId, text.as_bytes());
            return Ok(Some(Begun::Done));
        }
        match self.begin_plain(&id)? {
            Begun::Done => {
                self.writer.op(Op::BinPersId);
                Ok(Some(Begun::Done))
            }
            Begun::Frame(frame) => {
                reserve::push(&mut self.stack, Frame::PersistentId);
                Ok(Some(Begun::Frame(frame)))
            }
            Begun::InProgress(class) => Ok(Some(Begun::InProgress(class))),
        }
    }

    /// Memoizes the object on top of the pickle machine's stack, unless the pickler is `fast`.
    #[inline]
    fn memoize(&mut self, object: &Bound<'py, PyAny>) {
        if !self.settings.fast {
            let index = self.memo.put(object);
            self.writer.memoize(index);
        }
    }

    /// Tells that `object`, or something about it, cannot travel; the way to it comes in with [`path`].
    #[cold]
    fn refusal(&self, message: impl Into<String>) -> PyErr {
        pyo3::exceptions::PyTypeError::new_err(message.into())
    }

    #[cold]
    fn pickling_error(&self, message: impl IntoPyObject<'py>) -> PyErr {
        match message.into_py_any(self.py) {
            Ok(message) => PyErr::from_type(self.state.pickling_error.bind(self.py).clone(), (message,)),
            Err(error) => error,
        }
    }
}

/// The work stack down to `base`, for the walk.
struct Levels<'a, 'py> {
    stack: &'a mut Vec<Frame<'py>>,
    base: usize,
}

impl<'py> walk::Levels<'py> for Levels<'_, 'py> {
    #[inline]
    fn top(&mut self) -> Option<&mut Level<'py>> {
        if self.stack.len() <= self.base {
            return None;
        }
        match self.stack.last_mut() {
            Some(Frame::Plain(level)) => Some(level),
            _ => None,
        }
    }

    #[inline]
    fn drop_top(&mut self) {
        self.stack.pop();
    }

    #[inline]
    fn is_last(&self) -> bool {
        self.stack.len() == 1
    }

    #[inline]
    fn push(&mut self, level: Level<'py>) -> bool {
        let fits = self.stack.len() < limits::MAX_DEPTH;
        if fits {
            reserve::push(self.stack, Frame::Plain(level));
        }
        fits
    }
}
