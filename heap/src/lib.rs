//! The module's allocator. It does two things more than the standard library's, which stands behind it:
//!
//! - **What is freed is wiped.** No copy of a key, an identity number or a name outlives the value that held it,
//!   whichever crate made that value.
//! - **Sealing allocates in one fixed order.** How long an allocator looks for a free block depends on what was freed
//!   before, and so on how many customers matched. While an answer is sealed ([`Heap::seal`]), blocks come out of
//!   one region, one behind the other, and nothing goes back to the free lists; so the work is the same
//!   whatever was found (docs/decisions/0004).
//!
//! This is the only crate with `unsafe` code. The argument for it stands at each block; the tests run it natively as
//! the program's own allocator.

#![expect(unsafe_code, reason = "GlobalAlloc is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of the region: several pieces of an answer, and all that is needed to make them.
const REGION: usize = 6 << 20;

/// The layout of the region. Blocks of a greater alignment than this do not come out of it.
const REGION_LAYOUT: Layout = match Layout::from_size_align(REGION, 16) {
    Ok(layout) => layout,
    Err(_) => panic!("16 is a power of two"),
};

/// The allocator. One a program. Its mode is the program's: the module has one thread.
pub struct Heap {
    /// The region, once it is reserved.
    region: AtomicPtr<u8>,
    given: Mutex<Given>,
    sealing: AtomicBool,
}

/// What of the region is given out.
struct Given {
    /// Bytes from its beginning.
    used: usize,
    /// Blocks that are not freed.
    live: usize,
}

impl Heap {
    /// An allocator like the standard library's, but for the wiping.
    pub const fn new() -> Self {
        Self {
            region: AtomicPtr::new(null_mut()),
            given: Mutex::new(Given { used: 0, live: 0 }),
            sealing: AtomicBool::new(false),
        }
    }

    /// Reserves the region, once. To be called before any row is read. Without memory there is none, and sealing
    /// allocates as everything does.
    pub fn reserve(&self) {
        if self.region.load(Relaxed).is_null() {
            // SAFETY: the layout's size is not zero.
            let region = unsafe { System.alloc(REGION_LAYOUT) };
            self.region.store(region, Relaxed);
        }
    }

    /// Allocates out of the region from now on, or no longer.
    pub fn seal(&self, sealing: bool) {
        self.sealing.store(sealing, Relaxed);
    }

    /// A lock allocates nothing, and nobody panics while it is held.
    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next block of the region.
    fn next(&self, layout: Layout) -> Option<*mut u8> {
        let region = self.region.load(Relaxed);
        if region.is_null() || layout.align() > REGION_LAYOUT.align() {
            return None;
        }
        let mut given = self.given();
        let at = given.used;
        given.used = end(at, layout.size())?;
        given.live += 1;
        // SAFETY: `at` ≤ `used` ≤ REGION, the size of the block that `region` is.
        Some(unsafe { region.add(at) })
    }

    /// Takes a block of the region back: the last one that was given out at once, all of them when none is left.
    fn give_back(&self, block: *mut u8, layout: Layout) {
        let at = self.place(block);
        let mut given = self.given();
        given.live -= 1;
        if given.live == 0 {
            given.used = 0;
        } else if end(at, layout.size()) == Some(given.used) {
            given.used = at;
        }
    }

    /// Gives a block of the region another size where it lies: the last one if there is room, any when it shrinks.
    fn resize(&self, block: *mut u8, layout: Layout, new_size: usize) -> bool {
        let at = self.place(block);
        let mut given = self.given();
        let last = end(at, layout.size()) == Some(given.used);
        match end(at, new_size) {
            Some(end) if last => given.used = end,
            _ if new_size > layout.size() => return false,
            _ => {}
        }
        true
    }

    /// Where in the region a block lies.
    fn place(&self, block: *mut u8) -> usize {
        block.addr().wrapping_sub(self.region.load(Relaxed).addr())
    }

    /// Whether a block lies in the region.
    fn holds(&self, block: *mut u8) -> bool {
        let region = self.region.load(Relaxed);
        // One comparison wherever the block lies, so that the answer takes the same time.
        !region.is_null() && self.place(block) < REGION
    }
}

/// Where a block of `size` bytes at `at` ends, rounded up so that the next one is aligned; none beyond the region.
fn end(at: usize, size: usize) -> Option<usize> {
    let end = at.checked_add(size)?.checked_next_multiple_of(REGION_LAYOUT.align())?;
    (end <= REGION).then_some(end)
}

