//! Headers that make a change safe to send: `If-Match` says what the caller saw, `Idempotency-Key` that a repetition is
//! one.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};

use crate::{
    app::App,
    error::{Error, Kind},
    limits::IDEMPOTENCY_KEY_BYTES_MAX,
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The edit number the caller saw, from the ETag of the answer: `If-Match: "7"`.
pub struct IfMatch(pub u64);

/// The key under which the answer is remembered, if the caller sent one.
pub struct IdempotencyKey(pub Option<String>);

/// The strong ETag of a row: its edit number.
pub fn edit_tag(edit: u64) -> [(HeaderName, HeaderValue); 1] {
    let value = HeaderValue::try_from(format!("\"{edit}\"")).unwrap_or(HeaderValue::from_static("\"0\""));
    [(header::ETAG, value)]
}

fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Error> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(line), None) => line.to_str().map(Some).map_err(|_| unreadable(name)),
        (Some(_), Some(_)) => Err(unreadable(name)),
    }
}

fn unreadable(name: &HeaderName) -> Error {
    Error::malformed(format!("The header {name} cannot be read; send it once, in printable ASCII."))
        .at_field(name.as_str())
}

impl FromRequestParts<Arc<App>> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Error> {
        let Some(value) = only(&parts.headers, &header::IF_MATCH)? else {
            let detail =
                "Send If-Match with the ETag of the answer you edit, so that nobody's change is lost.";
            return Err(
                Error::new(Kind::PreconditionRequired, "if_match_missing", detail).at_field("if-match")
            );
        };
        let digits = value.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let plain =
            digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
        let edit = plain.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
            Error::malformed("The header If-Match is not one ETag of ours, such as \"7\" with its quotes.")
                .at_field("if-match")
        })?;
        Ok(Self(edit))
    }
}

impl FromRequestParts<Arc<App>> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Error> {
        let Some(key) = only(&parts.headers, &IDEMPOTENCY_KEY)? else { return Ok(Self(None)) };
        let fits = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        if fits {
            Ok(Self(Some(key.to_owned())))
        } else {
            let detail = format!(
                "The header Idempotency-Key must be 1 to {IDEMPOTENCY_KEY_BYTES_MAX} printable ASCII characters without spaces."
            );
            Err(Error::malformed(detail).at_field("idempotency-key"))
        }
    }
}
