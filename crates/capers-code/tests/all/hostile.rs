//! Bytes that no interpreter wrote: whatever comes in, an answer or an error comes out.

use capers_code::marshal::{Tree, Value, Writer, canonicalize};
use capers_code::{ErrorKind, Version, limits, scan};

use crate::samples::samples;

const NEWEST: Version = Version::V3_15;

fn kind(bytes: &[u8]) -> ErrorKind {
    Tree::parse(bytes, NEWEST).expect_err("must fail").kind()
}

/// A small generator after Marsaglia's xorshift: the same bytes in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn every_truncation_is_an_error() {
    for sample in samples() {
        let bytes = &sample.first;
        for len in 0..bytes.len().min(3000) {
            assert!(Tree::parse(&bytes[..len], sample.version).is_err(), "{len}");
        }
    }
}

#[test]
fn a_byte_too_many_is_an_error() {
    assert_eq!(kind(b"NN"), ErrorKind::TrailingBytes);
}

#[test]
fn mutated_bytes_fail_or_have_a_canonical_form() {
    // The environment asks for longer runs by hand.
    let rounds = std::env::var("CAPERS_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let types = b"0NFT.Silgysutaz()[{<>:}cr\xe9\xfa\xa9";
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut read = 0;
    for sample in samples().iter().filter(|sample| sample.first.len() < 4000) {
        for _ in 0..rounds {
            let mut bytes = sample.first.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                let from = random.below(bytes.len());
                match random.below(5) {
                    0 => bytes[at] = random.below(256) as u8,
                    1 => bytes[at] ^= 1 << random.below(8),
                    2 => bytes[at] = types[random.below(types.len())],
                    3 => bytes[at] = bytes[from],
                    _ => {
                        bytes.remove(at);
                    }
                }
            }
            scan(sample.version, &bytes, |_, _| ());
            if let Ok(once) = canonicalize(&bytes, sample.version) {
                read += 1;
                assert_eq!(canonicalize(&once, sample.version).unwrap(), once);
            }
        }
    }
    assert!(read > 0, "no mutation was readable: the test tests nothing");
}

#[test]
fn nesting_stops_at_the_limit_and_a_value_just_below_is_read_written_and_dropped() {
    let nested = |depth: usize| [b")\x01".repeat(depth - 1), b"N".to_vec()].concat();
    let deepest = nested(limits::MAX_DEPTH);
    assert_eq!(canonicalize(&deepest, NEWEST).unwrap(), deepest);
    assert_eq!(kind(&nested(limits::MAX_DEPTH + 1)), ErrorKind::TooDeep);
    assert_eq!(kind(&b")\x01".repeat(1_000_000)), ErrorKind::TooDeep);
    let sets = |depth: usize| [b">\x01\0\0\0".repeat(depth), b"N".to_vec()].concat();
    assert!(canonicalize(&sets(limits::MAX_OPEN_FROZENSETS), NEWEST).is_ok());
    let error = canonicalize(&sets(limits::MAX_OPEN_FROZENSETS + 1), NEWEST).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooDeep);
}

#[test]
fn tuples_that_share_each_other_are_read_but_not_written_out_exponentially() {
    // ((((), ()), ((), ())), …): each level refers to the one below twice.
    let levels = 60_u32;
    let mut bytes = b"\xa9\x02".repeat(levels as usize);
    bytes.extend_from_slice(b"NN");
    for level in (1..levels).rev() {
        bytes.push(b'r');
        bytes.extend_from_slice(&level.to_le_bytes());
    }
    assert!(Tree::parse(&bytes, NEWEST).is_ok());
    assert_eq!(canonicalize(&bytes, NEWEST).unwrap_err().kind(), ErrorKind::TooLarge);
}

#[test]
fn references_reach_finished_values_only() {
    assert_eq!(kind(b"r\0\0\0\0"), ErrorKind::BadReference(0));
    assert_eq!(kind(b"\xa9\x01r\0\0\0\0"), ErrorKind::BadReference(0));
    assert_eq!(kind(b")\x02\xe9\0\0\0\0r\x01\0\0\0"), ErrorKind::BadReference(1));
    assert_eq!(kind(b")\x02\xe9\0\0\0\0r\xff\xff\xff\xff"), ErrorKind::BadReference(-1));
    // Singletons do not enter the reference list, whatever their flag says.
    assert_eq!(kind(b")\x02\xcer\0\0\0\0"), ErrorKind::BadReference(0));
    let tree = Tree::parse(b")\x02\xe9\x07\0\0\0r\0\0\0\0", NEWEST).unwrap();
    let Value::Tuple(items) = tree.value(tree.root()) else { panic!("not a tuple") };
    assert!(tree.items(items).iter().all(|&id| tree.value(id) == Value::Int(7)));
}

