//! Idempotency keys: one answer for one request, however often it comes.

use ::http::Method;
use countersign_store::RevealPolicy;
use serde_json::{Value, json};

use super::world::{Home, Reply, Who, World, path_of};

async fn create(world: &World, who: &Who, home: &Home, key: &str, name: &str) -> Reply {
    let body = json!({ "name": name, "primary_contact": home.admin });
    let path = format!("/accounts/{}/tokens", home.account);
    world.call(who, Method::POST, &path, &[("idempotency-key", key)], Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_gets_the_same_token_and_secret_and_is_audited() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let first = create(&world, &home.who, &home, "k-1", "One").await.expect(201);
    for _ in 0..3 {
        let again = create(&world, &home.who, &home, "k-1", "One").await.expect(201);
        assert_eq!(again.json["secret"], first.json["secret"]);
        assert_eq!(again.json["token"], first.json["token"]);
    }
    assert_eq!((world.audit("token.create").await.len(), world.audit("secret.reveal").await.len()), (1, 3));
    create(&world, &home.who, &home, "k-1", "Two").await.expect_code(422, "idempotency_key_reused");
    create(&world, &home.who, &home, "k-2", "One").await.expect_code(409, "name_taken");
    for bad in ["", "k 1", &"k".repeat(201)] {
        create(&world, &home.who, &home, bad, "Three").await.expect(400);
    }
    create(&world, &home.who, &home, &"k".repeat(200), "Three").await.expect(201);
    world.app.clock.advance_secs(24 * 3600);
    create(&world, &home.who, &home, "k-1", "Four").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_its_actor_account_and_operation() {
    let world = World::new().await;
    let (home, other) = (world.home("brand", "acme").await, world.home("brand", "other").await);
    let (_, colleague) = world.member(home.account, "second@acme.example", "account_administrator").await;
    let first = create(&world, &home.who, &home, "same", "One").await.expect(201);
    create(&world, &colleague, &home, "same", "Two").await.expect(201);
    create(&world, &other.who, &other, "same", "One").await.expect(201);
    create(&world, &Who::Operator, &home, "same", "Three").await.expect(201);
    let path = format!("{}/reset", path_of(&home, &first.json["token"]));
    let reset = json!({ "confirm": true });
    let headers = [("idempotency-key", "same")];
    let reply = world.call(&home.who, Method::POST, &path, &headers, Some(reset.clone())).await.expect(200);
    let again = world.call(&home.who, Method::POST, &path, &headers, Some(reset.clone())).await.expect(200);
    assert_eq!(reply.json["secret"], again.json["secret"]);
    assert_eq!(again.json["token"]["secret"]["generation"], 2);
    let overlap = json!({ "confirm": true, "overlap": "1h" });
    world
        .call(&home.who, Method::POST, &path, &headers, Some(overlap))
        .await
        .expect_code(422, "idempotency_key_reused");
    let (elsewhere, _) = world.token(&home, "Elsewhere", json!({})).await;
    let path = format!("{}/reset", path_of(&home, &elsewhere));
    world
        .call(&home.who, Method::POST, &path, &headers, Some(reset))
        .await
        .expect_code(422, "idempotency_key_reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_shown_again_is_null_with_a_reason() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let first = create(&world, &home.who, &home, "k", "One").await.expect(201);
    let path = path_of(&home, &first.json["token"]);
    world
        .post(&home.who, &format!("{path}/reset"), json!({ "confirm": true, "overlap": "7d" }))
        .await
        .expect(200);
    let again = create(&world, &home.who, &home, "k", "One").await.expect(201);
    assert_eq!(again.json["secret"], Value::Null);
    assert!(again.json["secret_unavailable_reason"].as_str().unwrap().contains("reset"));
    let second = create(&world, &home.who, &home, "k2", "Two").await.expect(201);
    world.edit_account(home.account, |account| account.reveal = RevealPolicy::Once).await;
    let again = create(&world, &home.who, &home, "k2", "Two").await.expect(201);
    assert_eq!(
        (&again.json["secret"], &again.json["token"]["id"]),
        (&Value::Null, &second.json["token"]["id"])
    );
    let path = format!("{}?confirm_name=Two", path_of(&home, &second.json["token"]));
    world.call(&home.who, Method::DELETE, &path, &[("if-match", "\"1\"")], None).await.expect(200);
    create(&world, &home.who, &home, "k2", "Two").await.expect_code(409, "idempotency_token_deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_at_once_one_creates_and_all_get_its_secret() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    for round in 0..5 {
        let name = format!("Token {round}");
        let key = format!("key-{round}");
        let calls = (0..20).map(|_| create(&world, &home.who, &home, &key, &name));
        let replies = futures_util::future::join_all(calls).await;
        let secret = &replies[0].json["secret"];
        for reply in &replies {
            assert_eq!((reply.status.as_u16(), &reply.json["secret"]), (201, secret), "{}", reply.text);
            assert_eq!(world.decide(secret.as_str().unwrap()), "allowed");
        }
        assert_eq!(world.audit("token.create").await.len(), round + 1);
        let path = format!("{}/reset", path_of(&home, &replies[0].json["token"]));
        let headers = [("idempotency-key", key.as_str())];
        let resets = (0..20)
            .map(|_| world.call(&home.who, Method::POST, &path, &headers, Some(json!({ "confirm": true }))));
        let replies = futures_util::future::join_all(resets).await;
        let secret = &replies[0].json["secret"];
        assert!(replies.iter().all(|reply| reply.status == 200 && &reply.json["secret"] == secret));
        assert_eq!(world.audit("token.reset").await.len(), round + 1);
    }
}
