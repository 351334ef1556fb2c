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
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::Relaxed};

/// Bytes of the region: several pieces of an answer, and all that is needed to make them.
const REGION: usize = 6 << 20;

/// The layout of the region. Blocks of a greater alignment than this do not come out of it.
const REGION_LAYOUT: Layout = match Layout::from_size_align(REGION, 16) {
    Ok(layout) => layout,
    Err(_) => panic!("16 is a power of two"),
};

/// The allocator. One a program; the module has one thread, and so may set its mode.
pub struct Heap {
    /// The region, once it is reserved.
    region: AtomicPtr<u8>,
    /// Bytes of the region that are given out.
    used: AtomicUsize,
    /// Blocks of the region that are not freed.
    live: AtomicUsize,
    sealing: AtomicBool,
}

impl Heap {
    /// An allocator like the standard library's, but for the wiping.
    pub const fn new() -> Self {
        Self {
            region: AtomicPtr::new(null_mut()),
            used: AtomicUsize::new(0),
            live: AtomicUsize::new(0),
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

    /// The next block of the region.
    fn next(&self, layout: Layout) -> Option<*mut u8> {
        let region = self.region.load(Relaxed);
        if region.is_null() || layout.align() > REGION_LAYOUT.align() {
            return None;
        }
        let at = self.used.load(Relaxed);
        // Rounded up, so that the next block is aligned as well.
        let end = at.checked_add(layout.size())?.checked_next_multiple_of(REGION_LAYOUT.align())?;
        if end > REGION {
            return None;
        }
        self.used.store(end, Relaxed);
        self.live.fetch_add(1, Relaxed);
        // SAFETY: `at` ≤ `end` ≤ REGION, the size of the block that `region` is.
        Some(unsafe { region.add(at) })
    }

    /// Takes a block of the region back: the last one that was given out at once, all of them when none is left.
    fn give_back(&self, block: *mut u8, layout: Layout) {
        let at = block.addr().wrapping_sub(self.region.load(Relaxed).addr());
        let end = at.saturating_add(layout.size()).checked_next_multiple_of(REGION_LAYOUT.align());
        let last = end == Some(self.used.load(Relaxed));
        if self.live.fetch_sub(1, Relaxed) == 1 {
            self.used.store(0, Relaxed);
        } else if last {
            self.used.store(at, Relaxed);
        }
    }

    /// Whether a block lies in the region.
    fn holds(&self, block: *mut u8) -> bool {
        let region = self.region.load(Relaxed);
        // One comparison wherever the block lies, so that the answer takes the same time.
        !region.is_null() && block.addr().wrapping_sub(region.addr()) < REGION
    }
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
