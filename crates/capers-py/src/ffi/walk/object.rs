//! One object of a walk: written at once, or opened where it has parts.
#![expect(clippy::inline_always, reason = "the hottest loop of all, written apart to be read")]

use capers_pickle::Op;
use pyo3::ffi;

use super::{LARGE, Object, Saved, Walker};
use crate::ffi::layout::{self, Characters};

impl Walker<'_, '_> {
    #[inline(always)]
    pub(super) unsafe fn get(&self, p: &mut *mut u8, index: u32) {
        // SAFETY: invariant WALK.
        unsafe {
            if index < 256 {
                op_with(p, Op::BinGet as u8, u64::from(index), 1);
            } else {
                op_with(p, Op::LongBinGet as u8, u64::from(index), 4);
            }
        }
    }

    /// The index of `key` in the memo, or a new entry for it.
    #[inline(always)]
    pub(super) unsafe fn find_or_put(&mut self, key: Object) -> Option<u32> {
        if !self.memo.has_room() {
            self.memo.reserve(1);
        }
        // SAFETY: invariant WALK.
        unsafe { self.memo.find_or_put(key, self.next) }
    }

    /// Ends an object that `find_or_put` has just put into the memo.
    #[inline(always)]
    pub(super) unsafe fn memoize(&mut self, p: &mut *mut u8) {
        // SAFETY: invariant WALK.
        unsafe { op(p, Op::Memoize) };
        self.next += 1;
    }

    /// Writes an object that needs no level, or opens one that does.
    ///
    /// The place to write to stays in a register: it goes through `at` only where a call is not inlined.
    #[inline(always)]
    pub(super) unsafe fn save(&mut self, p: &mut *mut u8, item: Object) -> Saved {
        // SAFETY: invariant WALK.
        unsafe {
            if *p >= self.soft {
                self.at = *p;
                let ready = self.make_room();
                *p = self.at;
                if !ready {
                    return Saved::Flush;
                }
            }
            let kind = layout::type_of(item);
            if kind == &raw mut ffi::PyUnicode_Type {
                if let Some((data, len)) = layout::ascii(item)
                    && len < 256
                {
                    match self.find_or_put(item) {
                        Some(index) => self.get(p, index),
                        None => {
                            p.write(Op::ShortBinUnicode as u8);
                            p.add(1).write(len as u8);
                            copy_short(data, p.add(2), len);
                            *p = p.add(2 + len);
                            self.memoize(p);
                        }
                    }
                    return Saved::Done;
                }
                self.at = *p;
                let saved = self.other_text(item);
                *p = self.at;
                return saved;
            }
            if kind == &raw mut ffi::PyLong_Type {
                let (digits, count, negative) = layout::digits(item);
                if count <= 1 {
                    let size = if count == 0 { 0 } else { i64::from(digits.read()) };
                    small_int(p, if negative { -size } else { size });
                    return Saved::Done;
                }
                self.at = *p;
                let saved = self.long_int(item);
                *p = self.at;
                return saved;
            }
            if kind == &raw mut ffi::PyFloat_Type {
                op_with(p, Op::BinFloat as u8, layout::float(item).to_bits().swap_bytes(), 8);
                return Saved::Done;
            }
            if item == ffi::Py_None() {
                op(p, Op::None);
                return Saved::Done;
            }
            if kind == &raw mut ffi::PyBool_Type {
                op(p, if item == ffi::Py_True() { Op::NewTrue } else { Op::NewFalse });
                return Saved::Done;
            }
            if kind == &raw mut ffi::PyTuple_Type {
                return self.open_tuple(p, item);
            }
            if kind == &raw mut ffi::PyDict_Type {
                return self.open_dict(p, item);
            }
            if kind == &raw mut ffi::PyList_Type {
                return self.open_list(p, item);
            }
            self.at = *p;
            let saved = self.rare(item, kind);
            *p = self.at;
            saved
        }
    }

