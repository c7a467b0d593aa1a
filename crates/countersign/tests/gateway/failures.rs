//! Countersign stopped, hung, reset, slow, failing or talking nonsense: never the back end, always the outage the
//! recipe promises, and in time.
#![allow(clippy::disallowed_methods, reason = "whether an answer is late cannot be seen without a clock")]

use std::time::{Duration, Instant};

use crate::{
    gateways::{Class, Habit},
    relay::Mode,
    stack::Stack,
    suite::{Decided, Finding, Until},
};

/// How late the refusal of a request may be whose question is not answered: the 2 s of the recipes, and what a busy
/// machine takes.
const LATE: Duration = Duration::from_secs(4);

/// What no gateway takes for an allow.
const FAILURES: &[Mode] = &[
    Mode::Stopped,
    Mode::Hangs,
    Mode::Resets,
    Mode::Closes,
    Mode::Slow,
    Mode::SaysAndHangs("HTTP/1.1 200 OK\r\nX-Request-Id: req_0123456789abcdefghjk"),
    Mode::Says("garbage"),
    Mode::Says("garbage\r\n\r\n"),
    Mode::Says("200 OK\r\n\r\n"),
    Mode::Says("SSH-2.0-OpenSSH_9.2\r\n"),
    Mode::Says("X-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\r\n"),
    Mode::Says("HTTP/1.1 200"),
    Mode::Says("HTTP/1.1 200 OK\r\nX-Request-Id: req_0123456789abcd"),
    Mode::Says("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
    Mode::Says(
        "HTTP/1.1 500 Internal Server Error\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\nContent-Length: 0\r\n\r\n",
    ),
    Mode::Says("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
    Mode::Says("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
    Mode::Says("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"),
    Mode::Says("\0\0\0\0"),
    Mode::Says("HTTP/1.1 2OO OK\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\r\n"),
];

/// What only those take for an allow that look at the status alone.
const NOT_OURS: &[Mode] = &[
    Mode::Says("HTTP/1.1 200 OK\r\n\r\n"),
    Mode::Says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    Mode::Says("HTTP/1.1 200 OK\r\nX-Request-Id: other\r\nContent-Length: 0\r\n\r\n"),
    Mode::Says("HTTP/1.1 200 OK\r\nX-Request-Id: req_a b\r\nContent-Length: 0\r\n\r\n"),
    Mode::Says(
        "HTTP/1.1 201 Created\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\nContent-Length: 0\r\n\r\n",
    ),
    Mode::Says("HTTP/1.1 204 No Content\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\r\n"),
    Mode::Says("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
    Mode::Says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    Mode::Says("HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n"),
    Mode::Says("HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n"),
    Mode::Says("HTTP/2 200 OK\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\r\n"),
];

/// The same over gRPC, where what is said over HTTP/1.1 is nonsense.
const NOT_OURS_OVER_GRPC: &[Mode] = &[Mode::AllowsNobody];

/// The failures, those that a gateway is to end the waiting for first or last.
fn failures(stack: &Stack, until: Until) -> Vec<&'static Mode> {
    let strict = if stack.gateway.has(Habit::ReadsAnswers) { NOT_OURS } else { &[] };
    let over_grpc = if stack.gateway.has(Habit::AsksOverGrpc) { NOT_OURS_OVER_GRPC } else { &[] };
    let mut all: Vec<&Mode> = strict.iter().chain(over_grpc).chain(FAILURES).collect();
    let waits = |mode: &Mode| matches!(mode, Mode::Hangs | Mode::Slow | Mode::SaysAndHangs(_));
    let is_late = matches!(until, Until::Found(Class::Late));
    all.sort_by_key(|mode| waits(mode) != is_late);
    all
}

/// Another failure, or the end of them. What asks over HTTP/1 may keep the connection that it has; over HTTP/2 what is said
/// next would be the middle of something.
async fn begin(stack: &Stack, mode: Mode) {
    if stack.gateway.has(Habit::AsksOverGrpc) {
        stack.questions.set(Mode::Stopped).await;
    }
    stack.questions.set(mode).await;
}

/// Asks with the right credential during every failure, and afterwards.
pub async fn while_countersign_fails(stack: &Stack, decided: &Decided, until: Until) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (target, token) = (decided.people.allowed(), &decided.people.reader);
    for failure in failures(stack, until) {
        begin(stack, failure.clone()).await;
        // What Countersign answers itself is not a decision: whatever is said in its place may go on to the client.
        let is_silent = !matches!(failure, Mode::Says(_) | Mode::SaysAndHangs(_) | Mode::AllowsNobody);
        for target in [target.as_str(), "/whoami"].into_iter().take(1 + usize::from(is_silent)) {
            let asked = Instant::now();
            let reply = stack.get(target, token).await;
            let mut found = |class, told| {
                findings.push(Finding { class, told: format!("{failure:?} {target}: {told}: {reply:?}") });
            };
            if asked.elapsed() > LATE {
                found(Class::Late, format!("after {:?}", asked.elapsed()));
            }
            if !stack.reached().is_empty() {
                found(Class::FailsOpen, "it arrived".to_owned());
            }
            let outage = &stack.gateway.outage;
            if !outage.statuses.contains(&reply.status) {
                found(Class::Untrue, "is no outage".to_owned());
            }
            if outage.retry_after && reply.headers.get("retry-after").is_none_or(|value| value != "1") {
                found(Class::Untold, "Retry-After: 1 is missing".to_owned());
            }
        }
        if until.is_reached(&findings) {
            break;
        }
    }
    begin(stack, Mode::Passes).await;
    let reply = stack.get(&target, token).await;
    if reply.status != 200 || stack.reached().len() != 1 {
        findings.push(Finding { class: Class::Untrue, told: format!("afterwards: {reply:?}") });
    }
    stack.taken.take_passed();
    findings
}
