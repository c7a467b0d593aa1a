//! The facts of a notice, as letters and webhooks know them by name. What is told of a token is what its contact may
//! know; nothing here is a secret, and lists are bounded.

use countersign_model::{event::Event, scope::ScopeSet};
use countersign_store::{Audience, Invitation, Notice, Token, Write};
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    caller::{Caller, Identity},
    error::Error,
    limits::NOTICE_SCOPES_TOLD_MAX,
    ops::tokens::lifetimes,
    rights::{Granted, Right, Standing},
};

/// Who did what, when, in which account.
pub(super) fn of_account<R: Right>(app: &App, granted: &Granted<R>) -> Map<String, Value> {
    let mut facts = Map::new();
    facts.insert("account".to_owned(), granted.account.name.as_str().into());
    facts.insert("at".to_owned(), app.clock.wall().to_string().into());
    // Who of the platform it was is in its own audit trail; the customer is told that it was somebody of the platform.
    if matches!(granted.standing, Standing::Operator) {
        facts.insert("by_operator".to_owned(), true.into());
    } else {
        facts.insert("actor".to_owned(), granted.caller.label().into());
    }
    facts
}

/// The same, of one token.
pub(super) fn of_token<R: Right>(app: &App, granted: &Granted<R>, token: &Token) -> Map<String, Value> {
    let mut facts = of_account(app, granted);
    facts.insert("token".to_owned(), token.name.as_str().into());
    facts.insert("sid".to_owned(), token.sid.as_str().into());
    facts.insert("api_version".to_owned(), token.api_version.0.into());
    let catalog = app.verifier.catalog();
    let expiry = catalog.and_then(|catalog| lifetimes::expiry(&catalog, &granted.account, token));
    if let Some(expiry) = expiry {
        facts.insert("expires_at".to_owned(), expiry.at.to_string().into());
    }
    let access = token.access.kind();
    if access.is_legacy() {
        facts.insert("credential".to_owned(), access.as_str().into());
    }
    facts
}

/// The same, of both credentials of a legacy pair.
pub(super) fn of_pair<R: Right>(app: &App, granted: &Granted<R>, tokens: &[&Token]) -> Map<String, Value> {
    let mut facts = of_account(app, granted);
    let names: Vec<&str> = tokens.iter().map(|token| token.name.as_str()).collect();
    let sids: Vec<&str> = tokens.iter().map(|token| token.sid.as_str()).collect();
    facts.insert("token".to_owned(), names.join(", ").into());
    facts.insert("sid".to_owned(), sids.join(", ").into());
    facts
}

/// What changed of a token that is worth telling; `None` where only its name or description did.
pub(super) fn changes(app: &App, before: &Token, after: &Token) -> Option<Value> {
    let differs = [
        ("scopes", before.access != after.access),
        ("api_version", before.api_version != after.api_version),
        ("primary_contact", before.primary_contact != after.primary_contact),
        ("developer_emails", before.developer_emails != after.developer_emails),
        ("expires_at", before.expires_at != after.expires_at),
        ("addresses", before.addresses != after.addresses),
        ("rate_limit", before.rate_limit != after.rate_limit),
    ];
    let changed: Vec<&str> =
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
    if changed.is_empty() {
        return None;
    }
    let mut facts = Map::new();
    facts.insert("changed".to_owned(), json!(changed));
    if before.api_version != after.api_version {
        facts.insert("from_version".to_owned(), before.api_version.0.into());
        facts.insert("to_version".to_owned(), after.api_version.0.into());
    }
    if let (Some(old), Some(new)) = (before.access.scopes(), after.access.scopes()) {
        for (name, gone, come) in [("scopes_added", old, new), ("scopes_removed", new, old)] {
            let ids = ids_beyond(app, gone, come);
            if !ids.is_empty() {
                facts.insert(name.to_owned(), json!(ids));
            }
        }
    }
    Some(Value::Object(facts))
}

/// The ids of the scopes that one set has beyond another, the first hundred.
fn ids_beyond(app: &App, base: &ScopeSet, more: &ScopeSet) -> Vec<String> {
    let Some(catalog) = app.verifier.catalog() else { return Vec::new() };
    let beyond = more.iter().filter(|scope| !base.contains(*scope));
    let ids = beyond.filter_map(|scope| catalog.scope(scope)).map(|info| info.id.clone());
    ids.take(NOTICE_SCOPES_TOLD_MAX).collect()
}

/// Tells somebody that they are invited, or are to choose a new password. The notice names the invitation and not its
/// code: the letter's link is made when it is sent.
pub(in crate::ops) fn invitation(
    app: &App,
    caller: &Caller,
    write: Write,
    (event, invitation): (Event, &Invitation),
    account: Option<&str>,
) -> Result<Write, Error> {
    let language = match &caller.identity {
        Identity::Person { person, .. } => person.language.as_str(),
        Identity::Token(_) | Identity::Platform(_) | Identity::Cli => "en",
    };
    let mut facts = Map::new();
    facts.insert("invitation".to_owned(), json!(invitation.id));
    facts.insert("email".to_owned(), invitation.email.as_str().into());
    facts.insert("expires_at".to_owned(), invitation.expires_at.to_string().into());
    match account {
        Some(account) => {
            facts.insert("account".to_owned(), account.into());
            match &caller.identity {
                Identity::Person { .. } | Identity::Token(_) => {
                    facts.insert("actor".to_owned(), caller.label().into());
                }
                Identity::Platform(_) | Identity::Cli => {
                    facts.insert("by_operator".to_owned(), true.into());
                }
            }
            facts.insert("role".to_owned(), invitation.role.clone().into());
        }
        None => {
            facts.insert("by_operator".to_owned(), true.into());
        }
    }
    let notice = Notice {
        id: app.random.id(invitation.created_at)?,
        at: invitation.created_at,
        account: invitation.account,
        event,
        token: None,
        label: invitation.email.as_str().to_owned(),
        facts: Value::Object(facts),
        once: None,
    };
    Ok(write.post(&notice, Audience::Address { email: &invitation.email, language }))
}
