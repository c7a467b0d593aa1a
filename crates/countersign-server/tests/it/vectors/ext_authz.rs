//! The door over gRPC: an ask as Envoy tells it, and what the answer is.

use std::net::SocketAddr;

use envoy_types::pb::envoy::{
    config::core::v3::{HeaderMap, HeaderValue, HeaderValueOption},
    service::auth::v3::{
        AttributeContext, CheckRequest,
        attribute_context::{HttpRequest, Request as Held},
        authorization_client::AuthorizationClient,
        check_response::HttpResponse,
    },
};
use serde_json::Value;
use tonic::{Code, Request, transport::Channel};

use super::{cast::Asked, doors::Told};

/// A gateway that asks over gRPC.
pub struct ExtAuthz {
    client: AuthorizationClient<Channel>,
    credential: String,
}

impl ExtAuthz {
    pub async fn open(data_plane: SocketAddr, credential: String) -> Self {
        let client = AuthorizationClient::connect(format!("http://{data_plane}")).await.unwrap();
        Self { client, credential }
    }

    pub async fn ask(&self, ask: &Asked) -> Told {
        let mut request = Request::new(check(ask));
        request.metadata_mut().insert("x-countersign-gateway", self.credential.parse().unwrap());
        let response = self.client.clone().check(request).await.unwrap().into_inner();
        let is_ok = response.status.as_ref().unwrap().code == i32::from(Code::Ok);
        match response.http_response.unwrap() {
            HttpResponse::OkResponse(allowed) => {
                assert!(is_ok, "{ask:?}");
                let value = |name: &str| value(&allowed.headers, name);
                Told {
                    code: "allowed".to_owned(),
                    status: 200,
                    scope: value("x-countersign-scope"),
                    api_version: value("x-countersign-api-version").and_then(|number| number.parse().ok()),
                }
            }
            HttpResponse::DeniedResponse(denied) => {
                assert!(!is_ok, "{ask:?}");
                let problem: Value = serde_json::from_str(&denied.body).unwrap();
                Told {
                    code: problem["code"].as_str().unwrap().to_owned(),
                    status: denied.status.unwrap().code.try_into().unwrap(),
                    scope: problem["scope"].as_str().map(str::to_owned),
                    api_version: None,
                }
            }
            HttpResponse::ErrorResponse(error) => panic!("{error:?}"),
        }
    }
}

/// What Envoy says of a request, every line as it came (`encode_raw_headers`).
fn check(ask: &Asked) -> CheckRequest {
    let version = ask.version.map(|version| version.to_string());
    let lines = [
        (":path", Some(&ask.uri)),
        (":method", Some(&ask.method)),
        ("x-envoy-external-address", Some(&ask.address)),
        ("authorization", ask.authorization.as_ref()),
        ("api-version", version.as_ref()),
    ];
    let raw = |(name, value): (&str, Option<&String>)| {
        value.map(|value| HeaderValue {
            key: name.to_owned(),
            raw_value: value.clone().into_bytes(),
            ..HeaderValue::default()
        })
    };
    let http = HttpRequest {
        method: ask.method.clone(),
        path: ask.uri.clone(),
        host: "api.example.com".to_owned(),
        header_map: Some(HeaderMap { headers: lines.into_iter().filter_map(raw).collect() }),
        ..HttpRequest::default()
    };
    let request = Held { http: Some(http), ..Held::default() };
    CheckRequest {
        attributes: Some(AttributeContext { request: Some(request), ..AttributeContext::default() }),
    }
}

fn value(lines: &[HeaderValueOption], name: &str) -> Option<String> {
    let lines = lines.iter().filter_map(|line| line.header.as_ref());
    lines.into_iter().find(|line| line.key == name).map(|line| line.value.clone())
}
