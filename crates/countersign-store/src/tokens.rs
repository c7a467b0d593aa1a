//! Tokens and legacy credentials: one table, told apart by their access. How they are written is in
//! `tokens/writes.rs` and, where nothing may stand in the way, `tokens/overriding.rs`.

mod due;
mod ends;
mod overriding;
pub(crate) mod writes;

use std::fmt;

pub use due::AfterToken;
pub use ends::{EndsWithin, TokenCounts};

use countersign_model::{
    actor::Actor,
    address::AddressList,
    api_version::ApiVersion,
    change::{SecretRecord, TokenRecord},
    digest::Digest,
    grant::{Access, AccessKind},
    id::{AccountId, TokenId, UserId},
    name::{Description, EmailAddress, TokenName, fold},
    rate::RateLimit,
    sid::Sid,
    time::Timestamp,
};

use crate::{
    Error, Page, PageAsk, Store, Within,
    db::Query,
    page::{by_time, paged},
    value::{Row, anywhere},
};

pub(crate) const BY_ID: &str =
    "select * from token_rows where account_id = $1 and id = $2 order by secret_generation desc";
pub(crate) const LIST: &str = r"
select * from token_rows where id in (
  select id from tokens
  where account_id = $1 and access = 'scoped' and (created_at, id) < ($2, $3)
    and (cast($4 as text) is null or name_key like $4 escape '\'
      or (length(cast($4 as text)) >= 6 and lower(sid) like $4 escape '\'))
    and created_at >= $5 and created_at < $6
    and (cast($7 as text) is null or state = $7)
    and (cast($8 as text) is null or made_by = $8)
    and (expires_at is null or expires_at > $9) and created_at > $10
    and (cast($11 as bigint) is null or expires_at <= $11 or created_at <= $12)
    and (cast($14 as bigint) = 0 or not (
      exists (
        select 1 from members m join people p on p.id = m.user_id
        where m.account_id = tokens.account_id and p.active = 1
          and not exists (select 1 from bounces b where b.email_key = p.email_key)
          and (m.user_id = primary_contact or (developer_emails <> '[]' and
            replace(lower(developer_emails), $15 || p.email_key || $15, '') <> lower(developer_emails))))
      or exists (
        select 1 from addresses a
        where a.account_id = tokens.account_id and a.state = 'confirmed' and developer_emails <> '[]'
          and replace(lower(developer_emails), $15 || a.email_key || $15, '') <> lower(developer_emails))))
  order by created_at desc, id desc limit $13)
order by created_at desc, id desc, secret_generation desc";
pub(crate) const BY_NAME: &str = "
select * from token_rows where account_id = $1 and name_key = $2 and access = 'scoped'
order by secret_generation desc";
pub(crate) const LEGACY: &str = "
select * from token_rows where account_id = $1 and access = $2 and access <> 'scoped'
order by secret_generation desc";
pub(crate) const BY_SID: &str = "select * from token_rows where sid = $1 order by secret_generation desc";

pub(crate) const STATES: [(&str, TokenState); 2] =
    [("enabled", TokenState::Enabled), ("disabled", TokenState::Disabled)];
pub(crate) const KINDS: [(&str, AccessKind); 3] = [
    ("scoped", AccessKind::Scoped),
    ("read_write", AccessKind::ReadWrite),
    ("read_only", AccessKind::ReadOnly),
];

/// A token or legacy credential as kept.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub account: AccountId,
    /// Its public identifier.
    pub sid: Sid,
    /// Its name; unique in the account ignoring case.
    pub name: TokenName,
    /// Its description.
    pub description: Description,
    /// What it may call.
    pub access: Access,
    /// Its API version.
    pub api_version: ApiVersion,
    /// The member who answers for it; `None` only for legacy credentials.
    pub primary_contact: Option<UserId>,
    /// Addresses that hear of it.
    pub developer_emails: Vec<EmailAddress>,
    /// Enabled or disabled.
    pub state: TokenState,
    /// From when it is expired.
    pub expires_at: Option<Timestamp>,
    /// From where it may be used.
    pub addresses: AddressList,
    /// Its own rate limit.
    pub rate_limit: Option<RateLimit>,
    /// Access tokens derived from it until this moment have ended.
    pub access_tokens_from: Option<Timestamp>,
    /// The current secret first; the old one of an overlap second.
    pub secrets: Vec<Secret>,
    /// The token that made it.
    pub made_by: Option<TokenId>,
    /// Counts the edits of the row, from 1: the ETag. Usage does not touch it.
    pub edit: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Actor,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who changed it.
    pub updated_by: Actor,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// From where it was last used.
    pub last_used_from: Option<String>,
}

/// One secret of a token.
#[derive(Clone)]
pub struct Secret {
    /// Keyed digest; unique.
    pub digest: Digest,
    /// Pepper generation of the digest.
    pub pepper: u16,
    /// The pepper generation under that one, where the digest is one of a digest.
    pub layered_over: Option<u16>,
    /// Counts the secrets of the token, from 1.
    pub generation: u32,
    /// The sealed secret, where it can be shown again.
    pub sealed: Option<Vec<u8>>,
    /// The generation of the account's data key it is sealed under.
    pub data_key: Option<u32>,
    /// Its last four characters; empty where only a digest was imported.
    pub last4: String,
    /// Whether it has fewer than 112 bits.
    pub weak: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it no longer works, for the old one of an overlap.
    pub ends_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// From where it was last used.
    pub last_used_from: Option<String>,
    /// How often it was used since the overlap began.
    pub uses: u64,
}

/// Enabled or disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It works.
    Enabled,
    /// It is switched off, reversibly.
    Disabled,
}

