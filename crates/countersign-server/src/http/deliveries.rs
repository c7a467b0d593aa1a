//! What is on its way to people and machines: an account's own, and the platform's.

use std::sync::Arc;

use axum::{Json, extract::State};
use countersign_model::{event::Event, id::OfDelivery};
use countersign_store::{Attempt, Channel, Delivery, DeliveryFilter, DeliveryState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    extract::{AsOperator, Id, In, ListPlace, NoBody, PageParameters, Query},
    page::PageOf,
    problem::{ChangeProblems, ReadProblems},
    words,
};
use crate::{
    app::App,
    error::{Error, Kind},
    ops::deliveries,
    rights::{RetryDeliveries, ViewAudit},
};

/// A notice on its way to one recipient.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveryView {
    /// Its id.
    #[schema(value_type = words::DeliveryId)]
    id: String,
    /// The account whose it is; `null` for the platform's.
    #[schema(value_type = Option<words::AccountId>)]
    account_id: Option<String>,
    /// The token it is about.
    #[schema(value_type = Option<words::TokenId>)]
    token_id: Option<String>,
    /// What it tells.
    #[schema(value_type = words::Event)]
    event: Event,
    /// How it travels.
    #[schema(value_type = ChannelWord)]
    channel: &'static str,
    /// As what they are told: `contact`, `developer`, `person`, `address` or `webhook`.
    #[schema(value_type = RecipientWord)]
    kind: &'static str,
    /// The e-mail address, or the URL of the webhook without its query.
    address: String,
    /// The webhook.
    #[schema(value_type = Option<words::WebhookId>)]
    webhook_id: Option<String>,
    /// How far it is.
    #[schema(value_type = StateWord)]
    state: &'static str,
    /// What it waits for, beside its time: `no_mail_server` or `confirmation`.
    #[schema(value_type = Option<WaitsForWord>)]
    waits_for: Option<&'static str>,
    /// How often it was tried.
    tries: u32,
    /// With how many tries it is given up.
    tries_max: u32,
    /// When it is tried next, while it waits.
    next_at: Option<Moment>,
    /// What the last try was answered: an HTTP status or the reply code of a mail server.
    code: Option<u16>,
    /// Why the last try did not succeed.
    reason: Option<String>,
    /// When it was posted.
    created_at: Moment,
    /// When it was sent or given up.
    settled_at: Option<Moment>,
}

/// A delivery and its tries.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveryDetail {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// Its tries, newest first; the last 50 are kept.
    #[schema(max_items = 50)]
    attempts: Vec<AttemptView>,
}

/// One try.
#[derive(Debug, Serialize, ToSchema)]
struct AttemptView {
    /// Its number, from 1. A number that is missing was interrupted.
    number: u32,
    /// When it began.
    at: Moment,
    /// What was answered.
    code: Option<u16>,
    /// Why it did not succeed; `null` where it did.
    reason: Option<String>,
    /// How long it took, in milliseconds.
    millis: u32,
}

/// How the outbox stands.
#[derive(Debug, Serialize, ToSchema)]
struct OutboxView {
    /// By e-mail.
    mail: ChannelView,
    /// By webhook.
    webhook: ChannelView,
}

/// How one channel stands.
#[derive(Debug, Default, Serialize, ToSchema)]
struct ChannelView {
    /// Whether anything can be sent: for e-mail, whether a mail server is configured.
    open: bool,
    /// How many wait.
    waiting: u64,
    /// How many were given up.
    dead: u64,
    /// When the oldest that waits was posted.
    oldest_at: Option<Moment>,
}

/// How a delivery travels.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ChannelWord {
    /// By e-mail.
    Mail,
    /// By a signed HTTP request.
    Webhook,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StateWord {
    /// It is tried when its time comes.
    Waiting,
    /// Its address has not confirmed itself.
    Held,
    /// They have it.
    Sent,
    /// It was given up.
    Dead,
}

/// As what somebody is told.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RecipientWord {
    /// The primary contact, or a member with a role.
    Contact,
    /// A developer address.
    Developer,
    /// A person, as themselves.
    Person,
    /// An address, as such.
    Address,
    /// A machine.
    Webhook,
}

