//! `GET /whoami`: every live token may ask what it is. Countersign answers itself; nothing stands behind it.

use std::net::IpAddr;

use countersign_model::{
    change::TokenRecord,
    credential::Authorization,
    decision::{Allowed, Ask, Decision, Denial, Denied, Target},
    scope::ScopeSet,
};
use serde::Serialize;
use serde_json::Map;

use super::{
    data_plane::{
        Asked,
        answer::{self, Answer},
        caller::{self, Claim},
        facts::{AccountFacts, RateFacts, TokenFacts, scope_id},
    },
    extract,
    forward_auth::{self, authorization},
};
use crate::{
    error::{Error, Kind},
    ops::tokens,
    sealing::AccessToken,
};

/// What a token is.
#[derive(Serialize)]
struct WhoAmI<'a> {
    /// The account it belongs to.
    account: AccountFacts<'a>,
    /// The token.
    token: NamedToken<'a>,
    /// Its API version.
    api_version: u16,
    /// The ids of its scopes that the catalog still has; `null` for a legacy credential, whose access says it all.
    scopes: Option<Vec<&'a str>>,
    /// Its limits.
    limits: Limits<'a>,
}

#[derive(Serialize)]
struct NamedToken<'a> {
    /// Its id: `tok_…`.
    id: String,
    /// Its name.
    name: &'a str,
    #[serde(flatten)]
    facts: TokenFacts<'a>,
}

#[derive(Serialize)]
struct Limits<'a> {
    /// From when it is expired, by its own expiry or a maximum lifetime, RFC 3339.
    expires_at: Option<String>,
    /// From where it may be used; empty: from everywhere.
    addresses: Vec<String>,
    /// Its own rate limit.
    rate: Option<RateQuota>,
    /// The enforced rate-limit groups of its account kind, per token.
    groups: Vec<GroupQuota<'a>>,
    /// What is left of the limit this very request was counted by.
    left: Option<RateFacts>,
}

#[derive(Serialize)]
struct RateQuota {
    requests: u32,
    window_secs: u32,
}

#[derive(Serialize)]
struct GroupQuota<'a> {
    id: &'a str,
    requests: u32,
    window_secs: u32,
}

/// Answers `GET /whoami`.
pub(super) async fn answer(asked: &Asked<'_>) -> Answer {
    let address = match client_address(asked) {
        Ok(address) => address,
        Err(error) => return answer::problem(&error, Some(asked.id)),
    };
    let decision = decide(asked, address);
    asked.plane.note("whoami", None, (asked.id, address), &decision);
    match &decision {
        // The verifier keeps what decides and nothing more; this is no request of the API, so the store may be asked.
        Decision::Allow(allowed) => match tokens::proven(&asked.plane.app, &allowed.token).await {
            Ok(Some(token)) => answer::json(&WhoAmI::of(allowed, &token)),
            // It was deleted since it was decided.
            Ok(None) => answer::denied(&gone(), &Map::new(), asked.id),
            Err(error) => answer::problem(&error, Some(asked.id)),
        },
        Decision::Deny(denied) => answer::denied(denied, &Map::new(), asked.id),
        Decision::Unavailable(reason) => answer::unavailable(*reason, asked.id),
    }
}

fn gone() -> Denied {
    Denied { denial: Denial::CredentialsInvalid, token: None, account: None }
}

fn decide(asked: &Asked<'_>, address: Option<IpAddr>) -> Decision {
    let app = &asked.plane.app;
    if extract::carries_secret(asked.request.uri(), &[&app.settings.format]) {
        return Decision::Deny(Denied { denial: Denial::CredentialsMisplaced, token: None, account: None });
    }
    let (now, sent) = (app.clock.now(), authorization(asked.request.headers()));
    let derived = AccessToken::of_header(&app.keys.ring(), sent, now.wall);
    let ask = Ask {
        authorization: derived.as_ref().map_or(sent, |derived| Authorization::Derived(&derived.credential)),
        target: Target::Identity,
        version_headers: &[],
        client_address: address,
        min_seq: None,
    };
    app.verifier.decide(&ask, now)
}

/// Behind a gateway that proves itself, the address its profile names; else the peer's.
pub(super) fn client_address(asked: &Asked<'_>) -> Result<Option<IpAddr>, Error> {
    let headers = asked.request.headers();
    let claim = Claim::of(headers);
    if matches!(claim, Claim::None) {
        return Ok(asked.peer.0);
    }
    let gateway =
        caller::any(&asked.plane.app, &claim, asked.peer).ok_or_else(forward_auth::gateway_untrusted)?;
    forward_auth::client_address(headers, &gateway.profile).map(Some).map_err(|_| {
        let detail = "The gateway must send the client's address as its profile says.";
        Error::new(Kind::Unavailable, "gateway_misconfigured", detail).retry_after(1)
    })
}

impl<'a> WhoAmI<'a> {
    fn of(allowed: &'a Allowed, token: &'a TokenRecord) -> Self {
        let catalog = &allowed.catalog;
        let ids = |scopes: &'a ScopeSet| -> Vec<&'a str> {
            let live =
                scopes.iter().filter(|&scope| catalog.scope(scope).is_some_and(|scope| !scope.is_retired()));
            live.filter_map(|scope| scope_id(catalog, scope)).collect()
        };
        let kind = catalog.kind(&allowed.account.kind).map(|(_, kind)| kind);
        let groups = kind.map(|kind| kind.rate_groups.as_slice()).unwrap_or_default();
        let enforced = groups.iter().filter(|group| group.enforced);
        let expiry = token.expiry(&allowed.account, kind);
        Self {
            account: AccountFacts::of(&allowed.account),
            token: NamedToken {
                id: token.id.to_string(),
                name: &token.name,
                facts: TokenFacts::of(&allowed.token),
            },
            api_version: allowed.api_version.0,
            scopes: token.access.scopes().map(ids),
            limits: Limits {
                expires_at: expiry.map(|expiry| expiry.at.to_string()),
                addresses: token.addresses.networks().iter().map(ToString::to_string).collect(),
                rate: token
                    .rate_limit
                    .map(|rate| RateQuota { requests: rate.requests(), window_secs: rate.window_secs() }),
                groups: enforced
                    .map(|group| GroupQuota {
                        id: &group.id,
                        requests: group.limit.requests(),
                        window_secs: group.limit.window_secs(),
                    })
                    .collect(),
                left: allowed.rate.map(RateFacts::of),
            },
        }
    }
}
