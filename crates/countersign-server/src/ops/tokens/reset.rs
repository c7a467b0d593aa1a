//! Gives a token a new secret. The old one fails from that moment, or from the end of an overlap.

use countersign_model::{event::Event, id::TokenId};
use countersign_store::{TokenState, Write};
use serde_json::json;

use super::{Answer, create::replayed, deed, facts, offspring, reach, switch, view};
use crate::{
    app::App,
    error::Error,
    ops::{
        idempotency::{Asked, Idempotency},
        notices,
        secrets::{self, Shown},
    },
    rights::{Granted, ResetTokens},
};

/// How long the old secret works beside the new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Not at all.
    #[default]
    None,
    /// One hour.
    OneHour,
    /// One day.
    OneDay,
    /// Seven days.
    SevenDays,
}

impl Overlap {
    /// In seconds; `None` for no overlap.
    pub const fn secs(self) -> Option<i64> {
        match self {
            Self::None => None,
            Self::OneHour => Some(3_600),
            Self::OneDay => Some(24 * 3_600),
            Self::SevenDays => Some(7 * 24 * 3_600),
        }
    }
}

/// Resets the secret of a token. A reset during an overlap ends the oldest secret. With `include_made_by_it` the tokens
/// it had made are disabled in the same change.
pub async fn reset(
    app: &App,
    granted: &Granted<ResetTokens>,
    id: TokenId,
    (overlap, include_made_by_it): (Overlap, bool),
    idempotency: &Idempotency,
) -> Result<Answer, Error> {
    let asked = idempotency.asked(granted, "token.reset");
    let mut attempts = deed::Attempts::new();
    loop {
        if let Some(earlier) = asked.earlier(app).await? {
            return replayed(app, granted, &earlier).await;
        }
        match attempt(app, granted, id, (overlap, include_made_by_it), &asked).await {
            Err(error) if attempts.again(deed::is_stale(&error) || asked.lost_race(&error)) => {}
            done => return done.map_err(deed::Attempts::give_up),
        }
    }
}

async fn attempt(
    app: &App,
    granted: &Granted<ResetTokens>,
    id: TokenId,
    (overlap, include_made_by_it): (Overlap, bool),
    asked: &Asked<'_>,
) -> Result<Answer, Error> {
    let now = app.clock.wall();
    let catalog = app.catalog()?;
    let before = deed::find(app, granted, id).await?;
    reach::require(granted, &catalog, &before)?;
    let mut token = before.clone();
    let secret = secrets::rotate(app, &granted.account, &mut token, overlap.secs(), now)?;
    deed::stamp(&mut token, granted, now);
    let mut made_by_it =
        if include_made_by_it { offspring::enabled(app, granted.account.id, id).await? } else { Vec::new() };
    let (old, mut new) = facts::changes(&catalog, &before, &token);
    if let Some(fields) = new.as_object_mut() {
        fields.insert("disabled_made_by_it".to_owned(), json!(offspring::ids(&made_by_it)));
    }
    let audit = granted.audit(app, deed::told(granted, "token.reset", &token, (old, new)));
    let write = asked.remember(Write::new(audit), app, &token);
    let mut write =
        if deed::overrides(granted) { write.reset_token(&token) } else { write.update_token(&token) };
    let overlap_ends_at = token.secrets.get(1).and_then(|old| old.ends_at).map(|moment| moment.to_string());
    let more = json!({ "overlap_ends_at": overlap_ends_at });
    write = notices::of_token(app, granted, write, (Event::TokenReset, &token), more)?;
    for child in &mut made_by_it {
        child.state = TokenState::Disabled;
        deed::stamp(child, granted, now);
        let more = json!({ "maker_id": id });
        write =
            notices::of_token(app, granted, write, (Event::TokenDisabled, child), more)?.disable_token(child);
    }
    let committed = app.commit(write).await?;
    let mut changed = offspring::ids(&made_by_it);
    let mut seq = committed.seq;
    if include_made_by_it {
        seq = switch::stragglers(app, granted, &token, &mut changed).await?.unwrap_or(seq);
    }
    let token = deed::as_kept(app, token).await?;
    let view = view::view(app, &granted.account, token).await?;
    Ok(Answer { view, seq, shown: Some(Shown::Secret(secret)), made_by_it: changed })
}
