//! A running Countersign with two gateways, accounts and tokens, and how its data plane is asked.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    client::{self, Reply, basic},
    installation::{Installation, Server},
};

/// The gateway whose assertions are for [`AUDIENCE`].
pub const GATEWAY: &str = "edge";
/// The back end behind it.
pub const AUDIENCE: &str = "orders";
/// Where the console of every test installation is, unless set.
pub const ISSUER: &str = "http://localhost:8470";

/// Countersign with an operator.
pub struct Scene {
    pub installation: Installation,
    pub server: Server,
    /// The credential of [`GATEWAY`].
    pub credential: String,
}

/// An account and a member of it.
pub struct Account {
    pub id: String,
    contact: String,
}

/// A token with its secret.
#[derive(Debug, Clone)]
pub struct Token {
    /// `/api/v1/accounts/…/tokens/…`
    pub path: String,
    pub sid: String,
    pub secret: String,
}

impl Token {
    pub fn basic(&self) -> String {
        basic(&self.sid, &self.secret)
    }

    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.secret)
    }
}

impl Scene {
    /// Starts it, with the gateway.
    pub async fn start() -> Self {
        let installation = Installation::empty();
        let server = installation.serve();
        let mut scene = Self { installation, server, credential: String::new() };
        let new = json!({ "name": GATEWAY, "assertion_audience": AUDIENCE });
        let made = scene.operator("POST /api/v1/gateways", &new).await;
        made["credential"].as_str().unwrap().clone_into(&mut scene.credential);
        scene
    }

    /// Asks the management API with operator rights; a refusal is a failure of the test.
    pub async fn operator(&self, line: &str, body: &Value) -> Value {
        let reply = self.operator_reply(line, &[], body).await;
        assert!((200..300).contains(&reply.status), "{line}: {reply:?}");
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
        client::send_local(&socket, client::request(line, &headers, bytes)).await
    }

    /// Makes an account of a kind, with an administrator.
    pub async fn account(&self, kind: &str, name: &str) -> Account {
        let email = format!("{name}@example.com");
        let new = json!({ "external_id": name, "name": name, "kind": kind, "api_access": true,
            "administrator": { "email": email } });
        let made = self.operator("POST /api/v1/accounts", &new).await;
        let id = made["account"]["id"].as_str().unwrap().to_owned();
        let code = made["invitation"]["link"].as_str().unwrap().rsplit_once('#').unwrap().1;
        let accept = json!({ "code": code, "name": "Somebody", "password": "a long enough passphrase" });
        self.operator("POST /api/v1/invitations/accept", &accept).await;
        let members = self.operator(&format!("GET /api/v1/accounts/{id}/members"), &Value::Null).await;
        let contact = members["items"][0]["user_id"].as_str().unwrap().to_owned();
        Account { id, contact }
    }

    /// Makes a token with these scopes, and further fields of the request.
    pub async fn token(&self, account: &Account, name: &str, scopes: &[&str], more: &Value) -> Token {
        let mut new = json!({ "name": name, "scopes": scopes, "primary_contact": account.contact });
        new.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let path = format!("/api/v1/accounts/{}/tokens", account.id);
        let made = self.operator(&format!("POST {path}"), &new).await;
        Token {
            path: format!("{path}/{}", made["token"]["id"].as_str().unwrap()),
            sid: made["token"]["sid"].as_str().unwrap().to_owned(),
            secret: made["secret"].as_str().unwrap().to_owned(),
        }
    }

    /// Does something to a token: `disable`, `enable`, `reset`, `overlap/end`.
    pub async fn act(&self, token: &Token, deed: &str) -> Value {
        let body = match deed {
            "reset" | "overlap/end" => json!({ "confirm": true }),
            _ => json!({}),
        };
        self.operator(&format!("POST {}/{deed}", token.path), &body).await
    }

    /// Deletes a token that was not changed since it was made.
    pub async fn delete(&self, token: &Token, name: &str) {
        let line = format!("DELETE {}?confirm_name={name}", token.path);
        let reply = self.operator_reply(&line, &[("if-match", "\"1\"")], &Value::Null).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// Asks the data plane.
    pub async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let request = client::request(line, headers, Bytes::from(body.to_owned()));
        client::send(self.server.data_plane, request).await
    }

    /// Sends a form.
    pub async fn form(&self, line: &str, authorization: Option<&str>, fields: &[(&str, &str)]) -> Reply {
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(authorization.map(|value| ("authorization", value)));
        self.ask(line, &headers, &encoded(fields)).await
    }

    /// An access token for this Account SID and Auth Token.
    pub async fn access_token(&self, token: &Token, scope: &str) -> String {
        let fields = [("grant_type", "client_credentials"), ("scope", scope)];
        let reply = self.form("POST /v1/token", Some(&token.basic()), &fields).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Asks verify as a back end would.
    pub async fn verify(&self, ask: &Value) -> Reply {
        let headers =
            [("x-countersign-gateway", self.credential.as_str()), ("content-type", "application/json")];
        self.ask("POST /v1/verify", &headers, &ask.to_string()).await
    }

    /// What verify says of one request with this `Authorization`.
    pub async fn code(&self, authorization: &str, line: &str) -> String {
        let (method, uri) = line.split_once(' ').unwrap();
        let ask = json!({ "authorization": authorization, "method": method, "uri": uri });
        self.verify(&ask).await.json()["code"].as_str().unwrap().to_owned()
    }

    /// Introspects a token as the gateway, by HTTP Basic.
    pub async fn introspect(&self, token: &str) -> Value {
        let gateway = basic(GATEWAY, &self.credential);
        let reply = self.form("POST /v1/introspect", Some(&gateway), &[("token", token)]).await;
        assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"), "{reply:?}");
        reply.json()
    }
}

/// A form.
pub fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
