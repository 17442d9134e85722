//! A pickle as a listing, one instruction a line, in the manner of `pickletools.dis`.
//!
//! Nothing is run: the listing follows marks and memo indices only as far as reading needs it, and goes on past what the
//! machine would refuse.

use std::fmt::{self, Write};

use crate::error::Error;
use crate::opcode::{Arg, Gives, Op, Takes};
use crate::reader::{Argument, Instruction, Instructions};

/// List the pickle at the beginning of `data`.
///
/// What was listed before an error stands in `out`; the error says where reading stopped.
pub fn write(data: &[u8], out: &mut impl Write) -> Result<(), ListingError> {
    let mut marks: Vec<u64> = Vec::new();
    let mut memoized = 0u64;
    let mut highest = 0;
    for instruction in Instructions::new(data) {
        let Instruction { offset, op, argument } = instruction?;
        let info = op.info();
        highest = highest.max(info.proto);
        let indent = "    ".repeat(marks.len());
        let closes = matches!(info.takes, Takes::ToMark { .. }).then(|| marks.pop()).flatten();
        let byte = op.byte();
        let shown = if byte.is_ascii_graphic() { char::from(byte).to_string() } else { format!("\\x{byte:02x}") };
        write!(out, "{offset:>5}: {shown:<4} {indent}{}", info.name)?;
        let width = info.name.len();
        if argument != Argument::None || closes.is_some() || op == Op::Memoize {
            write!(out, "{:1$}", "", 10usize.saturating_sub(width))?;
        }
        if argument != Argument::None {
            out.write_char(' ')?;
            write_argument(out, op, argument)?;
        }
        if op == Op::Memoize {
            write!(out, " (as {memoized})")?;
        }
        if let Some(mark) = closes {
            write!(out, " (MARK at {mark})")?;
        }
        out.write_char('\n')?;
        match op {
            Op::Memoize | Op::Put | Op::BinPut | Op::LongBinPut => memoized += 1,
            _ if info.gives == Gives::Mark => marks.push(offset),
            _ => {}
        }
    }
    writeln!(out, "highest protocol among opcodes = {highest}")?;
    Ok(())
}

/// Why a listing stopped.
#[derive(Debug)]
pub enum ListingError {
    /// The pickle is not well formed.
    Pickle(Error),
    /// The output refused the text.
    Format(fmt::Error),
}

impl From<Error> for ListingError {
    fn from(error: Error) -> Self {
        ListingError::Pickle(error)
    }
}

impl From<fmt::Error> for ListingError {
    fn from(error: fmt::Error) -> Self {
        ListingError::Format(error)
    }
}

impl fmt::Display for ListingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListingError::Pickle(error) => error.fmt(f),
            ListingError::Format(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ListingError {}

fn write_argument(out: &mut impl Write, op: Op, argument: Argument<'_>) -> fmt::Result {
    match argument {
        Argument::None => Ok(()),
        Argument::Int(value) => write!(out, "{value}"),
        Argument::Unsigned(value) => write!(out, "{value}"),
        Argument::Float(value) => write!(out, "{value:?}"),
        Argument::Line(line) if matches!(op.arg(), Arg::DecimalLine | Arg::LongLine | Arg::FloatLine) => {
            out.write_str(&String::from_utf8_lossy(line))
        }
        Argument::Line(line) if op.arg() == Arg::StringLine => out.write_str(&String::from_utf8_lossy(line)),
        Argument::Line(line) => write_text(out, line),
        Argument::LinePair(module, name) => write_text(out, &[module, b" ", name].concat()),
        Argument::Long(bytes) => write_long(out, bytes),
        Argument::Bytes(bytes) => match op.arg() {
            Arg::Unicode1 | Arg::Unicode4 | Arg::Unicode8 => write_text(out, bytes),
            Arg::ByteArray8 => {
                out.write_str("bytearray(b")?;
                write_bytes(out, bytes)?;
                out.write_char(')')
            }
            Arg::String1 | Arg::String4 => write_bytes(out, bytes),
            _ => {
                out.write_char('b')?;
                write_bytes(out, bytes)
            }
        },
    }
}

fn write_text(out: &mut impl Write, utf8: &[u8]) -> fmt::Result {
    out.write_char('\'')?;
    for each in String::from_utf8_lossy(utf8).chars() {
        match each {
            '\'' | '\\' => write!(out, "\\{each}")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            each if each.is_control() => write!(out, "\\x{:02x}", u32::from(each))?,
            each => out.write_char(each)?,
        }
    }
    out.write_char('\'')
}

fn write_bytes(out: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    out.write_char('\'')?;
    for &byte in bytes {
        match byte {
            b'\'' | b'\\' => write!(out, "\\{}", char::from(byte))?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            0x20..=0x7e => out.write_char(char::from(byte))?,
            _ => write!(out, "\\x{byte:02x}")?,
        }
    }
    out.write_char('\'')
}

/// Small ints as numbers; larger ones in hexadecimal, which takes one pass however long they are.
fn write_long(out: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    if bytes.len() <= 16 {
        let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut wide = [if negative { 0xff } else { 0 }; 16];
        wide[..bytes.len()].copy_from_slice(bytes);
        return write!(out, "{}", i128::from_le_bytes(wide));
    }
    out.write_str("0x")?;
    for byte in bytes.iter().rev() {
        write!(out, "{byte:02x}")?;
    }
    out.write_str(" (two's complement)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_reads_like_pickletools() {
        let mut out = String::new();
        write(b"\x80\x04\x95\x0b\0\0\0\0\0\0\0]\x94(K\x01\x8c\x01a\x94e.", &mut out).unwrap();
        let expected = "    0: \\x80 PROTO      4
    2: \\x95 FRAME      11
   11: ]    EMPTY_LIST
   12: \\x94 MEMOIZE    (as 0)
   13: (    MARK
   14: K        BININT1    1
   16: \\x8c     SHORT_BINUNICODE 'a'
   19: \\x94     MEMOIZE    (as 1)
   20: e        APPENDS    (MARK at 13)
   21: .    STOP
highest protocol among opcodes = 4
";
        assert_eq!(out, expected);
    }
}
