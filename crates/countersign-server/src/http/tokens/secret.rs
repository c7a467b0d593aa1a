//! Reveals and resets secrets.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::id::OfToken;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{answer::TokenAnswer, request::OverlapAsk};
use crate::{
    app::App,
    error::{Error, Kind},
    http::{
        extract::{Body, Id, IdempotencyKey, In, NoBody, edit_tag},
        problem::ChangeProblems,
        words,
    },
    ops::{
        idempotency::Idempotency,
        tokens::{self, Revealed},
    },
    rights::{ResetTokens, RevealSecrets},
};

/// A secret that is shown.
#[derive(Serialize, ToSchema)]
pub struct RevealedSecret {
    /// The Account SID it belongs to.
    #[schema(value_type = words::Sid)]
    sid: String,
    /// The Auth Token.
    secret: String,
    /// Counts the secrets of the token, from 1.
    generation: u32,
}

/// Show the stored secret of a token.
///
/// Needs `secrets.reveal` and a password entered in the last 5 minutes (else 403 `password_required`); at most 20 in
/// an hour for a person. 409 `secret_unavailable` where only a digest is kept. For people only: neither tokens nor
/// operators may.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/tokens/{token_id}/reveal",
    tag = "tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("token_id" = inline(words::TokenId), Path, description = "The token."),
    ),
    security(("session" = [])),
    responses((status = 200, description = "The secret.", body = RevealedSecret), ChangeProblems)
)]
pub(super) async fn reveal_token(
    State(app): State<Arc<App>>,
    In(granted): In<RevealSecrets>,
    Id(id): Id<OfToken>,
    _: NoBody,
) -> Result<Json<RevealedSecret>, Error> {
    Ok(Json(tokens::reveal(&app, &granted, id).await?.into()))
}

/// A reset of a secret.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetToken {
    /// How long the old secret works beside the new one.
    #[serde(default)]
    overlap: OverlapAsk,
    /// `true`: whoever uses the old secret will be refused.
    confirm: bool,
    /// Whether every token it had made is disabled in the same change: nobody would be told new secrets of theirs.
    /// `true` when absent.
    include_made_by_it: Option<bool>,
}

/// Give a token a new secret.
///
/// It is shown once. The old one fails from then on, or from the end of the overlap; a reset during an overlap ends
/// the oldest. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/tokens/{token_id}/reset",
    tag = "tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("token_id" = inline(words::TokenId), Path, description = "The token."),
        words::Repeatable,
    ),
    request_body = ResetToken,
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses(
        (status = 200, description = "The token with its new secret.", body = TokenAnswer,
            headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))),
        ChangeProblems
    )
)]
pub(super) async fn reset_token(
    State(app): State<Arc<App>>,
    In(granted): In<ResetTokens>,
    Id(id): Id<OfToken>,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<ResetToken>,
) -> Result<impl IntoResponse, Error> {
    require_confirmation(body.confirm)?;
    let idempotency = Idempotency::of(key, &(id, &body))?;
    let ask = (body.overlap.into(), body.include_made_by_it.unwrap_or(true));
    let answer = tokens::reset(&app, &granted, id, ask, &idempotency).await?;
    Ok((edit_tag(answer.view.token.edit), Json(TokenAnswer::from(answer))))
}

/// The end of an overlap.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndOverlap {
    /// `true`: whoever uses the old secret will be refused.
    confirm: bool,
}

/// End the overlap of a reset before its time.
///
/// The old secret fails from then on. Where no overlap is in force, the answer is the token as it is. Needs
/// `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/tokens/{token_id}/overlap/end",
    tag = "tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("token_id" = inline(words::TokenId), Path, description = "The token."),
    ),
    request_body = EndOverlap,
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses(
        (status = 200, description = "The token, with one secret.", body = TokenAnswer,
            headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))),
        ChangeProblems
    )
)]
pub(super) async fn end_overlap(
    State(app): State<Arc<App>>,
    In(granted): In<ResetTokens>,
    Id(id): Id<OfToken>,
    Body(body): Body<EndOverlap>,
) -> Result<impl IntoResponse, Error> {
    require_confirmation(body.confirm)?;
    let answer = tokens::end_overlap(&app, &granted, id).await?;
    Ok((edit_tag(answer.view.token.edit), Json(TokenAnswer::from(answer))))
}

/// Refuses what breaks integrations unless somebody said that it may.
pub(in crate::http) fn require_confirmation(confirm: bool) -> Result<(), Error> {
    if confirm {
        return Ok(());
    }
    let detail = "Send `confirm` as true: whoever uses the old credentials will be refused.";
    Err(Error::new(Kind::Invalid, "confirmation_missing", detail).at_field("confirm"))
}

impl From<Revealed> for RevealedSecret {
    fn from(revealed: Revealed) -> Self {
        Self {
            sid: revealed.sid.to_string(),
            secret: revealed.secret.expose().to_owned(),
            generation: revealed.generation,
        }
    }
}
