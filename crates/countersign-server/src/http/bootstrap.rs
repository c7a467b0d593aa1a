//! The first operator of an installation.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::name::{EmailAddress, PersonName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use zeroize::Zeroizing;

use super::{
    extract::{Body, SameOrigin},
    problem::{ChangeProblems, PublicProblems},
    session::{CurrentSession, Visiting, begun},
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::bootstrap::{self, FirstOperator},
};

/// Whether the installation waits for its first operator.
#[derive(Serialize, ToSchema)]
struct BootstrapState {
    /// It does.
    open: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewFirstOperator {
    /// The code the server showed when it started.
    #[schema(value_type = words::OneTimeCode)]
    code: Zeroizing<String>,
    /// Their e-mail address.
    #[schema(value_type = words::EmailAddress)]
    email: EmailAddress,
    /// Their name: 1 to 100 characters.
    #[schema(value_type = words::PersonName)]
    name: PersonName,
    /// Their password: 15 to 128 characters.
    #[schema(value_type = words::NewPassword)]
    password: Zeroizing<String>,
    /// `en` or `zh-CN`; `en` when absent.
    #[schema(value_type = Option<words::Language>)]
    language: Option<String>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get_bootstrap, redeem_bootstrap))
}

/// Ask whether the first operator is still to come.
///
/// Everybody may ask: the sign-in page does.
#[utoipa::path(get, path = "/bootstrap", tag = "bootstrap",
    security(()),
    responses((status = 200, description = "Whether it waits", body = BootstrapState), PublicProblems))]
async fn get_bootstrap(State(app): State<Arc<App>>) -> Result<Json<BootstrapState>, Error> {
    Ok(Json(BootstrapState { open: bootstrap::is_open(&app).await? }))
}

/// Become the first operator.
///
/// Works once, within an hour of the start, with the code the server showed to whoever started it.
#[utoipa::path(post, path = "/bootstrap", tag = "bootstrap", request_body = NewFirstOperator,
    security(()),
    responses((status = 201, description = "The first operator is made and signed in", body = CurrentSession,
        headers(("Set-Cookie" = String, description = "The session cookie; `Secure`, `HttpOnly`, `SameSite=Lax`."))), ChangeProblems))]
async fn redeem_bootstrap(
    State(app): State<Arc<App>>,
    _: SameOrigin,
    Visiting(visitor): Visiting,
    Body(first): Body<NewFirstOperator>,
) -> Result<impl IntoResponse, Error> {
    let NewFirstOperator { code, email, name, password, language } = first;
    let session =
        bootstrap::redeem(&app, &visitor, FirstOperator { code, email, name, password, language }).await?;
    begun(&app, session).await
}
