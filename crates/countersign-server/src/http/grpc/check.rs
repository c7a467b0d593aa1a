//! `envoy.service.auth.v3.Authorization/Check`: Envoy asks about the request it holds. The gateway proves itself with its
//! credential in the metadata `x-countersign-gateway`, before anything it forwards is looked at; then what it says in the
//! attributes is read by the rules of forward-auth, decided there, and told by a `CheckResponse`. An outage of ours is a
//! response with 503 and never an error of gRPC, which a filter may be told to let pass.

use std::sync::Arc;

use bytes::Bytes;
use countersign_model::id::RequestId;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use tonic::{Status, body::Body};
use tonic_prost::ProstCodec;

use super::{message, nothing};
use crate::{
    http::{
        Peer,
        data_plane::{
            DataPlane,
            answer::{self, Answer},
            caller::{self, Claim},
        },
        forward_auth::{self, Asking, Question},
        serve::RequestBody,
    },
    limits::CHECK_CALL_BYTES_MAX,
    node::LiveGateway,
};

/// The service as health checks name it.
pub(super) const SERVICE: &str = "envoy.service.auth.v3.Authorization";
/// The metadata that names the gateway. It may be left out: the credential is the gateway's own.
const NAME: &str = "x-countersign-gateway-name";
/// How this door is called in metrics and logs.
const DOOR: &str = "ext_authz";

type Calls = tonic::server::Grpc<ProstCodec<CheckResponse, CheckRequest>>;

/// Answers a check.
pub(super) async fn answer(plane: &DataPlane, request: Request<RequestBody>) -> Response<Body> {
    let id = plane.ids.next(plane.app.clock.wall());
    let peer = request.body().peer();
    let mut calls = Calls::new(ProstCodec::default()).max_decoding_message_size(CHECK_CALL_BYTES_MAX);
    let Some(gateway) = gateway(plane, request.headers(), peer) else {
        // What it forwards is not even decoded.
        let service = tower::service_fn(|_: tonic::Request<CheckRequest>| {
            tell(plane, id, forward_auth::untrusted(plane, id, peer))
        });
        return calls.unary(service, request.map(|_| nothing())).await;
    };
    let service = tower::service_fn(|call: tonic::Request<CheckRequest>| {
        tell(plane, id, judge(plane, id, &gateway, call.get_ref()))
    });
    calls.unary(service, request).await
}

/// Answers a check with what was decided elsewhere.
pub(super) async fn say(call: Request<http_body_util::Full<Bytes>>, said: Response<Bytes>) -> Response<Body> {
    let (head, body) = said.into_parts();
    let message = message::response(&head, &body);
    let service = tower::service_fn(move |_: tonic::Request<CheckRequest>| {
        std::future::ready(Ok(tonic::Response::new(message.clone())))
    });
    Calls::new(ProstCodec::default()).unary(service, call).await
}

fn gateway(plane: &DataPlane, metadata: &HeaderMap, peer: Peer) -> Option<Arc<LiveGateway>> {
    let claim = Claim::of(metadata);
    let mut names = metadata.get_all(NAME).iter();
    match (names.next(), names.next()) {
        (None, _) => caller::any(&plane.app, &claim, peer),
        (Some(name), None) => caller::named(&plane.app, name.to_str().ok()?, &claim, peer),
        (Some(_), Some(_)) => None,
    }
}

/// What forward-auth would answer.
fn judge(plane: &DataPlane, id: RequestId, gateway: &LiveGateway, check: &CheckRequest) -> Answer {
    let asking = Asking { plane, id, now: plane.app.clock.now(), gateway, door: DOOR };
    let request = check.attributes.as_ref().and_then(|attributes| attributes.request.as_ref()?.http.as_ref());
    let Some(request) = request else { return asking.misconfigured("the attributes of the request") };
    let Some(headers) = message::headers(request) else { return asking.malformed() };
    asking.judge(&Question {
        method: request.method.as_bytes(),
        host: request.host.as_bytes(),
        target: Some(request.path.as_bytes()),
        headers: &headers,
    })
}

async fn tell(
    plane: &DataPlane,
    id: RequestId,
    mut answer: Answer,
) -> Result<tonic::Response<CheckResponse>, Status> {
    plane.metrics.note_request(DOOR, answer.status().as_u16());
    if !answer.status().is_success() {
        answer::finish(&mut answer, id);
    }
    let (head, body) = answer.into_parts();
    let Ok(body) = body.collect().await;
    Ok(tonic::Response::new(message::response(&head, &body.to_bytes())))
}
