//! The allocator of the process: mimalloc, without the way round that its crate takes.
//!
//! The crate asks for an aligned block each time. For usual alignments mimalloc's plain call promises the same, at a third
//! of the instructions; a request makes some two hundred allocations.
//!
//! Large blocks, which are bodies with images, are the system's: each is mapped for itself, and gone when it is given back. In
//! mimalloc they wait in the heap of the thread that asked for them, until that thread does something again: two workers
//! that take turns would hold the body of one request twice. They are made of huge pages where the system has some, as
//! mimalloc's are: a body of 10 MB in small ones takes 13 ms more.

use std::alloc::{GlobalAlloc, Layout};
use std::ptr::null_mut;
use std::sync::Once;

/// Blocks of at least this size are aligned to it: `MI_MAX_ALIGN_SIZE` of mimalloc's `types.h`.
const ALIGNED: usize = 16;

/// From here on a block is the system's. Smaller ones are worth keeping.
const LARGE: usize = 4 << 20;
/// A huge page, and so where large blocks begin.
const HUGE: usize = 2 << 20;

/// For `#[global_allocator]`.
pub struct Allocator;

/// Has glibc map each block of [`LARGE`] or more for itself. Unless it is told, it stops doing so for sizes that were given
/// back once, and keeps them (`M_MMAP_THRESHOLD` in mallopt(3)).
fn map_large_blocks() {
    static ONCE: Once = Once::new();
    #[expect(unsafe_code, reason = "an option of the C library")]
    // SAFETY: it sets a number, under the C library's own lock.
    ONCE.call_once(|| _ = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE as libc::c_int) });
}

fn is_large(size: usize) -> bool {
    size >= LARGE
}

/// A large block.
///
/// # Safety
/// As for `GlobalAlloc::alloc`.
#[expect(unsafe_code, reason = "an allocator hands out raw memory")]
unsafe fn map(layout: Layout) -> *mut u8 {
    map_large_blocks();
    let mut block = null_mut();
    // SAFETY: the alignment is a power of two, and more than a pointer's size.
    if unsafe { libc::posix_memalign(&raw mut block, layout.align().max(HUGE), layout.size()) } != 0 {
        return null_mut();
    }
    // SAFETY: advice on memory that was just given to us. Where it is not taken, pages are small.
    unsafe { libc::madvise(block, layout.size(), libc::MADV_HUGEPAGE) };
    block.cast()
}

/// The same, of zeros: as it comes from the system, no page of it is touched.
///
/// # Safety
/// As for `GlobalAlloc::alloc_zeroed`.
#[expect(unsafe_code, reason = "an allocator hands out raw memory")]
unsafe fn map_zeroed(layout: Layout) -> *mut u8 {
    if layout.align() <= ALIGNED {
        map_large_blocks();
        // SAFETY: any size will do.
        return unsafe { libc::calloc(1, layout.size()).cast() };
    }
    // SAFETY: the caller's promise; a block of its size is there to be written.
    unsafe {
        let block = map(layout);
        if !block.is_null() {
            block.write_bytes(0, layout.size());
        }
        block
    }
}

/// Whether any block of this size is aligned as the layout asks. Smaller blocks are aligned to their size, rounded down to
/// a power of two.
fn is_usual(layout: &Layout) -> bool {
    layout.align() <= ALIGNED && layout.align() <= layout.size()
}

#[expect(unsafe_code, reason = "an allocator hands out raw memory")]
// SAFETY: a block's size, which its layout tells again, says whether it is the system's or mimalloc's. From mimalloc it has
// at least the size asked for; where a plain call does not promise the alignment, the aligned call does. mimalloc may be
// called by any thread and does not unwind.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_large(layout.size()) {
            // SAFETY: the caller's promise.
            return unsafe { map(layout) };
        }
        let block = match is_usual(&layout) {
            // SAFETY: any size will do.
            true => unsafe { libmimalloc_sys::mi_malloc(layout.size()) },
            // SAFETY: a layout's alignment is a power of two.
            false => unsafe { libmimalloc_sys::mi_malloc_aligned(layout.size(), layout.align()) },
        };
        block.cast()
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_large(layout.size()) {
            // SAFETY: the caller's promise.
            return unsafe { map_zeroed(layout) };
        }
        let block = match is_usual(&layout) {
            // SAFETY: as in `alloc`.
            true => unsafe { libmimalloc_sys::mi_zalloc(layout.size()) },
            // SAFETY: as in `alloc`.
            false => unsafe { libmimalloc_sys::mi_zalloc_aligned(layout.size(), layout.align()) },
        };
        block.cast()
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_large(layout.size()) {
            // SAFETY: a block of this size is the system's, and the caller gives back what it was given here.
            return unsafe { libc::free(block.cast()) };
        }
        // SAFETY: the caller gives back what it was given here.
        unsafe { libmimalloc_sys::mi_free(block.cast()) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if is_large(layout.size()) || is_large(size) {
            // SAFETY: the caller's promise.
            return unsafe { moved(self, block, layout, size) };
        }
        let usual = layout.align() <= ALIGNED && layout.align() <= size;
        let block = match usual {
            // SAFETY: the caller gives back what it was given here.
            true => unsafe { libmimalloc_sys::mi_realloc(block.cast(), size) },
            // SAFETY: the same, and a layout's alignment is a power of two.
            false => unsafe { libmimalloc_sys::mi_realloc_aligned(block.cast(), size, layout.align()) },
        };
        block.cast()
    }
}

