//! Posts reminders, several in one write: the facts of a token as every reminder tells them, and the people who hear it.

use std::collections::HashMap;

use countersign_model::{event::Event, id::AccountId, time::Timestamp};
use countersign_store::{Account, Audience, AuditDraft, Notice, Token, Write};
use serde_json::{Map, Value, json};

use crate::{app::App, caller::Deed, error::Error, limits::REMINDERS_PER_WRITE_MAX};

/// The action of the entry that tells how many reminders were posted.
const ACTION: &str = "reminder.post";

/// A reminder about one token.
pub(super) struct Reminder {
    /// The token.
    pub(super) token: Token,
    /// The key under which it is posted once ever.
    pub(super) once: String,
    /// What it tells beside the token itself.
    pub(super) facts: Map<String, Value>,
}

/// The accounts of one page of tokens, each read once.
#[derive(Default)]
pub(super) struct Accounts(HashMap<AccountId, Option<Account>>);

impl Accounts {
    /// An account; `None` where it is gone.
    pub(super) async fn get(&mut self, app: &App, id: AccountId) -> Result<Option<Account>, Error> {
        if let Some(known) = self.0.get(&id) {
            return Ok(known.clone());
        }
        let found = app.store.account(id).await?;
        self.0.insert(id, found.clone());
        Ok(found)
    }
}

/// Posts those of these reminders that were not posted before, and answers how many.
pub(super) async fn post(
    app: &App,
    event: Event,
    accounts: &mut Accounts,
    reminders: Vec<Reminder>,
) -> Result<u64, Error> {
    let mut fresh = Vec::new();
    for reminder in reminders {
        if !app.store.is_posted(&reminder.once).await? {
            fresh.push(reminder);
        }
    }
    let now = app.clock.wall();
    for batch in fresh.chunks(REMINDERS_PER_WRITE_MAX) {
        let mut write = Write::new(entry(event, batch.len(), now));
        for reminder in batch {
            if let Some(account) = accounts.get(app, reminder.token.account).await? {
                write = one(app, write, (event, reminder), &account, now)?;
            }
        }
        app.commit(write).await?;
    }
    Ok(fresh.len() as u64)
}

fn one(
    app: &App,
    write: Write,
    (event, reminder): (Event, &Reminder),
    account: &Account,
    now: Timestamp,
) -> Result<Write, Error> {
    let token = &reminder.token;
    let mut facts = Map::new();
    facts.insert("account".to_owned(), account.name.as_str().into());
    facts.insert("token".to_owned(), token.name.as_str().into());
    facts.insert("sid".to_owned(), token.sid.as_str().into());
    facts.insert("api_version".to_owned(), token.api_version.0.into());
    let access = token.access.kind();
    if access.is_legacy() {
        facts.insert("credential".to_owned(), access.as_str().into());
    }
    facts.extend(reminder.facts.clone());
    let notice = Notice {
        id: app.random.id(now)?,
        at: now,
        account: Some(account.id),
        event,
        token: Some(token.id),
        label: token.name.as_str().to_owned(),
        facts: Value::Object(facts),
        once: Some(reminder.once.clone()),
    };
    let write = write.post(&notice, Audience::Token(token));
    if token.primary_contact.is_some() {
        return Ok(write);
    }
    // A legacy credential has no contact: whoever administers the account answers for it.
    let catalog = app.catalog()?;
    let role = catalog.kind(&account.kind).and_then(|(_, kind)| kind.roles.first());
    Ok(match role {
        Some(role) => write.post(&notice, Audience::Role(account.id, &role.id)),
        None => write,
    })
}

fn entry(event: Event, count: usize, now: Timestamp) -> AuditDraft {
    let after = json!({ "event": event.code(), "reminders": count });
    let subject = String::new();
    Deed { action: ACTION, subject, subject_label: event.code(), before: Value::Null, after }.by_system(now)
}
