//! What surrounds every management request: its id, its log line, the headers that protect browsers, the rendering of
//! refusals, and the audit entry of a refused attempt.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{Door, Peer, RequestContext, extract, problem};
use crate::{
    app::App,
    error::{Error, Kind},
    ops::{attempts, gateways, platform_credentials},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the envelope works with.
#[derive(Clone)]
pub(super) struct Front {
    /// The application.
    pub app: Arc<App>,
    /// The door it stands at.
    pub door: Door,
}

/// Answers one request.
pub(super) async fn answer(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let Front { app, door } = front;
    let started = app.clock.now();
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
    let address = extract::client_address(request.headers(), peer, &app.settings.trusted_proxies);
    let id = match app.random.id(started.wall) {
        Ok(id) => id,
        Err(error) => return error.into_response(),
    };
    let context = RequestContext::new(id, door, address);
    request.extensions_mut().insert(context.clone());
    let method = request.method().clone();
    // The pattern, not the path: whatever a caller wrote into a URL stays out of the log.
    let path =
        request.extensions().get::<MatchedPath>().map_or("-".to_owned(), |path| path.as_str().to_owned());
    let response = match misplaced(&app, &request) {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    };
    let response = settle(&app, &context, (method.as_str(), &path), response).await;
    let millis = app.clock.now().boot_nanos.saturating_sub(started.boot_nanos) / 1_000_000;
    let address = address.map(|address| address.to_string());
    tracing::info!(%id, %method, path, status = response.status().as_u16(), address, millis, "answered");
    response
}

fn misplaced(app: &App, request: &Request) -> Option<Error> {
    let formats = [&app.settings.format, &platform_credentials::format(), &gateways::format()];
    extract::carries_secret(request.uri(), &formats).then(|| {
        let detail = "Send credentials in the Authorization header only. What stood in this URL was logged along the \
                      way: reset it.";
        Error::new(Kind::Unauthenticated, "credentials_misplaced", detail)
    })
}

/// Renders a refusal with the id of its request, audits it, and puts the headers on.
async fn settle(app: &App, context: &RequestContext, deed: (&str, &str), response: Response) -> Response {
    let error = response.extensions().get::<Error>().cloned().or_else(|| unrendered(response.status()));
    let mut settled = match &error {
        None => response,
        Some(error) => {
            let mut settled = problem::render(error, Some(context.id));
            let allow = response.headers().get(header::ALLOW).cloned();
            allow.map(|allow| settled.headers_mut().insert(header::ALLOW, allow));
            settled
        }
    };
    if let Some(error) = &error {
        let refusal = attempts::Refusal { error, denied: context.was_denied(), deed };
        let from = (context.id, context.address);
        attempts::note_refusal(app, context.caller(), from, refusal).await;
    }
    protect(settled.headers_mut(), app);
    if let Ok(id) = HeaderValue::try_from(context.id.to_string()) {
        settled.headers_mut().insert(REQUEST_ID, id);
    }
    settled
}

/// What the router itself refuses has no words of ours yet.
fn unrendered(status: StatusCode) -> Option<Error> {
    match status {
        StatusCode::NOT_FOUND => Some(Error::not_found()),
        StatusCode::METHOD_NOT_ALLOWED => Some(Error::new(
            Kind::MethodNotAllowed,
            "method_not_allowed",
            "This address does not take this method; the header Allow says which it takes.",
        )),
        _ => None,
    }
}

fn protect(headers: &mut HeaderMap, app: &App) {
    let fixed = [
        (
            "content-security-policy",
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        ("cache-control", "no-store"),
    ];
    for (name, value) in fixed {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    let always = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in always {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if app.settings.public_url.starts_with("https://") {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
}
