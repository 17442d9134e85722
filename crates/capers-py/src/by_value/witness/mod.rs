//! What the bytes written for a class depend on, looked at closely enough to tell later whether they would be the same.
//!
//! A [`Witness`] is taken by a [`Tour`] from a class that is about to be written by value. The tour goes where the dumper goes:
//! the namespace of the class, the fields of functions and the globals that they name, cells, the items of containers,
//! what a rule or a reduction says of any other object, where names lead. What it meets is noted in order. A later tour
//! takes the same way by the same code, and compares with the notes; the first difference ends it.
//!
//! Notes hold what cannot lead back to the class: atoms and code. Everything else is an address, which stands for the object
//! only as long as the tour has just found it where it was: what is at that address is looked at again.
//!
//! What cannot be watched, an iterator or a rule that reads a hidden state, leaves no witness.

mod tour;

use std::collections::{HashMap, HashSet};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyString};

use self::tour::Tour;
use super::class;
use crate::choices;
use crate::ffi::access::str_eq;
use crate::ffi::code::get_extra;
use crate::ffi::kind::{Kind, kind};
use crate::policy::Reference;
use crate::state::State;

type Object<'py> = Bound<'py, PyAny>;

/// Objects looked at for one witness, at most.
const MAX_WATCHED: usize = 2000;

/// What the tour met.
#[derive(Debug)]
enum Note {
    Nothing,
    /// An atom, or code.
    Held(Py<PyAny>),
    /// An object met for the first time: it is looked at in its turn.
    First(usize),
    /// An object met before.
    Again(usize),
    /// A namespace of functions. Its items count for the functions that name them.
    Space(usize),
    /// A descriptor that the class got from its making.
    Descriptor(usize),
    /// Something that the dumper does not look at.
    Ignored,
    Number(i64),
    /// A text of a definition: its identity does not count.
    Text(Py<PyString>),
    /// A number that was made for the occasion.
    Equal(Py<PyAny>),
    /// Module and name that lead to a built-in function.
    Named(Py<PyString>, Py<PyString>),
}

/// Why a tour ended before its end.
enum Stop {
    /// Something is not as it was, or cannot be watched.
    Differs,
    Raised(PyErr),
}

impl<E: Into<PyErr>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Raised(error.into())
    }
}

type Step<T = ()> = Result<T, Stop>;

