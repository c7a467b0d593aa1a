//! Webhooks on the wire: what an account's and the platform's have in common. A secret is shown by the answer that makes
//! it and by no other.

mod of_account;
mod of_platform;

use std::sync::Arc;

use countersign_model::{
    event::Event,
    id::{UserId, WebhookId},
    name::Description,
};
use countersign_store::{Webhook, WebhookState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::{Moment, words};
use crate::{
    app::App,
    error::Error,
    ops::webhooks::{NewWebhook as New, WebhookEdit},
    webhooks::SigningSecret,
};

/// A webhook.
#[derive(Serialize, ToSchema)]
struct WebhookView {
    /// Its id.
    #[schema(value_type = words::WebhookId)]
    id: WebhookId,
    /// Where requests go.
    #[schema(value_type = words::WebhookUrl)]
    url: String,
    /// What it is for.
    #[schema(value_type = words::Description)]
    description: String,
    /// The events it hears; empty: all of them.
    #[schema(value_type = Vec<words::Event>, max_items = 50)]
    events: Vec<Event>,
    /// Whether it is told anything.
    enabled: bool,
    /// Since when nothing has arrived there; `null` while it works. After five days it is disabled.
    failing_since: Option<Moment>,
    /// Until when requests are signed with its former secret too.
    former_secret_ends_at: Option<Moment>,
    /// Counts the edits: the ETag.
    edit: u64,
    /// When it was made.
    created_at: Moment,
    /// Who made it, where it was a person.
    #[schema(value_type = Option<words::UserId>)]
    created_by: Option<UserId>,
}

/// A webhook with its secret.
#[derive(Serialize, ToSchema)]
struct WebhookWithSecret {
    /// The webhook.
    webhook: WebhookView,
    /// What its requests are signed with: in this answer and nowhere else.
    #[schema(pattern = "^whsec_[A-Za-z0-9+/]+=*$")]
    signing_secret: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWebhook {
    /// Where requests go.
    #[schema(value_type = words::WebhookUrl)]
    url: String,
    /// What it is for.
    #[serde(default)]
    #[schema(value_type = words::Description)]
    description: Description,
    /// The events it hears; all of them when empty or absent.
    #[serde(default)]
    #[schema(value_type = Vec<words::Event>, max_items = 50)]
    events: Vec<Event>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookPatch {
    /// Where requests go.
    #[schema(value_type = Option<words::WebhookUrl>, nullable = false)]
    url: Option<String>,
    /// What it is for.
    #[schema(value_type = Option<words::Description>, nullable = false)]
    description: Option<Description>,
    /// The events it hears; empty: all of them.
    #[schema(value_type = Option<Vec<words::Event>>, nullable = false, max_items = 50)]
    events: Option<Vec<Event>>,
    /// Whether it is told anything. Enabling it forgets that it failed.
    enabled: Option<bool>,
}

/// The operations of both.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().merge(of_account::router()).merge(of_platform::router())
}

impl WebhookView {
    fn of(webhook: &Webhook) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url.clone(),
            description: webhook.description.clone(),
            events: webhook.events.clone(),
            enabled: webhook.state == WebhookState::Enabled,
            failing_since: webhook.failing_since.map(Into::into),
            former_secret_ends_at: webhook.former.as_ref().map(|former| former.ends_at.into()),
            edit: webhook.edit,
            created_at: webhook.created_at.into(),
            created_by: webhook.created_by,
        }
    }
}

impl WebhookWithSecret {
    fn of(webhook: &Webhook, secret: &SigningSecret) -> Self {
        Self { webhook: WebhookView::of(webhook), signing_secret: secret.expose().as_str().to_owned() }
    }
}

impl From<NewWebhook> for New {
    fn from(new: NewWebhook) -> Self {
        Self { url: new.url, description: new.description, events: new.events }
    }
}

impl WebhookPatch {
    fn into_edit(self) -> Result<WebhookEdit, Error> {
        if self.url.is_none() && self.description.is_none() && self.events.is_none() && self.enabled.is_none()
        {
            return Err(Error::invalid("body", "it must change something"));
        }
        let state = self.enabled.map(|on| if on { WebhookState::Enabled } else { WebhookState::Disabled });
        Ok(WebhookEdit { url: self.url, description: self.description, events: self.events, state })
    }
}
