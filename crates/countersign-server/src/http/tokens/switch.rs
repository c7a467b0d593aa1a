//! Disables and enables tokens.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::id::OfToken;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::TokenAnswer;
use crate::{
    app::App,
    error::Error,
    http::{
        extract::{Body, Id, IdempotencyKey, In, edit_tag},
        problem::ChangeProblems,
        words,
    },
    ops::{idempotency::Idempotency, tokens},
    rights::{DisableTokens, EnableTokens},
};

/// A disabling.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisableToken {
    /// Whether every token it had made is disabled in the same change; `true` when absent.
    include_made_by_it: Option<bool>,
}

/// Disable a token.
///
/// A request that starts after this answer is denied. Needs no `If-Match`, because it is wanted whatever else changed.
/// Needs `tokens.manage`; a token with the management scope for it may disable any token.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/tokens/{token_id}/disable",
    tag = "tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("token_id" = inline(words::TokenId), Path, description = "The token."),
    ),
    request_body = DisableToken,
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses(
        (status = 200, description = "The token, disabled.", body = TokenAnswer,
            headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))),
        ChangeProblems
    )
)]
pub(super) async fn disable_token(
    State(app): State<Arc<App>>,
    In(granted): In<DisableTokens>,
    Id(id): Id<OfToken>,
    Body(body): Body<DisableToken>,
) -> Result<impl IntoResponse, Error> {
    let include_made_by_it = body.include_made_by_it.unwrap_or(true);
    let answer = tokens::disable(&app, &granted, id, include_made_by_it).await?;
    Ok((edit_tag(answer.view.token.edit), Json(TokenAnswer::from(answer))))
}

/// An enabling.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnableToken {
    /// Whether it gets a new secret in the same change: one that was off may have leaked.
    #[serde(default)]
    reset: bool,
}

/// Enable a token.
///
/// Needs `tokens.manage`; with `reset` a token needs the management scope for that, too.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/tokens/{token_id}/enable",
    tag = "tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("token_id" = inline(words::TokenId), Path, description = "The token."),
        words::Repeatable,
    ),
    request_body = EnableToken,
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses(
        (status = 200, description = "The token, enabled; with its new secret where one was asked for.",
            body = TokenAnswer,
            headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))),
        ChangeProblems
    )
)]
pub(super) async fn enable_token(
    State(app): State<Arc<App>>,
    In(granted): In<EnableTokens>,
    Id(id): Id<OfToken>,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<EnableToken>,
) -> Result<impl IntoResponse, Error> {
    let idempotency = Idempotency::of(key, &(id, &body))?;
    let answer = tokens::enable(&app, &granted, id, body.reset, &idempotency).await?;
    Ok((edit_tag(answer.view.token.edit), Json(TokenAnswer::from(answer))))
}
