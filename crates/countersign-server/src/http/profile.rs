//! What people see and change about themselves.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::name::PersonName;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use zeroize::Zeroizing;

use super::{
    extract::{Body, SignedIn},
    people::PersonView,
    problem::{RaceProblems, ReadProblems},
    session::{CurrentSession, Visiting, begun},
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::profile::{self, ProfileEdit},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProfilePatch {
    /// A new name: 1 to 100 characters.
    #[serde(default)]
    #[schema(value_type = Option<words::PersonName>, nullable = false)]
    name: Option<PersonName>,
    /// `en` or `zh-CN`.
    #[serde(default)]
    #[schema(value_type = Option<words::Language>, nullable = false)]
    language: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The present password.
    #[schema(value_type = String, format = Password)]
    current: Zeroizing<String>,
    /// The new one: 15 to 128 characters.
    #[schema(value_type = words::NewPassword)]
    new: Zeroizing<String>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get_profile, patch_profile)).routes(routes!(put_password))
}

/// Show my profile.
///
/// What is known of the person signed in.
#[utoipa::path(get, path = "/profile", tag = "profile",
    security(("session" = [])),
    responses((status = 200, description = "The person signed in", body = PersonView), ReadProblems))]
async fn get_profile(signed_in: SignedIn) -> Json<PersonView> {
    Json(PersonView::of(&signed_in.person))
}

/// Change my name or language.
///
/// An absent field is unchanged.
#[utoipa::path(patch, path = "/profile", tag = "profile", request_body = ProfilePatch,
    security(("session" = [])),
    responses((status = 200, description = "As it is now", body = PersonView), RaceProblems))]
async fn patch_profile(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Body(patch): Body<ProfilePatch>,
) -> Result<Json<PersonView>, Error> {
    let edit = ProfileEdit { name: patch.name, language: patch.language };
    let person = profile::edit(&app, &signed_in.caller, edit).await?;
    Ok(Json(PersonView::of(&person)))
}

/// Change my password.
///
/// All my sessions end; this one goes on under a new cookie.
#[utoipa::path(put, path = "/profile/password", tag = "profile", request_body = PasswordChange,
    security(("session" = [])),
    responses((status = 201, description = "Changed; a new session cookie is set", body = CurrentSession,
        headers(("Set-Cookie" = String, description = "The session cookie; `Secure`, `HttpOnly`, `SameSite=Lax`."))), RaceProblems))]
async fn put_password(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Visiting(visitor): Visiting,
    Body(change): Body<PasswordChange>,
) -> Result<impl IntoResponse, Error> {
    let session =
        profile::change_password(&app, &signed_in.caller, &visitor, &change.current, &change.new).await?;
    begun(&app, session).await
}
