//! What an allow tells gateway and back end: always the same headers, empty where there is no value, so that a gateway
//! that copies them overwrites whatever its client sent.

use countersign_model::{decision::Allowed, id::RequestId, rate::RateLimit};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::http::data_plane::{
    answer::{id_value, insert, value},
    facts::scope_id,
    version_notice::VersionNotice,
};

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

const NAMES: [HeaderName; 7] = [
    HeaderName::from_static(IDENTITY_HEADERS[0]),
    HeaderName::from_static(IDENTITY_HEADERS[1]),
    HeaderName::from_static(IDENTITY_HEADERS[2]),
    HeaderName::from_static(IDENTITY_HEADERS[3]),
    HeaderName::from_static(IDENTITY_HEADERS[4]),
    HeaderName::from_static(IDENTITY_HEADERS[5]),
    HeaderName::from_static(IDENTITY_HEADERS[6]),
];
const HEADERS_OF_AN_ALLOW: usize = 14;

/// Puts the headers of an allow on an answer; the assertion is empty where the gateway gets none.
pub(super) fn tell(headers: &mut HeaderMap, allowed: &Allowed, id: RequestId, assertion: &str) {
    let scope = allowed.scope.and_then(|scope| scope_id(&allowed.catalog, scope)).unwrap_or_default();
    let values = [
        id_value(allowed.account.id),
        value(&allowed.account.kind),
        value(allowed.token.sid.as_str()),
        value(scope),
        HeaderValue::from(allowed.api_version.0),
        id_value(id),
        value(assertion),
    ];
    // Room for all of them at once, with the few that every answer has.
    headers.reserve(HEADERS_OF_AN_ALLOW);
    for (name, value) in NAMES.into_iter().zip(values) {
        headers.insert(name, value);
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
