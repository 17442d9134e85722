//! Classes written before, given out again while nothing that they depend on has changed.
//!
//! A task system dumps instances of the same classes over and over. What was written for a class the second time is kept, with a
//! [`Witness`] of all it depends on and with what it put into the memo. Where the class comes next, and the witness
//! still holds, the same bytes are written, with the memo indices of their new place; the memo is left as if the class
//! had been written anew.
//!
//! What stands before a class decides what has to be written for it: names and objects that are there are referred to, and
//! globals that are taken care of are left out. So what was kept is given out only where the same of these are there, and
//! the others are not. That is found out by names and addresses; then the witness looks at the objects themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use capers_pickle::Checkpoint;
use capers_pickle::splice::{self, Get};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyWeakrefReference};

use super::Dumper;
use super::memo::{Addition, Mark, Name};
use crate::by_value::witness::{Found, Place, Testimony, Witness};
use crate::choices;
use crate::ffi::access::references;
use crate::ffi::kind::{Kind, kind};

/// Ways in which one class is kept: what stands before it decides what is written.
const MAX_WAYS: usize = 3;
/// More bytes than this are not kept for one class.
const MAX_BYTES: usize = 32 * 1024;
/// A class that comes after so much is not kept: what it shares with that would have to be looked for.
const MAX_BEFORE: usize = 1024;
/// After so many changes a class is no longer kept. One is forgiven for so many times that it was given out.
const MAX_MISSES: u32 = 8;
const FORGIVEN: u32 = 64;
/// By how many bytes a reference to the memo may grow where the index is larger.
const GROWTH: usize = 3;

/// What was written for a class.
struct Kept {
    witness: Witness,
    bytes: Vec<u8>,
    gets: Vec<(Get, Target)>,
    /// The memo index that came next where the bytes were written.
    base: usize,
    /// What it added to the memo; the objects are those of the witness, or held here.
    addition: Addition,
    objects: Vec<(Object, usize)>,
    /// Namespaces made along with a module, and the memo index of that.
    spaces: Vec<(Object, usize)>,
    /// What was taken care of before, of all that it uses.
    captured: Vec<(usize, usize)>,
}

/// What a reference to the memo means.
enum Target {
    /// Something of its own.
    Inside,
    /// A name that stands before it.
    Outside(Name),
    /// An object that stands before it.
    Before(Object),
}

/// An object of the memo.
enum Object {
    /// One that the witness watches, and where it was.
    Watched(Place, usize),
    Held(Py<PyAny>),
}

impl Object {
    fn address(&self) -> usize {
        match self {
            Self::Watched(_, address) => *address,
            Self::Held(object) => object.as_ptr() as usize,
        }
    }

    /// The object, among those that the witness has found.
    fn get<'a, 'py>(&'a self, found: &'a Found<'py>, py: Python<'py>) -> Option<&'a Bound<'py, PyAny>> {
        match self {
            Self::Held(object) => Some(object.bind(py)),
            Self::Watched(Place::Object(number), _) => found.objects.get(*number),
            Self::Watched(Place::Space(number), _) => found.spaces.get(*number),
        }
    }
}

/// The history of a class.
struct History {
    class: Py<PyWeakrefReference>,
    misses: u32,
    given_out: u32,
    ways: Vec<Arc<Kept>>,
}

impl History {
    fn is_of(&self, class: &Bound<'_, PyAny>) -> bool {
        self.class.bind(class.py()).upgrade().is_some_and(|it| it.is(class))
    }

    fn may_record(&self) -> bool {
        self.misses < MAX_MISSES && self.ways.len() < MAX_WAYS
    }
}

/// By address of the class; the weak reference in each tells whether it is still that class.
static HISTORIES: Mutex<Option<HashMap<usize, History>>> = Mutex::new(None);

/// What to do about a class that is to be written.
enum Advice {
    Write,
    Record,
    /// Write it in one of these ways; whether another one may be recorded.
    Put(Vec<Arc<Kept>>, bool),
}

