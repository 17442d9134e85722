//! Values in the words of Python's `repr`, cut to a length.
//!
//! Everything is written into a text that stops growing at its limit, and the walk stops with it: a value that shares its
//! parts exponentially, or a text of a gigabyte, costs no more than what is shown of it.

use std::fmt::Write;

use crate::marshal::{Tree, Value, ValueId};

/// The most bytes of a value that are shown beside others.
pub const SHORT: usize = 200;

/// Ints with more bytes than this are shown in hexadecimal, which takes one pass; the time for decimal digits grows with the
/// square. CPython refuses to print longer ones, too (`sys.set_int_max_str_digits`: 4300 digits).
const DECIMAL_BYTES: usize = 1785;

/// A text that takes so many bytes and then no more.
#[derive(Debug)]
pub struct Short {
    text: String,
    limit: usize,
    full: bool,
}

impl Short {
    /// An empty text of at most `limit` bytes and an ellipsis.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Short { text: String::new(), limit, full: false }
    }

    /// Whether something was left out already.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Add a piece that is not divided.
    pub fn push(&mut self, piece: &str) {
        if self.full || self.text.len() + piece.len() > self.limit {
            self.full = true;
        } else {
            self.text.push_str(piece);
        }
    }

    /// Add a str as Python writes it. Bytes that are no UTF-8 are surrogates or shown as replacement characters.
    pub fn push_str(&mut self, utf8: &[u8]) {
        let quote = if utf8.contains(&b'\'') && !utf8.contains(&b'"') { '"' } else { '\'' };
        self.push(quote.encode_utf8(&mut [0; 4]));
        let mut rest = utf8;
        while !rest.is_empty() && !self.full {
            // A piece at a time: a long text is not gone through when only its beginning is shown.
            let (head, tail) = rest.split_at(rest.len().min(1024));
            let (valid, bad) = match std::str::from_utf8(head) {
                Ok(valid) => (valid, 0),
                Err(error) => {
                    let (valid, invalid) = head.split_at(error.valid_up_to());
                    let cut = error.error_len().is_none() && !tail.is_empty() && !valid.is_empty();
                    (std::str::from_utf8(valid).unwrap_or_default(), if cut { 0 } else { invalid.len() })
                }
            };
            for letter in valid.chars() {
                self.push_char(letter, quote);
            }
            rest = &rest[valid.len()..];
            if bad > 0 {
                match rest {
                    [0xed, high @ 0xa0..=0xbf, low @ 0x80..=0xbf, ..] => {
                        let unit = 0xd000 | u32::from(high & 0x3f) << 6 | u32::from(low & 0x3f);
                        self.push(&format!("\\u{unit:04x}"));
                        rest = &rest[3..];
                    }
                    _ => {
                        self.push("\u{fffd}");
                        rest = &rest[1..];
                    }
                }
            }
        }
        self.push(quote.encode_utf8(&mut [0; 4]));
    }

    fn push_char(&mut self, letter: char, quote: char) {
        match letter {
            '\\' => self.push("\\\\"),
            '\n' => self.push("\\n"),
            '\r' => self.push("\\r"),
            '\t' => self.push("\\t"),
            _ if letter == quote => {
                self.push("\\");
                self.push(letter.encode_utf8(&mut [0; 4]));
            }
            ' '..='~' => self.push(letter.encode_utf8(&mut [0; 4])),
            _ if is_printable(letter) => self.push(letter.encode_utf8(&mut [0; 4])),
            _ => {
                let code = u32::from(letter);
                self.push(&match code {
                    0..0x100 => format!("\\x{code:02x}"),
                    0x100..0x10000 => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                });
            }
        }
    }

    /// Add bytes as Python writes them, without the `b`.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { b'"' } else { b'\'' };
        self.push(char::from(quote).encode_utf8(&mut [0; 4]));
        for &byte in bytes {
            if self.full {
                return;
            }
            match byte {
                b'\\' => self.push("\\\\"),
                b'\n' => self.push("\\n"),
                b'\r' => self.push("\\r"),
                b'\t' => self.push("\\t"),
                _ if byte == quote => self.push(&format!("\\{}", char::from(byte))),
                0x20..=0x7e => self.push(char::from(byte).encode_utf8(&mut [0; 4])),
                _ => self.push(&format!("\\x{byte:02x}")),
            }
        }
        self.push(char::from(quote).encode_utf8(&mut [0; 4]));
    }

    /// The text, with an ellipsis where something was left out.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.full {
            self.text.push('…');
        }
        self.text
    }
}

