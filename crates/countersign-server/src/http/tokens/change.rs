//! Edits, upgrades and deletes tokens.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::{id::OfToken, name::TokenName};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    answer::TokenAnswer,
    request::{UpdateToken, UpgradeVersion},
    with_current,
};
use crate::{
    app::App,
    error::Error,
    http::{
        extract::{Body, Id, IfMatch, In, NoBody, Query, edit_tag},
        problem::{ChangeProblems, EditProblems},
        words,
    },
    ops::tokens::{self, DeletionAsk},
    rights::{DeleteTokens, EditTokens},
};

/// Edit a token.
///
/// A field that is absent stays, `null` clears; the API version only goes up. An edit that changes nothing answers the
/// token with the edit number it has. Needs `tokens.manage`.
#[utoipa::path(
    patch,
    path = "/accounts/{account_id}/tokens/{token_id}",
    tag = "tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("token_id" = inline(words::TokenId), Path, description = "The token."),
        ("If-Match" = inline(words::EditTag), Header, description = "The ETag of the answer that is edited. Where somebody else was \
            first the answer is 412 with the token as it is now in `current`."),
    ),
    request_body = UpdateToken,
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses(
        (status = 200, description = "The token as it is now.", body = TokenAnswer,
            headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))),
        EditProblems
    )
)]
pub(super) async fn update_token(
    State(app): State<Arc<App>>,
    In(granted): In<EditTokens>,
    Id(id): Id<OfToken>,
    IfMatch(seen): IfMatch,
    Body(body): Body<UpdateToken>,
) -> Result<impl IntoResponse, Error> {
    match tokens::edit(&app, &granted, id, seen, body.read()?).await {
        Ok(answer) => Ok((edit_tag(answer.view.token.edit), Json(TokenAnswer::from(answer)))),
        Err(error) => Err(with_current(&app, granted.account.id, id, error).await),
    }
}

/// Raise the API version of a token.
///
/// To the one named, or to the latest. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/tokens/{token_id}/upgrade",
    tag = "tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("token_id" = inline(words::TokenId), Path, description = "The token."),
    ),
    request_body = UpgradeVersion,
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses(
        (status = 200, description = "The token as it is now.", body = TokenAnswer,
            headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))),
        ChangeProblems
    )
)]
pub(super) async fn upgrade_token(
    State(app): State<Arc<App>>,
    In(granted): In<EditTokens>,
    Id(id): Id<OfToken>,
    Body(body): Body<UpgradeVersion>,
) -> Result<impl IntoResponse, Error> {
    let answer = tokens::upgrade(&app, &granted, id, body.api_version).await?;
    Ok((edit_tag(answer.view.token.edit), Json(TokenAnswer::from(answer))))
}

/// The confirmation of a deletion.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteToken {
    /// The token's name, typed to confirm.
    #[param(inline, value_type = words::TokenName)]
    confirm_name: TokenName,
    /// Whether every token it had made goes, too; `true` when absent.
    include_made_by_it: Option<bool>,
}

/// A token that is gone for ever.
#[derive(Serialize, ToSchema)]
pub struct TokenDeleted {
    /// The change from which on it is gone; `min_seq` of a verification.
    seq: u64,
    /// Tokens it had made that were deleted with it.
    #[schema(value_type = Vec<words::TokenId>)]
    made_by_it: Vec<String>,
}

/// Delete a token for ever.
///
/// Its SID is never issued again; its history stays in the audit trail. Needs `tokens.manage`.
#[utoipa::path(
    delete,
    path = "/accounts/{account_id}/tokens/{token_id}",
    tag = "tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("token_id" = inline(words::TokenId), Path, description = "The token."),
        ("If-Match" = inline(words::EditTag), Header, description = "The ETag of the answer that is deleted."),
        DeleteToken,
    ),
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses((status = 200, description = "It is gone.", body = TokenDeleted), EditProblems)
)]
pub(super) async fn delete_token(
    State(app): State<Arc<App>>,
    In(granted): In<DeleteTokens>,
    Id(id): Id<OfToken>,
    IfMatch(seen): IfMatch,
    Query(query): Query<DeleteToken>,
    _: NoBody,
) -> Result<Json<TokenDeleted>, Error> {
    let include_made_by_it = query.include_made_by_it.unwrap_or(true);
    let ask = DeletionAsk { seen, confirm_name: query.confirm_name, include_made_by_it };
    match tokens::delete(&app, &granted, id, ask).await {
        Ok(deleted) => Ok(Json(TokenDeleted {
            seq: deleted.seq.0,
            made_by_it: deleted.made_by_it.iter().map(ToString::to_string).collect(),
        })),
        Err(error) => Err(with_current(&app, granted.account.id, id, error).await),
    }
}
