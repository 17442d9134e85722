//! Caps for untrusted input, all in one place.
//!
//! A pickle of a few bytes can ask for much work: repeated `DUP` and `TUPLE` double a structure at each step, `TUPLE1`
//! nests by one byte a level, `PUT` fills the memo. Every cap below bounds one such resource. Loading what one trusts runs
//! with [`Unlimited`], whose checks compile to nothing. What takes a look at values, their depth and the growth of
//! containers, is counted by the host of [`crate::weighed`].

use crate::error::{Error, ErrorKind};

/// The caps; `None` means no cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Instructions run.
    pub operations: Option<u64>,
    /// How deep values are nested: 1 for a container without containers inside.
    pub depth: Option<u64>,
    /// Entries in the memo.
    pub memo: Option<u64>,
    /// Bytes of one str, bytes, bytearray or int as the stream has them; items and pairs given to one container in all.
    pub size: Option<u64>,
    /// Sum of all such bytes, items and pairs.
    pub total: Option<u64>,
}

/// What a cap is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::operations`]
    Operations,
    /// [`Limits::depth`]
    Depth,
    /// [`Limits::memo`]
    Memo,
    /// [`Limits::size`]
    Size,
    /// [`Limits::total`]
    Total,
}

impl Limit {
    /// The name that users know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Limit::Operations => "operations",
            Limit::Depth => "depth",
            Limit::Memo => "memo",
            Limit::Size => "size",
            Limit::Total => "total",
        }
    }

    /// Fails if `used` is more than `cap`.
    #[inline]
    pub fn check(self, used: u64, cap: Option<u64>) -> Result<(), Error> {
        match cap {
            Some(cap) if used > cap => Err(Error::new(ErrorKind::Limit(self, cap))),
            _ => Ok(()),
        }
    }
}

/// Counts what a pickle uses.
pub trait Meter {
    /// One more instruction.
    fn step(&mut self) -> Result<(), Error>;
    /// The memo now has so many entries.
    fn memo(&mut self, count: usize) -> Result<(), Error>;
    /// So many bytes of a str, bytes, bytearray or int are about to be read.
    fn bytes(&mut self, count: usize) -> Result<(), Error>;
    /// So many items are about to be given to a container.
    fn items(&mut self, count: usize) -> Result<(), Error>;
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

impl Meter for Unlimited {
    #[inline]
    fn step(&mut self) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn memo(&mut self, _count: usize) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn bytes(&mut self, _count: usize) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn items(&mut self, _count: usize) -> Result<(), Error> {
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

impl Meter for Limited {
    fn step(&mut self) -> Result<(), Error> {
        self.operations += 1;
        Limit::Operations.check(self.operations, self.limits.operations)
    }

    fn memo(&mut self, count: usize) -> Result<(), Error> {
        Limit::Memo.check(count as u64, self.limits.memo)
    }

    fn bytes(&mut self, count: usize) -> Result<(), Error> {
        Limit::Size.check(count as u64, self.limits.size)?;
        self.items(count)
    }

    fn items(&mut self, count: usize) -> Result<(), Error> {
        self.total = self.total.saturating_add(count as u64);
        Limit::Total.check(self.total, self.limits.total)
    }
}
