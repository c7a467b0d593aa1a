//! What answers tell of a token, its account and its limits, as JSON.

use countersign_model::{
    catalog::Catalog,
    change::AccountRecord,
    decision::{Denial, ProvenToken, RateState},
    id::AccountId,
    scope::Scope,
};
use serde::Serialize;

/// A token, to whoever proved its secret.
#[derive(Serialize)]
pub struct TokenFacts<'a> {
    /// Its Account SID, by which it is known everywhere.
    pub sid: &'a str,
    /// `scoped`, `read_write` or `read_only`.
    pub access: &'static str,
}

/// The account of a token.
#[derive(Serialize)]
pub struct AccountFacts<'a> {
    /// Its id: `acc_…`.
    pub id: AccountId,
    /// The id of its kind in the catalog.
    pub kind: &'a str,
}

/// What is left of the tightest rate limit.
#[derive(Serialize)]
pub struct RateFacts {
    /// Requests in a window.
    pub requests: u32,
    /// The window, in seconds.
    pub window_secs: u32,
    /// Requests left now.
    pub remaining: u32,
    /// Seconds until the whole limit is there again.
    pub reset_secs: u32,
}

impl<'a> TokenFacts<'a> {
    /// The facts of a token.
    pub fn of(token: &'a ProvenToken) -> Self {
        Self { sid: token.sid.as_str(), access: token.access.as_str() }
    }
}

impl<'a> AccountFacts<'a> {
    /// The facts of an account.
    pub fn of(account: &'a AccountRecord) -> Self {
        Self { id: account.id, kind: &account.kind }
    }
}

impl RateFacts {
    /// The facts of a limit that was asked.
    pub fn of(rate: RateState) -> Self {
        Self {
            requests: rate.limit.requests(),
            window_secs: rate.limit.window_secs(),
            remaining: rate.remaining,
            reset_secs: rate.reset_secs,
        }
    }
}

/// The stable id of a scope.
pub fn scope_id(catalog: &Catalog, scope: Scope) -> Option<&str> {
    catalog.scope(scope).map(|scope| scope.id.as_str())
}

/// The scope a denial names, if it names one.
pub fn missing_scope<'c>(catalog: Option<&'c Catalog>, denial: &Denial) -> Option<&'c str> {
    let &Denial::ScopeMissing(scope) = denial else { return None };
    scope_id(catalog?, scope)
}
