//! `/v1/verify` over the wire: who may ask, what is read, what is refused whole.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    client,
    countersign::{Countersign, Token},
};

struct Asker {
    countersign: Countersign,
    token: Token,
}

impl Asker {
    async fn begin() -> Self {
        let countersign = Countersign::start().await;
        let brand = countersign.account("brand").await;
        let token = countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
        Self { countersign, token }
    }

    fn ask(&self) -> Value {
        let uri = format!("/Advertisers/{}/Actions", self.token.sid);
        json!({ "authorization": self.token.basic(), "method": "GET", "uri": uri, "client_address": "203.0.113.5" })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allow_tells_the_facts_and_a_batch_answers_in_order() {
    let asker = Asker::begin().await;
    let verdict = asker.countersign.verify(&asker.ask()).await;
    assert_eq!((verdict.status, verdict.header("cache-control")), (200, "no-store"));
    let verdict = verdict.json();
    assert_eq!(verdict["allowed"], true);
    assert_eq!(verdict["code"], "allowed");
    assert_eq!(verdict["scope"], "brand.actions.list");
    assert_eq!(verdict["api_version"], 14);
    assert_eq!(verdict["token"]["sid"], asker.token.sid);
    assert_eq!(verdict["account"]["kind"], "brand");
    let seq = verdict["seq"].as_u64().unwrap();
    assert!(seq > 0);

    let mut seen = asker.ask();
    seen["min_seq"] = seq.into();
    let mut by_scope = json!({ "authorization": asker.token.basic(), "scope": "brand.actions.list" });
    let mut denied = asker.ask();
    denied["uri"] = format!("/Advertisers/{}/Ads", asker.token.sid).into();
    let mut other_version = asker.ask();
    other_version["api_version"] = 12.into();
    let asks = json!({ "asks": [seen, by_scope, denied, other_version, { "scope": "brand.actions.list" }] });
    let verdicts = asker.countersign.verify(&asks).await.json();
    let verdicts = verdicts["verdicts"].as_array().unwrap();
    let codes: Vec<_> = verdicts.iter().map(|verdict| verdict["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["allowed", "allowed", "scope_missing", "allowed", "credentials_missing"]);
    assert_eq!(verdicts[3]["api_version"], 12);
    assert_eq!(verdicts[4]["token"], Value::Null, "nothing was proved");

    // An outage is not a denial: this node has not seen that change yet.
    by_scope["min_seq"] = (seq + 1_000_000).into();
    let unavailable = asker.countersign.verify(&by_scope).await;
    assert_eq!((unavailable.status, unavailable.header("retry-after")), (503, "1"));
    assert_eq!(unavailable.json()["code"], "behind_min_seq");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_known_gateway_may_ask() {
    let asker = Asker::begin().await;
    let body = Bytes::from(asker.ask().to_string());
    let good = asker.countersign.credential.as_str();
    for credentials in [vec![], vec!["csgate_wrong"], vec![good, good], vec![asker.token.secret.as_str()]] {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(credentials.iter().map(|credential| ("x-countersign-gateway", *credential)));
        let request = client::with_body("POST /v1/verify", &headers, body.clone());
        let reply = client::send(asker.countersign.server.data_plane, request).await;
        assert_eq!(reply.status, 401, "{credentials:?}");
        assert_eq!(reply.json()["code"], "gateway_unknown");
        assert!(!reply.header("www-authenticate").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_in_one_way_is_refused_whole() {
    let asker = Asker::begin().await;
    let authorization = asker.token.basic();
    let ask = asker.ask().to_string();
    let asks = |count: usize| format!("{{\"asks\":[{}]}}", vec![ask.as_str(); count].join(","));
    let deep = format!("{{\"asks\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let good = [
        ("x-countersign-gateway", asker.countersign.credential.as_str()),
        ("content-type", "application/json"),
    ];
    for (name, body, status) in [
        ("as it should be", ask.clone().into_bytes(), 200),
        ("100 asks", asks(100).into_bytes(), 200),
        ("101 asks", asks(101).into_bytes(), 422),
        ("no asks", b"{\"asks\":[]}".to_vec(), 422),
        ("nothing", Vec::new(), 400),
        ("an empty object", b"{}".to_vec(), 422),
        ("a list", b"[]".to_vec(), 400),
        (
            "values without names",
            format!("[null,\"{authorization}\",\"GET\",\"/\",null,null,null,null]").into_bytes(),
            400,
        ),
        (
            "asks without names",
            format!("{{\"asks\":[[null,\"{authorization}\",\"GET\",\"/\",null,null,null,null]]}}")
                .into_bytes(),
            400,
        ),
        ("asks in asks", format!("{{\"asks\":[{{\"asks\":[{ask}]}}]}}").into_bytes(), 400),
        ("half", ask.as_bytes()[..ask.len() / 2].to_vec(), 400),
        ("two", format!("{ask}{ask}").into_bytes(), 400),
        ("a field twice", ask.replacen('{', "{\"method\":\"DELETE\",", 1).into_bytes(), 400),
        ("an unknown field", ask.replacen('{', "{\"x\":1,", 1).into_bytes(), 400),
        ("a number for a text", ask.replacen("\"GET\"", "1", 1).into_bytes(), 400),
        ("a version out of range", ask.replacen('{', "{\"api_version\":70000,", 1).into_bytes(), 400),
        ("a negative seq", ask.replacen('{', "{\"min_seq\":-1,", 1).into_bytes(), 400),
        ("a scope beside a method", ask.replacen('{', "{\"scope\":\"brand.ads.list\",", 1).into_bytes(), 422),
        ("no URI", format!("{{\"authorization\":\"{authorization}\",\"method\":\"GET\"}}").into_bytes(), 422),
        ("no address", ask.replacen("203.0.113.5", "nonsense", 1).into_bytes(), 422),
        ("both forms", ask.replacen('{', "{\"asks\":[],", 1).into_bytes(), 422),
        ("deep", deep.into_bytes(), 400),
        ("invalid UTF-8", b"{\"method\":\"\xff\"}".to_vec(), 400),
        ("NUL", b"{\"method\":\"GET\0\"}".to_vec(), 400),
        ("too large", vec![b' '; 1024 * 1024 + 1], 413),
    ] {
        let request = client::with_body("POST /v1/verify", &good, Bytes::from(body));
        let reply = client::send(asker.countersign.server.data_plane, request).await;
        assert_eq!(reply.status, status, "{name}: {}", String::from_utf8_lossy(&reply.body));
        assert!(!String::from_utf8_lossy(&reply.body).contains(&authorization), "{name}");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let text = [good[0], ("content-type", "text/plain")];
    let request = client::with_body("POST /v1/verify", &text, Bytes::from(ask));
    assert_eq!(client::send(asker.countersign.server.data_plane, request).await.status, 415);
    for (line, status) in
        [("GET /v1/verify", 405), ("POST /v1/nothing", 404), ("GET /", 404), ("GET /api/v1/accounts", 404)]
    {
        let reply =
            client::send(asker.countersign.server.data_plane, client::request(line, &good[..1])).await;
        assert_eq!(reply.status, status, "{line}");
        assert_eq!(reply.json()["status"], status);
    }
}
