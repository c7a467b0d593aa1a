//! The doors over gRPC, on the data plane's port: Envoy's `ext_authz` and the standard health check. Whoever asks over
//! HTTP/2 with `Content-Type: application/grpc` comes here. They decide nothing: what is allowed and what a denial says is
//! the same as at forward-auth.

mod check;
mod health;
mod message;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Version, header::CONTENT_TYPE};
use tonic::{Status, body::Body};

use super::{data_plane::DataPlane, serve::RequestBody};

/// Whether a request is a call over gRPC.
pub(super) fn is_call<B>(request: &Request<B>) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    request.version() == Version::HTTP_2
        && content_type.is_some_and(|content_type| content_type.starts_with(b"application/grpc"))
}

/// Answers a call.
pub(super) async fn answer(plane: &DataPlane, request: Request<RequestBody>) -> Response<Body> {
    match request.uri().path() {
        "/envoy.service.auth.v3.Authorization/Check" => check::answer(plane, request).await,
        "/grpc.health.v1.Health/Check" => health::answer(plane, request).await,
        _ => Status::unimplemented(
            "Countersign answers envoy.service.auth.v3.Authorization/Check and grpc.health.v1.Health/Check.",
        )
        .into_http(),
    }
}

/// Answers a `Check` in our place with what forward-auth would say, for a probe that stands where a gateway asks.
pub async fn say<B>(call: Request<B>, said: Response<Bytes>) -> Response<Body> {
    check::say(call.map(|_| nothing()), said).await
}

/// The body of a call that says nothing: a frame without a message.
fn nothing() -> http_body_util::Full<Bytes> {
    http_body_util::Full::new(Bytes::from_static(&[0; 5]))
}
