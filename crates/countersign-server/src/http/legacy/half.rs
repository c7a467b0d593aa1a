//! Deeds to one credential of the pair.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, RequestPartsExt as _,
    extract::{FromRequestParts, Path, State},
};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LegacyTokensAnswer;
use crate::{
    app::App,
    error::Error,
    http::{
        extract::{Body, IdempotencyKey, In, NoBody},
        problem::ChangeProblems,
        tokens::{
            request::OverlapAsk,
            secret::{RevealedSecret, require_confirmation},
        },
        words,
    },
    ops::{
        idempotency::Idempotency,
        legacy::{self, Half},
    },
    rights::{ManageLegacy, RevealSecrets},
};

/// The half of the path: `read-write` or `read-only`. Any other is not there.
pub(super) struct HalfOfPath(Half);

impl FromRequestParts<Arc<App>> for HalfOfPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Error> {
        let Path(path) =
            parts.extract::<Path<HashMap<String, String>>>().await.map_err(|_| Error::not_found())?;
        match path.get("half").map(String::as_str) {
            Some("read-write") => Ok(Self(Half::ReadWrite)),
            Some("read-only") => Ok(Self(Half::ReadOnly)),
            _ => Err(Error::not_found()),
        }
    }
}

/// A reset of one credential.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetLegacyToken {
    /// How long the old secret works beside the new one.
    #[serde(default)]
    overlap: OverlapAsk,
    /// `true`: whoever uses the old secret will be refused.
    confirm: bool,
}

/// Give one legacy credential a new secret.
///
/// It is shown once; the other credential is untouched. Needs `tokens.manage`.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens/{half}/reset",
    tag = "legacy tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("half" = inline(words::LegacyHalf), Path, description = "Which credential of the pair."),
        words::Repeatable,
    ),
    request_body = ResetLegacyToken,
    responses((status = 200, description = "The pair with the new secret.", body = LegacyTokensAnswer), ChangeProblems)
)]
pub(super) async fn reset_legacy_token(
    State(app): State<Arc<App>>,
    In(granted): In<ManageLegacy>,
    HalfOfPath(half): HalfOfPath,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<ResetLegacyToken>,
) -> Result<Json<LegacyTokensAnswer>, Error> {
    require_confirmation(body.confirm)?;
    let idempotency = Idempotency::of(key, &(half.access(), &body))?;
    Ok(Json(legacy::reset(&app, &granted, half, body.overlap.into(), &idempotency).await?.into()))
}

/// Show the stored secret of one legacy credential.
///
/// Under the rules of showing a token's: people with `secrets.reveal` only, with a password entered in the last 5
/// minutes.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/legacy-tokens/{half}/reveal",
    tag = "legacy tokens",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "The account."),
        ("half" = inline(words::LegacyHalf), Path, description = "Which credential of the pair."),
    ),
    security(("session" = [])),
    responses((status = 200, description = "The secret.", body = RevealedSecret), ChangeProblems)
)]
pub(super) async fn reveal_legacy_token(
    State(app): State<Arc<App>>,
    In(granted): In<RevealSecrets>,
    HalfOfPath(half): HalfOfPath,
    _: NoBody,
) -> Result<Json<RevealedSecret>, Error> {
    Ok(Json(legacy::reveal(&app, &granted, half).await?.into()))
}
