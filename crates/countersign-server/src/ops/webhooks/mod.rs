//! Webhooks of accounts and of the platform: who is told by a signed request. The secret a webhook is signed with is in
//! the answer that makes it and nowhere else; it is kept sealed, because it has to be used again.

mod deliver;
mod secret;

use countersign_model::{
    event::Event,
    id::{AccountId, UserId, WebhookId},
    name::Description,
};
use countersign_store::{
    Audience, AuditDraft, Delivery, DeliveryFilter, FormerSecret, Notice, Page, PageAsk, Webhook,
    WebhookState, Write,
};
use serde_json::{Value, json};

pub use deliver::deliver;
pub(in crate::ops) use secret::reseal;

use crate::{
    app::App,
    caller::{Caller, Deed, Identity},
    error::{Error, Kind},
    limits::{WEBHOOK_FORMER_SECRET_SECS, WEBHOOKS_MAX},
    rights::{Granted, ManageAccount, Operator},
    webhooks::SigningSecret,
};

/// Whose webhooks, with the proof that the caller may manage them.
#[derive(Clone, Copy)]
pub enum Owner<'p> {
    /// An account's.
    Account(&'p Granted<ManageAccount>),
    /// The platform's.
    Platform(&'p Operator),
}

/// What a webhook is made of.
pub struct NewWebhook {
    /// Where requests go.
    pub url: String,
    /// What it is for.
    pub description: Description,
    /// The events it hears; empty: all of them.
    pub events: Vec<Event>,
}

/// What may change about a webhook; absent is unchanged.
#[derive(Default)]
pub struct WebhookEdit {
    /// Where requests go.
    pub url: Option<String>,
    /// What it is for.
    pub description: Option<Description>,
    /// The events it hears.
    pub events: Option<Vec<Event>>,
    /// Whether it is told anything.
    pub state: Option<WebhookState>,
}

impl Owner<'_> {
    fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(granted) => Some(granted.account.id),
            Self::Platform(_) => None,
        }
    }

    fn caller(&self) -> &Caller {
        match self {
            Self::Account(granted) => &granted.caller,
            Self::Platform(operator) => &operator.caller,
        }
    }

    fn person(&self) -> Option<UserId> {
        match &self.caller().identity {
            Identity::Person { person, .. } => Some(person.id),
            _ => None,
        }
    }

    fn audit(&self, app: &App, deed: Deed<'_>) -> AuditDraft {
        match self {
            Self::Account(granted) => granted.audit(app, deed),
            Self::Platform(operator) => operator.audit(app, None, deed),
        }
    }
}

/// The webhooks, oldest first.
pub async fn list(app: &App, owner: Owner<'_>) -> Result<Vec<Webhook>, Error> {
    Ok(app.store.webhooks(owner.account()).await?)
}

/// One of them.
pub async fn find(app: &App, owner: Owner<'_>, id: WebhookId) -> Result<Webhook, Error> {
    app.store.webhook_of(owner.account(), id).await?.ok_or_else(Error::not_found)
}

/// Makes a webhook; its secret is in this answer and nowhere else.
pub async fn create(app: &App, owner: Owner<'_>, new: NewWebhook) -> Result<(Webhook, SigningSecret), Error> {
    let url = checked_url(app, &new.url).await?;
    let now = app.clock.wall();
    let id = app.random.id(now)?;
    let signing = SigningSecret::mint(&app.random)?;
    let webhook = Webhook {
        id,
        account: owner.account(),
        url,
        description: new.description.as_str().to_owned(),
        events: each_once(new.events),
        state: WebhookState::Enabled,
        secret: secret::seal(app, id, &signing)?,
        former: None,
        failing_since: None,
        edit: 1,
        created_at: now,
        created_by: owner.person(),
    };
    let entry = owner.audit(app, deed("webhook.create", &webhook, Value::Null, facts(&webhook)));
    app.commit(Write::new(entry).insert_webhook(&webhook, WEBHOOKS_MAX)).await?;
    Ok((webhook, signing))
}

/// Changes a webhook that was seen with this edit number. One that is enabled starts anew: what failed is forgotten.
pub async fn edit(
    app: &App,
    owner: Owner<'_>,
    id: WebhookId,
    seen: u64,
    edit: WebhookEdit,
) -> Result<Webhook, Error> {
    let before = find(app, owner, id).await?;
    let mut after = Webhook { edit: seen, ..before.clone() };
    if let Some(url) = edit.url {
        after.url = checked_url(app, &url).await?;
    }
    if let Some(description) = edit.description {
        description.as_str().clone_into(&mut after.description);
    }
    if let Some(events) = edit.events {
        after.events = each_once(events);
    }
    if let Some(state) = edit.state {
        after.state = state;
        after.failing_since = None;
    }
    let entry = owner.audit(app, deed("webhook.update", &after, facts(&before), facts(&after)));
    app.commit(Write::new(entry).update_webhook(&after)).await?;
    find(app, owner, id).await
}

