//! What the bytes written for a class depend on, looked at closely enough to tell later whether they would be the same.
//!
//! A [`Witness`] is taken by a [`Tour`] from a class that has just been written by value. The tour goes where the dumper went:
//! the namespace of the class, the fields of functions and the globals that they name, cells, the items of containers,
//! what a rule or a reduction says of any other object, where names lead. What it meets is noted in order. A later tour
//! takes the same way by the same code, and compares with the notes; the first difference ends it.
//!
//! Notes hold what cannot lead back to the class: atoms and code. Everything else is an address, which stands for the object
//! only as long as the tour has just found it where it was: what is at that address is looked at again.
//!
//! What cannot be watched, an iterator or a rule that reads a hidden state, leaves no witness.

use std::collections::{HashMap, HashSet};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyModule, PyString, PyTuple, PyType};

use super::function::{names_of, own_builtins, submodules};
use super::{Fill, Part, class, function, module, odd, settled};
use crate::ffi::access::{
    call_method, cell_content, dict_get, dict_next, list_item, references, set_items, str_eq, tuple_item,
};
use crate::ffi::class::{Holder, each_entry, holder, qualname};
use crate::ffi::code::get_extra;
use crate::ffi::function::{FunctionView, function_view};
use crate::ffi::kind::{Kind, kind};
use crate::policy::{self, Reference};
use crate::state::State;

type Object<'py> = Bound<'py, PyAny>;

/// Objects looked at for one witness, at most.
const MAX_WATCHED: usize = 2000;
/// How deep containers that a reduction made may be nested.
const MAX_FRESH: usize = 8;

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
    Slot(usize),
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
    fn object(&mut self, object: Object<'py>) -> Step;
    fn space(&mut self, globals: &Bound<'py, PyDict>) -> Step;
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
}

/// Objects that a witness watches, as a tour has found them: each has a number by which the witness knows it.
pub(crate) struct Found<'py> {
    pub(crate) objects: Vec<Object<'py>>,
    pub(crate) spaces: Vec<Object<'py>>,
}

/// How an object written along is known to a witness.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Known {
    Object(usize),
    Space(usize),
}

impl Testimony {
    /// How the witness knows `object`, if it does.
    pub(crate) fn known(&self, object: &Object<'_>) -> Option<Known> {
        let address = object.as_ptr() as usize;
        let object = self.numbers.get(&address).map(|number| Known::Object(*number));
        object.or_else(|| self.spaces.get(&address).map(|number| Known::Space(*number)))
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
        let mut tour = Tour { py: class.py(), state, protocol, companion: taker };
        match tour.run(class) {
            Ok(()) => {
                let Taker { notes, numbers, spaces, codes, .. } = tour.companion;
                Ok(Some(Testimony { witness: Self { protocol, notes }, numbers, spaces, codes }))
            }
            Err(Stop::Differs) => Ok(None),
            Err(Stop::Raised(error)) => Err(error),
        }
    }