/// What a delivery waits for beside its time.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WaitsForWord {
    /// Nobody configured a mail server.
    NoMailServer,
    /// The address has not said yes.
    Confirmation,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveryQuery {
    /// How far they are.
    #[param(inline)]
    state: Option<StateWord>,
    /// How they travel.
    #[param(inline)]
    channel: Option<ChannelWord>,
    /// What they tell: `token.reset`.
    #[param(inline, value_type = Option<words::Event>)]
    event: Option<String>,
    /// The token they are about.
    #[param(inline, value_type = Option<words::TokenId>)]
    token_id: Option<String>,
    /// The `next` of the page before.
    #[param(inline, value_type = Option<words::Cursor>)]
    after: Option<String>,
    /// Rows at most; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_account_deliveries))
        .routes(routes!(get_account_delivery))
        .routes(routes!(retry_account_delivery))
        .routes(routes!(list_deliveries))
        .routes(routes!(get_delivery))
        .routes(routes!(retry_delivery))
        .routes(routes!(show_outbox))
}

impl DeliveryQuery {
    fn split(self) -> Result<(DeliveryFilter, PageParameters), Error> {
        let refuse =
            |field: &str, detail: &str| Error::new(Kind::Malformed, "query_invalid", detail).at_field(field);
        let event = self.event.map(|code| {
            Event::parse(&code).ok_or_else(|| refuse("event", "The parameter `event` is no event's code."))
        });
        let token = self.token_id.map(|id| {
            id.parse().map_err(|_| refuse("token_id", "The parameter `token_id` is no id of a token."))
        });
        let filter = DeliveryFilter {
            state: self.state.map(|state| match state {
                StateWord::Waiting => DeliveryState::Waiting,
                StateWord::Held => DeliveryState::Held,
                StateWord::Sent => DeliveryState::Sent,
                StateWord::Dead => DeliveryState::Dead,
            }),
            channel: self.channel.map(|channel| match channel {
                ChannelWord::Mail => Channel::Mail,
                ChannelWord::Webhook => Channel::Webhook,
            }),
            event: event.transpose()?,
            token: token.transpose()?,
            target: None,
        };
        Ok((filter, PageParameters { after: self.after, limit: self.limit }))
    }
}

impl DeliveryView {
    /// A delivery on the wire.
    pub(super) fn of(app: &App, delivery: &Delivery) -> Self {
        let is_webhook = delivery.channel == Channel::Webhook;
        // The query of a URL may hold a secret of the receiver's.
        let bare = delivery.address.split(['?', '#']).next().unwrap_or_default();
        let waits = delivery.state == DeliveryState::Waiting;
        let waits_for = match delivery.state {
            DeliveryState::Held => Some("confirmation"),
            DeliveryState::Waiting if !is_webhook && app.mailer.is_none() => Some("no_mail_server"),
            _ => None,
        };
        Self {
            id: delivery.id.to_string(),
            account_id: delivery.account.map(|id| id.to_string()),
            token_id: delivery.token.map(|id| id.to_string()),
            event: delivery.event,
            channel: delivery.channel.as_str(),
            kind: delivery.kind.as_str(),
            address: if is_webhook { bare.to_owned() } else { delivery.address.clone() },
            webhook_id: is_webhook.then(|| delivery.target.clone()),
            state: delivery.state.as_str(),
            waits_for,
            tries: delivery.tries,
            tries_max: delivery.tries_max,
            next_at: waits.then_some(Moment(delivery.next_at)),
            code: delivery.code,
            reason: delivery.reason.clone(),
            created_at: Moment(delivery.created_at),
            settled_at: delivery.settled_at.map(Moment),
        }
    }
}

impl DeliveryDetail {
    fn of(app: &App, (delivery, attempts): (Delivery, Vec<Attempt>)) -> Self {
        let attempts = attempts.into_iter().map(|attempt| AttemptView {
            number: attempt.number,
            at: Moment(attempt.at),
            code: attempt.code,
            reason: attempt.reason,
            millis: attempt.millis,
        });
        Self { delivery: DeliveryView::of(app, &delivery), attempts: attempts.collect() }
    }
}

/// List what an account's people and webhooks were told.
///
/// Newest first: what waits, what was sent, what was given up. Needs `audit.view`.
#[utoipa::path(get, path = "/accounts/{account_id}/deliveries", tag = "deliveries",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"), DeliveryQuery),
    responses((status = 200, description = "Deliveries, newest first", body = PageOf<DeliveryView>), ReadProblems))]
async fn list_account_deliveries(
    State(app): State<Arc<App>>,
    In(granted): In<ViewAudit>,
    Query(asked): Query<DeliveryQuery>,
) -> Result<Json<PageOf<DeliveryView>>, Error> {
    let place = ListPlace { list: "deliveries", account: Some(granted.account.id) };
    let (filter, page) = asked.split()?;
    let found = deliveries::list_of_account(&app, &granted, &filter, &page.open(&app, place)?).await?;
    PageOf::of(&app, place, found, |delivery| DeliveryView::of(&app, &delivery)).map(Json)
}

