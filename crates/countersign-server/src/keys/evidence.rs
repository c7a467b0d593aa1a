//! The keys rows are stamped with, one of each verify root. The store needs them before anything can be read, and so
//! before the database can say which root is in use: it takes the one the database is stamped with.

use countersign_store::RowKey;

use super::{KeyFiles, Keys, KeysError, Root, RootKind};

impl Root {
    /// The key rows are stamped with while this verify root is in use.
    pub fn row_key(&self) -> RowKey {
        RowKey::new(blake3::derive_key("countersign 2026 row", self.expose()))
    }
}

impl Keys {
    /// The key of the newest verify root.
    pub fn row_key(&self) -> RowKey {
        self.ring().verify.newest.row_key()
    }
}

impl KeyFiles {
    /// The row keys of all verify roots that are there, newest first; at least one.
    pub fn row_keys(&self) -> Result<Vec<RowKey>, KeysError> {
        let keys: Vec<RowKey> = self.verify_roots()?.iter().map(Root::row_key).collect();
        if keys.is_empty() {
            return Err(KeysError::Missing { key: self.path(RootKind::Verify, 1) });
        }
        Ok(keys)
    }
}
