//! The allocator of the process: mimalloc, without the way round that its crate takes.
//!
//! The crate asks for an aligned block each time. For usual alignments mimalloc's plain call promises the same, at a third
//! of the instructions; a request makes some two hundred allocations.

use std::alloc::{GlobalAlloc, Layout};

/// Blocks of at least this size are aligned to it: `MI_MAX_ALIGN_SIZE` of mimalloc's `types.h`.
const ALIGNED: usize = 16;

/// For `#[global_allocator]`.
pub struct Allocator;

/// Whether any block of this size is aligned as the layout asks. Smaller blocks are aligned to their size, rounded down to
/// a power of two.
fn is_usual(layout: &Layout) -> bool {
    layout.align() <= ALIGNED && layout.align() <= layout.size()
}

#[expect(unsafe_code, reason = "an allocator hands out raw memory")]
// SAFETY: every block comes from mimalloc, with at least the size asked for; where a plain call does not promise the
// alignment, the aligned call does. mimalloc may be called by any thread and does not unwind.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = match is_usual(&layout) {
            // SAFETY: any size will do.
            true => unsafe { libmimalloc_sys::mi_malloc(layout.size()) },
            // SAFETY: a layout's alignment is a power of two.
            false => unsafe { libmimalloc_sys::mi_malloc_aligned(layout.size(), layout.align()) },
        };
        block.cast()
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let block = match is_usual(&layout) {
            // SAFETY: as in `alloc`.
            true => unsafe { libmimalloc_sys::mi_zalloc(layout.size()) },
            // SAFETY: as in `alloc`.
            false => unsafe { libmimalloc_sys::mi_zalloc_aligned(layout.size(), layout.align()) },
        };
        block.cast()
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller gives back what it was given here.
        unsafe { libmimalloc_sys::mi_free(block.cast()) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
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

#[cfg(test)]
mod tests {
    use super::*;

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