#[test]
fn malformed_values_are_named() {
    assert_eq!(kind(b""), ErrorKind::Truncated);
    assert_eq!(kind(b"?"), ErrorKind::UnknownType(b'?'));
    assert_eq!(kind(b"0"), ErrorKind::UnknownType(b'0'));
    assert_eq!(kind(b")\x010"), ErrorKind::UnknownType(b'0'));
    assert_eq!(kind(b"{N0"), ErrorKind::UnknownType(b'0'));
    assert_eq!(kind(b"(\xff\xff\xff\xff"), ErrorKind::BadLength(-1));
    assert_eq!(kind(b"z\x01\x80"), ErrorKind::NotAscii);
    assert_eq!(kind(b"u\x02\0\0\0\xc3("), ErrorKind::NotUtf8);
    assert_eq!(kind(b"u\x02\0\0\0\xed\xa0"), ErrorKind::NotUtf8);
    assert!(Tree::parse(b"u\x04\0\0\0\xed\xa0\x80a", NEWEST).is_ok());
    assert_eq!(kind(b"l\x01\0\0\0\0\x80"), ErrorKind::BadInteger);
    assert_eq!(kind(b"l\x02\0\0\0\x01\0\0\0"), ErrorKind::BadInteger);
    assert_eq!(kind(b"l\0\0\0\x80"), ErrorKind::Truncated);
    let error = Tree::parse(b")\x02N?", NEWEST).unwrap_err();
    assert_eq!(error.to_string(), "unknown marshal type 0x3f (at byte 3)");
}

#[test]
fn types_exist_from_their_marshal_version_on() {
    let slice = b":NNN";
    assert!(Tree::parse(slice, Version::V3_14).is_ok());
    assert!(Tree::parse(slice, Version::V3_13).is_err());
    assert!(Tree::parse(b"}NN0", Version::V3_15).is_ok());
    assert!(Tree::parse(b"}NN0", Version::V3_14).is_err());
    let error = Writer::new(Version::V3_13).slice().unwrap_err();
    assert_eq!(error.to_string(), "code objects of Python 3.13 cannot hold 'slice' constants");
    assert!(Writer::new(Version::V3_14).begin_frozendict().is_err());
}

#[test]
fn fields_of_code_objects_have_their_types() {
    let mut bytes = vec![b'c'];
    bytes.extend_from_slice(&[0; 20]);
    let fields = |kinds: &[u8]| {
        let mut code = bytes.clone();
        code.extend_from_slice(b"s\0\0\0\0)\0)\0");
        code.extend_from_slice(b")\x01z\x01x");
        code.extend_from_slice(kinds);
        code.extend_from_slice(b"z\0z\0z\0\x01\0\0\0s\0\0\0\0s\0\0\0\0");
        code
    };
    assert!(Tree::parse(&fields(b"s\x01\0\0\0 "), NEWEST).is_ok());
    assert_eq!(kind(&fields(b"s\0\0\0\0")), ErrorKind::UnevenLocals);
    let wrong = ErrorKind::WrongType { field: "co_localspluskinds", found: "NoneType" };
    assert_eq!(kind(&fields(b"N")), wrong);
}

#[test]
fn values_that_no_compiler_makes_are_read_but_have_no_canonical_form() {
    for (bytes, name) in [(&b"[\x01\0\0\0N"[..], "list"), (b"{NN0", "dict"), (b"<\x01\0\0\0N", "set"), (b"S", "type")] {
        let tree = Tree::parse(bytes, NEWEST).unwrap();
        assert_eq!(tree.value(tree.root()).type_name(), name);
        let wanted = ErrorKind::NotConstant { found: name, version: NEWEST };
        assert_eq!(canonicalize(bytes, NEWEST).unwrap_err().kind(), wanted);
    }
}

#[test]
fn scanning_bytes_of_any_kind_ends() {
    let mut random = Random(77);
    for _ in 0..2000 {
        let code: Vec<u8> = (0..random.below(64)).map(|_| random.below(256) as u8).collect();
        for &version in Version::SUPPORTED {
            let mut uses = 0;
            scan(version, &code, |_, _| uses += 1);
            assert!(uses <= code.len() / 2);
        }
    }
}