/// Who goes along: takes notes, or compares with them.
trait Companion<'py> {
    /// Whether notes are taken, so that a question can be asked whose answer will not change.
    const TAKES: bool;
    /// An object that is looked at in its turn, or one that a note may hold.
    fn object(&mut self, object: Object<'py>) -> Step;
    /// An object that cannot change and leads to no class of the script.
    fn constant(&mut self, object: &Object<'py>) -> Step;
    fn space(&mut self, globals: &Bound<'py, PyDict>) -> Step;
    /// A function looks up what lives at this address.
    fn uses(&mut self, _: usize) {}
    fn number(&mut self, number: i64) -> Step;
    fn text(&mut self, text: &Bound<'py, PyString>) -> Step;
    fn equal(&mut self, atom: &Object<'py>) -> Step;
    fn nothing(&mut self) -> Step;
    /// The value that a class has under some name.
    fn entry(&mut self, value: Object<'py>, part: impl FnOnce(&Object<'py>) -> PyResult<class::Entry>) -> Step;
    /// Where an object is found by name, found out when notes are taken; `None` where it travels in another way.
    fn named(
        &mut self,
        py: Python<'py>,
        find: impl FnOnce() -> Step<Option<Reference<'py>>>,
    ) -> Step<Option<Reference<'py>>>;
    /// The object to look at next.
    fn next(&mut self) -> Option<Object<'py>>;

    fn maybe(&mut self, object: Option<Object<'py>>) -> Step {
        match object {
            Some(object) => self.object(object),
            None => self.nothing(),
        }
    }

    fn reference(&mut self, reference: &Reference<'py>) -> Step {
        self.text(&reference.module)?;
        self.text(&reference.name)
    }
}

/// What an object depended on when it was written.
#[derive(Debug)]
pub(crate) struct Witness {
    protocol: u8,
    notes: Vec<Note>,
}

/// A witness, and which objects it watches.
pub(crate) struct Testimony {
    pub(crate) witness: Witness,
    numbers: HashMap<usize, usize>,
    spaces: HashMap<usize, usize>,
    codes: HashSet<usize>,
    used: HashSet<usize>,
}

/// Objects that a witness watches, as a tour has found them: each has a number by which the witness knows it.
pub(crate) struct Found<'py> {
    pub(crate) objects: Vec<Object<'py>>,
    pub(crate) spaces: Vec<Object<'py>>,
}

/// Where among the objects of a witness one is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Object(usize),
    Space(usize),
}

impl Testimony {
    /// Where the witness has `object`, if it watches it.
    pub(crate) fn place(&self, object: &Object<'_>) -> Option<Place> {
        let address = object.as_ptr() as usize;
        let object = self.numbers.get(&address).map(|number| Place::Object(*number));
        object.or_else(|| self.spaces.get(&address).map(|number| Place::Space(*number)))
    }

    /// Whether the witness watches what lives at `address`.
    pub(crate) fn watches(&self, address: usize) -> bool {
        self.numbers.contains_key(&address) || self.spaces.contains_key(&address)
    }

    /// Whether a function that is watched looks up what lives at `address`: a name, or its own code.
    pub(crate) fn uses(&self, address: usize) -> bool {
        self.used.contains(&address)
    }

    /// Whether `code` has been met.
    pub(crate) fn knows_code(&self, code: &Object<'_>) -> bool {
        self.codes.contains(&(code.as_ptr() as usize))
    }
}

impl Witness {
    /// Takes a witness of what `class`, which travels by value, leads to; `None` where something cannot be watched.
    pub(crate) fn take(state: &'static State, class: &Object<'_>, protocol: u8) -> PyResult<Option<Testimony>> {
        let taker = Taker::default();
        let reducers = choices::registered(class.py())?;
        let mut tour = Tour { py: class.py(), state, protocol, reducers, companion: taker };
        match tour.run(class) {
            Ok(()) => {
                let Taker { notes, numbers, spaces, codes, used, .. } = tour.companion;
                Ok(Some(Testimony { witness: Self { protocol, notes }, numbers, spaces, codes, used }))
            }
            Err(Stop::Differs) => Ok(None),
            Err(Stop::Raised(error)) => Err(error),
        }
    }

    /// The protocol of the bytes; reductions are told of it.
    pub(crate) fn protocol(&self) -> u8 {
        self.protocol
    }

    /// The objects that are watched, if all that `class` leads to is as it was.
    pub(crate) fn holds<'py>(&self, state: &'static State, class: &Object<'py>) -> PyResult<Option<Found<'py>>> {
        let checker =
            Checker { notes: self.notes.iter(), objects: Vec::with_capacity(32), spaces: Vec::new(), turn: 0 };
        let (py, protocol) = (class.py(), self.protocol);
        let mut tour = Tour { py, state, protocol, reducers: choices::registered(py)?, companion: checker };
        match tour.run(class) {
            Ok(()) if tour.companion.notes.len() == 0 => {
                let Checker { objects, spaces, .. } = tour.companion;
                Ok(Some(Found { objects, spaces }))
            }
            Ok(()) | Err(Stop::Differs) => Ok(None),
            Err(Stop::Raised(error)) => Err(error),
        }
    }
}

/// Takes notes.
#[derive(Default)]
struct Taker<'py> {
    notes: Vec<Note>,
    objects: Vec<Object<'py>>,
    turn: usize,
    numbers: HashMap<usize, usize>,
    spaces: HashMap<usize, usize>,
    codes: HashSet<usize>,
    used: HashSet<usize>,
}

/// Whether a note may hold `object`: it cannot change, and leads to nothing that can.
#[inline]
fn is_held(object: &Object<'_>) -> bool {
    matches!(kind(object), Kind::Str | Kind::Int | Kind::Float | Kind::None | Kind::Bool | Kind::Bytes | Kind::Code)
}

impl<'py> Companion<'py> for Taker<'py> {
    const TAKES: bool = true;

    fn object(&mut self, object: Object<'py>) -> Step {
        let address = object.as_ptr() as usize;
        if is_held(&object) {
            if kind(&object) == Kind::Code {
                // What is kept with a code object says that its constants are plain.
                if get_extra(&object).is_none() {
                    return Err(Stop::Differs);
                }
                self.codes.insert(address);
            }
            self.notes.push(Note::Held(object.unbind()));
        } else if self.numbers.contains_key(&address) {
            self.notes.push(Note::Again(address));
        } else if self.spaces.contains_key(&address) || self.objects.len() == MAX_WATCHED {
            return Err(Stop::Differs);
        } else {
            self.numbers.insert(address, self.objects.len());
            self.notes.push(Note::First(address));
            self.objects.push(object);
        }
        Ok(())
    }

    fn constant(&mut self, object: &Object<'py>) -> Step {
        self.notes.push(Note::Held(object.clone().unbind()));
        Ok(())
    }

    fn uses(&mut self, address: usize) {
        self.used.insert(address);
    }

    fn space(&mut self, globals: &Bound<'py, PyDict>) -> Step {
        let address = globals.as_ptr() as usize;
        if self.numbers.contains_key(&address) {
            return Err(Stop::Differs);
        }
        let count = self.spaces.len();
        self.spaces.entry(address).or_insert(count);
        self.notes.push(Note::Space(address));
        Ok(())
    }

    fn number(&mut self, number: i64) -> Step {
        self.notes.push(Note::Number(number));
        Ok(())
    }

    fn text(&mut self, text: &Bound<'py, PyString>) -> Step {
        self.notes.push(Note::Text(text.clone().unbind()));
        Ok(())
    }

    fn equal(&mut self, atom: &Object<'py>) -> Step {
        self.notes.push(Note::Equal(atom.clone().unbind()));
        Ok(())
    }

    fn nothing(&mut self) -> Step {
        self.notes.push(Note::Nothing);
        Ok(())
    }

    fn entry(&mut self, value: Object<'py>, part: impl FnOnce(&Object<'py>) -> PyResult<class::Entry>) -> Step {
        match part(&value)? {
            class::Entry::Given => return self.object(value),
            class::Entry::Descriptor => self.notes.push(Note::Descriptor(value.as_ptr() as usize)),
            class::Entry::Ignored => self.notes.push(Note::Ignored),
        }
        Ok(())
    }

    fn named(
        &mut self,
        _: Python<'py>,
        find: impl FnOnce() -> Step<Option<Reference<'py>>>,
    ) -> Step<Option<Reference<'py>>> {
        let found = find()?;
        self.notes.push(match &found {
            Some(Reference { module, name }) => Note::Named(module.clone().unbind(), name.clone().unbind()),
            None => Note::Nothing,
        });
        Ok(found)
    }

    fn next(&mut self) -> Option<Object<'py>> {
        self.turn += 1;
        self.objects.get(self.turn - 1).cloned()
    }
}