fn advice(class: &Bound<'_, PyAny>) -> PyResult<Advice> {
    let weak = PyWeakrefReference::new(class)?;
    let Ok(mut histories) = HISTORIES.try_lock() else { return Ok(Advice::Write) };
    let histories = histories.get_or_insert_with(HashMap::new);
    let address = class.as_ptr() as usize;
    if let Some(history) = histories.get_mut(&address).filter(|it| it.is_of(class)) {
        let may_record = history.may_record();
        if history.ways.is_empty() {
            // The second time: the first one is often the last.
            return Ok(if may_record { Advice::Record } else { Advice::Write });
        }
        history.given_out = history.given_out.wrapping_add(1);
        if history.given_out.is_multiple_of(FORGIVEN) {
            history.misses = history.misses.saturating_sub(1);
        }
        return Ok(Advice::Put(history.ways.clone(), may_record));
    }
    let gone: Vec<_> = if histories.len().is_power_of_two() {
        histories.extract_if(|_, it| it.class.bind(class.py()).upgrade().is_none()).collect()
    } else {
        Vec::new()
    };
    histories.insert(address, History { class: weak.unbind(), misses: 0, given_out: 0, ways: Vec::new() });
    drop(gone);
    Ok(Advice::Write)
}

/// Notes that `class` is not as it was, or cannot be kept: whether it may be recorded anew.
fn missed(class: &Bound<'_, PyAny>) -> bool {
    let Ok(mut histories) = HISTORIES.try_lock() else { return false };
    let history = histories.as_mut().and_then(|all| all.get_mut(&(class.as_ptr() as usize)));
    let Some(history) = history.filter(|it| it.is_of(class)) else { return false };
    history.misses += 1;
    let (ways, again) = (std::mem::take(&mut history.ways), history.may_record());
    drop(histories);
    drop(ways);
    again
}

/// Keeps one more way of writing `class`.
fn keep(class: &Bound<'_, PyAny>, kept: Kept) {
    let Ok(mut histories) = HISTORIES.try_lock() else { return };
    let history = histories.as_mut().and_then(|all| all.get_mut(&(class.as_ptr() as usize)));
    if let Some(history) = history.filter(|it| it.is_of(class) && it.may_record()) {
        history.ways.push(Arc::new(kept));
    }
}

/// A class being written to be kept.
pub(super) struct Recording<'py> {
    class: Bound<'py, PyAny>,
    testimony: Testimony,
    /// The height of the work stack below its frame.
    height: usize,
    start: Checkpoint,
    mark: Mark,
}

impl Recording<'_> {
    /// Whether it began after `place`.
    pub(super) fn is_after(&self, place: Checkpoint) -> bool {
        self.start.offset() >= place.offset()
    }
}

impl<'py> Dumper<'py> {
    /// Writes `class`, which travels by value, as it was written before, if it is as it was; `false` if nothing has been
    /// written.
    pub(super) fn put_kept(&mut self, class: &Bound<'py, PyAny>) -> PyResult<bool> {
        if !self.keeps || self.classes.any_in_progress() || self.recording.is_some() || choices::any() {
            return Ok(false);
        }
        match advice(class)? {
            Advice::Write => {}
            Advice::Record => self.record(class)?,
            Advice::Put(ways, may_record) => match ways.iter().find(|it| self.fits(it)) {
                Some(kept) => {
                    if self.put(class, kept)? {
                        return Ok(true);
                    }
                    if missed(class) {
                        self.record(class)?;
                    }
                }
                None if may_record => self.record(class)?,
                None => {}
            },
        }
        Ok(false)
    }

