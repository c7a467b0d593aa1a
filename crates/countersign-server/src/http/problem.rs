//! Problem details (RFC 9457): the one way a refusal or failure is told over HTTP. It shows what the error says and
//! nothing else; what an outage was stays in the log.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use countersign_model::id::RequestId;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder, response::Response as Documented},
};

use super::{document::header_named, words};
use crate::error::{Error, Kind};

const MEDIA_TYPE: &str = "application/problem+json";
const CHALLENGE: &str = "Bearer realm=\"countersign\"";

/// What is wrong and what to do next.
#[derive(Serialize, ToSchema)]
pub struct Problem<'a> {
    /// Stable address of the kind of problem.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// What kind of refusal it is, in a few words.
    pub title: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// Stable code to tell problems apart by.
    pub code: &'a str,
    /// What is wrong here and what to do next, for a person.
    pub detail: &'a str,
    /// The field at fault, where one is: `developer_emails[2]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'a str>,
    /// The id to tell the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::RequestId>)]
    pub request_id: Option<String>,
    /// Further members of some problems.
    #[serde(flatten)]
    #[schema(ignore)]
    pub extra: &'a Map<String, Value>,
}

/// The status of a kind of refusal.
pub const fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Stale => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

const fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Malformed => "The request cannot be read",
        Kind::Unauthenticated => "Not signed in",
        Kind::Forbidden => "Not allowed",
        Kind::NotFound => "Not found",
        Kind::MethodNotAllowed => "Not with this method",
        Kind::Conflict => "It contradicts what is there",
        Kind::Stale => "Somebody else was first",
        Kind::TooLarge => "Too large",
        Kind::NotJson => "Not JSON",
        Kind::Invalid => "A field is wrong",
        Kind::PreconditionRequired => "Say what you saw first",
        Kind::TooMany => "Too many",
        Kind::Internal => "A failure on our side",
        Kind::Unavailable => "Not available now",
    }
}

/// Renders an error, with the id of its request where there is one.
pub fn render(error: &Error, request: Option<RequestId>) -> Response {
    let status = status(error.kind);
    let problem = Problem {
        problem_type: format!("/problems/{}", error.code),
        title: title(error.kind),
        status: status.as_u16(),
        code: error.code,
        detail: &error.detail,
        field: error.field.as_deref(),
        request_id: request.map(|id| id.to_string()),
        extra: &error.extra,
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(secs) = error.retry_after_secs {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    if error.kind == Kind::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    response
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = render(&self, None);
        // The envelope renders it again with the id of the request, and audits refusals.
        response.extensions_mut().insert(self);
        response
    }
}

/// A number of seconds.
#[derive(ToSchema)]
#[schema(minimum = 1)]
#[expect(dead_code, reason = "a schema is told of the type, and no value of it is ever made")]
pub(super) struct Seconds(u32);

/// How to prove who one is.
#[derive(ToSchema)]
#[schema(example = "Bearer realm=\"countersign\"")]
#[expect(dead_code, reason = "a schema is told of the type, and no value of it is ever made")]
pub(super) struct Challenge(String);

/// The problems of an operation that everybody may call and that changes nothing.
pub struct PublicProblems;
/// The problems of an operation that only reads.
pub struct ReadProblems;
/// The problems of an operation that changes something.
pub struct ChangeProblems;
/// The problems of an operation that changes what somebody else may change at the same moment.
pub struct RaceProblems;
/// The problems of an operation that changes what the caller must have seen first (`If-Match`).
pub struct EditProblems;

const PUBLIC: &[Kind] =
    &[Kind::Malformed, Kind::Unauthenticated, Kind::TooMany, Kind::Internal, Kind::Unavailable];
const READ: &[Kind] = &[Kind::Forbidden, Kind::NotFound];
const CHANGE: &[Kind] = &[Kind::Conflict, Kind::TooLarge, Kind::NotJson, Kind::Invalid];
const RACE: &[Kind] = &[Kind::Stale];
const EDIT: &[Kind] = &[Kind::PreconditionRequired];

impl IntoResponses for PublicProblems {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        documented(&[PUBLIC])
    }
}

impl IntoResponses for ReadProblems {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        documented(&[PUBLIC, READ])
    }
}

impl IntoResponses for ChangeProblems {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        documented(&[PUBLIC, READ, CHANGE])
    }
}

impl IntoResponses for RaceProblems {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        documented(&[PUBLIC, READ, CHANGE, RACE])
    }
}

impl IntoResponses for EditProblems {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        documented(&[PUBLIC, READ, CHANGE, RACE, EDIT])
    }
}

/// References to the problems of these families by their status: each stands once among the components.
fn documented(families: &[&[Kind]]) -> BTreeMap<String, RefOr<Documented>> {
    let one = |kind: Kind| {
        (status(kind).as_u16().to_string(), RefOr::Ref(Ref::from_response_name(response_name(kind))))
    };
    families.iter().flat_map(|family| family.iter().copied()).map(one).collect()
}

/// Every problem an operation may document, by the name it is referred to with.
pub(super) fn responses() -> BTreeMap<String, RefOr<Documented>> {
    let one = |kind: Kind| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let mut response =
            ResponseBuilder::new().description(title(kind)).content(MEDIA_TYPE, content).build();
        let header = match kind {
            Kind::Unauthenticated => Some("WWW-Authenticate"),
            Kind::TooMany | Kind::Unavailable => Some("Retry-After"),
            _ => None,
        };
        response.headers.extend(header.map(|name| (name.to_owned(), header_named(name))));
        (response_name(kind), RefOr::T(response))
    };
    [PUBLIC, READ, CHANGE, RACE, EDIT].into_iter().flatten().copied().map(one).collect()
}

/// `TooMany`: the kind's own name.
fn response_name(kind: Kind) -> String {
    format!("{kind:?}")
}
