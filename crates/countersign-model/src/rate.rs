//! Rate limits as people write them. The arithmetic that enforces them is in the verify crate.

use serde::{Deserialize, Serialize};

use crate::limits::{RATE_REQUESTS_MAX, RATE_WINDOW_SECS_MAX};

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct RateLimit {
    requests: u32,
    window_secs: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    requests: u32,
    window_secs: u32,
}

/// Why two numbers are not a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rate limit is 1 to {RATE_REQUESTS_MAX} requests in 1 to {RATE_WINDOW_SECS_MAX} seconds")]
pub struct RateLimitError;

impl RateLimit {
    /// Checks both numbers.
    pub fn new(requests: u32, window_secs: u32) -> Result<Self, RateLimitError> {
        let fits =
            (1..=RATE_REQUESTS_MAX).contains(&requests) && (1..=RATE_WINDOW_SECS_MAX).contains(&window_secs);
        if fits { Ok(Self { requests, window_secs }) } else { Err(RateLimitError) }
    }

    /// How many requests.
    pub fn requests(self) -> u32 {
        self.requests
    }

    /// In how many seconds.
    pub fn window_secs(self) -> u32 {
        self.window_secs
    }
}

impl TryFrom<Unchecked> for RateLimit {
    type Error = RateLimitError;

    fn try_from(raw: Unchecked) -> Result<Self, RateLimitError> {
        Self::new(raw.requests, raw.window_secs)
    }
}
