//! When the tokens of an account end: the maxima that hold for it, and what they make of one token.

use countersign_model::{
    catalog::Catalog,
    lifetime::{Expiry, ExpiryRule, Lifetimes},
    time::Timestamp,
};
use countersign_store::{Account, Token};

use crate::error::Error;

/// The maxima that hold for the tokens of an account.
pub(in crate::ops) fn of(catalog: &Catalog, account: &Account) -> Lifetimes {
    Lifetimes::of(account.token_lifetime, catalog.kind(&account.kind).map(|(_, kind)| kind))
}

/// When a token or legacy credential of an account ends, as the verifier decides it.
pub(crate) fn expiry(catalog: &Catalog, account: &Account, token: &Token) -> Option<Expiry> {
    let lifetimes = if token.access.kind().is_legacy() { Lifetimes::default() } else { of(catalog, account) };
    lifetimes.expiry(token.expires_at, token.created_at)
}

/// An expiry as somebody sets it lies ahead (to end a token now, disable it) and within the longest life of a token.
pub(in crate::ops) fn read_expiry(
    expires_at: Timestamp,
    now: Timestamp,
    (created_at, lifetimes): (Timestamp, Lifetimes),
) -> Result<Timestamp, Error> {
    if expires_at <= now {
        return Err(Error::invalid(
            "expires_at",
            "it lies in the past; name a later moment, or disable the token to end it now",
        ));
    }
    let Some((lifetime, rule)) = lifetimes.shortest() else { return Ok(expires_at) };
    let latest = lifetime.end(created_at);
    if expires_at <= latest {
        return Ok(expires_at);
    }
    let whose = if rule == ExpiryRule::Account { "this account" } else { "the platform" };
    let detail = format!(
        "it lies beyond the limit: {whose} lets a token live for {lifetime}, so this one until {latest}; name that moment or an earlier one"
    );
    Err(Error::invalid("expires_at", detail))
}
