//! What the interpreters wrote, as `tools/make_golden.py` recorded it, against what this crate makes of it.

use std::fmt::Write as _;

use capers_code::marshal::{Tree, Value, ValueId, canonicalize};
use capers_code::scan;

use crate::samples::samples;

/// The value as text, references resolved: equal texts are equal values.
fn show(tree: &Tree<'_>, id: ValueId, into: &mut String) {
    let value = tree.value(id);
    let mut list = |name: &str, ids: &[ValueId], sorted: bool| {
        let mut texts: Vec<String> = ids
            .iter()
            .map(|&id| {
                let mut text = String::new();
                show(tree, id, &mut text);
                text
            })
            .collect();
        if sorted {
            texts.sort();
        }
        let _ = write!(into, "{name}({})", texts.join(", "));
    };
    match value {
        Value::Code(code) => {
            let code = tree.code(code);
            list("consts", tree.items(code.consts), false);
            list("names", tree.items(code.names), false);
            list("locals", tree.items(code.localsplusnames), false);
            let _ = write!(
                into,
                "{:?} {:?} {:?} {:?} {:?} {:?} {} {:?} {:?}",
                code.header,
                code.code,
                code.localspluskinds,
                code.filename,
                code.name,
                code.qualname,
                code.firstlineno,
                code.linetable,
                code.exceptiontable
            );
        }
        Value::Tuple(items) => list("tuple", tree.items(items), false),
        Value::FrozenSet(items) => list("frozenset", tree.items(items), true),
        Value::Slice(items) => list("slice", tree.items(items), false),
        Value::Float(value) => {
            let _ = write!(into, "float {:x}", value.to_bits());
        }
        other => {
            let _ = write!(into, "{other:?}");
        }
    }
}

fn text(bytes: &[u8], version: capers_code::Version) -> String {
    let tree = Tree::parse(bytes, version).expect("readable");
    let mut text = String::new();
    show(&tree, tree.root(), &mut text);
    text
}

#[test]
fn the_canonical_form_stands_for_the_same_value() {
    for sample in samples() {
        let canonical = canonicalize(&sample.first, sample.version).unwrap();
        assert_eq!(text(&canonical, sample.version), text(&sample.first, sample.version));
    }
}

#[test]
fn the_canonical_form_does_not_depend_on_references_or_interning() {
    for sample in samples() {
        assert_ne!(sample.first, sample.second);
        let first = canonicalize(&sample.first, sample.version).unwrap();
        let second = canonicalize(&sample.second, sample.version).unwrap();
        assert_eq!(first, second, "{}", sample.version);
    }
}

#[test]
fn the_canonical_form_is_its_own_canonical_form() {
    for sample in samples() {
        let once = canonicalize(&sample.first, sample.version).unwrap();
        assert_eq!(canonicalize(&once, sample.version).unwrap(), once);
    }
}

#[test]
fn the_code_in_the_tree_is_co_code() {
    for sample in samples() {
        let tree = Tree::parse(&sample.first, sample.version).unwrap();
        let Value::Code(code) = tree.value(tree.root()) else { panic!("not a code object") };
        assert_eq!(tree.code(code).code, sample.code);
        assert_eq!(tree.code(code).filename.to_string_lossy(), "<golden>");
    }
}

#[test]
fn names_are_used_as_dis_says() {
    for sample in samples() {
        let mut lines = String::new();
        scan(sample.version, &sample.code, |use_, index| {
            let _ = writeln!(lines, "{use_:?} {index}");
        });
        assert_eq!(lines, sample.names, "{}", sample.version);
    }
}
