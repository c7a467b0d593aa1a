//! From a SID to where its secrets are: four bytes for each. A cell holds a place, which leads to a few slots of which one
//! says the SID itself; so nothing here has to change when a segment grows. One writer; readers never wait.

use super::segment::Place;
use crate::{
    limits::SIDS_FULL_PERCENT,
    sync::{AtomicU32, AtomicU64, Ordering},
};

/// A cell that was never used. A probe ends here.
const EMPTY: u32 = 0;
/// A cell that is used no more. A probe goes on.
const GONE: u32 = 1;
const _: () = assert!(EMPTY < Place::MIN && GONE < Place::MIN);

/// The cells of one part of all SIDs.
pub(crate) struct Sids {
    cells: Box<[AtomicU32]>,
    /// Cells that are not empty. Only the writer counts.
    used: AtomicU64,
}

impl Sids {
    /// Room for so many places before it should grow.
    pub(crate) fn with_room(places: usize) -> Self {
        let cells = places * 100 / SIDS_FULL_PERCENT + 2;
        Self { cells: (0..cells).map(|_| AtomicU32::new(EMPTY)).collect(), used: AtomicU64::new(0) }
    }

    /// Whether it should grow before another one comes.
    pub(crate) fn is_full(&self) -> bool {
        // One cell always stays empty, so that every probe ends.
        let (used, cells) = (self.used.load(Ordering::Relaxed) + 1, self.cells.len() as u64);
        used * 100 >= cells * SIDS_FULL_PERCENT as u64 || used + 1 >= cells
    }

    /// Every place where a SID with this hash may be, and others.
    pub(crate) fn places(&self, hash: u64) -> impl Iterator<Item = Place> + '_ {
        self.probe(hash)
            .map(|cell| cell.load(Ordering::Acquire))
            .take_while(|bits| *bits != EMPTY)
            .filter(|bits| *bits != GONE)
            .map(Place::new)
    }

    /// Every place that is here.
    pub(crate) fn all(&self) -> impl Iterator<Item = Place> + '_ {
        self.cells
            .iter()
            .map(|cell| cell.load(Ordering::Relaxed))
            .filter(|bits| *bits >= Place::MIN)
            .map(Place::new)
    }

    /// Adds a place. The writer's alone, after it has made room.
    pub(crate) fn insert(&self, hash: u64, place: Place) {
        if let Some(cell) = self.probe(hash).find(|cell| cell.load(Ordering::Relaxed) == EMPTY) {
            cell.store(place.bits(), Ordering::Release);
            self.used.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes out a place, once. The writer's alone.
    pub(crate) fn remove(&self, hash: u64, place: Place) {
        let found = self
            .probe(hash)
            .take_while(|cell| cell.load(Ordering::Relaxed) != EMPTY)
            .find(|cell| cell.load(Ordering::Relaxed) == place.bits());
        if let Some(cell) = found {
            cell.store(GONE, Ordering::Release);
        }
    }

    fn probe(&self, hash: u64) -> impl Iterator<Item = &AtomicU32> {
        // The front bits have chosen the part already.
        let home = (u128::from(hash.rotate_left(32)) * self.cells.len() as u128) >> 64;
        let home = usize::try_from(home).unwrap_or(0);
        let (before, after) = self.cells.split_at(home);
        after.iter().chain(before)
    }
}
