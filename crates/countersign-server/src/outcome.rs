//! What became of one attempt to tell somebody something, in the same words for mail and webhooks. What happens next is
//! decided by the outbox; how often, by its limits.

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// They have it.
    Sent {
        /// The answer's code: an HTTP status, or the reply code of a mail server.
        code: Option<u16>,
    },
    /// Not this time; another attempt may help.
    Later {
        /// The answer's code, where there was an answer.
        code: Option<u16>,
        /// Why, in a few words without control characters and without secrets.
        reason: String,
        /// Seconds they asked us to wait, already within our bounds.
        after_secs: Option<u32>,
    },
    /// Another attempt would not help.
    Refused {
        /// The answer's code, where there was an answer.
        code: Option<u16>,
        /// Why, in a few words without control characters and without secrets.
        reason: String,
    },
}
