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
    },
    ops::{
        idempotency::Idempotency,
        legacy::{self, LegacyCopy},
    },
    rights::{ManageLegacy, ViewTokens},
};

/// Shows the legacy pair, without secrets. Needs `tokens.view`.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/legacy-tokens",
    tag = "legacy tokens",
    params(("account_id" = String, Path, description = "The account.")),
    responses((status = 200, description = "The pair.", body = LegacyTokens), ReadProblems)
)]
pub(super) async fn get_legacy_tokens(
    State(app): State<Arc<App>>,
    In(granted): In<ViewTokens>,
) -> Result<Json<LegacyTokens>, Error> {
    Ok(Json(legacy::get(&app, &granted).await?.into()))
}

/// Enables legacy tokens: makes the pair, or what an import left missing of it, and shows the secrets once. Needs
/// `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens",
    tag = "legacy tokens",
    params(("account_id" = String, Path, description = "The account.")),
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

/// Deletes both credentials for ever; legacy tokens can be enabled again, with new SIDs. Needs `tokens.manage`.
#[utoipa::path(
    delete,
    path = "/accounts/{account_id}/legacy-tokens",
    tag = "legacy tokens",
    params(("account_id" = String, Path, description = "The account."), DeleteLegacyTokens),
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

/// Raises the API version of both credentials. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens/upgrade",
    tag = "legacy tokens",
    params(("account_id" = String, Path, description = "The account.")),
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
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    name: Option<TokenName>,
    /// The id of the member who answers for it; the member who asks, when absent.
    #[schema(value_type = Option<String>)]
    primary_contact: Option<UserId>,
}

/// Makes a scoped token with the pair's version and every scope of the account's kind, but those that manage tokens: the
/// way out of legacy. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens/duplicate",
    tag = "legacy tokens",
    params(
        ("account_id" = String, Path, description = "The account."),
        ("Idempotency-Key" = Option<String>, Header, description = "As for creating a token."),
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

/// Disables both credentials. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens/disable",
    tag = "legacy tokens",
    params(("account_id" = String, Path, description = "The account.")),
    responses((status = 200, description = "The pair, disabled.", body = LegacyTokensAnswer), ChangeProblems)
)]
pub(super) async fn disable_legacy_tokens(
    State(app): State<Arc<App>>,
    In(granted): In<ManageLegacy>,
    _: NoBody,
) -> Result<Json<LegacyTokensAnswer>, Error> {
    Ok(Json(legacy::switch(&app, &granted, TokenState::Disabled).await?.into()))
}

/// Enables both credentials again after they were disabled. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens/enable",
    tag = "legacy tokens",
    params(("account_id" = String, Path, description = "The account.")),
    responses((status = 200, description = "The pair, enabled.", body = LegacyTokensAnswer), ChangeProblems)
)]
pub(super) async fn enable_legacy_tokens(
    State(app): State<Arc<App>>,
    In(granted): In<ManageLegacy>,
    _: NoBody,
) -> Result<Json<LegacyTokensAnswer>, Error> {
    Ok(Json(legacy::switch(&app, &granted, TokenState::Enabled).await?.into()))
}
