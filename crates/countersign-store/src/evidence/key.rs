//! The key of the evidence and what is derived from it: one key for each thing that is computed, so that a value of one
//! kind proves nothing of another.

use std::fmt;

use zeroize::Zeroizing;

/// The key rows are stamped with, derived from the verify root. Zeroed when dropped.
#[derive(Clone)]
pub struct RowKey(Zeroizing<[u8; 32]>);

/// The keys derived from a row key.
pub(crate) struct Keyring {
    pub(super) row: Zeroizing<[u8; 32]>,
    pub(super) digest: Zeroizing<[u8; 32]>,
    pub(super) table: Zeroizing<[u8; 32]>,
    pub(super) mask: Zeroizing<[u8; 32]>,
    pub(super) cluster: Zeroizing<[u8; 32]>,
    pub(super) anchor: Zeroizing<[u8; 32]>,
}

impl RowKey {
    /// The key with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for RowKey {
    /// Says that there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowKey")
    }
}

impl Keyring {
    pub(crate) fn new(key: &RowKey) -> Self {
        let derive = |context| Zeroizing::new(blake3::derive_key(context, key.0.as_ref()));
        Self {
            row: derive("countersign 2026 evidence row"),
            digest: derive("countersign 2026 evidence digest"),
            table: derive("countersign 2026 evidence table"),
            mask: derive("countersign 2026 evidence mask"),
            cluster: derive("countersign 2026 evidence cluster"),
            anchor: derive("countersign 2026 evidence anchor"),
        }
    }
}
