//! The doors, and what each says, in one form.

use std::{net::SocketAddr, sync::Arc, sync::Mutex};

use countersign_model::{
    credential::Authorization,
    decision::{Ask, Decision, Target},
};
use countersign_server::{
    run::{Listeners, run},
    sealing::AccessToken,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    cast::{Asked, Cast},
    ext_authz::ExtAuthz,
};
use crate::{
    threats::live::{Line, Raw},
    tokens::world::{Who, World},
};

/// The profiles of the gateways we ship that ask over HTTP.
const PROFILES: [&str; 6] = ["nginx", "haproxy", "caddy", "traefik", "envoy", "apache"];

/// What a door says of an ask.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub code: String,
    pub status: u16,
    /// The scope that matched, or the one that is missing.
    pub scope: Option<String>,
    pub api_version: Option<u16>,
}

/// Every door of one installation.
pub struct Doors<'c> {
    cast: &'c Cast,
    line: Mutex<Line>,
    gateways: Vec<Gateway>,
    ext_authz: ExtAuthz,
}

struct Gateway {
    name: String,
    credential: String,
    /// Which header carries what, as the API tells it.
    profile: Value,
}

/// Starts the listeners of a world; answers the address of its data plane. They end with the test.
pub async fn listen(world: &World) -> SocketAddr {
    let bind = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (management, data_plane, health) = (bind().await, bind().await, bind().await);
    let address = data_plane.local_addr().unwrap();
    let data_plane = vec![data_plane.into_std().unwrap()];
    let listeners = Listeners { management, data_plane, health, socket: None };
    let serving = run(Arc::clone(&world.app), listeners, CancellationToken::new());
    tokio::spawn(async move { serving.await.unwrap() });
    address
}

/// An access token by client credentials; `None` where it is refused.
pub fn access_token(data_plane: SocketAddr, basic: &str, scope: &str) -> Option<String> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("scope", scope)
        .finish();
    let headers = [("Authorization", basic), ("Content-Type", "application/x-www-form-urlencoded")];
    let told = Line::to(data_plane).ask(&request("POST /v1/token", &headers, &form));
    let token = read(&told)["access_token"].as_str().map(str::to_owned);
    assert_eq!(token.is_some(), told.status() == 200, "{told:?}");
    token
}

impl<'c> Doors<'c> {
    pub async fn open(cast: &'c Cast) -> Self {
        let data_plane = listen(&cast.world).await;
        let mut gateways = Vec::new();
        let make = async |profile: &str| {
            let new = json!({ "name": profile.replace('_', "-"), "profile": profile });
            cast.world.post(&Who::Operator, "/gateways", new).await.expect(201).json
        };
        for profile in PROFILES {
            let made = make(profile).await;
            gateways.push(Gateway {
                name: made["gateway"]["name"].as_str().unwrap().to_owned(),
                credential: made["credential"].as_str().unwrap().to_owned(),
                profile: made["gateway"]["profile"].clone(),
            });
        }
        let credential = make("envoy_grpc").await["credential"].as_str().unwrap().to_owned();
        let ext_authz = ExtAuthz::open(data_plane, credential).await;
        Self { cast, line: Mutex::new(Line::to(data_plane)), gateways, ext_authz }
    }

    /// How many there are, with introspection.
    pub fn count(&self) -> usize {
        4 + self.gateways.len()
    }

    /// What each door that decides says.
    pub async fn ask(&self, ask: &Asked) -> Vec<(String, Told)> {
        let mut told = vec![
            ("the library".to_owned(), self.library(ask)),
            ("verify".to_owned(), self.verify(ask)),
            ("ext_authz".to_owned(), self.ext_authz.ask(ask).await),
        ];
        for gateway in &self.gateways {
            if let Some(answer) = self.forward_auth(gateway, ask) {
                told.push((format!("forward-auth of {}", gateway.name), answer));
            }
        }
        told
    }

