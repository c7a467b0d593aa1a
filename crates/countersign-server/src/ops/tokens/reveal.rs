//! Shows a stored secret to a person who just entered their password. The audit entry is on disk before the answer.

use countersign_model::{event::Event, id::TokenId, secret::Secret, sid::Sid};
use countersign_store::{AuditFilter, PageAsk, Remembered, RememberedKey, Token, Write};
use serde_json::{Value, json};

use super::deed;
use crate::{
    app::App,
    caller::{Deed, Identity},
    error::{Error, Kind},
    limits::REVEALS_PER_HOUR,
    ops::{notices, secrets, sessions},
    rights::{Granted, RevealSecrets},
};

const HOUR_SECS: i64 = 3_600;

/// A secret that is shown.
pub struct Revealed {
    /// The public identifier it belongs to.
    pub sid: Sid,
    /// The secret.
    pub secret: Secret,
    /// Its generation.
    pub generation: u32,
}

/// Shows the current secret of a token.
pub async fn reveal(app: &App, granted: &Granted<RevealSecrets>, id: TokenId) -> Result<Revealed, Error> {
    let token = deed::find(app, granted, id).await?;
    reveal_secret_of(app, granted, token).await
}

/// Shows the current secret of a token or legacy credential.
pub(in crate::ops) async fn reveal_secret_of(
    app: &App,
    granted: &Granted<RevealSecrets>,
    token: Token,
) -> Result<Revealed, Error> {
    let Identity::Person { session, .. } = &granted.caller.identity else {
        let detail = "Only a person who is signed in sees a stored secret.";
        return Err(Error::new(Kind::Forbidden, "not_for_tokens", detail));
    };
    if let Some(reason) = secrets::unavailable(app, &granted.account, &token) {
        return Err(reason.refusal());
    }
    sessions::require_password(app, session, "see a secret")?;
    let mut attempts = 0;
    loop {
        attempts += 1;
        match book(app, granted, &token).await {
            // Another reveal of this person was booked at the same moment: count again.
            Err(error) if error.code == "idempotency_key_in_use" && attempts <= REVEALS_PER_HOUR => {}
            booked => break booked?,
        }
    }
    let secret = secrets::open(app, &granted.account, &token)?;
    let generation = token.secrets.first().map_or(0, |secret| secret.generation);
    Ok(Revealed { sid: token.sid, secret, generation })
}

/// Counts this person's reveals of the last hour in the audit trail, over all accounts, and writes the entry of this
/// one. Two at once see the same newest entry and so use the same key, of which the store takes only one: nobody slips
/// past the limit by asking in parallel, and a restart forgets nothing.
async fn book(app: &App, granted: &Granted<RevealSecrets>, token: &Token) -> Result<(), Error> {
    let now = app.clock.wall();
    let Identity::Person { person, .. } = &granted.caller.identity else {
        return Err(Error::unauthenticated());
    };
    let filter = AuditFilter {
        action: Some(deed::REVEAL.to_owned()),
        actor_id: Some(person.id.to_string()),
        ..AuditFilter::default()
    };
    let page = PageAsk { after: None, limit: REVEALS_PER_HOUR };
    let latest = app.store.audit(&filter, &page).await?.rows;
    let begins = now.plus_secs(-HOUR_SECS);
    let recent: Vec<_> = latest.iter().filter(|entry| entry.at > begins).collect();
    if let (true, Some(oldest)) = (recent.len() >= REVEALS_PER_HOUR as usize, recent.last()) {
        let wait = oldest.at.plus_secs(HOUR_SECS).unix_secs() - now.unix_secs();
        let detail = format!(
            "You have seen {REVEALS_PER_HOUR} secrets in the last hour; wait, or reset the token instead."
        );
        return Err(Error::new(Kind::TooMany, "reveal_limit", detail)
            .retry_after(u32::try_from(wait.max(1)).unwrap_or(u32::MAX)));
    }
    let generation = token.secrets.first().map_or(0, |secret| secret.generation);
    let audit = granted.audit(
        app,
        Deed {
            action: deed::REVEAL,
            subject: token.id.to_string(),
            subject_label: token.name.as_str(),
            before: Value::Null,
            after: json!({ "generation": generation, "sid": token.sid }),
        },
    );
    let turn = Remembered {
        key: RememberedKey {
            actor: person.id.to_string(),
            operation: deed::REVEAL.to_owned(),
            key: latest.first().map_or(0, |entry| entry.number).to_string(),
        },
        request_hash: [0; 32],
        token: token.id,
        secret_generation: generation,
        expires_at: now.plus_secs(HOUR_SECS),
    };
    let write = Write::new(audit).remember(&turn);
    let write = notices::of_token(app, granted, write, (Event::SecretShown, token), Value::Null)?;
    app.commit(write).await?;
    Ok(())
}
