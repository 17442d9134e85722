//! Files to look into: read whole, with a word about what they are where they are no pickles.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use capers_pickle::reader::Instructions;
use capers_pickle::{Error, ErrorKind, Op};

use crate::output::{Failure, name, size};

/// So much is read before the beginning is looked at.
const FIRST: usize = 1 << 16;
const STEP: usize = 1 << 20;
/// Reading is worth a line of progress from so many bytes on.
const LONG: usize = 64 << 20;

/// Formats that pickles are mistaken for: how they begin, what they are, and a hint.
const FORMATS: &[(&[u8], &str)] = &[
    (
        b"PK\x03\x04",
        "is a zip file, not a pickle (a PyTorch checkpoint or a .npz is one; unzip it and look at what is inside)",
    ),
    (b"PK\x05\x06", "is an empty zip file, not a pickle"),
    (b"\x1f\x8b", "is a gzip file, not a pickle: try `gunzip -c FILE | capers show -`"),
    (b"BZh", "is a bzip2 file, not a pickle: try `bunzip2 -c FILE | capers show -`"),
    (b"\xfd7zXZ\0", "is an xz file, not a pickle: try `unxz -c FILE | capers show -`"),
    (b"\x28\xb5\x2f\xfd", "is a zstd file, not a pickle: try `unzstd -c FILE | capers show -`"),
    (b"\x04\x22\x4d\x18", "is an lz4 file, not a pickle"),
    (b"\x78\x01", "is zlib data, not a pickle"),
    (b"\x78\x9c", "is zlib data, not a pickle"),
    (b"\x78\xda", "is zlib data, not a pickle"),
    (b"\x93NUMPY", "is a .npy file, not a pickle"),
    (b"\x89HDF\r\n", "is an HDF5 file, not a pickle"),
    (b"PAR1", "is a Parquet file, not a pickle"),
    (b"ARROW1", "is an Arrow file, not a pickle"),
    (b"SQLite format 3\0", "is an SQLite database, not a pickle"),
    (b"\x7fELF", "is a program or library (ELF), not a pickle"),
    (b"MZ", "is a program or library of Windows, not a pickle"),
    (b"%PDF", "is a PDF document, not a pickle"),
    (b"\x89PNG", "is a PNG picture, not a pickle"),
    (b"#!", "is a script, not a pickle"),
    (b"<", "looks like HTML or XML, not like a pickle"),
    (b"{", "looks like JSON or other text, not like a pickle"),
    (b"[", "looks like JSON or other text, not like a pickle"),
    (b"\"", "looks like JSON or other text, not like a pickle"),
    (b"gAR", "looks like a pickle in base64: try `base64 -d FILE | capers show -`"),
    (b"gAS", "looks like a pickle in base64: try `base64 -d FILE | capers show -`"),
    (b"gAN", "looks like a pickle in base64: try `base64 -d FILE | capers show -`"),
    (b"version https://git-lfs", "is a Git LFS pointer; the file itself was not fetched"),
];

/// Read a file, or standard input for `-`; fails where it is no pickle at all.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::Read(path.to_owned(), error);
    let mut data = Vec::new();
    if path.as_os_str() == "-" {
        fill(path, &mut io::stdin().lock(), &mut data)?;
    } else {
        let mut file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(Failure::NotAPickle(path.to_owned(), "is a folder, not a pickle".to_owned()));
        }
        fill(path, &mut file, &mut data)?;
    }
    Ok(data)
}

/// A pickle of the first protocols may begin with any opcode, so that text may look like one at first. What states no protocol
/// and goes wrong within so many bytes never was one.
const UNLIKELY: u64 = 16;

/// Fails where the error shows that `data` is no pickle at all, rather than one that is damaged.
pub(crate) fn check(path: &Path, data: &[u8], error: &Error) -> Result<(), Failure> {
    let cut_short = matches!(error.kind(), ErrorKind::Truncated | ErrorKind::OutOfInput);
    if data.first() != Some(&0x80) && !cut_short && error.offset().is_some_and(|offset| offset < UNLIKELY) {
        return Err(Failure::NotAPickle(path.to_owned(), format!("is not a pickle: {error}")));
    }
    Ok(())
}

