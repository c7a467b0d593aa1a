//! The whole decision, in the documented order and nowhere else. Each number is a row of the table in the product's
//! description; the first check that fails is the answer. No IO, no waiting, and nothing found for one ask is kept for
//! another.

use std::sync::Arc;

use countersign_model::{
    api_version::ApiVersion,
    catalog::Catalog,
    change::{AccountRecord, Seq},
    credential::{Authorization, Credential},
    decision::{Allowed, Ask, Decision, Denial, Denied, RateState, Unavailable},
    scope::Scope,
    time::Now,
};

use crate::{
    Verifier,
    index::{SecretEntry, TokenEntry},
    limit, lookup, misplaced,
    place::{self, Place, Wanted},
};

impl Verifier {
    /// May this token do this, now? `now` is read once, after the request was completely received.
    pub fn decide(&self, ask: &Ask<'_>, now: Now) -> Decision {
        match self.judge(ask, now) {
            Ok(allowed) => Decision::Allow(allowed),
            Err(Stop::Deny(denied)) => Decision::Deny(denied),
            Err(Stop::Unavailable(reason)) => Decision::Unavailable(reason),
        }
    }

    fn judge(&self, ask: &Ask<'_>, now: Now) -> Result<Allowed, Stop> {
        // 1. The lease before the index: who read the index first could be held up until the lease is a new one, and
        //    would then trust a record older than the lease.
        self.freshness().check(now)?;
        self.has_seen(ask.min_seq)?;
        let index = self.index();
        let catalog = index.catalog.load_full().ok_or(Unavailable::Loading)?;

        // 2. Method and URI.
        let wanted = Wanted::read(ask.target, catalog.method_override)?;

        // 3. One credential, in its place, well formed.
        if wanted.request().is_some_and(|request| misplaced::in_query(request, self.format())) {
            return Err(Denial::CredentialsMisplaced.into());
        }
        let derived = match ask.authorization {
            Authorization::Derived(derived) => Ok(derived),
            sent => Err(Credential::parse(sent).map_err(lookup::denial_of)?),
        };

        // 4. The secret, and the SID where one is named. What was derived from a secret is as good as that is.
        let secrets = index.secrets.pin();
        let found;
        let secret = match &derived {
            Err(credential) => self.prove(&secrets, credential, ask.client_address, now)?,
            Ok(derived) => {
                found = lookup::derived(&index, derived, now.wall).ok_or(Denial::CredentialsInvalid)?;
                &found
            }
        };
        let accounts = index.accounts.pin();
        let account = accounts.get(&secret.token.record.account).ok_or(Unavailable::Loading)?;

        // 5. to 11. Only now is the caller known, and told more than a code.
        let case = Case { ask, now, catalog: &catalog, token: &secret.token, account };
        let grant = case.permit(&wanted).map_err(|denial| Denied {
            denial,
            token: Some(Arc::clone(&secret.token.record)),
            account: Some(Arc::clone(account)),
        })?;
        // Who only asks what it is uses no version of the API.
        let version = grant.scope.map(|_| grant.api_version);
        self.unreported().note(&secret.usage, now.wall, (ask.client_address, version));
        Ok(allowed(secret, account, &catalog, &grant))
    }

    fn has_seen(&self, min_seq: Option<Seq>) -> Result<(), Unavailable> {
        if min_seq.is_some_and(|min_seq| self.applied() < min_seq) {
            Err(Unavailable::BehindMinSeq)
        } else {
            Ok(())
        }
    }
}

/// A proven token and what it asks for.
struct Case<'c> {
    ask: &'c Ask<'c>,
    now: Now,
    catalog: &'c Catalog,
    token: &'c TokenEntry,
    account: &'c AccountRecord,
}

/// What is allowed.
struct Grant {
    scope: Option<Scope>,
    api_version: ApiVersion,
    rate: Option<RateState>,
}

