//! What an operator may set about verification. Nothing here is read from a file or an environment.

use countersign_model::secret::SecretFormat;

use crate::limits::{FAILURE_WINDOW_SECS, FAILURES_PER_WINDOW};

/// What an operator may set about verification.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The prefixes of this installation's secrets.
    pub format: SecretFormat,
    /// How many failing credentials of one address are answered as such.
    pub failures: FailureLimit,
}

/// So many failing credentials of one address in so many seconds. Correct credentials are never counted or slowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureLimit {
    /// How many.
    pub per_window: u32,
    /// In how many seconds.
    pub window_secs: u32,
}

impl Default for FailureLimit {
    fn default() -> Self {
        Self { per_window: FAILURES_PER_WINDOW, window_secs: FAILURE_WINDOW_SECS }
    }
}

impl Default for Settings {
    /// `csign_`, and 60 failures in 60 seconds.
    fn default() -> Self {
        Self { format: SecretFormat::standard(), failures: FailureLimit::default() }
    }
}
