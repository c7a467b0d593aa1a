//! `/api/v1/accounts/{account_id}/tokens`: the tokens of an account. A table of contents; one file per kind of deed.
//! Handlers parse, call one use case and render; no secret stands in a list or an address.

pub(in crate::http) mod answer;
mod change;
pub(in crate::http) mod create;
mod find;
mod list;
pub(in crate::http) mod request;
pub(in crate::http) mod secret;
mod switch;

use std::sync::Arc;

use countersign_model::id::{AccountId, TokenId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    error::{Error, Kind},
    ops,
};
use answer::Token;

/// The routes of tokens.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list_tokens, create::create_token))
        .routes(routes!(list::get_token, change::update_token, change::delete_token))
        .routes(routes!(create::duplicate_token))
        .routes(routes!(change::upgrade_token))
        .routes(routes!(secret::reveal_token))
        .routes(routes!(secret::reset_token))
        .routes(routes!(secret::end_overlap))
        .routes(routes!(switch::disable_token))
        .routes(routes!(switch::enable_token))
        .routes(routes!(find::find_token))
}

/// Puts the token as it is now beside a refusal that says somebody else was first, so that nothing typed is lost.
async fn with_current(app: &App, account: AccountId, id: TokenId, error: Error) -> Error {
    if error.kind != Kind::Stale {
        return error;
    }
    match ops::tokens::current(app, account, id).await {
        Ok(Some(view)) => match serde_json::to_value(Token::from(view)) {
            Ok(current) => error.with("current", current),
            Err(_) => error,
        },
        Ok(None) => Error::not_found(),
        Err(failure) => failure,
    }
}
