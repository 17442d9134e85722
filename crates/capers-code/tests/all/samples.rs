//! The golden files of `tools/make_golden.py`, for all tests.

use std::path::Path;

use capers_code::Version;

/// One record of a golden file.
pub(crate) struct Sample {
    pub(crate) version: Version,
    /// `marshal.dumps` of a code object.
    pub(crate) first: Vec<u8>,
    /// The same value in other bytes.
    pub(crate) second: Vec<u8>,
    /// Its `co_code`.
    pub(crate) code: Vec<u8>,
    /// What `dis` says of its names: lines of use and index.
    pub(crate) names: String,
}

/// Every record of every version.
pub(crate) fn samples() -> Vec<Sample> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut samples = Vec::new();
    for &version in Version::SUPPORTED {
        let name = format!("py{}{}.bin", version.major(), version.minor());
        let bytes = std::fs::read(data.join(name)).expect("golden file");
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let mut blob = || {
                let (head, tail) = rest.split_first_chunk().expect("length");
                let (blob, tail) = tail.split_at(u32::from_le_bytes(*head) as usize);
                rest = tail;
                blob.to_vec()
            };
            let (first, second, code) = (blob(), blob(), blob());
            let names = String::from_utf8(blob()).expect("text");
            samples.push(Sample { version, first, second, code, names });
        }
    }
    assert!(samples.len() > 5 * 20, "golden files are empty");
    samples
}
