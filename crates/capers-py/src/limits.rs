//! Fixed caps of the extension, each with its reason.

/// Unfinished objects on the work stack. A million-deep structure needs a million; a reduction that leads to ever new
/// objects would otherwise fill the memory of the machine (a frame and its objects are a few hundred bytes).
pub(crate) const MAX_DEPTH: usize = 4_000_000;

/// Signals are looked at each time the step counter has these bits clear: about every 16,000 steps, well under 0.1 s.
pub(crate) const SIGNAL_MASK: u32 = (1 << 14) - 1;

/// Pauses of a walk between two looks at every kind of signal; an interrupt is seen at each pause.
pub(crate) const LOOKS: u32 = 256;
