//! The suite through every gateway as we ship it, which finds nothing; and through every recipe that was deliberately
//! broken, which finds what was done to it.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use crate::{
    countersign::Countersign,
    failures::while_countersign_fails,
    gateways::{self, Fault, Gateway},
    revocation::{connections_are_kept, disabled_is_refused_at_once, what_callers_are_told},
    stack::{Stack, beside_each_other},
    suite::{Decided, Finding, over_http1, over_http2},
};

/// Broken copies that run at the same time.
const AT_ONCE: usize = 4;
/// Findings that are shown of one gateway.
const SHOWN: usize = 20;

fn shown(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().take(SHOWN).map(Finding::to_string).collect();
    format!("{} findings:\n{}", findings.len(), lines.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_the_table_is_what_the_library_decides() {
    beside_each_other(async |stack| {
        let decided = Decided::make(&stack.countersign, &stack.name).await;
        assert!(decided.cases.len() >= 1_000, "{}", decided.cases.len());
        for (status, least) in [(200, 300), (400, 50), (401, 50), (403, 100)] {
            assert!(decided.count(status) >= least, "{status}: {}", decided.count(status));
        }
        let findings = over_http1(stack, &decided).await;
        assert!(findings.is_empty(), "{}: {}", stack.name, shown(&findings));
        let (sent, findings) = over_http2(stack, &decided).await;
        assert!(sent >= 500, "{sent}");
        println!("{}: {} requests over HTTP/1, {sent} over HTTP/2", stack.name, decided.cases.len());
        assert!(findings.is_empty(), "{}: {}", stack.name, shown(&findings));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_failure_of_countersign_is_an_allow() {
    beside_each_other(async |stack| {
        let decided = Decided::make(&stack.countersign, &stack.name).await;
        let findings = while_countersign_fails(stack, &decided).await;
        assert!(findings.is_empty(), "{}: {}", stack.name, shown(&findings));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_request_is_decided_anew_and_callers_are_told() {
    beside_each_other(async |stack| {
        let mut findings = disabled_is_refused_at_once(stack).await;
        findings.extend(what_callers_are_told(stack).await);
        findings.extend(connections_are_kept(stack).await);
        assert!(findings.is_empty(), "{}: {}", stack.name, shown(&findings));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_every_fault() {
    let countersign = Arc::new(Countersign::start().await);
    let faults: Vec<(&'static Gateway, usize, &'static Fault)> = gateways::ALL
        .iter()
        .flat_map(|gateway| gateway.faults.iter().enumerate().map(|(index, fault)| (*gateway, index, fault)))
        .collect();
    assert!(faults.len() >= 10, "{}", faults.len());
    println!("{} broken recipes", faults.len());
    let missed: Vec<String> = stream::iter(faults)
        .map(async |(gateway, index, fault)| miss(&countersign, gateway, index, fault).await)
        .buffer_unordered(AT_ONCE)
        .filter_map(async |missed| missed)
        .collect()
        .await;
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Runs the suite against a broken copy until it finds it; tells what it did not find.
async fn miss(
    countersign: &Arc<Countersign>,
    gateway: &'static Gateway,
    index: usize,
    fault: &Fault,
) -> Option<String> {
    let stack =
        Stack::start_with(countersign, gateway, format!("{}-{index}", gateway.name), Some(fault)).await;
    let decided = Decided::make(countersign, &format!("{}-{index}-table", gateway.name)).await;
    let is_found = |findings: &[Finding]| findings.iter().any(|finding| finding.class == fault.found);
    let mut findings = over_http1(&stack, &decided).await;
    if !is_found(&findings) {
        findings.extend(disabled_is_refused_at_once(&stack).await);
        findings.extend(what_callers_are_told(&stack).await);
        findings.extend(connections_are_kept(&stack).await);
    }
    if !is_found(&findings) {
        findings.extend(while_countersign_fails(&stack, &decided).await);
    }
    (!is_found(&findings)).then(|| {
        format!("{} ({}): not found as {:?}; {}", gateway.name, fault.name, fault.found, shown(&findings))
    })
}
