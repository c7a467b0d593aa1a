//! Reveal and reset.

use ::http::Method;
use countersign_store::RevealPolicy;
use serde_json::json;

use super::world::{Reply, Who, World, path_of};

async fn reveal(world: &World, who: &Who, path: &str) -> Reply {
    world.call(who, Method::POST, &format!("{path}/reveal"), &[], None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reveal_is_audited_before_it_is_answered() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, secret) = world.token(&home, "Sync", json!({})).await;
    let path = path_of(&home, &token);
    let shown = reveal(&world, &home.who, &path).await.expect(200);
    assert_eq!((&shown.json["secret"], &shown.json["sid"]), (&json!(secret), &token["sid"]));
    assert_eq!(shown.headers["cache-control"], "no-store");
    let entries = world.audit("secret.reveal").await;
    assert_eq!((entries.len(), entries[0].subject_label.as_str()), (1, "Sync"));
    assert!(!format!("{:?}", entries[0]).contains(&secret));
    // Where the entry cannot be written the secret is not shown: the store is closed under the server's feet.
    world.app.store.clone().close().await.unwrap();
    let refused = reveal(&world, &home.who, &path).await;
    assert!(refused.status.is_server_error() && !refused.text.contains(&secret), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_person_with_the_permission_and_a_fresh_password_sees_a_secret() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, _) = world.token(&home, "Sync", json!({})).await;
    let path = path_of(&home, &token);
    let (_, analyst) = world.member(home.account, "analyst@acme.example", "analyst").await;
    let managing = json!({ "scopes": ["brand.tokens.view", "brand.tokens.create", "brand.tokens.edit",
        "brand.tokens.disable", "brand.tokens.enable", "brand.tokens.reset", "brand.tokens.delete"] });
    let (_, bearer) = world.token(&home, "Robot", managing).await;
    reveal(&world, &analyst, &path).await.expect_code(403, "permission_missing");
    reveal(&world, &Who::Operator, &path).await.expect_code(403, "not_for_operators");
    reveal(&world, &Who::Bearer(bearer), &path).await.expect_code(403, "not_for_tokens");
    world.app.clock.advance_secs(299);
    reveal(&world, &home.who, &path).await.expect(200);
    world.app.clock.advance_secs(1);
    reveal(&world, &home.who, &path).await.expect_code(403, "password_required");
    let home = world.re_sign_in(home).await;
    reveal(&world, &home.who, &path).await.expect(200);
    assert_eq!(world.audit("secret.reveal").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twenty_first_reveal_of_an_hour_is_refused() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (first, _) = world.token(&home, "First", json!({})).await;
    let (second, _) = world.token(&home, "Second", json!({})).await;
    let paths = [path_of(&home, &first), path_of(&home, &second)];
    // All at once: asking in parallel wins nothing.
    let asks = (0..40).map(|index| reveal(&world, &home.who, &paths[index % 2]));
    let replies = futures_util::future::join_all(asks).await;
    let shown = replies.iter().filter(|reply| reply.status == 200).count();
    assert!(shown <= 20, "{shown} of 40 were shown");
    assert!(replies.iter().all(|reply| matches!(reply.status.as_u16(), 200 | 409 | 429)));
    for _ in shown..20 {
        reveal(&world, &home.who, &paths[0]).await.expect(200);
    }
    let refused = reveal(&world, &home.who, &paths[1]).await.expect_code(429, "reveal_limit");
    assert_eq!(refused.headers["retry-after"], "3600");
    assert_eq!(
        world
            .audit("secret.reveal")
            .await
            .iter()
            .filter(|entry| entry.outcome == countersign_store::Outcome::Done)
            .count(),
        20
    );
    world.app.clock.advance_secs(3_599);
    let home = world.re_sign_in(home).await;
    reveal(&world, &home.who, &paths[1]).await.expect_code(429, "reveal_limit");
    world.app.clock.advance_secs(1);
    reveal(&world, &home.who, &paths[1]).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn show_once_keeps_only_the_digest() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (before, _) = world.token(&home, "Before", json!({})).await;
    world.edit_account(home.account, |account| account.reveal = RevealPolicy::Once).await;
    let (token, secret) = world.token(&home, "After", json!({})).await;
    assert_eq!((world.decide(&secret), &token["secret"]["recoverable"]), ("allowed", &json!(false)));
    for token in [&before, &token] {
        let refused =
            reveal(&world, &home.who, &path_of(&home, token)).await.expect_code(409, "secret_unavailable");
        assert_eq!(refused.json["reason"], "shown_once");
    }
    world.edit_account(home.account, |account| account.reveal = RevealPolicy::Recoverable).await;
    let refused =
        reveal(&world, &home.who, &path_of(&home, &token)).await.expect_code(409, "secret_unavailable");
    assert_eq!(refused.json["reason"], "digest_only");
    let once = World::with(|settings| settings.reveal_once = true).await;
    let home = once.home("brand", "acme").await;
    let (token, _) = once.token(&home, "Any", json!({})).await;
    reveal(&once, &home.who, &path_of(&home, &token)).await.expect_code(409, "secret_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_ends_the_old_secret_at_once() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, old) = world.token(&home, "Sync", json!({})).await;
    let path = path_of(&home, &token);
    let reply = world.post(&home.who, &format!("{path}/reset"), json!({ "confirm": true })).await.expect(200);
    let new = reply.json["secret"].as_str().unwrap().to_owned();
    assert_eq!((world.decide(&old), world.decide(&new)), ("credentials_invalid", "allowed"));
    assert_eq!((&reply.json["token"]["sid"], reply.etag()), (&token["sid"], 2));
    assert_eq!(reply.json["token"]["secret"]["generation"], 2);
    assert_eq!(reply.json["token"]["previous_secret"], serde_json::Value::Null);
    assert_eq!(reveal(&world, &home.who, &path).await.expect(200).json["secret"], json!(new));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_overlap_both_work_and_a_second_reset_ends_the_oldest() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, first) = world.token(&home, "Sync", json!({})).await;
    let path = format!("{}/reset", path_of(&home, &token));
    let with = |overlap: &str| json!({ "confirm": true, "overlap": overlap });
    let reply = world.post(&home.who, &path, with("24h")).await.expect(200);
    let second = reply.json["secret"].as_str().unwrap().to_owned();
    assert_eq!(reply.json["token"]["previous_secret"]["ends_at"], "2026-07-02T12:00:00Z");
    assert_eq!((world.decide(&first), world.decide(&second)), ("allowed", "allowed"));
    let reply = world.post(&home.who, &path, with("1h")).await.expect(200);
    let third = reply.json["secret"].as_str().unwrap().to_owned();
    assert_eq!(world.decide(&first), "credentials_invalid");
    assert_eq!((world.decide(&second), world.decide(&third)), ("allowed", "allowed"));
    world.app.clock.advance_secs(3_600);
    assert_eq!((world.decide(&second), world.decide(&third)), ("credentials_invalid", "allowed"));
}
