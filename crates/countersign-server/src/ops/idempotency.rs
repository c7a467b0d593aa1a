//! Idempotency keys: a request that was answered is answered the same again for 24 hours, per actor and operation. What
//! is remembered holds no secret; a replay opens it again from its sealed row, where it is still the current one.

use countersign_model::{actor::Actor, event::Event};
use countersign_store::{Remembered, RememberedKey, Token, Write};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    notices,
    secrets::{self, SecretUnavailable, Shown},
    tokens::deed,
};
use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    limits::{IDEMPOTENCY_KEY_BYTES_MAX, IDEMPOTENCY_SECS},
    rights::{Granted, Right},
};

/// The code of the conflict of two requests with one key at the same moment.
const KEY_IN_USE: &str = "idempotency_key_in_use";

/// What a caller said about repetition of a request.
pub struct Idempotency {
    key: Option<String>,
    request_hash: [u8; 32],
}

/// A key in the place it is remembered under: actor, account and operation.
pub(super) struct Asked<'a> {
    idempotency: &'a Idempotency,
    actor: Actor,
    operation: String,
}

impl Idempotency {
    /// No key: every request is a new one.
    pub fn none() -> Self {
        Self { key: None, request_hash: [0; 32] }
    }

    /// The key of a request, 1 to 200 visible ASCII characters. `request` is all that tells one request from another:
    /// the body and what the path names.
    pub fn of(key: Option<String>, request: &impl Serialize) -> Result<Self, Error> {
        let Some(key) = key else { return Ok(Self::none()) };
        let fits = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len());
        if !fits || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::new(
                Kind::Malformed,
                "idempotency_key_malformed",
                format!("An Idempotency-Key is 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters."),
            )
            .at_field("Idempotency-Key"));
        }
        let text = serde_json::to_vec(request).map_err(|error| Error::internal("idempotency", &error))?;
        Ok(Self { key: Some(key), request_hash: *blake3::hash(&text).as_bytes() })
    }

    /// The key in its place. `operation`: `token.create`.
    pub(super) fn asked<R: Right>(&self, granted: &Granted<R>, operation: &str) -> Asked<'_> {
        Asked {
            idempotency: self,
            actor: granted.actor(),
            operation: format!("{}/{operation}", granted.account.id),
        }
    }
}

impl Asked<'_> {
    /// What was answered under this key before. 422 where it was another request.
    pub(super) async fn earlier(&self, app: &App) -> Result<Option<Remembered>, Error> {
        let Some(key) = self.key() else { return Ok(None) };
        let found = app.store.remembered(&key, app.clock.wall()).await?;
        match found {
            Some(earlier) if earlier.request_hash != self.idempotency.request_hash => Err(Error::new(
                Kind::Invalid,
                "idempotency_key_reused",
                "This Idempotency-Key was used for another request in the last 24 hours; send a new key.",
            )
            .at_field("Idempotency-Key")),
            other => Ok(other),
        }
    }

    /// Adds the answer to its write. It comes first, so that of two equal requests at once the later one is told so,
    /// and not that its own name is taken.
    pub(super) fn remember(&self, write: Write, app: &App, token: &Token) -> Write {
        let Some(key) = self.key() else { return write };
        write.remember(&Remembered {
            key,
            request_hash: self.idempotency.request_hash,
            token: token.id,
            secret_generation: token.secrets.first().map_or(0, |secret| secret.generation),
            expires_at: app.clock.wall().plus_secs(IDEMPOTENCY_SECS),
        })
    }

    /// Whether a refused write lost against an equal request, whose answer is there now.
    pub(super) fn lost_race(&self, error: &Error) -> bool {
        self.idempotency.key.is_some() && error.code == KEY_IN_USE
    }

    fn key(&self) -> Option<RememberedKey> {
        let key = self.idempotency.key.clone()?;
        Some(RememberedKey { actor: actor_text(self.actor), operation: self.operation.clone(), key })
    }
}

/// The token of an earlier answer as it is now, and its secret where that generation is still the current one. Showing
/// it again is audited as a reveal before it is opened.
pub(super) async fn replay<R: Right>(
    app: &App,
    granted: &Granted<R>,
    earlier: &Remembered,
) -> Result<(Token, Shown), Error> {
    let found = app.store.within(granted.account.id).token(earlier.token).await?;
    let Some(token) = found else {
        return Err(Error::new(
            Kind::Conflict,
            "idempotency_token_deleted",
            "The request with this Idempotency-Key was answered, and its token was deleted since; send a new key.",
        ));
    };
    let current = token.secrets.first().map(|secret| secret.generation);
    if current != Some(earlier.secret_generation) {
        return Ok((token, Shown::Unavailable(SecretUnavailable::Replaced)));
    }
    if let Some(reason) = secrets::unavailable(app, &granted.account, &token) {
        return Ok((token, Shown::Unavailable(reason)));
    }
    let audit = granted.audit(
        app,
        Deed {
            action: deed::REVEAL,
            subject: token.id.to_string(),
            subject_label: token.name.as_str(),
            before: Value::Null,
            after: json!({ "generation": earlier.secret_generation, "idempotent_replay": true }),
        },
    );
    let write = Write::new(audit);
    let write = notices::of_token(app, granted, write, (Event::SecretShown, &token), Value::Null)?;
    app.commit(write).await?;
    let secret = secrets::open(app, &granted.account, &token)?;
    Ok((token, Shown::Secret(secret)))
}

fn actor_text(actor: Actor) -> String {
    match actor {
        Actor::User(id) => id.to_string(),
        // A person with two hats is two actors: what they did as an operator is not theirs as a member.
        Actor::Operator(id) => format!("operator {id}"),
        Actor::Token(id) => id.to_string(),
        Actor::Platform(id) => id.to_string(),
        Actor::Cli => "cli".to_owned(),
        Actor::System => "system".to_owned(),
        Actor::Anonymous => "anonymous".to_owned(),
    }
}
