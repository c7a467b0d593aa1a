//! The signed assertion through every gateway: it arrives as Countersign made it, about the request the back end sees.
//! How it is checked stands in the tests of the assertion itself.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{client, stack::beside_each_other};

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_arrives_whole_and_a_made_up_one_does_not() {
    beside_each_other(async |stack| {
        let brand = stack.account("brand").await;
        let token = stack.countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
        let line = format!("GET /Advertisers/{}/Actions?note=a%20b", token.sid);
        let basic = token.basic();
        let headers = [("authorization", basic.as_str()), ("x-countersign-assertion", "made.up.one")];
        assert_eq!(stack.send(&line, &headers).await.status, 200);
        assert_eq!(stack.reached()[0].header("x-countersign-assertion"), "", "switched off");

        let path = format!("/api/v1/gateways/{}", stack.name);
        let seen = stack.countersign.operator_reply(&format!("GET {path}"), &[], &Value::Null).await;
        let if_match = [("if-match", seen.header("etag"))];
        let on = json!({ "assertion_audience": "orders" });
        let edited = stack.countersign.operator_reply(&format!("PATCH {path}"), &if_match, &on).await;
        assert_eq!(edited.status, 200, "{edited:?}");

        // With a port that is not the usual one, which an assertion has to name as the back end hears it.
        let bytes = format!(
            "{line} HTTP/1.1\r\nHost: api.example:8443\r\nAuthorization: {basic}\r\n\
             X-Countersign-Assertion: made.up.one\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(client::statuses(&stack.raw(bytes.as_bytes()).await), [200]);
        let reached = stack.reached();
        let parts: Vec<&str> = reached[0].header("x-countersign-assertion").split('.').collect();
        assert_eq!(parts.len(), 3, "{reached:?}");
        let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let request_id = reached[0].header("x-countersign-request-id");
        for (name, value) in [
            ("aud", "orders"),
            ("sub", token.sid.as_str()),
            ("method", "GET"),
            ("host", reached[0].header("host")),
            ("jti", request_id),
        ] {
            assert_eq!(claims[name], value, "{name}: {claims}");
        }
    })
    .await;
}
