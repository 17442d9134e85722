//! Where the bytes of a pickle come from, and how arguments are decoded from them.
//!
//! A [`Source`] hands out slices of what it holds; nothing is copied on the way to the host. It never asks for memory
//! ahead of the bytes it has seen. The decoding functions below are shared by the machine and by [`Instructions`], the
//! reader that lists a pickle without running it; both therefore agree on lengths, signs and line ends, which are those
//! of CPython's `Modules/_pickle.c`.
#![expect(clippy::inline_always, reason = "the compiler leaves these few instructions out of line in the big loop")]

use crate::error::{Error, ErrorKind, Locate};
use crate::opcode::{Arg, Op};

/// A stream of bytes that is read once, front to back.
pub trait Source {
    /// What can go wrong while reading.
    type Error;

    /// How many bytes were taken so far.
    fn offset(&self) -> u64;

    /// The next byte, or `None` at the end.
    fn next_byte(&mut self) -> Result<Option<u8>, Self::Error>;

    /// Whether so many bytes had better be read by [`Source::read_into`] than by [`Source::take`], because they are not
    /// held in a form that can be lent.
    fn prefers_copy(&self, _count: usize) -> bool {
        false
    }

    /// Exactly `count` bytes.
    fn take(&mut self, count: usize) -> Result<&[u8], Self::Error>;

    /// Bytes up to and including the next newline.
    fn line(&mut self) -> Result<&[u8], Self::Error>;

    /// Fill `out` with the next bytes.
    fn read_into(&mut self, out: &mut [u8]) -> Result<(), Self::Error>;

    /// As [`Source::read_into`] for the bytes of a text, which CPython takes from whatever a file returns; for those of other
    /// objects it asks for bytes.
    fn read_text_into(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.read_into(out)
    }

    /// Make `count` bytes available without taking them: what `FRAME` asks for. A strict source also holds what follows to
    /// the frame: no argument may cross its end.
    fn frame(&mut self, count: u64) -> Result<(), Self::Error>;

    /// The pickle ended here; give back what was read too far.
    fn finish(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A source that may hand out what it reads as a value of the host.
pub trait Ready<V>: Source {
    /// The next `count` bytes as a bytes object, where the source gets one of just these bytes; `None` and nothing read where it
    /// does not.
    fn ready(&mut self, _count: usize) -> Result<Option<V>, Self::Error> {
        Ok(None)
    }
}

/// Where reading may go on to: the end of the current frame, or of the data.
///
/// Sources share this bookkeeping. CPython's C unpickler ignores frames up to 3.13 and holds streams to them from 3.14 on
/// (gh-154848); `strict` says which.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The next byte.
    pub at: usize,
    /// Where the frame ends, or all that is held.
    limit: usize,
    in_frame: bool,
    strict: bool,
}

impl Bounds {
    /// The bounds of `held` bytes.
    #[must_use]
    pub fn new(held: usize, strict: bool) -> Bounds {
        Bounds { at: 0, limit: held, in_frame: false, strict }
    }

    /// Whether `count` bytes can be taken at once.
    #[inline(always)]
    #[must_use]
    pub fn has(&self, count: usize) -> bool {
        count <= self.limit - self.at
    }

    /// After [`Bounds::has`] said no: leave the frame where it has been read to its end. Then ask again.
    #[cold]
    pub fn leave_frame(&mut self, held: usize) -> Result<(), Error> {
        if self.in_frame && self.at < self.limit {
            return Err(Error::new(ErrorKind::FrameExhausted));
        }
        self.in_frame = false;
        self.limit = held;
        Ok(())
    }

    /// Whether a frame of `count` bytes may begin here; its length as a size.
    pub fn check_frame(&mut self, count: u64, held: usize) -> Result<usize, Error> {
        if self.in_frame && self.at < self.limit {
            return Err(Error::new(ErrorKind::FrameNested));
        }
        self.in_frame = false;
        self.limit = held;
        match isize::try_from(count) {
            Ok(count) => Ok(count.unsigned_abs()),
            Err(_) => Err(Error::new(ErrorKind::TooLong)),
        }
    }

    /// Begin a frame of `count` bytes, all of which are held.
    pub fn enter_frame(&mut self, count: usize) {
        if self.strict {
            self.in_frame = true;
            self.limit = self.at + count;
        }
    }

    /// The bounds of `held` other bytes that take the place of those before.
    #[must_use]
    pub fn renewed(&self, held: usize) -> Bounds {
        Bounds::new(held, self.strict)
    }
}

/// A pickle in memory.
#[derive(Clone, Debug)]
pub struct SliceSource<'a> {
    data: &'a [u8],
    bounds: Bounds,
}

