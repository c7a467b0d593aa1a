//! A token that was disabled is refused by the very next request: on a new connection, on one that was kept, and on an
//! open HTTP/2 connection. And connections to Countersign are kept.

use serde_json::json;

use crate::{
    client::{self, Open},
    countersign::{Account, Token},
    gateways::Class,
    stack::Stack,
    suite::Finding,
};

/// Turns, each of which disables and enables.
const TURNS: usize = 5;
/// Requests whose connections to Countersign are counted.
const COUNTED: usize = 50;
/// Connections for so many requests, one after the other: one for each worker of a gateway, and for those that were
/// closed meanwhile.
const CONNECTIONS_MAX: usize = 20;

/// Disables and enables a token under the eyes of three connections.
pub async fn disabled_is_refused_at_once(stack: &Stack) -> Vec<Finding> {
    let brand = stack.account("brand").await;
    let token = stack.countersign.token(&brand, "Comes and goes", &["brand.actions.list"]).await;
    let line = format!("GET /Advertisers/{}/Actions", token.sid);
    let authorization = token.basic();
    let request = || client::request(&line, &[("authorization", &authorization)]);
    let mut kept = Open::http1(&stack.running).await;
    let mut streams = Open::http2(&stack.running).await;
    let mut findings = Vec::new();
    let mut expect = |turn: usize, what: &str, status: u16, expected: u16| {
        if status != expected {
            let class = if status == 200 { Class::Cached } else { Class::Untrue };
            findings
                .push(Finding { class, told: format!("turn {turn}, {what}: {status} is to be {expected}") });
        }
    };
    for turn in 0..TURNS {
        for (deed, expected) in [("", 200), ("disable", 403), ("enable", 200)] {
            if !deed.is_empty() {
                stack.countersign.operator(&format!("POST {}/{deed}", token.path), &json!({})).await;
            }
            expect(turn, "kept", kept.send(request()).await.status, expected);
            let http2 = client::to_http2(request());
            expect(turn, "HTTP/2", streams.send(http2).await.status, expected);
            expect(turn, "new", stack.pass(request()).await.status, expected);
        }
    }
    stack.reached();
    findings
}

/// What a caller is told beside the status.
pub async fn what_callers_are_told(stack: &Stack) -> Vec<Finding> {
    let media = stack.account("agency").await;
    let mut findings = Vec::new();
    let mut expect = |told: &str, is_so: bool, reply: &client::Reply| {
        if !is_so {
            findings.push(Finding { class: Class::Untold, told: format!("{told}: {reply:?}") });
        }
    };
    let limited = limited(stack, &media).await;
    let target = format!("/Agencies/{}/Reports", limited.sid);
    let has = |reply: &client::Reply, name: &str, holds: &str| {
        let lines: Vec<_> = reply.headers.get_all(name).iter().collect();
        lines.len() == 1 && lines[0].to_str().is_ok_and(|line| line.contains(holds))
    };
    let allowed = stack.get(&target, &limited).await;
    expect("RateLimit of an allow", has(&allowed, "ratelimit", "r=0"), &allowed);
    expect("RateLimit-Policy of an allow", has(&allowed, "ratelimit-policy", "q=1;w=7200"), &allowed);
    expect("X-Request-Id of an allow", has(&allowed, "x-request-id", "req_"), &allowed);
    let refused = stack.get(&target, &limited).await;
    if refused.status != 429 {
        let told = format!("a used-up limit is to be 429: {refused:?}");
        findings.push(Finding { class: Class::Untrue, told });
        return findings;
    }
    let mut expect = |told: &str, is_so: bool, reply: &client::Reply| {
        if !is_so {
            findings.push(Finding { class: Class::Untold, told: format!("{told}: {reply:?}") });
        }
    };
    expect("Retry-After of a 429", has(&refused, "retry-after", ""), &refused);
    expect("RateLimit of a 429", has(&refused, "ratelimit", "r=0"), &refused);
    expect("RateLimit-Policy of a 429", has(&refused, "ratelimit-policy", "q=1;w=7200"), &refused);
    expect("X-Request-Id of a 429", has(&refused, "x-request-id", "req_"), &refused);
    let unknown = stack.send(&format!("GET {target}"), &[]).await;
    expect("WWW-Authenticate of a 401", has(&unknown, "www-authenticate", "Basic realm="), &unknown);
    expect("X-Request-Id of a 401", has(&unknown, "x-request-id", "req_"), &unknown);
    let other = format!("/Agencies/{}/nothing", limited.sid);
    let forbidden = stack.get(&other, &limited).await;
    expect("X-Request-Id of a 403", has(&forbidden, "x-request-id", "req_"), &forbidden);
    stack.reached();
    findings
}

async fn limited(stack: &Stack, account: &Account) -> Token {
    let fields = json!({ "name": "Limited", "scopes": ["agency.reports.list"],
        "rate_limit": { "requests": 1, "window_secs": 7200 } });
    stack.countersign.token_with(account, fields).await
}

/// Counts connections to Countersign while it allows: some gateways close one after an answer with a body.
pub async fn connections_are_kept(stack: &Stack) -> Vec<Finding> {
    let brand = stack.countersign.account_named("brand", &format!("kept-{}", stack.name)).await;
    let token = stack.countersign.token(&brand, "Kept", &["brand.actions.list"]).await;
    let target = format!("/Advertisers/{}/Actions", token.sid);
    let before = stack.questions.connections();
    for _ in 0..COUNTED {
        stack.get(&target, &token).await;
    }
    let made = stack.questions.connections() - before;
    let told = format!("{made} connections for {COUNTED} questions");
    stack.reached();
    if made > CONNECTIONS_MAX { vec![Finding { class: Class::Unkept, told }] } else { Vec::new() }
}
