//! The crate's promises, tested through its public interface. One program, so that they link once.

mod golden;
mod hostile;
mod samples;
mod writer;