/// The same bytes in another block. What grows to be large is told beforehand how large, and not made larger often.
///
/// # Safety
/// As for `GlobalAlloc::realloc`.
#[expect(unsafe_code, reason = "an allocator hands out raw memory")]
unsafe fn moved(from: &Allocator, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    // SAFETY: the alignment is a layout's, and the caller promises that the size is one.
    let to = unsafe { from.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
    if !to.is_null() {
        // SAFETY: both are that long at least, and no memory is in both; the old one is given back as it was given.
        unsafe {
            to.copy_from_nonoverlapping(block, layout.size().min(size));
            from.dealloc(block, layout);
        }
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of this process, in bytes.
    fn resident() -> usize {
        let told = std::fs::read_to_string("/proc/self/statm").unwrap();
        told.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }

    #[test]
    #[expect(unsafe_code, reason = "an allocator hands out raw memory")]
    fn blocks_keep_what_is_in_them_on_their_way_to_the_system_and_back() {
        let layout = |size| Layout::from_size_align(size, 1).unwrap();
        let sizes = [100, LARGE - 1, LARGE, 3 * LARGE, 2 * LARGE, LARGE - 1, 100];
        // SAFETY: written within its size, given back with its layout.
        unsafe {
            let mut block = Allocator.alloc(layout(sizes[0]));
            block.write_bytes(7, sizes[0]);
            for pair in sizes.windows(2) {
                block = Allocator.realloc(block, layout(pair[0]), pair[1]);
                assert!((0..100).all(|at| *block.add(at) == 7), "{pair:?}");
            }
            Allocator.dealloc(block, layout(100));
            let zeroed = Allocator.alloc_zeroed(layout(LARGE));
            assert!((0..LARGE).all(|at| *zeroed.add(at) == 0));
            Allocator.dealloc(zeroed, layout(LARGE));
        }
    }

    #[test]
    #[expect(unsafe_code, reason = "an allocator hands out raw memory")]
    fn p02_what_is_large_is_gone_when_it_is_given_back_whoever_asked_for_it() {
        let size = 16 * LARGE;
        let layout = Layout::from_size_align(size, 1).unwrap();
        let before = resident();
        // Twice: what was given back once must not be kept the next time.
        for _ in 0..2 {
            // SAFETY: written within its size.
            let block = std::thread::spawn(move || unsafe {
                let block = Allocator.alloc(layout);
                block.write_bytes(7, size);
                block.expose_provenance()
            });
            let block = std::ptr::with_exposed_provenance_mut(block.join().unwrap());
            assert!(resident() > before + size / 2);
            // SAFETY: given back once, with its layout.
            unsafe { Allocator.dealloc(block, layout) };
            assert!(resident() < before + size / 2);
        }
    }

    #[test]
    #[expect(unsafe_code, reason = "an allocator hands out raw memory")]
    fn blocks_are_aligned_and_keep_what_is_in_them() {
        for (align, size) in
            (0..=12).flat_map(|power| (1..=300).step_by(7).map(move |size| (1 << power, size)))
        {
            let layout = Layout::from_size_align(size, align).unwrap();
            // SAFETY: written within its size, given back with its layout.
            unsafe {
                let block = Allocator.alloc(layout);
                assert_eq!(block as usize % align, 0, "{size} bytes, aligned to {align}");
                block.write_bytes(7, size);
                let more = Allocator.realloc(block, layout, size * 9);
                assert_eq!(more as usize % align, 0, "{size} bytes, aligned to {align}, made larger");
                assert!((0..size).all(|at| *more.add(at) == 7));
                Allocator.dealloc(more, Layout::from_size_align(size * 9, align).unwrap());
                let zeroed = Allocator.alloc_zeroed(layout);
                assert_eq!(zeroed as usize % align, 0);
                assert!((0..size).all(|at| *zeroed.add(at) == 0));
                Allocator.dealloc(zeroed, layout);
            }
        }
    }
}
