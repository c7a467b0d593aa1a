//! A small platform over a running server, made the way operators make one: by the command line, and by people who
//! accept invitations.

use http::Method;
use serde_json::{Value, json};

use crate::{
    client::Client,
    installation::{Installation, Server},
};

/// The scope tokens of these tests hold, and what it lets them ask.
pub const SCOPE: &str = "brand.actions.list";
/// A password that is long enough for anybody.
pub const PASSWORD: &str = "a long enough passphrase";
/// Who answers for the tokens.
pub const CONTACT: &str = "administrator@brand.example";

/// A token as a test knows it.
#[derive(Debug, Clone)]
pub struct Token {
    pub account: String,
    pub id: String,
    pub sid: String,
    pub secret: String,
}

/// Makes the brand account `brand` with an administrator.
pub async fn brand_account(installation: &Installation, server: &Server) {
    let made = installation.json(&[
        "account",
        "create",
        "A brand",
        "--kind",
        "brand",
        "--external-id",
        "brand",
        "--administrator",
        CONTACT,
    ]);
    accept(server, made["invitation"]["link"].as_str().unwrap()).await;
}

/// Accepts an invitation from a browser of our own origin.
pub async fn accept(server: &Server, link: &str) {
    let (_, code) = link.rsplit_once('#').unwrap();
    let body = json!({ "code": code, "name": "Somebody", "password": PASSWORD });
    let mut browser = Client::connect(server.management).await.with("sec-fetch-site", "same-origin");
    let answer = browser.ask(Method::POST, "/api/v1/invitations/accept", Some(&body)).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
}

/// Creates a token of the account by the command line.
pub fn token(installation: &Installation, name: &str) -> Token {
    let made = installation.json(&[
        "token",
        "create",
        "brand",
        "--name",
        name,
        "--contact",
        CONTACT,
        "--scope",
        SCOPE,
    ]);
    let account = installation.json(&["account", "show", "brand"]);
    let member = |value: &Value| value.as_str().unwrap().to_owned();
    Token {
        account: member(&account["id"]),
        id: member(&made["token"]["id"]),
        sid: member(&made["token"]["sid"]),
        secret: member(&made["secret"]),
    }
}

/// Makes a gateway; answers its credential.
pub fn gateway(installation: &Installation) -> String {
    installation.json(&["gateway", "create", "tests"])["credential"].as_str().unwrap().to_owned()
}

/// Makes a machine with operator rights; answers its credential.
pub fn platform_credential(installation: &Installation) -> String {
    installation.json(&["platform-credential", "create", "tests"])["credential"].as_str().unwrap().to_owned()
}

/// A connection that may ask for decisions.
pub async fn asking(server: &Server, gateway: &str) -> Client {
    Client::connect(server.data_plane).await.with("x-countersign-gateway", gateway)
}

/// A connection with operator rights.
pub async fn operating(server: &Server, credential: &str) -> Client {
    Client::connect(server.management).await.with("authorization", format!("Bearer {credential}"))
}

/// What a back end asks for this token.
pub fn ask_of(token: &Token) -> Value {
    json!({
        "authorization": format!("Bearer {}", token.secret),
        "method": "GET",
        "uri": format!("/Advertisers/{}/Actions", token.sid),
        "client_address": "192.0.2.7",
    })
}

/// Asks, and answers whether it was allowed and, if not, why.
pub async fn decide(client: &mut Client, ask: &Value) -> Result<(), String> {
    let answer = client.ask(Method::POST, "/v1/verify", Some(ask)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    match answer.body["allowed"].as_bool() {
        Some(true) => Ok(()),
        Some(false) => Err(answer.body["code"].as_str().unwrap().to_owned()),
        None => panic!("no decision: {:?}", answer.body),
    }
}
