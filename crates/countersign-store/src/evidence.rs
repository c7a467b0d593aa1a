//! Tamper evidence: what shows that somebody with access to the file, and without the key, changed what is in it. Each
//! row of weight carries a keyed MAC over its columns; each table a keyed digest of the multiset of its rows, so that a
//! row taken away, put back or rolled back is missed; the row of the cluster a MAC over both chains and all digests; and
//! an anchor beside the keys says how far the whole had come. How it is kept in a database is in `db/evidence.rs`. It does not
//! protect from whoever holds the key.

pub(crate) mod anchor;
#[cfg(test)]
mod blind;
pub(crate) mod key;
pub(crate) mod ledger;
pub(crate) mod mac;
pub(crate) mod proof;
pub(crate) mod tables;

use self::{anchor::Anchor, key::RowKey};
use crate::write::Write;

pub(crate) const RAISE_EPOCH: &str = "
update cluster set epoch = case when epoch > $1 then epoch else $1 end + 1 where singleton = 1";

/// What a database is opened with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The keys it may be stamped with; a new one is stamped with the first.
    pub(crate) keys: Vec<RowKey>,
    /// How far it has come at least.
    pub(crate) anchor: Option<Anchor>,
    pub(crate) accepts_rollback: bool,
}

impl Opening {
    /// With one key and no anchor.
    pub fn new(key: RowKey) -> Self {
        Self::with_keys(vec![key])
    }

    /// With the keys the database may be stamped with, the newest first. A database without evidence is stamped with the
    /// first one.
    pub fn with_keys(keys: Vec<RowKey>) -> Self {
        Self { keys, anchor: None, accepts_rollback: false }
    }

    /// Refuses a database that is not as far as this anchor, or that has no evidence although there is an anchor.
    #[must_use]
    pub fn held_to(mut self, anchor: Option<Anchor>) -> Self {
        self.anchor = anchor;
        self
    }

    /// Takes a database that is behind its anchor, because somebody wants this state. Whoever does this commits a
    /// [`crate::Write::raise_epoch`] next.
    #[must_use]
    pub fn accepting_rollback(mut self, accepts: bool) -> Self {
        self.accepts_rollback = accepts;
        self
    }
}

impl Write {
    /// Makes what is committed from here on newer than everything of this epoch and of the one before: what was accepted
    /// after a rollback is not behind the anchor any more.
    #[must_use]
    pub fn raise_epoch(self, above: u64) -> Self {
        self.giving().then(RAISE_EPOCH, vec![above.into()])
    }
}
