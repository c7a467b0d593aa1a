//! Makes tokens: new ones and copies.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::{id::OfToken, name::TokenName};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{answer::TokenAnswer, request::CreateToken};
use crate::{
    app::App,
    error::Error,
    http::{
        extract::{Body, Id, IdempotencyKey, In, edit_tag},
        problem::ChangeProblems,
        words,
    },
    ops::{
        idempotency::Idempotency,
        tokens::{self, Answer},
    },
    rights::CreateTokens,
};

/// Make a token.
///
/// Its secret is shown once. Needs `tokens.manage`. A token with the management scope for it makes only tokens with no
/// more rights than its own: no management scope, no scope it lacks, no later expiry, no address it may not be used
/// from, no higher rate limit.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/tokens",
    tag = "tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        words::Repeatable,
    ),
    request_body = CreateToken,
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses(
        (status = 201, description = "The token with its secret.", body = TokenAnswer,
            headers(
                ("ETag" = String, description = "The number of its edit, for `If-Match`."),
                ("Location" = String, description = "Where the token is."),
            )),
        ChangeProblems
    )
)]
pub(super) async fn create_token(
    State(app): State<Arc<App>>,
    In(granted): In<CreateTokens>,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<CreateToken>,
) -> Result<impl IntoResponse, Error> {
    let idempotency = Idempotency::of(key, &body)?;
    let answer = tokens::create(&app, &granted, body.read()?, &idempotency).await?;
    Ok(made(answer))
}

/// A copy of a token.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DuplicateToken {
    /// Its name; `Copy of …`, numbered where that is taken, when absent.
    #[schema(value_type = Option<words::TokenName>)]
    name: Option<TokenName>,
}

/// Copy a token.
///
/// The copy has the same description, version, contacts, scopes and limits, and a SID and secret of its own. Retired
/// scopes are left out. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/tokens/{token_id}/duplicate",
    tag = "tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("token_id" = inline(words::TokenId), Path, description = "The token to copy."),
        words::Repeatable,
    ),
    request_body = DuplicateToken,
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses(
        (status = 201, description = "The new token with its secret.", body = TokenAnswer,
            headers(
                ("ETag" = String, description = "The number of its edit, for `If-Match`."),
                ("Location" = String, description = "Where the token is."),
            )),
        ChangeProblems
    )
)]
pub(super) async fn duplicate_token(
    State(app): State<Arc<App>>,
    In(granted): In<CreateTokens>,
    Id(id): Id<OfToken>,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<DuplicateToken>,
) -> Result<impl IntoResponse, Error> {
    let idempotency = Idempotency::of(key, &(id, &body))?;
    let answer = tokens::duplicate(&app, &granted, id, body.name, &idempotency).await?;
    Ok(made(answer))
}

/// The answer to a request that made a token.
pub(in crate::http) fn made(answer: Answer) -> impl IntoResponse {
    let token = &answer.view.token;
    let location = format!("/api/v1/accounts/{}/tokens/{}", token.account, token.id);
    (
        StatusCode::CREATED,
        edit_tag(token.edit),
        [(header::LOCATION, location)],
        Json(TokenAnswer::from(answer)),
    )
}
