//! One delivery to one webhook: what it is signed with, and what follows from how it went. A webhook that says it is gone,
//! or at which nothing arrived for days, is switched off, and the people who can mend it are told.

use countersign_model::{event::Event, id::WebhookId, time::Timestamp};
use countersign_store::{Audience, AuditDraft, Notice, PageAsk, PersonFilter, Webhook, WebhookState, Write};
use serde_json::{Value, json};

use super::{bare, facts, host_of, secret};
use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    limits::{PAGE_ROWS_MAX, WEBHOOK_FAILING_SECS_MAX},
    ops::members::administrator_role,
    outcome::SendOutcome,
    webhooks::Message,
};

/// HTTP 410: the receiver wants no more.
const GONE: u16 = 410;

/// Sends a message to a webhook once. An error is a failure of ours, and the delivery is to be tried again.
pub async fn deliver(
    app: &App,
    id: WebhookId,
    message_id: &str,
    payload: &Value,
) -> Result<SendOutcome, Error> {
    let refused = |reason: &str| Ok(SendOutcome::Refused { code: None, reason: reason.to_owned() });
    let Some(webhook) = app.store.webhook(id).await? else { return refused("the webhook was deleted") };
    if webhook.state == WebhookState::Disabled {
        return refused("the webhook is disabled");
    }
    let now = app.clock.wall();
    let secrets = secret::open(app, &webhook, now)?;
    let message = Message { id: message_id, at: now, payload };
    let outcome = app.webhooks.send(&webhook.url, &secrets, &message).await;
    match &outcome {
        SendOutcome::Sent { .. } => {
            if webhook.failing_since.is_some() {
                app.store.note_webhook_works(id).await?;
            }
        }
        SendOutcome::Refused { code: Some(GONE), reason } => switch_off(app, webhook, now, reason).await?,
        SendOutcome::Later { reason, .. } | SendOutcome::Refused { reason, .. } => {
            failed(app, webhook, now, reason).await?;
        }
    }
    Ok(outcome)
}

async fn failed(app: &App, webhook: Webhook, now: Timestamp, reason: &str) -> Result<(), Error> {
    match webhook.failing_since {
        None => app.store.note_webhook_fails(webhook.id, now).await?,
        Some(since) if since.plus_secs(WEBHOOK_FAILING_SECS_MAX) <= now => {
            switch_off(app, webhook, now, reason).await?;
        }
        Some(_) => {}
    }
    Ok(())
}

/// Switches a webhook off and tells those who can mend it. Somebody who changed it in the same moment is right.
async fn switch_off(app: &App, webhook: Webhook, now: Timestamp, reason: &str) -> Result<(), Error> {
    let since = webhook.failing_since.unwrap_or(now);
    let after = Webhook { state: WebhookState::Disabled, failing_since: Some(since), ..webhook };
    let mut told = facts(&after);
    told["reason"] = json!(reason);
    told["failing_since"] = json!(since.to_string());
    let entry = AuditDraft {
        account: after.account,
        ..Deed {
            action: "webhook.switch_off",
            subject: after.id.to_string(),
            subject_label: bare(&after.url),
            before: json!({ "enabled": true }),
            after: told,
        }
        .by_system(now)
    };
    let notice = Notice {
        id: app.random.id(now)?,
        at: now,
        account: after.account,
        event: Event::WebhookDisabled,
        token: None,
        label: host_of(&after.url),
        facts: json!({
            "webhook": after.id,
            "url": bare(&after.url),
            "since": since.to_string(),
            "reason": reason,
        }),
        once: None,
    };
    let write = Write::new(entry).update_webhook(&after);
    match app.commit(post(app, write, &notice).await?).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind == Kind::Stale => Ok(()),
        Err(error) => Err(error),
    }
}

/// To the administrators of its account; or to the operators, where it is the platform's.
async fn post(app: &App, write: Write, notice: &Notice) -> Result<Write, Error> {
    let Some(id) = notice.account else {
        let filter = PersonFilter { operators: true, ..PersonFilter::default() };
        let page = PageAsk { after: None, limit: PAGE_ROWS_MAX };
        let operators = app.store.people(&filter, &page).await?.rows;
        return Ok(operators
            .iter()
            .fold(write, |write, person| write.post(notice, Audience::Person(person.id))));
    };
    let Some(account) = app.store.account(id).await? else { return Ok(write) };
    let role = administrator_role(app, &account.kind)?;
    Ok(write.post(notice, Audience::Role(id, &role)))
}