    #[inline(never)]
    unsafe fn rare(&mut self, item: Object, kind: *mut ffi::PyTypeObject) -> Saved {
        // SAFETY: invariant WALK.
        unsafe {
            let mut p = self.at;
            let saved = if let Some(index) = self.memo.find(item) {
                self.get(&mut p, index);
                Saved::Done
            } else if kind == &raw mut ffi::PyBytes_Type {
                return self.bytes(item);
            } else if kind == &raw mut ffi::PySet_Type {
                op(&mut p, Op::EmptySet);
                self.find_or_put(item);
                self.memoize(&mut p);
                if ffi::PySet_Size(item) == 0 { Saved::Done } else { Saved::Set }
            } else if kind == &raw mut ffi::PyFrozenSet_Type {
                op(&mut p, Op::Mark);
                Saved::FrozenSet
            } else {
                return self.instance(item, kind);
            };
            self.at = p;
            saved
        }
    }

    /// Strings that are longer or not ASCII.
    #[inline(never)]
    unsafe fn other_text(&mut self, item: Object) -> Saved {
        // SAFETY: invariant WALK.
        unsafe {
            if let Some(index) = self.memo.find(item) {
                let mut p = self.at;
                self.get(&mut p, index);
                self.at = p;
                return Saved::Done;
            }
            let form = match layout::ascii(item) {
                Some((data, len)) => Characters::Utf8(data, len),
                None => layout::characters(item),
            };
            let most = match form {
                Characters::Utf8(_, len) => len,
                Characters::One(_, len) => len.saturating_mul(2),
                Characters::Two(_, len) => len.saturating_mul(3),
                Characters::Four(_, len) => len.saturating_mul(4),
                Characters::Other => LARGE,
            };
            if most >= LARGE {
                return Saved::Other;
            }
            self.need(most + 16);
            let mut p = self.at;
            // A header of two bytes where the text can only be short, else one of five, closed up if it is short after all.
            let head = if most < 256 { 2 } else { 5 };
            let start = p.add(head);
            let end = match form {
                Characters::Utf8(data, len) => {
                    std::ptr::copy_nonoverlapping(data, start, len);
                    start.add(len)
                }
                Characters::One(data, len) => encode(data, len, start),
                Characters::Two(data, len) => encode(data, len, start),
                Characters::Four(data, len) => encode(data, len, start),
                Characters::Other => return Saved::Other,
            };
            let len = end as usize - start as usize;
            if len < 256 {
                if head == 5 {
                    std::ptr::copy(start, p.add(2), len);
                }
                p.write(Op::ShortBinUnicode as u8);
                p.add(1).write(len as u8);
                p = p.add(2 + len);
            } else {
                p.write(Op::BinUnicode as u8);
                p.add(1).cast::<u32>().write_unaligned((len as u32).to_le());
                p = end;
            }
            self.find_or_put(item);
            self.memoize(&mut p);
            self.at = p;
            Saved::Done
        }
    }

    unsafe fn bytes(&mut self, item: Object) -> Saved {
        // SAFETY: invariant WALK.
        unsafe {
            let (data, len) = layout::bytes(item);
            if len >= LARGE {
                return Saved::Other;
            }
            if len >= 256 {
                self.need(len + 16);
            }
            let mut p = self.at;
            if len < 256 {
                p.write(Op::ShortBinBytes as u8);
                p.add(1).write(len as u8);
                copy_short(data, p.add(2), len);
                p = p.add(2 + len);
            } else {
                op_with(&mut p, Op::BinBytes as u8, len as u64, 4);
                std::ptr::copy_nonoverlapping(data, p, len);
                p = p.add(len);
            }
            self.find_or_put(item);
            self.memoize(&mut p);
            self.at = p;
            Saved::Done
        }
    }