/// Whether `str.isprintable` says so, as near as the standard library of Rust knows.
fn is_printable(letter: char) -> bool {
    let hidden = letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}')
        || letter >= '\u{e0000}';
    !hidden && (letter == ' ' || !letter.is_whitespace())
}

/// A float as Python writes it: the shortest digits that read back the same, with an exponent outside 1e-4 to 1e16.
#[must_use]
pub fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// A complex number as Python writes it.
fn complex(real: f64, imaginary: f64) -> String {
    let short = |value: f64| {
        let text = float(value);
        text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
    };
    if real == 0.0 && real.is_sign_positive() {
        return format!("{}j", short(imaginary));
    }
    let sign = if imaginary.is_sign_negative() && !imaginary.is_nan() { "" } else { "+" };
    format!("({}{sign}{}j)", short(real), short(imaginary))
}

/// An int of these little-endian bytes of its magnitude.
#[must_use]
pub fn int(negative: bool, magnitude: &[u8]) -> String {
    let sign = if negative { "-" } else { "" };
    let used = magnitude.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let magnitude = &magnitude[..used];
    if used > DECIMAL_BYTES {
        let mut text = format!("{sign}0x");
        for (at, byte) in magnitude.iter().rev().enumerate() {
            let width = if at == 0 { 1 } else { 2 };
            let _ = write!(text, "{byte:0width$x}");
        }
        return text;
    }
    // Limbs of 32 bits, divided by 10^9 until nothing is left.
    let mut limbs: Vec<u32> = magnitude
        .chunks(4)
        .map(|chunk| chunk.iter().rev().fold(0, |limb, &byte| limb << 8 | u32::from(byte)))
        .collect();
    let mut groups = Vec::new();
    while let Some(last) = limbs.last() {
        if *last == 0 {
            limbs.pop();
            continue;
        }
        let mut rest = 0u64;
        for limb in limbs.iter_mut().rev() {
            let wide = rest << 32 | u64::from(*limb);
            *limb = (wide / 1_000_000_000) as u32;
            rest = wide % 1_000_000_000;
        }
        groups.push(rest);
    }
    let Some(first) = groups.pop() else {
        return "0".into();
    };
    let mut text = format!("{sign}{first}");
    for group in groups.iter().rev() {
        let _ = write!(text, "{group:09}");
    }
    text
}

/// An int of two's complement little-endian bytes, as pickle has them.
#[must_use]
pub fn int_from_twos_complement(bytes: &[u8]) -> String {
    let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
    if !negative {
        return int(false, bytes);
    }
    let mut magnitude: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
    for byte in &mut magnitude {
        let (sum, carried) = byte.overflowing_add(1);
        *byte = sum;
        if !carried {
            return int(true, &magnitude);
        }
    }
    magnitude.push(1);
    int(true, &magnitude)
}

