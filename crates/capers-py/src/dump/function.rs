//! The short way for functions: most are written without a frame, and begin with bytes that are kept with their code.
//!
//! What is written is what the general way of `by_value` would write for `by_value::function::reduce`; only values that
//! need frames of their own go that way.

use capers_pickle::Op;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::by_value::{At, ByValue};
use super::{Begun, Dumper, Frame, path};
use crate::by_value::code::CodeInfo;
use crate::by_value::function::{self, Captures};
use crate::by_value::{Fill, Part, Reduction, odd};
use crate::choices::{self, Globals};
use crate::ffi::access::{dict_get, str_eq};
use crate::ffi::code::get_extra;
use crate::ffi::function::{FunctionView, function_code, function_view};
use crate::policy;
use crate::replay;
use crate::wire::Wire;

/// Openings longer than this are not kept: they are dominated by the marshal bytes, which are kept already.
const MAX_OPENING: usize = 16 * 1024;

impl<'py> Dumper<'py> {
    /// The kept payload of `object`, or starts to record the one that will be written.
    pub(super) fn replay(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let Some(code) = function_code(object) else { return Ok(None) };
        let Some(info) = get_extra(&code) else { return Ok(None) };
        if let Some(payload) = replay::kept(self.py, object, &info, self.writer.protocol())? {
            return Ok(Some(payload));
        }
        if replay::wanted(&info) {
            self.recorded = Some(Vec::new());
        }
        Ok(None)
    }

    /// Notes that the payload depends on something that a replay does not cover.
    #[inline]
    pub(super) fn spoil(&mut self) {
        self.recorded = None;
    }

    /// The functions written, if the recording has not been spoiled.
    pub(super) fn take_recorded(&mut self) -> Option<Vec<Bound<'py, PyAny>>> {
        self.recorded.take()
    }

    pub(super) fn begin_function_by_value(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Begun<'py>> {
        let Some(view) = function_view(object) else { return self.begin_global(object, None) };
        let dispatcher = &self.state.known.singledispatch;
        if dispatcher.as_ref().is_some_and(|code| view.code.is(code.bind(self.py)))
            && let Some(reduction) = odd::wrapper_function(object)?
        {
            self.spoil();
            return self.begin_reduction(object, reduction);
        }
        let info = self.code_info(&view.code)?;
        if let Some(functions) = &mut self.recorded {
            functions.push(object.clone());
        }
        if !info.odd.is_empty() {
            self.spoil();
            let reduction = function::reduce(object, &info, &mut *self.memo)?;
            return self.begin_reduction(object, reduction);
        }
        let name = dict_get(&view.globals, intern!(self.py, "__name__").as_any())?;
        let named = self.make_function(object, &view, &info, name.as_ref())?;
        let mut fills = Vec::new();
        if function::own_builtins(&view.globals)?.is_some() {
            self.spoil();
            fills.extend(function::fill_builtins(&view.globals, &mut *self.memo)?);
        }
        self.name_default_sentinels(&view)?;
        fills.extend(function::attributes(object, &view, name.as_ref())?);
        let mut captures = Captures::new(&view, named, &mut *self.memo);
        let mut opened = false;
        while let Some((name, part)) = captures.next(&view, &info, &mut *self.memo)? {
            if fills.is_empty()
                && let Part::Object(value) = &part
                && self.inline_content(value)
            {
                self.memo.capture(view.globals.as_ptr() as usize, name.as_ptr() as usize);
                if !opened {
                    opened = true;
                    self.open_namespace(&view.globals)?;
                }
                self.write_definition_text(&name)?;
                self.inline(value, || path::global(&name))?;
                if !self.writer.binary() {
                    self.writer.op(Op::SetItem);
                }
                continue;
            }
            let mut items = Vec::with_capacity(8);
            items.push((name, part));
            while let Some(item) = captures.next(&view, &info, &mut *self.memo)? {
                items.push(item);
            }
            fills.push(Fill::Items { of: view.globals.clone(), items });
        }
        if opened {
            self.close_namespace();
        }
        captures.finish(&view, &info, &mut *self.memo, &mut fills)?;
        fills.retain(|fill| !matches!(fill, Fill::Cell { content, .. } if self.inline_content(content)));
        if fills.is_empty() {
            return Ok(Begun::Done);
        }
        let reduction = Reduction { make: Wire::Function, args: Vec::new(), fills };
        Ok(Begun::Frame(Frame::ByValue(Box::new(ByValue::new(object, reduction, At::Item(0, 0))))))
    }

    /// Defaults that are a bare `object()` of a library mean the receiver's own: puts them into the memo by name.
    fn name_default_sentinels(&mut self, view: &FunctionView<'py>) -> PyResult<()> {
        let Some(defaults) = &view.defaults else { return Ok(()) };
        for value in defaults.iter() {
            if value.get_type().is(self.py.get_type::<PyAny>())
                && self.memo.get(&value).is_none()
                && let Some(reference) = odd::sentinel_of_modules(&view.globals, &value)?
            {
                self.spoil();
                // Before protocol 4 a dotted name would need a frame; names of sentinels have no dots.
                if let Begun::Done = self.begin_reference(&value, &reference)? {
                    self.writer.op(Op::Pop);
                }
            }
        }
        Ok(())
    }

    /// Makes and memoizes a function whose code has no odd constants; tells whether its namespace travels by name.
    fn make_function(
        &mut self,
        object: &Bound<'py, PyAny>,
        view: &FunctionView<'py>,
        info: &CodeInfo,
        name: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<bool> {
        let named = self.open_function(view, info, name)?;
        if let Some(closure) = &view.closure {
            let len = closure.len();
            self.writer.tuple_begin(len);
            for cell in closure.iter_borrowed() {
                self.write_cell(&cell)?;
            }
            self.writer.tuple_end(len);
            self.writer.tuple_end(3);
        } else {
            self.writer.tuple_end(2);
        }
        self.writer.op(Op::Reduce);
        self.memoize_made(object);
        Ok(named)
    }

    /// Writes constructor, code and namespace of a function: from the kept opening if nothing has been written before.
    fn open_function(
        &mut self,
        view: &FunctionView<'py>,
        info: &CodeInfo,
        name: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<bool> {
        let main = intern!(self.py, "__main__");
        let is_main = name
            .is_some_and(|name| name.is(main) || name.cast_exact::<PyString>().is_ok_and(|name| str_eq(name, main)));
        let live = choices::globals() == Globals::Live;
        let fresh = self.ledger.is_none()
            && self.memo.next_index() == 0
            && self.writer.protocol() >= 4
            && !self.classes.any_in_progress();
        let in_main = fresh
            && is_main
            && !live
            && info.marshal.len() < MAX_OPENING
            && function::own_builtins(&view.globals)?.is_none();
        if in_main && let Some(opening) = info.opening.get() {
            self.writer.raw(opening);
            self.memo.preset(&view.code, view.globals.as_any(), main);
            return Ok(false);
        }
        let start = self.writer.frame_content().len();
        let named = (live || !is_main) && policy::module_of(&view.globals)?.is_some();
        self.write_wire(Wire::Function);
        self.writer.tuple_begin(if view.closure.is_some() { 3 } else { 2 });
        self.begin_code(&view.code)?;
        self.write_globals(&view.globals)?;
        // What was written before the function, atoms and marks, leaves no trace in the memo and is not part of it.
        if in_main && let Some(opening) = self.writer.frame_content().get(start..) {
            info.opening.get_or_init(|| opening.to_vec());
        }
        Ok(named)
    }
}
