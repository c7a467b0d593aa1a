//! Use cases of the legacy pair: the read/write and the read-only credential an account had for everything before
//! scoped tokens. They are handled as a pair, but for resets and reveals. Deeds here need no edit number: each says
//! what the pair is to be, and is repeated where somebody else was faster.

mod delete;
mod duplicate;
mod enable;
mod reset;
mod switch;
mod upgrade;

pub use delete::delete;
pub use duplicate::{LegacyCopy, duplicate};
pub use enable::enable;
pub use reset::{reset, reveal};
pub use switch::switch;
pub use upgrade::upgrade;

use countersign_model::{change::Seq, grant::AccessKind, secret::Secret};
use countersign_store::{Account, Token};

use super::{
    secrets::Shown,
    tokens::{TokenView, view_of},
};
use crate::{
    app::App,
    error::{Error, Kind},
    rights::{Granted, Right, ViewTokens},
};

/// The half of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// It may call every operation of the account's kind.
    ReadWrite,
    /// It may call those whose method is GET or HEAD.
    ReadOnly,
}

/// The legacy card of an account.
#[derive(Debug, Clone)]
pub struct LegacyView {
    /// Whether legacy tokens are enabled.
    pub enabled: bool,
    /// Whether the account's kind has legacy tokens at all.
    pub available: bool,
    /// The credential for everything.
    pub read_write: Option<TokenView>,
    /// The credential for reading.
    pub read_only: Option<TokenView>,
}

/// What a mutation of the pair answers.
pub struct LegacyAnswer {
    /// The card as it is now.
    pub view: LegacyView,
    /// The change from which on it is so.
    pub seq: Seq,
    /// Secrets that were made, by half.
    pub shown: Vec<(Half, Shown)>,
}

impl Half {
    /// Both, in the order of the card.
    pub const BOTH: [Self; 2] = [Self::ReadWrite, Self::ReadOnly];

    /// The access of this half.
    pub const fn access(self) -> AccessKind {
        match self {
            Self::ReadWrite => AccessKind::ReadWrite,
            Self::ReadOnly => AccessKind::ReadOnly,
        }
    }
}

/// The legacy card.
pub async fn get(app: &App, granted: &Granted<ViewTokens>) -> Result<LegacyView, Error> {
    card(app, granted).await
}

/// The card as the store has it now.
async fn card<R: Right>(app: &App, granted: &Granted<R>) -> Result<LegacyView, Error> {
    let account = account_now(app, granted).await?;
    let catalog = app.catalog()?;
    let cut_over = catalog.kind(&account.kind).and_then(|(_, kind)| kind.legacy_cut_over);
    let mut halves = Vec::with_capacity(Half::BOTH.len());
    for half in Half::BOTH {
        halves.push(match app.store.within(account.id).legacy(half.access()).await? {
            Some(token) => Some(view_of(app, &account, token).await?),
            None => None,
        });
    }
    let read_only = halves.pop().flatten();
    let read_write = halves.pop().flatten();
    Ok(LegacyView { enabled: account.legacy_tokens, available: cut_over.is_some(), read_write, read_only })
}

/// The credentials the account has; it may be one where an import brought only one in. 404 where it has none.
async fn pair<R: Right>(app: &App, granted: &Granted<R>) -> Result<Vec<Token>, Error> {
    let mut found = Vec::with_capacity(Half::BOTH.len());
    for half in Half::BOTH {
        found.extend(app.store.within(granted.account.id).legacy(half.access()).await?);
    }
    if found.is_empty() { Err(none_there()) } else { Ok(found) }
}

/// One credential. 404 where the account has none of this half.
async fn one<R: Right>(app: &App, granted: &Granted<R>, half: Half) -> Result<Token, Error> {
    app.store.within(granted.account.id).legacy(half.access()).await?.ok_or_else(none_there)
}

/// The account as it is now: the proof of the right holds it as it was when the request came.
async fn account_now<R: Right>(app: &App, granted: &Granted<R>) -> Result<Account, Error> {
    app.store.account(granted.account.id).await?.ok_or_else(Error::not_found)
}

/// The answer to a deed that is in force from `seq` on.
async fn answer<R: Right>(
    app: &App,
    granted: &Granted<R>,
    seq: Seq,
    secrets: Vec<(Half, Secret)>,
) -> Result<LegacyAnswer, Error> {
    let shown = secrets.into_iter().map(|(half, secret)| (half, Shown::Secret(secret))).collect();
    Ok(LegacyAnswer { view: card(app, granted).await?, seq, shown })
}

fn none_there() -> Error {
    let detail = "The account has no such legacy credential; enable legacy tokens first.";
    Error::new(Kind::NotFound, "legacy_tokens_off", detail)
}
