//! Tokens as people and machines see them: everything but the secret.

use std::collections::HashMap;

use countersign_model::{
    api_version::{ApiVersion, VersionPlan},
    catalog::{AccountKind, Catalog},
    id::{AccountId, TokenId, UserId},
    name::{EmailAddress, PersonName},
    time::Timestamp,
};
use countersign_store::{Account, CreatedWithin, Page, PageAsk, Token, TokenFilter, TokenState};

use super::deed;
use crate::{
    app::App,
    error::Error,
    ops::secrets,
    rights::{Granted, ViewTokens},
};

const DAY_SECS: i64 = 24 * 3600;

/// A token and what is to be known beside it.
#[derive(Debug, Clone)]
pub struct TokenView {
    /// The token. Whoever renders it leaves digests and sealed secrets out.
    pub token: Token,
    /// Who answers for it.
    pub contact: Option<Contact>,
    /// Whether it works.
    pub state: EffectiveState,
    /// The dates of its version; `None` where the catalog no longer has it.
    pub version: Option<VersionPlan>,
    /// The newest version of the kind, where that is newer than its own.
    pub upgrade_available: Option<ApiVersion>,
    /// Its scopes, in the order of their numbers. Empty in lists, which only count them.
    pub scopes: Vec<HeldScope>,
    /// Whether one of its secrets that works is easier to guess than 112 bits.
    pub weak_secret: bool,
    /// Whether its current secret can be shown again.
    pub recoverable: bool,
}

/// The person who answers for a token.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: PersonName,
    /// Their address.
    pub email: EmailAddress,
}

/// Whether a token works, as far as the token itself decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectiveState {
    /// It works.
    Enabled,
    /// It is switched off.
    Disabled,
    /// Its time is over.
    Expired,
}

/// A scope on a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldScope {
    /// Its stable id.
    pub id: String,
    /// Whether the catalog no longer has it; then it grants nothing.
    pub retired: bool,
}

/// The *created on* filter of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// In the last 7 days.
    LastWeek,
    /// In the last 30 days.
    LastMonth,
    /// Before that.
    Earlier,
}

/// Which tokens are asked for.
#[derive(Debug, Clone, Default)]
pub struct ListAsk {
    /// Part of the name, ignoring case.
    pub name: Option<String>,
    /// When created.
    pub created: Option<Created>,
    /// Enabled or disabled, whatever the expiry.
    pub state: Option<TokenState>,
}

/// Tokens of the account, newest first.
pub async fn list(
    app: &App,
    granted: &Granted<ViewTokens>,
    ask: ListAsk,
    page: &PageAsk,
) -> Result<Page<TokenView>, Error> {
    let now = app.clock.wall();
    let created = ask.created.map(|created| match created {
        Created::LastWeek => CreatedWithin::Since(now.plus_secs(-7 * DAY_SECS)),
        Created::LastMonth => CreatedWithin::Since(now.plus_secs(-30 * DAY_SECS)),
        Created::Earlier => CreatedWithin::Before(now.plus_secs(-30 * DAY_SECS)),
    });
    let filter = TokenFilter { name: ask.name, created, state: ask.state, made_by: None };
    let found = app.store.within(granted.account.id).tokens(&filter, page).await?;
    let catalog = app.catalog()?;
    let mut contacts = HashMap::new();
    let mut rows = Vec::with_capacity(found.rows.len());
    for token in found.rows {
        let contact = match token.primary_contact {
            Some(id) => known_contact(app, &mut contacts, id).await?,
            None => None,
        };
        rows.push(shaped(app, &catalog, &granted.account, (token, contact)));
    }
    Ok(Page { rows, next: found.next })
}

/// One token.
pub async fn get(app: &App, granted: &Granted<ViewTokens>, id: TokenId) -> Result<TokenView, Error> {
    let token = deed::find(app, granted, id).await?;
    view(app, &granted.account, token).await
}

/// One token as it is now, for the answer to a caller who named an older edit. `None` where it is gone.
pub(crate) async fn current(app: &App, account: AccountId, id: TokenId) -> Result<Option<TokenView>, Error> {
    let Some(account) = app.store.account(account).await? else { return Ok(None) };
    match app.store.within(account.id).token(id).await? {
        Some(token) => Ok(Some(view(app, &account, token).await?)),
        None => Ok(None),
    }
}

/// A token with all that is to be known beside it.
pub(in crate::ops) async fn view(app: &App, account: &Account, token: Token) -> Result<TokenView, Error> {
    let catalog = app.catalog()?;
    let contact = match token.primary_contact {
        Some(id) => contact(app, id).await?,
        None => None,
    };
    let held = token.access.scopes().map(|scopes| {
        let infos = scopes.iter().filter_map(|scope| catalog.scope(scope));
        infos.map(|info| HeldScope { id: info.id.clone(), retired: info.is_retired() }).collect()
    });
    let mut view = shaped(app, &catalog, account, (token, contact));
    view.scopes = held.unwrap_or_default();
    Ok(view)
}

async fn known_contact(
    app: &App,
    known: &mut HashMap<UserId, Option<Contact>>,
    id: UserId,
) -> Result<Option<Contact>, Error> {
    if let Some(contact) = known.get(&id) {
        return Ok(contact.clone());
    }
    let found = contact(app, id).await?;
    known.insert(id, found.clone());
    Ok(found)
}

async fn contact(app: &App, id: UserId) -> Result<Option<Contact>, Error> {
    let person = app.store.person(id).await?;
    Ok(person.map(|person| Contact { id: person.id, name: person.name, email: person.email }))
}

fn shaped(
    app: &App,
    catalog: &Catalog,
    account: &Account,
    (token, contact): (Token, Option<Contact>),
) -> TokenView {
    let now = app.clock.wall();
    let kind = catalog.kind(&account.kind).map(|(_, kind)| kind);
    let version = kind.and_then(|kind| kind.version(token.api_version)).cloned();
    let upgrade_available = kind.map(AccountKind::latest).filter(|latest| *latest > token.api_version);
    let state = match token.state {
        TokenState::Disabled => EffectiveState::Disabled,
        TokenState::Enabled if token.expires_at.is_some_and(|expires_at| expires_at <= now) => {
            EffectiveState::Expired
        }
        TokenState::Enabled => EffectiveState::Enabled,
    };
    let works = |ends_at: Option<Timestamp>| ends_at.is_none_or(|ends_at| ends_at > now);
    let weak_secret = token.secrets.iter().any(|secret| secret.weak && works(secret.ends_at));
    let recoverable = secrets::unavailable(app, account, &token).is_none();
    TokenView {
        token,
        contact,
        state,
        version,
        upgrade_available,
        scopes: Vec::new(),
        weak_secret,
        recoverable,
    }
}
