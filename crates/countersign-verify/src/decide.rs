//! The whole decision, in the documented order and nowhere else. Each number is a row of the table in the product's
//! description; the first check that fails is the answer. No IO, no waiting, and nothing found for one ask is kept for
//! another.

use std::sync::Arc;

use countersign_model::{
    api_version::ApiVersion,
    catalog::{Catalog, RateGroup},
    change::{AccountRecord, Seq},
    credential::{CredentialRoom, DerivedCredential},
    decision::{Allowed, Ask, Decision, Denial, Denied, RateState, Unavailable},
    lifetime::Lifetimes,
    scope::Scope,
    time::Now,
};

use crate::{
    Verifier,
    index::{Index, Known},
    limit::{self, Bucket},
    limits::LOOKS_MAX,
    lookup::{Presented, Unproven},
    misplaced,
    place::{self, Place, Wanted},
};

impl Verifier {
    /// May this token do this, now? `now` is read once, after the request was completely received.
    pub fn decide(&self, ask: &Ask<'_>, now: Now) -> Decision {
        match self.judge(ask, now) {
            Ok(allowed) => Decision::Allow(allowed),
            Err(Stop::Deny(denied)) => Decision::Deny(denied),
            Err(Stop::Unavailable(reason)) => Decision::Unavailable(reason),
            Err(Stop::Again) => Decision::Unavailable(Unavailable::Loading),
        }
    }

    fn judge(&self, ask: &Ask<'_>, now: Now) -> Result<Allowed, Stop> {
        // 1. The lease before the index: who read the index first could be held up until the lease is a new one, and
        //    would then trust a record older than the lease.
        self.freshness().check(now)?;
        self.has_seen(ask.min_seq)?;
        // Nobody is known by an index that grew meanwhile; then the ask begins again.
        for look in 0..LOOKS_MAX {
            match self.judge_by(&self.index(), ask, now, look) {
                Err(Stop::Again) => {}
                judged => return judged,
            }
        }
        Err(Unavailable::Loading.into())
    }

    fn judge_by(&self, index: &Arc<Index>, ask: &Ask<'_>, now: Now, look: usize) -> Result<Allowed, Stop> {
        let catalog = index.catalog.as_ref().ok_or(Unavailable::Loading)?;

        // 2. Method and URI.
        let wanted = Wanted::read(ask.target, catalog.method_override)?;

        // 3. One credential, in its place, well formed.
        if wanted.request().is_some_and(|request| misplaced::in_query(request, self.format())) {
            return Err(Denial::CredentialsMisplaced.into());
        }
        let mut room = CredentialRoom::default();
        let presented = Presented::read(ask.authorization, &mut room)?;

        // 4. The secret, and the SID where one is named.
        let token = self.prove(index, &presented, (ask.client_address, now), look)?;
        let account = index.account(&token).ok_or(Unavailable::Loading)?;

        // 5. to 11. Only now is the caller known, and told more than a code.
        let case = Case { ask, now, catalog, token: &token, account: &account, derived: presented.derived() };
        let granted = case.permit(&wanted, |group| self.group_bucket(&token.sid, group));
        let grant = match granted {
            Ok(grant) => grant,
            Err(denial) => {
                return Err(Stop::Deny(Denied {
                    denial,
                    token: Some(token.token()),
                    account: Some(account),
                }));
            }
        };
        // Who only asks what it is uses no version of the API.
        let version = grant.scope.map(|_| grant.api_version);
        self.uses().note(&token, now.wall, (ask.client_address, version));
        Ok(Allowed {
            token: token.token(),
            account,
            catalog: Arc::clone(catalog),
            scope: grant.scope,
            api_version: grant.api_version,
            secret_generation: token.generation,
            rate: grant.rate,
        })
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
    token: &'c Known<'c>,
    account: &'c AccountRecord,
    derived: Option<&'c DerivedCredential>,
}

/// What is allowed.
struct Grant {
    scope: Option<Scope>,
    api_version: ApiVersion,
    rate: Option<RateState>,
}

impl Case<'_> {
    fn permit(
        &self,
        wanted: &Wanted<'_>,
        group_bucket: impl Fn(&RateGroup) -> Arc<Bucket>,
    ) -> Result<Grant, Denial> {
        let (token, policy) = (self.token, self.token.policy());
        let access = policy.access.kind();

        // 5. The token.
        deny_unless(token.enabled, Denial::TokenDisabled)?;
        let kind = self.catalog.kind(&self.account.kind);
        let lifetimes = Lifetimes::of_access(access, self.account, kind.map(|(_, kind)| kind));
        let expiry = lifetimes.expiry(token.expires_at, token.created_at);
        deny_unless(expiry.is_none_or(|expiry| self.now.wall < expiry.at), Denial::TokenExpired)?;

        // 6. The account.
        deny_unless(self.account.active, Denial::AccountSuspended)?;
        deny_unless(self.account.api_access, Denial::ApiAccessOff)?;
        deny_unless(self.account.legacy_tokens || !access.is_legacy(), Denial::LegacyTokensOff)?;

        // 7. The address.
        deny_unless(policy.addresses.allows(self.ask.client_address), Denial::AddressNotAllowed)?;
        let Some(place) = Place::find(wanted, self.catalog) else {
            return Ok(Grant { scope: None, api_version: policy.api_version, rate: None });
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
            policy.api_version,
            kind,
            self.now.wall,
        )?;

        // 10. The operation and its scope.
        let scope = place.scope(self.catalog, api_version).ok_or(Denial::OperationUnknown)?;
        place::reaches(&policy.access, scope, place.only_reads())?;
        deny_unless(self.is_within(scope.number), Denial::ScopeMissing(scope.number))?;

        // 11. The rate limit: the only step that consumes anything.
        let group =
            scope.rate_group.and_then(|index| kind.rate_groups.get(index)).filter(|group| group.enforced);
        let group = group.map(group_bucket);
        let group = group.as_ref().map(|bucket| bucket.gauge());
        let rate = limit::take_both(token.gauge(), group, self.now.boot_nanos)?;
        Ok(Grant { scope: Some(scope.number), api_version, rate })
    }

    /// Whether a scope is among those an access token is narrowed to, where it is.
    fn is_within(&self, scope: Scope) -> bool {
        let narrowed = self.derived.and_then(|derived| derived.scopes.as_ref());
        narrowed.is_none_or(|scopes| scopes.contains(scope))
    }
}

fn deny_unless(holds: bool, denial: Denial) -> Result<(), Denial> {
    if holds { Ok(()) } else { Err(denial) }
}

/// Why judging stopped: a denial is no outage, and neither is a reason to begin again.
enum Stop {
    Deny(Denied),
    Unavailable(Unavailable),
    /// The index or the keys changed meanwhile.
    Again,
}

impl From<Unproven> for Stop {
    fn from(reason: Unproven) -> Self {
        match reason {
            Unproven::Denied(denial) => denial.into(),
            Unproven::Unavailable(reason) => reason.into(),
            Unproven::Again => Self::Again,
        }
    }
}

impl From<Denial> for Stop {
    /// A denial before the secret is proven carries nothing but its code.
    fn from(denial: Denial) -> Self {
        Self::Deny(Denied { denial, token: None, account: None })
    }
}

impl From<Unavailable> for Stop {
    fn from(reason: Unavailable) -> Self {
        Self::Unavailable(reason)
    }
}
