//! What travels from store to verifier: one committed difference and its number. A change carries the complete new
//! record, never a delta, so applying it twice is the same as applying it once.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    address::AddressList,
    api_version::ApiVersion,
    catalog::Catalog,
    digest::Digest,
    grant::Access,
    id::{AccountId, TokenId},
    lifetime::Lifetime,
    rate::RateLimit,
    sid::Sid,
    time::Timestamp,
};

/// The number of a change: gap-free and in commit order, from 1. 0 is "before everything".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// One committed difference.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its place in the order.
    pub seq: Seq,
    /// What is so from now on.
    pub record: Record,
}

/// The new state of one thing the verifier knows.
#[derive(Debug, Clone)]
pub enum Record {
    /// A token or legacy credential as it is now.
    Token(Arc<TokenRecord>),
    /// A token that is gone for ever. No SID is issued twice, so it names one token.
    TokenGone(Sid),
    /// An account as it is now.
    Account(Arc<AccountRecord>),
    /// The catalog as it is now.
    Catalog(Arc<Catalog>),
}

/// All that deciding needs of one token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub account: AccountId,
    /// Its public identifier.
    pub sid: Sid,
    /// Its name, for `whoami`.
    pub name: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// What it may call.
    pub access: Access,
    /// The version of a request that names none.
    pub api_version: ApiVersion,
    /// From when it is expired, as it says itself; its account and the platform may end it earlier.
    pub expires_at: Option<Timestamp>,
    /// When it was created: from here maximum lifetimes are counted.
    pub created_at: Timestamp,
    /// From where it may be used.
    pub addresses: AddressList,
    /// Its own rate limit.
    pub rate_limit: Option<RateLimit>,
    /// Access tokens that were derived from it until this moment have ended: it was disabled or reset then.
    #[serde(default)]
    pub access_tokens_from: Option<Timestamp>,
    /// Its secrets: one, or two during an overlap, the current one first.
    pub secrets: Vec<SecretRecord>,
}

/// All that deciding needs of one secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRecord {
    /// Its keyed digest.
    pub digest: Digest,
    /// The pepper generation of the digest.
    pub pepper: u16,
    /// Counts the secrets of a token, from 1.
    pub generation: u32,
    /// From when it no longer works, for the old one of an overlap.
    pub ends_at: Option<Timestamp>,
}

/// All that deciding needs of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// Its id.
    pub id: AccountId,
    /// The id of its kind in the catalog.
    pub kind: String,
    /// Whether it is active; a suspended account denies all its tokens.
    pub active: bool,
    /// Whether API access is on.
    pub api_access: bool,
    /// Whether legacy tokens are enabled.
    pub legacy_tokens: bool,
    /// The longest life of its tokens.
    pub token_lifetime: Option<Lifetime>,
}

impl Seq {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
