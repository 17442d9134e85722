//! Classes written before, given out again while nothing that they depend on has changed.
//!
//! A task system dumps instances of the same classes over and over. What was written for a class the second time is kept, with a
//! [`Witness`] of all it depends on and with what it put into the memo. Where the class comes next, and the witness
//! still holds, the same bytes are written, with the memo indices of their new place; the memo is left as if the class
//! had been written anew. Only a class that shares nothing with what stands before it in the payload is kept or given
//! out: then the bytes are those that the general way would write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use capers_pickle::Checkpoint;
use capers_pickle::splice::{self, Get};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyWeakrefReference};

use super::Dumper;
use super::memo::{self, Mark};
use crate::by_value::witness::{Found, Known, Witness};
use crate::choices;
use crate::ffi::access::references;
use crate::ffi::kind::{Kind, kind};

/// Ways in which one class is kept: what stands before it decides which names are there already.
const MAX_WAYS: usize = 3;
/// More bytes than this are not kept for one class.
const MAX_BYTES: usize = 32 * 1024;
/// After so many changes a class is no longer kept.
const MAX_MISSES: u32 = 8;

/// What was written for a class.
struct Kept {
    witness: Witness,
    bytes: Vec<u8>,
    gets: Vec<(Get, Target)>,
    /// The memo index that came next where the bytes were written.
    base: usize,
    memo: memo::Part,
    /// The objects of the memo, as the witness knows them, or held here.
    objects: Vec<(Holding, usize)>,
    /// Namespaces made along with a module, and the memo index of that.
    spaces: Vec<(Holding, usize)>,
}

/// What a part refers to in the memo.
enum Target {
    /// Something of its own.
    Inside,
    /// A name that stands before it.
    Outside(memo::Name),
    /// An object that stands before it, and that the witness knows.
    Before(Holding),
}

/// What became of an attempt to write a class as it was kept.
enum Outcome {
    Written,
    /// Another way of keeping it belongs here.
    Elsewhere,
    /// The class is not as it was.
    Changed,
}

enum Holding {
    Watched(Known),
    Held(Py<PyAny>),
}

impl Holding {
    /// The object, among those that the witness has found.
    fn object<'a, 'py>(&'a self, found: &'a Found<'py>, py: Python<'py>) -> Option<&'a Bound<'py, PyAny>> {
        match self {
            Self::Held(object) => Some(object.bind(py)),
            Self::Watched(Known::Object(number)) => found.objects.get(*number),
            Self::Watched(Known::Space(number)) => found.spaces.get(*number),
        }
    }
}

/// The history of a class.
struct Slot {
    class: Py<PyWeakrefReference>,
    misses: u32,
    kept: Vec<Arc<Kept>>,
}

/// By address of the class; the weak reference in each slot tells whether it is still that class.
static SLOTS: Mutex<Option<HashMap<usize, Slot>>> = Mutex::new(None);

/// A class being written to be kept.
pub(super) struct Recording<'py> {
    class: Bound<'py, PyAny>,
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

enum Advice {
    Write,
    Record,
    /// Write it in one of these ways; whether another one may be recorded.
    Put(Vec<Arc<Kept>>, bool),
}

/// What to do about `class`, which is to be written.
fn advice(class: &Bound<'_, PyAny>) -> PyResult<Advice> {
    let weak = PyWeakrefReference::new(class)?;
    let Ok(mut slots) = SLOTS.try_lock() else { return Ok(Advice::Write) };
    let slots = slots.get_or_insert_with(HashMap::new);
    let address = class.as_ptr() as usize;
    if let Some(slot) = slots.get_mut(&address).filter(|slot| slot.is_of(class)) {
        let may_record = slot.misses < MAX_MISSES && slot.kept.len() < MAX_WAYS;
        return Ok(match slot.kept.as_slice() {
            // The second time: the first one is often the last.
            [] if may_record => Advice::Record,
            [] => Advice::Write,
            kept => Advice::Put(kept.to_vec(), may_record),
        });
    }
    let gone = if slots.len().is_power_of_two() {
        slots.extract_if(|_, slot| slot.class.bind(class.py()).upgrade().is_none()).collect()
    } else {
        Vec::new()
    };
    slots.insert(address, Slot { class: weak.unbind(), misses: 0, kept: Vec::new() });
    drop(gone);
    Ok(Advice::Write)
}

impl Slot {
    fn is_of(&self, class: &Bound<'_, PyAny>) -> bool {
        self.class.bind(class.py()).upgrade().is_some_and(|it| it.is(class))
    }
}

