//! The memo of a pickler: which object, text or global stands under which memo index.
//!
//! User objects are keyed by identity, as `pickle` does. Texts of by-value parts (names, keys of namespaces) are keyed by
//! value, so that the bytes do not depend on which strings happen to be the same object. Everything that is memoized is
//! also kept alive, or its address could be given to another object while the memo still knows it.
//!
//! Entries are kept in order of insertion, so that a [`Mark`] is enough to take back all that came after it.

use pyo3::prelude::*;
use pyo3::types::{PyModule, PyString};

use crate::ffi::access::{str_eq, str_hash};
use crate::ffi::identity::Identities;
use crate::wire::Wire;

const EMPTY: u32 = u32::MAX;

/// A place in the memo to which [`Memo::rewind`] can return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    entries: usize,
    texts: usize,
    wires: usize,
    captures: usize,
    namespaces: usize,
    spaces: usize,
    modules: usize,
    next: usize,
}

/// What a part of a payload has put into the memo; indices count from its beginning.
#[derive(Debug)]
pub(super) struct Addition {
    pub(super) objects: Vec<(Py<PyAny>, usize)>,
    pub(super) spaces: Vec<(Py<PyAny>, usize)>,
    texts: Vec<(Py<PyString>, usize)>,
    wires: Vec<(Wire, usize)>,
    modules: Vec<(&'static str, usize)>,
    captures: Vec<(usize, usize)>,
    namespaces: Vec<usize>,
    count: usize,
}

/// Something that is known in the memo by what it is, and not by which object it is.
#[derive(Debug)]
pub(super) enum Name {
    Text(Py<PyString>),
    Wire(Wire),
    Module(&'static str),
}

impl Addition {
    /// How many memo indices it has taken.
    pub(super) fn len(&self) -> usize {
        self.count
    }
}

/// Object, text, global and capture tables of one pickler.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    /// Objects by identity.
    identities: Identities,
    texts: Vec<(Py<PyString>, isize, usize)>,
    text_slots: Vec<u32>,
    wires: Vec<(Wire, usize)>,
    modules: Vec<(&'static str, usize)>,
    captures: Vec<(usize, usize)>,
    capture_slots: Vec<u32>,
    /// Addresses of the namespaces of functions, which are memoized objects.
    namespaces: Vec<usize>,
    /// Namespaces made as those of a module, with the memo index of that module.
    spaces: Vec<(Py<PyAny>, usize)>,
    /// Modules that travel by value.
    by_value: Vec<Py<PyModule>>,
    next: usize,
    /// Whether an unpickler that counts its entries would count otherwise.
    gaps: bool,
}

#[inline]
fn spread(key: usize) -> usize {
    (key >> 4) ^ (key >> 22)
}

/// Finds `matches` in the chain that starts at `hash`; the slot to fill otherwise.
#[inline]
fn probe(slots: &[u32], hash: usize, matches: impl Fn(usize) -> bool) -> Result<usize, usize> {
    let mask = slots.len() - 1;
    let mut at = hash & mask;
    loop {
        let entry = slots[at];
        if entry == EMPTY {
            return Err(at);
        }
        if matches(entry as usize) {
            return Ok(entry as usize);
        }
        at = (at + 1) & mask;
    }
}

#[inline]
fn capture_hash((globals, what): (usize, usize)) -> usize {
    spread(globals).wrapping_mul(31) ^ spread(what)
}

/// Takes out `entry`, the one inserted last.
fn remove(slots: &mut [u32], hash: usize, entry: usize) {
    let mask = slots.len() - 1;
    let mut at = hash & mask;
    while slots[at] != EMPTY {
        if slots[at] as usize == entry {
            slots[at] = EMPTY;
            return;
        }
        at = (at + 1) & mask;
    }
}

fn rebuild(slots: &mut Vec<u32>, count: usize, hash: impl Fn(usize) -> usize) {
    let wanted = (count * 3).max(16).next_power_of_two();
    slots.clear();
    slots.resize(wanted, EMPTY);
    for entry in 0..count {
        if let Err(at) = probe(slots, hash(entry), |_| false) {
            slots[at] = entry as u32;
        }
    }
}

impl Memo {
    /// The number of memo indices given out.
    pub(crate) fn next_index(&self) -> usize {
        self.next
    }

    /// Whether there are indices without an entry: some were set from outside, or belong to a pickle that was not finished.
    pub(crate) fn has_gaps(&self) -> bool {
        self.gaps
    }

    /// Gives out the index `next` next; all entries are below.
    pub(super) fn go_on_from(&mut self, next: usize) {
        self.next = next;
        self.gaps = self.identities.len() < next;
    }

