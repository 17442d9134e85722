//! `capers dis`: the instructions of a payload, and of the functions in it.

use std::collections::HashMap;
use std::fmt;

use capers_code::{Version, disassembly, marshal};
use capers_pickle::inspect::{self, Marshalled, Room};
use capers_pickle::listing::{self, ListingError, Style};

use crate::arguments::Dis;
use crate::input;
use crate::output::{self, Ended, Failure, Output};

/// Bytes of an argument that are shown unless everything is asked for.
const LONGEST: usize = 160;

pub(crate) fn dis(options: &Dis, output: &mut Output) -> Result<Ended, Failure> {
    let data = input::read(&options.file)?;
    let style = if options.plain { Style::PLAIN } else { Style { stack: true, longest: LONGEST } };
    let code = if options.code { places(&data) } else { HashMap::new() };
    let listed = listing::write_in(&data, style, output, |instruction, out| {
        code.get(&instruction.offset).map_or(Ok(()), |code| bytecode(&code.bytes, code.version, out))
    });
    match listed {
        Ok(()) => Ok(Ended::Well),
        Err(ListingError::Format(_)) => Err(output.failure()),
        Err(ListingError::Pickle(error)) => {
            output.flush()?;
            input::complain(&options.file, &data, &error)?;
            Ok(Ended::Otherwise)
        }
    }
}

/// The marshalled code by the offsets of the instructions that push it.
fn places(data: &[u8]) -> HashMap<u64, Marshalled<'_>> {
    let inspection = inspect::inspect(data, Room::for_payload(data.len()));
    let codes = inspection.ids().filter_map(|id| inspection.marshalled(id).ok());
    codes.map(|code| (code.offset, code)).collect()
}

/// The bytecode of a code object and of all inside it, the outermost first.
fn bytecode(bytes: &[u8], version: Version, out: &mut Output) -> fmt::Result {
    use std::fmt::Write;
    const INDENT: &str = "        | ";
    let tree = match marshal::Tree::parse(bytes, version) {
        Ok(tree) => tree,
        Err(error) => return writeln!(out, "{INDENT}this code cannot be read: {error}"),
    };
    for code in tree.codes().iter().rev() {
        let (name, file) = (code.qualname.to_string_lossy(), code.filename.to_string_lossy());
        let (name, file) = (output::tame(&name), output::tame(&file));
        writeln!(out, "{INDENT}code of {name}, {file}:{}, Python {version}", code.firstlineno)?;
        disassembly::write(&tree, code, version, INDENT, out)?;
    }
    Ok(())
}
