//! Access tokens and the tokens behind them: what one may be narrowed to, what is told of one, and how its holder ends it.
//! They are kept nowhere, so there is nothing to list.

use std::sync::Arc;

use countersign_model::{
    catalog::{Catalog, ScopeInfo},
    credential::DerivedCredential,
    grant::Access,
    scope::ScopeSet,
    sid::Sid,
    time::Timestamp,
};
use countersign_store::{Token, Write};
use serde_json::json;

use super::{
    throttle::Counted,
    tokens::{self, deed, lifetimes},
};
use crate::{
    app::App,
    caller::{Caller, Identity},
    error::Error,
    limits::{ACCESS_TOKEN_SCOPES_MAX, ACCESS_TOKEN_SECS},
    rights::{DisableTokens, Granted},
};

/// A token that was proved, as it is kept.
pub struct Holder {
    token: Token,
    generation: u32,
    /// The kind of its account.
    kind: String,
    catalog: Arc<Catalog>,
    ends_at: Option<Timestamp>,
}

/// The scopes of an access token.
#[derive(Debug)]
pub struct Narrowing {
    /// What it is narrowed to; `None`: everything its token holds.
    pub scopes: Option<ScopeSet>,
    /// The ids of what it can do now.
    pub ids: Vec<String>,
}

/// What is told of a token.
pub struct Told {
    /// The ids of its scopes.
    pub scopes: Vec<String>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// From when it no longer works.
    pub ends_at: Option<Timestamp>,
    /// What no other token has.
    pub id: String,
}

/// What became of a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It is in force.
    Done,
    /// Such tokens are not revoked one by one.
    Unsupported,
    /// Its holder did it too often; nothing was changed.
    TooMany {
        /// When to try again.
        retry_after_secs: u32,
    },
}

/// The token with this SID, whose secret of this generation was proved; `None` where it has gone since.
pub async fn holder(app: &App, sid: &Sid, generation: u32) -> Result<Option<Holder>, Error> {
    let Some(token) = app.store.token_by_sid(sid).await? else { return Ok(None) };
    let Some(account) = app.store.account(token.account).await? else { return Ok(None) };
    let Some(secret) = token.secrets.iter().find(|secret| secret.generation == generation) else {
        return Ok(None);
    };
    let catalog = app.catalog()?;
    let expiry = lifetimes::expiry(&catalog, &account, &token).map(|expiry| expiry.at);
    let ends_at = expiry.into_iter().chain(secret.ends_at).min();
    Ok(Some(Holder { ends_at, generation, kind: account.kind, catalog, token }))
}

impl Holder {
    /// Its API version.
    pub fn api_version(&self) -> u16 {
        self.token.api_version.0
    }

    /// What is told of the token itself.
    pub fn told(&self) -> Told {
        let secret = self.token.secrets.iter().find(|secret| secret.generation == self.generation);
        Told {
            scopes: self.within(None),
            issued_at: secret.map_or(self.token.created_at, |secret| secret.created_at),
            ends_at: self.ends_at,
            id: format!("{}.{}", self.token.sid.as_str(), self.generation),
        }
    }

    /// The ids of the scopes it holds now, of these where some are named.
    pub fn within(&self, scopes: Option<&ScopeSet>) -> Vec<String> {
        let all = self.catalog.scopes.iter().filter(|scope| self.holds(scope));
        let named = all.filter(|scope| scopes.is_none_or(|scopes| scopes.contains(scope.number)));
        named.map(|scope| scope.id.clone()).collect()
    }

    /// Narrows to the scopes of a `scope` parameter (RFC 6749 section 3.3); the error says what to send.
    pub fn narrowed(&self, wanted: Option<&str>) -> Result<Narrowing, String> {
        let Some(wanted) = wanted else { return Ok(Narrowing { scopes: None, ids: self.within(None) }) };
        let mut scopes = ScopeSet::new();
        for id in wanted.split(' ').filter(|id| !id.is_empty()) {
            let scope = self.catalog.scope_by_id(id).filter(|scope| self.holds(scope));
            let scope =
                scope.ok_or("A scope is unknown, or the token lacks it; name scopes of the token.")?;
            scopes.insert(scope.number);
        }
        if scopes.len() > ACCESS_TOKEN_SCOPES_MAX {
            return Err(format!(
                "Name at most {ACCESS_TOKEN_SCOPES_MAX} scopes, or none for all that the token has."
            ));
        }
        let ids = self.within(Some(&scopes));
        Ok(Narrowing { scopes: Some(scopes), ids })
    }

    /// Until when an access token that is made now works: not longer than what it is derived from.
    pub fn access_token_end(&self, now: Timestamp) -> Timestamp {
        let longest = now.plus_secs(ACCESS_TOKEN_SECS);
        self.ends_at.map_or(longest, |end| end.min(longest))
    }

    /// Whether the token can use a scope. A legacy credential can use those of its kind that manage nothing.
    fn holds(&self, scope: &ScopeInfo) -> bool {
        if scope.is_retired() {
            return false;
        }
        let of_kind = || scope.kind.is_some_and(|kind| self.catalog.kind_at(kind).id == self.kind);
        match &self.token.access {
            Access::Scoped(scopes) => scopes.contains(scope.number),
            Access::ReadWrite => scope.management.is_none() && of_kind(),
            Access::ReadOnly => scope.management.is_none() && scope.only_reads() && of_kind(),
        }
    }
}

/// Ends a token for its holder, or, where an access token was presented, every access token that was derived from the
/// token until now. `caller` makes the call of the token that is revoked: nobody else is known here.
pub async fn revoke(
    app: &App,
    caller: impl Fn(Identity) -> Caller,
    sid: &Sid,
    presented: Option<&DerivedCredential>,
) -> Result<Revoked, Error> {
    let Some(token) = app.store.token_by_sid(sid).await? else { return Ok(Revoked::Done) };
    if token.access.kind().is_legacy() {
        return Ok(Revoked::Unsupported);
    }
    let caller = caller(Identity::Token(Arc::new(token.record())));
    let granted = Granted::<DisableTokens>::to_holder(app, caller, token.account).await?;
    match presented {
        Some(presented) => end_access_tokens(app, &granted, &token, presented.issued_at).await,
        None => tokens::disable(app, &granted, token.id, true).await.map(|_| Revoked::Done),
    }
}

/// Ends every access token that was derived from a token until now; nothing is written where the one that was presented
/// has ended already.
async fn end_access_tokens(
    app: &App,
    granted: &Granted<DisableTokens>,
    token: &Token,
    issued_at: Timestamp,
) -> Result<Revoked, Error> {
    if token.access_tokens_from.is_some_and(|until| issued_at <= until) {
        return deed::settle(app).await.map(|()| Revoked::Done);
    }
    let now = app.clock.now();
    if let Err(secs) = app.throttle.take(Counted::Revocation(token.id), now) {
        return Ok(Revoked::TooMany { retry_after_secs: secs });
    }
    let facts = (json!({}), json!({ "access_tokens_from": now.wall }));
    let audit = granted.audit(app, deed::told(granted, "token.end_access_tokens", token, facts));
    match app.commit(Write::new(audit).end_access_tokens(token.account, token.id, now.wall)).await {
        // It was deleted meanwhile, and they ended with it.
        Err(error) if deed::is_stale(&error) => deed::settle(app).await.map(|()| Revoked::Done),
        done => done.map(|_| Revoked::Done),
    }
}
