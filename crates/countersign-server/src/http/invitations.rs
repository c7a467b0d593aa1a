//! Invitations into an account, and accepting one.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::{
    id::{InvitationId, OfInvitation},
    name::{EmailAddress, PersonName},
};
use countersign_store::Invitation;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use zeroize::Zeroizing;

use super::{
    Moment,
    extract::{Body, Id, In, ListPlace, PageParameters, Query, SameOrigin},
    page::PageOf,
    problem::{ChangeProblems, RaceProblems, ReadProblems},
    session::{CurrentSession, Visiting, begun},
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::invitations::{self, Acceptance, Issued},
    rights::ManageMembers,
};

/// An open invitation.
#[derive(Serialize, ToSchema)]
pub(super) struct InvitationView {
    /// Its id.
    #[schema(value_type = words::InvitationId)]
    id: InvitationId,
    /// Who is invited.
    #[schema(value_type = words::EmailAddress)]
    email: String,
    /// The id of the role they will have.
    #[schema(value_type = Option<words::CatalogId>)]
    role: Option<String>,
    /// When it was made.
    created_at: Moment,
    /// Until when its link works.
    expires_at: Moment,
}

/// An invitation with its one-time link.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedView {
    /// The invitation.
    invitation: InvitationView,
    /// The link to give to the person: in this answer and nowhere else.
    link: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInvitation {
    /// Who is invited.
    #[schema(value_type = words::EmailAddress)]
    email: EmailAddress,
    /// The id of the role they will have.
    #[schema(value_type = words::CatalogId)]
    role: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptInvitation {
    /// The code behind `#` of the link.
    #[schema(value_type = words::OneTimeCode)]
    code: Zeroizing<String>,
    /// Their name; needed of people who are new.
    #[serde(default)]
    #[schema(value_type = Option<words::PersonName>)]
    name: Option<PersonName>,
    /// A new password; or the present one of somebody known who joins another account.
    #[schema(value_type = String, format = Password)]
    password: Zeroizing<String>,
    /// `en` or `zh-CN`; `en` when absent.
    #[schema(value_type = Option<words::Language>)]
    language: Option<String>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_invitations, create_invitation))
        .routes(routes!(delete_invitation))
        .routes(routes!(accept_invitation))
}

impl InvitationView {
    fn of(invitation: &Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email.as_str().to_owned(),
            role: invitation.role.clone(),
            created_at: invitation.created_at.into(),
            expires_at: invitation.expires_at.into(),
        }
    }
}

impl IssuedView {
    /// Renders an invitation with its link.
    pub(super) fn of(app: &App, issued: &Issued) -> Self {
        Self { invitation: InvitationView::of(&issued.invitation), link: issued.link(app) }
    }
}

/// List open invitations of an account.
///
/// Newest first, without their links. Needs `members.manage`.
#[utoipa::path(get, path = "/accounts/{account_id}/invitations", tag = "invitations",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"), PageParameters),
    responses((status = 200, description = "Open invitations, newest first", body = PageOf<InvitationView>), ReadProblems))]
async fn list_invitations(
    State(app): State<Arc<App>>,
    In(granted): In<ManageMembers>,
    Query(page): Query<PageParameters>,
) -> Result<Json<PageOf<InvitationView>>, Error> {
    let place = ListPlace { list: "invitations", account: Some(granted.account.id) };
    let found = invitations::list(&app, &granted, &page.open(&app, place)?).await?;
    PageOf::of(&app, place, found, |invitation| InvitationView::of(&invitation)).map(Json)
}

/// Invite somebody into an account.
///
/// Answers a one-time link that works for 72 hours. An open invitation of the same address is replaced.
#[utoipa::path(post, path = "/accounts/{account_id}/invitations", tag = "invitations", request_body = NewInvitation,
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account")),
    responses((status = 201, description = "Invited", body = IssuedView), ChangeProblems))]
async fn create_invitation(
    State(app): State<Arc<App>>,
    In(granted): In<ManageMembers>,
    Body(new): Body<NewInvitation>,
) -> Result<impl IntoResponse, Error> {
    let issued = invitations::create(&app, &granted, new.email, &new.role).await?;
    Ok((StatusCode::CREATED, Json(IssuedView::of(&app, &issued))))
}

/// Withdraw an invitation.
///
/// Its link no longer works. Needs `members.manage`.
#[utoipa::path(delete, path = "/accounts/{account_id}/invitations/{invitation_id}", tag = "invitations",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("invitation_id" = inline(words::InvitationId), Path, description = "Id of the invitation")),
    responses((status = 204, description = "Its link no longer works"), ChangeProblems))]
async fn delete_invitation(
    State(app): State<Arc<App>>,
    In(granted): In<ManageMembers>,
    Id(id): Id<OfInvitation>,
) -> Result<StatusCode, Error> {
    invitations::withdraw(&app, &granted, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accept an invitation, or choose a new password with a link.
///
/// The person is signed in by it. Needs `Sec-Fetch-Site: same-origin`, or an `Origin` equal to the public URL.
#[utoipa::path(post, path = "/invitations/accept", tag = "invitations", request_body = AcceptInvitation,
    security(()),
    responses((status = 201, description = "Accepted and signed in", body = CurrentSession,
        headers(("Set-Cookie" = String, description = "The session cookie; `Secure`, `HttpOnly`, `SameSite=Lax`."))), RaceProblems))]
async fn accept_invitation(
    State(app): State<Arc<App>>,
    _: SameOrigin,
    Visiting(visitor): Visiting,
    Body(accept): Body<AcceptInvitation>,
) -> Result<impl IntoResponse, Error> {
    let AcceptInvitation { code, name, password, language } = accept;
    let session = invitations::accept(&app, &visitor, Acceptance { code, name, password, language }).await?;
    begun(&app, session).await
}
