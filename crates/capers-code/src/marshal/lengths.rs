//! Whether marshal bytes have what they promise.
//!
//! `marshal.loads` makes room for as many characters or items as a length says, and looks for them afterwards; nine bytes
//! can ask for 16 GB. This pass over the types and lengths builds nothing. It only ever says that bytes are missing; for
//! everything else that may be wrong, the interpreter has its own words.

use super::tag;

/// Values nested deeper than this are refused by the interpreter before it looks further.
const DEPTH: usize = 2001;

/// Fields of a code object before its first line number, and after.
const BEFORE_LINE: usize = 8;
const AFTER_LINE: usize = 2;

/// A value of which parts are still to come.
enum Open {
    /// So many more values.
    Values(usize),
    /// Keys and values up to a null.
    Pairs,
    /// A code object with so many fields before its line number.
    Code(usize),
}

/// Whether the bytes end before the value does that they begin with.
#[must_use]
pub fn is_cut_short(bytes: &[u8]) -> bool {
    missing(bytes).is_none()
}

/// `None` where bytes are missing.
fn missing(bytes: &[u8]) -> Option<()> {
    let mut rest = bytes;
    let mut open = Vec::new();
    loop {
        let tag = skip(&mut rest, 1)?[0] & !tag::FLAG_REF;
        let parts = match tag {
            tag::NULL if matches!(open.last(), Some(Open::Pairs)) => {
                open.pop();
                None
            }
            tag::NULL | tag::NONE | tag::FALSE | tag::TRUE | tag::STOPITER | tag::ELLIPSIS => None,
            tag::INT | tag::REF => {
                skip(&mut rest, 4)?;
                None
            }
            tag::BINARY_FLOAT => {
                skip(&mut rest, 8)?;
                None
            }
            tag::BINARY_COMPLEX => {
                skip(&mut rest, 16)?;
                None
            }
            tag::LONG => {
                let digits = int(&mut rest)?.unsigned_abs();
                skip(&mut rest, 2 * digits as usize)?;
                None
            }
            tag::SHORT_ASCII | tag::SHORT_ASCII_INTERNED => {
                let count = skip(&mut rest, 1)?[0];
                skip(&mut rest, count.into())?;
                None
            }
            tag::STRING | tag::UNICODE | tag::INTERNED | tag::ASCII | tag::ASCII_INTERNED => {
                let Ok(count) = usize::try_from(int(&mut rest)?) else { return Some(()) };
                skip(&mut rest, count)?;
                None
            }
            tag::SMALL_TUPLE => Some(Open::Values(skip(&mut rest, 1)?[0].into())),
            tag::TUPLE | tag::LIST | tag::SET | tag::FROZENSET => {
                let Ok(count) = usize::try_from(int(&mut rest)?) else { return Some(()) };
                // Each item takes a byte at least.
                if count > rest.len() {
                    return None;
                }
                Some(Open::Values(count))
            }
            tag::DICT | tag::FROZENDICT => Some(Open::Pairs),
            tag::SLICE => Some(Open::Values(3)),
            tag::CODE => {
                skip(&mut rest, 20)?;
                Some(Open::Code(BEFORE_LINE))
            }
            _ => return Some(()),
        };
        if open.len() > DEPTH {
            return Some(());
        }
        match parts {
            Some(Open::Values(0)) | None => {}
            Some(parts) => {
                open.push(parts);
                continue;
            }
        }
        // A value has ended, and with it perhaps those around it.
        loop {
            match open.last_mut() {
                None => return Some(()),
                Some(Open::Pairs) => break,
                Some(Open::Values(1)) => {
                    open.pop();
                }
                Some(Open::Code(1)) => {
                    skip(&mut rest, 4)?;
                    open.pop();
                    open.push(Open::Values(AFTER_LINE));
                    break;
                }
                Some(Open::Values(left) | Open::Code(left)) => {
                    *left -= 1;
                    break;
                }
            }
        }
    }
}

fn skip<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn int(rest: &mut &[u8]) -> Option<i32> {
    let bytes = skip(rest, 4)?;
    Some(i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

#[cfg(test)]
mod tests {
    use super::is_cut_short;

    const WHOLE: &[&[u8]] = &[
        b"N",
        b"\xe9\x01\0\0\0",
        b"l\xfe\xff\xff\xff\x01\0\x02\0",
        b")\x02N)\0",
        b"(\x01\0\0\0g12345678",
        b"{z\x01aN0",
        b")\x02{N{NN00s\x03\0\0\0abc",
        b":NNN",
        b"c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0s\0\0\0\0)\0)\0)\0s\0\0\0\0z\x01fz\x01nz\x01q\x07\0\0\0s\0\0\0\0s\0\0\0\0",
    ];

    #[test]
    fn whole_values_are_not_cut_short_and_every_beginning_is() {
        for whole in WHOLE {
            assert!(!is_cut_short(whole), "{whole:?}");
            for end in 0..whole.len() {
                assert!(is_cut_short(&whole[..end]), "{:?}", &whole[..end]);
            }
        }
    }

    #[test]
    fn lengths_that_are_not_met_are_found_wherever_they_are() {
        for claim in [
            b"s\xff\xff\xff\x7f".as_slice(),
            b"(\xff\xff\xff\x7f",
            b"<\xff\0\0\0",
            b"l\xff\xff\xff\x7f",
            b"u\x09\0\0\0abc",
        ] {
            for before in [b"".as_slice(), b")\x02N", b"{N", b"[\x01\0\0\0", b":NN"] {
                assert!(is_cut_short(&[before, claim].concat()), "{before:?} {claim:?}");
            }
        }
    }

    #[test]
    fn what_is_wrong_otherwise_is_left_to_the_interpreter() {
        for odd in [b"?".as_slice(), b"s\xff\xff\xff\xff", b"(\xff\xff\xff\xff", b")\x01?", b"0", b"N and more"] {
            assert!(!is_cut_short(odd), "{odd:?}");
        }
        assert!(!is_cut_short(&b")\x01".repeat(100_000)));
    }
}
