//! Announcements of the operator, from draft to delivery.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::{
    announcement::{Body as Text, Subject},
    id::{AnnouncementId, OfAnnouncement, UserId},
};
use countersign_store::{Announcement, AnnouncementState, Recipient, RecipientStanding};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    deliveries::DeliveryView,
    extract::{
        AsOperator, Body, Id, IfMatch, ListPlace, NoBody, PageParameters, Query, edit_tag, present,
        seal_cursor,
    },
    page::PageOf,
    problem::{ChangeProblems, EditProblems, RaceProblems, ReadProblems},
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::announcements::{self, Draft},
};

/// An announcement.
#[derive(Serialize, ToSchema)]
struct AnnouncementView {
    /// Its id.
    #[schema(value_type = words::AnnouncementId)]
    id: AnnouncementId,
    /// The subject in English.
    #[schema(max_length = 200)]
    subject: String,
    /// The text in English, plain.
    #[schema(max_length = 10_000)]
    body: String,
    /// The subject in Chinese; empty: the English one.
    #[schema(max_length = 200)]
    subject_zh: String,
    /// The text in Chinese; empty: the English one.
    #[schema(max_length = 10_000)]
    body_zh: String,
    /// Where more is told.
    #[schema(max_length = 2_048)]
    link: Option<String>,
    /// Accounts of these kinds; empty: of every kind.
    #[schema(value_type = Vec<words::CatalogId>)]
    kinds: Vec<String>,
    /// Those with a token of these versions; empty: every account.
    #[schema(value_type = Vec<words::ApiVersion>)]
    versions: Vec<u16>,
    /// How far it is.
    state: Progress,
    /// To how many addresses the outbox has it.
    posted: u64,
    /// Counts the edits: the ETag.
    edit: u64,
    /// When it was begun.
    created_at: Moment,
    /// Who began it.
    created_by: String,
    /// When somebody had it sent.
    sent_at: Option<Moment>,
    /// When the outbox had it for everybody.
    finished_at: Option<Moment>,
}

/// How far an announcement is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AnnouncementState)]
enum Progress {
    /// It can be changed; nobody has it.
    Draft,
    /// It is being handed to the outbox.
    Sending,
    /// The outbox has it for everybody.
    Sent,
}

/// Whether somebody hears, or why not.
#[derive(Serialize, ToSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
#[schema(as = RecipientStanding)]
enum Standing {
    /// They do.
    Hears,
    /// They want no more than what is about security.
    Unsubscribed,
    /// They were asked to confirm their address and have not.
    Unconfirmed,
    /// Their mail server refused the address.
    Bounced,
    /// They were switched off on this platform.
    SwitchedOff,
}

/// One address of an audience.
#[derive(Serialize, ToSchema)]
struct RecipientView {
    /// The address.
    #[schema(value_type = words::EmailAddress)]
    email: String,
    /// The person, where it is one we know.
    #[schema(value_type = Option<words::UserId>)]
    person: Option<UserId>,
    /// The language it is written in for them.
    #[schema(value_type = words::Language)]
    language: String,
    /// Whether they hear, or why not.
    standing: Standing,
}

/// Whom an announcement reaches.
#[derive(Serialize, ToSchema)]
struct AudienceView {
    /// How many addresses stand in which way; a way nobody stands in is absent.
    counts: BTreeMap<Standing, u64>,
    /// The addresses, in their order.
    items: Vec<RecipientView>,
    /// What to send as `after` for the next page; `null` at the end.
    #[schema(value_type = Option<words::Cursor>)]
    next: Option<String>,
}

/// What became of an announcement.
#[derive(Serialize, ToSchema)]
struct AnnouncementDeliveries {
    /// How many deliveries are in which state; a state none is in is absent.
    counts: BTreeMap<String, u64>,
    /// The deliveries, by address.
    items: Vec<DeliveryView>,
    /// What to send as `after` for the next page; `null` at the end.
    #[schema(value_type = Option<words::Cursor>)]
    next: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAnnouncement {
    /// The subject in English: 1 to 200 characters on one line.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    subject: Subject,
    /// The text in English: plain, 1 to 10,000 characters, line feeds allowed.
    #[schema(value_type = String, min_length = 1, max_length = 10_000)]
    body: Text,
    /// The subject in Chinese; empty: the English one.
    #[serde(default)]
    #[schema(value_type = String, max_length = 200)]
    subject_zh: Subject,
    /// The text in Chinese; empty: the English one.
    #[serde(default)]
    #[schema(value_type = String, max_length = 10_000)]
    body_zh: Text,
    /// Where more is told: an https URL.
    #[schema(format = "uri", max_length = 2_048)]
    link: Option<String>,
    /// Accounts of these kinds; of every kind when empty or absent.
    #[serde(default)]
    #[schema(value_type = Vec<words::CatalogId>)]
    kinds: Vec<String>,
    /// Those with a token of these versions; every account when empty or absent.
    #[serde(default)]
    #[schema(value_type = Vec<words::ApiVersion>)]
    versions: Vec<u16>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null are two things in a PATCH")]
struct AnnouncementPatch {
    /// The subject in English.
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 200)]
    subject: Option<Subject>,
    /// The text in English.
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 10_000)]
    body: Option<Text>,
    /// The subject in Chinese; empty: the English one.
    #[schema(value_type = Option<String>, nullable = false, max_length = 200)]
    subject_zh: Option<Subject>,
    /// The text in Chinese; empty: the English one.
    #[schema(value_type = Option<String>, nullable = false, max_length = 10_000)]
    body_zh: Option<Text>,
    /// Where more is told; `null` takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = "uri", max_length = 2_048)]
    link: Option<Option<String>>,
    /// Accounts of these kinds; empty: of every kind.
    #[schema(value_type = Option<Vec<words::CatalogId>>, nullable = false)]
    kinds: Option<Vec<String>>,
    /// Those with a token of these versions; empty: every account.
    #[schema(value_type = Option<Vec<words::ApiVersion>>, nullable = false)]
    versions: Option<Vec<u16>>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_announcements, create_announcement))
        .routes(routes!(get_announcement, patch_announcement, delete_announcement))
        .routes(routes!(show_announcement_audience))
        .routes(routes!(send_announcement))
        .routes(routes!(list_announcement_deliveries))
}

