//! Answers remembered under an Idempotency-Key for 24 hours. They hold no secret.

use countersign_model::{id::TokenId, time::Timestamp};

use crate::{
    Error, Store,
    db::Query,
    evidence::{proof::Proof, tables::REMEMBERED},
    value::Row,
    write::Write,
};

pub(crate) const BY_KEY: &str =
    "select * from remembered where actor = $1 and operation = $2 and key = $3 and expires_at > $4";
pub(crate) const FORGET_EXPIRED: &str =
    "delete from remembered where actor = $1 and operation = $2 and key = $3 and expires_at <= $4";
pub(crate) const INSERT: &str = "
insert into remembered (actor, operation, key, request_hash, token_id, secret_generation, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)";

/// A row that grants something is held to its MAC when it is read.
const PROVES: &[Proof] = &[Proof::of(&REMEMBERED)];

/// Per actor and operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedKey {
    /// The actor, as text.
    pub actor: String,
    /// The operation, with the account: `acc_…/token.create`.
    pub operation: String,
    /// What the caller sent.
    pub key: String,
}

/// A remembered answer.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// Under which key.
    pub key: RememberedKey,
    /// BLAKE3 of the canonical request.
    pub request_hash: [u8; 32],
    /// The token it made or changed.
    pub token: TokenId,
    /// The generation of the secret the answer showed.
    pub secret_generation: u32,
    /// Until when it is kept.
    pub expires_at: Timestamp,
}

impl Remembered {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            key: RememberedKey {
                actor: row.text("actor")?.to_owned(),
                operation: row.text("operation")?.to_owned(),
                key: row.text("key")?.to_owned(),
            },
            request_hash: row.hash("request_hash")?,
            token: row.parsed("token_id")?,
            secret_generation: row.number("secret_generation")?,
            expires_at: row.moment("expires_at")?,
        })
    }
}

impl Store {
    /// The answer under this key, unless it expired before `now`.
    pub async fn remembered(&self, key: &RememberedKey, now: Timestamp) -> Result<Option<Remembered>, Error> {
        let values = vec![
            key.actor.as_str().into(),
            key.operation.as_str().into(),
            key.key.as_str().into(),
            now.into(),
        ];
        self.db().row(Query::new(BY_KEY, values).proving(PROVES), Remembered::read).await
    }
}

impl Write {
    /// Remembers an answer; one that expired before the moment of this write gives way. Conflict:
    /// `IdempotencyKeyTaken`.
    #[must_use]
    pub fn remember(self, remembered: &Remembered) -> Self {
        let key = &remembered.key;
        let at = self.audit.at;
        let named =
            || vec![key.actor.as_str().into(), key.operation.as_str().into(), key.key.as_str().into()];
        let mut expired = named();
        expired.push(at.into());
        let mut values = named();
        values.extend([
            remembered.request_hash.into(),
            remembered.token.into(),
            remembered.secret_generation.into(),
            remembered.expires_at.into(),
        ]);
        self.giving().then(FORGET_EXPIRED, expired).then(INSERT, values)
    }
}