    /// Whether introspection calls a token active.
    pub fn introspect(&self, token: &str, address: &str) -> bool {
        let gateway = &self.gateways[0];
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("client_address", address)
            .finish();
        let headers = [
            ("X-Countersign-Gateway", gateway.credential.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let raw = self.send(&request("POST /v1/introspect", &headers, &form));
        assert_eq!(raw.status(), 200, "{raw:?}");
        read(&raw)["active"].as_bool().unwrap()
    }

    fn library(&self, ask: &Asked) -> Told {
        let app = &self.cast.world.app;
        let now = app.clock.now();
        let sent = ask
            .authorization
            .as_ref()
            .map_or(Authorization::Absent, |value| Authorization::One(value.as_bytes()));
        let opened = AccessToken::of_header(&app.keys.ring(), sent, now.wall);
        let version = ask.version.map(|version| version.to_string());
        let version = version.as_ref().map(String::as_bytes);
        let asked = Ask {
            authorization: opened.as_ref().map_or(sent, |opened| Authorization::Derived(&opened.credential)),
            target: Target::Request { method: ask.method.as_bytes(), uri: ask.uri.as_bytes() },
            version_headers: version.as_slice(),
            client_address: Some(ask.address.parse().unwrap()),
            min_seq: None,
        };
        let catalog = app.verifier.catalog().unwrap();
        let id = |scope| catalog.scope(scope).map(|scope| scope.id.clone());
        match app.verifier.decide(&asked, now) {
            Decision::Allow(allowed) => Told {
                code: "allowed".to_owned(),
                status: 200,
                scope: allowed.scope.and_then(id),
                api_version: Some(allowed.api_version.0),
            },
            Decision::Deny(denied) => Told {
                code: denied.denial.code().to_owned(),
                status: denied.denial.http_status(),
                scope: match denied.denial {
                    countersign_model::decision::Denial::ScopeMissing(scope) => id(scope),
                    _ => None,
                },
                api_version: None,
            },
            Decision::Unavailable(reason) => panic!("{reason:?}: {ask:?}"),
        }
    }

    fn verify(&self, ask: &Asked) -> Told {
        let body = json!({ "authorization": ask.authorization, "method": ask.method, "uri": ask.uri,
            "client_address": ask.address, "api_version": ask.version });
        let headers = [
            ("X-Countersign-Gateway", self.gateways[0].credential.as_str()),
            ("Content-Type", "application/json"),
        ];
        let raw = self.send(&request("POST /v1/verify", &headers, &body.to_string()));
        assert_eq!(raw.status(), 200, "{raw:?}");
        let verdict = read(&raw);
        Told {
            code: verdict["code"].as_str().unwrap().to_owned(),
            status: verdict["status"].as_u64().unwrap().try_into().unwrap(),
            scope: verdict["scope"].as_str().map(str::to_owned),
            api_version: verdict["api_version"].as_u64().map(|number| number.try_into().unwrap()),
        }
    }

    /// `None` where the gateway of this profile cannot hold such a request.
    fn forward_auth(&self, gateway: &Gateway, ask: &Asked) -> Option<Told> {
        let header = |field: &str| gateway.profile[field].as_str().map(str::to_owned);
        let mut headers = vec![("X-Countersign-Gateway".to_owned(), gateway.credential.clone())];
        let mut method = "GET".to_owned();
        match header("method_header") {
            Some(name) => headers.push((name, ask.method.clone())),
            None => method.clone_from(&ask.method),
        }
        let mut target = format!("/v1/forward-auth/{}", gateway.name);
        match header("uri_header") {
            Some(name) => headers.push((name, ask.uri.clone())),
            // What HTTP itself has no place for never reaches us behind a name.
            None if ask.uri.starts_with('/') && !ask.uri.contains('#') => target.push_str(&ask.uri),
            None => return None,
        }
        headers.extend(header("host_header").map(|name| (name, "api.example.com".to_owned())));
        headers.push((header("address_header").unwrap(), ask.address.clone()));
        headers.extend(ask.authorization.clone().map(|value| ("Authorization".to_owned(), value)));
        headers.extend(ask.version.map(|version| ("API-Version".to_owned(), version.to_string())));
        let borrowed: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let raw = self.send(&request(&format!("{method} {target}"), &borrowed, ""));
        let value = |name: &str| {
            let lines = raw.head.lines().filter_map(|line| line.split_once(": "));
            lines.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
        };
        if raw.status() == 200 {
            return Some(Told {
                code: "allowed".to_owned(),
                status: 200,
                scope: value("x-countersign-scope").filter(|scope| !scope.is_empty()),
                api_version: value("x-countersign-api-version").and_then(|number| number.parse().ok()),
            });
        }
        let problem = read(&raw);
        Some(Told {
            code: problem["code"].as_str().unwrap_or_default().to_owned(),
            status: raw.status(),
            scope: problem["scope"].as_str().map(str::to_owned),
            api_version: None,
        })
    }

    fn send(&self, request: &[u8]) -> Raw {
        self.line.lock().unwrap().ask(request)
    }
}

fn request(line: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut lines = vec![format!("{line} HTTP/1.1"), "Host: localhost".to_owned()];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.push(format!("Content-Length: {}", body.len()));
    format!("{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes()
}

fn read(raw: &Raw) -> Value {
    serde_json::from_str(&raw.body).unwrap_or(Value::Null)
}
