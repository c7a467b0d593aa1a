//! Finds a token or legacy credential by its Account SID, whatever its account: for operators, to whom customers tell
//! SIDs and not ids, and for doors where a token has just proven itself.

use countersign_model::{
    change::TokenRecord, decision::ProvenToken, grant::AccessKind, id::AccountId, sid::Sid,
};

use super::view::{self, TokenView};
use crate::{app::App, error::Error, rights::Operator};

/// Where a token is, and what it is.
pub struct Found {
    /// Whose it is.
    pub account: AccountId,
    /// Whether it is a token of today or one half of a legacy pair.
    pub access: AccessKind,
    /// The token.
    pub view: TokenView,
}

/// The token with this SID. Deleted ones are not found.
pub async fn find(app: &App, _: &Operator, sid: &Sid) -> Result<Found, Error> {
    let token = app.store.token_by_sid(sid).await?.ok_or_else(Error::not_found)?;
    let account = app.store.account(token.account).await?.ok_or_else(Error::not_found)?;
    let access = token.access.kind();
    Ok(Found { account: account.id, access, view: view::view(app, &account, token).await? })
}

/// All that is known of a token that a decision has just proven: the verifier keeps only what every request needs. `None`
/// where it was deleted meanwhile.
pub async fn proven(app: &App, token: &ProvenToken) -> Result<Option<TokenRecord>, Error> {
    Ok(app.store.token_by_sid(&token.sid).await?.map(|token| token.record()))
}
