//! Members of an account.

use std::sync::Arc;

use axum::{Json, extract::State};
use countersign_model::id::{OfUser, UserId};
use countersign_store::Member;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    extract::{Body, Id, In, ListPlace, PageParameters, Query},
    page::PageOf,
    problem::{RaceProblems, ReadProblems},
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::members,
    rights::{ManageMembers, ViewMembers},
};

/// Somebody who belongs to an account.
#[derive(Serialize, ToSchema)]
struct MemberView {
    /// Their id.
    #[schema(value_type = words::UserId)]
    user_id: UserId,
    /// Their address.
    #[schema(value_type = words::EmailAddress)]
    email: String,
    /// Their name.
    #[schema(value_type = words::PersonName)]
    name: String,
    /// The id of their role in the kind's catalog.
    #[schema(value_type = words::CatalogId)]
    role: String,
    /// Whether they may sign in.
    active: bool,
    /// Since when they belong to the account.
    created_at: Moment,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MemberPatch {
    /// The id of the new role.
    #[schema(value_type = words::CatalogId)]
    role: String,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RemovalQuery {
    /// Who becomes the primary contact of the tokens this person answers for.
    #[param(inline, value_type = Option<words::UserId>)]
    successor: Option<String>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_members)).routes(routes!(patch_member, delete_member))
}

fn view(member: &Member) -> MemberView {
    MemberView {
        user_id: member.person.id,
        email: member.person.email.as_str().to_owned(),
        name: member.person.name.as_str().to_owned(),
        role: member.role.clone(),
        active: member.person.active,
        created_at: member.created_at.into(),
    }
}

/// List the members of an account.
///
/// By e-mail address. Needs `tokens.view` or `members.manage`.
#[utoipa::path(get, path = "/accounts/{account_id}/members", tag = "members",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"), PageParameters),
    responses((status = 200, description = "Members, by e-mail address", body = PageOf<MemberView>), ReadProblems))]
async fn list_members(
    State(app): State<Arc<App>>,
    In(granted): In<ViewMembers>,
    Query(page): Query<PageParameters>,
) -> Result<Json<PageOf<MemberView>>, Error> {
    let place = ListPlace { list: "members", account: Some(granted.account.id) };
    let found = members::list(&app, &granted, &page.open(&app, place)?).await?;
    PageOf::of(&app, place, found, |member| view(&member)).map(Json)
}

/// Give a member another role.
///
/// Nobody gives or takes what they do not hold themselves, except operators.
#[utoipa::path(patch, path = "/accounts/{account_id}/members/{user_id}", tag = "members", request_body = MemberPatch,
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("user_id" = inline(words::UserId), Path, description = "Id of the person")),
    responses((status = 200, description = "As it is now", body = MemberView), RaceProblems))]
async fn patch_member(
    State(app): State<Arc<App>>,
    In(granted): In<ManageMembers>,
    Id(user): Id<OfUser>,
    Body(patch): Body<MemberPatch>,
) -> Result<Json<MemberView>, Error> {
    let member = members::change_role(&app, &granted, user, &patch.role).await?;
    Ok(Json(view(&member)))
}

/// Remove a member.
///
/// Somebody who is the primary contact of tokens needs a successor; without one the answer is 409 and names the tokens.
#[utoipa::path(delete, path = "/accounts/{account_id}/members/{user_id}", tag = "members",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("user_id" = inline(words::UserId), Path, description = "Id of the person"), RemovalQuery),
    responses((status = 204, description = "They no longer belong to the account"), RaceProblems))]
async fn delete_member(
    State(app): State<Arc<App>>,
    In(granted): In<ManageMembers>,
    Id(user): Id<OfUser>,
    Query(asked): Query<RemovalQuery>,
) -> Result<StatusCode, Error> {
    let successor = asked.successor.map(|id| id.parse::<UserId>());
    let successor = successor.transpose().map_err(|error| Error::invalid("successor", error))?;
    members::remove(&app, &granted, user, successor).await?;
    Ok(StatusCode::NO_CONTENT)
}