const LIST: ListPlace = ListPlace { list: "announcements", account: None };
const AUDIENCE: ListPlace = ListPlace { list: "announcement audience", account: None };
const DELIVERIES: ListPlace = ListPlace { list: "announcement deliveries", account: None };

fn view(announcement: &Announcement) -> AnnouncementView {
    AnnouncementView {
        id: announcement.id,
        subject: announcement.subject.clone(),
        body: announcement.body.clone(),
        subject_zh: announcement.subject_zh.clone(),
        body_zh: announcement.body_zh.clone(),
        link: announcement.link.clone(),
        kinds: announcement.audience.kinds.clone(),
        versions: announcement.audience.versions.iter().map(|version| version.0).collect(),
        state: match announcement.state {
            AnnouncementState::Draft => Progress::Draft,
            AnnouncementState::Sending => Progress::Sending,
            AnnouncementState::Sent => Progress::Sent,
        },
        posted: announcement.posted,
        edit: announcement.edit,
        created_at: announcement.created_at.into(),
        created_by: announcement.created_by.clone(),
        sent_at: announcement.sent_at.map(Into::into),
        finished_at: announcement.finished_at.map(Into::into),
    }
}

impl From<RecipientStanding> for Standing {
    fn from(standing: RecipientStanding) -> Self {
        match standing {
            RecipientStanding::Hears => Self::Hears,
            RecipientStanding::Unsubscribed => Self::Unsubscribed,
            RecipientStanding::Unconfirmed => Self::Unconfirmed,
            RecipientStanding::Bounced => Self::Bounced,
            RecipientStanding::SwitchedOff => Self::SwitchedOff,
        }
    }
}

impl From<Recipient> for RecipientView {
    fn from(recipient: Recipient) -> Self {
        Self {
            email: recipient.email.as_str().to_owned(),
            person: recipient.person,
            language: recipient.language,
            standing: recipient.standing.into(),
        }
    }
}

impl From<NewAnnouncement> for Draft {
    fn from(new: NewAnnouncement) -> Self {
        Self {
            subject: Some(new.subject),
            body: Some(new.body),
            subject_zh: Some(new.subject_zh),
            body_zh: Some(new.body_zh),
            link: Some(new.link),
            kinds: Some(new.kinds),
            versions: Some(new.versions),
        }
    }
}

impl From<AnnouncementPatch> for Draft {
    fn from(patch: AnnouncementPatch) -> Self {
        Self {
            subject: patch.subject,
            body: patch.body,
            subject_zh: patch.subject_zh,
            body_zh: patch.body_zh,
            link: patch.link,
            kinds: patch.kinds,
            versions: patch.versions,
        }
    }
}

/// List announcements.
///
/// Newest first, drafts among them. Operators only.
#[utoipa::path(get, path = "/announcements", tag = "announcements", params(PageParameters),
    responses((status = 200, description = "Announcements, newest first", body = PageOf<AnnouncementView>), ReadProblems))]
async fn list_announcements(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Query(page): Query<PageParameters>,
) -> Result<Json<PageOf<AnnouncementView>>, Error> {
    let found = announcements::list(&app, &operator, &page.open(&app, LIST)?).await?;
    PageOf::of(&app, LIST, found, |announcement| view(&announcement)).map(Json)
}

/// Begin an announcement.
///
/// A draft that nobody gets until it is sent. Operators only.
#[utoipa::path(post, path = "/announcements", tag = "announcements", request_body = NewAnnouncement,
    responses((status = 201, description = "Begun", body = AnnouncementView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), ChangeProblems))]
async fn create_announcement(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Body(new): Body<NewAnnouncement>,
) -> Result<impl IntoResponse, Error> {
    let draft = announcements::create(&app, &operator, new.into()).await?;
    Ok((StatusCode::CREATED, edit_tag(draft.edit), Json(view(&draft))))
}

