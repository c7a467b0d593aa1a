//! People, for operators.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::{
    id::{OfUser, UserId},
    name::{EmailAddress, PersonName},
};
use countersign_store::{Person, PersonFilter};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    extract::{AsOperator, Body, Id, IfMatch, ListPlace, NoBody, PageParameters, Query, edit_tag, search},
    invitations::IssuedView,
    page::PageOf,
    problem::{ChangeProblems, EditProblems, ReadProblems},
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::{
        people::{self, PersonEdit},
        profile::ProfileEdit,
    },
};

const LIST: ListPlace = ListPlace { list: "people", account: None };

/// Somebody who can sign in.
#[derive(Serialize, ToSchema)]
pub(super) struct PersonView {
    /// Their id.
    #[schema(value_type = words::UserId)]
    id: UserId,
    /// Their address.
    #[schema(value_type = words::EmailAddress)]
    email: String,
    /// Their name.
    #[schema(value_type = words::PersonName)]
    name: String,
    /// `en` or `zh-CN`.
    #[schema(value_type = words::Language)]
    language: String,
    /// Whether they run the platform.
    operator: bool,
    /// Whether they may sign in.
    active: bool,
    /// Counts the edits: the ETag.
    edit: u64,
    /// When they were added.
    created_at: Moment,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PeopleQuery {
    /// Part of name or address, ignoring case.
    #[param(max_length = 100)]
    search: Option<String>,
    /// Only operators.
    operators: Option<bool>,
    /// The `next` of the page before.
    #[param(inline, value_type = Option<words::Cursor>)]
    after: Option<String>,
    /// Rows at most; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOperator {
    /// Who is invited to run the platform.
    #[schema(value_type = words::EmailAddress)]
    email: EmailAddress,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PersonPatch {
    /// A new name.
    #[serde(default)]
    #[schema(value_type = Option<words::PersonName>)]
    name: Option<PersonName>,
    /// `en` or `zh-CN`.
    #[schema(value_type = Option<words::Language>)]
    language: Option<String>,
    /// Whether they may sign in. Off ends their sessions at once.
    active: Option<bool>,
    /// Whether they run the platform.
    operator: Option<bool>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_people, invite_operator))
        .routes(routes!(get_person, patch_person))
        .routes(routes!(reset_person_password))
}

impl PersonView {
    /// Renders a person.
    pub(super) fn of(person: &Person) -> Self {
        Self {
            id: person.id,
            email: person.email.as_str().to_owned(),
            name: person.name.as_str().to_owned(),
            language: person.language.clone(),
            operator: person.operator,
            active: person.active,
            edit: person.edit,
            created_at: person.created_at.into(),
        }
    }
}

/// List people.
///
/// By e-mail address. Operators only.
#[utoipa::path(get, path = "/people", tag = "people", params(PeopleQuery),
    responses((status = 200, description = "People, by e-mail address", body = PageOf<PersonView>), ReadProblems))]
async fn list_people(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Query(asked): Query<PeopleQuery>,
) -> Result<Json<PageOf<PersonView>>, Error> {
    let page = PageParameters { after: asked.after, limit: asked.limit }.open(&app, LIST)?;
    let filter = PersonFilter { search: search(asked.search)?, operators: asked.operators.unwrap_or(false) };
    let found = people::list(&app, &operator, &filter, &page).await?;
    PageOf::of(&app, LIST, found, |person| PersonView::of(&person)).map(Json)
}

/// Invite somebody to run the platform.
///
/// Answers a one-time link that works for 72 hours. Operators only.
#[utoipa::path(post, path = "/people", tag = "people", request_body = NewOperator,
    responses((status = 201, description = "Invited", body = IssuedView), ChangeProblems))]
async fn invite_operator(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Body(new): Body<NewOperator>,
) -> Result<impl IntoResponse, Error> {
    let issued = people::invite_operator(&app, &operator, new.email).await?;
    Ok((StatusCode::CREATED, Json(IssuedView::of(&app, &issued))))
}

/// Show a person.
///
/// With the edit number to change them with. Operators only.
#[utoipa::path(get, path = "/people/{user_id}", tag = "people",
    params(("user_id" = inline(words::UserId), Path, description = "Id of the person")),
    responses((status = 200, description = "The person; the ETag is for If-Match", body = PersonView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), ReadProblems))]
async fn get_person(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfUser>,
) -> Result<impl IntoResponse, Error> {
    let person = people::find(&app, &operator, id).await?;
    Ok((edit_tag(person.edit), Json(PersonView::of(&person))))
}

/// Change a person.
///
/// An absent field is unchanged. Somebody who may no longer sign in is signed out at once. Operators only.
#[utoipa::path(patch, path = "/people/{user_id}", tag = "people", request_body = PersonPatch,
    params(("user_id" = inline(words::UserId), Path, description = "Id of the person"),
        ("If-Match" = inline(words::EditTag), Header, description = "The ETag of the person as they were seen")),
    responses((status = 200, description = "As they are now", body = PersonView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), EditProblems))]
async fn patch_person(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfUser>,
    IfMatch(seen): IfMatch,
    Body(patch): Body<PersonPatch>,
) -> Result<impl IntoResponse, Error> {
    let PersonPatch { name, language, active, operator: runs_platform } = patch;
    let edit = PersonEdit { profile: ProfileEdit { name, language }, active, operator: runs_platform };
    let person = people::edit(&app, &operator, id, seen, edit).await?;
    Ok((edit_tag(person.edit), Json(PersonView::of(&person))))
}

/// Make a link to choose a new password with.
///
/// It is shown once, and the present password works until it is used. Operators only.
#[utoipa::path(post, path = "/people/{user_id}/password-reset", tag = "people",
    params(("user_id" = inline(words::UserId), Path, description = "Id of the person")),
    responses((status = 201, description = "The link", body = IssuedView), ChangeProblems))]
async fn reset_person_password(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfUser>,
    _: NoBody,
) -> Result<impl IntoResponse, Error> {
    let issued = people::reset_password(&app, &operator, id).await?;
    Ok((StatusCode::CREATED, Json(IssuedView::of(&app, &issued))))
}
