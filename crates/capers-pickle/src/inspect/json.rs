//! An inspection as JSON, in the form that `report.html` and the Python side read.
//!
//! ```json
//! {"title": str, "total": bytes, "python": "3.11" or null, "protocol": 5, "root": id, "error": str or null,
//!  "following": bytes after the payload, "globals": [{"module", "name", "offset"}],
//!  "nodes": [{"id", "name", "label", "type", "how": "reference"|"value"|"data", "offset", "own": bytes, "total": bytes,
//!             "items", "children": [ids], "shared": [ids of nodes that are part of something else], "values": [[label, text]],
//!             "warnings": [str], "code": {"signature", "file", "line", "globals", "attributes", "imports", "free"}}]}
//! ```
//!
//! `label`, `values`, `code` are left out where there is nothing to say. Bytes of all nodes add up to `total`. Names of
//! globals that only loading computes are null; surrogates in them are written as escapes, as Python's `json` does.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt::{self, Write};

use super::code::Code;
use super::{Inspection, Node, ROOT};

/// Write a text of UTF-8 with surrogates allowed.
pub fn text(out: &mut impl Write, utf8: &[u8]) -> fmt::Result {
    out.write_char('"')?;
    let mut rest = utf8;
    while !rest.is_empty() {
        let (valid, bad) = match std::str::from_utf8(rest) {
            Ok(valid) => (valid, &rest[rest.len()..]),
            Err(error) => {
                let (valid, bad) = rest.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), bad)
            }
        };
        for letter in valid.chars() {
            match letter {
                '"' => out.write_str("\\\"")?,
                '\\' => out.write_str("\\\\")?,
                '\n' => out.write_str("\\n")?,
                // `<` is escaped so that a page can hold the text in a script element; the last two end a line in scripts.
                '\0'..='\u{1f}' | '<' | '\u{7f}' | '\u{2028}' | '\u{2029}' => {
                    write!(out, "\\u{:04x}", u32::from(letter))?;
                }
                _ => out.write_char(letter)?,
            }
        }
        rest = match bad {
            [0xed, high @ 0xa0..=0xbf, low @ 0x80..=0xbf, after @ ..] => {
                write!(out, "\\u{:04x}", 0xd000 | u32::from(high & 0x3f) << 6 | u32::from(low & 0x3f))?;
                after
            }
            [_, after @ ..] => {
                out.write_str("\\ufffd")?;
                after
            }
            [] => &[],
        };
    }
    out.write_char('"')
}

fn list<T>(out: &mut impl Write, items: &[T], mut each: impl FnMut(&mut dyn Write, &T) -> fmt::Result) -> fmt::Result {
    out.write_char('[')?;
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.write_str(", ")?;
        }
        each(out, item)?;
    }
    out.write_char(']')
}

fn texts(out: &mut impl Write, items: &[String]) -> fmt::Result {
    list(out, items, |mut out, item| text(&mut out, item.as_bytes()))
}

fn ids(out: &mut impl Write, items: &[u32]) -> fmt::Result {
    list(out, items, |out, item| write!(out, "{item}"))
}

fn node(out: &mut impl Write, node: &Node) -> fmt::Result {
    write!(out, "{{\"id\": {}, \"name\": ", node.id)?;
    text(out, node.name.as_bytes())?;
    if let Some(label) = &node.label {
        out.write_str(", \"label\": ")?;
        text(out, label.as_bytes())?;
    }
    out.write_str(", \"type\": ")?;
    text(out, node.kind.as_bytes())?;
    write!(out, ", \"how\": \"{}\", \"offset\": {}, \"own\": {}", node.how.name(), node.offset, node.own)?;
    write!(out, ", \"total\": {}, \"items\": {}, \"children\": ", node.total, node.items)?;
    ids(out, &node.children)?;
    out.write_str(", \"shared\": ")?;
    ids(out, &node.shared)?;
    if !node.values.is_empty() {
        out.write_str(", \"values\": ")?;
        list(out, &node.values, |mut out, (label, value)| {
            out.write_char('[')?;
            text(&mut out, label.as_bytes())?;
            out.write_str(", ")?;
            text(&mut out, value.as_bytes())?;
            out.write_char(']')
        })?;
    }
    out.write_str(", \"warnings\": ")?;
    texts(out, &node.warnings)?;
    if let Some(Code::Known(_, outline)) = node.code.as_deref() {
        out.write_str(", \"code\": {\"signature\": ")?;
        match &node.signature {
            Some(signature) => text(out, signature.as_bytes())?,
            None => text(out, outline.signature(0, &[]).as_bytes())?,
        }
        out.write_str(", \"file\": ")?;
        text(out, outline.filename.as_bytes())?;
        write!(out, ", \"line\": {}", outline.line)?;
        for (key, names) in [
            ("globals", &outline.globals),
            ("sets", &outline.sets),
            ("attributes", &outline.attributes),
            ("imports", &outline.imports),
            ("free", &outline.free),
        ] {
            write!(out, ", \"{key}\": ")?;
            texts(out, names)?;
        }
        out.write_char('}')?;
    }
    out.write_char('}')
}

impl Inspection<'_> {
    /// Write the inspection as JSON; see the module for its form. With `most`, so many nodes at most are written, the largest
    /// ones, and those that are left out are among nobody's children.
    pub fn write_json(&self, title: &str, most: Option<usize>, out: &mut impl Write) -> fmt::Result {
        out.write_str("{\"title\": ")?;
        text(out, title.as_bytes())?;
        write!(out, ",\n\"total\": {}, \"protocol\": {}, \"python\": ", self.len(), self.protocol())?;
        match self.python() {
            Some(version) => text(out, version.as_bytes())?,
            None => out.write_str("null")?,
        }
        write!(out, ", \"root\": {ROOT}, \"following\": {}, \"error\": ", self.following())?;
        match self.error() {
            Some(error) => text(out, error.to_string().as_bytes())?,
            None => out.write_str("null")?,
        }
        out.write_str(",\n\"globals\": [")?;
        for (at, global) in self.globals().enumerate() {
            out.write_str(if at > 0 { ",\n" } else { "\n" })?;
            out.write_str("{\"module\": ")?;
            match &global.names {
                Some((module, name)) => {
                    text(out, module)?;
                    out.write_str(", \"name\": ")?;
                    text(out, name)?;
                }
                None => out.write_str("null, \"name\": null")?,
            }
            write!(out, ", \"offset\": {}}}", global.offset)?;
        }
        out.write_str("],\n\"nodes\": [")?;
        let kept = most.map(|most| self.largest(most));
        let is_kept = |id: &u32| kept.as_ref().is_none_or(|kept| kept.contains(id));
        for (at, id) in self.in_order().filter(is_kept).enumerate() {
            out.write_str(if at > 0 { ",\n" } else { "\n" })?;
            let mut each = self.node(id);
            each.children.retain(is_kept);
            each.shared.retain(is_kept);
            node(out, &each)?;
        }
        out.write_str("]}\n")
    }

    /// The numbers of the largest nodes; what a node is part of is at least as large, and comes first where it is just as large.
    fn largest(&self, most: usize) -> HashSet<u32> {
        let mut all: Vec<(Reverse<u64>, usize, u32)> =
            self.in_order().enumerate().map(|(at, id)| (Reverse(self.total(id)), at, id)).collect();
        if all.len() > most {
            all.select_nth_unstable(most);
            all.truncate(most);
        }
        all.into_iter().map(|(_, _, id)| id).collect()
    }
}