    /// Gives out the next memo index to something that is not looked up here.
    pub(crate) fn take_index(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// The memo index of an object.
    #[inline]
    pub(crate) fn get(&self, object: &Bound<'_, PyAny>) -> Option<usize> {
        self.identities.get(object)
    }

    /// Gives `object` the next memo index and keeps it alive.
    #[inline]
    pub(crate) fn put(&mut self, object: &Bound<'_, PyAny>) -> usize {
        let index = self.take_index();
        self.put_at(object, index);
        index
    }

    /// Lets `object` be found under an index that something else has already.
    pub(crate) fn put_at(&mut self, object: &Bound<'_, PyAny>, index: usize) {
        self.identities.put(object, index);
    }

    /// The table of objects and the next index, for the fast walk.
    #[inline]
    pub(crate) fn for_walk(&mut self) -> (&mut Identities, &mut usize) {
        (&mut self.identities, &mut self.next)
    }

    /// Makes the table again that an earlier dump could not have for want of memory.
    #[inline]
    pub(crate) fn restore(&mut self) {
        self.identities.reserve(0);
    }

    /// Keeps alive what a walk has put into the memo: other code is about to run.
    #[inline]
    pub(crate) fn own(&mut self) {
        self.identities.own();
    }

    /// Whether there is a dict that travels as the namespace of functions.
    #[inline]
    pub(crate) fn has_namespaces(&self) -> bool {
        !self.namespaces.is_empty()
    }

    /// The memo index of a text of the same value.
    pub(crate) fn text(&self, text: &Bound<'_, PyString>) -> Option<usize> {
        let py = text.py();
        let hash = str_hash(text);
        if self.texts.len() <= 4 {
            let found =
                self.texts.iter().find(|(known, its_hash, _)| *its_hash == hash && str_eq(known.bind(py), text));
            return found.map(|it| it.2);
        }
        probe(&self.text_slots, hash as usize, |entry| {
            let (known, its_hash, _) = &self.texts[entry];
            *its_hash == hash && str_eq(known.bind(py), text)
        })
        .ok()
        .map(|entry| self.texts[entry].2)
    }

    /// Gives `text` the next memo index.
    pub(crate) fn put_text(&mut self, text: &Bound<'_, PyString>) -> usize {
        let index = self.take_index();
        let hash = str_hash(text);
        self.texts.push((text.clone().unbind(), hash, index));
        if self.texts.len() > 4 {
            if self.texts.len() * 3 > self.text_slots.len() * 2 {
                let texts = &self.texts;
                rebuild(&mut self.text_slots, texts.len(), |entry| texts[entry].1 as usize);
            } else if let Err(at) = probe(&self.text_slots, hash as usize, |_| false) {
                self.text_slots[at] = self.texts.len() as u32 - 1;
            }
        }
        index
    }

    /// The memo index of a wire name.
    pub(crate) fn wire(&self, wire: Wire) -> Option<usize> {
        self.wires.iter().find(|(known, _)| *known == wire).map(|it| it.1)
    }

    /// Gives `wire` the next memo index.
    pub(crate) fn put_wire(&mut self, wire: Wire) -> usize {
        let index = self.take_index();
        self.wires.push((wire, index));
        index
    }

    /// The memo index of the name of a module of wire names.
    pub(crate) fn wire_module(&self, module: &'static str) -> Option<usize> {
        self.modules.iter().find(|(known, _)| *known == module).map(|it| it.1)
    }

    /// Gives the name of a module of wire names the next memo index.
    pub(crate) fn put_wire_module(&mut self, module: &'static str) -> usize {
        let index = self.take_index();
        self.modules.push((module, index));
        index
    }

    /// Notes that `what` (a name or a code object) of the namespace `globals` is taken care of; `false` if it was before.
    ///
    /// Both are addresses of objects that live as long as the memo: the namespace is memoized, names belong to its code.
    #[inline]
    pub(crate) fn capture(&mut self, globals: usize, what: usize) -> bool {
        let key = (globals, what);
        if self.captures.len() < 16 {
            if self.captures.contains(&key) {
                return false;
            }
            self.captures.push(key);
            return true;
        }
        if (self.captures.len() + 1) * 3 > self.capture_slots.len() * 2 {
            let captures = &self.captures;
            rebuild(&mut self.capture_slots, captures.len(), |entry| capture_hash(captures[entry]));
        }
        match probe(&self.capture_slots, capture_hash(key), |entry| self.captures[entry] == key) {
            Ok(_) => false,
            Err(at) => {
                self.capture_slots[at] = self.captures.len() as u32;
                self.captures.push(key);
                true
            }
        }
    }

    /// Whether `what` of the namespace `globals` is taken care of.
    #[inline]
    pub(crate) fn captured(&self, globals: usize, what: usize) -> bool {
        let key = (globals, what);
        if self.captures.len() < 16 || self.capture_slots.is_empty() {
            return self.captures.contains(&key);
        }
        probe(&self.capture_slots, capture_hash(key), |entry| self.captures[entry] == key).is_ok()
    }

    /// The state after the opening of a function of `code` over `globals`, the namespace `name`, in an empty memo: module
    /// name, `function`, `code`, the code object, `namespace`, its name, the namespace.
    pub(crate) fn preset(&mut self, code: &Bound<'_, PyAny>, globals: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) {
        self.modules.push((Wire::Function.names().0, 0));
        self.wires.extend([(Wire::Function, 1), (Wire::Code, 2), (Wire::Namespace, 4)]);
        self.put_at(code, 3);
        self.next = 5;
        self.put_text(name);
        self.put_at(globals, 6);
        self.add_namespace(globals.as_ptr() as usize);
        self.next = 7;
    }

    /// Notes that the dict at `globals` travels as the namespace of functions, with those names only that they use.
    pub(crate) fn add_namespace(&mut self, globals: usize) {
        self.namespaces.push(globals);
    }

    /// Notes that `globals` was made as the namespace of the module under memo index `module`.
    pub(crate) fn add_space(&mut self, globals: &Bound<'_, PyAny>, module: usize) {
        self.spaces.push((globals.clone().unbind(), module));
    }

    /// The memo index of the module made along with the namespace `globals`.
    pub(crate) fn module_of_space(&self, globals: &Bound<'_, PyAny>) -> Option<usize> {
        self.spaces.iter().find(|(known, _)| globals.is(known)).map(|it| it.1)
    }

    /// Notes that `module` travels by value.
    pub(crate) fn add_module(&mut self, module: &Bound<'_, PyModule>) {
        self.by_value.push(module.clone().unbind());
    }

    /// The memo index of the module by value whose namespace `globals` is.
    pub(crate) fn owner_of(&self, globals: &Bound<'_, PyAny>) -> Option<usize> {
        let py = globals.py();
        let owner = self.by_value.iter().find(|module| module.bind(py).dict().is(globals))?;
        self.get(owner.bind(py).as_any())
    }

    /// Whether names of the namespace at `globals` have been captured by functions.
    pub(crate) fn is_namespace(&self, globals: usize) -> bool {
        self.namespaces.contains(&globals)
    }

    /// The present state, for [`Memo::rewind`].
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            entries: self.identities.len(),
            texts: self.texts.len(),
            wires: self.wires.len(),
            captures: self.captures.len(),
            namespaces: self.namespaces.len(),
            spaces: self.spaces.len(),
            modules: self.by_value.len(),
            next: self.next,
        }
    }

