//! The page at `/about`: says where everything is, for whoever has no browser that runs the console.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};

use super::docs::{Page, escape, page};
use crate::app::App;

/// The route of the page.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/about", get(show_index))
}

async fn show_index(State(app): State<Arc<App>>) -> Page {
    let url = escape(&app.settings.public_url);
    page(
        "Countersign",
        &format!(
            "<h1>Countersign</h1><p>API access tokens: created, scoped, rotated and switched off here, and checked on every \
             request.</p><table><tr><td>Management API</td><td><code>{url}/api/v1</code></td></tr>\
             <tr><td>Its documentation</td><td><a href=\"/docs\">/docs</a></td></tr>\
             <tr><td>The same for machines</td><td><a href=\"/openapi.json\">/openapi.json</a></td></tr>\
             <tr><td>Data plane, on its own port (8471 unless set)</td><td><code>POST /v1/verify</code>, \
             <code>/v1/forward-auth/{{gateway}}</code>, <code>GET /whoami</code></td></tr>\
             <tr><td>Health and metrics, on their own port (8472 unless set)</td><td><code>/livez</code>, \
             <code>/readyz</code>, <code>/startupz</code>, <code>/metrics</code></td></tr></table>"
        ),
    )
}
