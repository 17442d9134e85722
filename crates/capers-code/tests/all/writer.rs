//! The writer's rules, one by one, on bytes small enough to read.

use capers_code::marshal::{CodeHeader, Writer};
use capers_code::{ErrorKind, Version};

fn written(version: Version, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new(version);
    write(&mut writer);
    writer.take().unwrap()
}

fn on_3_15(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    written(Version::V3_15, write)
}

#[test]
fn singletons_and_numbers_have_one_form_each() {
    let bytes = on_3_15(|w| {
        w.none();
        w.true_();
        w.false_();
        w.ellipsis();
        w.int(-2);
        w.float(-0.0);
        w.complex(0.0, 1.0);
    });
    let wanted = b"NTF.i\xfe\xff\xff\xffg\0\0\0\0\0\0\0\x80y\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xf0\x3f";
    assert_eq!(bytes, wanted);
}

#[test]
fn an_integer_is_written_by_its_value_whichever_call_is_used() {
    for value in [0, 1, -1, 255, 1 << 30, i64::from(i32::MAX), i64::from(i32::MIN)] {
        let short = on_3_15(|w| w.int(i32::try_from(value).unwrap()));
        assert_eq!(on_3_15(|w| w.int64(value)), short);
        let long = on_3_15(|w| w.long_from_le_bytes(value < 0, &value.unsigned_abs().to_le_bytes()));
        assert_eq!(long, short);
    }
    for value in [i64::from(i32::MAX) + 1, i64::from(i32::MIN) - 1, i64::MAX, i64::MIN, 1 << 45] {
        let long = on_3_15(|w| w.int64(value));
        let mut padded = value.unsigned_abs().to_le_bytes().to_vec();
        padded.resize(40, 0);
        assert_eq!(on_3_15(|w| w.long_from_le_bytes(value < 0, &padded)), long);
    }
}

#[test]
fn long_digits_are_those_of_marshal() {
    // marshal.dumps(2**31), marshal.dumps(-2**31 - 1) and marshal.dumps(2**63).
    assert_eq!(on_3_15(|w| w.int64(1 << 31)), b"l\x03\0\0\0\0\0\0\0\x02\0");
    assert_eq!(on_3_15(|w| w.int64(-(1 << 31) - 1)), b"l\xfd\xff\xff\xff\x01\0\0\0\x02\0");
    let magnitude = (1_u64 << 63).to_le_bytes();
    let wanted = b"l\x05\0\0\0\0\0\0\0\0\0\0\0\x08\0";
    assert_eq!(on_3_15(|w| w.long_from_le_bytes(false, &magnitude)), wanted);
}

#[test]
fn a_string_is_written_once_and_referred_to_after() {
    let bytes = on_3_15(|w| {
        w.str(b"a b", true);
        w.name(b"x", true);
        w.str(b"x", true);
        w.name(b"a b", true);
    });
    assert_eq!(bytes, b"\xfa\x03a b\xda\x01xr\x01\0\0\0r\0\0\0\0");
}

#[test]
fn a_constant_that_looks_like_a_name_is_interned_as_the_code_constructor_does() {
    assert_eq!(on_3_15(|w| w.str(b"some_1", true)), on_3_15(|w| w.name(b"some_1", true)));
    assert_eq!(on_3_15(|w| w.str(b".0", true)), b"\xfa\x02.0");
    assert_eq!(on_3_15(|w| w.name(b".0", true)), b"\xda\x02.0");
}

#[test]
fn strings_take_the_form_of_their_length_and_alphabet() {
    let long = [b'a'; 256];
    assert_eq!(on_3_15(|w| w.str(&long[..255], true))[..2], [b'Z' | 0x80, 255]);
    assert_eq!(on_3_15(|w| w.str(&long, true))[..5], [b'A' | 0x80, 0, 1, 0, 0]);
    assert_eq!(on_3_15(|w| w.str(&[b' '; 256], true))[..5], [b'a' | 0x80, 0, 1, 0, 0]);
    assert_eq!(on_3_15(|w| w.str("é".as_bytes(), false)), b"\xf5\x02\0\0\0\xc3\xa9");
    assert_eq!(on_3_15(|w| w.name("é".as_bytes(), false)), b"\xf4\x02\0\0\0\xc3\xa9");
}

