//! Webhooks of an account.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use countersign_model::id::OfWebhook;
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    super::{
        deliveries::DeliveryView,
        extract::{Body, Id, IfMatch, In, ListPlace, NoBody, PageParameters, Query, edit_tag},
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
    rights::ManageAccount,
};

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_account_webhooks, create_account_webhook))
        .routes(routes!(get_account_webhook, patch_account_webhook, delete_account_webhook))
        .routes(routes!(rotate_account_webhook))
        .routes(routes!(test_account_webhook))
        .routes(routes!(list_account_webhook_deliveries))
}

/// List an account's webhooks.
///
/// Oldest first, without their secrets. Needs `account.manage`.
#[utoipa::path(get, path = "/accounts/{account_id}/webhooks", tag = "webhooks",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account")),
    responses((status = 200, description = "All of them, oldest first", body = PageOf<WebhookView>), ReadProblems))]
async fn list_account_webhooks(
    State(app): State<Arc<App>>,
    In(granted): In<ManageAccount>,
) -> Result<Json<PageOf<WebhookView>>, Error> {
    let all = webhooks::list(&app, Owner::Account(&granted)).await?;
    Ok(Json(PageOf::whole(all.iter().map(WebhookView::of).collect())))
}

/// Create an account's webhook.
///
/// It must lead to the public internet by https. Its secret is shown once. Needs `account.manage`.
#[utoipa::path(post, path = "/accounts/{account_id}/webhooks", tag = "webhooks", request_body = NewWebhook,
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account")),
    responses((status = 201, description = "Created; its secret is shown once", body = WebhookWithSecret,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), ChangeProblems))]
async fn create_account_webhook(
    State(app): State<Arc<App>>,
    In(granted): In<ManageAccount>,
    Body(new): Body<NewWebhook>,
) -> Result<impl IntoResponse, Error> {
    let (webhook, secret) = webhooks::create(&app, Owner::Account(&granted), new.into()).await?;
    let created = WebhookWithSecret::of(&webhook, &secret);
    Ok((StatusCode::CREATED, edit_tag(webhook.edit), Json(created)))
}

/// Show an account's webhook.
///
/// Without its secret. Needs `account.manage`.
#[utoipa::path(get, path = "/accounts/{account_id}/webhooks/{webhook_id}", tag = "webhooks",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook")),
    responses((status = 200, description = "The webhook; its ETag is for If-Match", body = WebhookView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), ReadProblems))]
async fn get_account_webhook(
    State(app): State<Arc<App>>,
    In(granted): In<ManageAccount>,
    Id(id): Id<OfWebhook>,
) -> Result<impl IntoResponse, Error> {
    let webhook = webhooks::find(&app, Owner::Account(&granted), id).await?;
    Ok((edit_tag(webhook.edit), Json(WebhookView::of(&webhook))))
}

/// Change an account's webhook.
///
/// Where it leads, what it hears, whether it is enabled. An absent field is unchanged. Needs `account.manage`.
#[utoipa::path(patch, path = "/accounts/{account_id}/webhooks/{webhook_id}", tag = "webhooks", request_body = WebhookPatch,
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook"),
        ("If-Match" = inline(words::EditTag), Header, description = "The ETag of the webhook as it was seen")),
    responses((status = 200, description = "As it is now", body = WebhookView,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), EditProblems))]
async fn patch_account_webhook(
    State(app): State<Arc<App>>,
    In(granted): In<ManageAccount>,
    Id(id): Id<OfWebhook>,
    IfMatch(seen): IfMatch,
    Body(patch): Body<WebhookPatch>,
) -> Result<impl IntoResponse, Error> {
    let webhook = webhooks::edit(&app, Owner::Account(&granted), id, seen, patch.into_edit()?).await?;
    Ok((edit_tag(webhook.edit), Json(WebhookView::of(&webhook))))
}

/// Delete an account's webhook.
///
/// It is told nothing from now on. Needs `account.manage`.
#[utoipa::path(delete, path = "/accounts/{account_id}/webhooks/{webhook_id}", tag = "webhooks",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook")),
    responses((status = 204, description = "It is deleted"), RaceProblems))]
async fn delete_account_webhook(
    State(app): State<Arc<App>>,
    In(granted): In<ManageAccount>,
    Id(id): Id<OfWebhook>,
) -> Result<StatusCode, Error> {
    webhooks::delete(&app, Owner::Account(&granted), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give an account's webhook a new secret.
///
/// It is shown once. For 24 hours requests are signed with the former one too. Needs `account.manage`.
#[utoipa::path(post, path = "/accounts/{account_id}/webhooks/{webhook_id}/rotate", tag = "webhooks",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook")),
    responses((status = 200, description = "Its new secret, shown once", body = WebhookWithSecret,
        headers(("ETag" = String, description = "The number of its edit, for `If-Match`."))), RaceProblems))]
async fn rotate_account_webhook(
    State(app): State<Arc<App>>,
    In(granted): In<ManageAccount>,
    Id(id): Id<OfWebhook>,
    _: NoBody,
) -> Result<impl IntoResponse, Error> {
    let (webhook, secret) = webhooks::rotate(&app, Owner::Account(&granted), id).await?;
    Ok((edit_tag(webhook.edit), Json(WebhookWithSecret::of(&webhook, &secret))))
}

/// Send a test to an account's webhook.
///
/// A message of the type `webhook.test`, to this webhook alone; what comes of it stands among its deliveries. Needs `account.manage`.
#[utoipa::path(post, path = "/accounts/{account_id}/webhooks/{webhook_id}/test", tag = "webhooks",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook")),
    responses((status = 202, description = "It is on its way"), RaceProblems))]
async fn test_account_webhook(
    State(app): State<Arc<App>>,
    In(granted): In<ManageAccount>,
    Id(id): Id<OfWebhook>,
    _: NoBody,
) -> Result<StatusCode, Error> {
    webhooks::test(&app, Owner::Account(&granted), id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// List what was sent to an account's webhook.
///
/// Or is to be: newest first, each with its last response code and how often it was tried. Needs `account.manage`.
#[utoipa::path(get, path = "/accounts/{account_id}/webhooks/{webhook_id}/deliveries", tag = "webhooks",
    params(("account_id" = inline(words::AccountId), Path, description = "Id of the account"),
        ("webhook_id" = inline(words::WebhookId), Path, description = "Id of the webhook"),
        PageParameters),
    responses((status = 200, description = "Its deliveries, newest first", body = PageOf<DeliveryView>), ReadProblems))]
async fn list_account_webhook_deliveries(
    State(app): State<Arc<App>>,
    In(granted): In<ManageAccount>,
    Id(id): Id<OfWebhook>,
    Query(page): Query<PageParameters>,
) -> Result<Json<PageOf<DeliveryView>>, Error> {
    let place = ListPlace { list: "webhook deliveries", account: Some(granted.account.id) };
    let found = webhooks::deliveries(&app, Owner::Account(&granted), id, &page.open(&app, place)?).await?;
    PageOf::of(&app, place, found, |delivery| DeliveryView::of(&app, &delivery)).map(Json)
}
