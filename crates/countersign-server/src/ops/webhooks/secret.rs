//! Secrets of webhooks at rest: sealed under the key of the installation, bound to their webhook. The present and the
//! former secret of one webhook are sealed alike, so that a rotation moves one without opening it.

use countersign_model::{id::WebhookId, time::Timestamp};
use countersign_store::Webhook;

use crate::{app::App, error::Error, webhooks::SigningSecret};

/// Seals the secret of a webhook.
pub(super) fn seal(app: &App, id: WebhookId, secret: &SigningSecret) -> Result<Vec<u8>, Error> {
    app.keys.installation().seal(&app.random, &context(&id.as_u128().to_be_bytes()), secret.bytes())
}

/// Opens every secret requests of this moment are signed with, the newest first.
pub(super) fn open(app: &App, webhook: &Webhook, now: Timestamp) -> Result<Vec<SigningSecret>, Error> {
    let (key, id) = (app.keys.installation(), webhook.id.as_u128().to_be_bytes());
    let former = webhook.former.as_ref().filter(|former| now < former.ends_at);
    let sealed = [Some(&webhook.secret), former.map(|former| &former.sealed)];
    let open = |sealed: &Vec<u8>| key.open(&context(&id), sealed).map(SigningSecret::from_bytes);
    sealed.into_iter().flatten().map(open).collect()
}

/// A sealed secret, sealed anew under the newest key.
pub(in crate::ops) fn reseal(app: &App, id: WebhookId, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let (key, id) = (app.keys.installation(), id.as_u128().to_be_bytes());
    key.seal(&app.random, &context(&id), &key.open(&context(&id), sealed)?)
}

fn context(id: &[u8; 16]) -> [&[u8]; 2] {
    [b"webhook-secret/1", id]
}
