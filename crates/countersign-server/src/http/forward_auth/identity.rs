//! What an allow tells gateway and back end: always the same headers, empty where there is no value, so that a gateway
//! that copies them overwrites whatever its client sent.

use countersign_model::{decision::Allowed, id::RequestId, rate::RateLimit};
use hyper::header::{HeaderMap, HeaderName};

use crate::http::data_plane::{answer::insert, facts::scope_id, version_notice::VersionNotice};

/// The identity headers, all of them.
pub(in crate::http) const IDENTITY_HEADERS: [&str; 7] = [
    "x-countersign-account",
    "x-countersign-account-kind",
    "x-countersign-sid",
    "x-countersign-scope",
    "x-countersign-api-version",
    "x-countersign-request-id",
    "x-countersign-assertion",
];

/// Puts the headers of an allow on an answer; the assertion is empty where the gateway gets none.
pub(super) fn tell(headers: &mut HeaderMap, allowed: &Allowed, id: RequestId, assertion: &str) {
    let scope = allowed.scope.and_then(|scope| scope_id(&allowed.catalog, scope)).unwrap_or_default();
    let values = [
        &allowed.account.id.to_string(),
        &allowed.account.kind,
        allowed.token.sid.as_str(),
        scope,
        &allowed.api_version.to_string(),
        &id.to_string(),
        assertion,
    ];
    for (name, value) in IDENTITY_HEADERS.into_iter().zip(values) {
        insert(headers, HeaderName::from_static(name), value);
    }
    if let Some(rate) = allowed.rate {
        tell_limit(headers, rate.limit, rate.remaining, rate.reset_secs);
    }
    if let Some(notice) = VersionNotice::of(allowed) {
        notice.tell(headers);
    }
}

/// The fields of the IETF draft *RateLimit header fields for HTTP* (draft-ietf-httpapi-ratelimit-headers).
pub(super) fn tell_limit(headers: &mut HeaderMap, limit: RateLimit, remaining: u32, reset_secs: u32) {
    let policy = format!("\"default\";q={};w={}", limit.requests(), limit.window_secs());
    insert(headers, HeaderName::from_static("ratelimit-policy"), &policy);
    insert(
        headers,
        HeaderName::from_static("ratelimit"),
        &format!("\"default\";r={remaining};t={reset_secs}"),
    );
}
