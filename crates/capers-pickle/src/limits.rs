//! Caps for untrusted input, all in one place.
//!
//! A pickle of a few bytes can ask for much work: repeated `DUP` and `TUPLE` double a structure at each step, `PUT`
//! fills the memo. Every cap below bounds one such resource. Loading what one trusts runs with [`Unlimited`], whose
//! checks compile to nothing.

use crate::error::{Error, ErrorKind};

/// The caps; `None` means no cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Instructions run.
    pub operations: Option<u64>,
    /// Values and marks on the stack at one time.
    pub stack: Option<u64>,
    /// Entries in the memo.
    pub memo: Option<u64>,
    /// Bytes of one str, bytes, bytearray or int, and items given to a container by one opcode.
    pub item: Option<u64>,
    /// Sum of all such bytes and items.
    pub total: Option<u64>,
}

/// Counts what a pickle uses.
pub trait Meter {
    /// One more instruction; the stack now has `depth` entries, the memo `memo`.
    fn step(&mut self, depth: usize, memo: usize) -> Result<(), Error>;
    /// An argument or batch of `size` bytes or items is about to be made.
    fn size(&mut self, size: usize) -> Result<(), Error>;
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

impl Meter for Unlimited {
    #[inline]
    fn step(&mut self, _depth: usize, _memo: usize) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn size(&mut self, _size: usize) -> Result<(), Error> {
        Ok(())
    }
}

/// Counts, and fails at the first cap that is passed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limited {
    limits: Limits,
    operations: u64,
    total: u64,
}

impl Limited {
    /// A meter that holds these caps.
    #[must_use]
    pub fn new(limits: Limits) -> Limited {
        Limited { limits, operations: 0, total: 0 }
    }
}

fn check(used: u64, cap: Option<u64>, name: &'static str) -> Result<(), Error> {
    match cap {
        Some(cap) if used > cap => Err(Error::new(ErrorKind::Limit(name))),
        _ => Ok(()),
    }
}

impl Meter for Limited {
    fn step(&mut self, depth: usize, memo: usize) -> Result<(), Error> {
        self.operations += 1;
        check(self.operations, self.limits.operations, "operations")?;
        check(depth as u64, self.limits.stack, "stack depth")?;
        check(memo as u64, self.limits.memo, "memo entries")
    }

    fn size(&mut self, size: usize) -> Result<(), Error> {
        self.total = self.total.saturating_add(size as u64);
        check(size as u64, self.limits.item, "the size of one item")?;
        check(self.total, self.limits.total, "the total size")
    }
}
