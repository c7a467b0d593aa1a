//! Tokens as people and machines see them: everything but the secret.

use std::collections::HashMap;

use countersign_model::{
    api_version::{ApiVersion, VersionPlan},
    catalog::{AccountKind, Catalog},
    id::{AccountId, TokenId, UserId},
    lifetime::Expiry,
    name::{EmailAddress, PersonName},
    scope::ScopeSet,
    time::Timestamp,
};
use countersign_store::{
    Account, CreatedWithin, EndsWithin, Hearing, Page, PageAsk, Token, TokenCounts, TokenFilter, TokenState,
};

use super::{
    deed, lifetimes,
    told::{self, Told},
};
use crate::{
    app::App,
    error::Error,
    limits::EXPIRING_WITHIN_SECS,
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
    /// Who is told of what happens to it, and whether it reaches them.
    pub told: Vec<Told>,
    /// Whether it works.
    pub state: EffectiveState,
    /// When it ends and what sets that; `None`: never.
    pub expiry: Option<Expiry>,
    /// How many of its live scopes only read.
    pub reads: usize,
    /// How many of its live scopes do more.
    pub writes: usize,
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
    /// Part of the name, or four characters and more of the SID, ignoring case.
    pub name: Option<String>,
    /// When created.
    pub created: Option<Created>,
    /// In which state.
    pub state: Option<StateAsk>,
    /// Only those of which nobody would hear.
    pub nobody_hears: bool,
}

/// The state filter of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateAsk {
    /// It works.
    Enabled,
    /// It is switched off, expired or not.
    Disabled,
    /// It is switched on, and its time is over.
    Expired,
    /// It works, and ends soon.
    Expiring,
}

/// A page of tokens, and how many the account has in all.
pub struct Listing {
    /// The page.
    pub page: Page<TokenView>,
    /// All tokens of the account, whatever is asked for; expiring counts as in the filter.
    pub totals: TokenCounts,
}

/// Tokens of the account, newest first.
pub async fn list(
    app: &App,
    granted: &Granted<ViewTokens>,
    ask: ListAsk,
    page: &PageAsk,
) -> Result<Listing, Error> {
    let now = app.clock.wall();
    let catalog = app.catalog()?;
    let lifetime = lifetimes::of(&catalog, &granted.account).shortest().map(|(lifetime, _)| lifetime);
    let soon = now.plus_secs(EXPIRING_WITHIN_SECS);
    let created = ask.created.map(|created| match created {
        Created::LastWeek => CreatedWithin::Since(now.plus_secs(-7 * DAY_SECS)),
        Created::LastMonth => CreatedWithin::Since(now.plus_secs(-30 * DAY_SECS)),
        Created::Earlier => CreatedWithin::Before(now.plus_secs(-30 * DAY_SECS)),
    });
    let state = ask.state.map(|state| match state {
        StateAsk::Disabled => TokenState::Disabled,
        StateAsk::Enabled | StateAsk::Expired | StateAsk::Expiring => TokenState::Enabled,
    });
    let (after, until) = match ask.state {
        None | Some(StateAsk::Disabled) => (None, None),
        Some(StateAsk::Enabled) => (Some(now), None),
        Some(StateAsk::Expired) => (None, Some(now)),
        Some(StateAsk::Expiring) => (Some(now), Some(soon)),
    };
    let ends = EndsWithin { after, until, lifetime };
    let filter =
        TokenFilter { name: ask.name, created, state, made_by: None, ends, nobody_hears: ask.nobody_hears };
    let within = app.store.within(granted.account.id);
    let found = within.tokens(&filter, page).await?;
    let totals = within.token_counts(now, soon, lifetime).await?;
    let hearing = within.hearing().await?;
    let mut contacts = HashMap::new();
    let mut rows = Vec::with_capacity(found.rows.len());
    for token in found.rows {
        let contact = match token.primary_contact {
            Some(id) => known_contact(app, &mut contacts, id).await?,
            None => None,
        };
        rows.push(shaped(app, &catalog, &granted.account, (token, contact), &hearing));
    }
    Ok(Listing { page: Page { rows, next: found.next }, totals })
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
    let hearing = app.store.within(account.id).hearing().await?;
    let mut view = shaped(app, &catalog, account, (token, contact), &hearing);
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
    (mut token, contact): (Token, Option<Contact>),
    hearing: &Hearing,
) -> TokenView {
    let now = app.clock.wall();
    with_last_use(app, &mut token);
    let kind = catalog.kind(&account.kind).map(|(_, kind)| kind);
    let version = kind.and_then(|kind| kind.version(token.api_version)).cloned();
    let upgrade_available = kind.map(AccountKind::latest).filter(|latest| *latest > token.api_version);
    let expiry = lifetimes::expiry(catalog, account, &token);
    let held = token.access.scopes().into_iter().flat_map(ScopeSet::iter);
    let live = held.filter_map(|scope| catalog.scope(scope)).filter(|info| !info.is_retired());
    let (reads, writes) =
        live.fold(
            (0, 0),
            |(reads, writes), info| {
                if info.only_reads() { (reads + 1, writes) } else { (reads, writes + 1) }
            },
        );
    let state = match token.state {
        TokenState::Disabled => EffectiveState::Disabled,
        TokenState::Enabled if expiry.is_some_and(|expiry| expiry.at <= now) => EffectiveState::Expired,
        TokenState::Enabled => EffectiveState::Enabled,
    };
    let works = |ends_at: Option<Timestamp>| ends_at.is_none_or(|ends_at| ends_at > now);
    let weak_secret = token.secrets.iter().any(|secret| secret.weak && works(secret.ends_at));
    let recoverable = secrets::unavailable(app, account, &token).is_none();
    let told = told::of(&token, contact.as_ref(), hearing);
    TokenView {
        token,
        contact,
        told,
        state,
        expiry,
        reads,
        writes,
        version,
        upgrade_available,
        scopes: Vec::new(),
        weak_secret,
        recoverable,
    }
}

/// Uses are written down little by little, where many tokens are used; this node knows its own before. Whoever looks
/// whether a leaked secret is in use must see the last minute.
fn with_last_use(app: &App, token: &mut Token) {
    for secret in &mut token.secrets {
        let Some(seen) = app.verifier.last_use(&token.sid, secret.generation) else { continue };
        let from = seen.from.map(|address| address.to_string());
        if secret.last_used_at.is_none_or(|at| at < seen.at) {
            (secret.last_used_at, secret.last_used_from) = (Some(seen.at), from.clone());
        }
        if token.last_used_at.is_none_or(|at| at < seen.at) {
            (token.last_used_at, token.last_used_from) = (Some(seen.at), from);
        }
    }
}
