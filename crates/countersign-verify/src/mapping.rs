//! Words in a mapping of their own, which is asked to be on huge pages: a look-up in 10 million tokens touches a page nobody
//! touched lately, and with pages of 2 MB their table stays in the processor. No `unsafe` of ours: `memmap2` maps and
//! advises, `zerocopy` proves that zeroed bytes are atomics, `self_cell` keeps the mapping with its view.

use std::sync::atomic::AtomicU64;

use memmap2::{Advice, MmapMut};
use self_cell::{MutBorrow, self_cell};
use zerocopy::FromBytes as _;

type Words<'a> = &'a [AtomicU64];

self_cell!(
    struct Owned {
        owner: MutBorrow<MmapMut>,
        #[covariant]
        dependent: Words,
    }
);

/// The words.
pub(crate) struct Mapping(Owned);

impl Mapping {
    /// So many words, zero. The system puts a mapping of this size at the edge of a huge page, or loses less than one at
    /// each end.
    pub(crate) fn zeroed(words: usize) -> Option<Self> {
        let map = MmapMut::map_anon(words * size_of::<u64>()).ok()?;
        // A kernel without huge pages refuses; the mapping is as good as any then.
        let _ = map.advise(Advice::HugePage);
        let owned = Owned::try_new(MutBorrow::new(map), |map| {
            <[AtomicU64]>::mut_from_bytes(map.borrow_mut()).map(|words| &*words).map_err(|_| ())
        });
        owned.ok().map(Self)
    }

    /// The words.
    pub(crate) fn words(&self) -> &[AtomicU64] {
        self.0.borrow_dependent()
    }
}
