//! What people and machines are told of deeds to tokens and accounts, posted with the deed itself: who was told of
//! nothing did nothing, and what was refused is told to nobody. A notice says what, when and by whom, and never a secret;
//! how it reaches people is the outbox's business.

pub(crate) mod code;
mod facts;
mod letter;

use countersign_model::event::Event;
use countersign_store::{Account, Audience, Notice, Token, Write};
use serde_json::{Map, Value};

pub(in crate::ops) use self::facts::invitation;
pub(crate) use self::letter::{Prepared, letter, message};
use crate::{
    app::App,
    error::Error,
    rights::{Granted, Right},
};

/// Tells of a deed to one token: its contact and developers, or, for a legacy credential, which has no contact, the
/// administrators of the account. `more` is added to the facts.
pub(in crate::ops) fn of_token<R: Right>(
    app: &App,
    granted: &Granted<R>,
    write: Write,
    (event, token): (Event, &Token),
    more: Value,
) -> Result<Write, Error> {
    let mut facts = facts::of_token(app, granted, token);
    add(&mut facts, more);
    let notice = notice(app, granted, event, token, facts)?;
    Ok(to_those_of(app, granted, write.post(&notice, Audience::Token(token)), &notice, token))
}

/// Tells of an edit that is more than another name or description, those who answered for the token before as well as
/// those who do now.
pub(in crate::ops) fn of_change<R: Right>(
    app: &App,
    granted: &Granted<R>,
    write: Write,
    (before, after): (&Token, &Token),
) -> Result<Write, Error> {
    let Some(changes) = facts::changes(app, before, after) else { return Ok(write) };
    let mut facts = facts::of_token(app, granted, after);
    add(&mut facts, changes);
    let notice = notice(app, granted, Event::TokenChanged, after, facts)?;
    let write = write.post(&notice, Audience::Token(after)).post(&notice, Audience::Token(before));
    Ok(to_those_of(app, granted, write, &notice, after))
}

/// Tells of one deed to both credentials of a legacy pair, once.
pub(in crate::ops) fn of_pair<R: Right>(
    app: &App,
    granted: &Granted<R>,
    write: Write,
    (event, tokens): (Event, &[&Token]),
    more: Value,
) -> Result<Write, Error> {
    let [first, .., _] = tokens else {
        return match tokens.first() {
            Some(only) => of_token(app, granted, write, (event, only), more),
            None => Ok(write),
        };
    };
    let mut facts = facts::of_pair(app, granted, tokens);
    add(&mut facts, more);
    let mut notice = notice(app, granted, event, first, facts)?;
    notice.token = None;
    Ok(to_those_of(app, granted, write, &notice, first))
}

/// Tells every primary contact of an account that all its tokens are denied from now on; where it has legacy credentials
/// its administrators, too.
pub(in crate::ops) fn of_account<R: Right>(
    app: &App,
    granted: &Granted<R>,
    write: Write,
    (event, account): (Event, &Account),
) -> Result<Write, Error> {
    let now = app.clock.wall();
    let notice = Notice {
        id: app.random.id(now)?,
        at: now,
        account: Some(account.id),
        event,
        token: None,
        label: account.name.as_str().to_owned(),
        facts: Value::Object(facts::of_account(app, granted)),
        once: None,
    };
    let write = write.post(&notice, Audience::Contacts(account.id));
    Ok(if account.legacy_tokens { to_administrators(app, granted, write, &notice) } else { write })
}

fn notice<R: Right>(
    app: &App,
    granted: &Granted<R>,
    event: Event,
    token: &Token,
    facts: Map<String, Value>,
) -> Result<Notice, Error> {
    let now = app.clock.wall();
    Ok(Notice {
        id: app.random.id(now)?,
        at: now,
        account: Some(granted.account.id),
        event,
        token: Some(token.id),
        label: token.name.as_str().to_owned(),
        facts: Value::Object(facts),
        once: None,
    })
}

fn to_those_of<R: Right>(
    app: &App,
    granted: &Granted<R>,
    write: Write,
    notice: &Notice,
    token: &Token,
) -> Write {
    if token.primary_contact.is_some() { write } else { to_administrators(app, granted, write, notice) }
}

/// A catalog that no longer has the account's kind knows no administrators: then nobody is told, and the deed, which may
/// be an emergency brake, is done all the same.
fn to_administrators<R: Right>(app: &App, granted: &Granted<R>, write: Write, notice: &Notice) -> Write {
    let catalog = app.verifier.catalog();
    let kind = catalog.as_deref().and_then(|catalog| catalog.kind(&granted.account.kind));
    match kind.and_then(|(_, kind)| kind.roles.first()) {
        Some(role) => write.post(notice, Audience::Role(granted.account.id, &role.id)),
        None => write,
    }
}

/// What there is nothing to say of is left out.
fn add(facts: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        facts.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
}
