//! Turns the reductions of capers into a pickle: make, memoize, fill.
//!
//! Each value filled in is a *slot*. While a class is being made, a slot that leads back to that class is taken back and
//! filled once the class is there ([`Dumper::postpone`]); everything else is complete before the class is made, so
//! that hooks of its metaclass and bases find working functions.

use std::sync::Arc;

use capers_pickle::{Checkpoint, Op};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyModule, PyString};

use super::memo::Mark;
use super::{Begun, Dumper, Frame};
use crate::by_value::code::{self, CodeInfo};
use crate::by_value::{Context, Fill, Part, Reduction, function, module, odd};
use crate::ffi::access::cell_content;
use crate::ffi::kind::{Kind, kind};
use crate::policy::Reference;
use crate::wire::Wire;

/// Where a reduction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// Before an argument.
    Arg(usize),
    /// Before an item of a fill.
    Item(usize, usize),
    /// After the value of an item has been written.
    AfterItem(usize, usize),
}

/// A reduction on its way out.
pub(crate) struct ByValue<'py> {
    pub(super) object: Bound<'py, PyAny>,
    pub(super) reduction: Reduction<'py>,
    pub(super) at: At,
    /// Parts still to come in the open tuple, and its length.
    tuple: Option<(usize, usize)>,
    /// Set while a slot is being filled and a class is being made: how to take it back.
    pub(super) slot: Option<Slot>,
    /// Whether a mark is open for items of a namespace.
    pub(super) marked: bool,
    /// Whether the present item of a namespace has been set already, before it is filled itself.
    pub(super) placed: Placed,
}

/// What became of an item of a namespace before it was complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    No,
    /// It has been set.
    Set,
    /// It has been set, and stands on the pickle machine's stack once more.
    Below,
}

/// How to take back a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) checkpoint: Checkpoint,
    pub(super) mark: Mark,
    /// The number of the first slot postponed since.
    pub(super) number: usize,
}

/// A dict of definition names on its way out.
pub(crate) struct Entries<'py> {
    pub(super) items: Vec<(Bound<'py, PyString>, Part<'py>)>,
    pub(super) index: usize,
    /// The value of the present entry is being written.
    pub(super) pending: bool,
    /// The class whose namespace this is.
    pub(super) owner: Option<Bound<'py, PyAny>>,
    pub(super) slot: Option<Slot>,
}

impl Context for super::memo::Memo {
    fn capture(&mut self, globals: usize, what: usize) -> bool {
        super::memo::Memo::capture(self, globals, what)
    }

    fn captured(&self, globals: usize, what: usize) -> bool {
        super::memo::Memo::captured(self, globals, what)
    }

    fn is_filled(&self, cell: &Bound<'_, PyAny>) -> bool {
        super::memo::Memo::captured(self, cell.as_ptr() as usize, FILLED)
    }
}

/// What is noted of a cell that has been filled, and of a namespace that travels whole; no name has this address.
pub(super) const FILLED: usize = 1;

impl<'py> Dumper<'py> {
    /// What is known of `code`, from the code object itself or worked out now.
    #[inline]
    pub(super) fn code_info(&self, code: &Bound<'py, PyAny>) -> PyResult<Arc<CodeInfo>> {
        code::known(code)
    }

    /// Objects of other types that travel by a rule of capers; `None` for the rest.
    pub(super) fn by_value(&mut self, kind: Kind, object: &Bound<'py, PyAny>) -> PyResult<Option<Begun<'py>>> {
        let reduction = match kind {
            Kind::Cell => {
                if cell_content(object)?.is_some_and(|content| self.inline_content(&content)) {
                    self.write_cell(object)?;
                    return Ok(Some(Begun::Done));
                }
                function::reduce_cell(object)?
            }
            Kind::Code => return self.begin_code_object(object).map(Some),
            Kind::Module => return self.begin_module(object.cast::<PyModule>()?).map(Some),
            _ => match odd::reduce(self.py, kind, object)? {
                Some(odd::Travel::Reduction(reduction)) => reduction,
                Some(odd::Travel::Reference(reference)) => return self.begin_reference(object, &reference).map(Some),
                Some(odd::Travel::Reduced(value)) => return self.begin_reduced(object, &value).map(Some),
                Some(odd::Travel::Proxy(referent)) => return self.begin_proxy(object, referent).map(Some),
                Some(odd::Travel::Weak(reduction)) => {
                    self.proxies.note_weak(&reduction.args);
                    self.open_weak(object);
                    reduction
                }
                Some(odd::Travel::Container(reduction, late)) => {
                    self.later(object, late);
                    reduction
                }
                None => return Ok(None),
            },
        };
        self.begin_reduction(object, reduction).map(Some)
    }

    pub(super) fn begin_reduction(
        &mut self,
        object: &Bound<'py, PyAny>,
        reduction: Reduction<'py>,
    ) -> PyResult<Begun<'py>> {
        Ok(Begun::Frame(Frame::ByValue(Box::new(ByValue::new(object, reduction, At::Arg(0))))))
    }

