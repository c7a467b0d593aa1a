//! T-22: clients that send what only the gateway and Countersign may say. Nothing of it may reach the back end, and
//! nothing of it may turn a denial around.

use serde_json::json;

use crate::{
    client,
    stack::{Stack, Token},
};

/// What a client must never be able to say.
const IDENTITY: [&str; 8] = [
    "X-Countersign-Account",
    "X-Countersign-Account-Kind",
    "X-Countersign-Sid",
    "X-Countersign-Scope",
    "X-Countersign-Api-Version",
    "X-Countersign-Request-Id",
    "X-Countersign-Assertion",
    "X-Countersign-Gateway",
];
/// What the question is made of, and what some back ends take for method or path.
const PROFILE: [&str; 9] = [
    "X-Original-Method",
    "X-Original-URI",
    "X-Original-Address",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "X-Forwarded-Prefix",
];
/// In every value a client makes up.
const LIE: &str = "spoofed";

/// Every spelling of a name that some server somewhere takes for it.
fn spellings(name: &str) -> Vec<String> {
    let separators = ["_", ".", "~", "!", "|", "+", "`", "^"];
    let mut spellings = vec![name.to_owned(), name.to_ascii_lowercase(), name.to_ascii_uppercase()];
    for separator in separators {
        spellings.push(name.replace('-', separator));
        spellings.push(name.replacen('-', separator, 1));
        spellings.push(name.to_ascii_lowercase().replace('-', separator));
    }
    spellings.push(format!("{name} "));
    spellings.push(format!("{name}\t"));
    spellings.push(format!(" {name}"));
    spellings.push(format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_")));
    spellings
}

/// Header sections that lie, one request each.
fn corpus() -> Vec<String> {
    let mut corpus = Vec::new();
    for name in IDENTITY.iter().chain(&PROFILE) {
        for spelling in spellings(name) {
            corpus.push(format!("{spelling}: {LIE}\r\n"));
        }
        corpus.push(format!("{name}: {LIE}\r\n{name}: {LIE} twice\r\n"));
        corpus.push(format!("{name}:{LIE}\r\n{}: {LIE}\r\n", name.to_ascii_lowercase()));
        corpus.push(format!("{name}:\r\n {LIE}\r\n"));
        corpus.push(format!("X-Other: a\r\n {name}: {LIE}\r\n"));
        corpus.push(format!("X-Other: a\r{name}: {LIE}\r\n"));
        corpus.push(format!("X-Other: a\n{name}: {LIE}\r\n"));
        corpus.push(format!("X-Other: a%0d%0a{name}: {LIE}\r\n"));
        corpus.push(format!("Connection: close, {name}\r\n"));
        corpus.push(format!("Connection: {name}\r\n{name}: {LIE}\r\n"));
        corpus.push(format!("Keep-Alive: {name}\r\nTE: trailers\r\nTrailer: {name}\r\n{name}: {LIE}\r\n"));
        corpus.push(format!("Proxy-Connection: {name}\r\n{name}: {LIE}\r\n"));
    }
    corpus.push(format!("X-Forwarded-For: {LIE}\r\nX-Forwarded-Host: {LIE}\r\nForwarded: for={LIE}\r\n"));
    corpus
}

async fn send(stack: &Stack, target: &str, authorization: Option<&str>, headers: &str) -> String {
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let bytes =
        format!("GET {target} HTTP/1.1\r\nHost: a\r\n{authorization}{headers}Connection: close\r\n\r\n");
    stack.raw(bytes.as_bytes()).await
}

struct Liar {
    stack: Stack,
    token: Token,
}

impl Liar {
    async fn begin() -> Self {
        let stack = Stack::start().await;
        let brand = stack.countersign.account("brand").await;
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

#[tokio::test(flavor = "multi_thread")]
async fn no_lie_reaches_the_back_end() {
    let liar = Liar::begin().await;
    let corpus = corpus();
    assert!(corpus.len() > 600, "{}", corpus.len());
    let mut passed = 0;
    for headers in &corpus {
        let answer = send(&liar.stack, &liar.allowed(), Some(&liar.token.basic()), headers).await;
        for reached in liar.stack.reached() {
            passed += 1;
            assert_eq!(reached.header("x-countersign-sid"), liar.token.sid, "{headers:?}");
            assert_eq!(reached.header("x-countersign-scope"), "brand.actions.list", "{headers:?}");
            assert_eq!(reached.uri, liar.allowed(), "{headers:?}");
            let told: Vec<_> = reached
                .headers
                .iter()
                .filter(|(name, value)| value.contains(LIE) && name != "x-other")
                .collect();
            assert!(told.is_empty(), "{headers:?} reached the back end: {told:?}");
        }
        assert!(!answer.contains(LIE), "{headers:?}: {answer}");
    }
    assert!(
        passed > corpus.len() / 2,
        "most lies are dropped and the request goes on: {passed} of {}",
        corpus.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lie_turns_a_denial_around() {
    let liar = Liar::begin().await;
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
                corpus.push(format!("{spelling}: {value}\r\n"));
            }
        }
    }
    for headers in &corpus {
        let answer = send(&liar.stack, &liar.denied(), Some(&liar.token.basic()), headers).await;
        let status = client::statuses(&answer);
        assert!(matches!(status.as_slice(), [400 | 403, ..]), "{headers:?}: {answer}");
        let answer = send(&liar.stack, &allowed, None, headers).await;
        assert!(matches!(client::statuses(&answer).as_slice(), [400 | 401, ..]), "{headers:?}: {answer}");
    }
    assert!(liar.stack.reached().is_empty());
    // A second credential beside the right one is not chosen from: nginx or Countersign refuses both.
    let two = format!("Authorization: {}\r\n", liar.token.basic());
    let answer = send(&liar.stack, &allowed, Some(&liar.token.basic()), &two).await;
    assert!(matches!(client::statuses(&answer).as_slice(), [400 | 401]), "{answer}");
    let list = format!("{}, {}", liar.token.basic(), liar.token.basic());
    let answer = send(&liar.stack, &allowed, Some(&list), "").await;
    assert_eq!(client::statuses(&answer), [401], "{answer}");
    assert!(liar.stack.reached().is_empty());
}

/// The same asked of Countersign itself, as a gateway without the habits of nginx would pass it on.
#[tokio::test(flavor = "multi_thread")]
async fn countersign_refuses_what_a_careless_gateway_passes_on() {
    let liar = Liar::begin().await;
    let countersign = &liar.stack.countersign;
    let ask = async |extra: &str, uri: &str| {
        let bytes = format!(
            "GET /v1/forward-auth/edge HTTP/1.1\r\nHost: a\r\nX-Countersign-Gateway: {}\r\nX-Original-Method: GET\r\n\
             X-Original-URI: {uri}\r\nX-Original-Address: 203.0.113.5\r\nAuthorization: {}\r\n{extra}Connection: close\r\n\r\n",
            countersign.credential,
            liar.token.basic()
        );
        client::statuses(&client::raw(countersign.server.data_plane, bytes.as_bytes()).await)
    };
    assert_eq!(ask("", &liar.allowed()).await, [200]);
    assert_eq!(
        ask("X-Countersign-Sid: BR1\r\nX-Forwarded-Uri: /x\r\n", &liar.allowed()).await,
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
            let status = ask(&format!("{spelling}: x\r\n"), &liar.allowed()).await;
            match (is_alias, is_read, name) {
                (false, false, "X-Countersign-Sid") => assert_eq!(status, [200], "{spelling}"),
                (false, true, "Authorization") => assert_eq!(status, [401], "{spelling}"),
                _ => assert_eq!(status, [400], "{spelling}"),
            }
        }
        assert_eq!(
            ask(&format!("Connection: {name}\r\n"), &liar.allowed()).await,
            [400],
            "Connection: {name}"
        );
    }
    let lie = liar.allowed();
    for uri in [
        format!("{lie},{}", liar.denied()),
        format!("{lie}, {}", liar.denied()),
        format!("{lie}?a=1,{}", liar.denied()),
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
    let stack = Stack::start().await;
    let brand = stack.countersign.account("brand").await;
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
            .operator_reply("GET /api/v1/gateways/edge", &[], &serde_json::Value::Null)
            .await;
        let if_match = [("if-match", seen.header("etag"))];
        let edited = stack
            .countersign
            .operator_reply("PATCH /api/v1/gateways/edge", &if_match, &json!({ "peers": peers }))
            .await;
        assert_eq!(edited.status, 200, "{edited:?}");
        assert_eq!(stack.get(&target, &token).await.status, status, "{peers}");
    }
}
