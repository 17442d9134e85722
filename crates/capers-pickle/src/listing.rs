//! A pickle as a listing, one instruction a line, in the manner of `pickletools.dis`.
//!
//! Nothing is run: the listing follows marks and memo indices only as far as reading needs it, and goes on past what the
//! machine would refuse.

use std::fmt::{self, Write};

use capers_code::repr::{self, Short};

use crate::error::Error;
use crate::inspect::escapes;
use crate::opcode::{Arg, Gives, Op, Takes};
use crate::reader::{Argument, Instruction, Instructions};

/// How a listing is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether each line says how the instruction changes the height of the stack, and what the height is then.
    pub stack: bool,
    /// The most bytes of an argument that are shown.
    pub longest: usize,
}

impl Style {
    /// As `pickletools.dis` has it.
    pub const PLAIN: Style = Style { stack: false, longest: usize::MAX };
}

/// Marks that are open inside of so many others are not indented further: a million of them would fill terabytes.
const MOST_INDENTED: usize = 32;
const SPACES: &str = match std::str::from_utf8(&[b' '; 4 * MOST_INDENTED]) {
    Ok(spaces) => spaces,
    Err(_) => panic!(),
};

/// List the pickle at the beginning of `data` as `pickletools.dis` does.
///
/// What was listed before an error stands in `out`; the error says where reading stopped.
pub fn write(data: &[u8], out: &mut impl Write) -> Result<(), ListingError> {
    write_in(data, Style::PLAIN, out, |_, _| Ok(()))
}

/// List the pickle at the beginning of `data`. After each instruction, `after` may write more lines.
pub fn write_in<W: Write>(
    data: &[u8],
    style: Style,
    out: &mut W,
    mut after: impl FnMut(&Instruction<'_>, &mut W) -> fmt::Result,
) -> Result<(), ListingError> {
    // For each open mark, its offset and the height of the stack below it.
    let mut marks: Vec<(u64, u64)> = Vec::new();
    let mut height = 0u64;
    let mut memoized = 0u64;
    let mut line = String::new();
    let most_indented = if style.stack { MOST_INDENTED / 2 } else { MOST_INDENTED };
    let mut highest = 0;
    for instruction in Instructions::new(data) {
        let instruction = instruction?;
        let Instruction { offset, op, argument } = instruction;
        let info = op.info();
        highest = highest.max(info.proto);
        let depth = marks.len();
        let before = height;
        let mark_on_top = marks.last().is_some_and(|(_, below)| *below == height);
        let closes = match info.takes {
            Takes::ToMark { .. } => marks.pop(),
            Takes::Values(_) if op == Op::Pop && mark_on_top => marks.pop(),
            Takes::Values(_) => None,
        };
        height = match (info.takes, closes) {
            (Takes::ToMark { below, .. }, Some((_, mark))) => mark.saturating_sub(below.into()),
            (Takes::ToMark { .. }, None) => 0,
            (Takes::Values(_), Some(_)) => height,
            (Takes::Values(count), None) => height.saturating_sub(count.into()),
        };
        if let Gives::Values(count) = info.gives {
            height += u64::from(count);
        }
        line.clear();
        let byte = op.byte();
        push_number(&mut line, offset, 5);
        line.push_str(": ");
        if byte.is_ascii_graphic() {
            line.push(char::from(byte));
            line.push_str("    ");
        } else {
            write!(line, "\\x{byte:02x} ")?;
        }
        if style.stack {
            match height.cast_signed() - before.cast_signed() {
                0 => line.push_str("    "),
                change => write!(line, "{change:>+4}")?,
            }
            line.push(' ');
            push_number(&mut line, height, 3);
            line.push_str("  ");
        }
        line.push_str(&SPACES[..4 * depth.min(most_indented)]);
        line.push_str(info.name);
        if argument != Argument::None || closes.is_some() || op == Op::Memoize {
            line.push_str(&SPACES[..10usize.saturating_sub(info.name.len())]);
        }
        if argument != Argument::None {
            line.push(' ');
            let mut short = Short::new(style.longest);
            push_argument(&mut short, op, argument);
            line.push_str(&short.finish());
        }
        if op == Op::Memoize {
            write!(line, " (as {memoized})")?;
        }
        if let Some((mark, _)) = closes {
            line.push_str(" (MARK at ");
            push_number(&mut line, mark, 0);
            line.push(')');
        }
        line.push('\n');
        out.write_str(&line)?;
        after(&instruction, out)?;
        match op {
            Op::Memoize | Op::Put | Op::BinPut | Op::LongBinPut => memoized += 1,
            _ if info.gives == Gives::Mark => marks.push((offset, height)),
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

/// Append a number, right-aligned in so many columns: a listing of millions of lines is mostly numbers.
fn push_number(line: &mut String, value: u64, width: usize) {
    let mut digits = [b' '; 20];
    let mut at = digits.len();
    let mut rest = value;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let from = at.min(digits.len() - width);
    line.push_str(std::str::from_utf8(&digits[from..]).unwrap_or_default());
}

fn push_argument(out: &mut Short, op: Op, argument: Argument<'_>) {
    match argument {
        Argument::None => {}
        Argument::Int(value) => out.push(&value.to_string()),
        Argument::Unsigned(value) => out.push(&value.to_string()),
        Argument::Float(value) => out.push(&repr::float(value)),
        Argument::Line(line) => push_line(out, op.arg(), line),
        Argument::LinePair(module, name) => out.push_str(&[module, b" ", name].concat()),
        Argument::Long(bytes) => out.push(&repr::int_from_twos_complement(bytes)),
        Argument::Bytes(bytes) => match op.arg() {
            Arg::Unicode1 | Arg::Unicode4 | Arg::Unicode8 => out.push_str(bytes),
            Arg::ByteArray8 => {
                out.push("bytearray(b");
                out.push_bytes(bytes);
                out.push(")");
            }
            Arg::String1 | Arg::String4 => out.push_bytes(bytes),
            _ => {
                out.push("b");
                out.push_bytes(bytes);
            }
        },
    }
}

fn push_line(out: &mut Short, kind: Arg, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    match kind {
        Arg::DecimalLine if line == b"00" => out.push("False"),
        Arg::DecimalLine if line == b"01" => out.push("True"),
        Arg::DecimalLine => out.push(&text),
        Arg::LongLine => out.push(text.strip_suffix('L').unwrap_or(&text)),
        Arg::FloatLine => match text.trim().parse() {
            Ok(value) => out.push(&repr::float(value)),
            Err(_) => out.push(&text),
        },
        Arg::StringLine => {
            let inside = line.get(1..line.len().saturating_sub(1)).unwrap_or_default();
            out.push_bytes(&escapes::literal(inside));
        }
        Arg::UnicodeLine => out.push_str(&escapes::raw_unicode(line)),
        _ => out.push_str(line),
    }
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

    #[test]
    fn a_listing_can_tell_the_height_of_the_stack() {
        let mut out = String::new();
        write_in(b"(](K\x01K\x02e0t.", Style { stack: true, longest: 10 }, &mut out, |_, _| Ok(())).unwrap();
        let expected = "    0: (           0  MARK
    1: ]      +1   1      EMPTY_LIST
    2: (           1      MARK
    3: K      +1   2          BININT1    1
    5: K      +1   3          BININT1    2
    7: e      -2   1          APPENDS    (MARK at 2)
    8: 0      -1   0      POP
    9: t      +1   1      TUPLE      (MARK at 0)
   10: .      -1   0  STOP
highest protocol among opcodes = 1
";
        assert_eq!(out, expected);
    }
}