    /// Whether what was kept belongs where the writer stands now: what it refers to is there, and nothing that it brings.
    fn fits(&self, kept: &Kept) -> bool {
        let there = |(_, target): &(Get, Target)| match target {
            Target::Inside => true,
            Target::Outside(name) => self.memo.name(self.py, name).is_some(),
            Target::Before(object) => self.memo.has_address(object.address()),
        };
        let fresh = self.memo.next_index() == 0;
        kept.witness.protocol() == self.writer.protocol()
            && self.writer.until_boundary() > kept.bytes.len() + GROWTH * kept.gets.len()
            && kept.gets.iter().all(there)
            && kept.captured.iter().all(|(space, what)| self.memo.captured(*space, *what))
            && (fresh || !kept.objects.iter().any(|(it, _)| self.memo.has_address(it.address())))
            && (fresh || self.memo.is_free_of(self.py, &kept.addition))
    }

    /// Writes what was kept, which fits; `false` if the class is not as it was.
    fn put(&mut self, class: &Bound<'py, PyAny>, kept: &Kept) -> PyResult<bool> {
        let py = self.py;
        let found = match kept.witness.holds(self.state, class) {
            Ok(found) => found,
            // The general way meets the error again, and tells the way to it.
            Err(error) if error.is_instance_of::<PyException>(py) => None,
            Err(error) => return Err(error),
        };
        // Looking at the objects may have run a dump in between, but none that writes here.
        let Some(found) = found else { return Ok(false) };
        let base = self.memo.next_index();
        let mut moved = Vec::new();
        if base != kept.base || kept.gets.iter().any(|(_, target)| !matches!(target, Target::Inside)) {
            for (get, target) in &kept.gets {
                let index = match target {
                    Target::Inside => Some(get.index - kept.base + base),
                    Target::Outside(name) => self.memo.name(py, name),
                    Target::Before(object) => object.get(&found, py).and_then(|it| self.memo.get(it)),
                };
                let Some(index) = index else { return Ok(false) };
                moved.push((get, index));
            }
        }
        let mut from = 0;
        for (get, index) in moved {
            self.writer.raw(&kept.bytes[from..get.start]);
            self.writer.get(index);
            from = get.end;
        }
        self.writer.raw(&kept.bytes[from..]);
        for (object, at) in &kept.objects {
            if let Some(object) = object.get(&found, py) {
                self.memo.put_at(object, base + at);
            }
        }
        for (space, at) in &kept.spaces {
            if let Some(space) = space.get(&found, py) {
                self.memo.add_space(space, base + at);
            }
        }
        self.memo.add(py, &kept.addition);
        Ok(true)
    }

    /// What is written next, for `class`, is to be kept. The witness is taken before: what changes while the class is written
    /// is found to differ afterwards.
    fn record(&mut self, class: &Bound<'py, PyAny>) -> PyResult<()> {
        if self.any_weak() || self.memo.next_index() > MAX_BEFORE {
            return Ok(());
        }
        let testimony = match Witness::take(self.state, class, self.writer.protocol()) {
            Ok(testimony) => testimony,
            Err(error) if error.is_instance_of::<PyException>(self.py) => None,
            Err(error) => return Err(error),
        };
        let Some(testimony) = testimony else {
            missed(class);
            return Ok(());
        };
        self.writer.open_frame();
        self.recording = Some(Box::new(Recording {
            class: class.clone(),
            testimony,
            height: self.stack.len(),
            start: self.writer.checkpoint(),
            mark: self.memo.mark(),
        }));
        Ok(())
    }

    /// A frame has gone: if it was that of the class to be kept, all of it has been written.
    #[inline]
    pub(super) fn end_recording(&mut self) -> PyResult<()> {
        match &self.recording {
            Some(recording) if recording.height == self.stack.len() => self.keep(),
            _ => Ok(()),
        }
    }

