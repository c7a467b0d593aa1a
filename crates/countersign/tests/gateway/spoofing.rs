//! T-22: clients that send what only the gateway and Countersign may say. Nothing of it may reach the back end, and
//! nothing of it may turn a denial around.

use serde_json::json;

use crate::{
    client,
    countersign::{Countersign, Token},
    stack::{Stack, beside_each_other},
    table::identity::{IDENTITY, PROFILE, corpus, spellings},
};

/// One lie of so many is told where the full count was not asked for; no divisor of the length of a row, so that every
/// row and column has its turn.
const THINNED: usize = 7;

async fn send(stack: &Stack, target: &str, authorization: Option<&str>, headers: &str) -> String {
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let end = if headers.is_empty() { "" } else { "\r\n" };
    let bytes =
        format!("GET {target} HTTP/1.1\r\nHost: a\r\n{authorization}{headers}{end}Connection: close\r\n\r\n");
    stack.raw(bytes.as_bytes()).await
}

struct Liar<'s> {
    stack: &'s Stack,
    token: Token,
}

impl<'s> Liar<'s> {
    async fn begin(stack: &'s Stack) -> Self {
        let brand = stack.account("brand").await;
        let token = stack.countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
        Self { stack, token }
    }

    fn allowed(&self) -> String {
        format!("/Advertisers/{}/Actions", self.token.sid)
    }

    fn denied(&self) -> String {
        format!("/Advertisers/{}/Ads", self.token.sid)
    }
}

/// T-22, through every gateway.
#[tokio::test(flavor = "multi_thread")]
async fn no_lie_turns_a_denial_around() {
    beside_each_other(async |stack| {
        let liar = Liar::begin(stack).await;
        let allowed = liar.allowed();
        let mut corpus = corpus();
        // Lies that are worth telling: what would be allowed, said in every header a question is read from.
        for name in IDENTITY.iter().chain(&PROFILE) {
            for spelling in spellings(name) {
                for value in [
                    allowed.as_str(),
                    "GET",
                    &liar.token.sid,
                    "brand.ads.list",
                    "127.0.0.1",
                    &liar.stack.countersign.credential,
                ] {
                    corpus.push(format!("{spelling}: {value}"));
                }
            }
        }
        // Every one of them where the full count was asked for; the table has a part of them in any case.
        let is_full = std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|value| value == "1");
        let step = if is_full { 1 } else { THINNED };
        println!("{}: {} lies", stack.name, corpus.len() / step);
        for headers in corpus.iter().step_by(step) {
            let answer = send(liar.stack, &liar.denied(), Some(&liar.token.basic()), headers).await;
            let status = client::statuses(&answer);
            // A folded line makes the credential another one.
            assert!(matches!(status.as_slice(), [400 | 401 | 403, ..]), "{headers:?}: {answer}");
            let answer = send(liar.stack, &allowed, None, headers).await;
            assert!(matches!(client::statuses(&answer).as_slice(), [400 | 401, ..]), "{headers:?}: {answer}");
        }
        assert!(liar.stack.reached().is_empty());
        // A second credential beside the right one is not chosen from: the gateway or Countersign refuses both.
        let two = format!("Authorization: {}", liar.token.basic());
        let answer = send(liar.stack, &allowed, Some(&liar.token.basic()), &two).await;
        assert!(matches!(client::statuses(&answer).as_slice(), [400 | 401]), "{answer}");
        let list = format!("{}, {}", liar.token.basic(), liar.token.basic());
        let answer = send(liar.stack, &allowed, Some(&list), "").await;
        assert_eq!(client::statuses(&answer), [401], "{answer}");
        assert!(liar.stack.reached().is_empty());
    })
    .await;
}

/// T-22: the same asked of Countersign itself, as a gateway without the habits of nginx would pass it on.
#[tokio::test(flavor = "multi_thread")]
async fn countersign_refuses_what_a_careless_gateway_passes_on() {
    let countersign = Countersign::start().await;
    let brand = countersign.account("brand").await;
    let token = countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
    let allowed = format!("/Advertisers/{}/Actions", token.sid);
    let denied = format!("/Advertisers/{}/Ads", token.sid);
    let ask = async |extra: &str, uri: &str| {
        let bytes = format!(
            "GET /v1/forward-auth/edge HTTP/1.1\r\nHost: a\r\nX-Countersign-Gateway: {}\r\nX-Original-Method: GET\r\n\
             X-Original-URI: {uri}\r\nX-Original-Address: 203.0.113.5\r\nAuthorization: {}\r\n{extra}Connection: close\r\n\r\n",
            countersign.credential,
            token.basic()
        );
        client::statuses(&client::raw(countersign.server.data_plane, bytes.as_bytes()).await)
    };
    assert_eq!(ask("", &allowed).await, [200]);
    assert_eq!(
        ask("X-Countersign-Sid: BR1\r\nX-Forwarded-Uri: /x\r\n", &allowed).await,
        [200],
        "not read, so ignored"
    );
    for name in [
        "X-Original-Method",
        "X-Original-URI",
        "X-Original-Address",
        "X-Countersign-Sid",
        "Authorization",
        "API-Version",
    ] {
        for spelling in spellings(name)
            .into_iter()
            .filter(|spelling| !spelling.contains(['\t', ' ']) && !spelling.starts_with("HTTP_"))
        {
            let is_alias = !spelling.eq_ignore_ascii_case(name);
            let is_read = !name.starts_with("X-Countersign") && name != "API-Version";
            let status = ask(&format!("{spelling}: x\r\n"), &allowed).await;
            match (is_alias, is_read, name) {
                (false, false, "X-Countersign-Sid") => assert_eq!(status, [200], "{spelling}"),
                (false, true, "Authorization") => assert_eq!(status, [401], "{spelling}"),
                _ => assert_eq!(status, [400], "{spelling}"),
            }
        }
        assert_eq!(ask(&format!("Connection: {name}\r\n"), &allowed).await, [400], "Connection: {name}");
    }
    let lie = allowed;
    for uri in [
        format!("{lie},{denied}"),
        format!("{lie}, {denied}"),
        format!("{lie}?a=1,{denied}"),
        format!("http://a{lie}"),
        format!("{lie}#x"),
        "*".to_owned(),
        format!("{lie} HTTP/1.1"),
    ] {
        assert_eq!(ask("", &uri).await, [400], "{uri}");
    }
    let twice = format!("X-Countersign-Gateway: {}\r\n", countersign.credential);
    assert_eq!(ask(&twice, &lie).await, [503]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_calls_from_its_own_networks_only() {
    beside_each_other(async |stack| {
        let brand = stack.account("brand").await;
        let token = stack.countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
        let target = format!("/Advertisers/{}/Actions", token.sid);
        for (peers, status) in [
            (json!(["10.0.0.0/8"]), 503),
            (json!(["10.0.0.0/8", "127.0.0.1"]), 200),
            (json!(["::1"]), 503),
            (json!([]), 200),
        ] {
            let seen = stack
                .countersign
                .operator_reply(
                    &format!("GET /api/v1/gateways/{}", stack.name),
                    &[],
                    &serde_json::Value::Null,
                )
                .await;
            let if_match = [("if-match", seen.header("etag"))];
            let edited = stack
                .countersign
                .operator_reply(
                    &format!("PATCH /api/v1/gateways/{}", stack.name),
                    &if_match,
                    &json!({ "peers": peers }),
                )
                .await;
            assert_eq!(edited.status, 200, "{edited:?}");
            assert_eq!(stack.get(&target, &token).await.status, status, "{peers}");
        }
    })
    .await;
}
