//! Remembers accounts, people, tokens, catalogs and the audit trail, and emits the change feed. The only crate that
//! names SQL. It decides nothing: it keeps what it is given, or says which expectation did not hold.

mod accounts;
mod addresses;
mod announcements;
mod audit;
mod bootstrap;
mod catalogs;
mod copies;
mod database_url;
mod db;
mod deliveries;
mod error;
mod evidence;
mod feed;
mod gateways;
mod hearing;
mod idempotency;
mod invitations;
mod keys;
pub mod limits;
mod members;
mod notices;
mod page;
mod people;
mod platform_credentials;
mod probes;
mod quiet;
mod sessions;
#[cfg(test)]
mod statements;
mod tokens;
mod usage;
mod value;
mod versions;
mod webhooks;
mod write;

// The crate's own tests use the same made-up accounts and tokens as those of the public interface.
#[cfg(test)]
extern crate self as countersign_store;
#[cfg(test)]
#[path = "../tests/it/world.rs"]
#[allow(dead_code, reason = "each set of tests uses its part")]
mod world;
#[cfg(test)]
const ENGINE: world::Engine = world::Engine::Sqlite;

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

pub use accounts::{Account, AccountFilter, AccountState, RevealPolicy};
pub use addresses::{Address, AddressAsk, AddressCounts, AddressState, Bounce};
pub use announcements::{
    Announcement, AnnouncementAudience, AnnouncementState, Recipient, RecipientStanding,
};
pub use audit::{AuditDraft, AuditEntry, AuditFilter, AuditFinding, Checkpoint, Outcome};
pub use bootstrap::Bootstrap;
pub use catalogs::StoredCatalog;
pub use copies::{CopyFacts, schema_known};
pub use database_url::DatabaseUrl;
pub use deliveries::{
    Attempt, Channel, Claim, Delivery, DeliveryFilter, DeliveryState, Due, RecipientKind, Settled, Standing,
};
pub use error::{Conflict, Error};
pub use evidence::{Opening, anchor::Anchor, key::RowKey};
pub use feed::Snapshot;
pub use gateways::Gateway;
pub use hearing::{Hearing, Hears};
pub use idempotency::{Remembered, RememberedKey};
pub use invitations::Invitation;
pub use keys::{
    KeyGeneration, KeyKind, KeyState, KeyTable, WrappedKey,
    jobs::{KeyJob, Rotation},
    moves::{NewDigest, NewTag},
    rows::{AccountKeys, KeptSecret, KeptTag, LayeredToken, Moved, WebhookSecrets},
};
pub use members::{Member, Membership};
pub use notices::{Audience, Notice};
pub use people::{Person, PersonFilter};
pub use platform_credentials::PlatformCredential;
pub use probes::GatewayProbe;
pub use sessions::{Device, Session};
pub use tokens::{
    AfterToken, CreatedWithin, EndsWithin, Secret, Token, TokenCounts, TokenFilter, TokenState,
};
pub use usage::{LastUse, UsePlace};
pub use versions::{VersionCount, VersionUser};
pub use webhooks::{FormerSecret, Webhook, WebhookState};
pub use write::{Committed, Write};

use countersign_model::{catalog::Catalog, id::AccountId};

use crate::db::{Db, Target};

/// A page of a list, and where the next one starts.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// What to pass as `after` for the next page; `None` at the end. Opaque to callers of the API: the server seals it.
    pub next: Option<String>,
}

/// Which page is asked for.
#[derive(Debug, Clone)]
pub struct PageAsk {
    /// The `next` of the page before. One that no page ever had finds nothing.
    pub after: Option<String>,
    /// Rows at most; the server has bounded it, and [`limits::PAGE_ROWS_MAX`] holds in any case.
    pub limit: u32,
}

/// The store. Cheap to clone. Dropping the last clone finishes what was accepted, as [`Store::close`] does.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    /// The catalog compiled last, by its number: compiling takes milliseconds and catalogs change rarely.
    compiled: Mutex<Option<(u64, Arc<Catalog>)>>,
}

/// The rows of one account: every statement of it carries the account's id.
#[derive(Clone)]
pub struct Within<'s> {
    store: &'s Store,
    account: AccountId,
}

impl Store {
    /// Opens (and creates or migrates) the embedded database at this path. A file `<path>.lock` beside it keeps a second
    /// process out. The ends of its chains are held to the key and the anchor; its rows are checked by
    /// [`Store::snapshot`], before which nobody should be served.
    pub fn open_sqlite(path: &Path, opening: &Opening) -> Result<Self, Error> {
        Ok(Self::of(Db::open(path, opening)?))
    }

    /// Opens (and creates or migrates) a database on a PostgreSQL server, by its address `postgres://…`. A lock of the
    /// database keeps a second process out. What is held and checked is as for [`Store::open_sqlite`].
    pub fn open_postgres(url: &str, opening: &Opening) -> Result<Self, Error> {
        Ok(Self::of(Db::open_postgres(&Target::parse(url)?, opening)?))
    }

    /// Whether nobody has opened this database of a PostgreSQL server yet.
    pub fn is_new_postgres(url: &str) -> Result<bool, Error> {
        Db::is_new_postgres(&Target::parse(url)?)
    }

    /// Checks everything in a database on a PostgreSQL server, as [`Store::inspect_sqlite`] does.
    pub fn inspect_postgres(url: &str, opening: &Opening) -> Result<Option<Anchor>, Error> {
        Db::inspect_postgres(&Target::parse(url)?, opening)
    }

    /// Checks everything in the database at this path, open elsewhere or not, and changes nothing. Answers how far it has
    /// come; `None` where it is from before there was evidence.
    pub fn inspect_sqlite(path: &Path, opening: &Opening) -> Result<Option<Anchor>, Error> {
        Db::inspect(path, opening)
    }

    /// Hears how far the database has come, after every commit: what an anchor is written from.
    pub fn watch_position(&self) -> tokio::sync::watch::Receiver<Anchor> {
        self.db().position()
    }

    /// Stamps everything with another key, after a check with the one before, in one transaction that other writes wait
    /// for.
    pub async fn restamp(&self, key: RowKey) -> Result<(), Error> {
        self.db().restamp(key).await
    }

    fn of(db: Db) -> Self {
        Self { inner: Arc::new(Inner { db, compiled: Mutex::new(None) }) }
    }

    /// The rows of one account.
    pub fn within(&self, account: AccountId) -> Within<'_> {
        Within { store: self, account }
    }

    /// Commits a write: its rows, its audit entry and its changes, all or nothing, durable before this returns.
    pub async fn commit(&self, write: Write) -> Result<Committed, Error> {
        self.db().commit(write).await
    }

    /// The number of the last migration of the schema.
    pub fn schema_version(&self) -> u32 {
        self.db().schema_version()
    }

    /// Whether the database is on a server, which has its own tools for backups, and no file of ours.
    pub fn is_on_server(&self) -> bool {
        self.db().is_on_server()
    }

    /// Copies everything, as of one moment, into a file that is not there yet. Writers go on meanwhile.
    pub async fn backup_to(&self, path: &Path) -> Result<(), Error> {
        self.db().backup(path.to_owned()).await
    }

    /// Finishes everything accepted, checkpoints and closes. Clones of this store are `Unavailable` afterwards.
    pub async fn close(self) -> Result<(), Error> {
        let closing = tokio::task::spawn_blocking(move || self.db().close());
        closing.await.map_err(|error| Error::Unavailable(format!("it did not close cleanly: {error}")))
    }

    fn db(&self) -> &Db {
        &self.inner.db
    }
}
