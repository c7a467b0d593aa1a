//! Resets and reveals one credential of the pair.

use countersign_model::event::Event;
use countersign_store::Write;
use serde_json::json;

use super::{Half, LegacyAnswer, answer, card, one};
use crate::{
    app::App,
    error::Error,
    ops::{
        idempotency::{Asked, Idempotency, replay},
        notices, secrets,
        tokens::{Overlap, Revealed, deed, facts, reveal::reveal_secret_of},
    },
    rights::{Granted, ManageLegacy, RevealSecrets},
};

/// Gives one credential a new secret; the other is untouched.
pub async fn reset(
    app: &App,
    granted: &Granted<ManageLegacy>,
    half: Half,
    overlap: Overlap,
    idempotency: &Idempotency,
) -> Result<LegacyAnswer, Error> {
    let asked = idempotency.asked(granted, "legacy.reset");
    let mut attempts = deed::Attempts::new();
    loop {
        if let Some(earlier) = asked.earlier(app).await? {
            let (_, shown) = replay(app, granted, &earlier).await?;
            deed::settle(app).await?;
            let (view, seq) = (card(app, granted).await?, app.verifier.applied());
            return Ok(LegacyAnswer { view, seq, shown: vec![(half, shown)] });
        }
        match attempt(app, granted, (half, overlap), &asked).await {
            Err(error) if attempts.again(deed::is_stale(&error) || asked.lost_race(&error)) => {}
            done => return done.map_err(deed::Attempts::give_up),
        }
    }
}

async fn attempt(
    app: &App,
    granted: &Granted<ManageLegacy>,
    (half, overlap): (Half, Overlap),
    asked: &Asked<'_>,
) -> Result<LegacyAnswer, Error> {
    let now = app.clock.wall();
    let catalog = app.catalog()?;
    let before = one(app, granted, half).await?;
    let mut token = before.clone();
    let secret = secrets::rotate(app, &granted.account, &mut token, overlap.secs(), now)?;
    deed::stamp(&mut token, granted, now);
    let changes = facts::changes(&catalog, &before, &token);
    let audit = granted.audit(app, deed::told(granted, "legacy.reset", &token, changes));
    let overlap_ends_at = token.secrets.get(1).and_then(|old| old.ends_at).map(|moment| moment.to_string());
    let write = asked.remember(Write::new(audit), app, &token);
    let more = json!({ "overlap_ends_at": overlap_ends_at });
    let write = notices::of_token(app, granted, write, (Event::TokenReset, &token), more)?;
    let committed = app.commit(write.update_token(&token)).await?;
    answer(app, granted, committed.seq, vec![(half, secret)]).await
}

/// Shows the current secret of one credential, under the same rules as a token's.
pub async fn reveal(app: &App, granted: &Granted<RevealSecrets>, half: Half) -> Result<Revealed, Error> {
    let token = one(app, granted, half).await?;
    reveal_secret_of(app, granted, token).await
}
