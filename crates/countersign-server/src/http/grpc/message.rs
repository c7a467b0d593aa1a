//! The messages of `ext_authz`, from and to the header lines they are about. It decides nothing.

use envoy_types::pb::{
    envoy::{
        config::core::v3::{HeaderValue as Line, HeaderValueOption, header_value_option::HeaderAppendAction},
        service::auth::v3::{
            CheckResponse, DeniedHttpResponse, OkHttpResponse, attribute_context::HttpRequest,
            check_response::HttpResponse,
        },
        r#type::v3::HttpStatus,
    },
    google::{protobuf::BoolValue, rpc},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, response::Parts};
use tonic::Code;

use crate::http::forward_auth::IDENTITY_HEADERS;

/// The header lines of the request Envoy holds: as they came (`encode_raw_headers`), or with equal names joined by commas.
/// `None` where a name or value could not have been a header line.
pub(super) fn headers(request: &HttpRequest) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut append = |name: &str, value: &[u8]| {
        // `:path` and the like are told beside the headers.
        if !name.starts_with(':') {
            headers
                .try_append(
                    HeaderName::from_bytes(name.as_bytes()).ok()?,
                    HeaderValue::from_bytes(value).ok()?,
                )
                .ok()?;
        }
        Some(())
    };
    match &request.header_map {
        Some(raw) => {
            for Line { key, value, raw_value } in &raw.headers {
                append(key, if raw_value.is_empty() { value.as_bytes() } else { raw_value })?;
            }
        }
        None => {
            for (name, value) in &request.headers {
                append(name, value.as_bytes())?;
            }
        }
    }
    Some(headers)
}

/// What Envoy is to do. On an allow every identity header is set or removed, so that none of the client's is left.
pub(super) fn response(head: &Parts, body: &[u8]) -> CheckResponse {
    let response = if head.status.is_success() {
        let is_identity = |name: &HeaderName| IDENTITY_HEADERS.contains(&name.as_str());
        let is_empty = |name: &str| head.headers.get(name).is_none_or(HeaderValue::is_empty);
        HttpResponse::OkResponse(OkHttpResponse {
            headers: set(&head.headers, |name, value| is_identity(name) && !value.is_empty()),
            headers_to_remove: IDENTITY_HEADERS
                .into_iter()
                .filter(|name| is_empty(name))
                .map(str::to_owned)
                .collect(),
            response_headers_to_add: set(&head.headers, |name, _| !is_identity(name)),
            ..OkHttpResponse::default()
        })
    } else {
        HttpResponse::DeniedResponse(DeniedHttpResponse {
            status: Some(HttpStatus { code: i32::from(head.status.as_u16()) }),
            headers: set(&head.headers, |_, _| true),
            body: String::from_utf8_lossy(body).into_owned(),
        })
    };
    let status = rpc::Status { code: code(head.status).into(), ..rpc::Status::default() };
    CheckResponse { status: Some(status), http_response: Some(response), ..CheckResponse::default() }
}

/// Only `OK` lets a request pass; the rest says how it was refused (`google.rpc.Code`).
fn code(status: StatusCode) -> Code {
    match status {
        status if status.is_success() => Code::Ok,
        StatusCode::BAD_REQUEST => Code::InvalidArgument,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
        _ => Code::Unavailable,
    }
}

fn set(headers: &HeaderMap, is_wanted: impl Fn(&HeaderName, &HeaderValue) -> bool) -> Vec<HeaderValueOption> {
    let wanted = headers.iter().filter(|(name, value)| is_wanted(name, value));
    wanted.filter_map(|(name, value)| Some(line(name.as_str(), value.to_str().ok()?))).collect()
}

/// Said twice, in the old field and the new: whichever an Envoy reads, the line takes the place of the client's.
#[expect(deprecated, reason = "older Envoys read only the deprecated field")]
fn line(name: &str, value: &str) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(Line { key: name.to_owned(), value: value.to_owned(), raw_value: Vec::new() }),
        append: Some(BoolValue { value: false }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        keep_empty_value: false,
    }
}
