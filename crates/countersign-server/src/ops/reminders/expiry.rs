//! Reminds of tokens that end soon, by their own expiry or by a maximum lifetime: 30, 7 and 1 days before.

use countersign_model::{event::Event, lifetime::Expiry, time::Timestamp};
use countersign_store::{AfterToken, Token};
use serde_json::Map;

use super::{
    DAY_SECS, days_left, due,
    post::{Accounts, Reminder, post},
};
use crate::{app::App, error::Error, limits::REMINDER_TOKENS_PER_READ, ops::tokens::lifetimes};

/// How many days before the end, the first one first.
const STEPS: [i64; 3] = [30, 7, 1];

/// Posts what is due now, and answers how many reminders that were.
pub async fn remind_of_expiry(app: &App) -> Result<u64, Error> {
    let now = app.clock.wall();
    let until = now.plus_secs(STEPS[0] * DAY_SECS);
    let catalog = app.catalog()?;
    let mut posted = 0;
    for kind in &catalog.kinds {
        let mut page = AfterToken { after: None, limit: REMINDER_TOKENS_PER_READ };
        loop {
            let ending = (kind.id.as_str(), kind.token_lifetime);
            let tokens = app.store.tokens_ending(ending, (now, until), page).await?;
            page.after = tokens.last().map(|token| token.id);
            let full = tokens.len() >= REMINDER_TOKENS_PER_READ as usize;
            let (mut accounts, mut reminders) = (Accounts::default(), Vec::new());
            for token in tokens {
                let Some(account) = accounts.get(app, token.account).await? else { continue };
                let expiry = lifetimes::expiry(&catalog, &account, &token);
                reminders.extend(expiry.and_then(|expiry| reminder(app, token, expiry, now)));
            }
            posted += post(app, Event::TokenExpiring, &mut accounts, reminders).await?;
            if !full {
                break;
            }
        }
    }
    Ok(posted)
}

fn reminder(app: &App, token: Token, expiry: Expiry, now: Timestamp) -> Option<Reminder> {
    // What was made shorter-lived than a step is not reminded of it: its maker has just been told.
    let before = |days: i64| (expiry.at.plus_secs(-days * DAY_SECS), days);
    let steps = STEPS.map(before).into_iter().filter(|(moment, _)| token.created_at < *moment);
    let (_, days) = due(now, steps).filter(|_| now < expiry.at)?;
    let mut facts = Map::new();
    facts.insert("expires_at".to_owned(), expiry.at.to_string().into());
    facts.insert("expiry_set_by".to_owned(), expiry.set_by.as_str().into());
    facts.insert("days".to_owned(), days_left(now, expiry.at).into());
    let successor =
        format!("{}/accounts/{}/tokens/new?from={}", app.settings.public_url, token.account, token.id);
    facts.insert("successor_url".to_owned(), successor.into());
    let once = format!("expiring/{}/{}/{days}", token.id, expiry.at.unix_millis());
    Some(Reminder { token, once, facts })
}
