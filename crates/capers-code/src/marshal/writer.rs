//! The canonical writer: one method call per value, in marshal's order, straight into one byte vector.
//!
//! The bytes are a pure function of the value written (and of the version). What CPython lets show through, reference
//! counts, object identity, interning, the order of a frozenset, is fixed by rule:
//!
//! - **Strings** are keyed by value. The first occurrence carries `FLAG_REF`, later ones are `TYPE_REF`. No other value
//!   carries `FLAG_REF`.
//! - A string is written as *interned* if it is a name ([`Writer::name`]: `co_names`, `co_localsplusnames`), or if it
//!   consists of ASCII letters, digits and underscores only. The code constructor interns exactly these anyway
//!   (`intern_strings` and `intern_constants` in `Objects/codeobject.c`), whatever the bytes say, so a string that comes
//!   first as a constant and later as a name loads the same. File names and qualified names are shared, not interned.
//! - **Frozenset** elements are written without any references and in the order of their bytes. CPython from 3.11 also
//!   orders them by their marshalled bytes.
//! - **Integers** take the short form iff they fit 32 bits, **tuples** iff they have fewer than 256 items.
//!
//! A code object is written in the layout that `marshal.loads` of every version from 3.11 to 3.15 takes:
//!
//! ```text
//! begin_code  argcount posonlyargcount kwonlyargcount stacksize flags
//! bytes       co_code, de-specialised (as the attribute shows it)
//! tuple(n)    co_consts, each constant
//! tuple(n)    co_names, each with `name`
//! tuple(n)    co_localsplusnames, each with `name`
//! bytes       co_localspluskinds
//! str str str co_filename co_name co_qualname
//! raw_long    co_firstlineno
//! bytes bytes co_linetable co_exceptiontable
//! ```
//!
//! The writer trusts its caller for that order and for depth ([`limits::MAX_DEPTH`]); it keeps no stack but
//! that of open frozensets. Errors of leaves (a 3 GiB string) are kept and come out of the next container or of
//! [`Writer::take`], so that the calls in between need no checks.

use super::refs::{Lookup, Refs};
use super::{CodeHeader, since, tag};
use crate::error::{Error, ErrorKind};
use crate::limits;
use crate::version::Version;

/// Writes values in canonical marshal form. Reusable: [`Writer::clear`] keeps the memory.
pub struct Writer {
    out: Vec<u8>,
    refs: Refs,
    version: Version,
    max_output: usize,
    /// One for each open frozenset.
    sets: Vec<OpenSet>,
    /// Where the elements of all open frozensets start, outermost set first.
    starts: Vec<usize>,
    /// Scratch for putting elements in order.
    sorted: Vec<u8>,
    open_dicts: usize,
    failed: Option<ErrorKind>,
}

struct OpenSet {
    /// Where the number of elements stands.
    count_at: usize,
    /// Length of `starts` when this set was opened.
    first_start: usize,
}