/// Show a delivery of an account.
///
/// With its tries. Needs `audit.view`.
#[utoipa::path(get, path = "/accounts/{account_id}/deliveries/{delivery_id}", tag = "deliveries",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("delivery_id" = inline(words::DeliveryId), Path, description = "Id of the delivery"),
    ),
    responses((status = 200, description = "The delivery", body = DeliveryDetail), ReadProblems))]
async fn get_account_delivery(
    State(app): State<Arc<App>>,
    In(granted): In<ViewAudit>,
    Id(id): Id<OfDelivery>,
) -> Result<Json<DeliveryDetail>, Error> {
    Ok(Json(DeliveryDetail::of(&app, deliveries::get_of_account(&app, &granted, id).await?)))
}

/// Try a delivery of an account again.
///
/// At once; one that was given up is tried as often as a new one. Needs `tokens.manage`.
#[utoipa::path(post, path = "/accounts/{account_id}/deliveries/{delivery_id}/retry", tag = "deliveries",
    params(
        ("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("delivery_id" = inline(words::DeliveryId), Path, description = "Id of the delivery"),
    ),
    responses((status = 200, description = "The delivery, waiting", body = DeliveryView), ChangeProblems))]
async fn retry_account_delivery(
    State(app): State<Arc<App>>,
    In(granted): In<RetryDeliveries>,
    Id(id): Id<OfDelivery>,
    _: NoBody,
) -> Result<Json<DeliveryView>, Error> {
    Ok(Json(DeliveryView::of(&app, &deliveries::retry_of_account(&app, &granted, id).await?)))
}

/// List what everybody was told.
///
/// Newest first, those of every account and of the platform. Operators only.
#[utoipa::path(get, path = "/deliveries", tag = "deliveries", params(DeliveryQuery),
    responses((status = 200, description = "Deliveries, newest first", body = PageOf<DeliveryView>), ReadProblems))]
async fn list_deliveries(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Query(asked): Query<DeliveryQuery>,
) -> Result<Json<PageOf<DeliveryView>>, Error> {
    let place = ListPlace { list: "deliveries", account: None };
    let (filter, page) = asked.split()?;
    let found = deliveries::list(&app, &operator, &filter, &page.open(&app, place)?).await?;
    PageOf::of(&app, place, found, |delivery| DeliveryView::of(&app, &delivery)).map(Json)
}

/// Show a delivery.
///
/// With its tries. Operators only.
#[utoipa::path(get, path = "/deliveries/{delivery_id}", tag = "deliveries",
    params(("delivery_id" = inline(words::DeliveryId), Path, description = "Id of the delivery")),
    responses((status = 200, description = "The delivery", body = DeliveryDetail), ReadProblems))]
async fn get_delivery(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfDelivery>,
) -> Result<Json<DeliveryDetail>, Error> {
    Ok(Json(DeliveryDetail::of(&app, deliveries::get(&app, &operator, id).await?)))
}

/// Try a delivery again.
///
/// At once; one that was given up is tried as often as a new one. Operators only.
#[utoipa::path(post, path = "/deliveries/{delivery_id}/retry", tag = "deliveries",
    params(("delivery_id" = inline(words::DeliveryId), Path, description = "Id of the delivery")),
    responses((status = 200, description = "The delivery, waiting", body = DeliveryView), ChangeProblems))]
async fn retry_delivery(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfDelivery>,
    _: NoBody,
) -> Result<Json<DeliveryView>, Error> {
    Ok(Json(DeliveryView::of(&app, &deliveries::retry(&app, &operator, id).await?)))
}

/// Show how the outbox stands.
///
/// What waits and what was given up, by channel, and whether mail can be sent at all. Operators only.
#[utoipa::path(get, path = "/outbox", tag = "deliveries",
    responses((status = 200, description = "How it stands", body = OutboxView), ReadProblems))]
async fn show_outbox(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
) -> Result<Json<OutboxView>, Error> {
    let standing = deliveries::standing(&app, &operator).await?;
    let view = |channel: Channel, open: bool| {
        let found = standing.iter().find(|standing| standing.channel == channel);
        found.map_or(ChannelView { open, ..ChannelView::default() }, |standing| ChannelView {
            open,
            waiting: standing.waiting,
            dead: standing.dead,
            oldest_at: standing.oldest.map(Moment),
        })
    };
    let (mail, webhook) = (view(Channel::Mail, app.mailer.is_some()), view(Channel::Webhook, true));
    Ok(Json(OutboxView { mail, webhook }))
}
