//! Accounts: the customers of the platform.

use std::fmt;

use countersign_model::{
    change::AccountRecord,
    id::AccountId,
    lifetime::Lifetime,
    name::{PersonName, fold},
    time::Timestamp,
};

use crate::{
    Conflict, Error, Page, PageAsk, Store, Within,
    db::Query,
    evidence::{
        proof::{Proof, asked},
        tables::ACCOUNTS,
    },
    keys::{KeyKind, WrappedKey},
    page::{by_text, paged},
    value::{Row, anywhere},
    write::Write,
};

pub(crate) const BY_ID: &str = "select * from accounts where id = $1";
pub(crate) const BY_EXTERNAL_ID: &str = "select * from accounts where external_id = $1";
pub(crate) const LIST: &str = r"
select * from accounts
where (name_key, id) > ($1, $2)
  and (cast($3 as text) is null or name_key like $3 escape '\' or external_id_key like $3 escape '\')
  and (cast($4 as text) is null or kind = $4)
  and (cast($5 as text) is null or state = $5)
order by name_key, id limit $6";
pub(crate) const TOKEN_COUNT: &str =
    "select count(*) as tokens from tokens where account_id = $1 and access = 'scoped'";
pub(crate) const INSERT: &str = "
insert into accounts (id, external_id, external_id_key, kind, name, name_key, state, api_access, legacy_tokens, reveal,
  token_limit, data_key, edit, created_at, updated_at, token_lifetime_days, data_key_root, data_key_generation)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14, $15, $16, $17)";
pub(crate) const UPDATE: &str = "
update accounts set external_id = $2, external_id_key = $3, kind = $4, name = $5, name_key = $6, state = $7,
  api_access = $8, legacy_tokens = $9, reveal = $10, token_limit = $11, edit = edit + 1, updated_at = $12,
  token_lifetime_days = $14
where id = $1 and edit = $13";

/// A row that grants something is held to its MAC when it is read.
const PROVES: &[Proof] = &[Proof::of(&ACCOUNTS)];

const STATES: [(&str, AccountState); 2] =
    [("active", AccountState::Active), ("suspended", AccountState::Suspended)];
const REVEALS: [(&str, RevealPolicy); 2] =
    [("recoverable", RevealPolicy::Recoverable), ("once", RevealPolicy::Once)];

/// An account as kept.
#[derive(Clone)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The operator's own id for it; unique.
    pub external_id: String,
    /// The id of its kind in the catalog.
    pub kind: String,
    /// Its name.
    pub name: PersonName,
    /// Active or suspended.
    pub state: AccountState,
    /// Whether API access is on.
    pub api_access: bool,
    /// Whether the legacy pair is there.
    pub legacy_tokens: bool,
    /// Whether stored secrets may be shown again.
    pub reveal: RevealPolicy,
    /// Most tokens it may have.
    pub token_limit: u32,
    /// The longest life of its tokens; `None`: as the platform says.
    pub token_lifetime: Option<Lifetime>,
    /// The account's data key. An edit leaves it alone: rotations move it meanwhile.
    pub data_key: WrappedKey,
    /// The wrapped data key before it, while secrets are sealed anew.
    pub former_data_key: Option<Vec<u8>>,
    /// Counts the edits of the row, from 1: the ETag.
    pub edit: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last edited.
    pub updated_at: Timestamp,
}

/// Active or suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// It works.
    Active,
    /// Every token of it is denied.
    Suspended,
}

/// Whether stored secrets may be shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevealPolicy {
    /// Sealed and shown on demand.
    Recoverable,
    /// Shown once; only the digest is kept.
    Once,
}

/// Which accounts are asked for. By name, then id.
#[derive(Debug, Clone, Default)]
pub struct AccountFilter {
    /// Part of the name or of the external id, ignoring case.
    pub search: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// In this state.
    pub state: Option<AccountState>,
}

impl fmt::Debug for Account {
    /// Names the row and leaves out what is not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("external_id", &self.external_id)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .field("edit", &self.edit)
            .finish_non_exhaustive()
    }
}

impl AccountState {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

impl RevealPolicy {
    fn word(self) -> &'static str {
        match self {
            Self::Recoverable => "recoverable",
            Self::Once => "once",
        }
    }
}

