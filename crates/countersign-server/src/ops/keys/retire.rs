//! Lets go of keys that nothing needs any more: a pepper when the last digest under its layer was made anew, a verify root
//! when moreover no session or invitation can still be known by it. Their files stay; the operator removes them.

use countersign_store::{KeyKind, KeyState, Write};
use serde_json::json;

use super::{entry, former, refresh};
use crate::{
    app::App,
    error::{Error, Kind},
    limits::INVITATION_SECS,
};

/// Retires what can be retired now.
pub async fn retire(app: &App) -> Result<(), Error> {
    let now = app.clock.wall();
    let table = app.store.key_table().await?;
    if former(&table, KeyKind::Pepper).any(|one| one.state == KeyState::Layered)
        && app.store.layered_tokens(now, 1).await?.1 == 0
    {
        for one in former(&table, KeyKind::Pepper).filter(|one| one.state == KeyState::Layered) {
            commit(app, KeyKind::Pepper, one.generation).await?;
        }
    }
    let Some(newest) = table.needed(KeyKind::VerifyRoot).next() else { return Ok(()) };
    let longest = app.settings.session_secs.max(INVITATION_SECS);
    let idle = newest.made_at.plus_secs(longest) <= now;
    if idle && app.store.count_tags_before_root(newest.generation).await? == 0 {
        for one in former(&table, KeyKind::VerifyRoot) {
            commit(app, KeyKind::VerifyRoot, one.generation).await?;
        }
    }
    refresh(app).await
}

/// Where something came to need it meanwhile it stays.
async fn commit(app: &App, kind: KeyKind, generation: u16) -> Result<(), Error> {
    let after = json!({ "key": kind.word(), "generation": generation });
    let audit = entry(app, "keys.retire", generation.to_string(), after);
    match app.commit(Write::new(audit).retire_key(kind, generation)).await {
        Err(error) if error.kind != Kind::Stale => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
