//! How long tokens live: a token's own expiry, and the longest lives that its account and the platform allow. What binds
//! is computed whenever it is asked for, so that a shorter maximum takes effect at once and a longer one gives back.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    catalog::AccountKind,
    change::{AccountRecord, TokenRecord},
    grant::AccessKind,
    limits::TOKEN_LIFETIME_DAYS_MAX,
    time::Timestamp,
};

const DAY_SECS: i64 = 24 * 3600;

/// The longest life of a token, in whole days of 24 hours from its creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Lifetime(u16);

/// Why a number is no longest life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a maximum lifetime is 1 to {TOKEN_LIFETIME_DAYS_MAX} days")]
pub struct LifetimeError;

/// The longest lives that hold for the tokens of one account. Legacy credentials have none: they end with their version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lifetimes {
    /// The account's own.
    pub account: Option<Lifetime>,
    /// The platform's for this kind of account.
    pub platform: Option<Lifetime>,
}

/// The end of a token's life and what sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// From when the token is expired.
    pub at: Timestamp,
    /// What sets it; of several at the same moment, the one that is closest to the token.
    pub set_by: ExpiryRule,
}

/// What sets the end of a token's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExpiryRule {
    /// The token's own expiry.
    Token,
    /// The longest life its account allows.
    Account,
    /// The longest life the platform allows.
    Platform,
}

impl Lifetime {
    /// Checks the number of days.
    pub fn new(days: u16) -> Result<Self, LifetimeError> {
        if (1..=TOKEN_LIFETIME_DAYS_MAX).contains(&days) { Ok(Self(days)) } else { Err(LifetimeError) }
    }

    /// How many days.
    pub const fn days(self) -> u16 {
        self.0
    }

    /// In seconds.
    pub fn secs(self) -> i64 {
        i64::from(self.0) * DAY_SECS
    }

    /// When a life ends that began at this moment.
    pub fn end(self, began: Timestamp) -> Timestamp {
        began.plus_secs(self.secs())
    }
}

impl Lifetimes {
    /// The lives that an account and its kind, where the catalog has it, allow.
    pub fn of(account: Option<Lifetime>, kind: Option<&AccountKind>) -> Self {
        Self { account, platform: kind.and_then(|kind| kind.token_lifetime) }
    }

    /// The same for a token that reaches like this: legacy credentials have none.
    pub fn of_access(access: AccessKind, account: &AccountRecord, kind: Option<&AccountKind>) -> Self {
        if access.is_legacy() { Self::default() } else { Self::of(account.token_lifetime, kind) }
    }

    /// The shorter of both, and whose it is; the account's where they are the same.
    pub fn shortest(self) -> Option<(Lifetime, ExpiryRule)> {
        let account = self.account.map(|lifetime| (lifetime, ExpiryRule::Account));
        let platform = self.platform.map(|lifetime| (lifetime, ExpiryRule::Platform));
        account.into_iter().chain(platform).min()
    }

    /// When a token ends that was created at this moment and has this expiry of its own, and why; `None`: never.
    pub fn expiry(self, own: Option<Timestamp>, created_at: Timestamp) -> Option<Expiry> {
        let own = own.map(|at| (at, ExpiryRule::Token));
        let longest = self.shortest().map(|(lifetime, rule)| (lifetime.end(created_at), rule));
        own.into_iter().chain(longest).min().map(|(at, set_by)| Expiry { at, set_by })
    }
}

impl TokenRecord {
    /// When this token of this account ends, and why; `None`: never. `kind` is the account's, where the catalog has it.
    pub fn expiry(&self, account: &AccountRecord, kind: Option<&AccountKind>) -> Option<Expiry> {
        let lifetimes = Lifetimes::of_access(self.access.kind(), account, kind);
        lifetimes.expiry(self.expires_at, self.created_at)
    }
}

impl ExpiryRule {
    /// The name in answers: `token`, `account`, `platform`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Account => "account",
            Self::Platform => "platform",
        }
    }
}

impl TryFrom<u16> for Lifetime {
    type Error = LifetimeError;

    fn try_from(days: u16) -> Result<Self, LifetimeError> {
        Self::new(days)
    }
}

impl From<Lifetime> for u16 {
    fn from(lifetime: Lifetime) -> Self {
        lifetime.0
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0;
        write!(f, "{days} {}", if days == 1 { "day" } else { "days" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_end_binds_and_the_closest_rule_is_named() {
        let day = |days: i64| Timestamp::from_unix_secs(days * DAY_SECS);
        let lifetime = |days: u16| (days > 0).then(|| Lifetime::new(days).unwrap());
        for (own, account, platform, expected) in [
            (None, 0, 0, None),
            (Some(9), 0, 0, Some((9, ExpiryRule::Token))),
            (None, 5, 0, Some((15, ExpiryRule::Account))),
            (None, 0, 5, Some((15, ExpiryRule::Platform))),
            (None, 5, 6, Some((15, ExpiryRule::Account))),
            (None, 6, 5, Some((15, ExpiryRule::Platform))),
            (None, 5, 5, Some((15, ExpiryRule::Account))),
            (Some(15), 5, 5, Some((15, ExpiryRule::Token))),
            (Some(16), 5, 9, Some((15, ExpiryRule::Account))),
            (Some(14), 5, 9, Some((14, ExpiryRule::Token))),
        ] {
            let lifetimes = Lifetimes { account: lifetime(account), platform: lifetime(platform) };
            let found = lifetimes.expiry(own.map(day), day(10)).map(|expiry| (expiry.at, expiry.set_by));
            let expected = expected.map(|(at, rule)| (day(at), rule));
            assert_eq!(found, expected, "{own:?} {account} {platform}");
        }
    }

    #[test]
    fn a_lifetime_has_bounds() {
        for (days, fits) in
            [(0, false), (1, true), (TOKEN_LIFETIME_DAYS_MAX, true), (TOKEN_LIFETIME_DAYS_MAX + 1, false)]
        {
            assert_eq!(Lifetime::new(days).is_ok(), fits, "{days}");
            assert_eq!(serde_json::from_str::<Lifetime>(&days.to_string()).is_ok(), fits, "{days}");
        }
    }
}
