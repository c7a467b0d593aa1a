//! "Who am I?" through every gateway is asked with the gateway's own credential: so nothing but "Who am I?" is asked that
//! way, and nobody takes the credential or the caller's address away. What it answers stands in the story.

use std::net::Ipv4Addr;

use serde_json::json;

use crate::{client, stack::beside_each_other};

/// One of this machine's own addresses that no gateway calls from.
const AWAY: Ipv4Addr = Ipv4Addr::new(127, 20, 0, 1);

/// Without its credential a gateway is a caller like any other, and its clients would be where it is.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_the_credential_or_the_address_away() {
    beside_each_other(async |stack| {
        let brand = stack.account("brand").await;
        let fields = json!({ "name": "Here", "scopes": [], "addresses": ["127.0.0.1"] });
        let here = stack.countersign.token_with(&brand, fields).await;
        let ask = async |from: Ipv4Addr, connection: &str| {
            let authorization = here.basic();
            let bytes = format!(
                "GET /whoami HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n{connection}\r\n\r\n"
            );
            client::statuses(&client::raw_from(from, stack.running.address, bytes.as_bytes()).await)
        };
        assert_eq!(ask(Ipv4Addr::LOCALHOST, "Connection: close").await, [200]);
        assert_eq!(ask(AWAY, "Connection: close").await, [403]);
        for connection in [
            "Connection: close, X-Countersign-Gateway, X-Original-Address",
            "Connection: close\r\nConnection: x-countersign-gateway\r\nConnection: x-original-address",
            "Connection: close,X-COUNTERSIGN-GATEWAY\t,,X-Original-Address",
            "Connection: close, X-Countersign-Gateway",
            "Connection: close, X-Original-Address",
            "Connection: close\r\nProxy-Connection: X-Countersign-Gateway, X-Original-Address",
        ] {
            let statuses = ask(AWAY, connection).await;
            assert!(matches!(statuses.as_slice(), [400 | 403]), "{connection:?}: {statuses:?}");
        }
    })
    .await;
}

/// Whatever else a gateway takes for `/whoami`, Countersign is not asked under that name.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_of_countersign_is_asked_with_the_credential() {
    beside_each_other(async |stack| {
        let brand = stack.account("brand").await;
        let token = stack.countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
        let door = format!("/v1/forward-auth/{}", stack.name);
        assert_eq!(stack.get("/whoami?a=b", &token).await.status, 200);
        stack.questions.take_passed();
        for target in [
            "/v1/other/../../whoami",
            "/v1/forward-auth/other/../../../whoami",
            "/%77hoami",
            "/./whoami",
            "/whoami%00",
            "/x/%2e%2e/whoami",
            "http://a/v1/other/../../whoami",
        ] {
            let authorization = token.basic();
            let bytes = format!(
                "GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n"
            );
            let answer = stack.raw(bytes.as_bytes()).await;
            let asked = stack.questions.take_passed();
            let asked = String::from_utf8_lossy(&asked);
            for line in asked.lines().filter(|line| line.ends_with(" HTTP/1.1")) {
                let path = line.split(' ').nth(1).unwrap();
                assert!(path == "/whoami" || path.starts_with(&door), "{target}: {line}: {answer}");
            }
            assert!(stack.reached().is_empty(), "{target}: {answer}");
        }
    })
    .await;
}
