//! Bad input: each gets a clear refusal that names the field, and nothing is written.

use serde_json::{Value, json};

use super::world::{Home, World, path_of};

/// What is wrong, and the status, code and field it is refused with.
type Case = (Value, u16, &'static str, &'static str);

fn cases(home: &Home, stranger: &Home) -> Vec<Case> {
    let many = |count: usize, text: &str| {
        json!((0..count).map(|index| format!("{text}{index}")).collect::<Vec<_>>())
    };
    vec![
        (json!({ "name": "" }), 422, "field_invalid", "name"),
        (json!({ "name": "   " }), 422, "field_invalid", "name"),
        (json!({ "name": "n".repeat(101) }), 422, "field_invalid", "name"),
        (json!({ "name": "a\u{202e}b" }), 422, "field_invalid", "name"),
        (json!({ "name": "a\u{7}b" }), 422, "field_invalid", "name"),
        (json!({ "name": "a\u{0}b" }), 400, "request_malformed", ""),
        (json!({ "name": 5 }), 422, "field_invalid", "name"),
        (json!({ "name": "TAKEN" }), 409, "name_taken", "name"),
        (json!({ "description": "d".repeat(501) }), 422, "field_invalid", "description"),
        (json!({ "api_version": 10 }), 422, "field_invalid", "api_version"),
        (json!({ "api_version": 99 }), 422, "field_invalid", "api_version"),
        (json!({ "api_version": -1 }), 422, "field_invalid", "api_version"),
        (json!({ "api_version": 70_000 }), 422, "field_invalid", "api_version"),
        (json!({ "api_version": "14" }), 422, "field_invalid", "api_version"),
        (json!({ "primary_contact": stranger.admin }), 422, "contact_not_member", "primary_contact"),
        (json!({ "primary_contact": "somebody" }), 422, "field_invalid", "primary_contact"),
        (json!({ "primary_contact": home.account }), 422, "field_invalid", "primary_contact"),
        (
            json!({ "developer_emails": ["ok@example.com", "none"] }),
            422,
            "field_invalid",
            "developer_emails[1]",
        ),
        (
            json!({ "developer_emails": many(21, "a@example.com.x") }),
            422,
            "field_invalid",
            "developer_emails",
        ),
        (json!({ "scopes": ["brand.actions.list", "brand.nothing"] }), 422, "scope_unknown", "scopes[1]"),
        (json!({ "scopes": ["agency.jobs.list"] }), 422, "scope_unknown", "scopes[0]"),
        (json!({ "scopes": ["Brand.Actions.List"] }), 422, "scope_unknown", "scopes[0]"),
        (json!({ "scopes": many(4_097, "s") }), 422, "field_invalid", "scopes"),
        (json!({ "scopes": many(10_000, "brand.scope") }), 413, "body_too_large", ""),
        (json!({ "scopes": "brand.actions.list" }), 422, "field_invalid", "scopes"),
        (json!({ "expires_at": "2026-07-01T12:00:00Z" }), 422, "field_invalid", "expires_at"),
        (json!({ "expires_at": "2020-01-01T00:00:00Z" }), 422, "field_invalid", "expires_at"),
        (json!({ "expires_at": "tomorrow" }), 422, "field_invalid", "expires_at"),
        (json!({ "expires_at": "2026-13-01T00:00:00Z" }), 422, "field_invalid", "expires_at"),
        (json!({ "addresses": ["10.0.0.0/33"] }), 422, "field_invalid", "addresses"),
        (json!({ "addresses": ["10.0.0.0/8", "nonsense"] }), 422, "field_invalid", "addresses"),
        (json!({ "addresses": many(51, "10.0.0.") }), 422, "field_invalid", "addresses"),
        (json!({ "rate_limit": { "requests": 0, "window_secs": 60 } }), 422, "field_invalid", "rate_limit"),
        (json!({ "rate_limit": { "requests": 1, "window_secs": 0 } }), 422, "field_invalid", "rate_limit"),
        (
            json!({ "rate_limit": { "requests": 1, "window_secs": 2_678_401 } }),
            422,
            "field_invalid",
            "rate_limit",
        ),
        (json!({ "rate_limit": { "requests": 1 } }), 422, "field_invalid", ""),
        (json!({ "made_by": "tok_x" }), 400, "field_unknown", "made_by"),
        (json!({ "sid": "BRX" }), 400, "field_unknown", "sid"),
        (json!({ "state": "enabled" }), 400, "field_unknown", "state"),
        (json!({ "account": stranger.account }), 400, "field_unknown", "account"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let stranger = world.home("brand", "other").await;
    world.token(&home, "Taken", json!({})).await;
    let (token, _) = world.token(&home, "Edited", json!({})).await;
    let (path, edit) = (format!("/accounts/{}/tokens", home.account), path_of(&home, &token));
    let head = world.audit("token.").await.len();
    let cases = cases(&home, &stranger);
    let count = cases.len();
    for (change, status, code, field) in cases {
        let mut body = json!({ "name": "New one", "primary_contact": home.admin });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        for reply in
            [world.post(&home.who, &path, body).await, world.patch(&home.who, &edit, 1, change.clone()).await]
        {
            assert_eq!((reply.status.as_u16(), reply.code()), (status, code), "{change}: {}", reply.text);
            if !field.is_empty() {
                assert_eq!(reply.json["field"], field, "{change}");
            }
            assert!(!reply.json["detail"].as_str().unwrap().is_empty());
        }
    }
    assert_eq!(world.audit("token.").await.len(), head);
    let listed = world.get(&home.who, &path).await.expect(200);
    assert_eq!(
        (listed.json["items"].as_array().unwrap().len(), &listed.json["items"][0]["edit"]),
        (2, &json!(1))
    );
    println!("{count} bad inputs, each refused on create and on edit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_can_be_read_in_two_ways_is_not_read() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (path, contact) = (format!("/api/v1/accounts/{}/tokens", home.account), home.admin);
    let bodies = [
        format!(r#"{{"name":"A","name":"B","primary_contact":"{contact}"}}"#),
        format!(r#"{{"name":"A","primary_contact":"{contact}"}} "#).repeat(2),
        format!(r#"{{"name":"A","primary_contact":"{contact}""#),
        format!("{}{}", "[".repeat(40), "]".repeat(40)),
        "null".to_owned(),
        String::new(),
    ];
    for body in bodies {
        let request = ::http::Request::post(&path).header("content-type", "application/json");
        let reply = world.send(&home.who, request.body(body.clone().into()).unwrap()).await;
        assert!(matches!(reply.status.as_u16(), 400 | 422), "{body}: {}", reply.text);
    }
    let plain = ::http::Request::post(&path).header("content-type", "text/plain");
    let body = format!(r#"{{"name":"A","primary_contact":"{contact}"}}"#);
    world.send(&home.who, plain.body(body.into()).unwrap()).await.expect(415);
    let listed = world.get(&home.who, &format!("/accounts/{}/tokens", home.account)).await.expect(200);
    assert_eq!(listed.json["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_integrations_wants_to_be_confirmed() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, secret) = world.token(&home, "Sync", json!({})).await;
    let path = path_of(&home, &token);
    let head = world.audit("token.").await.len();
    for (body, code) in [
        (json!({}), "field_invalid"),
        (json!({ "confirm": false }), "confirmation_missing"),
        (json!({ "confirm": true, "overlap": "2h" }), "field_invalid"),
        (json!({ "confirm": "yes" }), "field_invalid"),
    ] {
        world.post(&home.who, &format!("{path}/reset"), body).await.expect_code(422, code);
    }
    assert_eq!((world.audit("token.").await.len(), world.decide(&secret)), (head, "allowed"));
}