impl Writer {
    /// A writer for code objects of `version`.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self::with_max_output(version, limits::MAX_OUTPUT)
    }

    /// A writer that fails once it has written more than `max_output` bytes (at most [`limits::MAX_OUTPUT`]).
    #[must_use]
    pub fn with_max_output(version: Version, max_output: usize) -> Self {
        Self {
            out: Vec::with_capacity(1024),
            refs: Refs::new(),
            version,
            max_output: max_output.min(limits::MAX_OUTPUT),
            sets: Vec::new(),
            starts: Vec::new(),
            sorted: Vec::new(),
            open_dicts: 0,
            failed: None,
        }
    }

    /// Forgets what was written and any error; keeps the memory.
    pub fn clear(&mut self) {
        self.out.clear();
        self.refs.clear();
        self.sets.clear();
        self.starts.clear();
        self.open_dicts = 0;
        self.failed = None;
    }

    /// The bytes written so far, or the first error.
    pub fn as_bytes(&self) -> Result<&[u8], Error> {
        self.check_complete()?;
        Ok(&self.out)
    }

    /// Hands out the bytes, or the first error, and clears the writer either way.
    pub fn take(&mut self) -> Result<Vec<u8>, Error> {
        let result = self.check_complete().map(|()| std::mem::take(&mut self.out));
        self.clear();
        result
    }

    /// `None`.
    pub fn none(&mut self) {
        self.out.push(tag::NONE);
    }

    /// `True`.
    pub fn true_(&mut self) {
        self.out.push(tag::TRUE);
    }

    /// `False`.
    pub fn false_(&mut self) {
        self.out.push(tag::FALSE);
    }

    /// `...`.
    pub fn ellipsis(&mut self) {
        self.out.push(tag::ELLIPSIS);
    }

    /// An integer of up to 32 bits.
    pub fn int(&mut self, value: i32) {
        self.tag_and_i32(tag::INT, value);
    }

    /// An integer of up to 64 bits, in the form its size calls for.
    pub fn int64(&mut self, value: i64) {
        match i32::try_from(value) {
            Ok(value) => self.int(value),
            Err(_) => self.long_digits(value < 0, &value.unsigned_abs().to_le_bytes()),
        }
    }

    /// An integer of any size from its sign and the little-endian bytes of its magnitude, zeros at the end allowed.
    pub fn long_from_le_bytes(&mut self, negative: bool, magnitude: &[u8]) {
        let len = magnitude.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        if len <= 4 {
            let mut word = [0; 4];
            word[..len].copy_from_slice(&magnitude[..len]);
            let value = i64::from(u32::from_le_bytes(word));
            if let Ok(value) = i32::try_from(if negative { -value } else { value }) {
                return self.int(value);
            }
        }
        self.long_digits(negative, &magnitude[..len]);
    }

    /// A float, by its bits.
    pub fn float(&mut self, value: f64) {
        self.out.push(tag::BINARY_FLOAT);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// A complex number, by its bits.
    pub fn complex(&mut self, real: f64, imag: f64) {
        self.out.push(tag::BINARY_COMPLEX);
        self.out.extend_from_slice(&real.to_le_bytes());
        self.out.extend_from_slice(&imag.to_le_bytes());
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) {
        self.tag_and_len(tag::STRING, value.len());
        self.out.extend_from_slice(value);
    }

    /// A byte string of `len` bytes that `fill` writes in place, into zeros.
    pub fn bytes_with(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) {
        self.tag_and_len(tag::STRING, len);
        let start = self.out.len();
        self.out.resize(start + len, 0);
        fill(&mut self.out[start..]);
    }

    /// A string that is a constant, a file name, a name or qualified name of code.
    ///
    /// `value` is the string in UTF-8, surrogates encoded as `surrogatepass` does; `ascii` must say whether it is ASCII.
    #[inline]
    pub fn str(&mut self, value: &[u8], ascii: bool) {
        let interned = ascii && value.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_');
        self.string(value, ascii, interned);
    }

    /// A string that the code looks names up by: an item of `co_names` or `co_localsplusnames`. Arguments as for
    /// [`str`](Self::str).
    #[inline]
    pub fn name(&mut self, value: &[u8], ascii: bool) {
        self.string(value, ascii, true);
    }

    /// A tuple; its `len` items follow.
    pub fn tuple(&mut self, len: usize) -> Result<(), Error> {
        self.check_size()?;
        match u8::try_from(len) {
            Ok(len) => self.out.extend_from_slice(&[tag::SMALL_TUPLE, len]),
            Err(_) => self.tag_and_len(tag::TUPLE, len),
        }
        Ok(())
    }

    /// A slice; start, stop and step follow. Fails before 3.14, whose marshal was the first to have slices.
    pub fn slice(&mut self) -> Result<(), Error> {
        self.need(since::SLICE, "slice")?;
        self.out.push(tag::SLICE);
        Ok(())
    }

    /// Opens a frozendict; keys and values follow in turn, in the order of the dict, then [`Self::end_frozendict`]. Fails
    /// before 3.15, whose marshal was the first to have frozendicts.
    pub fn begin_frozendict(&mut self) -> Result<(), Error> {
        self.need(since::FROZENDICT, "frozendict")?;
        self.open_dicts += 1;
        self.out.push(tag::FROZENDICT);
        Ok(())
    }

    /// Closes a frozendict.
    pub fn end_frozendict(&mut self) {
        match self.open_dicts.checked_sub(1) {
            Some(rest) => self.open_dicts = rest,
            None => self.fail(ErrorKind::Unbalanced),
        }
        self.out.push(tag::NULL);
    }

    /// Opens a frozenset. For each element, in any order: [`Self::element`], then the value; then [`Self::end_frozenset`].
    pub fn begin_frozenset(&mut self) -> Result<(), Error> {
        if self.sets.len() == limits::MAX_OPEN_FROZENSETS {
            self.fail(ErrorKind::TooDeep);
        }
        self.check_size()?;
        self.out.push(tag::FROZENSET);
        self.sets.push(OpenSet { count_at: self.out.len(), first_start: self.starts.len() });
        self.out.extend_from_slice(&[0; 4]);
        Ok(())
    }

    /// Starts the next element of the innermost open frozenset.
    pub fn element(&mut self) {
        if self.sets.is_empty() {
            self.fail(ErrorKind::Unbalanced);
        }
        self.starts.push(self.out.len());
    }

    /// Closes a frozenset: counts its elements and puts them in order.
    pub fn end_frozenset(&mut self) {
        let Some(set) = self.sets.pop() else {
            return self.fail(ErrorKind::Unbalanced);
        };
        let starts = &mut self.starts[set.first_start..];
        self.out[set.count_at..set.count_at + 4].copy_from_slice(&(starts.len() as u32).to_le_bytes());
        if starts.len() > 1 {
            let first = starts[0];
            let end = self.out.len();
            let out = &self.out;
            let mut elements: Vec<&[u8]> =
                starts.iter().zip(starts[1..].iter().chain([&end])).map(|(&from, &to)| &out[from..to]).collect();
            elements.sort_unstable();
            self.sorted.clear();
            for element in elements {
                self.sorted.extend_from_slice(element);
            }
            self.out[first..].copy_from_slice(&self.sorted);
        }
        self.starts.truncate(set.first_start);
    }

    /// Opens a code object; its fields follow in the order the module documentation gives.
    pub fn begin_code(&mut self, header: &CodeHeader) -> Result<(), Error> {
        self.check_size()?;
        self.out.push(tag::CODE);
        for number in [header.argcount, header.posonlyargcount, header.kwonlyargcount, header.stacksize, header.flags] {
            self.raw_long(number);
        }
        Ok(())
    }

    /// A bare 32-bit number without a type byte: `co_firstlineno`.
    pub fn raw_long(&mut self, value: i32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn string(&mut self, value: &[u8], ascii: bool, interned: bool) {
        debug_assert_eq!(ascii, value.is_ascii());
        let short = ascii && value.len() < 256;
        // Inside a frozenset the bytes of an element must not depend on what was written before it.
        let flag = if self.sets.is_empty() {
            let offset = self.out.len() + if short { 2 } else { 5 };
            if offset > limits::MAX_OUTPUT {
                return self.fail(ErrorKind::TooLarge);
            }
            if let Lookup::Known(index) = self.refs.find_or_insert(value, &self.out, offset) {
                return self.tag_and_i32(tag::REF, index as i32);
            }
            tag::FLAG_REF
        } else {
            0
        };
        if short {
            let tag = if interned { tag::SHORT_ASCII_INTERNED } else { tag::SHORT_ASCII };
            self.out.extend_from_slice(&[tag | flag, value.len() as u8]);
        } else {
            let tag = match (ascii, interned) {
                (true, true) => tag::ASCII_INTERNED,
                (true, false) => tag::ASCII,
                (false, true) => tag::INTERNED,
                (false, false) => tag::UNICODE,
            };
            self.tag_and_len(tag | flag, value.len());
        }
        self.out.extend_from_slice(value);
    }

    /// marshal's long: a signed number of digits, then the digits of 15 bits each, lowest first.
    fn long_digits(&mut self, negative: bool, magnitude: &[u8]) {
        self.tag_and_i32(tag::LONG, 0);
        let start = self.out.len();
        let mut bits: u32 = 0;
        let mut have = 0;
        for &byte in magnitude {
            bits |= u32::from(byte) << have;
            have += 8;
            if have >= 15 {
                self.out.extend_from_slice(&((bits & 0x7fff) as u16).to_le_bytes());
                bits >>= 15;
                have -= 15;
            }
        }
        self.out.extend_from_slice(&(bits as u16).to_le_bytes());
        while self.out.len() > start && self.out.ends_with(&[0, 0]) {
            self.out.truncate(self.out.len() - 2);
        }
        let digits = (self.out.len() - start) / 2;
        match i32::try_from(digits) {
            Ok(digits) => {
                let signed = if negative { -digits } else { digits };
                self.out[start - 4..start].copy_from_slice(&signed.to_le_bytes());
            }
            Err(_) => self.fail(ErrorKind::TooLarge),
        }
    }

    #[inline]
    fn tag_and_i32(&mut self, tag: u8, value: i32) {
        let [a, b, c, d] = value.to_le_bytes();
        self.out.extend_from_slice(&[tag, a, b, c, d]);
    }

    #[inline]
    fn tag_and_len(&mut self, tag: u8, len: usize) {
        if len > limits::MAX_LENGTH {
            self.fail(ErrorKind::TooLarge);
        }
        self.tag_and_i32(tag, len as i32);
    }

    #[cold]
    #[inline(never)]
    fn fail(&mut self, kind: ErrorKind) {
        self.failed.get_or_insert(kind);
    }

    fn need(&mut self, marshal_version: u8, found: &'static str) -> Result<(), Error> {
        if self.version.marshal_version() < marshal_version {
            self.fail(ErrorKind::NotConstant { found, version: self.version });
        }
        self.check_size()
    }

    #[inline]
    fn check_size(&mut self) -> Result<(), Error> {
        if self.out.len() > self.max_output {
            self.fail(ErrorKind::TooLarge);
        }
        self.failed.map_or(Ok(()), |kind| Err(Error::new(kind)))
    }

    fn check_complete(&self) -> Result<(), Error> {
        match self.failed {
            Some(kind) => Err(Error::new(kind)),
            None if self.out.len() > self.max_output => Err(Error::new(ErrorKind::TooLarge)),
            None if !self.sets.is_empty() || self.open_dicts > 0 => Err(Error::new(ErrorKind::Unbalanced)),
            None => Ok(()),
        }
    }
}
