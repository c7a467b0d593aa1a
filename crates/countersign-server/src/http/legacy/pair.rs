//! Deeds to both credentials at once.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::{id::UserId, name::TokenName};
use countersign_store::TokenState;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{LegacyTokens, LegacyTokensAnswer};
use crate::{
    app::App,
    error::Error,
    http::{
        extract::{Body, IdempotencyKey, In, NoBody, Query},
        problem::{ChangeProblems, ReadProblems},
        tokens::{answer::TokenAnswer, create::made, request::UpgradeVersion, secret::require_confirmation},
        words,
    },
    ops::{
        idempotency::Idempotency,
        legacy::{self, LegacyCopy},
    },
    rights::{ManageLegacy, ViewTokens},
};

/// Show the legacy pair.
///
/// Both credentials, without their secrets. Needs `tokens.view`.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/legacy-tokens",
    tag = "legacy tokens",
    params(("account_id" = inline(words::AccountId), Path, description = "The account.")),
    security(("session" = []), ("platform_credential" = []), ("token_bearer" = []), ("token_basic" = [])),
    responses((status = 200, description = "The pair.", body = LegacyTokens), ReadProblems)
)]
pub(super) async fn get_legacy_tokens(
    State(app): State<Arc<App>>,
    In(granted): In<ViewTokens>,
) -> Result<Json<LegacyTokens>, Error> {
    Ok(Json(legacy::get(&app, &granted).await?.into()))
}

/// Make the legacy pair.
///
/// Makes both credentials, or what an import left missing of them, and shows the secrets once. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens",
    tag = "legacy tokens",
    params(("account_id" = inline(words::AccountId), Path, description = "The account.")),
    responses((status = 201, description = "The pair with its secrets.", body = LegacyTokensAnswer), ChangeProblems)
)]
pub(super) async fn create_legacy_tokens(
    State(app): State<Arc<App>>,
    In(granted): In<ManageLegacy>,
    _: NoBody,
) -> Result<(StatusCode, Json<LegacyTokensAnswer>), Error> {
    Ok((StatusCode::CREATED, Json(legacy::enable(&app, &granted).await?.into())))
}

/// The confirmation of a deletion.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteLegacyTokens {
    /// `true`: whoever uses the pair will be refused for ever.
    confirm: bool,
}

/// Delete the legacy pair.
///
/// Both credentials go for ever; legacy tokens can be made again, with new SIDs. Needs `tokens.manage`.
#[utoipa::path(
    delete,
    path = "/accounts/{account_id}/legacy-tokens",
    tag = "legacy tokens",
    params(("account_id" = inline(words::AccountId), Path, description = "The account."), DeleteLegacyTokens),
    responses((status = 200, description = "The pair is gone.", body = LegacyTokensAnswer), ChangeProblems)
)]
pub(super) async fn delete_legacy_tokens(
    State(app): State<Arc<App>>,
    In(granted): In<ManageLegacy>,
    Query(query): Query<DeleteLegacyTokens>,
    _: NoBody,
) -> Result<Json<LegacyTokensAnswer>, Error> {
    require_confirmation(query.confirm)?;
    Ok(Json(legacy::delete(&app, &granted).await?.into()))
}

/// Raise the API version of both legacy credentials.
///
/// One that is newer already stays as it is. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens/upgrade",
    tag = "legacy tokens",
    params(("account_id" = inline(words::AccountId), Path, description = "The account.")),
    request_body = UpgradeVersion,
    responses((status = 200, description = "The pair as it is now.", body = LegacyTokensAnswer), ChangeProblems)
)]
pub(super) async fn upgrade_legacy_tokens(
    State(app): State<Arc<App>>,
    In(granted): In<ManageLegacy>,
    Body(body): Body<UpgradeVersion>,
) -> Result<Json<LegacyTokensAnswer>, Error> {
    Ok(Json(legacy::upgrade(&app, &granted, body.api_version).await?.into()))
}

/// A scoped token in place of the pair.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DuplicateLegacyTokens {
    /// Its name; `Copy of Legacy account tokens`, numbered where that is taken, when absent.
    #[schema(value_type = Option<words::TokenName>)]
    name: Option<TokenName>,
    /// The id of the member who answers for it; the member who asks, when absent.
    #[schema(value_type = Option<words::UserId>)]
    primary_contact: Option<UserId>,
}

/// Make a scoped token from the legacy pair.
///
/// It has the pair's version and every scope of the account's kind but those that manage tokens: the way out of
/// legacy. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens/duplicate",
    tag = "legacy tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        words::Repeatable,
    ),
    request_body = DuplicateLegacyTokens,
    responses(
        (status = 201, description = "The new token with its secret.", body = TokenAnswer,
            headers(
                ("ETag" = String, description = "The number of its edit, for `If-Match`."),
                ("Location" = String, description = "Where the token is."),
            )),
        ChangeProblems
    )
)]
pub(super) async fn duplicate_legacy_tokens(
    State(app): State<Arc<App>>,
    In(granted): In<ManageLegacy>,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<DuplicateLegacyTokens>,
) -> Result<impl IntoResponse, Error> {
    let idempotency = Idempotency::of(key, &body)?;
    let copy = LegacyCopy { name: body.name, primary_contact: body.primary_contact };
    Ok(made(legacy::duplicate(&app, &granted, copy, &idempotency).await?))
}

/// Disable both legacy credentials.
///
/// A request that starts after this answer is denied. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens/disable",
    tag = "legacy tokens",
    params(("account_id" = inline(words::AccountId), Path, description = "The account.")),
    responses((status = 200, description = "The pair, disabled.", body = LegacyTokensAnswer), ChangeProblems)
)]
pub(super) async fn disable_legacy_tokens(
    State(app): State<Arc<App>>,
    In(granted): In<ManageLegacy>,
    _: NoBody,
) -> Result<Json<LegacyTokensAnswer>, Error> {
    Ok(Json(legacy::switch(&app, &granted, TokenState::Disabled).await?.into()))
}

/// Enable both legacy credentials again.
///
/// After they were disabled, with the secrets they have. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens/enable",
    tag = "legacy tokens",
    params(("account_id" = inline(words::AccountId), Path, description = "The account.")),
    responses((status = 200, description = "The pair, enabled.", body = LegacyTokensAnswer), ChangeProblems)
)]
pub(super) async fn enable_legacy_tokens(
    State(app): State<Arc<App>>,
    In(granted): In<ManageLegacy>,
    _: NoBody,
) -> Result<Json<LegacyTokensAnswer>, Error> {
    Ok(Json(legacy::switch(&app, &granted, TokenState::Enabled).await?.into()))
}
