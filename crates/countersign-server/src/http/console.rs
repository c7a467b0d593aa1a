//! The web console, embedded in the binary: one page for every address that is not the API's, and the files it loads,
//! whose names change with their content. It knows no session and no data; the console uses the public API.

use std::{borrow::Cow, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Method, Uri, header};
use rust_embed::{Embed, EmbeddedFile};
use tower_http::compression::CompressionLayer;

use crate::{app::App, error::Error};

const PAGE: &str = "index.html";
/// Where the page wants the nonce of its one style element.
const NONCE_PLACE: &str = "{{csp-nonce}}";
/// A file whose name has its hash in it never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FOR_A_DAY: &str = "public, max-age=86400";

/// What `console/dist` held when the binary was built.
#[derive(Embed)]
#[folder = "../../console/dist"]
struct Dist;

/// The routes of the console. Its page answers every address that nothing else answers.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/assets/{name}", get(show_asset))
        .route("/icon.svg", get(show_icon))
        .fallback(show_page)
        .layer(CompressionLayer::new())
}

async fn show_asset(Path(name): Path<String>) -> Result<Response, Error> {
    file(&format!("assets/{name}"), FOR_EVER)
}

async fn show_icon() -> Result<Response, Error> {
    file("icon.svg", FOR_A_DAY)
}

/// The page, with a fresh nonce. The addresses below it are the console's own to read.
async fn show_page(State(app): State<Arc<App>>, method: Method, uri: Uri) -> Result<Response, Error> {
    let reads = matches!(method, Method::GET | Method::HEAD);
    if !reads || uri.path().starts_with("/api/") {
        return Err(Error::not_found());
    }
    let page = Dist::get(PAGE).ok_or_else(Error::not_found)?;
    let nonce = STANDARD.encode(app.random.bytes::<16>()?);
    let page = String::from_utf8_lossy(&page.data).replace(NONCE_PLACE, &nonce);
    let mut response = Response::new(Body::from(page));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy(&nonce)?);
    Ok(response)
}

/// Our own scripts and styles, nothing from elsewhere, nothing inline but the one style element with the nonce.
fn policy(nonce: &str) -> Result<HeaderValue, Error> {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; font-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).map_err(|error| Error::internal("content security policy", &error))
}

fn file(path: &str, keep: &'static str) -> Result<Response, Error> {
    let EmbeddedFile { data, .. } = Dist::get(path).ok_or_else(Error::not_found)?;
    let body = match data {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    Ok(([(header::CONTENT_TYPE, media_type(path)), (header::CACHE_CONTROL, keep)], body).into_response())
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
