//! Disable and enable, and what a token made goes with it.

use ::http::Method;
use serde_json::{Value, json};

use super::world::{Home, Who, World, path_of};

const MANAGING: [&str; 8] = [
    "brand.actions.list",
    "brand.tokens.view",
    "brand.tokens.create",
    "brand.tokens.edit",
    "brand.tokens.disable",
    "brand.tokens.enable",
    "brand.tokens.reset",
    "brand.tokens.delete",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_token_is_denied_at_once_and_an_enabled_one_allowed() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, secret) = world.token(&home, "Sync", json!({})).await;
    let path = path_of(&home, &token);
    for round in 0..50 {
        let reply = world.post(&home.who, &format!("{path}/disable"), json!({})).await.expect(200);
        assert_eq!(
            (world.decide(&secret), &reply.json["token"]["state"]),
            ("token_disabled", &json!("disabled"))
        );
        assert!(reply.json["seq"].as_u64().unwrap() <= world.app.verifier.applied().0);
        let reply = world.post(&home.who, &format!("{path}/enable"), json!({})).await.expect(200);
        assert_eq!((world.decide(&secret), reply.etag()), ("allowed", 3 + 2 * round));
        assert_eq!(reply.json["secret"], Value::Null);
    }
    let head = world.audit_head().await;
    world.post(&home.who, &format!("{path}/enable"), json!({})).await.expect(200);
    assert_eq!(world.audit_head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_disables_at_once_all_answer_for_a_disabled_token() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, secret) = world.token(&home, "Sync", json!({})).await;
    let path = format!("{}/disable", path_of(&home, &token));
    let disables = (0..20).map(|_| async {
        let reply = world.post(&home.who, &path, json!({})).await;
        (reply.status.as_u16(), world.decide(&secret))
    });
    for answered in futures_util::future::join_all(disables).await {
        assert_eq!(answered, (200, "token_disabled"));
    }
    assert_eq!(world.audit("token.disable").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn enabling_with_a_reset_ends_the_secret_that_may_have_leaked() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, old) = world.token(&home, "Sync", json!({})).await;
    let path = path_of(&home, &token);
    world.post(&home.who, &format!("{path}/disable"), json!({})).await.expect(200);
    let reply = world.post(&home.who, &format!("{path}/enable"), json!({ "reset": true })).await.expect(200);
    assert_eq!(world.decide(&old), "credentials_invalid");
    assert_eq!(world.decide(reply.json["secret"].as_str().unwrap()), "allowed");
}

/// A maker with two tokens it made, one of which a person let make a third.
async fn family(world: &World, home: &Home) -> (Value, String, Vec<String>) {
    let (maker, secret) = world.token(home, "Maker", json!({ "scopes": MANAGING })).await;
    let path = format!("/accounts/{}/tokens", home.account);
    let mut secrets = Vec::new();
    let mut middle = Value::Null;
    for name in ["Child", "Middle"] {
        let body = json!({ "name": name, "primary_contact": home.admin, "scopes": ["brand.actions.list"] });
        let reply = world.post(&Who::Bearer(secret.clone()), &path, body).await.expect(201);
        assert_eq!(reply.json["token"]["made_by"], maker["id"]);
        secrets.push(reply.json["secret"].as_str().unwrap().to_owned());
        middle = reply.json["token"].clone();
    }
    world.patch(&home.who, &path_of(home, &middle), 1, json!({ "scopes": MANAGING })).await.expect(200);
    let body = json!({ "name": "Grandchild", "primary_contact": home.admin });
    let reply = world.post(&Who::Bearer(secrets[1].clone()), &path, body).await.expect(201);
    assert_eq!(reply.json["token"]["made_by"], middle["id"]);
    secrets.push(reply.json["secret"].as_str().unwrap().to_owned());
    (maker, secret, secrets)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_made_goes_with_it_unless_somebody_says_otherwise() {
    for (verb, include, own, theirs) in [
        ("disable", None, "token_disabled", "token_disabled"),
        ("disable", Some(true), "token_disabled", "token_disabled"),
        ("disable", Some(false), "token_disabled", "allowed"),
        ("reset", None, "credentials_invalid", "token_disabled"),
        ("reset", Some(false), "credentials_invalid", "allowed"),
        ("delete", None, "credentials_invalid", "credentials_invalid"),
        ("delete", Some(false), "credentials_invalid", "allowed"),
    ] {
        let world = World::new().await;
        let home = world.home("brand", "acme").await;
        let (maker, secret, made) = family(&world, &home).await;
        let path = path_of(&home, &maker);
        let reply = if verb == "delete" {
            let query =
                include.map_or(String::new(), |include: bool| format!("&include_made_by_it={include}"));
            let path = format!("{path}?confirm_name=Maker{query}");
            world.call(&home.who, Method::DELETE, &path, &[("if-match", "\"1\"")], None).await.expect(200)
        } else {
            let mut body = json!({});
            if verb == "reset" {
                body["confirm"] = json!(true);
            }
            if let Some(include) = include {
                body["include_made_by_it"] = json!(include);
            }
            world.post(&home.who, &format!("{path}/{verb}"), body).await.expect(200)
        };
        assert_eq!(world.decide(&secret), own, "{verb} {include:?}");
        for secret in &made {
            assert_eq!(world.decide(secret), theirs, "{verb} {include:?}");
        }
        let told = reply.json["made_by_it"].as_array().unwrap().len();
        assert_eq!(told, if include == Some(false) { 0 } else { 3 }, "{verb} {include:?}");
        assert_eq!(world.audit(&format!("token.{verb}")).await.len(), 1, "one change, one entry");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_made_while_its_maker_is_disabled_is_disabled_or_was_never_made() {
    let world = World::new().await;
    for round in 0..10 {
        let home = world.home("brand", &format!("acme{round}")).await;
        let (maker, secret) = world.token(&home, "Maker", json!({ "scopes": MANAGING })).await;
        let path = format!("/accounts/{}/tokens", home.account);
        let creating = (0..8).map(|number| {
            let body = json!({ "name": format!("Child {number}"), "primary_contact": home.admin });
            let (who, path, world) = (Who::Bearer(secret.clone()), &path, &world);
            async move { world.post(&who, path, body).await }
        });
        let disable = format!("{}/disable", path_of(&home, &maker));
        let disabling = async {
            tokio::task::yield_now().await;
            world.post(&home.who, &disable, json!({})).await.expect(200)
        };
        let (_, made) = futures_util::future::join(disabling, futures_util::future::join_all(creating)).await;
        for reply in made {
            assert!(matches!(reply.status.as_u16(), 201 | 403), "{}", reply.text);
            if let Some(secret) = reply.json["secret"].as_str() {
                assert_eq!(world.decide(secret), "token_disabled");
            }
        }
    }
}
