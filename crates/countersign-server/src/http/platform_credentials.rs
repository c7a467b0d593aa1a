//! Platform credentials: machines with operator rights.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::id::{OfPlatformCredential, PlatformCredentialId};
use countersign_store::PlatformCredential;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    extract::{AsOperator, Body, Id},
    page::PageOf,
    problem::{RaceProblems, ReadProblems},
    words,
};
use crate::{app::App, error::Error, ops::platform_credentials};

/// A platform credential.
#[derive(Serialize, ToSchema)]
struct PlatformCredentialView {
    /// Its id.
    #[schema(value_type = words::PlatformCredentialId)]
    id: PlatformCredentialId,
    /// Its name.
    #[schema(value_type = words::MachineName)]
    name: String,
    /// Last four characters of the credential.
    last4: String,
    /// When it was created.
    created_at: Moment,
    /// From when it is expired.
    expires_at: Option<Moment>,
}

/// A platform credential with its secret.
#[derive(Serialize, ToSchema)]
struct CreatedPlatformCredential {
    /// The credential without its secret.
    platform_credential: PlatformCredentialView,
    /// The secret, to send as a Bearer token: in this answer and nowhere else.
    credential: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPlatformCredential {
    /// Its name: 1 to 40 characters of a-z, 0-9 and `-`.
    #[schema(value_type = words::MachineName)]
    name: String,
    /// From when it is expired; never when absent.
    expires_at: Option<Moment>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_platform_credentials, create_platform_credential))
        .routes(routes!(delete_platform_credential))
}

fn view(credential: &PlatformCredential) -> PlatformCredentialView {
    PlatformCredentialView {
        id: credential.id,
        name: credential.name.clone(),
        last4: credential.last4.clone(),
        created_at: credential.created_at.into(),
        expires_at: credential.expires_at.map(Moment),
    }
}

/// List platform credentials.
///
/// All of them, by name, without secrets. Operators only.
#[utoipa::path(get, path = "/platform-credentials", tag = "platform credentials",
    responses((status = 200, description = "All of them, by name", body = PageOf<PlatformCredentialView>), ReadProblems))]
async fn list_platform_credentials(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
) -> Result<Json<PageOf<PlatformCredentialView>>, Error> {
    let all = platform_credentials::list(&app, &operator).await?;
    Ok(Json(PageOf::whole(all.iter().map(view).collect())))
}

/// Create a platform credential.
///
/// Its secret is shown once. Operators only.
#[utoipa::path(post, path = "/platform-credentials", tag = "platform credentials", request_body = NewPlatformCredential,
    responses((status = 201, description = "Created; its secret is shown once", body = CreatedPlatformCredential), RaceProblems))]
async fn create_platform_credential(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Body(new): Body<NewPlatformCredential>,
) -> Result<impl IntoResponse, Error> {
    let expires_at = new.expires_at.map(|Moment(end)| end);
    let (credential, secret) = platform_credentials::create(&app, &operator, &new.name, expires_at).await?;
    let created = CreatedPlatformCredential {
        platform_credential: view(&credential),
        credential: secret.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Remove a platform credential.
///
/// Requests with it fail from now on. Operators only.
#[utoipa::path(delete, path = "/platform-credentials/{platform_credential_id}", tag = "platform credentials",
    params(("platform_credential_id" = inline(words::PlatformCredentialId), Path, description = "Id of the platform credential")),
    responses((status = 204, description = "It is removed"), RaceProblems))]
async fn delete_platform_credential(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfPlatformCredential>,
) -> Result<StatusCode, Error> {
    platform_credentials::delete(&app, &operator, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
