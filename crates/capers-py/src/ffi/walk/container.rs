//! The items of containers, until one of them needs something else.

use capers_pickle::Op;
use pyo3::ffi;
use pyo3::prelude::*;

use super::object::op;
use super::{BATCH, DictLevel, Object, Outcome, Pause, STRETCH, Saved, Walker};
use crate::ffi::{access, layout};
use crate::limits::TELLS_PATHS;

impl<'py> Walker<'_, 'py> {
    /// Makes room in the memo for the items of a long list, where they look as if each will need some.
    #[inline]
    pub(super) unsafe fn expect(&mut self, list: Object) {
        // SAFETY: invariant WALK.
        unsafe {
            let (items, size) = layout::list(list);
            if size < 4096 {
                return;
            }
            let samples = [0, size / 3, size / 2, size - 1].map(|at| items.add(at).read());
            let (first, kind) = (samples[0], layout::type_of(samples[0]));
            let memoized = kind != &raw mut ffi::PyLong_Type && kind != &raw mut ffi::PyFloat_Type;
            let alike = samples[1..].iter().all(|&it| it != first && layout::type_of(it) == kind);
            if memoized && alike && kind != &raw mut ffi::PyBool_Type {
                self.memo.reserve(size);
            }
        }
    }

    #[inline(never)]
    pub(super) unsafe fn list(
        &mut self,
        list: Object,
        index: &mut usize,
        batch: &mut u32,
        single: &mut bool,
    ) -> Outcome<'py> {
        // SAFETY: invariant WALK.
        unsafe {
            let mut p = self.begin();
            if *index == 0 {
                self.expect(list);
            }
            loop {
                if *single && *batch == 1 {
                    op(&mut p, Op::Append);
                    self.end(p);
                    return Outcome::End;
                }
                let (items, size) = layout::list(list);
                let first = *index;
                let stop = size.min(first + (BATCH - *batch) as usize);
                let mut at = first;
                while at < stop {
                    let item = items.add(at).read();
                    self.fetch(items, at, size);
                    let saved = self.save(&mut p, item);
                    at += usize::from(saved != Saved::Flush);
                    if saved != Saved::Done {
                        *batch += (at - first) as u32;
                        *index = at;
                        self.end(p);
                        return self.between(saved, item);
                    }
                }
                if at > first {
                    *batch += (at - first) as u32;
                    *index = at;
                    self.budget -= (at - first) as isize;
                }
                if *single && *batch == 1 {
                    continue;
                }
                op(&mut p, Op::Appends);
                if at >= size {
                    self.end(p);
                    return Outcome::End;
                }
                *batch = 0;
                // From 3.15 on a last item that is left over stands alone.
                *single = cfg!(Py_3_15) && at + 1 == size;
                if !*single {
                    op(&mut p, Op::Mark);
                }
                if self.budget < 0 {
                    self.end(p);
                    return Outcome::Pause(Pause::Interrupt);
                }
            }
        }
    }

    #[inline(never)]
    pub(super) unsafe fn tuple(&mut self, tuple: Object, index: &mut usize, makes: Option<Object>) -> Outcome<'py> {
        // SAFETY: invariant WALK.
        unsafe {
            let mut p = self.begin();
            let (items, size) = layout::tuple(tuple);
            let first = *index;
            let stop = size.min(first + STRETCH);
            let mut at = first;
            while at < stop {
                let item = items.add(at).read();
                if item.is_null() {
                    self.end(p);
                    return Outcome::Pause(Pause::Hole);
                }
                self.fetch(items, at, size);
                let saved = self.save(&mut p, item);
                at += usize::from(saved != Saved::Flush);
                if saved != Saved::Done {
                    *index = at;
                    self.end(p);
                    return self.between(saved, item);
                }
            }
            *index = at;
            self.budget -= (at - first) as isize;
            if at < size {
                self.end(p);
                return Outcome::Pause(Pause::Interrupt);
            }
            // A tuple that got into the memo while its items were written contains itself: take the items back.
            match self.find_or_put(tuple) {
                Some(index) => {
                    if size <= 3 {
                        for _ in 0..size {
                            op(&mut p, Op::Pop);
                        }
                    } else {
                        op(&mut p, Op::PopMark);
                    }
                    self.get(&mut p, index);
                }
                None => {
                    op(
                        &mut p,
                        match size {
                            1 => Op::Tuple1,
                            2 => Op::Tuple2,
                            3 => Op::Tuple3,
                            _ => Op::Tuple,
                        },
                    );
                    self.memoize(&mut p);
                }
            }
            if let Some(object) = makes {
                op(&mut p, Op::Reduce);
                // Already in the memo: the object is part of its own arguments and has been made meanwhile.
                match self.find_or_put(object) {
                    Some(index) => {
                        op(&mut p, Op::Pop);
                        self.get(&mut p, index);
                    }
                    None => self.memoize(&mut p),
                }
                // Nobody but this level holds the arguments, which came from a reduction.
                self.memo.own();
            }
            self.end(p);
            Outcome::End
        }
    }

    #[inline(never)]
    pub(super) unsafe fn dict(&mut self, level: &mut DictLevel<'py>) -> Outcome<'py> {
        // SAFETY: invariant WALK.
        unsafe {
            let mut p = self.begin();
            if level.held.is_some() {
                self.memo.own();
                level.held = None;
            }
            if let Some(value) = level.value.take() {
                let saved = self.save(&mut p, value.as_ptr());
                // Code that ran while the key was written may have taken the value out of the dict.
                self.memo.own();
                if saved != Saved::Done {
                    self.end(p);
                    let outcome = self.between(saved, value.as_ptr());
                    if saved == Saved::Flush {
                        level.value = Some(value);
                    } else {
                        level.held = Some(value);
                    }
                    return outcome;
                }
            }
            let dict = level.dict.as_ptr();
            if !level.opened {
                level.opened = true;
                if !level.single {
                    op(&mut p, Op::Mark);
                }
            }
            loop {
                if level.single && level.batch == 1 {
                    op(&mut p, Op::SetItem);
                    break;
                }
                let outcome = match layout::entries(dict) {
                    Some(entries) => self.pairs(&mut p, level, |position| {
                        while position.unsigned_abs() < entries.count {
                            let key = entries.first.add(position.unsigned_abs() * entries.step);
                            *position += 1;
                            let value = key.add(1).read();
                            if !value.is_null() {
                                return Some((key.read(), value));
                            }
                        }
                        None
                    }),
                    None => self.pairs(&mut p, level, |position| {
                        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
                        let mut next = *position;
                        let more = ffi::PyDict_Next(dict, &raw mut next, &raw mut key, &raw mut value) != 0;
                        *position = next;
                        more.then_some((key, value))
                    }),
                };
                if let Some(outcome) = outcome {
                    self.end(p);
                    return outcome;
                }
                if level.single && level.batch == 1 {
                    continue;
                }
                self.budget -= level.batch as isize;
                op(&mut p, Op::SetItems);
                if layout::dict_len(dict) != level.size {
                    self.end(p);
                    return Outcome::Pause(Pause::Changed("dictionary changed size during iteration"));
                }
                // Up to 3.14 a full batch is always followed by another one, even an empty one.
                let full = level.batch == BATCH;
                if !full || (cfg!(Py_3_15) && level.written == level.size) {
                    break;
                }
                level.batch = 0;
                level.single = cfg!(Py_3_15) && level.written + 1 == level.size;
                if !level.single {
                    op(&mut p, Op::Mark);
                }
                if self.budget < 0 {
                    self.end(p);
                    return Outcome::Pause(Pause::Interrupt);
                }
            }
            if level.state.is_some() {
                op(&mut p, Op::Build);
            }
            self.end(p);
            Outcome::End
        }
    }

    /// Writes pairs until the batch is full or there are no more; an outcome where something else comes between.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "part of the hottest loops")]
    pub(super) unsafe fn pairs(
        &mut self,
        p: &mut *mut u8,
        level: &mut DictLevel<'py>,
        mut next: impl FnMut(&mut isize) -> Option<(Object, Object)>,
    ) -> Option<Outcome<'py>> {
        // SAFETY: invariant WALK.
        unsafe {
            let room = if level.single { 1 } else { BATCH };
            let (first, mut position) = (level.batch, level.position);
            let mut batch = first;
            let outcome = loop {
                if batch >= room {
                    break None;
                }
                let before = position;
                let Some((key, value)) = next(&mut position) else { break None };
                let saved = self.save(p, key);
                if saved != Saved::Done {
                    if saved == Saved::Flush {
                        position = before;
                    } else {
                        batch += 1;
                        level.key = TELLS_PATHS.then(|| Bound::from_borrowed_ptr(self.py, key));
                        level.value = Some(Bound::from_borrowed_ptr(self.py, value));
                    }
                    break Some(self.between(saved, key));
                }
                batch += 1;
                let saved = self.save(p, value);
                if saved != Saved::Done {
                    level.key = TELLS_PATHS.then(|| Bound::from_borrowed_ptr(self.py, key));
                    if saved == Saved::Flush {
                        level.value = Some(Bound::from_borrowed_ptr(self.py, value));
                    }
                    break Some(self.between(saved, value));
                }
            };
            level.written += (batch - first) as usize;
            (level.batch, level.position) = (batch, position);
            outcome
        }
    }

    #[inline(never)]
    pub(super) unsafe fn set(
        &mut self,
        set: Object,
        position: &mut isize,
        size: usize,
        batch: &mut u32,
        opened: &mut bool,
        frozen: bool,
    ) -> Outcome<'py> {
        // SAFETY: invariant WALK.
        unsafe {
            let mut p = self.begin();
            if !*opened {
                *opened = true;
                op(&mut p, Op::Mark);
            }
            loop {
                let mut more = true;
                while frozen || *batch < BATCH {
                    let before = *position;
                    let item = access::set_entry(set, position);
                    if item.is_null() {
                        more = false;
                        break;
                    }
                    *batch += 1;
                    let saved = self.save(&mut p, item);
                    if saved != Saved::Done {
                        if saved == Saved::Flush {
                            *position = before;
                            *batch -= 1;
                        }
                        self.end(p);
                        return self.between(saved, item);
                    }
                }
                if frozen {
                    break;
                }
                self.budget -= *batch as isize;
                op(&mut p, Op::AddItems);
                if ffi::PySet_Size(set) as usize != size {
                    self.end(p);
                    return Outcome::Pause(Pause::Changed("set changed size during iteration"));
                }
                let last = access::set_entry(set, &mut position.clone()).is_null();
                if !more || (cfg!(Py_3_15) && last) {
                    self.end(p);
                    return Outcome::End;
                }
                *batch = 0;
                op(&mut p, Op::Mark);
                if self.budget < 0 {
                    self.end(p);
                    return Outcome::Pause(Pause::Interrupt);
                }
            }
            match self.find_or_put(set) {
                Some(index) => {
                    op(&mut p, Op::PopMark);
                    self.get(&mut p, index);
                }
                None => {
                    op(&mut p, Op::FrozenSet);
                    self.memoize(&mut p);
                }
            }
            self.end(p);
            Outcome::End
        }
    }
}
