//! What every deed to a token shares: finding it, its place in the catalog, trying again when somebody else was faster,
//! and the words of the audit trail.

use countersign_model::{
    api_version::ApiVersion,
    catalog::{AccountKind, Catalog, KindIndex},
    id::TokenId,
    time::Timestamp,
};
use countersign_store::{Account, Token};
use serde_json::Value;

use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    rights::{Granted, Right, Standing},
};

/// The action of every entry that tells of a secret that was shown again.
pub const REVEAL: &str = "secret.reveal";
/// How often a deed is tried whose caller named no edit number, while others keep changing the same token.
const ATTEMPTS_MAX: u32 = 8;
/// Changes looked for at once when waiting for what others committed.
const PENDING_CHANGES: u32 = 1_000;

/// Counts the attempts of one deed.
pub(in crate::ops) struct Attempts(u32);

impl Attempts {
    pub(in crate::ops) fn new() -> Self {
        Self(0)
    }

    /// Whether to read again and repeat, where the error is one that another look may avoid.
    pub(in crate::ops) fn again(&mut self, avoidable: bool) -> bool {
        self.0 += 1;
        avoidable && self.0 < ATTEMPTS_MAX
    }

    /// What is left to say after the last attempt: a caller who named no edit number is not told of one.
    pub(in crate::ops) fn give_up(error: Error) -> Error {
        if !is_stale(&error) {
            return error;
        }
        let detail = "Others are changing this at the same moment; nothing was changed. Try again shortly.";
        Error::new(Kind::Unavailable, "busy", detail).retry_after(1)
    }
}

/// Whether somebody else changed the row between reading and writing.
pub(in crate::ops) fn is_stale(error: &Error) -> bool {
    error.kind == Kind::Stale
}

/// A token of the account. A legacy credential, a token of another account and no token are one answer.
pub(in crate::ops) async fn find<R: Right>(
    app: &App,
    granted: &Granted<R>,
    id: TokenId,
) -> Result<Token, Error> {
    let found = app.store.within(granted.account.id).token(id).await?;
    found.filter(|token| !token.access.kind().is_legacy()).ok_or_else(Error::not_found)
}

/// A token as it is after a deed that named no edit number; as the deed left it where somebody deleted it since.
pub(super) async fn as_kept(app: &App, token: Token) -> Result<Token, Error> {
    let kept = app.store.within(token.account).token(token.id).await?;
    Ok(kept.unwrap_or(token))
}

/// Whether a reset or a delete holds whatever others change at the same moment. That of a person does, so that nobody
/// can stand in its way by writing often. A token reaches only what is weaker than itself, and what it acts on could
/// become stronger between the look and the write.
pub(super) fn overrides<R: Right>(granted: &Granted<R>) -> bool {
    match granted.standing {
        Standing::Member(_) | Standing::Operator => true,
        Standing::Token(_) => false,
    }
}

/// A token whose edit number the caller named.
pub(super) async fn find_as_seen<R: Right>(
    app: &App,
    granted: &Granted<R>,
    id: TokenId,
    seen: u64,
) -> Result<Token, Error> {
    let token = find(app, granted, id).await?;
    if token.edit == seen { Ok(token) } else { Err(countersign_store::Conflict::Stale.into()) }
}

/// The account's kind in the catalog.
pub(in crate::ops) fn kind_of<'c>(
    catalog: &'c Catalog,
    account: &Account,
) -> Result<(KindIndex, &'c AccountKind), Error> {
    catalog.kind(&account.kind).ok_or_else(|| {
        Error::new(
            Kind::Conflict,
            "kind_unknown",
            "The catalog in force has no such account kind any more; the operator can load one that has it.",
        )
    })
}

/// The version a token begins with or moves to: latest where none is named.
pub(in crate::ops) fn choose_version(
    kind: &AccountKind,
    wanted: Option<ApiVersion>,
    now: Timestamp,
) -> Result<ApiVersion, Error> {
    let number = wanted.unwrap_or_else(|| kind.latest());
    match kind.version(number) {
        Some(plan) if plan.is_retired(now) => {
            Err(Error::invalid("api_version", format!("version {number} is retired; choose a later one")))
        }
        Some(_) => Ok(number),
        None => {
            let known: Vec<String> = kind.versions.iter().map(|plan| plan.number.to_string()).collect();
            let detail = format!("there is no version {number}; the versions are {}", known.join(", "));
            Err(Error::invalid("api_version", detail))
        }
    }
}

/// Notes who changed a token and when.
pub(in crate::ops) fn stamp<R: Right>(token: &mut Token, granted: &Granted<R>, now: Timestamp) {
    token.updated_at = now;
    token.updated_by = granted.actor();
}

/// What was done to a token. An operator acts on the account's behalf, and the entry says so.
pub(in crate::ops) fn told<'a, R: Right>(
    granted: &Granted<R>,
    action: &'static str,
    token: &'a Token,
    (before, mut after): (Value, Value),
) -> Deed<'a> {
    if let (Standing::Operator, Value::Object(fields)) = (&granted.standing, &mut after) {
        fields.insert("on_behalf".to_owned(), Value::Bool(true));
    }
    Deed { action, subject: token.id.to_string(), subject_label: token.name.as_str(), before, after }
}

/// Waits until everything committed so far is in force. A deed that finds nothing to do answers for the same state as
/// one that did it, so it must not answer earlier.
pub(in crate::ops) async fn settle(app: &App) -> Result<(), Error> {
    loop {
        let pending = app.store.changes(app.verifier.applied(), PENDING_CHANGES).await?;
        let Some(last) = pending.last() else { return Ok(()) };
        app.follower.in_force(last.seq).await?;
        if pending.len() < PENDING_CHANGES as usize {
            return Ok(());
        }
    }
}
