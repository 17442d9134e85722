//! Text of the old protocols: raw-unicode-escape, and the escapes of Python 2 literals.
//!
//! What comes out is UTF-8 in which surrogates may stand, as everywhere in this crate. Escapes that CPython refuses are left
//! as they are: the payload cannot be loaded then, and what is shown of it is what it says.

/// Append a code point, be it a surrogate.
fn push(out: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(letter) => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend_from_slice(&[
            0xe0 | (code >> 12) as u8,
            0x80 | (code >> 6 & 0x3f) as u8,
            0x80 | (code & 0x3f) as u8,
        ]),
    }
}

/// Whether these bytes are UTF-8 in which surrogates may stand.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Err(error) = std::str::from_utf8(rest) {
        match &rest[error.valid_up_to()..] {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] => rest = after,
            _ => return false,
        }
    }
    true
}

/// Bytes as Latin-1.
pub(crate) fn latin(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        push(&mut out, byte.into());
    }
    out
}

/// The number that so many hexadecimal digits at the beginning of `text` are.
fn hex(text: &[u8], digits: usize) -> Option<u32> {
    let digits = std::str::from_utf8(text.get(..digits)?).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// Decode raw-unicode-escape: Latin-1, with `\u` and four or `\U` and eight hexadecimal digits where an odd number of backslashes
/// stands.
pub(crate) fn raw_unicode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let escaped = match text[at..] {
            [b'\\', b'u', ..] => hex(&text[at + 2..], 4).map(|code| (code, 6)),
            [b'\\', b'U', ..] => hex(&text[at + 2..], 8).filter(|code| *code < 0x11_0000).map(|code| (code, 10)),
            [b'\\', b'\\', ..] => {
                out.extend_from_slice(b"\\\\");
                at += 2;
                continue;
            }
            _ => None,
        };
        let (code, length) = escaped.unwrap_or((text[at].into(), 1));
        push(&mut out, code);
        at += length;
    }
    out
}

/// Decode the escapes of a bytes literal.
pub(crate) fn literal(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let (byte, length) = match text[at..] {
            [b'\\', b'x', ..] => match hex(&text[at + 2..], 2) {
                Some(code) => (code as u8, 4),
                None => (b'\\', 1),
            },
            [b'\\', digit @ b'0'..=b'7', ..] => {
                let digits = text[at + 1..].iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                let rest = text[at + 2..at + 1 + digits].iter();
                let code = rest.fold(u32::from(digit - b'0'), |code, byte| code << 3 | u32::from(byte - b'0'));
                (code as u8, 1 + digits)
            }
            [b'\\', b'\n', ..] => {
                at += 2;
                continue;
            }
            [b'\\', letter, ..] => {
                let simple = [
                    (b'n', b'\n'),
                    (b'r', b'\r'),
                    (b't', b'\t'),
                    (b'a', 7),
                    (b'b', 8),
                    (b'f', 12),
                    (b'v', 11),
                    (b'\\', b'\\'),
                    (b'\'', b'\''),
                    (b'"', b'"'),
                ];
                match simple.iter().find(|(name, _)| *name == letter) {
                    Some((_, byte)) => (*byte, 2),
                    None => (b'\\', 1),
                }
            }
            _ => (text[at], 1),
        };
        out.push(byte);
        at += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_python_reads_them() {
        assert_eq!(raw_unicode(b"a\\u20ac\\\\u0041\xe9\\U0001f600"), "a€\\\\u0041é😀".as_bytes());
        assert_eq!(raw_unicode(b"\\ud800"), b"\xed\xa0\x80");
        assert_eq!(raw_unicode(b"\\u12"), b"\\u12");
        assert_eq!(literal(b"a\\x41\\101\\n\\'\\q\\\\"), b"aAA\n'\\q\\");
        assert_eq!(latin(b"\xe9"), "é".as_bytes());
        assert!(is_text(b"a\xed\xa0\x80\xc3\xa9") && !is_text(b"\xff") && !is_text(b"\xed\xa0"));
    }
}
