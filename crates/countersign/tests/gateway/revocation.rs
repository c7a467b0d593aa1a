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

/// What a caller is told beside the status: a header, and what is in it.
pub async fn what_callers_are_told(stack: &Stack) -> Vec<Finding> {
    let agency = stack.account("agency").await;
    let limited = limited(stack, &agency).await;
    let target = format!("/Agencies/{}/Reports", limited.sid);
    let other = format!("/Agencies/{}/nothing", limited.sid);
    let policy = ("ratelimit-policy", "q=1;w=7200");
    let (id, used_up) = (("x-request-id", "req_"), ("ratelimit", "r=0"));
    let allowed = stack.get(&target, &limited).await;
    let refused = stack.get(&target, &limited).await;
    let unknown = stack.send(&format!("GET {target}"), &[]).await;
    let forbidden = stack.get(&other, &limited).await;
    stack.reached();
    let mut findings = Vec::new();
    for (reply, status, headers) in [
        (&allowed, 200, &[id, used_up, policy] as &[_]),
        (&refused, 429, &[id, used_up, policy, ("retry-after", "")]),
        (&unknown, 401, &[id, ("www-authenticate", "Basic realm=")]),
        (&forbidden, 403, &[id]),
    ] {
        if reply.status != status {
            findings.push(Finding { class: Class::Untrue, told: format!("is to be {status}: {reply:?}") });
        }
        for (name, holds) in headers {
            let lines: Vec<_> = reply.headers.get_all(*name).iter().collect();
            let is_there = lines.len() == 1 && lines[0].to_str().is_ok_and(|line| line.contains(holds));
            if !is_there {
                findings
                    .push(Finding { class: Class::Untold, told: format!("{name} of {status}: {reply:?}") });
            }
        }
    }
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