impl<'a> SliceSource<'a> {
    /// Read from the beginning of `data`, frames being no more than a hint.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        SliceSource::with_frames(data, false)
    }

    /// Read from the beginning of `data`; `strict` says whether arguments must not cross the end of their frame.
    #[must_use]
    pub fn with_frames(data: &'a [u8], strict: bool) -> Self {
        SliceSource { data, bounds: Bounds::new(data.len(), strict) }
    }

    #[inline(always)]
    fn need(&mut self, count: usize) -> Result<(), Error> {
        if !self.bounds.has(count) {
            self.bounds.leave_frame(self.data.len())?;
            if !self.bounds.has(count) {
                return Err(truncated());
            }
        }
        Ok(())
    }

    /// As [`Source::take`], with the lifetime of the data.
    #[inline(always)]
    pub fn slice(&mut self, count: usize) -> Result<&'a [u8], Error> {
        self.need(count)?;
        let at = self.bounds.at;
        self.bounds.at += count;
        Ok(&self.data[at..at + count])
    }

    /// As [`Source::line`], with the lifetime of the data.
    pub fn slice_line(&mut self) -> Result<&'a [u8], Error> {
        self.need(1)?;
        let held = &self.data[self.bounds.at..self.bounds.limit];
        let end = held.iter().position(|&byte| byte == b'\n').unwrap_or(held.len());
        self.slice(end + 1)
    }

    /// What was not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        &self.data[self.bounds.at..]
    }
}

#[cold]
fn truncated() -> Error {
    Error::new(ErrorKind::Truncated)
}

impl Source for SliceSource<'_> {
    type Error = Error;

    #[inline(always)]
    fn offset(&self) -> u64 {
        self.bounds.at as u64
    }

    #[inline(always)]
    fn next_byte(&mut self) -> Result<Option<u8>, Error> {
        if !self.bounds.has(1) {
            self.bounds.leave_frame(self.data.len())?;
        }
        let byte = self.data.get(self.bounds.at).copied();
        self.bounds.at += usize::from(byte.is_some());
        Ok(byte)
    }

    #[inline(always)]
    fn take(&mut self, count: usize) -> Result<&[u8], Error> {
        self.slice(count)
    }

    fn line(&mut self) -> Result<&[u8], Error> {
        self.slice_line()
    }

    fn read_into(&mut self, out: &mut [u8]) -> Result<(), Error> {
        out.copy_from_slice(self.slice(out.len())?);
        Ok(())
    }

    fn frame(&mut self, count: u64) -> Result<(), Error> {
        let count = self.bounds.check_frame(count, self.data.len())?;
        if !self.bounds.has(count) {
            return Err(truncated());
        }
        self.bounds.enter_frame(count);
        Ok(())
    }
}

impl<V> Ready<V> for SliceSource<'_> {}

/// The next `N` bytes as an array.
#[inline(always)]
pub fn array<const N: usize, S: Source>(source: &mut S) -> Result<[u8; N], S::Error> {
    let mut out = [0; N];
    out.copy_from_slice(source.take(N)?);
    Ok(out)
}

/// A length of `WIDTH` bytes, unsigned, little-endian; `TooLong` beyond what C's `Py_ssize_t` holds.
#[inline(always)]
pub fn length<const WIDTH: usize, S: Source, E: From<Error> + From<S::Error>>(source: &mut S) -> Result<usize, E> {
    let mut wide = [0; 8];
    wide[..WIDTH].copy_from_slice(source.take(WIDTH)?);
    match isize::try_from(u64::from_le_bytes(wide)) {
        Ok(length) => Ok(length.unsigned_abs()),
        Err(_) => Err(Error::new(ErrorKind::TooLong).into()),
    }
}

/// A length of four bytes, signed.
#[inline(always)]
pub fn signed_length<S: Source, E: From<Error> + From<S::Error>>(source: &mut S) -> Result<usize, E> {
    let length = i32::from_le_bytes(array(source)?);
    usize::try_from(length).map_err(|_| Error::new(ErrorKind::NegativeLength).into())
}

/// A line with at least one byte before its newline; the newline is included.
#[inline]
pub fn full_line<S: Source, E: From<Error> + From<S::Error>>(source: &mut S) -> Result<&[u8], E> {
    let line = source.line()?;
    if line.len() < 2 {
        return Err(truncated().into());
    }
    Ok(line)
}

/// The text between the quotes of the line of a `STRING`, escapes and all.
pub fn unquote(line: &[u8]) -> Result<&[u8], Error> {
    match line.strip_suffix(b"\n").unwrap_or(line) {
        [open @ (b'\'' | b'"'), text @ .., close] if open == close => Ok(text),
        _ => Err(Error::new(ErrorKind::Unquoted)),
    }
}

/// The inline argument of an instruction, as the stream has it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Argument<'a> {
    /// No argument.
    None,
    /// A fixed-width integer.
    Int(i64),
    /// An unsigned 64-bit integer.
    Unsigned(u64),
    /// A float.
    Float(f64),
    /// One line of text without its newline.
    Line(&'a [u8]),
    /// Two lines of text without their newlines.
    LinePair(&'a [u8], &'a [u8]),
    /// A two's complement little-endian integer of any size.
    Long(&'a [u8]),
    /// Counted bytes; the opcode says what they mean.
    Bytes(&'a [u8]),
}

/// One instruction of a pickle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instruction<'a> {
    /// Where its opcode is.
    pub offset: u64,
    /// The opcode.
    pub op: Op,
    /// Its argument.
    pub argument: Argument<'a>,
}

/// The instructions of a pickle up to and including `STOP`, none of them run.
#[derive(Clone, Debug)]
pub struct Instructions<'a> {
    source: SliceSource<'a>,
    done: bool,
}

