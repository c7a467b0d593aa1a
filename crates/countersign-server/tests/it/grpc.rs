//! Envoy's `ext_authz` and the health check over gRPC, with a real client on a real connection: the same decisions as at
//! forward-auth, told in Envoy's messages.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use envoy_types::pb::envoy::{
    config::core::v3::{HeaderMap, HeaderValue, HeaderValueOption},
    service::auth::v3::{
        AttributeContext, CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse,
        attribute_context::{HttpRequest, Request as Held},
        authorization_client::AuthorizationClient,
        check_response::HttpResponse,
    },
};
use serde_json::{Value, json};
use tonic::{Code, Request, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    harness::{ADMINISTRATOR, World},
    threats::live::Live,
};

struct Envoy {
    live: Live,
    client: AuthorizationClient<Channel>,
    credential: String,
    sid: String,
    secret: String,
}

impl Envoy {
    async fn start() -> Self {
        let live = Live::start(World::new().await).await;
        let account = live.world.account("one").await;
        let ada = live.world.member(&account, "ada@example.com", ADMINISTRATOR).await;
        let secret = live.world.token(&account, &ada, "Reader", &["brand.actions.list"]).await;
        let list = ada.get(&format!("/api/v1/accounts/{account}/tokens")).await.expect(200).json();
        let sid = list["items"][0]["sid"].as_str().unwrap().to_owned();
        let new = json!({ "name": "edge", "profile": "envoy_grpc" });
        let made = live.world.operator.post("/api/v1/gateways", new).await.expect(201).json();
        let credential = made["credential"].as_str().unwrap().to_owned();
        let client = AuthorizationClient::connect(format!("http://{}", live.data_plane)).await.unwrap();
        Self { live, client, credential, sid, secret }
    }

    fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.sid, self.secret)))
    }

    /// What Envoy says of a request for the actions, with these header lines beside those that Envoy writes.
    fn check(path: &str, lines: &[(&str, &str)]) -> CheckRequest {
        let own = [(":path", path), (":method", "GET"), ("x-envoy-external-address", "203.0.113.5")];
        let raw = |(name, value): &(&str, &str)| HeaderValue {
            key: (*name).to_owned(),
            raw_value: value.as_bytes().to_vec(),
            ..HeaderValue::default()
        };
        held(HttpRequest {
            method: "GET".to_owned(),
            path: path.to_owned(),
            header_map: Some(HeaderMap { headers: own.iter().chain(lines).map(raw).collect() }),
            ..HttpRequest::default()
        })
    }

    async fn ask(&mut self, check: CheckRequest) -> CheckResponse {
        let credential = self.credential.clone();
        self.ask_as(check, &[("x-countersign-gateway", &credential)]).await
    }

    async fn ask_as(&mut self, check: CheckRequest, metadata: &[(&'static str, &str)]) -> CheckResponse {
        let mut request = Request::new(check);
        for (name, value) in metadata {
            request.metadata_mut().append(*name, value.parse().unwrap());
        }
        self.client.check(request).await.unwrap().into_inner()
    }
}

fn held(http: HttpRequest) -> CheckRequest {
    let request = Held { http: Some(http), ..Held::default() };
    CheckRequest {
        attributes: Some(AttributeContext { request: Some(request), ..AttributeContext::default() }),
    }
}

fn told(lines: &[HeaderValueOption]) -> HashMap<&str, &str> {
    // The client's own line of the same name must not stay beside it.
    #[expect(deprecated, reason = "older Envoys read only this field")]
    let replaces = |line: &HeaderValueOption| line.append.is_some_and(|append| !append.value);
    assert!(lines.iter().all(replaces), "{lines:?}");
    let pair = |line: &'_ HeaderValueOption| line.header.clone().map(|header| (header.key, header.value));
    assert!(lines.iter().all(|line| pair(line).is_some()));
    lines
        .iter()
        .filter_map(|line| line.header.as_ref())
        .map(|header| (header.key.as_str(), header.value.as_str()))
        .collect()
}

fn allowed(response: &CheckResponse) -> &OkHttpResponse {
    assert_eq!(response.status.as_ref().unwrap().code, i32::from(Code::Ok), "{response:?}");
    match response.http_response.as_ref().unwrap() {
        HttpResponse::OkResponse(allowed) => allowed,
        other => panic!("{other:?}"),
    }
}

/// The status, the code of the problem, and the rest.
fn denied(response: &CheckResponse) -> (i32, String, &DeniedHttpResponse) {
    assert_ne!(response.status.as_ref().unwrap().code, i32::from(Code::Ok), "{response:?}");
    match response.http_response.as_ref().unwrap() {
        HttpResponse::DeniedResponse(denied) => {
            let problem: Value = serde_json::from_str(&denied.body).unwrap();
            let status = denied.status.as_ref().unwrap().code;
            assert_eq!(problem["status"], status, "{problem}");
            (status, problem["code"].as_str().unwrap().to_owned(), denied)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_allow_sets_or_removes_every_identity_header() {
    let mut envoy = Envoy::start().await;
    let (path, basic) = (format!("/Advertisers/{}/Actions", envoy.sid), envoy.basic());
    let spoofed = [
        ("authorization", basic.as_str()),
        ("x-countersign-account", "acc_of_somebody_else"),
        ("x-countersign-assertion", "forged"),
    ];
    let response = envoy.ask(Envoy::check(&path, &spoofed)).await;
    let allowed = allowed(&response);
    let set = told(&allowed.headers);
    assert_eq!(
        (set["x-countersign-sid"], set["x-countersign-scope"]),
        (envoy.sid.as_str(), "brand.actions.list")
    );
    assert_eq!((set["x-countersign-account-kind"], set["x-countersign-api-version"]), ("brand", "14"));
    assert!(set["x-countersign-request-id"].starts_with("req_"));
    assert_ne!(set["x-countersign-account"], "acc_of_somebody_else");
    for name in [
        "x-countersign-account",
        "x-countersign-account-kind",
        "x-countersign-sid",
        "x-countersign-scope",
        "x-countersign-api-version",
        "x-countersign-request-id",
        "x-countersign-assertion",
    ] {
        let removed = allowed.headers_to_remove.iter().any(|removed| removed == name);
        assert!(set.contains_key(name) != removed, "{name}: set or removed, and not both");
    }
}

#[tokio::test]
async fn refusals_have_their_status_their_headers_and_their_problem() {
    let mut envoy = Envoy::start().await;
    let (actions, ads) =
        (format!("/Advertisers/{}/Actions", envoy.sid), format!("/Advertisers/{}/Ads", envoy.sid));
    let basic = envoy.basic();
    let joined = format!("{basic},{basic}");
    let good = ("authorization", basic.as_str());
    for (name, path, lines, expected) in [
        ("none", actions.as_str(), vec![], (401, "credentials_missing")),
        ("wrong", &actions, vec![("authorization", "Bearer csign_wrong")], (401, "credentials_invalid")),
        ("no scope", &ads, vec![good], (403, "scope_missing")),
        ("another spelling", "/Advertisers/../x", vec![good], (400, "path_not_canonical")),
        ("two lines", &actions, vec![good, good], (400, "request_malformed")),
        ("an alias", &actions, vec![good, ("x_countersign_account", "acc")], (400, "request_malformed")),
        (
            "a dropped header",
            &actions,
            vec![good, ("connection", "X-Countersign-Sid")],
            (400, "request_malformed"),
        ),
        (
            "two addresses",
            &actions,
            vec![good, ("x-envoy-external-address", "10.0.0.1")],
            (400, "request_malformed"),
        ),
        ("no header name", &actions, vec![good, ("a b", "c")], (400, "request_malformed")),
    ] {
        let response = envoy.ask(Envoy::check(path, &lines)).await;
        let (status, code, told_more) = denied(&response);
        if name == "two lines" || expected.1 == "credentials_invalid" {
            assert_eq!(status / 100, 4, "{name}: {code}");
        } else {
            assert_eq!((status, code.as_str()), expected, "{name}");
        }
        let headers = told(&told_more.headers);
        let is_challenged =
            status == 401 || matches!(code.as_str(), "scope_missing" | "credentials_malformed");
        assert_eq!(headers.contains_key("www-authenticate"), is_challenged, "{name}: {headers:?}");
        assert_eq!(
            (headers["content-type"], headers["cache-control"]),
            ("application/problem+json", "no-store")
        );
        assert!(headers["x-request-id"].starts_with("req_"));
        assert!(!told_more.body.contains(&envoy.secret));
    }
    // Without raw headers, lines of one name come joined; two of them are no credential.
    let mut merged =
        HttpRequest { method: "GET".to_owned(), path: actions.clone(), ..HttpRequest::default() };
    merged.headers.insert("x-envoy-external-address".to_owned(), "203.0.113.5".to_owned());
    merged.headers.insert("authorization".to_owned(), basic.clone());
    allowed(&envoy.ask(held(merged.clone())).await);
    merged.headers.insert("authorization".to_owned(), joined);
    assert!(matches!(denied(&envoy.ask(held(merged)).await).0, 400 | 401));
}

#[tokio::test]
async fn what_is_the_gateways_fault_is_an_outage_and_never_an_error_of_grpc() {
    let mut envoy = Envoy::start().await;
    let path = format!("/Advertisers/{}/Actions", envoy.sid);
    let (good, credential, nginx) =
        (envoy.basic(), envoy.credential.clone(), envoy.live.gateway("other").await);
    let check = Envoy::check(&path, &[("authorization", &good)]);
    for (name, metadata, expected) in [
        ("nobody", vec![], "gateway_untrusted"),
        ("a guess", vec![("x-countersign-gateway", "csgate_guess")], "gateway_untrusted"),
        ("twice", vec![("x-countersign-gateway", credential.as_str()); 2], "gateway_untrusted"),
        (
            "another's name",
            vec![("x-countersign-gateway", credential.as_str()), ("x-countersign-gateway-name", "other")],
            "gateway_untrusted",
        ),
        ("of another profile", vec![("x-countersign-gateway", nginx.as_str())], "gateway_misconfigured"),
    ] {
        let response = envoy.ask_as(check.clone(), &metadata).await;
        let (status, code, more) = denied(&response);
        assert_eq!((status, code.as_str()), (503, expected), "{name}");
        assert_eq!(told(&more.headers)["retry-after"], "1", "{name}");
    }
    let named = [("x-countersign-gateway", credential.as_str()), ("x-countersign-gateway-name", "edge")];
    allowed(&envoy.ask_as(check, &named).await);
    let empty = envoy.ask(CheckRequest::default()).await;
    assert_eq!(denied(&empty).1, "gateway_misconfigured");
    let mut unaddressed = HttpRequest { method: "GET".to_owned(), path, ..HttpRequest::default() };
    unaddressed.headers.insert("authorization".to_owned(), good);
    assert_eq!(denied(&envoy.ask(held(unaddressed)).await).1, "gateway_misconfigured");
}

#[tokio::test]
async fn health_is_told_of_what_is_here_and_of_nothing_else() {
    let live = Live::start(World::new().await).await;
    let channel =
        Channel::from_shared(format!("http://{}", live.data_plane)).unwrap().connect().await.unwrap();
    let mut client = HealthClient::new(channel);
    for service in ["", "envoy.service.auth.v3.Authorization"] {
        let health = client.check(HealthCheckRequest { service: service.to_owned() }).await.unwrap();
        assert_eq!(health.into_inner().status, 1, "serving");
    }
    let unknown = client.check(HealthCheckRequest { service: "else".to_owned() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let long = client.check(HealthCheckRequest { service: "x".repeat(2_000) }).await.unwrap_err();
    assert_eq!(long.code(), Code::OutOfRange);
    let watch = client.watch(HealthCheckRequest::default()).await.unwrap_err();
    assert_eq!(watch.code(), Code::Unimplemented);
}
