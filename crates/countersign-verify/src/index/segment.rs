//! Open addressing: slots, and one control byte for each. A byte says empty, gone, or seven bits of where its secret
//! belongs, eight of them in a word; so a secret that is not here costs the reading of a word or two and no slot at all.
//! One writer; readers never wait. A slot is filled once and never again, so whoever found one cannot see it become
//! another's; a segment with too many that are gone is replaced by its owner. It grows nothing itself.

use super::{
    memory::Memory,
    slot::{SLOT_WORDS, Slot, Terms},
};
use crate::{
    limits::{PARTITION_BITS, PROBE_GROUPS_MAX, SEGMENT_FULL_PERCENT},
    sync::{AtomicU64, Ordering},
};

/// Slots whose control bytes share a word.
const GROUP: usize = 8;
/// A slot that was never filled. A probe ends here.
const EMPTY: u8 = 0;
/// A slot whose secret is gone. A probe goes on.
const GONE: u8 = 1;
const FILLED: u8 = 0x80;
const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Where a secret belongs: a keyed function of its digest, which nobody can aim (T-26).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(u32);

/// A table of slots.
pub(crate) struct Segment {
    memory: Memory,
    slots: usize,
    /// Slots that were ever filled. Only the writer counts.
    filled: AtomicU64,
    gone: AtomicU64,
}

impl Place {
    /// Numbers below this are never places.
    pub(crate) const MIN: u32 = 2;

    pub(crate) fn new(bits: u32) -> Self {
        Self(bits.max(Self::MIN))
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// The front bits choose the segment.
    pub(crate) fn partition(self) -> usize {
        (self.0 >> (u32::BITS - PARTITION_BITS)) as usize
    }

    /// The next ones the group where probing begins.
    fn home(self, groups: usize) -> usize {
        let bits = u64::from(self.0 << PARTITION_BITS);
        usize::try_from((bits * groups as u64) >> u32::BITS).unwrap_or(0)
    }

    /// And the last ones stand in the control byte.
    fn mark(self) -> u8 {
        FILLED | self.0.to_le_bytes()[0]
    }
}

impl Segment {
    /// Room for so many secrets before it should grow.
    pub(crate) fn with_room(secrets: usize) -> Self {
        let slots = (secrets * 100 / SEGMENT_FULL_PERCENT + 1).next_multiple_of(GROUP * SLOT_WORDS);
        let memory = Memory::zeroed(slots / GROUP + slots * SLOT_WORDS);
        Self { memory, slots, filled: AtomicU64::new(0), gone: AtomicU64::new(0) }
    }

    /// How many secrets are here.
    pub(crate) fn len(&self) -> usize {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        usize::try_from(count(&self.filled) - count(&self.gone)).unwrap_or(0)
    }

    /// Whether it should grow before another one comes.
    pub(crate) fn is_full(&self) -> bool {
        self.filled.load(Ordering::Relaxed) * 100 >= (self.slots * SEGMENT_FULL_PERCENT) as u64
    }

    /// Shows every slot that may be of this place, nearest first, until one is what is looked for.
    pub(crate) fn find<'s, T>(
        &'s self,
        place: Place,
        mut look: impl FnMut(Slot<'s>) -> Option<T>,
    ) -> Option<T> {
        let marks = LOW_BITS * u64::from(place.mark());
        for group in self.probe(place) {
            let word = self.control(group).load(Ordering::Acquire);
            let mut same = zero_bytes(word ^ marks);
            while same != 0 {
                let index = group * GROUP + same.trailing_zeros() as usize / 8;
                if let Some(found) = look(self.slot(index)) {
                    return Some(found);
                }
                same &= same - 1;
            }
            if zero_bytes(word) != 0 {
                return None;
            }
        }
        None
    }

    /// Fills a slot for this place; false where none is near enough. The writer's alone.
    pub(crate) fn insert(&self, place: Place, fill: impl FnOnce(Slot<'_>)) -> bool {
        for group in self.probe(place) {
            let control = self.control(group);
            let word = control.load(Ordering::Relaxed);
            let empty = zero_bytes(word);
            if empty == 0 {
                continue;
            }
            let byte = empty.trailing_zeros() as usize / 8;
            fill(self.slot(group * GROUP + byte));
            // The slot before its mark: who sees the mark sees the slot.
            control.store(word | u64::from(place.mark()) << (byte * 8), Ordering::Release);
            self.filled.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        false
    }

    /// Takes out the secret with this tag, where it is. The writer's alone.
    pub(crate) fn remove(&self, place: Place, tag: u128) {
        let marks = LOW_BITS * u64::from(place.mark());
        for group in self.probe(place) {
            let control = self.control(group);
            let word = control.load(Ordering::Relaxed);
            let mut same = zero_bytes(word ^ marks);
            while same != 0 {
                let byte = same.trailing_zeros() as usize / 8;
                let slot = self.slot(group * GROUP + byte);
                if slot.tag() == tag && slot.terms() != Terms::Gone {
                    slot.set_terms(Terms::Gone);
                    let others = word & !(0xFF << (byte * 8));
                    control.store(others | u64::from(GONE) << (byte * 8), Ordering::Release);
                    self.gone.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                same &= same - 1;
            }
            if zero_bytes(word) != 0 {
                return;
            }
        }
    }

    /// Every slot whose secret is here.
    pub(crate) fn live(&self) -> impl Iterator<Item = Slot<'_>> {
        (0..self.slots)
            .filter(|index| {
                let word = self.control(index / GROUP).load(Ordering::Acquire);
                word >> (index % GROUP * 8) & u64::from(FILLED) != 0
            })
            .map(|index| self.slot(index))
    }

    fn probe(&self, place: Place) -> impl Iterator<Item = usize> + use<> {
        let groups = self.slots / GROUP;
        let home = place.home(groups);
        (home..groups).chain(0..home).take(PROBE_GROUPS_MAX)
    }

    fn slot(&self, index: usize) -> Slot<'_> {
        // The control bytes are whole lines, so that every slot is one.
        let lines = self.memory.words().as_chunks().0;
        Slot::new(&lines[self.slots / GROUP / SLOT_WORDS + index])
    }

    fn control(&self, group: usize) -> &AtomicU64 {
        &self.memory.words()[group]
    }
}

/// The high bit of every byte that is zero, and perhaps of bytes after the first one; none where no byte is zero.
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW_BITS) & !word & HIGH_BITS
}

const _: () = assert!(EMPTY == 0 && GONE < FILLED);