    #[cold]
    #[inline(never)]
    fn keep(&mut self) -> PyResult<()> {
        let Some(recording) = self.recording.take() else { return Ok(()) };
        let class = recording.class.clone();
        match self.kept(*recording) {
            Ok(Some(kept)) => keep(&class, kept),
            Ok(None) => drop(missed(&class)),
            // A reduction that fails when it is asked once more has not failed when it counted.
            Err(error) if error.is_instance_of::<PyException>(self.py) => drop(missed(&class)),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn kept(&mut self, recording: Recording<'py>) -> PyResult<Option<Kept>> {
        let py = self.py;
        let Recording { class, testimony, start, mark, .. } = recording;
        if self.any_weak() || self.classes.any_in_progress() {
            return Ok(None);
        }
        let Some(bytes) = self.writer.since(&start).filter(|it| it.len() <= MAX_BYTES).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.memo.own();
        let Some(mut addition) = self.memo.since(py, mark) else { return Ok(None) };
        let watched = |object: &Bound<'py, PyAny>| {
            testimony.place(object).map(|place| Object::Watched(place, object.as_ptr() as usize))
        };
        let mut objects = Vec::with_capacity(addition.objects.len());
        let mut passing = Vec::new();
        for (object, at) in std::mem::take(&mut addition.objects) {
            let bound = object.bind(py);
            let object = match (watched(bound), kind(bound)) {
                (Some(object), _) => object,
                (None, Kind::Str | Kind::Int | Kind::Float | Kind::Bytes) => Object::Held(object),
                (None, Kind::Code) if testimony.knows_code(bound) => Object::Held(object),
                (None, Kind::Tuple | Kind::List | Kind::Dict) => {
                    passing.push(bound.clone());
                    continue;
                }
                _ => return Ok(None),
            };
            objects.push((object, at));
        }
        let mut spaces = Vec::new();
        for (space, at) in std::mem::take(&mut addition.spaces) {
            let Some(object) = watched(space.bind(py)) else { return Ok(None) };
            spaces.push((object, at));
        }
        if !are_passing(&passing)? {
            return Ok(None);
        }
        let base = self.memo.next_index() - addition.len();
        let Ok(found) = splice::gets(&bytes) else { return Ok(None) };
        let mut gets = Vec::with_capacity(found.len());
        for get in found {
            let target = if get.index >= base {
                Target::Inside
            } else if let Some(name) = self.memo.name_at(py, get.index) {
                Target::Outside(name)
            } else {
                let Some(object) = self.memo.object_at(py, get.index) else { return Ok(None) };
                let atom = matches!(kind(object), Kind::Str | Kind::Bytes);
                match watched(object) {
                    Some(object) => Target::Before(object),
                    None if atom => Target::Before(Object::Held(object.clone().unbind())),
                    None => return Ok(None),
                }
            };
            gets.push((get, target));
        }
        let used = |(space, what): &(usize, usize)| {
            testimony.watches(*space) && (*what == super::by_value::FILLED || testimony.uses(*what))
        };
        let captured = self.memo.captured_before(mark).iter().copied().filter(used).collect();
        let Testimony { witness, .. } = testimony;
        let unchanged = witness.holds(self.state, &class)?.is_some();
        Ok(unchanged.then_some(Kept { witness, bytes, gets, base, addition, objects, spaces, captured }))
    }
}

/// Whether `containers`, which are in the memo, are in no other place but in each other: reductions made them for this dump.
fn are_passing(containers: &[Bound<'_, PyAny>]) -> PyResult<bool> {
    let mut inner: HashMap<usize, isize> = HashMap::new();
    for container in containers {
        let items = match container.cast::<PyDict>() {
            Ok(dict) => dict.values().try_iter()?,
            Err(_) => container.try_iter()?,
        };
        for item in items {
            *inner.entry(item?.as_ptr() as usize).or_default() += 1;
        }
    }
    // The memo has each of them, and this list.
    let expected = |it: &Bound<'_, PyAny>| 2 + inner.get(&(it.as_ptr() as usize)).copied().unwrap_or(0);
    Ok(containers.iter().all(|it| references(it) <= expected(it)))
}
