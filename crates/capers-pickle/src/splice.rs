//! Instructions put into a finished pickle.
//!
//! Some things are known only when all has been written: whether an object that was written as a copy travels by itself,
//! too. What follows from that is a few instructions at places noted before. Here they are put in, and the frames around
//! them grow; nothing is decided here.

use crate::error::Error;
use crate::opcode::Op;
use crate::reader::{Argument, Instruction, Instructions};

/// How often the instructions of `data` that begin at `from` or later push what is memoized under `index`.
///
/// # Errors
///
/// Fails where `data` is not a pickle, or the end of one.
pub fn count_gets(data: &[u8], index: usize, from: usize) -> Result<usize, Error> {
    let mut count = 0;
    for instruction in Instructions::new(data) {
        let Instruction { offset, op, argument } = instruction?;
        let is_get = matches!(op, Op::Get | Op::BinGet | Op::LongBinGet);
        if is_get && number(argument) == Some(index as u64) && offset >= from as u64 {
            count += 1;
        }
    }
    Ok(count)
}

/// Where a part of a pickle refers to the memo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Get {
    /// Where the instruction begins.
    pub start: usize,
    /// The offset of the instruction after it.
    pub end: usize,
    /// The memo index.
    pub index: usize,
}

/// The places where `part`, whole instructions without the end of a pickle, refers to the memo.
///
/// # Errors
///
/// Fails where `part` is no sequence of instructions.
pub fn gets(part: &[u8]) -> Result<Vec<Get>, Error> {
    let mut gets = Vec::new();
    let mut instructions = Instructions::new(part);
    while !instructions.rest().is_empty() {
        let Some(instruction) = instructions.next() else { break };
        let Instruction { offset, op, argument } = instruction?;
        if let (Op::Get | Op::BinGet | Op::LongBinGet, Some(index)) = (op, number(argument)) {
            let end = part.len() - instructions.rest().len();
            gets.push(Get { start: offset as usize, end, index: index as usize });
        }
    }
    Ok(gets)
}

/// `data` with the given bytes put in at the given offsets, which are those of instructions and in ascending order.
///
/// What is put in at the end of a frame becomes part of it.
///
/// # Errors
///
/// Fails where `data` is not a pickle, or the end of one.
pub fn insert(data: &[u8], places: &[(usize, Vec<u8>)]) -> Result<Vec<u8>, Error> {
    let added: usize = places.iter().map(|it| it.1.len()).sum();
    let mut out = Vec::with_capacity(data.len() + added);
    let mut copied = 0;
    let mut next = 0;
    for instruction in Instructions::new(data) {
        let Instruction { offset, op, argument } = instruction?;
        let (Op::Frame, Some(length)) = (op, number(argument)) else { continue };
        let start = offset as usize + 9;
        let end = start + length as usize;
        copy(data, places, &mut copied, &mut next, offset as usize, &mut out);
        let grown: usize = places[next..].iter().take_while(|it| it.0 <= end).map(|it| it.1.len()).sum();
        out.push(Op::Frame as u8);
        out.extend_from_slice(&(length + grown as u64).to_le_bytes());
        copied = start;
    }
    copy(data, places, &mut copied, &mut next, data.len(), &mut out);
    Ok(out)
}

fn number(argument: Argument<'_>) -> Option<u64> {
    match argument {
        Argument::Line(line) => str::from_utf8(line).ok()?.parse().ok(),
        Argument::Int(number) => u64::try_from(number).ok(),
        Argument::Unsigned(number) => Some(number),
        _ => None,
    }
}

/// Copies up to `until`, with what is put in before or there.
fn copy(
    data: &[u8],
    places: &[(usize, Vec<u8>)],
    copied: &mut usize,
    next: &mut usize,
    until: usize,
    out: &mut Vec<u8>,
) {
    while let Some((place, bytes)) = places.get(*next).filter(|it| it.0 <= until) {
        out.extend_from_slice(&data[*copied..*place]);
        out.extend_from_slice(bytes);
        *copied = *place;
        *next += 1;
    }
    out.extend_from_slice(&data[*copied..until]);
    *copied = until;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gets_of_every_width_are_counted_from_an_offset_on() {
        let data = b"]p1\ng1\nh\x01j\x01\x00\x00\x00h\x02.";
        assert_eq!(count_gets(data, 1, 0), Ok(3));
        assert_eq!(count_gets(data, 1, 5), Ok(2));
        assert_eq!(count_gets(data, 2, 0), Ok(1));
    }

    #[test]
    fn frames_grow_around_what_is_put_in() {
        let data = b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00(K\x01K\x02\x95\x02\x00\x00\x00\x00\x00\x00\x00t.";
        let got = insert(data, &[(14, b"00".to_vec()), (16, b"1".to_vec()), (26, b"2".to_vec())]);
        let want = b"\x80\x04\x95\x08\x00\x00\x00\x00\x00\x00\x00(K\x0100K\x021\x95\x03\x00\x00\x00\x00\x00\x00\x00t2.";
        assert_eq!(got.as_deref(), Ok(&want[..]));
    }

    #[test]
    fn without_frames_bytes_are_put_in_as_they_are() {
        assert_eq!(insert(b"(N.", &[(1, b"0".to_vec())]).as_deref(), Ok(&b"(0N."[..]));
        assert_eq!(insert(b"(N.", &[]).as_deref(), Ok(&b"(N."[..]));
    }

    #[test]
    fn what_is_no_pickle_is_an_error() {
        assert!(insert(b"\xff", &[]).is_err());
        assert!(count_gets(b"\xff", 0, 0).is_err());
    }
}