/// Say on standard error what is wrong with a payload.
pub(crate) fn complain(path: &Path, data: &[u8], error: &Error) -> Result<(), Failure> {
    check(path, data, error)?;
    if matches!(error.kind(), ErrorKind::OutOfMemory | ErrorKind::Limit(..)) {
        return Err(Failure::TooLarge(path.to_owned(), error.clone()));
    }
    eprintln!("capers: {} is damaged: {error}", name(path));
    Ok(())
}

fn fill(path: &Path, from: &mut impl Read, data: &mut Vec<u8>) -> Result<(), Failure> {
    let failed = |error| Failure::Read(path.to_owned(), error);
    from.by_ref().take(FIRST as u64).read_to_end(data).map_err(failed)?;
    if let Some(what) = stranger(data, data.len() < FIRST) {
        return Err(Failure::NotAPickle(path.to_owned(), what));
    }
    if data.len() < FIRST {
        return Ok(());
    }
    let shows_progress = io::stderr().is_terminal();
    loop {
        let step = STEP.max(data.len() / 8);
        let before = data.len();
        from.by_ref().take(step as u64).read_to_end(data).map_err(failed)?;
        let ended = data.len() == before;
        if shows_progress && data.len() >= LONG {
            let line = if ended {
                "\r\x1b[K".to_owned()
            } else {
                format!("\rreading {}: {}", name(path), size(data.len() as u64))
            };
            // Progress is a kindness: where it cannot be shown, the work goes on.
            let _ = io::stderr().write_all(line.as_bytes());
        }
        if ended {
            return Ok(());
        }
    }
}

/// What `data`, a whole file or its beginning, is instead of a pickle.
fn stranger(data: &[u8], whole: bool) -> Option<String> {
    if data.is_empty() {
        return Some("is empty".to_owned());
    }
    if let Some((_, what)) = FORMATS.iter().find(|(begin, _)| data.starts_with(begin)) {
        // Some of these beginnings are instructions, too.
        return if whole && is_read_to_its_end(data) { None } else { Some((*what).to_owned()) };
    }
    // A pickle of protocol 2 or later says so; an earlier one may begin with any opcode.
    let mut instructions = Instructions::new(data);
    match instructions.next() {
        Some(Err(error)) if whole && data[0] != 0x80 => Some(format!("is not a pickle: {error}")),
        Some(Err(error)) if matches!(error.kind(), ErrorKind::UnknownOpcode(_)) => {
            Some(format!("is not a pickle: {error}"))
        }
        _ => None,
    }
}

/// Whether `data` are instructions and nothing else.
fn is_read_to_its_end(data: &[u8]) -> bool {
    let mut instructions = Instructions::new(data);
    let last = instructions.by_ref().last();
    last.is_some_and(|last| last.is_ok_and(|it| it.op == Op::Stop && it.offset as usize + 1 == data.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_begins_like_a_pickle_is_none_but_a_pickle_cut_short_is_damaged() {
        let judged = |data: &[u8]| {
            let room = capers_pickle::inspect::Room::for_payload(data.len());
            let inspection = capers_pickle::inspect::inspect(data, room);
            check(Path::new("x"), data, inspection.error().unwrap()).is_ok()
        };
        assert!(!judged(b"hello"));
        assert!(!judged(b"root:x:0:0"));
        assert!(judged(b"(lp0\nI1\nI"));
        assert!(judged(b"\x80\x04hello"));
    }

    #[test]
    fn other_formats_are_named() {
        for (data, what) in [
            (&b"PK\x03\x04rest"[..], "is a zip file"),
            (b"\x1f\x8b\x08", "is a gzip file"),
            (b"{\"a\": 1}", "looks like JSON"),
            (b"\x93NUMPY\x01", "is a .npy file"),
            (b"", "is empty"),
            (b"\xff\xfe", "is not a pickle: no opcode has the byte 0xff (at byte 0)"),
        ] {
            let told = stranger(data, true).unwrap_or_default();
            assert!(told.starts_with(what), "{told}");
        }
        assert_eq!(stranger(b"\x80\x04N.", true), None);
        assert_eq!(stranger(b"(lp0\n.", true), None);
        assert_eq!(stranger(b"\x80", true), None);
        // 346 as protocol 1 has it, and what a program of Windows begins with.
        assert_eq!(stranger(b"MZ\x01.", true), None);
        assert!(stranger(b"MZ\x90\0\x03\0\0\0", true).is_some_and(|told| told.contains("Windows")));
    }
}
