//! A store in a directory or a database of its own, and things to put into it. Everything is made from small numbers: no clock, no
//! randomness.

#[path = "cluster.rs"]
#[allow(dead_code, reason = "each set of tests uses its part")]
pub mod cluster;
#[path = "raw.rs"]
pub mod raw;
#[path = "server.rs"]
#[allow(dead_code, reason = "each set of tests uses its part")]
pub mod server;

use std::path::{Path, PathBuf};

use countersign_model::{
    actor::Actor,
    address::AddressList,
    api_version::ApiVersion,
    digest::Digest,
    grant::Access,
    id::{AccountId, Id, Kind, TokenId, UserId},
    name::{Description, EmailAddress, PersonName, TokenName},
    scope::{Scope, ScopeSet},
    time::Timestamp,
};
use countersign_store::{
    Account, AccountState, Anchor, AuditDraft, Committed, Conflict, Error, Opening, Outcome, PageAsk, Person,
    RevealPolicy, RowKey, Secret, Store, Token, TokenState, WrappedKey, Write,
};
use serde_json::Value;
use tempfile::TempDir;

use self::{
    raw::Raw,
    server::{Database, Line},
};

pub const ADMINISTRATOR: &str = "account_administrator";

#[allow(dead_code, reason = "each set of tests runs on one")]
/// What the cases run on. Each set of tests says which, as `ENGINE` at its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

pub struct World {
    pub store: Store,
    pub place: Place,
}

/// Where a database is.
pub enum Place {
    Directory(TempDir),
    Server(Database),
}

impl Place {
    pub fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Directory(tempfile::tempdir().unwrap()),
            Engine::Postgres => Self::Server(Database::new()),
        }
    }

    /// As the tests name it to another process.
    pub fn name(&self) -> String {
        match self {
            Self::Directory(directory) => directory.path().join("countersign.db").display().to_string(),
            Self::Server(database) => database.url(),
        }
    }
}

/// Opens what [`Place::name`] names.
pub fn open(name: &str, opening: &Opening) -> Result<Store, Error> {
    match super::ENGINE {
        Engine::Sqlite => Store::open_sqlite(Path::new(name), opening),
        Engine::Postgres => Store::open_postgres(name, opening),
    }
}

impl World {
    pub fn new() -> Self {
        let place = Place::new(super::ENGINE);
        let store = open(&place.name(), &opening()).unwrap();
        Self { store, place }
    }

    /// Opens the same database once more.
    pub fn open(&self, opening: &Opening) -> Result<Store, Error> {
        open(&self.place.name(), opening)
    }

    /// Checks the same database, past the store.
    pub fn inspect(&self, opening: &Opening) -> Result<Option<Anchor>, Error> {
        match &self.place {
            Place::Directory(_) => Store::inspect_sqlite(&self.path(), opening),
            Place::Server(database) => Store::inspect_postgres(&database.url(), opening),
        }
    }

    /// Keeps the closed database as it is.
    pub fn keep(&self) -> Kept {
        match &self.place {
            Place::Directory(_) => Kept::Bytes(std::fs::read(self.path()).unwrap()),
            Place::Server(database) => Kept::Database(database.copy()),
        }
    }

    /// Puts the closed database back to what was kept.
    pub fn put_back(&self, kept: &Kept) {
        match (&self.place, kept) {
            (Place::Directory(_), Kept::Bytes(bytes)) => std::fs::write(self.path(), bytes).unwrap(),
            (Place::Server(database), Kept::Database(copy)) => database.become_as(copy),
            _ => panic!("kept of another engine"),
        }
    }

    /// With account 1 and its administrator, person 1.
    pub async fn with_account() -> Self {
        let world = Self::new();
        world.add_account(1).await;
        world
    }

    /// The file, where it is one.
    pub fn path(&self) -> PathBuf {
        match &self.place {
            Place::Directory(directory) => directory.path().join("countersign.db"),
            Place::Server(_) => panic!("PostgreSQL keeps no file of ours"),
        }
    }

    /// A way into the same database, past the store.
    pub fn raw(&self) -> Raw {
        match &self.place {
            Place::Directory(_) => Raw::Sqlite(rusqlite::Connection::open(self.path()).unwrap()),
            Place::Server(database) => Raw::Postgres(Line::to(&database.url())),
        }
    }

    pub async fn commit(&self, write: Write) -> Committed {
        self.store.commit(write).await.unwrap()
    }

    pub async fn conflict(&self, write: Write) -> Conflict {
        match self.store.commit(write).await {
            Err(Error::Conflict(conflict)) => conflict,
            other => panic!("no conflict: {other:?}"),
        }
    }

