//! What callers are told of the age of the API version in effect, in the words of header fields: `Deprecation` (RFC
//! 9745), `Sunset` (RFC 8594) and `Link` (RFC 8288) to the change notes. Most versions have no dates and are told of
//! nothing.

use countersign_model::decision::Allowed;
use hyper::header::{HeaderMap, HeaderName};
use serde::Serialize;

use super::answer::insert;
use crate::limits::LINK_BYTES_MAX;

/// The fields of one version; one without dates has none.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct VersionNotice {
    /// From when callers are told to move on: a date as a structured field, `@1767225600`. It may lie ahead.
    pub deprecation: Option<String>,
    /// From when the version is refused, an HTTP date.
    pub sunset: Option<String>,
    /// Where the change notes are: those of this version (`deprecation`, `sunset`) and of the latest
    /// (`successor-version`, RFC 5829).
    pub link: Option<String>,
}

impl VersionNotice {
    /// What is to be told with this answer; `None` where the version in effect has no dates.
    pub fn of(allowed: &Allowed) -> Option<Self> {
        let (_, kind) = allowed.catalog.kind(&allowed.account.kind)?;
        // Who only asked what it is used no version.
        let plan = kind.version(allowed.api_version).filter(|_| allowed.scope.is_some())?;
        let relation = match (plan.deprecated_at, plan.sunset_at) {
            (None, None) => return None,
            (Some(_), None) => "deprecation",
            (None, Some(_)) => "sunset",
            (Some(_), Some(_)) => "deprecation sunset",
        };
        let latest = kind.versions.last().filter(|latest| latest.number > plan.number);
        let successor = latest.and_then(|latest| latest.notes_url.as_deref());
        Some(Self {
            deprecation: plan.deprecated_at.map(|at| format!("@{}", at.unix_secs())),
            sunset: plan.sunset_at.map(countersign_model::time::Timestamp::to_http_date),
            link: link(plan.notes_url.as_deref().map(|url| (url, relation)), successor),
        })
    }

    /// Puts the fields on an answer.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let fields = [("deprecation", &self.deprecation), ("sunset", &self.sunset), ("link", &self.link)];
        for (name, value) in fields {
            if let Some(value) = value {
                insert(headers, HeaderName::from_static(name), value);
            }
        }
    }
}

/// Both links in one field. Catalogs hold only addresses that cannot end the angle brackets. Where both are too long the
/// notes of this version come first, and one that is too long by itself is left out: gateways refuse answers with large
/// headers, and that must not refuse the request.
fn link(notes: Option<(&str, &str)>, successor: Option<&str>) -> Option<String> {
    let notes = notes.map(|(url, relation)| format!("<{url}>; rel=\"{relation}\"; type=\"text/html\""));
    let successor = successor.map(|url| format!("<{url}>; rel=\"successor-version\"; type=\"text/html\""));
    let mut field = String::new();
    for one in [notes, successor].into_iter().flatten() {
        if field.len() + one.len() + 2 <= LINK_BYTES_MAX {
            if !field.is_empty() {
                field.push_str(", ");
            }
            field.push_str(&one);
        }
    }
    Some(field).filter(|field| !field.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_name_what_they_are_and_stay_short() {
        let (notes, next) = ("https://example.com/12", "https://example.com/14");
        let long = format!("https://example.com/{}", "n".repeat(LINK_BYTES_MAX));
        for (this, successor, expected) in [
            (None, None, None),
            (
                Some((notes, "sunset")),
                None,
                Some("<https://example.com/12>; rel=\"sunset\"; type=\"text/html\""),
            ),
            (
                None,
                Some(next),
                Some("<https://example.com/14>; rel=\"successor-version\"; type=\"text/html\""),
            ),
            (
                Some((notes, "deprecation sunset")),
                Some(next),
                Some(
                    "<https://example.com/12>; rel=\"deprecation sunset\"; type=\"text/html\", \
                     <https://example.com/14>; rel=\"successor-version\"; type=\"text/html\"",
                ),
            ),
            (
                Some((long.as_str(), "sunset")),
                Some(next),
                Some("<https://example.com/14>; rel=\"successor-version\"; type=\"text/html\""),
            ),
            (
                Some((notes, "sunset")),
                Some(long.as_str()),
                Some("<https://example.com/12>; rel=\"sunset\"; type=\"text/html\""),
            ),
            (Some((long.as_str(), "sunset")), Some(long.as_str()), None),
        ] {
            assert_eq!(link(this, successor).as_deref(), expected);
        }
    }
}
