//! Ends the overlap of a reset before its time: the old secret fails at once.

use countersign_model::{event::Event, id::TokenId};
use countersign_store::Write;
use serde_json::json;

use super::{Answer, deed, facts, reach, view};
use crate::{
    app::App,
    error::Error,
    ops::notices,
    rights::{Granted, ResetTokens},
};

/// Ends the overlap of a token. Where none is in force it only answers the token as it is.
pub async fn end_overlap(app: &App, granted: &Granted<ResetTokens>, id: TokenId) -> Result<Answer, Error> {
    let mut attempts = deed::Attempts::new();
    loop {
        match attempt(app, granted, id).await {
            Err(error) if attempts.again(deed::is_stale(&error)) => {}
            done => return done.map_err(deed::Attempts::give_up),
        }
    }
}

async fn attempt(app: &App, granted: &Granted<ResetTokens>, id: TokenId) -> Result<Answer, Error> {
    let catalog = app.catalog()?;
    let before = deed::find(app, granted, id).await?;
    reach::require(granted, &catalog, &before)?;
    let mut token = before.clone();
    token.secrets.truncate(1);
    let seq = if token.secrets.len() == before.secrets.len() {
        deed::settle(app).await?;
        app.verifier.applied()
    } else {
        deed::stamp(&mut token, granted, app.clock.wall());
        let changes = facts::changes(&catalog, &before, &token);
        let audit = granted.audit(app, deed::told(granted, "token.end_overlap", &token, changes));
        let told = (Event::TokenChanged, &token);
        let more = json!({ "changed": ["overlap"] });
        let write = notices::of_token(app, granted, Write::new(audit), told, more)?;
        let committed = app.commit(write.update_token(&token)).await?;
        token.edit += 1;
        committed.seq
    };
    let view = view::view(app, &granted.account, token).await?;
    Ok(Answer { view, seq, shown: None, made_by_it: Vec::new() })
}
