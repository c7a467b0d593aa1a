//! Proof that a change was asked for by our own pages and not by another site in the same browser: the browser says so
//! in `Sec-Fetch-Site`, or, where it does not know that header, in `Origin`.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{HeaderMap, Method, header, request::Parts};

use super::super::{Door, RequestContext};
use crate::{
    app::App,
    error::{Error, Kind},
};

const FETCH_SITE: &str = "sec-fetch-site";

/// The request comes from our own pages. For operations before sign-in; cookies prove it by themselves.
pub struct SameOrigin;

/// Refuses a change that another site may have caused. Reading is free: no GET changes anything.
pub(super) fn check(headers: &HeaderMap, method: &Method, public_url: &str) -> Result<(), Error> {
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || is_same_origin(headers, public_url) { Ok(()) } else { Err(cross_site(public_url)) }
}

fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let only = |name: &str| {
        let mut lines = headers.get_all(name).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Ok(None),
            (Some(line), None) => Ok(Some(line.as_bytes())),
            (Some(_), Some(_)) => Err(()),
        }
    };
    match only(FETCH_SITE) {
        Ok(Some(site)) => site == b"same-origin",
        Ok(None) => only(header::ORIGIN.as_str()) == Ok(Some(public_url.as_bytes())),
        Err(()) => false,
    }
}

fn cross_site(public_url: &str) -> Error {
    let detail = format!(
        "The browser did not say that this request comes from {public_url}; open the console there. \
         Programs send a credential in the Authorization header instead of a cookie."
    );
    Error::new(Kind::Forbidden, "cross_site", detail)
}

impl FromRequestParts<Arc<App>> for SameOrigin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        if RequestContext::of(&parts.extensions)?.door == Door::Public {
            check(&parts.headers, &parts.method, &app.settings.public_url)?;
        }
        Ok(Self)
    }
}
