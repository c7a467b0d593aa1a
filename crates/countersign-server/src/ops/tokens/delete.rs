//! Deletes tokens for ever. The SID is never issued again; what was done with the token stays in the audit trail.

use countersign_model::{change::Seq, event::Event, id::TokenId, name::TokenName};
use countersign_store::{Token, Write};
use serde_json::{Value, json};

use super::{deed, facts, offspring, reach};
use crate::{
    app::App,
    error::{Error, Kind},
    ops::notices,
    rights::{DeleteTokens, Granted},
};

/// What a deletion says.
#[derive(Debug, Clone)]
pub struct DeletionAsk {
    /// The edit number the caller saw.
    pub seen: u64,
    /// The token's name, as a person typed it to confirm.
    pub confirm_name: TokenName,
    /// Whether every token it had made goes, too.
    pub include_made_by_it: bool,
}

/// What a deletion answers.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// The change from which on the tokens are gone.
    pub seq: Seq,
    /// The tokens it had made that were deleted with it.
    pub made_by_it: Vec<TokenId>,
}

/// Deletes a token.
pub async fn delete(
    app: &App,
    granted: &Granted<DeleteTokens>,
    id: TokenId,
    ask: DeletionAsk,
) -> Result<Deleted, Error> {
    let catalog = app.catalog()?;
    let token = deed::find_as_seen(app, granted, id, ask.seen).await?;
    reach::require(granted, &catalog, &token)?;
    if ask.confirm_name != token.name {
        let detail = "Type the token's name exactly as it is to delete it for ever; nothing was deleted.";
        return Err(Error::new(Kind::Invalid, "confirmation_wrong", detail).at_field("confirm_name"));
    }
    let made =
        if ask.include_made_by_it { offspring::of(app, granted.account.id, id).await? } else { Vec::new() };
    let mut made_by_it = offspring::ids(&made);
    let told = json!({ "made_by_it": made_by_it });
    let mut seq =
        put(app, granted, (&token, facts::facts(&catalog, &token), told), Some(&token), &made).await?;
    if ask.include_made_by_it {
        // What the maker's last requests made while it was being deleted. It makes no more now.
        let late = offspring::of(app, granted.account.id, id).await?;
        if !late.is_empty() {
            let told = json!({ "made_by_it": offspring::ids(&late) });
            seq = put(app, granted, (&token, Value::Null, told), None, &late).await?;
            made_by_it.extend(offspring::ids(&late));
        }
    }
    Ok(Deleted { seq, made_by_it })
}

async fn put(
    app: &App,
    granted: &Granted<DeleteTokens>,
    (subject, before, after): (&Token, Value, Value),
    token: Option<&Token>,
    made: &[Token],
) -> Result<Seq, Error> {
    let catalog = app.catalog()?;
    for child in made {
        reach::require(granted, &catalog, child)?;
    }
    let audit = granted.audit(app, deed::told(granted, "token.delete", subject, (before, after)));
    let mut write = Write::new(audit);
    for gone in token.into_iter().chain(made) {
        // Who is to hear of it is found before it is gone.
        let write_of = (Event::TokenDeleted, gone);
        write = notices::of_token(app, granted, write, write_of, Value::Null)?;
        write = if deed::overrides(granted) {
            write.delete_token_whatever_its_edit(gone)
        } else {
            write.delete_token(gone)
        };
    }
    Ok(app.commit(write).await?.seq)
}
