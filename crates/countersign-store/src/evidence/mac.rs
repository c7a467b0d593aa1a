//! What is computed: MACs of rows, the element a row adds to the digest of its table, the sealed digest of a table, and
//! the MAC of the cluster. Everything that is hashed has its type and its length in front, so that no two different
//! contents have the same bytes.

use super::{
    key::Keyring,
    ledger::{Sum, Tally},
    tables::Table,
};
use crate::value::Value;

/// A value of a column as it is hashed: what is stored, byte for byte, also where it is of a type we never write.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'v> {
    Null,
    Integer(i64),
    /// Bits of a fraction. We store none; somebody else may.
    Fraction(u64),
    Text(&'v [u8]),
    Bytes(&'v [u8]),
}

/// The digest of a table, as it is stored: the tag says that nobody changed the rest, and hides the sum.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealedTally {
    pub(crate) rows: u64,
    pub(crate) tag: [u8; 32],
    pub(crate) sum: [u8; 32],
}

impl<'v> From<&'v Value> for Cell<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(*number),
            Value::Text(text) => Self::Text(text.as_bytes()),
            Value::Bytes(bytes) => Self::Bytes(bytes),
        }
    }
}

impl Keyring {
    /// The MAC of a row: `cells` are its covered columns in their order.
    pub(crate) fn row<'v>(&self, table: &Table, cells: impl Iterator<Item = Cell<'v>>) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.row);
        text(&mut hasher, table.name.as_bytes());
        for (place, value) in (0_u16..).zip(cells) {
            #[cfg(test)]
            if super::blind::is_blind_to(table.name, place) {
                continue;
            }
            // Left out, so that a column which did not exist when the row was stamped changes nothing; the places of the
            // others keep this unambiguous.
            if !matches!(value, Cell::Null) {
                hasher.update(&place.to_le_bytes());
                cell(&mut hasher, value);
            }
        }
        *hasher.finalize().as_bytes()
    }

    /// What a row with this MAC adds to the digest of its table.
    pub(crate) fn element(&self, table: &Table, mac: &[u8; 32]) -> Sum {
        let mut hasher = blake3::Hasher::new_keyed(&self.digest);
        text(&mut hasher, table.name.as_bytes());
        hasher.update(mac);
        Sum::from_bytes(*hasher.finalize().as_bytes())
    }

    /// Seals the digest of a table. The sum is hidden under its own tag: known sums would be equations about rows, and
    /// with enough of those other rows with the same sum can be found.
    pub(crate) fn seal(&self, table: &str, tally: &Tally) -> SealedTally {
        let tag = self.tag(table, tally);
        SealedTally { rows: tally.rows, tag, sum: self.masked(&tag, tally.sum.to_bytes()) }
    }

    /// Opens the digest of a table; `None` where somebody changed it.
    pub(crate) fn unseal(&self, table: &str, sealed: &SealedTally) -> Option<Tally> {
        let tally = Tally { rows: sealed.rows, sum: Sum::from_bytes(self.masked(&sealed.tag, sealed.sum)) };
        same(&self.tag(table, &tally), &sealed.tag).then_some(tally)
    }

    fn tag(&self, table: &str, tally: &Tally) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.table);
        text(&mut hasher, table.as_bytes());
        hasher.update(&tally.rows.to_le_bytes());
        hasher.update(&tally.sum.to_bytes());
        *hasher.finalize().as_bytes()
    }

    fn masked(&self, tag: &[u8; 32], mut bytes: [u8; 32]) -> [u8; 32] {
        let mask = blake3::keyed_hash(&self.mask, tag);
        for (byte, mask) in bytes.iter_mut().zip(mask.as_bytes()) {
            *byte ^= mask;
        }
        bytes
    }

    /// The MAC of the cluster: over every column of its row by name, and over every table's digest.
    pub(crate) fn cluster<'v>(
        &self,
        columns: impl Iterator<Item = (&'v str, &'v Value)>,
        tables: impl Iterator<Item = (&'v str, SealedTally)>,
    ) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.cluster);
        for (name, value) in columns {
            hasher.update(&[1]);
            text(&mut hasher, name.as_bytes());
            cell(&mut hasher, value.into());
        }
        for (name, sealed) in tables {
            hasher.update(&[2]);
            text(&mut hasher, name.as_bytes());
            hasher.update(&sealed.rows.to_le_bytes()).update(&sealed.tag).update(&sealed.sum);
        }
        *hasher.finalize().as_bytes()
    }

    /// The MAC of an anchor's text.
    pub(crate) fn anchor(&self, body: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.anchor, body).as_bytes()
    }
}

