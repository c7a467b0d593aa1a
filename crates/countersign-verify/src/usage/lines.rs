//! The lines of all secrets that were used lately, and the list of those that are free. Nobody waits: a line is taken with
//! a compare-and-swap, and memory that is missing is made. The memory is whoever's gives it; what nobody gave comes from the
//! heap.

use std::sync::OnceLock;

use super::line::{LINE_WORDS, Line};
use crate::{
    index::memory::Memory,
    limits::USE_CHUNKS_MAX,
    sync::{AtomicU64, LINES_PER_CHUNK, Ordering},
};

/// Words for lines: zero at first, and shared by many threads.
pub type UseMemory = Box<dyn AsRef<[AtomicU64]> + Send + Sync>;

/// Lines, numbered from 1.
pub(super) struct Lines {
    chunks: Box<[OnceLock<UseMemory>]>,
    /// How many lines were ever taken.
    ever: AtomicU64,
    /// The first free line, and how often this changed: a line that was taken and is free again must not look untouched.
    free: AtomicU64,
}

const LINE_BITS: u32 = 32;
const LINE: u64 = (1 << LINE_BITS) - 1;
const LINES_MAX: u64 = (USE_CHUNKS_MAX * LINES_PER_CHUNK) as u64;
const _: () = assert!(LINES_MAX < LINE, "a slot names a line in 32 bits");

impl Lines {
    pub(super) fn new() -> Self {
        Self {
            chunks: (0..USE_CHUNKS_MAX).map(|_| OnceLock::new()).collect(),
            ever: AtomicU64::new(0),
            free: AtomicU64::new(0),
        }
    }

    /// Memory for the next lines; `false` where there may be no more, or it is too small.
    pub(super) fn give(&self, memory: UseMemory) -> bool {
        if memory.as_ref().as_ref().len() < LINES_PER_CHUNK * LINE_WORDS {
            return false;
        }
        let mut memory = Some(memory);
        for chunk in &self.chunks {
            let Some(given) = memory.take() else { break };
            memory = chunk.set(given).err();
        }
        memory.is_none()
    }

    /// How many lines were ever taken.
    pub(super) fn ever(&self) -> u64 {
        self.ever.load(Ordering::Relaxed).min(LINES_MAX)
    }

    /// The line of this number, where there ever was one.
    pub(super) fn get(&self, number: u64) -> Option<Line<'_>> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let chunk = self.chunks.get(index / LINES_PER_CHUNK)?.get()?;
        line_in(chunk, index % LINES_PER_CHUNK)
    }

    /// A line that is nobody else's; `None` where every line is in use.
    pub(super) fn take(&self) -> Option<(u64, Line<'_>)> {
        let mut head = self.free.load(Ordering::Acquire);
        while head & LINE != 0 {
            let number = head & LINE;
            let line = self.get(number)?;
            let next = (head >> LINE_BITS).wrapping_add(1) << LINE_BITS | line.next() & LINE;
            match self.free.compare_exchange(head, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some((number, line)),
                Err(found) => head = found,
            }
        }
        if self.ever() >= LINES_MAX {
            return None;
        }
        let index = usize::try_from(self.ever.fetch_add(1, Ordering::AcqRel)).ok()?;
        let chunk = self.chunks.get(index / LINES_PER_CHUNK)?.get_or_init(heap);
        Some((index as u64 + 1, line_in(chunk, index % LINES_PER_CHUNK)?))
    }

    /// Gives back a line that nobody has.
    pub(super) fn put(&self, number: u64, line: Line<'_>) {
        let mut head = self.free.load(Ordering::Acquire);
        loop {
            line.set_next(head & LINE);
            let next = (head >> LINE_BITS).wrapping_add(1) << LINE_BITS | number;
            match self.free.compare_exchange(head, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(found) => head = found,
            }
        }
    }
}

fn line_in(chunk: &UseMemory, index: usize) -> Option<Line<'_>> {
    let words = chunk.as_ref().as_ref().get(index * LINE_WORDS..)?;
    words.first_chunk().map(Line::new)
}

struct Heap(Memory);

impl AsRef<[AtomicU64]> for Heap {
    fn as_ref(&self) -> &[AtomicU64] {
        self.0.words()
    }
}

fn heap() -> UseMemory {
    Box::new(Heap(Memory::zeroed(LINES_PER_CHUNK * LINE_WORDS)))
}
