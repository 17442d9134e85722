//! From any marshal bytes of a code object to the canonical ones: the reader in front, the writer behind.
//!
//! This is the slow way to what the extension gets by writing live code objects with [`Writer`] directly. It serves the
//! command line, which has no live objects, and as the oracle of the fast way.

use super::tree::{CodeValue, Tree, Value, ValueId};
use super::{CodeHeader, Writer};
use crate::error::{Error, ErrorKind};
use crate::limits;
use crate::version::Version;

/// The canonical form of the marshalled value in `bytes`, which an interpreter of `version` wrote.
///
/// The result is the same for all `bytes` that stand for the same value, and is its own canonical form. Fails if `bytes`
/// cannot be read, and with [`ErrorKind::NotConstant`] for lists, sets and dicts, which no code object of a compiler holds.
pub fn canonicalize(bytes: &[u8], version: Version) -> Result<Vec<u8>, Error> {
    let tree = Tree::parse(bytes, version)?;
    let mut writer = Writer::with_max_output(version, limits::canonical_output(bytes.len()));
    let mut tasks = vec![Task::Value(tree.root())];
    while let Some(task) = tasks.pop() {
        match task {
            Task::Value(id) => write_value(&tree, id, version, &mut writer, &mut tasks)?,
            Task::Name(id) => {
                if let Value::Str(value) = tree.value(id) {
                    writer.name(value.bytes, value.ascii);
                }
            }
            Task::Names(id) => {
                let names = tree.items(id);
                writer.tuple(names.len())?;
                tasks.extend(names.iter().rev().map(|&id| Task::Name(id)));
            }
            Task::Element(id) => {
                writer.element();
                tasks.push(Task::Value(id));
            }
            Task::EndFrozenSet => writer.end_frozenset(),
            Task::EndFrozenDict => writer.end_frozendict(),
            Task::CodeTail(code) => write_tail(code, &mut writer),
        }
    }
    writer.take()
}

/// What is left to write, the next thing last.
enum Task<'t> {
    Value(ValueId),
    Name(ValueId),
    Names(super::tree::Items),
    Element(ValueId),
    EndFrozenSet,
    EndFrozenDict,
    /// The fields of a code object from `co_localspluskinds` on, which hold nothing.
    CodeTail(&'t CodeValue<'t>),
}

fn write_value<'t>(
    tree: &'t Tree<'_>,
    id: ValueId,
    version: Version,
    writer: &mut Writer,
    tasks: &mut Vec<Task<'t>>,
) -> Result<(), Error> {
    let value = tree.value(id);
    match value {
        Value::None => writer.none(),
        Value::Bool(true) => writer.true_(),
        Value::Bool(false) => writer.false_(),
        Value::Ellipsis => writer.ellipsis(),
        Value::Int(value) => writer.int(value),
        Value::Long(value) => writer.long_from_le_bytes(value.negative, &value.magnitude()),
        Value::Float(value) => writer.float(value),
        Value::Complex(real, imag) => writer.complex(real, imag),
        Value::Bytes(value) => writer.bytes(value),
        Value::Str(value) => writer.str(value.bytes, value.ascii),
        Value::Tuple(items) => {
            let items = tree.items(items);
            writer.tuple(items.len())?;
            tasks.extend(items.iter().rev().map(|&id| Task::Value(id)));
        }
        Value::FrozenSet(items) => {
            writer.begin_frozenset()?;
            tasks.push(Task::EndFrozenSet);
            tasks.extend(tree.items(items).iter().map(|&id| Task::Element(id)));
        }
        Value::FrozenDict(items) => {
            writer.begin_frozendict()?;
            tasks.push(Task::EndFrozenDict);
            tasks.extend(tree.items(items).iter().rev().map(|&id| Task::Value(id)));
        }
        Value::Slice(items) => {
            writer.slice()?;
            tasks.extend(tree.items(items).iter().rev().map(|&id| Task::Value(id)));
        }
        Value::Code(id) => {
            let code = tree.code(id);
            let header: &CodeHeader = &code.header;
            writer.begin_code(header)?;
            writer.bytes(code.code);
            let consts = tree.items(code.consts);
            writer.tuple(consts.len())?;
            tasks.push(Task::CodeTail(code));
            tasks.push(Task::Names(code.localsplusnames));
            tasks.push(Task::Names(code.names));
            tasks.extend(consts.iter().rev().map(|&id| Task::Value(id)));
        }
        Value::List(_) | Value::Set(_) | Value::Dict(_) | Value::StopIteration => {
            return Err(Error::new(ErrorKind::NotConstant { found: value.type_name(), version }));
        }
    }
    Ok(())
}

fn write_tail(code: &CodeValue<'_>, writer: &mut Writer) {
    writer.bytes(code.localspluskinds);
    for value in [code.filename, code.name, code.qualname] {
        writer.str(value.bytes, value.ascii);
    }
    writer.raw_long(code.firstlineno);
    writer.bytes(code.linetable);
    writer.bytes(code.exceptiontable);
}