    /// What has come after `from`; `None` where it cannot be told without what it belongs to.
    pub(super) fn since(&self, py: Python<'_>, from: Mark) -> Option<Addition> {
        // An object may have been put under the index of something that stood there before.
        let earlier = self.identities.iter().skip(from.entries).any(|(_, at)| at < from.next);
        if self.by_value.len() != from.modules || earlier {
            return None;
        }
        let rest = |index: usize| index - from.next;
        Some(Addition {
            objects: self.identities.iter().skip(from.entries).map(|(it, at)| (it.clone_ref(py), rest(at))).collect(),
            spaces: self.spaces[from.spaces..].iter().map(|(it, at)| (it.clone_ref(py), rest(*at))).collect(),
            texts: self.texts[from.texts..].iter().map(|(it, _, at)| (it.clone_ref(py), rest(*at))).collect(),
            wires: self.wires[from.wires..].iter().map(|(it, at)| (*it, rest(*at))).collect(),
            modules: self.modules.iter().filter(|it| it.1 >= from.next).map(|(it, at)| (*it, rest(*at))).collect(),
            captures: self.captures[from.captures..].to_vec(),
            namespaces: self.namespaces[from.namespaces..].to_vec(),
            count: self.next - from.next,
        })
    }

    /// What stands under the memo index `index`, if it is a name.
    pub(super) fn name_at(&self, py: Python<'_>, index: usize) -> Option<Name> {
        let text = || self.texts.iter().find(|it| it.2 == index).map(|it| Name::Text(it.0.clone_ref(py)));
        let wire = || self.wires.iter().find(|it| it.1 == index).map(|it| Name::Wire(it.0));
        let module = || self.modules.iter().find(|it| it.1 == index).map(|it| Name::Module(it.0));
        text().or_else(wire).or_else(module)
    }

    /// What had been captured at `mark`.
    pub(super) fn captured_before(&self, mark: Mark) -> &[(usize, usize)] {
        &self.captures[..mark.captures]
    }

    /// Whether an object at this address is in the memo.
    pub(super) fn has_address(&self, address: usize) -> bool {
        self.identities.has(address)
    }