impl Account {
    pub(crate) fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.parsed("id")?,
            external_id: row.text("external_id")?.to_owned(),
            kind: row.text("kind")?.to_owned(),
            name: row.read("name", PersonName::parse)?,
            state: row.word("state", &STATES)?,
            api_access: row.flag("api_access")?,
            legacy_tokens: row.flag("legacy_tokens")?,
            reveal: row.word("reveal", &REVEALS)?,
            token_limit: row.number("token_limit")?,
            token_lifetime: row.optional_lifetime("token_lifetime_days")?,
            data_key: WrappedKey {
                root: row.number("data_key_root")?,
                generation: row.number("data_key_generation")?,
                wrapped: row.bytes("data_key")?.to_vec(),
            },
            former_data_key: row.optional_bytes("former_data_key")?.map(<[u8]>::to_vec),
            edit: row.number("edit")?,
            created_at: row.moment("created_at")?,
            updated_at: row.moment("updated_at")?,
        })
    }

    /// What the verifier knows of it.
    pub(crate) fn record(&self) -> AccountRecord {
        AccountRecord {
            id: self.id,
            kind: self.kind.clone(),
            active: self.state == AccountState::Active,
            api_access: self.api_access,
            legacy_tokens: self.legacy_tokens,
            token_lifetime: self.token_lifetime,
        }
    }
}

impl Store {
    /// An account, by id.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, Error> {
        self.db().row(Query::new(BY_ID, vec![id.into()]).proving(PROVES), Account::read).await
    }

    /// An account, by the operator's id.
    pub async fn account_by_external_id(&self, external_id: &str) -> Result<Option<Account>, Error> {
        let query = Query::new(BY_EXTERNAL_ID, vec![external_id.into()]).proving(PROVES);
        let found = self.db().row(query, Account::read).await?;
        asked(found, |account| account.external_id == external_id)
    }

    /// Accounts, by name.
    pub async fn accounts(&self, filter: &AccountFilter, page: &PageAsk) -> Result<Page<Account>, Error> {
        let Some((name_key, id)) = by_text(page) else { return Ok(Page::empty()) };
        let search = filter.search.as_deref().map(|part| anywhere(&fold(part)));
        let state = filter.state.map(AccountState::word);
        let values = vec![
            name_key.into(),
            id.into(),
            search.into(),
            filter.kind.clone().into(),
            state.into(),
            page.rows_asked(),
        ];
        let rows = self.db().rows(Query::new(LIST, values), Account::read).await?;
        Ok(paged(rows, page, |account| format!("{}/{}", account.id, account.name.key())))
    }
}

impl Within<'_> {
    /// How many tokens the account has, legacy credentials not counted.
    pub async fn token_count(&self) -> Result<u32, Error> {
        let count = Query::new(TOKEN_COUNT, vec![self.account.into()]);
        Ok(self.store.db().row(count, |row| row.number("tokens")).await?.unwrap_or_default())
    }
}

impl Write {
    /// Adds an account; puts it on the feed. Conflicts: `ExternalIdTaken`, `KeyReplaced`.
    #[must_use]
    pub fn insert_account(self, account: &Account) -> Self {
        let values = vec![
            account.id.into(),
            account.external_id.as_str().into(),
            fold(&account.external_id).into(),
            account.kind.as_str().into(),
            account.name.as_str().into(),
            account.name.key().into(),
            account.state.word().into(),
            account.api_access.into(),
            account.legacy_tokens.into(),
            account.reveal.word().into(),
            account.token_limit.into(),
            account.data_key.wrapped.clone().into(),
            account.created_at.into(),
            account.updated_at.into(),
            account.token_lifetime.map(Lifetime::days).into(),
            account.data_key.root.into(),
            account.data_key.generation.into(),
        ];
        self.giving()
            .require_in_use(KeyKind::RevealRoot, account.data_key.root)
            .then(INSERT, values)
            .emit_account(&account.record())
    }

    /// Writes an account whose edit number was `account.edit`; the row gets the next one. Puts it on the feed.
    /// Conflicts: `Stale`, `ExternalIdTaken`.
    #[must_use]
    pub fn update_account(self, account: &Account) -> Self {
        let values = vec![
            account.id.into(),
            account.external_id.as_str().into(),
            fold(&account.external_id).into(),
            account.kind.as_str().into(),
            account.name.as_str().into(),
            account.name.key().into(),
            account.state.word().into(),
            account.api_access.into(),
            account.legacy_tokens.into(),
            account.reveal.word().into(),
            account.token_limit.into(),
            account.updated_at.into(),
            account.edit.into(),
            account.token_lifetime.map(Lifetime::days).into(),
        ];
        let denies = account.state == AccountState::Suspended || !account.api_access;
        let write = if denies { self } else { self.giving() };
        write.expecting(UPDATE, values, Conflict::Stale).emit_account(&account.record())
    }
}