/// The *created on* filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreatedWithin {
    /// At this moment or later.
    Since(Timestamp),
    /// Before this moment.
    Before(Timestamp),
}

/// Which tokens are asked for. Newest first.
#[derive(Debug, Clone, Default)]
pub struct TokenFilter {
    /// Part of the name, or four characters and more of the SID, ignoring case: fewer are in nearly every SID. The
    /// statement counts the signs around them, too.
    pub name: Option<String>,
    /// When created.
    pub created: Option<CreatedWithin>,
    /// In this state.
    pub state: Option<TokenState>,
    /// Made by this token.
    pub made_by: Option<TokenId>,
    /// By the end of their lives.
    pub ends: EndsWithin,
    /// Only those of which nobody would hear: neither an active contact nor a developer address that said yes.
    pub nobody_hears: bool,
}

impl fmt::Debug for Secret {
    /// Names the secret and leaves out what is not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("generation", &self.generation)
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

impl TokenState {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

impl Token {
    /// Reads a row of `token_rows`: the token, with the one secret the row holds.
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.parsed("id")?,
            account: row.parsed("account_id")?,
            sid: row.parsed("sid")?,
            name: row.read("name", TokenName::parse)?,
            description: row.read("description", Description::parse)?,
            access: read_access(row)?,
            api_version: ApiVersion(row.number("api_version")?),
            primary_contact: row.optional_parsed("primary_contact")?,
            developer_emails: row.json("developer_emails")?,
            state: row.word("state", &STATES)?,
            expires_at: row.optional_moment("expires_at")?,
            addresses: row.json("addresses")?,
            rate_limit: read_rate_limit(row)?,
            access_tokens_from: row.optional_moment("access_tokens_from")?,
            secrets: Secret::read(row)?.into_iter().collect(),
            made_by: row.optional_parsed("made_by")?,
            edit: row.number("edit")?,
            created_at: row.moment("created_at")?,
            created_by: row.json("created_by")?,
            updated_at: row.moment("updated_at")?,
            updated_by: row.json("updated_by")?,
            last_used_at: row.optional_moment("last_used_at")?,
            last_used_from: row.optional_text("last_used_from")?.map(str::to_owned),
        })
    }

    /// Puts the secrets of each token together: rows of a token stand side by side, the newest secret first.
    fn gather(mut rows: Vec<Self>) -> Vec<Self> {
        rows.dedup_by(|next, kept| {
            let same = next.id == kept.id;
            if same {
                kept.secrets.append(&mut next.secrets);
            }
            same
        });
        rows
    }

    /// What the verifier knows of it.
    pub fn record(&self) -> TokenRecord {
        let mut secrets: Vec<SecretRecord> = self.secrets.iter().map(Secret::record).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.generation));
        TokenRecord {
            id: self.id,
            account: self.account,
            sid: self.sid,
            name: self.name.as_str().to_owned(),
            enabled: self.state == TokenState::Enabled,
            access: self.access.clone(),
            api_version: self.api_version,
            expires_at: self.expires_at,
            created_at: self.created_at,
            addresses: self.addresses.clone(),
            rate_limit: self.rate_limit,
            access_tokens_from: self.access_tokens_from,
            secrets,
        }
    }

    /// What the verifier knows of it, from a row with one of its secrets.
    pub(crate) fn read_record(row: &Row) -> Result<TokenRecord, Error> {
        Ok(TokenRecord {
            id: row.parsed("id")?,
            account: row.parsed("account_id")?,
            sid: row.parsed("sid")?,
            name: row.text("name")?.to_owned(),
            enabled: row.word("state", &STATES)? == TokenState::Enabled,
            access: read_access(row)?,
            api_version: ApiVersion(row.number("api_version")?),
            expires_at: row.optional_moment("expires_at")?,
            created_at: row.moment("created_at")?,
            addresses: row.json("addresses")?,
            rate_limit: read_rate_limit(row)?,
            access_tokens_from: row.optional_moment("access_tokens_from")?,
            secrets: Secret::read_record(row)?.into_iter().collect(),
        })
    }
}

