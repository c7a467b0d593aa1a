//! `GET /.well-known/jwks.json`: the keys that assertions are checked with (RFC 7517). Nothing in it is secret, and back
//! ends may keep it for five minutes: a key is here long before it signs.

use http_body_util::Full;
use hyper::{
    Response,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};

use crate::{
    http::data_plane::{
        Asked,
        answer::{self, Answer},
    },
    limits::KEY_SET_FRESH_SECS,
};

/// Answers with the keys.
pub(in crate::http) fn answer(asked: &Asked<'_>) -> Answer {
    let app = &asked.plane.app;
    match app.assertions.key_set(&app.keys, app.clock.wall()) {
        Err(error) => answer::problem(&error, Some(asked.id)),
        Ok(set) => {
            let mut answer = Response::new(Full::new(set));
            let headers = answer.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
            let fresh = format!("public, max-age={KEY_SET_FRESH_SECS}");
            answer::insert(headers, CACHE_CONTROL, &fresh);
            answer
        }
    }
}
