//! What threads share, from one place: the tests of schedules put a scheduler's atomics in their stead. Nothing else.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};

pub(crate) use crate::mapping::Mapping;

/// Lines of uses in one piece of memory: 4 MiB of it.
pub const LINES_PER_CHUNK: usize = 32_768;
