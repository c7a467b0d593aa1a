//! The health listener: whether the process lives, whether it should be sent requests, what it is, and its metrics. It
//! tells nothing that identifies a customer, and holds no secret; `/livez` touches no database.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use countersign_model::decision::Unavailable;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};
use serde_json::json;

use super::{metrics::Metrics, serve::RequestBody};
use crate::node::Vitals;

/// Whether this node wants requests: not before it listens, and not once it was asked to stop.
#[derive(Debug, Default)]
pub struct Readiness {
    started: AtomicBool,
    draining: AtomicBool,
}

impl Readiness {
    /// Every listener is served.
    pub fn started(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// Whether a stop was asked for.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// A stop was asked for.
    pub fn draining(&self) {
        self.draining.store(true, Ordering::Release);
    }
}

/// What the health listener works with.
#[derive(Clone)]
pub struct Health {
    /// How the node is.
    pub vitals: Vitals,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether this node wants requests.
    pub readiness: Arc<Readiness>,
}

/// One thing that must be right, and whether it is.
type Check = (&'static str, Result<(), &'static str>);

impl Health {
    /// Answers one request.
    pub async fn answer(&self, request: Request<RequestBody>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut answer =
                text(StatusCode::METHOD_NOT_ALLOWED, "This address takes GET only.\n".to_owned());
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        let verbose =
            request.uri().query().is_some_and(|query| query.split('&').any(|part| part == "verbose"));
        match request.uri().path() {
            "/livez" => text(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" => report(&self.ready().await, verbose),
            "/startupz" => report(&[self.has_started()], verbose),
            "/version" => version(self.vitals.schema()),
            "/metrics" => self.metrics().await,
            _ => text(
                StatusCode::NOT_FOUND,
                "Here are /livez, /readyz, /startupz, /version and /metrics.\n".to_owned(),
            ),
        }
    }

    fn has_started(&self) -> Check {
        let started = self.readiness.started.load(Ordering::Acquire);
        ("started", if started { Ok(()) } else { Err("not every listener is open yet") })
    }

    async fn ready(&self) -> Vec<Check> {
        let draining = self.readiness.is_draining();
        vec![
            self.has_started(),
            ("not_draining", if draining { Err("a stop was asked for") } else { Ok(()) }),
            ("verifier", self.vitals.verifier().map_err(Unavailable::code)),
            ("catalog", if self.vitals.has_catalog() { Ok(()) } else { Err("not loaded") }),
            // Without its keys an installation does not open, so whoever can be asked has them.
            ("keys", Ok(())),
            ("store", self.vitals.store().await),
        ]
    }

    async fn metrics(&self) -> Response<Full<Bytes>> {
        let (applied, head) = self.vitals.progress();
        // What cannot be read stays as it was told last; `/readyz` says that it cannot be read.
        if let Some((standing, now)) = self.vitals.outbox().await {
            self.metrics.note_outbox(&standing, now);
        }
        self.metrics.note_anchor(self.vitals.anchor_failing_since());
        match self.metrics.text(applied.0, head.0) {
            Ok(body) => {
                let mut answer = text(StatusCode::OK, body);
                let media_type =
                    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
                answer.headers_mut().insert(CONTENT_TYPE, media_type);
                answer
            }
            Err(error) => {
                tracing::error!(%error, "cannot write the metrics");
                text(StatusCode::INTERNAL_SERVER_ERROR, "The metrics cannot be written.\n".to_owned())
            }
        }
    }
}

fn report(checks: &[Check], verbose: bool) -> Response<Full<Bytes>> {
    let healthy = checks.iter().all(|(_, result)| result.is_ok());
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let shown = checks.iter().filter(|(_, result)| verbose || result.is_err());
    let mut body: String = shown
        .map(|(name, result)| match result {
            Ok(()) => format!("[+] {name} ok\n"),
            Err(reason) => format!("[-] {name} failed: {reason}\n"),
        })
        .collect();
    body.push_str(if healthy { "ok\n" } else { "not ok\n" });
    text(status, body)
}

fn version(schema: u32) -> Response<Full<Bytes>> {
    let body = json!({ "name": "countersign", "version": env!("CARGO_PKG_VERSION"), "schema": schema });
    let mut answer = text(StatusCode::OK, body.to_string());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