/// Gives a webhook a new secret. For a day requests are signed with the one before too, so that its receiver can change
/// over without losing any; a secret that was still replaced by it ends now.
pub async fn rotate(app: &App, owner: Owner<'_>, id: WebhookId) -> Result<(Webhook, SigningSecret), Error> {
    let before = find(app, owner, id).await?;
    let signing = SigningSecret::mint(&app.random)?;
    let ends_at = app.clock.wall().plus_secs(WEBHOOK_FORMER_SECRET_SECS);
    let after = Webhook {
        secret: secret::seal(app, id, &signing)?,
        former: Some(FormerSecret { sealed: before.secret.clone(), ends_at }),
        ..before.clone()
    };
    let entry = owner.audit(app, deed("webhook.rotate", &after, facts(&before), facts(&after)));
    app.commit(Write::new(entry).update_webhook(&after)).await?;
    Ok((find(app, owner, id).await?, signing))
}

/// Deletes a webhook; it is told nothing from now on.
pub async fn delete(app: &App, owner: Owner<'_>, id: WebhookId) -> Result<(), Error> {
    let webhook = find(app, owner, id).await?;
    let entry = owner.audit(app, deed("webhook.delete", &webhook, facts(&webhook), Value::Null));
    app.commit(Write::new(entry).delete_webhook(&webhook)).await?;
    Ok(())
}

/// Posts a message to this webhook alone. What comes of it stands among its deliveries.
pub async fn test(app: &App, owner: Owner<'_>, id: WebhookId) -> Result<(), Error> {
    let webhook = find(app, owner, id).await?;
    if webhook.state == WebhookState::Disabled {
        let detail = "The webhook is disabled; enable it first.";
        return Err(Error::new(Kind::Conflict, "webhook_disabled", detail));
    }
    let now = app.clock.wall();
    let notice = Notice {
        id: app.random.id(now)?,
        at: now,
        account: webhook.account,
        event: Event::WebhookTest,
        token: None,
        label: host_of(&webhook.url),
        facts: json!({ "webhook": id, "actor": owner.caller().label() }),
        once: None,
    };
    let entry = owner.audit(app, deed("webhook.test", &webhook, Value::Null, Value::Null));
    app.commit(Write::new(entry).post(&notice, Audience::Webhook(id))).await?;
    Ok(())
}

/// What was sent to a webhook, or is to be, newest first.
pub async fn deliveries(
    app: &App,
    owner: Owner<'_>,
    id: WebhookId,
    page: &PageAsk,
) -> Result<Page<Delivery>, Error> {
    find(app, owner, id).await?;
    let filter = DeliveryFilter { target: Some(id.to_string()), ..DeliveryFilter::default() };
    Ok(match owner.account() {
        Some(account) => app.store.within(account).deliveries(&filter, page).await?,
        None => app.store.deliveries(&filter, page).await?,
    })
}

async fn checked_url(app: &App, text: &str) -> Result<String, Error> {
    let url = app.webhooks.guard().check(text).await.map_err(|refusal| Error::invalid("url", refusal))?;
    Ok(url.into())
}

fn each_once(events: Vec<Event>) -> Vec<Event> {
    let mut events = events;
    events.sort_unstable();
    events.dedup();
    events
}

fn deed<'w>(action: &'static str, webhook: &'w Webhook, before: Value, after: Value) -> Deed<'w> {
    Deed { action, subject: webhook.id.to_string(), subject_label: bare(&webhook.url), before, after }
}

/// What the audit trail keeps. What stands behind `?` is left out: some receivers put a secret there.
fn facts(webhook: &Webhook) -> Value {
    json!({
        "url": bare(&webhook.url),
        "description": webhook.description,
        "events": webhook.events,
        "enabled": webhook.state == WebhookState::Enabled,
        "former_secret_ends_at": webhook.former.as_ref().map(|former| former.ends_at.to_string()),
    })
}

fn bare(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

fn host_of(url: &str) -> String {
    let authority = bare(url).split("//").nth(1).and_then(|rest| rest.split('/').next());
    authority.unwrap_or_default().to_owned()
}