/// Changes the slot of `class`; what it held before is let go of outside of the lock.
fn change(class: &Bound<'_, PyAny>, to: impl FnOnce(&mut Slot) -> Vec<Arc<Kept>>) {
    let Ok(mut slots) = SLOTS.try_lock() else { return };
    let slot = slots.as_mut().and_then(|slots| slots.get_mut(&(class.as_ptr() as usize)));
    let old = slot.filter(|slot| slot.is_of(class)).map(to);
    drop(slots);
    drop(old);
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
            Advice::Record => self.record(class),
            Advice::Put(ways, may_record) => {
                for kept in &ways {
                    match self.put(class, kept)? {
                        Outcome::Written => return Ok(true),
                        Outcome::Elsewhere => {}
                        Outcome::Changed => {
                            change(class, |slot| {
                                slot.misses += 1;
                                std::mem::take(&mut slot.kept)
                            });
                            self.record(class);
                            return Ok(false);
                        }
                    }
                }
                if may_record {
                    self.record(class);
                }
            }
        }
        Ok(false)
    }

    /// Whether what was kept may belong where the writer stands now: the names are there that it refers to, and none that it
    /// brings.
    fn fits(&self, kept: &Kept) -> bool {
        let outside = |(_, target): &(Get, Target)| match target {
            Target::Outside(name) => self.memo.name(self.py, name).is_some(),
            Target::Inside | Target::Before(_) => true,
        };
        self.writer.until_boundary() >= kept.bytes.len()
            && self.memo.is_free_of(self.py, &kept.memo)
            && kept.gets.iter().all(outside)
    }

    fn put(&mut self, class: &Bound<'py, PyAny>, kept: &Kept) -> PyResult<Outcome> {
        let py = self.py;
        if !self.fits(kept) {
            return Ok(Outcome::Elsewhere);
        }
        let found = match kept.witness.holds(self.state, class, self.writer.protocol()) {
            Ok(found) => found,
            // The general way meets the error again, and tells the way to it.
            Err(error) if error.is_instance_of::<PyException>(py) => None,
            Err(error) => return Err(error),
        };
        let Some(found) = found else { return Ok(Outcome::Changed) };
        let base = self.memo.next_index();
        let here = |holding: &Holding| holding.object(&found, py).and_then(|it| self.memo.get(it));
        if base > 0 && kept.objects.iter().any(|(it, _)| here(it).is_some()) {
            return Ok(Outcome::Elsewhere);
        }
        let mut moved = Vec::new();
        if base != kept.base || kept.gets.iter().any(|(_, target)| !matches!(target, Target::Inside)) {
            for (get, target) in &kept.gets {
                let index = match target {
                    Target::Inside => Some(get.index - kept.base + base),
                    Target::Outside(name) => self.memo.name(py, name),
                    Target::Before(holding) => here(holding),
                };
                let Some(index) = index else { return Ok(Outcome::Elsewhere) };
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
        for (holding, at) in &kept.objects {
            if let Some(object) = holding.object(&found, py) {
                self.memo.put_at(object, base + at);
            }
        }
        for (holding, at) in &kept.spaces {
            if let Some(space) = holding.object(&found, py) {
                self.memo.add_space(space, base + at);
            }
        }
        self.memo.add(py, &kept.memo);
        Ok(Outcome::Written)
    }

    /// What is written next, for `class`, is to be kept.
    fn record(&mut self, class: &Bound<'py, PyAny>) {
        if self.any_weak() {
            return;
        }
        self.writer.open_frame();
        self.recording = Some(Box::new(Recording {
            class: class.clone(),
            height: self.stack.len(),
            start: self.writer.checkpoint(),
            mark: self.memo.mark(),
        }));
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
        let Recording { class, start, mark, .. } = *recording;
        let kept = match self.kept(&class, &start, mark) {
            Ok(kept) => kept,
            // A reduction that fails when it is asked once more has not failed when it counted.
            Err(error) if error.is_instance_of::<PyException>(self.py) => None,
            Err(error) => return Err(error),
        };
        change(&class, |slot| {
            match kept {
                Some(kept) => slot.kept.push(Arc::new(kept)),
                None => slot.misses += 1,
            }
            Vec::new()
        });
        Ok(())
    }

    fn kept(&mut self, class: &Bound<'py, PyAny>, start: &Checkpoint, mark: Mark) -> PyResult<Option<Kept>> {
        let py = self.py;
        if self.any_weak() || self.classes.any_in_progress() {
            return Ok(None);
        }
        let Some(bytes) = self.writer.since(start).filter(|it| it.len() <= MAX_BYTES).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.memo.own();
        let Some(mut memo) = self.memo.since(py, mark) else { return Ok(None) };
        let Some(testimony) = Witness::take(self.state, class, self.writer.protocol())? else { return Ok(None) };
        let mut objects = Vec::with_capacity(memo.objects.len());
        let mut passing = Vec::new();
        for (object, at) in std::mem::take(&mut memo.objects) {
            let bound = object.bind(py);
            let holding = match (testimony.known(bound), kind(bound)) {
                (Some(known), _) => Holding::Watched(known),
                (None, Kind::Str | Kind::Int | Kind::Float | Kind::Bytes) => Holding::Held(object),
                (None, Kind::Code) if testimony.knows_code(bound) => Holding::Held(object),
                (None, Kind::Tuple | Kind::List | Kind::Dict) => {
                    passing.push(bound.clone());
                    continue;
                }
                _ => return Ok(None),
            };
            objects.push((holding, at));
        }
        let mut spaces = Vec::new();
        for (space, at) in std::mem::take(&mut memo.spaces) {
            let Some(known) = testimony.known(space.bind(py)) else { return Ok(None) };
            spaces.push((Holding::Watched(known), at));
        }
        if !are_passing(&passing)? {
            return Ok(None);
        }
        let base = self.memo.next_index() - memo.len();
        let mut gets = Vec::new();
        let Ok(found) = splice::gets(&bytes) else { return Ok(None) };
        for get in found {
            let before = |index| {
                let object = self.memo.object_at(py, index)?;
                let atom = matches!(kind(object), Kind::Str | Kind::Bytes);
                let known = testimony.known(object).map(Holding::Watched);
                known.or_else(|| atom.then(|| Holding::Held(object.clone().unbind())))
            };
            let target = match self.memo.name_at(py, get.index) {
                _ if get.index >= base => Target::Inside,
                Some(name) => Target::Outside(name),
                None => match before(get.index) {
                    Some(holding) => Target::Before(holding),
                    None => return Ok(None),
                },
            };
            gets.push((get, target));
        }
        Ok(Some(Kept { witness: testimony.witness, bytes, gets, base, memo, objects, spaces }))
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
