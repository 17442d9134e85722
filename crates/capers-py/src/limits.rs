//! Fixed caps of the extension, each with its reason.

use std::time::Duration;

/// Unfinished objects on the work stack. A million-deep structure needs a million; a reduction that leads to ever new
/// objects would otherwise fill the memory of the machine (a frame and its objects are a few hundred bytes).
pub(crate) const MAX_DEPTH: usize = 4_000_000;

/// Whether a dump can tell ways and keep an account. It always can, but in the build that the suite `paths` of the bench compares
/// with, to show what that costs where nothing fails.
pub(crate) const TELLS_PATHS: bool = !cfg!(feature = "without-paths");

/// Signals are looked at each time the step counter has these bits clear: about every 16,000 steps, well under 0.1 s.
pub(crate) const SIGNAL_MASK: u32 = (1 << 14) - 1;

/// Pauses of a walk between two looks at every kind of signal; an interrupt is seen at each pause.
pub(crate) const LOOKS: u32 = 256;

/// The least time between two calls of a progress callable: often enough to look alive, seldom enough to cost nothing.
pub(crate) const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Notes on an exception of others, from which on no more are added: one that is raised again and again would collect one from
/// each place.
pub(crate) const MAX_NOTES: usize = 64;

/// Tuples nested in a key that is loaded. Hashing one takes up to 120 bytes of C stack a level (CPython 3.15); on a stack of
/// 512 KiB 6,000 levels are possible.
pub(crate) const MAX_HASH_DEPTH: usize = 4000;

/// Items that hashing one key may look at: half a second's worth, in which no signal can be answered.
pub(crate) const MAX_HASH_STEPS: u64 = 1 << 26;

/// Items that hashing keys may look at in all until signals are looked at: well under 0.1 s.
pub(crate) const HASH_STEPS_PER_LOOK: u64 = 1 << 22;

/// How often one object may be being reduced at one time. `pickle` allows what the recursion limit does, a few hundred times
/// as it is set by default; nothing but an endless reduction comes near.
pub(crate) const MAX_TIMES_INSIDE_ITSELF: usize = 1000;
