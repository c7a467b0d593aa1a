//! Token introspection (RFC 7662): who may ask, what is told of a token that works, and that every other token is one
//! answer.

use serde_json::{Value, json};

use crate::{
    client::basic,
    scene::{AUDIENCE, GATEWAY, ISSUER, Scene},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_live_token_is() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let more = json!({ "expires_at": "2099-01-01T00:00:00Z" });
    let token = scene.token(&brand, "Reader", &["brand.actions.list", "brand.ads.list"], &more).await;
    let told = scene.introspect(&token.secret).await;
    assert_eq!(told["active"], true);
    assert_eq!(told["scope"], "brand.actions.list brand.ads.list");
    assert_eq!((&told["client_id"], &told["sub"]), (&json!(token.sid), &json!(token.sid)));
    assert_eq!((&told["aud"], &told["iss"]), (&json!(AUDIENCE), &json!(ISSUER)));
    assert_eq!((&told["token_type"], &told["version"]), (&json!("Bearer"), &json!(14)));
    assert_eq!((&told["account"], &told["kind"]), (&json!(brand.id), &json!("brand")));
    assert_eq!(told["exp"], 4_070_908_800_u64);
    let made = told["iat"].as_i64().unwrap();
    let age = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed() - made;
    assert!((0..120).contains(&age), "{age}");

    let access = scene.access_token(&token, "brand.ads.list").await;
    let derived = scene.introspect(&access).await;
    assert_eq!((&derived["active"], &derived["scope"]), (&json!(true), &json!("brand.ads.list")));
    assert_eq!(derived["exp"].as_i64().unwrap() - derived["iat"].as_i64().unwrap(), 600);
    assert_ne!(derived["jti"], told["jti"]);
    let other = scene.access_token(&token, "brand.ads.list").await;
    assert_ne!(scene.introspect(&other).await["jti"], derived["jti"]);
    for token in [&token.secret, &access] {
        let header = [
            ("x-countersign-gateway", scene.credential.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let reply = scene.ask("POST /v1/introspect", &header, &format!("token={token}")).await;
        assert_eq!(reply.json()["active"], true, "the header of gateways proves them, too");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_token_that_does_not_work_is_the_same_answer() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let disabled = scene.token(&brand, "Off", &["brand.actions.list"], &json!({})).await;
    let of_disabled = scene.access_token(&disabled, "").await;
    scene.act(&disabled, "disable").await;
    let bound = scene.token(&brand, "Bound", &[], &json!({ "addresses": ["203.0.113.0/24"] })).await;
    let reset = scene.token(&brand, "Reset", &[], &json!({})).await;
    scene.act(&reset, "reset").await;
    let gone = scene.token(&brand, "Gone", &[], &json!({})).await;
    scene.delete(&gone, "Gone").await;
    let gateway = basic(GATEWAY, &scene.credential);
    let mut tried = 0;
    for token in [
        disabled.secret.as_str(),
        &of_disabled,
        &bound.secret,
        &reset.secret,
        &gone.secret,
        &gone.sid,
        "unknown",
        "csign_00000000000000000000000000000000000000",
        "csat_AAAA",
        &of_disabled[..of_disabled.len() - 1],
        "two words",
        "Basic abc",
        "\u{4e2d}\u{6587}",
        &"x".repeat(3_000),
        &scene.credential,
    ] {
        let reply = scene.form("POST /v1/introspect", Some(&gateway), &[("token", token)]).await;
        assert_eq!(
            (reply.status, reply.body.as_ref()),
            (200, br#"{"active":false}"#.as_slice()),
            "{token}: {reply:?}"
        );
        tried += 1;
    }
    println!("{tried} tokens that do not work were one answer");
    let fields = [("token", bound.secret.as_str()), ("client_address", "203.0.113.9")];
    let reply = scene.form("POST /v1/introspect", Some(&gateway), &fields).await;
    assert_eq!(reply.json()["active"], true, "whoever says the address gets the answer for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_gateway_asks() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Reader", &[], &json!({})).await;
    let wrong = basic("other", &scene.credential);
    for authorization in [None, Some(token.basic()), Some(token.bearer()), Some(wrong)] {
        let fields = [("token", token.secret.as_str())];
        let reply = scene.form("POST /v1/introspect", authorization.as_deref(), &fields).await;
        assert_eq!((reply.status, &reply.json()["error"]), (401, &json!("invalid_client")), "{reply:?}");
        assert_eq!(reply.header("www-authenticate"), "Basic realm=\"countersign\"");
    }
    let gateway = basic(GATEWAY, &scene.credential);
    for fields in
        [[].as_slice(), &[("token", "a"), ("token", "b")], &[("token", "a"), ("client_address", "here")]]
    {
        let reply = scene.form("POST /v1/introspect", Some(&gateway), fields).await;
        assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("invalid_request")), "{fields:?}");
    }
    let reply = scene.ask("GET /v1/introspect?token=x", &[("authorization", &gateway)], "").await;
    assert_eq!((reply.status, reply.header("allow")), (405, "POST"));
    let by_form = [("client_id", GATEWAY), ("client_secret", scene.credential.as_str()), ("token", "x")];
    let reply = scene.form("POST /v1/introspect", None, &by_form).await;
    assert_eq!(reply.json(), json!({ "active": false }));
    assert_eq!(scene.operator("GET /api/v1/gateways", &Value::Null).await["items"][0]["name"], GATEWAY);
}
