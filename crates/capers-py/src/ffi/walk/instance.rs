//! Instances whose class leaves their reduction to `object`: written by plan.

use std::rc::Rc;

use capers_pickle::Op;
use pyo3::ffi;

use super::object::{op, small_int};
use super::{Object, Outcome, Quiet, Saved, Walker};
use crate::ffi::layout;
use crate::ffi::plan::{self, Moment, Plan, Slot};

impl<'py> Walker<'_, 'py> {
    /// The plan for instances of this type and the memo index of the type itself, if it has both.
    #[inline]
    pub(super) unsafe fn plan_of(&mut self, kind: *mut ffi::PyTypeObject) -> Option<(&Plan, u32)> {
        if self.last.0 != kind {
            self.last = (kind, self.look_up(kind));
        }
        self.last.1.as_ref().map(|(plan, index)| (&**plan, *index))
    }

    #[cold]
    pub(super) fn look_up(&self, kind: *mut ffi::PyTypeObject) -> Option<(Rc<Plan>, u32)> {
        let table = self.dispatch_table?;
        let plan = plan::known(kind)?;
        // SAFETY: invariant WALK.
        let index = unsafe { self.memo.find(kind.cast()) }?;
        // Classes are equal to nothing but themselves.
        // SAFETY: invariant WALK.
        let listed = match unsafe { layout::entries(table.as_ptr()) } {
            // SAFETY: invariant WALK.
            Some(entries) => (0..entries.count).any(|at| unsafe {
                let key = entries.first.add(at * entries.step);
                key.read() == kind.cast() && !key.add(1).read().is_null()
            }),
            None => true,
        };
        (!listed).then_some((plan, index))
    }

    /// An instance whose class is in the memo and whose state is its dict or its slots.
    pub(super) unsafe fn instance(&mut self, item: Object, kind: *mut ffi::PyTypeObject) -> Saved {
        // SAFETY: invariant WALK.
        unsafe {
            let mut p = self.at;
            // A frame may end inside; the general code knows how to hand it on to a file.
            if self.streams && p.wrapping_add(64) >= self.soft {
                return Saved::Other;
            }
            let Some((plan, _)) = self.plan_of(kind) else { return Saved::Other };
            if let Plan::Moment(moment) = *plan {
                return self.moment(moment, item, kind);
            }
            if matches!(plan, Plan::Dict) && cfg!(not(Py_3_12)) && self.quiet.is_none() {
                self.quiet = Some(Quiet::new());
            }
            let Some((plan, class)) = self.plan_of(kind) else { return Saved::Other };
            let has_dict = matches!(plan, Plan::Dict);
            let (state, count) = if has_dict {
                let dict = ffi::PyObject_GenericGetDict(item, std::ptr::null_mut());
                if dict.is_null() {
                    ffi::PyErr_Clear();
                    return Saved::Other;
                }
                // The object keeps its dict.
                ffi::Py_DECREF(dict);
                if !plain_attributes(dict) {
                    return Saved::Other;
                }
                (dict.cast(), layout::dict_len(dict))
            } else {
                let set = slots_of(plan).iter().filter(|slot| !slot.read(item).is_null());
                (std::ptr::from_ref(plan).cast_mut().cast(), set.count())
            };
            self.get(&mut p, class);
            self.check(&mut p);
            op(&mut p, Op::EmptyTuple);
            op(&mut p, Op::NewObj);
            self.find_or_put(item);
            self.memoize(&mut p);
            let mut saved = Saved::Done;
            if count > 0 {
                self.check(&mut p);
                (self.state, self.count) = (state, count);
                if has_dict {
                    if let Some(index) = self.find_or_put(state.cast()) {
                        self.get(&mut p, index);
                        op(&mut p, Op::Build);
                    } else {
                        op(&mut p, Op::EmptyDict);
                        self.memoize(&mut p);
                        saved = Saved::State;
                    }
                } else {
                    op(&mut p, Op::None);
                    self.check(&mut p);
                    op(&mut p, Op::EmptyDict);
                    self.memoize(&mut p);
                    if count > 1 {
                        op(&mut p, Op::Mark);
                    }
                    saved = Saved::Slots;
                }
            }
            self.at = p;
            saved
        }
    }

    /// An object of the `datetime` module: the class, called with the content of the object.
    unsafe fn moment(&mut self, moment: Moment, item: Object, kind: *mut ffi::PyTypeObject) -> Saved {
        // SAFETY: invariant WALK.
        unsafe {
            let Some((_, class)) = self.plan_of(kind) else { return Saved::Other };
            let mut p = self.at;
            if moment == Moment::Delta {
                self.get(&mut p, class);
                self.check(&mut p);
                for part in Moment::delta(item) {
                    self.check(&mut p);
                    small_int(&mut p, part.into());
                }
                op(&mut p, Op::Tuple3);
            } else {
                let (state, len, zone) = moment.state(item);
                let zone = match zone {
                    None => None,
                    Some(zone) => match self.memo.find(zone) {
                        None => return Saved::Other,
                        found => found,
                    },
                };
                self.get(&mut p, class);
                self.check(&mut p);
                self.check(&mut p);
                p.write(Op::ShortBinBytes as u8);
                p.add(1).write(len as u8);
                std::ptr::copy_nonoverlapping(state.as_ptr(), p.add(2), len);
                p = p.add(2 + len);
                self.memoize(&mut p);
                if let Some(zone) = zone {
                    self.check(&mut p);
                    self.get(&mut p, zone);
                }
                op(&mut p, if zone.is_some() { Op::Tuple2 } else { Op::Tuple1 });
            }
            self.memoize(&mut p);
            op(&mut p, Op::Reduce);
            self.find_or_put(item);
            self.memoize(&mut p);
            self.at = p;
            Saved::Done
        }
    }

    #[inline(never)]
    pub(super) unsafe fn slots(
        &mut self,
        object: Object,
        plan: &Plan,
        index: &mut usize,
        count: usize,
    ) -> Outcome<'py> {
        // SAFETY: invariant WALK.
        unsafe {
            let mut p = self.begin();
            // Twice the place in the plan, plus one when the name has been written.
            let slots = slots_of(plan);
            while *index < 2 * slots.len() {
                let slot = &slots[*index / 2];
                let value = slot.read(object);
                if value.is_null() {
                    *index += 2;
                    continue;
                }
                let part = if index.is_multiple_of(2) { slot.name() } else { value };
                let saved = self.save(&mut p, part);
                *index += usize::from(saved != Saved::Flush);
                if saved != Saved::Done {
                    self.end(p);
                    return self.between(saved, part);
                }
            }
            op(&mut p, if count > 1 { Op::SetItems } else { Op::SetItem });
            op(&mut p, Op::Tuple2);
            self.memoize(&mut p);
            op(&mut p, Op::Build);
            self.end(p);
            Outcome::End
        }
    }
}

fn slots_of(plan: &Plan) -> &[Slot] {
    match plan {
        Plan::Slots(slots) => slots,
        Plan::Dict | Plan::Moment(_) => &[],
    }
}

/// Whether a dict of attributes says nothing about how its object is to be reduced: its keys are str, and none is like
/// `__reduce_ex__`.
#[inline]
unsafe fn plain_attributes(dict: Object) -> bool {
    // SAFETY: invariant WALK.
    let plain = |key: Object| unsafe {
        layout::type_of(key) == &raw mut ffi::PyUnicode_Type
            && match layout::ascii(key) {
                Some((data, len)) => len < 2 || data.cast::<u16>().read_unaligned() != u16::from_le_bytes(*b"__"),
                None => true,
            }
    };
    // SAFETY: invariant WALK.
    unsafe {
        if layout::type_of(dict) != &raw mut ffi::PyDict_Type {
            return false;
        }
        let (mut position, mut key) = (0, std::ptr::null_mut());
        while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, std::ptr::null_mut()) != 0 {
            if !plain(key) {
                return false;
            }
        }
        true
    }
}
