//! Signing in and out, entering the password again, and the sessions of a person.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, State},
    response::IntoResponse,
};
use countersign_model::id::OfSession;
use countersign_store::{Membership, Person, Session};
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use zeroize::Zeroizing;

use super::{
    Moment, RequestContext,
    accounts::AccountView,
    extract::{Body, Id, SESSION_COOKIE, SameOrigin, SignedIn, cookie},
    page::PageOf,
    people::PersonView,
    problem::{ChangeProblems, RaceProblems, ReadProblems},
    words,
};
use crate::{
    app::App,
    error::Error,
    limits::DEVICE_SECS,
    ops::{
        sessions,
        sign_in::{self, SignedIn as Begun, Visitor},
    },
};

/// The cookie of a device that signed in before.
const DEVICE_COOKIE: &str = "__Host-countersign-device";

/// From where somebody comes who is not signed in yet.
pub(super) struct Visiting(pub Visitor);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The person's e-mail address.
    email: String,
    /// Their password.
    #[schema(value_type = String, format = Password)]
    password: Zeroizing<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordAgain {
    /// The password of the person signed in.
    #[schema(value_type = String, format = Password)]
    password: Zeroizing<String>,
}

/// Who is signed in, and what they may do where.
#[derive(Serialize, ToSchema)]
pub(super) struct CurrentSession {
    /// Who.
    person: PersonView,
    /// The session.
    session: SessionView,
    /// Whether they run the platform.
    operator: bool,
    /// The accounts they belong to, by name.
    memberships: Vec<MembershipView>,
    /// Until when secrets open without the password entered again.
    password_fresh_until: Moment,
}

/// An account somebody belongs to.
#[derive(Serialize, ToSchema)]
struct MembershipView {
    /// The account.
    account: AccountView,
    /// The id of the role in the kind's catalog.
    #[schema(value_type = words::CatalogId)]
    role: String,
    /// What the role may do.
    #[schema(value_type = Vec<words::Permission>)]
    permissions: Vec<&'static str>,
}

/// A session in the console.
#[derive(Serialize, ToSchema)]
struct SessionView {
    /// Its id.
    #[schema(value_type = words::SessionId)]
    id: countersign_model::id::SessionId,
    /// Whether it is the one that asks.
    current: bool,
    /// When it began.
    created_at: Moment,
    /// When it was last used, to the minute.
    seen_at: Moment,
    /// When it ends at the latest.
    expires_at: Moment,
    /// From where it began.
    client_address: String,
    /// The browser, as it named itself.
    user_agent: String,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create_session, get_session, delete_session))
        .routes(routes!(renew_session))
        .routes(routes!(list_sessions, delete_other_sessions))
        .routes(routes!(delete_session_by_id))
}

impl FromRequestParts<Arc<App>> for Visiting {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Error> {
        let context = RequestContext::of(&parts.extensions)?;
        let user_agent =
            parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        Ok(Self(Visitor {
            request_id: context.id,
            address: context.address,
            device: cookie(&parts.headers, DEVICE_COOKIE)?.map(str::to_owned),
            user_agent: user_agent.to_owned(),
        }))
    }
}

impl SessionView {
    fn of(session: &Session, current: &Session) -> Self {
        Self {
            id: session.id,
            current: session.id == current.id,
            created_at: session.created_at.into(),
            seen_at: session.seen_at.into(),
            expires_at: session.expires_at.into(),
            client_address: session.client_address.clone(),
            user_agent: session.user_agent.clone(),
        }
    }
}

impl CurrentSession {
    async fn of(app: &App, person: &Person, session: &Session) -> Result<Self, Error> {
        let mut memberships = Vec::new();
        for Membership { account, role } in sessions::memberships(app, person.id).await? {
            let permissions = app.permissions_of(account.id, &role).await?;
            let permissions = permissions.iter().map(countersign_model::actor::Permission::as_str).collect();
            memberships.push(MembershipView { account: AccountView::of(&account), role, permissions });
        }
        Ok(Self {
            person: PersonView::of(person),
            session: SessionView::of(session, session),
            operator: person.operator,
            memberships,
            password_fresh_until: sessions::password_fresh_until(session).into(),
        })
    }
}

/// The answer to everything that begins a session: who it is, and the cookies.
pub(super) async fn begun(app: &App, begun: Begun) -> Result<impl IntoResponse + use<>, Error> {
    let cookies = [
        set_cookie(SESSION_COOKIE, &begun.cookie, app.settings.session_secs)?,
        set_cookie(DEVICE_COOKIE, &begun.device, DEVICE_SECS)?,
    ];
    let session = CurrentSession::of(app, &begun.person, &begun.session).await?;
    Ok((StatusCode::CREATED, axum::response::AppendHeaders(cookies), Json(session)))
}

