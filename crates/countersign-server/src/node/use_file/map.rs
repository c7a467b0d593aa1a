//! Pieces of the file of counters, mapped. The only `unsafe` of Countersign is here: what is counted must outlive a process
//! that is killed, and cost no system call. A write for each use costs one; a write every second loses up to a second
//! of uses with the process.
#![allow(unsafe_code, reason = "the one place; the proof stands beside it")]

use std::{fs::File, io, sync::atomic::AtomicU64};

use memmap2::{MmapMut, MmapOptions};
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

/// Words of a file that all writes go to, whoever ends the process.
pub(super) struct Mapped(Owned);

impl Mapped {
    /// Maps `len` bytes of the file from `offset`, which are there and allotted on the disk.
    pub(super) fn new(file: &File, offset: u64, len: usize) -> io::Result<Self> {
        // SAFETY: a mapping of a file is a problem where somebody else changes the file, because Rust takes memory it
        // borrows to be its own. Here nobody takes it so: from its making on the mapping is only seen as `AtomicU64`,
        // for which every pattern of bits is a number and a change by others is what they are for. The borrow as bytes,
        // out of which the atomics are made, is exclusive, ends before this function does, and reads nothing. If
        // somebody cuts the file short the kernel ends the process (SIGBUS), which is no undefined behaviour; only
        // whoever may write the database could, and the data directory is locked for this process.
        let map = unsafe { MmapOptions::new().offset(offset).len(len).map_mut(file) }?;
        let owned = Owned::try_new(MutBorrow::new(map), |map| {
            <[AtomicU64]>::mut_from_bytes(map.borrow_mut()).map(|words| &*words).map_err(|_| ())
        });
        owned.map(Self).map_err(|()| io::Error::other("the mapping does not hold whole words"))
    }
}

impl AsRef<[AtomicU64]> for Mapped {
    fn as_ref(&self) -> &[AtomicU64] {
        self.0.borrow_dependent()
    }
}
