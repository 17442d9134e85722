//! What happens when memory runs out.
//!
//! Rust ends the process when an allocation fails; Python raises `MemoryError`. So everything that can grow without bound
//! asks first ([`push`], [`reserve`], [`try_copy`]) and gives up by an unwinding that the door turns into a `MemoryError`.
//! The many small things made on the way there, an error's text among them, are then served from a reserve that is set
//! aside beforehand. Loops look at [`is_touched`] now and then, and end as soon as it is.

use std::alloc::{GlobalAlloc, Layout, System};
use std::any::Any;
use std::panic::{self, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::PyErr;
use pyo3::exceptions::PyMemoryError;

use super::output::OutOfMemory;

/// Bytes set aside. The machine makes less than a megabyte of small things between two looks.
const SIZE: usize = 2 << 20;

/// Requests up to this size are served from the reserve.
const SMALL: usize = 64 << 10;

/// The alignment of every piece.
const ALIGN: usize = 16;

/// What PyO3 says where it was given no object.
const NULL: &str = "PyObject pointer is null";

#[repr(align(16))]
struct Room(std::cell::UnsafeCell<[u8; SIZE]>);

// SAFETY: alive: a static. type: plain bytes, of which each piece is given to one owner. shared: `USED` gives out no byte
// twice. runs: nothing.
unsafe impl Sync for Room {}

static ROOM: Room = Room(std::cell::UnsafeCell::new([0; SIZE]));

/// Bytes given out, in the upper half, and pieces not yet given back, in the lower; all is free again at nought pieces.
static USED: AtomicU64 = AtomicU64::new(0);

/// Whether something lives in the reserve: memory has run out, and whoever asks for more must stop.
#[inline]
pub(crate) fn is_touched() -> bool {
    USED.load(Ordering::Relaxed) != 0
}

/// Fails if memory has run out.
#[inline]
pub(crate) fn check() -> Result<(), PyErr> {
    if is_touched() { Err(PyMemoryError::new_err(())) } else { Ok(()) }
}

/// Ends what is going on; the door turns this into a `MemoryError`.
#[cold]
#[inline(never)]
pub(crate) fn out_of_memory() -> ! {
    resume_unwind(Box::new(OutOfMemory))
}

/// Whether a panic is that of PyO3 where the interpreter made no object: there was no memory for it.
pub(crate) fn is_null(panic: &(dyn Any + Send)) -> bool {
    panic.downcast_ref::<&str>() == Some(&NULL)
}

/// Prints no report of panics that end in a `MemoryError`; all others are faults of ours and are to be seen.
pub(crate) fn report_faults_only() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<&str>() != Some(&NULL) {
            report(info);
        }
    }));
}

/// Makes room for more items.
#[inline]
pub(crate) fn reserve<T>(vec: &mut Vec<T>, more: usize) {
    if vec.capacity() - vec.len() < more && vec.try_reserve(more).is_err() {
        out_of_memory();
    }
}

/// Appends an item.
#[inline]
pub(crate) fn push<T>(vec: &mut Vec<T>, item: T) {
    reserve(vec, 1);
    vec.push(item);
}

/// So many zeros; large ones come from the system as such, and cost nothing until they are used.
pub(super) fn zeroed(len: usize) -> Vec<[u64; 2]> {
    let Ok(layout) = Layout::array::<[u64; 2]>(len.max(1)) else { out_of_memory() };
    // SAFETY: alive: the vector owns the memory. type: allocated by the global allocator with the layout of so many items, for
    // which zeros are a value. shared: not at all. runs: nothing.
    unsafe {
        let made = std::alloc::alloc_zeroed(layout).cast::<[u64; 2]>();
        if made.is_null() {
            out_of_memory();
        }
        Vec::from_raw_parts(made, len, len.max(1))
    }
}

/// A copy of bytes, if there is memory for it.
pub(crate) fn try_copy(bytes: &[u8]) -> Result<Vec<u8>, PyErr> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).map_err(|_| PyMemoryError::new_err(()))?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// The allocator of this module: the system's, with the reserve behind it.
struct WithReserve;

#[global_allocator]
static ALLOCATOR: WithReserve = WithReserve;

#[cold]
fn from_reserve(layout: Layout) -> *mut u8 {
    if layout.size() > SMALL || layout.align() > ALIGN {
        return std::ptr::null_mut();
    }
    let size = layout.size().next_multiple_of(ALIGN) as u64;
    let mut used = USED.load(Ordering::Relaxed);
    loop {
        let at = used >> 32;
        if at + size > SIZE as u64 {
            return std::ptr::null_mut();
        }
        let then = (at + size) << 32 | ((used & 0xffff_ffff) + 1);
        match USED.compare_exchange_weak(used, then, Ordering::AcqRel, Ordering::Relaxed) {
            // SAFETY: alive: a static. type: `at` is below its size, as compared above. shared: the exchange gave these bytes
            // to this caller alone. runs: nothing.
            Ok(_) => return unsafe { ROOM.0.get().cast::<u8>().add(at as usize) },
            Err(now) => used = now,
        }
    }
}

/// Whether a piece belongs to the reserve.
#[inline]
fn is_ours(at: *mut u8) -> bool {
    (at as usize).wrapping_sub(ROOM.0.get() as usize) < SIZE
}

#[cold]
fn give_back() {
    let fewer = |used: u64| Some(if used & 0xffff_ffff == 1 { 0 } else { used - 1 });
    // The closure always answers.
    let _ = USED.fetch_update(Ordering::AcqRel, Ordering::Relaxed, fewer);
}

// SAFETY: alive, type: the system's allocator keeps the contract, and so does the reserve: pieces are aligned, large enough and
// given to one owner. shared: both may be used by all threads. runs: nothing, and nothing unwinds.
unsafe impl GlobalAlloc for WithReserve {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: alive, type, shared, runs: as the caller promises.
        let made = unsafe { System.alloc(layout) };
        if made.is_null() { from_reserve(layout) } else { made }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: alive, type, shared, runs: as the caller promises.
        let made = unsafe { System.alloc_zeroed(layout) };
        if !made.is_null() {
            return made;
        }
        let made = from_reserve(layout);
        if !made.is_null() {
            // SAFETY: alive, shared: just given to this caller. type: as many bytes as asked for. runs: nothing.
            unsafe { made.write_bytes(0, layout.size()) };
        }
        made
    }

    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if is_ours(at) {
            return give_back();
        }
        // SAFETY: alive, type, shared, runs: as the caller promises; what is not of the reserve is the system's.
        unsafe { System.dealloc(at, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_ours(at) {
            // SAFETY: alive, type, shared, runs: as the caller promises; what is not of the reserve is the system's.
            let made = unsafe { System.realloc(at, layout, size) };
            if !made.is_null() {
                return made;
            }
        }
        // SAFETY: alive: the old piece until it is given back below. type: the caller promises a size that is allowed with this
        // alignment; both pieces hold as many bytes as are copied. shared: the new one is this caller's alone. runs: nothing.
        unsafe {
            let wanted = Layout::from_size_align_unchecked(size, layout.align());
            let made = if is_ours(at) { self.alloc(wanted) } else { from_reserve(wanted) };
            if !made.is_null() {
                std::ptr::copy_nonoverlapping(at, made, layout.size().min(size));
                self.dealloc(at, layout);
            }
            made
        }
    }
}