impl Secret {
    fn read(row: &Row) -> Result<Option<Self>, Error> {
        if row.optional_integer("secret_generation")?.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            digest: row.digest("secret_digest")?,
            pepper: row.number("secret_pepper")?,
            layered_over: row.optional_number("secret_layered_over")?,
            generation: row.number("secret_generation")?,
            data_key: row.optional_number("secret_data_key")?,
            sealed: row.optional_bytes("secret_sealed")?.map(<[u8]>::to_vec),
            last4: row.text("secret_last4")?.to_owned(),
            weak: row.flag("secret_weak")?,
            created_at: row.moment("secret_created_at")?,
            ends_at: row.optional_moment("secret_ends_at")?,
            last_used_at: row.optional_moment("secret_last_used_at")?,
            last_used_from: row.optional_text("secret_last_used_from")?.map(str::to_owned),
            uses: row.number("secret_uses")?,
        }))
    }

    fn read_record(row: &Row) -> Result<Option<SecretRecord>, Error> {
        if row.optional_integer("secret_generation")?.is_none() {
            return Ok(None);
        }
        Ok(Some(SecretRecord {
            digest: row.digest("secret_digest")?,
            pepper: row.number("secret_pepper")?,
            generation: row.number("secret_generation")?,
            ends_at: row.optional_moment("secret_ends_at")?,
        }))
    }

    fn record(&self) -> SecretRecord {
        SecretRecord {
            digest: self.digest,
            pepper: self.pepper,
            generation: self.generation,
            ends_at: self.ends_at,
        }
    }
}

fn read_access(row: &Row) -> Result<Access, Error> {
    Ok(match row.word("access", &KINDS)? {
        AccessKind::Scoped => Access::Scoped(row.json("scopes")?),
        AccessKind::ReadWrite => Access::ReadWrite,
        AccessKind::ReadOnly => Access::ReadOnly,
    })
}

fn read_rate_limit(row: &Row) -> Result<Option<RateLimit>, Error> {
    if row.optional_integer("rate_requests")?.is_none() {
        return Ok(None);
    }
    let limit = RateLimit::new(row.number("rate_requests")?, row.number("rate_window_secs")?);
    limit.map(Some).map_err(|error| Error::Corrupt(format!("a token has a rate limit that is none: {error}")))
}

impl Within<'_> {
    /// A token of today or a legacy credential.
    pub async fn token(&self, id: TokenId) -> Result<Option<Token>, Error> {
        self.store.one_token(Query::new(BY_ID, vec![self.account.into(), id.into()])).await
    }

    /// Tokens of today, newest first. Legacy credentials are not listed.
    pub async fn tokens(&self, filter: &TokenFilter, page: &PageAsk) -> Result<Page<Token>, Error> {
        let Some((created_at, id)) = by_time(page) else { return Ok(Page::empty()) };
        let (since, before) = match filter.created {
            None => (i64::MIN, i64::MAX),
            Some(CreatedWithin::Since(moment)) => (moment.unix_millis(), i64::MAX),
            Some(CreatedWithin::Before(moment)) => (i64::MIN, moment.unix_millis()),
        };
        let values = vec![
            self.account.into(),
            created_at.into(),
            id.into(),
            filter.name.as_deref().map(|part| anywhere(&fold(part))).into(),
            since.into(),
            before.into(),
            filter.state.map(TokenState::word).into(),
            filter.made_by.into(),
            filter.ends.after.map_or(i64::MIN, Timestamp::unix_millis).into(),
            filter.ends.born(filter.ends.after).into(),
            filter.ends.until.into(),
            filter.ends.born(filter.ends.until).into(),
            page.rows_asked(),
            filter.nobody_hears.into(),
            // What an address stands between in the list of them, which is kept as JSON.
            "\"".into(),
        ];
        let rows = self.store.db().rows(Query::new(LIST, values), Token::read).await?;
        let place = |token: &Token| format!("{}/{}", token.id, token.created_at.unix_millis());
        Ok(paged(Token::gather(rows), page, place))
    }

    /// The token with this name, ignoring case.
    pub async fn token_by_name(&self, name: &TokenName) -> Result<Option<Token>, Error> {
        self.store.one_token(Query::new(BY_NAME, vec![self.account.into(), name.key().into()])).await
    }

    /// The legacy credential of this kind, if the account has it.
    pub async fn legacy(&self, access: AccessKind) -> Result<Option<Token>, Error> {
        self.store.one_token(Query::new(LEGACY, vec![self.account.into(), access.as_str().into()])).await
    }
}

impl Store {
    /// A token by its SID, for operators and the command line.
    pub async fn token_by_sid(&self, sid: &Sid) -> Result<Option<Token>, Error> {
        self.one_token(Query::new(BY_SID, vec![sid.as_str().into()])).await
    }

    async fn one_token(&self, query: Query) -> Result<Option<Token>, Error> {
        let rows = self.db().rows(query, Token::read).await?;
        Ok(Token::gather(rows).into_iter().next())
    }
}
