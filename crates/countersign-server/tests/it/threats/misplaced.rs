//! T-24: a secret in a URL of a server that listens. Under twenty names, at every door, it is refused and told, and no
//! line of the log holds it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::live::{Line, Live, get, post};
use crate::harness::{ADMINISTRATOR, Log, World};

const NAMES: [&str; 20] = [
    "token",
    "access_token",
    "auth_token",
    "api_key",
    "apikey",
    "key",
    "secret",
    "client_secret",
    "password",
    "auth",
    "authorization",
    "bearer",
    "credentials",
    "t",
    "x",
    "after",
    "search",
    "AuthToken",
    "X-API-Key",
    "%74oken",
];

/// Runs on a thread of its own, so that the log of this thread is the whole log.
#[test]
fn a_secret_in_a_url_is_refused_at_every_door_and_in_no_log() {
    let log = Log::listen();
    let secrets =
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(attack());
    let text = log.text();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    let told = |message: &str| lines.iter().filter(|line| line["fields"]["message"] == message).count();
    // The data plane tells each attempt; the management API logs that it answered.
    assert_eq!(told("a credential came in a URL"), NAMES.len() * 3);
    let answered = told("answered");
    assert!(answered >= NAMES.len() * 4, "{answered} answers in the log");
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "a secret is in the log");
    }
    println!(
        "T-24: {} names at 5 doors, {} secrets in none of {} log lines",
        NAMES.len(),
        secrets.len(),
        lines.len()
    );
}

/// Sends them, and answers what must not be in the log.
async fn attack() -> Vec<String> {
    let live = Live::start(World::new().await).await;
    let world = &live.world;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let secret = world.token(&account, &ada, "Reader", &["brand.actions.list", "brand.tokens.view"]).await;
    let list = ada.get(&format!("/api/v1/accounts/{account}/tokens")).await.expect(200).json();
    let sid = list["items"][0]["sid"].as_str().unwrap().to_owned();
    let credential = live.gateway("edge").await;
    let machine = world.operator.post("/api/v1/platform-credentials", json!({ "name": "machine" })).await;
    let machine = machine.expect(201).json()["credential"].as_str().unwrap().to_owned();
    let (management, data_plane) = (live.management, live.data_plane);
    let secrets =
        vec![secret.clone(), credential.clone(), machine.clone(), STANDARD.encode(format!("{sid}:{secret}"))];
    let basic = format!("Basic {}", secrets[3]);
    let sent = tokio::task::spawn_blocking(move || {
        let (mut management, mut data_plane) = (Line::to(management), Line::to(data_plane));
        for name in NAMES {
            let own = get(&format!("/whoami?first=1&{name}={secret}"), &[("Authorization", &basic)]);
            let uri = format!("/Advertisers/{sid}/Actions?{name}={secret}");
            let asked = get(
                "/v1/forward-auth/edge",
                &[
                    ("X-Countersign-Gateway", &credential),
                    ("X-Original-Method", "GET"),
                    ("X-Original-URI", &uri),
                    ("X-Original-Address", "203.0.113.9"),
                    ("Authorization", &basic),
                ],
            );
            for request in [own, asked] {
                let raw = data_plane.ask(&request);
                assert!(raw.status() == 401 && raw.body.contains("credentials_misplaced"), "{name}: {raw:?}");
            }
            let ask = json!({ "authorization": basic, "method": "GET", "uri": uri }).to_string();
            let raw = data_plane.ask(&post("/v1/verify", &[("X-Countersign-Gateway", &credential)], &ask));
            assert!(raw.status() == 200 && raw.body.contains("credentials_misplaced"), "{name}: {raw:?}");
            for held in [&secret, &machine, &credential] {
                for path in ["/api/v1/accounts", "/nowhere"] {
                    let raw = management.ask(&get(&format!("{path}?{name}={held}"), &[]));
                    assert!(
                        raw.status() == 401 && raw.body.contains("credentials_misplaced"),
                        "{name}: {raw:?}"
                    );
                }
            }
        }
        // In the path, where no name tells: nothing is there, and the log does not say what was asked for.
        for held in [&secret, &machine, &credential] {
            assert_eq!(management.ask(&get(&format!("/api/v1/{held}"), &[])).status(), 404);
            assert_eq!(data_plane.ask(&get(&format!("/{held}"), &[])).status(), 404);
            assert_eq!(data_plane.ask(&get(&format!("/v1/forward-auth/{held}"), &[])).status(), 503);
        }
    });
    sent.await.unwrap();
    secrets
}
