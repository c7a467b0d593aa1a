//! Reminds whoever is on an API version of its age: on the day of its deprecation, and 90, 30, 7 and 1 days before its
//! sunset. On it is a token whose own version it is, and one that was used in it lately, whatever its own.

use countersign_model::{api_version::VersionPlan, catalog::AccountKind, event::Event, time::Timestamp};
use countersign_store::AfterToken;
use serde_json::{Map, Value};

use super::{
    DAY_SECS, days_left, due,
    post::{Accounts, Reminder, post},
};
use crate::{
    app::App,
    error::Error,
    limits::REMINDER_TOKENS_PER_READ,
    ops::{tokens::lifetimes, versions::used_since},
};

/// How many days before the sunset, the first one first.
const STEPS: [i64; 4] = [90, 30, 7, 1];

/// Posts what is due now, and answers how many reminders that were.
pub async fn remind_of_versions(app: &App) -> Result<u64, Error> {
    let now = app.clock.wall();
    let catalog = app.catalog()?;
    let mut posted = 0;
    for kind in &catalog.kinds {
        for plan in &kind.versions {
            let Some((event, key)) = step(plan, now) else { continue };
            let facts = facts(kind, plan, now);
            let mut page = AfterToken { after: None, limit: REMINDER_TOKENS_PER_READ };
            loop {
                let on = (kind.id.as_str(), plan.number);
                let tokens = app.store.tokens_on_version(on, used_since(now), page).await?;
                page.after = tokens.last().map(|token| token.id);
                let full = tokens.len() >= REMINDER_TOKENS_PER_READ as usize;
                let (mut accounts, mut reminders) = (Accounts::default(), Vec::new());
                for token in tokens {
                    let Some(account) = accounts.get(app, token.account).await? else { continue };
                    // Nobody can call with a token that has ended; nobody has to move on.
                    let expiry = lifetimes::expiry(&catalog, &account, &token);
                    if expiry.is_none_or(|expiry| now < expiry.at) {
                        let once = format!("version/{}/{}/{key}", token.id, plan.number);
                        reminders.push(Reminder { token, once, facts: facts.clone() });
                    }
                }
                posted += post(app, event, &mut accounts, reminders).await?;
                if !full {
                    break;
                }
            }
        }
    }
    Ok(posted)
}

/// What is due of a version, and what tells it from every other step, also from the same one towards another date.
fn step(plan: &VersionPlan, now: Timestamp) -> Option<(Event, String)> {
    if plan.is_retired(now) {
        return None;
    }
    let deprecated = plan.deprecated_at.map(|at| (at, (Event::VersionDeprecated, at, 0)));
    let ending = plan.sunset_at.into_iter().flat_map(|sunset| {
        STEPS.map(|days| (sunset.plus_secs(-days * DAY_SECS), (Event::VersionEnding, sunset, days)))
    });
    let (_, (event, towards, days)) = due(now, deprecated.into_iter().chain(ending))?;
    Some((event, format!("{event}/{}/{days}", towards.unix_millis())))
}

fn facts(kind: &AccountKind, plan: &VersionPlan, now: Timestamp) -> Map<String, Value> {
    let mut facts = Map::new();
    facts.insert("api_version".to_owned(), plan.number.0.into());
    facts.insert("latest_version".to_owned(), kind.latest().0.into());
    facts.insert("kind".to_owned(), kind.id.as_str().into());
    if let Some(deprecated) = plan.deprecated_at {
        facts.insert("deprecated_at".to_owned(), deprecated.to_string().into());
    }
    if let Some(sunset) = plan.sunset_at {
        facts.insert("sunset_at".to_owned(), sunset.to_string().into());
        facts.insert("days".to_owned(), days_left(now, sunset).into());
    }
    if let Some(url) = &plan.notes_url {
        facts.insert("notes_url".to_owned(), url.as_str().into());
    }
    facts
}

#[cfg(test)]
mod tests {
    use countersign_model::api_version::ApiVersion;

    use super::*;

    #[test]
    fn the_steps_of_a_version() {
        let day = |days: i64| Timestamp::from_unix_secs(days * DAY_SECS);
        let plan = |deprecated: Option<i64>, sunset: Option<i64>| VersionPlan {
            number: ApiVersion(12),
            released_at: None,
            deprecated_at: deprecated.map(day),
            sunset_at: sunset.map(day),
            notes_url: None,
        };
        for (deprecated, sunset, now, expected) in [
            (None, None, 500, None),
            (Some(200), None, 199, None),
            (Some(200), None, 200, Some("version.deprecated/17280000000/0")),
            (Some(200), None, 564, Some("version.deprecated/17280000000/0")),
            (Some(200), None, 565, None),
            (Some(200), Some(400), 309, Some("version.deprecated/17280000000/0")),
            (Some(200), Some(400), 310, Some("version.ending/34560000000/90")),
            (Some(200), Some(400), 370, Some("version.ending/34560000000/30")),
            (Some(200), Some(400), 393, Some("version.ending/34560000000/7")),
            (Some(200), Some(400), 399, Some("version.ending/34560000000/1")),
            (Some(200), Some(400), 400, None),
            // A deprecation within the last 90 days comes after the first step, and is told in its place.
            (Some(350), Some(400), 320, Some("version.ending/34560000000/90")),
            (Some(350), Some(400), 355, Some("version.deprecated/30240000000/0")),
            (None, Some(400), 309, None),
            (None, Some(400), 312, Some("version.ending/34560000000/90")),
        ] {
            let found = step(&plan(deprecated, sunset), day(now)).map(|(_, key)| key);
            assert_eq!(found.as_deref(), expected, "{deprecated:?} {sunset:?} {now}");
        }
    }
}