    pub(super) fn begin_code(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        if self.ledger.is_some() {
            return self.note(object, Some(String::from(".__code__")), |dumper| dumper.begin_code_object(object));
        }
        self.begin_code_object(object)
    }

    fn begin_code_object(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        if let Some(index) = self.memo.get(object) {
            self.writer.get(index);
            return Ok(Begun::Done);
        }
        let info = self.code_info(object)?;
        let tag = i64::from(code::running_version(self.py)?.tag());
        if info.odd.is_empty() {
            self.write_wire(Wire::Code);
            self.writer.tuple_begin(2);
            self.writer.int(tag);
            self.write_bytes(&info.marshal)?;
            self.writer.tuple_end(2);
            self.writer.op(Op::Reduce);
            self.memoize_made(object);
            return Ok(Begun::Done);
        }
        // A constant that leads back through a list or the like, which is in the memo by then, ends the second time round.
        let open = self.stack.iter().filter(|frame| match frame {
            Frame::ByValue(frame) => matches!(frame.at, At::Arg(_)) && frame.object.is(object),
            _ => false,
        });
        if open.count() > 1 {
            return Err(self.refusal("cannot pickle a code object whose constants lead back to it"));
        }
        let constants = code::odd_constants(self.py, &info)?;
        let args = vec![Part::Int(tag), Part::Marshal(info), Part::None, Part::Object(constants.into_any())];
        self.begin_reduction(object, Reduction { make: Wire::Code, args, fills: Vec::new() })
    }

