//! The reader allocates for bytes it has seen, never for lengths it was told. Alone in its program because it looks at the
//! memory of the whole process.
#![cfg(target_os = "linux")]

use capers_code::Version;
use capers_code::marshal::Tree;

/// Largest address space of this process so far, in KiB: reserved memory counts, touched or not.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("status");
    let line = status.lines().find(|line| line.starts_with("VmPeak:")).expect("VmPeak");
    line.split_whitespace().nth(1).expect("number").parse().expect("number")
}

// One test: a second thread's stack would count.
#[test]
fn memory_follows_the_bytes_seen_and_not_the_lengths_stated() {
    stated_lengths_reserve_nothing();
    memory_is_bounded_by_the_input();
}

fn stated_lengths_reserve_nothing() {
    let before = peak();
    for tag in *b"([<>sautA" {
        let one = [&[tag][..], &i32::MAX.to_le_bytes()].concat();
        assert!(Tree::parse(&one.repeat(1500), Version::V3_15).is_err());
    }
    assert!(Tree::parse(b"l\xff\xff\xff\x7f", Version::V3_15).is_err());
    assert!(peak() - before < 4096, "{} KiB", peak() - before);
}

fn memory_is_bounded_by_the_input() {
    let before = peak();
    // Half a million empty strings that all enter the reference list: nothing costs more for its bytes.
    let mut bytes = b"[\x20\xa1\x07\0".to_vec();
    bytes.extend_from_slice(&b"\xda\0".repeat(500_000));
    let tree = Tree::parse(&bytes, Version::V3_15).expect("readable");
    drop(tree);
    assert!(peak() - before < 64 * 1000, "{} KiB", peak() - before);
}