impl<'a> Instructions<'a> {
    /// Read the pickle at the beginning of `data`.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        Instructions { source: SliceSource::new(data), done: false }
    }

    /// What follows the instructions read so far.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.source.rest()
    }
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<Instruction<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let offset = self.source.offset();
        let mut op = None;
        let result = instruction(&mut self.source, &mut op).map_err(|error| error.locate(offset, op));
        self.done = match &result {
            Ok(instruction) => instruction.op == Op::Stop,
            Err(_) => true,
        };
        Some(result)
    }
}

fn instruction<'a>(source: &mut SliceSource<'a>, seen: &mut Option<Op>) -> Result<Instruction<'a>, Error> {
    let offset = source.offset();
    let Some(byte) = source.next_byte()? else {
        return Err(Error::new(ErrorKind::OutOfInput));
    };
    let Some(op) = Op::from_byte(byte) else {
        return Err(Error::new(ErrorKind::UnknownOpcode(byte)));
    };
    *seen = Some(op);
    let argument = argument(op.arg(), source)?;
    Ok(Instruction { offset, op, argument })
}

/// Decode an argument of this kind.
pub fn argument<'a>(kind: Arg, source: &mut SliceSource<'a>) -> Result<Argument<'a>, Error> {
    fn text<'a>(source: &mut SliceSource<'a>) -> Result<&'a [u8], Error> {
        let line = source.slice_line()?;
        Ok(&line[..line.len() - 1])
    }
    fn full<'a>(source: &mut SliceSource<'a>) -> Result<&'a [u8], Error> {
        match text(source)? {
            [] => Err(truncated()),
            line => Ok(line),
        }
    }
    fn counted<'a, const WIDTH: usize>(source: &mut SliceSource<'a>) -> Result<&'a [u8], Error> {
        let count = length::<WIDTH, _, Error>(source)?;
        source.slice(count)
    }
    Ok(match kind {
        Arg::None => Argument::None,
        Arg::U1 => Argument::Int(array::<1, _>(source)?[0].into()),
        Arg::U2 => Argument::Int(u16::from_le_bytes(array(source)?).into()),
        Arg::I4 => Argument::Int(i32::from_le_bytes(array(source)?).into()),
        Arg::U4 => Argument::Int(u32::from_le_bytes(array(source)?).into()),
        Arg::U8 => Argument::Unsigned(u64::from_le_bytes(array(source)?)),
        Arg::F8 => Argument::Float(f64::from_be_bytes(array(source)?)),
        Arg::DecimalLine | Arg::LongLine | Arg::FloatLine => Argument::Line(full(source)?),
        Arg::Line | Arg::UnicodeLine => Argument::Line(text(source)?),
        Arg::StringLine => {
            let line = text(source)?;
            unquote(line)?;
            Argument::Line(line)
        }
        Arg::LinePair => Argument::LinePair(full(source)?, full(source)?),
        Arg::Long1 => Argument::Long(counted::<1>(source)?),
        Arg::Long4 => {
            let count = signed_length::<_, Error>(source)?;
            Argument::Long(source.slice(count)?)
        }
        Arg::String1 | Arg::Bytes1 | Arg::Unicode1 => Argument::Bytes(counted::<1>(source)?),
        Arg::String4 | Arg::Bytes4 | Arg::Unicode4 => Argument::Bytes(counted::<4>(source)?),
        Arg::Bytes8 | Arg::ByteArray8 | Arg::Unicode8 => Argument::Bytes(counted::<8>(source)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_knows_its_place() {
        let read: Vec<_> =
            Instructions::new(b"\x80\x04]\x94(K\x01J\xfe\xff\xff\xffe.rest").map(Result::unwrap).collect();
        assert_eq!(read.len(), 8);
        assert_eq!(read[0].argument, Argument::Int(4));
        assert_eq!(read[5].op, Op::BinInt);
        assert_eq!(read[5].argument, Argument::Int(-2));
        assert_eq!(read[5].offset, 7);
    }

    #[test]
    fn hostile_lengths_are_errors_with_a_place() {
        for (data, kind) in [
            (&b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff"[..], ErrorKind::TooLong),
            (b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f", ErrorKind::Truncated),
            (b"B\xff\xff\xff\xff", ErrorKind::Truncated),
            (b"\x8b\xff\xff\xff\xff", ErrorKind::NegativeLength),
            (b"\xff", ErrorKind::UnknownOpcode(0xff)),
            (b"", ErrorKind::OutOfInput),
            (b"I12", ErrorKind::Truncated),
            (b"I\n", ErrorKind::Truncated),
            (b"Sabc\n", ErrorKind::Unquoted),
        ] {
            let error = Instructions::new(data).next().unwrap().unwrap_err();
            assert_eq!(error.kind(), kind, "{data:?}");
            assert_eq!(error.offset(), Some(0));
        }
    }
}