#[test]
fn tuples_are_small_below_256_items() {
    assert_eq!(on_3_15(|w| w.tuple(255).unwrap()), b")\xff");
    assert_eq!(on_3_15(|w| w.tuple(256).unwrap()), b"(\0\x01\0\0");
}

#[test]
fn a_frozenset_is_the_same_in_whatever_order_its_elements_come() {
    let set = |order: [&[u8]; 3]| {
        on_3_15(|w| {
            w.begin_frozenset().unwrap();
            for item in order {
                w.element();
                w.str(item, true);
            }
            // A frozenset in a frozenset.
            w.element();
            w.begin_frozenset().unwrap();
            for item in order {
                w.element();
                w.bytes(item);
            }
            w.end_frozenset();
            w.end_frozenset();
        })
    };
    let bytes = set([b"b", b"a", b"c"]);
    assert_eq!(bytes, set([b"c", b"b", b"a"]));
    assert_eq!(bytes, b">\x04\0\0\0>\x03\0\0\0s\x01\0\0\0as\x01\0\0\0bs\x01\0\0\0cZ\x01aZ\x01bZ\x01c");
}

#[test]
fn strings_in_a_frozenset_neither_make_nor_use_references() {
    let bytes = on_3_15(|w| {
        w.name(b"x", true);
        w.begin_frozenset().unwrap();
        w.element();
        w.str(b"x", true);
        w.element();
        w.str(b"y", true);
        w.end_frozenset();
        w.name(b"y", true);
        w.name(b"x", true);
    });
    assert_eq!(bytes, b"\xda\x01x>\x02\0\0\0Z\x01xZ\x01y\xda\x01yr\0\0\0\0");
}

#[test]
fn slices_and_frozendicts_have_their_forms() {
    let bytes = on_3_15(|w| {
        w.slice().unwrap();
        for _ in 0..3 {
            w.none();
        }
        w.begin_frozendict().unwrap();
        w.str(b"k", true);
        w.int(1);
        w.end_frozendict();
    });
    assert_eq!(bytes, b":NNN}\xda\x01ki\x01\0\0\x000");
}

#[test]
fn a_code_header_is_five_numbers() {
    let header = CodeHeader { argcount: 1, posonlyargcount: 2, kwonlyargcount: 3, stacksize: 4, flags: 5 };
    let bytes = on_3_15(|w| {
        w.begin_code(&header).unwrap();
        w.bytes_with(2, |code| code.copy_from_slice(b"ab"));
        w.raw_long(-1);
    });
    let wanted = b"c\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05\0\0\0s\x02\0\0\0ab\xff\xff\xff\xff";
    assert_eq!(bytes, wanted);
}

#[test]
fn a_cleared_writer_writes_as_a_new_one() {
    let mut writer = Writer::new(Version::V3_11);
    for _ in 0..3 {
        writer.name(b"x", true);
        assert!(writer.begin_frozendict().is_err());
        assert!(writer.as_bytes().is_err());
        writer.clear();
        writer.name(b"y", true);
        writer.name(b"x", true);
        assert_eq!(writer.as_bytes().unwrap(), b"\xda\x01y\xda\x01x");
        assert_eq!(writer.take().unwrap().len(), 6);
    }
}

#[test]
fn what_was_opened_must_be_closed() {
    let unbalanced: [fn(&mut Writer); 5] = [
        |w| w.begin_frozenset().unwrap(),
        |w| w.end_frozenset(),
        |w| w.element(),
        |w| w.begin_frozendict().unwrap(),
        |w| w.end_frozendict(),
    ];
    for calls in unbalanced {
        let mut writer = Writer::new(Version::V3_15);
        calls(&mut writer);
        assert_eq!(writer.take().unwrap_err().kind(), ErrorKind::Unbalanced);
    }
}

#[test]
fn output_past_the_limit_is_an_error_at_the_next_container() {
    let mut writer = Writer::with_max_output(Version::V3_15, 100);
    writer.bytes(&[0; 200]);
    assert_eq!(writer.tuple(1).unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(writer.take().unwrap_err().kind(), ErrorKind::TooLarge);
    assert!(writer.tuple(1).is_ok());
}
