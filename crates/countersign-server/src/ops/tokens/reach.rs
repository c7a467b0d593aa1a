//! How far a token that manages tokens reaches: only to tokens that could do nothing it could not do itself, before and
//! after the deed. Rights are more than scopes: a token that lives longer, may be used from elsewhere, or more often,
//! is a stronger one too. So no sequence of calls by a token ends with one that exceeds it.

use countersign_model::{
    address::AddressList, catalog::Catalog, change::TokenRecord, lifetime::Lifetimes, rate::RateLimit,
};
use countersign_store::Token;

use super::lifetimes;
use crate::{
    error::{Error, Kind},
    rights::{Granted, Right, Standing},
};

/// Refuses a deed of a token to a token beyond its reach. People and operators are not bounded here: their role is
/// what bounds them.
pub(super) fn require<R: Right>(granted: &Granted<R>, catalog: &Catalog, token: &Token) -> Result<(), Error> {
    match &granted.standing {
        Standing::Member(_) | Standing::Operator => Ok(()),
        Standing::Token(own) => {
            within(own, catalog, lifetimes::of(catalog, &granted.account), token).map_err(refuse)
        }
    }
}

/// In what a token exceeds the one that acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excess {
    Legacy,
    Management,
    Scopes,
    Expiry,
    Addresses,
    RateLimit,
}

fn within(own: &TokenRecord, catalog: &Catalog, lifetimes: Lifetimes, token: &Token) -> Result<(), Excess> {
    let (Some(mine), Some(scopes)) = (own.access.scopes(), token.access.scopes()) else {
        return Err(Excess::Legacy);
    };
    if scopes.iter().filter_map(|scope| catalog.scope(scope)).any(|info| info.management.is_some()) {
        return Err(Excess::Management);
    }
    if !scopes.is_subset(mine) {
        return Err(Excess::Scopes);
    }
    // The ends that hold, not only those the tokens name: a maximum ends the maker before what it makes later.
    let (my_end, end) = (
        lifetimes.expiry(own.expires_at, own.created_at),
        lifetimes.expiry(token.expires_at, token.created_at),
    );
    if my_end.is_some_and(|limit| end.is_none_or(|end| end.at > limit.at)) {
        return Err(Excess::Expiry);
    }
    if !is_narrower(&token.addresses, &own.addresses) {
        return Err(Excess::Addresses);
    }
    if own.rate_limit.is_some_and(|limit| token.rate_limit.is_none_or(|rate| is_faster(rate, limit))) {
        return Err(Excess::RateLimit);
    }
    Ok(())
}

/// Whether every network of the list lies in one of the other.
fn is_narrower(list: &AddressList, other: &AddressList) -> bool {
    if other.networks().is_empty() {
        return true;
    }
    let inside = |network: &ipnet::IpNet| other.networks().iter().any(|outer| outer.contains(network));
    !list.networks().is_empty() && list.networks().iter().all(inside)
}

/// Whether a rate lets more through than another, at once or in the long run.
fn is_faster(rate: RateLimit, limit: RateLimit) -> bool {
    let per_window =
        |rate: RateLimit, other: RateLimit| u64::from(rate.requests()) * u64::from(other.window_secs());
    rate.requests() > limit.requests() || per_window(rate, limit) > per_window(limit, rate)
}

fn refuse(excess: Excess) -> Error {
    let (field, reason) = match excess {
        Excess::Legacy => ("scopes", "It is a legacy credential."),
        Excess::Management => {
            ("scopes", "It holds a management scope, and only a person may act on such a token.")
        }
        Excess::Scopes => ("scopes", "It holds a scope that the calling token lacks."),
        Excess::Expiry => {
            ("expires_at", "It would live longer than the calling token; give it an earlier expiry.")
        }
        Excess::Addresses => (
            "addresses",
            "It may be used from addresses that the calling token may not; give it a narrower list.",
        ),
        Excess::RateLimit => {
            ("rate_limit", "It may call more often than the calling token; give it a lower rate limit.")
        }
    };
    let detail = format!("A token may only act on tokens with no more rights than its own. {reason}");
    Error::new(Kind::Forbidden, "beyond_own_rights", detail).at_field(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_compare_at_once_and_in_the_long_run() {
        let rate = |requests, window| RateLimit::new(requests, window).unwrap();
        for (own, other, faster) in [
            (rate(100, 60), rate(100, 60), false),
            (rate(100, 60), rate(100, 61), false),
            (rate(100, 60), rate(100, 59), true),
            (rate(100, 60), rate(101, 3600), true),
            (rate(100, 60), rate(50, 1), true),
            (rate(100, 60), rate(1, 1), false),
            (rate(1_000_000_000, 1), rate(1_000_000_000, 1), false),
        ] {
            assert_eq!(is_faster(other, own), faster, "{other:?} against {own:?}");
        }
    }

    #[test]
    fn lists_compare_by_what_they_let_in() {
        let list = |texts: &[&str]| AddressList::parse(texts).unwrap();
        for (other, inner, narrower) in [
            (list(&[]), list(&[]), true),
            (list(&[]), list(&["10.0.0.1"]), true),
            (list(&["10.0.0.0/8"]), list(&[]), false),
            (list(&["10.0.0.0/8"]), list(&["10.1.0.0/16", "10.2.3.4"]), true),
            (list(&["10.0.0.0/8"]), list(&["10.1.0.0/16", "11.0.0.1"]), false),
            (list(&["10.0.0.0/8"]), list(&["0.0.0.0/0"]), false),
            (list(&["2001:db8::/32"]), list(&["2001:db8::1"]), true),
            (list(&["2001:db8::/32"]), list(&["10.0.0.1"]), false),
        ] {
            assert_eq!(is_narrower(&inner, &other), narrower, "{inner:?} in {other:?}");
        }
    }
}
