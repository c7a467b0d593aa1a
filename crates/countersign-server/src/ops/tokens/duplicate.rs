//! Makes a token like another one, with a SID and secret of its own.

use countersign_model::{catalog::Catalog, grant::Access, id::TokenId, name::TokenName, scope::ScopeSet};
use countersign_store::Token;
use serde_json::json;

use super::{
    Answer,
    create::{Blueprint, insert, make, replayed, require_api_access},
    deed, reach,
};
use crate::{
    app::App,
    error::{Error, Kind},
    ops::idempotency::{Asked, Idempotency},
    rights::{CreateTokens, Granted, Right},
};

/// Copies of one name that are counted before somebody has to choose a name. More than an account may have tokens.
const COPIES_MAX: u32 = 10_000;

/// Duplicates a token: same description, version, contacts, scopes and limits. Without a name it is called `Copy of …`,
/// numbered where that is taken. Retired scopes are not given anew, so the copy lacks them.
pub async fn duplicate(
    app: &App,
    granted: &Granted<CreateTokens>,
    id: TokenId,
    name: Option<TokenName>,
    idempotency: &Idempotency,
) -> Result<Answer, Error> {
    let asked = idempotency.asked(granted, "token.duplicate");
    if let Some(earlier) = asked.earlier(app).await? {
        return replayed(app, granted, &earlier).await;
    }
    require_api_access(&granted.account)?;
    let catalog = app.catalog()?;
    let source = deed::find(app, granted, id).await?;
    reach::require(granted, &catalog, &source)?;
    let now = app.clock.wall();
    if source.expires_at.is_some_and(|expires_at| expires_at <= now) {
        let detail =
            "The token has expired, and its copy would be born expired; give it a later expiry first.";
        return Err(Error::new(Kind::Conflict, "token_expired", detail));
    }
    let blueprint = |name| blueprint_of(&source, &catalog, name);
    insert_copy(app, granted, &catalog, ("token.duplicate", &source), (name, &source.name), blueprint, &asked)
        .await
}

/// Makes a copy under the name given, or under the first free `Copy of …`.
pub(in crate::ops) async fn insert_copy<R: Right>(
    app: &App,
    granted: &Granted<R>,
    catalog: &Catalog,
    (action, source): (&'static str, &Token),
    (name, like): (Option<TokenName>, &TokenName),
    blueprint: impl Fn(TokenName) -> Blueprint,
    asked: &Asked<'_>,
) -> Result<Answer, Error> {
    let (_, kind) = deed::kind_of(catalog, &granted.account)?;
    let told =
        || (catalog, action, json!({ "duplicate_of": source.id, "sid": source.sid, "name": source.name }));
    if let Some(name) = name {
        let made = make(app, granted, kind.code, blueprint(name))?;
        return insert(app, granted, told(), made, asked).await;
    }
    for number in 1..=COPIES_MAX {
        let name = like.copy_of(number);
        if app.store.within(granted.account.id).token_by_name(&name).await?.is_some() {
            continue;
        }
        let made = make(app, granted, kind.code, blueprint(name))?;
        match insert(app, granted, told(), made, asked).await {
            // Somebody took the name between looking and writing.
            Err(error) if error.code == "name_taken" => {}
            answered => return answered,
        }
    }
    Err(countersign_store::Conflict::NameTaken.into())
}

fn blueprint_of(source: &Token, catalog: &Catalog, name: TokenName) -> Blueprint {
    let live = |scopes: &ScopeSet| -> ScopeSet {
        let infos = scopes.iter().filter_map(|scope| catalog.scope(scope));
        infos.filter(|info| !info.is_retired()).map(|info| info.number).collect()
    };
    Blueprint {
        name,
        description: source.description.clone(),
        access: Access::Scoped(source.access.scopes().map(live).unwrap_or_default()),
        api_version: source.api_version,
        primary_contact: source.primary_contact,
        developer_emails: source.developer_emails.clone(),
        expires_at: source.expires_at,
        addresses: source.addresses.clone(),
        rate_limit: source.rate_limit,
    }
}
