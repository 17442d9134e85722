//! Numbers written as text, read as C reads them.
//!
//! Protocol 0 writes ints as lines that CPython reads with `strtol` first. Its details are visible: leading white space, a
//! sign, base prefixes (up to CPython 3.13), `\0` as an end, and two digits that mean a bool.

/// How a version of CPython reads the lines of `INT` and `LONG`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntRules {
    /// Whether `0x10` and `010` have a base of their own (CPython up to 3.13, gh-126992).
    pub prefixes: bool,
    /// Whether any two characters that mean 0 or 1 are a bool, not only `00` and `01` (CPython up to 3.14, gh-135241).
    pub loose_bools: bool,
}

impl IntRules {
    /// The strict rules of CPython 3.15.
    pub const STRICT: IntRules = IntRules { prefixes: false, loose_bools: false };

    /// The rules of CPython 3.11, which take all that any version takes.
    pub const LOOSE: IntRules = IntRules { prefixes: true, loose_bools: true };
}

/// What the line of an `INT` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntText {
    /// A bool.
    Bool(bool),
    /// An int of up to 64 bits.
    Int(i64),
    /// Not for `strtol`: too big, or not a number.
    Other,
}

/// Read the line of an `INT`, its newline included, as CPython's `load_int` does.
#[must_use]
pub fn int_line(line: &[u8], rules: IntRules) -> IntText {
    let Some((value, end)) = strtol(line, rules.prefixes) else {
        return IntText::Other;
    };
    match line.get(end) {
        None | Some(b'\n' | 0) => {}
        Some(_) => return IntText::Other,
    }
    let two = line.len() == 3 && (rules.loose_bools || line[0] == b'0' && matches!(line[1], b'0' | b'1'));
    match value {
        0 | 1 if two => IntText::Bool(value == 1),
        _ => IntText::Int(value),
    }
}

/// C's `strtol` in the C locale: the value and where it stopped, or `None` on overflow.
fn strtol(line: &[u8], prefixes: bool) -> Option<(i64, usize)> {
    let mut at = 0;
    while matches!(line.get(at), Some(b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')) {
        at += 1;
    }
    let negative = line.get(at) == Some(&b'-');
    if negative || line.get(at) == Some(&b'+') {
        at += 1;
    }
    let mut base = 10;
    if prefixes && line.get(at) == Some(&b'0') {
        let hex = matches!(line.get(at + 1), Some(b'x' | b'X')) && line.get(at + 2).is_some_and(u8::is_ascii_hexdigit);
        (base, at) = if hex { (16, at + 2) } else { (8, at) };
    }
    let first = at;
    let mut value: i64 = 0;
    while let Some(digit) = line.get(at).and_then(|&byte| char::from(byte).to_digit(base)) {
        let digit = i64::from(digit);
        value = value.checked_mul(i64::from(base))?;
        value = if negative { value.checked_sub(digit)? } else { value.checked_add(digit)? };
        at += 1;
    }
    // Without digits strtol converts nothing and points at the beginning.
    Some(if at == first { (0, 0) } else { (value, at) })
}

/// Read a memo index made of plain digits, its newline included; `None` for anything that needs more care.
#[inline]
#[must_use]
pub fn index_line(line: &[u8]) -> Option<i64> {
    let digits = line.strip_suffix(b"\n")?;
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0i64, |value, &byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOSE: IntRules = IntRules::LOOSE;

    #[test]
    fn lines_read_as_c_reads_them() {
        assert_eq!(int_line(b"01\n", IntRules::STRICT), IntText::Bool(true));
        assert_eq!(int_line(b"+0\n", IntRules::STRICT), IntText::Int(0));
        assert_eq!(int_line(b"+0\n", LOOSE), IntText::Bool(false));
        assert_eq!(int_line(b"010\n", LOOSE), IntText::Int(8));
        assert_eq!(int_line(b"010\n", IntRules::STRICT), IntText::Int(10));
        assert_eq!(int_line(b"0x10\n", LOOSE), IntText::Int(16));
        assert_eq!(int_line(b"0x10\n", IntRules::STRICT), IntText::Other);
        assert_eq!(int_line(b"0xg\n", LOOSE), IntText::Other);
        assert_eq!(int_line(b" -7\n", LOOSE), IntText::Int(-7));
        assert_eq!(int_line(b"5\x00\n", LOOSE), IntText::Int(5));
        assert_eq!(int_line(b"-9223372036854775808\n", LOOSE), IntText::Int(i64::MIN));
        assert_eq!(int_line(b"9223372036854775808\n", LOOSE), IntText::Other);
        assert_eq!(int_line(b"1L\n", LOOSE), IntText::Other);
        // strtol converts nothing here but stops at the end: C gives 0.
        assert_eq!(int_line(b"\x00\n", LOOSE), IntText::Int(0));
        assert_eq!(int_line(b"+\n", LOOSE), IntText::Other);
    }

    #[test]
    fn indices_are_plain_digits() {
        assert_eq!(index_line(b"12\n"), Some(12));
        assert_eq!(index_line(b"\n"), None);
        assert_eq!(index_line(b"-1\n"), None);
        assert_eq!(index_line(b"9999999999999999999\n"), None);
    }
}
