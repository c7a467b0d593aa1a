//! Webhooks of the platform, which hear of every account.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::id::OfWebhook;
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    super::{
        deliveries::DeliveryView,
        extract::{AsOperator, Body, Id, IfMatch, ListPlace, NoBody, PageParameters, Query, edit_tag},
        page::PageOf,
        problem::{ChangeProblems, EditProblems, RaceProblems, ReadProblems},
        words,
    },
    NewWebhook, WebhookPatch, WebhookView, WebhookWithSecret,
};
use crate::{
    app::App,
    error::Error,
    ops::webhooks::{self, Owner},
};

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_webhooks, create_webhook))
        .routes(routes!(get_webhook, patch_webhook, delete_webhook))
        .routes(routes!(rotate_webhook))
        .routes(routes!(test_webhook))
        .routes(routes!(list_webhook_deliveries))
}

/// List the platform's webhooks.
///
/// Oldest first, without their secrets. Operators only.
#[utoipa::path(get, path = "/webhooks", tag = "webhooks",
    responses((status = 200, description = "All of them, oldest first", body = PageOf<WebhookView>), ReadProblems))]
async fn list_webhooks(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
) -> Result<Json<PageOf<WebhookView>>, Error> {
    let all = webhooks::list(&app, Owner::Platform(&operator)).await?;
    Ok(Json(PageOf::whole(all.iter().map(WebhookView::of).collect())))
}

/// Create a platform webhook.
///
/// It must lead to the public internet by https. Its secret is shown once. Operators only.
#[utoipa::path(post, path = "/webhooks", tag = "webhooks", request_body = NewWebhook,
    responses((status = 201, description = "Created; its secret is shown once", body = WebhookWithSecret,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), ChangeProblems))]
async fn create_webhook(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Body(new): Body<NewWebhook>,
) -> Result<impl IntoResponse, Error> {
    let (webhook, secret) = webhooks::create(&app, Owner::Platform(&operator), new.into()).await?;
    let created = WebhookWithSecret::of(&webhook, &secret);
    Ok((StatusCode::CREATED, edit_tag(webhook.edit), Json(created)))
}

/// Show a platform webhook.
///
/// Without its secret. Operators only.
#[utoipa::path(get, path = "/webhooks/{webhook_id}", tag = "webhooks",
    params(("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook")),
    responses((status = 200, description = "The webhook; its ETag is for If-Match", body = WebhookView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), ReadProblems))]
async fn get_webhook(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfWebhook>,
) -> Result<impl IntoResponse, Error> {
    let webhook = webhooks::find(&app, Owner::Platform(&operator), id).await?;
    Ok((edit_tag(webhook.edit), Json(WebhookView::of(&webhook))))
}

/// Change a platform webhook.
///
/// Where it leads, what it hears, whether it is enabled. An absent field is unchanged. Operators only.
#[utoipa::path(patch, path = "/webhooks/{webhook_id}", tag = "webhooks", request_body = WebhookPatch,
    params(("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook"),
        ("If-Match" = inline(words::EditTag), Header, description = "The ETag of the webhook as it was seen")),
    responses((status = 200, description = "As it is now", body = WebhookView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), EditProblems))]
async fn patch_webhook(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfWebhook>,
    IfMatch(seen): IfMatch,
    Body(patch): Body<WebhookPatch>,
) -> Result<impl IntoResponse, Error> {
    let webhook = webhooks::edit(&app, Owner::Platform(&operator), id, seen, patch.into_edit()?).await?;
    Ok((edit_tag(webhook.edit), Json(WebhookView::of(&webhook))))
}

/// Delete a platform webhook.
///
/// It is told nothing from now on. Operators only.
#[utoipa::path(delete, path = "/webhooks/{webhook_id}", tag = "webhooks",
    params(("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook")),
    responses((status = 204, description = "It is deleted"), RaceProblems))]
async fn delete_webhook(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfWebhook>,
) -> Result<StatusCode, Error> {
    webhooks::delete(&app, Owner::Platform(&operator), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a platform webhook a new secret.
///
/// It is shown once. For 24 hours requests are signed with the former one too. Operators only.
#[utoipa::path(post, path = "/webhooks/{webhook_id}/rotate", tag = "webhooks",
    params(("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook")),
    responses((status = 200, description = "Its new secret, shown once", body = WebhookWithSecret,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), RaceProblems))]
async fn rotate_webhook(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfWebhook>,
    _: NoBody,
) -> Result<impl IntoResponse, Error> {
    let (webhook, secret) = webhooks::rotate(&app, Owner::Platform(&operator), id).await?;
    Ok((edit_tag(webhook.edit), Json(WebhookWithSecret::of(&webhook, &secret))))
}

/// Send a test to a platform webhook.
///
/// A message of the type `webhook.test`, to this webhook alone; what comes of it stands among its deliveries. Operators only.
#[utoipa::path(post, path = "/webhooks/{webhook_id}/test", tag = "webhooks",
    params(("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook")),
    responses((status = 202, description = "It is on its way"), RaceProblems))]
async fn test_webhook(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfWebhook>,
    _: NoBody,
) -> Result<StatusCode, Error> {
    webhooks::test(&app, Owner::Platform(&operator), id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// List what was sent to a platform webhook.
///
/// Or is to be: newest first, each with its last response code and how often it was tried. Operators only.
#[utoipa::path(get, path = "/webhooks/{webhook_id}/deliveries", tag = "webhooks",
    params(("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook"),
        PageParameters),
    responses((status = 200, description = "Its deliveries, newest first", body = PageOf<DeliveryView>), ReadProblems))]
async fn list_webhook_deliveries(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Id(id): Id<OfWebhook>,
    Query(page): Query<PageParameters>,
) -> Result<Json<PageOf<DeliveryView>>, Error> {
    let place = ListPlace { list: "webhook deliveries", account: None };
    let found = webhooks::deliveries(&app, Owner::Platform(&operator), id, &page.open(&app, place)?).await?;
    PageOf::of(&app, place, found, |delivery| DeliveryView::of(&app, &delivery)).map(Json)
}
