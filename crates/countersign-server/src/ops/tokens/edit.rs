//! Edits a token, over the edit the caller has seen. An edit that changes nothing writes nothing: it answers the token
//! with the edit number it has, and leaves no audit entry.

use countersign_model::{id::TokenId, name::EmailAddress};
use countersign_store::{Token, Write};
use serde_json::Value;

use super::{Answer, TokenEdit, deed, facts, lifetimes, reach, view};
use crate::{
    app::App,
    error::Error,
    ops::{addresses, notices},
    rights::{EditTokens, Granted, Right},
};

/// Edits a token whose edit number the caller saw as `seen`.
pub async fn edit(
    app: &App,
    granted: &Granted<EditTokens>,
    id: TokenId,
    seen: u64,
    edit: TokenEdit,
) -> Result<Answer, Error> {
    let catalog = app.catalog()?;
    let (kind, _) = deed::kind_of(&catalog, &granted.account)?;
    let before = deed::find_as_seen(app, granted, id, seen).await?;
    reach::require(granted, &catalog, &before)?;
    let allowed = lifetimes::of(&catalog, &granted.account);
    let after = edit.apply(&before, (&catalog, kind), allowed, app.clock.wall())?;
    reach::require(granted, &catalog, &after)?;
    let changes = facts::changes(&catalog, &before, &after);
    put(app, granted, "token.update", (&before, after), changes).await
}

/// Writes an edited token with what changed; with no changes it only waits for what is there to be in force.
pub(super) async fn put<R: Right>(
    app: &App,
    granted: &Granted<R>,
    action: &'static str,
    (before, mut after): (&Token, Token),
    changes: (Value, Value),
) -> Result<Answer, Error> {
    let nothing = changes.1.as_object().is_some_and(serde_json::Map::is_empty);
    let seq = if nothing {
        deed::settle(app).await?;
        app.verifier.applied()
    } else {
        deed::stamp(&mut after, granted, app.clock.wall());
        let audit = granted.audit(app, deed::told(granted, action, &after, changes));
        let write = notices::of_change(app, granted, Write::new(audit), (before, &after))?;
        let is_new = |email: &&EmailAddress| !before.developer_emails.contains(email);
        let named: Vec<_> = after.developer_emails.iter().filter(is_new).cloned().collect();
        let write = addresses::asking(app, granted, write, &named).await?;
        let committed = app.commit(write.update_token(&after)).await?;
        after.edit += 1;
        committed.seq
    };
    Ok(Answer {
        view: view::view(app, &granted.account, after).await?,
        seq,
        shown: None,
        made_by_it: Vec::new(),
    })
}
