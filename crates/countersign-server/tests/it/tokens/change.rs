//! Edit, upgrade, delete.

use ::http::Method;
use serde_json::{Value, json};

use super::world::{Reply, Who, World, path_of};

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_changes_what_it_names_and_nothing_else() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (colleague, _) = world.member(home.account, "colleague@acme.example", "finance").await;
    let more = json!({
        "description": "d", "scopes": ["brand.actions.list"], "api_version": 12, "addresses": ["10.0.0.0/8"],
        "expires_at": "2027-01-01T00:00:00Z", "rate_limit": { "requests": 5, "window_secs": 1 },
        "developer_emails": ["dev@example.com"],
    });
    let (token, secret) = world.token(&home, "Sync", more).await;
    let path = path_of(&home, &token);
    for (index, (body, field, value)) in [
        (json!({ "name": "Renamed" }), "name", json!("Renamed")),
        (json!({ "name": "RENAMED" }), "name", json!("RENAMED")),
        (json!({ "description": null }), "description", json!("")),
        (json!({ "api_version": 13 }), "api_version", json!(13)),
        (json!({ "scopes": [] }), "scopes", json!([])),
        (json!({ "developer_emails": null }), "developer_emails", json!([])),
        (json!({ "expires_at": null }), "expires_at", Value::Null),
        (json!({ "rate_limit": null }), "rate_limit", Value::Null),
        (json!({ "addresses": null }), "addresses", json!([])),
        (json!({ "addresses": ["10.1.2.3", "10.1.2.3/32"] }), "addresses", json!(["10.1.2.3/32"])),
    ]
    .into_iter()
    .enumerate()
    {
        let edit = 1 + index as u64;
        let before = world.get(&home.who, &path).await.expect(200).json;
        let reply = world.patch(&home.who, &path, edit, body).await.expect(200);
        let after = &reply.json["token"];
        assert_eq!((&after[field], reply.etag()), (&value, edit + 1), "{field}");
        assert_eq!(reply.json["secret"], Value::Null);
        let changed: Vec<_> = after
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, value)| {
                before[name.as_str()] != **value && *name != "edit" && *name != "scopes_count"
            })
            .map(|(name, _)| name.as_str())
            // What follows from others.
            .filter(|name| !["upgrade_available", "version", "reads", "writes"].contains(name))
            .filter(|name| !["effective_expires_at", "expiry_set_by", "told"].contains(name))
            .collect();
        assert_eq!(changed, [field]);
        assert_eq!(world.decide(&secret), "allowed");
    }
    for field in ["name", "primary_contact", "scopes", "api_version"] {
        let refused =
            world.patch(&home.who, &path, 11, json!({ field: null })).await.expect_code(422, "field_invalid");
        assert_eq!(refused.json["field"], field, "what a token must have cannot be cleared");
    }
    let reply = world.patch(&home.who, &path, 11, json!({ "primary_contact": colleague })).await.expect(200);
    assert_eq!(reply.json["token"]["primary_contact"]["email"], "colleague@acme.example");
    let entry = &world.audit("token.update").await[0];
    assert_eq!(entry.before, json!({ "primary_contact": home.admin }));
    assert_eq!(entry.after, json!({ "primary_contact": colleague }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_changes_nothing_writes_nothing() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, _) = world.token(&home, "Sync", json!({ "expires_at": "2026-07-02T00:00:00Z" })).await;
    let path = path_of(&home, &token);
    let head = world.audit_head().await;
    world.app.clock.advance_secs(2 * 86_400);
    for body in
        [json!({}), json!({ "name": "Sync", "expires_at": "2026-07-02T00:00:00Z", "api_version": 14 })]
    {
        let reply = world.patch(&home.who, &path, 1, body).await.expect(200);
        assert_eq!(reply.etag(), 1);
    }
    assert_eq!(world.audit_head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_second_is_told_and_loses_nothing() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, _) = world.token(&home, "Sync", json!({})).await;
    let path = path_of(&home, &token);
    let without = world.call(&home.who, Method::PATCH, &path, &[], Some(json!({ "name": "A" }))).await;
    without.expect_code(428, "if_match_missing");
    world.call(&home.who, Method::DELETE, &format!("{path}?confirm_name=Sync"), &[], None).await.expect(428);
    world.patch(&home.who, &path, 1, json!({ "name": "First" })).await.expect(200);
    let late = world.patch(&home.who, &path, 1, json!({ "name": "Second" })).await.expect_code(412, "stale");
    assert_eq!(late.json["current"]["name"], "First");
    assert_eq!(late.json["current"]["edit"], 2);
    assert_eq!(late.json["current"], world.get(&home.who, &path).await.json);
    let late = delete(&world, &home.who, &path, 1, "confirm_name=First").await.expect_code(412, "stale");
    assert_eq!(late.json["current"]["edit"], 2);
    world.patch(&home.who, &path, 2, json!({ "name": "Second" })).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_edits_at_once_one_wins_each_number() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, _) = world.token(&home, "Sync", json!({})).await;
    let path = path_of(&home, &token);
    let edits =
        (0..20).map(|number| world.patch(&home.who, &path, 1, json!({ "name": format!("Name {number}") })));
    let replies = futures_util::future::join_all(edits).await;
    let won = replies.iter().filter(|reply| reply.status == 200).count();
    let late = replies.iter().filter(|reply| reply.status == 412).count();
    assert_eq!((won, late), (1, 19));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_only_goes_up() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, _) = world.token(&home, "Sync", json!({ "api_version": 12 })).await;
    assert_eq!((&token["api_version"], &token["upgrade_available"]), (&json!(12), &json!(14)));
    assert_eq!(token["version"]["released_at"], "2024-05-06T00:00:00Z");
    let path = path_of(&home, &token);
    world.patch(&home.who, &path, 1, json!({ "api_version": 11 })).await.expect_code(422, "field_invalid");
    let upgrade = format!("{path}/upgrade");
    for version in [11, 12, 15] {
        world
            .post(&home.who, &upgrade, json!({ "api_version": version }))
            .await
            .expect_code(422, "field_invalid");
    }
    let reply = world.post(&home.who, &upgrade, json!({ "api_version": 13 })).await.expect(200);
    assert_eq!((&reply.json["token"]["api_version"], reply.etag()), (&json!(13), 2));
    let reply = world.post(&home.who, &upgrade, json!({})).await.expect(200);
    assert_eq!(reply.json["token"]["api_version"], 14);
    assert_eq!(reply.json["token"]["upgrade_available"], Value::Null);
    world.post(&home.who, &upgrade, json!({})).await.expect_code(409, "api_version_latest");
    assert_eq!(world.audit("token.upgrade").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_token_is_gone_for_ever() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, secret) = world.token(&home, "Zürich sync", json!({})).await;
    let path = path_of(&home, &token);
    delete(&world, &home.who, &path, 1, "").await.expect(400);
    delete(&world, &home.who, &path, 1, "confirm_name=Zurich").await.expect_code(422, "confirmation_wrong");
    assert_eq!(world.decide(&secret), "allowed");
    let reply = delete(&world, &home.who, &path, 1, "confirm_name=Z%C3%BCrich%20sync").await.expect(200);
    assert!(reply.json["seq"].as_u64().unwrap() > 0);
    assert_eq!(world.decide(&secret), "credentials_invalid");
    world.get(&home.who, &path).await.expect_code(404, "not_found");
    delete(&world, &home.who, &path, 1, "confirm_name=x").await.expect_code(404, "not_found");
    let entry = &world.audit("token.delete").await[0];
    assert_eq!((entry.subject_label.as_str(), &entry.before["name"]), ("Zürich sync", &json!("Zürich sync")));
    world.token(&home, "Zürich sync", json!({})).await;
}

async fn delete(world: &World, who: &Who, path: &str, edit: u64, query: &str) -> Reply {
    let path = format!("{path}?{query}");
    world.call(who, Method::DELETE, &path, &[("if-match", &format!("\"{edit}\""))], None).await
}
