//! Create, show, list, duplicate.

use ::http::Method;
use serde_json::{Value, json};

use super::world::{World, path_of, retire_scope};

#[tokio::test(flavor = "multi_thread")]
async fn a_created_token_works_and_shows_its_secret_once() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let body = json!({
        "name": "  Warehouse sync ", "description": "Nightly\nrun", "primary_contact": home.admin,
        "developer_emails": ["Dev@example.com", "dev@EXAMPLE.com", "two@example.com"],
        "scopes": ["brand.actions.list"], "addresses": ["10.0.0.7/8"], "expires_at": "2026-08-01T00:00:00+02:00",
        "rate_limit": { "requests": 100, "window_secs": 60 },
    });
    let reply = world.post(&home.who, &format!("/accounts/{}/tokens", home.account), body).await.expect(201);
    let (token, secret) = (&reply.json["token"], reply.json["secret"].as_str().unwrap());
    assert_eq!(world.decide(secret), "allowed");
    assert_eq!(reply.etag(), 1);
    assert_eq!(reply.headers["location"], format!("/api/v1{}", path_of(&home, token)));
    assert_eq!(reply.headers["cache-control"], "no-store");
    assert!(reply.json["seq"].as_u64().unwrap() <= world.app.verifier.applied().0);
    for (field, value) in [
        ("name", json!("Warehouse sync")),
        ("description", json!("Nightly\nrun")),
        ("state", json!("enabled")),
        ("api_version", json!(14)),
        ("upgrade_available", Value::Null),
        ("scopes", json!(["brand.actions.list"])),
        ("scopes_count", json!(1)),
        ("developer_emails", json!(["Dev@example.com", "two@example.com"])),
        ("addresses", json!(["10.0.0.0/8"])),
        ("expires_at", json!("2026-07-31T22:00:00Z")),
        ("made_by", Value::Null),
    ] {
        assert_eq!(token[field], value, "{field}");
    }
    assert_eq!(token["primary_contact"]["email"], "admin@acme.example");
    assert_eq!(token["secret"]["last4"], secret[secret.len() - 4..]);
    assert_eq!(token["secret"]["recoverable"], true);
    let shown = world.get(&home.who, &path_of(&home, token)).await.expect(200);
    let mut used = token.clone();
    used["last_used_at"] = json!("2026-07-01T12:00:00Z");
    used["last_used_from"] = json!("10.1.2.3");
    assert_eq!((&shown.json, shown.etag()), (&used, 1));
    assert!(!shown.text.contains(secret));
    let entries = world.audit("token.create").await;
    assert_eq!(entries.len(), 1);
    assert!(!format!("{:?}", entries[0]).contains(secret));
    assert_eq!(entries[0].after["on_behalf"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_create_creates_nothing() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let other = world.home("brand", "other").await;
    let (_, analyst) = world.member(home.account, "analyst@acme.example", "analyst").await;
    let path = format!("/accounts/{}/tokens", home.account);
    let body = || json!({ "name": "One", "primary_contact": home.admin });
    world.post(&analyst, &path, body()).await.expect_code(403, "permission_missing");
    world.post(&other.who, &path, body()).await.expect_code(404, "not_found");
    world.post(&super::world::Who::Anonymous, &path, body()).await.expect(401);
    world.edit_account(home.account, |account| account.api_access = false).await;
    world.post(&home.who, &path, body()).await.expect_code(409, "api_access_off");
    let listed = world.get(&home.who, &path).await.expect(200);
    assert_eq!(listed.json["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_creates_on_behalf_and_the_trail_says_so() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let body = json!({ "name": "For them", "primary_contact": home.admin });
    let path = format!("/accounts/{}/tokens", home.account);
    let reply = world.post(&super::world::Who::Operator, &path, body).await.expect(201);
    assert_eq!(world.decide(reply.json["secret"].as_str().unwrap()), "allowed");
    assert_eq!(world.audit("token.create").await[0].after["on_behalf"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_filter_and_page() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let path = format!("/accounts/{}/tokens", home.account);
    world.token(&home, "Ancient export", json!({})).await;
    world.app.clock.advance_secs(25 * 86_400);
    world.token(&home, "Older import", json!({})).await;
    world.app.clock.advance_secs(4 * 86_400);
    let (disabled, _) =
        world.token(&home, "Straße 10% off_", json!({ "expires_at": "2026-08-10T00:00:00Z" })).await;
    world.post(&home.who, &format!("{}/disable", path_of(&home, &disabled)), json!({})).await.expect(200);
    world.app.clock.advance_secs(3 * 86_400);
    world.token(&home, "Newest", json!({})).await;
    for (query, expected) in [
        ("", vec!["Newest", "Straße 10% off_", "Older import", "Ancient export"]),
        ("?name=EXPORT", vec!["Ancient export"]),
        ("?name=STRASSE", vec!["Straße 10% off_"]),
        ("?name=10%25", vec!["Straße 10% off_"]),
        ("?name=_", vec!["Straße 10% off_"]),
        ("?name=%25", vec!["Straße 10% off_"]),
        ("?created=last_7_days", vec!["Newest", "Straße 10% off_", "Older import"]),
        ("?created=last_30_days", vec!["Newest", "Straße 10% off_", "Older import"]),
        ("?created=more_than_30_days", vec!["Ancient export"]),
        ("?state=disabled", vec!["Straße 10% off_"]),
        ("?state=enabled&name=e&created=last_30_days", vec!["Newest", "Older import"]),
    ] {
        let reply = world.get(&home.who, &format!("{path}{query}")).await.expect(200);
        let names: Vec<_> =
            reply.json["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
        assert_eq!(names, expected, "{query}");
        assert!(reply.json["items"].as_array().unwrap().iter().all(|item| item["scopes"].is_null()));
    }
    let mut seen = Vec::new();
    let mut next = format!("{path}?limit=3");
    loop {
        let reply = world.get(&home.who, &next).await.expect(200);
        seen.extend(reply.json["items"].as_array().unwrap().iter().map(|item| item["name"].clone()));
        match reply.json["next"].as_str() {
            Some(cursor) => next = format!("{path}?limit=3&after={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ["Newest", "Straße 10% off_", "Older import", "Ancient export"]);
    for bad in [
        "?limit=0",
        "?limit=201",
        "?state=lost",
        "?created=ever",
        "?after=x",
        "?nothing=1",
        "?state=enabled&state=disabled",
    ] {
        world.get(&home.who, &format!("{path}{bad}")).await.expect(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_account_opens_nothing() {
    let world = World::new().await;
    let (home, other) = (world.home("brand", "acme").await, world.home("brand", "other").await);
    for home in [&home, &other] {
        world.token(home, "One", json!({})).await;
        world.token(home, "Two", json!({})).await;
    }
    let page = world.get(&home.who, &format!("/accounts/{}/tokens?limit=1", home.account)).await.expect(200);
    let cursor = page.json["next"].as_str().unwrap();
    let reply = world.get(&other.who, &format!("/accounts/{}/tokens?after={cursor}", other.account)).await;
    reply.expect_code(400, "cursor_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_account_is_not_there() {
    let world = World::new().await;
    let (home, other) = (world.home("brand", "acme").await, world.home("brand", "other").await);
    let (theirs, secret) = world.token(&other, "Theirs", json!({})).await;
    let path = path_of(&home, &theirs);
    let head = world.audit("token.").await.len();
    world.get(&home.who, &path).await.expect_code(404, "not_found");
    world.patch(&home.who, &path, 1, json!({ "name": "Mine" })).await.expect_code(404, "not_found");
    for (verb, body) in [
        ("reset", json!({ "confirm": true })),
        ("duplicate", json!({})),
        ("upgrade", json!({})),
        ("disable", json!({})),
        ("enable", json!({})),
    ] {
        world.post(&home.who, &format!("{path}/{verb}"), body).await.expect_code(404, "not_found");
    }
    world
        .call(&home.who, Method::POST, &format!("{path}/reveal"), &[], None)
        .await
        .expect_code(404, "not_found");
    let query = "?confirm_name=Theirs";
    let reply = world
        .call(&home.who, Method::DELETE, &format!("{path}{query}"), &[("if-match", "\"1\"")], None)
        .await;
    reply.expect_code(404, "not_found");
    assert_eq!(world.audit("token.").await.len(), head);
    assert_eq!(world.decide(&secret), "allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_numbered_and_have_their_own_secret() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let more = json!({ "description": "d", "scopes": ["brand.actions.list", "brand.actions.update"], "api_version": 12 });
    let (token, secret) = world.token(&home, "Sync", more).await;
    let path = format!("{}/duplicate", path_of(&home, &token));
    let mut secrets = vec![secret];
    for name in ["Copy of Sync", "Copy 2 of Sync", "Copy 3 of Sync"] {
        let reply = world.post(&home.who, &path, json!({})).await.expect(201);
        let copy = &reply.json["token"];
        assert_eq!(copy["name"], name);
        for field in
            ["description", "scopes", "api_version", "primary_contact", "developer_emails", "addresses"]
        {
            assert_eq!(copy[field], token[field], "{field}");
        }
        assert_ne!(copy["sid"], token["sid"]);
        secrets.push(reply.json["secret"].as_str().unwrap().to_owned());
    }
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 4);
    world.post(&home.who, &path, json!({ "name": "copy OF sync" })).await.expect_code(409, "name_taken");
    let long = "n".repeat(100);
    let (token, _) = world.token(&home, &long, json!({})).await;
    for front in ["Copy of n", "Copy 2 of n"] {
        let reply = world
            .post(&home.who, &format!("{}/duplicate", path_of(&home, &token)), json!({}))
            .await
            .expect(201);
        let name = reply.json["token"]["name"].as_str().unwrap();
        assert!(name.starts_with(front) && name.chars().count() == 100, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_scope_stays_where_it_was_and_is_never_given_anew() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let both = json!({ "scopes": ["brand.actions.list", "brand.actions.delete"] });
    let (token, _) = world.token(&home, "Holder", both.clone()).await;
    let (other, _) = world.token(&home, "Other", json!({})).await;
    retire_scope(&world, "brand.actions.delete").await;
    let shown = world.get(&home.who, &path_of(&home, &token)).await.expect(200);
    assert_eq!(shown.json["retired_scopes"], json!(["brand.actions.delete"]));
    assert_eq!(shown.json["scopes"].as_array().unwrap().len(), 2);
    let edited =
        world.patch(&home.who, &path_of(&home, &token), 1, json!({ "name": "Held" })).await.expect(200);
    assert_eq!(edited.json["token"]["retired_scopes"], json!(["brand.actions.delete"]));
    world.patch(&home.who, &path_of(&home, &token), 2, both.clone()).await.expect(200);
    world.patch(&home.who, &path_of(&home, &other), 1, both).await.expect_code(422, "scope_retired");
    let copy =
        world.post(&home.who, &format!("{}/duplicate", path_of(&home, &token)), json!({})).await.expect(201);
    assert_eq!(copy.json["token"]["scopes"], json!(["brand.actions.list"]));
    let without = json!({ "scopes": ["brand.actions.list"] });
    world.patch(&home.who, &path_of(&home, &token), 2, without).await.expect(200);
    let again = json!({ "scopes": ["brand.actions.list", "brand.actions.delete"] });
    world.patch(&home.who, &path_of(&home, &token), 3, again).await.expect_code(422, "scope_retired");
}
