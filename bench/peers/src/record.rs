//! What is remembered of a token, and the check. In Redis it is one line of text; in PostgreSQL a row.

use std::time::{SystemTime, UNIX_EPOCH};

/// The operation the route needs, as a bit of `operations`.
const LIST_ACTIONS: i64 = 1;

/// A token.
pub struct Record {
    pub sid: String,
    pub account: String,
    pub enabled: bool,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// A bit for each operation it may call.
    pub operations: i64,
}

impl Record {
    /// Reads `sid account enabled expires_at operations`.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(Self {
            sid: words.next()?.to_owned(),
            account: words.next()?.to_owned(),
            enabled: words.next()? == "1",
            expires_at: words.next()?.parse().ok()?,
            operations: words.next()?.parse().ok()?,
        })
    }

    /// Whether it may list the actions of the account in the path, now.
    pub fn allows(&self, sid: &str) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let live = self.enabled && i64::try_from(now).is_ok_and(|now| now < self.expires_at);
        live && self.sid == sid && self.operations & LIST_ACTIONS != 0
    }
}
