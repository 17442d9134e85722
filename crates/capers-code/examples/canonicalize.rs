//! Length-prefixed marshal bytes on standard input, their canonical form on standard output.
//!
//! `canonicalize 3.13 marshal` writes the canonical form of each message. `canonicalize 3.13 names` takes bytecode instead
//! and writes `use index` lines. A message is a little-endian 32-bit length and that many bytes; an error is answered with
//! the length `ffffffff`, then a message with its text. Made for check scripts, which start it once for many messages.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Read, Write};

use capers_code::marshal::canonicalize;
use capers_code::{Version, scan};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(version), Some(what)) = (args.next(), args.next()) else {
        return Err("usage: canonicalize VERSION marshal|names".into());
    };
    let version =
        Version::SUPPORTED.iter().copied().find(|known| known.to_string() == version).ok_or("unsupported version")?;
    let mut input = io::stdin().lock();
    let mut output = BufWriter::new(io::stdout().lock());
    let mut head = [0; 4];
    while input.read_exact(&mut head).is_ok() {
        let mut message = vec![0; u32::from_le_bytes(head) as usize];
        input.read_exact(&mut message)?;
        let answer = if what == "names" {
            let mut lines = String::new();
            scan(version, &message, |use_, index| {
                let _ = writeln!(lines, "{use_:?} {index}");
            });
            lines.into_bytes()
        } else {
            canonicalize(&message, version).unwrap_or_else(|error| {
                let _ = output.write_all(&u32::MAX.to_le_bytes());
                error.to_string().into_bytes()
            })
        };
        output.write_all(&(answer.len() as u32).to_le_bytes())?;
        output.write_all(&answer)?;
        output.flush()?;
    }
    Ok(())
}
