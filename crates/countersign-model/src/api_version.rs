//! API versions of an account kind: a number with the dates of its life.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The number of an API version. Higher is newer; the highest of a kind is *latest*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiVersion(pub u16);

/// One version as the catalog declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionPlan {
    /// Its number.
    pub number: ApiVersion,
    /// When it was published; `None` where no date was.
    pub released_at: Option<Timestamp>,
    /// From when callers are told to move on (RFC 9745).
    pub deprecated_at: Option<Timestamp>,
    /// From when it is refused (RFC 8594).
    pub sunset_at: Option<Timestamp>,
    /// Where the change notes are.
    pub notes_url: Option<String>,
}

impl ApiVersion {
    /// Reads a version as requests name it: decimal digits without sign or leading zero.
    pub fn parse(text: &str) -> Option<Self> {
        let plain =
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        if plain { text.parse().ok().map(Self) } else { None }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl VersionPlan {
    /// Whether requests on this version are refused at that moment.
    pub fn is_retired(&self, now: Timestamp) -> bool {
        self.sunset_at.is_some_and(|sunset| sunset <= now)
    }
}
