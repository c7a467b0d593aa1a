//! The last probe of a gateway, put there by the command line and shown on the operator's page.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use countersign_store::GatewayProbe;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Moment,
    extract::{AsOperator, Body},
    problem::{ChangeProblems, ReadProblems},
    words,
};
use crate::{
    app::App,
    error::Error,
    ops::gateway_probes::{self, ProbeChecked, ProbeFinding, ProbeReport},
};

/// What a probe found, check by check.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProbeReportBody {
    /// Where the gateway was asked.
    #[schema(max_length = 400)]
    url: String,
    /// Which kind of gateway it is, where that was said.
    #[schema(max_length = 400)]
    kind: Option<String>,
    /// The checks, each at most once.
    #[schema(max_items = 16)]
    checks: Vec<ProbeCheckedBody>,
}

/// One check and what came of it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProbeCheckedBody {
    /// Which.
    #[schema(value_type = words::ProbeCheck)]
    check: countersign_model::probe::ProbeCheck,
    /// What came of it.
    #[schema(value_type = words::ProbeVerdict)]
    verdict: countersign_model::probe::ProbeVerdict,
    /// How many requests it took.
    requests: u32,
    /// How much was found.
    found: u32,
    /// Some of it.
    #[schema(max_items = 10)]
    findings: Vec<ProbeFindingBody>,
    /// What mends it in this kind of gateway, in the words of its configuration.
    #[schema(max_length = 400)]
    directive: Option<String>,
}

/// One thing that must not be.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProbeFindingBody {
    /// What was sent, without secrets.
    #[schema(max_length = 400)]
    sent: String,
    /// What happened.
    #[schema(max_length = 400)]
    happened: String,
}

/// A probe and when it was stored.
#[derive(Serialize, ToSchema)]
struct GatewayProbeView {
    /// When it was stored.
    at: Moment,
    /// What it found.
    report: ProbeReportBody,
}

/// The last probe of a gateway.
#[derive(Serialize, ToSchema)]
struct LastGatewayProbe {
    /// The probe; `null` while there was none.
    probe: Option<GatewayProbeView>,
}

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get_gateway_probe, put_gateway_probe))
}

impl From<ProbeReportBody> for ProbeReport {
    fn from(body: ProbeReportBody) -> Self {
        let finding = |one: ProbeFindingBody| ProbeFinding { sent: one.sent, happened: one.happened };
        let checked = |one: ProbeCheckedBody| ProbeChecked {
            check: one.check,
            verdict: one.verdict,
            requests: one.requests,
            found: one.found,
            findings: one.findings.into_iter().map(finding).collect(),
            directive: one.directive,
        };
        Self { url: body.url, kind: body.kind, checks: body.checks.into_iter().map(checked).collect() }
    }
}

impl From<ProbeReport> for ProbeReportBody {
    fn from(report: ProbeReport) -> Self {
        let finding = |one: ProbeFinding| ProbeFindingBody { sent: one.sent, happened: one.happened };
        let checked = |one: ProbeChecked| ProbeCheckedBody {
            check: one.check,
            verdict: one.verdict,
            requests: one.requests,
            found: one.found,
            findings: one.findings.into_iter().map(finding).collect(),
            directive: one.directive,
        };
        Self { url: report.url, kind: report.kind, checks: report.checks.into_iter().map(checked).collect() }
    }
}

fn view(probe: &GatewayProbe) -> Result<GatewayProbeView, Error> {
    Ok(GatewayProbeView { at: probe.at.into(), report: gateway_probes::report(probe)?.into() })
}

/// Show the last probe of a gateway.
///
/// What `countersign gateway probe` found when it last drove it. Operators only.
#[utoipa::path(get, path = "/gateways/{name}/probe", tag = "gateways",
    params(("name" = inline(words::MachineName), Path, description = "Name of the gateway")),
    responses((status = 200, description = "The last probe, where there was one", body = LastGatewayProbe), ReadProblems))]
async fn get_gateway_probe(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Path(name): Path<String>,
) -> Result<Json<LastGatewayProbe>, Error> {
    let probe = gateway_probes::last(&app, &operator, &name).await?;
    Ok(Json(LastGatewayProbe { probe: probe.as_ref().map(view).transpose()? }))
}

/// Keep the last probe of a gateway.
///
/// It takes the place of the one before. `countersign gateway probe` sends it. Operators only.
#[utoipa::path(put, path = "/gateways/{name}/probe", tag = "gateways", request_body = ProbeReportBody,
    params(("name" = inline(words::MachineName), Path, description = "Name of the gateway")),
    responses((status = 200, description = "As it is kept", body = LastGatewayProbe), ChangeProblems))]
async fn put_gateway_probe(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Path(name): Path<String>,
    Body(body): Body<ProbeReportBody>,
) -> Result<Json<LastGatewayProbe>, Error> {
    let probe = gateway_probes::put(&app, &operator, &name, &body.into()).await?;
    Ok(Json(LastGatewayProbe { probe: Some(view(&probe)?) }))
}
