//! The way out of legacy: a scoped token that may do what the pair may, with the pair's version.

use countersign_model::{
    address::AddressList,
    catalog::{Catalog, KindIndex},
    grant::Access,
    id::UserId,
    name::{Description, TokenName},
    scope::ScopeSet,
};

use super::pair;
use crate::{
    app::App,
    caller::Identity,
    error::Error,
    ops::{
        idempotency::Idempotency,
        tokens::{
            Answer,
            create::{Blueprint, replayed, require_api_access},
            deed,
            duplicate::insert_copy,
        },
    },
    rights::{Granted, ManageLegacy, Standing},
};

/// What the new token is to be.
#[derive(Debug, Clone, Default)]
pub struct LegacyCopy {
    /// Its name; `Copy of …` where none is given.
    pub name: Option<TokenName>,
    /// Who answers for it: a legacy credential has nobody. A member who asks answers for it where nobody is named.
    pub primary_contact: Option<UserId>,
}

/// Makes a scoped token with the pair's version and every scope of the kind but those that manage tokens.
pub async fn duplicate(
    app: &App,
    granted: &Granted<ManageLegacy>,
    copy: LegacyCopy,
    idempotency: &Idempotency,
) -> Result<Answer, Error> {
    let asked = idempotency.asked(granted, "legacy.duplicate");
    if let Some(earlier) = asked.earlier(app).await? {
        return replayed(app, granted, &earlier).await;
    }
    require_api_access(&granted.account)?;
    let catalog = app.catalog()?;
    let (kind, _) = deed::kind_of(&catalog, &granted.account)?;
    let pair = pair(app, granted).await?;
    let source = pair.first().ok_or_else(Error::not_found)?;
    let contact = contact_of(granted, copy.primary_contact)?;
    let scopes = every_scope(&catalog, kind);
    let blueprint = |name| Blueprint {
        name,
        description: Description::default(),
        access: Access::Scoped(scopes.clone()),
        api_version: source.api_version,
        primary_contact: Some(contact),
        developer_emails: Vec::new(),
        expires_at: source.expires_at,
        addresses: AddressList::default(),
        rate_limit: None,
    };
    let like =
        TokenName::parse("Legacy account tokens").map_err(|error| Error::internal("legacy name", &error))?;
    insert_copy(app, granted, &catalog, ("legacy.duplicate", source), (copy.name, &like), blueprint, &asked)
        .await
}

fn contact_of(granted: &Granted<ManageLegacy>, named: Option<UserId>) -> Result<UserId, Error> {
    let own = match (&granted.standing, &granted.caller.identity) {
        (Standing::Member(_), Identity::Person { person, .. }) => Some(person.id),
        _ => None,
    };
    named.or(own).ok_or_else(|| {
        Error::invalid("primary_contact", "name the member who answers for the new token; you are not one")
    })
}

fn every_scope(catalog: &Catalog, kind: KindIndex) -> ScopeSet {
    let live = catalog.scopes.iter().filter(|info| info.kind == Some(kind) && info.management.is_none());
    live.map(|info| info.number).collect()
}
