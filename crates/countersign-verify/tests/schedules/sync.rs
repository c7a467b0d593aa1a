//! A scheduler's atomics.

pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};

/// Few, for each word here is a thing of the scheduler.
pub const LINES_PER_CHUNK: usize = 4;

/// Nothing is mapped here: a scheduler's atomics are no words.
pub(crate) struct Mapping;

impl Mapping {
    pub(crate) fn zeroed(_words: usize) -> Option<Self> {
        None
    }

    #[allow(clippy::unused_self, reason = "as the mapping of the processor has it")]
    pub(crate) fn words(&self) -> &[AtomicU64] {
        &[]
    }
}
