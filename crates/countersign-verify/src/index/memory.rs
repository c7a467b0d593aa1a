//! Memory of a segment: words that are zero at first and live at one address, each slot in a cache line of its own. Large
//! ones are mapped by themselves. It knows nothing of slots.

use crate::{
    limits::HUGE_PAGE_BYTES,
    sync::{AtomicU64, Mapping},
};

/// Words of a cache line.
const LINE: usize = 8;

/// Zeroed words that many threads may read and write.
pub(crate) struct Memory(Kind);

enum Kind {
    /// The words begin at this one, which begins a line.
    Heap(Box<[AtomicU64]>, usize),
    Mapped(Mapping),
}

impl Memory {
    /// So many words. Where they cannot be mapped they come from the heap, on pages of the usual size.
    pub(crate) fn zeroed(words: usize) -> Self {
        let mapped = (words * size_of::<u64>() >= HUGE_PAGE_BYTES).then(|| Mapping::zeroed(words)).flatten();
        Self(mapped.map_or_else(|| heap(words), Kind::Mapped))
    }

    /// The words.
    pub(crate) fn words(&self) -> &[AtomicU64] {
        match &self.0 {
            Kind::Heap(words, start) => &words[*start..],
            Kind::Mapped(mapping) => mapping.words(),
        }
    }
}

fn heap(words: usize) -> Kind {
    let all: Box<[AtomicU64]> = (0..words + LINE - 1).map(|_| AtomicU64::new(0)).collect();
    let start = (0..LINE).find(|word| (all.as_ptr().addr() / 8 + word).is_multiple_of(LINE));
    Kind::Heap(all, start.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Ordering;

    #[test]
    fn small_and_large_memory_is_zero_and_all_there() {
        for words in [0, 1, 100, HUGE_PAGE_BYTES / 8, HUGE_PAGE_BYTES / 8 + 513] {
            let memory = Memory::zeroed(words);
            assert!((words..words + LINE).contains(&memory.words().len()));
            assert!(words == 0 || memory.words().as_ptr().addr().is_multiple_of(64));
            assert!(matches!(memory.0, Kind::Mapped(_)) == (words * 8 >= HUGE_PAGE_BYTES));
            for (number, word) in memory.words()[..words].iter().enumerate() {
                assert_eq!(word.swap(number as u64, Ordering::Relaxed), 0);
            }
            let sum: u64 = memory.words()[..words].iter().map(|word| word.load(Ordering::Relaxed)).sum();
            assert_eq!(sum, (0..words as u64).sum());
        }
    }
}
