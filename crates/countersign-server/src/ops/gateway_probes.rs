//! The last probe of a gateway: what somebody found who drove it. It is kept to be shown and decides about nothing.

use countersign_model::probe::{ProbeCheck, ProbeVerdict};
use countersign_store::{GatewayProbe, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::gateways;
use crate::{
    app::App,
    caller::Deed,
    error::Error,
    limits::{PROBE_FINDINGS_MAX, PROBE_TEXT_CHARS_MAX},
    rights::Operator,
};

/// What a probe found, check by check.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProbeReport {
    /// Where the gateway was asked.
    pub url: String,
    /// Which kind of gateway it is, where that was said.
    pub kind: Option<String>,
    /// The checks, each once.
    pub checks: Vec<ProbeChecked>,
}

/// One check and what came of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProbeChecked {
    /// Which.
    pub check: ProbeCheck,
    /// What came of it.
    pub verdict: ProbeVerdict,
    /// How many requests it took.
    pub requests: u32,
    /// How much was found.
    pub found: u32,
    /// Some of it.
    pub findings: Vec<ProbeFinding>,
    /// What mends it in this kind of gateway, in the words of its configuration.
    pub directive: Option<String>,
}

/// One thing that must not be.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProbeFinding {
    /// What was sent, without secrets.
    pub sent: String,
    /// What happened.
    pub happened: String,
}

/// The last probe of the gateway with this name.
pub async fn last(app: &App, operator: &Operator, name: &str) -> Result<Option<GatewayProbe>, Error> {
    let gateway = gateways::find(app, operator, name).await?;
    Ok(app.store.gateway_probe(gateway.id).await?)
}

/// Keeps a probe in place of the one before.
pub async fn put(
    app: &App,
    operator: &Operator,
    name: &str,
    report: &ProbeReport,
) -> Result<GatewayProbe, Error> {
    check(report)?;
    let gateway = gateways::find(app, operator, name).await?;
    let text = serde_json::to_string(report).map_err(|error| Error::internal("gateway probe", &error))?;
    let probe = GatewayProbe { gateway_id: gateway.id, at: app.clock.wall(), report: text };
    let deed = Deed {
        action: "gateway.probe",
        subject: gateway.id.to_string(),
        subject_label: &gateway.name,
        before: Value::Null,
        after: summary(report),
    };
    app.commit(Write::new(operator.audit(app, None, deed)).put_gateway_probe(&probe)).await?;
    Ok(probe)
}

/// The report of a stored probe.
pub fn report(probe: &GatewayProbe) -> Result<ProbeReport, Error> {
    serde_json::from_str(&probe.report).map_err(|error| Error::internal("gateway probe", &error))
}

fn summary(report: &ProbeReport) -> Value {
    let count = |verdict| report.checks.iter().filter(|one| one.verdict == verdict).count();
    let found: Vec<&str> = report
        .checks
        .iter()
        .filter(|one| one.verdict == ProbeVerdict::Found)
        .map(|one| one.check.as_str())
        .collect();
    json!({ "url": report.url, "shut": count(ProbeVerdict::Shut), "found": found,
        "not_checked": count(ProbeVerdict::NotChecked) })
}

fn check(report: &ProbeReport) -> Result<(), Error> {
    text("url", &report.url)?;
    text("kind", report.kind.as_deref().unwrap_or_default())?;
    for (index, one) in report.checks.iter().enumerate() {
        let field = |name: &str| format!("checks[{index}].{name}");
        // There are only so many checks, so this bounds the list, too.
        if report.checks[..index].iter().any(|other| other.check == one.check) {
            return Err(Error::invalid(field("check"), "each check comes once"));
        }
        if one.findings.len() > PROBE_FINDINGS_MAX {
            return Err(Error::invalid(field("findings"), format!("at most {PROBE_FINDINGS_MAX} findings")));
        }
        text(&field("directive"), one.directive.as_deref().unwrap_or_default())?;
        for finding in &one.findings {
            text(&field("findings"), &finding.sent)?;
            text(&field("findings"), &finding.happened)?;
        }
    }
    Ok(())
}

/// A text of a probe holds what strangers sent, so it is held to what can be shown.
fn text(field: &str, text: &str) -> Result<(), Error> {
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(field, "it must hold no control characters"));
    }
    if text.chars().count() > PROBE_TEXT_CHARS_MAX {
        return Err(Error::invalid(field, format!("at most {PROBE_TEXT_CHARS_MAX} characters")));
    }
    Ok(())
}
