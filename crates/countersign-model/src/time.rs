//! Moments and lengths of time, as data. Nothing here reads a clock: the one reader is in the server.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// A moment: milliseconds since 1970-01-01T00:00:00Z. Text form is RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// One reading of both clocks, taken once per request after it was completely received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Time of day, for expiry, sunsets and display.
    pub wall: Timestamp,
    /// Nanoseconds on the clock that never steps and counts suspension, for leases and rate limits.
    pub boot_nanos: u64,
}

impl Timestamp {
    /// The moment that many milliseconds after the epoch.
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The moment that many seconds after the epoch.
    pub const fn from_unix_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// Milliseconds since the epoch.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn unix_secs(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This moment and so many seconds.
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(1_000)))
    }

    /// Reads an RFC 3339 date and time, with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000_000)).ok().map(Self)
    }

    /// Reads a date such as `2025-03-01` as its first moment in UTC.
    pub fn parse_date(text: &str) -> Option<Self> {
        let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
        Some(Self::from_unix_secs(date.midnight().assume_utc().unix_timestamp()))
    }

    /// The date in UTC, `2025-03-01`.
    pub fn to_date(self) -> String {
        let text = self.to_string();
        text.split('T').next().unwrap_or_default().to_owned()
    }

    /// The form HTTP header fields use (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub fn to_http_date(self) -> String {
        let format = format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        OffsetDateTime::from_unix_timestamp(self.unix_secs())
            .ok()
            .and_then(|moment| moment.format(&format).ok())
            .unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|moment| moment.format(&Rfc3339).ok());
        // Years outside of 0 to 9999 have no RFC 3339 form; the number is more use than a lie.
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms() {
        let moment = Timestamp::parse_rfc3339("2025-03-01T00:00:00+01:00").unwrap();
        assert_eq!(moment.to_string(), "2025-02-28T23:00:00Z");
        assert_eq!(Timestamp::parse_date("2025-03-01").unwrap().to_string(), "2025-03-01T00:00:00Z");
        assert_eq!(Timestamp::parse_date("2025-03-01").unwrap().to_date(), "2025-03-01");
        assert_eq!(Timestamp::from_unix_secs(784_111_777).to_http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(Timestamp::parse_date("2025-02-30").is_none());
    }
}