impl Default for Heap {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: a block is the standard allocator's, or a part of the region that no other live block has: every live block
// of the region ends at `used` or before, and the next one begins there. Blocks are as large and as aligned as asked; see `next`.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = if self.sealing.load(Relaxed) { self.next(layout) } else { None };
        match block {
            Some(block) => block,
            // SAFETY: the caller's promise about `layout` is passed on.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that `block` is a live block of this layout: its bytes may be written.
        unsafe { block.write_bytes(0, layout.size()) };
        // Nobody reads the zeros; this keeps them from being left out.
        std::hint::black_box(block);
        if self.holds(block) {
            self.give_back(block, layout);
        } else if !self.sealing.load(Relaxed) {
            // SAFETY: the block is the standard allocator's, since it is not of the region.
            unsafe { System.dealloc(block, layout) }
        }
        // While sealing, a block of before is wiped and not given back: looking for its place among the free ones
        // would take a time of its own. The instance ends soon after.
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if self.holds(block) && self.resize(block, layout, new_size) {
            if new_size < layout.size() {
                // SAFETY: the caller promises that `block` is live and of this layout; what is wiped is its end.
                unsafe { block.add(new_size).write_bytes(0, layout.size() - new_size) };
                std::hint::black_box(block);
            }
            return block;
        }
        // SAFETY: the caller promises that `new_size`, rounded up to the alignment, is no more than isize::MAX.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: the caller promises that `new_size` is not zero.
        let new = unsafe { self.alloc(new_layout) };
        if !new.is_null() {
            // SAFETY: both blocks are live, apart from each other, and at least this long.
            unsafe { new.copy_from_nonoverlapping(block, layout.size().min(new_size)) };
            // SAFETY: the caller's promise about `block` and `layout` is passed on.
            unsafe { self.dealloc(block, layout) };
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[global_allocator]
    static HEAP: Heap = Heap::new();

    /// The mode is the program's: one test at a time.
    static TURN: Mutex<()> = Mutex::new(());

    #[test]
    fn what_is_freed_is_wiped() {
        let _turn = TURN.lock();
        let heap = Heap::new();
        heap.reserve();
        heap.seal(true);
        let layout = Layout::from_size_align(100, 1).unwrap();
        // SAFETY: the layout's size is not zero; the region stays reserved, so that a freed block can be looked at.
        unsafe {
            let block = heap.alloc(layout);
            block.write_bytes(0xC5, 100);
            heap.dealloc(block, layout);
            assert!((0..100).all(|i| *block.add(i) == 0));
        }
    }

    #[test]
    fn blocks_of_the_region_do_not_overlap_and_come_again() {
        let _turn = TURN.lock();
        let heap = Heap::new();
        heap.reserve();
        heap.seal(true);
        let layouts: Vec<Layout> =
            (1..200).map(|n| Layout::from_size_align(n * 7 % 97 + 1, 1 << (n % 5)).unwrap()).collect();
        let mut first = None;
        for _ in 0..3 {
            // SAFETY: no layout has size zero, and each block is freed once with the layout it came with.
            unsafe {
                let blocks: Vec<*mut u8> = layouts.iter().map(|layout| heap.alloc(*layout)).collect();
                let mut ends: Vec<(usize, usize)> = blocks
                    .iter()
                    .zip(&layouts)
                    .map(|(block, layout)| (block.addr(), block.addr() + layout.size()))
                    .collect();
                assert!(
                    blocks.iter().zip(&layouts).all(|(block, layout)| block.addr() % layout.align() == 0)
                );
                ends.sort_unstable();
                assert!(ends.windows(2).all(|pair| pair[0].1 <= pair[1].0));
                assert_eq!(
                    *first.get_or_insert(blocks.clone()),
                    blocks,
                    "once all are freed, the region begins anew"
                );
                for (block, layout) in blocks.iter().zip(&layouts) {
                    heap.dealloc(*block, *layout);
                }
            }
        }
    }

    #[test]
    fn a_block_grows_and_shrinks_where_it_lies() {
        let _turn = TURN.lock();
        let heap = Heap::new();
        heap.reserve();
        heap.seal(true);
        let layout = |size| Layout::from_size_align(size, 1).unwrap();
        // SAFETY: no size is zero; each block is live, used with the layout it has by then, and freed once.
        unsafe {
            let first = heap.alloc(layout(100));
            let last = heap.alloc(layout(1 << 20));
            last.write_bytes(0xC5, 1 << 20);
            assert_eq!(heap.realloc(last, layout(1 << 20), (1 << 20) + 1), last, "the last one grows");
            assert_eq!(heap.realloc(last, layout((1 << 20) + 1), 5_000), last, "and shrinks");
            assert!((5_000..=1 << 20).all(|i| *last.add(i) == 0), "its end is wiped");
            assert_eq!(heap.realloc(first, layout(100), 50), first, "one in the middle shrinks");
            first.write_bytes(7, 50);
            let moved = heap.realloc(first, layout(50), 200);
            assert!(moved != first && *moved.add(49) == 7 && *first.add(49) == 0, "and moves when it grows");
            heap.dealloc(moved, layout(200));
            for _ in 0..100 {
                let piece = heap.alloc(layout(1 << 20));
                assert!(heap.holds(piece), "what is freed last comes again");
                let piece = heap.realloc(piece, layout(1 << 20), 900_000);
                heap.dealloc(piece, layout(900_000));
            }
            heap.dealloc(last, layout(5_000));
        }
    }

    #[test]
    fn what_the_region_has_no_room_for_comes_from_behind() {
        let _turn = TURN.lock();
        let heap = Heap::new();
        heap.reserve();
        heap.seal(true);
        for layout in
            [Layout::from_size_align(REGION + 1, 1).unwrap(), Layout::from_size_align(64, 64).unwrap()]
        {
            // SAFETY: no layout has size zero; the block is freed with its layout, outside sealing, so that it goes back.
            unsafe {
                let block = heap.alloc(layout);
                assert!(!block.is_null() && !heap.holds(block));
                heap.seal(false);
                heap.dealloc(block, layout);
                heap.seal(true);
            }
        }
    }

    #[test]
    fn a_program_runs_on_it_in_either_mode() {
        let _turn = TURN.lock();
        HEAP.reserve();
        for sealing in [false, true, false] {
            HEAP.seal(sealing);
            let mut words: Vec<String> = Vec::new();
            for i in 0..2_000 {
                words.push(format!("{i} {}", "x".repeat(i % 300)));
                if i % 3 == 0 {
                    words.swap_remove(i % words.len());
                }
            }
            assert!(words.iter().all(|word| word.split(' ').next().unwrap().parse::<usize>().is_ok()));
        }
    }
}
