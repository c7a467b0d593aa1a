//! The doors over HTTP: this file is their table of contents. Handlers parse, call one use case and render; they hold no
//! rule and never name the store.

mod accounts;
mod addresses;
mod announcements;
mod audit;
mod backup;
mod bootstrap;
mod catalog;
mod catalog_view;
mod console;
mod context;
pub mod data_plane;
mod deliveries;
mod docs;
mod document;
mod envelope;
pub mod extract;
mod forward_auth;
mod gateway_probes;
mod gateways;
pub mod grpc;
pub mod health;
mod import;
mod index_page;
mod invitations;
mod keys;
mod legacy;
mod members;
pub mod metrics;
mod moment;
mod oauth;
mod page;
mod people;
mod platform_credentials;
pub mod problem;
mod profile;
pub mod serve;
mod session;
mod tokens;
mod verify;
mod versions;
mod webhooks;
mod whoami;
mod words;

use std::{net::IpAddr, sync::Arc};

use axum::{Router, middleware};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
pub use context::RequestContext;
pub use moment::Moment;

/// Who is at the other end of the connection: the accept loop puts it into every request of a TCP listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub Option<IpAddr>);

/// Through which door a management request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The TCP listener of the console and the API.
    Public,
    /// The unix socket in the data directory, which only its owner can open: callers have operator rights.
    LocalSocket,
}

/// The management API and its pages.
pub fn management(app: Arc<App>, door: Door) -> Router {
    let (router, document) = operations().split_for_parts();
    let document = document::with_envelope(document);
    let front = envelope::Front { app: Arc::clone(&app), door };
    router
        .merge(docs::router(&document))
        .merge(index_page::router())
        .merge(console::router())
        .layer(middleware::from_fn_with_state(front, envelope::answer))
        .with_state(app)
}

/// The OpenAPI document, generated from the same routes that answer.
pub fn document() -> OpenApi {
    document::with_envelope(operations().into_openapi())
}

fn operations() -> OpenApiRouter<Arc<App>> {
    let resources = OpenApiRouter::new()
        .merge(bootstrap::router())
        .merge(session::router())
        .merge(profile::router())
        .merge(accounts::router())
        .merge(members::router())
        .merge(invitations::router())
        .merge(addresses::router())
        .merge(people::router())
        .merge(catalog::router())
        .merge(versions::router())
        .merge(gateways::router())
        .merge(gateway_probes::router())
        .merge(webhooks::router())
        .merge(announcements::router())
        .merge(platform_credentials::router())
        .merge(tokens::router())
        .merge(legacy::router())
        .merge(import::router())
        .merge(deliveries::router())
        .merge(audit::router())
        .merge(keys::router())
        .merge(backup::router());
    OpenApiRouter::with_openapi(document::head()).nest("/api/v1", resources)
}