    /// The objects that are watched, if all that `class` leads to is as it was.
    pub(crate) fn holds<'py>(
        &self,
        state: &'static State,
        class: &Object<'py>,
        protocol: u8,
    ) -> PyResult<Option<Found<'py>>> {
        if protocol != self.protocol {
            return Ok(None);
        }
        let checker =
            Checker { notes: self.notes.iter(), objects: Vec::with_capacity(32), spaces: Vec::new(), turn: 0 };
        let mut tour = Tour { py: class.py(), state, protocol, companion: checker };
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
            class::Entry::Slot => self.notes.push(Note::Slot(value.as_ptr() as usize)),
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
        same(kind(noted) == kind(atom) && noted.eq(atom)?)
    }

    #[inline]
    fn nothing(&mut self) -> Step {
        same(matches!(self.notes.next(), Some(Note::Nothing)))
    }

    #[inline]
    fn entry(&mut self, value: Object<'py>, _: impl FnOnce(&Object<'py>) -> PyResult<class::Entry>) -> Step {
        match self.notes.next() {
            Some(Note::Ignored) => Ok(()),
            Some(Note::Slot(address)) => same(value.as_ptr() as usize == *address && holder(&value) == Holder::Slot),
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

/// The way from a class to all that its bytes depend on.
struct Tour<'py, C> {
    py: Python<'py>,
    state: &'static State,
    protocol: u8,
    companion: C,
}

impl<'py, C: Companion<'py>> Tour<'py, C> {
    fn run(&mut self, class: &Object<'py>) -> Step {
        self.companion.object(class.clone())?;
        while let Some(object) = self.companion.next() {
            self.look(&object)?;
        }
        Ok(())
    }

    fn look(&mut self, object: &Object<'py>) -> Step {
        let kind = kind(object);
        self.companion.number(kind as i64)?;
        match kind {
            Kind::Function => match function_view(object) {
                Some(view) => self.function(object, &view),
                None => Err(Stop::Differs),
            },
            Kind::Type => self.class(object.cast()?),
            Kind::Cell => self.companion.maybe(cell_content(object)?),
            Kind::Tuple => {
                let tuple = object.cast::<PyTuple>()?;
                self.companion.number(tuple.len() as i64)?;
                (0..).map_while(|at| tuple_item(tuple, at)).try_for_each(|item| self.companion.object(item))
            }
            Kind::List => {
                let list = object.cast::<PyList>()?;
                self.companion.number(list.len() as i64)?;
                (0..).map_while(|at| list_item(list, at)).try_for_each(|item| self.companion.object(item))
            }
            Kind::Dict => {
                let dict = object.cast::<PyDict>()?;
                self.companion.number(dict.len() as i64)?;
                let mut position = 0;
                while let Some((key, value)) = dict_next(dict, &mut position) {
                    self.companion.object(key)?;
                    self.companion.object(value)?;
                }
                Ok(())
            }
            Kind::Set | Kind::FrozenSet => {
                let items = set_items(object)?;
                self.companion.number(items.len() as i64)?;
                items.into_iter().try_for_each(|item| self.companion.object(item))
            }
            Kind::Module => match module::import_name(object.cast::<PyModule>()?)? {
                Some(name) => self.companion.text(&name),
                None => Err(Stop::Differs),
            },
            Kind::BuiltinFunction => self.builtin(object),
            Kind::Method | Kind::Other => self.other(kind, object),
            Kind::Str | Kind::Int | Kind::Float | Kind::None | Kind::Bool | Kind::Bytes => Ok(()),
            Kind::ByteArray | Kind::Code => Err(Stop::Differs),
        }
    }

    fn class(&mut self, class: &Bound<'py, PyType>) -> Step {
        if let Some(reference) = class::reference(class)? {
            self.companion.number(1)?;
            return self.companion.reference(&reference);
        }
        match odd::reduce(self.py, Kind::Type, class)? {
            None => {}
            Some(odd::Travel::Reference(reference)) => {
                self.companion.number(2)?;
                return self.companion.reference(&reference);
            }
            Some(_) => return Err(Stop::Differs),
        }
        if C::TAKES && !class::is_python_class(class)? {
            return Err(Stop::Differs);
        }
        self.companion.number(0)?;
        self.companion.object(class.name()?.into_any())?;
        self.companion.object(qualname(class)?.into_any())?;
        self.companion.object(class.get_type().into_any())?;
        let bases = class.bases();
        self.companion.number(bases.len() as i64)?;
        bases.iter().try_for_each(|base| self.companion.object(base))?;
        let members = class::members(class)?;
        each_entry(class, |name, value| {
            self.companion.object(name.clone())?;
            self.companion.entry(value, |value| class::entry(class, members.as_ref(), name, value))
        })?;
        for fill in class::fills(class, members.as_ref())? {
            self.fill(&fill)?;
        }
        Ok(())
    }

    fn function(&mut self, function: &Object<'py>, view: &FunctionView<'py>) -> Step {
        if let Some(reference) = function::reference(function, view.module.as_ref(), &view.qualname, &view.globals)? {
            self.companion.number(1)?;
            return self.companion.reference(&reference);
        }
        let dispatcher = self.state.known.singledispatch.as_ref();
        let Some(info) = get_extra(&view.code) else { return Err(Stop::Differs) };
        if !info.odd.is_empty() || dispatcher.is_some_and(|code| view.code.is(code)) {
            return Err(Stop::Differs);
        }
        let is_set = |it: &Option<Object<'py>>| it.as_ref().is_some_and(|it| !it.is_none());
        if is_set(&view.annotate) && is_set(&view.annotations) {
            // Which of the two travels is found out by asking.
            return Err(Stop::Differs);
        }
        self.companion.number(0)?;
        for field in [&view.code, &view.name, &view.qualname] {
            self.companion.object(field.clone())?;
        }
        self.companion.maybe(view.defaults.clone().map(Bound::into_any))?;
        self.companion.maybe(view.dict.clone().map(Bound::into_any))?;
        let fields = [&view.module, &view.doc, &view.kwdefaults, &view.annotations, &view.annotate, &view.type_params];
        for field in fields {
            self.companion.maybe(field.clone())?;
        }
        let mut imports = Vec::new();
        for cell in view.closure.iter().flat_map(pyo3::types::PyTupleMethods::iter) {
            if let Some(content) = cell_content(&cell)?.filter(|it| kind(it) == Kind::Module) {
                submodules(self.py, &content, &info, &mut imports)?;
            }
            self.companion.object(cell)?;
        }
        self.companion.space(&view.globals)?;
        if let Some(module) = policy::module_of(&view.globals)? {
            self.companion.number(1)?;
            self.companion.text(&module)?;
        } else {
            self.companion.number(0)?;
            self.companion.maybe(own_builtins(&view.globals)?.map(Bound::into_any))?;
            for name in std::iter::once(intern!(self.py, "__name__")).chain(names_of(self.py, &info)) {
                let value = dict_get(&view.globals, name.as_any())?.map(settled).transpose()?;
                self.global(name, value.as_ref())?;
                if let Some(value) = value.filter(|it| kind(it) == Kind::Module) {
                    submodules(self.py, &value, &info, &mut imports)?;
                }
            }
        }
        imports.iter().try_for_each(|name| self.companion.text(name))
    }

    /// What a function finds as the global `name`.
    fn global(&mut self, name: &Bound<'py, PyString>, value: Option<&Object<'py>>) -> Step {
        let Some(value) = value else { return self.companion.nothing() };
        match kind(value) {
            Kind::Other => match odd::module_level(name, value)? {
                Some(reference) => {
                    self.companion.number(1)?;
                    self.companion.reference(&reference)
                }
                None => self.companion.object(value.clone()),
            },
            Kind::List | Kind::Dict if odd::of_sys(value)?.is_some() => Err(Stop::Differs),
            _ => self.companion.object(value.clone()),
        }
    }

    /// A built-in function: by name, or else as any other object.
    fn builtin(&mut self, object: &Object<'py>) -> Step {
        let (py, dispatch_table) = (self.py, self.state.dispatch_table.bind(self.py));
        if dispatch_table.contains(object.get_type())? {
            return Err(Stop::Differs);
        }
        let find = || match odd::reduce(py, Kind::BuiltinFunction, object)? {
            Some(odd::Travel::Reference(reference)) => Ok(Some(reference)),
            Some(_) => Ok(None),
            None => match object.call_method0(intern!(py, "__reduce__"))?.cast_into::<PyString>() {
                Ok(name) => global(object, name).map(Some),
                Err(_) => Ok(None),
            },
        };
        match self.companion.named(py, find)? {
            Some(Reference { module, name }) => {
                let Some(loaded) = policy::loaded(py, module.as_any())? else { return Err(Stop::Differs) };
                same(policy::resolve(&loaded, &name)?.is_some_and(|it| it.is(object)))?;
                same(policy::importable(&module, &loaded)?)
            }
            None => self.other(Kind::BuiltinFunction, object),
        }
    }

    fn other(&mut self, kind: Kind, object: &Object<'py>) -> Step {
        let class = object.get_type();
        // A bare object is its identity and nothing else, and these two give their items away one by one.
        let state = self.state;
        if class.is(self.py.get_type::<PyAny>())
            || class.is(&state.ordered_dict)
            || class.is(&state.default_dict)
            || class.is(&state.pickle_buffer)
            || state.dispatch_table.bind(self.py).contains(&class)?
        {
            return Err(Stop::Differs);
        }
        self.companion.object(class.into_any())?;
        match odd::reduce(self.py, kind, object)? {
            Some(odd::Travel::Reference(reference)) => {
                self.companion.number(1)?;
                self.companion.reference(&reference)
            }
            Some(odd::Travel::Reduction(reduction)) => {
                self.companion.number(2)?;
                self.companion.number(reduction.make as i64)?;
                self.parts(&reduction.args)?;
                reduction.fills.iter().try_for_each(|fill| self.fill(fill))
            }
            Some(odd::Travel::Reduced(value)) => {
                self.companion.number(3)?;
                self.reduced(object, value)
            }
            Some(_) => Err(Stop::Differs),
            None => {
                let protocol = state.protocols[usize::from(self.protocol)].bind(self.py);
                let name = intern!(self.py, "__reduce_ex__");
                let value = match call_method(object, name, protocol)? {
                    Some(value) => value,
                    None => match object.getattr_opt(name)? {
                        Some(method) => method.call1((protocol,))?,
                        None => return Err(Stop::Differs),
                    },
                };
                self.companion.number(4)?;
                self.reduced(object, value)
            }
        }
    }

    /// The reduction `value` of `object`.
    fn reduced(&mut self, object: &Object<'py>, value: Object<'py>) -> Step {
        if let Ok(name) = value.cast::<PyString>() {
            return self.companion.reference(&global(object, name.clone())?);
        }
        let Ok(value) = value.cast_into_exact::<PyTuple>() else { return Err(Stop::Differs) };
        let part = |at| tuple_item(&value, at).filter(|it| !it.is_none());
        if part(3).is_some() || part(4).is_some() || odd::lost_attributes(object)?.is_some() {
            return Err(Stop::Differs);
        }
        if let Some(state) = part(2)
            && odd::lost_beside_state(object, &state)?.is_some()
        {
            return Err(Stop::Differs);
        }
        self.fresh(value.as_any(), Kind::Tuple, 0)
    }

    /// A container that was made for the occasion.
    fn fresh(&mut self, container: &Object<'py>, kind: Kind, depth: usize) -> Step {
        if depth == MAX_FRESH {
            return Err(Stop::Differs);
        }
        let mut items = Vec::new();
        match kind {
            Kind::Tuple => items.extend(container.cast::<PyTuple>()?.iter()),
            Kind::List => items.extend(container.cast::<PyList>()?.iter()),
            _ => {
                let (dict, mut position) = (container.cast::<PyDict>()?, 0);
                while let Some((key, value)) = dict_next(dict, &mut position) {
                    items.extend([key, value]);
                }
            }
        }
        self.companion.number(-1 - kind as i64)?;
        self.companion.number(items.len() as i64)?;
        // The container holds each, and the list of them here.
        items.into_iter().try_for_each(|item| self.value(item, 2, depth + 1))
    }

    /// A value that so many places hold if it was made for the occasion.
    fn value(&mut self, value: Object<'py>, places: isize, depth: usize) -> Step {
        if references(&value) > places {
            return self.companion.object(value);
        }
        match kind(&value) {
            kind @ (Kind::Tuple | Kind::List | Kind::Dict) => self.fresh(&value, kind, depth),
            Kind::Str | Kind::Int | Kind::Float | Kind::Bytes => self.companion.equal(&value),
            _ => self.companion.object(value),
        }
    }

    fn parts(&mut self, parts: &[Part<'py>]) -> Step {
        self.companion.number(parts.len() as i64)?;
        parts.iter().try_for_each(|part| self.part(part))
    }

    fn part(&mut self, part: &Part<'py>) -> Step {
        match part {
            Part::Object(value) => self.value(value.clone(), 2, 0),
            Part::Text(text) => self.companion.text(text),
            Part::Int(number) => self.companion.number(*number),
            Part::None => self.companion.nothing(),
            Part::Tuple(len) => self.companion.number(*len as i64),
            Part::Entries(entries) => {
                self.companion.number(entries.len() as i64)?;
                for (name, part) in entries {
                    self.companion.text(name)?;
                    self.part(part)?;
                }
                Ok(())
            }
            Part::Code(_) | Part::Marshal(_) | Part::Globals(_) | Part::Cell(_) | Part::Reference(..) => {
                Err(Stop::Differs)
            }
        }
    }

    fn fill(&mut self, fill: &Fill<'py>) -> Step {
        match fill {
            Fill::Call { make, args } => {
                self.companion.number(*make as i64)?;
                self.parts(args)
            }
            Fill::State { of: None, dict, slots } => {
                self.companion.number(dict.len() as i64)?;
                for (key, value) in dict {
                    self.value(key.clone(), 2, 0)?;
                    self.value(value.clone(), 2, 0)?;
                }
                self.companion.number(slots.len() as i64)?;
                for (name, part) in slots {
                    self.companion.text(name)?;
                    self.part(part)?;
                }
                Ok(())
            }
            Fill::State { .. } | Fill::Items { .. } | Fill::Cell { .. } | Fill::Later { .. } => Err(Stop::Differs),
        }
    }
}

/// The reference that an object is which says that it is found under `name`.
fn global<'py>(object: &Object<'py>, name: Bound<'py, PyString>) -> Step<Reference<'py>> {
    let py = object.py();
    let module = object.getattr_opt(intern!(py, "__module__"))?;
    let Some(Ok(module)) = module.map(Bound::cast_into::<PyString>) else { return Err(Stop::Differs) };
    let Some(loaded) = policy::loaded(py, module.as_any())? else { return Err(Stop::Differs) };
    if odd::unnamed(object)?.is_some()
        || !policy::resolve(&loaded, &name)?.is_some_and(|it| it.is(object))
        || !policy::importable(&module, &loaded)?
    {
        return Err(Stop::Differs);
    }
    Ok(Reference { module, name })
}
