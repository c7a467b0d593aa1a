//! The digests of the tables while rows come and go: for each table how many rows it has, and the sum of what they add,
//! modulo 2^256. A sum does not care for order, so one row changes it by its own old and new element alone.

use super::{key::Keyring, mac, tables::TABLES};

/// A sum modulo 2^256, in limbs of 64 bits, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum([u64; 4]);

/// The digest of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    pub(crate) sum: Sum,
}

/// The digests of all covered tables, in the order of [`TABLES`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ledger {
    tallies: [Tally; TABLES.len()],
}

impl Sum {
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = chunk.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        }
        Self(limbs)
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }

    fn plus(self, other: Self) -> Self {
        self.with(other, u64::overflowing_add)
    }

    fn minus(self, other: Self) -> Self {
        self.with(other, u64::overflowing_sub)
    }

    /// Adds or subtracts limb by limb, carrying or borrowing one.
    fn with(self, other: Self, step: fn(u64, u64) -> (u64, bool)) -> Self {
        let mut limbs = [0; 4];
        let mut over = false;
        for ((limb, one), two) in limbs.iter_mut().zip(self.0).zip(other.0) {
            let (first, first_over) = step(one, two);
            let (second, second_over) = step(first, u64::from(over));
            *limb = second;
            over = first_over | second_over;
        }
        Self(limbs)
    }
}

impl Tally {
    /// A row comes.
    pub(crate) fn add(&mut self, element: Sum) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.plus(element);
    }

    /// A row goes.
    pub(crate) fn take(&mut self, element: Sum) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.minus(element);
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self { tallies: [Tally::default(); TABLES.len()] }
    }
}

impl Ledger {
    /// The digest of the table at this place of [`TABLES`].
    pub(crate) fn tally(&self, place: usize) -> Tally {
        self.tallies.get(place).copied().unwrap_or_default()
    }

    pub(crate) fn put(&mut self, place: usize, tally: Tally) {
        if let Some(slot) = self.tallies.get_mut(place) {
            *slot = tally;
        }
    }

    /// A row with this MAC comes to a table.
    pub(crate) fn add(&mut self, keys: &Keyring, place: usize, mac: &[u8; 32]) {
        if let (Some(table), Some(tally)) = (TABLES.get(place), self.tallies.get_mut(place)) {
            tally.add(keys.element(table, mac));
        }
    }

    /// A row with this MAC goes from a table.
    pub(crate) fn take(&mut self, keys: &Keyring, place: usize, mac: &[u8; 32]) {
        if let (Some(table), Some(tally)) = (TABLES.get(place), self.tallies.get_mut(place)) {
            tally.take(keys.element(table, mac));
        }
    }

    /// The digests of all tables, sealed, by name.
    pub(crate) fn sealed(&self, keys: &Keyring) -> Vec<mac::SealedTally> {
        TABLES.iter().zip(&self.tallies).map(|(table, tally)| keys.seal(table.name, tally)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_are_of_the_set_and_not_of_the_order(
            elements in proptest::collection::vec(any::<[u8; 32]>(), 0..40),
            gone in any::<prop::sample::Index>(),
        ) {
            let add = |elements: &mut dyn Iterator<Item = &[u8; 32]>| {
                let mut tally = Tally::default();
                elements.for_each(|element| tally.add(Sum::from_bytes(*element)));
                tally
            };
            let whole = add(&mut elements.iter());
            prop_assert_eq!(whole, add(&mut elements.iter().rev()));
            prop_assert_eq!(Sum::from_bytes(whole.sum.to_bytes()), whole.sum);
            if !elements.is_empty() {
                let gone = gone.index(elements.len());
                let mut rest = whole;
                rest.take(Sum::from_bytes(elements[gone]));
                let kept = elements.iter().enumerate().filter(|(index, _)| *index != gone);
                prop_assert_eq!(rest, add(&mut kept.map(|(_, element)| element)));
            }
        }
    }

    #[test]
    fn carries_go_all_the_way() {
        let mut tally = Tally { rows: 1, sum: Sum::from_bytes([0xff; 32]) };
        let mut one = [0; 32];
        one[0] = 1;
        tally.add(Sum::from_bytes(one));
        assert_eq!(tally, Tally { rows: 2, sum: Sum::default() });
        tally.take(Sum::from_bytes(one));
        assert_eq!(tally, Tally { rows: 1, sum: Sum::from_bytes([0xff; 32]) });
    }
}