/// Show an announcement.
///
/// Its texts, whom it is for, and how far it is. Operators only.
#[utoipa::path(get, path = "/announcements/{announcement_id}", tag = "announcements",
    params(("announcement_id" = inline(words::AnnouncementId), Path, description = "Id of the announcement")),
    responses((status = 200, description = "The announcement; its ETag is for If-Match", body = AnnouncementView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), ReadProblems))]
async fn get_announcement(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfAnnouncement>,
) -> Result<impl IntoResponse, Error> {
    let announcement = announcements::find(&app, &operator, id).await?;
    Ok((edit_tag(announcement.edit), Json(view(&announcement))))
}

/// Change a draft.
///
/// An absent field is unchanged. What was sent stays as it is. Operators only.
#[utoipa::path(patch, path = "/announcements/{announcement_id}", tag = "announcements", request_body = AnnouncementPatch,
    params(("announcement_id" = inline(words::AnnouncementId), Path, description = "Id of the announcement"),
        ("If-Match" = inline(words::EditTag), Header, description = "The ETag of the announcement as it was seen")),
    responses((status = 200, description = "As it is now", body = AnnouncementView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), EditProblems))]
async fn patch_announcement(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfAnnouncement>,
    IfMatch(seen): IfMatch,
    Body(patch): Body<AnnouncementPatch>,
) -> Result<impl IntoResponse, Error> {
    let draft = announcements::edit(&app, &operator, id, seen, patch.into()).await?;
    Ok((edit_tag(draft.edit), Json(view(&draft))))
}

/// Delete a draft.
///
/// What was sent stays. Operators only.
#[utoipa::path(delete, path = "/announcements/{announcement_id}", tag = "announcements",
    params(("announcement_id" = inline(words::AnnouncementId), Path, description = "Id of the announcement")),
    responses((status = 204, description = "It is deleted"), RaceProblems))]
async fn delete_announcement(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfAnnouncement>,
) -> Result<StatusCode, Error> {
    announcements::delete(&app, &operator, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show whom an announcement reaches.
///
/// As things are now: contacts and confirmed developers of the tokens it is for, and administrators of accounts that have
/// none; each address once, with those who would not hear and why. Operators only.
#[utoipa::path(get, path = "/announcements/{announcement_id}/audience", tag = "announcements",
    params(("announcement_id" = inline(words::AnnouncementId), Path, description = "Id of the announcement"), PageParameters),
    responses((status = 200, description = "Counts, and addresses in their order", body = AudienceView), ReadProblems))]
async fn show_announcement_audience(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfAnnouncement>,
    Query(page): Query<PageParameters>,
) -> Result<Json<AudienceView>, Error> {
    let page = page.open(&app, AUDIENCE)?;
    let (counts, found) = announcements::audience(&app, &operator, id, &page).await?;
    Ok(Json(AudienceView {
        counts: counts.into_iter().map(|(standing, count)| (standing.into(), count)).collect(),
        items: found.rows.into_iter().map(Into::into).collect(),
        next: seal_cursor(&app, AUDIENCE, found.next)?,
    }))
}

/// Send an announcement.
///
/// As it was seen. It is handed to the outbox in the background, each address once, and can no longer be changed.
/// Operators only.
#[utoipa::path(post, path = "/announcements/{announcement_id}/send", tag = "announcements",
    params(("announcement_id" = inline(words::AnnouncementId), Path, description = "Id of the announcement"),
        ("If-Match" = inline(words::EditTag), Header, description = "The ETag of the announcement as it was seen")),
    responses((status = 202, description = "It is being sent", body = AnnouncementView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), EditProblems))]
async fn send_announcement(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfAnnouncement>,
    IfMatch(seen): IfMatch,
    _: NoBody,
) -> Result<impl IntoResponse, Error> {
    let sending = announcements::send(&app, &operator, id, seen).await?;
    Ok((StatusCode::ACCEPTED, edit_tag(sending.edit), Json(view(&sending))))
}

/// List who got an announcement.
///
/// By address, with the state of each delivery; and how many are in which state. Operators only.
#[utoipa::path(get, path = "/announcements/{announcement_id}/deliveries", tag = "announcements",
    params(("announcement_id" = inline(words::AnnouncementId), Path, description = "Id of the announcement"), PageParameters),
    responses((status = 200, description = "Counts, and deliveries by address", body = AnnouncementDeliveries), ReadProblems))]
async fn list_announcement_deliveries(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfAnnouncement>,
    Query(page): Query<PageParameters>,
) -> Result<Json<AnnouncementDeliveries>, Error> {
    let page = page.open(&app, DELIVERIES)?;
    let (counts, found) = announcements::deliveries(&app, &operator, id, &page).await?;
    Ok(Json(AnnouncementDeliveries {
        counts: counts.into_iter().collect(),
        items: found.rows.iter().map(|delivery| DeliveryView::of(&app, delivery)).collect(),
        next: seal_cursor(&app, DELIVERIES, found.next)?,
    }))
}