    #[inline(never)]
    unsafe fn long_int(&mut self, item: Object) -> Saved {
        // SAFETY: invariant WALK.
        unsafe {
            let (digits, count, negative) = layout::digits(item);
            let mut p = self.at;
            if count <= 4 {
                let mut value: i128 = 0;
                for place in (0..count).rev() {
                    value = value << 30 | i128::from(digits.add(place).read());
                }
                if negative {
                    value = -value;
                }
                if let Ok(small) = i32::try_from(value) {
                    small_int(&mut p, small.into());
                    self.at = p;
                    return Saved::Done;
                }
                // One bit is for the sign.
                let bits = 128 - if value < 0 { !value } else { value }.leading_zeros();
                let len = bits as usize / 8 + 1;
                p.write(Op::Long1 as u8);
                p.add(1).write(len as u8);
                p.add(2).cast::<i128>().write_unaligned(value.to_le());
                self.at = p.add(2 + len);
                return Saved::Done;
            }
            // Up to 255 bytes; longer ones are rare enough for the general code.
            if count > 67 {
                return Saved::Other;
            }
            let start = p.add(2);
            let (mut at, mut held, mut bits) = (0, 0u64, 0);
            // Two's complement on the way: the digits of a negative number are inverted, plus one.
            let mut carry = u64::from(negative);
            for place in 0..count {
                let mut digit = u64::from(digits.add(place).read());
                if negative {
                    digit = (digit ^ 0x3fff_ffff) + carry;
                    carry = digit >> 30;
                    digit &= 0x3fff_ffff;
                }
                held |= digit << bits;
                bits += 30;
                while bits >= 8 {
                    start.add(at).write(held as u8);
                    held >>= 8;
                    bits -= 8;
                    at += 1;
                }
            }
            let sign = if negative { 0xff } else { 0 };
            start.add(at).write(held as u8 | (sign << bits) as u8);
            start.add(at + 1).write(sign as u8);
            let mut len = at + 2;
            while len > 1
                && start.add(len - 1).read() == sign as u8
                && (start.add(len - 2).read() ^ sign as u8) & 0x80 == 0
            {
                len -= 1;
            }
            if len > 255 {
                return Saved::Other;
            }
            p.write(Op::Long1 as u8);
            p.add(1).write(len as u8);
            self.at = p.add(2 + len);
            Saved::Done
        }
    }

    #[inline(always)]
    pub(super) unsafe fn open_tuple(&mut self, p: &mut *mut u8, item: Object) -> Saved {
        // SAFETY: invariant WALK.
        unsafe {
            let (_, len) = layout::tuple(item);
            if len == 0 {
                op(p, Op::EmptyTuple);
                return Saved::Done;
            }
            if let Some(index) = self.memo.find(item) {
                self.get(p, index);
                return Saved::Done;
            }
            if len > 3 {
                op(p, Op::Mark);
            }
            Saved::Tuple
        }
    }

    #[inline(always)]
    pub(super) unsafe fn open_list(&mut self, p: &mut *mut u8, item: Object) -> Saved {
        // SAFETY: invariant WALK.
        unsafe {
            if let Some(index) = self.find_or_put(item) {
                self.get(p, index);
                return Saved::Done;
            }
            op(p, Op::EmptyList);
            self.memoize(p);
            match layout::list(item).1 {
                0 => Saved::Done,
                len => {
                    if len > 1 {
                        op(p, Op::Mark);
                    }
                    Saved::List
                }
            }
        }
    }

    #[inline(always)]
    pub(super) unsafe fn open_dict(&mut self, p: &mut *mut u8, item: Object) -> Saved {
        // SAFETY: invariant WALK.
        unsafe {
            if let Some(index) = self.find_or_put(item) {
                if !self.plain_dicts {
                    return Saved::Other;
                }
                self.get(p, index);
                return Saved::Done;
            }
            op(p, Op::EmptyDict);
            self.memoize(p);
            if layout::dict_len(item) == 0 { Saved::Done } else { Saved::Dict }
        }
    }
}

