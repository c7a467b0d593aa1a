//! `grpc.health.v1.Health/Check`: whether this node should be asked. It says of the data plane what `/readyz` says of it,
//! without the database, and tells nothing else.

use std::sync::Arc;

use http::{Request, Response};
use tonic::{Code, Status, body::Body};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus};
use tonic_prost::ProstCodec;

use super::check::SERVICE;
use crate::{
    http::{data_plane::DataPlane, serve::RequestBody},
    limits::HEALTH_CALL_BYTES_MAX,
    node::Vitals,
};

/// Answers a check.
pub(super) async fn answer(plane: &DataPlane, request: Request<RequestBody>) -> Response<Body> {
    let service = tower::service_fn(|asked: tonic::Request<HealthCheckRequest>| {
        std::future::ready(status(plane, &asked.get_ref().service))
    });
    let mut calls =
        tonic::server::Grpc::new(ProstCodec::<HealthCheckResponse, HealthCheckRequest>::default())
            .max_decoding_message_size(HEALTH_CALL_BYTES_MAX);
    calls.unary(service, request).await
}

/// The whole server has no name.
fn status(plane: &DataPlane, service: &str) -> Result<tonic::Response<HealthCheckResponse>, Status> {
    if !service.is_empty() && service != SERVICE {
        return Err(Status::new(Code::NotFound, "no service of this name is here"));
    }
    let serves = !plane.readiness.is_draining() && Vitals::of(Arc::clone(&plane.app)).verifier().is_ok();
    let status = if serves { ServingStatus::Serving } else { ServingStatus::NotServing };
    Ok(tonic::Response::new(HealthCheckResponse { status: status.into() }))
}
