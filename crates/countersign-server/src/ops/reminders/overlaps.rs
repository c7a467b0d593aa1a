//! Reminds that the old secret of an overlap is still in use and about to end: in its last day, or in the last quarter of
//! an overlap that is shorter than four days.

use countersign_model::{event::Event, time::Timestamp};
use countersign_store::{AfterToken, Token};
use serde_json::Map;

use super::{
    DAY_SECS,
    post::{Accounts, Reminder, post},
};
use crate::{app::App, error::Error, limits::REMINDER_TOKENS_PER_READ};

/// Posts what is due now, and answers how many reminders that were.
pub async fn remind_of_overlaps(app: &App) -> Result<u64, Error> {
    let now = app.clock.wall();
    let until = now.plus_secs(DAY_SECS);
    let mut posted = 0;
    let mut page = AfterToken { after: None, limit: REMINDER_TOKENS_PER_READ };
    loop {
        let tokens = app.store.tokens_overlapping((now, until), page).await?;
        page.after = tokens.last().map(|token| token.id);
        let full = tokens.len() >= REMINDER_TOKENS_PER_READ as usize;
        let reminders = tokens.into_iter().filter_map(|token| reminder(token, now)).collect();
        posted += post(app, Event::OverlapEnding, &mut Accounts::default(), reminders).await?;
        if !full {
            return Ok(posted);
        }
    }
}

fn reminder(token: Token, now: Timestamp) -> Option<Reminder> {
    let [current, old] = token.secrets.as_slice() else { return None };
    let ends_at = old.ends_at?;
    let quarter = (ends_at.unix_millis() - current.created_at.unix_millis()) / 4_000;
    if now < ends_at.plus_secs(-quarter.min(DAY_SECS)) || now >= ends_at {
        return None;
    }
    let mut facts = Map::new();
    facts.insert("overlap_ends_at".to_owned(), ends_at.to_string().into());
    facts.insert("overlap_uses".to_owned(), old.uses.into());
    if let Some(last) = old.last_used_at {
        facts.insert("overlap_last_used_at".to_owned(), last.to_string().into());
    }
    if let Some(from) = &old.last_used_from {
        facts.insert("overlap_last_used_from".to_owned(), from.as_str().into());
    }
    let once = format!("overlap/{}/{}", token.id, old.generation);
    Some(Reminder { token, once, facts })
}