    fn begin_module(&mut self, object: &Bound<'py, PyModule>) -> PyResult<Begun<'py>> {
        if let Some(name) = module::import_name(object)? {
            if self.ledger.is_some() {
                self.note_reference(object.as_any());
            }
            let reduction = Reduction { make: Wire::Imported, args: vec![Part::Text(name)], fills: Vec::new() };
            return self.begin_reduction(object.as_any(), reduction);
        }
        let dict = object.dict();
        let reduction = module::reduce(object, &*self.memo)?;
        if let Some(index) = self.memo.module_of_space(dict.as_any()) {
            // A function brought the namespace along before: its module is there, only its other names are missing.
            self.memo.put_at(object.as_any(), index);
            self.writer.get(index);
            let filling = ByValue::new(object.as_any(), reduction, At::Item(0, 0));
            return Ok(Begun::Frame(Frame::ByValue(Box::new(filling))));
        }
        self.memo.add_module(object);
        self.begin_reduction(object.as_any(), reduction)
    }

    /// Memoizes an object that capers made, `fast` or not: its cycles need it.
    pub(super) fn memoize_made(&mut self, object: &Bound<'py, PyAny>) {
        let index = self.memo.put(object);
        self.writer.memoize(index);
    }

    /// Whether the content of a cell is written where the cell is made.
    pub(super) fn inline_content(&self, content: &Bound<'py, PyAny>) -> bool {
        !self.hooked && matches!(kind(content), Kind::None | Kind::Bool | Kind::Int | Kind::Float | Kind::Str)
    }

    /// Writes an atom in its place; `label` is the step to it.
    #[inline]
    pub(super) fn inline(&mut self, content: &Bound<'py, PyAny>, label: impl FnOnce() -> String) -> PyResult<()> {
        if self.leaf(content)? {
            return Ok(());
        }
        let label = label();
        self.note(content, Some(label), |dumper| dumper.begin_object(content)).map(drop)
    }

    pub(super) fn write_cell(&mut self, cell: &Bound<'py, PyAny>) -> PyResult<()> {
        if let Some(index) = self.memo.get(cell) {
            self.writer.get(index);
            return Ok(());
        }
        self.write_wire(Wire::Cell);
        match cell_content(cell)?.filter(|content| self.inline_content(content)) {
            Some(content) => {
                self.writer.tuple_begin(1);
                self.inline(&content, || String::from(".__closure__"))?;
                self.writer.tuple_end(1);
            }
            None => self.writer.tuple_end(0),
        }
        self.writer.op(Op::Reduce);
        self.memoize_made(cell);
        Ok(())
    }

    /// Pushes something that has been made before.
    pub(super) fn write_made(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        match self.memo.get(object) {
            Some(index) => {
                self.writer.get(index);
                Ok(())
            }
            None => Err(PyRuntimeError::new_err("an object that should have been made is not in the memo")),
        }
    }

    /// Writes one part; what needs a frame is handed back.
    pub(super) fn write_part(&mut self, part: Part<'py>) -> PyResult<Begun<'py>> {
        match part {
            Part::Object(object) => {
                if self.leaf(&object)? {
                    return Ok(Begun::Done);
                }
                return self.begin(&object);
            }
            Part::Text(text) if self.ledger.is_some() => {
                return self.note(text.as_any(), None, |dumper| {
                    dumper.write_definition_text(&text)?;
                    Ok(Begun::Done)
                });
            }
            Part::Text(text) => self.write_definition_text(&text)?,
            Part::Int(value) => self.writer.int(value),
            Part::None => self.writer.op(Op::None),
            Part::Code(code) => return self.begin_code(&code),
            Part::Marshal(info) => self.write_bytes(&info.marshal)?,
            Part::Reference(object, module, name) => match self.memo.get(&object) {
                Some(index) => self.writer.get(index),
                None => return self.begin_reference(&object, &Reference { module, name }),
            },
            Part::Globals(globals) => self.write_globals(&globals)?,
            Part::Cell(cell) => self.write_cell(&cell)?,
            Part::Entries(entries) => return Ok(self.begin_entries(entries)),
            Part::Tuple(len) => {
                self.writer.tuple_begin(len);
                if len == 0 {
                    self.writer.tuple_end(0);
                }
            }
        }
        Ok(Begun::Done)
    }

    pub(super) fn step_by_value(&mut self) -> PyResult<()> {
        loop {
            let Some(Frame::ByValue(frame)) = self.stack.last_mut() else { return Ok(()) };
            match frame.at {
                At::Arg(index) => {
                    if self.step_argument(index)? {
                        return Ok(());
                    }
                }
                At::Item(fill, item) => {
                    if item == 0 {
                        frame.slot = None;
                    }
                    if fill == frame.reduction.fills.len() {
                        self.stack.pop();
                        return self.end_recording();
                    }
                    if self.step_item(fill, item)? {
                        return Ok(());
                    }
                }
                At::AfterItem(fill, item) => {
                    // A call is one slot from its first argument to its last.
                    if !matches!(frame.reduction.fills.get(fill), Some(Fill::Call { .. })) {
                        frame.slot = None;
                    }
                    frame.at = At::Item(fill, item + 1);
                    self.end_item(fill);
                }
            }
        }
    }

    fn step_argument(&mut self, index: usize) -> PyResult<bool> {
        let Some(Frame::ByValue(frame)) = self.stack.last_mut() else { return Ok(true) };
        if index == 0 {
            let (make, count) = (frame.reduction.make, top_level(&frame.reduction.args));
            self.write_wire(make);
            self.writer.tuple_begin(count);
        }
        let Some(Frame::ByValue(frame)) = self.stack.last_mut() else { return Ok(true) };
        if let Some((0, len)) = frame.tuple {
            frame.tuple = None;
            self.writer.tuple_end(len);
        }
        let Some(part) = frame.reduction.args.get(index).cloned() else {
            let object = frame.object.clone();
            frame.at = At::Item(0, 0);
            let count = top_level(&frame.reduction.args);
            self.writer.tuple_end(count);
            self.writer.op(Op::Reduce);
            // Made already: a part of it led back to it and made it first.
            if let Some(index) = self.memo.get(&object) {
                self.writer.op(Op::Pop);
                self.writer.get(index);
                self.stack.pop();
                return Ok(true);
            }
            self.memoize_made(&object);
            let later = self.classes.close(&object);
            if !later.is_empty()
                && let Some(Frame::ByValue(frame)) = self.stack.last_mut()
            {
                frame.reduction.fills.splice(0..0, later);
            }
            return Ok(false);
        };
        frame.at = At::Arg(index + 1);
        match (&part, &mut frame.tuple) {
            (Part::Tuple(len), tuple) if *len > 0 => *tuple = Some((*len, *len)),
            (_, Some((left, _))) => *left -= 1,
            _ => {}
        }
        let begun = self.write_part(part)?;
        self.push(begun)
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each phase, read as a table")]
    /// Writes item `item` of fill `fill`, or what closes the fill after its last one.
    fn step_item(&mut self, fill: usize, item: usize) -> PyResult<bool> {
        let Some(Frame::ByValue(frame)) = self.stack.last_mut() else { return Ok(true) };
        let part = match &frame.reduction.fills[fill] {
            Fill::State { of, dict, slots } => {
                let (plain, named) = (dict.len(), slots.len());
                let of = of.clone();
                let entry = match item.checked_sub(plain) {
                    None => {
                        let (key, value) = dict[item].clone();
                        let key = match key.cast_into_exact::<PyString>() {
                            Ok(text) => Part::Text(text),
                            Err(other) => Part::Object(other.into_inner()),
                        };
                        Some((key, Part::Object(value)))
                    }
                    Some(slot) => slots.get(slot).map(|(name, value)| (Part::Text(name.clone()), value.clone())),
                };
                if item == 0 {
                    if let Some(of) = &of {
                        self.write_made(of)?;
                    }
                    if named > 0 {
                        self.writer.tuple_begin(2);
                    }
                    if plain > 0 {
                        self.open_items(plain, true);
                    } else {
                        self.writer.op(Op::None);
                    }
                }
                if item == plain && named > 0 {
                    if plain > 0 {
                        self.close_items(plain);
                    }
                    self.open_items(named, true);
                }
                if entry.is_none() {
                    if named > 0 {
                        self.close_items(named);
                        self.writer.tuple_end(2);
                    } else {
                        self.close_items(plain);
                    }
                    self.writer.op(Op::Build);
                    if of.is_some() {
                        self.writer.op(Op::Pop);
                    }
                }
                entry
            }
            Fill::Items { .. } => return self.step_namespace(fill, item),
            Fill::Cell { cell, content, .. } => {
                let (cell, content) = (cell.clone(), content.clone());
                let address = cell.as_ptr() as usize;
                if item == 0 && !self.inline_content(&content) && !self.memo.captured(address, FILLED) {
                    self.open_slot();
                    self.memo.capture(address, FILLED);
                    self.write_made(&cell)?;
                    self.writer.tuple_begin(2);
                    self.writer.op(Op::None);
                    self.writer.empty_dict();
                    let key = Part::Text(intern!(self.py, "cell_contents").clone());
                    return self.write_entry(fill, item, key, Part::Object(content));
                }
                None
            }
            Fill::Call { make, args } => {
                let (make, count, part) = (*make, args.len(), args.get(item).cloned());
                if item == 0 {
                    self.open_slot();
                    self.write_wire(make);
                    self.writer.tuple_begin(count);
                }
                if let Some(part) = part {
                    if let Some(Frame::ByValue(frame)) = self.stack.last_mut() {
                        frame.at = At::AfterItem(fill, item);
                    }
                    let begun = self.write_part(part)?;
                    return self.push(begun);
                }
                self.writer.tuple_end(count);
                self.writer.op(Op::Reduce);
                self.writer.op(Op::Pop);
                None
            }
            Fill::Later { of, shape, key, value } => {
                if item == 0 {
                    let (of, shape, key, value) = (of.clone(), *shape, key.clone(), value.clone());
                    frame.at = At::AfterItem(fill, item);
                    self.write_made(&of)?;
                    self.put_later(&of, shape, key, value);
                    return Ok(true);
                }
                self.writer.op(Op::Pop);
                None
            }
        };
        match part {
            Some((key, value)) => {
                self.open_slot();
                self.write_entry(fill, item, key, value)
            }
            None => {
                if let Some(Frame::ByValue(frame)) = self.stack.last_mut() {
                    frame.at = At::Item(fill + 1, 0);
                }
                Ok(false)
            }
        }
    }

    /// Remembers how to take back the slot that starts here.
    pub(super) fn open_slot(&mut self) {
        if self.classes.any_in_progress() {
            let number = self.classes.next();
            let slot = Slot { checkpoint: self.writer.checkpoint(), mark: self.memo.mark(), number };
            match self.stack.last_mut() {
                Some(Frame::ByValue(frame)) => frame.slot = Some(slot),
                Some(Frame::Entries(frame)) => frame.slot = Some(slot),
                Some(Frame::Inside(frame)) => frame.slot = Some(slot),
                _ => {}
            }
        }
    }

    /// Holds the place of the attribute `key`, one of `count`, which is set later.
    pub(super) fn hold_attribute(&mut self, key: &Bound<'py, PyAny>, count: usize) -> PyResult<()> {
        let key = match key.cast_exact::<PyString>() {
            Ok(text) => Part::Text(text.clone()),
            Err(_) => Part::Object(key.clone()),
        };
        self.write_part(key)?;
        self.writer.op(Op::None);
        if self.item_alone(count) {
            self.writer.op(Op::SetItem);
        }
        Ok(())
    }

    /// Notes in the namespace of a class that the attribute `name`, one of `count`, is set later.
    pub(super) fn hold_class_attribute(&mut self, name: &Bound<'py, PyString>, count: usize) -> PyResult<()> {
        self.write_definition_text(name)?;
        self.write_wire(Wire::ClassAttribute);
        if self.item_alone(count) {
            self.writer.op(Op::SetItem);
        }
        Ok(())
    }

    fn write_entry(&mut self, fill: usize, item: usize, key: Part<'py>, value: Part<'py>) -> PyResult<bool> {
        if let Some(Frame::ByValue(frame)) = self.stack.last_mut() {
            frame.at = At::AfterItem(fill, item);
        }
        // Keys are texts or plain values: they never need a frame of their own.
        if let Begun::Frame(_) = self.write_part(key)? {
            return Err(self.refusal("cannot pickle the attributes of a function with a key that is not a string"));
        }
        let begun = self.write_part(value)?;
        self.push(begun)
    }

    fn end_item(&mut self, fill: usize) {
        let Some(Frame::ByValue(frame)) = self.stack.last() else { return };
        let At::Item(_, next) = frame.at else { return };
        let alone = match &frame.reduction.fills[fill] {
            Fill::State { dict, slots, .. } => {
                let group = if next <= dict.len() { dict.len() } else { slots.len() };
                self.item_alone(group)
            }
            Fill::Items { .. } => match frame.placed {
                Placed::No => true,
                Placed::Set => false,
                Placed::Below => {
                    self.writer.op(Op::Pop);
                    false
                }
            },
            Fill::Cell { .. } => {
                self.writer.op(Op::SetItem);
                self.writer.tuple_end(2);
                self.writer.op(Op::Build);
                self.writer.op(Op::Pop);
                return;
            }
            Fill::Call { .. } | Fill::Later { .. } => false,
        };
        if alone {
            self.writer.op(Op::SetItem);
        }
    }

    /// Whether each of `count` items is set on its own.
    fn item_alone(&self, count: usize) -> bool {
        count == 1 || !self.writer.binary()
    }

    fn open_items(&mut self, count: usize, make: bool) {
        if make {
            self.writer.empty_dict();
        }
        if !self.item_alone(count) {
            self.writer.op(Op::Mark);
        }
    }

    fn close_items(&mut self, count: usize) {
        if !self.item_alone(count) {
            self.writer.op(Op::SetItems);
        }
    }

    /// Starts a dict of definition names; `owner` is the class whose namespace it is.
    fn begin_entries(&mut self, entries: Vec<(Bound<'py, PyString>, Part<'py>)>) -> Begun<'py> {
        if entries.is_empty() {
            self.writer.empty_dict();
            return Begun::Done;
        }
        let owner = match self.stack.last() {
            // Its keywords come after it and are none of its own.
            Some(Frame::ByValue(frame)) if frame.reduction.make == Wire::Class && frame.is_first_entries() => {
                Some(frame.object.clone())
            }
            _ => None,
        };
        Begun::Frame(Frame::Entries(Box::new(Entries { items: entries, index: 0, pending: false, owner, slot: None })))
    }

    pub(super) fn step_entries(&mut self) -> PyResult<()> {
        loop {
            let Some(Frame::Entries(frame)) = self.stack.last_mut() else { return Ok(()) };
            let count = frame.items.len();
            if frame.pending {
                frame.pending = false;
                frame.slot = None;
                frame.index += 1;
                if self.item_alone(count) {
                    self.writer.op(Op::SetItem);
                }
                continue;
            }
            let (index, owned) = (frame.index, frame.owner.is_some());
            let entry = frame.items.get(index).cloned();
            if index == 0 && frame.slot.is_none() {
                self.open_items(count, true);
            }
            let Some((key, value)) = entry else {
                self.stack.pop();
                self.close_items(count);
                return Ok(());
            };
            if owned {
                self.open_slot();
            }
            self.write_definition_text(&key)?;
            if let Some(Frame::Entries(frame)) = self.stack.last_mut() {
                frame.pending = true;
            }
            let begun = self.write_part(value)?;
            if self.push(begun)? {
                return Ok(());
            }
        }
    }
}

impl<'py> ByValue<'py> {
    pub(super) fn new(object: &Bound<'py, PyAny>, reduction: Reduction<'py>, at: At) -> Self {
        Self { object: object.clone(), reduction, at, tuple: None, slot: None, marked: false, placed: Placed::No }
    }

    /// Whether the argument being written is the first dict of names.
    fn is_first_entries(&self) -> bool {
        let At::Arg(next) = self.at else { return false };
        let before = self.reduction.args.get(..next.saturating_sub(1));
        before.is_some_and(|before| !before.iter().any(|part| matches!(part, Part::Entries(_))))
    }

    /// The slot being filled as a fill of its own, for later; goes on behind it. An attribute of a `__dict__` comes with its
    /// name and how many there are, so that its place can be held.
    #[expect(clippy::type_complexity, reason = "a fill, and what one kind of fill has besides")]
    pub(super) fn postponed(&mut self) -> PyResult<(Fill<'py>, Option<(Bound<'py, PyAny>, usize)>)> {
        let At::AfterItem(fill, item) = self.at else {
            return Err(PyRuntimeError::new_err("a slot is open that no item belongs to"));
        };
        self.at = At::Item(fill, item + 1);
        let mut held = None;
        let fill = match &self.reduction.fills[fill] {
            Fill::State { of, dict, slots } => {
                let of = Some(of.clone().unwrap_or_else(|| self.object.clone()));
                match item.checked_sub(dict.len()) {
                    None => {
                        held = Some((dict[item].0.clone(), dict.len()));
                        Fill::State { of, dict: vec![dict[item].clone()], slots: Vec::new() }
                    }
                    Some(slot) => Fill::State { of, dict: Vec::new(), slots: vec![slots[slot].clone()] },
                }
            }
            Fill::Items { of, items, .. } => Fill::Items { of: of.clone(), items: vec![items[item].clone()] },
            Fill::Cell { cell, name, content } => {
                Fill::Cell { cell: cell.clone(), name: name.clone(), content: content.clone() }
            }
            Fill::Call { make, args } => {
                self.at = At::Item(fill + 1, 0);
                Fill::Call { make: *make, args: args.clone() }
            }
            Fill::Later { of, shape, key, value } => {
                Fill::Later { of: of.clone(), shape: *shape, key: key.clone(), value: value.clone() }
            }
        };
        Ok((fill, held))
    }
}

/// How many arguments `parts` are, a tuple with its parts being one.
fn top_level(parts: &[Part<'_>]) -> usize {
    let mut count = 0;
    let mut index = 0;
    while let Some(part) = parts.get(index) {
        index += 1 + if let Part::Tuple(len) = part { *len } else { 0 };
        count += 1;
    }
    count
}
