//! Weak proxies on the way out.
//!
//! To `pickle` a proxy is what it stands for: its reduction is that of its referent, and a copy of the referent arrives. So
//! it does here, unless the referent travels by itself, too; then the proxy arrives as a proxy of it. A referent that was
//! written before is known. Whether one comes later is known at the end: so a proxy that was written as a copy is
//! remembered with its places, and if the referent was pushed again for another reason than a proxy or a weak reference,
//! instructions that turn the copy into a proxy are put in at these places. Until then nothing goes to a file.
//!
//! What leads back to the referent from within the copy does not count: nothing else would hold it.

use capers_pickle::{Op, Writer, splice};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::{Begun, Dumper, Frame, path};
use crate::by_value::{Part, Reduction};
use crate::wire::Wire;

/// A proxy on its way out, under the copy of its referent.
pub(crate) struct Copying<'py> {
    pub(super) proxy: Bound<'py, PyAny>,
    referent: Bound<'py, PyAny>,
}

/// A referent that was written as a copy for its proxy.
struct Copy<'py> {
    proxy: Bound<'py, PyAny>,
    referent: Bound<'py, PyAny>,
    /// Where the copy starts, and where it ends once it has.
    start: usize,
    end: Option<usize>,
    /// Where in the output the machine has the copy on its stack in place of a proxy.
    places: Vec<usize>,
    /// How often it was pushed since to be referred to weakly.
    weak: usize,
}

/// The copies of this dump.
#[derive(Default)]
pub(super) struct Proxies<'py>(Vec<Copy<'py>>);

impl<'py> Proxies<'py> {
    pub(super) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Forgets what was written after `length`.
    pub(super) fn rewind(&mut self, length: usize) {
        self.0.retain(|copy| copy.start < length);
        for copy in &mut self.0 {
            copy.end = copy.end.filter(|end| *end <= length);
            copy.places.retain(|place| *place <= length);
        }
    }

    /// Notes that `parts` are about to be written to be referred to weakly.
    pub(super) fn note_weak(&mut self, parts: &[Part<'py>]) {
        for copy in self.0.iter_mut().filter(|copy| copy.end.is_some()) {
            let mentions = |part: &&Part<'py>| matches!(part, Part::Object(object) if object.is(&copy.referent));
            copy.weak += parts.iter().filter(mentions).count();
        }
    }
}

impl<'py> Dumper<'py> {
    pub(super) fn begin_proxy(
        &mut self,
        proxy: &Bound<'py, PyAny>,
        referent: Bound<'py, PyAny>,
    ) -> PyResult<Begun<'py>> {
        let weakly =
            |referent| Reduction { make: Wire::WeakProxy, args: vec![Part::Object(referent)], fills: Vec::new() };
        if let Some(index) = self.memo.get(&referent) {
            let Some(copy) = self.proxies.0.iter_mut().find(|it| it.referent.is(&referent)) else {
                return self.begin_reduction(proxy, weakly(referent));
            };
            self.writer.get(index);
            copy.places.push(self.writer.as_bytes().len());
            return Ok(Begun::Done);
        }
        let value = match self.own_reduction(&referent) {
            Ok(value) if self.settings.fast => return self.begin_reduced(&referent, &value),
            Ok(value) if !value.is_instance_of::<PyString>() => value,
            Err(error) if !path::is_refusal(self, &error) => return Err(error),
            // What is found by name is there without its copy, and of what pickle refuses there is none.
            _ => {
                self.open_weak(proxy);
                return self.begin_reduction(proxy, weakly(referent));
            }
        };
        let begun = self.begin_reduced(&referent, &value)?;
        self.open_weak(proxy);
        self.writer.keep_frames();
        self.proxies.0.push(Copy {
            proxy: proxy.clone(),
            referent: referent.clone(),
            start: self.writer.as_bytes().len(),
            end: None,
            places: Vec::new(),
            weak: 0,
        });
        self.stack.push(Frame::Copying(Box::new(Copying { proxy: proxy.clone(), referent })));
        Ok(begun)
    }

    /// The copy is on top of the machine's stack.
    pub(super) fn step_copying(&mut self) {
        let Some(Frame::Copying(copying)) = self.stack.pop() else { return };
        let here = self.writer.as_bytes().len();
        if let Some(copy) = self.proxies.0.iter_mut().rev().find(|it| it.referent.is(&copying.referent)) {
            copy.end = Some(here);
            copy.places.push(here);
        }
    }

    /// Turns copies into proxies where the referent travels by itself. The pickle has been finished.
    pub(super) fn settle_proxies(&mut self) -> PyResult<()> {
        let mut places = Vec::new();
        for copy in std::mem::take(&mut self.proxies.0) {
            let (Some(end), Some(index)) = (copy.end, self.memo.get(&copy.referent)) else { continue };
            let again = copy.places.iter().filter(|place| **place > end).count();
            let pushed = splice::count_gets(self.writer.as_bytes(), index, end).map_err(|error| broken(&error))?;
            if pushed > again + copy.weak {
                let turn = self.instructions_for_proxy(index);
                places.extend(copy.places.iter().map(|place| (*place, turn.clone())));
            } else {
                self.memo.put_at(&copy.proxy, index);
            }
        }
        if !places.is_empty() {
            places.sort_by_key(|it| it.0);
            let spliced = splice::insert(self.writer.as_bytes(), &places).map_err(|error| broken(&error))?;
            self.writer.replace(&spliced);
        }
        Ok(())
    }

    /// What puts a proxy of the object under memo index `index` in the place of that object.
    fn instructions_for_proxy(&self, index: usize) -> Vec<u8> {
        let mut writer = Writer::new(self.writer.protocol(), Vec::new());
        let (module, name) = Wire::WeakProxy.names();
        writer.op(Op::Pop);
        if writer.protocol() >= 4 {
            for text in [module, name] {
                writer.str_header(text.len());
                writer.payload(text.as_bytes());
            }
            writer.op(Op::StackGlobal);
        } else {
            writer.global(module.as_bytes(), name.as_bytes());
        }
        writer.tuple_begin(1);
        writer.get(index);
        writer.tuple_end(1);
        writer.op(Op::Reduce);
        writer.into_buffer()
    }
}

#[cold]
fn broken(error: &capers_pickle::Error) -> PyErr {
    PyRuntimeError::new_err(format!("capers cannot read what it has written: {error}"))
}
