//! A pickle in memory that is read on where a frame promises more than there is.
//!
//! The loader refuses such a pickle at the frame. An inspection shows what there is, and keeps the error for the end.

use crate::error::{Error, Locate};
use crate::opcode::Op;
use crate::reader::{Ready, SliceSource, Source};

/// Length of a `FRAME` instruction.
const FRAME: u64 = 9;

pub(super) struct Lenient<'a> {
    source: SliceSource<'a>,
    /// The error of the first frame that promises too much.
    pub(super) error: Option<Error>,
}

impl<'a> Lenient<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Lenient { source: SliceSource::new(data), error: None }
    }
}

impl Source for Lenient<'_> {
    type Error = Error;

    fn offset(&self) -> u64 {
        self.source.offset()
    }

    fn next_byte(&mut self) -> Result<Option<u8>, Error> {
        self.source.next_byte()
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Error> {
        self.source.take(count)
    }

    fn line(&mut self) -> Result<&[u8], Error> {
        self.source.line()
    }

    fn read_into(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.source.read_into(out)
    }

    fn frame(&mut self, count: u64) -> Result<(), Error> {
        if let Err(error) = self.source.frame(count) {
            let start = self.source.offset().saturating_sub(FRAME);
            self.error.get_or_insert(error.locate(start, Some(Op::Frame)));
        }
        Ok(())
    }
}

impl<V> Ready<V> for Lenient<'_> {}