    /// The object under the memo index `index`.
    pub(super) fn object_at<'a, 'py>(&'a self, py: Python<'py>, index: usize) -> Option<&'a Bound<'py, PyAny>> {
        self.identities.iter().find(|it| it.1 == index).map(|it| it.0.bind(py))
    }

    /// The memo index of a name.
    pub(super) fn name(&self, py: Python<'_>, name: &Name) -> Option<usize> {
        match name {
            Name::Text(text) => self.text(text.bind(py)),
            Name::Wire(wire) => self.wire(*wire),
            Name::Module(module) => self.wire_module(module),
        }
    }

    /// Whether nothing of `addition` is here, objects and namespaces aside.
    pub(super) fn is_free_of(&self, py: Python<'_>, addition: &Addition) -> bool {
        self.next == 0
            || addition.texts.iter().all(|(text, _)| self.text(text.bind(py)).is_none())
                && addition.wires.iter().all(|(wire, _)| self.wire(*wire).is_none())
                && addition.modules.iter().all(|(module, _)| self.wire_module(module).is_none())
                && !addition.captures.iter().any(|(space, what)| self.captured(*space, *what))
    }

    /// Adds what [`since`](Self::since) gave, objects and namespaces aside, as what comes next.
    pub(super) fn add(&mut self, py: Python<'_>, addition: &Addition) {
        let base = self.next;
        for (text, at) in &addition.texts {
            self.next = base + at;
            self.put_text(text.bind(py));
        }
        self.wires.extend(addition.wires.iter().map(|(wire, at)| (*wire, base + at)));
        self.modules.extend(addition.modules.iter().map(|(module, at)| (*module, base + at)));
        for (globals, what) in &addition.captures {
            self.capture(*globals, *what);
        }
        self.namespaces.extend(&addition.namespaces);
        self.next = base + addition.count;
    }

    /// Forgets everything that came after `to`, at the cost of what is forgotten.
    ///
    /// The entry inserted last can be taken out of a table of linear probing without breaking a chain; a rebuilt table is
    /// filled in the same order.
    pub(crate) fn rewind(&mut self, to: Mark) {
        let entries = self.identities.truncate(to.entries);
        if !self.text_slots.is_empty() {
            for entry in (to.texts..self.texts.len()).rev() {
                remove(&mut self.text_slots, self.texts[entry].1 as usize, entry);
            }
        }
        if !self.capture_slots.is_empty() {
            for entry in (to.captures..self.captures.len()).rev() {
                remove(&mut self.capture_slots, capture_hash(self.captures[entry]), entry);
            }
        }
        if to.texts <= 4 {
            self.text_slots.clear();
        }
        if to.captures < 16 {
            self.capture_slots.clear();
        }
        self.next = to.next;
        self.wires.truncate(to.wires);
        self.modules.retain(|it| it.1 < to.next);
        self.captures.truncate(to.captures);
        self.namespaces.truncate(to.namespaces);
        // Dropping objects may run their __del__: the tables are in order before.
        let texts = self.texts.split_off(to.texts);
        let spaces = self.spaces.split_off(to.spaces);
        let modules = self.by_value.split_off(to.modules);
        drop((entries, texts, spaces, modules));
    }

    /// Another memo of the same content.
    #[cold]
    pub(super) fn copy(&self, py: Python<'_>) -> Self {
        let mut identities = Identities::default();
        for (object, index) in self.identities.iter() {
            identities.put(object.bind(py), index);
        }
        Self {
            identities,
            texts: self.texts.iter().map(|(text, hash, index)| (text.clone_ref(py), *hash, *index)).collect(),
            text_slots: self.text_slots.clone(),
            wires: self.wires.clone(),
            modules: self.modules.clone(),
            captures: self.captures.clone(),
            capture_slots: self.capture_slots.clone(),
            namespaces: self.namespaces.clone(),
            spaces: self.spaces.iter().map(|(space, index)| (space.clone_ref(py), *index)).collect(),
            by_value: self.by_value.iter().map(|module| module.clone_ref(py)).collect(),
            next: self.next,
            gaps: self.gaps,
        }
    }

    /// Forgets everything; keeps the memory of the tables up to a bound.
    pub(crate) fn clear(&mut self, py: Python<'_>) {
        self.next = 0;
        self.gaps = false;
        self.texts.clear();
        self.wires.clear();
        self.modules.clear();
        self.captures.clear();
        self.namespaces.clear();
        self.spaces.clear();
        self.by_value.clear();
        self.text_slots.clear();
        self.capture_slots.clear();
        self.identities.clear(py);
    }

    /// The objects in the memo with their indices.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (&Py<PyAny>, usize)> {
        self.identities.iter()
    }
}
