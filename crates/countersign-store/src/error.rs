//! What can go wrong with a store: an expectation of the caller did not hold, or the store itself failed.

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An expectation of the write did not hold; nothing was written.
    #[error("conflict: {0:?}")]
    Conflict(Conflict),
    /// Too much is waiting; nothing was written.
    #[error("the store is busy")]
    Busy,
    /// The database cannot be reached or written: disk full, closed, not readable.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What is stored cannot be what was written.
    #[error("the store is corrupt: {0}")]
    Corrupt(String),
}

/// The expectation that did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conflict {
    /// The row is gone, or has another edit number than the writer had seen.
    Stale,
    /// Another token of the account has this name.
    NameTaken,
    /// The SID is or was in use.
    SidTaken,
    /// The secret is in use.
    SecretTaken,
    /// The account has this legacy credential already.
    LegacyExists,
    /// The account has as many tokens as it may.
    TokenLimit,
    /// Another account has this external id.
    ExternalIdTaken,
    /// Another person has this e-mail address.
    EmailTaken,
    /// The person is a member already.
    AlreadyMember,
    /// The account would be left without an administrator.
    LastAdministrator,
    /// The platform would be left without an operator.
    LastOperator,
    /// The person is the primary contact of tokens.
    PrimaryContact,
    /// The primary contact is not a member of the account.
    ContactNotMember,
    /// Another gateway or platform credential has this name.
    GatewayNameTaken,
    /// The Idempotency-Key was used at the same moment.
    IdempotencyKeyTaken,
    /// The account, or the platform, has as many webhooks as it may.
    WebhookLimit,
    /// A rotation of keys runs already.
    RotationRunning,
    /// A rotation of keys ended while this was on its way; made again, it is made with the new key.
    KeyReplaced,
    /// The code was used, or was never issued, or is too old.
    CodeSpent,
}
