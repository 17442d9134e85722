//! The machine with plain values: what it builds, and what no input can do to it.

use capers_pickle::plain::{Call, Id, Node, Plain};
use capers_pickle::{ErrorKind, Op};

fn kind(data: &[u8]) -> ErrorKind {
    Plain::load(data).expect_err("a malformed pickle was accepted").kind()
}

fn list(plain: &Plain, id: Id) -> Vec<Id> {
    match plain.get(id) {
        Some(Node::List(items) | Node::Tuple(items)) => items.clone(),
        other => panic!("not a list: {other:?}"),
    }
}

/// Streams that use every kind of opcode; each is valid.
const SAMPLES: &[&[u8]] = &[
    b"\x80\x04\x95\x0b\0\0\0\0\0\0\0]\x94(K\x01\x8c\x01a\x94e.",
    b"(lp0\nI1\naI01\naL5L\naF1.5\naS'x'\np1\naVx\\u00e9\nag1\na.",
    b"\x80\x02}q\x00(X\x01\0\0\0aK\x01U\x01bM\x01\x02T\x01\0\0\0cJ\xff\xff\xff\xffX\x01\0\0\0dG?\xf0\0\0\0\0\0\0uh\x00\x86.",
    b"\x80\x05\x96\x02\0\0\0\0\0\0\0abC\x01xB\x01\0\0\0y\x8e\x01\0\0\0\0\0\0\0z\x87\x97\x98\x86.",
    b"\x80\x04\x8f\x94(K\x01K\x02\x90(K\x03\x91\x86\x8a\x02\xff\x7f\x8b\x01\0\0\0\x05\x85\x86.",
    b"\x80\x04\x8c\x01m\x8c\x01n\x93)\x81}(\x8c\x01kNub\x8c\x01m\x8c\x01n\x93)}\x92\x86.",
    b"(cm\nn\n(im\nn\n(cm\nn\nK\x01oPid\nK\x05Qt.",
    b"\x80\x02\x82\x01\x83\x01\x01\x84\x01\x01\0\0\x87N0\x88\x892((11\x85.",
    b"\x80\x04]\x94\x94r\x01\0\x01\0j\x01\0\x01\0a(K\x01K\x02d\x86}K\x01K\x02s\x86.",
];

#[test]
fn every_sample_loads() {
    for sample in SAMPLES {
        if let Err(error) = Plain::load(sample) {
            panic!("{error} in {sample:?}");
        }
    }
}

#[test]
fn every_truncation_is_an_error() {
    for sample in SAMPLES {
        for end in 0..sample.len() {
            assert!(Plain::load(&sample[..end]).is_err(), "{:?}", &sample[..end]);
        }
    }
}

#[test]
fn every_changed_byte_gives_a_value_or_an_error() {
    for sample in SAMPLES {
        let mut changed = sample.to_vec();
        for at in 0..sample.len() {
            for byte in 0..=255 {
                changed[at] = byte;
                let _ = Plain::load(&changed);
            }
            changed[at] = sample[at];
        }
    }
}

#[test]
fn a_list_may_hold_itself() {
    let (plain, root) = Plain::load(b"]\x94h\x00a.").unwrap();
    assert_eq!(list(&plain, root), [root]);
}

#[test]
fn a_million_nested_lists_neither_load_nor_drop_by_recursion() {
    let mut data = vec![b']'; 1_000_000];
    data.extend(vec![b'a'; 999_999]);
    data.push(b'.');
    let (plain, root) = Plain::load(&data).unwrap();
    assert_eq!(list(&plain, root).len(), 1);
    assert_eq!(plain.len(), 1_000_000);
}

#[test]
fn calls_are_recorded_and_not_made() {
    let (plain, root) = Plain::load(b"cos\nsystem\n(S'ls'\ntR.").unwrap();
    let Some(Node::Called(Call::Reduce(callable, _), _)) = plain.get(root) else { panic!("not a call") };
    assert!(matches!(plain.get(*callable), Some(Node::Called(Call::Global(..), _))));
}

#[test]
fn an_error_names_its_instruction() {
    let error = Plain::load(b"\x80\x04]\x94K\x01h\x07.").unwrap_err();
    assert_eq!((error.kind(), error.offset(), error.opcode()), (ErrorKind::MemoMissing(7), Some(6), Some(Op::BinGet)));
    assert_eq!(error.to_string(), "the memo has no entry 7 (BINGET at byte 6)");
}

#[test]
fn faults_are_told_apart() {
    for (data, expected) in [
        (&b""[..], ErrorKind::OutOfInput),
        (b"N", ErrorKind::OutOfInput),
        (b"K", ErrorKind::Truncated),
        (b".", ErrorKind::Underflow),
        (b"(.", ErrorKind::UnexpectedMark),
        (b"N(\x85.", ErrorKind::UnexpectedMark),
        (b"t.", ErrorKind::NoMark),
        (b"](a.", ErrorKind::UnexpectedMark),
        (b"}(Nu.", ErrorKind::OddItems),
        (b"(Nd.", ErrorKind::OddItems),
        (b"\x80\x06N.", ErrorKind::UnsupportedProtocol(6)),
        (b"\x00", ErrorKind::UnknownOpcode(0)),
        (b"\x82\x00.", ErrorKind::BadExtensionCode(0)),
        (b"\x84\xff\xff\xff\xff.", ErrorKind::BadExtensionCode(-1)),
        (b"NN\x93.", ErrorKind::GlobalNotText),
        (b"Np-1\n.", ErrorKind::NegativePut),
        (b"g-1\n.", ErrorKind::MemoMissing(-1)),
        (b"X\xff\xff\xff\xffabc", ErrorKind::Truncated),
        (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff", ErrorKind::TooLong),
        (b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f", ErrorKind::Truncated),
    ] {
        assert_eq!(kind(data), expected, "{data:?}");
    }
}

#[test]
fn an_error_is_one_word() {
    assert_eq!(size_of::<Result<(), capers_pickle::Error>>(), size_of::<usize>());
}
