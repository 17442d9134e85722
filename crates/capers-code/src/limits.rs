//! Every fixed cap of this crate, with its reason beside it.
//!
//! Nothing else in the crate may compare a length or a depth against a number of its own.

/// How deep values may nest inside one marshalled object, the outermost counting as 1.
///
/// `MAX_MARSHAL_STACK_DEPTH` of CPython's `Python/marshal.c` outside Windows (same in 3.11 to 3.15): deeper bytes could not
/// be loaded, so they are neither read nor written.
pub const MAX_DEPTH: usize = 2000;

/// The longest string, byte string or container marshal can state: its lengths are signed 32-bit numbers.
pub const MAX_LENGTH: usize = i32::MAX as usize;

/// The most bytes the writer puts out for one object unless told otherwise.
///
/// Containers carry no references in the canonical form, so a few hundred bytes of tuples that share each other write
/// themselves out exponentially. 1 GiB is far above any code object and below what offsets of 32 bits can address.
pub const MAX_OUTPUT: usize = 1 << 30;

/// How many frozensets may be open inside each other.
///
/// Closing a frozenset moves its bytes, so each level costs once its size. Compilers make frozensets of plain constants only,
/// one level deep.
pub const MAX_OPEN_FROZENSETS: usize = 32;

/// The most bytes the reader takes. It needs up to 64 times as much memory (a flood of empty strings),
/// and its numbers of values are 32 bits wide.
pub const MAX_INPUT: usize = 1 << 28;

/// The most bytes that `canonicalize` writes for an input of `input` bytes.
///
/// For code objects from a compiler the canonical form is about as long as the input. The allowance covers a large constant
/// shared by many nested functions, which CPython writes once and the canonical form writes each time.
#[must_use]
pub const fn canonical_output(input: usize) -> usize {
    let allowed = (16 << 20) + input.saturating_mul(16);
    if allowed < MAX_OUTPUT { allowed } else { MAX_OUTPUT }
}
