//! Bodies: JSON only, bounded, read strictly, or none at all.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, Request},
    http::HeaderMap,
};
use bytes::Bytes;
use http::header;
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use super::json;
use crate::{
    app::App,
    error::{Error, Kind},
    limits::BODY_BYTES_MAX,
};

/// A JSON body of at most [`BODY_BYTES_MAX`] bytes.
pub struct Body<T>(pub T);

/// No body. `{}` is let pass, because some clients cannot send none.
pub struct NoBody;

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Error> {
        read_body(request, BODY_BYTES_MAX).await.map(Self)
    }
}

impl FromRequest<Arc<App>> for NoBody {
    type Rejection = Error;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let bytes = collect(&parts.headers, body, BODY_BYTES_MAX).await?;
        let blank = bytes.iter().all(u8::is_ascii_whitespace);
        let empty = || json::read::<serde_json::Map<_, _>>(&bytes).is_ok_and(|object| object.is_empty());
        if blank || empty() {
            Ok(Self)
        } else {
            Err(Error::malformed("This operation takes no body; send none."))
        }
    }
}

/// Reads a JSON body of at most `limit` bytes, for the few operations with a limit of their own.
pub async fn read_body<T: DeserializeOwned>(request: Request, limit: usize) -> Result<T, Error> {
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        return Err(Error::new(
            Kind::NotJson,
            "not_json",
            "Send the body as JSON, with Content-Type: application/json.",
        ));
    }
    json::read(&collect(&parts.headers, body, limit).await?)
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let Ok(line) = line.to_str() else { return false };
    let mut parts = line.split(';').map(str::trim);
    let json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| {
        let utf8 =
            parameter.split_once('=').map(|(name, value)| (name.trim(), value.trim().trim_matches('"')));
        utf8.is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("charset") && value.eq_ignore_ascii_case("utf-8")
        })
    })
}

/// Refuses a body that is packed: nothing is unpacked here, so that a small request is never a large one.
pub fn refuse_packed(headers: &HeaderMap) -> Result<(), Error> {
    if !headers.contains_key(header::CONTENT_ENCODING) {
        return Ok(());
    }
    let detail = "Send the body as it is, without Content-Encoding; bodies are not unpacked here.";
    Err(Error::new(Kind::NotJson, "body_packed", detail))
}

async fn collect(headers: &HeaderMap, body: axum::body::Body, limit: usize) -> Result<Bytes, Error> {
    refuse_packed(headers)?;
    let too_large = || {
        let detail =
            format!("The body is larger than the {limit} bytes this operation reads; send less at once.");
        Error::new(Kind::TooLarge, "body_too_large", detail)
    };
    let said =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(cause) = source {
            if cause.is::<LengthLimitError>() {
                return too_large();
            }
            source = cause.source();
        }
        Error::malformed("The body ended before it was complete; send it again.")
    })
}