/// Compares with notes.
struct Checker<'a, 'py> {
    notes: std::slice::Iter<'a, Note>,
    objects: Vec<Object<'py>>,
    spaces: Vec<Object<'py>>,
    turn: usize,
}

fn same(it_is: bool) -> Step {
    if it_is { Ok(()) } else { Err(Stop::Differs) }
}

impl<'py> Checker<'_, 'py> {
    #[inline]
    fn compare(&mut self, note: Option<&Note>, object: Object<'py>) -> Step {
        match note {
            Some(Note::Held(held)) => same(object.is(held)),
            Some(Note::First(address)) => {
                same(object.as_ptr() as usize == *address)?;
                self.objects.push(object);
                Ok(())
            }
            Some(Note::Again(address)) => same(object.as_ptr() as usize == *address),
            _ => Err(Stop::Differs),
        }
    }
}

impl<'py> Companion<'py> for Checker<'_, 'py> {
    const TAKES: bool = false;

    #[inline]
    fn object(&mut self, object: Object<'py>) -> Step {
        let note = self.notes.next();
        self.compare(note, object)
    }

    fn constant(&mut self, object: &Object<'py>) -> Step {
        same(matches!(self.notes.next(), Some(Note::Held(held)) if object.is(held)))
    }

    fn space(&mut self, globals: &Bound<'py, PyDict>) -> Step {
        let Some(Note::Space(address)) = self.notes.next() else { return Err(Stop::Differs) };
        same(globals.as_ptr() as usize == *address)?;
        if !self.spaces.iter().any(|it| it.is(globals)) {
            self.spaces.push(globals.clone().into_any());
        }
        Ok(())
    }

    #[inline]
    fn number(&mut self, number: i64) -> Step {
        same(matches!(self.notes.next(), Some(Note::Number(noted)) if *noted == number))
    }

    fn text(&mut self, text: &Bound<'py, PyString>) -> Step {
        same(matches!(self.notes.next(), Some(Note::Text(noted)) if str_eq(noted.bind(text.py()), text)))
    }

    fn equal(&mut self, atom: &Object<'py>) -> Step {
        let Some(Note::Equal(noted)) = self.notes.next() else { return Err(Stop::Differs) };
        let noted = noted.bind(atom.py());
        same(kind(noted) == kind(atom))?;
        same(match (noted.cast_exact::<PyFloat>(), atom.cast_exact::<PyFloat>()) {
            // Zeros with and without a sign are equal.
            (Ok(noted), Ok(atom)) => noted.value().to_bits() == atom.value().to_bits(),
            _ => noted.eq(atom)?,
        })
    }

    #[inline]
    fn nothing(&mut self) -> Step {
        same(matches!(self.notes.next(), Some(Note::Nothing)))
    }

    #[inline]
    fn entry(&mut self, value: Object<'py>, part: impl FnOnce(&Object<'py>) -> PyResult<class::Entry>) -> Step {
        match self.notes.next() {
            Some(Note::Ignored) => same(part(&value)? == class::Entry::Ignored),
            Some(Note::Descriptor(address)) => {
                same(value.as_ptr() as usize == *address && part(&value)? == class::Entry::Descriptor)
            }
            note => self.compare(note, value),
        }
    }

    fn named(
        &mut self,
        py: Python<'py>,
        _: impl FnOnce() -> Step<Option<Reference<'py>>>,
    ) -> Step<Option<Reference<'py>>> {
        match self.notes.next() {
            Some(Note::Named(module, name)) => {
                Ok(Some(Reference { module: module.bind(py).clone(), name: name.bind(py).clone() }))
            }
            Some(Note::Nothing) => Ok(None),
            _ => Err(Stop::Differs),
        }
    }

    fn next(&mut self) -> Option<Object<'py>> {
        self.turn += 1;
        self.objects.get(self.turn - 1).cloned()
    }
}
