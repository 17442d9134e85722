//! Each cap stops what it is for, names itself, and lets through what stays below it.

use capers_pickle::limits::{Limit, Limited, Limits};
use capers_pickle::plain::Plain;
use capers_pickle::weighed::Weighing;
use capers_pickle::{Error, ErrorKind, Machine, Op, SliceSource};

fn load(data: &[u8], limits: Limits) -> Result<(), Error> {
    let mut plain = Plain::default();
    let mut host = Weighing::new(&mut plain, limits);
    Machine::default().run(&mut host, &mut SliceSource::new(data), &mut Limited::new(limits)).map(drop)
}

/// Asserts that `used` is just enough and one less is not.
fn needs(data: &[u8], limit: Limit, used: u64) {
    let set = |cap| {
        let mut limits = Limits::default();
        match limit {
            Limit::Operations => limits.operations = Some(cap),
            Limit::Depth => limits.depth = Some(cap),
            Limit::Memo => limits.memo = Some(cap),
            Limit::Size => limits.size = Some(cap),
            Limit::Total => limits.total = Some(cap),
        }
        limits
    };
    assert_eq!(load(data, set(used)), Ok(()), "{limit:?} {used} for {data:?}");
    let error = load(data, set(used - 1)).expect_err("one less was enough");
    assert_eq!(error.kind(), ErrorKind::Limit(limit, used - 1), "{data:?}");
    assert!(error.offset().is_some());
}

#[test]
fn operations_are_instructions_before_stop() {
    needs(b"N(((NNN000111.", Limit::Operations, 13);
    needs(b"\x80\x04]\x94.", Limit::Operations, 3);
}

#[test]
fn depth_is_counted_whatever_the_container() {
    needs(b")\x85\x85\x85.", Limit::Depth, 4);
    needs(b"]]]aa.", Limit::Depth, 3);
    needs(b"(((lll.", Limit::Depth, 3);
    needs(b"N}NNsN\x87\x85.", Limit::Depth, 3);
    needs(b"(N(NNdd.", Limit::Depth, 2);
    needs(b"((\x91\x91.", Limit::Depth, 2);
    needs(b"\x8f(N\x85\x85\x90.", Limit::Depth, 3);
    needs(b"cm\nn\n)\x85\x85R.", Limit::Depth, 3);
    needs(b"cm\nn\n)\x81}NcM\nN\n)\x81}NNsbsb.", Limit::Depth, 2);
    needs(b"(cm\nn\n](]eo.", Limit::Depth, 3);
}

#[test]
fn depth_that_is_reached_through_the_memo_counts() {
    needs(b"]\x94]\x94h\x00a\x94]h\x01a.", Limit::Depth, 3);
}

#[test]
fn memo_counts_entries_not_indices() {
    needs(b"Nr\xff\xff\xff\x7fq\x01q\x01.", Limit::Memo, 2);
    needs(b"N\x94\x94.", Limit::Memo, 2);
}

#[test]
fn size_counts_what_one_container_is_given_in_all() {
    needs(b"](NNe(NNNeNa.", Limit::Size, 6);
    needs(b"}(NNNNuNNs.", Limit::Size, 3);
    needs(b"\x8f(NN\x90(N\x90.", Limit::Size, 3);
    needs(b"(NNNt.", Limit::Size, 3);
    needs(b"NN\x86.", Limit::Size, 2);
    needs(b"](NNe](NNea.", Limit::Size, 3);
}

#[test]
fn size_counts_bytes_before_they_are_read() {
    needs(b"C\x05hello.", Limit::Size, 5);
    needs(b"\x8c\x03abc.", Limit::Size, 3);
    needs(b"Vabcd\n.", Limit::Size, 4);
    needs(b"\x8a\x03\x01\x02\x03.", Limit::Size, 3);
    let limits = Limits { size: Some(1 << 20), ..Limits::default() };
    let error = load(b"\x8e\0\0\0\0\0\x01\0\0", limits).unwrap_err();
    assert_eq!((error.kind(), error.opcode()), (ErrorKind::Limit(Limit::Size, 1 << 20), Some(Op::BinBytes8)));
}

#[test]
fn total_is_the_sum_of_bytes_and_items() {
    needs(b"](C\x05helloC\x05worlde.", Limit::Total, 12);
    needs(b"}(NNNNu.", Limit::Total, 2);
    needs(b"N\x85\x85\x85.", Limit::Total, 3);
}

#[test]
fn a_pickle_that_doubles_or_nests_is_stopped() {
    let mut twice = b"N".to_vec();
    twice.extend(b"2\x86".repeat(10_000));
    twice.push(b'.');
    for limits in [
        Limits { operations: Some(1000), ..Limits::default() },
        Limits { depth: Some(1000), ..Limits::default() },
        Limits { total: Some(1000), ..Limits::default() },
    ] {
        assert!(load(&twice, limits).is_err());
    }
    assert_eq!(load(&twice, Limits::default()), Ok(()));
}

#[test]
fn an_error_says_which_limit_and_where() {
    let error = load(b"]]]aa.", Limits { depth: Some(2), ..Limits::default() }).unwrap_err();
    assert_eq!(error.to_string(), "the limit on depth is 2 (APPEND at byte 4)");
}