impl Case<'_> {
    fn permit(&self, wanted: &Wanted<'_>) -> Result<Grant, Denial> {
        let token = &*self.token.record;

        // 5. The token.
        deny_unless(token.enabled, Denial::TokenDisabled)?;
        let kind = self.catalog.kind(&self.account.kind);
        let expiry = token.expiry(self.account, kind.map(|(_, kind)| kind));
        deny_unless(expiry.is_none_or(|expiry| self.now.wall < expiry.at), Denial::TokenExpired)?;

        // 6. The account.
        deny_unless(self.account.active, Denial::AccountSuspended)?;
        deny_unless(self.account.api_access, Denial::ApiAccessOff)?;
        let is_legacy = token.access.kind().is_legacy();
        deny_unless(self.account.legacy_tokens || !is_legacy, Denial::LegacyTokensOff)?;

        // 7. The address.
        deny_unless(token.addresses.allows(self.ask.client_address), Denial::AddressNotAllowed)?;
        let Some(place) = Place::find(wanted, self.catalog) else {
            return Ok(Grant { scope: None, api_version: token.api_version, rate: None });
        };

        // 8. The account kind and SID of the path. An account whose kind the catalog no longer has owns no path.
        let (kind_index, kind) = kind.ok_or(Denial::AccountMismatch)?;
        deny_unless(place.belongs_to(kind_index, &token.sid), Denial::AccountMismatch)?;

        // 9. The version.
        let parameter = &self.catalog.version_parameter;
        let api_version = place::version_in_effect(
            self.ask,
            wanted.request(),
            parameter,
            token.api_version,
            kind,
            self.now.wall,
        )?;

        // 10. The operation and its scope.
        let scope = place.scope(self.catalog, api_version).ok_or(Denial::OperationUnknown)?;
        place::reaches(&token.access, scope, place.only_reads())?;
        deny_unless(self.is_within(scope.number), Denial::ScopeMissing(scope.number))?;

        // 11. The rate limit: the only step that consumes anything.
        let group =
            scope.rate_group.and_then(|index| kind.rate_groups.get(index)).filter(|group| group.enforced);
        let group = group.map(|group| self.token.groups.bucket(group));
        let rate = limit::take_both(self.token.own_limit.as_deref(), group.as_deref(), self.now.boot_nanos)?;
        Ok(Grant { scope: Some(scope.number), api_version, rate })
    }

    /// Whether a scope is among those an access token is narrowed to, where it is.
    fn is_within(&self, scope: Scope) -> bool {
        match self.ask.authorization {
            Authorization::Derived(derived) => {
                derived.scopes.as_ref().is_none_or(|scopes| scopes.contains(scope))
            }
            _ => true,
        }
    }
}

fn deny_unless(holds: bool, denial: Denial) -> Result<(), Denial> {
    if holds { Ok(()) } else { Err(denial) }
}

fn allowed(
    secret: &SecretEntry,
    account: &Arc<AccountRecord>,
    catalog: &Arc<Catalog>,
    grant: &Grant,
) -> Allowed {
    Allowed {
        token: Arc::clone(&secret.token.record),
        account: Arc::clone(account),
        catalog: Arc::clone(catalog),
        scope: grant.scope,
        api_version: grant.api_version,
        secret_generation: secret.secret.generation,
        rate: grant.rate,
    }
}

/// Why judging stopped: two different things, so two different variants.
enum Stop {
    Deny(Denied),
    Unavailable(Unavailable),
}

impl From<Denial> for Stop {
    /// A denial before the secret is proven carries nothing but its code.
    fn from(denial: Denial) -> Self {
        Self::Deny(Denied { denial, token: None, account: None })
    }
}

impl From<Denied> for Stop {
    fn from(denied: Denied) -> Self {
        Self::Deny(denied)
    }
}

impl From<Unavailable> for Stop {
    fn from(reason: Unavailable) -> Self {
        Self::Unavailable(reason)
    }
}
