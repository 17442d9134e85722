//! Payloads looked into: code of every version, and whatever bytes a mutation makes.

use std::path::Path;

use capers_code::Version;
use capers_pickle::inspect::{Code, Room, inspect};

/// The first marshalled code objects of the golden file of a version.
fn golden(version: Version) -> Vec<Vec<u8>> {
    let name = format!("../capers-code/tests/data/py{}{}.bin", version.major(), version.minor());
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("golden file");
    let mut rest = bytes.as_slice();
    let mut found = Vec::new();
    while let Some((head, tail)) = rest.split_first_chunk() {
        let (blob, tail) = tail.split_at(u32::from_le_bytes(*head) as usize);
        found.push(blob.to_vec());
        rest = tail;
    }
    // A record is four blobs, of which the first is what marshal wrote.
    found.into_iter().step_by(4).collect()
}

/// A payload that calls the constructor of code objects.
fn payload(version: Version, marshalled: &[u8]) -> Vec<u8> {
    let mut data = b"\x80\x04ccapers._rebuild\ncode\nJ".to_vec();
    data.extend_from_slice(&version.tag().to_le_bytes());
    data.push(b'B');
    data.extend_from_slice(&(marshalled.len() as u32).to_le_bytes());
    data.extend_from_slice(marshalled);
    data.extend_from_slice(b"\x86R.");
    data
}

#[test]
fn code_of_every_version_is_read() {
    for &version in Version::SUPPORTED {
        for marshalled in golden(version) {
            let data = payload(version, &marshalled);
            let inspection = inspect(&data, Room::for_payload(data.len()));
            assert_eq!(inspection.python(), Some(version.to_string()));
            let code = inspection.ids().find_map(|id| inspection.code(id)).expect("a code object");
            match &*code {
                Code::Known(told, outline) => {
                    assert_eq!((*told, outline.filename.as_str()), (Some(version), "<golden>"));
                }
                Code::Unknown(reason) => panic!("{reason}"),
            }
        }
    }
}

#[test]
fn code_of_an_unknown_version_is_told_and_not_looked_into() {
    let mut data = payload(Version::V3_11, b"anything");
    let at = data.iter().position(|&byte| byte == b'J').unwrap() + 1;
    data[at] = 9;
    let inspection = inspect(&data, Room::for_payload(data.len()));
    let warnings: Vec<String> = inspection.ids().flat_map(|id| inspection.warnings(id)).collect();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("its code was not looked into: unsupported code object"), "{}", warnings[0]);
}

#[test]
fn whatever_is_changed_the_bytes_add_up_and_the_json_is_whole() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    let opcodes =
        b"(.012FIJKLMNPQRSTUVXabcdegijhlopqrstu})]\x81\x85\x86\x87\x88\x89\x8a\x8c\x8f\x90\x91\x92\x93\x94\x97\x98";
    let code = payload(Version::V3_13, &golden(Version::V3_13)[2]);
    let whole = b"\x80\x04ccapers._rebuild\nfunction\n\x94]\x94(K\x01h\x01\x8c\x01x}\x94\x8c\x01kh\x02s\x85u0N(N0t\x81}bcos\npath\ne.";
    let mut finished = 0;
    for round in 0..8_000 {
        let mut data = if round % 4 == 0 { code.clone() } else { whole.to_vec() };
        for _ in 0..=below(4) {
            let at = below(data.len());
            match below(4) {
                0 => data[at] = below(256) as u8,
                1 => data[at] = opcodes[below(opcodes.len())],
                2 => data.insert(at, opcodes[below(opcodes.len())]),
                _ => drop(data.remove(at)),
            }
        }
        let inspection = inspect(&data, Room { digests: true, ..Room::for_payload(data.len()) });
        finished += u32::from(inspection.error().is_none());
        let sum: u64 = inspection.ids().map(|id| inspection.node(id).own).sum();
        assert_eq!(sum, inspection.len() as u64, "{data:?}");
        assert_eq!(inspection.total(0), sum, "{data:?}");
        let mut json = String::new();
        inspection.write_json("title", None, &mut json).unwrap();
        assert!(json.ends_with("]}\n"));
        for id in inspection.in_order() {
            assert!(!inspection.path(id).is_empty());
            assert!(inspection.node(id).children.iter().all(|child| inspection.parent(*child) == id));
        }
    }
    assert!(finished > 200, "hardly any mutation was read to its end: the test tests little");
}
