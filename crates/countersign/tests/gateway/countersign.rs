//! Countersign with an operator who makes accounts, tokens and gateways through the management API.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    client::{self, Reply, basic},
    installation::{Installation, Server},
};

/// The name of the gateway the tests themselves ask as.
pub const GATEWAY: &str = "edge";

/// A running Countersign with an operator.
pub struct Countersign {
    pub installation: Installation,
    pub server: Server,
    /// The credential of the gateway the tests ask as.
    pub credential: String,
}

/// An account and a member of it.
pub struct Account {
    pub id: String,
    pub contact: String,
}

/// A token with its secret.
#[derive(Debug, Clone)]
pub struct Token {
    /// `/api/v1/accounts/…/tokens/…`; of half a legacy pair its own.
    pub path: String,
    pub sid: String,
    pub secret: String,
}

impl Token {
    /// The value of `Authorization`.
    pub fn basic(&self) -> String {
        basic(&self.sid, &self.secret)
    }
}

impl Countersign {
    /// Starts it, with a gateway.
    pub async fn start() -> Self {
        let installation = Installation::empty();
        let server = installation.serve();
        let mut started = Self { installation, server, credential: String::new() };
        started.credential = started.gateway(GATEWAY, "nginx").await;
        started
    }

    /// Makes a gateway; answers its credential.
    pub async fn gateway(&self, name: &str, profile: &str) -> String {
        let made = self.operator("POST /api/v1/gateways", &json!({ "name": name, "profile": profile })).await;
        made["credential"].as_str().unwrap().to_owned()
    }

    /// Asks the management API with operator rights; a refusal is a failure of the test.
    pub async fn operator(&self, line: &str, body: &Value) -> Value {
        let reply = self.operator_reply(line, &[], body).await;
        assert!(
            (200..300).contains(&reply.status),
            "{line}: {} {}",
            reply.status,
            String::from_utf8_lossy(&reply.body)
        );
        if reply.body.is_empty() { Value::Null } else { reply.json() }
    }

    /// The same with headers, whatever the answer.
    pub async fn operator_reply(&self, line: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let socket = self.installation.path("data/countersign.sock");
        let (bytes, content) = match body {
            Value::Null => (Bytes::new(), None),
            body => (Bytes::from(body.to_string()), Some(("content-type", "application/json"))),
        };
        let headers: Vec<_> = headers.iter().copied().chain(content).collect();
        client::send_local(&socket, client::with_body(line, &headers, bytes)).await
    }

    /// Makes an account of a kind, with an administrator.
    pub async fn account(&self, kind: &str) -> Account {
        self.account_named(kind, kind).await
    }

    /// The same under another name than its kind.
    pub async fn account_named(&self, kind: &str, name: &str) -> Account {
        let email = format!("{name}@example.com");
        let body = json!({ "external_id": name, "name": name, "kind": kind, "api_access": true,
            "administrator": { "email": email } });
        let made = self.operator("POST /api/v1/accounts", &body).await;
        let id = made["account"]["id"].as_str().unwrap().to_owned();
        let link = made["invitation"]["link"].as_str().unwrap();
        let code = link.rsplit_once('#').map_or(link, |(_, code)| code);
        let body =
            json!({ "code": code, "name": "Somebody", "password": "correct horse battery staple gateway" });
        self.operator("POST /api/v1/invitations/accept", &body).await;
        let members = self.operator(&format!("GET /api/v1/accounts/{id}/members"), &Value::Null).await;
        let contact = members["items"][0]["user_id"].as_str().unwrap().to_owned();
        Account { id, contact }
    }

    /// Makes a token with these scopes.
    pub async fn token(&self, account: &Account, name: &str, scopes: &[&str]) -> Token {
        self.token_with(account, json!({ "name": name, "scopes": scopes })).await
    }

    /// Makes a token from the fields of the request.
    pub async fn token_with(&self, account: &Account, mut fields: Value) -> Token {
        fields["primary_contact"] = account.contact.as_str().into();
        let path = format!("/api/v1/accounts/{}/tokens", account.id);
        let made = self.operator(&format!("POST {path}"), &fields).await;
        Token {
            path: format!("{path}/{}", made["token"]["id"].as_str().unwrap()),
            sid: made["token"]["sid"].as_str().unwrap().to_owned(),
            secret: made["secret"].as_str().unwrap().to_owned(),
        }
    }

    /// Asks forward-auth as the gateway would.
    pub async fn forward_auth(&self, line: &str, authorization: Option<&str>) -> Reply {
        let (method, target) = line.split_once(' ').unwrap();
        let mut headers = vec![
            ("x-countersign-gateway", self.credential.as_str()),
            ("x-original-method", method),
            ("x-original-uri", target),
            ("x-original-address", "203.0.113.5"),
        ];
        headers.extend(authorization.map(|value| ("authorization", value)));
        client::send(
            self.server.data_plane,
            client::request(&format!("GET /v1/forward-auth/{GATEWAY}"), &headers),
        )
        .await
    }

    /// Asks verify as a back end would.
    pub async fn verify(&self, ask: &Value) -> Reply {
        let headers =
            [("x-countersign-gateway", self.credential.as_str()), ("content-type", "application/json")];
        let request = client::with_body("POST /v1/verify", &headers, Bytes::from(ask.to_string()));
        client::send(self.server.data_plane, request).await
    }
}
