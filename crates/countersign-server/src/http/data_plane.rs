//! The data plane: what gateways, back ends and callers with tokens ask. A listener of its own and no middleware: the
//! path leads straight to a door. It reads the clock once per request and answers nothing that may be kept
//! (`Cache-Control: no-store`), but for the key set. The only door that writes is revocation.

pub(super) mod answer;
pub(super) mod caller;
pub(super) mod facts;
pub(super) mod version_notice;

use std::{net::IpAddr, sync::Arc};

use countersign_model::{
    decision::{Decision, Denial, Denied},
    id::RequestId,
    route::Request as Target,
    time::Now,
};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::{Method, Request, Response, body::Bytes};
use serde_json::Map;

use self::answer::Answer;
use super::{
    Peer, forward_auth, grpc, health::Readiness, metrics::Metrics, oauth, serve::RequestBody, verify, whoami,
};
use crate::{
    app::App,
    error::{Error, Kind},
    ops::attempts,
    random::RequestIds,
};

/// Where the keys of assertions are (RFC 8615).
const KEY_SET: &str = "/.well-known/jwks.json";
/// The front of the paths of forward-auth; the name of the gateway follows, and after it, where its profile says so, the
/// original target.
pub(super) const FORWARD_AUTH: &str = "/v1/forward-auth/";

/// What the doors of the data plane work with, on one thread.
pub struct DataPlane {
    /// The application.
    pub app: Arc<App>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether this node wants requests.
    pub readiness: Arc<Readiness>,
    /// Ids for requests.
    pub ids: RequestIds,
}

/// The id of a request, and its client's address where it is known.
pub(super) type Origin = (RequestId, Option<IpAddr>);

/// One request, as its door sees it.
pub(super) struct Asked<'r> {
    /// Its header and body.
    pub request: Request<RequestBody>,
    /// Who is at the other end of the connection.
    pub peer: Peer,
    /// Its id.
    pub id: RequestId,
    /// When its header was there: of a request without a body, all of it.
    pub now: Now,
    /// What the door works with.
    pub plane: &'r DataPlane,
}

impl DataPlane {
    /// Answers one request or one call over gRPC.
    pub async fn serve(
        &self,
        request: Request<RequestBody>,
    ) -> Response<Either<Full<Bytes>, tonic::body::Body>> {
        if grpc::is_call(&request) {
            Box::pin(grpc::answer(self, request)).await.map(Either::Right)
        } else {
            self.answer(request).await.map(Either::Left)
        }
    }

    async fn answer(&self, request: Request<RequestBody>) -> Answer {
        let now = self.app.clock.now();
        let id = self.ids.next(now.wall);
        let peer = request.body().peer();
        let asked = Asked { request, peer, id, now, plane: self };
        let (door, mut answer) = asked.route().await;
        answer::finish(&mut answer, id);
        self.metrics.note_request(door, answer.status().as_u16());
        answer
    }
}

impl Asked<'_> {
    async fn route(self) -> (&'static str, Answer) {
        let path = self.request.uri().path();
        let method = self.request.method();
        if path.starts_with(FORWARD_AUTH) {
            return ("forward_auth", forward_auth::answer(&self));
        }
        match path {
            "/v1/verify" if *method == Method::POST => ("verify", verify::answer(self).await),
            "/v1/verify" => ("verify", answer::method_not_allowed("POST", self.id)),
            "/v1/token" if *method == Method::POST => ("token", Box::pin(oauth::token::answer(self)).await),
            "/v1/token" => ("token", answer::method_not_allowed("POST", self.id)),
            "/v1/introspect" if *method == Method::POST => {
                ("introspect", Box::pin(oauth::introspect::answer(self)).await)
            }
            "/v1/introspect" => ("introspect", answer::method_not_allowed("POST", self.id)),
            "/v1/revoke" if *method == Method::POST => {
                ("revoke", Box::pin(oauth::revoke::answer(self)).await)
            }
            "/v1/revoke" => ("revoke", answer::method_not_allowed("POST", self.id)),
            KEY_SET if *method == Method::GET || *method == Method::HEAD => {
                ("key_set", oauth::key_set::answer(&self))
            }
            KEY_SET => ("key_set", answer::method_not_allowed("GET, HEAD", self.id)),
            "/whoami" if *method == Method::GET || *method == Method::HEAD => {
                ("whoami", Box::pin(whoami::answer(&self)).await)
            }
            "/whoami" => ("whoami", answer::method_not_allowed("GET, HEAD", self.id)),
            _ => ("none", self.nowhere()),
        }
    }

    /// Another spelling of a path is refused as such, here as behind a gateway.
    fn nowhere(&self) -> Answer {
        let uri = self.request.uri();
        let target = uri.path_and_query().map_or(uri.path(), |target| target.as_str());
        match Target::read(b"GET", target.as_bytes(), false) {
            Ok(_) => answer::problem(&no_such_door(), Some(self.id)),
            Err(denial) => {
                answer::denied(&Denied { denial, token: None, account: None }, &Map::new(), self.id)
            }
        }
    }

    /// Reads the whole body, at most so many bytes.
    pub async fn body(self, limit: usize) -> Result<Bytes, Error> {
        let declared = hyper::body::Body::size_hint(self.request.body()).lower();
        let too_large = || {
            Error::new(
                Kind::TooLarge,
                "body_too_large",
                format!("The body may have at most {limit} bytes; send less."),
            )
        };
        if usize::try_from(declared).map_or(true, |declared| declared > limit) {
            return Err(too_large());
        }
        let mut body = self.request.into_body();
        let (mut first, mut whole) = (Bytes::new(), Vec::new());
        while let Some(frame) = body.frame().await {
            let cut_off = |_| Error::malformed("The body did not arrive whole and in time; send it again.");
            let Ok(data) = frame.map_err(cut_off)?.into_data() else { continue };
            if first.len().max(whole.len()) + data.len() > limit {
                return Err(too_large());
            }
            // Nearly every body is one piece, which is taken as it is.
            if first.is_empty() {
                first = data;
                continue;
            }
            if whole.is_empty() {
                whole.extend_from_slice(&first);
            }
            whole.extend_from_slice(&data);
        }
        Ok(if whole.is_empty() { first } else { whole.into() })
    }
}

impl DataPlane {
    /// Counts a decision. A credential in a URL is an event: in the log and in the audit trail, without what was sent.
    pub(super) fn note(
        &self,
        door: &'static str,
        gateway: Option<&str>,
        (id, address): Origin,
        decision: &Decision,
    ) {
        let code = match decision {
            Decision::Allow(_) => "allowed",
            Decision::Deny(denied) => denied.denial.code(),
            Decision::Unavailable(reason) => reason.code(),
        };
        self.metrics.note_decision(door, code);
        if let Decision::Deny(Denied { denial: Denial::CredentialsMisplaced, .. }) = decision {
            self.metrics.misplaced_credentials.inc();
            let client = address.map(|address| address.to_string());
            tracing::warn!(%id, door, gateway, client, credential = "[redacted]", "a credential came in a URL");
            self.app.throttle.attempts.note(attempts::MISPLACED, address, self.app.clock.wall());
        }
    }
}

fn no_such_door() -> Error {
    Error::new(
        Kind::NotFound,
        "not_found",
        "The data plane answers /v1/verify, /v1/forward-auth/NAME, /v1/introspect, /v1/token, /v1/revoke, /.well-known/jwks.json and /whoami; the management API is on another port.",
    )
}