enum Task {
    Value(ValueId),
    Text(&'static str),
}

/// A value of `tree` as Python writes it, in at most `limit` bytes and an ellipsis.
#[must_use]
pub fn value(tree: &Tree<'_>, id: ValueId, limit: usize) -> String {
    let mut out = Short::new(limit);
    let mut tasks = vec![Task::Value(id)];
    while let Some(task) = tasks.pop() {
        if out.is_full() {
            break;
        }
        match task {
            Task::Text(text) => out.push(text),
            Task::Value(id) => push_value(tree, id, limit, &mut out, &mut tasks),
        }
    }
    out.finish()
}

fn push_value(tree: &Tree<'_>, id: ValueId, limit: usize, out: &mut Short, tasks: &mut Vec<Task>) {
    let mut open = |out: &mut Short, before: &str, items, between: &[&'static str], after| {
        out.push(before);
        tasks.push(Task::Text(after));
        // An item takes at least a byte, so that more than `limit` of them are never shown.
        let ids = tree.items(items);
        let ids = &ids[..ids.len().min(limit)];
        for (at, &each) in ids.iter().enumerate().rev() {
            tasks.push(Task::Value(each));
            if at > 0 {
                tasks.push(Task::Text(between[at % between.len()]));
            }
        }
    };
    match tree.value(id) {
        Value::None => out.push("None"),
        Value::Bool(true) => out.push("True"),
        Value::Bool(false) => out.push("False"),
        Value::Ellipsis => out.push("Ellipsis"),
        Value::StopIteration => out.push("<class 'StopIteration'>"),
        Value::Int(value) => out.push(&value.to_string()),
        Value::Long(value) => out.push(&int(value.negative, &value.magnitude())),
        Value::Float(value) => out.push(&float(value)),
        Value::Complex(real, imaginary) => out.push(&complex(real, imaginary)),
        Value::Bytes(bytes) => {
            out.push("b");
            out.push_bytes(bytes);
        }
        Value::Str(text) => out.push_str(text.bytes),
        Value::Tuple(items) => {
            let after = if tree.items(items).len() == 1 { ",)" } else { ")" };
            open(out, "(", items, &[", "], after);
        }
        Value::List(items) => open(out, "[", items, &[", "], "]"),
        Value::Set(items) => open(out, "{", items, &[", "], "}"),
        Value::FrozenSet(items) if tree.items(items).is_empty() => out.push("frozenset()"),
        Value::FrozenSet(items) => open(out, "frozenset({", items, &[", "], "})"),
        Value::Dict(items) => open(out, "{", items, &[", ", ": "], "}"),
        Value::FrozenDict(items) => open(out, "frozendict({", items, &[", ", ": "], "})"),
        Value::Slice(items) => open(out, "slice(", items, &[", "], ")"),
        Value::Code(code) => {
            let code = tree.code(code);
            let (name, file) = (code.name.to_string_lossy(), code.filename.to_string_lossy());
            out.push(&format!("<code object {name}, file \"{file}\", line {}>", code.firstlineno));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.5, "1.5"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (1.25e300, "1.25e+300"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn ints_are_written_in_decimal() {
        assert_eq!(int_from_twos_complement(b""), "0");
        assert_eq!(int_from_twos_complement(b"\xff"), "-1");
        assert_eq!(int_from_twos_complement(b"\x00\xff"), "-256");
        assert_eq!(int_from_twos_complement(b"\x00\x80"), "-32768");
        assert_eq!(int_from_twos_complement(&(-(1i128 << 100)).to_le_bytes()), (-(1i128 << 100)).to_string());
        assert_eq!(int(false, &u128::MAX.to_le_bytes()), u128::MAX.to_string());
        assert!(int(true, &[1; 5000]).starts_with("-0x1010"));
    }

    #[test]
    fn texts_are_quoted_as_python_quotes_them() {
        let shown = |utf8: &[u8]| {
            let mut short = Short::new(100);
            short.push_str(utf8);
            short.finish()
        };
        assert_eq!(shown(b"it's"), "\"it's\"");
        assert_eq!(shown(b"'\""), "'\\'\"'");
        assert_eq!(shown("é\n\u{1}€\u{ad}".as_bytes()), "'é\\n\\x01€\\xad'");
        assert_eq!(shown(b"\xed\xa0\x80x\xff"), "'\\ud800x\u{fffd}'");
        assert_eq!(shown(&[b'a'; 5000]).len(), 1 + 99 + "…".len());
        assert_eq!(shown(&["é".repeat(40), "x".repeat(3)].concat().into_bytes()), format!("'{}xxx'", "é".repeat(40)));
    }

    #[test]
    fn a_value_that_shares_its_parts_exponentially_is_cut() {
        let levels = 60_u32;
        let mut bytes = b"\xa9\x02".repeat(levels as usize);
        bytes.extend_from_slice(b"NN");
        for level in (1..levels).rev() {
            bytes.push(b'r');
            bytes.extend_from_slice(&level.to_le_bytes());
        }
        let tree = Tree::parse(&bytes, Version::V3_15).unwrap();
        let text = value(&tree, tree.root(), SHORT);
        assert!(text.len() < SHORT + 4 && text.ends_with('…'));
    }

    #[test]
    fn values_are_written_as_python_writes_them() {
        let tree = Tree::parse(b")\x03i\x01\0\0\0)\x01z\x01a>\x01\0\0\0T", Version::V3_11).unwrap();
        assert_eq!(value(&tree, tree.root(), SHORT), "(1, ('a',), frozenset({True}))");
    }
}