fn set_cookie(name: &str, value: &str, secs: i64) -> Result<(HeaderName, HeaderValue), Error> {
    let text =
        Zeroizing::new(format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={secs}"));
    let mut value =
        HeaderValue::try_from(text.as_str()).map_err(|error| Error::internal("cookie", &error))?;
    value.set_sensitive(true);
    Ok((header::SET_COOKIE, value))
}

/// Sign in.
///
/// Whoever is unknown, wrong or locked gets one answer. Needs `Sec-Fetch-Site: same-origin`, or an `Origin` equal to the
/// public URL.
#[utoipa::path(post, path = "/session", tag = "session", request_body = SignIn,
    security(()),
    responses((status = 201, description = "Signed in; the session cookie is set", body = CurrentSession,
        headers(("Set-Cookie" = String, description = "The session cookie; `Secure`, `HttpOnly`, `SameSite=Lax`."))), ChangeProblems))]
async fn create_session(
    State(app): State<Arc<App>>,
    _: SameOrigin,
    Visiting(visitor): Visiting,
    Body(asked): Body<SignIn>,
) -> Result<impl IntoResponse, Error> {
    let session = sign_in::sign_in(&app, &visitor, &asked.email, &asked.password).await?;
    begun(&app, session).await
}

/// Show who is signed in.
///
/// With their accounts, and what they may do in each.
#[utoipa::path(get, path = "/session", tag = "session",
    security(("session" = [])),
    responses((status = 200, description = "Who is signed in", body = CurrentSession), ReadProblems))]
async fn get_session(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
) -> Result<Json<CurrentSession>, Error> {
    CurrentSession::of(&app, &signed_in.person, &signed_in.session).await.map(Json)
}

/// Sign out.
///
/// The session is over everywhere, not only in this browser.
#[utoipa::path(delete, path = "/session", tag = "session",
    security(("session" = [])),
    responses((status = 204, description = "Signed out; the cookie is dead everywhere",
        headers(("Set-Cookie" = String, description = "The session cookie; `Secure`, `HttpOnly`, `SameSite=Lax`."))), RaceProblems))]
async fn delete_session(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
) -> Result<impl IntoResponse, Error> {
    sessions::end(&app, &signed_in.caller, signed_in.session.id).await?;
    let cookie = set_cookie(SESSION_COOKIE, "", 0)?;
    Ok((StatusCode::NO_CONTENT, axum::response::AppendHeaders([cookie])))
}

/// Enter the password again.
///
/// The session goes on under a new cookie; for five minutes secrets can be shown.
#[utoipa::path(post, path = "/session/password", tag = "session", request_body = PasswordAgain,
    security(("session" = [])),
    responses((status = 200, description = "The password was right; a new cookie is set", body = CurrentSession,
        headers(("Set-Cookie" = String, description = "The session cookie; `Secure`, `HttpOnly`, `SameSite=Lax`."))), RaceProblems))]
async fn renew_session(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Body(asked): Body<PasswordAgain>,
) -> Result<impl IntoResponse, Error> {
    let (session, value) = sessions::renew(&app, &signed_in.caller, &asked.password).await?;
    let left = (session.expires_at.unix_secs() - app.clock.wall().unix_secs()).max(0);
    let cookie = set_cookie(SESSION_COOKIE, &value, left)?;
    let current = CurrentSession::of(&app, &signed_in.person, &session).await?;
    Ok((axum::response::AppendHeaders([cookie]), Json(current)))
}

/// List my sessions.
///
/// Those that are live, newest first.
#[utoipa::path(get, path = "/sessions", tag = "session",
    security(("session" = [])),
    responses((status = 200, description = "Live sessions, newest first", body = PageOf<SessionView>), ReadProblems))]
async fn list_sessions(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
) -> Result<Json<PageOf<SessionView>>, Error> {
    let live = sessions::list(&app, &signed_in.person).await?;
    Ok(Json(PageOf::whole(live.iter().map(|session| SessionView::of(session, &signed_in.session)).collect())))
}

/// End all my sessions but this one.
///
/// Whoever uses another of them is signed out at once.
#[utoipa::path(delete, path = "/sessions", tag = "session",
    security(("session" = [])),
    responses((status = 204, description = "They are ended"), ChangeProblems))]
async fn delete_other_sessions(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
) -> Result<StatusCode, Error> {
    sessions::end_others(&app, &signed_in.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End one of my sessions.
///
/// Whoever uses it is signed out at once.
#[utoipa::path(delete, path = "/sessions/{session_id}", tag = "session",
    params(("session_id" = inline(words::SessionId), Path, description = "Id of the session")),
    security(("session" = [])),
    responses((status = 204, description = "It is ended"), RaceProblems))]
async fn delete_session_by_id(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Id(id): Id<OfSession>,
) -> Result<StatusCode, Error> {
    sessions::end(&app, &signed_in.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
