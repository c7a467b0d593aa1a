//! Answers of the data plane: whole, small, and never to be kept by a cache.

use bytes::Bytes;
use countersign_model::{
    decision::{Denial, Denied, Unavailable},
    id::{self, Id, RequestId},
};
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
    },
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    error::{Error, Kind},
    http::problem::{self, Problem},
};

/// An answer with its whole body.
pub type Answer = Response<Full<Bytes>>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What a caller without a known token is asked for. One line, with `Bearer` last, so that its parameters are the
/// line's last (RFC 9110 section 11.6.1).
const CHALLENGE: &str = "Basic realm=\"countersign\", Bearer realm=\"countersign\"";

/// What an allow with everything in it takes, about.
const ANSWER_BYTES: usize = 512;

/// 200 without a body.
pub fn empty() -> Answer {
    Response::new(Full::default())
}

/// 200 with JSON.
pub fn json(body: &impl Serialize) -> Answer {
    // Room for nearly every answer: growing a buffer three times costs more than a large one.
    let mut room = Vec::with_capacity(ANSWER_BYTES);
    match serde_json::to_writer(&mut room, body) {
        Ok(()) => with_body(StatusCode::OK, "application/json", room),
        Err(error) => problem(&Error::internal("answer", &error), None),
    }
}

/// A refusal or failure.
pub fn problem(error: &Error, id: Option<RequestId>) -> Answer {
    let status = problem::status(error.kind);
    let mut answer =
        problem_of(status, error.code, &error.detail, (error.field.as_deref(), id), &error.extra);
    if let Some(secs) = error.retry_after_secs {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(secs));
    }
    answer
}

/// 405, naming the methods that are taken.
pub fn method_not_allowed(allow: &'static str, id: RequestId) -> Answer {
    let detail = format!("This address takes {allow} only.");
    let mut answer = problem(&Error::new(Kind::MethodNotAllowed, "method_not_allowed", detail), Some(id));
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    answer
}

/// A denial with its true status. Only a caller that proved the secret is told more than the code and what to do.
pub fn denied(denied: &Denied, extra: &Map<String, Value>, id: RequestId) -> Answer {
    let denial = &denied.denial;
    let status = StatusCode::from_u16(denial.http_status()).unwrap_or(StatusCode::FORBIDDEN);
    let mut answer = problem_of(status, denial.code(), denial.advice(), (None, Some(id)), extra);
    let headers = answer.headers_mut();
    if let Some(secs) = denial.retry_after_secs() {
        headers.insert(RETRY_AFTER, HeaderValue::from(secs));
    }
    let scope = extra.get("scope").and_then(Value::as_str);
    if let Some(challenge) = challenge(denial, scope) {
        insert(headers, WWW_AUTHENTICATE, &challenge);
    }
    answer
}

/// "I cannot say": never a denial.
pub fn unavailable(reason: Unavailable, id: RequestId) -> Answer {
    let detail = "Countersign cannot answer this right now; ask again.";
    problem(&Error::new(Kind::Unavailable, reason.code(), detail).retry_after(1), Some(id))
}

/// Inserts a text of ours. One that could not be a header value is sent empty rather than not at all.
pub fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    headers.insert(name, value(text));
}

/// A text of ours as the value of a header; empty where it cannot be one.
pub fn value(text: &str) -> HeaderValue {
    if text.is_empty() {
        return HeaderValue::from_static("");
    }
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// An id as the value of a header.
pub fn id_value<K: id::Kind>(id: Id<K>) -> HeaderValue {
    HeaderValue::from_bytes(&id.text()).unwrap_or(HeaderValue::from_static(""))
}

/// What every answer carries. Whoever may be kept has said so.
pub fn finish(answer: &mut Answer, id: RequestId) {
    let headers = answer.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(REQUEST_ID, id_value(id));
}

/// RFC 6750 section 3: no error code where no credential was sent; the missing scope is named to whoever has proved
/// the token.
fn challenge(denial: &Denial, scope: Option<&str>) -> Option<String> {
    let error = match denial {
        Denial::CredentialsMissing => return Some(CHALLENGE.to_owned()),
        Denial::CredentialsMalformed | Denial::CredentialsMisplaced => "invalid_request",
        Denial::CredentialsInvalid => "invalid_token",
        Denial::ScopeMissing(_) => {
            let named = scope.map(|scope| format!(", scope=\"{scope}\"")).unwrap_or_default();
            return Some(format!("Bearer realm=\"countersign\", error=\"insufficient_scope\"{named}"));
        }
        _ => return None,
    };
    Some(format!("{CHALLENGE}, error=\"{error}\""))
}

fn problem_of(
    status: StatusCode,
    code: &str,
    detail: &str,
    (field, id): (Option<&str>, Option<RequestId>),
    extra: &Map<String, Value>,
) -> Answer {
    let problem = Problem {
        problem_type: format!("/problems/{code}"),
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        code,
        detail,
        field,
        request_id: id.map(|id| id.to_string()),
        extra,
    };
    with_body(status, "application/problem+json", serde_json::to_vec(&problem).unwrap_or_default())
}

fn with_body(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}