/// Whether two MACs are the same, in a time that does not tell where they differ.
pub(crate) fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    blake3::Hash::from_bytes(*one) == blake3::Hash::from_bytes(*other)
}

fn text(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
}

fn cell(hasher: &mut blake3::Hasher, value: Cell<'_>) {
    match value {
        Cell::Null => {
            hasher.update(&[0]);
        }
        Cell::Integer(number) => {
            hasher.update(&[1]).update(&number.to_le_bytes());
        }
        Cell::Fraction(bits) => {
            hasher.update(&[2]).update(&bits.to_le_bytes());
        }
        Cell::Text(bytes) => {
            hasher.update(&[3]);
            text(hasher, bytes);
        }
        Cell::Bytes(bytes) => {
            hasher.update(&[4]);
            text(hasher, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{key::RowKey, tables};

    fn keys(byte: u8) -> Keyring {
        Keyring::new(&RowKey::new([byte; 32]))
    }

    #[test]
    fn different_contents_have_different_macs() {
        let keys = keys(1);
        let rows: [&[Cell<'_>]; 12] = [
            &[],
            &[Cell::Integer(0)],
            &[Cell::Null, Cell::Integer(0)],
            &[Cell::Integer(0), Cell::Integer(0)],
            &[Cell::Integer(0), Cell::Null, Cell::Integer(0)],
            &[Cell::Text(b"")],
            &[Cell::Bytes(b"")],
            &[Cell::Text(b"ab"), Cell::Text(b"c")],
            &[Cell::Text(b"a"), Cell::Text(b"bc")],
            &[Cell::Text(b"abc")],
            &[Cell::Bytes(b"abc")],
            &[Cell::Fraction(0)],
        ];
        let mut macs: Vec<[u8; 32]> = Vec::new();
        for table in [&tables::ACCOUNTS, &tables::PEOPLE] {
            macs.extend(rows.iter().map(|row| keys.row(table, row.iter().copied())));
        }
        macs.extend(rows.iter().map(|row| self::keys(2).row(&tables::PEOPLE, row.iter().copied())));
        let count = macs.len();
        macs.sort_unstable();
        macs.dedup();
        assert_eq!(macs.len(), count);
        let (short, long): ([Cell<'_>; 1], [Cell<'_>; 2]) =
            ([Cell::Integer(7)], [Cell::Integer(7), Cell::Null]);
        let mac = |cells: &[Cell<'_>]| keys.row(&tables::PEOPLE, cells.iter().copied());
        assert_eq!(mac(&short), mac(&long), "a column that is null is as one that is not there yet");
    }

    #[test]
    fn a_sealed_digest_opens_whole_or_not() {
        let keys = keys(1);
        let tally = Tally { rows: 3, sum: Sum::from_bytes([5; 32]) };
        let sealed = keys.seal("tokens", &tally);
        assert!(keys.unseal("tokens", &sealed) == Some(tally));
        assert_ne!(sealed.sum, tally.sum.to_bytes(), "the sum is not to be read");
        assert!(keys.unseal("secrets", &sealed).is_none());
        assert!(self::keys(2).unseal("tokens", &sealed).is_none());
        assert!(keys.unseal("tokens", &SealedTally { rows: 2, ..sealed }).is_none());
        for bit in 0..256 {
            let flip = |mut bytes: [u8; 32]| {
                bytes[bit / 8] ^= 1 << (bit % 8);
                bytes
            };
            assert!(keys.unseal("tokens", &SealedTally { tag: flip(sealed.tag), ..sealed }).is_none());
            assert!(keys.unseal("tokens", &SealedTally { sum: flip(sealed.sum), ..sealed }).is_none());
        }
    }
}