    /// Account `n` with its administrator, person `n`.
    pub async fn add_account(&self, n: u64) {
        self.commit(
            write("account.create").insert_account(&account(n)).insert_person(&person(n)).insert_member(
                account_id(n),
                user_id(n),
                ADMINISTRATOR,
                at(0),
            ),
        )
        .await;
    }

    pub async fn token(&self, n: u64) -> Token {
        self.store.within(account_id(1)).token(id(n)).await.unwrap().unwrap()
    }
}

/// A whole database, kept.
pub enum Kept {
    Bytes(Vec<u8>),
    Database(Database),
}

/// What every database of these tests is opened with.
pub fn opening() -> Opening {
    Opening::new(RowKey::new([7; 32]))
}

pub fn write(action: &'static str) -> Write {
    Write::new(draft(action))
}

pub fn draft(action: &'static str) -> AuditDraft {
    AuditDraft {
        at: at(1),
        actor: Actor::Operator(user_id(1)),
        actor_label: "ada@example.com".to_owned(),
        client_address: "203.0.113.7".to_owned(),
        request_id: Some(id(1)),
        account: Some(account_id(1)),
        action,
        subject: "subject".to_owned(),
        subject_label: "Subject".to_owned(),
        outcome: Outcome::Done,
        before: Value::Null,
        after: serde_json::json!({"name": "new"}),
    }
}

pub fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(1_700_000_000 + secs)
}

pub fn id<K: Kind>(n: u64) -> Id<K> {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    Id::new(at(0), random)
}

pub fn account_id(n: u64) -> AccountId {
    id(n)
}

pub fn user_id(n: u64) -> UserId {
    id(n)
}

pub fn digest(text: &str) -> Digest {
    Digest::from_bytes(*blake3::hash(text.as_bytes()).as_bytes())
}

pub fn first(limit: u32) -> PageAsk {
    PageAsk { after: None, limit }
}

pub fn account(n: u64) -> Account {
    Account {
        id: account_id(n),
        external_id: format!("crm-{n}"),
        kind: "brand".to_owned(),
        name: PersonName::parse(&format!("Account {n}")).unwrap(),
        state: AccountState::Active,
        api_access: true,
        legacy_tokens: true,
        reveal: RevealPolicy::Recoverable,
        token_limit: 1_000,
        token_lifetime: None,
        data_key: WrappedKey { root: 1, generation: 1, wrapped: vec![1, 2, 3] },
        former_data_key: None,
        edit: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub fn person(n: u64) -> Person {
    Person {
        id: user_id(n),
        email: EmailAddress::parse(&format!("Person{n}@example.com")).unwrap(),
        name: PersonName::parse(&format!("Person {n}")).unwrap(),
        language: "en".to_owned(),
        password: None,
        operator: false,
        active: true,
        generation: 1,
        failed_sign_ins: 0,
        failed_at: None,
        edit: 1,
        created_at: at(0),
    }
}

/// Token `n` of account 1, created at second `n`.
pub fn token(n: u64) -> Token {
    token_of(1, n)
}

pub fn token_of(account: u64, n: u64) -> Token {
    let created_at = at(i64::try_from(n).unwrap());
    Token {
        id: token_id(n),
        account: account_id(account),
        sid: format!("SID{n}").parse().unwrap(),
        name: TokenName::parse(&format!("Token {n}")).unwrap(),
        description: Description::parse("what it is for").unwrap(),
        access: Access::Scoped([1, 7].map(Scope).into_iter().collect::<ScopeSet>()),
        api_version: ApiVersion(14),
        primary_contact: Some(user_id(account)),
        developer_emails: vec![EmailAddress::parse("dev@example.com").unwrap()],
        state: TokenState::Enabled,
        expires_at: None,
        addresses: AddressList::parse(&["203.0.113.0/24", "2001:db8::/32"]).unwrap(),
        rate_limit: None,
        access_tokens_from: None,
        secrets: vec![secret(n, 1)],
        made_by: None,
        edit: 1,
        created_at,
        created_by: Actor::User(user_id(account)),
        updated_at: created_at,
        updated_by: Actor::User(user_id(account)),
        last_used_at: None,
        last_used_from: None,
    }
}

pub fn token_id(n: u64) -> TokenId {
    id(n)
}

/// The secret of token `n` with this generation.
pub fn secret(n: u64, generation: u32) -> Secret {
    Secret {
        digest: digest(&format!("secret {generation} of token {n}")),
        pepper: 1,
        layered_over: None,
        generation,
        sealed: Some(vec![9; 40]),
        data_key: Some(1),
        last4: "wxyz".to_owned(),
        weak: false,
        created_at: at(0),
        ends_at: None,
        last_used_at: None,
        last_used_from: None,
        uses: 0,
    }
}
