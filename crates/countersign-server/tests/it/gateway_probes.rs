//! The last probe of a gateway: kept as it was sent, in place of the one before, and gone with the gateway.

use countersign_model::probe::{ProbeCheck, ProbeVerdict};
use countersign_server::http::document;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, World, newest_entry};

const PATH: &str = "/api/v1/gateways/edge/probe";

async fn put(operator: &Client, report: &Value) -> Answer {
    operator.request("PUT", PATH).json(report).send().await
}

fn checked(check: &str, findings: usize) -> Value {
    let finding = json!({ "sent": "GET /a [no credential]", "happened": "200; back end: GET /a" });
    json!({ "check": check, "verdict": if findings > 0 { "found" } else { "shut" }, "requests": 9, "found": findings,
        "findings": vec![finding; findings], "directive": null })
}

#[tokio::test]
async fn the_last_probe_is_kept_and_told() {
    let world = World::new().await;
    let operator = &world.operator;
    operator.get(PATH).await.expect_problem(404, "not_found");
    operator.post("/api/v1/gateways", json!({ "name": "edge" })).await.expect(201);
    assert_eq!(operator.get(PATH).await.expect(200).json(), json!({ "probe": null }));
    let report = |findings| {
        json!({ "url": "http://127.0.0.1:8080", "kind": "nginx",
            "checks": [checked("credentials", findings), checked("outage", 0)] })
    };
    for findings in [2, 0] {
        let answer = put(operator, &report(findings)).await.expect(200).json();
        assert_eq!(answer["probe"]["report"], report(findings));
        assert_eq!(operator.get(PATH).await.expect(200).json(), answer);
        let entry = newest_entry(&world).await;
        assert_eq!((entry.action.as_str(), entry.subject_label.as_str()), ("gateway.probe", "edge"));
    }
    operator.delete("/api/v1/gateways/edge").await.expect(204);
    operator.get(PATH).await.expect_problem(404, "not_found");
    operator.post("/api/v1/gateways", json!({ "name": "edge" })).await.expect(201);
    assert_eq!(operator.get(PATH).await.expect(200).json(), json!({ "probe": null }), "another gateway");
}

#[tokio::test]
async fn a_probe_that_cannot_be_shown_is_refused() {
    let world = World::new().await;
    world.operator.post("/api/v1/gateways", json!({ "name": "edge" })).await.expect(201);
    let good = json!({ "url": "http://a", "kind": null, "checks": [checked("paths", 1)] });
    let with = |pointer: &str, value: Value| {
        let mut report = good.clone();
        *report.pointer_mut(pointer).unwrap() = value;
        report
    };
    put(&world.operator, &good).await.expect(200);
    for bad in [
        with("/url", json!("x".repeat(401))),
        with("/url", json!("a\u{1b}[2J")),
        with("/kind", json!("a\nb")),
        with("/checks", json!([checked("paths", 0), checked("paths", 0)])),
        with("/checks", json!([checked("doors", 0)])),
        with("/checks", json!([checked("paths", 11)])),
        with("/checks/0/verdict", json!("open")),
        with("/checks/0/found", json!(-1)),
        with("/checks/0/directive", json!("x".repeat(401))),
        with("/checks/0/findings/0/sent", json!("x".repeat(401))),
        with("/checks/0/findings/0/happened", json!("a\0b")),
        json!({ "url": "http://a", "kind": null, "checks": [], "more": 1 }),
    ] {
        let refused = put(&world.operator, &bad).await;
        assert!(refused.status.is_client_error(), "{bad}: {}", refused.status);
    }
}

/// The document names the checks and verdicts by hand.
#[test]
fn the_document_knows_every_check() {
    let document = serde_json::to_value(document()).unwrap();
    let words = |name: &str| document["components"]["schemas"][name]["enum"].clone();
    let mut named: Vec<String> = serde_json::from_value(words("ProbeCheck")).unwrap();
    let mut known: Vec<&str> = ProbeCheck::ALL.iter().map(|check| check.as_str()).collect();
    named.sort();
    known.sort_unstable();
    assert_eq!(named, known);
    let verdicts = [ProbeVerdict::Shut, ProbeVerdict::Found, ProbeVerdict::NotChecked];
    assert_eq!(words("ProbeVerdict"), json!(verdicts.map(ProbeVerdict::as_str)));
}
