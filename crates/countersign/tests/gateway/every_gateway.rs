//! The suite through every gateway as we ship it, which finds nothing; and through every recipe that was deliberately
//! broken, which finds what was done to it.
#![allow(clippy::disallowed_methods, reason = "how long each copy took is told")]

use std::{sync::Arc, time::Instant};

use futures_util::{StreamExt as _, stream};

use crate::{
    countersign::Countersign,
    failures::while_countersign_fails,
    gateways::{self, Class, Fault, Gateway},
    revocation::{connections_are_kept, disabled_is_refused_at_once, what_callers_are_told},
    stack::{Stack, beside_each_other},
    suite::{Decided, Finding, Until, over_http1, over_http2},
};

/// Broken copies that run at the same time: more than there are processors, because copies that fail wait for their time
/// limits; not so many that a busy machine would look like a gateway that is late.
const AT_ONCE: usize = 8;
/// Findings that are shown of one gateway.
const SHOWN: usize = 20;

fn shown(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().take(SHOWN).map(Finding::to_string).collect();
    format!("{} findings:\n{}", findings.len(), lines.join("\n"))
}

/// T-22, T-23, T-24 and T-38 are rows of the table, among others.
#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_the_table_is_what_the_library_decides() {
    beside_each_other(async |stack| {
        let decided = Decided::make(&stack.countersign, &stack.name).await;
        assert!(decided.cases.len() >= 1_000, "{}", decided.cases.len());
        for (status, least) in [(200, 300), (400, 50), (401, 50), (403, 100)] {
            assert!(decided.count(status) >= least, "{status}: {}", decided.count(status));
        }
        let findings = over_http1(stack, &decided, Until::TheEnd).await;
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
        let findings = while_countersign_fails(stack, &decided, Until::TheEnd).await;
        assert!(findings.is_empty(), "{}: {}", stack.name, shown(&findings));
    })
    .await;
}

/// On new connections, kept ones and open HTTP/2 connections.
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

/// A Countersign with a table for the broken copies of one gateway. Those of another have another, because addresses
/// that fail too often are refused, and every copy is sent the same failures from the same addresses.
struct Ground {
    countersign: Arc<Countersign>,
    decided: Decided,
}

/// What the suite does.
#[derive(Clone, Copy)]
enum Part {
    Table,
    NextRequests,
    Failures,
}

/// The parts, those first that look for this.
fn parts(class: Class) -> [Part; 3] {
    match class {
        Class::Open | Class::Spoofed | Class::Rewritten | Class::Credential => {
            [Part::Table, Part::NextRequests, Part::Failures]
        }
        Class::Untold | Class::Cached | Class::Unkept => [Part::NextRequests, Part::Table, Part::Failures],
        Class::Untrue => [Part::NextRequests, Part::Failures, Part::Table],
        Class::FailsOpen | Class::Late => [Part::Failures, Part::NextRequests, Part::Table],
    }
}

/// The whole suite runs through every recipe as it is, above. Through a broken copy it runs until it has found what the
/// copy was broken for, and with `COUNTERSIGN_TEST_FULL=1` to its end.
#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_every_fault() {
    let mut copies = Vec::new();
    for gateway in gateways::ALL {
        let countersign = Arc::new(Countersign::start().await);
        let decided = Decided::make(&countersign, "table").await;
        let ground = Arc::new(Ground { countersign, decided });
        for (index, fault) in gateway.faults.iter().enumerate() {
            copies.push((Arc::clone(&ground), gateway, index, fault));
        }
    }
    println!("{} broken recipes", copies.len());
    assert!(copies.len() >= 60, "{}", copies.len());
    // Who waits longest begins first.
    copies.sort_by_key(|(_, _, _, fault)| fault.found != Class::Late);
    let misses = copies.into_iter().map(async |(ground, gateway, index, fault)| {
        let begun = Instant::now();
        let missed = miss(&ground, gateway, index, fault).await;
        println!("{}: {}: {:?} in {:.1?}", gateway.name, fault.name, fault.found, begun.elapsed());
        missed
    });
    let missed: Vec<Option<String>> = stream::iter(misses).buffer_unordered(AT_ONCE).collect().await;
    let missed: Vec<String> = missed.into_iter().flatten().collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Runs the suite against a broken copy until it finds it; tells what it did not find.
async fn miss(ground: &Ground, gateway: &'static Gateway, index: usize, fault: &Fault) -> Option<String> {
    let name = format!("{}-{index}", gateway.name);
    let stack = Stack::start_with(&ground.countersign, gateway, name, Some(fault)).await;
    let is_full = std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|value| value == "1");
    let (found, mut findings) = (Until::Found(fault.found), Vec::new());
    let until = if is_full { Until::TheEnd } else { found };
    for part in parts(fault.found) {
        match part {
            Part::Table => findings.extend(over_http1(&stack, &ground.decided, until).await),
            Part::NextRequests => {
                findings.extend(disabled_is_refused_at_once(&stack).await);
                findings.extend(what_callers_are_told(&stack).await);
                findings.extend(connections_are_kept(&stack).await);
            }
            Part::Failures => findings.extend(while_countersign_fails(&stack, &ground.decided, until).await),
        }
        if until.is_reached(&findings) {
            break;
        }
    }
    (!found.is_reached(&findings)).then(|| {
        format!("{} ({}): not found as {:?}; {}", gateway.name, fault.name, fault.found, shown(&findings))
    })
}