/// Writes one byte.
///
/// # Safety
/// There must be room at `p`.
#[inline(always)]
pub(super) unsafe fn op(p: &mut *mut u8, op: Op) {
    // SAFETY: alive, type: room, as the caller promises. shared: the output is ours. runs: nothing.
    unsafe {
        p.write(op as u8);
        *p = p.add(1);
    }
}

/// Writes an opcode and the lowest `len` bytes of a little-endian argument.
///
/// # Safety
/// There must be room for nine bytes at `p`.
#[inline(always)]
unsafe fn op_with(p: &mut *mut u8, op: u8, argument: u64, len: usize) {
    // SAFETY: alive, type: room, as the caller promises; what is written too far is written over. shared: ours. runs: nothing.
    unsafe {
        p.write(op);
        p.add(1).cast::<u64>().write_unaligned(argument.to_le());
        *p = p.add(1 + len);
    }
}

/// Copies up to 255 bytes.
///
/// # Safety
/// `from` must hold `len` bytes, and there must be room for them at `to`.
#[inline(always)]
unsafe fn copy_short(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: alive, type: as the caller promises; each branch stays within `len` bytes, reading and writing some of them
    // twice. shared: the source does not change, the target is ours. runs: nothing.
    unsafe {
        if len >= 16 {
            let mut at = 0;
            while at + 16 < len {
                to.add(at).cast::<u128>().write_unaligned(from.add(at).cast::<u128>().read_unaligned());
                at += 16;
            }
            to.add(len - 16).cast::<u128>().write_unaligned(from.add(len - 16).cast::<u128>().read_unaligned());
        } else if len >= 8 {
            to.cast::<u64>().write_unaligned(from.cast::<u64>().read_unaligned());
            to.add(len - 8).cast::<u64>().write_unaligned(from.add(len - 8).cast::<u64>().read_unaligned());
        } else if len >= 4 {
            to.cast::<u32>().write_unaligned(from.cast::<u32>().read_unaligned());
            to.add(len - 4).cast::<u32>().write_unaligned(from.add(len - 4).cast::<u32>().read_unaligned());
        } else {
            for at in 0..len {
                to.add(at).write(from.add(at).read());
            }
        }
    }
}

/// Writes an int of 32 bits.
#[inline(always)]
pub(super) unsafe fn small_int(p: &mut *mut u8, value: i64) {
    const OPS: [u8; 3] = [Op::BinInt1 as u8, Op::BinInt2 as u8, Op::BinInt as u8];
    const LENGTHS: [usize; 3] = [1, 2, 4];
    // Without a branch: numbers of mixed sizes would be guessed wrongly.
    let size = usize::from(value as u64 > 0xff) + usize::from(value as u64 > 0xffff);
    // SAFETY: invariant WALK.
    unsafe { op_with(p, OPS[size], value as u64, LENGTHS[size]) };
}

/// Writes code points as UTF-8, lone surrogates in the same manner as all others; returns the end.
#[inline]
unsafe fn encode<T: Copy + Into<u32>>(data: *const T, len: usize, mut to: *mut u8) -> *mut u8 {
    // SAFETY: invariant WALK.
    unsafe {
        for at in 0..len {
            let point: u32 = data.add(at).read().into();
            if point < 0x80 {
                to.write(point as u8);
                to = to.add(1);
            } else if point < 0x800 {
                to.write(0xc0 | (point >> 6) as u8);
                to.add(1).write(0x80 | (point & 0x3f) as u8);
                to = to.add(2);
            } else if point < 0x1_0000 {
                to.write(0xe0 | (point >> 12) as u8);
                to.add(1).write(0x80 | (point >> 6 & 0x3f) as u8);
                to.add(2).write(0x80 | (point & 0x3f) as u8);
                to = to.add(3);
            } else {
                to.write(0xf0 | (point >> 18) as u8);
                to.add(1).write(0x80 | (point >> 12 & 0x3f) as u8);
                to.add(2).write(0x80 | (point >> 6 & 0x3f) as u8);
                to.add(3).write(0x80 | (point & 0x3f) as u8);
                to = to.add(4);
            }
        }
        to
    }
}
