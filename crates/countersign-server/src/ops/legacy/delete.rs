//! Deletes both credentials of the pair for ever and switches the account's legacy tokens off; they can be enabled
//! again, with new SIDs.

use countersign_model::event::Event;
use countersign_store::{Token, Write};
use serde_json::{Value, json};

use super::{LegacyAnswer, account_now, answer, pair};
use crate::{
    app::App,
    caller::Deed,
    error::Error,
    ops::{
        notices,
        tokens::{deed, facts},
    },
    rights::{Granted, ManageLegacy},
};

/// Deletes the pair.
pub async fn delete(app: &App, granted: &Granted<ManageLegacy>) -> Result<LegacyAnswer, Error> {
    let mut attempts = deed::Attempts::new();
    loop {
        match attempt(app, granted).await {
            Err(error) if attempts.again(deed::is_stale(&error)) => {}
            done => return done.map_err(deed::Attempts::give_up),
        }
    }
}

async fn attempt(app: &App, granted: &Granted<ManageLegacy>) -> Result<LegacyAnswer, Error> {
    let catalog = app.catalog()?;
    let mut account = account_now(app, granted).await?;
    let pair = pair(app, granted).await?;
    let before: Vec<_> = pair.iter().map(|token| facts::facts(&catalog, token)).collect();
    let audit = granted.audit(
        app,
        Deed {
            action: "legacy.delete",
            subject: account.id.to_string(),
            subject_label: granted.account.name.as_str(),
            before: json!({ "legacy_tokens": account.legacy_tokens, "pair": before }),
            after: json!({ "legacy_tokens": false }),
        },
    );
    let gone: Vec<&Token> = pair.iter().collect();
    let told = notices::of_pair(app, granted, Write::new(audit), (Event::TokenDeleted, &gone), Value::Null)?;
    let mut write = gone.into_iter().fold(told, Write::delete_token);
    if account.legacy_tokens {
        account.legacy_tokens = false;
        account.updated_at = app.clock.wall();
        write = write.update_account(&account);
    }
    let committed = app.commit(write).await?;
    answer(app, granted, committed.seq, Vec::new()).await
}
